"""Runs of ours as evidence for claims: A is better than B only if an interval of the difference leaves zero out.

That is the paired bootstrap interval over test users of each seed, all of them on one side, or Student's interval of
the mean over the seeds' differences (two or three seeds are too few for a bootstrap of their mean).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hyperctr.paper.claims.published import Comparison, Decision, Evidence, sign
from hyperctr.paper.numbers import counterpart
from hyperctr.paper.settings import axis_of
from hyperctr.sweeps.seeds import Pair, chosen_variant, seed_interval


@dataclass
class Runs(Evidence):
    """Runs of ours on one data set.

    Attributes:
        dataset: its name.
        results: rows of ``Plan.results()`` of any number of plans.
        pair: the paired difference in test AUC of two runs by id, None where they cannot be paired. Without it, the
            columns ``behind`` of Table 4's plan are used, else the runs' own intervals as if independent.
        speedup: see :class:`Evidence`.
        others: see :class:`Evidence`.
    """

    dataset: str
    results: pd.DataFrame
    pair: Pair | None = None
    speedup: pd.DataFrame | None = None
    others: Sequence[Evidence] = field(default_factory=tuple)

    source = "ours"

    def __post_init__(self) -> None:
        self.column = counterpart(self.dataset)

    def _table(self, table: str) -> pd.DataFrame:
        rows = self.results["axis"] == "row"
        plans = ("overall", "systems") if table == "overall" else (table,)  # Table 3 is two plans
        return self.results[(rows & self.results["plan"].isin(plans)) | (~rows & (self.results["axis"] == table))]

    def _runs(self, table: str, name: str | float) -> pd.DataFrame:
        """Finished runs of a row or value by seed."""
        found = self._table(table)
        if table == "overall":
            found = found[found["model"] == name]
            found = chosen_variant(found) if len(found) else found
        else:
            found = found[found["label" if isinstance(name, str) else "value"] == name]
        return found[found["state"] == "done"].drop_duplicates("seed").set_index("seed")

    def rows(self, table: str) -> list[str]:
        """Return the planned rows, finished or not."""
        found = self._table(table)
        return [str(name) for name in dict.fromkeys(found["model" if table == "overall" else "label"])]

    def values(self, setting: str) -> list[float]:
        """Return the planned values, finished or not."""
        # K = 0 means all neighbours and is no point of the axis
        return sorted({float(value) for value in self._table(setting)["value"] if value > 0})

    def chosen(self, setting: str, among: Iterable[float]) -> float | None:
        """Return the value with the best mean validation AUC."""
        means = {value: self._runs(setting, value)["best_validation_auc"].mean() for value in among}
        finite = {value: mean for value, mean in means.items() if np.isfinite(mean)}
        return max(finite, key=lambda value: finite[value]) if finite else None

    def compare(self, table: str, a: str | float, b: str | float, metric: str = "auc") -> Comparison:
        """Compare the runs of two rows or values, seed by seed."""
        first, second = (arm if isinstance(arm, str) else axis_of(table).words(arm) for arm in (a, b))
        of_a, of_b = self._runs(table, a), self._runs(table, b)
        seeds = [seed for seed in of_a.index if seed in of_b.index]
        if not seeds:
            return Comparison(first, second, metric, how="no finished run of both")
        of_a, of_b = of_a.loc[seeds], of_b.loc[seeds]
        gains = (of_a[metric] - of_b[metric]).to_numpy(np.float64) * sign(metric)
        pairs = [self._interval(of_a.loc[seed], of_b.loc[seed], str(a)) for seed in seeds] if metric == "auc" else []
        mean_a, mean_b = float(of_a[metric].mean()), float(of_b[metric].mean())
        low, high, decision, how = _decide(gains, pairs)
        return Comparison(first, second, metric, mean_a, mean_b, float(gains.mean()), low, high, decision, how)

    def _interval(self, a: Any, b: Any, name: str) -> tuple[float, float]:
        """Interval of the difference in AUC of two runs of one seed."""
        found = self.pair(str(a["run"]), str(b["run"])) if self.pair else None
        if found is not None:
            return found.low, found.high
        if a["label"] == "multi-modal" and np.isfinite(b.get("behind", math.nan)):
            return float(b["behind_low"]), float(b["behind_high"])
        if b["label"] == "multi-modal" and np.isfinite(a.get("behind", math.nan)):
            return -float(a["behind_high"]), -float(a["behind_low"])
        # wider than a paired one: what is hard for both is counted twice
        below = math.hypot(a["auc"] - a["auc_low"], b["auc_high"] - b["auc"])
        above = math.hypot(a["auc_high"] - a["auc"], b["auc"] - b["auc_low"])
        gain = float(a["auc"] - b["auc"])
        return gain - below, gain + above


def _decide(gains: NDArray[np.float64], pairs: Sequence[tuple[float, float]]) -> tuple[float, float, Decision, str]:
    """Return interval, decision and where it comes from, of one gain per seed."""
    sides = {"better" if low > 0 else "worse" if high < 0 else "open" for low, high in pairs}
    agreed: Decision = sides.pop() if len(sides) == 1 else "open"  # type: ignore[assignment]
    if len(gains) == 1:
        if not pairs:
            return math.nan, math.nan, "open", "one seed, which gives no interval"
        return (*pairs[0], agreed, "one seed, interval over test users")
    low, high = seed_interval(gains)
    over: Decision = "better" if low > 0 else "worse" if high < 0 else "open"
    how = f"{len(gains)} seeds"
    if over == "open" and agreed != "open":
        low, high = min(one for one, _ in pairs), max(one for _, one in pairs)
        return low, high, agreed, f"{how}, from the lowest to the highest bound of their intervals over test users"
    return low, high, over, how
