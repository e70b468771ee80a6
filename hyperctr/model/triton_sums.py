"""The sums of Eq 5 on CUDA, compiled by Triton; the functions of :mod:`row_sums`.

One kernel serves all: it gathers the rows that a compressed view lists, scaled on the way in and out, so that neither
scaled copies nor messages are written. Sums are float32, rows float32 or shorter. No atomics: a repeated call gives the
same bits. Few long rows are cut into segments first, or the longest one would be waited for.

With TRITON_INTERPRET=1 in the environment the kernel runs on CPU tensors, slowly, so that tests need no GPU.
"""

from __future__ import annotations

import os
from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

from hyperctr.errors import ConfigError
from hyperctr.hypergraph.arrays import CSR
from hyperctr.hypergraph.propagation import Propagation

NAME = "triton"  # of the backend
TILE, MOST_COLUMNS = 1024, 128  # numbers and columns that one program adds up at once
SEGMENT, CUT_FROM = 1024, 32  # incidences of a segment; mean incidences of a row from which rows are cut


@triton.jit
def _sum_rows(  # type: ignore[no-untyped-def]
    x,
    limit,
    columns,
    starts,
    ends,
    index,
    scale_in,
    scale_out,
    bias,
    out,
    INDEXED: tl.constexpr,
    SCALED_IN: tl.constexpr,
    SCALED_OUT: tl.constexpr,
    BIASED: tl.constexpr,
    ROWS: tl.constexpr,
    COLUMNS: tl.constexpr,
):
    row = tl.program_id(0).to(tl.int64)
    column = tl.program_id(1) * COLUMNS + tl.arange(0, COLUMNS)
    inside = column < columns
    start, end = tl.load(starts + row), tl.load(ends + row)
    total = tl.zeros([ROWS, COLUMNS], tl.float32)
    for first in range(start, end, ROWS):
        k = first + tl.arange(0, ROWS)
        source = k
        if INDEXED:
            source = tl.load(index + k, mask=k < end, other=0)
        present = (k < end) & (source < limit)  # what is hidden points past the end
        place = source.to(tl.int64)[:, None] * columns + column[None, :]
        rows = tl.load(x + place, mask=present[:, None] & inside[None, :], other=0.0).to(tl.float32)
        if SCALED_IN:
            rows = rows * tl.load(scale_in + source, mask=present, other=0.0)[:, None]
        total += rows
    result = tl.sum(total, 0)
    if SCALED_OUT:
        result = result * tl.load(scale_out + row)
    if BIASED:
        result = result + tl.load(bias + column, mask=inside, other=0.0).to(tl.float32)
    tl.store(out + row * columns + column, result.to(out.dtype.element_ty), mask=inside)


def up(x: Tensor, P: Propagation) -> Tensor:
    """Return H^T D_v^-1/2 x, [N, d] -> [E, d]."""
    return _sums(x, P, "by_hyperedge", scale_in=P.scales()[0])


def up_and_sum(x: Tensor, P: Propagation) -> tuple[Tensor, Tensor]:
    """Return H^T D_v^-1/2 x [E, d] and the sum of all rows of x [d]."""
    return up(x, P), x.sum(0)


def down(y: Tensor, P: Propagation, bias: Tensor | None = None) -> Tensor:
    """Return D_v^-1/2 H y + b, [E, d] -> [N, d]."""
    return _sums(y, P, "by_node", scale_out=P.scales()[0], bias=bias)


def propagate(x: Tensor, P: Propagation, bias: Tensor | None = None) -> Tensor:
    """Return P x + b, [N, d] -> [N, d]."""
    node, edge = P.scales()
    return down(_sums(x, P, "by_hyperedge", scale_in=node, scale_out=edge), P, bias)


def _sums(x: Tensor, P: Propagation, name: str, *, scale_in: Tensor | None = None, **after: Tensor | None) -> Tensor:
    if x.dtype not in (torch.float32, torch.bfloat16, torch.float16):
        raise ConfigError(f"the backend 'triton' adds up in float32 and has no {x.dtype}; use 'torch'")
    if not x.is_cuda and not os.environ.get("TRITON_INTERPRET"):
        raise ConfigError(f"the backend 'triton' computes on CUDA, not on {x.device}; use 'torch'")
    offsets, index = getattr(P, name)
    if len(index) < CUT_FROM * (len(offsets) - 1):
        return _launch(x, offsets[:-1], offsets[1:], x.dtype, index=index, scale_in=scale_in, **after)
    if name not in P.fixed:
        P.fixed[name] = _segments((offsets, index))
    starts, ends, parts = P.fixed[name]
    partial = _launch(x, starts, ends, torch.float32, index=index, scale_in=scale_in)
    return _launch(partial, parts[:-1], parts[1:], x.dtype, **after)


def _launch(x: Tensor, starts: Tensor, ends: Tensor, dtype: torch.dtype, **given: Tensor | None) -> Tensor:
    columns = x.shape[1]
    out = torch.empty(len(starts), columns, dtype=dtype, device=x.device)
    if not out.numel():
        return out
    width = min(triton.next_power_of_2(columns), MOST_COLUMNS)
    grid = (len(starts), triton.cdiv(columns, width))
    pointers = [out if given.get(name) is None else given[name] for name in ("index", "scale_in", "scale_out", "bias")]
    flags: dict[str, Any] = {
        "INDEXED": given.get("index") is not None,
        "SCALED_IN": given.get("scale_in") is not None,
        "SCALED_OUT": given.get("scale_out") is not None,
        "BIASED": given.get("bias") is not None,
    }
    _sum_rows[grid](x, len(x), columns, starts, ends, *pointers, out, **flags, ROWS=TILE // width, COLUMNS=width)
    return out


def _segments(view: CSR) -> tuple[Tensor, Tensor, Tensor]:
    """Cut rows into segments; return the segments' starts and ends in ``index``, and offsets [rows + 1] into them.

    There are as many as there could be at most, the last ones empty: counting them would wait for the GPU.
    """
    offsets, index = view
    sizes = offsets.diff()
    counts = (sizes + SEGMENT - 1) // SEGMENT
    parts = torch.cat([counts.new_zeros(1), counts.cumsum(0)]).int()
    numbers = torch.arange(len(sizes) + len(index) // SEGMENT, device=index.device, dtype=torch.int32)
    row = torch.searchsorted(parts, numbers, right=True) - 1
    last = (row >= len(sizes)) | (numbers >= parts[-1])
    row = row.clamp(0, max(len(sizes) - 1, 0))
    starts = offsets[row] + (numbers - parts[row]) * SEGMENT
    ends = torch.minimum(starts + SEGMENT, offsets[row + 1])
    return torch.where(last, 0, starts).int(), torch.where(last, 0, ends).int(), parts
