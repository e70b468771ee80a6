"""Metrics against scikit-learn and brute force, and by their invariances."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import log_loss as sklearn_log_loss
from sklearn.metrics import roc_auc_score

from hyperctr import metrics
from hyperctr.errors import ConfigError, DataError, ShapeError
from hyperctr.metrics import auc, auc_from_scores, calibration_error, gauc, log_loss, per_user_auc, prior_corrected


@st.composite
def tables(draw, smallest=2):
    """Labels with both classes, few score levels (many ties), users, positive weights."""
    size = draw(st.integers(smallest, 60))
    labels = np.array(draw(st.lists(st.booleans(), min_size=size, max_size=size)))
    labels[0], labels[1] = True, False
    levels = draw(st.integers(1, 12))
    whole = st.lists(st.integers(-levels, levels), min_size=size, max_size=size)
    users = np.array(draw(st.lists(st.integers(0, 5), min_size=size, max_size=size)))
    weights = np.array(draw(st.lists(st.integers(0, 4), min_size=size, max_size=size)), dtype=float)
    weights[:2] = 1
    return labels, np.array(draw(whole)) / 4, users, weights


@given(tables(), st.sampled_from([np.float64, np.float32, np.float16, np.int64]))
def test_auc_equals_scikit_learn(table, dtype):
    labels, scores, _, weights = table
    scores = scores.astype(dtype)
    assert auc(labels, scores) == pytest.approx(roc_auc_score(labels, scores), abs=1e-14)
    assert auc(labels.astype(int), scores, weights) == pytest.approx(
        roc_auc_score(labels, scores, sample_weight=weights), abs=1e-12
    )


@given(tables())
def test_auc_keeps_under_monotone_transforms_and_permutation_and_mirrors(table):
    labels, scores, users, _ = table
    order = np.random.default_rng(len(scores)).permutation(len(scores))
    for transform in (np.exp, np.arctan, lambda x: x**3 + 7):
        assert auc(labels, transform(scores)) == auc(labels, scores)
    assert auc(labels[order], scores[order]) == auc(labels, scores)
    assert auc(labels, -scores) == pytest.approx(1 - auc(labels, scores), abs=1e-15)
    assert auc(~labels, scores) == pytest.approx(1 - auc(labels, scores), abs=1e-15)
    np.testing.assert_array_equal(
        per_user_auc(labels[order], np.exp(scores[order]), users[order]).auc, per_user_auc(labels, scores, users).auc
    )


@given(tables(), st.integers(1, 7))
def test_pieces_change_not_a_bit(table, chunk):
    labels, scores, _, _ = table
    positives, negatives = scores[labels], scores[~labels]
    whole = auc_from_scores(positives, negatives.reshape(1, -1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hyperctr.metrics.ranking.CHUNK", chunk)
        pieces = auc_from_scores(positives[::-1], np.r_[negatives[::2], negatives[1::2]])
    assert pieces == whole == auc(labels, scores)


def test_large_pool_equals_scikit_learn_across_chunks():
    draw = np.random.default_rng(0)
    positives, negatives = draw.normal(1, 1, 500).round(2), draw.normal(0, 1, 50_000).round(2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hyperctr.metrics.ranking.CHUNK", 7_001)
        found = auc_from_scores(positives.astype(np.float32), negatives.astype(np.float32))
    labels = np.r_[np.ones(500), np.zeros(50_000)]
    assert found == pytest.approx(roc_auc_score(labels, np.r_[positives, negatives]), abs=1e-13)


def test_exact_auc_needs_a_sorted_chunk_beyond_the_scores():
    draw = np.random.default_rng(0)
    positives, negatives = (draw.standard_normal(size, dtype=np.float32) for size in (9_000, 9_000_000))
    tracemalloc.start()
    auc_from_scores(positives, negatives.reshape(9_000, 1_000))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1.2 * 4 * metrics.ranking.CHUNK


@given(tables())
def test_gauc_is_the_average_of_scikit_learn_per_user(table):
    labels, scores, users, _ = table
    found = per_user_auc(labels, scores, users)
    expected, weight = [], {"users": [], "positives": [], "rows": []}
    for user, area, positives, rows in zip(*found, strict=True):
        mine = users == user
        assert (positives, rows) == (labels[mine].sum(), mine.sum())
        if 0 < positives < rows:
            expected.append(roc_auc_score(labels[mine], scores[mine]))
            assert area == pytest.approx(expected[-1], abs=1e-14)
            for name, value in (("users", 1), ("positives", positives), ("rows", rows)):
                weight[name].append(value)
        else:
            assert np.isnan(area)
    for name, values in weight.items():
        average = np.average(expected, weights=values) if expected else np.nan
        assert gauc(labels, scores, users, name) == pytest.approx(average, abs=1e-14, nan_ok=True)


def test_gauc_takes_names_and_more_users_than_sixteen_bits():
    draw = np.random.default_rng(1)
    users = np.repeat(np.arange(70_000), 2)
    labels, scores = np.tile([1, 0], 70_000), draw.random(140_000)
    order = draw.permutation(140_000)
    expected = (scores[::2] > scores[1::2]).mean()
    assert gauc(labels[order], scores[order], users[order]) == pytest.approx(expected, abs=1e-15)
    assert gauc([1, 0], [2.0, 1.0], ["ann", "ann"]) == 1.0


def test_one_class_alone_gives_nan():
    assert np.isnan(auc([1, 1], [0.1, 0.2]))
    assert np.isnan(auc([], []))
    assert np.isnan(auc([1, 0], [0.1, 0.2], [1, 0]))
    assert np.isnan(auc_from_scores([], [0.5]))
    assert np.isnan(gauc([1, 0], [0.1, 0.2], [1, 2]))
    assert np.isnan(gauc([], [], []))
    assert np.isnan(log_loss([], []))
    assert np.isnan(calibration_error([], []))
    assert log_loss([1, 1], [0.5, 0.5]) == pytest.approx(np.log(2))


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1)), min_size=2, max_size=40))
def test_log_loss_equals_scikit_learn(rows):
    labels, chance = (np.array(column) for column in zip(*rows, strict=True))
    clipped = np.clip(chance.astype(float), 1e-15, 1 - 1e-15)
    expected = sklearn_log_loss(labels, clipped, labels=[False, True])
    assert log_loss(labels, chance) == pytest.approx(expected, rel=1e-12)


def test_log_loss_clips_at_1e_15_in_float64_even_for_float32():
    assert log_loss([1], np.float32([0.0])) == pytest.approx(-np.log(1e-15), rel=1e-12)
    assert log_loss([0], np.float32([1.0])) == pytest.approx(-np.log(1e-15), rel=1e-2)
    # The base rate of a 1:1000 pool: why log loss is read on 1:1.
    assert log_loss(np.arange(1001) == 0, np.full(1001, 1 / 1001)) == pytest.approx(0.0079, abs=1e-4)


@given(st.floats(1e-6, 1 - 1e-6), st.floats(0.001, 0.999), st.floats(0.001, 0.999))
def test_prior_correction_shifts_the_logit(chance, before, after):
    def logit(p):
        return np.log(p) - np.log1p(-p)

    found = prior_corrected([chance], before, after)
    expected = logit(chance) + logit(after) - logit(before)
    assert found[0] == pytest.approx(1 / (1 + np.exp(-expected)), rel=1e-9)
    assert prior_corrected(found, after, before)[0] == pytest.approx(chance, rel=1e-6)


def test_prior_correction_makes_resampled_probabilities_calibrated():
    # True chance by group; training kept every click and one non-click in ten.
    true = np.array([0.01, 0.05, 0.2])
    kept = true / (true + (1 - true) * 0.1)
    before = 0.3
    after = before / (before + (1 - before) * 10)  # any pair of priors whose odds differ by ten
    np.testing.assert_allclose(prior_corrected(kept, before, after), true, rtol=1e-12)
    np.testing.assert_array_equal(prior_corrected([[0.0, 1.0]], 0.5, 0.1), [[0.0, 1.0]])


def test_calibration_error_against_bins_by_hand():
    chance = np.array([0.1, 0.2, 0.3, 0.4, 0.6, 0.9])
    labels = np.array([0, 1, 0, 0, 1, 1])
    # Three bins of two rows: |0.15 - 0.5|, |0.35 - 0|, |0.75 - 1|.
    assert calibration_error(labels, chance, bins=3) == pytest.approx((0.35 + 0.35 + 0.25) / 3)
    assert calibration_error(labels, chance, bins=1) == pytest.approx(abs(chance.mean() - 0.5))
    assert calibration_error(labels, chance, bins=6) == pytest.approx(np.abs(labels - chance).mean())


@given(tables(), st.integers(1, 20))
def test_calibration_error_ignores_order_and_is_zero_for_the_truth(table, bins):
    labels, scores, _, _ = table
    chance = 1 / (1 + np.exp(-scores))
    order = np.random.default_rng(bins).permutation(len(labels))
    found = calibration_error(labels, chance, bins)
    assert calibration_error(labels[order], chance[order], bins) == pytest.approx(found, abs=1e-15)
    assert 0 <= found <= 1
    assert calibration_error(labels, labels.astype(float), bins) == 0
    assert calibration_error(labels, np.full(len(labels), labels.mean()), bins) == pytest.approx(0, abs=1e-15)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: auc([1, 0], [0.1, np.nan]), DataError, r"scores\[1\] is NaN \(1 of 2"),
        (lambda: auc([1, 2], [0.1, 0.2]), DataError, r"labels\[1\] is 2"),
        (lambda: auc([1, np.nan], [0.1, 0.2]), DataError, r"labels\[1\] is NaN"),
        (lambda: auc([1, 0, 1], [0.1, 0.2]), ShapeError, r"labels has shape \(3,\).*vector of 2"),
        (lambda: auc([[1, 0]], [[0.1, 0.2]]), ShapeError, r"\(1, 2\)"),
        (lambda: auc([1, 0], ["a", "b"]), DataError, "real numbers"),
        (lambda: auc([1, 0], [0.1, 0.2], [1, -1]), DataError, r"weights\[1\] is negative"),
        (lambda: auc_from_scores([0.5], [[0.1], [np.nan]]), DataError, r"negative_scores\[1\]"),
        (lambda: gauc([1, 0], [0.1, 0.2], [1]), ShapeError, "users"),
        (lambda: gauc([1, 0], [0.1, 0.2], [1, 1], "user"), ConfigError, "did you mean 'users'"),
        (lambda: log_loss([1, 0], [0.1, 1.5]), DataError, r"probabilities\[1\] is 1.5.*sigmoid"),
        (lambda: calibration_error([1, 0], [-0.1, 0.5]), DataError, r"probabilities\[0\]"),
        (lambda: calibration_error([1, 0], [0.1, 0.5], bins=0), ConfigError, "bins"),
        (lambda: prior_corrected([0.5], 0.5, 1.0), ConfigError, "test_prior"),
        (lambda: prior_corrected([np.nan], 0.5, 0.2), DataError, r"probabilities\[0\] is NaN"),
    ],
)
def test_errors_name_what_is_wrong(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_nan_in_a_later_chunk_is_named_by_its_place(monkeypatch):
    monkeypatch.setattr(metrics.ranking, "CHUNK", 10)
    scores = np.zeros(35)
    scores[27] = np.nan
    with pytest.raises(DataError, match=r"negative_scores\[27\]"):
        auc_from_scores([0.5], scores)
