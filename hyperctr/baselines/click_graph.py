"""Clicks as a graph of users and items per time slot, and models whose vectors are spread along these graphs.

A prediction may not look ahead, so a target in slot t reads the graph of the training clicks up to its slot under
protocol ``as-published``, and before its slot under ``causal``; a pair of user and item is one edge, however often it
was clicked, and all graphs start from the same vectors. In training, what is spread serves a *round*: a stretch of
steps whose clicks are no edges for any of them. A step then costs what its batch costs.
"""

from __future__ import annotations

import warnings
from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from hyperctr.baselines.common import in_pieces
from hyperctr.config import Config
from hyperctr.model.base import ClickModel
from hyperctr.model.context import Context
from hyperctr.model.history import Targets

USER, ITEM = 0, 1


class SparseProduct(torch.autograd.Function):
    """A sparse matrix times vectors; its gradient takes the transposed matrix, which torch would make at every step."""

    @staticmethod
    def forward(context: Any, matrix: Tensor, transposed: Tensor, x: Tensor) -> Tensor:
        """Return ``matrix @ x``."""
        context.transposed = transposed
        return matrix @ x

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[None, None, Tensor]:
        """Return the gradient of ``x``."""
        return None, None, context.transposed @ gradients[0]


def product(matrix: Tensor, transposed: Tensor, x: Tensor) -> Tensor:
    """Return ``matrix @ x`` for a sparse matrix and its transpose, in the precision of both."""
    with torch.autocast(x.device.type, enabled=False):  # a sparse product has one precision
        result: Tensor = SparseProduct.apply(matrix, transposed, x.to(matrix.dtype))  # type: ignore[no-untyped-call]
    return result


def by_rows(rows: Tensor, columns: Tensor, values: Tensor, shape: tuple[int, int]) -> Tensor:
    """Return a sparse matrix in rows: a sum over a row's entries takes a fifth of the time of scattering edges."""
    with warnings.catch_warnings():  # that this layout is "in beta", once a process
        warnings.simplefilter("ignore", UserWarning)
        return torch.sparse_coo_tensor(torch.stack([rows, columns]), values, shape).to_sparse_csr()


