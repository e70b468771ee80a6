"""Places: the same for a node in every scene, found fast, and near those it shares hyperedges with."""

from __future__ import annotations

import time
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
from scipy.spatial import cKDTree

import hyperctr as hc
from hyperctr.display import neighbour_map as module
from hyperctr.display.layout import hypergraph_maps, layered_maps, spectral_vectors
from hyperctr.display.neighbour_map import neighbour_map
from hyperctr.hypergraph.build import hypergraphs_of_slot
from hyperctr.widgets.places import places_of
from hyperctr.widgets.scenes import Scenes


def purity(places: np.ndarray, group: np.ndarray) -> float:
    """Share of the ten nearest that are of one's own group."""
    near = cKDTree(places).query(places, 11)[1][:, 1:]
    return float((group[near] == group[:, None]).mean())


def test_a_node_never_moves(scenes: Scenes) -> None:
    for kind, asked in {
        "user": [{"slot": 0}, {"slot": 1}, {"slot": 2}, {"slot": 1, "delta": 0.6}, {"side": "item", "swap": True}],
        "item": [{"side": "item"}, {"side": "item", "slot": 2, "modalities": ["visual"]}, {"swap": True, "limit": 9}],
    }.items():
        places: dict[Any, tuple[float, float]] = {}
        for query in asked:
            scene = scenes.build(**query)  # type: ignore[arg-type]
            assert scene.px.shape == scene.py.shape == (3, len(scene.nodes)) and np.abs(scene.px).max() <= 1
            assert scene.node_kind == kind and len(scene.nodes) > 1
            for node, *place in zip(scene.nodes, scene.x.tolist(), scene.y.tolist(), strict=True):
                assert places.setdefault(node, tuple(place)) == tuple(place)  # type: ignore[arg-type]
        assert len(set(places.values())) == len(places)  # and no two stand on each other
        assert np.abs(list(places.values())).max() <= 1


