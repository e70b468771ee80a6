"""Convolution of the hypergraphs of all slots, and the vector in which a target sees a user or an item.

In training, one convolution serves a *round*: a stretch of steps whose clicks are hidden from all of them. An epoch has
a fixed number of rounds, so that it costs what its clicks cost, however many there are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from hyperctr import distributed
from hyperctr.errors import ShapeError
from hyperctr.hypergraph.incidence import Hypergraph
from hyperctr.hypergraph.stack import SlotHypergraphs, Slots, Stretch
from hyperctr.model.convolution import HypergraphConv, Owners

if TYPE_CHECKING:
    from hyperctr.config import Config
    from hyperctr.hypergraph.ball import Ball

Pair = tuple[Tensor, Tensor]  # of the users' side, of the items' side
# Give the vectors of users and of items that enter the first layer, [n, d] for int64 [n].
Inputs = tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]
USER, ITEM = 0, 1


@dataclass(frozen=True)
class SlotVectors:
    """Convolved vectors of all (node, slot) rows; each attribute is a pair, the users' and the items'.

    Attributes:
        rows: ``[R, d]``.
        active: bool ``[R]``, rows that lie on a hyperedge.
        latest: int64 ``[R]``, :meth:`~hyperctr.hypergraph.rows.Rows.last_active`.
    """

    rows: Pair
    active: Pair
    latest: Pair


@dataclass(frozen=True)
class PairVectors:
    """Convolved vectors of one user and one item as one target sees them; see :mod:`hyperctr.model.neighbourhood`.

    Attributes:
        of: ``[d]`` of the user and of the item; None where it lies on no hyperedge.
    """

    of: tuple[Tensor | None, Tensor | None]


@dataclass(frozen=True)
class Round:
    """Steps that share one convolution: what was convolved, and the gradients of its rows, summed over the steps.

    The vectors are overwritten when the next round begins. The ``stretches`` are those that this process convolves;
    ``shares`` are all, and which process has each.
    """

    stretches: list[Stretch]
    shares: list[tuple[Slots, int]]
    vectors: SlotVectors
    gradients: Pair


class GraphStack(nn.Module):
    """L convolutions with ReLU and residual; a node on no hyperedge keeps its input unchanged.

    Shapes:
        - x: ``[N, d]``; output ``[N, d]``.

    Paper: Eq. 5 with its activation, stacked (section 3.3.2). The residual is ours: it defines isolated nodes.
    """

    def __init__(self, size: int, layers: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(HypergraphConv(size, size) for _ in range(layers))

    def forward(self, x: Tensor, graph: Hypergraph, active: Tensor, owners: Owners | None = None) -> Tensor:
        """Return the convolved vectors; rows that are not ``active`` (bool ``[N]``) come back as they are."""
        for layer in self.layers:
            x = x + torch.where(active[:, None], torch.relu(layer(x, graph, owners)), 0.0)
        return x

    def at_centre(self, x: Tensor, balls: Sequence[Ball], owners: Sequence[Owners | None]) -> Tensor:
        """Return the vector ``[d]`` that :meth:`forward` gives the node that the balls lie around.

        ``balls`` are those of L hops, L - 1 hops and so on to one, with the owners of each one's hyperedges, and ``x``
        belongs to the nodes of the first.
        """
        for layer, ball, carried in zip(self.layers, balls, owners, strict=True):
            active = ball.node_degree[ball.inner, None] > 0
            x = x[ball.inner] + torch.where(active, torch.relu(layer(x, ball, carried)[ball.inner]), 0.0)
        return x[0]


class SlotConvolution(nn.Module):
    """A stack of convolutions for the users' and one for the items' hypergraphs, the same in all slots.

    With ``edge_information`` a hyperedge of users also tells its members of the item that it stands for, one of items
    of its user, as these enter the first layer. With ``graph = "bipartite"`` that is all it tells, which leaves the
    graph of clicks; with ``"none"`` there is nothing to convolve.

    Paper: sections 2.2.2 and 2.3.3.
    """

    def __init__(self, graphs: SlotHypergraphs | None, config: Config) -> None:
        super().__init__()
        self.graphs = graphs if config.graph != "none" else None
        self.bipartite, self.causal = config.graph == "bipartite", config.protocol == "causal"
        self.tells_owner = config.edge_information or self.bipartite
        sides = 0 if config.graph == "none" else 2
        self.stacks = nn.ModuleList(GraphStack(config.embedding_size, config.layers) for _ in range(sides))
        self.round: Round | None = None
        self._unhidden: list[Stretch] = []  # of this process; under `causal` they never change
        self._memory: tuple[Tensor, ...] = ()  # of the last round: fresh memory costs more than what is written there

    def forward(self, inputs: Inputs, dropped: Tensor | None = None) -> SlotVectors | None:
        """Convolve the hypergraphs of all slots without the training clicks ``dropped``, a stretch at a time."""
        if self.graphs is None:
            return None
        self._memory = ()
        return self._joined([self.convolve(inputs, *part) for part in self.graphs.stretch_by_stretch(dropped)])

    def needed(self) -> SlotHypergraphs:
        """Return the slots' hypergraphs, which must be there.

        Raises:
            ShapeError: the model was built without interest.
        """
        if self.graphs is None:
            raise ShapeError("this model has no hypergraphs: it was built without interest, or with graph = 'none'")
        return self.graphs

    def owners(self, vectors: Tensor, of_hyperedge: Tensor) -> Owners | None:
        """Return what the hyperedges carry, rows of ``vectors`` [O, d] by number int64 [E]; None: nothing is told."""
        return Owners(vectors, of_hyperedge, alone=self.bipartite) if self.tells_owner else None

    def convolve(self, inputs: Inputs, slots: Slots, hypergraphs: tuple[Hypergraph, Hypergraph]) -> tuple[Tensor, ...]:
        """Convolve the users' and the items' hypergraph of some slots.

        Returns:
            Vectors of the user rows and of the item rows of these slots, and which of them are active.

        Raises:
            ShapeError: the model was built without interest.
        """
        graphs = self.needed()
        user_rows, item_rows = self._rows(slots)
        x_user = inputs[USER](graphs.user_rows.node[user_rows])
        x_item = inputs[ITEM](graphs.item_rows.node[item_rows])
        user_active, item_active = (graph.node_degree > 0 for graph in hypergraphs)
        of_users, of_items = hypergraphs
        users = self.stacks[USER](x_user, of_users, user_active, self.owners(x_item, of_users.label))
        items = self.stacks[ITEM](x_item, of_items, item_active, self.owners(x_user, of_items.label))
        return users, items, user_active, item_active

    def _joined(self, parts: list[tuple[Tensor, ...]], memory: tuple[Tensor, ...] = ()) -> SlotVectors:
        """Put the convolutions of all stretches together, the vectors into ``memory`` where it is given."""
        graphs = self.needed()
        user_rows, item_rows, *active = zip(*parts, strict=True)
        users_out, items_out = memory or (None, None)
        users, items = torch.cat(user_rows, out=users_out), torch.cat(item_rows, out=items_out)
        user_active, item_active = (torch.cat(column) for column in active)
        latest = graphs.user_rows.last_active(user_active), graphs.item_rows.last_active(item_active)
        return SlotVectors((users, items), (user_active, item_active), latest)

    def look_up(
        self, vectors: SlotVectors | PairVectors | None, side: int, node: Tensor, slot: Tensor, alone: Tensor
    ) -> Tensor:
        """Return the vectors of nodes ``[n]`` as targets in slots ``[n]`` see them, ``[n, d]``.

        ``side`` is ``USER`` or ``ITEM``. A target sees the latest slot, its own included unless the protocol is
        ``causal``, in which the node lies on a hyperedge; where there is none, the node is what it is ``alone``,
        ``[n, d]``. That a row is there says that there are clicks, hidden ones among them, so it does not count.
        """
        if isinstance(vectors, PairVectors):
            known = vectors.of[side]
            return alone if known is None else known.expand_as(alone)
        if vectors is None or not len(vectors.rows[side]):
            return alone
        graphs = self.needed()
        rows = graphs.user_rows if side == USER else graphs.item_rows
        row = rows.latest_before(node, slot if self.causal else slot + 1, vectors.latest[side])
        place, current = row.clamp(min=0), self.round
        values = functional.embedding(place, vectors.rows[side])
        if current is not None and vectors is current.vectors and torch.is_grad_enabled():
            total = current.gradients[side]

            def add(gradient: Tensor) -> None:
                total.index_add_(0, place, gradient.to(total.dtype))

            values.requires_grad_().register_hook(add)
        return torch.where((row >= 0)[:, None], values, alone)

    # ---- training
    def begin_round(self, inputs: Inputs, clicks: Tensor, steps: int) -> None:
        """Convolve for the next ``steps`` steps, with their training clicks ``clicks`` hidden from all of them.

        The steps' gradients stop at the convolved rows, where they add up until :meth:`end_round`. A round of one step
        is an ordinary step. Under ``causal`` no slot that a target looks at holds its own click. Several processes
        divide the slots between them, and each gets the rows of all.
        """
        self.round = None
        if steps == 1 or self.graphs is None:
            return
        with torch.no_grad():
            group = distributed.current()
            shares = self.graphs.divided(group.size)
            mine = [slots for slots, owner in shares if owner == group.rank]
            stretches = self._unhidden if self.causal else []
            if not stretches:
                hidden = None if self.causal else clicks
                stretches = self.graphs.stretch_by_stretch(hidden, mine)
                self._unhidden = stretches if self.causal else []
            convolved = iter([self.convolve(inputs, *part) for part in stretches])
            kind = inputs[USER](self.graphs.user_rows.node[:0])
            parts = [next(convolved) if owner == group.rank else self._empty(slots, kind) for slots, owner in shares]
            sent = [group.broadcast(part, owner) for part, (_, owner) in zip(parts, shares, strict=True)]
            for message in chain.from_iterable(sent):
                message.wait()
            if not self._memory or self._memory[0].device != kind.device or self._memory[0].dtype != parts[0][0].dtype:
                sizes = [len(rows) for rows in (self.graphs.user_rows.node, self.graphs.item_rows.node)] * 2
                self._memory = tuple(parts[0][0].new_empty(size, kind.shape[1]) for size in sizes)
            vectors = self._joined(parts, self._memory[:2])
            gradients = self._memory[2].zero_(), self._memory[3].zero_()
        self.round = Round(stretches, shares, vectors, gradients)

    def _empty(self, slots: Slots, kind: Tensor) -> tuple[Tensor, ...]:
        """Return tensors for the results that :meth:`convolve` has in another process; ``kind`` is ``[0, d]``."""
        sizes = [rows.stop - rows.start for rows in self._rows(slots)]
        vectors = [kind.new_empty(size, kind.shape[1]) for size in sizes]
        return *vectors, *(kind.new_empty(size, dtype=torch.bool) for size in sizes)

    def _rows(self, slots: Slots) -> tuple[slice, slice]:
        """Return which rows of users and of items some slots have."""
        users, items = (rows.starts for rows in (self.needed().user_rows, self.needed().item_rows))
        return slice(users[slots[0]], users[slots[1]]), slice(items[slots[0]], items[slots[1]])

    def end_round(self, inputs: Inputs) -> None:
        """Take the round's gradients on through the convolution, to those of the parameters.

        Each stretch of slots is convolved once more, so that memory holds the intermediate results of one at a time.
        Where several processes share the slots, their gradients of a stretch are added up in the one that has it, and
        the parameters' gradients are those of its own stretches.
        """
        current, self.round = self.round, None
        if current is None:
            return

        def gradients(slots: Slots) -> list[Tensor]:
            return [whole[rows] for whole, rows in zip(current.gradients, self._rows(slots), strict=True)]

        sent = [distributed.current().reduce(gradients(slots), owner) for slots, owner in current.shares]
        for message in chain.from_iterable(sent):
            message.wait()
        for slots, hypergraphs in current.stretches:
            torch.autograd.backward(self.convolve(inputs, slots, hypergraphs)[:2], gradients(slots))
