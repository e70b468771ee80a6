"""Figures 4 to 6: AUC against one or two settings. Their numbers, a row per mark drawn, and what is said of them.

Selection is by validation, and only the test value of what validation chose is claimed; both stand in the frame. Values
are compared with the default in pairs, on the same seeds and test clicks; a difference is called one only if its
interval leaves zero out, and where there is no interval, none is claimed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from hyperctr.config import REFERENCE_MODEL
from hyperctr.display.figure import Figure
from hyperctr.display.theme import need_columns
from hyperctr.errors import ShapeError
from hyperctr.paper.figures.settings_chart import AUC, COLUMNS, GAIN, REPORTED, missing_runs, settings_chart
from hyperctr.paper.numbers import counterpart, is_published, notes, paper_numbers, stated_best
from hyperctr.paper.prose import prose
from hyperctr.paper.settings import Axis, axis_of
from hyperctr.sweeps.seeds import Pair, over_seeds, paired, records
from hyperctr.sweeps.sweep import paired_runs
from hyperctr.written import show_interval, show_number

if TYPE_CHECKING:
    from hyperctr.sweeps.sweep import Sweep

BASELINES = {"popularity": "popularity", REFERENCE_MODEL: "content MF"}
RUN = ("value", "label", "seed", "run", "state", "auc")


def figure4(sweep: Sweep) -> Figure:
    """Return Figure 4, AUC by number of convolution layers, of a sweep over the plan ``layers``."""
    return _figure(sweep, "figure4")


def figure5(sweep: Sweep) -> Figure:
    """Return Figure 5, AUC by length of a time slot, of a sweep over the plan ``granularity``."""
    return _figure(sweep, "figure5")


def figure6(sweep: Sweep) -> Figure:
    """Return Figure 6, AUC by latent dimension and by sampled neighbours, of a sweep over the plan ``sensitivity``."""
    return _figure(sweep, "figure6")


def _figure(sweep: Sweep, name: str) -> Figure:
    frame = sweep_frame(sweep)
    note = settings_note(frame, sweep.dataset, name)
    return Figure(settings_chart(frame, sweep.title, sweep.measured), name, frame, note, headline(frame))


def sweep_frame(sweep: Sweep) -> pd.DataFrame:
    """Return the :func:`settings_frame` of a sweep, with the best values that the paper states beside it."""
    stated = [best for setting in dict.fromkeys(sweep.results["setting"]) for best in stated_best(str(setting))]
    reported = paper_numbers()["figure6"]["reported_embedding_size"]  # not called best: it has no data set
    stated.append({"setting": "embedding_size", "dataset": REPORTED, "low": reported})
    defaults = {str(name): sweep.default(str(name)) for name in sweep.results["setting"].unique() if name != "case"}
    return settings_frame(sweep.results, sweep.baselines, stated, paired_runs, defaults)


def settings_frame(
    results: pd.DataFrame,
    baselines: pd.DataFrame | None = None,
    stated: Sequence[Mapping[str, Any]] = (),
    pair: Pair | None = None,
    defaults: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Sum up the runs of a sweep over numeric settings; rows whose ``setting`` is ``case`` are left out.

    Args:
        results: rows of ``Sweep.results``.
        baselines: rows of ``Sweep.baselines``.
        stated: the best values that the paper states: ``setting``, ``dataset``, ``low`` and perhaps ``high``.
        pair: compares two runs of one seed; used where there is only one seed.
        defaults: setting -> its value in the base run, see :func:`with_defaults`.

    Returns:
        columns ``kind`` (``run``: one run; ``mean``: over the seeds of a value; ``baseline``; ``paper``: a stated
        best), ``setting, value, value_high`` (of a stated range; inf: and beyond), ``label, seed, run, state,
        auc, auc_low, auc_high, validation_auc, seeds`` (finished), ``chosen`` (best on validation among the values
        with most finished seeds; of equals the smallest), ``reference`` (of what the others are compared with:
        ``default``, or ``chosen`` where that has no result), ``auc_gain`` with ``_low`` and ``_high`` (test AUC minus
        that of the reference, paired). Intervals are as of :func:`~hyperctr.sweeps.seeds.over_seeds`.

    Raises:
        ShapeError: a column is missing, or no run varies a setting.

    >>> runs = pd.DataFrame({"setting": "layers", "value": [1.0, 2.0], "label": ["1", "2"], "seed": 0, "run": "r",
    ...     "state": "done", "auc": [0.7, 0.8], "auc_low": 0.6, "auc_high": 0.9, "best_validation_auc": [0.75, 0.74]})
    >>> settings_frame(runs).query("chosen")["value"].tolist()
    [1.0]
    """
    need_columns(results, "setting", *RUN, *AUC[1:], "best_validation_auc")
    varied = results[results["setting"] != "case"]
    if varied.empty:
        raise ShapeError("none of the runs varies a setting: give the results of a plan with [[vary]]")
    rows: list[dict[str, Any]] = []
    defaults = defaults or {}
    for name, runs in with_defaults(varied, defaults).groupby("setting", sort=False):
        setting = str(name)
        panel = records(runs[list(RUN)].assign(kind="run", validation_auc=runs["best_validation_auc"]))
        panel += _means(setting, runs, pair, defaults.get(setting))
        for best in stated:
            if best["setting"] == setting:
                low, high = float(best["low"]), float(best.get("high", best["low"]))
                panel.append({"kind": "paper", "label": best["dataset"], "value": low, "value_high": high})
        rows += [{"setting": setting, **row} for row in panel]
    beside = pd.DataFrame(columns=["model"]) if baselines is None else baselines
    for model, label in BASELINES.items():
        runs = beside[beside["model"] == model]
        if len(runs):
            rows.append({"kind": "baseline", "label": label, "state": "done", "seeds": len(runs), **_auc(runs)})
    frame = pd.DataFrame(rows, columns=COLUMNS)
    frame["chosen"] = frame["chosen"].eq(True)
    return frame


