"""Tables as LaTeX for a paper: booktabs rules, everything escaped, nothing that needs a package beyond booktabs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

_ESCAPES = {sign: f"\\{sign}" for sign in "&%$#_{}"} | {
    "\\": r"\textbackslash{}",
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
    r"""Lay out a ``table`` environment from cells that are LaTeX already; the rest is as in a ``Table``, plain text.

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
    align = ["l" if place in text_columns else "r" for place in range(len(head))]
    for place, share in (wide or {}).items():
        align[place] = rf"p{{{share:g}\linewidth}}"
    lines = [r"\toprule", *_groups(groups), _line(map(escape, head)), r"\midrule"]
    for place, row in enumerate(rows):
        lines += [r"\midrule", _line(row)] if place in rules_before else [_line(row)]
    body = "\n".join(f"    {line}" for line in [*lines, r"\bottomrule"])
    named = f"  \\label{{tab:{label}}}\n" if label else ""
    return (
        f"\\begin{{table}}\n  \\centering\n  \\caption{{{escape(caption)}}}\n{named}"
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
