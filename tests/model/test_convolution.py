"""The convolution against a dense float64 reference written from Eq 5, its properties, and PyG's layer."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hyperctr.errors import ShapeError
from hyperctr.hypergraph.incidence import Hypergraph
from hyperctr.model import row_sums
from hyperctr.model.convolution import HypergraphConv, Owners
from tests.model.equation5 import dense_operator

EMPTY = torch.zeros(2, 0, dtype=torch.long)


@pytest.fixture(params=[False, True], ids=["narrow", "wide"])
def wide(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Theta on the nodes; or as for many more nodes than hyperedges, on the hyperedges."""
    monkeypatch.setattr(row_sums, "is_wide", lambda P: request.param)
    monkeypatch.setattr("hyperctr.model.convolution.is_wide", lambda P: request.param)


def propagate(x: torch.Tensor, H: Hypergraph) -> torch.Tensor:
    """The layer with nothing to learn: Theta the identity, no bias."""
    conv = HypergraphConv(x.shape[1], x.shape[1], bias=False).to(x.dtype)
    torch.nn.init.eye_(conv.weight)
    return conv(x, H).detach()


def random_hypergraph(seed: int, nodes: int = 30, edges: int = 17, fill: float = 0.2) -> Hypergraph:
    """Random members and weights, with isolated nodes, an empty hyperedge and one of weight zero."""
    rng = np.random.default_rng(seed)
    member = rng.random((nodes, edges)) < fill
    member[[2, nodes - 1]], member[:, 4] = False, False
    weight = rng.random(edges)
    weight[7] = 0.0
    return Hypergraph(np.stack(np.nonzero(member)), nodes, edges, weight)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-14), (torch.float32, 1e-6)])
@pytest.mark.usefixtures("wide")
@pytest.mark.parametrize("bias", [True, False])
def test_layer_equals_the_dense_formula(dtype, tolerance, bias):
    H = random_hypergraph(0)
    conv = HypergraphConv(6, 4, bias=bias).to(dtype)
    if conv.bias is not None:
        torch.nn.init.normal_(conv.bias)
    x = torch.randn(30, 6, dtype=dtype, generator=torch.Generator().manual_seed(1))
    expected = dense_operator(H) @ x.double() @ conv.weight.double() + (conv.bias.double() if bias else 0.0)
    torch.testing.assert_close(conv(x, H).double(), expected, rtol=0, atol=tolerance)
    if bias:
        torch.testing.assert_close(conv(x, H)[2], conv.bias)  # isolated: nothing but the bias


@pytest.mark.parametrize("alone", [False, True], ids=["with the members", "alone"])
@pytest.mark.usefixtures("wide")
def test_members_send_the_owner_of_their_hyperedge_along(alone):
    H, draw = random_hypergraph(3), torch.Generator().manual_seed(4)
    conv = HypergraphConv(6, 4).double()
    torch.nn.init.normal_(conv.bias)
    x, vectors = torch.randn(30, 6, dtype=torch.float64, generator=draw), torch.randn(5, 6, generator=draw).double()
    of_hyperedge = torch.randint(5, (17,), generator=draw)
    expected = torch.zeros(30, 6, dtype=torch.float64)
    degree = torch.zeros(30, dtype=torch.float64).index_add(0, H.incidence[0], H.weight.double()[H.incidence[1]])
    for e in range(17):
        members = [v for v in H.members(e).tolist() if degree[v] > 0]
        sent = sum(((0 if alone else x[v]) + vectors[of_hyperedge[e]]) * degree[v] ** -0.5 for v in members)
        for v in members:
            expected[v] += H.weight[e].double() / len(H.members(e)) * sent * degree[v] ** -0.5
    made = conv(x, H, Owners(vectors, of_hyperedge, alone))
    torch.testing.assert_close(made, expected @ conv.weight + conv.bias, rtol=0, atol=1e-13)
    single = conv.float()(x.float(), H, Owners(vectors.float(), of_hyperedge, alone))
    torch.testing.assert_close(single.double(), made, rtol=0, atol=1e-5)


