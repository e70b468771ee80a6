"""A data set cut up as a run's settings say: what hypergraphs, training, testing and prediction share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from hyperctr.data.splits import PARTS, Split, split
from hyperctr.runtime import rng
from hyperctr.slots import DEFAULT_COUNT, DEFAULT_MONTHS, Slots, make_slots

if TYPE_CHECKING:
    from hyperctr.config import Config
    from hyperctr.data.dataset import Dataset


@dataclass(frozen=True)
class SplitData:
    """A data set with its split and its time slots.

    ``data`` has the modalities that the settings keep.

    >>> import hyperctr as hc
    >>> data = hc.load_dataset("planted", num_users=60, num_items=90, num_interactions=1200, months=12)
    >>> split_data = SplitData.open(data, hc.Config(slot_months=6))
    >>> split_data.slots.count, len(split_data.split.part) == len(data.interactions)
    (2, True)
    """

    data: Dataset
    split: Split
    slots: Slots

    @classmethod
    def open(cls, data: Dataset, config: Config) -> SplitData:
        """Split and slot ``data``; an ordinal clock without ``slot_count`` gets 12 slots of equal width.

        Where settings leave slots at their default, those of the data set hold (``table.toml``).

        Raises:
            DataError: the data set lacks a modality of the settings, or has too few clicks to split.
            ConfigError: more slots than ticks of the clock.
        """
        if config.modalities:
            data = data.subset_modalities(config.modalities)
        ratios = (config.ratios[0], config.ratios[1], config.ratios[2]) if config.ratios else None
        subsets = split(data, kind=config.split, ratios=ratios, seed=config.seed)
        months, count = config.slot_months, config.slot_count
        if not count and (months == DEFAULT_MONTHS or data.clock == "ordinal"):
            months, count = data.options.slot_months or months, data.options.slot_count
        count = count or (DEFAULT_COUNT if data.clock == "ordinal" else 0)
        return cls(data, subsets, make_slots(data, None if count else months, count or None))

    def sample(self, limit: int, seed: int = 0) -> SplitData:
        """Return the same data with at most ``limit`` clicks and ``limit`` non-clicks in each part, the rest in none.

        Users are drawn, the same in all parts, and come with all their rows until the limit is reached, so that the
        hypergraphs of the sample have hyperedges. Catalogue, features and slots stay whole. What is within the limit
        stays as it is.

        >>> import hyperctr as hc
        >>> data = hc.load_dataset("planted", num_users=60, num_items=90, num_interactions=1200, months=12)
        >>> few = SplitData.open(data, hc.Config()).sample(100)
        >>> len(few.split.train), len(few.split.non_clicks("test")), few.data.num_users
        (100, 40, 60)
        """
        turn = rng(seed, "sample of users").permutation(self.data.num_users)
        part = np.full_like(self.split.part, len(PARTS))
        for number, name in enumerate(PARTS):
            for rows in (self.split.rows(name), self.split.non_clicks(name)):
                if len(rows) > limit:
                    turns = turn[self.data.user_index[rows]]
                    last = np.partition(turns, limit - 1)[limit - 1]
                    rows, turns = rows[turns <= last], turns[turns <= last]
                    rows = rows[np.argsort(turns, kind="stable")[:limit]]
                part[rows] = number
        return replace(self, split=replace(self.split, part=part))
