"""The parts of a claim: a sentence of the paper's section 3, how it is checked, and the verdict.

To add a claim, give :func:`claims_at` in :mod:`~hyperctr.paper.checks.tables3and4` or
:mod:`~hyperctr.paper.checks.figures4to7` its name, the sentence in our words, and a function from results to a
:class:`~hyperctr.paper.checks.verdict.Verdict`; most are one call of :func:`verdict_of`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from hyperctr.paper.checks.results import Results
from hyperctr.paper.checks.verdict import NAMES, Comparison, Kind, Verdict, not_applicable, not_run

HIGHER = {"auc": "higher", "logloss": "lower"}  # the better direction
FLAT = 0.005  # AUC; where the paper says "stable", "enough" or "slightly", a gain up to this is taken as none
SHOWN = 3  # comparisons named in an explanation


@dataclass(frozen=True)
class Claim:
    """A sentence of the paper, in our words, that can be tested.

    ``place`` is its section and table or figure; ``said_of`` names the published data sets it is about, empty: all.
    """

    name: str
    place: str
    text: str
    function: Callable[[Results], Verdict]
    said_of: tuple[str, ...] = ()

    def check(self, results: Results) -> Verdict:
        """Return the verdict on results of a data set that the claim is about, or of the one nearest to it."""
        if self.said_of and results.column not in self.said_of:
            return not_applicable(f"said of {' and '.join(self.said_of)}")
        return self.function(results)


def claims_at(place: str, **claims: tuple[str, Callable[..., Verdict], *tuple[str, ...]]) -> list[Claim]:
    """Return the claims of one place in the paper: name -> sentence, function, the data sets it is about.

    A sentence with ``{metric}`` makes two claims, on the AUC and on the log loss; ``{higher}`` is filled in, too.
    """
    listed = []
    for name, (text, function, *said_of) in claims.items():
        if "{metric}" not in text:
            listed.append(Claim(name, place, text, function, tuple(said_of)))
            continue
        for key, metric in NAMES.items():
            sentence = text.format(metric=metric, higher=HIGHER[key])
            listed.append(Claim(f"{name}_{key}", place, sentence, partial(function, metric=key), tuple(said_of)))
    return listed


def verdict_of(comparisons: Iterable[Comparison], margin: float | None = None, none: Verdict | None = None) -> Verdict:
    """Return the verdict on "in each of these, A is better than B".

    It is supported if all are better, contradicted if one is worse, not run or not applicable if there is nothing to
    compare (without any comparison it is ``none``), and inconclusive otherwise: something is not told apart, or
    missing. With a margin the claim is instead that A gains at most so much over B.
    """
    pairs = list(comparisons)
    if not pairs:
        return none or not_run("there is nothing to compare")
    decisions = [pair.decision if margin is None else pair.at_most(margin) for pair in pairs]
    kind: Kind = "inconclusive"
    if not any(pair.has_result for pair in pairs):
        kind = "not run" if "missing" in decisions else "not applicable"
    elif "worse" in decisions:
        kind = "contradicted"
    elif set(decisions) == {"better"}:
        kind = "supported"
    telling = next(word for word in ("worse", "open", "missing", "absent", "better") if word in decisions)
    shown = [pair for pair, decision in zip(pairs, decisions, strict=True) if decision == telling]
    shown.sort(key=lambda pair: abs(pair.gain))  # the narrowest first: it decides
    drawn = next((pair for pair in (*shown, *pairs) if pair.has_result), None)
    return Verdict(kind, _listed(shown), drawn, margin or 0.0)


def _listed(pairs: Sequence[Comparison]) -> str:
    more = f"; and {len(pairs) - SHOWN} more" if len(pairs) > SHOWN else ""
    return "; ".join(map(str, pairs[:SHOWN])) + more
