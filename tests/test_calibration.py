"""Calibration: the fit is the optimum, never does harm, keeps every order, and moves to another base rate exactly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from hyperctr.errors import ConfigError, DataError, ShapeError
from hyperctr.evaluation import calibrated_on, evaluate, reliability
from hyperctr.metrics import auc, auc_centred, log_loss, prior_corrected
from hyperctr.metrics.calibration import reliability_bins
from hyperctr.metrics.platt import LEAST_SLOPE, RIDGE, Calibration, fit_calibration
from hyperctr.training.scoring import PoolScores
from tests.test_evaluation import pairs, pool, scored

SEEDS = st.integers(0, 2**32 - 1)
GAINS = st.sampled_from([-2.0, 0.0, 1.0, 4.0])
SCALES = st.sampled_from([0.01, 1.0, 10.0])


def sample(seed: int, gain: float, scale: float, rows: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """Labels, half of them clicks, and logits that are too sure, not sure enough, useless or the wrong way round."""
    draw = np.random.default_rng(seed)
    labels = np.arange(rows) % 2 == 0
    return labels, (draw.normal(size=rows) + gain * labels + draw.normal()).round(1) * scale


def objective(labels: np.ndarray, z: np.ndarray, slope: float, shift: float) -> float:
    """Mean log loss plus the ridge: what :func:`fit_calibration` says it minimises."""
    x = slope * z + shift
    change = ((x - z) ** 2).mean() / (1 + (z**2).mean())
    return float(np.logaddexp(0, np.where(labels, -x, x)).mean() + RIDGE / 2 * change)


@settings(deadline=None)
@given(SEEDS, GAINS, SCALES)
@example(seed=269, gain=-2.0, scale=10.0)  # where losses differ by rounding before the slope is zero
def test_the_fit_is_the_optimum(seed: int, gain: float, scale: float) -> None:
    labels, z = sample(seed, gain, scale)
    fitted = fit_calibration(labels, z)
    assert fitted == fit_calibration(labels, z) and fitted.slope >= LEAST_SLOPE / max(1, z.std())
    error, spread = fitted.probabilities(z) - labels, z.std()
    ridge = RIDGE / (1 + (z**2).mean())
    level = fitted.slope * z.mean() + fitted.shift
    assert error.mean() + ridge * (level - z.mean()) == pytest.approx(0, abs=1e-8)
    if fitted.slope > 1.001 * LEAST_SLOPE / max(1, spread):
        along = (error * (z - z.mean())).mean() / spread
        assert along + ridge * (fitted.slope - 1) * spread == pytest.approx(0, abs=1e-8)
        assert along == pytest.approx(0, abs=1e-4)  # the ridge does not show
    # It shows in the level only where it is what keeps a fit of labels that the logits separate finite.
    assert error.mean() == pytest.approx(0, abs=max(1e-5, 1.001 * ridge * abs(level - z.mean())))
    best = objective(labels, z, fitted.slope, fitted.shift)
    for slope in (0.99, 1.01) if gain > 0 else (1.01,):  # the wrong way round, the least slope is the best
        assert best <= objective(labels, z, fitted.slope * slope, fitted.shift + (1 - slope) * z.mean()) + 1e-12
    for shift in (-0.01, 0.01):
        assert best < objective(labels, z, fitted.slope, fitted.shift + shift)


@settings(deadline=None)
@given(SEEDS, GAINS, SCALES)
def test_calibration_never_raises_the_log_loss_and_keeps_the_auc(seed: int, gain: float, scale: float) -> None:
    labels, z = sample(seed, gain, scale)
    fitted = fit_calibration(labels, z)
    assert log_loss(labels, fitted.probabilities(z)) <= log_loss(labels, Calibration().probabilities(z)) + 1e-12
    assert auc(labels, fitted.slope * z + fitted.shift) == auc(labels, z)


def test_it_is_logistic_regression_and_finds_what_was_done_to_the_logits() -> None:
    draw = np.random.default_rng(0)
    true = draw.normal(size=20_000) * 2
    labels = draw.random(20_000) < 1 / (1 + np.exp(-true))
    fitted = fit_calibration(labels, 4 * true + 3)
    assert (fitted.slope, fitted.shift) == pytest.approx((0.25, -0.75), abs=0.03)
    regression = LogisticRegression(C=np.inf, tol=1e-12).fit((4 * true + 3)[:, None], labels)
    assert (fitted.slope, fitted.shift) == pytest.approx((regression.coef_[0, 0], regression.intercept_[0]), abs=1e-4)


def test_separable_and_constant_logits_stay_finite() -> None:
    labels = np.arange(100) % 2 == 0
    apart = fit_calibration(labels, np.where(labels, 0.3, -0.3))
    assert 10 < apart.slope < 100 and apart.shift == pytest.approx(0, abs=1e-6)
    assert 0 < log_loss(labels, apart.probabilities([0.3, -0.3] * 50)) < 1e-4
    for value in (0.0, 0.1, 13.8):  # 0.1 has no exact mean
        same = fit_calibration(labels, np.full(100, value))
        assert same.slope == 1 and same.shift == pytest.approx(-value, abs=1e-5)
    uneven = fit_calibration(np.arange(100) < 80, np.zeros(100))
    assert uneven.probabilities(0.0) == pytest.approx(0.8, abs=1e-5)


@given(st.floats(-5, 5), st.floats(0.1, 2), st.floats(-2, 2), st.floats(0.01, 0.99))
def test_another_prior_multiplies_the_odds(z: float, slope: float, shift: float, prior: float) -> None:
    calibration = Calibration(slope, shift)
    half, moved = calibration.probabilities(z), calibration.probabilities(z, prior)
    assert half == pytest.approx(1 / (1 + np.exp(-slope * z - shift)), rel=1e-12)
    assert moved == pytest.approx(prior_corrected(half, 0.5, prior), rel=1e-9)  # Bayes, worked out on the odds
    assert calibration.probabilities(z, 0.5) == half


def test_another_prior_holds_where_clicks_are_rarer() -> None:
    """Four of five non-clicks more: the mean of the moved probabilities is the new share of clicks."""
    draw = np.random.default_rng(1)
    clicks, others = draw.normal(1, 1, 50_000), draw.normal(0, 1, 250_000)
    half = fit_calibration(np.arange(100_000) < 50_000, np.concatenate([clicks, others[:50_000]]))
    moved = half.probabilities(np.concatenate([clicks, others]), prior=1 / 6)
    assert moved.mean() == pytest.approx(1 / 6, abs=0.002)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: fit_calibration([1, 1], [0.0, 1.0]), DataError, "2 clicks and 0 pairs without"),
        (lambda: fit_calibration([], []), DataError, "0 clicks"),
        (lambda: fit_calibration([1, 0], [0.0, np.inf]), DataError, r"logits\[1\] is inf"),
        (lambda: fit_calibration([1, 0], [np.nan, 0]), DataError, r"logits\[0\] is NaN"),
        (lambda: fit_calibration([1, 0], [0.0]), ShapeError, "labels has shape"),
        (lambda: Calibration().probabilities(0.0, prior=1.0), ConfigError, r"prior=1.0 must lie strictly between"),
    ],
)
def test_what_cannot_be_calibrated_is_told(call, error, words) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(error, match=words):
        call()


@settings(deadline=None, max_examples=40)
@given(SEEDS)
def test_a_pool_is_calibrated_by_another(seed: int) -> None:
    validation, test = scored(pool(seed), seed), scored(pool(seed + 1), seed + 1)
    fitted = calibrated_on(validation)
    found = evaluate(test, replicates=20, calibration=fitted)
    first = [(1, score) for score in test.rows]
    first += [(0, test.negatives[p, 0]) for p in range(len(test.rows)) if test.pool.negatives[p, 0] >= 0]
    truth, z = map(np.array, zip(*first, strict=True))
    expected = log_loss(truth, 1 / (1 + np.exp(-fitted.slope * z - fitted.shift)))
    assert found["logloss_calibrated"] == pytest.approx(expected, rel=1e-9)
    assert (found["calibration_slope"], found["calibration_shift"]) == (fitted.slope, fitted.shift)
    without = evaluate(test, replicates=20)
    new = {"logloss_calibrated", "calibration_slope", "calibration_shift"}
    assert all(np.isnan(without[name]) for name in new)
    assert {n: v for n, v in without.items() if n not in new and v == v} == {
        n: v for n, v in found.items() if n not in new and v == v
    }
    bins = reliability(test, fitted, bins=4)
    assert (bins["pairs"].sum(), bins["clicks"].sum()) == (len(z), truth.sum())
    assert (bins["raw"] * bins["pairs"]).sum() == pytest.approx((1 / (1 + np.exp(-z))).sum())
    assert (bins["calibrated"] * bins["pairs"]).sum() == pytest.approx(fitted.probabilities(z).sum())
    assert (bins[["raw", "calibrated"]].diff().dropna() >= 0).all(axis=None)


def test_bins_hold_as_many_pairs_each_and_ties_together() -> None:
    draw = np.random.default_rng(0)
    scores = draw.permutation(100).astype(float)
    labels = scores >= 50
    bins = reliability_bins(labels, scores, {"p": scores / 100}, bins=10)
    assert bins["pairs"].tolist() == [10] * 10 and bins["clicks"].tolist() == [0] * 5 + [10] * 5
    np.testing.assert_allclose(bins["p"], np.arange(0.045, 1, 0.1))
    tied = reliability_bins(labels, np.where(scores < 70, 0.0, scores), {}, bins=10)
    assert tied["pairs"].tolist() == [70, 10, 10, 10]


def naive_auc_centred(listed: list[tuple[int, float, int, int]]) -> float:
    """Every pair of a click and a candidate, of whichever users, after each user's mean was taken off."""
    label, score, user, _ = map(np.array, zip(*listed, strict=True))
    mean = {u: score[user == u].sum() / (user == u).sum() for u in set(user.tolist())}
    centred = score - np.array([mean[u] for u in user.tolist()])
    gaps = centred[label == 1][:, None] - centred[label == 0][None]
    return float(((gaps > 1e-12) + (np.abs(gaps) <= 1e-12) / 2).mean())


