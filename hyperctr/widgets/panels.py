"""The inspector's panels as HTML, from the templates beside this file; what a template is given is escaped."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from hyperctr.runs.explanation import effect, sources_frame

Rows = Sequence[dict[str, Any]]
Colours = Mapping[str, str]  # of each modality, in order
LISTED = 60  # contributions, the largest; the panel says how many there are
NEIGHBOURS = (0, 2, 3, 5, 10, 20)  # K to choose from; 0 is all
COMPARED = ("only here", "only there", "in both", "of these with other members")
WIDTH, HEIGHT, LEFT = 280, 150, 30  # of the timeline's plot, its picture, and what is left of the plot
CORNERS = ((160, 22), (62, 178), (258, 178))
FILTERS = {
    "compact": lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":")),  # as browsers write it
    "number": lambda value: f"{value:,}",
    "px": lambda value: f"{value:.1f}",
    "signed": lambda value: f"{value:+.4f}".replace("-", "\N{MINUS SIGN}"),
}


def render(panel: str, **values: Any) -> str:
    """Fill the template of a panel: ``selection``, ``explanation``, ``user`` or ``numbers``.

    What can be clicked carries ``data-act`` (what to do) and ``data-key`` (with what); the browser's module does it.
    Colours of text and lines come from the inspector's stylesheet, so they follow JupyterLab's theme.

    >>> "Nothing is selected" in render("selection", total=0)
    True
    """
    return _environment().get_template(f"{panel}.html.j2").render(values)


@cache
def _environment() -> Environment:
    folder = Path(__file__).parent / "templates"
    made = Environment(loader=FileSystemLoader(folder), autoescape=True, undefined=StrictUndefined)
    made.trim_blocks = made.lstrip_blocks = True
    made.filters.update(FILTERS)
    return made


def numbers_panel(stats: dict[str, Any], difference: Sequence[int] | None, kind: str, colours: Colours) -> str:
    """Write the sizes of the whole hypergraph, its overlap, the nearest trained run and what differs.

    Args:
        stats: what :meth:`hyperctr.widgets.scenes.Scenes.stats` returns.
        difference: hyperedges only here, only there, in both, and how many of those changed; None: not compared.
        kind: what a node is.
        colours: of each modality, in order.
    """
    overlap = [(" + ".join(row["modalities"]), f"{row['count']:,}") for row in stats["overlap"]]
    compared = [(words, f"{count:,}") for words, count in zip(COMPARED, difference or (), strict=False)]
    return render("numbers", stats=stats, overlap=overlap, difference=compared, kind=kind, colours=colours)


def selection_panel(rows: Rows, kind: str, total: int, colours: Colours) -> str:
    """List the first of ``total`` selected users or items: title, training clicks, first feature values by modality.

    >>> row = {"id": 7, "title": "<Cats>", "popularity": 3, "features": {"visual": {"norm": 5.0, "first": [3.0, -4.0]}}}
    >>> html = selection_panel([row], "item", 1, {"visual": "#0072B2"})
    >>> "&lt;Cats&gt;" in html, "visual: norm 5.00, first values 3.00 -4.00" in html
    (True, True)
    """
    known = {name: [row["features"][name]["first"] for row in rows if row["features"][name]] for name in colours}
    most = {name: max((abs(v) for first in values for v in first), default=0.0) for name, values in known.items()}
    return render("selection", rows=rows, kind=kind, total=total, colours=colours, most=most)


def explanation_panel(explanation: dict[str, Any] | None, colours: Colours, problem: str = "") -> str:
    """Show a score, where it comes from, what hyperedges and clicks do to it, and what it is with a reader's changes.

    Args:
        explanation: what :meth:`hyperctr.runs.explaining.ScoreExplainer.explain` returns; None without a pair.
        colours: of each modality, in order.
        problem: why there is no explanation, where a reader asked for it.

    >>> "Pick a user and an item" in explanation_panel(None, {})
    True
    """
    steps = _steps(sources_frame(explanation))
    most = {
        name: max((abs(row["value"]) for row in explanation[name]), default=0.0) or 1.0
        for name in ("contributions", "history")
        if explanation
    }
    context = {"colours": colours, "listed": LISTED, "neighbours": NEIGHBOURS, "effect": effect}
    return render("explanation", explanation=explanation, problem=problem, most=most, steps=steps, **context)


def _steps(frame: pd.DataFrame) -> Rows:
    """Where the bars of a waterfall stand, in percent of its width; the first row and the last are marks."""
    if frame.empty:
        return []
    low, high = frame["score"].min(), frame["score"].max()
    room = max(high - low, 1e-3)

    def x(score: float) -> float:
        return float(4 + 92 * (score - low) / room)

    rows: list[dict[str, Any]] = []
    before = frame["score"].iloc[0]
    for source, value, _, score in frame.itertuples(index=False):
        left, right = sorted((x(before), x(score)))
        known = {"source": source, "value": value, "score": score, "first": not rows}
        rows.append({**known, "left": left, "width": right - left, "at": x(score)})
        before = score
    return rows


def user_panel(user: Any, rows: Rows, slot: int, colours: Colours) -> str:
    """Draw one user's clicks and interest per slot, and the interest between the modalities.

    Args:
        user: the user's id, None for nobody.
        rows: what :meth:`hyperctr.widgets.scenes.Scenes.timeline` returns.
        slot: the slot to mark.
        colours: of each modality, in order.

    >>> rows = [{"slot": 0, "label": "May", "clicks": 3, "interest": {"visual": 0.7, "textual": None}}]
    >>> html = user_panel("<u>", rows, 0, {"visual": "#0072B2", "textual": "#009E73"})
    >>> "<b>user &lt;u&gt;</b>" in html, html.count("<circle")
    (True, 1)
    """
    timeline = _timeline(rows, slot, colours) if rows else None
    known = {name: [row["interest"][name] for row in rows if row["interest"][name] is not None] for name in colours}
    means = {name: sum(values) / len(values) if values else None for name, values in known.items()}
    triangle = _triangle(rows, slot, list(colours))
    return render("user", user=user, rows=rows, colours=colours, timeline=timeline, triangle=triangle, means=means)


def _timeline(rows: Rows, slot: int, colours: Mapping[str, str]) -> dict[str, Any]:
    """Where the bars of the clicks and the lines of the interest stand; a line breaks where interest is unknown."""
    step, most = WIDTH / len(rows), max(1, *(row["clicks"] for row in rows))

    def x(place: int) -> float:
        return LEFT + step * (place + 0.5)

    def y(value: float) -> float:
        return HEIGHT - 22 - (HEIGHT - 40) * value

    bars = []
    for place, row in enumerate(rows):
        top, title = y(row["clicks"] / most), f"{row['label']}: {row['clicks']} clicks"
        bars.append({"x": x(place) - 0.4 * step, "y": top, "height": y(0) - top, "title": title})
    lines = []
    for name, colour in colours.items():
        known = {place: row["interest"][name] for place, row in enumerate(rows) if row["interest"][name] is not None}
        points = {place: (x(place), y(value)) for place, value in known.items()}
        path = "".join(f"{'L' if place - 1 in points else 'M'}{a:.1f} {b:.1f}" for place, (a, b) in points.items())
        lines.append({"colour": colour, "points": list(points.values()), "path": path})
    grid = [(value, y(value)) for value in (0, 0.5, 1)]
    sizes = {"height": HEIGHT, "step": step, "most": most, "now": x(slot) - step / 2}
    return {**sizes, "grid": grid, "bars": bars, "lines": lines}


def _triangle(rows: Rows, slot: int, names: list[str]) -> dict[str, Any] | None:
    """Each slot's interest as a point between three modalities, stretched so that small differences show."""
    known = [row for row in rows if all(row["interest"][name] is not None for name in names)]
    if len(names) != 3 or not known:
        return None
    low = 0.9 * min(row["interest"][name] for row in known for name in names)
    points = []
    for row in known:
        weights = [row["interest"][name] - low for name in names]
        total = sum(weights) or 1.0
        a, b = (sum(w * corner[axis] for w, corner in zip(weights, CORNERS, strict=True)) / total for axis in (0, 1))
        points.append({"x": a, "y": b, "label": row["label"], "now": row["slot"] == slot})
    path = "M" + "L".join(f"{point['x']:.1f} {point['y']:.1f}" for point in points)
    places = [(name, corner[0], 196 if m else 13) for m, (name, corner) in enumerate(zip(names, CORNERS, strict=True))]
    return {"points": points, "path": path, "names": places}
