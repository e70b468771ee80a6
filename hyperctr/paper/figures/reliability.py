"""Reliability: how often pairs were clicked against how probable the model said it was, raw and calibrated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots
from scipy.stats import binomtest

from hyperctr.display.colours import BLUE, ORANGE
from hyperctr.display.figure import Figure
from hyperctr.display.theme import LEGEND_BELOW, NEUTRAL, error_bars, need_columns, style, write_across
from hyperctr.paper.prose import prose
from hyperctr.paper.tables.table3_overall import POPULARITY, method_names
from hyperctr.sweeps.seeds import LEVEL, records

if TYPE_CHECKING:
    from hyperctr.sweeps.sweep import Sweep

MODELS = ("hyperctr", POPULARITY)
LOOKS = {"raw": (ORANGE, "diamond"), "calibrated": (BLUE, "circle")}
COLUMNS = ("model", "protocol", "seed", "probability", "pairs", "clicks", "predicted", "observed", "low", "high")


def reliability(sweep: Sweep) -> Figure:
    """Return the reliability diagram of HyperCTR and of popularity, of the first finished run of HyperCTR."""
    frame = reliability_frame(sweep.reliability)
    note = prose("reliability", rows=distances(frame))
    return Figure(reliability_chart(frame, sweep.measured_under(frame["protocol"])), "reliability", frame, note)


def reliability_frame(bins: pd.DataFrame) -> pd.DataFrame:
    """Take HyperCTR and popularity out of ``Sweep.reliability``: the first protocol and seed that there are.

    Returns:
        a row per model, kind of ``probability`` (raw, calibrated) and bin: ``pairs``, ``clicks``, the mean probability
        ``predicted``, the share of clicks ``observed`` and its Wilson interval, ``low`` and ``high``. It takes pairs
        for independent, though those of one user are alike.

    Raises:
        ShapeError: a column is missing.
    """
    need_columns(bins, "run", "protocol", "seed", "of_run", "model", "pairs", "clicks", *LOOKS)
    own = bins[(bins["model"] == MODELS[0]) & bins["of_run"].astype(bool)]
    rows: list[dict[str, Any]] = []
    for model in MODELS if len(own) else ():
        shown = bins[(bins["run"] == own["run"].iloc[0]) & (bins["model"] == model)].drop_duplicates()
        for kind in LOOKS:
            for row in records(shown):
                pairs, clicks = int(row["pairs"]), int(row["clicks"])
                bounds = binomtest(clicks, pairs).proportion_ci(LEVEL, method="wilson")
                case = {"model": model, "protocol": row["protocol"], "seed": row["seed"], "probability": kind}
                counts = {"pairs": pairs, "clicks": clicks, "predicted": row[kind], "observed": clicks / pairs}
                rows.append({**case, **counts, "low": bounds.low, "high": bounds.high})
    return pd.DataFrame(rows, columns=list(COLUMNS))


def distances(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return by how much observed and predicted differ in a :func:`reliability_frame`, on average over pairs, by model.

    Each row has ``title``, ``seed``, ``raw`` and ``calibrated``.
    """
    gaps = (frame["observed"] - frame["predicted"]).abs() * frame["pairs"]
    sums = frame.assign(gap=gaps).groupby(["model", "seed", "probability"], sort=False)[["gap", "pairs"]].sum()
    table = (sums["gap"] / sums["pairs"]).unstack("probability").reset_index()
    return records(table.assign(title=table["model"].replace(method_names())))


def reliability_chart(frame: pd.DataFrame, measured: str = "") -> go.Figure:
    """Draw a :func:`reliability_frame`: a panel per model, raw and calibrated beside the line of no error.

    Raises:
        ShapeError: a column is missing.
    """
    need_columns(frame, *COLUMNS)
    models = list(frame["model"].unique())
    names = method_names()
    chart = make_subplots(1, max(1, len(models)), shared_yaxes=True, subplot_titles=[names.get(m, m) for m in models])
    bars = "one sampled item not clicked per test click; bins of as many pairs each; bars: 95 % Wilson intervals"
    layout: dict[str, Any] = {"legend": {**LEGEND_BELOW, "y": -0.2}, "height": 460}
    style(chart, "Reliability of probabilities", "; ".join(filter(None, (measured, bars))), **layout)
    chart.update_layout(margin={"b": 100})
    if frame.empty:
        return write_across(chart, "no finished run has kept what this figure shows: train them again")
    for place, model in enumerate(models):
        cell: dict[str, Any] = {"row": 1, "col": place + 1}
        line = {"color": NEUTRAL, "dash": "dot", "width": 1.5}
        look: dict[str, Any] = {"mode": "lines", "line": line, "hoverinfo": "skip", "showlegend": place == 0}
        chart.add_scatter(x=[0, 1], y=[0, 1], name="as predicted", **look, **cell)
        for kind, (colour, symbol) in LOOKS.items():
            rows = frame[(frame["model"] == model) & (frame["probability"] == kind)]
            marker = {"color": colour, "symbol": symbol, "size": 8}
            look = {"mode": "lines+markers", "marker": marker, "line": {"color": colour, "width": 1.5}}
            look |= {"name": kind, "legendgroup": kind, "showlegend": place == 0}
            look |= {"error_y": error_bars(rows["observed"], rows["low"], rows["high"], width=3)}
            hover = "predicted %{x:.3f}, clicked %{y:.3f}<br>%{customdata[0]:,} of %{customdata[1]:,} pairs"
            counts = np.stack([rows["clicks"], rows["pairs"]], axis=1)
            chart.add_scatter(
                x=rows["predicted"], y=rows["observed"], customdata=counts, hovertemplate=hover, **look, **cell
            )
    chart.update_xaxes(title_text="predicted probability", range=[-0.02, 1.02])
    chart.update_yaxes(range=[-0.02, 1.02])
    chart.update_yaxes(title_text="share of pairs clicked", col=1)
    return chart
