"""The bootstrap over users against brute force with scikit-learn, and what its intervals promise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

import hyperctr.metrics.user_wins as user_wins
from hyperctr.errors import ConfigError, DataError, ShapeError
from hyperctr.metrics import auc_from_scores
from hyperctr.statistics import _weights, auc_draws, mean_interval


def pool(seed: int, users: int = 9, positives: int = 30, negatives: int = 80, gain: float = 1.0):
    """Scores on few levels (ties), each user with a shift of their own (so that rows of a user are alike)."""
    draw = np.random.default_rng(seed)
    shift = draw.normal(size=users)
    owners, others = draw.integers(0, users, positives), draw.integers(0, users, negatives)
    above = (draw.normal(size=positives) + gain + shift[owners]).round(1)
    below = (draw.normal(size=negatives) + shift[others]).round(1)
    return above, below, owners, others


def brute_force(scores_pos, scores_neg, pos_users, neg_users, replicates, seed):
    """The pooled AUC of every replicate, from scikit-learn with the user's multiplicity as sample weight."""
    known = np.unique(np.r_[pos_users, neg_users])
    labels = np.r_[np.ones(len(scores_pos)), np.zeros(len(scores_neg))]
    scores, owners = np.r_[scores_pos, scores_neg], np.searchsorted(known, np.r_[pos_users, neg_users])
    areas = []
    for drawn in _weights(len(known), replicates, seed):
        weight = drawn[owners]
        if not (weight[labels == 1].any() and weight[labels == 0].any()):
            areas.append(np.nan)
            continue
        areas.append(roc_auc_score(labels, scores, sample_weight=weight))
    return np.array(areas)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    users=st.integers(1, 12),
    positives=st.integers(1, 25),
    negatives=st.integers(1, 60),
    cells=st.sampled_from([1, 200, 1 << 23]),
)
def test_every_replicate_equals_scikit_learn(seed, users, positives, negatives, cells):
    arrays = pool(seed, users, positives, negatives)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(user_wins, "CELLS", cells)  # blocks of users change nothing
        patch.setattr("hyperctr.statistics.CELLS", cells)
        found = auc_draws(*arrays, replicates=20, seed=seed).draws
    np.testing.assert_allclose(found, brute_force(*arrays, 20, seed), atol=1e-12)


def test_interval_and_p_value_are_the_quantiles_and_shares_of_brute_force():
    above, below, owners, others = pool(1)
    worse = (above - np.random.default_rng(2).normal(0.2, 0.5, len(above))).round(1)
    first = brute_force(above, below, owners, others, 400, 7)
    second = brute_force(worse, below, owners, others, 400, 7)
    single = auc_draws(above, below, owners, others, replicates=400, seed=7).interval(0.9)
    assert single.value == auc_from_scores(above, below)
    assert (single.low, single.high) == pytest.approx(tuple(np.quantile(first, [0.05, 0.95])), abs=1e-12)
    assert (single.users, single.replicates, single.p_value) == (9, 400, None)
    two = [auc_draws(scores, below, owners, others, replicates=400, seed=7) for scores in (above, worse)]
    paired = two[0].minus(two[1])
    assert paired.value == pytest.approx(auc_from_scores(above, below) - auc_from_scores(worse, below))
    bounds = tuple(np.quantile(first - second, [0.025, 0.975]))
    assert (paired.low, paired.high) == pytest.approx(bounds, abs=1e-12)
    tail = min((first <= second).sum(), (first >= second).sum())
    assert paired.p_value == pytest.approx(2 * (tail + 1) / 401)


def test_the_seed_decides_and_row_order_does_not():
    above, below, owners, others = pool(3)
    once, again, other = (auc_draws(above, below, owners, others, replicates=50, seed=s).interval() for s in (1, 1, 2))
    assert once == again != other
    draw = np.random.default_rng(0)
    i, j = draw.permutation(len(above)), draw.permutation(len(below))
    names = np.array([f"user {user}" for user in range(9)])
    moved = auc_draws(above[i], below[j], names[owners[i]], names[others[j]], replicates=50, seed=1)
    assert once == moved.interval()


def test_equal_models_differ_by_nothing():
    above, below, owners, others = pool(4)
    plain, other = (auc_draws(f(above), f(below), owners, others, replicates=50) for f in (np.copy, np.exp))
    scaled = plain.minus(other)
    assert (scaled.value, scaled.low, scaled.high, scaled.p_value) == (0, 0, 0, 1)


