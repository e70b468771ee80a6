"""The hypergraph convolution of Eq 5, computed without ever holding one message per incidence.

``P = D_v^-1/2 H W D_e^-1 H^T D_v^-1/2`` is applied in two steps: nodes gather into hyperedges, hyperedges
gather into nodes. H is binary, so each step adds up rows of its input: ``F.embedding_bag`` over the compressed view is
a sparse-dense product without values. The transpose of a step is a sum over the rows of the *other* view, so the
backward pass is made of the same two sums, and nothing has to be kept between the two passes.
"""

from __future__ import annotations

import math
from typing import Any, Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hyperctr.errors import ConfigError, ShapeError, did_you_mean
from hyperctr.hypergraph.arrays import CSR
from hyperctr.hypergraph.incidence import Hypergraph

Side = Literal["nodes", "hyperedges"]
FEW_ROWS = 256


def _row_sums(x: Tensor, view: CSR) -> Tensor:
    """Add up the rows of ``x`` listed in each row of ``view``: [columns, d] -> [rows, d]."""
    offsets, index = view
    return F.embedding_bag(index, x, offsets, mode="sum", include_last_offset=True)


class _Gather(torch.autograd.Function):
    """Up, nodes to hyperedges: W D_e^-1 H^T D_v^-1/2 x. Down, hyperedges to nodes: D_v^-1/2 H x."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, H: Hypergraph, up: bool) -> Tensor:
        ctx.hypergraph, ctx.up = H, up
        of_node, of_edge = H.scales(torch.promote_types(x.dtype, torch.float32))  # float32 even for bfloat16 rows
        if up:
            return _row_sums((x * of_node).to(x.dtype), H.by_hyperedge).mul_(of_edge)  # [N, d] -> [E, d]
        return _row_sums(x, H.by_node).mul_(of_node)  # [E, d] -> [N, d]

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        H: Hypergraph = ctx.hypergraph
        of_node, of_edge = H.scales(torch.promote_types(grad.dtype, torch.float32))
        if ctx.up:  # the transpose reads the factors from right to left
            return _row_sums((grad * of_edge).to(grad.dtype), H.by_node).mul_(of_node), None, None
        return _row_sums((grad * of_node).to(grad.dtype), H.by_hyperedge), None, None


def _gather(x: Tensor, H: Hypergraph, *, up: bool) -> Tensor:
    gathered: Tensor = _Gather.apply(x, H, up)  # type: ignore[no-untyped-call]
    return gathered


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
        side: where :math:`\mathbf{\Theta}` is multiplied; the result is the same up to rounding.
            ``hyperedges`` is about twice as fast when there are far fewer of them than nodes.

    Attributes:
        weight: :math:`\mathbf{\Theta}` [in_channels, out_channels], Glorot-uniform at the start.
        bias: :math:`\mathbf{b}` [out_channels], zeros at the start, or None.

    Shapes:
        - input: node features :math:`(N, F_{in})`, hypergraph over :math:`N` nodes
        - output: node features :math:`(N, F_{out})`
    """

    def __init__(self, in_channels: int, out_channels: int, bias: bool = True, *, side: Side = "nodes") -> None:
        super().__init__()
        if side not in get_args(Side):
            raise ConfigError(f"side is {side!r}; {did_you_mean(side, get_args(Side))}")
        self.side = side
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

    def forward(self, x: Tensor, H: Hypergraph) -> Tensor:
        """Return X' [N, out_channels]; under autocast in its type, with float32 scales.

        One backward pass, no second derivatives; the hyperedge weights get no gradient. Isolated nodes get the bias.

        Raises:
            ShapeError: ``x`` is not [N, in_channels], or on another device than ``H``.
        """
        if x.shape != (H.num_nodes, self.in_channels):
            sizes = f"[{H.num_nodes}, {self.in_channels}]"
            raise ShapeError(f"x has shape {list(x.shape)}; expected {sizes}, a row per node of {H!r}")
        if x.device != H.device:
            raise ShapeError(f"x is on {x.device}, the hypergraph on {H.device}; bring it there with H.to(x.device)")
        # 1. nodes -> hyperedges [E, .], 2. hyperedges -> nodes [N, out]; Eq 5 is associative in Theta
        if self.side == "nodes":
            out = _gather(_gather(_product(x, self.weight), H, up=True), H, up=False)
        else:
            out = _gather(_product(_gather(x, H, up=True), self.weight), H, up=False)
        return out if self.bias is None else out + self.bias.to(out.dtype)

    def __repr__(self) -> str:
        return f"HypergraphConv({self.in_channels}, {self.out_channels}, bias={self.bias is not None})"
