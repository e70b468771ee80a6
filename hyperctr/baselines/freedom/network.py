"""FREEDOM: vectors spread along a denoised graph of clicks, and along a frozen graph of items that look alike.

Source: Zhou and Shen, A tale of two graphs: freezing and denoising graph structures for multimodal recommendation (ACM
MM 2023). Items have edges to their k nearest by cosine in each modality m, alike in weight, normalised, and
``S = mean_m S_m`` stays what it is before training; ``h_i = (S^L' e)_i``. Of the click graph, training keeps a share of
edges drawn without replacement with probability in proportion to ``1 / sqrt(d_u d_i)``, normalised anew, so that edges
of popular nodes go first; predictions use all edges. With x the mean of the 0 to L times propagated vectors,
``score(u, i) = <x_u, x_i + h_i>``; the loss is BPR's, and as much as ``modal_loss`` of the BPR losses of
``<x_u, W_m a_{i,m}>``, by which modalities reach users.

Deviations from the original: a graph per time slot without the batch's own clicks, and a round of steps that shares
what others bring (:mod:`hyperctr.baselines.click_graph`); edges are drawn anew in each slot's graph for every round
instead of epoch. Modalities count alike in S instead of by tuned shares, features are standardised, an item without a
modality has a learnt vector in place of ``W_m a_{i,m}``, and its other modalities' edges only. The default loss is the
harness's cross-entropy with a learnt shift of the logits; ``loss = pairwise`` is the authors'.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from hyperctr.baselines.click_graph import USER, ClickGraphModel, Shared
from hyperctr.baselines.common import pairwise_loss
from hyperctr.baselines.content_graph import ContentGraph
from hyperctr.baselines.freedom import FreedomOptions
from hyperctr.config import Config
from hyperctr.model.base import squared_norm
from hyperctr.model.context import Context
from hyperctr.model.embedding import ItemEncoder
from hyperctr.model.history import Targets
from hyperctr.runtime import derive_seed
from hyperctr.sparse_adam import lookup, settled


def kept_edges(edges: Tensor, graph: Tensor, nodes: int, share: float, seed: int) -> Tensor:
    """Return a share of every graph's edges, drawn without replacement by the degrees of their ends.

    An edge is drawn with probability in proportion to ``1 / sqrt(d_u d_i)`` with degrees in its own graph.

    Args:
        edges: int64 ``[2, E]``.
        graph: int64 ``[E]``, which graph each edge belongs to.
        nodes: number of nodes, all of which belong to one graph.
        share: of the edges to keep, rounded up in each graph.
        seed: of the draw.
    """
    degree = torch.bincount(edges.flatten(), minlength=nodes)
    # Exponential clocks of these rates: the earliest to ring are such a draw.
    draw = torch.Generator(edges.device).manual_seed(seed)
    rings = torch.empty(edges.shape[1], device=edges.device, dtype=torch.float64).exponential_(generator=draw)
    rings = rings * degree[edges].prod(0).double().sqrt()
    order = rings.argsort()
    order = order[graph[order].argsort(stable=True)]
    count = torch.bincount(graph)
    place = torch.arange(len(order), device=order.device) - (count.cumsum(0) - count)[graph[order]]
    kept = order[place < (count * share).ceil().long()[graph[order]]]
    return edges[:, kept.sort().values]


class Freedom(ClickGraphModel):
    """Score a candidate by ``<x_u, x_i + h_i> + b``.

    Reads ``embedding_size``, ``layers`` and its options.
    """

    def __init__(self, context: Context, config: Config, interest: object = None) -> None:
        super().__init__(context, config)
        data, self.options = context.data, FreedomOptions.of(config)
        self.user = nn.Parameter(torch.randn(data.num_users, config.embedding_size) * 0.1)
        self.items = ItemEncoder(data, config.embedding_size)
        self.alike = nn.ModuleList(
            ContentGraph(data.features[name], self.options.neighbours, weighted=self.options.weighted)
            for name in (data.modalities if self.options.neighbours else ())
        )

    def tables(self) -> tuple[nn.Parameter, ...]:
        """Return the vectors of users and items."""
        return self.user, self.items.embedding

    def edges(self, dropped: Tensor | None) -> Tensor:
        """Return the edges of all slots' graphs, in training a share of them."""
        edges = self.graphs.edges(dropped)
        if self.training and self.options.pruned and dropped is not None:
            # By the round's clicks, which are the same in all processes; the shuffle makes them others in each epoch.
            seed = derive_seed(self.config.seed, "edges", *dropped[:8].tolist())
            slot = edges[0] // self.graphs.nodes
            edges = kept_edges(edges, slot, self.graphs.slots * self.graphs.nodes, 1 - self.options.pruned, seed)
        return edges

    def spread(self, *matrices: Tensor) -> tuple[Tensor, ...]:
        """Return what nodes receive along clicks ``[S (U + I), d]`` and items from those alike ``[I, d]``."""
        items = settled(self.items.embedding)
        received = self.graphs.received(matrices[0], torch.cat([settled(self.user), items]), self.config.layers)
        if not self.alike:
            return (received,)
        for _ in range(self.options.item_layers):
            items = torch.stack([graph(items) for graph in self.alike]).mean(0)
        return received, items

    def vector(self, shared: Shared, side: int, node: Tensor, slot: Tensor) -> Tensor:
        """Return the mean over the layers, for items with what those alike bring."""
        start = lookup(self.user if side == USER else self.items.embedding, node)
        mean = (start + shared.rows(0, self.graphs.row(side, node, slot))) / (self.config.layers + 1)
        return mean if side == USER or not self.alike else mean + shared.rows(1, node)

    def click_loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss that the options name."""
        return pairwise_loss(logits) if self.options.loss == "pairwise" else super().click_loss(logits, labels)

    def auxiliary_loss(self, state: object, encoded: Tensor, targets: Targets, items: Tensor) -> Tensor | None:
        """Return the losses of the modalities, and the L2 penalty on the vectors that the batch starts from."""
        used = lookup(self.user, targets.user), lookup(self.items.embedding, items)
        loss = self.options.l2 * squared_norm(used) / max(1, len(targets))
        if self.options.modal_loss:
            for name in self.items.modalities:
                projected = self.items.modality(name, items.flatten()).unflatten(0, items.shape)
                logits = torch.bmm(projected, encoded[:, :, None].to(projected.dtype)).squeeze(2)
                loss = loss + self.options.modal_loss * pairwise_loss(logits)
        return loss
