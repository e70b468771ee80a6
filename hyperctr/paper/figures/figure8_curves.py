"""Figure 8: validation AUC and training loss while the models learn, a panel for each."""

from __future__ import annotations

from textwrap import wrap

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from hyperctr.display.theme import NEUTRAL, figure, need_columns, style

AUC_COLOUR, LOSS_COLOUR = "#D55E00", "#7A828C"
COLUMNS = ("label", "seed", "run", "epoch", "loss", "validation_auc")
ACROSS = 3  # panels beside each other
BETWEEN = 0.22  # of a band, for axis labels and the next heading


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
    shares = sorted(
        {f"{step:.0%}": step for step in frame.groupby("run")["seen"].apply(_step).dropna()}.items(),
        key=lambda pair: pair[1],
    )
    return " to ".join(dict.fromkeys(text for text, _ in (shares[:1] + shares[-1:])))


def _step(seen: pd.Series) -> float:
    return float(seen.diff().median())


def curves_figure(frame: pd.DataFrame, measured: str = "") -> go.Figure:
    """Draw a :func:`curves_frame`: validation AUC above, training loss below, a panel per label, a line per seed.

    Args:
        frame: the frame.
        measured: on what, for the subtitle.

    Raises:
        ShapeError: a column is missing.

    >>> points = {"label": "a", "seed": 0, "run": "r", "epoch": [0.5, 1.0], "loss": 0.6, "validation_auc": [0.7, 0.8]}
    >>> len(curves_figure(curves_frame(pd.DataFrame(points))).data)
    3
    """
    need_columns(frame, *COLUMNS, "seen", "best")
    if frame.empty:
        chart = figure("Learning curves (Figure 8)", measured)
        return chart.add_annotation(
            text="no run has finished, so there is no curve",
            x=0.5,
            y=0.5,
            xref="paper",
            yref="paper",
            showarrow=False,
            font={"size": 15, "color": NEUTRAL},
        )
    labels = list(dict.fromkeys(frame["label"]))
    across = min(ACROSS, len(labels))
    bands = -(-len(labels) // across)
    chart = make_subplots(2 * bands, across, horizontal_spacing=0.08)
    for place, label in enumerate(labels):
        band, column = divmod(place, across)
        ours = frame[frame["label"] == label]
        for number, (_, run) in enumerate(ours.groupby("seed", sort=True)):
            _lines(chart, run, 2 * band + 1, column + 1, number)
    share = point_share(frame)
    step = f"a point every {share} of it; " if share else ""
    words = f"{measured + '; ' if measured else ''}x: passes over the training set, {step}"
    words += "the best point of each run is marked, its weights are the ones tested"
    style(chart, "Learning curves (Figure 8)", words, height=130 + 330 * bands, showlegend=False, margin={"t": 96})
    _places(chart, labels, across, bands)
    _scales(chart, frame, labels, across, bands)
    return chart


def _lines(chart: go.Figure, run: pd.DataFrame, row: int, column: int, number: int) -> None:
    seed = f"seed {int(run['seed'].iloc[0])}"
    dash = ("solid", "dash", "dot", "dashdot", "longdash")[number % 5]
    hover = f"{seed}, %{{x:.2f}} passes: %{{y:.4f}}<extra></extra>"
    for name, colour, below in (("validation_auc", AUC_COLOUR, 0), ("loss", LOSS_COLOUR, 1)):
        there = run[np.isfinite(run[name].to_numpy(np.float64))]
        chart.add_scatter(
            x=there["seen"],
            y=there[name],
            mode="lines+markers",
            marker_size=3,
            hovertemplate=hover,
            line={"color": colour, "width": 1.5, "dash": dash},
            name=f"{name.replace('_', ' ')}, {seed}",
            row=row + below,
            col=column,
        )
    best = run[run["best"]]
    ring = {"size": 11, "symbol": "circle-open", "color": NEUTRAL, "line": {"width": 2}}
    chart.add_scatter(
        x=best["seen"],
        y=best["validation_auc"],
        mode="markers",
        marker=ring,
        name=f"best, {seed}",
        hovertemplate=hover,
        row=row,
        col=column,
    )


def _places(chart: go.Figure, labels: list[str], across: int, bands: int) -> None:
    """Put each loss right under its AUC, and room for a heading between the bands."""
    whole = bands - BETWEEN
    for place in range(bands * across):
        band, column = divmod(place, across)
        foot = (bands - 1 - band) / whole
        upper, lower = foot + 0.34 / whole, foot + 0.28 / whole
        chart.update_yaxes(domain=[upper, foot + (1 - BETWEEN) / whole], row=2 * band + 1, col=column + 1)
        chart.update_yaxes(domain=[foot, lower], row=2 * band + 2, col=column + 1)
        if place < len(labels):
            pane = chart.get_subplot(2 * band + 1, column + 1)
            x, y = (axis.plotly_name.replace("axis", "") for axis in (pane.xaxis, pane.yaxis))
            head = "<br>".join(wrap(labels[place], 24))
            chart.add_annotation(
                text=head, x=0.5, xref=f"{x} domain", y=1, yref=f"{y} domain", yanchor="bottom", showarrow=False
            )
        else:
            for row in (1, 2):
                chart.update_xaxes(visible=False, row=2 * band + row, col=column + 1)
                chart.update_yaxes(visible=False, row=2 * band + row, col=column + 1)


def _scales(chart: go.Figure, frame: pd.DataFrame, labels: list[str], across: int, bands: int) -> None:
    """One AUC scale for all panels, so that heights compare; each loss its own: they are not the same loss."""
    auc = frame["validation_auc"].to_numpy(np.float64)
    auc = auc[np.isfinite(auc)]
    room = 0.06 * max(float(np.ptp(auc)), 0.01) if len(auc) else 0.1
    limits = [float(auc.min()) - room, float(auc.max()) + room] if len(auc) else [0, 1]
    for place, label in enumerate(labels):
        row, column = 2 * (place // across) + 1, place % across + 1
        seen = [0, 1.03 * float(frame.loc[frame["label"] == label, "seen"].max())]
        chart.update_yaxes(range=limits, tickformat=".2f", showticklabels=column == 1, row=row, col=column)
        chart.update_yaxes(tickformat=".3f", nticks=4, row=row + 1, col=column)
        chart.update_xaxes(range=seen, showticklabels=False, row=row, col=column)
        chart.update_xaxes(range=seen, row=row + 1, col=column)
        last = place + across >= len(labels)
        chart.update_xaxes(title_text="passes" if last else None, row=row + 1, col=column)
        if column == 1:
            chart.update_yaxes(title_text="validation AUC", row=row, col=1)
            chart.update_yaxes(title_text="training loss", row=row + 1, col=1)
