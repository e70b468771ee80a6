"""How sure a number is: bootstrap over users, for one model or for the difference of two on the same pool.

Rows of one user are alike, so resampling rows would promise intervals that are too narrow: users are drawn, with all
their rows. The pooled AUC is not a mean over users, yet it is a ratio of quadratic forms in the user weights w,

    AUC(w) = sum_uv w_u w_v K[u, v] / (sum_u w_u P[u] * sum_v w_v N[v]),

where K[u, v] counts how often a positive of u outscores a negative of v and P, N count positives and negatives. What
w K w needs is counted once (:class:`~hyperctr.metrics.user_wins.UserWins`), in time linear in users and scores.
Everything summed is a whole number below 2^53, so a replicate is the same whatever the number of threads. It is exact
where users times distinct scores of positives are 8 million at most, or the latter 64. Beyond that scores share bins,
and a replicate is off by less than a hundredth of the standard deviation of the replicates (a difference of two models
by less than a twentieth of its own, users of very unequal weight included), far less than the Monte-Carlo error of 1000
replicates: exact and binned replicates of the same users and seed may be stored side by side, and subtracted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hyperctr.errors import ConfigError, DataError
from hyperctr.metrics.checks import numbers, vector
from hyperctr.metrics.user_wins import UserWins
from hyperctr.runtime import rng
from hyperctr.written import show_interval, show_number

Floats = NDArray[np.float64]
BLOCK = 1 << 22  # weights, or weights of rows, held at a time


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
        return f"{show_number(self.value)} {show_interval(self.low, self.high)}".strip()


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

    @classmethod
    def of(cls, wins: UserWins, *, replicates: int = 1000, seed: int = 0) -> PooledAUCDraws:
        """Draw users of a pool whose wins are counted.

        A replicate without a positive or without a negative is nan in the draws, and is not counted in
        ``Interval.replicates``; 1000 replicates do for a 95 % interval. Time: replicates * (positives + users * bins),
        see :class:`~hyperctr.metrics.user_wins.UserWins` for the bins; memory: some 100 MB beyond the wins.

        Raises:
            DataError: one class is missing.
            ConfigError: ``replicates`` is under 1.
        """
        positives, negatives = int(wins.positives.sum()), int(wins.negatives.sum())
        if not positives or not negatives:
            raise DataError(f"{positives} positives and {negatives} negatives: AUC needs one of each at least")
        draws = []
        for weights in _weights(wins.count, replicates, seed, positives):
            pairs = (weights @ wins.positives) * (weights @ wins.negatives)
            draws.append(np.full(len(weights), np.nan))
            np.divide(wins.twice(weights), 2 * pairs, out=draws[-1], where=pairs > 0)
        return cls(wins.value, np.concatenate(draws), wins.count)

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

    Scores of positives [P] and negatives [Q], and the user of each, integers or strings. ``PoolScores.wins`` counts the
    same of a scored pool, piece by piece.

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
    positives, negatives = numbers(scores_pos, "positive scores"), numbers(scores_neg, "negative scores")
    owners = (vector(pos_users, "pos_users", len(positives)), vector(neg_users, "neg_users", len(negatives)))
    known, user = np.unique(np.concatenate(owners), return_inverse=True)
    wins = UserWins(positives, user[: len(positives)], len(known))
    wins.add(negatives, user[len(positives) :])
    return PooledAUCDraws.of(wins, replicates=replicates, seed=seed)


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
    blocks = _weights(len(known), replicates, seed, len(known))
    draws = np.array([(drawn * sums).sum() / (drawn * rows).sum() for weights in blocks for drawn in weights])
    return _interval(float(array.mean()), draws, level, len(known))


def _weights(users: int, replicates: int, seed: int, size: int) -> Iterator[Floats]:
    """Yield how often each user was drawn, float64 [block, users] of whole numbers; every row sums to ``users``.

    A block has so many rows that ``size`` numbers for each are ``BLOCK`` at most; the draws do not depend on it.
    """
    if replicates < 1:
        raise ConfigError(f"replicates={replicates!r} must be at least 1")
    generator = rng(seed, "bootstrap")
    step = max(1, BLOCK // max(users, size))
    for start in range(0, replicates, step):
        drawn = np.empty((min(step, replicates - start), users))
        for replicate in drawn:
            replicate[:] = np.bincount(generator.integers(users, size=users), minlength=users)
        yield drawn


def _interval(value: float, draws: Floats, level: float, users: int, paired: bool = False) -> Interval:
    if not 0 < level < 1:
        raise ConfigError(f"level={level!r} must lie strictly between 0 and 1")
    draws = draws[~np.isnan(draws)]
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2]) if len(draws) else (np.nan, np.nan)
    # One is added to both counts (Davison and Hinkley 1997, 4.2): finitely many replicates never show a p of 0.
    extreme = 1 + min(int((draws <= 0).sum()), int((draws >= 0).sum()))
    p_value = min(1.0, 2 * extreme / (len(draws) + 1)) if paired else None
    return Interval(value, float(low), float(high), level, users, len(draws), p_value)
