"""The planted data set: sizes, sameness, and that each ingredient is really in it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hyperctr.data import planted_feed, planted_world
from hyperctr.data.dataset import Dataset
from hyperctr.data.planted import planted
from hyperctr.data.planted_feed import draw_items
from hyperctr.data.planted_world import make_world
from hyperctr.data.splits import split
from hyperctr.errors import ConfigError

SMALL = {"num_users": 60, "num_items": 120, "num_interactions": 1200, "months": 10, "groups": 4}


@pytest.fixture(scope="module")
def data() -> Dataset:
    return planted()


def auc(positive: np.ndarray, negative: np.ndarray) -> float:
    order = np.sort(negative)
    twice = np.searchsorted(order, positive, "left") + np.searchsorted(order, positive, "right")
    return float(twice.mean() / (2 * len(order)))


def test_default_sizes_and_calendar(data: Dataset) -> None:
    assert (data.num_users, data.num_items, len(data.clicked)) == (1000, 2000, 60_000)
    assert {name: table.dim for name, table in data.features.items()} == {"visual": 128, "acoustic": 48, "textual": 64}
    assert abs(data.clicked.mean() - 2 / 3) < 0.002
    assert len(data.non_clicks)
    months = data.timestamp.astype("datetime64[s]").astype("datetime64[M]")
    assert (months.min(), months.max()) == (np.datetime64("2018-01"), np.datetime64("2020-12"))
    # The truth speaks of the very rows the data set holds, in their order.
    np.testing.assert_array_equal(data.truth.month, (months - months.min()).astype(int))
    assert len(np.unique(data.user_index * data.num_items + data.item_index)) == 60_000
    assert data.warnings == []
    assert data.item_table["title"].is_unique


def test_every_size_is_a_parameter() -> None:
    data = planted(dims={"textual": 5, "odour": 3}, start="2001-03-01", **SMALL)
    assert (data.num_users, data.num_items, len(data.clicked)) == (60, 120, 1200)
    assert data.modalities == data.truth.modalities == ("textual", "odour")
    assert data.truth.interest.shape == (60, 10, 2)
    np.testing.assert_allclose(data.truth.interest.sum(axis=2), 1.0, rtol=1e-6)
    assert data.truth.trend.shape == (10, 120)
    assert data.truth.catches.shape == (4, 120)
    assert set(data.truth.groups) == {0, 1, 2, 3}
    assert np.bincount(data.user_index[data.clicked], minlength=60).min() >= 2


def test_equal_arguments_give_identical_data_and_other_seeds_other_data() -> None:
    first, again, other = planted(3, **SMALL), planted(3, **SMALL), planted(4, **SMALL)
    assert first.fingerprint == again.fingerprint != other.fingerprint
    np.testing.assert_array_equal(first.truth.interest, again.truth.interest)


def test_another_modality_missing_more_changes_no_click() -> None:
    plain, holed = planted(**SMALL), planted(missing={"visual": 0.4}, **SMALL)
    np.testing.assert_array_equal(plain.item_index, holed.item_index)
    assert holed.features["visual"].present.sum() == 72
    assert holed.features["acoustic"].present.all()


def test_missing_shares_are_exact_and_no_item_lacks_everything(data: Dataset) -> None:
    assert [int((~t.present).sum()) for t in data.features.values()] == [40, 200, 100]
    half = planted(missing=0.5, **SMALL)
    assert np.any([t.present for t in half.features.values()], axis=0).all()
    assert [int(t.present.sum()) for t in half.features.values()] == [60, 60, 60]


def test_popularity_is_heavy_tailed(data: Dataset) -> None:
    count = np.sort(np.bincount(data.item_index[data.clicked], minlength=data.num_items))[::-1]
    assert count[:200].sum() > 0.35 * count.sum()  # a tenth of the items has over a third of the clicks
    rank = np.arange(10, 1000)
    slope = np.polyfit(np.log(rank), np.log(count[rank]), 1)[0]
    assert -1.2 < slope < -0.4
    active = np.bincount(data.user_index, minlength=data.num_users)
    assert active.max() > 4 * np.median(active)
    assert active.max() <= data.num_items // 4


def test_interest_is_peaked_and_drifts_slowly(data: Dataset) -> None:
    interest = data.truth.interest
    lead = interest.argmax(axis=2)
    assert interest.max(axis=2).mean() > 0.7
    assert 0.3 < (lead[:, 0] != lead[:, -1]).mean() < 0.7
    assert (lead[:, 1:] != lead[:, :-1]).mean() < 0.08
    frozen = planted(drift=0.0, **SMALL).truth.interest
    np.testing.assert_array_equal(frozen, np.repeat(frozen[:, :1], frozen.shape[1], axis=1))


def test_non_clicks_match_less_than_clicks_do(data: Dataset) -> None:
    liked = data.truth.preference(data.user_index, data.item_index, data.truth.month)
    assert 0.7 < auc(liked[data.clicked], liked[~data.clicked]) < 0.8


def test_groups_share_taste_and_trends_concentrate_clicks(data: Dataset) -> None:
    truth = data.truth
    same = truth.groups[:, None] == truth.groups[None, :]
    np.fill_diagonal(same, False)
    for taste in truth.taste.values():
        alike = taste @ taste.T
        assert alike[same].mean() > alike[~same].mean() + 0.4
    up = truth.trend[truth.month, data.item_index]
    assert up.mean() > 1.3 * truth.trend.mean()


def test_claims_are_apart_popularity_one_modality_all_and_the_oracle(data: Dataset) -> None:
    """Pooled AUC on sampled unobserved items: what a model can hope for, what each part is worth."""
    truth, parts = data.truth, split(data, seed=0)
    clicked = np.zeros((data.num_users, data.num_items), dtype=bool)
    clicked[data.user_index[data.clicked], data.item_index[data.clicked]] = True
    rows = parts.test[::8]
    draw = np.random.default_rng(0).integers(data.num_items, size=(len(rows), 200))
    user = np.repeat(data.user_index[rows], 200)
    month = np.repeat(truth.month[rows], 200)
    free = ~clicked[user, draw.ravel()]
    popular = np.bincount(data.item_index[parts.train], minlength=data.num_items)

    def reached(modalities: list[str] | None) -> float:
        hit = truth.score(data.user_index[rows], data.item_index[rows], truth.month[rows], modalities)
        return auc(hit, truth.score(user, draw.ravel(), month, modalities)[free])

    assert 0.70 < auc(popular[data.item_index[rows]], popular[draw.ravel()[free]]) < 0.80
    assert 0.90 < reached(None) < 0.97
    for name in data.modalities:
        assert reached([]) + 0.01 < reached([name]) < reached(None) - 0.05


@pytest.mark.parametrize("dear", [1e-9, 3, 1e9], ids=["by rejection", "both", "by all weights"])
def test_what_is_shown_is_drawn_without_replacement_by_the_very_weights_of_the_truth(
    dear: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Frequencies of all pairs of items in many draws of two, against their chances from ``exposure``."""
    copies, num_items = 20_000, 12
    monkeypatch.setattr(planted_world, "STYLES", 32)
    few = make_world(5, 3, num_items, 4, 2, ("visual", "acoustic", "textual"), 1.0)
    user = np.repeat(np.arange(3), copies)
    many = {"taste": {name: taste[user] for name, taste in few.taste.items()}, "hidden_user": few.hidden_user[user]}
    world = replace(few, interest=few.interest[user], groups=few.groups[user], **many)
    monkeypatch.setattr(planted_feed, "DEAR", dear)
    users, items, months = draw_items(0, world, np.repeat([[0, 2, 0, 0]], len(user), axis=0))
    assert set(months) == {1}
    order = np.lexsort((items, users))
    np.testing.assert_array_equal(users[order], np.repeat(np.arange(len(user)), 2))
    low, high = items[order].reshape(-1, 2).T
    assert (low < high).all()
    for u in range(3):
        weight = np.exp(world.exposure(np.full(num_items, u * copies), np.arange(num_items), np.ones(num_items, int)))
        chance = weight / weight.sum()
        pair = np.triu(np.outer(chance, chance) * (1 / (1 - chance) + 1 / (1 - chance)[:, None]), 1)
        assert pair.sum() == pytest.approx(1, abs=1e-12)
        rows = slice(u * copies, (u + 1) * copies)
        seen = np.bincount(low[rows] * num_items + high[rows], minlength=num_items**2).reshape(pair.shape)
        expected = copies * pair
        cells = np.triu(np.ones_like(pair, dtype=bool), 1) & (expected > 3)
        chi_square = ((seen - expected)[cells] ** 2 / expected[cells]).sum()
        assert cells.sum() >= 12
        assert chi_square < cells.sum() + 4 * (2 * cells.sum()) ** 0.5


def test_as_many_rows_as_are_possible() -> None:
    """Everybody is shown a quarter of all items, whatever their weights."""
    data = planted(num_users=40, num_items=80, num_interactions=800, months=3, groups=40, drift=5.0)
    assert np.bincount(data.user_index).tolist() == [20] * 40
    assert len(np.unique(data.user_index * 80 + data.item_index)) == 800


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"num_users": 1}, "num_users=1 .* from 2 to 1,000,000"),
        ({"months": 2.5}, "months=2.5 .* whole number from 1 to 240"),
        ({"num_interactions": 10}, "from 5,000 to 500,000"),
        ({"groups": 0}, "groups=0 .* from 1 to 1,000"),
        ({"noise": float("nan")}, "noise=nan .* from 0.0 to 10.0"),
        ({"dims": {}}, "dims is empty"),
        ({"dims": {"visual": 0}}, "from 1 to 4,096"),
        ({"missing": {"vissual": 0.1}}, "did you mean 'visual'"),
        ({"missing": 0.9}, "from 0.0 to 0.5"),
        ({"start": "2018-01-05"}, "first day of a month"),
        ({"start": "soon"}, "not a date"),
    ],
)
def test_sizes_out_of_range_are_refused(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        planted(**wrong)
