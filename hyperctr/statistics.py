"""How sure a number is: bootstrap over users, for one model or for the difference of two on the same pool.

Rows of one user are alike, so resampling rows would promise intervals that are too narrow: users are drawn,
with all their rows. The pooled AUC is not a mean over users, yet it is a ratio of quadratic forms in the
user weights w,

    AUC(w) = sum_uv w_u w_v K[u, v] / (sum_u w_u P[u] * sum_v w_v N[v]),

where K[u, v] counts how often a positive of u outscores a negative of v and P, N count positives and
negatives (:mod:`hyperctr.metrics.user_wins`). K is counted once; a replicate is then a product with it.
Everything summed is a whole number below 2^53, so replicates are exact, whatever the number of threads.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hyperctr.errors import ConfigError, DataError
from hyperctr.metrics.checks import numbers, vector
from hyperctr.metrics.user_wins import CELLS, UserWins
from hyperctr.runtime import rng

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """A value with its percentile bootstrap interval over users.

    Attributes:
        value: computed on the data as they are.
        low, high: bounds; nan if every replicate lacked one class.
        level: coverage aimed at, for example 0.95.
        users: number of users resampled.
        replicates: number of replicates that could be evaluated.
        p_value: of a difference: two-sided, against no difference; None for a plain value. Never 0: at
            least
            2 / (replicates + 1).

    >>> print(Interval(0.81234, 0.80111, 0.82222, 0.95, 610, 1000))
    0.8123 [0.8011, 0.8222]
    """

    value: float
    low: float
    high: float
    level: float
    users: int
    replicates: int
    p_value: float | None = None

    @property
    def excludes_zero(self) -> bool:
        """Whether zero lies outside the interval (False where it is nan)."""
        return self.low > 0 or self.high < 0

    def __str__(self) -> str:
        return f"{self.value:.4f} [{self.low:.4f}, {self.high:.4f}]"


@dataclass(frozen=True)
class PooledAUCDraws:
    """A pooled AUC and what it would have been on every bootstrap draw of users.

    The draws depend on the seed and the number of users only. Two models tested on the same pool therefore met the
    same draws, and their paired difference is one subtraction, whenever and wherever each of them was tested.

    Attributes:
        value: on the data as they are.
        draws: float64 [replicates], nan where a draw lacked one class.
        users: number of users resampled.
    """

    value: float
    draws: Floats
    users: int

    def interval(self, level: float = 0.95) -> Interval:
        """Return the value with its percentile interval."""
        return _interval(self.value, self.draws, level, self.users)

    def minus(self, other: PooledAUCDraws, level: float = 0.95) -> Interval:
        """Return this AUC minus that of ``other``, paired, with a p value.

        Raises:
            DataError: the two were not measured on the same draws.
        """
        if self.users != other.users or len(self.draws) != len(other.draws):
            sizes = [f"{len(one.draws)} draws of {one.users} users" for one in (self, other)]
            raise DataError(f"{sizes[0]} cannot be paired with {sizes[1]}: test both on the same pool")
        return _interval(self.value - other.value, self.draws - other.draws, level, self.users, paired=True)


def auc_draws(
    scores_pos: ArrayLike,
    scores_neg: ArrayLike,
    pos_users: ArrayLike,
    neg_users: ArrayLike,
    *,
    replicates: int = 1000,
    seed: int = 0,
) -> PooledAUCDraws:
    """Pooled AUC and its bootstrap draws over users; arguments, costs and errors as :func:`auc_interval`.

    >>> users = list(range(8))
    >>> sure = auc_draws([2.0] * 8, [1.0] * 8, users, users, replicates=99)
    >>> str(sure.minus(auc_draws([1.0] * 8, [1.0] * 8, users, users, replicates=99)))
    '0.5000 [0.5000, 0.5000]'
    """
    sample = UserWins(scores_pos, scores_neg, pos_users, neg_users)
    return PooledAUCDraws(sample.value, _areas(sample, _checked(replicates, 0.95), seed), sample.count)


def auc_interval(
    scores_pos: ArrayLike,
    scores_neg: ArrayLike,
    pos_users: ArrayLike,
    neg_users: ArrayLike,
    *,
    replicates: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Pooled AUC with a bootstrap interval over users.

    ``CandidatePool.divide`` gives the four arrays. A replicate without a positive or without a negative is
    left out and not counted in ``Interval.replicates``.

    Args:
        scores_pos: [P], scores of the positives; only their order matters.
        scores_neg: [Q], scores of the negatives.
        pos_users: [P], user of each positive.
        neg_users: [Q], user of each negative.
        replicates: at least 1; 1000 for a 95 % interval.
        level: strictly between 0 and 1.
        seed: of the draws of users.

    Returns:
        An :class:`Interval`. Time: one search of Q scores among P, then P * U + replicates * U^2 operations
        for U users; memory about 8 times the scores and 4 bytes for each replicate and user, twice.

    Raises:
        ShapeError, DataError: arrays of different length, NaN, or one class missing.
        ConfigError: ``replicates`` or ``level`` out of bounds.

    >>> found = auc_interval([3.0, 1.0, 2.0], [0.0, 2.0, 1.0], [0, 1, 2], [0, 1, 2], replicates=200)
    >>> round(found.value, 4), found.users, found.low <= found.value <= found.high
    (0.7778, 3, True)
    """
    _checked(replicates, level)
    return auc_draws(scores_pos, scores_neg, pos_users, neg_users, replicates=replicates, seed=seed).interval(level)


