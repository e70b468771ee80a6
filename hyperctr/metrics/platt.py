"""Calibration of logits by a slope and a shift (Platt 1999), and what a calibrated logit says at another base rate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.special import expit

from hyperctr.errors import ConfigError, DataError
from hyperctr.metrics.checks import labelled

Floats = NDArray[np.float64]
RIDGE = 1e-6  # of the squared distance to the logits as they are; keeps the optimum finite and unique
LEAST_SLOPE = 1e-3  # of logits with a standard deviation of 1 or less: a calibration never turns an order round
PRIOR = 0.5  # share of clicks among the pairs that calibrations are fitted on


@dataclass(frozen=True)
class Calibration:
    """Probability ``sigma(slope * z + shift)`` of a logit z, where half of the pairs are clicks.

    Attributes:
        slope: the inverse of a temperature, > 0; under 1 the logits were too sure.
        shift: added to the logit; as they are, logits have slope 1 and shift 0.

    >>> Calibration(slope=0.5, shift=0.0).probabilities([0.0, 2.0]).round(3)
    array([0.5  , 0.731])
    """

    slope: float = 1.0
    shift: float = 0.0

    def probabilities(self, logits: ArrayLike, prior: float = PRIOR) -> Floats:
        """Return calibrated probabilities of a click, float64 of the same shape.

        At another base rate the odds of a pair are multiplied by ``prior / (1 - prior)``, so the logit is shifted by
        the logarithm of it, nothing at 1/2. That is exact where clicks among themselves, and pairs that are no clicks
        among themselves, are as they were.

        Args:
            logits: any shape.
            prior: share of clicks among the pairs for which the probabilities are to hold.

        Raises:
            ConfigError: a prior that is not strictly between 0 and 1.

        >>> Calibration().probabilities([0.0], prior=0.2)
        array([0.2])
        """
        if not 0 < prior < 1:
            raise ConfigError(f"prior={prior!r} must lie strictly between 0 and 1; 0.5: half of the pairs are clicks")
        odds = math.log(prior) - math.log1p(-prior)
        return np.asarray(expit(self.slope * np.asarray(logits, dtype=np.float64) + (self.shift + odds)))


def fit_calibration(labels: ArrayLike, logits: ArrayLike) -> Calibration:
    """Fit slope and shift by maximum likelihood, in float64.

    What is minimised is the mean log loss plus a ridge towards the logits as they are: ``RIDGE / 2`` times the mean
    squared change of a logit, in units of the logits' own mean square plus 1. It is too weak to be seen in four digits,
    keeps labels that the logits separate from driving the slope to infinity, makes the optimum unique, and since
    slope 1 and shift 0 cost nothing, the log loss never rises. Equal logits keep slope 1. The slope is ``LEAST_SLOPE``
    at least, over the logits' standard deviation where that exceeds 1: the order of pairs, and with it every AUC, stays
    as it was.

    Args:
        labels: bool or 0/1, [n], about half of them 1.
        logits: finite, [n].

    Raises:
        ShapeError: not vectors of equal length.
        DataError: one class is missing, a label is not 0 or 1, or a logit is not finite.

    >>> truth, sure = [1, 1, 1, 0, 0, 0, 0, 1], [8.0, 9.0, 7.0, 8.0, -8.0, -9.0, -7.0, -8.0]
    >>> fitted = fit_calibration(truth, sure)
    >>> round(fitted.slope, 2), round(float(fitted.probabilities(8.0)), 2)
    (0.14, 0.75)
    """
    truth, values = labelled(labels, logits, "logits")
    z = values.astype(np.float64)
    if not np.isfinite(z).all():
        index = int(np.argmin(np.isfinite(z)))
        raise DataError(f"logits[{index}] is {z[index]}; a calibration needs finite logits")
    clicks = int(truth.sum())
    if not 0 < clicks < len(truth):
        raise DataError(f"{clicks} clicks and {len(truth) - clicks} pairs without: a calibration needs one of each")
    # Step 1: standardised logits u, of which a logit as it is reads spread * u + middle
    middle, spread = float(z.mean()), float(z.std())
    constant = float(z.min()) == float(z.max())
    u, one = (z - middle) / (1.0 if constant else spread), np.ones_like(z)
    ridge = RIDGE / (1 + middle**2 + spread**2)
    # Step 2: the optimum; where its slope is too small, the best shift at the least one
    least = LEAST_SLOPE / max(1.0, spread)
    if not constant:
        steep, level = _least_loss(truth, [u, one], np.zeros_like(z), [spread, middle], ridge)
        if (slope := steep / spread) >= least:
            return Calibration(slope, level - slope * middle)
    slope = 1.0 if constant else least
    (level,) = _least_loss(truth, [one], slope * (z - middle), [middle], ridge)
    return Calibration(slope, level - slope * middle)


def _least_loss(
    truth: NDArray[np.bool_], columns: Sequence[Floats], offset: Floats, start: Sequence[float], ridge: float
) -> list[float]:
    """Return the weights of ``columns`` with the least log loss of their sum plus ``offset``; ``start`` costs nothing.

    Newton's method within a trust region; sums are numpy's, so the result does not depend on the number of threads.
    """
    home = np.array(start)

    def logits(weights: Floats) -> Floats:
        return np.asarray(offset + sum(weight * column for weight, column in zip(weights, columns, strict=True)))

    def loss(weights: Floats) -> float:
        x = logits(weights)
        return float(np.logaddexp(0.0, np.where(truth, -x, x)).mean() + ridge / 2 * ((weights - home) ** 2).sum())

    def gradient(weights: Floats) -> Floats:
        error = expit(logits(weights)) - truth
        slopes = np.array([(error * column).mean() for column in columns])
        return np.asarray(slopes + ridge * (weights - home))

    def curvature(weights: Floats) -> Floats:
        chance = expit(logits(weights))
        weight = chance * (1 - chance)
        rows = [[(weight * first * second).mean() for second in columns] for first in columns]
        return np.array(rows) + ridge * np.eye(len(columns))

    best = minimize(loss, home, method="trust-exact", jac=gradient, hess=curvature, options={"gtol": 1e-9})
    # the trust region stops where losses differ by rounding alone, before their slope is zero: a last Newton step
    step = np.linalg.solve(curvature(best.x), gradient(best.x))
    return [float(weight) for weight in best.x - step]
