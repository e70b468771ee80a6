"""Figures about a data set: when people click, and how unevenly."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from hyperctr.reporting.theme import NEUTRAL, figure

CLICK, UNCLICK = "#0072B2", "#B0B7C0"


def activity_over_time(
    interactions: pd.DataFrame, *, clock: Literal["calendar", "ordinal"] = "calendar", bins: int = 36
) -> go.Figure:
    """Draw the number of clicks and unclicks per month, or per equal-width bin of an ordinal clock.

    Args:
        interactions: columns ``timestamp`` (seconds, or ordinal) and ``clicked``.
        clock: whether timestamps are seconds since 1970 (UTC).
        bins: number of bins where the clock has no months.

    >>> frame = pd.DataFrame({"timestamp": [0, 1, 3_000_000], "clicked": [True, False, True]})
    >>> activity_over_time(frame).data[0].y.tolist()
    [1.0, 1.0]
    """
    if clock == "calendar":
        month = pd.to_datetime(interactions["timestamp"], unit="s").dt.to_period("M")
        periods = pd.period_range(month.min(), month.max(), freq="M")
        place = (month.dt.year * 12 + month.dt.month).to_numpy()
        place = place - place.min()
        labels: NDArray[Any] = periods.to_timestamp().to_numpy()
        unit, width = "month", len(periods)
    else:
        moments = interactions["timestamp"].to_numpy(np.float64)
        span = max(float(np.ptp(moments)), 1.0)
        place = np.minimum((moments - moments.min()) / span * bins, bins - 1).astype(np.int64)
        labels, unit, width = np.arange(1.0, bins + 1), f"1/{bins} of the time covered (ordinal clock)", bins
    clicked = interactions["clicked"].to_numpy(bool)
    clicks = np.bincount(place[clicked], minlength=width)
    unclicks = np.bincount(place[~clicked], minlength=width)
    made = figure(
        "Activity over time",
        f"{int(clicks.sum()):,} clicks and {int(unclicks.sum()):,} shown-and-not-clicked rows",
        x=unit,
        y=f"rows per {'month' if clock == 'calendar' else 'bin'}",
        barmode="stack",
        bargap=0.1,
    )
    made.add_bar(x=labels, y=clicks.astype(np.float32), name="clicked", marker_color=CLICK)
    if unclicks.any():
        made.add_bar(x=labels, y=unclicks.astype(np.float32), name="shown, not clicked", marker_color=UNCLICK)
    return made


def popularity_figure(clicks_per_item: NDArray[np.int64]) -> go.Figure:
    """Draw clicks against popularity rank on logarithmic axes; a power law is a straight line.

    Args:
        clicks_per_item: [I] counts; items never clicked have no place on a log axis: they are counted.

    >>> popularity_figure(np.array([9, 0, 3])).data[0].y.tolist()
    [9.0, 3.0]
    """
    ranked = np.sort(clicks_per_item[clicks_per_item > 0])[::-1]
    never = int((clicks_per_item == 0).sum())
    top = max(1, len(ranked) // 10)
    share = float(ranked[:top].sum()) / max(float(ranked.sum()), 1.0)
    made = figure(
        "Popularity of items",
        f"the most popular tenth of the clicked items gets {share:.0%} of the clicks; "
        f"{never:,} of {len(clicks_per_item):,} items were never clicked",
        x="rank of the item",
        y="clicks",
        showlegend=False,
    )
    rank = np.arange(1, len(ranked) + 1)
    made.add_scatter(
        x=rank.astype(np.float32),
        y=ranked.astype(np.float32),
        mode="markers",
        marker={"size": 5, "color": CLICK},
    )
    if len(ranked) > 20:  # slope over the head and body, where counts are large enough to have one
        fit = ranked >= 5
        slope, level = np.polyfit(np.log(rank[fit]), np.log(ranked[fit]), 1) if fit.sum() > 5 else (0.0, 0.0)
        if slope:
            ends = np.array([1.0, float(rank[fit][-1])])
            line = np.exp(level) * ends**slope
            made.add_scatter(
                x=ends, y=line, mode="lines", line={"color": NEUTRAL, "dash": "dash"}, hoverinfo="skip"
            )
            where = {"x": np.log10(ends[1]), "y": np.log10(line[1]), "xanchor": "left", "yanchor": "bottom"}
            made.add_annotation(
                text=f"slope {slope:.2f}", showarrow=False, xshift=6, font={"color": NEUTRAL}, **where
            )
    made.update_xaxes(type="log", dtick=1)
    made.update_yaxes(type="log", dtick=1)
    return made
