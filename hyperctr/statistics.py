"""How sure a number is: bootstrap over users, for one model or for the difference of two on the same pool.

Rows of one user are alike, so resampling rows would promise intervals that are too narrow: users are drawn, with all
their rows. The pooled AUC is not a mean over users, yet it is a ratio of quadratic forms in the user weights w,

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
        users, replicates: how many users were resampled, and how many replicates could be evaluated.
        p_value: of a difference: two-sided, against no difference; None for a plain value. At least
            2 / (replicates + 1), so never 0.

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
        """Return the value with its percentile interval.

        Raises:
            ConfigError: ``level`` is not between 0 and 1.
        """
        return _interval(self.value, self.draws, level, self.users)

    def minus(self, other: PooledAUCDraws, level: float = 0.95) -> Interval:
        """Return this AUC minus that of ``other``, paired, with a p value.

        Raises:
            DataError: the two were not measured on the same draws.
            ConfigError: ``level`` is not between 0 and 1.
        """
        if self.users != other.users or len(self.draws) != len(other.draws):
            these, others = (f"{len(draws.draws)} draws of {draws.users} users" for draws in (self, other))
            raise DataError(f"{these} cannot be paired with {others}: test both on the same pool")
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
    """Pooled AUC of one model with its bootstrap draws over users.

    ``CandidatePool.divide`` gives the four arrays: scores of positives [P] and negatives [Q], and the user of each. A
    replicate without a positive or without a negative is nan in the draws, and is not counted in
    ``Interval.replicates``; 1000 replicates do for a 95 % interval.

    Time: one search of Q scores among P, then P * U + replicates * U^2 operations for U users; memory: about 8 times
    the scores and 4 bytes for each replicate and user, twice.

    Raises:
        ShapeError: arrays of different length.
        DataError: NaN, or one class missing.
        ConfigError: ``replicates`` is under 1.

    >>> users = list(range(8))
    >>> sure = auc_draws([2.0] * 8, [1.0] * 8, users, users, replicates=99)
    >>> difference = sure.minus(auc_draws([1.0] * 8, [1.0] * 8, users, users, replicates=99))
    >>> str(difference), difference.p_value
    ('0.5000 [0.5000, 0.5000]', 0.02)
    """
    sample = UserWins(scores_pos, scores_neg, pos_users, neg_users)
    weights, wins = _weights(sample.count, replicates, seed), np.zeros(replicates)
    step = max(1, CELLS // sample.count)
    for block, table in sample.tables():
        for start in range(0, replicates, step):
            some = weights[start : start + step].astype(np.float64)
            wins[start : start + step] += ((some @ table) * some[:, block]).sum(axis=1)
    pairs = (weights @ sample.positives).astype(np.float64) * (weights @ sample.negatives)
    draws = np.divide(wins, 2 * pairs, out=np.full(replicates, np.nan), where=pairs > 0)
    return PooledAUCDraws(sample.value, draws, sample.count)


def mean_interval(
    values: ArrayLike, users: ArrayLike | None = None, *, replicates: int = 1000, level: float = 0.95, seed: int = 0
) -> Interval:
    """Mean with a bootstrap interval over users: for GAUC, log loss or any number per user or per row.

    Without ``users`` [n] there is one of the ``values`` [n] per user (for GAUC: ``per_user_auc(...).auc`` without its
    nan); with them, users are drawn with all their rows.

    Raises:
        ShapeError: arrays of different length.
        DataError: no values, or NaN.
        ConfigError: ``replicates`` or ``level`` out of bounds.

    >>> interval = mean_interval([0.5, 0.7, 0.9], replicates=500)
    >>> round(interval.value, 3), interval.users
    (0.7, 3)
    """
    array = numbers(values, "values").astype(np.float64)
    if not len(array):
        raise DataError("no values were given, so there is no mean")
    owners = np.arange(len(array)) if users is None else vector(users, "users", len(array))
    known, code = np.unique(owners, return_inverse=True)
    sums, rows = np.bincount(code, array), np.bincount(code)
    weights = _weights(len(known), replicates, seed)
    draws = np.array([(drawn * sums).sum() / (drawn * rows).sum() for drawn in weights])
    return _interval(float(array.mean()), draws, level, len(known))


def _weights(users: int, replicates: int, seed: int) -> NDArray[np.int32]:
    """Return how often each user was drawn, int32 [replicates, users]; every row sums to ``users``."""
    if replicates < 1:
        raise ConfigError(f"replicates={replicates!r} must be at least 1")
    generator = rng(seed, "bootstrap")
    drawn = np.empty((replicates, users), dtype=np.int32)
    for replicate in drawn:
        replicate[:] = np.bincount(generator.integers(users, size=users), minlength=users)
    return drawn


def _interval(value: float, draws: Floats, level: float, users: int, paired: bool = False) -> Interval:
    if not 0 < level < 1:
        raise ConfigError(f"level={level!r} must lie strictly between 0 and 1")
    draws = draws[~np.isnan(draws)]
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2]) if len(draws) else (np.nan, np.nan)
    # One is added to both counts (Davison and Hinkley 1997, 4.2): finitely many replicates never show a p of 0.
    extreme = 1 + min(int((draws <= 0).sum()), int((draws >= 0).sum()))
    p_value = min(1.0, 2 * extreme / (len(draws) + 1)) if paired else None
    return Interval(value, float(low), float(high), level, users, len(draws), p_value)
