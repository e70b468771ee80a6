"""The hypergraph convolution of Eq 5, computed without ever holding one message per incidence.

``P = D_v^-1/2 H W D_e^-1 H^T D_v^-1/2`` is applied as two sums over compressed rows (nodes -> hyperedges ->
nodes) and diagonal scalings. H is binary, so a sum over a row is a bag of embeddings: ``F.embedding_bag`` is
a sparse-dense product without values. P is symmetric, so the backward pass is the forward pass applied to the
gradient, and nothing has to be kept between the two.
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hyperctr.errors import ShapeError
from hyperctr.hypergraph.arrays import CSR
from hyperctr.hypergraph.incidence import Hypergraph


def _row_sums(x: Tensor, csr: CSR) -> Tensor:
    """Sum the rows of ``x`` listed in each row of ``csr``: [rows of x, d] -> [rows of csr, d]."""
    offsets, index = csr
    return F.embedding_bag(index, x, offsets, mode="sum", include_last_offset=True)


def _apply(x: Tensor, H: Hypergraph) -> Tensor:
    """P x, [N, d] -> [N, d], outside of autograd. The scales stay float32 when x is bfloat16."""
    node_scale, edge_scale = H.scales(torch.promote_types(x.dtype, torch.float32))
    scaled = (x * node_scale).to(x.dtype)  # [N, d]  D_v^-1/2 x
    edges = _row_sums(scaled, H.by_hyperedge).mul_(edge_scale)  # [E, d]  W D_e^-1 H^T ...
    return _row_sums(edges, H.by_node).mul_(node_scale)  # [N, d]  D_v^-1/2 H ...


class _Propagate(torch.autograd.Function):
    """P x with the gradient P^T g = P g."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, H: Hypergraph) -> Tensor:
        ctx.hypergraph = H
        return _apply(x, H)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        return _apply(grad.contiguous(), ctx.hypergraph), None


def propagate(x: Tensor, H: Hypergraph) -> Tensor:
    """Return P x of Eq 5, without weights to learn: the smoothing over hyperedges alone.

    Args:
        x: node features [N, d] of any floating type; half precision is scaled in float32. One backward pass
            (no second derivatives); the hyperedge weights get no gradient.
        H: hypergraph over N nodes, on the device of ``x``. Isolated nodes get zeros.

    Raises:
        ShapeError: ``x`` is not [N, d], or on another device than ``H``.

    >>> H = Hypergraph([[0, 1], [0, 0]], num_nodes=3, num_hyperedges=1)
    >>> propagate(torch.tensor([[2.0], [4.0], [9.0]]), H).tolist()
    [[3.0], [3.0], [0.0]]
    """
    if x.dim() != 2 or x.shape[0] != H.num_nodes:
        raise ShapeError(f"x has shape {list(x.shape)}; expected [{H.num_nodes}, d], a row per node of {H!r}")
    if x.device != H.device:
        raise ShapeError(
            f"x is on {x.device}, the hypergraph on {H.device}; bring it there with H.to(x.device)"
        )
    result: Tensor = _Propagate.apply(x, H)  # type: ignore[no-untyped-call]
    return result


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
        in_channels: size of an input row.
        out_channels: size of an output row.
        bias: learn and add :math:`\mathbf{b}`.

    Attributes:
        weight: :math:`\mathbf{\Theta}` [in_channels, out_channels], Glorot-uniform at the start.
        bias: :math:`\mathbf{b}` [out_channels], zeros at the start, or None.

    Shapes:
        - input: node features :math:`(N, F_{in})`, hypergraph over :math:`N` nodes
        - output: node features :math:`(N, F_{out})`
    """

    def __init__(self, in_channels: int, out_channels: int, bias: bool = True) -> None:
        super().__init__()
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

        Raises:
            ShapeError: ``x`` is not [N, in_channels], or on another device than ``H``.
        """
        if x.dim() != 2 or x.shape[1] != self.in_channels:
            raise ShapeError(f"x has shape {list(x.shape)}; expected [{H.num_nodes}, {self.in_channels}]")
        out = propagate(x @ self.weight, H)
        return out if self.bias is None else out + self.bias.to(out.dtype)

    def __repr__(self) -> str:
        return f"HypergraphConv({self.in_channels}, {self.out_channels}, bias={self.bias is not None})"
