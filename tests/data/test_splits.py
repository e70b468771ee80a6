"""Splits: sizes, disjointness, seeds, time order, and what is refused."""

import hashlib

import numpy as np
import pandas as pd
import pytest

from hyperctr.data.dataset import Dataset
from hyperctr.data.splits import EVEN_RATIOS, PARTS, Split, split
from hyperctr.errors import ConfigError, DataError


def random_log(rows: int = 1000, instants: int = 50, seed: int = 0) -> Dataset:
    draw = np.random.default_rng(seed)
    pairs = draw.permutation(30 * 60)[:rows]
    frame = pd.DataFrame(
        {
            "user_id": pairs // 60,
            "item_id": pairs % 60,
            "timestamp": draw.integers(0, instants, rows),
            "clicked": draw.random(rows) < 0.6,
        }
    )
    return Dataset("random", frame)


def test_random_split_cuts_clicks_and_non_clicks_apart_in_the_ratios():
    data = random_log()
    made = split(data, seed=3)
    for mask in (data.clicked, ~data.clicked):
        sizes = np.bincount(made.part[mask], minlength=3)
        np.testing.assert_allclose(sizes, np.array([0.7, 0.2, 0.1]) * mask.sum(), atol=1)
    rows = np.concatenate([made.train, made.validation, made.test])
    np.testing.assert_array_equal(np.sort(rows), np.flatnonzero(data.clicked))
    shown = np.concatenate([made.non_clicks(part) for part in ("train", "validation", "test")])
    np.testing.assert_array_equal(np.sort(shown), np.flatnonzero(~data.clicked))


def test_the_seed_decides_and_the_checksum_tells():
    data = random_log()
    assert split(data, seed=1).checksum == split(data, seed=1).checksum
    assert split(data, seed=1).checksum != split(data, seed=2).checksum
    made = split(data, seed=1)
    by_hand = hashlib.sha256(b"random" + made.part.tobytes() + data.clicked.tobytes()).hexdigest()
    assert made.checksum == by_hand


def test_every_row_is_equally_likely_to_be_tested():
    data = random_log(200)
    share = np.mean([split(data, seed=seed).part[data.clicked] == 2 for seed in range(400)], axis=0)
    # Share of 400 draws with chance 0.1: standard deviation 0.015.
    assert abs(share.mean() - 0.1) < 0.005
    assert share.max() < 0.1 + 5 * 0.015


@pytest.mark.parametrize("instants", [4, 9, 50, 10_000])
def test_temporal_split_never_cuts_an_instant_and_keeps_order(instants):
    data = random_log(instants=instants)
    made = split(data, "temporal")
    assert (np.diff(made.part) >= 0).all()  # rows are sorted by time
    parts_of_instant = pd.Series(made.part).groupby(data.timestamp).nunique()
    assert (parts_of_instant == 1).all()
    # A cut is at most half an instant from its quantile, or one and a half where both share one.
    clicks = made.part[data.clicked]
    largest = np.bincount(data.timestamp[data.clicked]).max()
    strays = [abs((clicks <= cut).sum() - share * len(clicks)) for cut, share in ((0, 0.7), (1, 0.8))]
    assert min(strays) <= largest / 2 + 1
    assert max(strays) <= largest * (0.5 if instants > 9 else 1.5) + 1


def test_ties_go_to_the_nearer_side():
    frame = pd.DataFrame({"user_id": 1, "item_id": range(10), "timestamp": [0] * 4 + [1] * 4 + [2, 3]})
    data = Dataset("ties", frame)
    # Ideal first cut at 7 lies inside instant 1 (rows 4..7): 8 is nearer than 4.
    np.testing.assert_array_equal(np.bincount(split(data, "temporal", (0.7, 0.2, 0.1)).part), [8, 1, 1])
    np.testing.assert_array_equal(np.bincount(split(data, "temporal", (0.5, 0.3, 0.2)).part), [4, 4, 2])
    # Ideal cuts at 8 and 9 exist; 8.1 and 8.3 both mean 8: the second moves to 9 (the first would move to 4).
    np.testing.assert_array_equal(np.bincount(split(data, "temporal", (0.81, 0.02, 0.17)).part), [8, 1, 1])


@pytest.mark.parametrize(
    "ratios", [(0.7, 0.2), (0.7, 0.2, 0.2), (7, 2, 1), (1.0, 0.0, 0.0), (0.9, 0.2, -0.1), "abc", None]
)
def test_ratios_are_checked(ratios):
    if ratios is None:
        ratios = (float("nan"), 0.5, 0.5)
    with pytest.raises(ConfigError, match="sum 1"):
        split(random_log(), ratios=ratios)


def test_unknown_kinds_parts_and_empty_parts_are_named():
    data = random_log()
    with pytest.raises(ConfigError, match="did you mean 'temporal'"):
        split(data, "temporl")
    with pytest.raises(ConfigError, match="did you mean 'validation'"):
        split(data).rows("validatoin")
    one_instant = Dataset("flat", pd.DataFrame({"user_id": 1, "item_id": range(20), "timestamp": 5}))
    with pytest.raises(DataError, match="20 clicks at 1 instant,.* use kind='random' or more data: three parts"):
        split(one_instant, "temporal")
    assert len(split(one_instant, "random").test) == 2  # as it advises
    few = Dataset("few", pd.DataFrame({"user_id": 1, "item_id": range(4), "timestamp": 5}))
    with pytest.raises(DataError, match=r"use more data: three parts need clicks at three instants"):
        split(few, "temporal")
    with pytest.raises(DataError, match=r"no click for validation.* ratios such as \(0.4, 0.3, 0.3\)"):
        split(few, ratios=(0.9, 0.05, 0.05))


@pytest.mark.parametrize("clicks", [3, 4, 5, 6, 7, 8, 9, 10])
def test_the_ratios_that_are_advised_leave_clicks_for_each_part(clicks):
    made = split(
        Dataset("few", pd.DataFrame({"user_id": 1, "item_id": range(clicks), "timestamp": 5})), ratios=EVEN_RATIOS
    )
    assert min(len(made.rows(part)) for part in PARTS) > 0


def test_saved_splits_come_back_and_damage_is_found(tmp_path):
    data = random_log()
    made = split(data, seed=5)
    made.save(tmp_path / "split.npz")
    back = Split.load(tmp_path / "split.npz")
    assert back.checksum == made.checksum
    assert (back.kind, back.ratios, back.seed) == (made.kind, made.ratios, made.seed)
    np.testing.assert_array_equal(back.non_clicks("test"), made.non_clicks("test"))
    with np.load(tmp_path / "split.npz") as file:
        content = dict(file)
    content["part"] = np.roll(content["part"], 1)
    np.savez(tmp_path / "rolled.npz", **content)
    with pytest.raises(DataError, match=r"rolled\.npz is damaged"):
        Split.load(tmp_path / "rolled.npz")
    (tmp_path / "torn.npz").write_bytes((tmp_path / "split.npz").read_bytes()[:100])
    for name in ("torn.npz", "missing.npz"):
        with pytest.raises(DataError, match=name):
            Split.load(tmp_path / name)


def test_published_form_names_ids_and_arrays_are_frozen():
    data = random_log()
    made = split(data)
    frame = made.as_frame(data)
    assert list(frame.columns) == ["user_id", "item_id", "timestamp", "clicked", "part"]
    assert (frame["part"].to_numpy()[made.test] == "test").all()
    with pytest.raises(DataError, match="rows"):
        made.as_frame(random_log(500))
    with pytest.raises(ValueError, match="read-only"):
        made.part[0] = 1
