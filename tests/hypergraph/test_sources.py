"""Dicts, lists of sets, matrices, tables, objects of XGI and HyperNetX give the hypergraph that they describe."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import torch

from hyperctr.errors import DataError, DataWarning, ShapeError
from hyperctr.hypergraph.incidence import Hypergraph
from hyperctr.model.convolution import HypergraphConv
from tests.hypergraph.conftest import same


def sets(H: Hypergraph) -> dict[Any, set[Any]]:
    return {e: {H.node_ids[v] for v in H.members(number).tolist()} for number, e in enumerate(H.hyperedge_ids)}


def test_a_dict_keeps_ids_order_and_weights() -> None:
    H = Hypergraph.of({"f": ["b", 3], "e": ("a", "b", np.int64(10))}, weight={"e": 0.5, "f": 2})
    assert H.node_ids == (3, 10, "a", "b") and H.hyperedge_ids == ("f", "e")
    assert H.incidence.tolist() == [[0, 3, 1, 2, 3], [0, 0, 1, 1, 1]]
    assert H.weight.tolist() == [2.0, 0.5]
    assert same(Hypergraph.of({"f": {3, "b"}, "e": {10, "a", "b"}}, weight=[2, 0.5]), H)


def test_lists_of_sets_take_members_as_ids() -> None:
    H = Hypergraph.of([{0, 5}, [], frozenset({5})])
    assert (H.num_nodes, H.num_hyperedges, H.node_ids, H.hyperedge_ids) == (2, 3, (0, 5), range(3))
    assert H.incidence.tolist() == [[0, 1, 1], [0, 0, 2]]
    assert Hypergraph.of([{0, 5}, {5}], nodes=range(6)).incidence.tolist() == [[0, 5, 5], [0, 0, 1]]
    assert Hypergraph.of(iter([np.array([0, 1]), torch.tensor([1])])).incidence.tolist() == [[0, 1, 1], [0, 0, 1]]
    ordered = Hypergraph.of([{"a", "c"}], nodes=["c", "z"])
    assert ordered.node_ids == ("c", "z", "a") and ordered.incidence.tolist() == [[0, 2], [0, 0]]


def test_a_hyperedge_without_members_is_kept_and_changes_nothing(tmp_path: Path) -> None:
    with_empty = Hypergraph.of({"a": [], "b": ["x", "y"], "c": []}, weight={"a": 2, "b": 0.5, "c": 1})
    without = Hypergraph.of({"b": ["x", "y"]}, weight={"b": 0.5})
    assert with_empty.hyperedge_ids == ("a", "b", "c") and with_empty.hyperedge_size.tolist() == [0, 2, 0]
    with_empty.to_hif(tmp_path / "h.json")
    assert same(Hypergraph.from_hif(tmp_path / "h.json"), with_empty)
    torch.manual_seed(0)
    convolution, x = HypergraphConv(3, 3), torch.randn(2, 3)
    assert torch.equal(convolution(x, with_empty), convolution(x, without))
    alone = Hypergraph.of({"a": []})
    assert (alone.num_nodes, alone.num_hyperedges, alone.hyperedge_ids) == (0, 1, ("a",))


def test_nodes_of_sets_are_numbered_in_sorted_order() -> None:
    H = Hypergraph.of([set("hypergraph"), set("convolution") | {10, 9}])  # whose order differs between processes
    assert H.node_ids == (9, 10, *"aceghilnoprtuvy")
    assert H.members(0).tolist() == [2, 4, 5, 6, 11, 12, 16]


@pytest.mark.parametrize("kind", ["csr_array", "csc_array", "coo_array", "csr_matrix", "lil_array"])
def test_a_matrix_has_nodes_in_rows_and_hyperedges_in_columns(kind: str) -> None:
    dense = np.array([[1, 0, 0], [0.5, 2, 0], [0, 0, 0], [1, 0, 0]])
    H = Hypergraph.of(getattr(scipy.sparse, kind)(dense), weight=[1, 2, 3])
    assert (H.num_nodes, H.num_hyperedges) == (4, 3)
    assert H.incidence.tolist() == [[0, 1, 3, 1], [0, 0, 0, 1]]
    assert H.annotations.incidence_weights == (1.0, 0.5, 1.0, 2.0) and H.weight.tolist() == [1, 2, 3]
    named = Hypergraph.of(getattr(scipy.sparse, kind)(dense > 0), nodes=["d", "c", "b", "a"])
    assert named.node_ids == ("d", "c", "b", "a") and named.annotations.incidence_weights == ()
    assert named.incidence.tolist() == H.incidence.tolist()


def test_stored_zeros_of_a_matrix_are_no_incidences() -> None:
    matrix = scipy.sparse.csr_array((np.array([0.0, 1.0]), np.array([0, 1]), np.array([0, 2])), shape=(1, 2))
    H = Hypergraph.of(matrix)
    assert (H.incidence.tolist(), H.num_nodes, H.num_hyperedges) == ([[0], [1]], 1, 2)


def test_a_table_has_a_row_for_each_incidence() -> None:
    columns = {"item_id": [7, 7, 3], "user_id": ["u", "v", "u"], "weight": [1, 2.5, 0], "role": ["a", None, "b"]}
    H = Hypergraph.of(pd.DataFrame(columns), columns=("item_id", "user_id"), weight={3: 4.0, 7: 1.0})
    assert sets(H) == {7: {"u", "v"}, 3: {"u"}} and H.hyperedge_ids == (7, 3) and H.weight.tolist() == [1, 4]
    assert H.annotations.incidence_weights == (1.0, 2.5, 0.0)
    assert H.annotations.incidence_attrs == ({"role": "a"}, {}, {"role": "b"})
    plain = Hypergraph.of(pd.DataFrame({"node": [1, 0], "edge": pd.Categorical(["e", "e"])}))
    assert plain.incidence.tolist() == [[0, 1], [0, 0]] and plain.annotations.incidence_attrs == ()


def test_what_was_read_goes_through_a_file(tmp_path: Path) -> None:
    table = pd.DataFrame({"edge": ["e", "e", "f"], "node": ["a", 2, "a"], "weight": [0.1, 1.0, 7], "count": [1, 2, 3]})
    H = Hypergraph.of(table, weight=[0.3, 4])
    H.to_hif(tmp_path / "h.json")
    assert same(Hypergraph.from_hif(tmp_path / "h.json"), H)


def test_xgi_hypergraphs_bring_ids_weights_and_attributes(tmp_path: Path) -> None:
    xgi = pytest.importorskip("xgi")
    theirs = xgi.Hypergraph({"f": ["b", 3], "e": ["a", "b"]})
    theirs.add_node("z", colour="red")
    theirs.add_edge([], "none", year=2021)
    theirs.set_edge_attributes({"e": {"weight": 2.5}})
    H = Hypergraph.of(theirs)
    assert sets(H) == {"f": {"b", 3}, "e": {"a", "b"}, "none": set()}
    assert H.node_ids == (3, "a", "b", "z") and H.weight.tolist() == [1.0, 2.5, 1.0]
    assert H.annotations.node_attrs[3] == {"colour": "red"}
    assert H.annotations.hyperedge_attrs == ({}, {}, {"year": 2021})
    H.to_hif(tmp_path / "h.json")
    assert sets(Hypergraph.of(xgi.read_hif(tmp_path / "h.json"))) == sets(H)
    xgi.write_hif(theirs, tmp_path / "theirs.json")
    with pytest.warns(DataWarning, match="attrs.weight is kept as an attribute"):
        read = Hypergraph.from_hif(tmp_path / "theirs.json")
    assert sets(read) == sets(H) and read.annotations.hyperedge_attrs[read.hyperedge_ids.index("e")] == {"weight": 2.5}


def test_directed_and_simplicial_xgi_objects_are_read_with_a_warning() -> None:
    xgi = pytest.importorskip("xgi")
    with pytest.warns(DataWarning, match="the DiHypergraph: is directed: head and tail"):
        H = Hypergraph.of(xgi.DiHypergraph([({1, 2}, {3}), ({3}, {1})]))
    assert sets(H) == {0: {1, 2, 3}, 1: {1, 3}}
    assert H.annotations.directions == ("tail", "tail", "head", "head", "tail")
    with pytest.warns(DataWarning, match="the SimplicialComplex: is an abstract simplicial complex") as caught:
        faces = Hypergraph.of(xgi.SimplicialComplex([[1, 2, 3]]))
    assert sorted(map(len, sets(faces).values())) == [2, 2, 2, 3] and faces.annotations.network_type == "asc"
    assert caught[0].filename == __file__
    with warnings.catch_warnings(record=True) as several:
        warnings.simplefilter("always")
        assert sets(Hypergraph.of(xgi.DiHypergraph([({1, 2}, {2})]))) == {0: {1, 2}}
    assert "repeated incidences are merged: 1 (first: edge 0, node 2)" in str(several[0].message) and len(several) == 3


class View:
    """The part of HyperNetX's views that is read: a table by id."""

    def __init__(self, index: Any, **columns: Any) -> None:
        self.to_dataframe = pd.DataFrame(columns, index=index)


