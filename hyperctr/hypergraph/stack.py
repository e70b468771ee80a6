"""The hypergraphs of all slots side by side in one, rebuilt in milliseconds without some training clicks.

Nodes are the (node, slot) *rows* that occur. A (user, item, slot) triple of the training clicks is called a *pair*;
both sides share the pairs with roles swapped:

    side "user": nodes = (user, slot) rows, hyperedges = (item, slot) rows, one block of them per modality
    side "item": nodes = (item, slot) rows, hyperedges = (user, slot) rows, one block of them per modality

The trainer rebuilds both without the clicks of the current batch, so that no click is visible to its own prediction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hyperctr.errors import ConfigError, ShapeError
from hyperctr.hypergraph.incidence import Hypergraph
from hyperctr.hypergraph.rows import Rows
from hyperctr.runtime import derive_seed

if TYPE_CHECKING:
    from hyperctr.data.dataset import Dataset
    from hyperctr.data.splits import Split
    from hyperctr.hypergraph.interest import Interest
    from hyperctr.slots import Slots


class _Side:
    """Incidence order of one side: fixed for all pairs and modalities, of which a mask selects the members.

    Args:
        node_row, edge_row: int64 ``[P]``, the two rows of each pair.
        priority: uint64 ``[M, P]``, which incidences survive neighbour sampling (lowest first); zeros keep the order.
    """

    def __init__(
        self,
        node_row: NDArray[np.int64],
        edge_row: NDArray[np.int64],
        num_edge_rows: int,
        num_modalities: int,
        priority: NDArray[np.uint64],
    ) -> None:
        pairs = len(node_row)
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
        for name, value in vars(self).items():
            if isinstance(value, Tensor):
                setattr(self, name, value.to(device))

    def assemble(self, member: Tensor, interest: Tensor, neighbours: int, weighted: bool) -> Hypergraph:
        """Build the hypergraph of the incidences where ``member`` (bool, in edge order) holds.

        Args:
            member: bool in edge order.
            interest: float32 in edge order, the degree whose mean over the members is a hyperedge's weight.
            neighbours: K, 0 for all.
            weighted: use that mean; otherwise every weight is 1.
        """
        if neighbours:
            member = member & (_rank(member, self.edge_start) < neighbours)
            kept = member[self.by_node]
            kept &= _rank(kept, self.node_start) < neighbours
            member = torch.zeros_like(member).index_put((self.by_node,), kept)
        size = _segment_count(member, self.edge_start)
        member = member & (size >= 2)[self.edge]  # a hyperedge under two members joins nobody
        size = torch.where(size >= 2, size, 0)
        if weighted:
            # Added hyperedge by hyperedge, not as differences of a running sum: those would round differently
            # whenever some other hyperedge changes.
            total = torch.zeros(self.num_edges, dtype=torch.float64, device=member.device)
            total = total.index_add(0, self.edge, torch.where(member, interest, 0.0).double())
            weight = (total / size.clamp(min=1)).float()
            weight = torch.where(size > 0, weight, 1.0)
        else:
            weight = torch.ones(self.num_edges, device=member.device)
        listed = self.by_node[member[self.by_node]]
        return Hypergraph.unchecked(
            num_nodes=self.num_nodes,
            num_hyperedges=self.num_edges,
            weight=weight,
            incidence=None,
            group=self.group,
            label=torch.arange(self.num_edges, device=member.device) % max(self.num_edges // self.num_modalities, 1),
            group_names=tuple(f"modality {m}" for m in range(self.num_modalities)),
            by_hyperedge=(_starts(size), self.node[member].int()),
            by_node=(_starts(_segment_count(member[self.by_node], self.node_start)), self.edge[listed].int()),
        )


class SlotHypergraphs:
    """User and item hypergraphs of all slots, rebuilt at will without some training clicks.

    Args:
        data, split, slots, interest: what the hypergraphs are made of; only training clicks are read.
        delta: interest threshold, a degree in (0, 1) or, with ``quantile``, a quantile per slot and modality.
        neighbours: K, the most members of a hyperedge and hyperedges of a node that are used; None is exact.
        weighted: weigh a hyperedge by the mean interest of its members instead of 1.
        seed: of the neighbour sampling.
    """

    def __init__(
        self,
        data: Dataset,
        split: Split,
        slots: Slots,
        interest: Interest,
        *,
        delta: float = 0.5,
        quantile: bool = False,
        neighbours: int | None = None,
        weighted: bool = True,
        seed: int = 0,
    ) -> None:
        clicks = split.train
        if interest.degree.shape[0] != len(clicks):
            raise ShapeError(
                f"interest holds {interest.degree.shape[0]} clicks, the split has {len(clicks)} training clicks; "
                "pre-train the interest on the same data and split"
            )
        if not 0 <= delta <= 1:
            raise ConfigError(f"delta = {delta} is out of bounds: must be between 0 and 1")
        if neighbours is not None and neighbours < 2:
            raise ConfigError(f"neighbours = {neighbours} must be at least 2, or None for all")
        user, item, slot = data.user_index[clicks], data.item_index[clicks], slots.index[clicks]
        self.num_modalities = interest.degree.shape[1]
        self.neighbours, self.weighted = neighbours or 0, weighted

        user_key, user_of_click = np.unique(user * slots.count + slot, return_inverse=True)
        item_key, item_of_click = np.unique(item * slots.count + slot, return_inverse=True)
        packed, pair = np.unique(user_of_click * np.int64(len(item_key)) + item_of_click, return_inverse=True)
        node_rows, edge_rows = packed // max(len(item_key), 1), packed % max(len(item_key), 1)
        self.user_rows = Rows.unpack(user_key, slots.count)
        self.item_rows = Rows.unpack(item_key, slots.count)

        draw = np.zeros((self.num_modalities, len(packed)), dtype=np.uint64)
        if neighbours:
            first = np.unique(pair, return_index=True)[1]
            draw = sampling_priority(seed, self.num_modalities, user[first], item[first], slot[first])
        self._users = _Side(node_rows, edge_rows, len(item_key), self.num_modalities, draw)
        self._items = _Side(edge_rows, node_rows, len(user_key), self.num_modalities, draw)
        self._pair_of_click = torch.from_numpy(pair)
        self._pair_user = torch.from_numpy(node_rows)
        self._pair_item = torch.from_numpy(edge_rows)
        # A user may click an item twice in a slot, with one degree for both (their mean); missing modalities stay nan.
        columns = interest.degree.T.astype(np.float64)
        total = np.stack([np.bincount(pair, column, len(packed)) for column in columns], 1)
        degree = total / np.maximum(np.bincount(pair, minlength=len(packed)), 1)[:, None]
        self._degree = torch.from_numpy(degree.astype(np.float32))
        self._delta, self._quantile = delta, quantile
        self._by_slot = torch.argsort(self.user_rows.slot, stable=True)
        self._slot_sizes = torch.bincount(self.user_rows.slot, minlength=slots.count).tolist()

    def to(self, device: torch.device) -> SlotHypergraphs:
        """Move everything to ``device`` and return self."""
        self._users.to(device)
        self._items.to(device)
        for name, value in vars(self).items():
            if isinstance(value, Tensor | Rows):
                setattr(self, name, value.to(device))
        return self

    def clicks_left(self, dropped: Tensor | None = None) -> Tensor:
        """Return how many clicks each pair keeps without the training clicks ``dropped`` (numbers in 0..C-1)."""
        visible = torch.ones_like(self._pair_of_click)
        if dropped is not None:
            visible[dropped] = 0
        return torch.zeros_like(self._pair_user).index_add(0, self._pair_of_click, visible)

    def assemble(self, dropped: Tensor | None = None) -> tuple[Hypergraph, Hypergraph]:
        """Return the user and the item hypergraph over all slots' rows, without the training clicks ``dropped``.

        The interest matrix, memberships, sizes and weights are all computed from the remaining clicks.
        """
        clicks = self.clicks_left(dropped)[:, None]
        valid = (clicks > 0) & ~self._degree.isnan()
        degree = torch.where(valid, self._degree, 0.0)
        # Interest matrix F, [user rows, M]: the mean over the remaining clicks. float64, so that order does not show.
        shape = (len(self.user_rows.node), self.num_modalities)
        zeros = torch.zeros(shape, dtype=torch.float64, device=degree.device)
        total = zeros.index_add(0, self._pair_user, degree.double() * clicks)
        count = zeros.index_add(0, self._pair_user, valid.double() * clicks)
        matrix = (total / count.clamp(min=1)).float()
        interest_of_member = matrix[self._pair_user]
        # One threshold serves both sides, so the two hypergraphs speak of the same degree of interest.
        threshold = self._threshold(torch.where(count > 0, matrix, torch.nan))[self._pair_user]
        user_member = valid & (interest_of_member >= threshold)
        item_member = valid & (degree >= threshold)
        graphs = []
        for side, member, interest in (
            (self._users, user_member, interest_of_member),
            (self._items, item_member, degree),
        ):
            order = (side.pair, side.modality)
            graphs.append(side.assemble(member[order], interest[order], self.neighbours, self.weighted))
        return graphs[0], graphs[1]

    def _threshold(self, matrix: Tensor) -> Tensor:
        """Return the threshold that holds for each user row, ``[user rows, M]``.

        A quantile is taken over the users active in the slot, of the interest matrix as it is without the hidden
        clicks: each slot and each step is judged by what may be seen. It is 1 where nobody is active.
        """
        if not self._quantile:
            return torch.full_like(matrix, self._delta)
        threshold = torch.empty_like(matrix)
        for rows in self._by_slot.split(self._slot_sizes):
            if len(rows):
                threshold[rows] = matrix[rows].double().nanquantile(self._delta, dim=0).nan_to_num(1.0).float()
        return threshold

    def bipartite(self, dropped: Tensor | None = None) -> Hypergraph:
        """Return the slots' user-item click graph as a hypergraph of two-member hyperedges, without ``dropped``.

        Nodes are the user rows, then the item rows. On such a hypergraph Eq. 5 is
        ``(X + D^-1/2 A D^-1/2 X) Theta / 2``, a graph convolution with self-loops: the "(-) hypergraph" row of Table 4
        needs no second kind of layer.
        """
        alive = self.clicks_left(dropped) > 0
        users = self._pair_user[alive]
        nodes = torch.stack([users, self._pair_item[alive] + len(self.user_rows.node)], 1).flatten()
        edges = torch.arange(len(users), device=users.device)
        ones = torch.ones(len(users), device=users.device)
        return Hypergraph.unchecked(
            incidence=None,
            num_nodes=len(self.user_rows.node) + len(self.item_rows.node),
            num_hyperedges=len(users),
            weight=ones,
            group=torch.zeros_like(edges),
            label=edges,
            group_names=("clicks",),
            by_hyperedge=((2 * torch.arange(len(users) + 1, device=users.device)).int(), nodes.int()),
        )


def sampling_priority(seed: int, num_modalities: int, *names: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return a pseudo-random priority per modality and pair, ``[M, P]``, from what the pair is: user, item and slot.

    A hash (splitmix64) and not a sequence of draws, so that neither later slots nor hidden clicks move the sample.

    >>> a, b = np.array([3, 5]), np.array([7, 9])
    >>> bool((sampling_priority(0, 2, a, b)[:, 1:] == sampling_priority(0, 2, a[1:], b[1:])).all())
    True
    """
    state = np.full((num_modalities, 1), derive_seed(seed, "neighbours"), dtype=np.uint64)
    for name in (np.arange(num_modalities)[:, None], *names):
        state = (state ^ name.astype(np.uint64)) + np.uint64(0x9E3779B97F4A7C15)
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        state = state ^ (state >> np.uint64(31))
    return state


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


def _starts(sizes: Tensor) -> Tensor:
    return torch.cat([sizes.new_zeros(1), sizes.cumsum(0)]).int()
