"""The two sums of Eq 5 in plain torch, on any device: nodes into hyperedges, hyperedges into nodes.

H is binary, so each sum adds up rows of its input: ``F.embedding_bag`` over a compressed view is a sparse-dense product
without values, which holds no message per incidence. Each is the other's transpose. :mod:`fused` and :mod:`triton_sums`
offer the same functions.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from hyperctr.hypergraph.arrays import CSR
from hyperctr.hypergraph.propagation import Propagation

NAME = "torch"  # of the backend
WIDE_NODES, WIDE = 1 << 16, 4


def is_wide(P: Propagation) -> bool:
    """Tell whether there are so many more nodes than hyperedges that rows of nodes should be touched no more than once.

    From sizes alone, and never for small hypergraphs: what is chosen by it rounds differently, and no click may show.
    """
    return P.num_nodes >= max(WIDE_NODES, WIDE * P.num_hyperedges)


def row_sums(x: Tensor, view: CSR, scale: Tensor | None = None) -> Tensor:
    """Add up the rows of ``x`` listed in each row of ``view``: [columns, d] -> [rows, d]."""
    offsets, index = view
    return F.embedding_bag(index, x, offsets, mode="sum", include_last_offset=True, per_sample_weights=scale)


def up(x: Tensor, P: Propagation) -> Tensor:
    """Return H^T D_v^-1/2 x, [N, d] -> [E, d]."""
    precise = torch.promote_types(x.dtype, torch.float32)  # float32 even for bfloat16 rows
    if is_wide(P) and x.dtype == precise:  # a factor per incidence instead of a scaled copy of x
        nodes, scale = P.scaled_members(precise)
        return row_sums(x, (P.by_hyperedge[0], nodes), scale)
    scale = P.scales(precise)[0]
    if not P.padded:
        return row_sums((x * scale).to(x.dtype), P.by_hyperedge)
    return row_sums(_with_zero_row(x, scale), P.by_hyperedge)


def up_and_sum(x: Tensor, P: Propagation) -> tuple[Tensor, Tensor]:
    """Return H^T D_v^-1/2 x [E, d] and the sum of all rows of x [d]."""
    return up(x, P), x.sum(0)


def down(y: Tensor, P: Propagation, bias: Tensor | None = None) -> Tensor:
    """Return D_v^-1/2 H y + b, [E, d] -> [N, d]."""
    out = row_sums(_with_zero_row(y) if P.padded else y, P.by_node)
    scale = P.scales(torch.promote_types(y.dtype, torch.float32))[0]
    if bias is None or scale.dtype != out.dtype:
        out.mul_(scale)
        return out if bias is None else out.add_(bias)
    return torch.addcmul(bias, out, scale, out=out)


def propagate(x: Tensor, P: Propagation, bias: Tensor | None = None) -> Tensor:
    """Return P x + b, [N, d] -> [N, d]."""
    edge_scale = P.scales(torch.promote_types(x.dtype, torch.float32))[1]
    return down(up(x, P).mul_(edge_scale), P, bias)


def _with_zero_row(x: Tensor, scale: Tensor | None = None) -> Tensor:
    padded = x.new_empty(len(x) + 1, x.shape[1])
    if scale is None:
        padded[:-1] = x
    else:
        padded[:-1] = x * scale
    padded[-1] = 0
    return padded