@pytest.mark.parametrize("alone", [False, True], ids=["with the members", "alone"])
@pytest.mark.usefixtures("wide")
def test_gradients_with_owners(alone):
    H, conv = random_hypergraph(2, nodes=9, edges=8, fill=0.4), HypergraphConv(3, 2).double()
    of_hyperedge = torch.tensor([0, 1, 2, 3, 0, 1, 2, 3])
    sizes = ((9, 3), (4, 3), (3, 2), (2,))
    given = [torch.randn(*size, dtype=torch.float64, requires_grad=True) for size in sizes]

    def layer(x: torch.Tensor, vectors: torch.Tensor, theta: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        owners = Owners(vectors, of_hyperedge, alone)
        return torch.func.functional_call(conv, {"weight": theta, "bias": bias}, (x, H, owners))

    assert torch.autograd.gradcheck(layer, given, atol=1e-8)


def test_two_hyperedges_by_hand():
    H = Hypergraph([[0, 1, 2, 1, 3], [0, 0, 0, 1, 1]], 5, 2, weight=[1.0, 0.5])
    a, b = 1.5**-0.5, 0.5**-0.5  # D_v = (1, 1.5, 1, 0.5, 0), D_e = (3, 2)
    x = torch.tensor([[3.0], [0.0], [0.0], [4.0], [9.0]], dtype=torch.float64)
    first, second = 3 / 3, 4 * b * 0.5 / 2  # what each hyperedge gathers, weighted
    expected = [[first], [a * (first + second)], [first], [b * second], [0.0]]
    torch.testing.assert_close(propagate(x, H).tolist(), expected, rtol=0, atol=1e-15)


@pytest.mark.parametrize(("nodes", "edges"), [(3, 2), (3, 0), (0, 2), (0, 0)])
def test_empty_hypergraphs_leave_the_bias(nodes, edges):
    H, conv = Hypergraph(EMPTY, nodes, edges), HypergraphConv(4, 3)
    torch.nn.init.normal_(conv.bias)
    x = torch.randn(nodes, 4, requires_grad=True)
    out = conv(x, H)
    assert torch.equal(out, conv.bias.expand(nodes, 3))
    out.sum().backward()
    assert torch.equal(x.grad, torch.zeros_like(x))
    assert torch.equal(conv.weight.grad, torch.zeros(4, 3))


@pytest.mark.usefixtures("wide")
def test_gradients_of_input_theta_and_bias():
    H = random_hypergraph(2, nodes=9, edges=8, fill=0.4)
    x = torch.randn(9, 3, dtype=torch.float64, requires_grad=True)
    theta = torch.randn(3, 2, dtype=torch.float64, requires_grad=True)
    bias = torch.randn(2, dtype=torch.float64, requires_grad=True)
    conv = HypergraphConv(3, 2).double()

    def layer(x: torch.Tensor, theta: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(conv, {"weight": theta, "bias": bias}, (x, H))

    assert torch.autograd.gradcheck(layer, (x, theta, bias), atol=1e-8)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32), st.integers(1, 12), st.integers(1, 9))
def test_renumbering_nodes_permutes_and_renumbering_hyperedges_changes_nothing(seed, nodes, edges):
    rng = np.random.default_rng(seed)
    incidence = np.stack(np.nonzero(rng.random((nodes, edges)) < 0.4))
    weight, x = rng.random(edges), torch.from_numpy(rng.standard_normal((nodes, 3)))
    out = propagate(x, Hypergraph(incidence, nodes, edges, weight))
    to, place = rng.permutation(nodes), rng.permutation(edges)
    moved = Hypergraph(np.stack([to[incidence[0]], place[incidence[1]]]), nodes, edges, weight[np.argsort(place)])
    permuted = propagate(x[np.argsort(to)], moved)
    torch.testing.assert_close(permuted[to], out, rtol=0, atol=1e-14)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32), st.sampled_from([0.25, 0.5, 2.0, 16.0]))
def test_linear_in_the_input_and_blind_to_the_scale_of_the_weights(seed, factor):
    H = random_hypergraph(seed)
    x, y = torch.from_numpy(np.random.default_rng(seed).standard_normal((2, 30, 3)))
    both = propagate(2 * x - 3 * y, H)
    torch.testing.assert_close(both, 2 * propagate(x, H) - 3 * propagate(y, H), rtol=0, atol=1e-13)
    scaled = Hypergraph(H.incidence, 30, 17, H.weight * factor)  # W and D_v both grow: it cancels
    torch.testing.assert_close(propagate(x, scaled), propagate(x, H), rtol=0, atol=1e-14)


def test_operator_is_symmetric_with_eigenvalue_one():
    H = random_hypergraph(5)
    operator = propagate(torch.eye(30, dtype=torch.float64), H)
    torch.testing.assert_close(operator, operator.T, rtol=0, atol=1e-15)
    values = torch.linalg.eigvalsh(operator)
    assert float(values.min()) > -1e-12
    assert float(values.max()) == pytest.approx(1.0, abs=1e-12)


def test_an_incidence_taken_out_is_the_hypergraph_built_without_it():
    H = random_hypergraph(6)
    dropped = torch.rand(H.nnz, generator=torch.Generator().manual_seed(0)) < 0.3
    left = H.incidence[:, ~dropped]
    size = torch.bincount(left[1], minlength=17)
    fresh = Hypergraph(left[:, size[left[1]] >= 2], 30, 17, H.weight)
    x = torch.randn(30, 3)
    assert torch.equal(propagate(x, H.without(dropped)), propagate(x, fresh))


