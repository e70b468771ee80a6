"""Tables as LaTeX for a paper: booktabs rules, everything escaped, nothing that needs a package beyond booktabs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hyperctr.display.table import Table

_ESCAPES = {sign: f"\\{sign}" for sign in "&%$#_{}"} | {"\u2013": "--", "\u2212": "$-$", "\u00a0": "~"}
_ESCAPES |= {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\u2026": r"\dots{}"}
_ESCAPES |= {"<": r"\textless{}", ">": r"\textgreater{}", "\u25b2": r"$\uparrow$", "\u25bc": r"$\downarrow$"}
_DROPPED = ("\u2713\u00a0", "\u2717\u00a0", "\u2248\u00a0", "\u2026\u00a0")  # the word beside them says the same


def escape(text: str) -> str:
    r"""Return text that LaTeX prints as it is.

    >>> escape("5 % of a_b & c")
    '5 \\% of a\\_b \\& c'
    """
    for sign in _DROPPED:
        text = text.replace(sign, "")
    return "".join(_ESCAPES.get(letter, letter) for letter in text)


def latex_table(table: Table) -> str:
    r"""Lay out a table as a LaTeX ``table`` environment; the rest is plain text.

    >>> from hyperctr.display.table import Table
    >>> print(latex_table(Table(["a", "b"], [["x", "1%"]], caption="C", name="t")))
    \begin{table}
      \centering
      \caption{C}
      \label{tab:t}
      \begin{tabular}{lr}
        \toprule
        a & b \\
        \midrule
        x & 1\% \\
        \bottomrule
      \end{tabular}
    \end{table}
    <BLANKLINE>
    """
    align = ["l" if place in table.text_columns else "r" for place in range(len(table.head))]
    for place, share in table.wide.items():
        align[place] = rf"p{{{share:g}\linewidth}}"
    lines = [r"\toprule", *_groups(table.groups), _line(map(escape, table.head)), r"\midrule"]
    for place, row in enumerate(table.cells()):
        lines += [r"\midrule"] if place in table.rules_before else []
        lines.append(_line(cell.latex() for cell in row))
    body = "\n".join(f"    {line}" for line in [*lines, r"\bottomrule"])
    label = f"  \\label{{tab:{table.name}}}\n" if table.name else ""
    return (
        f"\\begin{{table}}\n  \\centering\n  \\caption{{{escape(table.caption)}}}\n{label}"
        f"  \\begin{{tabular}}{{{''.join(align)}}}\n{body}\n  \\end{{tabular}}\n\\end{{table}}\n"
    )


def _line(cells: Iterable[str]) -> str:
    return " & ".join(cells) + r" \\"


def _groups(groups: Sequence[tuple[str, int]]) -> list[str]:
    cells, rules, start = [], [], 1
    for text, width in groups:
        cells.append(rf"\multicolumn{{{width}}}{{c}}{{{escape(text)}}}" if width > 1 else escape(text))
        rules += [rf"\cmidrule(lr){{{start}-{start + width - 1}}}"] if text else []
        start += width
    return [_line(cells), " ".join(rules)] if groups else []
