"""The static twin shows the scene's own hyperedges, and survives being written down."""

from __future__ import annotations

import json
from typing import Any, get_args

import numpy as np
import plotly.graph_objects as go
import plotly.io
import pytest

from hyperctr.errors import ConfigError
from hyperctr.reporting.theme import modality_colour
from hyperctr.widgets.scene import Scene, Scenes
from hyperctr.widgets.static import View, static_figure


@pytest.fixture(scope="module")
def scene(scenes: Scenes) -> Scene:
    return scenes.build(slot=1, limit=12)


def pieces(trace: Any) -> list[np.ndarray]:
    """The parts of a line between its gaps."""
    line = np.stack([trace.x, trace.y], 1).astype(float)
    cuts = np.flatnonzero(np.isnan(line[:, 0]))
    return [part[~np.isnan(part[:, 0])] for part in np.split(line, cuts) if len(part[~np.isnan(part[:, 0])])]


@pytest.mark.parametrize("view", get_args(View))
def test_round_trip_and_same_hyperedges(scene: Scene, view: Any) -> None:
    chart = static_figure(scene, view)
    again = plotly.io.from_json(chart.to_json())
    assert json.loads(again.to_json()) == json.loads(chart.to_json())
    assert again.layout.meta["edge_number"] == scene.edge_number.tolist()
    assert scene.rule in chart.layout.title.subtitle.text.replace("<br>", " ")
    assert scene.slot_label in chart.layout.title.text
    assert len(chart.to_json()) < 300_000


def test_hulls_hold_exactly_one_outline_a_hyperedge_around_its_members(scene: Scene) -> None:
    chart = static_figure(scene, "hulls")
    lines = [trace for trace in chart.data if trace.mode == "lines"]
    assert [trace.name for trace in lines] == [
        f"{name} ({int((scene.edge_modality == m).sum())})" for m, name in enumerate(scene.modalities)
    ]
    for m, trace in enumerate(lines):
        outlines = pieces(trace)
        own = np.flatnonzero(scene.edge_modality == m)
        assert len(outlines) == len(own)
        colour = modality_colour(scene.modalities[m]).lstrip("#")
        assert trace.fillcolor.startswith(f"rgba({','.join(str(int(colour[k : k + 2], 16)) for k in (0, 2, 4))},")
        for edge, outline in zip(own, outlines, strict=True):
            members = scene.member_positions(int(edge))
            points = np.stack([scene.x[members], scene.y[members]], 1)
            step = np.diff(outline, axis=0)
            for point in points:  # left of every side of the counter-clockwise outline
                away = point - outline[:-1]
                assert (step[:, 0] * away[:, 1] - step[:, 1] * away[:, 0] > -1e-6).all()
    dots = chart.data[-1]
    np.testing.assert_array_equal(dots.x, scene.x)


def test_bipartite_joins_each_hyperedge_to_its_members(scene: Scene) -> None:
    chart = static_figure(scene, "bipartite")
    lines = [trace for trace in chart.data if trace.mode == "lines"]
    ends = {tuple(np.round(part[1], 5)) for trace in lines for part in pieces(trace)}
    assert sum(len(pieces(trace)) for trace in lines) == len(scene.edge_nodes)
    assert ends == {tuple(np.round(place, 5)) for place in np.stack([scene.x, scene.y], 1).astype(float)}


def test_incidence_has_a_mark_for_each_member(scene: Scene) -> None:
    chart = static_figure(scene, "incidence")
    marks = [(name.name, x, y) for name in chart.data for x, y in zip(name.x, name.y, strict=True)]
    assert len(marks) == len(set(marks)) == len(scene.edge_nodes)
    columns = np.bincount([x for _, x, _ in marks])
    assert sorted(columns.tolist()) == sorted(np.diff(scene.edge_offsets).tolist())
    rows = np.bincount([y for _, _, y in marks])
    assert rows.tolist() == sorted(scene.degree.tolist(), reverse=True)


def test_overlap_bars_count_pairs(scenes: Scenes, scene: Scene) -> None:
    whole = scenes.stats(scene)["overlap"]
    chart = static_figure(scene, "overlap", overlap=whole)
    assert list(chart.data[0].y) == [row["count"] for row in whole]
    assert "the whole hypergraph" in chart.layout.title.subtitle.text.replace("<br>", " ")
    everything = scenes.build(slot=1, limit=10**6)
    assert list(static_figure(everything, "overlap").data[0].y) == [row["count"] for row in whole]
    assert sum(static_figure(scene, "overlap").data[0].y) <= len(scene.edge_nodes)


@pytest.mark.parametrize("view", get_args(View))
def test_an_empty_scene_is_a_figure_that_says_so(scenes: Scenes, view: Any) -> None:
    chart = static_figure(scenes.build(delta=1.0), view)
    assert isinstance(chart, go.Figure) and "showing 0 of 0 hyperedges" in chart.layout.title.subtitle.text


def test_an_unknown_view_is_refused(scene: Scene) -> None:
    with pytest.raises(ConfigError, match="did you mean 'hulls'"):
        static_figure(scene, "hull")  # type: ignore[arg-type]
