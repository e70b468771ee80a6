"""The container: both compressed views, its parts, and what it refuses, against brute force over sets."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hyperctr.errors import DataError, ShapeError
from hyperctr.hypergraph.incidence import Hypergraph
from tests.hypergraph.conftest import same


@st.composite
def hypergraphs(draw: st.DrawFn) -> tuple[Hypergraph, list[tuple[int, int]]]:
    """A random hypergraph, its incidences handed over in random order, and the same as a list of pairs."""
    nodes, edges = draw(st.integers(0, 7)), draw(st.integers(0, 6))
    every = [(v, e) for v in range(nodes) for e in range(edges)]
    pairs = draw(st.lists(st.sampled_from(every), unique=True)) if every else []
    weight = draw(st.lists(st.sampled_from([0.0, 0.25, 1.0, 3.0]), min_size=edges, max_size=edges))
    group = draw(st.lists(st.integers(0, 2), min_size=edges, max_size=edges))
    label = draw(st.lists(st.integers(0, 3), min_size=edges, max_size=edges))
    incidence = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    names = ("visual", "acoustic", "textual")
    return Hypergraph(incidence, nodes, edges, weight, group, label=label, group_names=names), pairs


def as_pairs(H: Hypergraph) -> list[tuple[int, int]]:
    return list(zip(*H.incidence.tolist(), strict=True))


def check_views(H: Hypergraph) -> None:
    """Both views, sizes and degrees agree with the incidence list; orders are ascending."""
    pairs = as_pairs(H)
    assert pairs == sorted(pairs, key=lambda pair: (pair[1], pair[0]))
    for e in range(H.num_hyperedges):
        assert H.members(e).tolist() == sorted(v for v, f in pairs if f == e)
    for v in range(H.num_nodes):
        assert H.hyperedges_of(v).tolist() == sorted(e for w, e in pairs if w == v)
    assert {view[k].dtype for view in (H.by_hyperedge, H.by_node) for k in (0, 1)} == {torch.int32}
    sizes = [sum(f == e for _, f in pairs) for e in range(H.num_hyperedges)]
    degrees = [sum(H.weight[e].item() for w, e in pairs if w == v) for v in range(H.num_nodes)]
    assert H.hyperedge_size.tolist() == sizes
    assert H.node_degree.tolist() == degrees
    assert H.nnz == len(pairs)


@settings(deadline=None, max_examples=60)
@given(hypergraphs())
def test_both_views_agree_with_brute_force(made):
    H, pairs = made
    assert sorted(as_pairs(H)) == sorted(pairs)
    check_views(H)


@settings(deadline=None, max_examples=60)
@given(hypergraphs(), st.data())
def test_without_drops_incidences_and_then_lonely_hyperedges(made, data):
    H, _ = made
    dropped = data.draw(st.lists(st.booleans(), min_size=H.nnz, max_size=H.nnz))
    least = data.draw(st.integers(0, 3))
    left = [pair for pair, drop in zip(as_pairs(H), dropped, strict=True) if not drop]
    expected = [(v, e) for v, e in left if sum(f == e for _, f in left) >= least]
    part = H.without(torch.tensor(dropped, dtype=torch.bool), min_size=least)
    assert as_pairs(part) == expected
    assert torch.equal(part.weight, H.weight)  # numbering and weights stay
    check_views(part)


@settings(deadline=None, max_examples=60)
@given(hypergraphs(), st.data())
def test_select_renumbers_hyperedges_and_keeps_nodes(made, data):
    H, _ = made
    chosen = data.draw(st.lists(st.booleans(), min_size=H.num_hyperedges, max_size=H.num_hyperedges))
    kept = [e for e, choose in enumerate(chosen) if choose]
    part = H.select(torch.tensor(chosen, dtype=torch.bool))
    assert as_pairs(part) == [(v, kept.index(e)) for v, e in as_pairs(H) if e in kept]
    assert (part.num_nodes, part.num_hyperedges) == (H.num_nodes, len(kept))
    for name in ("weight", "group", "label"):
        assert getattr(part, name).tolist() == [getattr(H, name)[e].item() for e in kept]
    check_views(part)


def test_unchecked_takes_ready_views_in_any_row_order(pair):
    offsets, nodes = torch.tensor([0, 3, 5]).int(), torch.tensor([2, 0, 1, 3, 1]).int()
    by_node = torch.tensor([0, 1, 3, 4, 5, 5]).int(), torch.tensor([0, 1, 0, 0, 1]).int()
    H = Hypergraph.unchecked(
        num_nodes=5,
        num_hyperedges=2,
        **{name: getattr(pair, name) for name in ("weight", "group", "label", "group_names")},
        by_hyperedge=(offsets, nodes),
        by_node=by_node,
    )
    assert torch.equal(H.node_degree, pair.node_degree)
    dropped = H.incidence[0] == 1  # node 1 leaves both: {0, 2} stays, {3} is lonely
    part = H.without(dropped)
    assert sorted(part.members(0).tolist()) == [0, 2]
    assert part.node_degree.tolist() == [1.0, 0.0, 1.0, 0.0, 0.0]


def test_scales_are_the_diagonals_of_equation_5(pair):
    node, edge = pair.propagation.scales(torch.float64)
    assert node[:, 0].tolist() == pytest.approx([1.0, 1.5**-0.5, 1.0, 2**0.5, 0.0], abs=1e-15)
    assert edge[:, 0].tolist() == pytest.approx([1 / 3, 0.25], abs=1e-15)


def test_every_field_is_kept(modal):
    fields = {name: getattr(modal, name) for name in ("weight", "group", "label", "group_names", "node_kind", "slot")}
    changes = {
        "weight": [1.0, 0.1, 0.75, 0.4],
        "group": [0, 1, 1, 1],
        "label": [7, 9, 7, 8],
        "slot": 4,
        "group_names": ("v", "a"),
        "node_kind": "item",
    }
    assert same(Hypergraph(modal.incidence.flip(1), 5, 4, **fields), modal)
    for name, value in changes.items():
        assert not same(Hypergraph(modal.incidence, 5, 4, **(fields | {name: value})), modal), name
    assert not same(modal.without(torch.arange(modal.nnz) == 0), modal)
    assert modal.to("cpu") is modal
    assert modal.to("meta").device.type == "meta"


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (([[0, 1], [0, 2]], 2, 2), DataError, r"incidence\[1, 1\] is hyperedge 2; allowed are 0\.\.1"),
        (([[0, -1], [0, 0]], 2, 2), DataError, r"incidence\[0, 1\] is node -1; allowed are 0\.\.1"),
        (([[0, 1, 0], [1, 1, 1]], 2, 2), DataError, "node 0 on hyperedge 1 more than once"),
        (([[0.5, 1], [0, 0]], 2, 1), DataError, "float64; expected whole numbers"),
        (([[0, 1], [0]], 2, 1), ShapeError, "incidence is not an array"),
        (([0, 1], 2, 1), ShapeError, r"shape \[2\]"),
        (([[], []], 2**31, 1), ShapeError, "num_nodes is 2147483648"),
        (([[], []], -1, 1), ShapeError, "num_nodes is -1"),
        (([[0], [0]], 1, 2, [1.0]), ShapeError, r"weight has shape \[1\]; expected \[2\]"),
        (([[0], [0]], 1, 2, [1.0, -0.5]), DataError, r"weight\[1\] is -0.5"),
        (([[0], [0]], 1, 2, [float("nan"), 1]), DataError, r"weight\[0\] is nan"),
        (([[0], [0]], 1, 1, None, [-1]), DataError, r"group\[0\] is -1"),
    ],
)
def test_wrong_arguments_are_named(arguments, error, words):
    with pytest.raises(error, match=words):
        Hypergraph(*arguments)


def test_wrong_masks_and_numbers_are_named(modal):
    with pytest.raises(ShapeError, match=r"chosen is torch.bool \[3\]; expected torch.bool \[4\]"):
        modal.select(torch.ones(3, dtype=torch.bool))
    with pytest.raises(ShapeError, match=r"dropped is torch.int64"):
        modal.without(torch.arange(7))
    with pytest.raises(DataError, match=r"node 5 does not exist; allowed are 0\.\.4"):
        modal.hyperedges_of(5)
    with pytest.raises(DataError, match=r"group\[2\] is 1; allowed are 0\.\.0"):
        Hypergraph(modal.incidence, 5, 4, group=modal.group, group_names=("visual",))


def test_text_and_html_say_what_it_is(modal):
    assert repr(modal) == "Hypergraph(5 users, 4 hyperedges, 7 incidences, groups=['visual', 'acoustic'], slot=3)"
    page = modal._repr_html_()
    assert "5, 1 of them isolated" in page
    assert "<td>visual</td><td>2</td><td>5</td><td>2.50</td><td>3</td><td>80.0%</td>" in page