class ClickGraphs(nn.Module):
    """The graphs of all slots as one: node v of the graph of slot t is row ``t * (U + I) + v``, items after users."""

    def __init__(self, context: Context, config: Config) -> None:
        super().__init__()
        data, history = context.data, context.history
        self.history = history
        self.slots, self.users, self.nodes = history.num_slots, data.num_users, data.num_users + data.num_items
        pairs, of_click = torch.unique(history.user * data.num_items + history.item, return_inverse=True)
        self.pair_user = nn.Buffer(pairs // data.num_items, persistent=False)
        self.pair_item = nn.Buffer(pairs % data.num_items, persistent=False)
        self.pair_of_click = nn.Buffer(of_click, persistent=False)
        # The first graph that has the click; all later ones have it too.
        first = history.slot + (config.protocol == "causal")
        self.graph_of_click = nn.Buffer(first.clamp(max=self.slots), persistent=False)

    def row(self, side: int, node: Tensor, slot: Tensor) -> Tensor:
        """Return the rows of users (``side`` is ``USER``) or of items as targets in some slots see them."""
        return slot * self.nodes + side * self.users + node

    def edges(self, dropped: Tensor | None = None) -> Tensor:
        """Return the edges of all graphs from users to items, int64 ``[2, E]``, ordered by user and item.

        Training clicks ``dropped`` are none.
        """
        first: Tensor = self.graph_of_click
        if dropped is not None:
            first = first.index_fill(0, self.history.place[dropped], self.slots)
        start = torch.full_like(self.pair_user, self.slots).scatter_reduce(0, self.pair_of_click, first, "amin")
        count = self.slots - start
        pair = torch.repeat_interleave(count)
        graph = torch.arange(len(pair), device=pair.device) - (count.cumsum(0) - count - start)[pair]
        return torch.stack([self.row(USER, self.pair_user[pair], graph), self.row(ITEM, self.pair_item[pair], graph)])

    def weights(self, edges: Tensor, dtype: torch.dtype) -> Tensor:
        """Return ``1 / sqrt(d_u d_i)`` of edges among themselves, ``[E]``."""
        degree = torch.bincount(edges.flatten(), minlength=self.slots * self.nodes)
        return degree[edges].to(dtype).prod(0).rsqrt()

    def adjacency(self, edges: Tensor, weights: Tensor) -> Tensor:
        """Return ``D^-1/2 A D^-1/2`` of edges in both directions, sparse ``[S (U + I), S (U + I)]``."""
        (user, item), rows = edges, self.slots * self.nodes
        return by_rows(torch.cat([user, item]), torch.cat([item, user]), weights.repeat(2), (rows, rows))

    def received(self, adjacency: Tensor, x: Tensor, layers: int) -> Tensor:
        """Return what nodes receive in ``layers`` propagations: the sum of ``A^k x`` over k >= 1, ``[S (U + I), d]``.

        ``x [U + I, d]`` is where every graph starts.
        """
        x = x.repeat(self.slots, 1)
        total = torch.zeros_like(x)
        for _ in range(layers):
            x = product(adjacency, adjacency, x)
            total = total + x
        return total


@dataclass(frozen=True)
class Shared:
    """Tables that the targets of a step share, or those of a round, whose gradients then add up row by row."""

    tables: tuple[Tensor, ...]
    gradients: tuple[Tensor, ...] = ()

    def rows(self, table: int, rows: Tensor) -> Tensor:
        """Return rows of a table, ``[*, d]`` for int64 ``[*]``."""
        values = functional.embedding(rows, self.tables[table])
        if self.gradients and torch.is_grad_enabled():
            total = self.gradients[table]

            def add(gradient: Tensor) -> None:
                total.index_add_(0, rows.flatten(), gradient.flatten(0, -2).to(total.dtype))

            values.requires_grad_().register_hook(add)
        return values


class ClickGraphModel(ClickModel):
    """Score a candidate by ``<x_user, x_item> + b``; the vectors depend on the graph of the target's slot."""

    def __init__(self, context: Context, config: Config) -> None:
        super().__init__()
        self.context, self.config = context, config
        self.graphs = ClickGraphs(context, config)
        self.shift = nn.Parameter(torch.zeros(1))
        self.round: tuple[tuple[Tensor, ...], Shared] | None = None  # with the matrices

    @abstractmethod
    def spread(self, *matrices: Tensor) -> tuple[Tensor, ...]:
        """Return the tables that depend on whole graphs."""

    @abstractmethod
    def vector(self, shared: Shared, side: int, node: Tensor, slot: Tensor) -> Tensor:
        """Return the vectors of users or items ``[*]`` as targets in slots ``[*]`` see them, ``[*, d]``."""

    def edges(self, dropped: Tensor | None) -> Tensor:
        """Return the edges along which vectors are spread, without the training clicks ``dropped``."""
        return self.graphs.edges(dropped)

    def matrices(self, dropped: Tensor | None) -> tuple[Tensor, ...]:
        """Return what :meth:`spread` multiplies by: the normalised graphs of all slots, and what else a model needs."""
        edges = self.edges(dropped)
        return (self.graphs.adjacency(edges, self.graphs.weights(edges, self.shift.dtype)),)

    def shared(self, dropped: Tensor | None = None) -> Shared:
        """Return the tables without the training clicks ``dropped``."""
        return Shared(self.spread(*self.matrices(dropped)))

    def refresh(self, dropped: Tensor | None = None) -> Tensor | Shared:
        """Return all vectors of all slots ``[S (U + I), d]``, without the training clicks ``dropped``."""
        shared, graphs, parts = self.shared(dropped), self.graphs, []
        every = torch.arange(graphs.nodes, device=self.shift.device)
        users, items = every[: graphs.users], every[: graphs.nodes - graphs.users]
        for slot in range(graphs.slots):  # one at a time, which bounds what lies between
            parts += [self.vector(shared, USER, users, torch.full_like(users, slot))]
            parts += [self.vector(shared, ITEM, items, torch.full_like(items, slot))]
        return torch.cat(parts)

    def look_up(self, state: Tensor | Shared, side: int, node: Tensor, slot: Tensor) -> Tensor:
        """Return vectors of all targets' state, or of a step's."""
        if isinstance(state, Shared):
            return self.vector(state, side, node, slot)
        return functional.embedding(self.graphs.row(side, node, slot), state)

    def encode(self, state: Tensor | Shared, targets: Targets) -> Tensor:
        """Return the users' vectors in the graphs of the targets' slots, ``[B, d]``."""
        return self.look_up(state, USER, targets.user, targets.slot)

    def score(self, state: Tensor | Shared, encoded: Tensor, targets: Targets, items: Tensor) -> Tensor:
        """Return logits ``[B, n]``."""

        def score(some: Tensor) -> Tensor:
            candidates = self.look_up(state, ITEM, some, targets.slot[:, None].expand_as(some))
            return torch.bmm(candidates, encoded[:, :, None].to(candidates.dtype)).squeeze(2) + self.shift

        return in_pieces(score, items, encoded.shape[1])

    # ---- training
    def training_state(self, targets: Targets) -> Shared:
        """Return what the step of ``targets`` shares: the round's tables, or some without their own clicks."""
        if self.round is not None:
            return self.round[1]
        return self.shared(targets.hidden)

    def begin_round(self, clicks: Tensor, steps: int) -> None:
        """Spread once for the next ``steps`` steps; a round of one step is an ordinary step."""
        self.round = None
        if steps > 1:
            with torch.no_grad():
                matrices = self.matrices(clicks)
                tables = self.spread(*matrices)
                # Not in bfloat16, where small contributions of many steps would be lost.
                kinds = [torch.promote_types(table.dtype, torch.float32) for table in tables]
                sums = [torch.zeros_like(table, dtype=kind) for table, kind in zip(tables, kinds, strict=True)]
                self.round = matrices, Shared(tables, tuple(sums))

    def end_round(self) -> None:
        """Take the round's gradients on through the propagation, to those of the parameters."""
        current, self.round = self.round, None
        if current is None:
            return
        tables = zip(self.spread(*current[0]), current[1].gradients, strict=True)
        learnt = [(table, total.to(table.dtype)) for table, total in tables if table.requires_grad]
        if learnt:  # without layers nothing is received
            torch.autograd.backward([table for table, _ in learnt], [total for _, total in learnt])
