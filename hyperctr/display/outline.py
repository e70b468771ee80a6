"""The band around a hyperedge's members: it follows the shortest tree that joins them, and takes in only
others that happen to lie on its way.

A convex hull of members that stand apart covers half the picture, and all it covers looks like a member.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
BEND = 0.4  # radians between two points of a round corner


def spanning_tree(points: Array) -> NDArray[np.int64]:
    """Return the shortest tree that joins points [n, 2], int64 [n - 1, 2] (Prim's algorithm).

    >>> spanning_tree(np.array([[0.0, 0.0], [3.0, 0.0], [1.0, 0.0]])).tolist()
    [[0, 2], [2, 1]]
    """
    count = len(points)
    away, parent = np.full(count, np.inf), np.zeros(count, dtype=np.int64)
    joined = np.zeros(count, dtype=bool)
    pairs, now = np.empty((max(count - 1, 0), 2), dtype=np.int64), 0
    for step in range(count - 1):
        joined[now] = True
        square = ((points - points[now]) ** 2).sum(1)
        nearer = square < away
        away[nearer], parent[nearer] = square[nearer], now
        now = int(np.where(joined, np.inf, away).argmin())
        pairs[step] = parent[now], now
    return pairs


def band(points: Array, reach: float) -> Array:
    """Return the closed outline [k, 2] of all that lies within ``reach`` of the tree through points [n, 2].

    >>> around = band(np.array([[0.0, 0.0], [1.0, 0.0]]), 0.1)
    >>> around.min(0).round(2).tolist(), around.max(0).round(2).tolist()
    ([-0.1, -0.1], [1.1, 0.1])
    """
    points = np.unique(points, axis=0)
    if len(points) < 2:
        turn = np.linspace(0, 2 * np.pi, 17)
        return np.asarray(points + reach * np.stack([np.cos(turn), np.sin(turn)], 1))
    near: list[list[int]] = [[] for _ in points]
    for a, b in spanning_tree(points).tolist():
        near[a].append(b)
        near[b].append(a)

    def heading(a: int, b: int) -> float:
        return float(np.arctan2(*(points[b] - points[a])[::-1]))

    found: list[tuple[float, float]] = []
    before, here = 0, near[0][0]
    for _ in range(2 * (len(points) - 1)):  # walk around the tree, its branches to the left
        back, angle = heading(here, before), heading(before, here)
        after = min(near[here], key=lambda b: (heading(here, b) - back) % (2 * np.pi) or 2 * np.pi)
        found += _corner(points[here], angle, heading(here, after), reach)
        before, here = here, after
    return np.array([*found, found[0]])


def _corner(at: Array, come: float, go: float, reach: float) -> list[tuple[float, float]]:
    """Points to the right of a walk that comes along one heading and goes on along another."""
    turn = (go - come) % (2 * np.pi)
    if turn <= np.pi + 1e-9:  # round the outside of the bend
        steps = np.linspace(come, come + turn, max(int(np.ceil(turn / BEND)), 1) + 1) - np.pi / 2
        far = np.full(len(steps), reach)
    else:  # the inside: where both sides meet, unless the bend is too sharp for that
        half = (2 * np.pi - turn) / 2
        steps = np.array([come - half - np.pi / 2])
        far = np.array([reach / max(np.cos(half), 0.35)])
    return [(float(at[0] + r * np.cos(a)), float(at[1] + r * np.sin(a))) for r, a in zip(far, steps, strict=True)]
