"""What claims are checked on: the published numbers, compared as they are, and measured runs.

Of runs, A is better than B only if an interval leaves zero out: the paired bootstrap interval over test users of each
seed, all of them on one side, or Student's interval of the mean over the seeds' differences (two or three seeds are
too few for a bootstrap of their mean). Their log loss is the calibrated one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hyperctr.paper.checks.verdict import Comparison, Decision, not_applicable, not_run
from hyperctr.paper.numbers import counterpart, published_columns, published_table
from hyperctr.paper.settings import axis_of
from hyperctr.sweeps.seeds import Pair, chosen_variant, records, seed_interval

Bounds = tuple[float, float]
COLUMN = {"auc": "auc", "logloss": "logloss_calibrated"}  # of a measured metric
SIGN = {"auc": 1, "logloss": -1}  # of a metric of which less is better


class PublishedResults:
    """The paper's numbers of one data set: ``column`` as Table 3 names it, ``others`` are its other data sets.

    >>> print(PublishedResults("Kuaishou").compare("modalities", "multi-modal", "visual-modal"))
    AUC multi-modal 0.8120, visual-modal 0.8110: +0.0010 for multi-modal, as published
    """

    source = "published"
    none = not_applicable("the figure is published without numbers")  # where there is nothing to check
    speedup = None

    def __init__(self, column: str) -> None:
        self.dataset = self.column = column
        self.others: Sequence[PublishedResults] = ()
        self._cells: dict[str, dict[str, dict[str, float]]] = {}
        for name, table, key in (("overall", "table3", "model"), ("modalities", "table4", "name")):
            cells = published_table(table).query("dataset == @column").dropna(subset=["auc"])
            self._cells[name] = {str(row[key]): row for row in records(cells)}

    def rows(self, table: str) -> list[str]:
        """Name the rows of ``overall`` (models) or ``modalities`` (labels) with numbers in this column."""
        return list(self._cells.get(table, ()))

    def values(self, setting: str) -> list[float]:
        """Return no values of a setting: the figures are published without numbers."""
        return []

    def chosen(self, setting: str, among: Iterable[float]) -> None:
        """Choose nothing, for the same reason."""

    def compare(self, table: str, a: str | float, b: str | float, metric: str = "auc") -> Comparison:
        """Compare two published cells; given to four digits, their difference has no more."""
        first, second = (arm if isinstance(arm, str) else f"{arm:g}" for arm in (a, b))
        cells = self._cells.get(table, {})
        if first not in cells or second not in cells:
            return Comparison(first, second, metric, decision="absent", how="not published")
        of_a, of_b = cells[first][metric], cells[second][metric]
        gain = round((of_a - of_b) * SIGN[metric], 4)
        return Comparison(first, second, metric, of_a, of_b, gain, gain, gain, _side(gain, gain), "as published")


def published_results() -> list[PublishedResults]:
    """Return the paper's data sets, each knowing the others."""
    columns = [PublishedResults(column) for column in published_columns()]
    for results in columns:
        results.others = [other for other in columns if other is not results]
    return columns


