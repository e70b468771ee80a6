"""One row of a results table: a scored pool summed up with intervals, the same way for every model."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from hyperctr.errors import DataError, DataWarning
from hyperctr.metrics import auc_from_scores, calibration_error, log_loss, prior_corrected
from hyperctr.metrics.calibration import reliability_bins
from hyperctr.metrics.platt import Calibration, fit_calibration
from hyperctr.statistics import Interval, PooledAUCDraws, mean_interval

if TYPE_CHECKING:
    from hyperctr.training.scoring import PoolScores


def pooled_draws(scores: PoolScores, *, replicates: int = 1000, seed: int = 0) -> PooledAUCDraws:
    """Return the pooled AUC of a sampled pool with its bootstrap draws: what a comparison with another model needs."""
    return PooledAUCDraws.of(scores.wins, replicates=replicates, seed=seed)


def evaluate(
    scores: PoolScores,
    impressions: PoolScores | None = None,
    *,
    train_negatives: int = 1,
    replicates: int = 1000,
    seed: int = 0,
    draws: PooledAUCDraws | None = None,
    calibration: Calibration | None = None,
) -> dict[str, float]:
    """Sum up a model's scores on the sampled pool, and its AUC on the rows really shown, where non-clicks are known.

    ``train_negatives`` are those per click in training, the prior that ``logloss_corrected`` shifts away; ``draws`` are
    :func:`pooled_draws` of the scores, where they are known already; the bootstrap has ``replicates`` over users;
    ``calibration`` is that of :func:`calibrated_on` validation clicks.

    Returns:
        ``auc, auc_low, auc_high`` (pooled over all pairs), ``auc_centred`` (the same of scores minus their user's
        mean), ``gauc, gauc_low, gauc_high`` (mean over users), ``logloss``, ``logloss_corrected``,
        ``logloss_calibrated`` and ``calibration_error`` (on one negative per click), ``auc_impressions`` (nan where no
        non-clicks were recorded), ``calibration_slope`` and ``calibration_shift``; nan without a calibration.
    """
    pooled = (draws or pooled_draws(scores, replicates=replicates, seed=seed)).interval()
    per_user = gauc_interval(scores, replicates=replicates, seed=seed)
    labels, logits = balanced(scores)
    probabilities = expit(logits)
    corrected = prior_corrected(probabilities, 1 / (1 + train_negatives), 0.5)
    shown = np.nan
    if impressions is not None:
        label = impressions.pool.labels
        shown = auc_from_scores(impressions.rows[label], impressions.rows[~label])
    return {
        "auc": pooled.value,
        "auc_low": pooled.low,
        "auc_high": pooled.high,
        "auc_centred": scores.auc_centred,
        "gauc": per_user.value,
        "gauc_low": per_user.low,
        "gauc_high": per_user.high,
        "logloss": log_loss(labels, probabilities),
        "logloss_corrected": log_loss(labels, corrected),
        "logloss_calibrated": log_loss(labels, calibration.probabilities(logits)) if calibration else np.nan,
        "calibration_error": calibration_error(labels, corrected),
        "auc_impressions": float(shown),
        "calibration_slope": calibration.slope if calibration else np.nan,
        "calibration_shift": calibration.shift if calibration else np.nan,
    }


def balanced(scores: PoolScores) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Return labels and logits of the 1:1 pool: every click and its first candidate, which is a uniform draw.

    Raises:
        DataError: a pool of impressions, which has real negatives and its own ratio.
    """
    if scores.pool.labelling == "impressions":
        raise DataError("this pool has no sampled negatives; read log loss off its rows and labels instead")
    negatives = scores.negatives[scores.pool.sizes > 0, 0]
    logits = np.concatenate([scores.rows, negatives]).astype(np.float64)
    labels = np.arange(len(logits)) < len(scores.rows)
    return labels, logits


def calibrated_on(scores: PoolScores) -> Calibration:
    """Fit the calibration of a model on the 1:1 pool of its scores of validation clicks, never of test clicks.

    Raises:
        DataError: there is no click, or no candidate, or a logit is not finite.
    """
    return fit_calibration(*balanced(scores))


def reliability(scores: PoolScores, calibration: Calibration, bins: int = 15) -> pd.DataFrame:
    """Sum the 1:1 pool up by bins of about as many pairs: what was predicted, and how many were clicks.

    Returns:
        a row per bin, ascending: ``pairs``, ``clicks``, and mean probabilities ``raw`` and ``calibrated``.
    """
    labels, logits = balanced(scores)
    predictions = {"raw": expit(logits), "calibrated": calibration.probabilities(logits)}
    return pd.DataFrame(reliability_bins(labels, logits, predictions, bins))


def gauc_interval(scores: PoolScores, *, replicates: int = 1000, seed: int = 0) -> Interval:
    """Return the mean over users of their own AUC, with a bootstrap interval."""
    area = scores.wins.per_user
    return mean_interval(area[~np.isnan(area)], replicates=replicates, seed=seed)


def preflight(name: str, value: float, popularity: float) -> list[str]:
    """Warn about an AUC that is suspicious: below popularity, or too good to be true."""
    notes = []
    if value < popularity:
        notes.append(f"{name}: AUC {value:.4f} is below popularity's {popularity:.4f}: the model has not learned")
    if value > 0.97:
        notes.append(f"{name}: AUC {value:.4f} is above 0.97: look for a label among the inputs")
    for note in notes:
        warnings.warn(note, DataWarning, stacklevel=2)
    return notes
