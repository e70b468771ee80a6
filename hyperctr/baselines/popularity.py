"""The rows a model has to beat before it is worth a look: constant, popularity, item mean.

Each is one number per item, read off training rows only, and given as a logit so that log loss means the same as for
a trained model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from hyperctr.split_data import SplitData


def constant(split_data: SplitData) -> NDArray[np.float64]:
    """Return the logit of 1/2 for every item: what knowing nothing gives on a balanced pool."""
    return np.zeros(split_data.data.num_items)


def popularity(split_data: SplitData) -> NDArray[np.float64]:
    """Return the log odds of a click against a uniformly drawn item, by the item's share of training clicks.

    An item with share p among clicks and 1/I among uniform negatives is a click with odds ``p I``; one click is added
    to every item so that unseen items stay finite.
    """
    data, split = split_data.data, split_data.split
    clicks = np.bincount(data.item_index[split.train], minlength=data.num_items) + 1.0
    return np.asarray(np.log(clicks / clicks.sum() * data.num_items))


def item_mean(split_data: SplitData) -> NDArray[np.float64]:
    """Return the log odds of each item's click rate among training rows that were shown.

    Two pseudo-rows at the average rate keep rarely shown items near it. Without real non-clicks every rate is the same.
    """
    data, split = split_data.data, split_data.split
    clicks = np.bincount(data.item_index[split.train], minlength=data.num_items)
    non_clicks = np.bincount(data.item_index[split.non_clicks("train")], minlength=data.num_items)
    average = max(clicks.sum(), 1) / max(clicks.sum() + non_clicks.sum(), 1)
    rate = np.clip((clicks + 2 * average) / (clicks + non_clicks + 2), 1e-6, 1 - 1e-6)
    return np.asarray(np.log(rate / (1 - rate)))


BASELINE_ROWS = {"constant": constant, "popularity": popularity, "item mean": item_mean}
