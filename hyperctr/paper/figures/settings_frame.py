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
