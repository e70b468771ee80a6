"""Hypergraphs of a reader's own in the inspector: names, groups, several of them, and what is not there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import traitlets

import hyperctr as hc
from hyperctr.errors import ConfigError, DataError
from hyperctr.widgets.lookup import find
from hyperctr.widgets.messages import about, scene_message, selection_message
from hyperctr.widgets.own import OwnScenes, own_hypergraphs
from hyperctr.widgets.scene_source import SceneSource

PETS = {"cats": ["ann", "bob"], "dogs": ["bob", "cid", "dan"], "fish": ["ann", "dan"]}


def members(scene: Any) -> dict[Any, set[Any]]:
    return {label: set(scene.members(edge)) for edge, label in enumerate(scene.edge_labels)}


def sources(folder: Path) -> dict[str, Any]:
    graph = hc.Hypergraph.of(PETS)
    graph.to_hif(folder / "pets.json")
    return {"dict": PETS, "hypergraph": graph, "HIF": folder / "pets.json", "HIF as text": str(folder / "pets.json")}


def test_names_are_kept_whatever_the_hypergraph_comes_from(tmp_path: Path) -> None:
    for name, source in sources(tmp_path).items():
        scene = hc.Inspector(source).scene
        assert members(scene) == {label: set(ids) for label, ids in PETS.items()}, name
        assert (scene.titles, scene.node_kind) == (["ann", "bob", "cid", "dan"], "node")


def test_a_hypergraph_of_xgi_keeps_its_names_and_attributes() -> None:
    xgi = pytest.importorskip("xgi")
    theirs = xgi.Hypergraph(PETS)
    theirs.set_node_attributes({"ann": {"town": "Oslo", "name": "Ann A."}, "bob": {"town": "Bonn"}})
    inspector = hc.Inspector(theirs, colour_by="town")
    assert members(inspector.scene) == {label: set(ids) for label, ids in PETS.items()}
    assert inspector.scene.titles[0] == "Ann A."
    assert inspector.scene.colouring is not None and inspector.scene.colouring.labels == ("Bonn", "Oslo")
    np.testing.assert_array_equal(inspector.scene.node_colour, [1, 0, np.nan, np.nan])


def test_several_hypergraphs_are_slots_in_which_a_name_is_one_node_at_one_place() -> None:
    first = hc.Hypergraph.of(PETS)
    second = hc.Hypergraph.of({"cats": ["cid", "eve"], "dogs": ["bob", "cid", "dan"]})
    inspector = hc.Inspector({"May": first, "June": second})
    before = dict(zip(inspector.scene.nodes, inspector.scene.x.tolist(), strict=True))
    inspector.slot = 1
    assert inspector.scene.slot_label == "June"
    after = dict(zip(inspector.scene.nodes, inspector.scene.x.tolist(), strict=True))
    assert {name: before[name] for name in ("bob", "cid", "dan")} == {n: after[n] for n in ("bob", "cid", "dan")}
    counts = inspector.contrast().counts  # against May
    assert (counts["only_a"], counts["only_b"], counts["both"], counts["changed"]) == (0, 1, 2, 1)
    inspector.selection = ["bob", "eve"]
    frame = inspector.selected()
    assert frame.set_index("id")["hyperedges"].to_dict() == {"bob": 3, "eve": 1}  # hyperedges of both months


def test_files_and_dicts_are_slots_too(tmp_path: Path) -> None:
    hc.Hypergraph.of(PETS).to_hif(tmp_path / "pets.json")
    inspector = hc.Inspector([tmp_path / "pets.json", {"cats": ["eve", "ann"]}])
    assert inspector.scenes.slots == ["0: pets", "hypergraph 1"]
    inspector.slot = 1
    assert members(inspector.scene) == {"cats": {"ann", "eve"}}


def test_a_name_with_to_in_it_is_no_range_of_dates() -> None:
    inspector = hc.Inspector(dict.fromkeys(("back to school", "winter", "off to summer"), PETS))
    ends = about(inspector.scenes, {})["slot_ends"]
    assert ends == [("back to school",) * 2, ("winter",) * 2, ("off to summer",) * 2], "what the timeline writes"
    inspector.slots = [0, 2]
    assert inspector.scene.slot_label == "back to school to off to summer"
    inspector.slots = [2, 2]
    assert inspector.scene.slot_label == "off to summer"


def test_groups_are_modalities_and_the_dual_swaps_roles() -> None:
    graph = hc.Hypergraph(
        [[0, 1, 1, 2, 0, 2], [0, 0, 1, 1, 2, 2]], 3, 3, group=[0, 0, 1], group_names=["music", "film"]
    )
    scenes = OwnScenes({"one": graph})
    assert scenes.build().edge_keys() == [("music", 0), ("music", 1), ("film", 2)]
    assert members(scenes.build(modalities=["film"])) == {2: {0, 2}}
    dual = scenes.build(swap=True)
    assert (dual.node_kind, {key: set(dual.members(e)) for e, key in enumerate(dual.edge_keys())}) == (
        "hyperedge",
        {("music", 0): {0}, ("music", 1): {0, 1}, ("music", 2): {1}, ("film", 0): {2}, ("film", 2): {2}},
    )
    stats = scenes.stats(scenes.build())
    assert (stats["hyperedges"], stats["incidences"], "nearest_run" in stats) == (3, 6, False)


def test_hyperedges_of_a_data_set_keep_what_they_come_from() -> None:
    session = hc.Session("planted", budget="smoke")
    graph = session.hypergraphs["user"][session.busiest_slot]
    scene = hc.Inspector(graph, limit=10**6).scene
    assert (scene.node_kind, scene.query.label_kind) == ("user", "item")
    kept = [edge for edge in range(graph.num_hyperedges) if len(graph.members(edge))]
    assert scene.edge_labels == graph.label[kept].tolist() and len(set(scene.edges.number.tolist())) == len(kept)
    for place, edge in enumerate(kept):
        assert scene.members(place) == graph.members(edge).tolist()


def test_a_browser_gets_no_panel_that_needs_data() -> None:
    scenes: SceneSource = OwnScenes(own_hypergraphs(PETS))
    colours = {"hyperedges": "#0072B2"}
    told = about(scenes, colours)
    assert (told["own"], told["kinds"]) == (True, ["node", "hyperedge"])
    assert "δ" not in "".join(told["words"].values()), "nobody can lower a threshold that is not there"
    content, _ = scene_message(scenes, scenes.build(), colours)
    assert "AUC" not in content["numbers"] and content["scene"]["edge_kind"] == "hyperedge"
    assert ">2<" in selection_message(scenes, ["bob"], "node", colours)["html"]
    assert [row["focus"] for row in find(scenes, scenes.query(), "dogs")] == [["hyperedge", 1]]


def test_what_cannot_be_shown_is_refused_with_the_way_out() -> None:
    with pytest.raises(DataError, match=r"hc\.load_dataset\('planted'\)"):
        hc.Inspector("planted")
    with pytest.raises(ConfigError, match="a run belongs to a data set"):
        hc.Inspector(PETS, run=object())
    with pytest.raises(DataError, match="a dict"):
        hc.Inspector(7)
    with pytest.raises(ConfigError, match=r"Inspector\(session.data, session.run\)"):
        hc.Inspector(hc.Session("planted", budget="smoke"))
    users, items = (hc.Hypergraph([[0, 1], [0, 0]], 2, 1, node_kind=kind) for kind in ("user", "item"))
    with pytest.raises(ConfigError, match="one kind of node together; these are over item, user"):
        hc.Inspector([users, items])
    inspector = hc.Inspector(PETS)
    with pytest.raises(traitlets.TraitError, match="node 'eve' is in none of these hypergraphs"):
        inspector.selection = ["eve"]
    for name, value in {"pair": ["ann", "cats"], "delta": 0.4, "neighbours": 2, "explained_delta": 0.2}.items():
        with pytest.raises(ConfigError, match=rf"^{name}=.*hypergraphs of your own.*Inspector\(data, run\)"):
            setattr(inspector, name, value)
    with pytest.raises(ConfigError, match=r"^removed=\['x'\].*hypergraphs of your own"):
        hc.Inspector(PETS, removed=["x"])
    assert "δ" not in inspector.figure().layout.title.subtitle.text and inspector.delta == 0


def test_ids_that_javascript_would_round_go_to_the_browser_as_texts_and_come_back_as_they_are() -> None:
    big = 7031234567890123456
    inspector = hc.Inspector({"cats": [big, big + 1], "dogs": [big + 1, big + 2, 5], "texts": [str(2**60), 5]})
    inspector.set_state({"selection": [str(big + 1), 5, str(2**60)], "focus": ["node", str(big + 2)]})
    assert inspector.selection == [big + 1, 5, str(2**60)] and inspector.focus == ["node", big + 2]
    assert inspector.get_state(["selection"]) == {"selection": [str(big + 1), 5, str(2**60)]}
    with pytest.raises(ConfigError, match=r"focus: the nodes are nodes; node 'zz' is in none"):
        inspector.focus = ["node", "zz"]
