"""Who belongs together on a map: communities of neighbours, found without being told how many."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from hyperctr.display.neighbour_map import MAPPED, NEIGHBOURS

RESOLUTION = 0.3  # fewer and larger communities than 1: a dozen colours can be told apart


def communities(places: NDArray[np.floating]) -> NDArray[np.int64]:
    """Return the community of each point [N, 2], int64 [N], the largest first.

    Each point is joined to its nearest neighbours, and the graph is divided by Louvain's method (networkx). Of more
    than ``MAPPED`` points as many are divided, spread evenly over the rest, which join the nearest of them.

    >>> places = np.concatenate([np.random.default_rng(0).normal(middle, 0.1, (40, 2)) for middle in (0, 5, 9)])
    >>> communities(places[:100]).reshape(5, 20)[:, 0].tolist()
    [0, 0, 1, 1, 2]
    """
    from networkx import Graph
    from networkx.algorithms.community import louvain_communities

    places = np.asarray(places, dtype=np.float64)
    if len(places) < 3:
        return np.zeros(len(places), dtype=np.int64)
    some = np.linspace(0, len(places) - 1, min(len(places), MAPPED)).astype(np.int64)
    tree = cKDTree(places[some])
    near = tree.query(places[some], min(NEIGHBOURS + 1, len(some)))[1][:, 1:]
    graph = Graph()
    graph.add_nodes_from(range(len(some)))
    graph.add_edges_from(
        zip(np.repeat(np.arange(len(some)), near.shape[1]).tolist(), near.ravel().tolist(), strict=True)
    )
    found = sorted(louvain_communities(graph, resolution=RESOLUTION, seed=0), key=lambda part: (-len(part), min(part)))
    number = np.empty(len(some), dtype=np.int64)
    for place, part in enumerate(found):
        number[list(part)] = place
    nearest: NDArray[np.int64] = tree.query(places)[1]
    return number[nearest]
