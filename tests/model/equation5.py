"""Eq 5 as matrices in float64: what every backend of the convolution is compared with."""

from __future__ import annotations

import torch

from hyperctr.hypergraph.incidence import Hypergraph


def dense_operator(H: Hypergraph) -> torch.Tensor:
    """D_v^-1/2 H W D_e^-1 H^T D_v^-1/2 in float64, as matrices, from the incidence list alone."""
    h = torch.zeros(H.num_nodes, H.num_hyperedges, dtype=torch.float64)
    h[H.incidence[0], H.incidence[1]] = 1.0
    w = H.weight.double()
    degree, size = h @ w, h.sum(0)
    inverse_root = torch.tensor([d**-0.5 if d > 0 else 0.0 for d in degree.tolist()], dtype=torch.float64)
    inverse_size = torch.tensor([1 / s if s > 0 else 0.0 for s in size.tolist()], dtype=torch.float64)
    return inverse_root.diag() @ h @ w.diag() @ inverse_size.diag() @ h.T @ inverse_root.diag()
