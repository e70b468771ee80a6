"""The slots' hypergraphs against sets built from Definitions 2 and 3, and the rows they live on against search."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hyperctr.errors import ConfigError, ShapeError
from hyperctr.hypergraph.build import build_hypergraphs
from hyperctr.hypergraph.incidence import Hypergraph
from hyperctr.hypergraph.neighbours import sampling_priority
from hyperctr.hypergraph.rows import Rows
from hyperctr.hypergraph.settings import GraphSettings
from hyperctr.hypergraph.stack import SlotHypergraphs
from tests.small import Edges, definitions, small

pytestmark = pytest.mark.filterwarnings("ignore::hyperctr.errors.DataWarning")


def listed(graphs: list[Hypergraph]) -> Edges:
    """The hyperedges of one hypergraph per slot."""
    edges: Edges = {}
    for t, H in enumerate(graphs):
        assert H.slot == t
        for e in range(H.num_hyperedges):
            key = (t, int(H.group[e]), int(H.label[e]))
            assert key not in edges
            edges[key] = (frozenset(H.members(e).tolist()), float(H.weight[e]))
            assert len(edges[key][0]) == len(H.members(e))
    return edges


def stacked(H: Hypergraph, nodes: Rows, edges: Rows) -> Edges:
    """The filled hyperedges of the stacked hypergraph, rows translated to nodes."""
    found: Edges = {}
    for e in H.hyperedge_size.nonzero()[:, 0].tolist():
        row, members = int(H.label[e]), H.members(e)
        slot = int(edges.slot[row])
        assert set(nodes.slot[members].tolist()) == {slot}
        key = (slot, int(H.group[e]), int(edges.node[row]))
        found[key] = (frozenset(nodes.node[members].tolist()), float(H.weight[e]))
    by_node = [set(H.hyperedges_of(v).tolist()) for v in range(H.num_nodes)]
    assert all((e in by_node[v]) for v, e in H.incidence.T.tolist())
    assert sum(map(len, by_node)) == H.nnz
    return found


def assembled(graphs: SlotHypergraphs, dropped: list[int] | None = None) -> tuple[Edges, Edges]:
    users, items = graphs.assemble(None if dropped is None else torch.tensor(dropped, dtype=torch.int64))
    return stacked(users, graphs.user_rows, graphs.item_rows), stacked(items, graphs.item_rows, graphs.user_rows)


def assert_same(found: Edges, expected: Edges) -> None:
    assert {key: members for key, (members, _) in found.items()} == {key: m for key, (m, _) in expected.items()}
    for key, (_, weight) in expected.items():
        assert found[key][1] == pytest.approx(weight, abs=1e-6)


def test_two_definitions_by_hand():
    user, item = np.array([0, 0, 0, 1, 1, 2, 2, 0]), np.array([0, 1, 2, 0, 1, 0, 1, 0])
    first = [0.9, 0.3, 0.6, 0.5, 0.5, 0.1, 0.2, 0.9]
    second = [np.nan, 0.8, 0.6, np.nan, 0.2, np.nan, 0.9, np.nan]  # item 0 lacks the second modality
    data = SimpleNamespace(user_index=user, item_index=item, num_users=3, num_items=3, modalities=("visual", "textual"))
    split, slots = SimpleNamespace(train=np.arange(8)), SimpleNamespace(index=np.zeros(8, np.int64), count=1)
    degree = np.array([first, second], np.float32).T
    interest = replace(small(0).interest, degree=degree, matrix=np.zeros((1, 3, 2), np.float32))
    users, items = build_hypergraphs(data, split, slots, interest, 0.5)
    # F: user 0 (.9 + .3 + .6 + .9) / 4 = .675 and .7 ; user 1: .5 and .2 ; user 2: .15 and .9
    assert listed(users) == {
        (0, 0, 0): (frozenset({0, 1}), pytest.approx((0.675 + 0.5) / 2)),
        (0, 0, 1): (frozenset({0, 1}), pytest.approx((0.675 + 0.5) / 2)),
        (0, 1, 1): (frozenset({0, 2}), pytest.approx((0.7 + 0.9) / 2)),
    }
    assert listed(items) == {
        (0, 0, 0): (frozenset({0, 2}), pytest.approx((0.9 + 0.6) / 2)),
        (0, 0, 1): (frozenset({0, 1}), pytest.approx(0.5)),
        (0, 1, 0): (frozenset({1, 2}), pytest.approx((0.8 + 0.6) / 2)),
    }


@settings(deadline=None, max_examples=40)
@given(
    st.integers(0, 2**32),
    st.sampled_from([0.0, 0.4, 0.5, 0.75]),
    st.booleans(),
    st.booleans(),
    st.sampled_from([None, 2, 3]),
)
def test_hypergraphs_of_slots_equal_the_definitions(seed, delta, quantile, weighted, neighbours):
    study = small(seed)
    options = {"quantile": quantile, "max_neighbours": neighbours, "weighted": weighted, "seed": seed}
    users, items = build_hypergraphs(study.data, study.split, study.slots, study.interest, delta, **options)
    for graphs, expected, nodes, labels, kind in zip(
        (users, items), definitions(study, delta, **options), (5, 6), (6, 5), ("user", "item"), strict=True
    ):
        assert_same(listed(graphs), expected)
        for H in graphs:
            assert (H.num_nodes, H.group_names, H.node_kind) == (nodes, study.data.modalities, kind)
            # The paper's bounds: |E_{I,j}| <= |U| a modality, |E_group| <= k |U| (for users: items).
            assert torch.bincount(H.group, minlength=2).max() <= labels
            assert H.num_hyperedges <= 2 * labels
            assert H.num_hyperedges == 0 or H.hyperedge_size.min() >= 2
            if neighbours:
                assert H.num_hyperedges == 0 or H.hyperedge_size.max() <= neighbours
                assert H.by_node[0].diff().max() <= neighbours


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32), st.data(), st.sampled_from([None, 2, 3]), st.booleans())
def test_hidden_clicks_leave_the_hypergraphs_of_data_without_them(seed, chosen, neighbours, quantile):
    study, options = small(seed), {"max_neighbours": neighbours, "quantile": quantile, "seed": seed}
    count = len(study.split.train)
    dropped = chosen.draw(st.lists(st.integers(0, count - 1), max_size=count))  # a click may be named twice
    chosen_settings = GraphSettings(quantile=quantile, max_neighbours=neighbours, seed=seed)
    graphs = SlotHypergraphs(study, study.interest, chosen_settings)
    left = study.without(sorted(set(dropped)))
    for found, expected in zip(assembled(graphs, dropped), definitions(left, **options), strict=True):
        assert_same(found, expected)
    for found, expected in zip(assembled(graphs, []), assembled(graphs), strict=True):
        assert found == expected


@pytest.mark.parametrize("neighbours", [None, 2])
def test_later_slots_change_nothing_before_them(neighbours):
    study = small(3, rows=80)
    late = [c for c, click in enumerate(study.clicks) if click[2] == 2]
    assert late
    whole, cut = (
        assembled(SlotHypergraphs(s, s.interest, GraphSettings(max_neighbours=neighbours, quantile=True)))
        for s in (study, study.without(late))
    )
    for full, earlier in zip(whole, cut, strict=True):
        assert {key: edge for key, edge in full.items() if key[0] < 2} == earlier != {}


def test_the_sample_depends_on_the_seed_and_on_nothing_but_it():
    study = small(5, rows=120)
    made = [
        assembled(SlotHypergraphs(study, study.interest, GraphSettings(max_neighbours=2, seed=seed)))
        for seed in (1, 1, 2)
    ]
    assert made[0] == made[1] != made[2]
    drawn = sampling_priority(0, 2, np.arange(50_000), np.arange(50_000)) / 2.0**64
    assert len(np.unique(drawn)) == 100_000
    assert np.histogram(drawn, 10, (0, 1))[0] == pytest.approx(10_000, rel=0.05)


@settings(deadline=None, max_examples=60)
@given(st.sets(st.tuples(st.integers(0, 4), st.integers(0, 3))), st.integers(0, 2**32))
def test_rows_are_found_as_by_search(pairs, seed):
    ordered = sorted(pairs, key=lambda pair: pair[::-1])
    rows = Rows.unpack(np.array([slot * 5 + node for node, slot in ordered], dtype=np.int64), 4, 5)
    assert list(zip(rows.node.tolist(), rows.slot.tolist(), strict=True)) == ordered
    assert rows.starts == [sum(slot < t for _, slot in ordered) for t in range(5)]
    active = torch.from_numpy(np.random.default_rng(seed).random(len(ordered)) < 0.6)
    node, slot = torch.arange(5).repeat_interleave(4), torch.arange(4).repeat(5)
    found = rows.find(node, slot).tolist()
    before = rows.latest_before(node, slot, rows.last_active(active)).tolist()
    for k, (v, t) in enumerate(zip(node.tolist(), slot.tolist(), strict=True)):
        assert found[k] == (ordered.index((v, t)) if (v, t) in pairs else -1)
        earlier = {s: r for r, (w, s) in enumerate(ordered) if w == v and s < t and active[r]}
        assert before[k] == (earlier[max(earlier)] if earlier else -1)


def test_wrong_arguments_are_named():
    study = small(0)
    parts = (study.data, study.split, study.slots, study.interest)
    with pytest.raises(ConfigError, match="interest_threshold = 1.5"):
        build_hypergraphs(*parts, 1.5)
    with pytest.raises(ConfigError, match="max_neighbours = 1 must be at least 2"):
        build_hypergraphs(*parts, max_neighbours=1)
    fewer = replace(study.interest, degree=study.interest.degree[1:])
    with pytest.raises(ShapeError, match="pre-train the interest on the same data and split"):
        build_hypergraphs(*parts[:3], fewer)


def test_the_former_name_of_the_threshold_is_read_and_warns_once() -> None:
    study = small(0)
    arguments = (study.data, study.split, study.slots, study.interest)
    expected = build_hypergraphs(*arguments, interest_threshold=0.3)
    with pytest.warns(FutureWarning, match="delta is called interest_threshold now") as warned:
        graphs = build_hypergraphs(*arguments, delta=0.3)
    assert len(warned) == 1
    for side, wanted in zip(graphs, expected, strict=True):
        assert listed(side) == listed(wanted)
    assert listed(graphs[0]) != listed(build_hypergraphs(*arguments)[0])
