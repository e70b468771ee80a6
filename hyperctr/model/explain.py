"""Why this score: what each source of it adds, and what each hyperedge and each click of the history does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from hyperctr.errors import ConfigError
from hyperctr.hypergraph.stack import SlotHypergraphs
from hyperctr.metrics.platt import PRIOR, Calibration
from hyperctr.model.base import ClickModel
from hyperctr.model.history import ClickHistory, Targets, Window
from hyperctr.model.hyperctr import HyperCTR
from hyperctr.model.neighbourhood import Neighbourhood
from hyperctr.model.slot_convolution import ITEM, USER, PairVectors

SIDES: tuple[Literal["user"], Literal["item"]] = ("user", "item")
SOURCES = ("content", "history", "user groups", "item groups")  # in the order in which a score takes them in
GROUPS = dict(zip(SIDES, SOURCES[2:], strict=True))  # the source that the hyperedges of each side are


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


@dataclass(frozen=True)
class ClickEffect:
    """One click's part in one score.

    Attributes:
        item: its index.
        timestamp: when.
        slot: number of its time slot.
        value: probability with the click in the history minus probability without it.
    """

    item: int
    timestamp: int
    slot: int
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
    around = Neighbourhood(explainable(model), target, item)
    probabilities = (calibration or Calibration()).probabilities
    return float(probabilities(around.logit(around.vectors()))), contributions(around, calibration)


def explainable(model: ClickModel) -> HyperCTR:
    """Return a model whose scores can be explained by hyperedges.

    Raises:
        ConfigError: it has none.
    """
    if not isinstance(model, HyperCTR):
        raise ConfigError(f"a model {type(model).__name__} has no hyperedges to explain a score by")
    if model.context.graphs is None or model.config.graph != "hypergraph":
        raise ConfigError("only a model with graph = 'hypergraph' has hyperedges to explain a score by")
    return model


def with_graphs(model: HyperCTR, graphs: SlotHypergraphs) -> HyperCTR:
    """Return the model with the same parameters on other hypergraphs, of another threshold or other neighbours."""
    other, convolution = copy(model), copy(model.convolution)
    other._modules, convolution.graphs = dict(model._modules), graphs
    other.convolution, other.context = convolution, replace(model.context, graphs=graphs)
    return other


@torch.no_grad()
def contributions(around: Neighbourhood, calibration: Calibration | None = None) -> list[Contribution]:
    """Return what each hyperedge around the user and the item adds to a score, largest effect first."""
    probabilities, whole = (calibration or Calibration()).probabilities, around.vectors()
    full, parts = float(probabilities(around.logit(whole))), []
    for side in (USER, ITEM):
        place = around.place(side)
        if place is None:
            continue
        slot, (edges, vectors) = place[0], around.without_each(side)
        pair = (vectors, whole.of[ITEM]) if side == USER else (whole.of[USER], vectors)
        values = full - probabilities(around.logits(PairVectors(pair)).double().numpy(force=True))
        graph, of_node, of_edge = around.hypergraphs(slot)[side], around.rows[side], around.rows[1 - side]
        for edge, value in zip(edges.tolist(), values.tolist(), strict=True):
            label = int(of_edge.node[of_edge.starts[slot] + graph.label[edge]])
            members = tuple(sorted(of_node.node[of_node.starts[slot] + graph.members(edge)].tolist()))
            parts.append(Contribution(SIDES[side], slot, int(graph.group[edge]), label, members, value))
    return sorted(parts, key=lambda part: -abs(part.value))


@torch.no_grad()
def scores_by_source(around: Neighbourhood, calibration: Calibration | None = None) -> list[float]:
    """Return the probability as the sources of a score come in one after the other: five values, the last the score.

    1. The base rate 1/2, the share of clicks among the pairs for which calibrated probabilities hold. (The mean of
       these probabilities over the validation clicks, with one item not clicked for each, is the same: calibration
       makes it so.)
    2. *Content*: the vectors of the user and of the item as they are alone, that is with no hyperedge and an empty
       history, as the model has a user without clicks.
    3. *History*: the visible clicks come in.
    4. *User groups*: the user's vector is convolved over the hyperedges of users.
    5. *Item groups*: the item's vector is convolved over the hyperedges of items.

    Each value is a score that the model gives, so the differences are exact and add up; what a source adds depends on
    what came before it.
    """
    alone, whole = (around.alone(USER), around.alone(ITEM)), around.vectors().of
    user, item = (one if full is None else full for one, full in zip(alone, whole, strict=True))
    users, items = torch.stack([alone[USER], alone[USER], user, user]), torch.stack([alone[ITEM]] * 3 + [item])
    nobody = around.window.only(torch.zeros(1, dtype=torch.bool, device=around.items.device))
    windows = _stacked([nobody, around.window, around.window, around.window])
    logits = around.logits(PairVectors((users, items)), windows)
    return [PRIOR, *(calibration or Calibration()).probabilities(logits.numpy(force=True)).tolist()]


@torch.no_grad()
def click_effects(around: Neighbourhood, calibration: Calibration | None = None) -> list[ClickEffect]:
    """Return what each visible click does to a score, the nearest in time first.

    Without a click the next nearest one moves up, if the window was full. Hyperedges stay as they are.
    """
    window, history, target = around.window, around.model.context.history, around.target
    count = int(window.lengths)
    if not count:
        return []
    clicks = list(zip(window.items[0, :count].tolist(), window.timestamp[0, :count].tolist(), strict=True))
    length = window.items.shape[1]
    windows = _stacked([window, *(window_without(history, target, length, [click]) for click in clicks)])
    chance = (calibration or Calibration()).probabilities(
        around.logits(around.vectors(), windows).double().numpy(force=True)
    )
    slots, time = history_slots(history, target, clicks), int(target.timestamp)
    effects = [
        ClickEffect(*click, slot, float(chance[0] - without))
        for click, slot, without in zip(clicks, slots, chance[1:], strict=True)
    ]
    return sorted(effects, key=lambda click: abs(click.timestamp - time))


def history_slots(history: ClickHistory, target: Targets, clicks: Iterable[tuple[int, int]]) -> list[int]:
    """Return the time slots of some clicks (item, timestamp) of the target's user; -1: there is no such click."""
    user = int(target.user)
    own = slice(int(history.start[user]), int(history.start[user + 1]))
    columns = (history.item[own].tolist(), history.timestamp[own].tolist())
    known = dict(zip(zip(*columns, strict=True), history.slot[own].tolist(), strict=True))
    return [known.get(click, -1) for click in clicks]


