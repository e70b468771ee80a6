"""The hypergraph convolution of Eq 5, computed without ever holding one message per incidence.

``P = D_v^-1/2 H W D_e^-1 H^T D_v^-1/2`` is applied in two steps: nodes are added up in hyperedges, hyperedges in
nodes. The transpose of a step is the other step, so the backward pass is made of the same two sums, and nothing has to
be kept between the two passes. Three backends compute the sums, each with the functions of :mod:`row_sums`:

    torch    plain torch, on every device
    fast     compiled by numba for the CPU, both sums in one pass; extra ``fast``
    triton   compiled for CUDA; extra ``gpu``
"""

from __future__ import annotations

import math
import os
from functools import cache
from importlib.util import find_spec
from types import ModuleType
from typing import Any, Literal, NamedTuple, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hyperctr.errors import ConfigError, RunError, ShapeError, did_you_mean
from hyperctr.hypergraph.incidence import Hypergraph
from hyperctr.hypergraph.propagation import Propagation
from hyperctr.model import row_sums
from hyperctr.model.row_sums import is_wide

Backend = Literal["torch", "fast", "triton"]
NEEDS = {"fast": ("numba", "fast"), "triton": ("triton", "gpu")}  # package, extra
TRANSPOSED = {"up": "down", "down": "up", "propagate": "propagate"}
VARIABLE = "HYPERCTR_CONVOLUTION"
FEW_ROWS = 256
CACHED = 1 << 21  # numbers that stay in the cache: 8 MB. The fused pass pays where one side does and the other does not


@cache
def _is_installed(package: str) -> bool:
    return find_spec(package) is not None


def _backend(name: str | None, x: Tensor, P: Propagation) -> ModuleType:
    """Return the module that computes the sums; without a name the fastest one for these tensors."""
    if name is None:
        fewer, more = (rows * x.shape[1] for rows in sorted((P.num_nodes, P.num_hyperedges)))
        pays = fewer <= CACHED <= more and more >= row_sums.WIDE * fewer
        name = "torch"
        if x.is_cuda and x.dtype != torch.float64 and _is_installed("triton"):
            name = "triton"
        elif x.device.type == "cpu" and x.dtype == torch.float32 and pays and _is_installed("numba"):
            name = "fast"
    elif name == "fast" and (x.device.type != "cpu" or x.dtype != torch.float32):
        raise ConfigError(f"the backend 'fast' computes float32 on the CPU, not {x.dtype} on {x.device}; use 'torch'")
    if name == "torch":
        return row_sums
    package, extra = NEEDS[name]
    if not _is_installed(package):
        raise ConfigError(f"the backend {name!r} needs {package}; install it with: pip install 'hyperctr[{extra}]'")
    if name == "fast":
        from hyperctr.model import fused

        return fused
    from hyperctr.model import triton_sums

    return triton_sums


def _checked(name: str | None, where: str) -> str | None:
    if name is not None and name not in get_args(Backend):
        raise ConfigError(f"{where} is {name!r}; {did_you_mean(name, get_args(Backend))}")
    return name


class Owners(NamedTuple):
    """What the hyperedges carry beside their members: a hyperedge of users its item, one of items its user.

    Attributes:
        vectors: ``[O, F_in]``.
        of_hyperedge: int64 ``[E]``, which of them each hyperedge carries.
        alone: the members send nothing, only the owner is told to them: what is left is the graph of owners and nodes.
    """

    vectors: Tensor
    of_hyperedge: Tensor
    alone: bool = False


