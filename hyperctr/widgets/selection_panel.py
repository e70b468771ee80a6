"""The charts and numbers beside the inspector's picture, as HTML: a user's interest over slots, sizes, overlap.

Colours of text and lines come from the inspector's stylesheet, so they follow JupyterLab's theme.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

WIDE, HIGH, LEFT = 320, 150, 30  # of the timeline, in units of its view box
CORNERS = ((160, 22), (62, 178), (258, 178))
SELECT_A_USER = "Select a user, or explain a pair, to see clicks and interest over the slots."
Rows = Sequence[dict[str, Any]]


def user_panel(user: Any, rows: Rows, slot: int, colours: dict[str, str]) -> str:
    """Draw one user's clicks and interest per slot, and the interest between the modalities.

    Args:
        user: the user's id, None for nobody.
        rows: what :meth:`hyperctr.widgets.scene.Scenes.timeline` returns.
        slot: the slot to mark.
        colours: of each modality, in order.

    >>> rows = [{"slot": 0, "label": "May", "clicks": 3, "interest": {"visual": 0.7, "textual": None}}]
    >>> html = user_panel("<u>", rows, 0, {"visual": "#0072B2", "textual": "#009E73"})
    >>> "<b>user &lt;u&gt;</b>" in html, html.count("<circle")
    (True, 1)
    """
    if user is None or not rows:
        return f'<p class="hc-none">{SELECT_A_USER}</p>'
    most = max(1, *(row["clicks"] for row in rows))
    legend = "".join(f"<span>{dot(colour)}{escape(name)}</span>" for name, colour in colours.items())
    head = f"<p><b>user {escape(str(user))}</b> · interest over the slots; grey bars: clicks, at most {most:,}</p>"
    chart = _timeline(rows, slot, colours, most)
    return f'{head}{chart}<p class="hc-legend">{legend}</p>{_between(rows, slot, colours)}'


def numbers_panel(stats: dict[str, Any], difference: Sequence[int] | None, kind: str, colours: dict[str, str]) -> str:
    """Write the sizes of the whole hypergraph, its overlap, the nearest trained run and what differs.

    Args:
        stats: what :meth:`hyperctr.widgets.scene.Scenes.stats` returns.
        difference: hyperedges only here, only there, in both, and how many of those changed; None: not compared.
        kind: what a node is.
        colours: of each modality, in order.
    """
    rows = [(f"{dot(colours[row['modality']])}{escape(row['modality'])}", row) for row in stats["modalities"]]
    sizes = [
        (name, f"{row['hyperedges']:,}", _mean(row["mean_size"]), f"{row['nodes']:,}")
        for name, row in [*rows, ("<b>all</b>", stats)]
    ]
    near = stats["nearest_run"]
    run = (
        f"<b>test AUC {near['auc']:.4f}</b> at δ = {near['delta']:g} (run {near['run']}), the nearest trained run"
        if near
        else "No trained run with these settings is in the store, so there is no AUC to show for this δ."
    )
    shared = [(escape(" + ".join(row["modalities"])), f"{row['count']:,}") for row in stats["overlap"]]
    html = table_html("sizes", sizes, ("modality", "hyperedges", "mean size", f"{kind}s"))
    html += f'<p data-key="auc">{run}</p><p>Pairs of {kind} and hyperedge, by the modalities that share them:</p>'
    html += table_html("overlap", shared)
    if difference is not None:
        words = ("only here", "only there", "in both", "of these with other members")
        counted = [(word, f"{count:,}") for word, count in zip(words, difference, strict=True)]
        html += "<p>Hyperedges compared, before any limit:</p>" + table_html("difference", counted)
    return html


def _timeline(rows: Rows, slot: int, colours: dict[str, str], most: int) -> str:
    step = (WIDE - 40) / len(rows)

    def x(place: int) -> float:
        return LEFT + step * (place + 0.5)

    def y(value: float) -> float:
        return HIGH - 22 - (HIGH - 40) * value

    parts = [f'<rect class="h" x="{x(slot) - step / 2:.1f}" width="{step:.1f}" y="10" height="{HIGH - 32}"/>']
    for value in (0, 0.5, 1):
        parts.append(f'<text x="24" y="{y(value) + 4}" text-anchor="end">{value:g}</text>')
        parts.append(f'<path class="g" d="M28 {y(value)}H{WIDE - 8}"/>')
    for place, row in enumerate(rows):
        top = y(row["clicks"] / most)
        box = f'x="{x(place) - 0.4 * step:.1f}" width="{0.8 * step:.1f}" y="{top:.1f}" height="{y(0) - top:.1f}"'
        parts.append(f'<rect class="b" {box}><title>{escape(row["label"])}: {row["clicks"]} clicks</title></rect>')
    for name, colour in colours.items():
        known = [(place, row["interest"][name]) for place, row in enumerate(rows) if row["interest"][name] is not None]
        line, before = "", -2
        for place, value in known:
            line += f"{'L' if place == before + 1 else 'M'}{x(place):.1f} {y(value):.1f}"
            parts.append(f'<circle cx="{x(place):.1f}" cy="{y(value):.1f}" r="2.6" fill="{colour}"/>')
            before = place
        parts.append(f'<path d="{line}" fill="none" stroke="{colour}" stroke-width="1.8"/>')
    first, last = escape(rows[0]["label"]), escape(rows[-1]["label"])
    parts.append(f'<text x="{LEFT}" y="{HIGH - 5}">{first}</text>')
    parts.append(f'<text x="{WIDE - 8}" y="{HIGH - 5}" text-anchor="end">{last if len(rows) > 1 else ""}</text>')
    return _svg(HIGH, parts, "clicks and interest per slot")


def _between(rows: Rows, slot: int, colours: dict[str, str]) -> str:
    """A triangle for three modalities, stretched so that small differences show; bars of the mean for others."""
    names = list(colours)
    known = [row for row in rows if all(row["interest"][name] is not None for name in names)]
    if len(names) != 3 or not known:
        return _means(rows, colours)
    low = 0.9 * min(row["interest"][name] for row in known for name in names)
    points = []
    for row in known:
        weights = [row["interest"][name] - low for name in names]
        total = sum(weights) or 1.0
        points.append(
            [sum(w * corner[axis] for w, corner in zip(weights, CORNERS, strict=True)) / total for axis in (0, 1)]
        )
    edge = "L".join(f"{a} {b}" for a, b in CORNERS)
    path = "L".join(f"{a:.1f} {b:.1f}" for a, b in points)
    parts = [f'<path class="g t" d="M{edge}Z"/><path class="w" d="M{path}"/>']
    for row, (a, b) in zip(known, points, strict=True):
        here = row["slot"] == slot
        parts.append(
            f'<circle class="{"now" if here else "then"}" cx="{a:.1f}" cy="{b:.1f}" r="{6 if here else 3.5}">'
            f"<title>{escape(row['label'])}</title></circle>"
        )
    for m, (name, (a, _)) in enumerate(zip(names, CORNERS, strict=True)):
        parts.append(f'<text class="n" x="{a}" y="{196 if m else 13}" text-anchor="middle">{escape(name)}</text>')
    return _svg(206, parts, "interest between the modalities, slot after slot")


def _means(rows: Rows, colours: dict[str, str]) -> str:
    parts = []
    for m, (name, colour) in enumerate(colours.items()):
        values = [row["interest"][name] for row in rows if row["interest"][name] is not None]
        mean = sum(values) / len(values) if values else 0.0
        shown, end, top = f"{mean:.2f}" if values else "unknown", 98 + 180 * mean, 22 * m
        parts.append(f'<text x="90" y="{top + 17}" text-anchor="end">{escape(name)}</text>')
        parts.append(f'<rect x="98" y="{top + 6}" width="{end - 98:.1f}" height="14" fill="{colour}"/>')
        parts.append(f'<text x="{end + 6:.1f}" y="{top + 17}">{shown}</text>')
    return _svg(22 * len(colours) + 8, parts, "mean interest in each modality")


def _svg(high: int, parts: Sequence[str], name: str) -> str:
    chart = f'<svg viewBox="0 0 {WIDE} {high}">{"".join(parts)}</svg>'
    return f'<div class="hc-chart" role="img" aria-label="{name}">{chart}</div>'


def table_html(key: str, rows: Sequence[Sequence[str]], head: Sequence[str] = ()) -> str:
    """Return a table whose cells are HTML already."""
    top = f"<thead><tr>{''.join(f'<th>{escape(cell)}</th>' for cell in head)}</tr></thead>" if head else ""
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f'<table data-key="{key}">{top}<tbody>{body}</tbody></table>'


def dot(colour: str) -> str:
    """Return a small disc in a modality's colour."""
    return f'<i style="background:{colour}"></i>'


def _mean(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"