class Hnx:
    """What a Hypergraph of HyperNetX has; the real one is tried below where it is installed."""

    def __init__(self, weight: Any = 2.0) -> None:
        pairs = pd.MultiIndex.from_tuples([("e", "a"), ("e", 3), ("f", "a")])
        self.incidences = View(pairs, weight=[1, weight, 1], role=[None, "x", None], misc_properties=[{}, {"t": 1}, {}])
        self.edges = View(["f", "e"], weight=[1, 0.5], misc_properties=[{"colour": "red"}, {}])
        self.nodes = View(["a", 3], weight=[1, 1], misc_properties=[{}, {}])
        self.incidence_dict = {"e": ["a", 3], "f": ["a"]}


def test_hypernetx_objects_bring_members_weights_and_properties() -> None:
    H = Hypergraph.of(Hnx())
    assert sets(H) == {"e": {"a", 3}, "f": {"a"}} and H.weight.tolist() == [0.5, 1.0]
    assert H.hyperedge_ids == ("e", "f")
    assert H.annotations.incidence_weights == (2.0, 1, 1)
    assert H.annotations.incidence_attrs == ({"role": "x", "t": 1}, {}, {})
    assert H.annotations.hyperedge_attrs == ({}, {"colour": "red"}) and H.annotations.node_weights == ()
    with pytest.raises(DataError, match=r"weight of \('e', 3\) is nan; allowed are finite numbers >= 0"):
        Hypergraph.of(Hnx(weight=float("nan")))


