"""Figures about the interest matrix F (section 2.3): per user, slot and modality; against a planted truth."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from hyperctr.display.theme import SEQUENTIAL, figure, modality_colour, need_columns, style, translucent


def interest_heatmap(interest: pd.DataFrame, *, total_users: int | None = None) -> go.Figure:
    """Draw the interest matrix as heat maps, one panel per modality: a row per user, a column per slot.

    Args:
        interest: columns ``user, slot, modality, interest`` in the order to draw; NaN where nothing is known.
        total_users: how many users there are, for "n of N".

    >>> rows = [(1, "a", "visual", 0.2), (1, "b", "visual", 0.4)]
    >>> frame = pd.DataFrame(rows, columns=["user", "slot", "modality", "interest"])
    >>> interest_heatmap(frame).data[0].z.shape
    (1, 2)
    """
    need_columns(interest, "user", "slot", "modality", "interest")
    users, slots, names = (list(dict.fromkeys(interest[one])) for one in ("user", "slot", "modality"))
    values = interest["interest"].to_numpy(np.float64)
    known = values[np.isfinite(values)]
    low, high = np.quantile(known, [0.02, 0.98]) if len(known) else (0.0, 1.0)
    made = make_subplots(1, len(names), subplot_titles=names, shared_yaxes=True, horizontal_spacing=0.02)
    for index, name in enumerate(names):
        grid = interest[interest["modality"] == name].pivot(index="user", columns="slot", values="interest")
        panel = go.Heatmap(
            z=grid.loc[users, slots].to_numpy(np.float32),
            x=slots,
            y=[f"user {one}" for one in users],
            zmin=float(low),
            zmax=float(high),
            colorscale=SEQUENTIAL,
            showscale=index == 0,
            hoverongaps=False,
            xgap=1,
            ygap=1,
            name=name,
            colorbar={"title": {"text": "degree of<br>interest"}, "thickness": 12},
            hovertemplate="%{y}<br>%{x}<br>degree of interest %{z:.3f}<extra>" + name + "</extra>",
        )
        made.add_trace(panel, 1, index + 1)
    style(
        made,
        "Interest matrix",
        f"{len(users)} of {total_users or len(users):,} users (those seen in most slots), by their strongest "
        "modality; blank: no training click in the slot",
        height=190 + max(14 * len(users), 120),
        margin={"t": 104},
    )
    made.update_xaxes(tickangle=-45, showgrid=False, type="category", nticks=min(12, len(slots)))
    made.update_yaxes(showgrid=False, type="category", autorange="reversed", tickfont={"size": 10})
    made.update_xaxes(title_text="time slot", col=len(names) // 2 + 1)
    return made


def interest_over_slots(interest: pd.DataFrame) -> go.Figure:
    """Draw the median user's degree of interest per slot and modality, the middle half of users as a band.

    Args:
        interest: columns ``slot`` (label, in time order), ``modality``, ``low``, ``median``, ``high``.

    >>> row = {"slot": "a", "modality": "visual", "low": 0.25, "median": 0.5, "high": 0.75}
    >>> interest_over_slots(pd.DataFrame([row])).data[1].y.tolist()
    [0.5]
    """
    need_columns(interest, "slot", "modality", "low", "median", "high")
    slots, names = (list(dict.fromkeys(interest[one])) for one in ("slot", "modality"))
    made = figure(
        "Interest over time",
        "line: the median user; band: the middle half of the users with a training click in the slot",
        x="time slot",
        y="degree of interest (0 to 1)",
    )
    for name in names:
        rows = interest[interest["modality"] == name]
        made.add_traces(_line_and_band(rows, rows["slot"].tolist(), name, modality_colour(name, names)))
    made.update_xaxes(type="category", categoryorder="array", categoryarray=slots, nticks=8)
    return made


def recovery_figure(recovery: pd.DataFrame) -> go.Figure:
    """Draw recovered against true interest, one panel per modality; pairs of user and slot are binned.

    Args:
        recovery: columns ``modality, auc, pairs, true, low, median, high``, a row per bin.

    >>> columns = ["modality", "auc", "pairs", "true", "low", "median", "high"]
    >>> frame = pd.DataFrame([("visual", 0.9, 7, 0.5, 0.4, 0.5, 0.6)], columns=columns)
    >>> recovery_figure(frame).layout.annotations[0].text
    'visual: AUC 0.900'
    """
    need_columns(recovery, "modality", "auc", "pairs", "true", "low", "median", "high")
    names = list(dict.fromkeys(recovery["modality"]))
    parts = {name: recovery[recovery["modality"] == name] for name in names}
    heads = [f"{name}: AUC {part['auc'].iloc[0]:.3f}" for name, part in parts.items()]
    made = make_subplots(1, len(names), subplot_titles=heads, shared_yaxes=True, horizontal_spacing=0.03)
    for place, (name, part) in enumerate(parts.items()):
        for trace in _line_and_band(part, part["true"].tolist(), name, modality_colour(name, names)):
            made.add_trace(trace, 1, place + 1)
    style(
        made,
        "Recovered against true interest",
        f"{int(recovery['pairs'].max()):,} (user, slot) pairs in bins; line: median, band: middle half; "
        "AUC: is the degree higher where the modality truly leads?",
        showlegend=False,
        height=400,
        margin={"t": 104},
    )
    made.update_xaxes(title_text="true (planted) interest")
    made.update_yaxes(title_text="recovered degree of interest", col=1)
    return made


def _line_and_band(rows: pd.DataFrame, x: list[Any], name: str, colour: str) -> list[go.Scatter]:
    """Median line over a band from ``low`` to ``high``."""
    outline = np.concatenate([rows["low"], rows["high"][::-1]]).astype(np.float32)
    band = go.Scatter(
        x=[*x, *x[::-1]],
        y=outline,
        fill="toself",
        fillcolor=translucent(colour, 0.15),
        mode="lines",
        line_width=0,
        hoverinfo="skip",
        showlegend=False,
        legendgroup=name,
    )
    middle = rows["median"].to_numpy(np.float32)
    line = go.Scatter(x=x, y=middle, name=name, legendgroup=name, mode="lines+markers", line_color=colour)
    return [band, line]
