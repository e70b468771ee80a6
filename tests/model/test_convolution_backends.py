"""Every backend of the convolution against Eq 5 in float64: values, all gradients, hidden incidences, repeats."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hyperctr.errors import ConfigError, RunError
from hyperctr.hypergraph.incidence import Hypergraph
from hyperctr.hypergraph.propagation import Hiding, Propagation
from hyperctr.model import convolution, row_sums
from hyperctr.model.convolution import HypergraphConv
from tests.model.equation5 import dense_operator

needs_numba = pytest.mark.skipif(not find_spec("numba"), reason="needs numba: pip install 'hyperctr[fast]'")
needs_triton = pytest.mark.skipif(not find_spec("triton"), reason="needs triton: pip install 'hyperctr[gpu]'")
BACKENDS = ["torch", pytest.param("fast", marks=needs_numba)]
SIZES = st.sampled_from([1, 3, 64, 65])
NAMES = ("out", "x", "theta", "bias")


@st.composite
def hypergraphs(draw: st.DrawFn) -> Hypergraph:
    """Sizes from nothing to several blocks of rows; isolated nodes, empty hyperedges, weights of zero."""
    nodes, edges = draw(st.sampled_from([0, 1, 2, 30, 600])), draw(st.sampled_from([0, 1, 5, 150]))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    member = random.random((nodes, edges)) < random.choice([0.05, 0.3], (1, edges))
    weight = random.random(edges) * (random.random(edges) > 0.2)
    return Hypergraph(np.stack(np.nonzero(member)), nodes, edges, weight)


def layer(backend: str, size: int, out: int) -> tuple[HypergraphConv, torch.Generator]:
    draw = torch.Generator().manual_seed(size)
    conv = HypergraphConv(size, out, backend=backend)  # type: ignore[arg-type]
    for parameter in conv.parameters():
        torch.nn.init.normal_(parameter, generator=draw)
    return conv, draw


def convolved(H: Hypergraph | Propagation, backend: str, size: int, out: int) -> list[torch.Tensor]:
    """The output, then the gradients of input, Theta and bias. No ReLU: its sign flips are not the backend's."""
    conv, draw = layer(backend, size, out)
    x = torch.randn(H.num_nodes, size, generator=draw).requires_grad_()
    y = conv(x, H)
    y.backward(torch.randn(y.shape, generator=draw))
    return [y.detach(), x.grad, conv.weight.grad, conv.bias.grad]


def expected(H: Hypergraph, size: int, out: int, terms: bool = False) -> list[torch.Tensor]:
    """The same from matrices in float64; with ``terms`` of the absolute values of all that is summed."""
    conv, draw = layer("torch", size, out)
    of = torch.abs if terms else torch.clone
    theta, bias = (of(p.detach().double()).requires_grad_() for p in conv.parameters())
    x = of(torch.randn(H.num_nodes, size, generator=draw).double()).requires_grad_()
    y = dense_operator(H) @ x @ theta + bias
    y.backward(of(torch.randn(y.shape, generator=draw).double()))
    return [y.detach(), x.grad, theta.grad, bias.grad]


def check_close(ours: list[torch.Tensor], H: Hypergraph, size: int, out: int) -> None:
    """2e-6 of the largest number; where terms cancel, a single rounding of each of them, which no float32 can avoid."""
    exactly = zip(NAMES, ours, expected(H, size, out), expected(H, size, out, terms=True), strict=True)
    for name, value, exact, terms in exactly:
        scale = max(float(exact.abs().max()), 1.0) if exact.numel() else 1.0
        allowed = (torch.finfo(torch.float32).eps / 2 * terms).clamp(min=2e-6 * scale)
        error = (value.double() - exact).abs()
        assert (error <= allowed).all(), (
            f"{name}: off by up to {float((error / allowed).max()):.2g} times what is allowed"
        )


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("backend", BACKENDS)
@settings(deadline=None, max_examples=25)
@given(H=hypergraphs(), size=SIZES, out=SIZES, data=st.data())
def test_values_and_gradients_equal_equation_5_and_hidden_is_absent(backend, wide, H, size, out, data):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(row_sums, "is_wide", lambda P: wide)
        patch.setattr(convolution, "is_wide", lambda P: wide)
        check_close(convolved(H, backend, size, out), H, size, out)
        dropped = torch.rand(H.nnz, generator=torch.Generator().manual_seed(size)) < data.draw(
            st.sampled_from([0.1, 0.6])
        )
        hidden = Hiding(H.propagation).hide(dropped.nonzero()[:, 0])
        fresh = convolved(H.without(dropped), backend, size, out)
        for name, ours, theirs in zip(NAMES, convolved(hidden, backend, size, out), fresh, strict=True):
            assert torch.equal(ours, theirs), name


def medium(seed: int = 0) -> Hypergraph:
    member = np.random.default_rng(seed).random((3000, 200)) < 0.05
    return Hypergraph(np.stack(np.nonzero(member)), 3000, 200, np.random.default_rng(seed).random(200))


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("threads", [1, 2, 3])
@needs_numba
def test_fast_repeats_bit_for_bit_with_any_number_of_threads(threads, wide, monkeypatch):
    for module in (row_sums, convolution):
        monkeypatch.setattr(module, "is_wide", lambda P: wide)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(threads)
        first, second = convolved(medium(), "fast", 64, 64), convolved(medium(), "fast", 64, 64)
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    check_close(first, medium(), 64, 64)


