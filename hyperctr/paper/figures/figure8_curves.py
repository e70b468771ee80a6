"""Figure 8: validation AUC and training loss while the models learn, all in one picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots
from scipy.optimize import isotonic_regression

from hyperctr.config import SYSTEMS
from hyperctr.display.colours import BLUE, GREEN, MODALITY_COLOURS, NEUTRAL, ORANGE, translucent
from hyperctr.display.figure import Figure
from hyperctr.display.theme import FURTHER_COLOURS, LEGEND_BELOW, figure, need_columns, style, write_across
from hyperctr.paper.numbers import notes
from hyperctr.paper.prose import prose
from hyperctr.paper.tables.table3_overall import method_names
from hyperctr.sweeps.seeds import chosen_variant

if TYPE_CHECKING:
    from hyperctr.sweeps.sweep import Sweep

LOOKS = {"hyperctr": (BLUE, "solid"), "hyperctr+": (GREEN, "solid")}
LOOKS["content matrix factorisation"] = (ORANGE, "dash")
BEST_SYSTEM = (MODALITY_COLOURS["multi-modal"], "dashdot")  # the other systems are grey
GREY, LEADER = translucent(NEUTRAL, 0.55), translucent(NEUTRAL, 0.4)
COLUMNS = ("label", "model", "seed", "run", "epoch", "loss", "validation_auc")
NARROWEST = 0.01  # the zoom never shows less than this much AUC
HEIGHT, TOP, BOTTOM, UPPER = 600, 84, 100, 0.64  # pixels; the share of the plot that the validation AUC takes
SYSTEM_ROW = 13  # pixels of a name beside the plot


def figure8(sweep: Sweep) -> Figure:
    """Return Figure 8, learning curves, of a sweep over the plan ``overall``, and ``systems`` as far as it has run."""
    frame = curves_frame(chosen_curves(sweep.curves, sweep.results))
    return Figure(curves_chart(frame, sweep.dataset), "figure8", frame, curves_note(frame))


def chosen_curves(curves: pd.DataFrame, results: pd.DataFrame) -> pd.DataFrame:
    """Keep, of a system with two variants, the curves of the one that validation chose, as Table 3 does.

    >>> rows = {"model": "din", "label": ["din, table2", "din, author"], "state": "done"}
    >>> results = pd.DataFrame({**rows, "best_validation_auc": [0.8, 0.9]})
    >>> chosen_curves(pd.DataFrame(rows), results)["label"].tolist()
    ['din, author']
    """
    systems = results[results["model"].isin(SYSTEMS)]
    chosen = {chosen_variant(runs)["label"].iloc[0] for _, runs in systems.groupby("model")}
    return curves[~curves["model"].isin(SYSTEMS) | curves["label"].isin(chosen)]


def curves_frame(curves: pd.DataFrame) -> pd.DataFrame:
    """Return the points of ``Plan.curves()`` with ``seen`` (passes over the training set) and ``best`` marked.

    Raises:
        ShapeError: a column is missing.

    >>> points = {"label": "a", "model": "a", "seed": 0, "run": "r", "epoch": [0.5, 1.0], "loss": 0.6}
    >>> curves_frame(pd.DataFrame({**points, "validation_auc": [0.7, 0.8]}))["best"].tolist()
    [False, True]
    """
    need_columns(curves, *COLUMNS)
    frame = curves.reset_index(drop=True).assign(seen=curves["epoch"].to_numpy(np.float64), best=False)
    for _, run in frame.groupby("run", sort=False):
        reached = run["validation_auc"].to_numpy(np.float64)
        if np.isfinite(reached).any():
            frame.loc[run.index[int(np.nanargmax(reached))], "best"] = True
    return frame


def models_of(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each label of a :func:`curves_frame`, in order of appearance, and of the systems the best first.

    Returns:
        by label: ``name`` as in Table 3, ``system`` (one that HyperCTR is compared with), ``auc`` (best validation AUC,
        mean over seeds), ``stands_out`` (drawn in a colour of its own: no system, or the best of them).
    """
    rows = frame.groupby("label", sort=False).agg(model=("model", "first")).reset_index()
    rows["auc"] = rows["label"].map(frame[frame["best"]].groupby("label")["validation_auc"].mean())
    rows["system"] = rows["model"].isin(SYSTEMS)
    named = rows["system"] | (rows["label"] == rows["model"])
    rows["name"] = rows["model"].replace(method_names()).where(named, rows["label"])
    ours, systems = rows[~rows["system"]], rows[rows["system"]].sort_values("auc", ascending=False, kind="stable")
    rows = pd.concat([ours, systems], ignore_index=True)
    return rows.assign(stands_out=~rows["system"] | (rows.index == len(ours))).set_index("label")


