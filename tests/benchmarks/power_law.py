"""Random data sets of any size for benchmarks: popularity and activity fall as a power of the rank."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hyperctr.data.dataset import Dataset
from hyperctr.data.features import FeatureTable
from hyperctr.data.interactions import Interactions
from hyperctr.runtime import rng

DIMS: Mapping[str, int] = {"visual": 16, "acoustic": 8, "textual": 8}
EXPONENT = 0.8
MISSING = 0.05  # share of items that lack a modality
CLICKED = 2 / 3


def power_law(
    users: int,
    items: int,
    interactions: int,
    seed: int = 0,
    *,
    dims: Mapping[str, int] = DIMS,
    months: int = 36,
    text_ids: bool = False,
) -> Dataset:
    """Return a data set of random clicks: user and item of rank r are drawn in proportion to ``r ** -0.8``.

    Every user has at least two rows, clicks both; no pair of user and item occurs twice; two of three rows are clicks;
    moments are uniform over the calendar. The catalogue has all items, also those that nobody was shown.

    Args:
        users: U. items: I, at least 2.
        interactions: n, at least 2 U and at most a fifth of U * I.
        seed: of everything drawn.
        dims: width of each modality.
        months: of the calendar, from January 2018 on.
        text_ids: make ids strings such as ``"u0000017"`` rather than integers.

    >>> data = power_law(50, 80, 600)
    >>> data.num_users, data.num_items, len(data.clicked), len(set(zip(data.user_index, data.item_index)))
    (50, 80, 600, 600)
    """
    if not 2 * users <= interactions <= users * items // 5:
        raise ValueError(f"{interactions:,} interactions: {2 * users:,} to {users * items // 5:,} are possible")
    draw = rng(seed, "bench", "power law")
    name_of_user, name_of_item = draw.permutation(users), draw.permutation(items)  # a small index tells nothing
    first = draw.integers(items, size=users)
    second = (first + draw.integers(1, items, size=users)) % items
    kept = np.arange(users) * items
    pairs = _distinct(np.r_[kept + first, kept + second])
    while (lacking := interactions - len(pairs)) > 0:
        more = _ranks(draw, users, lacking + lacking // 8 + 16) * items
        more += name_of_item[_ranks(draw, items, len(more))]
        more = _distinct(more)
        more = more[pairs[np.searchsorted(pairs, more).clip(max=len(pairs) - 1)] != more]
        if len(more) > lacking:
            more = more[np.sort(draw.permutation(len(more))[:lacking])]
        pairs = np.sort(np.concatenate([pairs, more]), kind="stable")
    del more
    rank, item = np.divmod(pairs, items)
    del pairs
    clicked = draw.random(interactions) < CLICKED
    begins = np.searchsorted(rank, np.arange(users))
    clicked[begins] = clicked[begins + 1] = True
    edges = pd.date_range("2018-01-01", periods=months + 1, freq="MS").as_unit("s").asi8
    moment = np.sort(draw.integers(edges[0], edges[-1], size=interactions))
    order = draw.permutation(interactions)
    user_id, item_id = _ids(name_of_user[rank[order]], "u", text_ids), _ids(item[order], "i", text_ids)
    clicked = clicked[order]
    del rank, item, order
    frame = pd.DataFrame({"user_id": user_id, "item_id": item_id, "timestamp": moment, "clicked": clicked}, copy=False)
    catalogue = np.asarray(_ids(np.arange(items), "i", text_ids), dtype=object if text_ids else np.int64)
    return Dataset("power law", Interactions(frame, source="power law"), _features(seed, items, dims), items=catalogue)


def _ranks(draw: np.random.Generator, count: int, size: int) -> NDArray[np.int64]:
    """Draw ranks 0..count-1 with chances of ``(rank + 1) ** -EXPONENT``, by the inverse of the integrated power."""
    power = 1.0 - EXPONENT
    low, high = 0.5**power, (count + 0.5) ** power
    at = draw.random(size)
    at *= high - low
    at += low
    np.power(at, 1.0 / power, out=at)
    at -= 0.5
    return at.astype(np.int64).clip(0, count - 1)


def _distinct(keys: NDArray[np.int64]) -> NDArray[np.int64]:
    keys.sort()  # np.unique hashes since NumPy 2.3, which takes ten times as long at 10^7 keys
    return keys[np.r_[True, keys[1:] != keys[:-1]]]


def _ids(index: NDArray[np.int64], letter: str, text: bool) -> NDArray[Any]:
    if not text:
        return index
    names = np.array([f"{letter}{number:07d}" for number in range(int(index.max()) + 1)], dtype=object)
    return names[index]


def _features(seed: int, items: int, dims: Mapping[str, int]) -> list[FeatureTable]:
    tables = []
    for position, (name, dim) in enumerate(dims.items()):
        draw = rng(seed, "bench", "features", name)
        present = draw.random(items) >= MISSING
        if position == 0:
            present[:] = True  # no item lacks everything
        tables.append(FeatureTable(name, draw.standard_normal((items, dim), dtype=np.float32), present))
    return tables
