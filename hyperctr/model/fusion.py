"""Fusion of the sequential and the group-aware user vector by their outer product (Eq. 6)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class TensorFusion(nn.Module):
    """``T_U[k] = sum_ij [s;1]_i W[i,j,k] [g;1]_j``: every product of an entry of s with an entry of g, and each alone.

    The outer product itself is never stored: W is first contracted with s, then with g.

    Shapes:
        - s, g: ``[B, d]``; output ``[B, d]``; weight W ``[d+1, d+1, d]``.

    Paper: Eq. 6.

    >>> fusion = TensorFusion(4)
    >>> fusion(torch.ones(2, 4), torch.ones(2, 4)).shape
    torch.Size([2, 4])
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        # Gaussian weights that keep the output's scale near the inputs'.
        self.weight = nn.Parameter(torch.empty(size + 1, size + 1, size).normal_(std=1 / (size + 1)))

    def forward(self, s: Tensor, g: Tensor) -> Tensor:
        """Return the fused user vectors, ``[B, d]``."""
        # Step 1: append the constant 1. [B, d] -> [B, d+1]
        s, g = functional.pad(s, (0, 1), value=1.0), functional.pad(g, (0, 1), value=1.0)
        # Step 2: contract W with s. [B, d+1] x [d+1, (d+1) d] -> [B, d+1, d]
        part = (s @ self.weight.flatten(1).to(s.dtype)).view(len(s), *self.weight.shape[1:])
        # Step 3: contract with g. [B, 1, d+1] x [B, d+1, d] -> [B, d]
        return torch.bmm(g[:, None].to(part.dtype), part).squeeze(1)