def with_defaults(runs: pd.DataFrame, defaults: Mapping[str, float]) -> pd.DataFrame:
    """Return runs over settings, with the base run also under each setting that does not list its default.

    The base run is where another setting has its default: all else is as in it.

    >>> rows = [("d", 8.0, "8"), ("d", 16.0, "16"), ("max_neighbours", 5.0, "5")]
    >>> frame = with_defaults(pd.DataFrame(rows, columns=["setting", "value", "label"]), {"d": 8, "max_neighbours": 0})
    >>> frame["label"].tolist()
    ['8', '16', '5', 'all']
    """
    found = {name: runs[(runs["setting"] == name) & (runs["value"] == value)] for name, value in defaults.items()}
    base = next((rows for rows in found.values() if len(rows)), None)
    if base is None:
        return runs
    lacking = [name for name in found if found[name].empty and (runs["setting"] == name).any()]
    more = [base.assign(setting=s, value=float(defaults[s]), label=axis_of(s).tick(defaults[s])) for s in lacking]
    return pd.concat([runs, *more], ignore_index=True)


def _means(setting: str, runs: pd.DataFrame, pair: Pair | None, default: float | None) -> list[dict[str, Any]]:
    """A row per value; the chosen one and the reference are marked, and the others say how far they are from that."""
    rows = []
    for value, group in runs.groupby("value", sort=False):
        finished = np.isfinite(group["auc"].to_numpy(np.float64))
        state = ", ".join(dict.fromkeys(group["state"][~finished])) or "done"
        row = {"kind": "mean", "value": value, "label": group["label"].iloc[0], "state": state, "seeds": finished.sum()}
        if finished.any():
            row |= {**_auc(group), "validation_auc": group.loc[finished, "best_validation_auc"].mean()}
        rows.append(row)
    chosen = _best_on_validation(rows, axis_of(setting))
    reference = next((row for row in rows if row["value"] == default and row["seeds"]), chosen)
    for row in rows if reference else ():
        row["chosen"], row["reference"] = row is chosen, ""
        if row is reference:
            row["reference"] = "default" if row["value"] == default else "chosen"
        elif gap := paired(runs, "value", row["value"], reference["value"], pair):
            row |= dict(zip(GAIN, (gap.value, gap.low, gap.high), strict=True))
    return rows


