"""HIF: valid files are read and come back the same, with a word on what is lost; others are refused by path."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hyperctr.errors import DataError, DataWarning, ShapeError
from hyperctr.hypergraph.incidence import Hypergraph
from tests.hypergraph.conftest import same

Content = dict[str, Any]
STANDARD = {  # what the standard's own valid files hold: nodes, hyperedges, incidences, and words of the warning
    "duplicated_nodes_edges": (1, 1, 1, "repeated incidences are merged: 1 .first: edge 'e1', node 'n1'"),
    "empty_arrays": (0, 0, 0, ""),
    "empty_hypergraph": (0, 0, 0, ""),
    "metadata_with_deeply_nested_attributes": (2, 2, 1, "abstract simplicial complex"),
    "metadata_with_nested_attributes": (1, 1, 1, "abstract simplicial complex"),
    "missing_direction": (1, 1, 1, "is directed"),
    "single_edge": (0, 1, 0, ""),
    "single_edge_with_attrs": (0, 1, 0, "edges.0..attrs.weight is kept as an attribute"),
    "single_incidence": (1, 1, 1, ""),
    "single_incidence_with_attrs": (1, 1, 1, ""),
    "single_incidence_with_weights": (1, 1, 1, ""),
    "single_node": (1, 0, 0, ""),
    "single_node_with_attrs": (1, 0, 0, ""),
    "valid_incidence_head": (1, 1, 1, "is directed"),
    "valid_incidence_tail": (1, 1, 1, "is directed"),
}
REFUSED = {  # the standard's own invalid files, and ours of the same kinds
    "bad_edge_field": r"\$.edges\[0\] has the key 'test' \(\"this should break\"\); allowed: edge, weight, attrs",
    "bad_edge_without_id": r"\$.edges\[0\] lacks the key 'edge'",
    "bad_incidence_field": r"\$.incidences\[0\] has the key 'test' .*allowed: edge, node, weight, direction, attrs",
    "bad_network_type": r'\$.network-type is "badnt"; allowed: undirected, directed, asc',
    "bad_node_field": r"\$.nodes\[0\] has the key 'test' .*allowed: node, weight, attrs",
    "bad_node_float": r"\$.nodes\[0\].node is 1.23; allowed: string or integer",
    "bad_node_without_id": r"\$.nodes\[0\] lacks the key 'node'",
    "bad_top_level_field": r"\$ has the key 'test' .*allowed: network-type, metadata, incidences, nodes, edges",
    "empty": r"\$ lacks the key 'incidences'",
    "extra_fields_with_direction": r"\$.incidences\[0\] has the key 'extra_field' \(\"value\"\)",
    "invalid_direction_value": r'\$.incidences\[0\].direction is "invalid_value"; allowed: head, tail',
    "metadata_as_list": r"\$.metadata is \[0, 1, 2\]; allowed: object",
    "missing_required_field_incidence": r"\$.incidences\[0\] lacks the key 'node'; required: edge, node",
    "missing_required_fields_with_direction": r"\$.incidences\[0\] lacks the key 'edge'; required: edge, node",
    "single_incidence_with_direction_not_in_enum": r'direction is "side"; allowed: head, tail',
    "single_incidence_with_weight_as_string": r'\$.incidences\[0\].weight is "hello"; allowed: number',
}


def read(folder: Path, content: Any) -> tuple[Hypergraph, list[str]]:
    """Write the content, read it, and return what was warned of besides."""
    path = folder / "read.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        H = Hypergraph.from_hif(path)
    assert all(issubclass(entry.category, DataWarning) and entry.filename == __file__ for entry in caught)
    return H, [str(entry.message) for entry in caught]


def again(folder: Path, H: Hypergraph) -> Hypergraph:
    H.to_hif(folder / "again.json")
    return read(folder, (folder / "again.json").read_text())[0]


def test_each_valid_file_of_the_standard_is_read_and_comes_back(shared_dir: Path, tmp_path: Path) -> None:
    files = sorted((shared_dir / "data" / "hif" / "HIF-compliant").glob("*.json"))
    assert len(files) >= len(STANDARD)
    for path in files:
        H, said = read(tmp_path, path.read_text())
        nodes, edges, nnz, words = STANDARD[path.stem]
        assert (H.num_nodes, H.num_hyperedges, H.nnz) == (nodes, edges, nnz), path.stem
        assert len(said) == bool(words), (path.stem, said)
        if words:
            with pytest.warns(DataWarning, match=words):
                Hypergraph.from_hif(path)
        assert same(again(tmp_path, H), H), path.stem


def test_each_invalid_file_of_the_standard_is_refused(shared_dir: Path) -> None:
    files = sorted((shared_dir / "data" / "hif" / "HIF-non-compliant").glob("*.json"))
    assert len(files) >= len(REFUSED)
    for path in files:
        with pytest.raises(DataError, match=REFUSED[path.stem]) as caught:
            Hypergraph.from_hif(path)
        assert str(caught.value).startswith(f"{path}: ")


def test_the_schema_is_the_published_one(shared_dir: Path) -> None:
    from importlib.resources import files

    shipped, published = files("hyperctr.hypergraph"), shared_dir / "data" / "hif"
    assert (shipped / "hif_schema_v0.1.0.json").read_bytes() == (published / "hif_schema_v0.1.0.json").read_bytes()
    assert (shipped / "hif_schema_LICENSE.txt").read_bytes() == (published / "LICENSE").read_bytes()


E1 = {"edge": "e", "node": 1}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({}, r"\$ lacks the key 'incidences'; required: incidences"),
        ([E1], r"\$ is \[\{.*; allowed: object"),
        ({"incidences": {}}, r"\$.incidences is \{\}; allowed: array"),
        ({"incidences": [E1, 3]}, r"\$.incidences\[1\] is 3; allowed: object"),
        ({"incidences": [E1, {"edge": "e"}]}, r"\$.incidences\[1\] lacks the key 'node'; required: edge, node"),
        ({"incidences": [E1 | {"node": None}]}, r"\$.incidences\[0\].node is null; allowed: string or integer"),
        ({"incidences": [E1 | {"node": True}]}, r"\$.incidences\[0\].node is true; allowed: string or integer"),
        ({"incidences": [E1 | {"node": 1.5}]}, r"\$.incidences\[0\].node is 1.5; allowed: string or integer"),
        ({"incidences": [E1 | {"weight": "2"}]}, r'\$.incidences\[0\].weight is "2"; allowed: number'),
        ({"incidences": [E1 | {"weight": None}]}, r"\$.incidences\[0\].weight is null; allowed: number"),
        ({"incidences": [E1 | {"direction": "side"}]}, r'\$.incidences\[0\].direction is "side"; allowed: head, tail'),
        ({"incidences": [E1 | {"size": 2}]}, r"\$.incidences\[0\] has the key 'size' \(2\); allowed: edge, node"),
        ({"incidences": [], "nodes": [{"node": 1, "attrs": []}]}, r"\$.nodes\[0\].attrs is \[\]; allowed: object"),
        (
            {"incidences": [], "edges": [{"edge": "e", "weight": -1}]},
            r"\$.edges\[0\].weight is -1; allowed: at least 0",
        ),
        (
            {"incidences": [], "edges": [{"edge": "e", "weight": 1e39}]},
            r"\$.edges\[0\].weight is 1e\+39; allowed: at most",
        ),
        ({"incidences": [], "type": "x"}, r"\$ has the key 'type' \(\"x\"\); allowed: network-type, metadata"),
        ({"incidences": [], "network-type": "tree"}, r'\$.network-type is "tree"; allowed: undirected, directed, asc'),
        ({"incidences": [], "metadata": [1]}, r"\$.metadata is \[1\]; allowed: object"),
        ("", "is not a JSON file"),
        ("{", "is not a JSON file"),
        ('{"incidences": [], "incidences": []}', "the key 'incidences' stands twice in an object"),
        ('{"incidences": [{"edge": 1, "node": 2, "weight": NaN}]}', "NaN is not a number in JSON"),
        ('{"incidences": [{"edge": 1, "node": 2, "weight": 1e999}]}', "1e999 is beyond the numbers of 64 bits"),
        ('{"incidences": ' + "[" * 100_000, "is not a JSON file"),
        ('{"incidences": [{"edge": 1, "node": ' + "9" * 5000 + "}]}", "is not a JSON file"),
    ],
)
def test_what_is_not_allowed_is_named_by_path_and_value(content: Any, words: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=words) as caught:
        read(tmp_path, content)
    assert str(tmp_path / "read.json") in str(caught.value)


def test_what_is_no_text_or_no_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "h.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match=r"h.json: is not a JSON file \('utf-8' codec"):
        Hypergraph.from_hif(tmp_path / "h.json")
    for path in (tmp_path / "absent", tmp_path):
        with pytest.raises(DataError, match="cannot be read"):
            Hypergraph.from_hif(path)
    (tmp_path / "h.json").write_bytes(b'\xef\xbb\xbf{"incidences": []}')  # as editors of Windows begin a file
    assert Hypergraph.from_hif(tmp_path / "h.json").num_nodes == 0


RICH: Content = {
    "network-type": "undirected",
    "metadata": {"source": {"year": 2021}, "modalities": ["not", "ours"], "slot": [1], "hyperctr": {"a": 1}},
    "incidences": [
        {"edge": "e", "node": "b", "weight": 0.123456789012},
        {"edge": 7, "node": 1, "attrs": {"role": "PI", "since": None}},
        {"edge": "e", "node": 1, "weight": -2},
        {"edge": "e", "node": 10**30},
    ],
    "nodes": [
        {"node": "z", "weight": 2, "attrs": {"colour": "blue"}},
        {"node": 1.0, "attrs": {"index": 0, "attributes": [1], "Größe": [1, {"a": None}]}},
    ],
    "edges": [
        {"edge": 7, "weight": 0.1, "attrs": {"index": "x", "label": -3, "modality": 4, "slot": {}, "weight": "heavy"}}
    ],
}


def test_ids_names_weights_and_attributes_survive(tmp_path: Path) -> None:
    H, said = read(tmp_path, RICH)
    assert said == []
    assert H.node_ids == ("z", 1, "b", 10**30) and H.hyperedge_ids == (7, "e")
    assert [type(name) for name in H.node_ids] == [str, int, str, int]
    assert H.incidence.tolist() == [[1, 1, 2, 3], [0, 1, 1, 1]]
    assert H.weight.tolist() == [np.float32(0.1), 1.0]
    notes = H.annotations
    assert notes.incidence_weights == (None, -2, 0.123456789012, None)
    assert notes.incidence_attrs == ({"role": "PI", "since": None}, {}, {}, {})
    assert notes.node_weights == (2, None, None, None)
    assert notes.node_attrs[1] == RICH["nodes"][1]["attrs"] and notes.hyperedge_attrs == (RICH["edges"][0]["attrs"], {})
    assert notes.metadata == RICH["metadata"]
    # keys of ours in a file that is not ours are attributes like any other
    assert (H.slot, H.node_kind, H.group_names, H.label.tolist()) == (None, "node", ("group 0",), [0, 1])
    assert same(again(tmp_path, H), H)
    records = json.loads((tmp_path / "again.json").read_text())
    sent = {(r["edge"], r["node"]): r for r in RICH["incidences"]}
    assert {(r["edge"], r["node"]): r for r in records["incidences"]} == sent
    assert records["edges"][0]["weight"] == 0.1
    assert records["edges"][0]["attrs"]["attributes"] == RICH["edges"][0]["attrs"]


def test_a_file_that_we_wrote_keeps_group_label_slot_and_kind(modal: Hypergraph, tmp_path: Path) -> None:
    marked = modal.annotate(hyperedge_ids=["a", "b", "c", 4], hyperedge_attrs=[{"label": "mine"}, {}, {}, {"x": 1}])
    assert same(again(tmp_path, marked), marked)
    content = json.loads((tmp_path / "again.json").read_text())
    content["metadata"].pop("hyperctr")  # no longer ours: nothing of it is read
    H, said = read(tmp_path, content)
    assert (H.slot, H.group_names, H.label.tolist()) == (None, ("group 0",), [0, 1, 2, 3])
    assert H.annotations.hyperedge_attrs[0]["attributes"] == {"label": "mine"} and said == []


def test_the_order_of_a_file_of_ours_does_not_matter(modal: Hypergraph, tmp_path: Path) -> None:
    modal.to_hif(tmp_path / "h.json")
    content = json.loads((tmp_path / "h.json").read_text())
    for key in ("incidences", "nodes", "edges"):
        content[key].reverse()
    assert same(read(tmp_path, content)[0], modal)


def merged(**changes: Any) -> Content:
    return {"incidences": [E1, E1 | changes], "nodes": [{"node": 1}, {"node": 1}]}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (merged(), ["repeated incidences are merged: 1 (first: edge 'e', node 1); a node is on a hyperedge once"]),
        (merged(weight=3), ["repeated incidences are merged"]),
        (
            {"incidences": [E1 | {"weight": 3}, E1 | {"weight": 2}, E1]},
            [
                "repeated incidences are merged: 2",
                "repeated incidences say different things, of which the first is kept: 1",
            ],
        ),
        (
            {"incidences": [E1], "nodes": [{"node": 1, "attrs": {"a": 1}}, {"node": 1, "attrs": {"a": 2, "b": 3}}]},
            ["repeated nodes say different things, of which the first is kept: 1 (first: 1)"],
        ),
        ({"incidences": [E1], "network-type": "asc"}, ["is an abstract simplicial complex: its hyperedges are those"]),
        (
            {"incidences": [E1 | {"direction": "tail"}, E1 | {"direction": "head"}], "network-type": "directed"},
            ["repeated incidences are merged", "repeated incidences say different", "is directed: head and tail"],
        ),
        ({"incidences": [E1, E1 | {"node": "1"}]}, ["node ids 1 and '1' are told apart"]),
        (
            {"incidences": [], "edges": [{"edge": "e", "attrs": {"weight": 2}}]},
            ["$.edges[0].attrs.weight is kept as an attribute, and the weight is 1 (1 edges in all)"],
        ),
        (
            {"incidences": [], "edges": [{"edge": "d", "weight": 1}, {"edge": "e", "weight": 1e-60}]},
            ["weights of edges are too small for float32 and are rounded: 1 (first: 1e-60 of edge 'e')"],
        ),
    ],
)
def test_what_is_lost_is_told(content: Content, said: list[str], tmp_path: Path) -> None:
    H, told = read(tmp_path, content)
    assert len(told) == len(said) and all(part in whole for part, whole in zip(said, told, strict=True)), told
    assert H.nnz == len({(r["edge"], r["node"]) for r in content["incidences"]})


def test_merged_records_keep_what_each_says_alone(tmp_path: Path) -> None:
    first, second = E1 | {"weight": 3, "attrs": {"a": 1}}, E1 | {"direction": "head", "attrs": {"a": 2, "b": 3}}
    notes = read(tmp_path, {"incidences": [first, second]})[0].annotations
    assert (notes.incidence_weights, notes.directions) == ((3,), ("head",))
    assert notes.incidence_attrs == ({"a": 1, "b": 3},)


def test_a_directed_file_is_written_as_one_again(tmp_path: Path) -> None:
    incidences = [E1 | {"direction": "tail"}, {"edge": "e", "node": 2, "direction": "head"}, {"edge": "f", "node": 2}]
    H, _ = read(tmp_path, {"network-type": "directed", "incidences": incidences})
    assert H.members(0).tolist() == [0, 1] and H.annotations.directions == ("tail", "head", None)
    H.to_hif(tmp_path / "out.json")
    content = json.loads((tmp_path / "out.json").read_text())
    assert content["network-type"] == "directed" and content["incidences"] == incidences


OWN: list[tuple[Callable[[Content], Any], str]] = [
    (lambda c: c["edges"][1]["attrs"].update(label="x"), r'\$.edges\[1\].attrs.label is "x"; allowed: integer'),
    (
        lambda c: c["edges"][1]["attrs"].update(label=2**31),
        r"\$.edges\[1\].attrs.label is 2147483648; allowed: at most",
    ),
    (
        lambda c: c["edges"][1]["attrs"].update(modality="smell"),
        r"attrs.modality is 'smell'; allowed: visual, acoustic",
    ),
    (lambda c: c["edges"][1].update(attrs={"weight": -1}), r"\$.edges\[1\].attrs.weight is -1; allowed: at least 0"),
    (lambda c: c["nodes"][1]["attrs"].update(index=0), r"\$.nodes\[\*\].attrs.index is 0 for 2 records"),
    (lambda c: c["nodes"][1]["attrs"].update(index=-1), r"\$.nodes\[1\].attrs.index is -1; allowed: at least 0"),
    (lambda c: c["metadata"]["hyperctr"].update(slot=[1]), r"\$.metadata.hyperctr.slot is \[1\]; allowed: integer or"),
    (lambda c: c["metadata"]["hyperctr"].update(version=2), r"\$.metadata.hyperctr.version is 2; allowed: 1"),
    (lambda c: c["metadata"]["hyperctr"].pop("modalities"), r"\$.metadata.hyperctr lacks the key 'modalities'"),
    (
        lambda c: c["metadata"]["hyperctr"].update(modalities=["a", "a"]),
        r"\$.metadata.hyperctr.modalities is .* unique",
    ),
]


@pytest.mark.parametrize(("change", "words"), OWN)
def test_damage_to_keys_of_ours_is_named(modal: Hypergraph, change: Any, words: str, tmp_path: Path) -> None:
    modal.to_hif(tmp_path / "h.json")
    content = json.loads((tmp_path / "h.json").read_text())
    change(content)
    with pytest.raises(DataError, match=words):
        read(tmp_path, content)


def test_hyperedges_that_another_library_added_to_a_file_of_ours_are_read(modal: Hypergraph, tmp_path: Path) -> None:
    modal.to_hif(tmp_path / "h.json")
    content = json.loads((tmp_path / "h.json").read_text())
    content["incidences"] += [{"edge": "new", "node": 0}, {"edge": "new", "node": "guest"}]
    content["nodes"] = [record for record in content["nodes"] if record["node"] != 4]  # and one is gone
    H, said = read(tmp_path, content)
    assert said == [] and H.node_ids == (0, 1, 2, 3, "guest") and H.hyperedge_ids == (0, 1, 2, 3, "new")
    assert H.incidence[:, -2:].tolist() == [[0, 4], [4, 4]]
    assert H.group.tolist() == [0, 0, 1, 1, 0] and H.weight[4] == 1 and H.label.tolist() == [7, 9, 7, 9, 4]


def test_ids_follow_what_is_dropped_and_selected(pair: Hypergraph) -> None:
    weights, attrs = [1, 2, 3, 4, 5], [{"on": e} for e in range(2)]
    H = pair.annotate(node_ids="abcde", hyperedge_ids=["e", "f"], hyperedge_attrs=attrs, incidence_weights=weights)
    part = H.select(H.weight < 1)
    assert (part.node_ids, part.hyperedge_ids) == (tuple("abcde"), ("f",))
    assert (part.annotations.incidence_weights, part.annotations.hyperedge_attrs) == ((4, 5), ({"on": 1},))
    less = H.without(H.incidence[0] == 1)  # {0, 2} stays, {3} is too small
    assert less.hyperedge_ids == ("e", "f") and less.annotations.incidence_weights == (1, 3)
    assert pair.node_ids == range(5) and pair.hyperedge_ids == range(2) and H.to("cpu").node_ids == tuple("abcde")


def test_annotations_of_the_wrong_size_or_kind_are_refused(pair: Hypergraph, tmp_path: Path) -> None:
    with pytest.raises(ShapeError, match="node_ids has 2 entries; expected 5"):
        pair.annotate(node_ids=["a", "b"])
    with pytest.raises(ShapeError, match="incidence_weights has 2 entries; expected 5"):
        pair.annotate(incidence_weights=[1, 2])
    with pytest.raises(DataError, match="hyperedge_ids holds 'e' 2 times; ids must be unique"):
        pair.annotate(hyperedge_ids=["e", "e"])
    with pytest.raises(
        DataError, match=r"hyperedge_ids\[1\] is \(1, 2\), a tuple; allowed as ids are whole numbers and"
    ):
        pair.annotate(hyperedge_ids=["e", (1, 2)])
    with pytest.raises(DataError, match=r"h.json: not written, as an attribute cannot be JSON \(.*set"):
        pair.annotate(hyperedge_attrs=[{"a": {1}}, {}]).to_hif(tmp_path / "h.json")
    with pytest.raises(DataError, match="not written, as groups share a name: a, a"):
        Hypergraph([[0], [0]], 1, 1, group_names=("a", "a")).to_hif(tmp_path / "h.json")
    assert not list(tmp_path.iterdir())


def test_ids_are_written_whatever_letters_they_have(tmp_path: Path) -> None:
    H, _ = read(tmp_path, '{"incidences": [{"edge": "\\ud800", "node": "\\u732b \\u0000 \\""}]}')
    assert H.hyperedge_ids == ("\ud800",) and H.node_ids == ('猫 \0 "',)
    assert same(again(tmp_path, H), H)


def test_hypernetx_reads_the_same_ids_weights_and_members(tmp_path: Path) -> None:
    pytest.importorskip("hypernetx")
    import hypernetx.hif
    from hypernetx import Hypergraph as Theirs

    H = Hypergraph.of({"e": ["a", "b"], "f": ["b", 3]}, weight=[2.5, 1])
    H.to_hif(tmp_path / "h.json")
    content = json.loads((tmp_path / "h.json").read_text())
    with pytest.MonkeyPatch.context() as patch:  # it fetches the schema, which we have
        schema = Path(__file__).parents[2] / "hyperctr" / "hypergraph" / "hif_schema_v0.1.0.json"
        answer = type("Answer", (), {"text": schema.read_text()})
        patch.setattr(hypernetx.hif.requests, "get", lambda url: answer)
        theirs: Theirs = hypernetx.hif.from_hif(content)
    assert {e: set(ids) for e, ids in theirs.incidence_dict.items()} == {"e": {"a", "b"}, "f": {"b", 3}}
    assert theirs.edges["e"].weight == 2.5
    back = Hypergraph.of(theirs)
    assert back.weight.tolist() == [2.5, 1.0] and back.hyperedge_ids == ("e", "f") and back.node_ids == (3, "a", "b")
