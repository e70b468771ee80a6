"""Figure 8: validation AUC and training loss while the models learn, all in one picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from hyperctr.display.colours import BLUE, GREEN, ORANGE
from hyperctr.display.figure import Figure
from hyperctr.display.theme import (
    FURTHER_COLOURS,
    LEGEND_BELOW,
    MODALITY_COLOURS,
    figure,
    need_columns,
    style,
    write_across,
)
from hyperctr.paper.numbers import notes
from hyperctr.paper.prose import prose

if TYPE_CHECKING:
    from hyperctr.sweeps.sweep import Sweep

LOOKS = {"hyperctr": (BLUE, "solid"), "hyperctr+": (GREEN, "solid")}
LOOKS["content matrix factorisation"] = (ORANGE, "dash")
COLUMNS = ("label", "seed", "run", "epoch", "loss", "validation_auc")
NARROWEST = 0.01  # the zoom never shows less than this much AUC


def figure8(sweep: Sweep) -> Figure:
    """Return Figure 8, learning curves, of a sweep over the plan ``overall``."""
    frame = curves_frame(sweep.curves)
    return Figure(curves_chart(frame, sweep.dataset), "figure8", frame, curves_note(frame))


def curves_frame(curves: pd.DataFrame) -> pd.DataFrame:
    """Return the points of ``Plan.curves()`` with ``seen`` (passes over the training set) and ``best`` marked.

    Raises:
        ShapeError: a column is missing.

    >>> points = {"label": "a", "seed": 0, "run": "r", "epoch": [0.5, 1.0], "loss": 0.6, "validation_auc": [0.7, 0.8]}
    >>> curves_frame(pd.DataFrame(points))["best"].tolist()
    [False, True]
    """
    need_columns(curves, *COLUMNS)
    frame = curves.reset_index(drop=True).assign(seen=curves["epoch"].to_numpy(np.float64), best=False)
    for _, run in frame.groupby("run", sort=False):
        reached = run["validation_auc"].to_numpy(np.float64)
        if np.isfinite(reached).any():
            frame.loc[run.index[int(np.nanargmax(reached))], "best"] = True
    return frame


def point_share(frame: pd.DataFrame) -> str:
    """Write the share of the training set between two points of a run; a range where models differ.

    >>> point_share(pd.DataFrame({"run": ["r", "r", "s", "s"], "seen": [0.05, 0.1, 0.5, 1.0]}))
    '5% to 50%'
    """
    steps = frame.groupby("run")["seen"].apply(lambda seen: seen.diff().median()).dropna()
    return " to ".join(dict.fromkeys(f"{step:.0%}" for step in ([steps.min(), steps.max()] if len(steps) else [])))


def curves_chart(frame: pd.DataFrame, measured: str = "") -> go.Figure:
    """Draw a :func:`curves_frame`: validation AUC above, zoomed in on the best points, training loss below.

    A colour is a model, a line a seed.

    Raises:
        ShapeError: a column is missing.
    """
    need_columns(frame, *COLUMNS, "seen", "best")
    if frame.empty:
        chart = figure("Learning curves (Figure 8)", measured)
        return write_across(chart, "no run has finished, so there is no curve")
    chart = make_subplots(2, 1, shared_xaxes=True, vertical_spacing=0.06, row_heights=[0.68, 0.32])
    labels = list(dict.fromkeys(frame["label"]))
    for place, label in enumerate(labels):
        colour, dash = _look(str(label), place)
        for number, (_, run) in enumerate(frame[frame["label"] == label].groupby("seed", sort=True)):
            _lines(chart, run, {"color": colour, "dash": dash, "width": 1.6}, named=number == 0)
    share = point_share(frame)
    step = f", a point every {'pass' if share == '100%' else f'{share} of a pass'}" if share else ""
    limits = zoom_range(frame)
    cut = limits is not None and bool((frame["validation_auc"] < limits[0]).any())
    zoom = f"zoomed in on the best points (rings: their weights are tested){', curves begin further down' * cut}"
    subtitle = "; ".join(filter(None, (measured, f"a line a seed{step}", zoom)))
    layout: dict[str, Any] = {"height": 600, "legend": {**LEGEND_BELOW, "y": -0.12}, "margin": {"t": 84, "b": 100}}
    style(chart, "Learning curves of all models (Figure 8)", subtitle, **layout)
    chart.update_xaxes(range=[0, 1.02 * float(frame["seen"].max())])
    chart.update_xaxes(title_text="passes over the training set", row=2)
    chart.update_yaxes(title_text="validation AUC", tickformat=".3f", range=limits, row=1)
    return chart.update_yaxes(title_text="training loss", tickformat=".2f", row=2)


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


def _lines(chart: go.Figure, run: pd.DataFrame, line: dict[str, Any], *, named: bool) -> None:
    label, seed = run["label"].iloc[0], int(run["seed"].iloc[0])
    hover = {"hovertemplate": f"{label}, seed {seed}: %{{y:.4f}} after %{{x:.2f}} passes<extra></extra>"}
    for row, metric in enumerate(("validation_auc", "loss"), 1):
        points = run[np.isfinite(run[metric].to_numpy(np.float64))]
        look: dict[str, Any] = {"name": label, "legendgroup": label, "showlegend": named and row == 1, "line": line}
        chart.add_scatter(x=points["seen"], y=points[metric], mode="lines", row=row, col=1, **look, **hover)
    best = run[run["best"]]
    ring = {"size": 11, "symbol": "circle-open", "color": line["color"], "line": {"width": 2}}
    look = {"name": f"{label}, best", "legendgroup": label, "showlegend": False, "mode": "markers", "marker": ring}
    chart.add_scatter(x=best["seen"], y=best["validation_auc"], row=1, col=1, **look, **hover)


def curves_note(frame: pd.DataFrame) -> str:
    """Say what Figure 8 shows, a sentence per model of a :func:`curves_frame`."""
    models = []
    for label, rows in frame.groupby("label", sort=False) if len(frame) else ():
        best, last = rows[rows["best"]].set_index("run"), rows.groupby("run")["seen"].max()
        model = {"label": label, "runs": len(best), "auc": best["validation_auc"].mean(), "best": best["seen"].mean()}
        rising = int((best["seen"] == last.reindex(best.index)).sum())
        models.append({**model, "last": last.mean(), "still_rising": rising})
    return prose("figure8", models=models, notes=notes("figure8"))
