"""An explanation is exact: differences of scores, those of hypergraphs rebuilt without a hyperedge among them."""

from __future__ import annotations

import gc
import json
import weakref
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import hyperctr as hc
from hyperctr.errors import ConfigError, DataError
from hyperctr.figures import why as figures
from hyperctr.hypergraph.incidence import Hypergraph
from hyperctr.model.history import Targets
from hyperctr.model.hyperctr import HyperCTR
from hyperctr.runs.effects import effects, mean_effects
from hyperctr.runs.explaining import ScoreExplainer, explainer_of
from hyperctr.runs.explanation import effect, explanation_frame, export_explanation, sources_frame
from hyperctr.runs.prediction import score_pairs
from hyperctr.runs.scoring import build_model, interest_of
from hyperctr.runtime import rng
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


def test_the_sources_add_up_to_the_score_and_are_scores_of_rebuilt_hypergraphs(
    scenes: Scenes, pair: tuple[Any, Any, int]
) -> None:
    answer = scenes.explainer.explain(*pair)
    frame = sources_frame(answer)
    assert frame["source"].tolist() == ["base rate", "content", "history", "user groups", "item groups"]
    assert frame["value"].sum() == pytest.approx(answer["score"], abs=1e-9) and frame["value"][0] == 0.5
    bare = rebuilt(scenes, pair, lambda *edge: True)
    users_only = rebuilt(scenes, pair, lambda side, *edge: side == "item")
    assert frame["score"][2] == pytest.approx(bare, abs=CLOSE)
    assert frame["score"][3] == pytest.approx(users_only, abs=CLOSE)
    effects = [effect(value) for value in frame["value"][1:]]
    assert frame["effect"][1:].tolist() == effects and {*effects} <= {"raises", "lowers", "no effect"}
    changed = sources_frame(scenes.explainer.explain(*pair, removed_modalities=scenes.modalities))
    assert changed["source"].iloc[-1] == "without hyperedges"
    assert changed["score"].iloc[-1] == pytest.approx(bare, abs=CLOSE)
    assert changed["value"].sum() == pytest.approx(bare, abs=CLOSE)


def test_a_pair_is_ranked_among_its_own_candidates(scenes: Scenes, pair: tuple[Any, Any, int]) -> None:
    data, run = scenes.data, scenes.run
    assert run is not None
    pool = hc.candidate_pool(data, scenes.split_data.split, count=run.config.test_candidates, seed=run.config.seed)
    places = []
    for row in (3, 40, 111):
        user, item, time = data.users[pool.users[row]], data.items[pool.items[row]], int(pool.timestamps[row])
        items = [item, *data.items[pool.negatives[row][pool.negatives[row] >= 0]]]
        chance = run.predict([user] * len(items), items, [time] * len(items))
        rank = scenes.explainer.explain(user, item, time)["rank"]
        assert rank["of"] == len(items) and rank["among"] == "the candidates of this test click"
        assert rank["place"] == 1 + (chance[1:] > chance[0]).sum()
        places.append(rank["place"])
    assert len({*places}) > 1
    never = scenes.explainer.explain(pair[0], pair[1], pair[2] + 1)["rank"]
    assert never["of"] > 50 and "did not click in training" in never["among"]
    assert ScoreExplainer(run).explain(pair[0], pair[1], pair[2] + 1)["rank"] == never


def indices(scenes: Scenes, pair: tuple[Any, Any, int]) -> list[Any]:
    user, item = scenes.data.users_to_index([pair[0]]), scenes.data.items_to_index([pair[1]])
    return [user, item, np.array([pair[2]])]


