"""Fusion of the sequential and the group-aware user vector by their outer product (Eq. 6)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class TensorFusion(nn.Module):
    """``T_U[k] = sum_ij [s;1]_i W[i,j,k] [g;1]_j``: every product of an entry of s with an entry of g, and each alone.

    The outer product itself is never stored: W is first contracted with g, once per target, then with any number of s.

    Shapes:
        - s: ``[B, n, d]``; g: ``[B, d]``; output ``[B, n, d]``; the parameter ``weight[j, i, k]`` is ``W[i, j, k]``,
          ``[d+1, d+1, d]``, as it is read.

    Paper: Eq. 6.

    >>> fusion = TensorFusion(4)
    >>> fusion(torch.ones(2, 3, 4), fusion.contract(torch.ones(2, 4))).shape
    torch.Size([2, 3, 4])
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        # Gaussian weights that keep the output's scale near the inputs'.
        self.weight = nn.Parameter(torch.empty(size + 1, size + 1, size).normal_(std=1 / (size + 1)))

    def contract(self, g: Tensor) -> Tensor:
        """Return W contracted with ``[g;1]``, ``[B, d+1, d]``."""
        g = functional.pad(g, (0, 1), value=1.0)
        # [B, d+1] x [d+1, (d+1) d]
        return (g @ self.weight.flatten(1).to(g.dtype)).view(len(g), *self.weight.shape[1:])

    def forward(self, s: Tensor, contracted: Tensor) -> Tensor:
        """Return the fused user vectors ``[B, n, d]`` of ``s`` and a g that went through :meth:`contract`."""
        # The last row belongs to the constant 1. [B, n, d] x [B, d, d] + [B, 1, d]
        return torch.baddbmm(contracted[:, -1:], s.to(contracted.dtype), contracted[:, :-1])