def _best_on_validation(rows: list[dict[str, Any]], axis: Axis) -> dict[str, Any]:
    """The best among the values with most finished seeds (means over fewer are not comparable); empty for none."""
    most = max(row["seeds"] for row in rows)
    able = [row for row in rows if most and row["seeds"] == most and np.isfinite(row["validation_auc"])]
    ranks = axis.places([row["value"] for row in able], [row["value"] for row in rows])
    keys = [(row["validation_auc"], -rank) for row, rank in zip(able, ranks, strict=True)]  # of equals the smallest
    return able[keys.index(max(keys))] if able else {}


def _auc(runs: pd.DataFrame) -> dict[str, float]:
    return dict(zip(AUC, over_seeds(runs, "auc"), strict=True))


def headline(frame: pd.DataFrame) -> dict[str, Any]:
    """Return what validation chose and its test AUC, by setting, for the index page."""
    values: dict[str, Any] = {}
    for row in records(frame[frame["chosen"]]):
        name = str(row["setting"]).replace("_", " ")
        values |= {f"{name}, chosen on validation": row["label"], f"{name}, test AUC": float(row["auc"])}
    return values


def settings_note(frame: pd.DataFrame, dataset: str, figure: str = "") -> str:
    """Say what a :func:`settings_frame` of a data set shows, a paragraph per setting, with the notes on a figure."""
    baselines = records(frame[frame["kind"] == "baseline"])
    return prose(
        "settings",
        panels=[_facts(rows, str(setting)) for setting, rows in frame.groupby("setting", sort=False)],
        strongest=max(baselines, key=lambda row: row["auc"], default=None),
        dataset="" if is_published(dataset) else dataset,
        nearest=counterpart(dataset),
        notes=notes(figure) if figure else [],
    )


def _facts(rows: pd.DataFrame, setting: str) -> dict[str, Any]:
    """What there is to say of a setting; its means with a result are in the order of the axis."""
    axis = axis_of(setting)
    finished = rows.query("kind == 'mean' and seeds > 0")
    places = axis.places(finished["value"], finished["value"])
    means = records(finished.assign(place=places, name=finished["value"].map(axis.words)).sort_values("place"))
    best = next((row for row in means if row["chosen"]), None)
    equal = ("validation_auc", "seeds")
    stated = [_stated(row, axis, means, best) for row in records(rows[rows["kind"] == "paper"])]
    return {
        "title": axis.title[0].upper() + axis.title[1:],
        "means": means,
        "best": best,
        "reference": next((row for row in means if row["reference"]), None),
        "tied": [row["name"] for row in means if best and row is not best and all(row[k] == best[k] for k in equal)],
        "lowest": min(means, key=lambda row: row["auc"], default=None),
        "highest": max(means, key=lambda row: row["auc"], default=None),
        "paired": any(np.isfinite(row[GAIN[1]]) for row in means),
        "higher": [_gap(row) for row in means if row[GAIN[1]] > 0],
        "lower": [_gap(row) for row in means if row[GAIN[2]] < 0],
        "open": [row["name"] for row in means if row[GAIN[1]] <= 0 <= row[GAIN[2]]],
        "reported": [row["text"] for row in stated if row["label"] == REPORTED],
        "stated": [row for row in stated if row["label"] != REPORTED],
        "lost": missing_runs(rows),
    }


def _gap(row: Mapping[str, Any]) -> str:
    gain, low, high = (row[name] for name in GAIN)
    return f"{row['name']} ({show_number(gain, sign=True)} {show_interval(low, high, sign=True)})"


def _stated(
    row: dict[str, Any], axis: Axis, means: list[dict[str, Any]], best: dict[str, Any] | None
) -> dict[str, Any]:
    """A best value of the paper in words, with a remark where no run comes near it."""
    low, high = row["value"], row["value_high"]
    end = " or more" if np.isinf(high) else "" if low == high else f" to {high:g}"
    tried = any(low <= mean["value"] <= high for mean in means)
    name = f"{row['label']} ({axis.words(low)}{end}{'' if tried else ', not tried here'})"
    agrees = best is not None and low <= best["value"] <= high
    return {**row, "text": axis.words(low), "name": name, "agrees": agrees}
