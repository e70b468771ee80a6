"""All that any model may look at: histories, slots and hypergraphs made from training clicks, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from hyperctr.hypergraph.settings import GraphSettings
from hyperctr.hypergraph.stack import SlotHypergraphs
from hyperctr.model.history import ClickHistory

if TYPE_CHECKING:
    from hyperctr.config import Config
    from hyperctr.data.dataset import Dataset
    from hyperctr.hypergraph.interest import Interest
    from hyperctr.slots import Slots
    from hyperctr.split_data import SplitData


@dataclass(frozen=True)
class Context:
    """Everything a model may look at: built from training clicks only, shared by all models."""

    data: Dataset
    slots: Slots
    history: ClickHistory
    graphs: SlotHypergraphs | None

    @classmethod
    def build(cls, split_data: SplitData, interest: Interest | None, config: Config) -> Context:
        """Build from the training clicks of the split; without interest there are no hypergraphs."""
        graphs = None if interest is None else SlotHypergraphs(split_data, interest, GraphSettings.of(config))
        return cls(split_data.data, split_data.slots, ClickHistory(split_data, config.protocol), graphs)

    def to(self, device: torch.device) -> Context:
        """Move the tensors to ``device`` and return self."""
        self.history.to(device)
        if self.graphs is not None:
            self.graphs.to(device)
        return self
