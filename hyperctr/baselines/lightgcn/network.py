"""LightGCN: user and item vectors averaged over the graph of clicks, with nothing else learnt.

Source: He et al., LightGCN: simplifying and powering graph convolution network for recommendation. With A the graph of
clicks and ``x' = D^-1/2 A D^-1/2 x``, a vector is the mean of its 0 to L times propagated ones, and a score is a dot
product.

Deviations from the original: a graph per time slot without the batch's own clicks, and a round of steps that shares
what the others' vectors bring (:mod:`hyperctr.baselines.click_graph`); a node's own vector is the present one at every
step. The loss is the harness's cross-entropy with a learnt shift of the logits, instead of a pairwise ranking loss. An
item starts from its id and its modalities, as in HyperCTR, instead of its id alone.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from hyperctr.baselines.click_graph import USER, ClickGraphModel, Shared
from hyperctr.baselines.lightgcn import LightGCNOptions
from hyperctr.config import Config
from hyperctr.model.base import squared_norm
from hyperctr.model.context import Context
from hyperctr.model.embedding import ItemEncoder
from hyperctr.model.history import Targets
from hyperctr.sparse_adam import lookup, settled


class LightGCN(ClickGraphModel):
    """Score a candidate by ``<x_user, x_item> + b`` with vectors propagated over the clicks of the slots in sight.

    Reads ``embedding_size``, ``layers`` and its options.
    """

    def __init__(self, context: Context, config: Config, interest: object = None) -> None:
        super().__init__(context, config)
        self.options = LightGCNOptions.of(config)
        self.user = nn.Parameter(torch.randn(context.data.num_users, config.embedding_size) * 0.1)
        self.items = ItemEncoder(context.data, config.embedding_size)

    def tables(self) -> tuple[nn.Parameter, ...]:
        """Return the vectors of users and items."""
        return self.user, self.items.embedding

    def spread(self, *matrices: Tensor) -> tuple[Tensor, ...]:
        """Return what all nodes receive from others in all layers, ``[S (U + I), d]``."""
        start = torch.cat([settled(self.user), self.items()])
        return (self.graphs.received(matrices[0], start, self.config.layers),)

    def start(self, side: int, node: Tensor) -> Tensor:
        """Return vectors before propagation, ``[*, d]``."""
        return lookup(self.user, node) if side == USER else self.items.look_up(node)

    def vector(self, shared: Shared, side: int, node: Tensor, slot: Tensor) -> Tensor:
        """Return the mean over the layers."""
        received = shared.rows(0, self.graphs.row(side, node, slot))
        return (self.start(side, node) + received) / (self.config.layers + 1)

    def auxiliary_loss(self, state: object, encoded: Tensor, targets: Targets, items: Tensor) -> Tensor | None:
        """Return the L2 penalty on the vectors that the batch starts from."""
        used = self.start(USER, targets.user), self.items.look_up(items)
        return self.options.l2 * squared_norm(used) / max(1, len(targets)) if self.options.l2 else None
