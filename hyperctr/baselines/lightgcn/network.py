"""LightGCN: user and item vectors averaged over the graph of clicks, with nothing else learnt.

Source: He et al., LightGCN: simplifying and powering graph convolution network for recommendation; its propagation is
``torch_geometric.nn.LGConv``. With A the graph of clicks (an edge or none, however often it was clicked) and
``x' = D^-1/2 A D^-1/2 x``, a vector is the mean of its 0 to L times propagated ones, and a score is a dot product.

Deviations from the original: a graph per time slot, because a prediction may not look ahead. A target in slot t reads
the graph of the training clicks up to its slot under protocol ``as-published``, and before its slot under ``causal``;
all graphs propagate the same vectors, and a batch's own clicks are no edges of any. The loss is the harness's
cross-entropy with a learnt shift of the logits, instead of a pairwise ranking loss. An item starts from its id and its
modalities, as in HyperCTR, instead of its id alone.
"""

from __future__ import annotations

import warnings
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from hyperctr.baselines.common import in_pieces
from hyperctr.baselines.lightgcn import LightGCNOptions
from hyperctr.config import Config
from hyperctr.model.base import ClickModel, squared_norm
from hyperctr.model.context import Context
from hyperctr.model.embedding import ItemEncoder
from hyperctr.model.history import Targets


class State(NamedTuple):
    """Item vectors before propagation ``[I, d]``, and all vectors after it: slot by slot, users then items."""

    static: Tensor
    vectors: Tensor


class LightGCN(ClickModel):
    """Score a candidate by ``<x_user, x_item> + b`` with vectors propagated over the clicks of the slots in sight.

    Reads ``embedding_size``, ``layers`` and its options.
    """

    def __init__(self, context: Context, config: Config, interest: object = None) -> None:
        from torch_geometric.nn import LGConv  # slow to import, and it looks for packages that training does without

        super().__init__()
        data, history = context.data, context.history
        self.context, self.config = context, config
        self.options = LightGCNOptions.of(config)
        self.user = nn.Parameter(torch.randn(data.num_users, config.embedding_size) * 0.1)
        self.items = ItemEncoder(data, config.embedding_size)
        self.shift = nn.Parameter(torch.zeros(1))
        self.conv = LGConv(normalize=False)
        self.slots, self.nodes = history.num_slots, data.num_users + data.num_items
        pairs, of_click = torch.unique(history.user * data.num_items + history.item, return_inverse=True)
        self.pair_user = nn.Buffer(pairs // data.num_items, persistent=False)
        self.pair_item = nn.Buffer(pairs % data.num_items, persistent=False)
        self.pair_of_click = nn.Buffer(of_click, persistent=False)
        # The first graph that has the click; all later ones have it too.
        first = history.slot + (config.protocol == "causal")
        self.graph_of_click = nn.Buffer(first.clamp(max=self.slots), persistent=False)

    def edges(self, dropped: Tensor | None = None) -> Tensor:
        """Return the edges of all graphs in both directions, int64 ``[2, E]``, without the training clicks ``dropped``.

        Node v of the graph of slot t is row ``t * (U + I) + v``; items come after the users.
        """
        first: Tensor = self.graph_of_click
        if dropped is not None:
            first = first.index_fill(0, self.context.history.place[dropped], self.slots)
        start = torch.full_like(self.pair_user, self.slots).scatter_reduce(0, self.pair_of_click, first, "amin")
        count = self.slots - start
        pair = torch.repeat_interleave(count)
        graph = torch.arange(len(pair), device=pair.device) - (count.cumsum(0) - count - start)[pair]
        user = graph * self.nodes + self.pair_user[pair]
        item = graph * self.nodes + len(self.user) + self.pair_item[pair]
        return torch.stack([torch.cat([user, item]), torch.cat([item, user])])

    def refresh(self, dropped: Tensor | None = None) -> State:
        """Propagate over the graphs of all slots, without the training clicks ``dropped``."""
        from torch_geometric.nn.conv.gcn_conv import gcn_norm

        static = self.items()
        x = torch.cat([self.user, static]).repeat(self.slots, 1)
        total = x
        if self.config.layers:
            edges, weight = gcn_norm(self.edges(dropped), None, len(x), add_self_loops=False, dtype=x.dtype)
            # By rows: a sum over a row's entries took a fifth of the time of scattering edges.
            with warnings.catch_warnings():  # that this layout is "in beta", once a process
                warnings.simplefilter("ignore", UserWarning)
                adjacency = torch.sparse_coo_tensor(edges, weight, (len(x), len(x))).to_sparse_csr()
            with torch.autocast(x.device.type, enabled=False):  # a sparse product has one precision
                for _ in range(self.config.layers):
                    x = self.conv(x, adjacency)
                    total = total + x
        return State(static, total / (self.config.layers + 1))

    def encode(self, state: State, targets: Targets) -> Tensor:
        """Return the users' vectors in the graphs of the targets' slots, ``[B, d]``."""
        return functional.embedding(targets.slot * self.nodes + targets.user, state.vectors)

    def score(self, state: State, encoded: Tensor, targets: Targets, items: Tensor) -> Tensor:
        """Return logits ``[B, n]``."""
        rows = targets.slot[:, None] * self.nodes + len(self.user) + items

        def score(some: Tensor) -> Tensor:
            return torch.bmm(functional.embedding(some, state.vectors), encoded[:, :, None]).squeeze(2) + self.shift

        return in_pieces(score, rows, encoded.shape[1])

    def auxiliary_loss(self, state: State, encoded: Tensor, targets: Targets, items: Tensor) -> Tensor | None:
        """Return the L2 penalty on the vectors that the batch starts from."""
        used = functional.embedding(targets.user, self.user), functional.embedding(items, state.static)
        return self.options.l2 * squared_norm(used) / max(1, len(targets)) if self.options.l2 else None
