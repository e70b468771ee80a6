"""What a report's first page says was found: three comparisons in words, whichever way they come out."""

from __future__ import annotations

from collections.abc import Mapping

from hyperctr.paper.checks.results import RunResults
from hyperctr.paper.checks.tables3and4 import ALL, GRAPHLESS, MODEL, SINGLE
from hyperctr.paper.checks.verdict import in_words

BEYOND = "hyperctr+"  # the model with switches beyond the paper


def overall_finding(results: RunResults, names: Mapping[str, str]) -> str:
    """Say how HyperCTR stands to the strongest other model that was run, and what the switches beyond the paper add.

    Args:
        results: runs of the plan ``overall``, and of others.
        names: model -> how the paper writes it.
    """
    others = [name for name in results.rows("overall") if name not in (MODEL, BEYOND)]
    pairs = [pair for name in others if (pair := results.compare("overall", MODEL, name)).has_result]
    if not pairs:
        return ""
    pair = max(pairs, key=lambda pair: pair.of_b)
    strongest = names.get(pair.b, pair.b) + (f" (the strongest of {len(pairs)} others)" if len(pairs) > 1 else "")
    said = in_words(pair, names[MODEL], strongest) + "."
    more = results.compare("overall", BEYOND, MODEL)
    return f"{said} {in_words(more, f'`{BEYOND}`', names[MODEL])}." if more.has_result else said


def modalities_finding(results: RunResults) -> str:
    """Say what hyperedges are worth, and all modalities against the best single one."""
    sentences = []
    graphless = results.compare("modalities", ALL, GRAPHLESS)
    if graphless.has_result:
        sentences.append(in_words(graphless, "HyperCTR with hyperedges", "the same model without them"))
    alone = [name for name in results.rows("modalities") if name.endswith(SINGLE) and name != ALL]
    pairs = [pair for name in alone if (pair := results.compare("modalities", ALL, name)).has_result]
    if pairs:
        pair = max(pairs, key=lambda pair: pair.of_b)
        best = f"the best one alone ({pair.b.removesuffix(SINGLE)})"
        sentences.append(in_words(pair, "All modalities together", best, "are"))
    return "".join(f"{sentence}.\n\n" for sentence in sentences).strip()
