"""One panel of hyperedges as plotly traces, for any hypergraph and for the inspector's static twin.

A hyperedge is the round convex outline of its members with a tint of its own; a member that stands far off hangs on by
an arm, so that one stray member does not blow the region up over all others. Nodes on none stay as faint points.
The inspector's pictures follow the same rules (``widgets/inspector/views/regions.js``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from hyperctr.display.colours import NEUTRAL, TINTS, tint, translucent
from hyperctr.display.outline import convex_outline, joined, star_lines
from hyperctr.display.theme import line_trace, point_trace

Array = NDArray[np.floating]
FAR = 2.6  # of the median distance from the middle: beyond, a member is a stray one
REACH = 0.045  # of a region around its members; a panel is 2 wide
LETTER, LINE = 0.042, 0.1  # size of a letter of a label in a panel a third of a page wide
LONGEST = 22  # letters of a label


@dataclass(frozen=True, eq=False)
class Panel:
    """What one panel shows.

    Attributes:
        places: [N, 2] within [-1, 1], of all nodes of the picture.
        members: for each hyperedge, the numbers of its nodes.
        titles: of the hyperedges.
        node_titles: of the nodes.
        colour: of the panel's modality; hyperedges have tints of it.
        node_colours: of the nodes; none means the panel's colour.
    """

    places: Array
    members: Sequence[NDArray[np.int64]]
    titles: Sequence[str]
    node_titles: Sequence[str]
    colour: str
    node_colours: Sequence[str] | None = None


def draw_panel(chart: go.Figure, panel: Panel, *, star: bool = False, name: str = "", **where: Any) -> None:
    """Add a panel's traces: regions by tint, names of hyperedges where there is room, then the nodes.

    Args:
        chart: figure to add to.
        panel: what to draw.
        star: join the members of each hyperedge in their middle instead of drawing a region.
        name: of the regions' traces.
        where: ``row`` and ``col`` of a figure with several panels.

    >>> places = np.array([[0.0, 0.0], [0.1, 0.0], [0.9, 0.9]])
    >>> chart = go.Figure()
    >>> draw_panel(chart, Panel(places, [np.array([0, 1])], ["first"], ["Ann", "Bob", "Cid"], "#0072B2"))
    >>> [trace.mode for trace in chart.data], chart.data[1].text
    (['lines', 'text', 'markers', 'markers'], ('first',))
    """
    order = sorted(range(len(panel.members)), key=lambda edge: -len(panel.members[edge]))
    for shade in range(min(TINTS, len(order))):
        colour, lines = tint(panel.colour, shade), []
        for edge in range(shade, len(order), TINTS):
            points = np.asarray(panel.places[panel.members[edge]], dtype=np.float64)
            lines += [star_lines(points.mean(0), points)] if star else _outline(points)
        fill = {} if star else {"fill": translucent(colour, 0.16)}
        chart.add_trace(
            go.Scatter(**line_trace(joined(lines), translucent(colour, 0.85), 1.4, **fill, name=name)), **where
        )
    labels = _labels(panel, order)
    x, y, text = zip(*labels, strict=True) if labels else ((), (), ())
    font = {"size": 10.5}  # in the colour of the theme: tints are too dark for a dark one
    chart.add_trace(go.Scatter(x=x, y=y, text=text, mode="text", textfont=font, hoverinfo="skip", name=name), **where)
    inside = np.zeros(len(panel.places), dtype=bool)
    inside[np.concatenate([*panel.members, np.zeros(0, np.int64)])] = True
    away = {"size": 3, "color": translucent(NEUTRAL, 0.4), "line": {"width": 0}}
    _points(chart, panel, np.flatnonzero(~inside), away, **where)
    own = np.flatnonzero(inside)
    colours = panel.colour if panel.node_colours is None else [panel.node_colours[node] for node in own.tolist()]
    _points(chart, panel, own, {"size": 7, "color": colours, "line": {"width": 0.8, "color": "white"}}, **where)


def core_of(points: Array) -> NDArray[np.bool_]:
    """Tell which members stand together, bool [n]; the others are stray ones.

    >>> core_of(np.array([[0.0, 0.0], [0.1, 0.0], [0.0, 0.1], [2.0, 2.0]])).tolist()
    [True, True, True, False]
    """
    distance = np.linalg.norm(points - np.median(points, axis=0), axis=1)
    core: NDArray[np.bool_] = distance <= FAR * np.median(distance) + 0.05
    return core if core.sum() > 1 else np.ones(len(points), dtype=bool)


def _outline(points: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """A region, and arms to stray members."""
    core = core_of(points)
    lines = [convex_outline(points[core], REACH)]
    for stray in points[~core]:
        nearest = points[core][np.linalg.norm(points[core] - stray, axis=1).argmin()]
        lines.append(np.stack([stray, nearest]))
    return lines


def _labels(panel: Panel, order: Sequence[int]) -> list[tuple[float, float, str]]:
    """Place and text of each name there is room for, above or below its region, the largest hyperedges first."""
    taken: list[tuple[float, float, float]] = []  # middle and half the width
    labels = []
    for edge in order:
        text = panel.titles[edge]
        text = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
        points = np.asarray(panel.places[panel.members[edge]])
        points, half = points[core_of(points)], LETTER * len(text) / 2
        x = float(np.clip((points[:, 0].min() + points[:, 0].max()) / 2, half - 1.12, 1.12 - half))
        for y in (points[:, 1].max() + REACH + LINE / 2, points[:, 1].min() - REACH - LINE / 2):
            if abs(y) < 1.12 and all(abs(x - a) > half + w or abs(y - b) > LINE for a, b, w in taken):
                taken.append((x, float(y), half))
                labels.append((x, float(y), text))
                break
    return labels


def _points(chart: go.Figure, panel: Panel, nodes: NDArray[np.int64], marker: dict[str, Any], **where: Any) -> None:
    x, y = panel.places[nodes].astype(np.float32).T
    text = [panel.node_titles[node] for node in nodes]
    chart.add_trace(go.Scatter(**point_trace(x, y, text, marker)), **where)
