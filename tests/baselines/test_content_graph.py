"""Nearest items by content: against all similarities sorted one item at a time, in blocks of any size."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hyperctr.baselines import content_graph
from hyperctr.baselines.content_graph import ContentGraph
from hyperctr.data.features import FeatureTable
from tests.baselines.dense_graphs import dense_alike


@pytest.mark.parametrize("most", [1, 100, 2**22])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("k", [1, 4, 50])
def test_propagation_equals_the_dense_graph(weighted: bool, k: int, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content_graph, "MOST_SIMILARITIES", most)  # of one item, or of some, or of all at a time
    draw = np.random.default_rng(0)
    table = FeatureTable("visual", draw.standard_normal((30, 5)), draw.random(30) < 0.8)
    graph, x = ContentGraph(table, k, weighted=weighted), draw.standard_normal((30, 3))
    found = graph(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(found, dense_alike(table, k, weighted=weighted) @ x, rtol=0, atol=1e-6)
    assert (found[~table.present] == 0).all()
    assert ((graph.weight > 0).sum(1) <= k).all() and graph.index.shape == (30, min(k, 30))


def test_an_item_is_its_own_nearest_beside_its_copies() -> None:
    table = FeatureTable("visual", np.repeat(np.eye(3), 4, axis=0))
    graph = ContentGraph(table, 2)
    assert graph.index[:, 0].tolist() == list(range(12))
    assert (graph.index[:, 1] // 4 == torch.arange(12) // 4).all()
