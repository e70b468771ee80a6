"""The (node, slot) rows of all slots side by side, and how to find the one a target may look at."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True)
class Rows:
    """The (node, slot) rows that hold a training click, sorted by slot, then node: each slot's are contiguous.

    Attributes:
        node, slot: int64 ``[R]``.
        num_slots: T.
        num_nodes: U or I.
    """

    node: Tensor
    slot: Tensor
    num_slots: int
    num_nodes: int

    @classmethod
    def unpack(cls, keys: NDArray[np.int64], num_slots: int, num_nodes: int) -> Rows:
        """Build from sorted keys ``slot * num_nodes + node``."""
        slot, node = np.divmod(keys, max(num_nodes, 1))
        return cls(torch.from_numpy(node), torch.from_numpy(slot), num_slots, num_nodes)

    def __len__(self) -> int:
        return len(self.node)

    def to(self, device: torch.device) -> Rows:
        """Return the rows on ``device``."""
        return Rows(self.node.to(device), self.slot.to(device), self.num_slots, self.num_nodes)

    @cached_property
    def starts(self) -> list[int]:
        """The first row of each slot, and the number of rows at the end: T + 1 numbers."""
        bounds = torch.arange(self.num_slots + 1, device=self.slot.device)
        return [int(start) for start in torch.searchsorted(self.slot, bounds)]

    @cached_property
    def _keys(self) -> Tensor:
        return self.slot * self.num_nodes + self.node

    @cached_property
    def _by_node(self) -> tuple[Tensor, Tensor]:
        """Keys ``node * T + slot`` in ascending order, and the row of each."""
        return torch.sort(self.node * self.num_slots + self.slot)

    def find(self, node: Tensor, slot: Tensor) -> Tensor:
        """Return the row of each (node, slot), int64 of the same shape; -1 where there is none."""
        wanted = slot * self.num_nodes + node
        if not len(self):
            return torch.full_like(wanted, -1)
        place = torch.searchsorted(self._keys, wanted).clamp(max=len(self) - 1)
        return torch.where(self._keys[place] == wanted, place, -1)

    def last_active(self, active: Tensor) -> Tensor:
        """Return, for the rows in the order (node, slot), the place of the last active one up to each, int64 ``[R]``.

        ``active`` is bool ``[R]``: the rows that lie on a hyperedge. Where there is none, -1. It is what
        :meth:`latest_before` reads, made once for any number of targets.
        """
        places = torch.arange(len(self), device=active.device)
        marked = torch.where(active[self._by_node[1]], places, -1)
        return marked.cummax(0).values if len(self) else marked

    def latest_before(self, node: Tensor, slot: Tensor, last_active: Tensor) -> Tensor:
        """Return the row of the latest slot before ``slot`` in which each node is active, int64 ``[B]``; -1: none."""
        if not len(self):
            return torch.full_like(node, -1)
        keys, row_at = self._by_node
        place = torch.searchsorted(keys, node * self.num_slots + slot) - 1
        place = torch.where(place >= 0, last_active[place.clamp(min=0)], -1)
        row = row_at[place.clamp(min=0)]
        return torch.where((place >= 0) & (self.node[row] == node), row, -1)
