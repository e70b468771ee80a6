"""The rows every model has to beat, counted by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from hyperctr.baselines.popularity import BASELINE_ROWS, constant, item_mean, popularity
from hyperctr.data.dataset import Dataset
from hyperctr.data.splits import Split
from hyperctr.slots import make_slots
from hyperctr.split_data import SplitData

pytestmark = pytest.mark.filterwarnings("ignore::hyperctr.errors.DataWarning")

# item of each row, whether it was clicked, and its part (0 train, 1 validation, 2 test); item 4 is never shown
ITEM = [0, 0, 0, 1, 1, 2, 2, 3, 3, 0]
CLICKED = [True, True, True, True, False, False, False, True, True, False]
PART = [0, 0, 0, 0, 0, 0, 0, 1, 2, 2]


def split_data(clicked: list[bool] = CLICKED) -> SplitData:
    frame = pd.DataFrame({"user_id": range(10), "item_id": ITEM, "timestamp": range(10), "clicked": clicked})
    data = Dataset("rows", frame, items=np.arange(5))
    split = Split("random", (0.7, 0.2, 0.1), 0, np.array(PART, np.int8), data.clicked)
    return SplitData(data, split, make_slots(data, count=1))


def test_rows_have_their_names_and_one_logit_per_item():
    assert list(BASELINE_ROWS) == ["constant", "popularity", "item mean"]
    for logits in BASELINE_ROWS.values():
        assert logits(split_data()).shape == (5,) and np.isfinite(logits(split_data())).all()


def test_constant_knows_nothing():
    assert constant(split_data()).tolist() == [0.0] * 5


def test_popularity_is_the_log_odds_of_the_smoothed_share():
    # training clicks (3, 1, 0, 0, 0), one added to each: shares (4, 2, 1, 1, 1) / 9 against 1 / 5
    assert popularity(split_data()) == pytest.approx(np.log(np.array([4, 2, 1, 1, 1]) / 9 * 5))


def test_item_mean_is_the_smoothed_click_rate():
    # training rows: item 0 3 of 3, item 1 1 of 2, item 2 0 of 2; average 4 / 7, two pseudo-rows of it everywhere
    average = 4 / 7
    clicks, shown = np.array([3, 1, 0, 0, 0]), np.array([3, 2, 2, 0, 0])
    rate = (clicks + 2 * average) / (shown + 2)
    assert item_mean(split_data()) == pytest.approx(np.log(rate / (1 - rate)))
    assert 1 / (1 + np.exp(-item_mean(split_data())[4])) == pytest.approx(average)  # never shown: the average


def test_without_non_clicks_every_item_has_the_same_mean():
    logits = item_mean(split_data([True] * 10))
    assert len(set(logits.tolist())) == 1 and np.isfinite(logits).all()


@pytest.mark.parametrize("row", [popularity, item_mean])
def test_only_training_rows_are_read(row):
    changed = [c if p == 0 else not c for c, p in zip(CLICKED, PART, strict=True)]
    assert row(split_data(changed)).tolist() == row(split_data()).tolist()
