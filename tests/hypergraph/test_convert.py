"""Other libraries get the same hypergraph, and read the HIF files we write."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from hyperctr.errors import DataError, ShapeError
from hyperctr.hypergraph.incidence import Hypergraph
from tests.hypergraph.conftest import same


def test_networkx_graph_is_bipartite_with_all_attributes(modal):
    networkx = pytest.importorskip("networkx")
    graph = modal.to_networkx()
    assert networkx.is_bipartite(graph)
    assert graph.graph == {"node_kind": "user", "slot": 3}
    sides = networkx.get_node_attributes(graph, "bipartite")
    assert [v for v, side in sides.items() if side == 0] == [0, 1, 2, 3, 4]
    expected = {(v, 5 + e) for v, e in zip(*modal.incidence.tolist(), strict=True)}
    assert {tuple(sorted(edge)) for edge in graph.edges} == expected
    assert graph.nodes[7] == {
        "bipartite": 1,
        "kind": "hyperedge",
        "modality": "acoustic",
        "weight": 0.75,
        "label": 7,
        "slot": 3,
    }
    assert graph.degree[4] == graph.degree[8] == 0  # the isolated node and the empty hyperedge


def test_pyg_data_holds_incidence_and_columns(modal):
    pytest.importorskip("torch_geometric")
    data = modal.to_pyg()
    assert torch.equal(data.edge_index, modal.incidence)
    assert data.num_nodes == 5
    assert torch.equal(data.hyperedge_weight, modal.weight)
    assert data.hyperedge_group.tolist() == [0, 0, 1, 1]
    assert data.hyperedge_label.tolist() == [7, 9, 7, 9]


@pytest.mark.parametrize("name", ["pair", "modal", "empty"])
def test_hif_round_trip_is_exact(name, request, tmp_path):
    H = request.getfixturevalue(name)
    H.to_hif(tmp_path / "h.json")
    assert same(Hypergraph.from_hif(tmp_path / "h.json"), H)
    assert [entry.name for entry in tmp_path.iterdir()] == ["h.json"]  # nothing left aside


def test_hif_file_follows_the_standard_and_carries_the_data_sets_ids(modal, tmp_path):
    people, videos = np.array(["ann", "bob", "cid", "dee", "eve"]), np.arange(100, 110)
    modal.to_hif(tmp_path / "h.json", node_ids=people, label_ids=videos)
    content = json.loads((tmp_path / "h.json").read_text())
    assert set(content) == {"network-type", "metadata", "incidences", "nodes", "edges"}
    assert {frozenset(record) for record in content["incidences"]} == {frozenset({"edge", "node"})}
    assert content["incidences"][0] == {"edge": 0, "node": "ann"}
    assert content["nodes"][4] == {"node": "eve", "attrs": {"index": 4}}
    assert content["edges"][2] == {
        "edge": 2,
        "weight": 0.75,
        "attrs": {"index": 2, "modality": "acoustic", "weight": 0.75, "label": 7, "slot": 3, "label_id": 107},
    }
    H = Hypergraph.from_hif(tmp_path / "h.json")
    assert H.node_ids == tuple(people) and H.annotations.hyperedge_attrs[2] == {"label_id": 107}
    assert same(H.annotate(node_ids=(), hyperedge_attrs=()), modal)


def test_xgi_reads_everything_and_its_own_file_comes_back_the_same(modal, tmp_path):
    xgi = pytest.importorskip("xgi")
    modal.to_hif(tmp_path / "ours.json")
    theirs = xgi.read_hif(tmp_path / "ours.json")
    assert set(theirs.nodes) == {0, 1, 2, 3, 4}
    assert [theirs.edges.members(e) for e in range(4)] == [{0, 1, 2}, {1, 3}, {0, 1}, set()]
    assert set(theirs.nodes.isolates()) == {4}
    assert theirs.edges.attrs("modality").aslist() == ["visual", "visual", "acoustic", "acoustic"]
    np.testing.assert_array_equal(np.float32(theirs.edges.attrs("weight").aslist()), modal.weight.numpy())
    assert theirs.edges.attrs("slot").aslist() == [3, 3, 3, 3]
    assert theirs["hyperctr"]["slot"] == 3
    xgi.write_hif(theirs, tmp_path / "theirs.json")
    assert same(Hypergraph.from_hif(tmp_path / "theirs.json"), modal)


def test_a_plain_foreign_file_is_read_in_order_of_appearance(tmp_path):
    records = [{"edge": "e", "node": "b"}, {"edge": "f", "node": "a", "weight": 2}, {"edge": "e", "node": 3}]
    (tmp_path / "h.json").write_text(json.dumps({"incidences": records, "edges": [{"edge": "f", "weight": 4}]}))
    H = Hypergraph.from_hif(tmp_path / "h.json")
    assert H.node_ids == ("b", "a", 3) and H.hyperedge_ids == ("f", "e")
    assert H.incidence.tolist() == [[1, 0, 2], [0, 1, 1]]
    assert H.weight.tolist() == [4.0, 1.0]
    assert H.slot is None


def test_wrong_ids_are_refused_before_anything_is_written(modal, tmp_path):
    with pytest.raises(ShapeError, match="node_ids has 2 entries; expected 5"):
        modal.to_hif(tmp_path / "h.json", node_ids=["a", "b"])
    with pytest.raises(DataError, match="'a' 2 times"):
        modal.to_hif(tmp_path / "h.json", node_ids=["a", "b", "a", "c", "d"])
    with pytest.raises(ShapeError, match="label_ids has 3 entries; expected 10"):
        modal.to_hif(tmp_path / "h.json", label_ids=[1, 2, 3])
    assert not list(tmp_path.iterdir())