def point_share(frame: pd.DataFrame) -> str:
    """Write the share of the training set between two points of a run; a range where models differ.

    >>> point_share(pd.DataFrame({"run": ["r", "r", "s", "s"], "seen": [0.05, 0.1, 0.5, 1.0]}))
    '5% to 50%'
    """
    steps = frame.groupby("run")["seen"].apply(lambda seen: seen.diff().median()).dropna()
    return " to ".join(dict.fromkeys(f"{step:.0%}" for step in ([steps.min(), steps.max()] if len(steps) else [])))


def curves_chart(frame: pd.DataFrame, measured: str = "") -> go.Figure:
    """Draw a :func:`curves_frame`: validation AUC above, zoomed in on the best points, training loss below.

    A colour is a model, a line a seed. Of the other systems the best has a colour; those behind it are grey, a line
    each, of their first seed, and named beside the plot.

    Raises:
        ShapeError: a column is missing.
    """
    need_columns(frame, *COLUMNS, "seen", "best")
    if frame.empty:
        chart = figure("Learning curves (Figure 8)", measured)
        return write_across(chart, "no run has finished, so there is no curve")
    chart = make_subplots(2, 1, shared_xaxes=True, vertical_spacing=0.06, row_heights=[0.68, 0.32])
    models, limits = models_of(frame), zoom_range(frame)
    grey = models[~models["stands_out"]]
    for number, label in enumerate(grey.index):  # first, so that they lie below
        seeds = frame[frame["label"] == label].groupby("seed", sort=True)
        look = {"name": "other systems", "legendgroup": "systems", "legendrank": 2000, "showlegend": number == 0}
        _lines(chart, next(run for _, run in seeds), {"color": GREY, "width": 1.1}, look)
    for place, label in enumerate(models.index[models["stands_out"]]):
        colour, dash = BEST_SYSTEM if models.at[label, "system"] else _look(str(label), place)
        for number, (_, run) in enumerate(frame[frame["label"] == label].groupby("seed", sort=True)):
            look = {"name": models.at[label, "name"], "legendgroup": label, "showlegend": number == 0}
            _lines(chart, run, {"color": colour, "dash": dash, "width": 1.8}, look)
    share = point_share(frame)
    step = f", a point every {'pass' if share == '100%' else f'{share} of a pass'}" if share else ""
    cut = limits is not None and bool((frame["validation_auc"] < limits[0]).any())
    zoom = f"zoomed in on the best points (rings: their weights are tested){', curves begin further down' * cut}"
    of_grey = "grey: the other systems, one seed each" if len(grey) else ""
    subtitle = "; ".join(filter(None, (measured, f"a line a seed{step}", of_grey, zoom)))
    height = HEIGHT + SYSTEM_ROW * len(grey)
    layout: dict[str, Any] = {"height": height, "legend": {**LEGEND_BELOW, "y": -0.12 * HEIGHT / height}}
    style(chart, "Learning curves of all models (Figure 8)", subtitle, **layout, margin={"t": TOP, "b": BOTTOM})
    last = float(frame["seen"].max())
    chart.update_xaxes(range=[0, 1.02 * last])
    chart.update_xaxes(title_text="passes over the training set", row=2)
    chart.update_yaxes(title_text="validation AUC", tickformat=".3f", range=limits, row=1)
    chart.update_yaxes(title_text="training loss", tickformat=".2f", row=2)
    if len(grey) and limits is not None:
        _name_systems(chart, frame, models[models["system"]], limits)
    return chart


def zoom_range(frame: pd.DataFrame) -> list[float] | None:
    """Return where the AUC axis begins and ends: around the best points of all runs.

    >>> rows = {"validation_auc": [0.5, 0.80, 0.84], "best": [False, True, True]}
    >>> [round(end, 3) for end in zoom_range(pd.DataFrame(rows))]
    [0.76, 0.848]
    """
    best = frame.loc[frame["best"], "validation_auc"].to_numpy(np.float64)
    if not len(best):
        return None
    span = max(float(np.ptp(best)), NARROWEST)
    return [float(best.min()) - span, float(best.max()) + 0.2 * span]


