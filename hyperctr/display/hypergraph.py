"""Static drawing of one hypergraph: nodes are points, a hyperedge is a soft region or a star."""

from __future__ import annotations

from typing import Any, Literal, Protocol

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from hyperctr.display.spread import hull, spectral_layout, spread
from hyperctr.display.theme import NEUTRAL, modality_colour, style, translucent
from hyperctr.errors import ConfigError


class Drawable(Protocol):
    """What a hypergraph must have to be drawn; :class:`hyperctr.Hypergraph` does."""

    @property
    def incidence(self) -> Any:
        """int64 [2, nnz], row 0 nodes, row 1 hyperedges; numpy or a CPU tensor."""

    @property
    def group(self) -> Any:
        """int64 [E], index into ``group_names``, or None."""

    num_nodes: int
    num_hyperedges: int
    group_names: tuple[str, ...]
    node_kind: str


def largest_hyperedges(incidence: NDArray[np.int64], group: NDArray[np.int64], limit: int) -> NDArray[np.int64]:
    """Return at most ``limit`` hyperedges, the largest of each group in turn, in ascending order.

    >>> largest_hyperedges(np.array([[0, 1, 2, 0, 1, 2, 3], [0, 0, 0, 1, 1, 2, 2]]), np.array([0, 0, 1]), 2)
    array([0, 2])
    """
    sizes = np.bincount(incidence[1], minlength=len(group))
    order = np.lexsort((np.arange(len(group)), -sizes))
    place = np.empty(len(group), dtype=np.int64)  # place within its own group, by size
    for index in np.unique(group):
        own = order[group[order] == index]
        place[own] = np.arange(len(own))
    return np.sort(np.lexsort((-sizes, place))[:limit])


def hypergraph_figure(
    hypergraph: Drawable,
    *,
    limit: int = 15,
    shape: Literal["hull", "star"] = "hull",
    title: str = "",
    node_labels: NDArray[Any] | None = None,
) -> go.Figure:
    """Draw the largest hyperedges of one hypergraph, one panel per modality, nodes at the same place in each.

    Args:
        hypergraph: N nodes, E hyperedges, ``group`` = modality index.
        limit: at most this many hyperedges, shared evenly by the modalities; the subtitle says so.
        shape: ``"hull"`` fills the region around the members, ``"star"`` joins them in their middle.
        title: replaces the default title.
        node_labels: [N] shown on hover instead of the node number.

    Returns:
        one filled NaN-gapped trace per modality and panel, not one per hyperedge: 70 times faster to draw.

    Raises:
        ConfigError: ``limit`` is under 1.
    """
    if limit < 1:
        raise ConfigError(f"limit={limit} draws nothing; use at least 1")
    incidence = np.asarray(hypergraph.incidence, dtype=np.int64)
    total = hypergraph.num_hyperedges
    given = hypergraph.group
    group = np.zeros(total, np.int64) if given is None else np.asarray(given, dtype=np.int64)
    names = tuple(hypergraph.group_names) or tuple(f"group {index}" for index in range(int(group.max(initial=0)) + 1))
    chosen = largest_hyperedges(incidence, group, limit)
    kept = incidence[:, np.isin(incidence[1], chosen)]
    members, node = np.unique(kept[0], return_inverse=True)
    edge = np.searchsorted(chosen, kept[1])
    local = np.stack([node, edge])
    places, centres = spread(local, *spectral_layout(local, len(members), len(chosen)))
    kind = hypergraph.node_kind + "s"
    shown = [int((group[chosen] == index).sum()) for index in range(len(names))]
    of = [int((group == index).sum()) for index in range(len(names))]
    heads = [f"{name}: {n} of {m:,}" for name, n, m in zip(names, shown, of, strict=True)]
    chart = make_subplots(1, len(names), subplot_titles=heads, horizontal_spacing=0.02)
    labels = members if node_labels is None else node_labels[members]
    for index, name in enumerate(names):
        own = [place for place in range(len(chosen)) if group[chosen[place]] == index]
        colour = modality_colour(name, names)
        chart.add_trace(_regions(local, places, centres, own, colour, shape, name), 1, index + 1)
        inside = np.isin(np.arange(len(members)), node[np.isin(edge, own)])
        chart.add_trace(_points(places, labels, inside, colour, hypergraph.node_kind), 1, index + 1)
    style(
        chart,
        title or f"Hypergraph over {kind}",
        f"showing {len(chosen)} of {total:,} hyperedges (largest by size) and {len(members):,} of "
        f"{hypergraph.num_nodes:,} {kind}; same {hypergraph.node_kind}, same place in every panel",
        showlegend=False,
        height=470,
        margin={"l": 12, "r": 12, "t": 104, "b": 12},
    )
    chart.update_xaxes(visible=False, range=[-1.14, 1.14])
    chart.update_yaxes(visible=False, range=[-1.14, 1.14])
    return chart


def _regions(
    local: NDArray[np.int64],
    places: NDArray[np.float64],
    centres: NDArray[np.float64],
    own: list[int],
    colour: str,
    shape: str,
    name: str,
) -> go.Scatter:
    """One trace for all hyperedges of a modality, separated by NaN."""
    gap = np.full((1, 2), np.nan)
    parts: list[NDArray[np.float64]] = []
    for edge in own:
        points = places[local[0][local[1] == edge]]
        if shape == "hull":
            parts += [hull(points, 0.045), gap]
        else:
            parts += [np.concatenate([centres[edge][None], point[None], gap]) for point in points]
    line = np.concatenate(parts).astype(np.float32) if parts else gap.astype(np.float32)
    return go.Scatter(
        x=line[:, 0],
        y=line[:, 1],
        mode="lines",
        name=name,
        hoverinfo="skip",
        line={"color": translucent(colour, 0.75), "width": 1.2},
        fill="toself" if shape == "hull" else None,
        fillcolor=translucent(colour, 0.14),
    )


def _points(
    places: NDArray[np.float64], labels: NDArray[Any], inside: NDArray[np.bool_], colour: str, kind: str
) -> go.Scatter:
    """All nodes of the drawing; those in none of this panel's hyperedges stay as faint dots."""
    x, y = places.astype(np.float32).T
    return go.Scatter(
        x=x,
        y=y,
        mode="markers",
        text=[f"{kind} {label}" for label in labels],
        hoverinfo="text",
        marker={
            "size": np.where(inside, 6, 3).astype(np.float32),
            "color": [colour if flag else translucent(NEUTRAL, 0.5) for flag in inside],
            "line": {"width": 0},
        },
    )
