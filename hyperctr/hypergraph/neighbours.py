"""The paper's sampled neighbours (Figure 6): at most K members of a hyperedge, at most K hyperedges of a node."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hyperctr.data.shuffle import hashed


class NeighbourSample:
    """Which incidences of one side of the slots' hypergraphs are used, those of lowest priority first.

    Pairs are numbered slot by slot, so the incidences of some consecutive slots are a slice of every array here.

    Args:
        limit: K.
        node, edge: int ``[P]``, row of the node and of the hyperedge of each pair.
        priority: uint64 ``[M, P]``.
    """

    def __init__(
        self, limit: int, node: NDArray[np.int32], edge: NDArray[np.int32], priority: NDArray[np.uint64]
    ) -> None:
        self.limit = limit
        self.edge_orders = [torch.from_numpy(np.lexsort((draw, edge))) for draw in priority]
        self.node_order = torch.from_numpy(np.lexsort((priority.T.ravel(), np.repeat(node, len(priority)))))

    def to(self, device: torch.device) -> NeighbourSample:
        """Move everything to ``device`` and return self."""
        self.edge_orders = [order.to(device) for order in self.edge_orders]
        self.node_order = self.node_order.to(device)
        return self

    def keep(self, member: Tensor, node: Tensor, edge: Tensor, pairs: slice) -> Tensor:
        """Return the members that stay, bool ``[P', M]``: of the pairs of some slots, given their rows ``[P']``."""
        kept = torch.zeros_like(member)
        for m, order in enumerate(self.edge_orders):
            places = order[pairs] - pairs.start
            inside = member[places, m]
            kept[places, m] = inside & (_rank(inside, edge[places]) < self.limit)
        width = member.shape[1]
        places = self.node_order[pairs.start * width : pairs.stop * width] - pairs.start * width
        flat = kept.flatten()
        inside = flat[places]
        flat[places] = inside & (_rank(inside, node[places // width]) < self.limit)
        return flat.view_as(member)


def _rank(member: Tensor, group: Tensor) -> Tensor:
    """Return how many members precede each position within its group; groups are contiguous."""
    if not len(member):
        return member.long()
    before = member.cumsum(0) - member.long()
    first = torch.ones_like(member)
    first[1:] = group[1:] != group[:-1]
    start = torch.where(first, torch.arange(len(member), device=member.device), 0).cummax(0).values
    return before - before[start]


def sampling_priority(seed: int, num_modalities: int, *names: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return a pseudo-random priority per modality and pair, ``[M, P]``, from what the pair is: user, item and slot.

    A hash and not a sequence of draws, so that neither later slots nor hidden clicks move the sample.

    >>> a, b = np.array([3, 5]), np.array([7, 9])
    >>> bool((sampling_priority(0, 2, a, b)[:, 1:] == sampling_priority(0, 2, a[1:], b[1:])).all())
    True
    """
    modalities = (np.full(len(names[0]), m) for m in range(num_modalities))
    return np.stack([hashed(seed, "neighbours", modality, *names) for modality in modalities])
