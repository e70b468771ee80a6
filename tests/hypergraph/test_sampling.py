"""Neighbour sampling: limits hold on both sides, the seed decides, None is exact."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hyperctr.errors import ConfigError
from hyperctr.hypergraph.incidence import Hypergraph
from hyperctr.hypergraph.sampling import sample_neighbours


@pytest.fixture
def dense() -> Hypergraph:
    member = np.random.default_rng(0).random((60, 40)) < 0.5
    return Hypergraph(np.stack(np.nonzero(member)), 60, 40)


@pytest.mark.parametrize("limit", [2, 5, 12, 1000])
def test_no_hyperedge_and_no_node_has_more_than_the_limit(dense, limit):
    sampled = sample_neighbours(dense, limit, seed=1)
    assert int(sampled.hyperedge_size.max()) <= limit
    assert int(sampled.by_node[0].diff().max()) <= limit
    before, after = (set(zip(*H.incidence.tolist(), strict=True)) for H in (dense, sampled))
    assert after <= before
    assert 1 not in sampled.hyperedge_size.tolist()  # left alone means emptied
    assert sampled.num_hyperedges == dense.num_hyperedges


def test_members_are_filled_up_to_the_limit():
    star = Hypergraph(torch.stack([torch.arange(30), torch.zeros(30, dtype=torch.long)]), 30, 1)
    assert sample_neighbours(star, 7).hyperedge_size.tolist() == [7]
    sun = star.dual()  # one node on 30 hyperedges, each of which would be left alone
    assert sample_neighbours(sun, 7).nnz == 0


def test_the_seed_decides_and_every_member_gets_its_turn(dense):
    assert sample_neighbours(dense, 5, seed=3).same_as(sample_neighbours(dense, 5, seed=3))
    assert not sample_neighbours(dense, 5, seed=3).same_as(sample_neighbours(dense, 5, seed=4))
    star = Hypergraph(torch.stack([torch.arange(10), torch.zeros(10, dtype=torch.long)]), 10, 1)
    drawn = torch.cat([sample_neighbours(star, 5, seed=s).members(0) for s in range(400)])
    share = torch.bincount(drawn, minlength=10) / 400
    assert (share - 0.5).abs().max() < 0.11  # four standard deviations of a fair draw


def test_none_is_exact_and_zero_is_refused(dense, empty):
    assert sample_neighbours(dense, None) is dense
    assert sample_neighbours(empty, 3).same_as(empty)
    with pytest.raises(ConfigError, match="limit is 0"):
        sample_neighbours(dense, 0)
