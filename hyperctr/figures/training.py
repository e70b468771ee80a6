"""Figures about one run: loss and validation AUC while it learns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from hyperctr.display.figure import Figure
from hyperctr.display.theme import MODALITY_COLOURS, NEUTRAL, need_columns, style
from hyperctr.errors import ShapeError
from hyperctr.written import show_number

if TYPE_CHECKING:
    from hyperctr.runs.session import Session


def learning_curve(session: Session) -> Figure:
    """Training loss and validation AUC of the session's run, by epoch."""
    events = session.run.events
    return Figure(draw_learning_curve(events, epoch_examples=len(session.split.train)), "learning_curve", events)


def draw_learning_curve(events: pd.DataFrame, *, epoch_examples: int | None = None) -> go.Figure:
    """Draw training loss and validation AUC against what has been seen (Figure 8 of the paper).

    Args:
        events: columns ``examples`` (training clicks seen), ``loss``, ``validation_auc`` (NaN: not taken).
        epoch_examples: training clicks of one epoch; given, the x axis counts epochs.

    Raises:
        ShapeError: a column is missing, or there is no row.

    >>> frame = pd.DataFrame({"examples": [10, 20], "loss": [0.7, 0.6], "validation_auc": [0.5, 0.8]})
    >>> draw_learning_curve(frame).layout.title.subtitle.text.split(";")[0]
    'best: 0.8000 after 20 clicks (marked'
    """
    need_columns(events, "examples", "loss", "validation_auc")
    if events.empty:
        raise ShapeError("a learning curve needs at least one point; the run has none yet")
    scale = 1 if epoch_examples is None else epoch_examples
    chart = make_subplots(2, 1, shared_xaxes=True, vertical_spacing=0.07)
    panels = (("validation_auc", MODALITY_COLOURS["visual"]), ("loss", MODALITY_COLOURS["acoustic"]))
    for place, (column, colour) in enumerate(panels):
        rows = events[np.isfinite(events[column].to_numpy(np.float64))]
        x, y = (rows["examples"] / scale).to_numpy(np.float32), rows[column].to_numpy(np.float32)
        look = {"mode": "lines+markers", "marker_size": 4, "line_color": colour}
        chart.add_scatter(x=x, y=y, name=column.replace("_", " "), **look, row=place + 1, col=1)
    reached = events["validation_auc"].to_numpy(np.float64)
    subtitle = "training loss is the mean since the point before"
    if np.isfinite(reached).any():
        best = int(np.nanargmax(reached))
        at, highest = float(events["examples"].iloc[best] / scale), float(reached[best])
        ring = {"size": 12, "symbol": "circle-open", "color": NEUTRAL, "line": {"width": 2}}
        chart.add_scatter(x=[at], y=[highest], mode="markers", hoverinfo="skip", marker=ring, row=1, col=1)
        when = f"{at:.2f} epochs" if epoch_examples else f"{at:,.0f} clicks"
        subtitle = f"best: {show_number(highest)} after {when} (marked; its weights are kept); {subtitle}"
    style(chart, "Learning curve", subtitle, height=520, showlegend=False)
    chart.update_yaxes(title_text="validation AUC", row=1)
    chart.update_yaxes(title_text="training loss", row=2)
    chart.update_xaxes(title_text="epochs" if epoch_examples else "training clicks seen", row=2)
    return chart
