"""A data set cut up as a run's settings say: what hypergraphs, training, testing and prediction share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hyperctr.data.splits import Split, split
from hyperctr.slots import DEFAULT_COUNT, Slots, make_slots

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

        Raises:
            DataError: the data set lacks a modality of the settings, or has too few clicks to split.
            ConfigError: more slots than ticks of the clock.
        """
        if config.modalities:
            data = data.subset_modalities(config.modalities)
        ratios = (config.ratios[0], config.ratios[1], config.ratios[2]) if config.ratios else None
        subsets = split(data, kind=config.split, ratios=ratios, seed=config.seed)
        count = config.slot_count or (DEFAULT_COUNT if data.clock == "ordinal" else None)
        return cls(data, subsets, make_slots(data, None if count else config.slot_months, count))