def test_layout_parts_groups_and_repeats_itself() -> None:
    draw = np.random.default_rng(0)
    group = np.repeat([0, 1, 2], 20)
    edges = np.arange(60)
    pairs = np.concatenate(
        [np.stack([draw.choice(np.flatnonzero(group == e % 3), 4), np.full(4, e)], 1) for e in edges]
    ).T
    joint, own = hypergraph_maps(pairs, np.arange(60) // 30, 60, 2)
    again, _ = hypergraph_maps(pairs[:, ::-1], np.arange(60) // 30, 60, 2)
    np.testing.assert_allclose(joint, again, atol=1e-3)
    for places in (joint, *own):
        assert np.abs(places).max() <= 1 and len(np.unique(places, axis=0)) == 60
        centres = np.array([places[group == g].mean(0) for g in range(3)])
        nearest = np.linalg.norm(places[:, None] - centres[None], axis=2).argmin(1)
        assert (nearest == group).mean() > 0.9
    nothing, _ = hypergraph_maps(np.zeros((2, 0), np.int64), np.zeros(0, np.int64), 3, 1)
    assert len(np.unique(nothing, axis=0)) == 3 and np.abs(nothing).max() <= 1


@pytest.mark.parametrize("count", [0, 1, 2, 3, 9])
def test_a_map_of_any_points_is_a_map(count: int) -> None:
    for points in (np.zeros((count, 4)), np.eye(max(count, 1))[:count], np.arange(float(count))[:, None]):
        places = neighbour_map(points)
        assert places.shape == (count, 2) and np.isfinite(places).all()
        assert len(np.unique(places, axis=0)) == count, "no two on each other"


@pytest.mark.parametrize(("cells", "cell", "bound"), [(600, 0.05, 0.01), (module.CELLS, module.CELL, 0.2)])
def test_the_push_on_a_grid_is_the_push_of_all_pairs(
    monkeypatch: pytest.MonkeyPatch, cells: int, cell: float, bound: float
) -> None:
    places = np.random.default_rng(0).normal(0, 6, (400, 2)).astype(np.float32)
    apart = places[:, None].astype(float) - places[None]
    near = 1 / (1 + (apart**2).sum(2))
    np.fill_diagonal(near, 0)
    exact = (apart * (near**2)[..., None]).sum(1) / near.sum()
    monkeypatch.setattr(module, "CELLS", cells)
    monkeypatch.setattr(module, "CELL", cell)
    assert np.linalg.norm(module._push(places.T).T - exact) < bound * np.linalg.norm(exact), "exact on a fine grid"


def test_maps_show_the_planted_truth() -> None:
    data = hc.load_dataset(
        "planted", num_users=240, num_items=400, num_interactions=12_000, months=12, groups=6, seed=3
    )
    rows = np.flatnonzero(data.clicked)
    truth = data.truth
    mix = truth.interest[data.user_index[rows], truth.month[rows]]
    degree = (mix / mix.max(1, keepdims=True)).astype(np.float32)  # as pre-training would find it
    joint, own = places_of(data, rows, degree, "user")
    assert purity(joint, truth.groups) > 0.6
    assert min(purity(places, truth.groups) for places in own) > 0.45
    _, own = places_of(data, rows, degree, "item")
    for m, modality in enumerate(data.modalities):
        found = [purity(places, truth.topics[modality]) for places in own]
        assert found[m] > 0.5 and found[m] == max(found), "in the right modality more than in others"


def test_maps_of_modalities_that_agree_lie_on_each_other() -> None:
    group = np.arange(300) % 5
    draw = np.random.default_rng(0)
    vectors = []
    for _ in range(2):
        label = np.where(draw.random((300, 12)) < 0.8, group[:, None] * 20, 100) + draw.integers(0, 20, (300, 12))
        vectors.append(spectral_vectors(np.repeat(np.arange(300), 12), label.ravel(), 300, 120))
    joint, own = layered_maps(vectors)
    apart = np.median(np.linalg.norm(own - joint, axis=2), axis=1)
    anyone = np.median(np.linalg.norm(joint - joint[draw.permutation(300)], axis=1))
    assert (apart < 0.35 * anyone).all(), (apart, anyone)


def test_four_times_the_nodes_take_less_than_four_times_as_long() -> None:
    """The seconds themselves are measured by bench_inspector.py."""
    draw, took = np.random.default_rng(0), []
    for nodes in (4_000, 16_000):
        edge = np.repeat(np.arange(nodes // 4), draw.integers(3, 60, nodes // 4))
        pairs = np.stack([(edge * 4 + draw.integers(0, 400, len(edge))) % nodes, edge])
        start = time.process_time()
        joint, own = hypergraph_maps(pairs, np.arange(nodes // 4) % 3, nodes, 3)
        took.append(time.process_time() - start)
        assert own.shape == (3, nodes, 2) and len(np.unique(joint, axis=0)) == nodes
    assert took[1] < 4 * took[0], took


def test_a_new_threshold_builds_one_slot_and_places_nothing(scenes: Scenes, monkeypatch: pytest.MonkeyPatch) -> None:
    """That is what makes it milliseconds, which bench_inspector.py measures."""
    scenes.build(slot=1, delta=0.31)
    build = Mock(wraps=hypergraphs_of_slot)
    monkeypatch.setattr("hyperctr.hypergraph.build.hypergraphs_of_slot", build)
    monkeypatch.setattr("hyperctr.widgets.scenes.places_of", None)  # who places anew fails
    sizes = []
    for delta in (0.51, 0.47, 0.31, 0.55):
        scene = scenes.build(slot=1, delta=delta)
        sizes.append(scenes.stats(scene)["hyperedges"])
    assert [call.args[2] for call in build.call_args_list] == [1, 1, 1], "this slot's, and nothing for one seen before"
    assert sizes[2] > sizes[1] > sizes[0] > sizes[3]
