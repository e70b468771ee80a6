"""A handful of tiny hypergraphs, written out, that every test of this folder can name."""

from __future__ import annotations

import pytest
import torch

from hyperctr.hypergraph.incidence import COLUMNS, PLAIN, Hypergraph


def same(a: Hypergraph, b: Hypergraph) -> bool:
    """Tell whether both hold exactly the same incidences, weights, groups, labels, names and slot."""
    return all(getattr(a, name) == getattr(b, name) for name in PLAIN) and all(
        torch.equal(getattr(a, name), getattr(b, name)) for name in ("incidence", *COLUMNS)
    )


@pytest.fixture
def pair() -> Hypergraph:
    """Two hyperedges {0, 1, 2} and {1, 3} of unequal weight; node 4 is isolated."""
    return Hypergraph([[3, 0, 2, 1, 1], [1, 0, 0, 0, 1]], 5, 2, weight=[1.0, 0.5])


@pytest.fixture
def modal() -> Hypergraph:
    """Slot 3 of a user hypergraph: items 7 and 9 in two modalities, hyperedge 3 empty, user 4 isolated."""
    return Hypergraph(
        [[0, 1, 2, 1, 3, 0, 1], [0, 0, 0, 1, 1, 2, 2]],
        num_nodes=5,
        num_hyperedges=4,
        weight=[1.0, 0.1, 0.75, 0.5],
        group=[0, 0, 1, 1],
        label=[7, 9, 7, 9],
        group_names=("visual", "acoustic"),
        node_kind="user",
        slot=3,
    )


@pytest.fixture
def empty() -> Hypergraph:
    """Three nodes, two hyperedges, no incidence."""
    return Hypergraph(torch.zeros(2, 0, dtype=torch.long), 3, 2)
