"""One look for every chart: the plotly template, and how a figure is shown."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from hyperctr.display.colours import BLUE
from hyperctr.display.colours import FURTHER_COLOURS as FURTHER_COLOURS
from hyperctr.display.colours import MODALITY_COLOURS as MODALITY_COLOURS
from hyperctr.display.colours import NEUTRAL as NEUTRAL
from hyperctr.display.colours import modality_colour as modality_colour
from hyperctr.display.colours import translucent as translucent
from hyperctr.errors import ShapeError
from hyperctr.runtime import in_notebook

PLOTLY_MIME = "application/vnd.plotly.v1+json"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"  # nothing is fetched
SEQUENTIAL = "Cividis"  # made for colour-blind readers and for grey print
# under the plot, where it meets neither a subtitle nor, on a narrow page, the title
LEGEND_BELOW: dict[str, Any] = {"x": 0, "xanchor": "left", "y": -0.19, "yanchor": "top"}

# plotly 7 adds a button that uploads the figure to its vendor's cloud; no report may leave the machine
CONFIG: dict[str, Any] = {
    "displaylogo": False,
    "modeBarButtonsToRemove": ["sendChartToCloud", "lasso2d", "select2d", "autoScale2d"],
    "plotlyServerURL": "",
}

# What is written in this colour, on white, is turned by DARK.
INK = "#24292f"
# JupyterLab and nbconvert, VS Code, the site of the docs
_IN = ":is([data-jp-theme-light=false],.vscode-dark,[data-theme=dark]) .js-plotly-plot"
DARK = f"""<style class="hctr-dark">
{_IN} .main-svg[style*="background: white"]{{background:none!important}}
{_IN} rect.bg[style*="fill: rgb(255, 255, 255)"]{{fill:none!important}}
{_IN} text[style*="fill: rgb(36, 41, 47)"]:not(.hoverlayer *){{fill:#d5dbe3!important}}
.jp-OutputArea-child:has(style.hctr-dark){{display:none}}
</style>"""

_LINE, _GRID = "rgba(128,136,148,0.8)", "rgba(128,136,148,0.25)"
_AXIS = {"gridcolor": _GRID, "linecolor": _LINE, "zeroline": False, "showline": True}
_AXIS |= {"ticks": "outside", "tickcolor": _LINE, "automargin": True, "title": {"standoff": 8}}
_TITLE = {"x": 0, "xref": "container", "xanchor": "left", "pad": {"l": 12}, "y": 0.97, "yanchor": "top"}
_SUBTITLE = {"font": {"size": 12.5, "color": NEUTRAL}}
TEMPLATE = go.layout.Template(
    layout={
        "font": {"family": FONT, "size": 13, "color": INK},
        "title": {**_TITLE, "font": {"size": 16}, "subtitle": _SUBTITLE},
        # white, where nobody knows what is behind; see follow_theme, and the report's pages draw it see-through
        "paper_bgcolor": "white",
        "plot_bgcolor": "white",
        "colorway": [*MODALITY_COLOURS.values(), *FURTHER_COLOURS],
        "colorscale": {"sequential": SEQUENTIAL},
        "xaxis": _AXIS,
        "yaxis": _AXIS,
        "legend": {"orientation": "h", "x": 1, "xanchor": "right", "y": 1.02, "yanchor": "bottom"},
        "margin": {"l": 64, "r": 24, "t": 88, "b": 56},
        "hoverlabel": {"namelength": -1},
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": NEUTRAL, "activecolor": BLUE},
        "height": 420,
    }
)


def figure(title: str, subtitle: str = "", *, x: str = "", y: str = "", **layout: Any) -> go.Figure:
    """Return an empty figure in our template; ``x`` and ``y`` are the axis titles, with units.

    >>> figure("Clicks", x="month", y="clicks").layout.xaxis.title.text
    'month'
    """
    made = style(go.Figure(), title, subtitle, **layout)
    if x:
        made.update_xaxes(title_text=x)
    if y:
        made.update_yaxes(title_text=y)
    return made


def style(chart: go.Figure, title: str, subtitle: str = "", **layout: Any) -> go.Figure:
    """Give a figure our template, a title and a line or two under it that say what is shown.

    A subtitle is broken so that it fits a narrow window and a printed page; the figure makes room for it.

    >>> chart = style(go.Figure(), "Title", "word " * 30)
    >>> chart.layout.title.subtitle.text.count("<br>"), chart.layout.margin.t
    (1, 104)
    """
    lines = wrap(subtitle, 96) or [""]
    top = layout.pop("margin", {}).copy()
    top["t"] = top.get("t", TEMPLATE.layout.margin.t) + 16 * (len(lines) - 1)
    text = {"text": title, "subtitle": {"text": "<br>".join(lines)}} if subtitle else {"text": title}
    chart.update_layout(template=TEMPLATE, title=text, margin=top, **layout)
    return chart


def line_trace(line: Any, colour: str, width: float = 1.2, fill: str = "", **look: Any) -> dict[str, Any]:
    """Return a plotly trace of a line [2, k] (x and y) without hover; ``fill`` colours what it encloses.

    >>> line_trace([[0, 1], [0, 1]], NEUTRAL)["line"]
    {'color': '#7A828C', 'width': 1.2}
    """
    look |= {"fill": "toself", "fillcolor": fill} if fill else {}
    stroke = {"color": colour, "width": width}
    return {"x": line[0], "y": line[1], "mode": "lines", "hoverinfo": "skip", "line": stroke, **look}


def point_trace(x: Any, y: Any, text: Sequence[str], marker: Mapping[str, Any], **look: Any) -> dict[str, Any]:
    """Return a plotly trace of points that show their text on hover.

    >>> point_trace([0], [0], ["Ann"], {"size": 6})["mode"]
    'markers'
    """
    return {"x": x, "y": y, "mode": "markers", "text": text, "hoverinfo": "text", "marker": marker, **look}


def write_across(chart: go.Figure, text: str) -> go.Figure:
    """Write into the middle of a figure why there is nothing to see.

    >>> write_across(figure("Speed-up"), "one thread only").layout.annotations[0].text
    'one thread only'
    """
    middle: dict[str, Any] = {"x": 0.5, "y": 0.5, "xref": "paper", "yref": "paper", "showarrow": False}
    return chart.add_annotation(text=text, font={"size": 15, "color": NEUTRAL}, **middle)


def error_bars(values: pd.Series, low: pd.Series, high: pd.Series, **look: Any) -> dict[str, Any]:
    """Return plotly's error bars of an interval.

    >>> error_bars(pd.Series([5]), pd.Series([4]), pd.Series([7]))["array"].tolist()
    [2]
    """
    return {"array": high - values, "arrayminus": values - low, "thickness": 1.5, **look}


def slot_axis(slots: Sequence[str], most: int = 8) -> dict[str, Any]:
    """Return plotly's settings of an axis of time slots: not too many ticks, each where its slot begins.

    >>> axis = slot_axis(["2018-01 to 2018-06", "2018-07 to 2018-12"])
    >>> axis["ticktext"], axis["title"], slot_axis(["slot 0"])["title"]
    (['2018-01', '2018-07'], {'text': 'time slot, from'}, {'text': 'time slot'})
    >>> slot_axis(["back to school"])["ticktext"]
    ['back to school']
    """
    shown = list(slots[:: -(-len(slots) // most) or 1])
    texts = [re.sub(r"^(\d{4}-\d{2}(?:-\d{2})?) to \d{4}-.*$", r"\1", slot) for slot in shown]  # of dates alone
    title = "time slot" if texts == shown else "time slot, from"
    return {"type": "category", "tickvals": shown, "ticktext": texts, "title": {"text": title}}


def need_columns(frame: pd.DataFrame, *columns: str) -> None:
    """Refuse a frame that lacks columns a figure reads.

    Raises:
        ShapeError: names the missing columns and those there are.
    """
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise ShapeError(f"the frame lacks the columns {missing}; it has {list(frame.columns)}")


def mime_bundle(chart: go.Figure) -> dict[str, Any]:
    """Return what a notebook stores for a figure: the data alone (tens of kB), not plotly.js (5 MB).

    JupyterLab draws it, and so does the offline report; both get :data:`CONFIG`. JupyterLab's renderer, which resizes
    figures by itself, knows no height of a template, and lets ``responsive`` ones vanish when the theme changes.
    """
    content = json.loads(chart.to_json())
    content["layout"].setdefault("height", TEMPLATE.layout.height)
    return {PLOTLY_MIME: {**content, "config": CONFIG}, "text/plain": f"Figure: {chart.layout.title.text}"}


def follow_theme() -> None:
    """Let the figures of a live notebook follow the front end's theme, now and when it changes; elsewhere do nothing.

    A figure is stored in one colour, on white, and the front end's renderer knows of no other. So a style sheet beside
    it turns paper and ink where the page is dark. It has no height, and where it is dropped figures stay light.
    """
    if in_notebook() and not os.environ.get("HYPERCTR_BATCH"):
        from IPython.display import display

        display({"text/html": DARK, "text/plain": ""}, raw=True)  # type: ignore[no-untyped-call]
