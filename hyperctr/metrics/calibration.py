"""Log loss, and whether a probability means what it says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hyperctr.errors import ConfigError
from hyperctr.metrics.checks import chances, labelled

SMALLEST = 1e-15  # probabilities are kept that far from 0 and 1 in the log loss


def log_loss(labels: ArrayLike, probabilities: ArrayLike) -> float:
    """Mean negative log-likelihood in nats, with probabilities clipped to [1e-15, 1 - 1e-15] in float64.

    Read it on a pool with one negative per positive (``hyperctr.evaluation.balanced``) and say so: at
    1:1000, guessing the base rate already gives 0.008, at 1:1 it gives 0.693.

    Args:
        labels: bool or 0/1, [n]; one class alone is fine.
        probabilities: [n], in [0, 1].

    Returns:
        A float >= 0; nan for no rows.

    Raises:
        ShapeError: not vectors of equal length.
        DataError: NaN, a value outside [0, 1] or a label that is not 0 or 1; the message names its index.

    >>> round(log_loss([1, 0], [0.5, 0.5]), 4)
    0.6931
    """
    truth, values = labelled(labels, probabilities, "probabilities")
    chance = np.clip(chances(values), SMALLEST, 1 - SMALLEST)
    return float(-np.log(np.where(truth, chance, 1 - chance)).mean()) if len(chance) else float("nan")


def prior_corrected(probabilities: ArrayLike, train_prior: float, test_prior: float) -> NDArray[np.float64]:
    """Move probabilities learnt at one share of positives to another share.

    The logit is shifted by ``log(pi_test / (1 - pi_test)) - log(pi_train / (1 - pi_train))``; done on the
    odds, so 0 and 1 stay what they are. With n negatives per click the share of positives is 1 / (1 + n).

    Args:
        probabilities: any shape, in [0, 1]; the result is float64 of the same shape.
        train_prior: share of positives in training, strictly between 0 and 1.
        test_prior: share of positives where the probabilities are to hold.

    Raises:
        ConfigError: a prior that is not strictly between 0 and 1.
        DataError: NaN or a value outside [0, 1].

    >>> prior_corrected([0.5, 1.0], train_prior=0.5, test_prior=0.2)
    array([0.2, 1. ])
    """
    for name, prior in (("train_prior", train_prior), ("test_prior", test_prior)):
        if not 0 < prior < 1:
            example = "for example 0.2 for 4 negatives a click"
            raise ConfigError(f"{name}={prior!r} must lie strictly between 0 and 1, {example}")
    values = np.asarray(probabilities, dtype=np.float64)
    chance = chances(values.ravel()).reshape(values.shape)
    odds = test_prior / (1 - test_prior) * (1 - train_prior) / train_prior
    return np.asarray(chance * odds / (chance * odds + (1 - chance)))


def calibration_error(labels: ArrayLike, probabilities: ArrayLike, bins: int = 15) -> float:
    """Expected calibration error: mean of ``|mean prediction - share of positives|`` over bins.

    Bins hold equal numbers of rows (and weigh what they hold), by the rank of the prediction. Equal predictions always
    share a bin, so the value does not depend on the order of rows (and a constant prediction has one bin). Labels are
    bool or 0/1 [n], probabilities [n] in [0, 1]; for no rows it is nan.

    Raises:
        ConfigError: ``bins`` under 1.
        ShapeError: not vectors of equal length.
        DataError: NaN, a value outside [0, 1] or a label that is not 0 or 1.

    >>> calibration_error([1, 0, 1, 1], [0.5, 0.5, 1.0, 1.0], bins=2)
    0.0
    """
    if bins < 1:
        raise ConfigError(f"bins={bins!r} must be at least 1")
    truth, values = labelled(labels, probabilities, "probabilities")
    chance = chances(values)
    if not len(chance):
        return float("nan")
    bin_of = equal_count_bins(chance, bins)
    gaps = np.bincount(bin_of, chance, bins) - np.bincount(bin_of, truth, bins)
    return float(np.abs(gaps).sum() / len(chance))


def equal_count_bins(values: NDArray[Any], bins: int) -> NDArray[np.int64]:
    """Return the bin of each value [n], 0 to bins - 1 in ascending order: as many in each, equal values in one.

    >>> equal_count_bins(np.array([0.3, 0.1, 0.9, 0.1]), 2)
    array([1, 0, 1, 0])
    """
    order = np.argsort(values)
    ascending = values[order]
    place = np.arange(len(values))  # of each row: where its run of equal values starts
    place[1:][ascending[1:] == ascending[:-1]] = 0
    bin_of = np.empty(len(values), dtype=np.int64)
    bin_of[order] = np.maximum.accumulate(place) * bins // max(1, len(values))
    return bin_of


def reliability_bins(
    labels: ArrayLike, scores: ArrayLike, predictions: Mapping[str, ArrayLike], bins: int = 15
) -> dict[str, NDArray[Any]]:
    """Sum pairs up by bins of their score, for a diagram of the observed share of clicks against what was predicted.

    Bins are those of :func:`equal_count_bins`; those that ties leave empty are left out.

    Args:
        labels: bool or 0/1, [n].
        scores: [n], what the pairs are ordered by.
        predictions: name -> probabilities [n] that rise with the scores.
        bins: how many at most.

    Returns:
        ``pairs`` and ``clicks`` of each bin, int64, and under each name its mean prediction, float64.

    Raises:
        ShapeError: not vectors of equal length.
        DataError: NaN, a value outside [0, 1] or a label that is not 0 or 1.

    >>> reliability_bins([0, 1, 1, 1], [-1, -1, 2, 2], {"raw": [0.2, 0.2, 0.9, 0.9]}, bins=2)
    {'pairs': array([2, 2]), 'clicks': array([1, 2]), 'raw': array([0.2, 0.9])}
    """
    truth, values = labelled(labels, scores, "scores")
    bin_of = equal_count_bins(values, bins)
    pairs = np.bincount(bin_of, minlength=bins)
    kept = pairs > 0
    sums: dict[str, NDArray[Any]] = {"pairs": pairs[kept], "clicks": np.bincount(bin_of[truth], minlength=bins)[kept]}
    for name, given in predictions.items():
        chance = chances(labelled(labels, given, "probabilities")[1])
        sums[name] = np.bincount(bin_of, chance, bins)[kept] / pairs[kept]
    return sums
