"""Why this score: what each hyperedge around the user and the item adds to one prediction."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from hyperctr.errors import ConfigError
from hyperctr.hypergraph.incidence import Hypergraph
from hyperctr.hypergraph.rows import Rows
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

    Contributions are exact: the hypergraph is convolved again without the hyperedge, in the slot it lies in, since no
    hyperedge reaches beyond its slot. They do not add up to the score, since hyperedges act together. A target that is
    a training click is explained with its own click taken out.

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
    contributions = []
    for side, rows, others, node, active in (
        (0, graphs.user_rows, graphs.item_rows, target.user, whole.user_active),
        (1, graphs.item_rows, graphs.user_rows, items[0], whole.item_active),
    ):
        same_slot = model.config.protocol == "as-published"
        row = int(rows.find(node, target.slot) if same_slot else rows.latest_before(node, target.slot, active))
        if row < 0:
            continue
        graph: Hypergraph = pair[side]
        edges_per_modality = max(len(others.node), 1)
        slot = int(rows.slot[row])
        part, kept = _of_slot(graph, rows, others, slot)
        inside = rows.slot == slot
        start = functional.embedding(rows.node[inside], model.user_embedding if side == 0 else whole.static_items)
        for edge in graph.hyperedges_of(row).tolist():
            remaining = part.without(kept[part.incidence[1]] == edge)
            active = remaining.node_degree > 0
            state = _with(whole, side, inside, model.stacks[side](start, remaining, active), active)
            without = _probability(model, state, target, items)
            modality, other = divmod(edge, edges_per_modality)
            members = tuple(sorted(rows.node[graph.members(edge).long()].tolist()))
            name: Literal["user", "item"] = "user" if side == 0 else "item"
            contributions.append(Contribution(name, slot, modality, int(others.node[other]), members, full - without))
    return full, sorted(contributions, key=lambda contribution: -abs(contribution.value))


def _of_slot(graph: Hypergraph, rows: Rows, others: Rows, slot: int) -> tuple[Hypergraph, Tensor]:
    """Return the part of a stacked hypergraph in one slot, its nodes renumbered, and which hyperedges it kept."""
    chosen = (others.slot == slot).repeat(graph.num_groups)
    part = graph.select(chosen)
    offsets, members = part.by_hyperedge
    new = (rows.slot == slot).cumsum(0) - 1
    here = Hypergraph.unchecked(
        num_nodes=int(new[-1]) + 1,
        num_hyperedges=part.num_hyperedges,
        weight=part.weight,
        group=part.group,
        label=part.label,
        group_names=part.group_names,
        by_hyperedge=(offsets, new[members.long()].int()),
    )
    return here, chosen.nonzero().squeeze(1)


def _with(whole: State, side: int, inside: Tensor, values: Tensor, active: Tensor) -> State:
    """Return the state with the rows ``inside`` (bool) of one side replaced."""
    rows, flags = (whole.user_rows, whole.user_active) if side == 0 else (whole.item_rows, whole.item_active)
    rows, flags = rows.masked_scatter(inside[:, None], values), flags.masked_scatter(inside, active)
    if side == 0:
        return replace(whole, user_rows=rows, user_active=flags)
    return replace(whole, item_rows=rows, item_active=flags)


def _probability(model: HyperCTR, state: State, target: Targets, items: Tensor) -> float:
    return float(model.score(state, model.encode(state, target), target, items).double().sigmoid())
