"""A picture of one hypergraph: nodes are points, a hyperedge is a soft region or a star."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from hyperctr.display.colours import modality_colour
from hyperctr.display.layout import drawn_places, hypergraph_maps
from hyperctr.display.regions import Panel, draw_panel
from hyperctr.display.theme import style
from hyperctr.errors import ConfigError, DataError, ShapeError, did_you_mean

if TYPE_CHECKING:
    from hyperctr.hypergraph.incidence import Hypergraph

Shape = Literal["hull", "star"]
MOST_PANELS = 6  # a hypergraph with more groups is drawn in one panel
MOST_SPREAD = 600  # nodes and hyperedges of a panel that are spread: a second; a figure is drawn once, a scene often
BY_SIZE = " (largest by size)"


def draw(
    H: Hypergraph,
    *,
    limit: int = 15,
    shape: Shape = "hull",
    title: str = "",
    node_labels: Sequence[Any] | NDArray[Any] | None = None,
    hyperedge_labels: Sequence[Any] | NDArray[Any] | None = None,
) -> go.Figure:
    """Draw the largest hyperedges of a hypergraph, one panel per modality group; each has a tint of its own.

    A node stands at about the same place in every panel, as far as the groups agree on who belongs together.

    Args:
        H: any hypergraph: N nodes, E hyperedges, with or without groups, empty, too.
        limit: at most this many hyperedges, shared evenly by the groups; the subtitle says how many of how many.
        shape: ``"hull"`` fills the region around the members, ``"star"`` joins them in their middle.
        title: replaces the default title.
        node_labels: [N] shown on hover instead of the node's id.
        hyperedge_labels: [E] written at hyperedges, where there is room, instead of their ids.

    Returns:
        a figure with at most 20 traces of regions per panel, one for each tint, and then one of names, one of nodes on
        none of the panel's hyperedges and one of those on them.

    Raises:
        ConfigError: ``limit`` is under 1, or there is no such shape.
        DataError: ``H`` is no hypergraph, but a list of them, say.
        ShapeError: there are more or fewer labels than nodes or hyperedges.

    >>> import hyperctr as hc
    >>> H = hc.Hypergraph([[0, 1, 2, 1, 3], [0, 0, 0, 1, 1]], num_nodes=5, num_hyperedges=2)
    >>> chart = hc.draw(H, limit=1, node_labels=["Ann", "Bob", "Cid", "Dan", "Eve"])
    >>> chart.layout.title.subtitle.text
    'showing 1 of 2 hyperedges (largest by size) and 3 of 5 nodes'
    >>> chart.data[-1].text
    ('node Ann', 'node Bob', 'node Cid')
    """
    from hyperctr.hypergraph.incidence import Hypergraph

    if not isinstance(H, Hypergraph):
        raise DataError(
            f"draw(...) takes one Hypergraph, not a {type(H).__name__}; of several, draw each by itself; "
            "hc.Hypergraph.of(...) makes one of a dict, sets, a table; hc.Hypergraph.from_hif(PATH) reads a file"
        )
    if limit < 1:
        raise ConfigError(f"limit={limit} draws nothing; use at least 1")
    if shape not in get_args(Shape):
        raise ConfigError(f"shape {shape!r}: {did_you_mean(shape, get_args(Shape))}")
    labels = H.node_ids if node_labels is None else node_labels
    if len(labels) != H.num_nodes:
        raise ShapeError(f"node_labels has {len(labels)} entries; the hypergraph has {H.num_nodes} nodes")
    titles = H.hyperedge_ids if hyperedge_labels is None else hyperedge_labels
    if len(titles) != H.num_hyperedges:
        raise ShapeError(
            f"hyperedge_labels has {len(titles)} entries; the hypergraph has {H.num_hyperedges} hyperedges"
        )
    incidence, group, names = H.incidence.cpu().numpy(), H.group.cpu().numpy(), H.group_names
    if len(names) > MOST_PANELS:
        group, names = np.zeros_like(group), (f"{len(names)} groups",)
    chosen = largest_hyperedges(incidence, group, limit)
    kept = incidence[:, np.isin(incidence[1], chosen)]
    members, node = np.unique(kept[0], return_inverse=True)
    local = np.stack([node, np.searchsorted(chosen, kept[1])])
    _, maps = hypergraph_maps(incidence, group, H.num_nodes, len(names))
    places = drawn_places(maps[:, members], local, group[chosen], MOST_SPREAD)
    panels = [np.flatnonzero(group[chosen] == index) for index in range(len(names))]
    total = np.bincount(group, minlength=len(names))
    heads = [f"{name}: {len(part)} of {all_:,}" for name, part, all_ in zip(names, panels, total, strict=True)]
    chart = make_subplots(1, len(names), subplot_titles=heads if len(names) > 1 else (), horizontal_spacing=0.02)
    text = [f"{H.node_kind} {labels[member]}" for member in members]
    for m, (name, part) in enumerate(zip(names, panels, strict=True)):
        own = [local[0][local[1] == edge] for edge in part]
        panel = Panel(places[m], own, [str(titles[chosen[edge]]) for edge in part], text, modality_colour(name, names))
        draw_panel(chart, panel, star=shape == "star", name=name, row=1, col=m + 1)
    rest = "" if len(chosen) == H.num_hyperedges else " (the others are empty)" if len(chosen) < limit else BY_SIZE
    shown = f"showing {len(chosen):,} of {H.num_hyperedges:,} hyperedges{rest}"
    shown += f" and {len(members):,} of {H.num_nodes:,} {H.node_kind}s"
    shown += f"; same {H.node_kind}, about the same place in every panel" if len(names) > 1 else ""
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
