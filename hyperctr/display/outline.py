"""Lines around the members of a hyperedge: the convex outline, and one along the shortest tree that joins them.

A convex outline of members that stand apart covers half the picture, and all it covers looks like a member; the tree's
takes in only others that happen to lie on its way. Both keep ``reach`` away from the members and have round corners.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
BEND = 0.4  # radians between two points of a round corner


def convex_outline(points: Array, reach: float) -> Array:
    """Return the convex closed outline [k, 2], counterclockwise, of all that lies near points [n, 2], n > 0.

    >>> around = convex_outline(np.array([[0.0, 0.0], [1.0, 0.0]]), 0.1)
    >>> around.min(0).round(2).tolist(), around.max(0).round(2).tolist()
    ([-0.1, -0.1], [1.1, 0.1])
    """
    from scipy.spatial import ConvexHull

    discs = (points[:, None] + _circle(16, reach)[:-1]).reshape(-1, 2)  # never on one line, whatever the points are
    corners = discs[ConvexHull(discs).vertices]
    return np.concatenate([corners, corners[:1]])


def tree_outline(points: Array, reach: float) -> Array:
    """Return the closed outline [k, 2] of all that lies near the shortest tree through points [n, 2], n > 0.

    >>> around = tree_outline(np.array([[0.0, 0.0], [1.0, 0.0]]), 0.1)
    >>> around.min(0).round(2).tolist(), around.max(0).round(2).tolist()
    ([-0.1, -0.1], [1.1, 0.1])
    """
    points = np.unique(points, axis=0)
    if len(points) == 1:
        return np.asarray(points + _circle(16, reach))
    near: list[list[int]] = [[] for _ in points]
    for a, b in spanning_tree(points).tolist():
        near[a].append(b)
        near[b].append(a)

    def heading(a: int, b: int) -> float:
        return float(np.arctan2(*(points[b] - points[a])[::-1]))

    outline: list[tuple[float, float]] = []
    before, here = 0, near[0][0]
    for _ in range(2 * (len(points) - 1)):  # walk around the tree, its branches to the left
        back, angle = heading(here, before), heading(before, here)
        after = min(near[here], key=lambda b: (heading(here, b) - back) % (2 * np.pi) or 2 * np.pi)
        outline += _corner(points[here], angle, heading(here, after), reach)
        before, here = here, after
    return np.array([*outline, outline[0]])


def spanning_tree(points: Array) -> NDArray[np.int64]:
    """Return the edges of the shortest tree that joins points [n, 2], int64 [n - 1, 2].

    >>> sorted(map(sorted, spanning_tree(np.array([[0.0, 0.0], [3.0, 0.0], [1.0, 0.0]])).tolist()))
    [[0, 2], [1, 2]]
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import minimum_spanning_tree
    from scipy.spatial import Delaunay

    count, width = len(points), float(np.ptp(points, axis=0).max())
    if count < 5 or not width:
        a, b = np.triu_indices(count, 1)
    else:  # it lies in the Delaunay triangulation, which Qhull finds for points on a line or on each other, too (QJ)
        triangles = Delaunay((points - points.min(0)) / width, qhull_options="QJ").simplices
        sides = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [0, 2]]])
        a, b = np.unique(np.sort(sides, axis=1), axis=0).T
    length = 1 + np.hypot(*(points[a] - points[b]).T)  # 1 more for all changes no tree, and 0 would mean no edge
    tree = minimum_spanning_tree(coo_array((length, (a, b)), shape=(count, count)))
    return np.stack(tree.nonzero(), axis=1).astype(np.int64)


def star_lines(centre: Array, points: Array) -> Array:
    """Return lines from a centre [2] to each of points [n, 2], a NaN row after each: [3 n, 2]."""
    return np.stack([np.broadcast_to(centre, points.shape), points, np.full_like(points, np.nan)], 1).reshape(-1, 2)


def joined(lines: Sequence[Array]) -> NDArray[np.float32]:
    """Return one line for all, x and y [2, k], a NaN after each: one plotly trace draws it 70 times faster than many.

    >>> joined([np.zeros((1, 2)), np.ones((1, 2))])[0].tolist()
    [0.0, nan, 1.0, nan]
    """
    gap = np.full((1, 2), np.nan)
    pieces = np.concatenate([piece for line in lines for piece in (line, gap)] or [gap])
    return pieces.T.astype(np.float32)


def _circle(corners: int, radius: float) -> Array:
    """A closed circle around the origin, [corners + 1, 2]."""
    turn = np.linspace(0, 2 * np.pi, corners + 1)
    return radius * np.stack([np.cos(turn), np.sin(turn)], 1)


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
