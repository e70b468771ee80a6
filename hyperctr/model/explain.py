"""Why this score: what each hyperedge around the user and the item adds to one prediction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from hyperctr.errors import ConfigError
from hyperctr.hypergraph.incidence import Hypergraph
from hyperctr.model.history import Targets
from hyperctr.model.hyperctr import HyperCTR, State


@dataclass(frozen=True)
class Contribution:
    """One hyperedge's part in one score.

    Attributes:
        side: the hypergraph it lies in.
        slot: its time slot.
        modality: index of its modality group.
        label: the item (side "user") or user (side "item") that the hyperedge comes from, as an index.
        members: indices of its users (side "user") or items (side "item").
        value: probability with the hyperedge minus probability without it.
    """

    side: Literal["user", "item"]
    slot: int
    modality: int
    label: int
    members: tuple[int, ...]
    value: float


@torch.no_grad()
def explain(model: HyperCTR, target: Targets, item: int) -> tuple[float, list[Contribution]]:
    """Return the probability of a click and what each adjacent hyperedge adds to it, largest effect first.

    Contributions are exact: the hypergraph is convolved again without the hyperedge. They do not add up to the score,
    since hyperedges act together. A target that is a training click is explained with its own click taken out.

    Args:
        model: trained, in evaluation mode.
        target: one target.
        item: index of the candidate.

    Raises:
        ConfigError: the model has no hypergraphs.
    """
    graphs = model.context.graphs
    if graphs is None or model.config.graph != "hypergraph":
        raise ConfigError("only a model with graph = 'hypergraph' has hyperedges to explain a score by")
    items = torch.tensor([[item]], device=target.user.device)
    pair = list(graphs.assemble(target.click[target.click >= 0]))
    whole = model.convolve(pair[0], pair[1])
    full = _probability(model, whole, target, items)
    found = []
    for side, rows, others, node, active in (
        (0, graphs.user_rows, graphs.item_rows, target.user, whole.user_active),
        (1, graphs.item_rows, graphs.user_rows, items[0], whole.item_active),
    ):
        paper = model.config.protocol == "paper"
        row = int(rows.find(node, target.slot) if paper else rows.latest_before(node, target.slot, active))
        if row < 0:
            continue
        graph: Hypergraph = pair[side]
        edges_per_modality = max(len(others.node), 1)
        for edge in graph.hyperedges_of(row).tolist():
            struck = list(pair)
            struck[side] = graph.without(graph.incidence[1] == edge)
            without = _probability(model, model.convolve(struck[0], struck[1]), target, items)
            modality, other = divmod(edge, edges_per_modality)
            members = tuple(sorted(rows.node[graph.members(edge).long()].tolist()))
            name: Literal["user", "item"] = "user" if side == 0 else "item"
            label, slot = int(others.node[other]), int(others.slot[other])
            found.append(Contribution(name, slot, modality, label, members, full - without))
    return full, sorted(found, key=lambda one: -abs(one.value))


def _probability(model: HyperCTR, state: State, target: Targets, items: Tensor) -> float:
    return float(model.score(state, model.encode(state, target), target, items).double().sigmoid())
