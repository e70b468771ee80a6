"""The (node, slot) rows of all slots side by side, and how to find the one a target may look at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True)
class Rows:
    """The (node, slot) rows that hold a training click, sorted by node, then slot.

    Attributes:
        node, slot: int64 ``[R]``.
        num_slots: T.
    """

    node: Tensor
    slot: Tensor
    num_slots: int

    @classmethod
    def unpack(cls, keys: NDArray[np.int64], num_slots: int) -> Rows:
        """Build from sorted keys ``node * num_slots + slot``."""
        return cls(torch.from_numpy(keys // num_slots), torch.from_numpy(keys % num_slots), num_slots)

    def to(self, device: torch.device) -> Rows:
        """Return the rows on ``device``."""
        return Rows(self.node.to(device), self.slot.to(device), self.num_slots)

    def find(self, node: Tensor, slot: Tensor) -> Tensor:
        """Return the row of each (node, slot), int64 of the same shape; -1 where there is none."""
        key = self.node * self.num_slots + self.slot
        wanted = node * self.num_slots + slot
        place = torch.searchsorted(key, wanted).clamp(max=max(len(key) - 1, 0))
        return torch.where(key[place] == wanted, place, -1) if len(key) else torch.full_like(wanted, -1)

    def latest_before(self, node: Tensor, slot: Tensor, active: Tensor) -> Tensor:
        """Return the row of the latest slot before ``slot`` in which each node is active, int64 ``[B]``; -1: none.

        ``active`` is bool ``[R]``: the rows that lie on a hyperedge.
        """
        rows = active.nonzero().squeeze(1)
        if not len(rows):
            return torch.full_like(node, -1)
        key = self.node[rows] * self.num_slots + self.slot[rows]
        place = torch.searchsorted(key, node * self.num_slots + slot) - 1
        row = rows[place.clamp(min=0)]
        return torch.where((place >= 0) & (self.node[row] == node), row, -1)