def _look(label: str, place: int) -> tuple[str, str]:
    """Colour and dash of a model: its own where it has one, else the next."""
    others = [*MODALITY_COLOURS.values(), *FURTHER_COLOURS]
    dashes = ("solid", "dash", "dot", "dashdot")
    return LOOKS.get(label, (others[place % len(others)], dashes[1 + place // len(others) % 3]))


def _lines(chart: go.Figure, run: pd.DataFrame, line: dict[str, Any], look: dict[str, Any]) -> None:
    label, seed, grey = run["label"].iloc[0], int(run["seed"].iloc[0]), line["color"] == GREY
    hover = {"hovertemplate": f"{label}, seed {seed}: %{{y:.4f}} after %{{x:.2f}} passes<extra></extra>"}
    for row, metric in enumerate(("validation_auc", "loss"), 1):
        points = run[np.isfinite(run[metric].to_numpy(np.float64))]
        named = {**look, "showlegend": look["showlegend"] and row == 1, "line": line}
        chart.add_scatter(x=points["seen"], y=points[metric], mode="lines", row=row, col=1, **named, **hover)
    best, size, width = run[run["best"]], 5 if grey else 11, 1 if grey else 2
    ring = {"size": size, "symbol": "circle-open", "color": line["color"], "line": {"width": width}}
    named = {**look, "name": f"{look['name']}, best", "showlegend": False, "mode": "markers", "marker": ring}
    chart.add_scatter(x=best["seen"], y=best["validation_auc"], row=1, col=1, **named, **hover)


def _name_systems(chart: go.Figure, frame: pd.DataFrame, systems: pd.DataFrame, limits: list[float]) -> None:
    """Write the names of the systems beside the plot, the best on top, with a thin line from the best point of each."""
    best = frame[frame["best"] & frame["label"].isin(systems.index)].sort_values("seed").groupby("label").first()
    best = best.sort_values("validation_auc", ascending=False, kind="stable")
    level, last = best["validation_auc"].to_numpy(np.float64), float(frame["seen"].max())
    pixels = UPPER * (chart.layout.height - chart.layout.margin.t - BOTTOM)
    gap = SYSTEM_ROW * (limits[1] - limits[0]) / pixels * np.arange(len(level))
    place = isotonic_regression(level + gap, increasing=False).x - gap  # as near to their levels as they have room
    ends = [last, 1.09 * last]
    for x, y, at, label in zip(best["seen"], level, place, best.index, strict=True):
        look: dict[str, Any] = {"mode": "lines", "hoverinfo": "skip", "showlegend": False, "legendgroup": "systems"}
        line = {"color": LEADER, "width": 1, "dash": "dot"}
        chart.add_scatter(x=[x, *ends], y=[y, y, at], row=1, col=1, line=line, **look)
        colour = NEUTRAL if not systems.at[label, "stands_out"] else BEST_SYSTEM[0]
        font = {"size": 11, "color": colour}
        side: dict[str, Any] = {"xanchor": "left", "showarrow": False, "xref": "x", "yref": "y", "xshift": 2}
        chart.add_annotation(x=ends[1], y=at, text=systems.at[label, "name"], font=font, **side)
    chart.update_xaxes(range=[0, ends[1]])
    chart.update_layout(margin={"r": 84})


def curves_note(frame: pd.DataFrame) -> str:
    """Say what Figure 8 shows: a sentence for each model of a :func:`curves_frame`, one for all other systems."""
    models: list[dict[str, Any]] = []
    systems: list[dict[str, Any]] = []
    for label, known in models_of(frame).iterrows() if len(frame) else ():
        rows = frame[frame["label"] == label]
        best, last = rows[rows["best"]].set_index("run"), rows.groupby("run")["seen"].max()
        model = {"name": known["name"], "runs": len(best), "auc": known["auc"], "best": best["seen"].mean()}
        rising = int((best["seen"] == last.reindex(best.index)).sum())
        model |= {"last": last.mean(), "still_rising": rising}
        (models if known["stands_out"] else systems).append(model)
    return prose("figure8", models=models, systems=systems, notes=notes("figure8"))
