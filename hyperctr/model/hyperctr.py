"""The HyperCTR model: temporal attention, hypergraph convolution per slot, fusion, prediction (paper, section 2.2).

Scoring runs in three stages so that work is shared: :meth:`HyperCTR.refresh` convolves the hypergraphs once for a
batch, :meth:`HyperCTR.encode` makes one user vector per target, :meth:`HyperCTR.score` compares it with any number of
candidates. The first layer of the prediction network is split into a user and an item part, which is what makes 1000
candidates per click cheap.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from hyperctr.errors import ShapeError
from hyperctr.hypergraph.incidence import Hypergraph
from hyperctr.hypergraph.rows import Rows
from hyperctr.model.attention import SequenceEncoder
from hyperctr.model.base import ClickModel
from hyperctr.model.context import Context
from hyperctr.model.convolution import HypergraphConv
from hyperctr.model.embedding import ItemEncoder
from hyperctr.model.fusion import TensorFusion
from hyperctr.model.history import Targets

if TYPE_CHECKING:
    from hyperctr.config import Config
    from hyperctr.hypergraph.interest import Interest


@dataclass(frozen=True)
class State:
    """What all targets of a batch share.

    Attributes:
        static_items: ``[I, d]``; user_rows ``[Ru, d]``, item_rows ``[Ri, d]``: convolved vectors of (node, slot) rows.
        user_active, item_active: bool ``[R]``, rows that lie on a hyperedge.
    """

    static_items: Tensor
    user_rows: Tensor
    item_rows: Tensor
    user_active: Tensor
    item_active: Tensor


class GraphStack(nn.Module):
    """L convolutions with ReLU and residual; a node on no hyperedge keeps its input unchanged.

    Shapes:
        - x: ``[N, d]``; output ``[N, d]``.

    Paper: Eq. 5 with its activation, stacked (section 3.3.2). The residual is ours: it defines isolated nodes.
    """

    def __init__(self, size: int, layers: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(HypergraphConv(size, size) for _ in range(layers))

    def forward(self, x: Tensor, graph: Hypergraph, active: Tensor) -> Tensor:
        """Return the convolved vectors; rows that are not ``active`` (bool ``[N]``) come back as they are."""
        for layer in self.layers:
            x = x + torch.where(active[:, None], torch.relu(layer(x, graph)), 0.0)
        return x


class HyperCTR(ClickModel):
    """Predict the click logit of (user, time, item); see the module docstring for the three stages.

    The embeddings start from those of ``interest``; without it they are Gaussian.

    Paper: section 2.2, Eq. 1-8.
    """

    needs_interest = True

    def __init__(self, context: Context, config: Config, interest: Interest | None = None) -> None:
        super().__init__()
        data, size = context.data, config.embedding_size
        self.context, self.config = context, config
        self.user_embedding = nn.Parameter(torch.randn(data.num_users, size) * 0.1)
        self.items = ItemEncoder(data, size)
        self.sequence = SequenceEncoder(
            size, config.attention_heads, config.attention_layers, config.history_length, config.dropout
        )
        separate = 2 if config.graph == "hypergraph" else 1 if config.graph == "bipartite" else 0
        self.stacks = nn.ModuleList(GraphStack(size, config.layers) for _ in range(separate))
        self.fusion = TensorFusion(size)
        first, second = config.hidden
        self.from_user = nn.Linear(size, first)
        self.from_item = nn.Linear(size, first, bias=False)
        self.second, self.last = nn.Linear(first, second), nn.Linear(second, 1)
        if interest is not None:
            self._start_from(interest)

    def _start_from(self, interest: Interest) -> None:
        """Start the embeddings where the interest pre-training ended, rescaled to the usual Gaussian's spread.

        Vectors of another size, or all alike (no pre-training), are left as drawn.
        """
        with torch.no_grad():
            users, items = self.user_embedding, self.items.embedding
            for parameter, learned in ((users, interest.user_embedding), (items, interest.item_embedding)):
                if learned.shape == tuple(parameter.shape) and np.ptp(learned, axis=0).any():
                    values = torch.from_numpy(np.ascontiguousarray(learned))
                    values = values - values.mean(0)
                    parameter.copy_(0.1 * values / values.std())

    # ---- stage 1: what a batch shares
    def refresh(self, dropped: Tensor | None = None) -> State:
        """Convolve the hypergraphs of all slots, without the training clicks ``dropped`` (numbers 0..C-1)."""
        graphs = self.context.graphs
        if self.config.graph == "hypergraph" and graphs is not None:
            return self.convolve(*graphs.assemble(dropped))
        static = self.items()
        if self.config.graph == "none" or graphs is None:
            none = torch.zeros(0, dtype=torch.bool, device=static.device)
            return State(static, static[:0], static[:0], none, none)
        graph = graphs.bipartite(dropped)
        active = graph.node_degree > 0
        x_user = functional.embedding(graphs.user_rows.node, self.user_embedding)
        x_item = functional.embedding(graphs.item_rows.node, static)
        both = self.stacks[0](torch.cat([x_user, x_item]), graph, active)
        cut = len(x_user)
        return State(static, both[:cut], both[cut:], active[:cut], active[cut:])

    def convolve(self, user_graph: Hypergraph, item_graph: Hypergraph) -> State:
        """Convolve one hypergraph per side, over the context's user rows and item rows.

        Raises:
            ShapeError: the model was built without interest.
        """
        graphs = self.context.graphs
        if graphs is None:
            raise ShapeError("this model was built without interest, so its context has no rows to convolve")
        static = self.items()
        user_active, item_active = user_graph.node_degree > 0, item_graph.node_degree > 0
        x_user = functional.embedding(graphs.user_rows.node, self.user_embedding)
        x_item = functional.embedding(graphs.item_rows.node, static)
        user_rows = self.stacks[0](x_user, user_graph, user_active)
        item_rows = self.stacks[1](x_item, item_graph, item_active)
        return State(static, user_rows, item_rows, user_active, item_active)

    def _graph_vector(
        self, rows: Rows, values: Tensor, active: Tensor, static: Tensor, node: Tensor, slot: Tensor
    ) -> Tensor:
        """Return the convolved vectors of nodes ``[B]`` as a target in ``slot`` sees them, ``[B, d]``."""
        alone = functional.embedding(node, static)
        if not len(values):
            return alone
        as_published = self.config.protocol == "as-published"
        row = rows.find(node, slot) if as_published else rows.latest_before(node, slot, active)
        return torch.where((row >= 0)[:, None], functional.embedding(row.clamp(min=0), values), alone)

    # ---- stage 2: one vector per target
    def encode(self, state: State, targets: Targets) -> tuple[Tensor, Tensor | None]:
        """Return the user part of the first layer ``[B, D1]`` and, with ``matching``, a vector to match ``[B, d]``."""
        graphs = self.context.graphs
        user = functional.embedding(targets.user, self.user_embedding)
        window = self.context.history.window(targets, self.config.history_length)
        # Step 1: sequential embedding E^{t_n}. -> [B, d]   (Eq. 1-4)
        sequential = self.sequence(user, state.static_items, window)
        # Step 2: group-aware embedding E_g^{t_n}. -> [B, d]   (Eq. 5)
        group = user
        if graphs is not None:
            rows, values, active = graphs.user_rows, state.user_rows, state.user_active
            group = self._graph_vector(rows, values, active, self.user_embedding, targets.user, targets.slot)
        # Step 3: fusion. -> [B, d]   (Eq. 6)
        fused = self.fusion(sequential, group)
        matching = user + window.summed(state.static_items) if self.config.matching else None
        return self.from_user(functional.dropout(fused, self.config.dropout, self.training)), matching

    # ---- stage 3: candidates
    def item_vectors(self, state: State, items: Tensor, slot: Tensor) -> Tensor:
        """Return static plus convolved item vectors ``[n, d]`` for items ``[n]`` as seen from slots ``[n]``."""
        static, graphs = functional.embedding(items, state.static_items), self.context.graphs
        if graphs is None or self.config.graph == "none":
            return static
        rows, values, active = graphs.item_rows, state.item_rows, state.item_active
        return static + self._graph_vector(rows, values, active, state.static_items, items, slot)

    def score(self, state: State, encoded: tuple[Tensor, Tensor | None], targets: Targets, items: Tensor) -> Tensor:
        """Return logits ``[B, n]`` of the candidates ``items`` (int64 ``[B, n]``).

        Paper: Eq. 7, its sigmoid left to the loss.
        """
        from_user, matching = encoded
        slots = targets.slot[:, None].expand_as(items)
        table, index = self._item_table(state, items, slots)
        hidden = torch.relu(from_user[:, None] + functional.embedding(index, self.from_item(table)))
        hidden = functional.dropout(hidden, self.config.dropout, self.training)
        logits: Tensor = self.last(torch.relu(self.second(hidden))).squeeze(-1)
        if matching is not None:
            vectors = functional.embedding(items, state.static_items)
            logits = logits + torch.bmm(vectors.to(matching.dtype), matching[:, :, None]).squeeze(2)
        return logits

    def _item_table(self, state: State, items: Tensor, slots: Tensor) -> tuple[Tensor, Tensor]:
        """Return item vectors ``[k, d]`` and, for each candidate, which of them is its own, ``[B, n]``.

        Many candidates per slot share few (item, slot) combinations, so each is computed once.
        """
        num_items = self.context.data.num_items
        if items.numel() < num_items:
            flat = self.item_vectors(state, items.flatten(), slots.flatten())
            return flat, torch.arange(items.numel(), device=items.device).view_as(items)
        key, index = torch.unique(slots * num_items + items, return_inverse=True)
        return self.item_vectors(state, key % num_items, key // num_items), index
