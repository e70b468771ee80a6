"""The hypergraphs of all slots side by side, rebuilt at will without some training clicks.

Nodes are the (node, slot) *rows* that occur. A (user, item, slot) triple of the training clicks is called a *pair*;
both sides share the pairs with roles swapped:

    side "user": nodes = (user, slot) rows, hyperedges = (item, slot) rows, one block of them per modality
    side "item": nodes = (item, slot) rows, hyperedges = (user, slot) rows, one block of them per modality

Rows and pairs are sorted by slot first. Any stretch of slots is therefore a slice, and since no hyperedge reaches
beyond its slot, large data are convolved stretch by stretch.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from hyperctr.errors import ShapeError
from hyperctr.hypergraph.arrays import starts
from hyperctr.hypergraph.incidence import Hypergraph
from hyperctr.hypergraph.neighbours import NeighbourSample, sampling_priority
from hyperctr.hypergraph.rows import Rows
from hyperctr.hypergraph.settings import GraphSettings

if TYPE_CHECKING:
    from hyperctr.hypergraph.interest import Interest
    from hyperctr.split_data import SplitData

Slots = tuple[int, int]  # first, end
Stretch = tuple[Slots, tuple[Hypergraph, Hypergraph]]
PAIRS_AT_A_TIME = 1_000_000  # of whole slots; with three modalities and d = 64 a stretch then takes about 1 GB


class SlotHypergraphs:
    """User and item hypergraphs of all slots, rebuilt at will without some training clicks.

    Args:
        split_data: only its training clicks are read.
        interest: their degrees of interest.
        settings: threshold, neighbours and weights.

    Attributes:
        user_rows, item_rows: the (node, slot) rows.
        stretches: ranges of slots, ``(first, end)``, to be convolved one after the other.

    Raises:
        ShapeError: the interest was learned on another split.
    """

    def __init__(self, split_data: SplitData, interest: Interest, settings: GraphSettings) -> None:
        data, slots, clicks = split_data.data, split_data.slots, split_data.split.train
        if len(interest.degree) != len(clicks):
            sizes = f"interest holds {len(interest.degree)} clicks, the split has {len(clicks)} training clicks"
            raise ShapeError(f"{sizes}; pre-train the interest on the same data and split")
        user, item, slot = data.user_index[clicks], data.item_index[clicks], slots.index[clicks]
        self.num_modalities = interest.degree.shape[1]
        self.settings = settings

        user_key, user_of_click = np.unique(slot * data.num_users + user, return_inverse=True)
        item_key, item_of_click = np.unique(slot * data.num_items + item, return_inverse=True)
        self.user_rows = Rows.unpack(user_key, slots.count, data.num_users)
        self.item_rows = Rows.unpack(item_key, slots.count, data.num_items)
        width = np.int64(max(len(item_key), 1))
        packed, pair = np.unique(user_of_click * width + item_of_click, return_inverse=True)
        node, edge = (packed // width).astype(np.int32), (packed % width).astype(np.int32)
        pairs = len(packed)
        self._samples: list[NeighbourSample] = []
        if settings.max_neighbours is not None:
            first = np.unique(pair, return_index=True)[1]
            draw = sampling_priority(settings.seed, self.num_modalities, user[first], item[first], slot[first])
            self._samples = [
                NeighbourSample(settings.max_neighbours, *side, draw) for side in ((node, edge), (edge, node))
            ]
        del packed, user_of_click, item_of_click

        self._pair_of_click = torch.from_numpy(pair.astype(np.int32))
        self._clicks_of_pair = torch.from_numpy(np.bincount(pair, minlength=pairs).astype(np.int32))
        self._pair_user, self._pair_item = torch.from_numpy(node), torch.from_numpy(edge)
        self._by_item = torch.from_numpy(np.argsort(edge, kind="stable").astype(np.int32))  # pairs, item by item
        # A user may click an item twice in a slot, with one degree for both (their mean).
        count = np.maximum(np.bincount(pair, minlength=pairs), 1)
        degree = [(np.bincount(pair, column, pairs) / count).astype(np.float32) for column in interest.degree.T]
        self._degree = torch.from_numpy(np.stack(degree, axis=1))
        self._known = ~self._degree.isnan()  # an item may lack a modality
        self._degree.nan_to_num_(0.0)
        self._pair_starts = np.searchsorted(node, self.user_rows.starts).tolist()
        self.stretches = _stretches(self._pair_starts, PAIRS_AT_A_TIME)

    def to(self, device: torch.device) -> SlotHypergraphs:
        """Move everything to ``device`` and return self."""
        for name, value in vars(self).items():
            if isinstance(value, Tensor | Rows):
                setattr(self, name, value.to(device))
        self._samples = [sample.to(device) for sample in self._samples]
        return self

    def at_threshold(self, interest_threshold: float) -> SlotHypergraphs:
        """Return the same with another threshold; all else is shared, since nothing that is kept depends on it."""
        other = copy(self)
        other.settings = replace(self.settings, interest_threshold=interest_threshold)
        return other

    def clicks_left(self, dropped: Tensor | None = None, pairs: slice = slice(None)) -> Tensor:
        """Return how many clicks some pairs keep without the training clicks ``dropped`` (numbers in 0..C-1)."""
        left = self._clicks_of_pair[pairs]
        if dropped is None:
            return left
        start, stop, _ = pairs.indices(len(self._clicks_of_pair))
        pair = self._pair_of_click[torch.unique(dropped)]
        pair = pair[(pair >= start) & (pair < stop)] - start
        return left.index_add(0, pair, left.new_ones(len(pair)), alpha=-1)

    def assemble(self, dropped: Tensor | None = None, slots: Slots | None = None) -> tuple[Hypergraph, Hypergraph]:
        """Return the user and the item hypergraph without the training clicks ``dropped``, int64.

        The interest matrix, memberships, sizes and weights are all computed from the remaining clicks. ``slots``
        restricts both to the rows of some slots, numbered from 0 on; by default they have all.
        """
        slots = slots or (0, self.user_rows.num_slots)
        return self._assemble(self.clicks_left(dropped, self._pairs(slots)), slots)

    def stretch_by_stretch(
        self, dropped: Tensor | None = None, stretches: Sequence[Slots] | None = None
    ) -> list[Stretch]:
        """Return the stretches of slots, all or those given, each with its two hypergraphs."""
        left, chosen = self.clicks_left(dropped), self.stretches if stretches is None else stretches
        return [(slots, self._assemble(left[self._pairs(slots)], slots)) for slots in chosen]

    def _pairs(self, slots: Slots) -> slice:
        return slice(self._pair_starts[slots[0]], self._pair_starts[slots[1]])

    def divided(self, size: int) -> list[tuple[Slots, int]]:
        """Divide the slots between ``size`` processes: stretches, and which process has each.

        A stretch has whole slots, so that no more processes than slots have any.
        """
        if size == 1:
            return [(slots, 0) for slots in self.stretches]
        begins, pairs = self._pair_starts, max(1, self._pair_starts[-1])
        stretches = _stretches(begins, min(PAIRS_AT_A_TIME, pairs // size))
        return [((first, end), (begins[first] + begins[end]) * size // (2 * pairs + 1)) for first, end in stretches]

    def _assemble(self, left: Tensor, slots: Slots) -> tuple[Hypergraph, Hypergraph]:
        """Build both hypergraphs of some slots from how many clicks each of their pairs has left."""
        (first, end), pairs = slots, self._pairs(slots)
        user0, users = self.user_rows.starts[first], self.user_rows.starts[end] - self.user_rows.starts[first]
        item0, items = self.item_rows.starts[first], self.item_rows.starts[end] - self.item_rows.starts[first]
        user, item = self._pair_user[pairs] - user0, self._pair_item[pairs] - item0
        by_item = self._by_item[pairs] - pairs.start
        clicks, degree = left[:, None], self._degree[pairs]
        valid = (clicks > 0) & self._known[pairs]
        # Interest matrix F, [user rows, M]: the mean over the remaining clicks. float64, so that order does not show.
        zeros = torch.zeros((users, self.num_modalities), dtype=torch.float64, device=degree.device)
        share = (valid * clicks).double()
        count = zeros.index_add(0, user, share)
        matrix = (zeros.index_add(0, user, degree * share) / count.clamp(min=1)).float()
        # One threshold serves both sides, so the two hypergraphs speak of the same degree of interest.
        threshold = self._threshold(torch.where(count > 0, matrix, torch.nan), first, end)
        user_member = valid & (matrix >= threshold)[user]
        item_member = valid & (degree >= threshold[user])
        if self._samples:
            user_member = self._samples[0].keep(user_member, user, item, pairs)
            item_member = self._samples[1].keep(item_member, item, user, pairs)
        return (
            self._side(user_member, matrix[user], (user, None, users), (item, by_item, items)),
            self._side(item_member, degree, (item, by_item, items), (user, None, users)),
        )

    def _side(
        self,
        member: Tensor,
        interest: Tensor,
        nodes: tuple[Tensor, Tensor | None, int],
        edges: tuple[Tensor, Tensor | None, int],
    ) -> Hypergraph:
        """Build one side from its members, bool ``[P, M]``, and the interest whose mean is a hyperedge's weight.

        Nodes and hyperedges are given as the row of each pair, the order that sorts pairs by row (None: they are in
        that order already) and the number of rows. Hyperedges are numbered modality by modality.
        """
        (node, node_order, num_nodes), (edge, edge_order, num_edges) = nodes, edges
        width, device = self.num_modalities, member.device
        # Step 1: sizes; a hyperedge of too few members joins nobody. -> [E, M]
        size = torch.zeros((num_edges, width), dtype=torch.int32, device=device).index_add(0, edge, member.int())
        joins = size >= self.settings.least_members
        member = member & joins[edge]
        size = torch.where(joins, size, 0)
        weight = torch.ones((num_edges, width), device=device)
        if self.settings.weighted:
            # Added hyperedge by hyperedge, not as differences of a running sum: those would round differently
            # whenever some other hyperedge changes.
            total = torch.zeros((num_edges, width), dtype=torch.float64, device=device)
            total = total.index_add(0, edge, torch.where(member, interest, 0.0).double())
            weight = torch.where(joins, (total / size.clamp(min=1)).float(), 1.0)
        # Step 2: members listed hyperedge by hyperedge
        listed, column = (member, node) if edge_order is None else (member[edge_order], node[edge_order])
        by_hyperedge = torch.cat([column[listed[:, m]] for m in range(width)]) if width else column[:0]
        # Step 3: hyperedges listed node by node
        numbers = edge[:, None] + torch.arange(width, dtype=torch.int32, device=device) * num_edges
        listed, numbers = (member, numbers) if node_order is None else (member[node_order], numbers[node_order])
        count = torch.zeros(num_nodes, dtype=torch.int64, device=device).index_add(0, node, member.sum(1))
        return Hypergraph.unchecked(
            num_nodes=num_nodes,
            num_hyperedges=num_edges * width,
            weight=weight.T.flatten(),
            group=torch.arange(width, device=device).repeat_interleave(num_edges),
            label=torch.arange(num_edges, device=device).repeat(width),
            group_names=tuple(f"modality {m}" for m in range(width)),
            by_hyperedge=(starts(size.T.flatten()), by_hyperedge),
            by_node=(starts(count), numbers[listed]),
        )

    def _threshold(self, matrix: Tensor, first: int, end: int) -> Tensor:
        """Return the threshold that holds for each user row of some slots, ``[user rows, M]``.

        A quantile is taken over the users active in the slot, of the interest matrix as it is without the hidden
        clicks: each slot and each step is judged by what may be seen. It is 1 where nobody is active.
        """
        if not self.settings.quantile:
            return torch.full_like(matrix, self.settings.interest_threshold)
        quantile, threshold = self.settings.interest_threshold, torch.empty_like(matrix)
        bounds = [start - self.user_rows.starts[first] for start in self.user_rows.starts[first : end + 1]]
        for start, stop in pairwise(bounds):
            if start < stop:
                value = matrix[start:stop].double().nanquantile(quantile, dim=0)
                threshold[start:stop] = value.nan_to_num(1.0).float()
        return threshold


def _stretches(pair_starts: list[int], pairs: int) -> tuple[tuple[int, int], ...]:
    """Group consecutive slots as long as a stretch holds no more than ``pairs``.

    >>> _stretches([0, 400_000, 900_000, 2_000_000, 2_000_001], 1_000_000)
    ((0, 2), (2, 3), (3, 4))
    """
    stretches, first = [], 0
    for slot in range(1, len(pair_starts) - 1):
        if pair_starts[slot + 1] - pair_starts[first] > pairs:
            stretches.append((first, slot))
            first = slot
    return (*stretches, (first, len(pair_starts) - 1))
