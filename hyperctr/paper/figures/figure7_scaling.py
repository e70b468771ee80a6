"""Figure 7: how much faster training gets with more threads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from hyperctr.display.theme import NEUTRAL, figure, need_columns
from hyperctr.errors import RunError, ShapeError
from hyperctr.paper.figures.figures4to6_settings import LEGEND
from hyperctr.sweeps.sweep import Sweep

COLOURS = {"training step": ("#0072B2", "circle"), "convolution": ("#D55E00", "diamond")}


def sweep_speedup(sweep: Sweep) -> pd.DataFrame | None:
    """Time the base run by number of threads (free if that was done before); None if it cannot be timed."""
    try:
        scaling = sweep.scaling()
    except RunError:
        return None
    frame = speedup_frame(scaling.frame)
    frame.attrs["busy_cores"] = scaling.busy_cores
    return frame


def speedup_frame(timings: pd.DataFrame) -> pd.DataFrame:
    """Turn timings into speed-ups over one thread, each within its round.

    Args:
        timings: columns ``what, threads, round, per_second``, see :func:`hyperctr.runs.scaling.measure_scaling`.

    Returns:
        columns ``what, threads, rounds, per_second`` (median), ``speedup`` (median), ``speedup_low, speedup_high``
        (smallest and largest round), ``linear`` (what a perfect speed-up would be).

    Raises:
        ShapeError: a column is missing, or a round lacks the time with one thread.

    >>> rows = pd.DataFrame({"what": "step", "threads": [1, 2], "round": 0, "per_second": [10.0, 18.0]})
    >>> speedup_frame(rows)["speedup"].tolist()
    [1.0, 1.8]
    """
    need_columns(timings, "what", "threads", "round", "per_second")
    rows = []
    for what, ours in timings.groupby("what", sort=False):
        rate = ours.pivot_table(index="round", columns="threads", values="per_second")
        if 1 not in rate or rate[1].isna().any():
            raise ShapeError(f"{what}: a speed-up needs the time with one thread in every round")
        ratio = rate.div(rate[1], axis=0)
        for count in sorted(set(ours["threads"])):
            own = ratio[count]
            rows.append((what, int(count), len(own.dropna()), rate[count].median(), own.median(), own.min(), own.max()))
    names = ["what", "threads", "rounds", "per_second", "speedup", "speedup_low", "speedup_high"]
    frame = pd.DataFrame(rows, columns=names)
    frame["linear"] = frame["threads"].astype(np.float64)
    return frame


def speedup_figure(frame: pd.DataFrame, machine: str = "") -> go.Figure:
    """Draw a :func:`speedup_frame` beside the line of a perfect speed-up; with one core, say that there is none.

    Args:
        frame: the frame.
        machine: what it was measured on, for the subtitle.

    >>> rows = pd.DataFrame({"what": "training step", "threads": [1], "round": 0, "per_second": [10.0]})
    >>> speedup_figure(speedup_frame(rows)).layout.annotations[0].text
    'one thread only: no speed-up to show'
    """
    need_columns(frame, "what", "threads", "per_second", "speedup", "speedup_low", "speedup_high")
    rounds = int(frame["rounds"].max())
    words = [machine, f"median of {rounds} rounds, bars from the smallest to the largest"]
    layout: dict[str, Any] = {"legend": LEGEND, "height": 460, "margin": {"t": 72, "b": 100}}
    chart = figure(
        "Speed-up with threads (Figure 7)",
        "; ".join(word for word in words if word),
        x="threads",
        y="speed-up over one thread",
        **layout,
    )
    counts = sorted(frame["threads"].unique().tolist())
    if counts == [1]:
        chart.add_annotation(
            text="one thread only: no speed-up to show",
            x=0.5,
            y=0.5,
            xref="paper",
            yref="paper",
            showarrow=False,
            font={"size": 15, "color": NEUTRAL},
        )
        chart.update_xaxes(range=[0, 2], tickvals=[1])
        chart.update_yaxes(range=[0, 2], tickvals=[1])
        return chart
    line = {"color": NEUTRAL, "dash": "dot", "width": 1.5}
    chart.add_scatter(x=counts, y=counts, mode="lines", line=line, name="linear", hoverinfo="skip")
    for what, ours in frame.groupby("what", sort=False):
        colour, symbol = COLOURS.get(str(what), (NEUTRAL, "square"))
        bars = {
            "array": ours["speedup_high"] - ours["speedup"],
            "arrayminus": ours["speedup"] - ours["speedup_low"],
            "thickness": 1.5,
            "width": 4,
        }
        chart.add_scatter(
            x=ours["threads"],
            y=ours["speedup"],
            mode="lines+markers",
            name=str(what),
            error_y=bars,
            line={"color": colour, "width": 2},
            marker={"size": 8, "symbol": symbol},
            customdata=ours["per_second"],
            hovertemplate="%{x} threads: %{y:.2f} times<br>%{customdata:.1f} per second",
        )
    chart.update_xaxes(tickvals=counts)
    chart.update_yaxes(rangemode="tozero")
    return chart


def best_speedups(frame: pd.DataFrame) -> dict[str, Any]:
    """Return the speed-ups with most threads, for the index page.

    >>> rows = pd.DataFrame({"what": "training step", "threads": [1, 2], "round": 0, "per_second": [10.0, 18.0]})
    >>> best_speedups(speedup_frame(rows))
    {'threads': 2, 'training step': 1.8}
    """
    most = int(frame["threads"].max())
    top = frame[frame["threads"] == most]
    return {"threads": most} | dict(zip(top["what"], top["speedup"].round(2), strict=True))
