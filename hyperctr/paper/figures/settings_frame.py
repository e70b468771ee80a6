"""The numbers behind Figures 4-6: a row per mark drawn, from the results of a sweep over one or two settings.

Selection is by validation, and only the test value of what validation chose is claimed; both stand in the frame.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import t as student

from hyperctr.config import REFERENCE_MODEL
from hyperctr.display.theme import need_columns
from hyperctr.errors import ShapeError
from hyperctr.paper.numbers import paper_numbers, stated_best
from hyperctr.paper.settings import axis_of
from hyperctr.statistics import Interval
from hyperctr.sweeps.sweep import Sweep, paired_runs

REFERENCES = {"popularity": "popularity", REFERENCE_MODEL: "content MF"}
REPORTED = "its reported results"  # label of a value the paper uses without calling it best
LEVEL = 0.95
COLUMNS = (
    "kind",
    "setting",
    "value",
    "value_high",
    "label",
    "seed",
    "run",
    "state",
    "auc",
    "auc_low",
    "auc_high",
    "validation_auc",
    "seeds",
    "chosen",
    "behind",
    "behind_low",
    "behind_high",
)
Pair = Callable[[str, str], Interval | None]  # test AUC of one run minus that of another, None if they cannot be paired
NEEDED = ("axis", "value", "label", "seed", "run", "state", "auc", "auc_low", "auc_high", "best_validation_auc")


def sweep_frame(sweep: Sweep) -> pd.DataFrame:
    """Return the :func:`axis_frame` of a sweep, with the best values that the paper states beside it."""
    stated = [best for setting in dict.fromkeys(sweep.results["axis"]) for best in stated_best(str(setting))]
    reported = paper_numbers()["figure6"]["reported_embedding_size"]  # not called best: it has no data set
    stated.append({"setting": "embedding_size", "dataset": REPORTED, "low": reported})
    return axis_frame(sweep.results, sweep.trivial, stated, paired_runs)


def axis_frame(
    results: pd.DataFrame,
    trivial: pd.DataFrame | None = None,
    paper: Iterable[Mapping[str, Any]] = (),
    pair: Pair | None = None,
) -> pd.DataFrame:
    """Sum up the runs of a sweep over numeric settings.

    Args:
        results: rows of ``Plan.results()``; rows whose ``axis`` is ``row`` are left out.
        trivial: rows of ``Plan.trivial()``.
        paper: the best values that the paper states: ``setting``, ``dataset``, ``low`` and perhaps ``high``.
        pair: compares two runs of one seed; used where there is only one seed.

    Returns:
        columns ``kind`` (``run``: one run; ``mean``: over the seeds of a value; ``reference``: a simple model;
        ``paper``: a stated best), ``setting, value, value_high`` (of a stated range; inf: and beyond), ``label, seed,
        run, state, auc, auc_low, auc_high, validation_auc, seeds`` (finished), ``chosen`` (best on validation among
        the values with most finished seeds; of equals the smallest), ``behind, behind_low, behind_high`` (test AUC of
        the chosen value minus this one's, paired). A mean over two seeds or more has the interval of that mean, a
        single run its bootstrap interval over test users.

    Raises:
        ShapeError: a column is missing, or no run varies a setting.

    >>> runs = pd.DataFrame({"axis": "layers", "value": [1.0, 2.0], "label": ["1", "2"], "seed": 0, "run": "r",
    ...     "state": "done", "auc": [0.7, 0.8], "auc_low": 0.6, "auc_high": 0.9, "best_validation_auc": [0.75, 0.74]})
    >>> axis_frame(runs).query("chosen")["value"].tolist()
    [1.0]
    """
    need_columns(results, *NEEDED)
    varied = results[results["axis"] != "row"]
    if varied.empty:
        raise ShapeError("none of the runs varies a setting: give the results of a plan with [[vary]]")
    rows: list[dict[str, Any]] = []
    for setting, runs in varied.groupby("axis", sort=False):
        for one in runs.to_dict("records"):
            kept = {name: one[name] for name in ("value", "label", "seed", "run", "state", "auc")}
            rows.append({"kind": "run", "setting": setting, **kept, "validation_auc": one["best_validation_auc"]})
        rows += _means(str(setting), runs, pair)
        rows += [
            {
                "kind": "paper",
                "setting": setting,
                "label": one["dataset"],
                "value": float(one["low"]),
                "value_high": float(one.get("high", one["low"])),
            }
            for one in paper
            if one["setting"] == setting
        ]
    if trivial is not None:
        rows += _references(trivial)
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    frame["chosen"] = frame["chosen"].eq(True)
    return frame


def _means(setting: str, runs: pd.DataFrame, pair: Pair | None) -> list[dict[str, Any]]:
    rows = []
    for value, ours in runs.groupby("value", sort=False):
        done = ours[np.isfinite(ours["auc"].to_numpy(np.float64))]
        state = (
            "done" if len(done) == len(ours) else ", ".join(dict.fromkeys(ours["state"][~ours.index.isin(done.index)]))
        )
        one = {
            "kind": "mean",
            "setting": setting,
            "value": value,
            "label": ours["label"].iloc[0],
            "state": state,
            "seeds": len(done),
        }
        if len(done):
            one |= dict(zip(("auc", "auc_low", "auc_high"), over_seeds(done, "auc"), strict=True))
            one["validation_auc"] = done["best_validation_auc"].mean()
        rows.append(one)
    chosen = _chosen(rows)
    if chosen is not None:
        chosen["chosen"] = True
        for one in rows:
            found = None if one is chosen else paired(runs, "value", chosen["value"], one["value"], pair)
            if found is not None:
                one |= {"behind": found.value, "behind_low": found.low, "behind_high": found.high}
    return rows


def _chosen(rows: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The best on validation, among the values with most finished seeds: means over fewer are not comparable."""
    most = max((one["seeds"] for one in rows), default=0)
    able = [one for one in rows if most and one["seeds"] == most and np.isfinite(one["validation_auc"])]

    def smaller(one: dict[str, Any]) -> float:
        return -float(axis_of(one["setting"]).places([one["value"]], [row["value"] for row in rows])[0])

    return max(able, key=lambda one: (one["validation_auc"], smaller(one)), default=None)


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


def over_seeds(runs: pd.DataFrame, metric: str) -> tuple[float, float, float]:
    """Return mean, low and high of a metric over finished runs, one per seed; nan without any.

    >>> over_seeds(pd.DataFrame({"auc": [0.8], "auc_low": [0.7], "auc_high": [0.9]}), "auc")
    (0.8, 0.7, 0.9)
    """
    values = runs[metric].to_numpy(np.float64)
    finite = np.isfinite(values)
    if finite.sum() > 1:
        return float(values[finite].mean()), *seed_interval(values[finite])
    if not finite.any():
        return (np.nan,) * 3
    bounds = [f"{metric}_{side}" for side in ("low", "high")]
    own = runs[finite].iloc[0]
    low, high = (float(own[name]) if name in own else np.nan for name in bounds)
    return float(values[finite][0]), low, high


def _references(trivial: pd.DataFrame) -> list[dict[str, Any]]:
    rows = []
    for model, name in REFERENCES.items():
        ours = trivial[trivial["model"] == model]
        if len(ours):
            value, low, high = over_seeds(ours, "auc")
            rows.append(
                {
                    "kind": "reference",
                    "label": name,
                    "auc": value,
                    "auc_low": low,
                    "auc_high": high,
                    "state": "done",
                    "seeds": len(ours),
                }
            )
    return rows


def paired(runs: pd.DataFrame, column: str, end: Any, start: Any, pair: Pair | None = None) -> Interval | None:
    """Return the mean test AUC of the runs with ``end`` minus that with ``start``, paired by seed.

    Args:
        runs: columns ``seed, auc, run`` and ``column``; rows without AUC are left out.
        column: what tells the two apart.
        end: its value in the first group.
        start: its value in the second.
        pair: compares two runs; used with one common seed, two or more have the interval over seeds.

    Returns:
        None with no common seed, or with one that cannot be paired.
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


def headline(frame: pd.DataFrame) -> dict[str, Any]:
    """Return what validation chose and its test AUC, by setting, for the index page.

    >>> frame = pd.DataFrame({"setting": ["layers"], "label": ["3"], "chosen": [True], "auc": [0.8]})
    >>> headline(frame)
    {'layers, chosen on validation': '3', 'layers, test AUC': 0.8}
    """
    found: dict[str, Any] = {}
    for one in frame[frame["chosen"]].to_dict("records"):
        name = str(one["setting"]).replace("_", " ")
        found |= {f"{name}, chosen on validation": one["label"], f"{name}, test AUC": float(one["auc"])}
    return found


def missing_runs(frame: pd.DataFrame) -> list[str]:
    """Name the planned runs that have no result: "5, seed 0: failed".

    >>> missing_runs(pd.DataFrame({"kind": ["run"], "label": ["5"], "seed": [0], "state": ["failed"]}))
    ['5, seed 0: failed']
    """
    lost = frame[(frame["kind"] == "run") & (frame["state"] != "done")]
    return [f"{one['label']}, seed {int(one['seed'])}: {one['state']}" for one in lost.to_dict("records")]
