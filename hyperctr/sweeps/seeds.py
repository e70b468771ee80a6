"""Runs of one case, one per seed, taken together: means, intervals of the mean, differences paired by seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import t as student

from hyperctr.statistics import Interval

LEVEL = 0.95
TEMPORAL = "temporal"  # the split that no seed changes
Pair = Callable[[str, str], Interval | None]  # test AUC of one run minus that of another, None if they cannot be paired


def sum_up(runs: pd.DataFrame) -> dict[str, Any]:
    """Sum up the runs of one case, one per seed: means over the finished ones, with intervals, and what is missing.

    Returns:
        ``seeds`` (finished), ``auc``, ``logloss`` and ``logloss_calibrated`` with their intervals, ``auc_centred, gauc,
        parameters, seconds_per_epoch``, the highest ``peak_memory_mib``, ``label``; nan where nothing was measured.
        ``state`` is ``done`` or says how many are not, ``error`` is the first error.
    """
    done = runs[runs["state"] == "done"]
    row: dict[str, Any] = {"seeds": len(done), "state": state_of(runs["state"]), "label": str(runs["label"].iloc[0])}
    row["error"] = next((str(error) for error in runs["error"] if isinstance(error, str) and error), "")
    for metric in ("auc", "logloss", "logloss_calibrated"):
        row |= dict(zip((metric, f"{metric}_low", f"{metric}_high"), over_seeds(done, metric), strict=True))
    numbers = done.reindex(columns=["auc_centred", "gauc", "parameters", "seconds_per_epoch", "peak_memory_mib"])
    numbers = numbers.apply(pd.to_numeric, errors="coerce")
    return {**row, **numbers.mean().to_dict(), "peak_memory_mib": float(numbers["peak_memory_mib"].max())}


def state_of(states: Iterable[str]) -> str:
    """Sum up the states of the runs of a case.

    >>> state_of(["done", "done"]), state_of(["failed"]), state_of(["done", "failed", "killed"])
    ('done', 'failed', '1 of 3 done, 1 failed, 1 killed')
    """
    counts = Counter(states)
    if len(counts) == 1:
        return next(iter(counts))
    others = ", ".join(f"{count} {state}" for state, count in counts.items() if state != "done")
    return f"{counts['done']} of {counts.total()} done, {others}"


def chosen_variant(runs: pd.DataFrame) -> pd.DataFrame:
    """Of the variants with most finished seeds, the one best on validation; the first where none is finished."""
    done = runs[runs["state"] == "done"].groupby("label", sort=False)["best_validation_auc"].agg(["count", "mean"])
    most = done[done["count"] == done["count"].max()]
    label = runs["label"].iloc[0] if done.empty else most["mean"].idxmax()
    chosen: pd.DataFrame = runs[runs["label"] == label]
    return chosen


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a frame."""
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def over_seeds(runs: pd.DataFrame, metric: str) -> tuple[float, float, float]:
    """Return mean, low and high of a metric over finished runs, one per seed; nan without any.

    Two seeds or more have the interval of their mean, a single run its own, over test users. A temporal split tests
    all seeds on the same clicks, so that their spread says nothing of other users: there it is the mean of their own.

    >>> over_seeds(pd.DataFrame({"auc": [0.8], "auc_low": [0.7], "auc_high": [0.9]}), "auc")
    (0.8, 0.7, 0.9)
    """
    done = runs[np.isfinite(runs[metric].to_numpy(np.float64))]
    if not len(done):
        return (np.nan,) * 3
    own = done.reindex(columns=[metric, f"{metric}_low", f"{metric}_high"]).astype(np.float64).mean()
    same_clicks = "split" in done and (done["split"] == TEMPORAL).all() and own.notna().all()
    if len(done) == 1 or same_clicks:
        return float(own.iloc[0]), float(own.iloc[1]), float(own.iloc[2])
    values = done[metric].to_numpy(np.float64)
    return float(values.mean()), *seed_interval(values)


def seed_interval(values: ArrayLike) -> tuple[float, float]:
    """Return Student's 95 % interval of the mean of at least two numbers, one per seed.

    Resampling two or three seeds would promise far narrower intervals than so few can give.

    >>> low, high = seed_interval([0.01, 0.02, 0.03])
    >>> round(low, 4), round(high, 4)
    (-0.0048, 0.0448)
    """
    numbers = np.asarray(values, dtype=np.float64)
    half = float(student.ppf((1 + LEVEL) / 2, len(numbers) - 1) * numbers.std(ddof=1) / len(numbers) ** 0.5)
    mean = float(numbers.mean())
    return mean - half, mean + half


def paired(runs: pd.DataFrame, column: str, end: Any, start: Any, pair: Pair | None = None) -> Interval | None:
    """Return the mean test AUC of the runs with ``end`` minus that with ``start``, paired by seed.

    ``runs`` has columns ``seed, auc, run`` and ``column``, which tells the two apart; rows without AUC are left out.
    Two common seeds or more have the interval over seeds; one has that of ``pair``, which compares two runs. None with
    no common seed, or with one that cannot be paired.
    """
    done = runs[np.isfinite(runs["auc"].to_numpy(np.float64))]
    first, second = (done[done[column] == value].set_index("seed") for value in (end, start))
    seeds = [seed for seed in first.index if seed in second.index]
    if len(seeds) > 1:
        gains = (first.loc[seeds, "auc"] - second.loc[seeds, "auc"]).to_numpy(np.float64)
        return Interval(float(gains.mean()), *seed_interval(gains), LEVEL, users=0, replicates=0)
    if not seeds or pair is None:
        return None
    names = [group.loc[seeds[0], "run"] for group in (first, second)]
    return pair(*names) if all(isinstance(name, str) for name in names) else None
