"""Places: the same for a node in every scene, found fast, and near those it shares hyperedges with."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

import hyperctr as hc
from hyperctr.display.layout import spectral_layout
from hyperctr.widgets.scenes import Scenes
from tests.small import hand_made, small


def test_a_node_never_moves(scenes: Scenes) -> None:
    for kind, asked in {
        "user": [{"slot": 0}, {"slot": 1}, {"slot": 2}, {"slot": 1, "delta": 0.6}, {"side": "item", "swap": True}],
        "item": [{"side": "item"}, {"side": "item", "slot": 2, "modalities": ["visual"]}, {"swap": True, "limit": 9}],
    }.items():
        places: dict[Any, tuple[float, float]] = {}
        for query in asked:
            scene = scenes.build(**query)  # type: ignore[arg-type]
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
    nodes, hyperedges = spectral_layout(pairs, 60, 60)
    again, _ = spectral_layout(pairs[:, ::-1], 60, 60)
    np.testing.assert_allclose(nodes, again, atol=1e-6)
    centres = np.array([nodes[group == g].mean(0) for g in range(3)])
    nearest = np.linalg.norm(nodes[:, None] - centres[None], axis=2).argmin(1)
    assert (nearest == group).mean() > 0.9
    nearest = np.linalg.norm(hyperedges[:, None] - centres[None], axis=2).argmin(1)
    assert (nearest == edges % 3).mean() > 0.9
    assert spectral_layout(np.zeros((2, 0), np.int64), 3, 0)[0].shape == (3, 2)


def test_large_layout_takes_under_a_second() -> None:
    draw = np.random.default_rng(0)
    edge = np.repeat(np.arange(5000), draw.integers(3, 12, 5000))
    pairs = np.stack([draw.integers(0, 20_000, len(edge)), edge])
    start = time.perf_counter()
    nodes, _ = spectral_layout(pairs, 20_000, 5000)
    assert time.perf_counter() - start < 1
    assert len(np.unique(nodes, axis=0)) == 20_000


def test_a_new_threshold_on_default_planted_data_is_a_matter_of_milliseconds() -> None:
    data = hc.load_dataset("planted")
    scenes = Scenes(data)
    rows = scenes.split_data.split.train  # hand-made degrees: pre-training is not what is timed
    degree = np.random.default_rng(0).random((len(rows), 3), dtype=np.float32)
    scenes.interest = hand_made_fast(scenes, degree)
    slot = int(np.bincount(scenes.split_data.slots.index[rows]).argmax())
    scenes.build(slot=slot)
    took = []
    for delta in (0.3, 0.35, 0.4, 0.45, 0.5):
        start = time.perf_counter()
        scene = scenes.build(slot=slot, delta=delta)
        scene.pack()
        scenes.stats(scene)
        took.append(time.perf_counter() - start)
    assert sorted(took)[1] < 0.15, took


def hand_made_fast(scenes: Scenes, degree: np.ndarray) -> hc.Interest:
    """Interest whose matrix nobody reads: the threshold is a plain degree."""
    small_study = small(0)
    made = hand_made(small_study.data, small_study.split, small_study.slots, small_study.interest.degree)
    shape = (len(scenes.slots), scenes.data.num_users, 3)
    values = {**vars(made), "degree": degree, "matrix": np.zeros(shape, np.float32), "modalities": scenes.modalities}
    return hc.Interest(**values)
