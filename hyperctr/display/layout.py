"""Where nodes stand in a picture; no chance, so the same hypergraph gives the same picture.

1. Nodes get coordinates (:func:`spectral_vectors`): the leading singular vectors of the degree-normalised incidence
   matrix, which put together what shares hyperedges, perhaps beside coordinates of their features
   (:func:`feature_vectors`). Two of them hold little of a hypergraph, sixteen most.
2. :func:`layered_maps` draws a map for each modality, on which neighbours by these coordinates stay neighbours, and a
   joint one from which all others begin: a node is at about the same place in each as far as modalities agree.
3. :func:`spread` pushes the handful that one drawing shows off each other.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from hyperctr.display.neighbour_map import neighbour_map

Array = NDArray[np.float64]
Float32 = NDArray[np.float32]
Ints = NDArray[np.int64]
WIDTH = 16  # coordinates of a node: users' groups of planted data are clearest with 16, less so with 8 or 40
STEPS, SPARE = 12, 4  # more steps sharpen what the map does not show; spare columns speed them up
SEEN = 4096  # rows that the directions of features are taken from
OUTSIDE = 0.02  # weight of a hyperedge in a modality that is not its own: nobody is left alone there
SPRINGS, MOST_SPREAD = 60, 250  # steps, and points pushed off each other, in some hundredths of a second


def spectral_vectors(
    nodes: Ints, labels: Ints, num_nodes: int, num_labels: int, weight: NDArray[np.floating] | None = None
) -> Array:
    """Give nodes coordinates [N, WIDTH] from the hyperedges they lie on; rows of length 1, 0 for those on none.

    Args:
        nodes: int64 [nnz], the node of each incidence; equal pairs count by their sum.
        labels: int64 [nnz], its hyperedge.
        num_nodes: N.
        num_labels: number of hyperedges.
        weight: [nnz], how much it counts; None is 1.

    >>> vectors = spectral_vectors(np.array([0, 1, 2, 3, 4, 5]), np.array([0, 0, 0, 1, 1, 1]), 7, 2)
    >>> bool(vectors[0] @ vectors[1] > 0.9 > -0.9 > vectors[0] @ vectors[3]), bool(vectors[6].any())
    (True, False)
    """
    given = np.ones(len(nodes)) if weight is None else np.asarray(weight, dtype=np.float64)
    matrix = csr_array((given, (nodes, labels)), shape=(num_nodes, num_labels))
    if not matrix.nnz:
        return np.zeros((num_nodes, WIDTH))
    node_root, label_root = (np.sqrt(np.maximum(matrix.sum(axis), 1e-9)) for axis in (1, 0))
    matrix = csr_array(matrix.multiply(1 / node_root[:, None]).multiply(1 / label_root[None]))
    # The first singular pair is known (the roots of the degrees) and says nothing.
    left = _leading(matrix, csr_array(matrix.T), label_root / np.linalg.norm(label_root))
    return _unit(left / node_root[:, None])


def feature_vectors(values: Float32, present: NDArray[np.bool_]) -> Array:
    """Give items coordinates [I, WIDTH] from their features [I, D]; rows of length 1, 0 where there are no features.

    They are the principal components, whose directions come from at most ``SEEN`` items.

    >>> feature_vectors(np.eye(3, 5, dtype=np.float32), np.array([True, True, False])).shape
    (3, 16)
    """
    rows = np.flatnonzero(present)
    vectors = np.zeros((len(values), WIDTH))
    if len(rows) < 2:
        return vectors
    seen = np.asarray(values[rows[:: -(-len(rows) // SEEN)]], dtype=np.float64)
    middle = seen.mean(0)
    centred = seen - middle
    axes = np.linalg.qr(centred.T @ _leading(centred, centred.T, np.zeros(centred.shape[1])))[0][:, :WIDTH]
    for begin in range(0, len(rows), SEEN):
        some = rows[begin : begin + SEEN]
        vectors[some, : axes.shape[1]] = (values[some] - middle) @ axes
    return _unit(vectors)


def layered_maps(vectors: Sequence[Array]) -> tuple[Float32, Float32]:
    """Place nodes by the coordinates that each of M modalities gives them, M >= 1.

    Args:
        vectors: for each modality [N, k], rows of length 1 or, where nothing is known, 0.

    Returns:
        the joint map [N, 2] and each modality's own [M, N, 2], turned to lie on the joint one; all within [-1, 1].
        No two nodes stand on each other; those of which nothing is known stand on the rim.

    >>> groups = spectral_vectors(np.arange(40), np.repeat([0, 1], 20), 40, 2)
    >>> joint, own = layered_maps([groups, groups])
    >>> joint.shape, own.shape, bool(np.abs(own).max() <= 1)
    ((40, 2), (2, 40, 2), True)
    """
    together = np.concatenate(list(vectors), axis=1)
    known = np.flatnonzero(together.any(axis=1))
    turn = np.linspace(0, 2 * np.pi, len(together), endpoint=False)
    rim = np.stack([np.cos(turn), np.sin(turn)], 1).astype(np.float32)
    joint, own = rim.copy(), np.tile(rim, (len(vectors), 1, 1))
    if not len(known):
        return joint, own
    first = neighbour_map(together[known])
    joint[known] = _fitted(first)
    for m, part in enumerate(vectors):
        own[m, known] = (
            joint[known] if len(vectors) == 1 else _fitted(_turned(neighbour_map(part[known], first), first))
        )
    return joint, own


def hypergraph_maps(incidence: Ints, group: Ints, num_nodes: int, num_groups: int) -> tuple[Float32, Float32]:
    """Place the nodes of any hypergraph: :func:`layered_maps`, one for each group of hyperedges.

    Args:
        incidence: int64 [2, nnz], nodes in row 0, hyperedges in row 1.
        group: int64 [E], group of each hyperedge.
        num_nodes: N.
        num_groups: M.

    >>> joint, own = hypergraph_maps(np.array([[0, 1, 2, 3], [0, 0, 1, 1]]), np.array([0, 1]), 4, 2)
    >>> bool(np.linalg.norm(joint[0] - joint[1]) < np.linalg.norm(joint[0] - joint[2]))
    True
    """
    nodes, edges = incidence
    weights = [np.where(group[edges] == m, 1.0, OUTSIDE) for m in range(num_groups)]
    return layered_maps([spectral_vectors(nodes, edges, num_nodes, len(group), weight) for weight in weights])


def drawn_places(maps: NDArray[np.floating], incidence: Ints, group: Ints, most: int = MOST_SPREAD) -> Float32:
    """Return places for a drawing of a few hyperedges, one for each group: those of its nodes are spread.

    Args:
        maps: [M, N, 2], where the nodes of the drawing stand on the map of each group.
        incidence: int64 [2, nnz], nodes in row 0, hyperedges in row 1.
        group: int64 [E], group of each hyperedge.
        most: nodes and hyperedges of a group that are spread.

    Returns:
        places [M, N, 2] within [-1, 1]. Of groups with too much to spread, and nodes on none of a group's hyperedges,
        those of the map.
    """
    places = np.array(maps, dtype=np.float32)
    for m in range(len(places)):
        own = np.flatnonzero(group == m)
        kept = incidence[:, np.isin(incidence[1], own)]
        members, node = np.unique(kept[0], return_inverse=True)
        if 0 < len(members) + len(own) <= most:
            places[m, members] = spread(places[m, members], np.stack([node, np.searchsorted(own, kept[1])]), len(own))
    return places


def spread(places: NDArray[np.floating], incidence: Ints, num_hyperedges: int, pull: float = 1.0) -> Array:
    """Push the nodes of a drawing off each other, while each hyperedge draws its members together.

    Fruchterman-Reingold on the bipartite graph, but far points do not push: networkx's shrinks each group to a dot.
    Time and memory grow with (N + E)^2: for some hundreds of both.

    Args:
        places: [N, 2], where nodes begin.
        incidence: int64 [2, nnz], nodes in row 0, hyperedges in row 1.
        num_hyperedges: E.
        pull: of hyperedges on their members.

    Returns:
        places [N, 2] within [-1, 1].

    >>> nodes = spread(np.zeros((4, 2)), np.array([[0, 1, 2, 3], [0, 0, 1, 1]]), 2)
    >>> bool(np.linalg.norm(nodes[0] - nodes[1]) < np.linalg.norm(nodes[0] - nodes[2]))
    True
    """
    count, (start, edge) = len(places), incidence
    if not count:
        return np.zeros((0, 2))
    total = count + num_hyperedges
    sums = np.stack([np.bincount(edge, places[start, axis], num_hyperedges) for axis in (0, 1)], 1)
    middle = sums / np.maximum(np.bincount(edge, minlength=num_hyperedges), 1)[:, None]
    # points on top of each other share one place; a tiny sunflower spiral gives the push a direction
    rank = np.arange(total)
    angle, radius = rank * np.pi * (3 - np.sqrt(5)), 0.05 * np.sqrt(rank / total)
    now = np.concatenate([places, middle]) + np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1)
    end, spacing = edge + count, 2.0 / np.sqrt(total)
    now = now.astype(np.float32)
    for step in range(SPRINGS):
        apart = [now[:, None, axis] - now[None, :, axis] for axis in (0, 1)]
        square = apart[0] ** 2 + apart[1] ** 2 + np.float32(1e-12)
        # beyond three spacings points ignore each other: far groups stay where they were
        push = np.where(square < 9 * spacing**2, np.float32(spacing**2) / square, np.float32(0))
        along = now[end] - now[start]
        draw = pull * along * (np.sqrt((along**2).sum(1, keepdims=True)) / spacing)
        move = np.empty_like(now)
        for axis in (0, 1):
            move[:, axis] = np.einsum("ij,ij->i", apart[axis], push)
            move[:, axis] += np.bincount(start, draw[:, axis], total) - np.bincount(end, draw[:, axis], total)
        length = np.sqrt((move**2).sum(1, keepdims=True)) + 1e-9
        now = now + move / length * np.minimum(length, 0.12 * (1 - step / SPRINGS))
    now = now[:count] - (now[:count].max(0) + now[:count].min(0)) / 2
    return np.asarray(now / max(float(np.abs(now).max()), 1e-9))


def _leading(matrix: csr_array | Array, back: csr_array | Array, without: Array) -> Array:
    """Return the leading left singular vectors times their values, [N, WIDTH], by subspace iteration, signs fixed."""
    width = min(WIDTH + SPARE, *matrix.shape)
    right = np.random.default_rng(0).standard_normal((matrix.shape[1], width))
    for _ in range(STEPS):
        right -= np.outer(without, without @ right)
        right = np.linalg.qr(back @ (matrix @ right))[0]
    right -= np.outer(without, without @ right)
    left = np.asarray(matrix @ right)
    _, rotation = np.linalg.eigh(left.T @ left)
    best = left @ rotation[:, ::-1][:, :WIDTH]
    # a singular vector has no sign: fix it, so that two machines draw the same picture
    strongest = best[np.abs(best).argmax(0), np.arange(best.shape[1])]
    best = best * np.where(strongest < 0, -1.0, 1.0)
    return np.pad(best, ((0, 0), (0, WIDTH - best.shape[1])))


def _unit(vectors: Array) -> Array:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.where(length > 1e-9, vectors / np.maximum(length, 1e-9), 0.0)


def _turned(places: Float32, onto: Float32) -> Float32:
    """Turn, perhaps mirror, a map so that it lies best on another one (Procrustes)."""
    left, _, right = np.linalg.svd((places - places.mean(0)).T @ (onto - onto.mean(0)))
    turned: Float32 = (places - places.mean(0)) @ (left @ right)
    return turned


def _fitted(places: Float32) -> Float32:
    """Scale into [-1, 1] without letting a few far points squeeze all others."""
    low, high = np.quantile(places, [0.01, 0.99], axis=0)
    scaled = (places - (low + high) / 2) / max(float((high - low).max()) / 2, 1e-9) * 0.92
    beyond = np.maximum(np.abs(scaled) - 0.92, 0.0)
    fitted: Float32 = np.sign(scaled) * (np.minimum(np.abs(scaled), 0.92) + 0.08 * np.tanh(beyond / 0.3))
    return fitted.astype(np.float32)
