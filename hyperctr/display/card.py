"""What cards in a notebook are made of: a frame, facts, tables and small drawings, all HTML and SVG without a script.

A card is read in JupyterLab and VS Code, light and dark, and in pages made of a notebook. So its text has the colour of
what stands around it, it has no background, and its lines and bars have colours that can be seen on both. What a style
sheet says, which some front ends drop, is only looks. Nothing has an id, so a page may hold any number of cards.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from typing import Any

from hyperctr.display.colours import MODALITY_COLOURS, NEUTRAL
from hyperctr.written import show_number

AUC_COLOUR, LOSS_COLOUR = MODALITY_COLOURS["visual"], MODALITY_COLOURS["acoustic"]
WIDE, HIGH = 340, 96  # pixels of a small drawing
MOST_POINTS = 200  # of a curve; of more, some are left out

# The report's pages set --good and --bad, light and dark.
STYLE = """<style>
.hctr-card{--hc-good:var(--good,#0a7d5a);--hc-bad:var(--bad,#c4443a);--hc-line:rgba(128,136,148,.4);
 max-width:820px;box-sizing:border-box;border:1px solid var(--hc-line);border-radius:6px;padding:10px 14px;margin:4px 0;
 font-size:13px;line-height:1.5;overflow-x:auto}
:is([data-jp-theme-light=false],.vscode-dark,[data-theme=dark]) .hctr-card{--hc-good:#46c295;--hc-bad:#ff8b7b}
.hctr-card .hc-title{font-size:15px;font-weight:600}
.hctr-card .hc-soft{opacity:.72;font-weight:400;font-size:12px}
.hctr-card .hc-part{margin-top:8px}
.hctr-card .hc-warn{border-left:3px solid var(--hc-bad);padding-left:8px;margin-top:6px}
.hctr-card .hc-row{display:flex;flex-wrap:wrap;gap:4px 24px;align-items:flex-start}
.hctr-card table{border-collapse:collapse;margin:6px 0 0;font-size:12px;width:auto}
.hctr-card table :is(th,td){text-align:right;padding:2px 10px 2px 0;background:none;border:0;white-space:nowrap}
.hctr-card table :is(th,td):first-child{text-align:left}
.hctr-card table tr{background:none!important}
.hctr-card thead th{border-bottom:1px solid var(--hc-line);font-weight:600}
.hctr-card td small{display:block;opacity:.72}
.hctr-card caption{caption-side:bottom;text-align:left;opacity:.72;padding-top:4px;font-size:12px;color:inherit}
.hctr-card svg{display:block;max-width:100%;height:auto;font-size:11px;font-family:inherit}
.hctr-card svg text{fill:currentColor}
.hctr-card code{font-size:12px;overflow-wrap:anywhere}
</style>"""


def card(title: str, about: str = "", *parts: str, warnings: Iterable[str] = ()) -> str:
    """Return a card as HTML.

    Args:
        title: what is shown; plain text, as are ``about`` and ``warnings``.
        about: a few words behind it.
        parts: markup, one below the other.
        warnings: what is suspicious, a line each, above the parts.

    >>> "<script>" in card("<script>", "a & b")
    False
    """
    head = f'<div class="hc-title">{html.escape(title)} <span class="hc-soft">{html.escape(about)}</span></div>'
    warn = "".join(f'<div class="hc-warn">{html.escape(text)}</div>' for text in warnings)
    body = "".join(f'<div class="hc-part">{part}</div>' for part in parts if part)
    return f'<div class="hctr-card">{STYLE}{head}{warn}{body}</div>'


def facts(values: Mapping[str, Any]) -> str:
    """Return names with their values, side by side.

    >>> facts({"users": "1,200"})
    '<div class="hc-row"><span><span class="hc-soft">users</span> <b>1,200</b></span></div>'
    """
    shown = ((html.escape(name), html.escape(str(value))) for name, value in values.items())
    each = (f'<span><span class="hc-soft">{name}</span> <b>{value}</b></span>' for name, value in shown)
    return f'<div class="hc-row">{" ".join(each)}</div>'


def drawing(body: str, *, width: int = WIDE, height: int = HIGH, says: str) -> str:
    """Return an SVG; ``says`` is what a reader who does not see it hears.

    >>> drawing("", width=10, height=5, says="nothing")
    '<svg viewBox="0 0 10 5" width="10" height="5" role="img" aria-label="nothing"></svg>'
    """
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    return f'<svg {size} role="img" aria-label="{html.escape(says)}">{body}</svg>'


def written(x: float, y: float, text: str, *, anchor: str = "start", soft: bool = True) -> str:
    """Return a text of a drawing.

    >>> written(1, 2, "a<b", soft=False)
    '<text x="1" y="2" text-anchor="start">a&lt;b</text>'
    """
    look = ' opacity=".72"' if soft else ""
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}"{look}>{html.escape(text)}</text>'


def learning_curve(points: Sequence[Mapping[str, Any]]) -> str:
    """Draw validation AUC and training loss against epochs, the best AUC marked; nothing before the second point.

    Args:
        points: each with ``epoch``, ``validation_auc`` and ``loss``, as in ``events.jsonl``.

    >>> learning_curve([{"epoch": 1, "loss": 0.7, "validation_auc": 0.6}])
    ''
    """
    if len(points) < 2:
        return ""
    epochs = [float(point["epoch"]) for point in points]
    auc, loss = ([float(point[name]) for point in points] for name in ("validation_auc", "loss"))
    best = max((k for k in range(len(auc)) if isfinite(auc[k])), key=auc.__getitem__, default=None)
    marked = "" if best is None else f"best {show_number(auc[best])} at epoch {epochs[best]:.1f}"
    lines = (
        _line("validation AUC", epochs, auc, AUC_COLOUR, best, marked),
        _line("training loss", epochs, loss, LOSS_COLOUR),
    )
    return f'<div class="hc-row">{"".join(lines)}</div>'


def _line(
    title: str, x: Sequence[float], y: Sequence[float], colour: str, mark: int | None = None, note: str = ""
) -> str:
    """Draw one line with the ends of its axes, and a ring around one point."""
    known = [k for k in range(len(y)) if isfinite(y[k])]
    if not known:
        return ""
    low, high = min(y[k] for k in known), max(y[k] for k in known)
    left, right, top, bottom = 46, WIDE - 8, 22, HIGH - 18
    end = max(x[-1], 1e-9)

    def place(k: int) -> str:
        return (
            f"{left + (right - left) * x[k] / end:.1f},{bottom - (bottom - top) * (y[k] - low) / (high - low or 1):.1f}"
        )

    every = -(-len(known) // MOST_POINTS)
    drawn = [k for n, k in enumerate(known) if n % every == 0 or k in (known[-1], mark)]
    body = f'<path d="M{left} {top}V{bottom}H{right}" fill="none" stroke="{NEUTRAL}" stroke-width="1" opacity=".6"/>'
    body += f'<polyline points="{" ".join(map(place, drawn))}" fill="none" stroke="{colour}" stroke-width="2"/>'
    if mark is not None:
        cx, cy = place(mark).split(",")
        body += f'<circle cx="{cx}" cy="{cy}" r="4" fill="none" stroke="{colour}" stroke-width="2"/>'
    body += written(left - 4, top + 5, f"{high:.3f}", anchor="end") + written(
        left - 4, bottom, f"{low:.3f}", anchor="end"
    )
    body += written(left, HIGH - 4, "0") + written(right, HIGH - 4, f"{x[-1]:.1f} epochs", anchor="end")
    body += f'<text x="{left}" y="12" font-weight="600">{title}</text>'
    body += written(right, 12, note, anchor="end")
    return drawing(
        body,
        says=f"{title} over {x[-1]:.1f} epochs, from {show_number(y[known[0]])} to {show_number(y[known[-1]])}. {note}",
    )


def share_bar(share: float, colour: str, *, width: int = 120) -> str:
    """Return a bar that is filled to a share of its width.

    >>> share_bar(0.5, "#000").count("rect")
    2
    """
    filled = round(width * min(max(share, 0.0), 1.0), 1)
    body = f'<rect width="{width}" height="8" rx="2" fill="{NEUTRAL}" opacity=".25"/>'
    body += f'<rect width="{filled}" height="8" rx="2" fill="{colour}"/>'
    return drawing(body, width=width, height=8, says=f"{share:.0%}")


def table(head: Sequence[str], rows: Iterable[Sequence[str]], caption: str = "") -> str:
    """Return a table; titles and caption are plain text, cells markup. The first column is aligned left.

    >>> table(["a"], [["<b>1</b>"]])
    '<table><thead><tr><th>a</th></tr></thead><tbody><tr><td><b>1</b></td></tr></tbody></table>'
    """
    top = "".join(f"<th>{html.escape(title)}</th>" for title in head)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    under = f"<caption>{html.escape(caption)}</caption>" if caption else ""
    return f"<table>{under}<thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def columns(values: Sequence[float], colours: Sequence[str], *, width: int, height: int) -> str:
    """Return the columns of a bar chart, as high as the largest is; columns of one colour are one path.

    >>> columns([2, 1], ["#000", "#000"], width=10, height=4)
    '<path fill="#000" d="M0.2 4v-4h4.6v4zM5.2 4v-2h4.6v2z"/>'
    """
    most, step, paths = max(values, default=0) or 1, width / max(len(values), 1), dict[str, str]()
    for place, (value, colour) in enumerate(zip(values, colours, strict=True)):
        high, gap = round(height * value / most, 1), min(1.0, step / 12)
        left, wide = round(place * step + gap / 2, 1), round(step - gap, 1)
        if high:
            paths[colour] = f"{paths.get(colour, '')}M{left:g} {height}v{-high:g}h{wide:g}v{high:g}z"
    return "".join(f'<path fill="{colour}" d="{path}"/>' for colour, path in paths.items())


def soft(text: str) -> str:
    """Return a remark.

    >>> soft("a < b")
    '<div class="hc-soft">a &lt; b</div>'
    """
    return f'<div class="hc-soft">{html.escape(text)}</div>'