class _Sum(torch.autograd.Function):
    """One of the backend's functions of (x, P, bias); the backward pass is its transpose."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, bias: Tensor | None, P: Propagation, backend: ModuleType, name: str) -> Tensor:
        ctx.propagation, ctx.version, ctx.backend, ctx.name = P, P.version, backend, name
        arguments = () if bias is None else (bias,)
        # Of rows that want a gradient, embedding_bag would note the bag of each index, which only its backward reads.
        total: Tensor = getattr(backend, name)(x.detach().contiguous(), P, *arguments)
        return total

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, None, None, None]:
        P: Propagation = ctx.propagation
        if P.version != ctx.version:
            raise RunError("other incidences were hidden since the forward pass; go backward before the next hide()")
        grad, (wants_x, wants_bias) = grad.contiguous(), ctx.needs_input_grad[:2]
        if ctx.name == "down" and wants_x and wants_bias:
            return *ctx.backend.up_and_sum(grad, P), None, None, None
        transposed = getattr(ctx.backend, TRANSPOSED[ctx.name])
        return transposed(grad, P) if wants_x else None, grad.sum(0) if wants_bias else None, None, None, None


def _product(x: Tensor, weight: Tensor) -> Tensor:
    """Return ``x @ weight``, each row the same to the last bit whatever other rows there are (on the CPU).

    Matrix libraries have kernels of their own for a handful of rows per thread, which round differently. A score would
    then tell how many clicks there are that it may not look at. From 256 rows on this costs nothing.
    """
    rows = len(x)
    return (F.pad(x, (0, 0, 0, FEW_ROWS - rows)) @ weight)[:rows] if rows < FEW_ROWS else x @ weight


class HypergraphConv(nn.Module):
    r"""Hypergraph convolution, Eq 5 of the paper without its activation.

    .. math::
        \mathbf{X}' = \mathbf{D}_v^{-1/2} \mathbf{H} \mathbf{W} \mathbf{D}_e^{-1} \mathbf{H}^{\top}
        \mathbf{D}_v^{-1/2} \mathbf{X} \mathbf{\Theta} + \mathbf{b}

    where :math:`\mathbf{D}_v` sums the weights of a node's hyperedges, :math:`\mathbf{D}_e` counts a
    hyperedge's members and :math:`0^{-1/2} := 0`, so a node without hyperedges gets :math:`\mathbf{b}`.
    Unlike PyG's layer of the same name, the operator is symmetric and really contains :math:`\mathbf{W}`.
    Scaling all weights by one positive factor changes nothing: it cancels between :math:`\mathbf{W}` and
    :math:`\mathbf{D}_v`.

    With ``owners`` every member v of a hyperedge e sends :math:`\mathbf{x}_v + \mathbf{o}_e` instead of
    :math:`\mathbf{x}_v`: "adding edge information while aggregating" (section 2.3.3).

    Two hyperedges, {0, 1, 2} and {1, 3} of half the weight:

    >>> H = Hypergraph([[0, 1, 2, 1, 3],
    ...                 [0, 0, 0, 1, 1]], num_nodes=4, num_hyperedges=2, weight=[1.0, 0.5])
    >>> conv = HypergraphConv(2, 5)
    >>> conv(torch.ones(4, 2), H).shape
    torch.Size([4, 5])

    Args:
        in_channels: size of an input row, :math:`F_{in}`.
        out_channels: size of an output row, :math:`F_{out}`.
        bias: learn and add :math:`\mathbf{b}`.
        backend: ``torch``, ``fast`` (float32 on the CPU) or ``triton`` (CUDA); by default what the environment variable
            HYPERCTR_CONVOLUTION says, and without it the fastest one that is installed and fits the tensors. They agree
            up to rounding. ``fast`` repeats bit for bit with the same number of threads; ``torch`` on the CPU gives a
            row the same bits whatever other rows there are.

    Attributes:
        weight: :math:`\mathbf{\Theta}` [in_channels, out_channels], Glorot-uniform at the start.
        bias: :math:`\mathbf{b}` [out_channels], zeros at the start, or None.
        used: the backends that have computed for it so far.

    Shapes:
        - input: node features :math:`(N, F_{in})`, hypergraph over :math:`N` nodes
        - output: node features :math:`(N, F_{out})`
    """

    def __init__(
        self, in_channels: int, out_channels: int, bias: bool = True, *, backend: Backend | None = None
    ) -> None:
        super().__init__()
        self.backend = _checked(backend, "backend")
        self.used: set[Backend] = set()
        self.in_channels, self.out_channels = in_channels, out_channels
        self.weight = nn.Parameter(torch.empty(in_channels, out_channels))
        self.bias = nn.Parameter(torch.empty(out_channels)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw Theta anew and set the bias to zero."""
        bound = math.sqrt(6.0 / max(self.in_channels + self.out_channels, 1))
        nn.init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, x: Tensor, H: Hypergraph | Propagation, owners: Owners | None = None) -> Tensor:
        """Return X' [N, out_channels]; under autocast in its type, with float32 scales.

        One backward pass, no second derivatives; the hyperedge weights get no gradient. Isolated nodes get the bias.

        Raises:
            ShapeError: ``x`` is not [N, in_channels], or on another device than ``H``.
            ConfigError: the chosen backend is unknown, not installed, or not for such tensors.
        """
        if x.shape != (H.num_nodes, self.in_channels):
            sizes = f"[{H.num_nodes}, {self.in_channels}]"
            raise ShapeError(f"x has shape {list(x.shape)}; expected {sizes}, a row per node of {H!r}")
        if x.device != H.device:
            raise ShapeError(f"x is on {x.device}, the hypergraph on {H.device}; bring it there with H.to(x.device)")
        P = H if isinstance(H, Propagation) else H.propagation
        chosen = self.backend or _checked(os.environ.get(VARIABLE) or None, VARIABLE)

        def summed(name: str, rows: Tensor, bias: Tensor | None = None) -> Tensor:
            backend = _backend(chosen, rows, P)
            self.used.add(backend.NAME)
            total: Tensor = _Sum.apply(rows, bias, P, backend, name)  # type: ignore[no-untyped-call]
            return total

        # Eq 5 is associative in Theta: it is multiplied where there are fewer rows
        wide = is_wide(P)

        def sent(rows: Tensor) -> Tensor:
            return rows if wide else _product(rows, self.weight)

        if not wide and owners is None:
            product = sent(x)
            return summed("propagate", product, self._bias(product))
        precise = torch.promote_types(x.dtype, torch.float32)
        gathered = 0.0 if owners is not None and owners.alone else summed("up", sent(x))
        if owners is not None:
            carried = F.embedding(owners.of_hyperedge, sent(owners.vectors.to(x.dtype)))
            gathered = gathered + P.shares(precise) * carried
        product = (gathered * P.scales(precise)[1]).to(x.dtype)
        product = _product(product, self.weight) if wide else product
        return summed("down", product, self._bias(product))

    def _bias(self, like: Tensor) -> Tensor | None:
        return None if self.bias is None else self.bias.to(like.dtype)

    @staticmethod
    def backends_used(model: nn.Module) -> list[Backend]:
        """Return the backends that the convolutions of a model have used so far; the last bits depend on them."""
        layers = (module for module in model.modules() if isinstance(module, HypergraphConv))
        return sorted({name for layer in layers for name in layer.used})

    def __repr__(self) -> str:
        return f"HypergraphConv({self.in_channels}, {self.out_channels}, bias={self.bias is not None})"
