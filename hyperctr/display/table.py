"""Tables as plain HTML: numbers aligned, intervals beside them, for notebooks, pages and print."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

# column -> title; 1: more is better, -1: less is, 0: no best (a constant is calibrated perfectly)
METRICS = {
    "auc": ("AUC", 1),
    "gauc": ("GAUC", 1),
    "auc_exposed": ("AUC, exposed", 1),
    "logloss": ("log loss", -1),
    "logloss_corrected": ("log loss, corrected", -1),
    "calibration_error": ("calibration error", 0),
}
EMPTY = "–"  # an en dash: nothing to print here, which is not the same as zero


@dataclass(frozen=True)
class HtmlTable:
    """A table that shows itself in a notebook.

    Attributes:
        head: column titles.
        rows: cell texts, one tuple per row; already escaped, may hold markup.
        caption: one or two plain sentences under the title.
        strong: indices of rows printed in bold.
        text_columns: indices of columns aligned left; the others hold numbers.
        groups: a line of titles above the titles: (text, number of columns).
        rules_before: indices of rows with a rule above them.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str = ""
    strong: frozenset[int] = frozenset()
    text_columns: frozenset[int] = field(default_factory=lambda: frozenset({0}))
    groups: Sequence[tuple[str, int]] = ()
    rules_before: frozenset[int] = frozenset()

    def _repr_html_(self) -> str:
        # styled here and not by a style sheet: a notebook front end has only its own
        def line(cells: Iterable[str], tag: str, style: str = "") -> str:
            left = ' style="text-align:left"'
            parts = (
                f"<{tag}{left if place in self.text_columns else ''}>{cell}</{tag}>" for place, cell in enumerate(cells)
            )
            return f"<tr{style}>{''.join(parts)}</tr>"

        def look(place: int) -> str:
            bold = "font-weight:600;" if place in self.strong else ""
            rule = "border-top:2px solid var(--line,#b8bfc7);" if place in self.rules_before else ""
            return f' style="{(bold + rule).rstrip(";")}"' if bold or rule else ""

        body = "".join(line(cells, "td", look(place)) for place, cells in enumerate(self.rows))
        words = f'<caption style="caption-side:bottom;text-align:left">{html.escape(self.caption)}</caption>'
        head = line(map(html.escape, self.head), "th")
        if self.groups:
            middle = ' style="text-align:center"'
            spans = (f'<th colspan="{width}"{middle}>{html.escape(text)}</th>' for text, width in self.groups)
            head = f"<tr>{''.join(spans)}</tr>{head}"
        caption = words if self.caption else ""
        return f'<table class="numbers">{caption}<thead>{head}</thead><tbody>{body}</tbody></table>'

    def __repr__(self) -> str:
        return "\n".join("  ".join(cells) for cells in [tuple(self.head), *map(tuple, self.rows)])


def show_number(value: Any, digits: int | None = None) -> str:
    """Write one value for a table: thousands separated, missing as a dash, text escaped.

    >>> show_number(1234), show_number(0.98765, 3), show_number(float("nan")), show_number("a<b")
    ('1,234', '0.988', '–', 'a&lt;b')
    """
    if value is None or (isinstance(value, float | np.floating) and not np.isfinite(value)):
        return EMPTY
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, int | np.integer):
        return f"{int(value):,}"
    if isinstance(value, float | np.floating):
        return f"{float(value):,.{4 if digits is None else digits}f}"
    return html.escape(str(value))


def frame_table(
    frame: pd.DataFrame,
    *,
    titles: Mapping[str, str] | None = None,
    formats: Mapping[str, Callable[[Any], str]] | None = None,
    caption: str = "",
    strong: Iterable[int] = (),
) -> HtmlTable:
    """Turn a frame into a table: columns of text to the left, numbers to the right.

    >>> frame_table(pd.DataFrame({"set": ["x"], "clicks": [1200]})).rows
    [('x', '1,200')]
    """
    titles, formats = titles or {}, formats or {}
    rows = [
        tuple(formats.get(column, show_number)(row[column]) for column in frame.columns)
        for row in frame.to_dict("records")
    ]
    text = frozenset(
        place for place, column in enumerate(frame.columns) if not pd.api.types.is_numeric_dtype(frame[column])
    )
    head = [titles.get(str(column), str(column).replace("_", " ")) for column in frame.columns]
    return HtmlTable(head, rows, caption, frozenset(strong), text)


def metrics_table(rows: pd.DataFrame, *, caption: str = "", digits: int = 4) -> HtmlTable:
    """Show one row per model, each metric with its interval if there is one, the best in bold.

    Args:
        rows: column ``model`` and any of :data:`METRICS`, with or without ``_low`` and ``_high``.
        caption: what the numbers are measured on: labelling and protocol.
        digits: after the point.

    >>> frame = pd.DataFrame({"model": ["a"], "auc": [0.8], "auc_low": [0.79], "auc_high": [0.81]})
    >>> metrics_table(frame, digits=2).rows[0]
    ('a', '<b>0.80</b> <small>0.79 to 0.81</small>')
    """
    shown = [name for name in METRICS if name in rows.columns]
    best = {}
    for name in shown:
        values = rows[name].to_numpy(np.float64)
        if METRICS[name][1] and np.isfinite(values).any():
            best[name] = int(np.nanargmax(values * METRICS[name][1]))
    lines = []
    for place, row in enumerate(rows.to_dict("records")):
        cells = [html.escape(str(row["model"]))]
        for name in shown:
            cell = show_number(float(row[name]), digits)
            cell = f"<b>{cell}</b>" if best.get(name) == place else cell
            low, high = row.get(f"{name}_low"), row.get(f"{name}_high")
            if low is not None and high is not None and np.isfinite([low, high]).all():
                cell += f" <small>{low:.{digits}f} to {high:.{digits}f}</small>"
            cells.append(cell)
        lines.append(tuple(cells))
    return HtmlTable(["model", *(METRICS[name][0] for name in shown)], lines, caption)
