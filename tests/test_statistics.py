"""The bootstrap over users against brute force with scikit-learn, and what its intervals promise."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from hyperctr.errors import ConfigError, DataError, ShapeError
from hyperctr.metrics import auc_from_scores, user_wins
from hyperctr.metrics.user_wins import FEWEST, UserWins
from hyperctr.statistics import PooledAUCDraws, _weights, auc_draws, mean_interval


def pool(seed: int, users: int = 9, positives: int = 30, negatives: int = 80, gain: float = 1.0):
    """Scores on few levels (ties), each user with a shift of their own (so that rows of a user are alike)."""
    draw = np.random.default_rng(seed)
    shift = draw.normal(size=users)
    owners, others = draw.integers(0, users, positives), draw.integers(0, users, negatives)
    above = (draw.normal(size=positives) + gain + shift[owners]).round(1)
    below = (draw.normal(size=negatives) + shift[others]).round(1)
    return above, below, owners, others


def weights(users: int, replicates: int, seed: int):
    """How often each user was drawn, [replicates, users]."""
    return np.concatenate(list(_weights(users, replicates, seed, users)))


def brute_force(scores_pos, scores_neg, pos_users, neg_users, replicates, seed):
    """The pooled AUC of every replicate, from scikit-learn with the user's multiplicity as sample weight."""
    known = np.unique(np.r_[pos_users, neg_users])
    labels = np.r_[np.ones(len(scores_pos)), np.zeros(len(scores_neg))]
    scores, owners = np.r_[scores_pos, scores_neg], np.searchsorted(known, np.r_[pos_users, neg_users])
    areas = []
    for drawn in weights(len(known), replicates, seed):
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
    block=st.sampled_from([1, 40, 1 << 22]),
    chunk=st.sampled_from([1, 7, 1 << 21]),
)
def test_every_replicate_equals_scikit_learn(seed, users, positives, negatives, block, chunk):
    arrays = pool(seed, users, positives, negatives)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hyperctr.statistics.BLOCK", block)  # blocks of replicates and chunks of scores change nothing
        patch.setattr("hyperctr.metrics.user_wins.CHUNK", chunk)
        found = auc_draws(*arrays, replicates=20, seed=seed).draws
    np.testing.assert_allclose(found, brute_force(*arrays, 20, seed), atol=1e-12)
    np.testing.assert_array_equal(found, auc_draws(*arrays, replicates=20, seed=seed).draws)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 9), st.integers(1, 30), st.integers(0, 60), st.sampled_from([None, 1, 3]))
