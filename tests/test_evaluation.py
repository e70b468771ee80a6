"""Metrics of a run against scikit-learn and brute force, on pools with ties, gaps and users of one class."""

from __future__ import annotations

import tracemalloc
import warnings
from dataclasses import replace
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import log_loss, roc_auc_score

import hyperctr as hc
from hyperctr.config import Config
from hyperctr.data.negatives import CandidatePool, candidate_pool
from hyperctr.errors import DataError, DataWarning, ShapeError
from hyperctr.evaluation import balanced, evaluate, gauc_interval, pooled_draws, preflight
from hyperctr.metrics import calibration_error
from hyperctr.metrics.platt import Calibration
from hyperctr.runs.scoring import pools_of_test
from hyperctr.split_data import SplitData
from hyperctr.statistics import Interval
from hyperctr.training.scoring import PoolScores, item_scores, score_pool

SEEDS = st.integers(0, 2**32 - 1)


def pool(seed: int, *, impressions: bool = False, rows: int = 25, items: int = 12, count: int = 6) -> CandidatePool:
    """Clicks of a few users; some have fewer candidates than others, or (the last one) none."""
    draw = np.random.default_rng(seed)
    users = np.sort(draw.integers(0, 6, size=rows))
    negatives = draw.integers(0, items, size=(rows, 0 if impressions else count)).astype(np.int32)
    if not impressions:
        negatives[np.arange(count) >= draw.integers(1, count + 1, size=rows)[:, None]] = -1
        negatives[-1] = -1
    labels = draw.random(rows) < 0.6 if impressions else np.ones(rows, dtype=bool)
    labels[:2] = True, not impressions
    own, moments = draw.integers(0, items, size=rows), draw.integers(0, 99, size=rows)
    labelling = "impressions" if impressions else "sampled"
    return CandidatePool(np.arange(rows), labels, users, own, moments, negatives, labelling, "test")


def scored(made: CandidatePool, seed: int, gain: float = 0.5) -> PoolScores:
    """Coarse logits, so that many are tied; what has no candidate holds -inf, as from a model."""
    draw = np.random.default_rng(seed)
    own = (draw.normal(size=len(made)) + gain * made.labels).round(1)
    negatives = np.where(made.negatives >= 0, draw.normal(size=made.negatives.shape).round(1), -np.inf)
    return PoolScores(made, own, negatives)


def pairs(scores: PoolScores) -> list[tuple[int, float, int, int]]:
    """(label, logit, user, row) one by one."""
    made = scores.pool
    listed = [(int(made.labels[p]), scores.rows[p], int(made.users[p]), p) for p in range(len(made))]
    for p, k in np.argwhere(made.negatives >= 0):
        listed.append((0, scores.negatives[p, k], int(made.users[p]), int(p)))
    return listed


@settings(deadline=None, max_examples=40)
@given(SEEDS)
def test_every_number_equals_its_definition(seed: int) -> None:
    scores, shown = scored(pool(seed), seed), scored(pool(seed + 1, impressions=True), seed)
    found = evaluate(scores, shown, train_negatives=4, replicates=200, seed=7)
    label, logit, user, _ = map(np.array, zip(*pairs(scores), strict=True))
    assert found["auc"] == pytest.approx(roc_auc_score(label, logit), abs=1e-12)
    each = [roc_auc_score(label[user == u], logit[user == u]) for u in set(user) if len(set(label[user == u])) == 2]
    assert found["gauc"] == pytest.approx(np.mean(each), abs=1e-12)
    own = [(1, value) for value in scores.rows]
    own += [(0, scores.negatives[p, 0]) for p in range(len(scores.rows)) if scores.pool.negatives[p, 0] >= 0]
    truth, values = map(np.array, zip(*own, strict=True))
    plain, corrected = 1 / (1 + np.exp(-values)), 1 / (1 + np.exp(-values - np.log(4)))
    assert found["logloss"] == pytest.approx(log_loss(truth, plain), rel=1e-9)
    assert found["logloss_corrected"] == pytest.approx(log_loss(truth, corrected), rel=1e-9)
    assert found["calibration_error"] == pytest.approx(calibration_error(truth, corrected), rel=1e-6, abs=1e-9)
    label, logit, _, _ = map(np.array, zip(*pairs(shown), strict=True))
    assert found["auc_impressions"] == pytest.approx(roc_auc_score(label, logit), abs=1e-12)
    assert found["auc_low"] <= found["auc"] <= found["auc_high"] and found["gauc_low"] <= found["gauc_high"]
    assert found == evaluate(scores, shown, train_negatives=4, replicates=200, seed=7)
    alone = evaluate(scores, replicates=20)
    assert np.isnan(alone["auc_impressions"]) and alone["logloss_corrected"] == pytest.approx(alone["logloss"])


