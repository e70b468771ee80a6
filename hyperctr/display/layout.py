"""Where every user and every item stands, once for all slots and thresholds, in a fraction of a second.

:mod:`hyperctr.display.spread` draws a handful of hyperedges well, with dense matrices. Here the whole data set is
placed at once: leading singular vectors by subspace iteration on the sparse click matrix, then evened out, so that
no corner holds everybody. Nothing is drawn by chance but the start, which is fixed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
STEPS, WIDTH = 24, 6  # more steps sharpen directions the eye cannot tell apart; spare columns speed them up
EVEN = 0.4  # share of the evened-out place in the final one: 0 is the bare spectrum, 1 a full square


def stable_layout(incidence: NDArray[np.int64], num_nodes: int, num_hyperedges: int) -> tuple[Array, Array]:
    """Place nodes and hyperedges so that those with much in common stand together.

    Args:
        incidence: int64 [2, nnz], row 0 nodes, row 1 hyperedges; repeats count once.
        num_nodes: N.
        num_hyperedges: E.

    Returns:
        positions [N, 2] and [E, 2] within [-1, 1]; the same input gives the same picture.

    >>> pairs = np.array([[0, 1, 2, 3, 4, 5], [0, 0, 0, 1, 1, 1]])
    >>> nodes, edges = stable_layout(pairs, 6, 2)
    >>> nodes.shape, edges.shape, bool(np.abs(nodes).max() <= 1)
    ((6, 2), (2, 2), True)
    >>> bool((nodes[:3, 0].max() < nodes[3:, 0].min()) or (nodes[:3, 0].min() > nodes[3:, 0].max()))
    True
    """
    from scipy.sparse import csr_array

    total = num_nodes + num_hyperedges
    if not incidence.shape[1]:
        places = _even(np.zeros((total, 2)))
        return places[:num_nodes], places[num_nodes:]
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
    # A singular vector has no sign: fix it, so that two machines draw the same picture.
    strongest = np.abs(places).argmax(0)
    places *= np.where(places[strongest, [0, 1]] < 0, -1.0, 1.0)
    return _finish(places[:num_nodes]), _finish(places[num_nodes:])


def _finish(places: Array) -> Array:
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
    by_x = np.lexsort((places[:, 1], places[:, 0]))
    rank = np.empty(count)
    rank[by_x] = np.arange(count)
    column = (rank * columns // max(count, 1)).astype(np.int64)
    by_y = np.lexsort((rank, places[:, 1], column))
    starts = np.searchsorted(column[by_y], np.arange(columns + 1))
    height = np.empty(count)
    height[by_y] = np.arange(count) - starts[column[by_y]]
    size = np.maximum(np.diff(starts)[column], 1)
    return np.stack([2 * (rank + 0.5) / max(count, 1) - 1, 2 * (height + 0.5) / size - 1], 1)