@pytest.mark.usefixtures("wide")
def test_autocast_computes_in_its_type_with_exact_scales():
    H, conv = random_hypergraph(7), HypergraphConv(8, 8)
    x = torch.randn(30, 8, requires_grad=True)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = conv(x, H)
    assert out.dtype == torch.bfloat16
    torch.testing.assert_close(out.float(), conv(x, H), rtol=0.02, atol=0.02)
    out.float().sum().backward()
    assert x.grad.dtype == torch.float32
    exact = torch.autograd.grad(conv(x, H).sum(), x)[0]
    torch.testing.assert_close(x.grad, exact, rtol=0.05, atol=0.05)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_equals_cpu_and_repeats_bit_for_bit():
    H, conv = random_hypergraph(8), HypergraphConv(16, 16)
    x = torch.randn(30, 16)
    there = conv.to("cuda")(x.cuda(), H.to("cuda"))
    torch.testing.assert_close(there.cpu(), conv.to("cpu")(x, H), rtol=0, atol=1e-5)
    assert torch.equal(there, conv.to("cuda")(x.cuda(), H.to("cuda")))


def test_pyg_ignores_the_weights_and_is_not_symmetric():
    geometric = pytest.importorskip("torch_geometric.nn")
    H = Hypergraph([[0, 1, 2, 1, 3], [0, 0, 0, 1, 1]], 4, 2, weight=[1.0, 5.0])
    theirs, ours = (geometric.HypergraphConv(1, 1, bias=False).double(), HypergraphConv(1, 1, bias=False).double())
    torch.nn.init.ones_(theirs.lin.weight)
    torch.nn.init.ones_(ours.weight)
    x = torch.tensor([[6.0], [0.0], [0.0], [0.0]], dtype=torch.float64)
    pyg, eq5 = (out.detach()[:, 0].tolist() for out in (theirs(x, H.incidence, H.weight), ours(x, H)))
    # D_v = (1, 6, 1, 5). PyG: D^-1 H B^-1 H^T x with W in D only; Eq 5 has D^-1/2 on both sides and W inside.
    assert pyg == pytest.approx([2.0, 2 / 6, 2.0, 0.0])
    assert eq5 == pytest.approx([2.0, 2 / 6**0.5, 2.0, 0.0])
    unit = torch.eye(4, dtype=torch.float64)
    columns = [theirs(unit[:, v : v + 1], H.incidence, H.weight) for v in range(4)]
    operator = torch.cat(columns, 1).detach()
    assert (operator - operator.T).abs().max() > 0.2
    torch.testing.assert_close(dense_operator(H), propagate(unit, H), rtol=0, atol=1e-15)
    # W is missing from the messages: rows of the documented D^-1 H W B^-1 H^T sum to 1, PyG's do not
    assert operator.sum(1).tolist() == pytest.approx([1.0, 2 / 6, 1.0, 1 / 5])


def test_wrong_shapes_are_named_and_the_layer_prints_its_sizes():
    H, conv = random_hypergraph(0), HypergraphConv(6, 4)
    with pytest.raises(ShapeError, match=r"x has shape \[30, 5\]; expected \[30, 6\]"):
        conv(torch.zeros(30, 5), H)
    with pytest.raises(ShapeError, match=r"x has shape \[29, 6\]; expected \[30, 6\]"):
        conv(torch.zeros(29, 6), H)
    with pytest.raises(ShapeError, match="x is on meta, the hypergraph on cpu"):
        conv(torch.zeros(30, 6, device="meta"), H)
    assert repr(conv) == "HypergraphConv(6, 4, bias=True)"
    assert conv.weight.shape == (6, 4)
    before = conv.weight.clone()
    conv.reset_parameters()
    assert not torch.equal(before, conv.weight)
    assert torch.equal(conv.bias, torch.zeros(4))


@pytest.mark.usefixtures("wide")
@pytest.mark.parametrize("size", [16, 64])
def test_rows_are_the_same_to_the_last_bit_whatever_other_rows_there_are(size: int) -> None:
    """Kernels for a handful of rows round differently; a score must not tell how many clicks it may not look at."""
    x = torch.randn(600, size, generator=torch.Generator().manual_seed(0))
    conv = HypergraphConv(size, size)
    pair = [[0, 1], [0, 0]]
    whole = conv(x, Hypergraph(pair, num_nodes=600, num_hyperedges=600))[:2]
    for rows in (2, 3, 4, 5, 7, 9, 16, 33, 255, 256, 257, 300, 511):
        assert torch.equal(conv(x[:rows], Hypergraph(pair, num_nodes=rows, num_hyperedges=rows))[:2], whole), rows
