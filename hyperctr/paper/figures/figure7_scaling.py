"""Figure 7: how much faster training gets with more threads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from hyperctr.display.colours import BLUE, ORANGE
from hyperctr.display.figure import Figure
from hyperctr.display.theme import LEGEND_BELOW, NEUTRAL, error_bars, figure, need_columns, write_across
from hyperctr.errors import ShapeError
from hyperctr.paper.numbers import paper_numbers
from hyperctr.paper.prose import prose
from hyperctr.sweeps.seeds import records

if TYPE_CHECKING:
    from hyperctr.sweeps.sweep import Sweep

LOOKS = {"training step": (BLUE, "circle"), "convolution": (ORANGE, "diamond")}


def figure7(sweep: Sweep) -> Figure:
    """Return Figure 7, speed-up by threads, of the base run of a sweep; what was timed before is not timed again.

    Two points make no curve: with up to two cores it is told in a sentence.

    Raises:
        RunError: the base run is not finished, or the timing failed.
    """
    scaling = sweep.scaling()
    frame = speedup_frame(scaling.frame)
    most = frame[frame["threads"] == frame["threads"].max()]
    speedups = dict(zip(most["what"], most["speedup"].round(2), strict=True))
    threads = int(most["threads"].iloc[0])
    headline = {"threads": threads, **speedups, "cores": scaling.machine["cores"]}
    note = speedup_note(frame, scaling.machine, scaling.busy_cores)
    chart = speedup_chart(frame, scaling.where)
    return Figure(chart, "figure7", frame, note, headline, said=threads <= 2)


def speedup_frame(timings: pd.DataFrame) -> pd.DataFrame:
    """Turn timings (see :func:`hyperctr.runs.scaling.measure_scaling`) into speed-ups over one thread, round by round.

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
    for what, group in timings.groupby("what", sort=False):
        rates = group.pivot_table(index="round", columns="threads", values="per_second")
        if 1 not in rates or rates[1].isna().any():
            raise ShapeError(f"{what}: a speed-up needs the time with one thread in every round")
        for threads in sorted(set(group["threads"])):
            ratio = rates[threads] / rates[1]
            spread = (ratio.median(), ratio.min(), ratio.max())
            rows.append((what, threads, ratio.count(), rates[threads].median(), *spread, float(threads)))
    names = ["what", "threads", "rounds", "per_second", "speedup", "speedup_low", "speedup_high", "linear"]
    return pd.DataFrame(rows, columns=names)


def speedup_chart(frame: pd.DataFrame, machine: str = "") -> go.Figure:
    """Draw a :func:`speedup_frame` beside the line of a perfect speed-up; with one core, say that there is none."""
    need_columns(frame, "what", "threads", "rounds", "per_second", "speedup", "speedup_low", "speedup_high")
    spread = f"median of {frame['rounds'].max()} rounds, bars from the smallest to the largest"
    subtitle = "; ".join(filter(None, (machine, spread)))
    layout: dict[str, Any] = {"x": "threads", "y": "speed-up over one thread", "legend": LEGEND_BELOW, "height": 460}
    chart = figure("Speed-up with threads (Figure 7)", subtitle, **layout, margin={"t": 72, "b": 100})
    counts = sorted(frame["threads"].unique().tolist())
    if counts == [1]:
        chart.update_xaxes(range=[0, 2], tickvals=[1])
        chart.update_yaxes(range=[0, 2], tickvals=[1])
        return write_across(chart, "one thread only: no speed-up to show")
    line = {"color": NEUTRAL, "dash": "dot", "width": 1.5}
    chart.add_scatter(x=counts, y=counts, mode="lines", line=line, name="linear", hoverinfo="skip")
    for what, rows in frame.groupby("what", sort=False):
        colour, symbol = LOOKS.get(str(what), (NEUTRAL, "square"))
        bars = error_bars(rows["speedup"], rows["speedup_low"], rows["speedup_high"], width=4)
        look: dict[str, Any] = {"line": {"color": colour, "width": 2}, "marker": {"size": 8, "symbol": symbol}}
        look |= {"mode": "lines+markers", "name": str(what), "error_y": bars, "customdata": rows["per_second"]}
        hover = "%{x} threads: %{y:.2f} times<br>%{customdata:.1f} per second"
        chart.add_scatter(x=rows["threads"], y=rows["speedup"], hovertemplate=hover, **look)
    chart.update_xaxes(tickvals=counts)
    chart.update_yaxes(rangemode="tozero")
    return chart


def speedup_note(frame: pd.DataFrame, machine: Mapping[str, Any], busy_cores: float) -> str:
    """Say what Figure 7 shows, of a machine's ``processor`` and ``cores``; ``busy_cores`` is nan if unknown."""
    most = int(frame["threads"].max())
    rows = records(frame[frame["threads"] == most])
    busy = busy_cores if np.isfinite(busy_cores) else None
    return prose("figure7", rows=rows, most=most, machine=machine, busy=busy, paper=paper_numbers()["figure7"])
