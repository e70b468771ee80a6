"""Figures about a data set: when people click, and how unevenly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from hyperctr.display.colours import BLUE
from hyperctr.display.figure import Figure
from hyperctr.display.theme import NEUTRAL, figure, need_columns

if TYPE_CHECKING:
    from hyperctr.data.dataset import Dataset
    from hyperctr.runs.session import Session

CLICK, NON_CLICK = BLUE, "#B0B7C0"
BINS = 36  # of a clock without months


def activity(session: Session) -> Figure:
    """Clicks and non-clicks of the session's data over time."""
    frame, counts = activity_frame(session.data), session.data.table1_row()
    headline = {name: counts[name] for name in ("users", "items", "clicks", "non_clicks", "sparsity")}
    return Figure(draw_activity(frame), "activity", frame, headline=headline)


def activity_frame(data: Dataset) -> pd.DataFrame:
    """Count clicks and non-clicks per calendar month, or per equal-width bin of a clock without months.

    Returns:
        columns ``period`` ("2018-01", or 1..36), ``clicks``, ``non_clicks``; empty periods included.
    """
    if data.clock == "calendar":
        month = pd.Series(pd.to_datetime(data.timestamp, unit="s")).dt.to_period("M")
        periods: Sequence[Any] = pd.period_range(month.min(), month.max(), freq="M").astype(str).tolist()
        number = (month.dt.year * 12 + month.dt.month).to_numpy()
        place = number - number.min()
    else:
        since = (data.timestamp - data.timestamp.min()).astype(np.float64)
        place = np.minimum(since / max(float(since.max()), 1.0) * BINS, BINS - 1).astype(np.int64)
        periods = range(1, BINS + 1)
    counts = [np.bincount(place[rows], minlength=len(periods)) for rows in (data.clicked, ~data.clicked)]
    return pd.DataFrame({"period": list(periods), "clicks": counts[0], "non_clicks": counts[1]})


def draw_activity(activity: pd.DataFrame) -> go.Figure:
    """Draw clicks and non-clicks over time.

    Args:
        activity: columns ``period`` (text for calendar months, numbers for bins), ``clicks``, ``non_clicks``.

    >>> frame = pd.DataFrame({"period": ["2018-01", "2018-02"], "clicks": [3, 5], "non_clicks": [0, 0]})
    >>> draw_activity(frame).data[0].y.tolist()
    [3.0, 5.0]
    """
    need_columns(activity, "period", "clicks", "non_clicks")
    calendar = activity["period"].map(lambda period: isinstance(period, str)).all()
    period, clicks, non_clicks = activity["period"], activity["clicks"], activity["non_clicks"]
    subtitle = f"{int(clicks.sum()):,} clicks and {int(non_clicks.sum()):,} rows shown and not clicked"
    x = "month" if calendar else f"1/{len(activity)} of the time covered (the clock has no calendar)"
    y = f"rows per {'month' if calendar else 'bin'}"
    chart = figure("Activity over time", subtitle, x=x, y=y, barmode="stack", bargap=0.1)
    chart.add_bar(x=period, y=clicks.to_numpy(np.float32), name="clicked", marker_color=CLICK)
    if non_clicks.any():
        counts = non_clicks.to_numpy(np.float32)
        chart.add_bar(x=period, y=counts, name="shown, not clicked", marker_color=NON_CLICK)
    if calendar:
        chart.update_xaxes(type="date", hoverformat="%b %Y")
    return chart


def popularity(session: Session) -> Figure:
    """Clicks of the session's items against their popularity rank."""
    frame = popularity_frame(session.data)
    return Figure(draw_popularity(frame), "popularity", frame)


def popularity_frame(data: Dataset) -> pd.DataFrame:
    """Rank the items by clicks: columns ``rank`` (1 = most clicked) and ``clicks`` (0 included)."""
    clicks = np.bincount(data.item_index[data.clicked], minlength=data.num_items)
    return pd.DataFrame({"rank": np.arange(1, data.num_items + 1), "clicks": np.sort(clicks)[::-1]})


def draw_popularity(popularity: pd.DataFrame) -> go.Figure:
    """Draw clicks against popularity rank on logarithmic axes; a power law is a straight line.

    Args:
        popularity: columns ``rank`` and ``clicks``; items never clicked have no place on a log axis.

    >>> draw_popularity(pd.DataFrame({"rank": [1, 2, 3], "clicks": [9, 3, 0]})).data[0].y.tolist()
    [9.0, 3.0]
    """
    need_columns(popularity, "rank", "clicks")
    clicked = popularity[popularity["clicks"] > 0]
    rank, clicks = clicked["rank"].to_numpy(np.float32), clicked["clicks"].to_numpy(np.float32)
    share = float(clicks[: max(1, len(clicks) // 10)].sum() / max(clicks.sum(), 1))
    subtitle = f"the top tenth of the clicked items gets {share:.0%} of the clicks; "
    subtitle += f"{len(popularity) - len(clicked):,} of {len(popularity):,} items were never clicked"
    chart = figure("Popularity of items", subtitle, x="rank of the item", y="clicks", showlegend=False)
    chart.add_scatter(x=rank, y=clicks, mode="markers", marker={"size": 5, "color": CLICK})
    body = clicks >= 5  # a slope needs counts that are not mostly noise
    if body.sum() > 10:
        slope, level = np.polyfit(np.log(rank[body]), np.log(clicks[body]), 1)
        ends = np.array([1.0, float(rank[body][-1])])
        line = np.exp(level) * ends**slope
        dashes = {"color": NEUTRAL, "dash": "dash"}
        chart.add_scatter(x=ends, y=line, mode="lines", line=dashes, hoverinfo="skip")
        where = {"x": np.log10(ends[0]), "y": np.log10(line[0]), "xanchor": "left", "yanchor": "bottom"}
        label = f"slope {slope:.2f} over items with 5 clicks or more"
        chart.add_annotation(text=label, showarrow=False, xshift=14, font={"color": NEUTRAL}, **where)
    chart.update_xaxes(type="log", dtick=1)
    chart.update_yaxes(type="log", dtick=1)
    return chart