def test_cells_without_a_candidate_are_never_read() -> None:
    made = pool(3)
    first = scored(made, 3)
    other = replace(first, negatives=np.where(made.negatives >= 0, first.negatives, 99.0))
    assert evaluate(first, replicates=20) == evaluate(other, replicates=20)


def test_the_balanced_pool_holds_each_click_and_its_first_candidate() -> None:
    scores = scored(pool(5), 5)
    labels, logits = balanced(scores)
    assert (labels.sum(), (~labels).sum()) == (25, 24)  # the last click has no candidate
    np.testing.assert_array_equal(logits[labels], scores.rows)
    np.testing.assert_array_equal(logits[~labels], scores.negatives[:-1, 0])
    with pytest.raises(DataError, match="no sampled negatives"):
        balanced(scored(pool(5, impressions=True), 5))


@pytest.mark.parametrize("chunk", [1, 10, 1 << 21])
def test_pieces_of_a_pool_change_nothing(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def measured() -> dict[str, float]:
        return evaluate(scored(pool(3), 3), scored(pool(4, impressions=True), 4), replicates=20)

    whole = measured()
    monkeypatch.setattr("hyperctr.training.scoring.CHUNK", chunk)
    monkeypatch.setattr("hyperctr.metrics.user_wins.CHUNK", chunk)
    assert measured() == whole


def test_one_logit_per_item_is_looked_up() -> None:
    made, logits = pool(6), np.random.default_rng(0).normal(size=12).astype(np.float32).astype(float)
    scores = item_scores(made, logits)
    np.testing.assert_array_equal(scores.rows, logits[made.items])
    kept = made.negatives >= 0
    np.testing.assert_array_equal(scores.negatives[kept], logits[made.negatives[kept]])
    shown = item_scores(pool(6, impressions=True), logits)
    assert shown.negatives.shape == (25, 0)
    assert scores.rows.dtype == scores.negatives.dtype == np.float32
    close = 1 + 1e-9 * np.arange(12)  # equal in float32, so float64 is kept
    apart = item_scores(made, close)
    np.testing.assert_array_equal(apart.rows, close[made.items])
    np.testing.assert_array_equal(apart.negatives[kept], close[made.negatives[kept]])
    assert evaluate(item_scores(made, np.zeros(12)), replicates=20)["auc"] == 0.5


def test_scoring_holds_scores_and_no_candidates(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test pool's candidates are drawn batch by batch: the same scores and numbers, in half the memory."""
    data = hc.load_dataset("planted", num_users=600, num_items=1200, num_interactions=60_000, months=12)
    config = Config(test_candidates=1000)
    split_data = SplitData.open(data, config)
    logits = np.random.default_rng(0).normal(size=1200)
    model = Mock(parameters=lambda: iter([torch.zeros(1)]), score=lambda *_: torch.from_numpy(logits)[_[-1]])
    monkeypatch.setattr("hyperctr.data.shuffle.CELLS", 1 << 15)

    held = candidate_pool(data, split_data.split, count=1000)
    kept = score_pool(model, split_data, held)
    tracemalloc.start()
    drawn, _ = pools_of_test(split_data, config)
    scores = score_pool(model, split_data, drawn)
    worst = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert isinstance(held.negatives, np.ndarray) and not isinstance(drawn.negatives, np.ndarray)
    np.testing.assert_array_equal(scores.negatives, kept.negatives)
    assert evaluate(scores, replicates=20) == evaluate(kept, replicates=20)
    assert kept.negatives.nbytes == 16e6 and worst < 1.5 * kept.negatives.nbytes
    looked_up = [item_scores(pool, logits).negatives for pool in (held, drawn)]
    np.testing.assert_array_equal(*(np.where(held.pairs_mask(), part, 0) for part in looked_up))


def compare(a: PoolScores, b: PoolScores, **drawn: int) -> Interval:
    return pooled_draws(a, **drawn).minus(pooled_draws(b, **drawn))


@settings(deadline=None, max_examples=20)
@given(SEEDS)
def test_two_models_are_compared_on_the_same_pairs(seed: int) -> None:
    made = pool(seed)
    a, b = scored(made, seed + 1, gain=1.0), scored(made, seed + 2, gain=0.0)
    found = compare(a, b, replicates=200, seed=1)
    (label, left, _, _), (_, right, _, _) = (tuple(map(np.array, zip(*pairs(x), strict=True))) for x in (a, b))
    assert found.value == pytest.approx(roc_auc_score(label, left) - roc_auc_score(label, right), abs=1e-12)
    back = compare(b, a, replicates=200, seed=1)
    assert (back.value, back.low, back.high) == pytest.approx((-found.value, -found.high, -found.low), abs=1e-12)
    same = compare(a, a, replicates=50)
    assert (same.value, same.low, same.high) == (0.0, 0.0, 0.0)


def test_a_paired_interval_is_narrower_than_two_apart() -> None:
    made = pool(8, rows=200, items=50, count=20)
    draw = np.random.default_rng(0)
    a = scored(made, 8)
    b = replace(a, rows=a.rows + draw.normal(size=200) * 0.1)
    paired = compare(a, b, replicates=500)
    alone = pooled_draws(a, replicates=500).interval()
    assert paired.high - paired.low < (alone.high - alone.low) / 2


def test_the_interval_of_gauc_is_a_bootstrap_of_its_users() -> None:
    scores = scored(pool(9, rows=60), 9)
    label, logit, user, _ = map(np.array, zip(*pairs(scores), strict=True))
    each = np.array([roc_auc_score(label[user == u], logit[user == u]) for u in sorted(set(user))])
    found = gauc_interval(scores, replicates=4000, seed=0)
    draws = np.random.default_rng(1).choice(each, size=(4000, len(each))).mean(1)
    assert (found.low, found.high) == pytest.approx(np.quantile(draws, [0.025, 0.975]), abs=0.02)
    assert found.users == len(each)


def test_wrong_shapes_are_refused() -> None:
    made = pool(1)
    with pytest.raises(ShapeError):
        evaluate(PoolScores(made, np.zeros(3), np.zeros(made.negatives.shape)))
    with pytest.raises(ShapeError):
        evaluate(PoolScores(made, np.zeros(len(made)), np.zeros((len(made), 2))))


@pytest.mark.parametrize(
    ("auc", "popularity", "words"),
    [
        (0.8, 0.7, []),
        (0.7, 0.7, []),
        (0.97, 0.7, []),
        (0.69, 0.7, ["below popularity's 0.7000"]),
        (0.98, 0.7, ["above 0.97"]),
        (0.98, 0.99, ["below popularity's 0.9900", "above 0.97"]),
    ],
)
def test_suspicious_numbers_are_pointed_out(auc: float, popularity: float, words: list[str]) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        notes = preflight("m", auc, popularity)
    assert [str(warning.message) for warning in caught] == notes
    assert all(warning.category is DataWarning for warning in caught)
    assert len(notes) == len(words) and all(word in note for word, note in zip(words, notes, strict=True))


@given(st.floats(-1e308, 1e308))
def test_probabilities_never_overflow(logit: float) -> None:
    with np.errstate(all="raise", under="ignore"):
        value = Calibration().probabilities(logit)
    assert 0 <= value <= 1
    if abs(logit) < 700:
        assert value == pytest.approx(1 / (1 + np.exp(-logit)), rel=1e-12)
