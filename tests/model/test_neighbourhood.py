"""A score from what it alone reads is the score of the whole, with and without hyperedges, at the cost of its slots."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from hyperctr.config import Config
from hyperctr.data.dataset import Dataset
from hyperctr.data.interactions import Interactions
from hyperctr.data.splits import Split
from hyperctr.hypergraph.incidence import Hypergraph
from hyperctr.hypergraph.stack import SlotHypergraphs
from hyperctr.model.context import Context
from hyperctr.model.convolution import HypergraphConv, Owners
from hyperctr.model.explain import explain
from hyperctr.model.history import Targets
from hyperctr.model.hyperctr import HyperCTR
from hyperctr.model.neighbourhood import Neighbourhood, Removed
from hyperctr.model.slot_convolution import ITEM, USER
from hyperctr.runs.prediction import pair_targets, score_pairs
from hyperctr.slots import make_slots
from tests.small import Small, hand_made, small, targets_of, with_drawn_weights

pytestmark = pytest.mark.filterwarnings("ignore::hyperctr.errors.DataWarning")
TINY = Config(embedding_size=8, layers=2, attention_heads=2, history_length=4, hidden=(7, 5), matching=True)
VARIANTS: list[dict[str, Any]] = [
    {},
    {"layers": 1},
    {"layers": 3, "weighted": False},
    {"protocol": "causal"},
    {"edge_information": True},
    {"graph": "bipartite"},
    {"graph": "bipartite", "protocol": "causal", "layers": 1},
    {"max_neighbours": 3, "interest_threshold": 0.4},
    {"threshold_is_quantile": True},
]


def build(study: Small, **changes: Any) -> HyperCTR:
    config = TINY.replace(**changes)
    return with_drawn_weights(HyperCTR(Context.build(study, study.interest, config), config))


def single(targets: Targets, number: int) -> Targets:
    return targets[slice(number, number + 1)]


@pytest.fixture(autouse=True)
def _without_gradients() -> Iterator[None]:
    with torch.no_grad():
        yield


@pytest.mark.parametrize("changes", VARIANTS, ids=lambda changes: " ".join(map(str, changes.values())) or "paper")
def test_it_is_the_score_of_the_whole(changes: dict[str, Any]) -> None:
    study = small(12, rows=90)
    model = build(study, **changes)
    _, targets = targets_of(study)
    seen = set()
    for number in range(0, len(targets), 3):
        target, item = single(targets, number), number % study.data.num_items
        around = Neighbourhood(model, target, item)
        expected = model(target, torch.tensor([[item]]), target.click[target.click >= 0])
        assert around.logit(around.vectors()) == pytest.approx(expected.item(), abs=1e-12)
        seen |= {(side, around.place(side) is None) for side in (USER, ITEM)}
    assert seen >= {(USER, False), (ITEM, False)}
    assert len(seen) > 2 or model.convolution.bipartite  # on hyperedges and on none; all have clicks


@pytest.mark.parametrize("protocol", ["as-published", "causal"])
@pytest.mark.parametrize("layers", [1, 3])
def test_removed_hyperedges_are_gone_as_if_they_had_never_been(protocol: str, layers: int) -> None:
    study = small(13, rows=90)
    model, draw = build(study, protocol=protocol, layers=layers), np.random.default_rng(0)
    graphs, count = model.context.graphs, study.slots.count
    assert graphs is not None
    _, targets = targets_of(study)
    moved = 0
    for number in range(0, len(targets), 5):
        target, item = single(targets, number), number % study.data.num_items
        hidden = target.click[target.click >= 0]
        gone = [
            (side, slot, edge)
            for slot in range(count)
            for side, graph in enumerate(graphs.assemble(hidden, (slot, slot + 1)))
            for edge in range(graph.num_hyperedges)
            if draw.random() < 0.7
        ]
        removed = Removed(gone, [number % 2] if number % 3 == 0 else [])
        around = Neighbourhood(model, target, item)
        kept = [
            (
                (slot, slot + 1),
                tuple(
                    graph.without((removed.weights(graph, side, slot) == 0)[graph.incidence[1]])
                    for side, graph in enumerate(graphs.assemble(hidden, (slot, slot + 1)))
                ),
            )
            for slot in range(count)
        ]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(graphs, "stretch_by_stretch", lambda *hidden, kept=kept: kept)
            expected = model(target, torch.tensor([[item]]))
        assert around.logit(around.vectors(removed)) == pytest.approx(expected.item(), abs=1e-12)
        moved += sum(around.place(side) != around.place(side, removed) for side in (USER, ITEM))
    assert moved  # to nowhere, and under causal to an earlier slot


def test_a_contribution_is_what_the_score_loses_without_the_hyperedge() -> None:
    study = small(14, rows=90)
    model = build(study)
    _, targets = targets_of(study)
    target = single(targets, 7)
    around = Neighbourhood(model, target, 2)
    full, parts = explain(model, target, 2)
    assert full == pytest.approx(1 / (1 + np.exp(-around.logit(around.vectors()))), abs=1e-12)
    adjacent = [
        (side, place[0], edge)
        for side in (USER, ITEM)
        if (place := around.place(side)) is not None
        for edge in around.hypergraphs(place[0])[side].hyperedges_of(place[1]).tolist()
    ]
    expected = [full - 1 / (1 + np.exp(-around.logit(around.vectors(Removed([edge]))))) for edge in adjacent]
    assert len(parts) > 4 and {part.side for part in parts} == {"user", "item"}
    np.testing.assert_allclose([part.value for part in parts], sorted(expected, key=lambda v: -abs(v)), atol=1e-12)


def crowded(study: Small, copies: int) -> Small:
    """The same study, followed by ``copies`` more slots that each hold ten clicks of every user."""
    data, draw = study.data, np.random.default_rng(1)
    width = int(study.slots.edges[1] - study.slots.edges[0])
    begin, end = width * study.slots.count, width * (study.slots.count + copies)
    more = pd.DataFrame({"user_id": np.repeat(data.users, 10 * copies)})
    more["item_id"] = draw.choice(data.items, size=len(more))
    more["timestamp"] = np.append(draw.integers(begin, end, size=len(more) - 1), end - 1)
    frame = pd.concat([data.interactions, more.assign(clicked=True)]).drop_duplicates(
        ["user_id", "item_id", "timestamp"]
    )
    other = Dataset("crowded", Interactions(frame, clock="ordinal"), data.features.values(), items=data.items)
    part = np.zeros(len(other.clicked), dtype=np.int8)
    part[: len(study.split.part)] = study.split.part
    split, slots = (
        Split("random", (0.7, 0.2, 0.1), 0, part, other.clicked),
        make_slots(other, count=study.slots.count + copies),
    )
    assert (other.timestamp[: len(data.timestamp)] == data.timestamp).all()
    assert (slots.index[: len(data.timestamp)] == study.slots.index).all()
    clicks = len(split.train) - len(study.split.train)
    degree = draw.integers(1, 8, size=(clicks, study.interest.degree.shape[1])).astype(np.float32) / 8
    degree = np.concatenate([study.interest.degree, degree])
    return Small(other, split, slots, hand_made(other, split, slots, degree))


def read(model: HyperCTR, ask: Any) -> tuple[list[tuple[int, int]], int]:
    """Which slots are assembled, and how many incidences are convolved, when ``ask()`` is called."""
    slots, incidences = [], 0
    assemble, forward = SlotHypergraphs._assemble, HypergraphConv.forward

    def counted(self: HypergraphConv, x: torch.Tensor, graph: Hypergraph, owners: Owners | None = None) -> torch.Tensor:
        nonlocal incidences
        incidences += graph.nnz
        return forward(self, x, graph, owners)

    def noted(self: SlotHypergraphs, left: torch.Tensor, where: tuple[int, int]) -> tuple[Hypergraph, Hypergraph]:
        slots.append(where)
        return assemble(self, left, where)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(HypergraphConv, "forward", counted)
        patch.setattr(SlotHypergraphs, "_assemble", noted)
        ask()
    return slots, incidences


@pytest.mark.parametrize("protocol", ["as-published", "causal"])
def test_other_slots_cost_nothing(protocol: str) -> None:
    """A world with forty more slots: the same slots are read and as many incidences convolved, with the same score."""
    study = small(15, rows=90)
    big = crowded(study, 40)
    assert len(big.split.train) > 20 * len(study.split.train)
    model, other = build(study, protocol=protocol), build(big, protocol=protocol)
    other.load_state_dict(model.state_dict())
    rows, targets = targets_of(study)
    number = next(k for k, row in enumerate(rows) if row[1] == 2)  # a training click of the last slot
    target = single(targets, number)
    item = int(study.data.item_index[study.split.train[rows[number][3]]])
    assert explain(model, target, item) == explain(other, target, item)
    here, there = (read(m, lambda m=m: explain(m, target, item)) for m in (model, other))
    assert here == there and here[1] > 0
    # Each slot once; under causal, a slot whose last hyperedge goes makes way for the one before.
    assert sorted(here[0]) == ([(2, 3)] if protocol == "as-published" else [(0, 1), (1, 2)])

    if protocol == "as-published":  # predicting training clicks reads their own slots only
        asked = [study.data.user_index, study.data.item_index, study.data.timestamp]
        columns = [column[study.split.train[:6]] for column in asked]
        here, there = (read(m, lambda m=m, s=s: score_pairs(m, s, *columns)) for m, s in ((model, study), (other, big)))
        assert here == there and len(here[0]) == 6


def test_under_causal_all_rows_are_scored_on_one_convolution() -> None:
    study = small(16, rows=90)
    model = build(study, protocol="causal")
    rows = np.concatenate([study.split.train[:10], study.split.test])
    columns = [part[rows] for part in (study.data.user_index, study.data.item_index, study.data.timestamp)]
    slots, _ = read(model, lambda: score_pairs(model, study, *columns))
    assert slots == list(model.context.graphs.stretches)  # type: ignore[union-attr]
    targets = pair_targets(study, *columns)
    expected = [
        model(single(targets, k), torch.from_numpy(columns[1][[k], None]), single(targets, k).click.clamp(min=0)).item()
        for k in range(10)
    ]
    np.testing.assert_allclose(score_pairs(model, study, *columns)[:10], expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("graph", ["hypergraph", "bipartite"])
def test_a_score_is_the_same_whatever_else_is_asked(graph: str) -> None:
    study = small(17, rows=90)
    model = build(study, graph=graph).float()
    columns = [part[study.split.train] for part in (study.data.user_index, study.data.item_index, study.data.timestamp)]
    together = score_pairs(model, study, *columns)
    for row in (0, 5, len(together) - 1):
        assert score_pairs(model, study, *(column[[row]] for column in columns))[0] == together[row]


def test_a_row_is_a_training_click_if_user_item_and_moment_agree() -> None:
    study = small(18, rows=90)
    train, draw = study.split.train, np.random.default_rng(0)
    events = [(u, i, t) for u, i, _, t in study.clicks]
    asked = draw.integers([5, 6, 30], size=(4000, 3))
    found = pair_targets(study, *asked.T)
    assert found.click.tolist() == [events.index(e) if e in events else -1 for e in map(tuple, asked.tolist())]
    assert (found.click >= 0).sum() > 100 and found.slot.tolist() == study.slots.of(asked[:, 2]).tolist()
    twice = replace(study, split=replace(study.split))
    vars(twice.split)["train"] = np.concatenate([train, train[::-1]])  # of clicks that are alike the first counts
    assert pair_targets(twice, *np.array(events).T).click.tolist() == list(range(len(events)))
    assert len(pair_targets(study, *np.empty((3, 0), dtype=np.int64))) == 0