@needs_numba
def test_memory_of_an_output_is_used_again_only_when_nobody_holds_it(monkeypatch):
    from hyperctr.model import fused

    monkeypatch.setattr(fused, "KEPT_FROM", 1)
    first = fused._output(3, 16)
    part, place = first[1:], first.data_ptr()
    del first
    assert fused._output(3, 16).data_ptr() != place  # a view still looks at it
    fused._left.clear()
    del part
    assert len(fused._left) == 1
    assert fused._output(3, 16).data_ptr() == place
    assert fused._output(2, 16).data_ptr() != place
    assert fused._output(2, 16).data_ptr() % fused.LINE == 0


@needs_numba
def test_fast_works_where_nothing_can_be_written(tmp_path):
    code = (
        "import numba.core.caching as caching\n"
        "caching.CacheImpl._locator_classes = []\n"  # as in a read-only install without a home
        "import torch; from hyperctr.hypergraph.incidence import Hypergraph\n"
        "from hyperctr.model.convolution import HypergraphConv\n"
        "H = Hypergraph([[0, 1], [0, 0]], 2, 1)\n"
        "conv = HypergraphConv(3, 3, backend='fast')\n"
        "plain = HypergraphConv(3, 3, backend='torch'); plain.load_state_dict(conv.state_dict())\n"
        "x = torch.ones(2, 3); torch.testing.assert_close(conv(x, H), plain(x, H)); print('right')"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True, cwd=tmp_path).strip() == "right"


@needs_triton
def test_triton_kernels_in_the_interpreter_equal_equation_5():
    code = Path(__file__).with_name("triton_interpreted.py")
    environment = {**os.environ, "TRITON_INTERPRET": "1"}
    run = subprocess.run([sys.executable, "-m", "tests.model.triton_interpreted"], env=environment, cwd=code.parents[2])
    assert run.returncode == 0


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("backend", ["torch", pytest.param("triton", marks=needs_triton)])
def test_cuda_equals_equation_5_and_repeats_bit_for_bit(backend):
    H, (conv, _) = medium(), layer(backend, 64, 64)
    conv, graph, x = conv.cuda(), H.to("cuda"), torch.randn(3000, 64)
    theta, bias = (p.detach().cpu().double() for p in conv.parameters())
    torch.testing.assert_close(
        conv(x.cuda(), graph).cpu().double(), dense_operator(H) @ x.double() @ theta + bias, rtol=0, atol=1e-4
    )
    assert torch.equal(conv(x.cuda(), graph), conv(x.cuda(), graph))


def test_a_model_knows_which_backends_it_has_used(monkeypatch: pytest.MonkeyPatch) -> None:
    model, H = torch.nn.Sequential(HypergraphConv(2, 2), HypergraphConv(2, 2)), Hypergraph([[0, 1], [0, 0]], 2, 1)
    assert HypergraphConv.backends_used(model) == []
    model[0](torch.ones(2, 2), H)
    assert HypergraphConv.backends_used(model) == ["torch"] and model[1].used == set()
    if find_spec("numba"):
        monkeypatch.setenv(convolution.VARIABLE, "fast")
        model[1](torch.ones(2, 2), H)
        assert HypergraphConv.backends_used(model) == ["fast", "torch"]


def test_the_backend_is_chosen_by_name_variable_or_size(monkeypatch):
    small, P = torch.zeros(2, 8), Hypergraph([[0, 1], [0, 0]], 2, 1).propagation
    assert convolution._backend(None, small, P) is row_sums
    big = Hypergraph.unchecked(
        num_nodes=40_000,
        num_hyperedges=0,
        **{name: torch.zeros(0) for name in ("weight", "group", "label")},
        group_names=(),
        incidence=torch.zeros(2, 0, dtype=torch.long),
    ).propagation
    x = torch.zeros(40_000, 64)
    assert (convolution._backend(None, x, big) is not row_sums) == bool(find_spec("numba"))
    assert convolution._backend(None, x.double(), big) is row_sums
    assert convolution._backend("torch", x, big) is row_sums
    monkeypatch.setattr(convolution, "_is_installed", lambda package: False)
    assert convolution._backend(None, x, big) is row_sums
    with pytest.raises(ConfigError, match=r"'fast' needs numba; install it with: pip install 'hyperctr\[fast\]'"):
        convolution._backend("fast", x, big)
    with pytest.raises(ConfigError, match="did you mean 'torch'"):
        HypergraphConv(2, 2, backend="torhc")  # type: ignore[arg-type]
    monkeypatch.setenv("HYPERCTR_CONVOLUTION", "quick")
    with pytest.raises(ConfigError, match="HYPERCTR_CONVOLUTION is 'quick'; allowed: torch, fast, triton"):
        HypergraphConv(8, 8)(small, P)
    with pytest.raises(ConfigError, match="'fast' computes float32 on the CPU, not torch.float64 on cpu"):
        HypergraphConv(8, 8, backend="fast").double()(small.double(), P)


def test_going_backward_after_another_hide_is_refused():
    hiding = Hiding(Hypergraph([[0, 1, 2], [0, 0, 0]], 3, 1).propagation)
    out = HypergraphConv(2, 2)(torch.ones(3, 2), hiding.hide(torch.tensor([0])))
    hiding.hide(torch.tensor([1]))
    with pytest.raises(RunError, match="go backward before the next hide"):
        out.sum().backward()
