"""Tables as LaTeX for a paper: booktabs rules, everything escaped, nothing that needs a package beyond booktabs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_ESCAPES = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "\u2013": "--",
    "\u2212": "$-$",
    "\u00a0": "~",
    "\u25b2": r"$\uparrow$",
    "\u25bc": r"$\downarrow$",
    "\u2026": r"\dots{}",
}

_DROPPED = ("\u2713\u00a0", "\u2717\u00a0")  # the word beside them says the same


def escape(text: str) -> str:
    r"""Return text that LaTeX prints as it is.

    >>> escape("5 % of a_b & c")
    '5 \\% of a\\_b \\& c'
    """
    for sign in _DROPPED:
        text = text.replace(sign, "")
    return "".join(_ESCAPES.get(letter, letter) for letter in text)


def latex_table(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    caption: str,
    label: str,
    groups: Sequence[tuple[str, int]] = (),
    text_columns: frozenset[int] = frozenset({0}),
    rules_before: frozenset[int] = frozenset(),
    wide: Mapping[int, float] | None = None,
) -> str:
    r"""Lay out a ``table`` environment.

    Args:
        head: column titles, plain text.
        rows: cells, LaTeX already, as many as titles.
        caption: plain text.
        label: of the table, for ``\ref``; ``tab:`` is put before it.
        groups: a line above the titles: (plain text, number of columns), the numbers adding up to all columns.
        text_columns: columns aligned left; the others right.
        rules_before: indices of rows with a thin rule above.
        wide: columns whose text is broken into lines: index -> share of the line.

    >>> print(latex_table(["a", "b"], [["x", r"1\%"]], caption="C", label="t"))
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
    align = "".join(_alignment(place, text_columns, wide or {}) for place in range(len(head)))
    lines = [r"\toprule"]
    if groups:
        lines += _groups(groups)
    lines += [_line(map(escape, head)), r"\midrule"]
    for place, row in enumerate(rows):
        if place in rules_before:
            lines.append(r"\midrule")
        lines.append(_line(row))
    body = "\n".join(f"    {line}" for line in [*lines, r"\bottomrule"])
    return (
        f"\\begin{{table}}\n  \\centering\n  \\caption{{{escape(caption)}}}\n  \\label{{tab:{label}}}\n"
        f"  \\begin{{tabular}}{{{align}}}\n{body}\n  \\end{{tabular}}\n\\end{{table}}\n"
    )


def _alignment(place: int, text_columns: frozenset[int], wide: Mapping[int, float]) -> str:
    if place in wide:
        return rf"p{{{wide[place]:g}\linewidth}}"
    return "l" if place in text_columns else "r"


def _line(cells: Sequence[str] | map[str]) -> str:
    return " & ".join(cells) + r" \\"


def _groups(groups: Sequence[tuple[str, int]]) -> list[str]:
    cells, rules, start = [], [], 1
    for text, width in groups:
        cells.append(rf"\multicolumn{{{width}}}{{c}}{{{escape(text)}}}" if width > 1 else escape(text))
        if text:
            rules.append(rf"\cmidrule(lr){{{start}-{start + width - 1}}}")
        start += width
    return [_line(cells), " ".join(rules)]
