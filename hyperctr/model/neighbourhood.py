"""One score from what it alone reads: for user and item one slot each and, in it, what lies around them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import cast

import torch
from torch import Tensor

from hyperctr.hypergraph.ball import Ball
from hyperctr.hypergraph.incidence import Hypergraph
from hyperctr.model.convolution import Owners
from hyperctr.model.history import Targets
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


class Neighbourhood:
    """What one score reads of the hypergraphs, and the score without some hyperedges.

    Only the slots in which the target sees the user and the item are assembled, without the target's own click. There,
    layer l of L convolves what lies within L - l + 1 hops of the node. How much the other slots hold does not matter.

    Args:
        model: in evaluation mode, with hypergraphs.
        target: one.
        item: index of the candidate.
    """

    def __init__(self, model: HyperCTR, target: Targets, item: int) -> None:
        self.model, self.target, self.convolution = model, target, model.convolution
        self.items = torch.tensor([[item]], device=target.user.device)
        self.graphs = model.convolution.needed()
        self.rows = self.graphs.user_rows, self.graphs.item_rows
        self._assembled: dict[int, tuple[Hypergraph, Hypergraph]] = {}
        self._around: dict[tuple[int, int, int], tuple[Tensor, list[Ball], list[Owners | None]]] = {}

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
        if (side, *place) not in self._around:
            self._around[side, *place] = self._cut_out(side, *place)
        x, balls, owners = self._around[side, *place]
        slot, stack = place[0], cast(GraphStack, self.convolution.stacks[side])
        if removed is not NOTHING:
            weight = removed.weights(self.hypergraphs(slot)[side], side, slot)
            balls = [ball.weighted(weight) for ball in balls]
        return stack.at_centre(x, balls, owners)

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
        state = State(None, vectors)
        return float(self.model.score(state, self.model.encode(state, self.target), self.target, self.items))
