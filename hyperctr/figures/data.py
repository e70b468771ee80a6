"""Figures about a data set: when people click, and how unevenly."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from hyperctr.display.theme import NEUTRAL, figure, need_columns

CLICK, UNCLICK = "#0072B2", "#B0B7C0"


def activity_over_time(activity: pd.DataFrame) -> go.Figure:
    """Draw clicks and unclicks over time.

    Args:
        activity: columns ``period`` (text for calendar months, numbers for bins), ``clicks``, ``unclicks``.

    >>> frame = pd.DataFrame({"period": ["2018-01", "2018-02"], "clicks": [3, 5], "unclicks": [0, 0]})
    >>> activity_over_time(frame).data[0].y.tolist()
    [3.0, 5.0]
    """
    need_columns(activity, "period", "clicks", "unclicks")
    calendar = activity["period"].map(lambda one: isinstance(one, str)).all()
    clicks, unclicks = activity["clicks"], activity["unclicks"]
    made = figure(
        "Activity over time",
        f"{int(clicks.sum()):,} clicks and {int(unclicks.sum()):,} rows shown and not clicked",
        x="month" if calendar else f"1/{len(activity)} of the time covered (the clock has no calendar)",
        y=f"rows per {'month' if calendar else 'bin'}",
        barmode="stack",
        bargap=0.1,
    )
    made.add_bar(x=activity["period"], y=clicks.to_numpy(np.float32), name="clicked", marker_color=CLICK)
    if unclicks.any():
        y = unclicks.to_numpy(np.float32)
        made.add_bar(x=activity["period"], y=y, name="shown, not clicked", marker_color=UNCLICK)
    if calendar:
        made.update_xaxes(type="date", hoverformat="%b %Y")
    return made


def popularity_figure(popularity: pd.DataFrame) -> go.Figure:
    """Draw clicks against popularity rank on logarithmic axes; a power law is a straight line.

    Args:
        popularity: columns ``rank`` and ``clicks``; items never clicked have no place on a log axis.

    >>> popularity_figure(pd.DataFrame({"rank": [1, 2, 3], "clicks": [9, 3, 0]})).data[0].y.tolist()
    [9.0, 3.0]
    """
    need_columns(popularity, "rank", "clicks")
    clicked = popularity[popularity["clicks"] > 0]
    rank, clicks = clicked["rank"].to_numpy(np.float32), clicked["clicks"].to_numpy(np.float32)
    share = float(clicks[: max(1, len(clicks) // 10)].sum() / max(clicks.sum(), 1))
    made = figure(
        "Popularity of items",
        f"the top tenth of the clicked items gets {share:.0%} of the clicks; "
        f"{len(popularity) - len(clicked):,} of {len(popularity):,} items were never clicked",
        x="rank of the item",
        y="clicks",
        showlegend=False,
    )
    made.add_scatter(x=rank, y=clicks, mode="markers", marker={"size": 5, "color": CLICK})
    body = clicks >= 5  # a slope needs counts that are not mostly noise
    if body.sum() > 10:
        slope, level = np.polyfit(np.log(rank[body]), np.log(clicks[body]), 1)
        ends = np.array([1.0, float(rank[body][-1])])
        line = np.exp(level) * ends**slope
        dashes = {"color": NEUTRAL, "dash": "dash"}
        made.add_scatter(x=ends, y=line, mode="lines", line=dashes, hoverinfo="skip")
        where = {"x": np.log10(ends[0]), "y": np.log10(line[0]), "xanchor": "left", "yanchor": "bottom"}
        label = f"slope {slope:.2f} over items with 5 clicks or more"
        made.add_annotation(text=label, showarrow=False, xshift=14, font={"color": NEUTRAL}, **where)
    made.update_xaxes(type="log", dtick=1)
    made.update_yaxes(type="log", dtick=1)
    return made
