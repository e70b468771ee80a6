"""Hiding incidences and bringing them back leaves exactly the hypergraph that is built without them."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hyperctr.hypergraph.incidence import Hypergraph
from hyperctr.hypergraph.propagation import Hiding, Propagation
from hyperctr.model.convolution import HypergraphConv

WEIGHTS = {"plain": [0.0, 0.25, 1.0, 3.0], "far apart": [0.0, 1e-30, 0.1, 7e20]}  # sums of the latter are rounded


@st.composite
def hypergraphs(draw: st.DrawFn, weights: list[float]) -> Hypergraph:
    """Isolated nodes, empty and lonely hyperedges and weights of zero are all among them."""
    nodes, edges = draw(st.integers(0, 9)), draw(st.integers(0, 7))
    every = [(v, e) for v in range(nodes) for e in range(edges)]
    pairs = draw(st.lists(st.sampled_from(every), unique=True)) if every else []
    weight = draw(st.lists(st.sampled_from(weights), min_size=edges, max_size=edges))
    return Hypergraph(torch.tensor(pairs, dtype=torch.long).view(-1, 2).T, nodes, edges, weight)


def shuffled(H: Hypergraph) -> Hypergraph:
    """The same with the rows of its views in another order, as the slots' hypergraphs list them."""
    (edge_start, nodes), (node_start, edges) = H.by_hyperedge, H.by_node
    fields = {name: getattr(H, name) for name in ("num_nodes", "num_hyperedges", "weight", "group", "label")}
    for start, column in ((edge_start, nodes), (node_start, edges)):
        for first, last in zip(start.tolist(), start.tolist()[1:], strict=False):
            column[first:last] = column[first:last].flip(0)
    views = {"by_hyperedge": (edge_start, nodes), "by_node": (node_start, edges)}
    return Hypergraph.unchecked(**fields, group_names=H.group_names, **views)


def built_without(H: Hypergraph, dropped: torch.Tensor) -> Hypergraph:
    """Built anew without some incidences and what then has under two members, each row in H's order."""
    left = [pair for pair, drop in zip(H.incidence.T.tolist(), dropped.tolist(), strict=True) if not drop]
    kept = {(v, e) for v, e in left if sum(f == e for _, f in left) >= 2}
    fields = {name: getattr(H, name) for name in ("num_nodes", "num_hyperedges", "weight", "group", "label")}
    by_hyperedge = [[v for v in H.members(e).tolist() if (v, e) in kept] for e in range(H.num_hyperedges)]
    by_node = [[e for e in H.hyperedges_of(v).tolist() if (v, e) in kept] for v in range(H.num_nodes)]
    views = {}
    for name, rows in (("by_hyperedge", by_hyperedge), ("by_node", by_node)):
        start = torch.tensor([0, *map(len, rows)]).cumsum(0).int()
        views[name] = (start, torch.tensor([c for row in rows for c in row], dtype=torch.int32))
    return Hypergraph.unchecked(**fields, group_names=H.group_names, **views)


def check_equal(hidden: Propagation, fresh: Propagation) -> None:
    assert torch.equal(hidden.hyperedge_size, fresh.hyperedge_size)
    assert torch.equal(hidden.degree, fresh.degree)
    assert torch.equal(hidden.node_degree, fresh.node_degree)
    for dtype in (torch.float32, torch.float64):
        for ours, theirs in zip(hidden.scales(dtype), fresh.scales(dtype), strict=True):
            assert torch.equal(ours, theirs)


def convolved(P: Propagation, **options: str) -> list[torch.Tensor]:
    """The output and the gradients of input, Theta and bias, for one draw of all of them."""
    draw = torch.Generator().manual_seed(0)
    conv = HypergraphConv(3, 2, **options)  # type: ignore[arg-type]
    for parameter in conv.parameters():
        torch.nn.init.normal_(parameter, generator=draw)
    x = torch.randn(P.num_nodes, 3, generator=draw).requires_grad_()
    out = conv(x, P)
    out.backward(torch.randn(out.shape, generator=draw))
    return [out.detach(), x.grad, conv.weight.grad, conv.bias.grad]


@pytest.mark.parametrize("order", ["sorted", "shuffled"])
@pytest.mark.parametrize("weights", WEIGHTS)
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_hiding_equals_taking_out_to_the_last_bit(weights, order, data):
    H = data.draw(hypergraphs(WEIGHTS[weights]))
    H = shuffled(H) if order == "shuffled" else H
    hiding = Hiding(H.propagation)
    before = [t.clone() for t in (*hiding.by_hyperedge, *hiding.by_node)]
    for _ in range(3):
        dropped = torch.tensor(data.draw(st.lists(st.booleans(), min_size=H.nnz, max_size=H.nnz)), dtype=torch.bool)
        numbers = dropped.nonzero()[:, 0].tolist()
        numbers = data.draw(st.permutations([*numbers, *numbers[:2], H.nnz, H.nnz]))  # repeats, and none
        fresh = built_without(H, dropped).propagation
        check_equal(hiding.hide(torch.tensor(numbers)), fresh)
        check_equal(H.without(dropped).propagation, fresh)
        for ours, theirs in zip(convolved(hiding), convolved(fresh), strict=True):
            assert torch.equal(ours, theirs)
    hiding.hide(torch.zeros(0, dtype=torch.long))
    after = (*hiding.by_hyperedge, *hiding.by_node)
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_a_hyperedge_is_left_by_its_last_member():
    H = Hypergraph([[0, 1, 2, 2, 3], [0, 0, 0, 1, 1]], 4, 2, weight=[1.0, 0.5])
    hiding = Hiding(H.propagation).hide(torch.tensor([0, 2]))  # node 1 is alone in {0, 1, 2}
    assert hiding.hyperedge_size.tolist() == [0, 2]
    assert hiding.node_degree.tolist() == [0.0, 0.0, 0.5, 0.5]
    assert H.propagation.hyperedge_size.tolist() == [3, 2]
    assert H.node_degree.tolist() == [1.0, 1.0, 1.5, 0.5]
    assert repr(hiding) == "Hiding(4 nodes, 2 hyperedges)"


def test_scales_of_incidences_are_zero_where_hidden():
    H = Hypergraph([[0, 1, 2, 2, 3], [0, 0, 0, 1, 1]], 4, 2)
    nodes, scale = H.propagation.scaled_members(torch.float64)
    assert nodes.tolist() == [0, 1, 2, 2, 3]
    assert scale.tolist() == pytest.approx([1.0, 1.0, 2**-0.5, 2**-0.5, 1.0], abs=1e-15)
    nodes, scale = Hiding(H.propagation).hide(torch.tensor([0, 3])).scaled_members(torch.float64)
    assert scale.tolist() == [0.0, 1.0, 1.0, 0.0, 0.0]
    assert nodes.max() < 4
