"""A scene shows exactly what `build_hypergraphs` builds, at places that stay, and says what it leaves out."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from typing import Any

import numpy as np
import pytest

import hyperctr as hc
from hyperctr.errors import ConfigError, DataError, RunError
from hyperctr.split_data import SplitData
from hyperctr.widgets.contrast import contrast, difference
from hyperctr.widgets.scene import BUFFERS, Scene
from hyperctr.widgets.scenes import Scenes
from tests.small import small

ALL = 10**6
Sets = dict[tuple[str, Any], tuple[frozenset[Any], float]]  # (modality, label id) -> member ids, weight


def shown(scene: Scene) -> Sets:
    sets = {key: (frozenset(scene.members(e)), float(scene.edges.weight[e])) for e, key in enumerate(scene.edge_keys())}
    assert len(sets) == len(scene)
    return sets


def built(scenes: Scenes, side: str, slot: int, delta: float, neighbours: int | None = None) -> Sets:
    config, data = scenes.config, scenes.data
    split, slots = scenes.split_data.split, scenes.split_data.slots
    lists = hc.build_hypergraphs(
        data, split, slots, scenes.interest, delta, max_neighbours=neighbours, seed=config.seed
    )
    graph = lists[side == "item"][slot]
    nodes, labels = (data.users, data.items) if side == "user" else (data.items, data.users)
    return {
        (data.modalities[int(graph.group[e])], labels[int(graph.label[e])]): (
            frozenset(nodes[graph.members(e).numpy()].tolist()),
            float(graph.weight[e]),
        )
        for e in range(graph.num_hyperedges)
    }


@pytest.mark.parametrize(
    ("side", "slot", "delta", "neighbours"),
    [("user", 0, 0.4, 0), ("user", 2, 0.52, 0), ("item", 1, 0.4, 0), ("item", 0, 0.3, 3)],
)
def test_members_and_weights_are_those_of_the_built_hypergraph(
    scenes: Scenes, side: Any, slot: int, delta: float, neighbours: int
) -> None:
    expected = built(scenes, side, slot, delta, neighbours or None)
    scene = scenes.build(side=side, slot=slot, delta=delta, neighbours=neighbours, limit=ALL)
    assert len(expected) >= 20
    assert shown(scene) == expected
    assert scene.total_edges == len(expected)
    two = scenes.build(
        side=side, slot=slot, delta=delta, neighbours=neighbours, limit=ALL, modalities=["textual", "visual"]
    )
    assert shown(two) == {key: value for key, value in expected.items() if key[0] != "acoustic"}


@pytest.mark.parametrize("seed", range(3))
def test_awkward_data(seed: int) -> None:
    """Missing modalities, empty slots and repeated clicks: every slot by itself is its part of the whole."""
    study = small(seed, users=12, items=9, rows=150)
    scenes = Scenes(study.data)
    scenes.split_data, scenes.interest = SplitData(study.data, study.split, study.slots), study.interest
    scenes.slots = study.slots.labels
    for slot, side in itertools.product(range(study.slots.count), ("user", "item")):
        scene = scenes.build(side=side, slot=slot, delta=0.5, limit=ALL)  # type: ignore[arg-type]
        assert shown(scene) == built(scenes, side, slot, 0.5)


def test_without_a_threshold_the_runs_own_is_taken(scenes: Scenes) -> None:
    assert shown(scenes.build(slot=1)) == shown(scenes.build(slot=1, delta=0.4))


def test_limit_keeps_the_largest_of_each_modality_in_turn_and_says_so(scenes: Scenes) -> None:
    whole, few = scenes.build(slot=1, limit=ALL), scenes.build(slot=1, limit=8)
    assert len(few) == 8 and whole.total_edges == few.total_edges == len(whole)
    for m in range(3):
        sizes = sorted(np.diff(whole.edges.offsets)[whole.edges.modality == m].tolist(), reverse=True)
        shown_sizes = sorted(np.diff(few.edges.offsets)[few.edges.modality == m].tolist(), reverse=True)
        assert len(shown_sizes) in (2, 3) and shown_sizes == sizes[: len(shown_sizes)]
    assert few.rule == (
        f"showing 8 of {len(whole)} hyperedges: the largest of each modality in turn; "
        f"{len(few.nodes)} of {len(whole.nodes)} users"
    )
    assert whole.rule.startswith(f"showing {len(whole)} of {len(whole)} hyperedges: all of them")
    assert shown(few).items() <= shown(whole).items()
    degrees = Counter(node for members, _ in shown(few).values() for node in members)
    assert dict(zip(few.nodes, few.degree.tolist(), strict=True)) == degrees


def test_focus_on_a_node_and_on_a_hyperedge(scenes: Scenes) -> None:
    whole = scenes.build(slot=1, limit=ALL)
    node = whole.nodes[int(whole.degree.argmin())]
    around = scenes.build(slot=1, focus=("node", node), limit=ALL)
    assert shown(around) == {key: value for key, value in shown(whole).items() if node in value[0]}
    edge = int(np.diff(whole.edges.offsets).argmin())
    number, members = int(whole.edges.number[edge]), set(whole.members(edge))
    around = scenes.build(slot=1, focus=("hyperedge", number), limit=ALL)
    assert shown(around) == {key: value for key, value in shown(whole).items() if members & value[0]}
    assert f"hyperedges around {whole.edge_keys()[edge][0]}: {whole.edge_titles[edge]}:" in around.rule
    least = scenes.build(slot=1, focus=("hyperedge", number), limit=1)
    assert least.edges.number.tolist() == [number]  # the smallest of all, yet what is looked at stays


def test_swapping_roles_transposes_each_modality(scenes: Scenes) -> None:
    plain, swapped = scenes.build(slot=1, limit=ALL), scenes.build(slot=1, swap=True, limit=ALL)
    pairs = {(m, label, node) for (m, label), (members, _) in shown(plain).items() for node in members}
    back = {(m, node, label) for (m, label), (members, _) in shown(swapped).items() for node in members}
    assert pairs == back
    assert (plain.node_kind, swapped.node_kind) == ("user", "item")


def test_statistics(scenes: Scenes, trained: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYPERCTR_RUNS", str(trained.store))
    scene = scenes.build(slot=1, limit=5)
    whole, stats = shown(scenes.build(slot=1, limit=ALL)), scenes.stats(scene)
    assert stats["hyperedges"] == len(whole)
    assert stats["incidences"] == sum(len(members) for members, _ in whole.values())
    for row in stats["modalities"]:
        groups = [members for (m, _), (members, _) in whole.items() if m == row["modality"]]
        assert row["hyperedges"] == len(groups) and row["nodes"] == len(frozenset().union(*groups))
        assert row["mean_size"] == pytest.approx(np.mean([len(members) for members in groups]))
    together: dict[Any, list[str]] = {}
    for (m, label), (members, _) in whole.items():
        for node in members:
            together.setdefault((label, node), []).append(m)
    expected = Counter(tuple(sorted(names)) for names in together.values())
    assert {tuple(sorted(row["modalities"])): row["count"] for row in stats["overlap"]} == expected
    counts = [row["count"] for row in stats["overlap"]]
    assert counts == sorted(counts, reverse=True) and max(map(len, together.values())) == 3
    run = trained.run
    assert stats["nearest_run"] == {"run": run.id, "delta": 0.4, "auc": run.metrics["auc"]}
    monkeypatch.setenv("HYPERCTR_RUNS", str(trained.store / "nowhere"))
    assert scenes.stats(scene)["nearest_run"] is None


def test_difference_names_hyperedges_that_come_go_and_change(scenes: Scenes) -> None:
    a, b = scenes.build(slot=1, delta=0.4, limit=3), scenes.build(slot=1, delta=0.5, limit=3)
    left, right = (shown(scenes.build(slot=1, delta=delta, limit=ALL)) for delta in (0.4, 0.5))

    def names(numbers: Any) -> set[tuple[str, Any]]:
        modality, label = np.divmod(numbers, scenes.data.num_items)
        return {(scenes.modalities[m], scenes.data.items[k]) for m, k in zip(modality, label, strict=True)}

    numbers = difference(scenes.whole(a.query), scenes.whole(b.query))
    assert names(numbers["only_a"]) == left.keys() - right.keys() != set()
    assert names(numbers["only_b"]) == right.keys() - left.keys()
    assert names(numbers["both"]) == left.keys() & right.keys()
    assert names(numbers["changed"]) == {key for key in left.keys() & right.keys() if left[key][0] != right[key][0]}
    assert contrast(scenes, a.query, b.query).counts == {name: len(part) for name, part in numbers.items()}
    same = {name: len(part) for name, part in difference(scenes.whole(a.query), scenes.whole(a.query)).items()}
    assert same == {"only_a": 0, "only_b": 0, "both": len(left), "changed": 0}
    with pytest.raises(ConfigError, match="cannot be compared"):
        contrast(scenes, a.query, scenes.query(side="item"))


def test_table_and_timeline(scenes: Scenes) -> None:
    data, rows = scenes.data, scenes.split_data.split.train
    item = data.items[[3, 0]].tolist()
    table = scenes.table(data.items[[3, 0]], "item")  # type: ignore[arg-type]
    assert [row["id"] for row in table] == item
    assert table[0]["popularity"] == int((data.item_index[rows] == 3).sum())
    assert table[0]["modalities"] == [name for name, features in data.features.items() if features.present[3]]
    for name, features in data.features.items():
        shown = table[0]["features"][name]
        assert (shown is not None) == features.present[3]
        if shown is not None:
            np.testing.assert_allclose(shown["first"], features.values[3][:8], rtol=1e-6)
            np.testing.assert_allclose(shown["norm"], np.linalg.norm(features.values[3]), rtol=1e-6)
    user = data.users[5]
    clicked = np.unique(data.item_index[rows][data.user_index[rows] == 5])
    visual = data.features["visual"]
    mean = visual.values[clicked[visual.present[clicked]]].mean(0)
    np.testing.assert_allclose(scenes.table([user], "user")[0]["features"]["visual"]["first"], mean[:8], rtol=1e-4)
    assert scenes.table([user], "user")[0]["popularity"] == int((data.user_index[rows] == 5).sum())
    line = scenes.timeline(user)
    of_user = data.user_index[rows] == 5
    assert [row["label"] for row in line] == scenes.slots
    for row in line:
        here = of_user & (scenes.split_data.slots.index[rows] == row["slot"])
        assert row["clicks"] == int(here.sum())
        for m, name in enumerate(scenes.modalities):
            degree = scenes.interest.degree[here, m]
            expected = None if np.isnan(degree).all() else pytest.approx(float(np.nanmean(degree)), abs=1e-6)
            assert row["interest"][name] == expected
    json.dumps([table, line], allow_nan=False)


def test_packed_scenes_unpack_to_the_same(scenes: Scenes) -> None:
    scene = scenes.build(slot=1, limit=20, colour_by="popularity")
    header, buffers = scene.pack()
    header = json.loads(json.dumps(header, allow_nan=False))
    for part, buffer in zip(header["buffers"], buffers, strict=True):
        values = np.frombuffer(buffer, BUFFERS[part["name"]])
        name = part["name"].removeprefix("edge_")
        expected = getattr(scene.edges if name != part["name"] else scene, name)
        np.testing.assert_array_equal(values, expected.ravel(), err_msg=name)  # px and py: by modality, then node
    assert header["nodes"] == scene.nodes and header["edge_labels"] == scene.edge_labels
    assert [part["name"] for part in header["buffers"]][:7] == [
        "x",
        "y",
        "degree",
        "edge_offsets",
        "edge_nodes",
        "edge_modality",
        "edge_weight",
    ]
    empty = scenes.build(delta=1.0)
    assert (len(empty), empty.nodes, empty.total_edges) == (0, [], 0)
    assert all(
        len(buffer) == (4 if name == "edge_offsets" else 0)
        for name, buffer in zip(BUFFERS, empty.pack()[1], strict=True)
    )


@pytest.mark.parametrize(
    ("query", "error", "message"),
    [
        ({"side": "video"}, ConfigError, "'video': use 'user' or 'item'"),
        ({"slot": 9}, ConfigError, "slots are 0 to 2"),
        ({"modalities": ["visul"]}, ConfigError, "did you mean 'visual'"),
        ({"delta": 1.5}, ConfigError, "between 0 and 1"),
        ({"neighbours": 1}, ConfigError, "at least 2"),
        ({"limit": 0}, ConfigError, "shows nothing"),
        ({"focus": ("node", "nobody")}, DataError, "nobody"),
        ({"focus": ("hyperedge", 10**7)}, DataError, "hyperedge 10000000: their numbers are 0 to 479"),
        ({"focus": ("edge", 1)}, ConfigError, "use \\('node', id\\)"),
    ],
)
def test_wrong_questions_are_refused(scenes: Scenes, query: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        scenes.build(**query)


def test_a_run_on_other_data_is_refused(trained: Any) -> None:
    other = hc.load_dataset("planted", num_users=80, num_items=160, num_interactions=3000, months=18, seed=2)
    with pytest.raises(RunError, match="was trained on 'planted' .*, not on 'planted' of seed 2 "):
        Scenes(other, trained.run)