def test_wins_by_user_against_all_pairs(seed, users, positives, negatives, bins):
    above, below, owners, others = pool(seed, users, positives, negatives)
    beats = (above[:, None] > below) + 0.5 * (above[:, None] == below)
    table = np.zeros((users, users))
    np.add.at(table, np.ix_(owners, others), beats)
    wins = UserWins(above, owners, users, bins)
    for half in (slice(None, negatives // 2), slice(negatives // 2, None)):
        wins.add(below[half], others[half])
    assert wins.exact == (bins is None or len(np.unique(above)) <= bins)
    assert wins.value == pytest.approx(beats.mean() if negatives else np.nan, abs=1e-15, nan_ok=True)
    pairs = np.bincount(owners, minlength=users) * np.bincount(others, minlength=users)
    np.testing.assert_array_equal(wins.per_user[pairs > 0], table.diagonal()[pairs > 0] / pairs[pairs > 0])
    assert np.isnan(wins.per_user[pairs == 0]).all()
    drawn = np.random.default_rng(seed).integers(0, 4, size=(5, users)).astype(float)
    if wins.exact:
        np.testing.assert_array_equal(wins.twice(drawn), 2 * np.einsum("ru,uv,rv->r", drawn, table, drawn))
    assert wins.twice(np.ones((1, users)))[0] == 2 * table.sum()  # every pair, whatever the bins


@pytest.mark.parametrize(("heavy", "decimals"), [(0.3, 9), (0.8, 2), (1.0, 9)])
def test_bins_are_off_by_less_than_the_draws_can_tell(heavy, decimals):
    """Where exact and binned draws both run: equal users and heavy ones, with ties and without, apart and paired."""
    draw = np.random.default_rng(0)
    share = np.arange(1, 801) ** -heavy
    owners = np.unique(draw.choice(800, 3000, p=share / share.sum()), return_inverse=True)[1]
    count, others, shift = owners.max() + 1, np.repeat(owners, 20), draw.normal(size=800)
    above = draw.normal(size=3000) + 1 + shift[owners]
    below = draw.normal(size=60_000) + 0.7 * shift[others]
    exact, binned = [], []
    for _ in range(2):
        for bins, kept in ((None, exact), (FEWEST, binned)):
            wins = UserWins(above.round(decimals), owners, count, bins)
            wins.add(below.round(decimals), others)
            assert wins.exact == (bins is None)
            kept.append(PooledAUCDraws.of(wins, replicates=300))
        above, below = (values + draw.normal(size=len(values)) * 0.3 for values in (above, below))
    for truth, found in zip(exact, binned, strict=True):
        assert found.value == truth.value
        assert np.sqrt(((found.draws - truth.draws) ** 2).mean()) < 0.01 * truth.draws.std()
    paired = exact[0].draws - exact[1].draws
    for left, right in ((binned[0], binned[1]), (binned[0], exact[1])):
        assert np.sqrt(((left.draws - right.draws - paired) ** 2).mean()) < 0.05 * paired.std()
        found, truth = left.minus(right), exact[0].minus(exact[1])
        assert (found.low, found.high) == pytest.approx((truth.low, truth.high), abs=0.1 * paired.std())


def test_neither_wins_nor_draws_depend_on_how_many_users_are_worked_on_at_a_time(monkeypatch):
    random = np.random.default_rng(3)
    scores, users = random.normal(size=900).astype(np.float32), random.integers(40, size=900)
    drawn = random.multinomial(40, np.full(40, 1 / 40), size=5).astype(np.float64)
    counted = []
    for block in (1 << 20, 150, 1):
        monkeypatch.setattr(user_wins, "BLOCK", block)
        wins = UserWins(scores[:200], users[:200], 40, bins=30)
        wins.add(scores[200:], users[200:])
        counted.append((wins.twice(drawn).tolist(), wins.per_user.tolist(), wins.value))
    assert counted[0] == counted[1] == counted[2]
    below = scores[200:, None] < scores[:200]
    assert counted[0][2] == below.mean()


def test_memory_of_many_users_with_few_pairs_is_what_is_promised():
    """300,000 users have the fewest bins: 280 bytes each, 110 for each positive; then what passes."""
    count, random = 300_000, np.random.default_rng(0)
    positives, negatives = random.normal(size=count).astype(np.float32), random.normal(size=count).astype(np.float32)
    users = np.arange(count)
    tracemalloc.start()
    try:
        wins = UserWins(positives, users, count)
        wins.add(negatives, users[::-1])
        kept, peak = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        draws = PooledAUCDraws.of(wins, replicates=15)
        passing = tracemalloc.get_traced_memory()[1] - kept
    finally:
        tracemalloc.stop()
    assert not wins.exact and abs(draws.value - 0.5) < 0.01
    assert kept < count * (285 + 110) and peak - kept < 50e6 and passing < 100e6
    assert draws.value == auc_from_scores(positives, negatives)


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
    missing = (weights(3, 300, 0)[:, 0] == 0).sum()
    assert 0 < missing < 300
    assert found.replicates == 300 - missing


def test_mean_over_users_and_over_rows():
    draw = np.random.default_rng(5)
    values, users = draw.normal(size=50), draw.integers(0, 8, 50)
    found = mean_interval(values, users, replicates=300, level=0.8, seed=3)
    means = [np.average(values, weights=drawn[users]) for drawn in weights(8, 300, 3)]
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
