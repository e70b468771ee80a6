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

Weighting = Literal["users", "positives", "rows"]
CHUNK = 4_000_000  # scores sorted at a time: 16-32 MB, so 100 M negatives need no more than that


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

    Wins are counted in whole numbers, chunk by chunk of the negatives: 10 M of them cost about 0.1 s and 32 MB. Without
    positives or without negatives it is nan.

    Raises:
        ShapeError: the positives are no vector.
        DataError: a NaN, or something that is no real number; the message names its index.

    >>> auc_from_scores([0.9, 0.4], [0.1, 0.4])
    0.875
    """
    positives, negatives = np.sort(numbers(positive_scores, "positive_scores")), np.asarray(negative_scores).ravel()
    twice = 0  # a win counts 2, a tie 1
    for start in range(0, len(negatives), CHUNK):
        chunk = np.sort(numbers(negatives[start : start + CHUNK], "negative_scores", offset=start))
        twice += sum(int(np.searchsorted(chunk, positives, side=side).sum()) for side in ("left", "right"))
    pairs = len(positives) * len(negatives)
    return twice / (2 * pairs) if pairs else float("nan")


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
    """AUC within each user, ties counting half, by the rank-sum of the positives; no loop over users.

    Labels are bool or 0/1 [n], scores [n], users integers or strings [n]. Time n log n, memory about six times
    ``scores``.

    Raises:
        ShapeError: not vectors of equal length.
        DataError: a NaN score or a label that is not 0 or 1.

    >>> per_user_auc([1, 0, 1, 0, 1], [3.0, 1.0, 0.0, 2.0, 5.0], ["a", "a", "b", "b", "c"]).auc
    array([ 1.,  0., nan])
    """
    truth, values = labelled(labels, scores, "scores")
    owner = vector(users, "users", len(values))
    known, code = np.unique(owner, return_inverse=True)
    # By user, then score. A stable sort of 16-bit codes is a radix sort, ten times faster than lexsort.
    order = np.argsort(values)
    order = order[np.argsort(code[order].astype(np.min_scalar_type(len(known))), kind="stable")]
    code, values, truth = code[order], values[order], truth[order]
    starts_tie = np.ones(len(values), dtype=bool)
    starts_tie[1:] = (values[1:] != values[:-1]) | (code[1:] != code[:-1])
    tie = np.cumsum(starts_tie) - 1
    first = np.flatnonzero(starts_tie)
    last = np.append(first[1:], len(values)) - 1
    rows = np.bincount(code, minlength=len(known))
    positives = np.bincount(code[truth], minlength=len(known))
    begin = np.cumsum(rows) - rows
    # Twice the mid-rank within the user, counted from 1: (first + last of the tie, from 0) + 2.
    twice_rank = (first + last)[tie] + 2 - 2 * begin[code]
    # Rank sums stay below 2^53, so the float64 sums of bincount are exact.
    wins = np.bincount(code[truth], twice_rank[truth], len(known)) / 2 - positives * (positives + 1) / 2
    pairs = positives * (rows - positives)
    area = np.full(len(known), np.nan)
    np.divide(wins, pairs, out=area, where=pairs > 0)
    return PerUser(known, area, positives, rows)


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
