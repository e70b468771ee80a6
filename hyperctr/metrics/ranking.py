"""AUC, pooled and per user: exact, with ties.

Two AUCs with one name in the literature are kept apart. The *pooled* AUC compares every positive with every negative of
the whole test (what the paper reports); the *per-user* AUC (GAUC) compares only within a user, then averages.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hyperctr.errors import ConfigError, DataError, did_you_mean
from hyperctr.metrics.checks import labelled, numbers, vector
from hyperctr.metrics.user_wins import UserWins

Weighting = Literal["users", "positives", "rows"]
CHUNK = 4_000_000  # scores sorted at a time


def auc(labels: ArrayLike, scores: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Pooled area under the ROC curve: the chance that a positive outscores a negative, ties counting half.

    Args:
        labels: bool or 0/1, [n].
        scores: [n], any real dtype; only their order matters, infinities are allowed.
        weights: [n], non-negative, optional: a pair counts the product of its two weights.

    Returns:
        A float in [0, 1]; nan where one class is missing. Time n log n, memory about twice ``scores``.

    Raises:
        ShapeError: not vectors of equal length.
        DataError: a NaN score or a label that is not 0 or 1; the message names its index.

    >>> auc([1, 0, 1, 0], [0.9, 0.1, 0.4, 0.4])
    0.875
    """
    truth, values = labelled(labels, scores, "scores")
    if weights is None:
        return auc_from_scores(values[truth], values[~truth])
    mass = numbers(weights, "weights", len(values)).astype(np.float64)
    if (mass < 0).any():
        raise DataError(f"weights[{int(np.argmax(mass < 0))}] is negative")
    levels, level = np.unique(values, return_inverse=True)
    above = np.bincount(level[truth], mass[truth], len(levels))
    below = np.bincount(level[~truth], mass[~truth], len(levels))
    total = above.sum() * below.sum()
    return float((above * (np.cumsum(below) - below / 2)).sum() / total) if total > 0 else float("nan")


def auc_from_scores(positive_scores: ArrayLike, negative_scores: ArrayLike) -> float:
    """Pooled AUC of positives [P] against negatives of any shape: :func:`auc` without building labels.

    Wins are counted in whole numbers, chunk by chunk of the negatives: beyond the scores and a sorted copy of the
    positives it needs 16 MB for float32, twice that for float64, and 10 M float32 negatives cost about 0.1 s. Without
    positives or without negatives it is nan.

    Raises:
        ShapeError: the positives are no vector.
        DataError: a NaN, or something that is no real number; the message names its index.

    >>> auc_from_scores([0.9, 0.4], [0.1, 0.4])
    0.875
    """
    positives, negatives = np.sort(numbers(positive_scores, "positive_scores")), np.asarray(negative_scores).ravel()
    numbers(negatives[:0], "negative_scores")
    twice = 0
    for start in range(0, len(negatives), CHUNK):
        twice += _twice_won(positives, negatives[start : start + CHUNK], start)
    pairs = len(positives) * len(negatives)
    return twice / (2 * pairs) if pairs else float("nan")


def _twice_won(positives: NDArray[Any], negatives: NDArray[Any], offset: int) -> int:
    """Return how many pairs with some of the negatives are won, times 2, ties counting 1; ``positives`` are sorted."""
    chunk = np.sort(negatives)
    if chunk[-1] != chunk[-1]:  # NaN is sorted to the end
        numbers(negatives, "negative_scores", offset=offset)
    return sum(int(np.searchsorted(chunk, positives, side=side).sum()) for side in ("left", "right"))


class PerUser(NamedTuple):
    """One line per user, ascending by user.

    Attributes:
        users: [U'], the users that occur.
        auc: float64 [U'], nan for a user without a positive or without a negative.
        positives, rows: int64 [U'], counts.
    """

    users: NDArray[Any]
    auc: NDArray[np.float64]
    positives: NDArray[np.int64]
    rows: NDArray[np.int64]


def per_user_auc(labels: ArrayLike, scores: ArrayLike, users: ArrayLike) -> PerUser:
    """AUC within each user, ties counting half; no loop over users.

    Labels are bool or 0/1 [n], scores [n], users integers or strings [n]. Time n log n.

    Raises:
        ShapeError: not vectors of equal length.
        DataError: a NaN score or a label that is not 0 or 1.

    >>> per_user_auc([1, 0, 1, 0, 1], [3.0, 1.0, 0.0, 2.0, 5.0], ["a", "a", "b", "b", "c"]).auc
    array([ 1.,  0., nan])
    """
    truth, values = labelled(labels, scores, "scores")
    owner = vector(users, "users", len(values))
    known, code = np.unique(owner, return_inverse=True)
    wins = UserWins(values[truth], code[truth], len(known), bins=1)
    wins.add(values[~truth], code[~truth])
    return PerUser(known, wins.per_user, wins.positives, wins.positives + wins.negatives)


def gauc(labels: ArrayLike, scores: ArrayLike, users: ArrayLike, weighting: Weighting = "users") -> float:
    """Per-user AUC, averaged over the users that have both classes; nan where no user has.

    Labels, scores and users are those of :func:`per_user_auc`; ``weighting`` says what a user weighs: "users" (all the
    same), "positives" (RecBole) or "rows" (THACIL, FuxiCTR).

    Raises:
        ConfigError: unknown weighting.
        ShapeError: not vectors of equal length.
        DataError: a NaN score or a label that is not 0 or 1.

    >>> gauc([1, 0, 1, 0, 0], [3.0, 1.0, 0.0, 2.0, 2.0], [7, 7, 8, 8, 8])
    0.5
    >>> gauc([1, 0, 1, 0, 0], [3.0, 1.0, 0.0, 2.0, 2.0], [7, 7, 8, 8, 8], weighting="rows")
    0.4
    """
    if weighting not in get_args(Weighting):
        raise ConfigError(f"weighting {weighting!r} is not known; {did_you_mean(str(weighting), get_args(Weighting))}")
    each = per_user_auc(labels, scores, users)
    valid = ~np.isnan(each.auc)
    if not valid.any():
        return float("nan")
    weight = {"users": np.ones(len(each.rows)), "positives": each.positives, "rows": each.rows}[weighting]
    return float(np.average(each.auc[valid], weights=weight[valid]))
