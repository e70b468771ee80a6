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
    places, drawings = np.array(maps, dtype=np.float32), []
    for m in range(len(places)):
        own = np.flatnonzero(group == m)
        kept = incidence[:, np.isin(incidence[1], own)]
        members, node = np.unique(kept[0], return_inverse=True)
        if 0 < len(members) + len(own) <= most:
            pairs = np.stack([node, np.searchsorted(own, kept[1])])
            drawings.append((m, members, (places[m, members], pairs, len(own))))
    for (m, members, _), nodes in zip(drawings, _spread_all([drawing for *_, drawing in drawings]), strict=True):
        places[m, members] = nodes
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
    return _spread_all([(places, incidence, num_hyperedges)], pull)[0] if len(places) else np.zeros((0, 2))


def _spread_all(drawings: Sequence[tuple[NDArray[np.floating], Ints, int]], pull: float = 1.0) -> list[Array]:
    """Spread several drawings at once, each for itself: small ones cost the calls, not the points.

    Points are complex numbers [M, most points of a drawing]; those that fill up a row stand far from all others.
    """
    if not drawings:
        return []
    total = np.array([[len(places) + many] for places, _, many in drawings])
    width = int(total.max())
    now = np.tile(1e3 * (1 + np.arange(width)), (len(drawings), 1)).astype(np.complex64)
    starts, ends = [], []
    for m, (places, (start, edge), many) in enumerate(drawings):
        at, count = places @ [1, 1j], len(places)
        sums = np.bincount(edge, at[start].real, many) + 1j * np.bincount(edge, at[start].imag, many)
        # points on top of each other share one place; a tiny sunflower spiral gives the push a direction
        rank = np.arange(count + many)
        spiral = 0.05 * np.sqrt(rank / len(rank)) * np.exp(1j * rank * np.pi * (3 - np.sqrt(5)))
        now[m, : len(rank)] = np.append(at, sums / np.maximum(np.bincount(edge, minlength=many), 1)) + spiral
        starts.append(start + m * width)
        ends.append(edge + count + m * width)
    start, end = np.concatenate(starts), np.concatenate(ends)
    spacing = (2.0 / np.sqrt(total)).astype(np.float32)
    square, stiff, both = spacing[:, None] ** 2, pull / spacing[start // width, 0], np.append(start, end)
    for step in range(SPRINGS):
        apart = now[:, :, None] - now[:, None, :]
        far = apart.real**2 + apart.imag**2 + np.float32(1e-12)
        # beyond three spacings points ignore each other: far groups stay where they were
        push = (apart * (square / far * (far < 9 * square))).sum(2)
        along = now.ravel()[end] - now.ravel()[start]
        draw = along * np.abs(along) * stiff
        draw = np.append(draw, -draw)
        drawn = np.bincount(both, draw.real, now.size) + 1j * np.bincount(both, draw.imag, now.size)
        move = push + drawn.reshape(now.shape).astype(np.complex64)
        length = np.abs(move) + np.float32(1e-9)
        now += move / length * np.minimum(length, np.float32(0.12 * (1 - step / SPRINGS)))
    return [_centred(row[: len(places)]) for row, (places, *_) in zip(now, drawings, strict=True)]


def _centred(row: NDArray[np.complex64]) -> Array:
    """Scale complex places into [-1, 1]^2, [N, 2]."""
    places = np.stack([row.real, row.imag], 1).astype(np.float64)
    places -= (places.max(0) + places.min(0)) / 2
    return np.asarray(places / max(float(np.abs(places).max()), 1e-9))


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
