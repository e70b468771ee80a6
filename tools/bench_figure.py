"""The figure of cost against size: time of an example and peak memory, ours and the peer's."""

from __future__ import annotations

from typing import Any

import pandas as pd
from plotly.subplots import make_subplots

from hyperctr.display.figure import Figure
from hyperctr.display.theme import LEGEND_BELOW, error_bars, need_columns, style

NEEDED = (
    *("system", "loader", "interactions", "rounds", "examples_per_second", "low", "high", "peak_memory_mib"),
    *("processor", "threads", "busy_cores", "batch_clicks", "d", "history"),
)
LOOKS = {
    ("HyperCTR", ""): ("HyperCTR", "#0072B2", "circle", "solid"),
    ("FuxiCTR DIN", "own"): ("FuxiCTR DIN, its loader", "#D55E00", "diamond", "solid"),
    ("FuxiCTR DIN", "batches ready"): ("FuxiCTR DIN, batches made beforehand", "#E69F00", "square", "dash"),
}


def cost_figure(frame: pd.DataFrame) -> Figure:
    """Draw the table of ``tests/benchmarks/bench_training.py`` with the columns that ``tools/bench.py`` adds.

    Of the peer's loaders the faster one is drawn, size by size.

    Raises:
        ShapeError: a column is missing.
    """
    need_columns(frame, *NEEDED)
    frame = _with_one_loader(frame.fillna({"loader": ""}))
    first = frame.iloc[0]
    chart = make_subplots(1, 2, horizontal_spacing=0.12)
    for (system, loader), (name, colour, symbol, dash) in LOOKS.items():
        rows = frame[(frame["system"] == system) & (frame["loader"] == loader)].sort_values("interactions")
        if rows.empty:
            continue
        cost, low, high = (1e6 / rows[column] for column in ("examples_per_second", "high", "low"))
        look: dict[str, Any] = {"x": rows["interactions"], "mode": "lines+markers", "legendgroup": name, "name": name}
        look |= {"line": {"color": colour, "width": 2, "dash": dash}, "marker": {"size": 8, "symbol": symbol}}
        hover = "%{x:,} interactions: %{y:,.3~s}"
        bars = error_bars(cost, low, high, width=4)
        chart.add_scatter(y=cost, error_y=bars, hovertemplate=hover + " µs an example", **look, row=1, col=1)
        if loader != "batches ready":  # its memory is that of the same process
            memory = {"y": rows["peak_memory_mib"], "hovertemplate": hover + " MiB", "showlegend": False}
            chart.add_scatter(**memory, **look, row=1, col=2)
    shape = f"{first['batch_clicks']} clicks and their negatives a step, d = {first['d']}, history {first['history']}"
    threads = f"{first['threads']} thread{'s' if first['threads'] > 1 else ''}"
    machine = f"{first['processor']}, {threads}, {first['busy_cores']:.1f} cores busy before"
    spread = f"median of {frame['rounds'].max()} rounds, bars from least to most"
    style(chart, "What training costs against the size of the data", f"{machine}; {shape}; {spread}", height=470)
    chart.update_layout(legend=LEGEND_BELOW | {"y": -0.21}, margin={"b": 100})
    # A tick at each power of ten alone: the digits between them are noise at this width.
    chart.update_xaxes(type="log", dtick=1, exponentformat="power", title_text="interactions in the data")
    chart.update_yaxes(type="log", tickformat=",", title_text="time of an example, µs", col=1)
    chart.update_yaxes(type="log", tickformat=",", title_text="peak memory, MiB", col=2)
    for column, values in ((1, 1e6 / frame["examples_per_second"]), (2, frame["peak_memory_mib"])):
        chart.update_yaxes(tickvals=_ticks(values.min(), values.max()), col=column)
    return Figure(chart, "cost", frame)


def _with_one_loader(frame: pd.DataFrame) -> pd.DataFrame:
    """Keep the peer's faster loader at each size and call it ``own``."""
    loaders = frame["loader"].str.contains("worker")
    best = frame[loaders].sort_values("examples_per_second").drop_duplicates("interactions", keep="last")
    return pd.concat([frame[~loaders], best.assign(loader="own")])


def _ticks(low: float, high: float) -> list[float]:
    """Return 1, 2, 5, 10, 20, ... from below ``low`` to above ``high``."""
    steps = [digit * 10.0**power for power in range(-3, 9) for digit in (1, 2, 5)]
    return [step for step in steps if low / 2.5 <= step <= high * 2.5]
