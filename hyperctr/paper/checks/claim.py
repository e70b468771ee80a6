"""The parts of a claim: a sentence of the paper's section 3, how it is checked, and the verdict.

To add a claim, give :func:`claims_at` in :mod:`~hyperctr.paper.checks.tables3and4` or
:mod:`~hyperctr.paper.checks.figures4to7` its name, the sentence in our words, and a function from results to a
:class:`Verdict`; most are one call of :func:`verdict_of`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from hyperctr.paper.checks.results import NAMES, Comparison, Results

Kind = Literal["holds", "fails", "not decided", "not testable"]
HIGHER = {"auc": "higher", "logloss": "lower"}  # the better direction
FLAT = 0.005  # AUC; where the paper says "stable", "enough" or "slightly", a gain up to this is taken as none
SHOWN = 3  # comparisons named in an explanation


@dataclass(frozen=True)
class Verdict:
    """Whether a claim holds on some results, and why, in one line."""

    kind: Kind
    why: str


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
            return not_testable(f"said of {' and '.join(self.said_of)}")
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


def not_testable(why: str) -> Verdict:
    """Return that verdict."""
    return Verdict("not testable", why)


def verdict_of(comparisons: Iterable[Comparison], margin: float | None = None, none: str = "") -> Verdict:
    """Return the verdict on "in each of these, A is better than B".

    It holds if all are better, fails if one is worse, cannot be tested if there is nothing to compare (``none`` says
    why), and is not decided otherwise: something is not told apart, or missing. With a margin the claim is instead
    that A gains at most so much over B.
    """
    pairs = list(comparisons)
    decisions = [pair.decision if margin is None else pair.at_most(margin) for pair in pairs]
    if set(decisions) <= {"missing"}:
        return not_testable(_listed(pairs) or none or "there is nothing to compare")
    kind: Kind = "fails" if "worse" in decisions else "holds" if set(decisions) == {"better"} else "not decided"
    telling = next(decision for decision in ("worse", "open", "missing", "better") if decision in decisions)
    shown = [pair for pair, decision in zip(pairs, decisions, strict=True) if decision == telling]
    return Verdict(kind, _listed(sorted(shown, key=lambda pair: abs(pair.gain))))  # the narrowest first: it decides


def _listed(pairs: Sequence[Comparison]) -> str:
    more = f"; and {len(pairs) - SHOWN} more" if len(pairs) > SHOWN else ""
    return "; ".join(map(str, pairs[:SHOWN])) + more
