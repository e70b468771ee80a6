"""Claims of the paper's section 3 as small checks, each on the printed numbers and on runs of ours.

A claim is a function from :class:`~hyperctr.paper.claims.published.Evidence` to a :class:`Verdict`, registered by
:func:`claim`. The claims themselves are in :mod:`hyperctr.paper.claims.tables3and4` and
:mod:`hyperctr.paper.claims.figures4to7`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Literal

import pandas as pd

from hyperctr.paper.claims.published import Comparison, Decision, Evidence

Kind = Literal["holds", "fails", "not decided", "not testable"]
FLAT = 0.005  # AUC; where the paper says "stable", "enough" or "slightly", a gain up to this is taken as none
SHOWN = 3  # comparisons named in an explanation


@dataclass(frozen=True)
class Verdict:
    """What became of a claim on some results, and why, in one line."""

    kind: Kind
    why: str


@dataclass(frozen=True)
class Claim:
    """A sentence of the paper that can be tested.

    Attributes:
        name: for files and tests.
        place: section and table or figure.
        text: the sentence, in our words.
        check: gives the verdict on results.
    """

    name: str
    place: str
    text: str
    check: Callable[[Evidence], Verdict]


CLAIMS: list[Claim] = []
MODULES = ("tables3and4", "figures4to7")


def claim(place: str, text: str, metric: str = "") -> Callable[[Callable[..., Verdict]], Callable[..., Verdict]]:
    """Register a function as a claim; with a metric, it is called with it, and the claim is named after both."""

    def register(function: Callable[..., Verdict]) -> Callable[..., Verdict]:
        def check(evidence: Evidence) -> Verdict:
            return function(evidence, metric) if metric else function(evidence)

        name = f"{function.__name__}_{metric}" if metric else function.__name__
        CLAIMS.append(Claim(name, place, text, check))
        return function

    return register


def all_claims() -> list[Claim]:
    """Return the claims of section 3, in the order of the paper."""
    for module in MODULES:  # they register themselves
        import_module(f"hyperctr.paper.claims.{module}")
    return list(CLAIMS)


def not_testable(why: str) -> Verdict:
    """Return that verdict."""
    return Verdict("not testable", why)


def about_columns(evidence: Evidence, *columns: str) -> Verdict | None:
    """Return a verdict if a sentence is about other data sets than this one, or the printed one nearest to it."""
    if evidence.column in columns:
        return None
    return not_testable(f"said of {' and '.join(columns)}")


def judge(comparisons: Iterable[Comparison], margin: float | None = None) -> Verdict:
    """Return the verdict on "in each of these, A is better than B".

    It holds if all are better, fails if one is worse, cannot be tested if there is nothing to compare, and is not
    decided otherwise: something is not told apart, or missing.

    Args:
        comparisons: A against B.
        margin: the claim is instead that A gains at most so much over B.
    """
    found = list(comparisons)
    decisions: list[Decision] = [one.decision if margin is None else one.at_most(margin) for one in found]
    kinds = set(decisions)
    if kinds <= {"missing"}:
        return not_testable(_listed(found) or "there is nothing to compare")
    telling: Decision
    kind: Kind
    if "worse" in kinds:
        kind, telling = "fails", "worse"
    elif kinds == {"better"}:
        kind, telling = "holds", "better"
    else:
        kind, telling = "not decided", "open" if "open" in kinds else "missing"
    chosen = [one for one, decision in zip(found, decisions, strict=True) if decision == telling]
    closest = sorted(chosen, key=lambda one: abs(one.gain))  # the narrowest first: it decides
    return Verdict(kind, _listed(closest))


def _listed(comparisons: Sequence[Comparison]) -> str:
    more = f"; and {len(comparisons) - SHOWN} more" if len(comparisons) > SHOWN else ""
    return "; ".join(str(one) for one in comparisons[:SHOWN]) + more


def check_claims(evidence: Iterable[Evidence], claims: Iterable[Claim] | None = None) -> pd.DataFrame:
    """Check claims on results.

    Args:
        evidence: printed or our own, one per data set.
        claims: default all.

    Returns:
        one row per claim and evidence: ``claim, place, text, source, dataset, verdict, why``.
    """
    sources = list(evidence)
    rows = []
    for one in all_claims() if claims is None else claims:
        for results in sources:
            verdict = one.check(results)
            rows.append((one.name, one.place, one.text, results.source, results.dataset, verdict.kind, verdict.why))
    return pd.DataFrame(rows, columns=["claim", "place", "text", "source", "dataset", "verdict", "why"])
