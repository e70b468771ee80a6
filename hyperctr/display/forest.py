"""Differences with their intervals: a small picture for a cell of a table, and a figure with a row for each."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from hyperctr.display.colours import BLUE, NEUTRAL, ORANGE

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

WIDTH, HEIGHT, EDGE = 132.0, 18.0, 7.0  # of the small picture, pixels
NICE = (1, 2, 5)  # times a power of ten: where a scale may end
MARKS = {"model": (BLUE, "circle"), "system": (NEUTRAL, "circle"), "baseline": (ORANGE, "diamond-open")}
ROW = 38  # pixels of a figure


@dataclass(frozen=True)
class Range:
    """A difference with its interval on a scale from ``-scale`` to ``scale``, and the lines it is held against.

    Attributes:
        value: the difference; nan: nothing to draw.
        low, high: its interval; nan: none.
        scale: what lies beyond is drawn as an arrow at the edge.
        margin: where a second line stands beside zero; nan: none.
    """

    value: float
    low: float
    high: float
    scale: float
    margin: float = math.nan

    def svg(self, words: str) -> str:
        """Return the picture as markup; ``words`` are shown on hover and read aloud.

        >>> picture = Range(0.01, -0.01, 0.02, scale=0.02).svg("by 0.01")
        >>> 'cx="95.5"' in picture, picture.count("<line")
        (True, 2)
        """
        if not math.isfinite(self.value):
            return ""
        middle = HEIGHT / 2
        zero = _line(self._place(0), 2, self._place(0), HEIGHT - 2, 'stroke-opacity=".45"')
        parts = [zero]
        if math.isfinite(self.margin):
            at = self._place(self.margin)
            parts.append(_line(at, 2, at, HEIGHT - 2, 'stroke-opacity=".45" stroke-dasharray="2 2"'))
        if math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high:
            parts.append(_line(self._place(self.low), middle, self._place(self.high), middle, 'stroke-width="1.6"'))
            parts += [self._arrow(end) for end in (self.low, self.high) if abs(end) > self.scale]
        if abs(self.value) <= self.scale:
            parts.append(f'<circle cx="{self._place(self.value):.1f}" cy="{middle:g}" r="3.4" fill="currentColor"/>')
        else:
            parts.append(self._arrow(self.value))
        size = f'viewBox="0 0 {WIDTH:g} {HEIGHT:g}" width="{WIDTH:g}" height="{HEIGHT:g}"'
        told = escape(words)
        head = f'<svg class="range" {size} role="img" aria-label="{told}" style="vertical-align:middle">'
        return f'{head}<title>{told}</title><g stroke="currentColor">{"".join(dict.fromkeys(parts))}</g></svg>'

    def _place(self, value: float) -> float:
        inside = min(max(value, -self.scale), self.scale)
        return EDGE + (inside / self.scale + 1) / 2 * (WIDTH - 2 * EDGE)

    def _arrow(self, value: float) -> str:
        side = math.copysign(1, value)
        tip, back, middle = WIDTH / 2 + side * (WIDTH / 2 - 1), WIDTH / 2 + side * (WIDTH / 2 - EDGE), HEIGHT / 2
        points = f"{tip:g},{middle:g} {back:g},{middle - 4:g} {back:g},{middle + 4:g}"
        return f'<polygon points="{points}" fill="currentColor" stroke="none"/>'


def common_scale(bounds: Iterable[float], share: float = 0.8) -> float:
    """Return where a scale for many differences ends: it holds most of them, and a few large ones do not flatten it.

    >>> common_scale([0.012, -0.018, 0.004, 0.011, 0.3])
    0.02
    """
    sizes = sorted(abs(bound) for bound in bounds if math.isfinite(bound) and bound)
    if not sizes:
        return 0.01
    wanted = sizes[min(int(share * len(sizes)), len(sizes) - 2 if len(sizes) > 2 else len(sizes) - 1)]
    power = 10.0 ** math.floor(math.log10(wanted))
    ends = (step * size for size in (power, 10 * power) for step in NICE)
    return float(f"{next(end for end in ends if end >= wanted):.6g}")


def forest_chart(rows: pd.DataFrame, title: str, subtitle: str, x: str, *, zero: float | None = None) -> go.Figure:
    """Draw values with their intervals, a row each, from the top in the order given.

    Args:
        rows: columns ``name``, ``value``, ``low``, ``high`` (nan: no interval) and ``kind``, a key of :data:`MARKS`.
        title: of the figure.
        subtitle: what is measured.
        x: title of the axis, with its unit.
        zero: where a line of reference stands.

    Raises:
        ShapeError: a column is missing.

    >>> import pandas as pd
    >>> frame = pd.DataFrame({"name": ["a"], "value": [0.8], "low": [0.7], "high": [0.9], "kind": ["model"]})
    >>> forest_chart(frame, "Models", "", "AUC").data[0].text
    ('0.8000',)
    """
    from hyperctr.display.theme import NEUTRAL, error_bars, figure, need_columns, write_across
    from hyperctr.written import show_interval, show_number

    need_columns(rows, "name", "value", "low", "high", "kind")
    height = 150 + ROW * max(len(rows), 2)
    layout: dict[str, Any] = {"height": height, "showlegend": False, "margin": {"t": 72, "b": 52, "l": 24}}
    chart = figure(title, subtitle, x=x, **layout)
    if rows.empty:
        return write_across(chart, "no run has a result yet")
    signed = zero is not None
    for kind, (colour, symbol) in MARKS.items():
        part = rows[rows["kind"] == kind]
        bars = error_bars(part["value"], part["low"], part["high"], width=4, color=colour)
        look: dict[str, Any] = {"mode": "markers+text", "textposition": "top center", "textfont": {"size": 11}}
        look |= {"marker": {"color": colour, "symbol": symbol, "size": 9, "line": {"width": 2, "color": colour}}}
        look |= {"text": [show_number(value, sign=signed) for value in part["value"]], "cliponaxis": False}
        bounds = (show_interval(*row, sign=signed) for row in zip(part["low"], part["high"], strict=True))
        look |= {"customdata": list(bounds), "hovertemplate": "%{y}: %{text} %{customdata}<extra></extra>"}
        chart.add_scatter(x=part["value"], y=part["name"], error_x=bars, name=kind, **look)
    if zero is not None:
        chart.add_vline(zero, line={"color": NEUTRAL, "width": 1.5})
    names = rows["name"].tolist()
    chart.update_yaxes(categoryorder="array", categoryarray=names[::-1], range=[-0.6, len(names) - 0.3], ticks="")
    chart.update_yaxes(showgrid=False, showline=False, ticklabelstandoff=4)
    return chart.update_xaxes(tickformat=".2f", nticks=6, tickangle=0)


def _line(x1: float, y1: float, x2: float, y2: float, more: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:g}" x2="{x2:.1f}" y2="{y2:g}" {more}/>'
