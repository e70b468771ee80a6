"""A table in two forms from the same cells: HTML for pages, LaTeX for print.

A cell says what it is (a value with its interval, a difference, a verdict), not how it looks. What a colour says is
also said by a sign or a word, so that nothing is lost in grey print or to a colour-blind reader.
"""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from hyperctr.display.latex import escape, latex_table
from hyperctr.display.table import EMPTY, HtmlTable, show_number

Tone = Literal["", "good", "bad", "soft"]
# The report's pages set the variables, light and dark; a notebook front end takes what stands beside them.
_COLOURS = {"good": "var(--good,#0a7d5a)", "bad": "var(--bad,#c4443a)", "soft": "var(--soft,#76808a)"}


@dataclass(frozen=True)
class Cell:
    """What stands in one place of a table.

    Attributes:
        text: plain text.
        small: plain text set smaller behind it: an interval, a remark.
        tone: how it is coloured; the text must say the same.
        bold: for the best of a column.
    """

    text: str
    small: str = ""
    tone: Tone = ""
    bold: bool = False

    def html(self) -> str:
        """Return the cell as markup."""
        text = html.escape(self.text)
        if self.bold:
            text = f"<b>{text}</b>"
        if self.tone:
            text = f'<span style="color:{_COLOURS[self.tone]}">{text}</span>'
        return f"{text} <small>{html.escape(self.small)}</small>" if self.small else text

    def latex(self) -> str:
        """Return the cell as LaTeX; colour is left out, the text says it."""
        text = rf"\textbf{{{escape(self.text)}}}" if self.bold else escape(self.text)
        return rf"{text} {{\scriptsize {escape(self.small)}}}" if self.small else text


@dataclass(frozen=True)
class PrintTable:
    """A table for a page and for a paper.

    Attributes:
        head: column titles.
        rows: cells; plain text is a cell of its own.
        caption: a few plain sentences: what is measured, what the marks mean.
        label: file name of the table, and of its LaTeX label.
        groups: a line of titles above the titles: (text, number of columns).
        strong: indices of rows in bold.
        rules_before: indices of rows with a rule above.
        text_columns: columns aligned left.
        wide: columns of sentences, which LaTeX has to break: index -> share of the line.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[Cell | str]]
    caption: str
    label: str
    groups: Sequence[tuple[str, int]] = ()
    strong: frozenset[int] = frozenset()
    rules_before: frozenset[int] = frozenset()
    text_columns: frozenset[int] = field(default_factory=lambda: frozenset({0}))
    wide: Mapping[int, float] = field(default_factory=dict)

    def html(self) -> HtmlTable:
        """Return the table for a notebook or page."""
        rows = [tuple(_cell(cell).html() for cell in row) for row in self.rows]
        return HtmlTable(self.head, rows, self.caption, self.strong, self.text_columns, self.groups, self.rules_before)

    def latex(self) -> str:
        """Return the table as a LaTeX ``table`` environment (packages: booktabs)."""
        rows = [[_cell(cell).latex() for cell in row] for row in self.rows]
        return latex_table(
            self.head,
            rows,
            caption=self.caption,
            label=self.label,
            groups=self.groups,
            text_columns=self.text_columns,
            rules_before=self.rules_before,
            wide=self.wide,
        )


def _cell(cell: Cell | str) -> Cell:
    return cell if isinstance(cell, Cell) else Cell(cell)


def value_cell(
    value: float, low: float = math.nan, high: float = math.nan, *, bold: bool = False, digits: int = 4
) -> Cell:
    """Return a measured value with its interval, if there is one; a dash where nothing was measured.

    >>> value_cell(0.81234, 0.8, 0.82), value_cell(float("nan")).text
    (Cell(text='0.8123', small='0.8000 to 0.8200', tone='', bold=False), '–')
    """
    if not math.isfinite(value):
        return Cell(EMPTY)
    interval = f"{low:.{digits}f} to {high:.{digits}f}" if math.isfinite(low) and math.isfinite(high) else ""
    return Cell(show_number(float(value), digits), interval, bold=bold)


def against_print(value: float, low: float, high: float, stated: float, *, lower_is_better: bool = False) -> Cell:
    r"""Return ours minus the printed value; coloured, with an arrow, only if our interval leaves the printed value out.

    >>> against_print(0.85, 0.84, 0.86, 0.836), against_print(0.85, 0.83, 0.87, 0.836).tone
    (Cell(text='▲\xa0+0.0140', small='', tone='good', bold=False), '')
    """
    if not (math.isfinite(value) and math.isfinite(stated)):
        return Cell(EMPTY)
    difference = value - stated
    text = f"{difference:+.4f}".replace("-", "\u2212")
    if not (math.isfinite(low) and math.isfinite(high)) or low <= stated <= high:
        return Cell(text)
    better = (difference < 0) == lower_is_better
    return Cell(f"{'▲' if difference > 0 else '▼'}\u00a0{text}", tone="good" if better else "bad")


MARKS = (
    "▲ and ▼ (on the page green where ours is better, red where worse): our 95 % interval leaves the printed value "
    "out; a difference without them lies within it, or has no interval."
)
