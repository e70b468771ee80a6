"""A data set cut up as a run's settings say: split and time slots, which training, testing and prediction share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hyperctr.data.splits import Split, split
from hyperctr.slots import Slots, make_slots

if TYPE_CHECKING:
    from hyperctr.config import Config
    from hyperctr.data.dataset import Dataset


@dataclass(frozen=True)
class SplitData:
    """A data set cut up as a run's settings say: what training, evaluation and prediction share."""

    data: Dataset
    split: Split
    slots: Slots

    @classmethod
    def open(cls, data: Dataset, config: Config) -> SplitData:
        """Split and slot ``data``; an ordinal clock without ``slot_count`` gets 12 equal-width slots."""
        if config.modalities:
            data = data.subset_modalities(config.modalities)
        ratios = (config.ratios[0], config.ratios[1], config.ratios[2]) if config.ratios else None
        parts = split(data, kind=config.split, ratios=ratios, seed=config.seed)
        if config.slot_count or data.clock == "ordinal":
            return cls(data, parts, make_slots(data, count=config.slot_count or 12))
        return cls(data, parts, make_slots(data, months=config.slot_months))
