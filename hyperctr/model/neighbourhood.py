"""One score from what it alone reads: for user and item one slot each and, in it, what lies around them."""

from __future__ import annotations

from collections.abc import Collection
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property
from typing import cast

import torch
from torch import Tensor

from hyperctr.hypergraph.ball import Ball
from hyperctr.hypergraph.incidence import Hypergraph
from hyperctr.model.convolution import Owners
from hyperctr.model.history import ClickHistory, Targets, Window
from hyperctr.model.hyperctr import HyperCTR, State
from hyperctr.model.slot_convolution import ITEM, USER, GraphStack, PairVectors


@dataclass(frozen=True)
class Removed:
    """Hyperedges that a score is computed without.

    Attributes:
        hyperedges: ``(side, slot, number)``, numbered as in the slot's hypergraph of that side.
        modalities: indices of modalities whose hyperedges are all gone, of both sides and in all slots.
    """

    hyperedges: Collection[tuple[int, int, int]] = ()
    modalities: Collection[int] = ()

    def weights(self, graph: Hypergraph, side: int, slot: int) -> Tensor:
        """Return the weights of a slot's hyperedges, 0 for those that are gone: Eq. 5 then adds nothing for them."""
        gone = torch.isin(graph.group, torch.tensor([*self.modalities], dtype=torch.int64, device=graph.device))
        gone[[number for of, where, number in self.hyperedges if (of, where) == (side, slot)]] = True
        return torch.where(gone, 0.0, graph.weight)


NOTHING = Removed()
AT_ONCE = 1 << 20  # incidences, of all copies of a ball that are convolved together


