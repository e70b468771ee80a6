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

from hyperctr.errors import ShapeError
from hyperctr.hypergraph.incidence import Hypergraph
from hyperctr.hypergraph.rows import Rows
from hyperctr.hypergraph.settings import GraphSettings
from hyperctr.hypergraph.slot_side import SlotSide
from hyperctr.runtime import derive_seed

if TYPE_CHECKING:
    from hyperctr.hypergraph.interest import Interest
    from hyperctr.split_data import SplitData


class SlotHypergraphs:
    """User and item hypergraphs of all slots, rebuilt at will without some training clicks.

    Args:
        split_data: only its training clicks are read.
        interest: their degrees of interest.
        settings: threshold, neighbours and weights.

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

        user_key, user_of_click = np.unique(user * slots.count + slot, return_inverse=True)
        item_key, item_of_click = np.unique(item * slots.count + slot, return_inverse=True)
        packed, pair = np.unique(user_of_click * np.int64(len(item_key)) + item_of_click, return_inverse=True)
        node_rows, edge_rows = packed // max(len(item_key), 1), packed % max(len(item_key), 1)
        self.user_rows = Rows.unpack(user_key, slots.count)
        self.item_rows = Rows.unpack(item_key, slots.count)

        draw = np.zeros((self.num_modalities, len(packed)), dtype=np.uint64)
        if settings.max_neighbours is not None:
            first = np.unique(pair, return_index=True)[1]
            draw = sampling_priority(settings.seed, self.num_modalities, user[first], item[first], slot[first])
        self._users = SlotSide(node_rows, edge_rows, len(item_key), draw)
        self._items = SlotSide(edge_rows, node_rows, len(user_key), draw)
        self._pair_of_click = torch.from_numpy(pair)
        self._pair_user = torch.from_numpy(node_rows)
        self._pair_item = torch.from_numpy(edge_rows)
        # A user may click an item twice in a slot, with one degree for both (their mean); missing modalities stay nan.
        columns = interest.degree.T.astype(np.float64)
        total = np.stack([np.bincount(pair, column, len(packed)) for column in columns], 1)
        degree = total / np.maximum(np.bincount(pair, minlength=len(packed)), 1)[:, None]
        self._degree = torch.from_numpy(degree.astype(np.float32))
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
        return (
            self._users.assemble(user_member, interest_of_member, self.settings),
            self._items.assemble(item_member, degree, self.settings),
        )

    def _threshold(self, matrix: Tensor) -> Tensor:
        """Return the threshold that holds for each user row, ``[user rows, M]``.

        A quantile is taken over the users active in the slot, of the interest matrix as it is without the hidden
        clicks: each slot and each step is judged by what may be seen. It is 1 where nobody is active.
        """
        if not self.settings.quantile:
            return torch.full_like(matrix, self.settings.interest_threshold)
        quantile, threshold = self.settings.interest_threshold, torch.empty_like(matrix)
        for rows in self._by_slot.split(self._slot_sizes):
            if len(rows):
                threshold[rows] = matrix[rows].double().nanquantile(quantile, dim=0).nan_to_num(1.0).float()
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

    It draws the paper's "sampled neighbours" (Figure 6). A hash (splitmix64) and not a sequence of draws, so that
    neither later slots nor hidden clicks move the sample.

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
