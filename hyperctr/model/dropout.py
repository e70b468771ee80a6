"""Dropout whose mask costs little on a CPU."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

LEVELS = 1 << 16  # a mask is drawn from 16 random bits an entry


def dropout(x: Tensor, rate: float, training: bool) -> Tensor:
    """Zero entries at random and scale the others so that the mean stays, as ``torch.nn.functional.dropout`` does.

    On a CPU that function takes most of its time for the mask. Here four entries share one random number of 64 bits,
    in a third of the time; the rate is then a multiple of 2^-16.

    Args:
        x: of any shape.
        rate: share of the entries to zero, in [0, 1).
        training: without it ``x`` comes back.

    >>> torch.manual_seed(0) and None
    >>> kept = dropout(torch.ones(100_000), 0.25, training=True)
    >>> kept.unique().tolist(), bool(abs(kept.mean() - 1) < 0.01)
    ([0.0, 1.3333333730697632], True)
    """
    if not training or not rate:
        return x
    if x.is_cuda or x.is_mps:
        return functional.dropout(x, rate)
    zeroed = min(round(rate * LEVELS), LEVELS - 1)
    bits = torch.randint(-(1 << 63), (1 << 63) - 1, (-(-x.numel() // 4),))
    kept = bits.view(torch.int16)[: x.numel()].view(x.shape) >= zeroed - LEVELS // 2
    return x * kept.to(x.dtype).mul_(LEVELS / (LEVELS - zeroed))
