"""The panel of one user: clicks and interest over the slots, and the interest between the modalities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hyperctr.widgets.render import render

Rows = Sequence[dict[str, Any]]
WIDTH, HEIGHT, LEFT = 280, 150, 30  # of the timeline's plot, its picture, and what is left of the plot
CORNERS = ((160, 22), (62, 178), (258, 178))


def user_panel(user: Any, rows: Rows, slot: int, colours: Mapping[str, str]) -> str:
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
    return render(
        "user",
        user=user,
        rows=rows,
        colours=colours,
        timeline=_timeline(rows, slot, colours) if rows else None,
        triangle=_triangle(rows, slot, list(colours)),
        means={name: _mean([row["interest"][name] for row in rows]) for name in colours},
    )


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


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