@dataclass
class RunResults:
    """Runs on one data set; ``column`` is the published column it is, or stands nearest to, empty for none.

    Attributes:
        dataset: its name.
        runs: rows of ``Sweep.results`` of any number of plans.
        pair: the paired difference in test AUC of two runs by id, None where they cannot be paired. Without it, the
            runs' own intervals are taken as if they were independent.
        speedup: rows of :func:`~hyperctr.paper.figures.figure7_scaling.speedup_frame`, None if not measured; its
            ``attrs`` may say how many ``busy_cores`` there were when the measurement began.
        others: runs on other data sets, for claims across them.
    """

    dataset: str
    runs: pd.DataFrame
    pair: Pair | None = None
    speedup: pd.DataFrame | None = None
    others: Sequence[RunResults] = ()
    source: ClassVar = "measured"
    none: ClassVar = not_run("no such runs")  # where there is nothing to check

    def __post_init__(self) -> None:
        self.column = counterpart(self.dataset)

    def rows(self, table: str) -> list[str]:
        """Name the planned rows of ``overall`` (models) or of another plan (labels), finished or not."""
        return [str(name) for name in self._table(table)["model" if table == "overall" else "label"].unique()]

    def values(self, setting: str) -> list[float]:
        """Return the planned values of a setting in order, finished or not."""
        # K = 0 means all neighbours and is no point of the x axis
        return sorted({float(value) for value in self._table(setting)["value"] if value > 0})

    def chosen(self, setting: str, among: Iterable[float]) -> float | None:
        """Return the value with the best mean validation AUC; None if none has a result."""
        means = {value: self._finished(setting, value)["best_validation_auc"].mean() for value in among}
        able = [value for value, mean in means.items() if np.isfinite(mean)]
        return max(able, key=lambda value: means[value], default=None)

    def compare(self, table: str, a: str | float, b: str | float, metric: str = "auc") -> Comparison:
        """Compare the runs of two rows of a table, or of two values of a setting (``table`` is its name), by seed."""
        first, second = (arm if isinstance(arm, str) else axis_of(table).words(arm) for arm in (a, b))
        rows = self.rows(table) if table == "modalities" else []
        if lacking := [name for name in (first, second) if rows and name not in rows]:
            return Comparison(first, second, metric, decision="absent", how=f"these data have no {lacking[0]}")
        of_a, of_b = self._finished(table, a), self._finished(table, b)
        column = COLUMN[metric]
        finished = of_a.index.intersection(of_b.index, sort=False)
        seeds = finished[(of_a.loc[finished, column].notna() & of_b.loc[finished, column].notna()).to_numpy()]
        if seeds.empty:
            lacks = "no finished run of both" if finished.empty else "runs recorded without a calibrated log loss"
            return Comparison(first, second, metric, how=lacks)
        of_a, of_b = of_a.loc[seeds], of_b.loc[seeds]
        gains = (of_a[column] - of_b[column]).to_numpy(np.float64) * SIGN[metric]
        by_seed = [self._interval(of_a.loc[seed], of_b.loc[seed]) for seed in seeds] if metric == "auc" else []
        low, high, decision, how = _decide(gains, by_seed)
        means = float(of_a[column].mean()), float(of_b[column].mean())
        return Comparison(first, second, metric, *means, float(gains.mean()), low, high, decision, how)

    def _table(self, table: str) -> pd.DataFrame:
        """The runs of a plan's rows, or of a setting's values."""
        plans = ("overall", "systems") if table == "overall" else (table,)  # Table 3 is two plans
        cases = self.runs["setting"] == "case"
        return self.runs[(cases & self.runs["plan"].isin(plans)) | (~cases & (self.runs["setting"] == table))]

    def _finished(self, table: str, name: str | float) -> pd.DataFrame:
        """Finished runs of a row or value by seed; of a system's variants those that Table 3 shows."""
        column = "model" if table == "overall" else "label" if isinstance(name, str) else "value"
        runs = self._table(table)
        runs = runs[runs[column] == name]
        if table == "overall" and len(runs):
            runs = chosen_variant(runs)
        return runs[runs["state"] == "done"].drop_duplicates("seed").set_index("seed")

    def _interval(self, a: Any, b: Any) -> Bounds:
        """Interval of the difference in AUC of two runs of one seed."""
        paired = self.pair(str(a["run"]), str(b["run"])) if self.pair else None
        if paired is not None:
            return paired.low, paired.high
        # wider than a paired one: what is hard for both is counted twice
        gain = float(a["auc"] - b["auc"])
        below = math.hypot(a["auc"] - a["auc_low"], b["auc_high"] - b["auc"])
        above = math.hypot(a["auc_high"] - a["auc"], b["auc"] - b["auc_low"])
        return gain - below, gain + above


Results = PublishedResults | RunResults


def _side(low: float, high: float) -> Decision:
    return "better" if low > 0 else "worse" if high < 0 else "open"


def _decide(gains: NDArray[np.float64], by_seed: Sequence[Bounds]) -> tuple[float, float, Decision, str]:
    """Return interval, decision and where it comes from, of one gain per seed and the intervals of each."""
    sides = {_side(*bounds) for bounds in by_seed}
    agreed: Decision = sides.pop() if len(sides) == 1 else "open"
    if len(gains) == 1:
        if not by_seed:
            return math.nan, math.nan, "open", "one seed, which gives no interval"
        return (*by_seed[0], agreed, "one seed, interval over test users")
    low, high = seed_interval(gains)
    how = f"{len(gains)} seeds"
    if _side(low, high) == "open" and agreed != "open":
        low, high = min(bounds[0] for bounds in by_seed), max(bounds[1] for bounds in by_seed)
        how += ", from the lowest to the highest bound of their intervals over test users"
        return low, high, agreed, how
    return low, high, _side(low, high), how
