"""Contributions are exact: each is the score minus that of hypergraphs rebuilt without the hyperedge."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch

from hyperctr.errors import ConfigError, DataError
from hyperctr.hypergraph.incidence import Hypergraph
from hyperctr.model.history import Targets
from hyperctr.model.hyperctr import HyperCTR
from hyperctr.widgets.scenes import Scenes

CLOSE = 3e-7  # float32 sums in another order


@pytest.fixture(scope="module")
def pair(scenes: Scenes) -> tuple[Any, Any, int]:
    """A test click with hyperedges on both sides."""
    data = scenes.data
    for row in scenes.split_data.split.test:
        click = (data.users[data.user_index[row]], data.items[data.item_index[row]], int(data.timestamp[row]))
        parts = scenes.explainer.explain(*click)["contributions"]
        if {part["side"] for part in parts} == {"user", "item"} and len({part["modality"] for part in parts}) > 1:
            return click
    raise AssertionError("no test click has hyperedges on both sides")


def rebuilt(scenes: Scenes, pair: tuple[Any, Any, int], drop: Any) -> float:
    """Score on hypergraphs written anew from the hyperedges that ``drop(side, slot, modality, label)`` leaves."""
    assert scenes.run is not None and isinstance(scenes.run.model, HyperCTR)
    model, data = scenes.run.model, scenes.data
    graphs = model.context.graphs
    assert graphs is not None
    made = []
    for side, graph, others in zip(
        ("user", "item"), graphs.assemble(), (graphs.item_rows, graphs.user_rows), strict=True
    ):
        count = len(others.node)
        kept = []
        for node, edge in graph.incidence.T.tolist():
            m, row = divmod(edge, count)
            if not drop(side, int(others.slot[row]), data.modalities[m], int(others.node[row])):
                kept.append((node, edge))
        incidence = np.array(kept, dtype=np.int64).reshape(-1, 2).T
        made.append(
            Hypergraph(incidence, graph.num_nodes, graph.num_hyperedges, graph.weight, graph.group, label=graph.label)
        )
    user, item, time = pair
    when = np.array([time])
    parts = (data.users_to_index([user]), scenes.split_data.slots.of(when), when, np.array([-1]))
    target = Targets(*(torch.from_numpy(np.asarray(part, dtype=np.int64)) for part in parts))
    every_slot = ((0, len(scenes.slots)), tuple(made))
    with torch.no_grad(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(graphs, "stretch_by_stretch", lambda *hidden: [every_slot])
        state = model.refresh()
        items = torch.from_numpy(data.items_to_index([item]))[None]
        logit = float(model.score(state, model.encode(state, target), target, items))
    slope, shift = (scenes.run.metrics[f"calibration_{name}"] for name in ("slope", "shift"))
    return 1 / (1 + np.exp(-slope * logit - shift))


def test_contributions_are_differences_of_rebuilt_scores(scenes: Scenes, pair: tuple[Any, Any, int]) -> None:
    answer = scenes.explainer.explain(*pair)
    assert scenes.run is not None
    assert answer["score"] == pytest.approx(scenes.run.predict([pair[0]], [pair[1]], [pair[2]])[0], abs=CLOSE)
    assert answer["new_score"] == answer["score"]
    values = [abs(part["value"]) for part in answer["contributions"]]
    assert values == sorted(values, reverse=True) and values[0] > 20 * CLOSE
    for part in answer["contributions"]:
        label = int(part["key"].rpartition(":")[2])
        removed = (part["side"], part["slot"], part["modality"], label)
        without = rebuilt(scenes, pair, lambda *edge, removed=removed: edge == removed)
        assert part["value"] == pytest.approx(answer["score"] - without, abs=CLOSE)
        ids = scenes.data.items if part["side"] == "user" else scenes.data.users
        assert part["hyperedge"] == ids[label] and part["slot_label"] == scenes.slots[part["slot"]]
        scene = scenes.build(side=part["side"], slot=part["slot"], limit=10**6)  # the inspector shows the same set
        edge = scene.edge_keys().index((part["modality"], part["hyperedge"]))
        assert scene.members(edge) == part["members"]
    json.dumps(answer, allow_nan=False)


def test_removing_hyperedges_gives_the_score_without_them(scenes: Scenes, pair: tuple[Any, Any, int]) -> None:
    parts = scenes.explainer.explain(*pair)["contributions"]
    without_first = scenes.explainer.explain(*pair, removed=[parts[0]["key"]])
    assert without_first["new_score"] == pytest.approx(without_first["score"] - parts[0]["value"], abs=CLOSE)
    assert [part["removed"] for part in without_first["contributions"]] == [True] + [False] * (len(parts) - 1)
    keys = [part["key"] for part in parts]
    names = {(p["side"], p["slot"], p["modality"], int(p["key"].rpartition(":")[2])) for p in parts}
    without = rebuilt(scenes, pair, lambda *edge: edge in names)
    assert scenes.explainer.explain(*pair, removed=keys)["new_score"] == pytest.approx(without, abs=CLOSE)


def test_removing_modalities_empties_them_in_both_hypergraphs(scenes: Scenes, pair: tuple[Any, Any, int]) -> None:
    modality = scenes.explainer.explain(*pair)["contributions"][0]["modality"]
    answer = scenes.explainer.explain(*pair, removed_modalities=[modality])
    without = rebuilt(scenes, pair, lambda side, slot, name, label: name == modality)
    assert answer["new_score"] == pytest.approx(without, abs=CLOSE)
    assert abs(answer["new_score"] - answer["score"]) > 10 * CLOSE
    assert {part["modality"] for part in answer["contributions"] if part["removed"]} == {modality}
    bare = rebuilt(scenes, pair, lambda *edge: True)
    nothing = scenes.explainer.explain(*pair, removed_modalities=scenes.modalities)
    assert nothing["new_score"] == pytest.approx(bare, abs=CLOSE)


def test_a_training_click_is_explained_without_itself(scenes: Scenes) -> None:
    data, row = scenes.data, scenes.split_data.split.train[10]
    click = (data.users[data.user_index[row]], data.items[data.item_index[row]], int(data.timestamp[row]))
    assert scenes.run is not None
    expected = scenes.run.predict(*([value] for value in click))[0]
    answer = scenes.explainer.explain(*click, removed=[])
    assert answer["score"] == pytest.approx(expected, abs=CLOSE)


def test_wrong_questions_are_refused(scenes: Scenes, pair: tuple[Any, Any, int]) -> None:
    user, item, _ = pair
    with pytest.raises(DataError, match="nobody"):
        scenes.explainer.explain("nobody", item)
    with pytest.raises(ConfigError, match="did you mean 'visual'"):
        scenes.explainer.explain(user, item, removed_modalities=["visul"])
    for key in ("user", "user:0:visual:99999", "user:x:visual:1", "user:0:smell:1", "video:0:visual:1"):
        with pytest.raises(ConfigError, match="is the key of no hyperedge"):
            scenes.explainer.explain(user, item, removed=[key])
    with pytest.raises(ConfigError, match="needs a trained model"):
        Scenes(scenes.data).explainer.explain(user, item)
