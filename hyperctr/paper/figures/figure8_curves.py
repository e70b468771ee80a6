"""Figure 8: validation AUC and training loss while the models learn, a panel for each."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from hyperctr.display.figure import Figure
from hyperctr.display.theme import NEUTRAL, figure, need_columns, style, write_across
from hyperctr.paper.numbers import notes
from hyperctr.paper.prose import prose

if TYPE_CHECKING:
    from hyperctr.sweeps.sweep import Sweep

AUC_COLOUR, LOSS_COLOUR = "#D55E00", "#7A828C"
COLUMNS = ("label", "seed", "run", "epoch", "loss", "validation_auc")
ACROSS = 3  # panels beside each other
BETWEEN = 0.22  # of a band, for axis labels and the next heading


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
    """Draw a :func:`curves_frame`: validation AUC above, training loss below, a panel per label, a line per seed.

    Raises:
        ShapeError: a column is missing.
    """
    need_columns(frame, *COLUMNS, "seen", "best")
    if frame.empty:
        chart = figure("Learning curves (Figure 8)", measured)
        return write_across(chart, "no run has finished, so there is no curve")
    labels = list(dict.fromkeys(frame["label"]))
    across = min(ACROSS, len(labels))
    bands = -(-len(labels) // across)
    chart = make_subplots(2 * bands, across, horizontal_spacing=0.08)
    for place, label in enumerate(labels):
        band, column = divmod(place, across)
        seeds = frame[frame["label"] == label].groupby("seed", sort=True)
        for number, (_, run) in enumerate(seeds):
            _lines(chart, run, 2 * band + 1, column + 1, number)
    share = point_share(frame)
    step = f"a point every {share} of it; " if share else ""
    ring = "the best point of each run is marked, its weights are the ones tested"
    subtitle = f"{measured + '; ' if measured else ''}x: passes over the training set, {step}{ring}"
    style(chart, "Learning curves (Figure 8)", subtitle, height=130 + 330 * bands, showlegend=False, margin={"t": 96})
    _arrange(chart, frame, labels, across, bands)
    return chart


def _lines(chart: go.Figure, run: pd.DataFrame, row: int, column: int, number: int) -> None:
    seed = f"seed {int(run['seed'].iloc[0])}"
    dash = ("solid", "dash", "dot", "dashdot", "longdash")[number % 5]
    hover: dict[str, Any] = {"hovertemplate": f"{seed}, %{{x:.2f}} passes: %{{y:.4f}}<extra></extra>"}
    for metric, colour, below in (("validation_auc", AUC_COLOUR, 0), ("loss", LOSS_COLOUR, 1)):
        points = run[np.isfinite(run[metric].to_numpy(np.float64))]
        look: dict[str, Any] = {
            "name": f"{metric.replace('_', ' ')}, {seed}",
            "line": {"color": colour, "width": 1.5, "dash": dash},
        }
        look |= {"mode": "lines+markers", "marker_size": 3, "row": row + below, "col": column, **hover}
        chart.add_scatter(x=points["seen"], y=points[metric], **look)
    best = run[run["best"]]
    ring = {"size": 11, "symbol": "circle-open", "color": NEUTRAL, "line": {"width": 2}}
    at = {"x": best["seen"], "y": best["validation_auc"], "row": row, "col": column}
    chart.add_scatter(mode="markers", marker=ring, name=f"best, {seed}", **at, **hover)


def _arrange(chart: go.Figure, frame: pd.DataFrame, labels: list[str], across: int, bands: int) -> None:
    """Put each loss right under its AUC; one scale for all AUC, so that heights compare, and none for unlike losses."""
    auc = frame["validation_auc"].to_numpy(np.float64)
    auc = auc[np.isfinite(auc)]
    room = 0.06 * max(float(np.ptp(auc)), 0.01) if len(auc) else 0.1
    limits = [float(auc.min()) - room, float(auc.max()) + room] if len(auc) else [0, 1]
    whole = bands - BETWEEN
    for place in range(bands * across):
        band, column = divmod(place, across)
        upper, lower = ({"row": 2 * band + row, "col": column + 1} for row in (1, 2))
        foot = (bands - 1 - band) / whole
        chart.update_yaxes(domain=[foot + 0.34 / whole, foot + (1 - BETWEEN) / whole], **upper)
        chart.update_yaxes(domain=[foot, foot + 0.28 / whole], **lower)
        if place >= len(labels):
            for pane in (upper, lower):
                chart.update_xaxes(visible=False, **pane).update_yaxes(visible=False, **pane)
            continue
        first, last = column == 0, place + across >= len(labels)
        seen = [0, 1.03 * float(frame.loc[frame["label"] == labels[place], "seen"].max())]
        chart.update_xaxes(range=seen, showticklabels=False, **upper)
        chart.update_xaxes(range=seen, title_text="passes" if last else None, **lower)
        titles = ("validation AUC", "training loss") if first else (None, None)
        chart.update_yaxes(range=limits, tickformat=".2f", showticklabels=first, title_text=titles[0], **upper)
        chart.update_yaxes(tickformat=".3f", nticks=4, title_text=titles[1], **lower)
        heading = {"text": "<br>".join(wrap(labels[place], 24)), "yanchor": "bottom", "showarrow": False}
        chart.add_annotation(x=0.5, xref="x domain", y=1, yref="y domain", **heading, **upper)


def curves_note(frame: pd.DataFrame) -> str:
    """Say what Figure 8 shows, a sentence per panel of a :func:`curves_frame`."""
    panels = []
    for label, rows in frame.groupby("label", sort=False) if len(frame) else ():
        best, last = rows[rows["best"]].set_index("run"), rows.groupby("run")["seen"].max()
        panel = {"label": label, "runs": len(best), "auc": best["validation_auc"].mean(), "best": best["seen"].mean()}
        rising = int((best["seen"] == last.reindex(best.index)).sum())
        panels.append({**panel, "last": last.mean(), "still_rising": rising})
    return prose("figure8", panels=panels, notes=notes("figure8"))
