"""AUC, pooled and per user: exact, with ties.

Two AUCs with one name in the literature are kept apart. The *pooled* AUC compares every positive with every negative of
the whole test (what the paper reports); the *per-user* AUC (GAUC) compares only within a user, then averages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
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
    negatives = np.asarray(negative_scores).ravel()
    numbers(negatives[:0], "negative_scores")
    return _auc_of_pieces(positive_scores, (negatives[i : i + CHUNK] for i in range(0, len(negatives), CHUNK)))


def auc_centred(
    positive_scores: ArrayLike,
    positive_users: ArrayLike,
    users: int,
    negatives: Callable[[], Iterable[tuple[NDArray[Any], NDArray[np.int64]]]],
) -> float:
    """Pooled AUC after each user's mean score was subtracted from the user's scores.

    The pooled AUC compares pairs of different users, and so punishes scores that are good within a user but lie higher
    for one user than for another. This one does not; minus the pooled AUC it says what that costs.

    The means are over positives and negatives alike, taken from differences to the user's first positive, so that a
    score that depends on the user alone is centred to exactly 0. Time is that of sorting the pieces, linear in users;
    memory is two sums for each user and one piece.

    Args:
        positive_scores: [P].
        positive_users: int [P], user of each, 0 to users - 1.
        users: how many there are.
        negatives: called twice; yields scores [q] with the user of each, in pieces of any size. The result does not
            depend on how they are cut.

    Returns:
        A float in [0, 1]; nan without positives or without negatives.

    Raises:
        ShapeError: not vectors of equal length.
        DataError: a NaN, or something that is no real number.

    >>> positives, negatives = np.array([3.0, 13.0]), (np.array([1.0, 2.0, 11.0]), np.array([0, 0, 1]))
    >>> round(auc_from_scores(positives, negatives[0]), 3), auc_centred(positives, [0, 1], 2, lambda: [negatives])
    (0.833, 1.0)
    """
    values = numbers(positive_scores, "positive_scores").astype(np.float64)
    owners = vector(positive_users, "positive_users", len(values)).astype(np.int64)
    start, total, count = np.zeros(users), np.zeros(users), np.zeros(users, dtype=np.int64)
    start[owners[::-1]] = values[::-1]
    np.add.at(total, owners, values - start[owners])  # one by one, unlike bincount: cuts between pieces do not show
    count += np.bincount(owners, minlength=users)
    for scores, users_of in negatives():
        np.add.at(total, users_of, numbers(scores, "negative_scores") - start[users_of])
        count += np.bincount(users_of, minlength=users)
    mean = total / np.maximum(count, 1)
    pieces = (scores - start[users_of] - mean[users_of] for scores, users_of in negatives())
    return _auc_of_pieces(values - start[owners] - mean[owners], pieces)


def _auc_of_pieces(positive_scores: ArrayLike, pieces: Iterable[NDArray[Any]]) -> float:
    """Return the pooled AUC against negatives in pieces, which are sorted one at a time."""
    positives, twice, seen = np.sort(numbers(positive_scores, "positive_scores")), 0, 0
    for piece in filter(len, pieces):
        twice += _twice_won(positives, piece, seen)
        seen += len(piece)
    pairs = len(positives) * seen
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