class Neighbourhood:
    """What one score reads of the hypergraphs, and the score without some hyperedges.

    Only the slots in which the target sees the user and the item are assembled, without the target's own click. There,
    layer l of L convolves what lies within L - l + 1 hops of the node. How much the other slots hold does not matter.

    Args:
        model: in evaluation mode, with hypergraphs.
        target: one.
        item: index of the candidate.
        beside: of the same model, whose hypergraphs are read along, where neither target is a training click.
    """

    def __init__(self, model: HyperCTR, target: Targets, item: int, beside: Neighbourhood | None = None) -> None:
        self.model, self.target, self.convolution = model, target, model.convolution
        self.items = torch.tensor([[item]], device=target.user.device)
        self.graphs = model.convolution.needed()
        self.rows = self.graphs.user_rows, self.graphs.item_rows
        self._assembled: dict[int, tuple[Hypergraph, Hypergraph]] = {}
        self._around: dict[tuple[int, int, int], tuple[Tensor, list[Ball], list[Owners | None]]] = {}
        self._whole: dict[tuple[int, int, int], Tensor] = {}
        self._without_each: dict[tuple[int, int, int], Tensor] = {}
        if beside is not None:
            self._assembled, self._around = beside._assembled, beside._around
            self._whole, self._without_each = beside._whole, beside._without_each

    def hypergraphs(self, slot: int) -> tuple[Hypergraph, Hypergraph]:
        """Return a slot's hypergraph of each side."""
        if slot not in self._assembled:
            # No slot that a causal target looks at holds its own click.
            hidden = None if self.convolution.causal else self.target.click[self.target.click >= 0]
            self._assembled[slot] = self.graphs.assemble(hidden, (slot, slot + 1))
        return self._assembled[slot]

    # ---- where it looks
    def place(self, side: int, removed: Removed = NOTHING) -> tuple[int, int] | None:
        """Return the slot in which the target sees the user or the item, and the node's number in it; None: nowhere.

        It is the latest slot where the node lies on a hyperedge that is left, under ``causal`` before the target's.
        """
        for slot, node in self._candidates[side]:
            graph = self.hypergraphs(slot)[side]
            if bool((removed.weights(graph, side, slot)[graph.hyperedges_of(node)] > 0).any()):
                return slot, node
        return None

    @cached_property
    def _candidates(self) -> tuple[list[tuple[int, int]], ...]:
        """For each side, the slots that the node has a row in and its number there, the latest slot first."""
        last = int(self.target.slot)
        slots = torch.arange(last - self.convolution.causal, -1, -1)
        slots, found = slots.to(self.items.device), []
        for side, node in ((USER, self.target.user), (ITEM, self.items[0])):
            places = zip(slots.tolist(), self.rows[side].find(node.expand_as(slots), slots).tolist(), strict=True)
            found.append([(slot, row - self.rows[side].starts[slot]) for slot, row in places if row >= 0])
        return tuple(found)

    # ---- what it makes of it
    def vector(self, side: int, removed: Removed = NOTHING) -> Tensor | None:
        """Return the convolved vector ``[d]`` of the user or the item; None where it lies on no hyperedge."""
        place = self.place(side, removed)
        if place is None:
            return None
        if removed is NOTHING:
            if (side, *place) not in self._whole:
                self._whole[side, *place] = self._at_centre(side, *place)
            return self._whole[side, *place]
        return self._at_centre(side, *place, removed.weights(self.hypergraphs(place[0])[side], side, place[0]))

    def _at_centre(self, side: int, slot: int, node: int, weight: Tensor | None = None) -> Tensor:
        """Return the vector of a node in a slot, whose hyperedges may have other weights."""
        x, balls, owners = self._cut(side, slot, node)
        if weight is not None:
            balls = [ball.weighted(weight) for ball in balls]
        return cast(GraphStack, self.convolution.stacks[side]).at_centre(x, balls, owners)

    def without_each(self, side: int) -> tuple[Tensor, Tensor]:
        """Return the hyperedges around the user or the item, int64 ``[n]``, and its vector without each, ``[n, d]``.

        They are numbered as in :class:`Removed`. What lies around the node is copied for each, and all copies are
        convolved at once.
        """
        place = self.place(side)
        if place is None:
            return self.items[0, :0], self.alone(side).expand(0, -1)
        slot, node = place
        graph = self.hypergraphs(slot)[side]
        edges = graph.hyperedges_of(node)
        key = (side, slot, node)
        if key not in self._without_each and int((graph.weight[edges] > 0).sum()) > 1:
            nnz = sum(ball.nnz for ball in self._cut(*key)[1])
            parts = edges.split(max(1, AT_ONCE // max(nnz, 1)))
            self._without_each[key] = torch.cat([self._copied(*key, part) for part in parts])
        if key in self._without_each:
            return edges, self._without_each[key]
        # Without its last hyperedge the node is seen as it was in an earlier slot, which depends on the target.
        vectors = [self.vector(side, Removed([(side, slot, edge)])) for edge in edges.tolist()]
        return edges, torch.stack([self.alone(side) if vector is None else vector for vector in vectors])

    def _copied(self, side: int, slot: int, node: int, edges: Tensor) -> Tensor:
        """Return the node's vector without each of some hyperedges, ``[n, d]``."""
        graph, (x, balls, owners) = self.hypergraphs(slot)[side], self._cut(side, slot, node)
        weights = graph.weight.repeat(len(edges), 1)
        weights[torch.arange(len(edges), device=edges.device), edges] = 0.0
        x, stack = x.repeat(len(edges), 1), cast(GraphStack, self.convolution.stacks[side])
        for layer, ball, carried in zip(stack.layers, balls, owners, strict=True):
            copies = ball.copies(weights)
            told = carried and carried._replace(of_hyperedge=carried.of_hyperedge.repeat(len(edges)))
            active = copies.node_degree[copies.inner, None] > 0
            x = x[copies.inner] + torch.where(active, torch.relu(layer(x, copies, told)[copies.inner]), 0.0)
        return x

    def alone(self, side: int) -> Tensor:
        """Return the vector ``[d]`` of a user or an item that lies on no hyperedge."""
        return self.model.inputs()[side]((self.target.user, self.items[0])[side])[0]

    def _cut(self, side: int, slot: int, node: int) -> tuple[Tensor, list[Ball], list[Owners | None]]:
        """Return :meth:`_cut_out`, made once."""
        key = (side, slot, node)
        if key not in self._around:
            self._around[key] = self._cut_out(*key)
        return self._around[key]

    def _cut_out(self, side: int, slot: int, node: int) -> tuple[Tensor, list[Ball], list[Owners | None]]:
        """Return what enters the first layer, the balls of L hops to one around a node, and what their edges carry."""
        whole = self.hypergraphs(slot)[side]
        balls = [Ball.around(whole, node, hops) for hops in range(self.model.config.layers, 0, -1)]
        nodes = balls[0].nodes if balls else torch.tensor([node], device=whole.device)
        owners: list[Owners | None] = []
        for ball in balls if self.convolution.tells_owner else ():
            labels, of_hyperedge = torch.unique(ball.label, return_inverse=True)
            owners.append(self.convolution.owners(self._inputs(1 - side, slot, labels), of_hyperedge))
        return self._inputs(side, slot, nodes), balls, owners or [None] * len(balls)

    def _inputs(self, side: int, slot: int, numbers: Tensor) -> Tensor:
        """Return what enters the first layer of users or items, given by their numbers in a slot."""
        rows = self.rows[side]
        return self.model.inputs()[side](rows.node[numbers + rows.starts[slot]])

    def vectors(self, removed: Removed = NOTHING) -> PairVectors:
        """Return both vectors."""
        return PairVectors((self.vector(USER, removed), self.vector(ITEM, removed)))

    def logit(self, vectors: PairVectors) -> float:
        """Return the score that the model gives with these vectors."""
        return float(self.logits(vectors)[0])

    def logits(self, vectors: PairVectors, windows: Window | None = None) -> Tensor:
        """Return the scores ``[B]`` with some vectors, ``[B, d]`` or ``[d]`` each, and some histories.

        Args:
            vectors: of the user and of the item; None: as it is alone.
            windows: the clicks that are read as the user's history, ``[B, L]``; None: those that the target sees.
        """
        window = self.window if windows is None else windows
        sizes = {len(part) for part in vectors.of if part is not None and part.dim() > 1} | {len(window.valid)}
        count = max(sizes)  # one of each, or as many as of the others
        window = Window(*(part.expand(count, -1) for part in vars(window).values()))
        targets, items = self.target[torch.zeros(count, dtype=torch.int64)], self.items.expand(count, 1)
        model = copy(self.model)  # the same weights, reading other histories
        model.context = replace(model.context, history=cast(ClickHistory, _Given(window)))
        state = State(None, vectors)
        return model.score(state, model.encode(state, targets), targets, items)[:, 0]

    @cached_property
    def window(self) -> Window:
        """The clicks that the target sees as the user's history."""
        return self.model.context.history.window(self.target, self.model.config.history_length)


@dataclass(frozen=True)
class _Given:
    """Stands in for a history that gives these windows."""

    windows: Window

    def window(self, targets: Targets, length: int) -> Window:
        return self.windows
