"""One side of the slots' hypergraphs: the order of its incidences, fixed once, and the members a mask selects."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hyperctr.hypergraph.arrays import starts
from hyperctr.hypergraph.incidence import Hypergraph
from hyperctr.hypergraph.settings import GraphSettings


class SlotSide:
    """Incidence order of one side: fixed for all pairs and modalities, of which a mask selects the members.

    Args:
        node_row: int64 ``[P]``, the row of the node of each pair.
        edge_row: int64 ``[P]``, the row of the hyperedge of each pair.
        num_edge_rows: rows of hyperedges, in one modality.
        priority: uint64 ``[M, P]``, which incidences survive neighbour sampling (lowest first); zeros keep the order.
    """

    def __init__(
        self, node_row: NDArray[np.int64], edge_row: NDArray[np.int64], num_edge_rows: int, priority: NDArray[np.uint64]
    ) -> None:
        num_modalities, pairs = priority.shape
        modality = np.repeat(np.arange(num_modalities), pairs)
        pair = np.tile(np.arange(pairs), num_modalities)
        edge = modality * num_edge_rows + edge_row[pair]
        node = node_row[pair]
        draw = priority[modality, pair]
        by_edge = np.lexsort((draw, edge))
        by_node = np.lexsort((draw, node))
        place = np.empty(len(by_edge), dtype=np.int64)
        place[by_edge] = np.arange(len(by_edge))
        self.num_nodes = int(node_row.max()) + 1 if pairs else 0
        self.num_edges, self.num_modalities = num_edge_rows * num_modalities, num_modalities
        self.pair = torch.from_numpy(pair[by_edge])
        self.modality = torch.from_numpy(modality[by_edge])
        self.node = torch.from_numpy(node[by_edge])
        self.edge = torch.from_numpy(edge[by_edge])
        self.by_node = torch.from_numpy(place[by_node])  # positions in edge order, listed node by node
        self.group = torch.arange(num_modalities).repeat_interleave(num_edge_rows)
        self.edge_start = torch.from_numpy(np.searchsorted(edge[by_edge], np.arange(self.num_edges + 1)))
        self.node_start = torch.from_numpy(np.searchsorted(node[by_node], np.arange(self.num_nodes + 1)))

    def to(self, device: torch.device) -> None:
        """Move everything to ``device``."""
        for name, value in vars(self).items():
            if isinstance(value, Tensor):
                setattr(self, name, value.to(device))

    def assemble(self, member: Tensor, interest: Tensor, settings: GraphSettings) -> Hypergraph:
        """Build the hypergraph of the incidences where ``member`` holds.

        ``member`` is bool ``[P, M]``, a pair's incidence in a modality, as the threshold of the settings made it;
        ``interest`` is float32 ``[P, M]``, the degree whose mean over the members is a hyperedge's weight.
        """
        member, interest = member[self.pair, self.modality], interest[self.pair, self.modality]  # in edge order
        limit = settings.max_neighbours
        if limit is not None:
            member = member & (_rank(member, self.edge_start) < limit)
            kept = member[self.by_node]
            kept &= _rank(kept, self.node_start) < limit
            member = torch.zeros_like(member).index_put((self.by_node,), kept)
        size = _segment_count(member, self.edge_start)
        member = member & (size >= 2)[self.edge]  # a hyperedge under two members joins nobody
        size = torch.where(size >= 2, size, 0)
        if settings.weighted:
            # Added hyperedge by hyperedge, not as differences of a running sum: those would round differently
            # whenever some other hyperedge changes.
            total = torch.zeros(self.num_edges, dtype=torch.float64, device=member.device)
            total = total.index_add(0, self.edge, torch.where(member, interest, 0.0).double())
            weight = torch.where(size > 0, (total / size.clamp(min=1)).float(), 1.0)
        else:
            weight = torch.ones(self.num_edges, device=member.device)
        listed = self.by_node[member[self.by_node]]
        return Hypergraph.unchecked(
            num_nodes=self.num_nodes,
            num_hyperedges=self.num_edges,
            weight=weight,
            group=self.group,
            label=torch.arange(self.num_edges, device=member.device) % max(self.num_edges // self.num_modalities, 1),
            group_names=tuple(f"modality {m}" for m in range(self.num_modalities)),
            by_hyperedge=(starts(size), self.node[member].int()),
            by_node=(starts(_segment_count(member[self.by_node], self.node_start)), self.edge[listed].int()),
        )


def _segment_count(values: Tensor, start: Tensor) -> Tensor:
    """Count the true values in consecutive segments ``[start[k], start[k+1])``."""
    running = torch.cat([start.new_zeros(1), values.cumsum(0)])
    return running[start[1:]] - running[start[:-1]]


def _rank(member: Tensor, start: Tensor) -> Tensor:
    """Return how many members precede each position within its segment."""
    before = member.cumsum(0) - member.long()
    sizes = start[1:] - start[:-1]
    first = before[start[:-1].clamp(max=max(len(before) - 1, 0))] if len(before) else before
    return before - torch.repeat_interleave(first, sizes)