def test_a_hypergraph_of_the_real_hypernetx() -> None:
    hypernetx = pytest.importorskip("hypernetx")
    table = pd.DataFrame({"edge": ["e", "e", "f"], "node": ["a", 3, "a"], "w": [1, 2.0, 1], "role": [None, "x", None]})
    H = Hypergraph.of(hypernetx.Hypergraph(table, cell_weight_col="w"))
    assert sets(H) == {"e": {"a", 3}, "f": {"a"}} and H.weight.tolist() == [1.0, 1.0]
    assert H.annotations.incidence_weights == (2.0, 1, 1)
    assert H.annotations.incidence_attrs == ({"role": "x"}, {}, {})


def stored_twice() -> scipy.sparse.coo_array:
    return scipy.sparse.coo_array((np.ones(2), (np.array([1, 1]), np.array([0, 0]))), shape=(2, 1))


def table(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame({"edge": ["e", "f"], "node": ["a", "b"]} | columns)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ({}, "there is no hyperedge and no node; an empty hypergraph is"),
        ([], "there is no hyperedge and no node"),
        (scipy.sparse.csr_array((0, 0)), "there is no hyperedge and no node"),
        ({"e": [[1], [2]]}, r"a member of hyperedge 'e' is \[1\], a list; allowed as ids are whole numbers and text"),
        ({"e": [1.0]}, "a member of hyperedge 'e' is 1.0, a float"),
        ({"e": [True]}, "a member of hyperedge 'e' is True, a bool"),
        ({"e": [None]}, "a member of hyperedge 'e' is None, a NoneType"),
        ({(1, 2): [1]}, r"the id of a hyperedge is \(1, 2\), a tuple"),
        ({"e": ["a", "b", "a"]}, "hyperedge 'e' holds 'a' twice; a node is on a hyperedge once"),
        ({"e": [1, np.int32(1)]}, "hyperedge 'e' holds 1 twice"),
        ({1: ["a"], np.str_("1"): ["b"]}, "ids of edges hold both 1 and '1'; give all as numbers or all as text"),
        ({"e": [1, 2], "f": ["2"]}, "ids of nodes hold both 2 and '2'"),
        ({"e": "abc"}, "hyperedge 'e' is 'abc', a str; its members are a set or a list of ids"),
        ({"e": 3}, "hyperedge 'e' is 3, a int"),
        ({"e": {"a": {"weight": 2}}}, "hyperedge 'e' is .*, a dict; its members are"),
        ([1, 2], "hyperedge 0 is 1, a int"),
        ({frozenset({1})}, "no hypergraph can be made of a set; give a dict .*a set has no order"),
        ("h.json", r"made of a str; .*read by Hypergraph.from_hif\(path\)"),
        (Path("h.json"), r"Path; .*Hypergraph.from_hif"),
        (3, "no hypergraph can be made of a int; give a dict"),
        (None, "no hypergraph can be made of a NoneType"),
        (np.eye(2), r"made of a ndarray; .*scipy.sparse.csr_array\(matrix\)"),
        (torch.eye(2), "no hypergraph can be made of a Tensor"),
        (
            scipy.sparse.csr_array([[1, np.nan]]),
            r"row 0, column 1 of the matrix is nan; allowed are finite numbers >= 0",
        ),
        (scipy.sparse.csr_array([[1, -1]]), r"row 0, column 1 of the matrix is -1; .*a signed matrix is of a directed"),
        (scipy.sparse.csr_array([[1j]]), "the matrix holds complex128; expected numbers"),
        (stored_twice(), r"row 1, column 0 of the matrix is stored twice; call matrix.sum_duplicates\(\)"),
        (pd.DataFrame({"edge": [1]}), r"the table has not one column 'node'; allowed: edge \(columns=\(EDGE, NODE\)"),
        (pd.DataFrame({"edges": [1], "node": [1]}), "not one column 'edge'; did you mean 'edges'"),
        (table(node=["a", None]), "node in row 1 of the table is (nan|None), a"),
        (table(node=[1.0, 2.0]), r"node in row 0 of the table is 1.0; make ids whole: table.astype\(\{'node': int\}\)"),
        (table(edge=["e", "e"], node=["a", "a"]), "rows 0 and 1 of the table both put node 'a' on hyperedge 'e'"),
        (table(weight=[1, -1]), "weight in row 1 of the table is -1; allowed are finite numbers >= 0"),
        (table(weight=[1, None]), "weight in row 1 of the table is nan"),
        (table(weight=["1", "2"]), "weight in row 0 of the table is '1'"),
        (table().iloc[:0], "there is no hyperedge and no node"),
    ],
)
def test_what_nobody_can_have_meant_is_refused(source: Any, words: str) -> None:
    with pytest.raises(DataError, match=words):
        Hypergraph.of(source)


