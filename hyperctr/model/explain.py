"""Why this score: what each hyperedge around the user and the item adds to one prediction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch

from hyperctr.errors import ConfigError
from hyperctr.metrics.platt import Calibration
from hyperctr.model.base import ClickModel
from hyperctr.model.history import Targets
from hyperctr.model.hyperctr import HyperCTR
from hyperctr.model.neighbourhood import Neighbourhood, Removed
from hyperctr.model.slot_convolution import ITEM, USER, PairVectors

SIDES: tuple[Literal["user"], Literal["item"]] = ("user", "item")


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
def explain(
    model: ClickModel, target: Targets, item: int, calibration: Calibration | None = None
) -> tuple[float, list[Contribution]]:
    """Return the probability of a click and what each adjacent hyperedge adds to it, largest effect first.

    Contributions are exact: what lies around the node is convolved again without the hyperedge. They do not add up to
    the score, since hyperedges act together. A target that is a training click is explained with its own click taken
    out. Only the slots in which the target sees the user and the item are read, so that the time taken depends on
    these and on the number of hyperedges, not on how much data there are.

    Args:
        model: trained, in evaluation mode.
        target: one target.
        item: index of the candidate.
        calibration: what turns logits into probabilities; without one, the sigmoid does.

    Raises:
        ConfigError: the model has no hypergraphs.
    """
    if not isinstance(model, HyperCTR):
        raise ConfigError(f"a model {type(model).__name__} has no hyperedges to explain a score by")
    if model.context.graphs is None or model.config.graph != "hypergraph":
        raise ConfigError("only a model with graph = 'hypergraph' has hyperedges to explain a score by")
    around = Neighbourhood(model, target, item)
    rows, whole = around.rows, around.vectors()
    probabilities = (calibration or Calibration()).probabilities
    full = float(probabilities(around.logit(whole)))
    contributions = []
    for side in (USER, ITEM):
        place = around.place(side)
        if place is None:
            continue
        slot, node = place
        graph, of_node, of_edge = around.hypergraphs(slot)[side], rows[side], rows[1 - side]
        for edge in graph.hyperedges_of(node).tolist():
            vector = around.vector(side, Removed(hyperedges=[(side, slot, edge)]))
            pair = (vector, whole.of[ITEM]) if side == USER else (whole.of[USER], vector)
            without = float(probabilities(around.logit(PairVectors(pair))))
            label = int(of_edge.node[of_edge.starts[slot] + graph.label[edge]])
            members = tuple(sorted(of_node.node[of_node.starts[slot] + graph.members(edge)].tolist()))
            modality = int(graph.group[edge])
            contributions.append(Contribution(SIDES[side], slot, modality, label, members, full - without))
    return full, sorted(contributions, key=lambda contribution: -abs(contribution.value))
