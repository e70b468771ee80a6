"""Who outscores whom, by user: what a bootstrap over users needs to know of a pooled AUC."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hyperctr.errors import DataError
from hyperctr.metrics.checks import numbers, vector

CELLS = 1 << 23  # cells of the largest temporary matrix: 64 MB


class UserWins:
    """Pooled scores, taken apart by user.

    With K[u, v] = how often a positive of user u outscores a negative of user v (ties half), and any
    weights w of users, the weighted pooled AUC is ``w K w / (w positives * w negatives)``. Weights of 1
    give the plain one, ``value``.

    Args:
        pos, neg: [P] and [Q], scores of the positives and of the negatives.
        pos_users, neg_users: [P] and [Q], user of each, integers or strings.

    Attributes:
        count: U, number of users that occur.
        positives, negatives: int64 [U], how many each user has, ascending by user.
        value: pooled AUC.

    Raises:
        ShapeError: arrays of different length.
        DataError: NaN, or one class missing.

    >>> pooled = UserWins([3.0, 1.0], [2.0, 1.0], ["a", "b"], ["a", "b"])
    >>> [table / 2 for _, table in pooled.tables()]
    [array([[1. , 1. ], [0. , 0.5]])]
    """

    def __init__(self, pos: ArrayLike, neg: ArrayLike, pos_users: ArrayLike, neg_users: ArrayLike) -> None:
        positives, negatives = numbers(pos, "positive scores"), numbers(neg, "negative scores")
        owners = (vector(pos_users, "pos_users", len(positives)), vector(neg_users, "neg_users", len(negatives)))
        if not len(positives) or not len(negatives):
            counts = f"{len(positives)} positives and {len(negatives)} negatives"
            raise DataError(f"{counts}: AUC needs one of each at least")
        known, code = np.unique(np.concatenate(owners), return_inverse=True)
        self.count = len(known)
        order = np.argsort(code[: len(positives)], kind="stable")
        self.pos_users, self.neg_users = code[: len(positives)][order], code[len(positives) :]
        self.positives = np.bincount(self.pos_users, minlength=self.count)
        self.negatives = np.bincount(self.neg_users, minlength=self.count)
        # A negative loses to every positive from place `loses` on, and ties with those in `ties`..`loses`.
        levels, self.level = np.unique(positives[order], return_inverse=True)
        self.loses = np.searchsorted(levels, negatives, side="right")
        self.ties = np.searchsorted(levels, negatives, side="left")
        self.levels = len(levels)
        wins = np.bincount(self.loses, minlength=self.levels + 1) + np.bincount(self.ties, minlength=self.levels + 1)
        twice = int(np.cumsum(wins)[self.level].sum())
        self.value = twice / (2 * len(positives) * len(negatives))

    def tables(self) -> Iterator[tuple[slice, NDArray[np.float64]]]:
        """Yield 2 K[:, v] for blocks of users v, float64 [U, block]: a win counts 2, a tie 1.

        Time P * U beyond sorting; a block has at most ``CELLS`` cells.
        """
        width = max(1, min(self.count, CELLS // max(len(self.level), self.levels + 1, self.count)))
        order = np.argsort(self.neg_users, kind="stable")
        owners = self.neg_users[order]
        starts = np.flatnonzero(np.diff(self.pos_users, prepend=-1))
        for first in range(0, self.count, width):
            block = slice(first, min(first + width, self.count))
            size = block.stop - first
            rows = order[slice(*np.searchsorted(owners, [first, block.stop]))]
            owner = self.neg_users[rows] - first
            below = np.zeros((self.levels + 1) * size, dtype=np.int64)
            for place in (self.loses, self.ties):
                below += np.bincount(place[rows] * size + owner, minlength=len(below))
            below = np.cumsum(below.reshape(-1, size), axis=0)[self.level]  # [P, size]
            wins = np.zeros((self.count, size))
            wins[self.pos_users[starts]] = np.add.reduceat(below, starts, axis=0)
            yield block, wins