def paired_auc_difference(
    a_pos: ArrayLike,
    a_neg: ArrayLike,
    b_pos: ArrayLike,
    b_neg: ArrayLike,
    pos_users: ArrayLike,
    neg_users: ArrayLike,
    *,
    replicates: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Pooled AUC of model A minus that of model B on the same candidates, with interval and p value.

    Both models meet the same draws of users, so what makes a draw easy or hard for both cancels.

    Args:
        a_pos: [P], scores that A gives to the positives.
        a_neg: [Q], scores that A gives to the negatives.
        b_pos: [P], scores of B, in the order of A's; the two need not be on one scale.
        b_neg: [Q], scores of B.
        pos_users: [P], user of each positive.
        neg_users: [Q], user of each negative.
        replicates: at least 1.
        level: strictly between 0 and 1.
        seed: of the draws of users.

    Returns:
        An :class:`Interval` whose ``value`` is AUC(A) - AUC(B), with ``p_value``.

    Raises:
        ShapeError, DataError, ConfigError: as :func:`auc_interval`.

    >>> users = list(range(8))
    >>> tied = [1.0] * 8
    >>> better = paired_auc_difference([2.0] * 8, tied, tied, tied, users, users, replicates=99)
    >>> str(better), better.p_value
    ('0.5000 [0.5000, 0.5000]', 0.02)
    """
    settled = {"replicates": _checked(replicates, level), "seed": seed}
    a = auc_draws(a_pos, a_neg, pos_users, neg_users, **settled)
    return a.minus(auc_draws(b_pos, b_neg, pos_users, neg_users, **settled), level)


def mean_interval(
    values: ArrayLike, users: ArrayLike | None = None, *, replicates: int = 1000, level: float = 0.95, seed: int = 0
) -> Interval:
    """Mean with a bootstrap interval over users: for GAUC, log loss or any number per user or per row.

    Args:
        values: [n]. Without ``users`` one value per user (for GAUC: ``per_user_auc(...).auc`` without its
            nan).
        users: [n], optional: the user of each value; users are drawn with all their rows.
        replicates: at least 1.
        level: strictly between 0 and 1.
        seed: of the draws of users.

    Raises:
        ShapeError, DataError: no values, NaN, or arrays of different length.
        ConfigError: ``replicates`` or ``level`` out of bounds.

    >>> found = mean_interval([0.5, 0.7, 0.9], replicates=500)
    >>> round(found.value, 3), found.users
    (0.7, 3)
    """
    value, draws, count = _means(values, users, _checked(replicates, level), seed)
    return _interval(value, draws, level, count)


def paired_mean_difference(
    a: ArrayLike,
    b: ArrayLike,
    users: ArrayLike | None = None,
    *,
    replicates: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Mean of ``a - b`` (in one order) with interval and p value; the rest as in :func:`mean_interval`.

    >>> paired_mean_difference([0.5, 0.7], [0.4, 0.6], replicates=199).excludes_zero
    True
    """
    first = numbers(a, "a")
    difference = first.astype(np.float64) - numbers(b, "b", len(first))
    value, draws, count = _means(difference, users, _checked(replicates, level), seed)
    return _interval(value, draws, level, count, paired=True)


def _areas(sample: UserWins, replicates: int, seed: int) -> Floats:
    weights = _weights(sample.count, replicates, seed)
    wins = np.zeros(replicates)
    step = max(1, CELLS // sample.count)
    for block, table in sample.tables():
        for start in range(0, replicates, step):
            some = weights[start : start + step].astype(np.float64)
            wins[start : start + step] += ((some @ table) * some[:, block]).sum(axis=1)
    pairs = (weights @ sample.positives).astype(np.float64) * (weights @ sample.negatives)
    areas: Floats = np.divide(wins, 2 * pairs, out=np.full(replicates, np.nan), where=pairs > 0)
    return areas


def _means(values: ArrayLike, users: ArrayLike | None, replicates: int, seed: int) -> tuple[float, Floats, int]:
    array = numbers(values, "values").astype(np.float64)
    if not len(array):
        raise DataError("no values were given, so there is no mean")
    owners = np.arange(len(array)) if users is None else vector(users, "users", len(array))
    known, code = np.unique(owners, return_inverse=True)
    sums, rows = np.bincount(code, array), np.bincount(code)
    weights = _weights(len(known), replicates, seed)
    draws = np.array([(drawn * sums).sum() / (drawn * rows).sum() for drawn in weights])
    return float(array.mean()), draws, len(known)


def _weights(users: int, replicates: int, seed: int) -> NDArray[np.int32]:
    """Return how often each user was drawn, int32 [replicates, users]; every row sums to ``users``."""
    generator = rng(seed, "bootstrap")
    drawn = np.empty((replicates, users), dtype=np.int32)
    for replicate in drawn:
        replicate[:] = np.bincount(generator.integers(users, size=users), minlength=users)
    return drawn


def _interval(value: float, draws: Floats, level: float, users: int, paired: bool = False) -> Interval:
    draws = draws[~np.isnan(draws)]
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2]) if len(draws) else (np.nan, np.nan)
    # One is added to both counts (Davison and Hinkley 1997, 4.2): finitely many replicates never show a p
    # of 0.
    extreme = 1 + min(int((draws <= 0).sum()), int((draws >= 0).sum()))
    p_value = min(1.0, 2 * extreme / (len(draws) + 1)) if paired else None
    return Interval(value, float(low), float(high), level, users, len(draws), p_value)


def _checked(replicates: int, level: float) -> int:
    if replicates < 1 or not 0 < level < 1:
        raise ConfigError(f"replicates={replicates!r} must be at least 1 and level={level!r} strictly between 0 and 1")
    return int(replicates)