def test_a_struck_click_and_another_threshold_change_the_score(scenes: Scenes, pair: tuple[Any, Any, int]) -> None:
    explainer, run = scenes.explainer, scenes.run
    assert run is not None and run.calibration is not None
    answer = explainer.explain(*pair)
    nearest = answer["history"][0]
    far = [abs(click["timestamp"] - pair[2]) for click in answer["history"]]
    assert far == sorted(far) and len(far) > 3
    struck = explainer.explain(*pair, removed_clicks=[[nearest["item"], nearest["timestamp"]]])
    assert struck["new_score"] == pytest.approx(answer["score"] - nearest["value"], abs=CLOSE)
    assert struck["changes"] == ["without 1 click"]
    assert [row["removed"] for row in struck["history"]][:2] == [True, False]
    asked: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"delta": 0.6}, {"interest_threshold": 0.6}),
        ({"neighbours": 3}, {"max_neighbours": 3}),
        ({"delta": 0.3, "neighbours": 2}, {"interest_threshold": 0.3, "max_neighbours": 2}),
    ]
    for changes, settings in asked:
        model = build_model(run.split_data, run.config.replace(**settings), run.interest)
        model.load_state_dict(run.model.state_dict())
        expected = run.calibration.probabilities(score_pairs(model.eval(), run.split_data, *indices(scenes, pair)))
        changed = explainer.explain(*pair, **changes)
        assert changed["new_score"] == pytest.approx(expected[0], abs=CLOSE) and changed["score"] == answer["score"]
        assert abs(changed["new_score"] - answer["score"]) > CLOSE
    assert explainer.explain(*pair, delta=run.config.interest_threshold, neighbours=0)["changes"] == []


def test_what_if_changes_one_thing_at_a_time_and_explains_no_pair_twice(
    scenes: Scenes, pair: tuple[Any, Any, int]
) -> None:
    explainer, run = scenes.explainer, scenes.run
    assert run is not None
    answer, known = explainer.explain(*pair), explainer._explained.cache_info().misses
    session: Any = SimpleNamespace(data=scenes.data, config=run.config, run=run)
    frame = figures.what_if(session, answer).frame
    assert frame is not None
    asked: dict[str, dict[str, Any]] = {"no visual hyperedge": {"removed_modalities": ["visual"]}}
    asked |= {"no hyperedge": {"removed_modalities": scenes.modalities}, "δ were 0.2, not 0.4": {"delta": 0.2}}
    asked |= {"hyperedges and users had 5 neighbours at most": {"neighbours": 5}}
    expected = [explainer.explain(*pair, **changes)["new_score"] for changes in asked.values()]
    scores = frame.set_index("if")["score"]
    assert scores[[*asked]].tolist() == expected and len(scores) == 9
    assert frame["difference"].tolist() == (frame["score"] - answer["score"]).tolist()
    assert explainer._explained.cache_info().misses == known


def test_an_explanation_is_a_table(scenes: Scenes, pair: tuple[Any, Any, int], tmp_path: Path) -> None:
    answer = scenes.explainer.explain(*pair)
    written = pd.read_csv(export_explanation(answer, tmp_path / "why.csv"))
    counts = {"source": 5, "hyperedge": len(answer["contributions"]), "click": len(answer["history"])}
    assert written["part"].value_counts().to_dict() == counts
    asked = ["user", "item", "timestamp"]
    assert (written[asked] == [answer[name] for name in asked]).all(axis=None)
    edge, row = answer["contributions"][0], written[written["part"] == "hyperedge"].iloc[0]
    assert row["id"] == edge["hyperedge"] and row["who"].split() == [str(name) for name in edge["members"]]
    assert row["value"] == pytest.approx(edge["value"], abs=1e-12) and row["effect"] == effect(edge["value"])
    with pytest.raises(ConfigError, match="is written as .csv"):
        export_explanation(answer, tmp_path / "why.xlsx")
    with pytest.raises(ConfigError, match="no pair is explained"):
        export_explanation(None, tmp_path / "why.csv")


