"""Who outscores whom, by user: what AUC per user and a bootstrap over users need to know of a pool, counted once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hyperctr.metrics.checks import numbers, vector

CHUNK = 1 << 21  # negatives counted at a time
CELLS = 1 << 23  # users x bins, 4 bytes each
BLOCK = 1 << 20  # of which so many are worked on at a time
FEWEST = 64  # bins, however many users there are


class UserWins:
    """Pooled scores, taken apart by user: the positives at once, the negatives in any number of pieces.

    With K[u, v] = how often a positive of user u outscores a negative of user v (ties half), and any weights w of
    users, the weighted pooled AUC is ``w K w / (w positives * w negatives)``. K itself, users x users, is never made.
    A positive beats a negative by its *level* (distinct score of a positive), so ``w K w`` follows from how many
    negatives of each user stand below each level. Users x levels are too many cells for large data: neighbouring
    levels then share one of ``bins``. Pairs from different bins are still counted exactly; pairs within a bin enter
    with what K sums to over its rows and over its columns, that is to first order in ``w - 1`` (Hajek's projection),
    which is exact where all weigh 1. So time and memory grow with users and scores, not with users squared: 34 MB for
    up to 130,000 users, 280 bytes for each one beyond, 110 for each positive.

    Args:
        scores: [P], of the positives.
        users: int [P], user of each, 0..count - 1.
        count: U, number of users.
        bins: at most so many; by default ``CELLS / count``, and not under ``FEWEST``.

    Attributes:
        positives, negatives: int64 [U], how many each user has.
        exact: whether every level has a bin of its own.

    Raises:
        ShapeError: arrays of different length.
        DataError: NaN, or something that is no real number.

    >>> wins = UserWins([3.0, 1.0], [0, 1], 2)
    >>> wins.add([2.0, 1.0], [0, 1])
    >>> wins.value, wins.per_user, wins.twice(np.array([[1.0, 1.0], [2.0, 0.0]])) / 2
    (0.625, array([1. , 0.5]), array([2.5, 4. ]))
    """

    def __init__(self, scores: ArrayLike, users: ArrayLike, count: int, bins: int | None = None) -> None:
        values = numbers(scores, "positive scores")
        owners = vector(users, "pos_users", len(values)).astype(np.int64)
        self.count = count
        self._levels, level = np.unique(values, return_inverse=True)
        # A negative stands at a place: 2 j is between levels j - 1 and j, 2 j + 1 is level j itself, a tie.
        self._places = 2 * len(self._levels) + 1
        self._keys = np.sort(owners * self._places + 2 * level + 1)  # of the positives, by user, then level
        self._owner, place = np.divmod(self._keys, self._places)
        self._level = place // 2
        size = np.bincount(level, minlength=len(self._levels))
        beaten_by = len(values) - np.append(0, np.cumsum(size))  # positives at or above each level
        self._lost = np.repeat(beaten_by, 2)[:-1] + np.repeat(beaten_by, 2)[1:]  # twice, by place
        self.positives = np.bincount(self._owner, minlength=count)
        self.negatives = np.zeros(count, dtype=np.int64)
        self._at_place = np.zeros(self._places, dtype=np.int64)  # negatives at each place
        self._own = np.zeros(len(values), dtype=np.int64)  # twice the wins of each positive over its own user
        self._losses = np.zeros(count)  # column sums of 2 K; whole numbers, as all that is summed here

        bins = bins or max(FEWEST, CELLS // max(count, 1))
        self.exact = len(self._levels) <= bins
        bin_of_level = np.arange(len(self._levels))
        if not self.exact:  # about as many positives in each
            bin_of_level = np.unique((np.cumsum(size) - size) * bins // len(values), return_inverse=True)[1]
        bin_count = int(bin_of_level[-1]) + 1 if len(bin_of_level) else 0
        # By place of a negative: the bin from which on positives tie with it at least, and from which on they win.
        self._ties = np.append(np.repeat(bin_of_level, 2), bin_count)
        self._loses = np.append(0, np.repeat(bin_of_level + 1, 2))
        # Two for each negative: one where it ties, one where it loses.
        self._below = np.zeros((count, bin_count + 1), dtype=np.int32)
        self._by_bin = np.argsort(self._level, kind="stable")
        self._starts = np.searchsorted(bin_of_level[self._level[self._by_bin]], np.arange(bin_count))
        self._rest: NDArray[np.float64] | None = None

    def add(self, scores: ArrayLike, users: ArrayLike) -> None:
        """Count negatives [Q] with the user of each; ``CHUNK`` of them at a time, which takes some 50 bytes for each.

        Raises:
            ShapeError: arrays of different length.
            DataError: NaN, or something that is no real number.
        """
        values = numbers(scores, "negative scores")
        owners = vector(users, "neg_users", len(values))
        self._rest = None
        for start in range(0, len(values), CHUNK):
            self._add(values[start : start + CHUNK], owners[start : start + CHUNK])

    def _add(self, values: NDArray[np.generic], owners: NDArray[np.int64]) -> None:
        order = np.argsort(values)
        values, owners = values[order], owners[order]
        del order
        ends = np.empty(self._places, dtype=np.int64)
        ends[0::2] = np.append(np.searchsorted(values, self._levels, side="left"), len(values))
        ends[1::2] = np.searchsorted(values, self._levels, side="right")
        at_place = np.diff(ends, prepend=0)
        self._at_place += at_place
        self.negatives += np.bincount(owners, minlength=self.count)
        self._losses += np.bincount(owners, np.repeat(self._lost, at_place), self.count)
        keys = np.repeat(np.arange(self._places), at_place)
        keys += owners * self._places
        keys.sort()
        begin = np.searchsorted(keys, np.arange(self.count + 1) * self._places)
        for side in ("left", "right"):
            self._own += np.searchsorted(keys, self._keys, side=side) - begin[self._owner]
        for users, part in self._blocks():
            first, width = users.start, part.shape[1]
            owner, place = np.divmod(keys[begin[first] : begin[first + len(part)]], self._places)
            row = (owner - first) * width
            for bins in (self._ties, self._loses):
                part += np.bincount(row + bins[place], minlength=part.size).reshape(part.shape)

    @property
    def value(self) -> float:
        """Pooled AUC, exact; nan without positives or without negatives."""
        pairs = int(self.positives.sum()) * int(self.negatives.sum())
        return int(self._at_place @ self._lost) / (2 * pairs) if pairs else float("nan")

    @property
    def per_user(self) -> NDArray[np.float64]:
        """AUC within each user [U], exact; nan for a user without a positive or without a negative."""
        pairs, area = self.positives * self.negatives, np.full(self.count, np.nan)
        # Wins stay below 2^53, so the float64 sums of bincount are exact.
        np.divide(np.bincount(self._owner, self._own, self.count) / 2, pairs, out=area, where=pairs > 0)
        return area

    def twice(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return 2 w K w for weights [R, U] of users: float64 [R].

        With whole weights every number on the way is whole, so the result depends neither on the order of rows nor on
        the number of threads. Time R * (P + U * bins).
        """
        if self._rest is None:
            self._rest = self._within_bins()
        if not len(self._starts):
            return np.zeros(len(weights))
        above = np.add.reduceat(weights[:, self._owner[self._by_bin]], self._starts, axis=1)
        below = np.zeros((len(weights), self._below.shape[1]))
        for users, part in self._blocks():
            below += weights[:, users] @ part.astype(np.float64)
        below = np.cumsum(below, axis=1)[:, :-1]
        return np.asarray((above * below).sum(axis=1) + (weights @ self._rest - 0.5 * self._rest.sum()))

    def _blocks(self) -> Iterator[tuple[slice, NDArray[np.int32]]]:
        """Yield the negatives below each bin, of some users at a time; to read, or to add to."""
        step = max(1, BLOCK // self._below.shape[1])
        for first in range(0, self.count, step):
            yield slice(first, first + step), self._below[first : first + step]

    def _within_bins(self) -> NDArray[np.float64]:
        """Return what bins miss of 2 K, by user: row sums plus column sums, [U]; zero where bins are levels."""
        wins = np.cumsum(2 * self._at_place)[1::2] - self._at_place[1::2]  # twice, of a positive on each level
        rows = np.bincount(self._owner, wins[self._level], self.count)
        width = self._below.shape[1]
        size = np.diff(np.append(self._starts, len(self._level)))
        bin_of = np.repeat(np.arange(width - 1), size)  # of the positives in the order of `_by_bin`
        binned = np.bincount(self._owner[self._by_bin], np.cumsum(self._below.sum(axis=0))[bin_of], self.count)
        beaten_by = np.append(np.cumsum(size[::-1])[::-1], 0).astype(np.float64)
        rest = rows - binned + self._losses
        for users, part in self._blocks():
            rest[users] -= part.astype(np.float64) @ beaten_by
        return np.asarray(rest)
