"""Where to put the nodes and hyperedges of a drawing: a spectral start, then a short push apart, no chance.

networkx's spring layout takes seconds for a thousand points; the singular vectors of the incidence matrix put
nodes that share hyperedges together in milliseconds, and some vectorised steps keep them off each other.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def spectral_layout(incidence: NDArray[np.int64], num_nodes: int, num_hyperedges: int) -> tuple[Array, Array]:
    """Place nodes and hyperedges by the leading singular vectors of the degree-normalised incidence matrix.

    Args:
        incidence: int64 [2, nnz], row 0 nodes, row 1 hyperedges.
        num_nodes: N, at most some thousands (the matrix is dense here: a drawing shows no more).
        num_hyperedges: E.

    Returns:
        positions of the nodes [N, 2] and of the hyperedges [E, 2], each coordinate within [-1, 1].

    >>> nodes, edges = spectral_layout(np.array([[0, 1, 2, 3], [0, 0, 1, 1]]), 4, 2)
    >>> nodes.shape, bool(np.allclose(nodes[0], nodes[1], atol=0.2))
    ((4, 2), True)
    """
    if not (num_nodes and num_hyperedges):
        return np.zeros((num_nodes, 2)), np.zeros((num_hyperedges, 2))
    dense = np.zeros((num_nodes, num_hyperedges))
    dense[incidence[0], incidence[1]] = 1.0
    node_degree = np.maximum(dense.sum(1, keepdims=True), 1.0)
    edge_size = np.maximum(dense.sum(0, keepdims=True), 1.0)
    left, _, right = np.linalg.svd(dense / np.sqrt(node_degree) / np.sqrt(edge_size), full_matrices=False)
    places = np.concatenate([left / np.sqrt(node_degree), right.T / np.sqrt(edge_size.T)])
    # the first vector only repeats the degrees
    places = places[:, 1:3] if places.shape[1] > 2 else places[:, :2]
    places = np.pad(places, ((0, 0), (0, 2 - places.shape[1])))
    # a singular vector has no sign: fix it, so that two machines draw the same picture
    strongest = np.abs(places).argmax(0)
    places = places * np.where(places[strongest, [0, 1]] < 0, -1.0, 1.0)
    places = places / np.maximum(np.abs(places).max(0), 1e-9)
    # nodes with the same memberships share one point; a tiny sunflower spiral gives the push a direction
    rank = np.arange(len(places))
    angle, radius = rank * np.pi * (3 - np.sqrt(5)), 0.05 * np.sqrt(rank / max(len(rank), 1))
    places = places + np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1)
    return places[:num_nodes], places[num_nodes:]


def spread(incidence: NDArray[np.int64], nodes: Array, hyperedges: Array, *, steps: int = 80) -> tuple[Array, Array]:
    """Push points apart while each hyperedge holds its members (Fruchterman-Reingold on the bipartite graph).

    Args:
        incidence: int64 [2, nnz].
        nodes: start positions [N, 2].
        hyperedges: start positions [E, 2].
        steps: iterations; the step length falls linearly to zero.

    Returns:
        new positions [N, 2] and [E, 2], scaled into [-1, 1].

    >>> a, b = spread(np.array([[0, 1], [0, 0]]), np.zeros((2, 2)) + [[0], [0.01]], np.zeros((1, 2)))
    >>> bool(np.abs(a[0] - a[1]).sum() > 0.5)
    True
    """
    places = np.concatenate([nodes, hyperedges])
    if not len(places):
        return nodes, hyperedges
    start, end = incidence[0], incidence[1] + len(nodes)
    spacing = 2.0 / np.sqrt(max(len(places), 1))
    for step in range(steps):
        apart = places[:, None] - places[None]
        distance = np.sqrt((apart**2).sum(-1)) + 1e-9
        # beyond three spacings points ignore each other: far groups stay where the spectrum put them
        push = np.where(distance < 3 * spacing, (spacing / distance) ** 2, 0.0)
        move = (apart * push[..., None]).sum(1)
        along = places[end] - places[start]
        pull = along * (np.sqrt((along**2).sum(1, keepdims=True)) / spacing)
        np.add.at(move, start, pull)
        np.add.at(move, end, -pull)
        length = np.sqrt((move**2).sum(1, keepdims=True)) + 1e-9
        places = places + move / length * np.minimum(length, 0.12 * (1 - step / steps))
    places = places - (places.max(0) + places.min(0)) / 2
    places = places / max(float(np.abs(places).max()), 1e-9)
    return places[: len(nodes)], places[len(nodes) :]


def hull(points: Array, padding: float) -> Array:
    """Return a closed outline [k, 2] around points, ``padding`` away from them and with round corners.

    >>> outline = hull(np.array([[0.0, 0.0], [1.0, 0.0]]), 0.1)
    >>> float(outline[:, 0].min().round(3)), float(outline[:, 0].max().round(3))
    (-0.1, 1.1)
    """
    turn = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    circle = padding * np.stack([np.cos(turn), np.sin(turn)], 1)
    cloud = (points[:, None] + circle[None]).reshape(-1, 2)
    cloud = cloud[np.lexsort((cloud[:, 1], cloud[:, 0]))]
    outline = np.array(_chain(cloud) + _chain(cloud[::-1]))
    return np.concatenate([outline, outline[:1]])


def _chain(points: Array) -> list[Array]:
    """Half of the monotone-chain hull: walk the sorted points, drop every clockwise turn."""
    kept: list[Array] = []
    for point in points:
        while len(kept) > 1:
            first, second = kept[-1] - kept[-2], point - kept[-2]
            if first[0] * second[1] - first[1] * second[0] > 0:
                break
            kept.pop()
        kept.append(point)
    return kept[:-1]
