"""The two panels of the inspector that answer clicks: the selected things, and why this score, as HTML.

What can be clicked carries ``data-act`` (what to do) and ``data-key`` (with what); the browser's module does it.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from hyperctr.widgets.selection_panel import dot

LISTED = 60  # contributions, the largest; the panel says how many there are
NOTHING = "Nothing is selected. Click a node, a hyperedge or a bar, or drag a box with shift held."
PICK = "Pick a user and an item: type their ids, or click nodes and hyperedges."
ALONE = "No hyperedge touches this pair: its score comes from the user's history and the item alone."

WORDS = {  # what the picture itself says, by view and occasion
    "hint": "Drag moves, wheel zooms, shift-drag selects; double click focuses.",
    "incidence": "Drag over cells to select.",
    "overlap": "Click a bar to select the nodes behind it.",
    "difference": "Filled: only here. Hollow: only there. Grey: in both.",
    "keys": "Hypergraph. N and P step through nodes or bars, E and R through hyperedges, Enter selects, F focuses, "
    "arrows move, + and - zoom, 0 fits, Escape clears.",
    "png": "Save this picture",
    "csv": "Save the selection",
    "hif": "Save the selection as a HIF hypergraph",
    "lost": "The kernel does not answer, so the picture stays as it is. It may be busy with other cells; if it was "
    "restarted or shut down, run this cell again.",
    "empty": "No hyperedge has two members here: lower \N{GREEK SMALL LETTER DELTA}, choose another slot or switch "
    "more modalities on.",
}


def selection_panel(rows: Sequence[dict[str, Any]], kind: str, total: int, colours: dict[str, str]) -> str:
    """List the selected users or items: title, training clicks, and the first feature values of each modality.

    >>> row = {"id": 7, "title": "<Cats>", "popularity": 3, "features": {"visual": {"norm": 5.0, "first": [3.0, -4.0]}}}
    >>> html = selection_panel([row], "item", 1, {"visual": "#0072B2"})
    >>> "&lt;Cats&gt;" in html, "visual: norm 5.00, first values 3.00 -4.00" in html
    (True, True)
    """
    if not total:
        return f'<p class="hc-none">{NOTHING}</p>'
    more = f", the first {len(rows)} listed" if total > len(rows) else ""
    plural = "" if total == 1 else "s"
    most = {
        name: max([abs(value) for row in rows for value in (row["features"][name] or {"first": []})["first"]] or [0.0])
        for name in colours
    }
    lines = "".join(
        f'<tr tabindex="0" data-act="row" data-key="{place}" title="{kind} {_text(row["id"])}">'
        f"<td>{_text(row['title'])}</td><td>{row['popularity']:,}</td>"
        f"{''.join(_strip(name, row['features'][name], most[name], colour) for name, colour in colours.items())}</tr>"
        for place, row in enumerate(rows)
    )
    heads = "".join(f"<th>{dot(colour)}{escape(name)}</th>" for name, colour in colours.items())
    of = "" if kind == "item" else "Features: mean of the clicked items. "
    return (
        f"<p><b>{total:,} {kind}{plural} selected</b>{more} {_button('focus', 'Focus')}{_button('clear', 'Clear')}</p>"
        f"<table><thead><tr><th>{kind}</th><th>clicks</th>{heads}</tr></thead><tbody>{lines}</tbody></table>"
        f'<p class="hc-none">{of}Bars: the first feature values, on one scale a modality; a dash: the modality is '
        f"absent.</p>"
    )


def _strip(name: str, features: dict[str, Any] | None, most: float, colour: str) -> str:
    """A cell with the first feature values as bars above and below a line; the numbers are its tooltip."""
    if features is None:
        return f'<td title="no {escape(name)} features">–</td>'
    first = features["first"]
    numbers = " ".join(f"{value:.2f}" for value in first)
    bars = "".join(
        f'<rect x="{6 * k}" y="{8 - max(high, 0.0):.1f}" width="5" height="{abs(high):.1f}" fill="{colour}"/>'
        for k, high in enumerate(8 * value / (most or 1.0) for value in first)
    )
    words = f"{escape(name)}: norm {features['norm']:.2f}, first values {numbers}"
    axis = f'<path d="M0 8H{6 * len(first)}" stroke="{colour}" stroke-width="0.5"/>'
    picture = f'<svg width="{6 * len(first)}" height="16" role="img" aria-label="{words}">{axis}{bars}</svg>'
    return f'<td title="{words}">{picture}</td>'


def why_panel(
    answer: dict[str, Any] | None, struck: Sequence[str], struck_modalities: Sequence[str], colours: dict[str, str]
) -> str:
    """Show a score, what each hyperedge adds to it, and what it is without the struck ones.

    Args:
        answer: what :meth:`hyperctr.widgets.scene.Scenes.why` returns; None where no pair was picked.
        struck: keys of the hyperedges taken out.
        struck_modalities: names of the modalities taken out.
        colours: of each modality, in order.
    """
    if answer is None:
        return f'<p class="hc-none">{PICK}</p>'
    rows, score, new = answer["contributions"], answer["score"], answer["new_score"]
    pair = f"{_text(answer['who'])}, {_text(answer['what'])}"
    html = f'<p class="hc-score"><b data-key="score">{score:.4f}</b> probability of a click: {pair}'
    restore = ""
    if struck or struck_modalities:
        html += f' → <b data-key="new_score">{new:.4f}</b> without the struck ({_signed(new - score)})'
        restore = _button("restore", "Restore all")
    chips = "".join(
        f'<button type="button" class="hc-chip" data-act="modality" data-key="{escape(name)}" '
        f'aria-pressed="{_flag(name not in struck_modalities)}">{dot(colour)}{escape(name)}</button>'
        for name, colour in colours.items()
    )
    html += f'</p><p>Strike out a modality:{restore}</p><div class="hc-chips">{chips}</div>'
    html += f"<p>{'or a hyperedge; its bar is the score with it minus the score without it:' if rows else ALONE}</p>"
    most = max([abs(row["value"]) for row in rows], default=0.0) or 1.0
    html += f'<ul class="hc-bars">{"".join(_bar(row, most, colours) for row in rows[:LISTED])}</ul>'
    return html + (f"<p>the {LISTED} largest of {len(rows):,}</p>" if len(rows) > LISTED else "")


def _bar(row: dict[str, Any], most: float, colours: dict[str, str]) -> str:
    colour, members = colours[row["modality"]], row["members"]
    side, part = ("right" if row["value"] < 0 else "left"), 48 * abs(row["value"]) / most
    listed = _text(", ".join(map(str, members[:30])))
    place = f'data-edge="{row["side"]}:{row["slot"]}:{row["number"]}"'
    return (
        f'<li {place}><button type="button" data-act="strike" data-key="{_text(row["key"])}" '
        f'aria-pressed="{_flag(row["struck"])}">'
        f'<span class="hc-name">{dot(colour)}{_text(row["title"])}</span>'
        f'<span class="hc-track"><i style="background:{colour};width:{part:.1f}%;{side}:50%"></i></span>'
        f'<span class="hc-value">{_signed(row["value"])}</span>'
        f'<span class="hc-of">{row["modality"]} · {row["side"]} side · {_text(row["slot_label"])}</span></button>'
        f"<details><summary>{len(members):,} members</summary>{listed}"
        f"{', …' if len(members) > 30 else ''} {_button('show', 'Show in the picture')}</details></li>"
    )


def _button(act: str, text: str) -> str:
    return f'<button type="button" data-act="{act}" data-key="{act}">{text}</button>'


def _text(value: Any) -> str:
    return escape(str(value))


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _signed(value: float) -> str:
    return f"{value:+.4f}".replace("-", "\N{MINUS SIGN}")
