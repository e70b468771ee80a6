"""Neighbour sampling: the paper's "size of the sampled neighbours" (Figure 6)."""

from __future__ import annotations

import torch
from torch import Tensor

from hyperctr.errors import ConfigError
from hyperctr.hypergraph import arrays
from hyperctr.hypergraph.arrays import BITS, LIMIT
from hyperctr.hypergraph.incidence import Hypergraph
from hyperctr.runtime import rng


def sample_neighbours(H: Hypergraph, limit: int | None, seed: int = 0) -> Hypergraph:
    """Keep at most ``limit`` members of every hyperedge, then at most ``limit`` hyperedges of every node.

    Every incidence draws one random priority; the lowest win on both sides. Nothing is renumbered; a
    hyperedge left with one member joins nobody and is emptied. The draw depends on seed, node kind and slot.

    Args:
        H: the hypergraph.
        limit: K >= 1, or None for the exact hypergraph (returned as it is).
        seed: of the priorities; the same seed gives the same sample on every device.

    Raises:
        ConfigError: ``limit`` is below 1.

    >>> star = Hypergraph([[0, 1, 2, 3, 4], [0, 0, 0, 0, 0]], 5, 1)
    >>> sample_neighbours(star, 3).hyperedge_size.tolist()
    [3]
    """
    if limit is None:
        return H
    if limit < 1:
        raise ConfigError(f"limit is {limit}; allowed are whole numbers from 1, or None for all neighbours")
    drawn = rng(seed, "neighbours", H.node_kind, str(H.slot)).permutation(H.nnz)
    priority = torch.from_numpy(drawn).to(H.device)
    nodes, hyperedges = H.incidence
    keep = _lowest(hyperedges, priority, limit, H.num_hyperedges)
    at = keep.nonzero()[:, 0]
    keep[at] = _lowest(nodes[at], priority[at], limit, H.num_nodes)
    return H.without(~keep)


def _lowest(rows: Tensor, priority: Tensor, limit: int, num_rows: int) -> Tensor:
    """Mark the ``limit`` entries of lowest priority in each row: bool, in the order of ``rows``."""
    keys = rows << BITS | priority  # unique, since priorities are
    ordered = arrays.sort_keys(keys)
    rank = torch.arange(len(keys), device=keys.device) - arrays.offsets(rows, num_rows)[ordered >> BITS]
    winners = torch.zeros(int(priority.max()) + 1 if len(keys) else 0, dtype=torch.bool, device=keys.device)
    winners[(ordered & LIMIT)[rank < limit]] = True
    return winners[priority]