@pytest.mark.parametrize("bad", [-1, float("nan"), float("inf"), 1e39, 10**400, True, "2", None])
def test_bad_weights_name_their_hyperedge(bad: Any) -> None:
    with pytest.raises(DataError, match="weight of hyperedge 'f' is .*; allowed are finite numbers >= 0"):
        Hypergraph.of({"e": ["a"], "f": ["b"]}, weight=[1, bad])


def test_weights_and_nodes_must_fit() -> None:
    source = {"cats": ["a"], "dogs": ["b"]}
    with pytest.raises(DataError, match="weight lacks hyperedge 'dogs'; it has to name each of the 2"):
        Hypergraph.of(source, weight={"cats": 1})
    with pytest.raises(DataError, match="weight names 'dog', which is no hyperedge; did you mean 'dogs'"):
        Hypergraph.of(source, weight={"cats": 1, "dog": 2})
    with pytest.raises(ShapeError, match="weight has 1 entries; expected 2, one per hyperedge"):
        Hypergraph.of(source, weight=[1])
    with pytest.raises(DataError, match="weight is 2; give a dict by hyperedge"):
        Hypergraph.of(source, weight=2)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="nodes holds 'a' 2 times; ids must be unique"):
        Hypergraph.of(source, nodes=["a", "a"])
    with pytest.raises(ShapeError, match="nodes has 1 entries; expected 2, one per row of the matrix"):
        Hypergraph.of(scipy.sparse.csr_array(np.eye(2)), nodes=["a"])


def test_nothing_is_said_where_nothing_is_lost() -> None:
    def sources() -> Iterator[Any]:
        yield {"e": ["a"]}
        yield [{"a"}]
        yield scipy.sparse.csr_array(np.eye(2))
        yield table(weight=[1, 2])
        yield Hnx()

    with warnings.catch_warnings(action="error"):
        for source in sources():
            assert Hypergraph.of(source).num_hyperedges >= 1
