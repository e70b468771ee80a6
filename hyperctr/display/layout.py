"""Where nodes and hyperedges stand in a picture; no chance, so the same hypergraph gives the same picture.

Both layouts begin with the leading singular vectors of the degree-normalised incidence matrix, which put together what
shares hyperedges. :func:`spectral_layout` evens them out, so that no corner holds everybody: a whole data set in a
fraction of a second. :func:`spring_layout` pushes points off each other: for the handful that one drawing shows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
STEPS, WIDTH = 24, 6  # more steps sharpen directions the eye cannot tell apart; spare columns speed them up
EVEN = 0.4  # share of the evened-out place in the final one: 0 is the bare spectrum, 1 a full square
SPRING_STEPS = 80


def spectral_layout(incidence: NDArray[np.int64], num_nodes: int, num_hyperedges: int) -> tuple[Array, Array]:
    """Place nodes and hyperedges so that those with much in common stand together, however many there are.

    ``incidence`` is int64 [2, nnz]: numbers of nodes in row 0, of hyperedges in row 1; repeats count once.

    Returns:
        positions of the nodes [N, 2] and of the hyperedges [E, 2], each coordinate within [-1, 1].

    >>> pairs = np.array([[0, 1, 2, 3, 4, 5], [0, 0, 0, 1, 1, 1]])
    >>> nodes, edges = spectral_layout(pairs, 6, 2)
    >>> nodes.shape, edges.shape, bool(np.abs(nodes).max() <= 1)
    ((6, 2), (2, 2), True)
    >>> bool((nodes[:3, 0].max() < nodes[3:, 0].min()) or (nodes[:3, 0].min() > nodes[3:, 0].max()))
    True
    """
    if not incidence.shape[1]:
        places = _even(np.zeros((num_nodes + num_hyperedges, 2)))
        return places[:num_nodes], places[num_nodes:]
    places = _singular_vectors(incidence, num_nodes, num_hyperedges)
    return _stretched(places[:num_nodes]), _stretched(places[num_nodes:])


def spring_layout(incidence: NDArray[np.int64], num_nodes: int, num_hyperedges: int) -> tuple[Array, Array]:
    """Place a handful of nodes and hyperedges so that none stands on another.

    From the singular vectors on, points push each other apart while each hyperedge holds its members
    (Fruchterman-Reingold on the bipartite graph, but far points do not push: networkx's shrinks each group to a dot).
    Time and memory grow with (N + E)^2: for some hundreds of both.

    Arguments and results are those of :func:`spectral_layout`.

    >>> nodes, edges = spring_layout(np.array([[0, 1, 2, 3], [0, 0, 1, 1]]), 4, 2)
    >>> bool(np.linalg.norm(nodes[0] - nodes[1]) < np.linalg.norm(nodes[0] - nodes[2]))
    True
    """
    count = num_nodes + num_hyperedges
    if not incidence.shape[1]:
        return spectral_layout(incidence, num_nodes, num_hyperedges)
    places = _singular_vectors(incidence, num_nodes, num_hyperedges)
    places = places / np.maximum(np.abs(places).max(0), 1e-9)
    # nodes with the same memberships share one point; a tiny sunflower spiral gives the push a direction
    rank = np.arange(count)
    angle, radius = rank * np.pi * (3 - np.sqrt(5)), 0.05 * np.sqrt(rank / count)
    places = places + np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1)
    start, end = incidence[0], incidence[1] + num_nodes
    spacing = 2.0 / np.sqrt(count)
    for step in range(SPRING_STEPS):
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
        places = places + move / length * np.minimum(length, 0.12 * (1 - step / SPRING_STEPS))
    places = places - (places.max(0) + places.min(0)) / 2
    places = places / max(float(np.abs(places).max()), 1e-9)
    return places[:num_nodes], places[num_nodes:]


def _singular_vectors(incidence: NDArray[np.int64], num_nodes: int, num_hyperedges: int) -> Array:
    """Coordinates [N + E, 2] of nodes and hyperedges: two singular vectors, by subspace iteration, signs fixed."""
    from scipy.sparse import csr_array

    ones = np.ones(incidence.shape[1])
    matrix = csr_array((ones, (incidence[0], incidence[1])), shape=(num_nodes, num_hyperedges))
    matrix.data[:] = 1.0  # repeats were added up
    node_root = np.sqrt(np.maximum(matrix.sum(1), 1.0))
    edge_root = np.sqrt(np.maximum(matrix.sum(0), 1.0))
    matrix = csr_array(matrix.multiply(1 / node_root[:, None]).multiply(1 / edge_root[None]))
    back = csr_array(matrix.T)
    # The first singular pair is known (the roots of the degrees) and says nothing: it is taken out at every step.
    trivial = edge_root / np.linalg.norm(edge_root)
    right = np.random.default_rng(0).standard_normal((num_hyperedges, min(WIDTH, num_hyperedges)))
    for _ in range(STEPS):
        right -= np.outer(trivial, trivial @ right)
        right = np.linalg.qr(back @ (matrix @ right))[0]
    right -= np.outer(trivial, trivial @ right)
    left = matrix @ right
    _, rotation = np.linalg.eigh(left.T @ left)
    best = rotation[:, ::-1][:, :2]
    places = np.concatenate([left @ best / node_root[:, None], right @ best / edge_root[:, None]])
    places = np.pad(places, ((0, 0), (0, 2 - places.shape[1])))
    # a singular vector has no sign: fix it, so that two machines draw the same picture
    strongest = np.abs(places).argmax(0)
    places *= np.where(places[strongest, [0, 1]] < 0, -1.0, 1.0)
    return places


def _stretched(places: Array) -> Array:
    """Scale to [-1, 1] without letting a few far points squeeze all others, then even out."""
    if not len(places):
        return places
    low, high = np.quantile(places, [0.02, 0.98], axis=0)
    centred = 2 * (places - low) / np.maximum(high - low, 1e-9) - 1
    result: Array = (1 - EVEN) * np.clip(centred, -1, 1) + EVEN * _even(places)
    return result


def _even(places: Array) -> Array:
    """Spread points over the square: columns of equally many by x, within each column evenly by y."""
    count = len(places)
    columns = max(int(np.sqrt(count)), 1)
    rank = np.argsort(np.lexsort((places[:, 1], places[:, 0])))
    column = rank * columns // max(count, 1)
    by_y = np.lexsort((rank, places[:, 1], column))
    starts = np.searchsorted(column[by_y], np.arange(columns + 1))
    height = np.empty(count)
    height[by_y] = np.arange(count) - starts[column[by_y]]
    size = np.maximum(np.diff(starts)[column], 1)
    return np.stack([2 * (rank + 0.5) / max(count, 1) - 1, 2 * (height + 0.5) / size - 1], 1)
