"""One table for notebooks, pages, papers and terminals: cells say what they are, each form says how they look.

What a colour says is also said by a sign or a word: nothing is lost in grey print or to a colour-blind reader.
"""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import pandas as pd

from hyperctr.display.forest import Range
from hyperctr.display.latex import escape, latex_table
from hyperctr.written import EMPTY, show_interval, show_number

Tone = Literal["", "good", "bad", "soft"]
IDS = frozenset(
    {"id", "user", "item", "hyperedge", "run", "seed", "slot", "rank", "step"}
)  # columns without quantities
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
        mark: drawn in place of the text where there are pictures; the text must say the same.
        hover: said of the text where a pointer rests on it.
    """

    text: str
    small: str = ""
    tone: Tone = ""
    bold: bool = False
    mark: Range | None = None
    hover: str = ""

    def html(self) -> str:
        """Return the cell as markup."""
        if self.mark is not None:
            return self.mark.svg(". ".join(filter(None, (self.plain(), self.hover))))
        text = html.escape(self.text)
        if self.hover:
            text = f'<span title="{html.escape(self.hover)}">{text}</span>'
        if self.bold:
            text = f"<b>{text}</b>"
        if self.tone:
            text = f'<span style="color:{_COLOURS[self.tone]}">{text}</span>'
        return f"{text} <small>{html.escape(self.small)}</small>" if self.small else text

    def latex(self) -> str:
        """Return the cell as LaTeX; colour is left out, the text says it."""
        text = rf"\textbf{{{escape(self.text)}}}" if self.bold else escape(self.text)
        return rf"{text} {{\scriptsize {escape(self.small)}}}" if self.small else text

    def markdown(self) -> str:
        """Return the cell for a table of pipes."""
        text = f"**{self.text}**" if self.bold else self.text
        return " ".join(self._beside(text).replace("|", "\\|").split("\n"))

    def plain(self) -> str:
        """Return the cell for a terminal."""
        return self._beside(self.text)

    __str__ = plain

    def _beside(self, text: str) -> str:
        small = self.small if self.small.startswith("[") else f"({self.small})"  # an interval has its own brackets
        return f"{text} {small}" if self.small else text


@dataclass(frozen=True, eq=False)
class Table:
    r"""A table that shows itself in a notebook, and writes itself for a page, a paper, a terminal or a program.

    Attributes:
        head: column titles.
        rows: cells; plain text is a cell of its own.
        caption: a few plain sentences: what is measured, what the marks mean.
        name: file name without ending, and LaTeX label; empty: the table is not kept as a file.
        groups: a line of titles above the titles: (text, number of columns), adding up to all columns.
        strong: indices of rows in bold.
        rules_before: indices of rows with a rule above.
        text_columns: indices of columns aligned left; the others hold numbers.
        wide: columns of sentences, which LaTeX has to break: index -> share of the line.
        folded: indices of rows that a page shows only when they are asked for.
        fold: the line that asks for them.
        frame: the numbers behind the cells, which the CSV file holds; None: the cells themselves.
        note: a paragraph of Markdown to stand under the table.
        headline: key numbers for the first page of a report.
        finding: a sentence of Markdown for that page: what the table tells.

    >>> table = Table(["model", "AUC"], [["a_b", Cell("0.81", "[0.80, 0.82]", bold=True)]])
    >>> print(table.markdown())
    | model | AUC |
    | --- | --- |
    | a_b | **0.81** [0.80, 0.82] |
    >>> table
    model                AUC
    a_b    0.81 [0.80, 0.82]
    """

    head: Sequence[str]
    rows: Sequence[Sequence[Cell | str]]
    caption: str = ""
    name: str = ""
    groups: Sequence[tuple[str, int]] = ()
    strong: frozenset[int] = frozenset()
    rules_before: frozenset[int] = frozenset()
    text_columns: frozenset[int] = frozenset({0})
    wide: Mapping[int, float] = field(default_factory=dict)
    folded: frozenset[int] = frozenset()
    fold: str = "more"
    frame: pd.DataFrame | None = None
    note: str = ""
    headline: Mapping[str, Any] = field(default_factory=dict)
    finding: str = ""

    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame,
        *,
        titles: Mapping[str, str] | None = None,
        formats: Mapping[str, Callable[[Any], Cell | str]] | None = None,
        caption: str = "",
        name: str = "",
        strong: Iterable[int] = (),
    ) -> Table:
        """Turn a frame into a table: columns of text to the left, numbers to the right.

        Args:
            frame: a row of the table per row.
            titles: column -> title; default: its name, with spaces.
            formats: column -> how a value is written; default: as it is for what numbers something (:data:`IDS`),
                :func:`~hyperctr.written.show_number` for all else.
            caption: as for the table.
            name: as for the table.
            strong: indices of rows in bold.

        >>> Table.from_frame(pd.DataFrame({"set": ["x"], "clicks": [1200]})).rows
        [['x', '1,200']]
        """
        titles, formats, names = titles or {}, formats or {}, list(map(str, frame.columns))
        head = [titles.get(name, name.replace("_", " ")) for name in names]
        columns = [
            map(formats.get(name, _writer(name)), frame[key].tolist()) for name, key in zip(names, frame, strict=True)
        ]
        rows = [list(row) for row in zip(*columns, strict=True)]
        text = frozenset(i for i, kind in enumerate(frame.dtypes) if not pd.api.types.is_numeric_dtype(kind))
        bold = frozenset(int(place) for place in strong)
        return cls(head, rows, caption, name, strong=bold, text_columns=text, frame=frame)

    def html(self) -> str:
        """Return the table as HTML, without its note."""
        shown = [place for place in range(len(self.rows)) if place not in self.folded]
        if not self.folded:
            return self._grid(shown, self.caption)
        rest = self._grid(sorted(self.folded), "" if shown else self.caption)
        details = f'<details class="folded"><summary>{html.escape(self.fold)}</summary>{rest}</details>'
        return self._grid(shown, self.caption) + details if shown else details

    def _grid(self, places: Iterable[int], caption: str) -> str:
        # styled here and not by a style sheet: a notebook front end has only its own
        def line(cells: Iterable[str], tag: str, style: str = "") -> str:
            left = ' style="text-align:left"'
            parts = (f"<{tag}{left if i in self.text_columns else ''}>{cell}</{tag}>" for i, cell in enumerate(cells))
            return f"<tr{style}>{''.join(parts)}</tr>"

        def look(place: int) -> str:
            bold = "font-weight:600;" if place in self.strong else ""
            rule = "border-top:2px solid var(--line,#b8bfc7);" if place in self.rules_before else ""
            return f' style="{(bold + rule).rstrip(";")}"' if bold or rule else ""

        body = "".join(line((_cell(cell).html() for cell in self.rows[i]), "td", look(i)) for i in places)
        head = line(map(html.escape, self.head), "th")
        if self.groups:
            middle = ' style="text-align:center"'
            spans = (f'<th colspan="{width}"{middle}>{html.escape(text)}</th>' for text, width in self.groups)
            head = f"<tr>{''.join(spans)}</tr>{head}"
        words = f'<caption style="caption-side:bottom;text-align:left">{html.escape(caption)}</caption>'
        top = f"{words if caption else ''}<thead>{head}</thead>"
        return f'<table class="numbers">{top}<tbody>{body}</tbody></table>'

    def latex(self) -> str:
        """Return the table as a LaTeX ``table`` environment (packages: booktabs)."""
        return latex_table(self)

    def markdown(self) -> str:
        """Return the table as Markdown, its caption and note under it; the line of groups is left out."""
        lines = [[Cell(title).markdown() for title in self.head], ["---"] * len(self.head)]
        lines += [[cell.markdown() for cell in row] for row in self.cells()]
        grid = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
        return "\n\n".join(filter(None, (grid, self.caption, self.note)))

    def text(self) -> str:
        """Return the table for a terminal: aligned columns, the caption under them."""
        columns = []
        for i, column in enumerate(zip(self.head, *self._plain(), strict=True)):
            width = max(map(len, column))
            columns.append([cell.ljust(width) if i in self.text_columns else cell.rjust(width) for cell in column])
        lines = ["  ".join(cells).rstrip() for cells in zip(*columns, strict=True)]
        return "\n".join([*lines, *filter(None, [self.caption])])

    def csv(self) -> str:
        """Return the numbers behind the table as CSV, or its cells if it has no frame."""
        frame = pd.DataFrame(self._plain(), columns=list(self.head)) if self.frame is None else self.frame
        return str(frame.to_csv(index=False, lineterminator="\n"))

    _repr_html_, __repr__ = html, text

    def _plain(self) -> list[list[str]]:
        return [[_cell(cell).plain() for cell in row] for row in self.rows]

    def cells(self) -> list[list[Cell]]:
        """Return all cells, those of strong rows in bold."""
        rows = ([_cell(cell) for cell in row] for row in self.rows)
        return [[replace(cell, bold=True) for cell in row] if i in self.strong else row for i, row in enumerate(rows)]


def _writer(name: str) -> Callable[[Any], str]:
    return str if name in IDS or name.endswith(("_id", " id")) else show_number


def _cell(cell: Cell | str) -> Cell:
    return cell if isinstance(cell, Cell) else Cell(cell)


def value_cell(
    value: float,
    low: float = math.nan,
    high: float = math.nan,
    *,
    bold: bool = False,
    digits: int = 4,
    sign: bool = False,
) -> Cell:
    """Return a measured value with its interval, if there is one; a dash where nothing was measured.

    >>> str(value_cell(0.81234, 0.8, 0.82)), str(value_cell(-0.002, -0.003, 0.001, sign=True))
    ('0.8123 [0.8000, 0.8200]', '−0.0020 [−0.0030, +0.0010]')
    """
    if not math.isfinite(value):
        return Cell(EMPTY)
    words = show_number(float(value), digits, sign=sign)
    return Cell(words, show_interval(low, high, digits, sign=sign), bold=bold)
