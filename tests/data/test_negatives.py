"""Candidates: avoid the clicks they may know and no others, distinct, uniform, repeatable."""

import time

import numpy as np
import pandas as pd
import pytest

from hyperctr.data.dataset import Dataset
from hyperctr.data.negatives import candidate_pool, impression_pool
from hyperctr.data.splits import PARTS, Split, split
from hyperctr.errors import ConfigError, DataError

pytestmark = pytest.mark.filterwarnings("ignore::hyperctr.errors.DataWarning")


def random_log(users: int = 25, items: int = 40, rows: int = 400, seed: int = 0) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    pairs = draw.permutation(users * items)[:rows]
    return pd.DataFrame(
        {
            "user_id": [f"u{user:02d}" for user in pairs // items],
            "item_id": pairs % items,
            "timestamp": draw.integers(0, 10_000, rows),
            "clicked": draw.random(rows) < 0.8,
        }
    )


def built(frame: pd.DataFrame, items: int = 40) -> Dataset:
    return Dataset("random", frame, items=np.arange(items))


def clicked_by(data: Dataset, rows: np.ndarray | None = None) -> dict[int, set[int]]:
    rows = data.clicks if rows is None else rows
    pairs = pd.DataFrame({"user": data.user_index[rows], "item": data.item_index[rows]})
    return {user: set(group) for user, group in pairs.groupby("user")["item"]}


def test_candidates_are_distinct_unobserved_and_padded_at_the_end():
    data = built(random_log())
    made = split(data)
    pool = candidate_pool(data, made, count=35, seed=4)
    np.testing.assert_array_equal(pool.rows, made.test)
    np.testing.assert_array_equal(pool.items, data.item_index[made.test])
    np.testing.assert_array_equal(pool.timestamps, data.timestamp[made.test])
    sets = clicked_by(data)
    assert pool.labels.all()
    for user, row, valid in zip(pool.users, pool.negatives, pool.pairs_mask, strict=True):
        expected = min(35, 40 - len(sets[user]))
        assert valid.sum() == expected
        assert valid[:expected].all()
        assert len(set(row[valid].tolist())) == expected
        assert not set(row[valid].tolist()) & sets[user]
    assert (pool.negatives[:, -1] == -1).any()  # some users have fewer than 35 left


@pytest.mark.parametrize(("part", "known"), [("train", 1), ("validation", 2), ("test", 3)])
def test_candidates_avoid_clicks_of_their_part_and_of_those_before_it(part, known):
    data = built(random_log())
    made = split(data, seed=3)
    sets = clicked_by(data, np.concatenate([made.train, made.validation, made.test][:known]))
    pool = candidate_pool(data, made, part, count=100)
    for user, row in zip(pool.users, pool.negatives, strict=True):
        assert set(row[row >= 0].tolist()) == set(range(40)) - sets[user]


@pytest.mark.parametrize("max_rows", [None, 20])
def test_candidates_of_validation_do_not_know_the_test_clicks(max_rows):
    frame = random_log()
    data = built(frame)
    made = split(data, seed=3)
    pool = candidate_pool(data, made, "validation", count=12, seed=5, max_rows=max_rows)
    stays = np.flatnonzero(made.part < 2)
    draw = np.random.default_rng(0)
    added = pd.DataFrame({"user_id": draw.choice(data.users, 70), "item_id": draw.integers(0, 40, 70)})
    added = added.assign(timestamp=20_000 + np.arange(70), clicked=True)
    other = built(pd.concat([data.interactions.iloc[stays], added], ignore_index=True))
    parts = Split("random", made.ratios, 3, np.append(made.part[stays], np.full(70, 2)).astype(np.int8), other.clicked)
    same = candidate_pool(other, parts, "validation", count=12, seed=5, max_rows=max_rows)
    np.testing.assert_array_equal(same.negatives, pool.negatives)
    np.testing.assert_array_equal(same.timestamps, pool.timestamps)
    np.testing.assert_array_equal(other.users[same.users], data.users[pool.users])


def test_candidates_do_not_depend_on_other_users_or_on_order():
    frame = random_log()
    data = built(frame)
    made = split(data, seed=2)
    pool = candidate_pool(data, made, count=10, seed=9)
    # Drop a third of the users and shuffle the rest: indices and row numbers all change, candidates must not.
    kept = frame[~frame["user_id"].isin([f"u{user:02d}" for user in range(0, 25, 3)])].sample(frac=1, random_state=1)
    other = built(kept)
    parts = made.as_frame(data).set_index(["user_id", "item_id"])["part"]
    numbers = [
        PARTS.index(parts[pair])
        for pair in other.interactions[["user_id", "item_id"]].itertuples(index=False, name=None)
    ]
    again = Split("random", made.ratios, 2, np.array(numbers, np.int8), other.clicked)
    same = candidate_pool(other, again, count=10, seed=9)
    first, second = (
        {(d.users[u], i): tuple(row) for u, i, row in zip(p.users, p.items, p.negatives, strict=True)}
        for d, p in ((data, pool), (other, same))
    )
    assert 0 < len(second) < len(first)
    assert second.items() <= first.items()


def test_a_subsample_keeps_the_candidates_of_the_full_pool():
    data = built(random_log())
    made = split(data)
    full, part = (candidate_pool(data, made, "validation", 8, seed=1, max_rows=rows) for rows in (None, 20))
    assert len(part) == 20
    place = np.searchsorted(full.rows, part.rows)
    np.testing.assert_array_equal(full.rows[place], part.rows)
    np.testing.assert_array_equal(full.negatives[place], part.negatives)
    assert (candidate_pool(data, made, "validation", 8, seed=2, max_rows=20).rows != part.rows).any()
    for wrong in ({"count": 0}, {"max_rows": 0}):
        with pytest.raises(ConfigError, match="at least 1"):
            candidate_pool(data, made, **wrong)


def test_the_first_candidate_is_a_uniform_draw():
    data = built(random_log())
    made = split(data)
    first = np.array(
        [candidate_pool(data, made, count=5, seed=seed, max_rows=None).log_loss_negatives() for seed in range(150)]
    )
    user = candidate_pool(data, made, count=1).users[0]
    free = sorted(set(range(40)) - clicked_by(data)[user])
    found = np.bincount(first[:, 0], minlength=40)[free]
    assert found.sum() == 150
    chi = ((found - 150 / len(free)) ** 2 / (150 / len(free))).sum()
    assert chi < len(free) + 5 * np.sqrt(2 * len(free))


def test_impression_pool_holds_the_rows_shown():
    data = built(random_log())
    made = split(data)
    pool = impression_pool(data, made)
    assert pool.labelling == "impressions"
    np.testing.assert_array_equal(pool.rows, np.flatnonzero(made.part == 2))
    np.testing.assert_array_equal(pool.labels, data.clicked[made.part == 2])
    with pytest.raises(DataError, match="no sampled negatives"):
        pool.log_loss_negatives()
    clicks = built(random_log().query("clicked"))
    with pytest.raises(DataError, match="use candidate_pool"):
        impression_pool(clicks, split(clicks))


def test_a_thousand_candidates_for_2500_clicks_are_drawn_in_half_a_second():
    draw = np.random.default_rng(0)
    pairs = np.unique(draw.choice(610 * 1807, size=27_000, p=_skewed(610, 1807)))[:25_000]
    frame = pd.DataFrame(
        {"user_id": pairs // 1807, "item_id": pairs % 1807, "timestamp": draw.integers(0, 10**9, len(pairs))}
    )
    data = Dataset("large", frame, items=np.arange(1807))
    made = split(data, ratios=(0.7, 0.2, 0.1))
    start = time.process_time()
    pool = candidate_pool(data, made)
    assert time.process_time() - start < 0.5
    assert pool.negatives.shape == (len(made.test), 1000)


def _skewed(users: int, items: int) -> np.ndarray:
    weight = np.outer(np.arange(1, users + 1) ** -0.5, np.arange(1, items + 1) ** -0.5)
    return (weight / weight.sum()).ravel()
