"""The graphs of systems as dense float64 matrices, written from their definitions."""

from __future__ import annotations

import numpy as np

from hyperctr.data.features import FeatureTable
from tests.small import Small


def normalised(matrix: np.ndarray) -> np.ndarray:
    """``D^-1/2 A D^-1/2`` with D the row sums; 0 where a row has none."""
    degree = matrix.sum(1)
    scale = np.where(degree > 0, 1 / np.sqrt(np.where(degree > 0, degree, 1)), 0)
    return np.asarray(scale[:, None] * matrix * scale)


def dense_clicks(study: Small, protocol: str, slot: int, dropped: list[int]) -> np.ndarray:
    """The normalised graph of clicks ``[U + I, U + I]`` that a target in a slot sees."""
    users, nodes = study.data.num_users, study.data.num_users + study.data.num_items
    adjacency = np.zeros((nodes, nodes))
    for c, (u, i, s, _) in enumerate(study.clicks):
        if c not in dropped and (s <= slot if protocol == "as-published" else s < slot):
            adjacency[u, users + i] = adjacency[users + i, u] = 1
    return normalised(adjacency)


def dense_alike(table: FeatureTable, k: int, *, weighted: bool) -> np.ndarray:
    """The normalised graph ``[I, I]`` of each item's k nearest by cosine, itself the first; absent items have none."""
    seen = table.values[table.present].astype(np.float64)
    values = (table.values - seen.mean(0)) / seen.std(0)
    unit = values / np.linalg.norm(values, axis=1, keepdims=True)
    edges = np.zeros((len(values), len(values)))
    there = np.flatnonzero(table.present)
    for i in there:
        similar = {int(j): float(unit[i] @ unit[j]) for j in there}
        similar[int(i)] = 1.0
        for j in sorted(similar, key=lambda j: (j != i, -similar[j]))[:k]:
            edges[i, j] = max(similar[j], 0.0) if weighted else 1.0
    return normalised(edges)
