"""MGCN: a view of clicks and one of every modality, each spread along a graph of its own, fused by what users do.

Source: Yu et al., Multi-view graph convolutional network for multimedia recommendation (ACM MM 2023). With e the
vectors of ids and ``f_m = W_m a_m`` the projected features of modality m, its four parts are

- behaviour-guided purifier: ``e_{i,m} = e_i * sigmoid(W f_{i,m} + b)``, W and b of the modality;
- multi-view encoder: x the mean of e propagated 0 to L times along clicks; ``x_{i,m} = sum_j S_m[i,j] e_{j,m}`` over
  the k nearest items by cosine, weighted by it and normalised, and ``x_{u,m} = sum_i A[u,i] x_{i,m}`` over clicks;
- behaviour-aware fuser: ``c = sum_m a_m x_m`` with a the softmax over m of ``q . tanh(V x_m + v)``,
  ``s = (c + sum_m sigmoid(P_m x + p_m) * (x_m - c)) / (M + 1)``, and a node's vector is ``x + s``;
- contrastive loss: ``-log softmax(cos(s_n, x_n') / temperature)`` over the batch's users n', and its clicked items.

A score is a dot product; the loss is BPR's.

Deviations from the original: a graph per time slot without the batch's own clicks, and a round of steps that shares
what others bring (:mod:`hyperctr.baselines.click_graph`); a node's own id, purifiers of others aside, and the fuser are
the present ones at every step. Features are standardised, an item without a modality has a learnt vector in place of
f_m and no neighbours there. The default loss is the harness's cross-entropy with a learnt shift of the logits; ``loss =
pairwise`` is the authors'.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from hyperctr.baselines.click_graph import ITEM, USER, ClickGraphModel, Shared, by_rows, product
from hyperctr.baselines.common import Layer, pairwise_loss
from hyperctr.baselines.content_graph import ContentGraph
from hyperctr.baselines.mgcn import MGCNOptions
from hyperctr.config import Config
from hyperctr.errors import DataError
from hyperctr.model.base import squared_norm
from hyperctr.model.context import Context
from hyperctr.model.embedding import ItemEncoder
from hyperctr.model.history import Targets
from hyperctr.sparse_adam import lookup, settled

CLICKS, USER_VIEWS, ITEM_VIEWS = 0, 1, 2  # tables


class Fuser(Layer):
    """Join the modalities' views to one vector beside that of clicks, by what is common and what users prefer.

    Shapes:
        - x: ``[*, d]``, the view of clicks; views: ``[*, M, d]``; output: ``[*, d]``.
    """

    def __init__(self, size: int, modalities: int) -> None:
        super().__init__()
        self.query = nn.Sequential(nn.Linear(size, size), nn.Tanh(), nn.Linear(size, 1, bias=False))
        self.preference = nn.Linear(size, modalities * size)

    def forward(self, x: Tensor, views: Tensor) -> Tensor:
        """Return the fused vectors."""
        weights: Tensor = self.query(views).softmax(-2)
        common = (weights * views).sum(-2, keepdim=True)
        preference = torch.sigmoid(self.preference(x)).unflatten(-1, views.shape[-2:])
        fused: Tensor = (common.squeeze(-2) + (preference * (views - common)).sum(-2)) / (views.shape[-2] + 1)
        return fused


def contrastive_loss(left: Tensor, right: Tensor, temperature: float) -> Tensor:
    """Return the mean over rows n of ``-log softmax_n'(cos(left_n, right_n') / temperature)`` at n' = n.

    >>> contrastive_loss(torch.eye(2), 3 * torch.eye(2), 1.0)
    tensor(0.3133)
    """
    left, right = functional.normalize(left.float(), dim=1), functional.normalize(right.float(), dim=1)
    return functional.cross_entropy(left @ right.T / temperature, torch.arange(len(left), device=left.device))


class MGCN(ClickGraphModel):
    """Score a candidate by ``<x_u + s_u, x_i + s_i> + b``.

    Reads ``embedding_size``, ``layers`` and its options.
    """

    def __init__(self, context: Context, config: Config, interest: object = None) -> None:
        super().__init__(context, config)
        data, size, self.options = context.data, config.embedding_size, MGCNOptions.of(config)
        if not data.modalities:
            raise DataError(f"{data.name}: there is no modality, and MGCN is made of items' views by modality")
        self.user = nn.Parameter(torch.randn(data.num_users, size) * 0.1)
        self.items = ItemEncoder(data, size)
        self.gate = nn.ModuleDict({name: nn.Linear(size, size) for name in data.modalities})
        self.alike = nn.ModuleDict(
            {name: ContentGraph(data.features[name], self.options.neighbours) for name in data.modalities}
        )
        self.fuse = Fuser(size, len(data.modalities))

    def tables(self) -> tuple[nn.Parameter, ...]:
        """Return the vectors of users and items."""
        return self.user, self.items.embedding

    def purified(self, name: str) -> Tensor:
        """Return the vectors of all items in one modality, ``[I, d]``."""
        features = self.items.modality(name)
        if not self.options.purified:
            return features
        return settled(self.items.embedding) * torch.sigmoid(self.gate[name](features))

    def matrices(self, dropped: Tensor | None) -> tuple[Tensor, ...]:
        """Return the normalised graphs, and alone what users get of items, ``[S U, I]``, and its transpose.

        Items' views are the same in all slots, so that users' need no product with a copy for each.
        """
        graphs, edges = self.graphs, self.edges(dropped)
        weights = graphs.weights(edges, self.shift.dtype)
        user, item = edges[0] // graphs.nodes * graphs.users + edges[0] % graphs.nodes, edges[1] % graphs.nodes
        item, shape = item - graphs.users, (graphs.slots * graphs.users, graphs.nodes - graphs.users)
        alone = by_rows(user, item, weights, shape), by_rows(item, user, weights, shape[::-1])
        return graphs.adjacency(edges, weights), *alone

    def spread(self, *matrices: Tensor) -> tuple[Tensor, ...]:
        """Return what nodes receive along clicks, and the views of modalities: ``[S U, M d]`` and ``[I, M d]``."""
        start = torch.cat([settled(self.user), settled(self.items.embedding)])
        items = torch.cat([graph(self.purified(name)) for name, graph in self.alike.items()], 1)
        square, alone, transposed = matrices
        return self.graphs.received(square, start, self.config.layers), product(alone, transposed, items), items

    def views(self, shared: Shared, side: int, node: Tensor, slot: Tensor) -> tuple[Tensor, Tensor]:
        """Return the view of clicks and the fused one of the modalities, ``[*, d]`` each."""
        start = lookup(self.user if side == USER else self.items.embedding, node)
        x = (start + shared.rows(CLICKS, self.graphs.row(side, node, slot))) / (self.config.layers + 1)
        if side == USER:
            views = shared.rows(USER_VIEWS, slot * self.graphs.users + node)
        else:
            views = shared.rows(ITEM_VIEWS, node)
        return x, self.fuse(x, views.unflatten(-1, (-1, x.shape[-1])))

    def vector(self, shared: Shared, side: int, node: Tensor, slot: Tensor) -> Tensor:
        """Return the sum of both views."""
        x, fused = self.views(shared, side, node, slot)
        return x + fused

    def click_loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss that the options name."""
        return pairwise_loss(logits) if self.options.loss == "pairwise" else super().click_loss(logits, labels)

    def auxiliary_loss(self, state: Shared, encoded: Tensor, targets: Targets, items: Tensor) -> Tensor | None:
        """Return the contrastive loss, and the L2 penalty on the vectors that the batch starts from."""
        used = lookup(self.user, targets.user), lookup(self.items.embedding, items)
        loss = self.options.l2 * squared_norm(used) / max(1, len(targets))
        if self.options.contrast:
            for side, node in ((USER, targets.user), (ITEM, items[:, 0])):
                x, fused = self.views(state, side, node, targets.slot)
                loss = loss + self.options.contrast * contrastive_loss(fused, x, self.options.temperature)
        return loss