def window_without(history: ClickHistory, target: Targets, length: int, struck: Iterable[tuple[int, int]]) -> Window:
    """Return the window of one target as if some clicks (item, timestamp) of its user had never been."""
    user, time = int(target.user), int(target.timestamp)
    own = slice(int(history.start[user]), int(history.start[user + 1]))
    gone = _alike(history.item[own], history.timestamp[own], struck)
    wide = history.window(target, length + int(gone.sum()))  # the nearest of those that stay are among these
    left = (wide.valid & ~_alike(wide.items, wide.timestamp, struck))[0].nonzero()[:, 0]
    after = (wide.timestamp[0, left] > time).tolist()
    # Of two equally near the earlier one; of those at one time the nearer in the order of the history.
    far, places = (wide.timestamp[0, left] - time).abs().tolist(), left.tolist()
    order = sorted(range(len(places)), key=lambda k: (far[k], after[k], -places[k] if after[k] else places[k]))
    kept = left[sorted(order[:length])]
    ahead, place = int((wide.timestamp[0, kept] > time).sum()), torch.arange(length, device=left.device)
    position = torch.where(place < ahead, length + ahead - 1 - place, place - ahead)[None]

    def column(values: Tensor) -> Tensor:
        return torch.nn.functional.pad(values[:, kept], (0, length - len(kept)))

    columns = {name: column(getattr(wide, name)) for name in ("items", "valid", "short", "timestamp")}
    return replace(wide, position=position, **columns)


def _stacked(windows: Sequence[Window]) -> Window:
    """Return windows of one target each as one, ``[B, L]``."""
    return Window(*(torch.cat(parts) for parts in zip(*(vars(window).values() for window in windows), strict=True)))


def _alike(items: Tensor, timestamps: Tensor, clicks: Iterable[tuple[int, int]]) -> Tensor:
    """Return which entries are one of some clicks (item, timestamp), bool of the same shape."""
    found = torch.zeros_like(items, dtype=torch.bool)
    for item, timestamp in clicks:
        found |= (items == item) & (timestamps == timestamp)
    return found
