"""What a claim is held against: printed tables, or runs of ours, through one interface: is A better than B?

Printed numbers are compared as printed: no interval is given with them. Runs of ours are in
:mod:`hyperctr.paper.claims.measured`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from hyperctr.paper.numbers import is_printed, printed, printed_columns

Decision = Literal["better", "worse", "open", "missing"]
NAMES = {"auc": "AUC", "logloss": "log loss"}


@dataclass(frozen=True)
class Comparison:
    """Whether A is better than B.

    Attributes:
        a, b: names.
        metric: ``auc`` or ``logloss``.
        of_a, of_b: the values; nan where there is none.
        gain: by how much A is better, whichever way the metric runs.
        low, high: interval of the gain; nan without one. As printed, both are the gain.
        decision: ``better``, ``worse``, ``open`` (not told apart) or ``missing``.
        how: where the interval comes from, or what is missing.
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

    def at_most(self, margin: float) -> Decision:
        """Decide whether A gains at most ``margin`` over B: ``better`` means yes, ``worse`` means it gains more."""
        if self.decision == "missing":
            return "missing"
        return "better" if self.high <= margin else "worse" if self.low > margin else "open"

    def __str__(self) -> str:
        if self.decision == "missing":
            return f"{self.a} against {self.b}: {self.how}"
        interval = f" [{self.low:+.4f}, {self.high:+.4f}]" if self.low < self.high else ""
        return (
            f"{NAMES[self.metric]} {self.a} {self.of_a:.4f}, {self.b} {self.of_b:.4f}: {self.gain:+.4f}{interval} "
            f"for {self.a}, {self.how}"
        )


def sign(metric: str) -> int:
    """Return -1 for a metric of which less is better, else 1."""
    return -1 if metric == "logloss" else 1


def name_of(arm: str | float) -> str:
    """Write the name of a row or the value of a setting."""
    return arm if isinstance(arm, str) else f"{arm:g}"


class Evidence:
    """Results that claims are checked on.

    Attributes:
        source: ``paper`` or ``ours``.
        dataset: the printed column, or the name of our data set.
        column: the printed column it is, or stands nearest to; empty for none.
        others: results of the same source on other data sets, for claims across them.
        speedup: rows of :func:`~hyperctr.paper.figures.figure7_scaling.speedup_frame`; None if not measured. Its
            ``attrs`` may say how many ``busy_cores`` there were when the measurement began.
    """

    source: Literal["paper", "ours"]
    dataset: str
    column: str
    others: Sequence[Evidence] = ()
    speedup: pd.DataFrame | None = None

    @property
    def own_data(self) -> bool:
        """Whether these are the paper's own data."""
        return self.source == "paper" or is_printed(self.dataset)

    def rows(self, table: str) -> list[str]:
        """Name the rows of ``overall`` (models) or ``modalities`` (labels) that were printed, or planned."""
        raise NotImplementedError

    def values(self, setting: str) -> list[float]:
        """Return the values of a setting that were run, in order; of the paper none: its figures print no numbers."""
        raise NotImplementedError

    def compare(self, table: str, a: str | float, b: str | float, metric: str = "auc") -> Comparison:
        """Compare two rows of a table, or two values of a setting (``table`` is then its name)."""
        raise NotImplementedError

    def chosen(self, setting: str, among: Iterable[float]) -> float | None:
        """Return the value that validation chooses among some; None if none has a result."""
        raise NotImplementedError


class Printed(Evidence):
    """The paper's printed numbers of one data set.

    >>> print(Printed("Kuaishou").compare("modalities", "multi-modal", "visual-modal"))
    AUC multi-modal 0.8120, visual-modal 0.8110: +0.0010 for multi-modal, as printed
    """

    source = "paper"

    def __init__(self, column: str) -> None:
        self.dataset = self.column = column
        tables = {"overall": printed("table3"), "modalities": printed("table4")}
        tables["overall"]["name"] = tables["overall"]["model"]
        self._tables = {
            name: table[(table["dataset"] == column) & table["auc"].notna()].set_index("name")
            for name, table in tables.items()
        }

    def rows(self, table: str) -> list[str]:
        """Return the rows with numbers in this column."""
        return [str(name) for name in self._tables[table].index] if table in self._tables else []

    def values(self, setting: str) -> list[float]:
        """Return none: the figures are printed without numbers."""
        return []

    def chosen(self, setting: str, among: Iterable[float]) -> float | None:
        """Return None: no validation results are printed."""
        return None

    def compare(self, table: str, a: str | float, b: str | float, metric: str = "auc") -> Comparison:
        """Compare two printed cells; printed to four digits, their difference has no more."""
        cells = self._tables.get(table, pd.DataFrame(columns=["auc", "logloss"]))[metric].astype(float).to_dict()
        if a not in cells or b not in cells:
            return Comparison(name_of(a), name_of(b), metric, how="not printed")
        gain = round((cells[a] - cells[b]) * sign(metric), 4)
        decision: Decision = "better" if gain > 0 else "worse" if gain < 0 else "open"
        return Comparison(name_of(a), name_of(b), metric, cells[a], cells[b], gain, gain, gain, decision, "as printed")


def printed_evidence() -> list[Evidence]:
    """Return the paper's data sets, each knowing the others."""
    found: list[Evidence] = [Printed(column) for column in printed_columns()]
    for one in found:
        one.others = [other for other in found if other is not one]
    return found
