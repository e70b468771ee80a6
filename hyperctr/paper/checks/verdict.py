"""What a claim comes down to: comparisons of two results, and the verdict on them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from hyperctr.written import show_interval, show_number

Kind = Literal["supported", "contradicted", "inconclusive", "not run", "not applicable"]
Decision = Literal["better", "worse", "open", "missing", "absent"]
NAMES = {"auc": "AUC", "logloss": "log loss"}


@dataclass(frozen=True)
class Comparison:
    """Whether A is better than B.

    ``gain`` is by how much A is better, whichever way the metric runs; ``low`` and ``high`` bound it (nan without an
    interval; of published values both are the gain). The decision is ``open`` where A and B are not told apart,
    ``missing`` where there is no result yet, ``absent`` where there can be none; ``how`` says where the interval comes
    from, or what there is not.
    """

    a: str
    b: str
    metric: str
    of_a: float = math.nan
    of_b: float = math.nan
    gain: float = math.nan
    low: float = math.nan
    high: float = math.nan
    decision: Decision = "missing"
    how: str = "no result"

    @property
    def has_result(self) -> bool:
        """Whether there are two results to compare."""
        return self.decision not in ("missing", "absent")

    def at_most(self, margin: float) -> Decision:
        """Decide whether A gains at most ``margin`` over B: ``better`` means yes, ``worse`` means it gains more."""
        if not self.has_result:
            return self.decision
        return "better" if self.high <= margin else "worse" if self.low > margin else "open"

    def __str__(self) -> str:
        if not self.has_result:
            return f"{self.a} against {self.b}: {self.how}"
        interval = f" {show_interval(self.low, self.high, sign=True)}" if self.low < self.high else ""
        values = f"{NAMES[self.metric]} {self.a} {show_number(self.of_a)}, {self.b} {show_number(self.of_b)}"
        return f"{values}: {show_number(self.gain, sign=True)}{interval} for {self.a}, {self.how}"


def in_words(pair: Comparison, a: str, b: str, verb: str = "is") -> str:
    """Say in Markdown whether ``a`` is ahead of ``b``, and by how much; only an interval decides.

    >>> lead = Comparison("x", "y", "auc", 0.81, 0.8, 0.01, 0.004, 0.016, "better", "3 seeds")
    >>> in_words(lead, "X", "Y")
    'X is **ahead of** Y by 0.0100 AUC [0.0040, 0.0160]'
    >>> in_words(Comparison("x", "y", "auc", 0.8, 0.81, -0.01, -0.016, -0.004, "worse", "3 seeds"), "X", "Y")
    'X is **behind** Y by 0.0100 AUC [0.0040, 0.0160]'
    >>> in_words(Comparison("x", "y", "auc", 0.8, 0.8, 0.0, -0.01, 0.01, "open", "3 seeds"), "X and Z", "Y", "are")
    'X and Z are **not told apart from** Y: 0.0000 AUC [−0.0100, +0.0100]'
    """
    unit, apart = NAMES[pair.metric], pair.decision in ("better", "worse")
    side = {"better": "ahead of", "worse": "behind"}.get(pair.decision, "not told apart from")
    low, high = sorted((abs(pair.low), abs(pair.high))) if apart else (pair.low, pair.high)
    size = show_number(abs(pair.gain)) if apart else show_number(pair.gain, sign=True)
    bounds = show_interval(low, high, sign=not apart)
    return f"{a} {verb} **{side}** {b}{' by' if apart else ':'} {size} {unit} {bounds}".rstrip()


@dataclass(frozen=True)
class Verdict:
    """Whether a claim holds on some results, and why, in one line.

    Attributes:
        kind: ``supported`` or ``contradicted``; ``inconclusive``: the results cannot tell; ``not run``: they are not
            there, but can be had; ``not applicable``: they cannot, of these data.
        why: the numbers, or what is missing.
        decisive: the comparison that it rests on most, if on any.
        margin: what the gain was held against; 0 unless the claim allows for some.
    """

    kind: Kind
    why: str
    decisive: Comparison | None = field(default=None, compare=False)
    margin: float = field(default=0.0, compare=False)


def not_run(why: str) -> Verdict:
    """Return that verdict."""
    return Verdict("not run", why)


def not_applicable(why: str) -> Verdict:
    """Return that verdict."""
    return Verdict("not applicable", why)
