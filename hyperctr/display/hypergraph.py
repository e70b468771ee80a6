"""A picture of one hypergraph: nodes are points, a hyperedge is a soft region or a star."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from hyperctr.display.layout import spectral_layout, spring_layout
from hyperctr.display.outline import convex_outline, joined, star_lines
from hyperctr.display.theme import NEUTRAL, line_trace, modality_colour, point_trace, style, translucent
from hyperctr.errors import ConfigError, DataError, ShapeError, did_you_mean

if TYPE_CHECKING:
    from hyperctr.hypergraph.incidence import Hypergraph

Shape = Literal["hull", "star"]
MOST_PANELS = 6  # a hypergraph with more groups is drawn in one panel
MOST_SPRINGS = 600  # points pushed off each other, in a second; more are only spread evenly
BY_SIZE = " (largest by size)"
REACH = 0.045  # of a region around its members; the picture is 2 wide


def draw(
    H: Hypergraph,
    *,
    limit: int = 15,
    shape: Shape = "hull",
    title: str = "",
    node_labels: Sequence[Any] | NDArray[Any] | None = None,
) -> go.Figure:
    """Draw the largest hyperedges of a hypergraph, one panel per modality group, nodes at the same place in each.

    Args:
        H: any hypergraph: N nodes, E hyperedges, with or without groups, empty, too.
        limit: at most this many hyperedges, shared evenly by the groups; the subtitle says how many of how many.
        shape: ``"hull"`` fills the region around the members, ``"star"`` joins them in their middle.
        title: replaces the default title.
        node_labels: [N] shown on hover instead of the node number.

    Returns:
        a figure with one trace of regions and one of nodes per panel, however many hyperedges it shows.

    Raises:
        ConfigError: ``limit`` is under 1, or there is no such shape.
        DataError: ``H`` is no hypergraph, but a list of them, say.
        ShapeError: there are more or fewer labels than nodes.

    >>> import hyperctr as hc
    >>> H = hc.Hypergraph([[0, 1, 2, 1, 3], [0, 0, 0, 1, 1]], num_nodes=5, num_hyperedges=2)
    >>> chart = hc.draw(H, limit=1, node_labels=["Ann", "Bob", "Cid", "Dan", "Eve"])
    >>> chart.layout.title.subtitle.text
    'showing 1 of 2 hyperedges (largest by size) and 3 of 5 nodes'
    >>> chart.data[1].text
    ('node Ann', 'node Bob', 'node Cid')
    """
    from hyperctr.hypergraph.incidence import Hypergraph

    if not isinstance(H, Hypergraph):
        raise DataError(f"draw(...) takes one Hypergraph, not a {type(H).__name__}; of a list, draw each by itself")
    if limit < 1:
        raise ConfigError(f"limit={limit} draws nothing; use at least 1")
    if shape not in get_args(Shape):
        raise ConfigError(f"shape {shape!r}: {did_you_mean(shape, get_args(Shape))}")
    labels = np.arange(H.num_nodes) if node_labels is None else np.asarray(node_labels)
    if len(labels) != H.num_nodes:
        raise ShapeError(f"node_labels has {len(labels)} entries; the hypergraph has {H.num_nodes} nodes")
    incidence, group, names = H.incidence.cpu().numpy(), H.group.cpu().numpy(), H.group_names
    if len(names) > MOST_PANELS:
        group, names = np.zeros_like(group), (f"{len(names)} groups",)
    chosen = largest_hyperedges(incidence, group, limit)
    kept = incidence[:, np.isin(incidence[1], chosen)]
    members, node = np.unique(kept[0], return_inverse=True)
    local = np.stack([node, np.searchsorted(chosen, kept[1])])
    layout = spring_layout if len(members) + len(chosen) <= MOST_SPRINGS else spectral_layout
    places, centres = layout(local, len(members), len(chosen))
    panels = [np.flatnonzero(group[chosen] == index) for index in range(len(names))]
    total = np.bincount(group, minlength=len(names))
    heads = [f"{name}: {len(part)} of {all_:,}" for name, part, all_ in zip(names, panels, total, strict=True)]
    chart = make_subplots(1, len(names), subplot_titles=heads if len(names) > 1 else (), horizontal_spacing=0.02)
    x, y = places.astype(np.float32).T
    text = [f"{H.node_kind} {label}" for label in labels[members]]
    for column, (name, part) in enumerate(zip(names, panels, strict=True), start=1):
        colour = modality_colour(name, names)
        inside_of = {edge: places[local[0][local[1] == edge]] for edge in part}
        if shape == "hull":
            lines, fill = [convex_outline(points, REACH) for points in inside_of.values()], translucent(colour, 0.14)
        else:
            lines, fill = [star_lines(centres[edge], points) for edge, points in inside_of.items()], ""
        regions = line_trace(joined(lines), translucent(colour, 0.75), fill=fill, name=name)
        chart.add_scatter(**regions, row=1, col=column)
        inside = np.isin(np.arange(len(members)), local[0][np.isin(local[1], part)])
        # nodes on none of this panel's hyperedges stay as faint dots
        dots = [colour if flag else translucent(NEUTRAL, 0.5) for flag in inside]
        marker = {"size": np.where(inside, 6, 3).astype(np.float32), "color": dots, "line": {"width": 0}}
        chart.add_scatter(**point_trace(x, y, text, marker), row=1, col=column)
    rest = "" if len(chosen) == H.num_hyperedges else " (the others are empty)" if len(chosen) < limit else BY_SIZE
    shown = f"showing {len(chosen):,} of {H.num_hyperedges:,} hyperedges{rest}"
    shown += f" and {len(members):,} of {H.num_nodes:,} {H.node_kind}s"
    shown += f"; same {H.node_kind}, same place in every panel" if len(names) > 1 else ""
    margin = {"l": 12, "r": 12, "t": 104, "b": 12}
    style(chart, title or f"Hypergraph over {H.node_kind}s", shown, showlegend=False, height=470, margin=margin)
    chart.update_xaxes(visible=False, range=[-1.14, 1.14])
    return chart.update_yaxes(visible=False, range=[-1.14, 1.14])


def largest_hyperedges(incidence: NDArray[np.int64], group: NDArray[np.int64], limit: int) -> NDArray[np.int64]:
    """Return at most ``limit`` hyperedges with members, the largest of each group in turn, in ascending order.

    >>> largest_hyperedges(np.array([[0, 1, 2, 0, 1, 2, 3], [0, 0, 0, 1, 1, 2, 2]]), np.array([0, 0, 1, 1]), 2)
    array([0, 2])
    """
    sizes = np.bincount(incidence[1], minlength=len(group))
    order = np.lexsort((-sizes, group))
    place = np.empty(len(group), dtype=np.int64)  # place within its group, by size
    place[order] = np.arange(len(group)) - np.searchsorted(group[order], group[order])
    turns = np.lexsort((-sizes, place))
    return np.sort(turns[sizes[turns] > 0][:limit])
