"""What is exported can be read back, and is the selection."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import hyperctr as hc
from hyperctr.errors import DataError
from hyperctr.widgets.export import export_selection_csv, export_selection_hif
from hyperctr.widgets.multiples import multiples
from hyperctr.widgets.scene import Scene
from hyperctr.widgets.scenes import Scenes


@pytest.fixture(scope="module")
def scene(scenes: Scenes) -> Scene:
    return scenes.build(slot=1, limit=12)


def test_csv(scene: Scene, tmp_path: Path) -> None:
    chosen = [scene.nodes[5], scene.nodes[1]]
    table = pd.read_csv(export_selection_csv(scene, chosen, tmp_path / "selection.csv"))
    assert table["id"].tolist() == [scene.nodes[1], scene.nodes[5]]
    for row in table.itertuples():
        names = {f"{m}:{label}" for e, (m, label) in enumerate(scene.edge_keys()) if row.id in scene.members(e)}
        assert set(str(row.hyperedges).split()) == names and row.degree == len(names)
    assert len(pd.read_csv(export_selection_csv(scene, None, tmp_path / "all.csv"))) == len(scene.nodes)


def test_hif(scene: Scene, tmp_path: Path) -> None:
    chosen = scene.nodes[::2]
    path = export_selection_hif(scene, chosen, tmp_path / "selection.hif.json")
    graph, content = hc.Hypergraph.from_hif(path), json.loads(path.read_text(encoding="utf-8"))
    assert [node["node"] for node in content["nodes"]] == chosen
    expected = {
        key: (set(scene.members(e)) & set(chosen), scene.edges.weight[e])
        for e, key in enumerate(scene.edge_keys())
        if set(scene.members(e)) & set(chosen)
    }
    names = [(edge["attrs"]["modality"], edge["attrs"]["label_id"]) for edge in content["edges"]]
    assert graph.node_kind == "user" and graph.slot == 1
    read = {
        name: ({chosen[v] for v in graph.members(e).tolist()}, float(graph.weight[e])) for e, name in enumerate(names)
    }
    assert read == expected


def test_of_several_slots_each_hyperedge_is_told_with_its_own(scenes: Scenes, tmp_path: Path) -> None:
    shown = multiples(scenes, scenes.query(delta=0.3, limit=40, slots=(0, 1)))
    scene, labels = shown.picture, [scenes.slots[at] for at in shown.part]
    keys = scene.edge_keys()
    assert len(set(keys)) < len(keys), "some lie in both slots"
    members = [
        {name for e in range(len(keys)) if labels[e] == slot for name in scene.members(e)} for slot in scenes.slots
    ]
    node = sorted(members[0] & members[1])[0]
    table = pd.read_csv(export_selection_csv(scene, [node], tmp_path / "slots.csv"))
    assert list(table) == ["slot", "id", "title", "degree", "hyperedges"]
    assert table["slot"].tolist() == scenes.slots[:2] and table["id"].tolist() == [node, node]
    for row in table.itertuples():
        on = {f"{m}:{k}" for e, (m, k) in enumerate(keys) if labels[e] == row.slot and node in scene.members(e)}
        assert set(str(row.hyperedges).split()) == on and row.degree == len(on)
    path = export_selection_hif(scene, [], tmp_path / "slots.hif.json")
    edges = json.loads(path.read_text(encoding="utf-8"))["edges"]
    assert [edge["attrs"]["time_slot"] for edge in edges] == labels
    assert [attrs["time_slot"] for attrs in hc.Hypergraph.from_hif(path).annotations.hyperedge_attrs] == labels

    united = scenes.build(delta=0.3, limit=6, slots=(0, 1))
    assert len(set(united.edge_keys())) == len(united), "once each"
    read = hc.Hypergraph.from_hif(export_selection_hif(united, [], tmp_path / "united.hif.json"))
    assert read.slot == united.slot_label == scenes.when(0, 1)


def test_hif_of_a_whole_scene_is_read_by_xgi(scene: Scene, tmp_path: Path) -> None:
    xgi = pytest.importorskip("xgi")
    read = xgi.read_hif(export_selection_hif(scene, [], tmp_path / "scene.hif.json"))
    assert sorted(map(len, read.edges.members())) == sorted(len(scene.members(e)) for e in range(len(scene)))


def test_an_id_that_is_not_shown_is_refused(scene: Scene, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not among the"):
        export_selection_csv(scene, ["nobody"], tmp_path / "x.csv")
    assert not (tmp_path / "x.csv").exists()