@pytest.mark.parametrize("budget", ["smoke", "quick"])
@pytest.mark.parametrize("name", ["planted", "ml-trailers"])
def test_no_test_click_is_left_without_a_reason(name: str, budget: str, request: pytest.FixtureRequest) -> None:
    """What notebook 21 shows of a test click has rows; hyperedges do not hang on weights, so nothing is trained."""
    folder = str(request.getfixturevalue("shared_dir") / "data" / "raw") if name == "ml-trailers" else ""
    session = hc.Session(name, budget=budget, data_dir=folder)
    config = session.config.replace(interest_epochs=1)
    interest, split_data = interest_of(session.split_data, config), session.split_data
    known = {"model": build_model(split_data, config, interest).eval(), "split_data": split_data, "config": config}
    explainer, none = ScoreExplainer(SimpleNamespace(**known, calibration=None, interest=interest)), 0  # type: ignore[arg-type]
    for number in range(0, 60, 5):
        answer = explainer.explain(*session.test_click(number))
        hyperedges, clicks, table = figures.hyperedges(answer), figures.clicks(answer), explanation_frame(answer)
        assert len(hyperedges.rows) and len(clicks.rows) and len(sources_frame(answer)) == 5
        assert (table["part"] != "source").any()
        count, seen = len(answer["history"]), f"{len(answer['history'])} click{'s' * (len(answer['history']) != 1)}"
        first = f"The 12 nearest in time of {seen}" if count > 12 else f"{seen} that the score sees, the nearest"
        assert clicks.caption.startswith(first)
        if not answer["contributions"]:
            none += 1
            assert "No hyperedge touches this pair" in hyperedges.caption and len(answer["history"])
    assert none < 6, "most test clicks have hyperedges"


def test_a_pair_without_hyperedges_or_clicks_says_so() -> None:
    nothing = {"contributions": [], "history": [], "sources": [], "changes": [], "score": 0.5, "new_score": 0.5}
    assert "No hyperedge touches this pair" in figures.hyperedges(nothing).text()
    assert "The score sees no click of this user" in figures.clicks(nothing).text()


def test_effects_in_general_are_means_of_explanations(scenes: Scenes) -> None:
    run, clicks = scenes.run, 8
    assert run is not None
    found = effects(run, clicks=clicks, seed=3)
    assert (found.clicks, found.of) == (clicks, len(scenes.split_data.split.test))
    data, pool = scenes.data, scenes.explainer.placing.pool("test")
    expected = []
    for row in np.sort(rng(3, "explained clicks").choice(len(pool), clicks, replace=False)):
        user, time = data.users[pool.users[row]], int(pool.timestamps[row])
        for item in (pool.items[row], pool.negatives[row : row + 1][0, 0]):
            expected.append(scenes.explainer.explain(user, data.items[item], time))
    steps = [answer["sources"][2]["value"] for answer in expected[::2]]
    edges = [part for answer in expected[1::2] for part in answer["contributions"] if part["modality"] == "visual"]
    frame = mean_effects(found).set_index(["by", "group", "kind"])
    assert frame.loc[("source", "history", "clicked"), "mean"] == pytest.approx(np.mean(steps), abs=CLOSE)
    visual = frame.loc[("modality", "visual", "not clicked")]
    assert visual["mean"] == pytest.approx(np.mean([edge["value"] for edge in edges]), abs=CLOSE)
    assert visual["effects"] == len(edges)
    assert (frame["low"] <= frame["mean"]).all() and (frame["mean"] <= frame["high"]).all()
    for by in ("modality", "slot", "age", "size"):
        assert frame.loc[by]["effects"].sum() == (found.rows["by"] == "hyperedge").sum()
    chart = figures.draw_effects(mean_effects(found))
    assert chart.data[0].x.tolist() == frame.loc["source"].xs("clicked", level="kind")["mean"].tolist()


def test_an_explainer_is_shared_and_goes_with_its_run(scenes: Scenes, pair: tuple[Any, Any, int]) -> None:
    assert scenes.run is not None
    run = hc.load_run(str(scenes.run.folder), scenes.data)
    assert explainer_of(run) is explainer_of(run)
    assert explainer_of(run).explain(*pair)["score"] == scenes.explainer.explain(*pair)["score"]
    model = weakref.ref(run.model)
    del run
    gc.collect()
    assert model() is None