@settings(deadline=None, max_examples=60)
@given(SEEDS, st.booleans())
def test_auc_centred_equals_its_definition(seed: int, impressions: bool) -> None:
    draw, made = np.random.default_rng(seed), pool(seed, impressions=impressions)
    table = draw.normal(size=(6, 12))  # a user meets an item several times: ties
    scores = PoolScores(made, table[made.users, made.items], table[made.users[:, None], made.negatives])
    expected = naive_auc_centred(pairs(scores))
    assert scores.auc_centred == pytest.approx(expected, abs=1e-12)
    offset = draw.normal(size=6) * 5  # whatever is added to all scores of a user
    rows, negatives = scores.rows + offset[made.users], scores.negatives + offset[made.users][:, None]
    assert replace(scores, rows=rows, negatives=negatives).auc_centred == pytest.approx(expected, abs=1e-12)
    if not impressions:
        assert evaluate(scores, replicates=20)["auc_centred"] == scores.auc_centred


def test_what_depends_on_the_user_alone_is_worth_nothing_centred() -> None:
    users, values = np.repeat(np.arange(40), 5), np.repeat(np.random.default_rng(0).normal(size=40), 5)
    positives = np.arange(200) % 5 == 0
    negatives = values[~positives].astype(np.float32), users[~positives]
    own = values[positives].astype(np.float32)
    assert auc_centred(own, users[positives], 40, lambda: [negatives]) == 0.5
    assert np.isnan(auc_centred([], [], 0, lambda: []))


@pytest.mark.parametrize("chunk", [1, 7, 100])
def test_pieces_of_a_pool_do_not_show_in_the_centred_auc(chunk: int) -> None:
    draw = np.random.default_rng(2)
    positives, users = draw.normal(size=50), draw.integers(0, 9, size=50)
    negatives, owners = draw.normal(size=500), draw.integers(0, 9, size=500)
    cuts = [slice(i, i + chunk) for i in range(0, 500, chunk)]
    whole = auc_centred(positives, users, 9, lambda: [(negatives, owners)])
    assert auc_centred(positives, users, 9, lambda: ((negatives[c], owners[c]) for c in cuts)) == whole