def test_replicates_without_a_class_are_left_out():
    # One user holds all positives: replicates that miss that user cannot be evaluated.
    above, below, owners, others = [2.0], [1.0, 3.0, 1.0], [0], [0, 1, 2]
    found = auc_draws(above, below, owners, others, replicates=300).interval()
    missing = (_weights(3, 300, 0)[:, 0] == 0).sum()
    assert 0 < missing < 300
    assert found.replicates == 300 - missing


def test_mean_over_users_and_over_rows():
    draw = np.random.default_rng(5)
    values, users = draw.normal(size=50), draw.integers(0, 8, 50)
    found = mean_interval(values, users, replicates=300, level=0.8, seed=3)
    means = [np.average(values, weights=drawn[users]) for drawn in _weights(8, 300, 3)]
    assert found.value == pytest.approx(values.mean())
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(means, [0.1, 0.9])))
    assert found.users == 8
    assert mean_interval(values, replicates=10).users == 50


@pytest.mark.parametrize("kind", ["auc", "mean"])
def test_intervals_cover_what_they_promise(kind):
    # Users differ, so their rows are correlated. 80 % intervals over 60 users must cover the truth four
    # times in five: 150 simulations have a standard deviation of 0.033.
    draw = np.random.default_rng(6)
    hits, narrow = 0, 0
    for seed in range(150):
        effect = draw.normal(size=60)
        owners = np.repeat(np.arange(60), 4)
        if kind == "mean":
            values, truth = effect[owners] + draw.normal(size=240), 0.0
            found = mean_interval(values, owners, replicates=120, level=0.8, seed=seed)
            by_row = mean_interval(values, replicates=120, level=0.8, seed=seed)
        else:
            above = effect[owners] + draw.normal(size=240) + 1.0
            below, truth = draw.normal(size=240), 0.7181486  # Phi(1 / sqrt(3)): variances 1 + 1 + 1
            by_user = auc_draws(above, below, owners, owners, replicates=120, seed=seed)
            found = by_user.interval(0.8)
            by_row = auc_draws(above, below, np.arange(240), np.arange(240), replicates=120, seed=seed).interval(0.8)
        hits += found.low <= truth <= found.high
        narrow += by_row.low <= truth <= by_row.high
    assert 0.8 - 4 * 0.033 < hits / 150 < 0.8 + 4 * 0.033
    assert narrow < hits  # resampling rows instead of users promises too much


def test_what_is_refused():
    above, below, owners, others = pool(0)
    with pytest.raises(ShapeError, match="neg_users"):
        auc_draws(above, below, owners, others[1:])
    with pytest.raises(DataError, match=r"positive scores\[0\] is NaN"):
        auc_draws(np.full(30, np.nan), below, owners, others)
    with pytest.raises(DataError, match="0 positives"):
        auc_draws([], below, [], others)
    with pytest.raises(ConfigError, match="replicates=0 must be at least 1"):
        auc_draws(above, below, owners, others, replicates=0)
    with pytest.raises(ConfigError, match="replicates=0 must be at least 1"):
        mean_interval([1], replicates=0)
    draws = auc_draws(above, below, owners, others, replicates=9)
    for call in (lambda: draws.interval(1.0), lambda: draws.minus(draws, 1.0), lambda: mean_interval([1], level=1.0)):
        with pytest.raises(ConfigError, match="level=1.0 must lie strictly between 0 and 1"):
            call()
    with pytest.raises(DataError, match="no values"):
        mean_interval([])
    with pytest.raises(DataError, match=r"values\[1\] is NaN"):
        mean_interval([1.0, np.nan])
    with pytest.raises(ShapeError, match="users has shape"):
        mean_interval([1.0, 2.0], [1])


def test_draws_of_two_models_kept_apart_pair_up_later():
    above, below, owners, others = pool(3)
    scores = {"a": (above, below), "b": (np.flip(above), below + 0.3)}
    kept = {name: auc_draws(*pair, owners, others, replicates=200, seed=5) for name, pair in scores.items()}
    found = kept["a"].minus(kept["b"])
    draws = [brute_force(*pair, owners, others, 200, 5) for pair in scores.values()]
    bounds = np.nanquantile(draws[0] - draws[1], [0.025, 0.975])
    assert (found.low, found.high) == pytest.approx(tuple(bounds), abs=1e-12)
    labels = np.r_[np.ones(len(above)), np.zeros(len(below))]
    direct = [roc_auc_score(labels, np.r_[pair]) for pair in (np.r_[above, below], np.r_[np.flip(above), below + 0.3])]
    assert found.value == pytest.approx(direct[0] - direct[1])
    with pytest.raises(DataError, match="200 draws of 9 users cannot be paired with 100 draws"):
        kept["a"].minus(auc_draws(above, below, owners, others, replicates=100))
