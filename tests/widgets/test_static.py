"""The static twin shows the scene's edges hyperedges, and survives being written down."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, get_args

import numpy as np
import plotly.graph_objects as go
import plotly.io
import pytest

from hyperctr.display.outline import convex_outline, spanning_tree
from hyperctr.display.theme import modality_colour
from hyperctr.errors import ConfigError
from hyperctr.widgets.contrast import contrast
from hyperctr.widgets.scene import Scene
from hyperctr.widgets.scenes import Scenes
from hyperctr.widgets.static import REACH, View, difference_figure, static_figure


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
    assert again.layout.meta["edge_number"] == scene.edges.number.tolist()
    assert scene.rule in chart.layout.title.subtitle.text.replace("<br>", " ")
    assert scene.slot_label in chart.layout.title.text
    assert len(chart.to_json()) < 300_000


def windings(outline: np.ndarray, points: np.ndarray) -> np.ndarray:
    """How often a closed outline goes round each point; not 0 is inside, as it is filled."""
    away = outline[None] - points[:, None]
    angle = np.arctan2(away[..., 1], away[..., 0])
    turn = (np.diff(angle, axis=1) + np.pi) % (2 * np.pi) - np.pi
    return np.rint(turn.sum(1) / (2 * np.pi)).astype(int)


def test_outlines_are_one_a_hyperedge_that_holds_its_members_and_no_one_apart(scene: Scene) -> None:
    chart = static_figure(scene, "trees")
    lines = [trace for trace in chart.data if trace.mode == "lines"]
    assert [trace.name for trace in lines] == [
        f"{name} ({int((scene.edges.modality == m).sum())})" for m, name in enumerate(scene.modalities)
    ]
    every = np.stack([scene.x, scene.y], 1).astype(float)
    strangers = covered = 0
    for m, trace in enumerate(lines):
        edges = np.flatnonzero(scene.edges.modality == m)
        outlines = pieces(trace)
        assert len(outlines) == len(edges)
        colour = modality_colour(scene.modalities[m]).lstrip("#")
        assert trace.fillcolor.startswith(f"rgba({','.join(str(int(colour[k : k + 2], 16)) for k in (0, 2, 4))},")
        for edge, outline in zip(edges, outlines, strict=True):
            members = scene.edges.of_edge(int(edge))
            inside = windings(outline, every) != 0
            assert inside[members].all()
            tree = every[members][spanning_tree(every[members])]  # [n - 1, 2 ends, 2]
            start, side = tree[:, 0], tree[:, 1] - tree[:, 0]
            along = ((every[:, None] - start) * side).sum(2) / (side**2).sum(1)
            far = np.linalg.norm(every[:, None] - start - np.clip(along, 0, 1)[..., None] * side, axis=2).min(1)
            assert not inside[far > 3 * REACH].any()
            inside[members] = False
            strangers += int(inside.sum())
            covered += int((windings(convex_outline(every[members], REACH), every) != 0).sum() - len(members))
    assert strangers < covered / 2, "a convex hull takes in whoever stands between"
    dots = chart.data[-1]
    np.testing.assert_array_equal(dots.x, scene.x)


def test_the_difference_is_drawn_as_the_widget_shows_it(scenes: Scenes) -> None:
    query = scenes.query(slot=1, delta=0.4, limit=12)
    other = replace(query, slot=0, delta=0.5)
    compared = contrast(scenes, query, other)
    numbers = [set(scenes.whole(asked).number.tolist()) for asked in (query, other)]
    chart = difference_figure(compared)
    meta = chart.layout.meta
    assert set(meta["only_here"]) <= numbers[0] - numbers[1] and len(meta["only_here"]) == 4
    assert set(meta["only_there"]) <= numbers[1] - numbers[0] and len(meta["only_there"]) == 4
    assert set(meta["both"]) <= numbers[0] & numbers[1] and len(meta["both"]) == 4
    assert compared.counts["only_a"] == len(numbers[0] - numbers[1])
    lines = {trace.name: trace for trace in chart.data if trace.mode == "lines"}
    for kind, filled in (("only here", True), ("only there", False), ("in both", True)):
        traces = [trace for name, trace in lines.items() if kind in name]
        assert sum(len(pieces(trace)) for trace in traces) == 4
        assert all((trace.fill == "toself") == filled for trace in traces)
    text = chart.layout.title.text.replace("<br>", " ")
    assert scenes.slots[0] in text and scenes.slots[1] in text and "δ = 0.5" in text
    assert f"4 of {compared.counts['only_b']:,} hyperedges only there" in chart.layout.title.subtitle.text.replace(
        "<br>", " "
    )
    same = contrast(scenes, query, query)
    assert not same.only_here.any() and len(same.there) == 0 and len(same.here) == 12
    assert difference_figure(same).layout.meta["only_there"] == []


def test_bipartite_joins_each_hyperedge_to_its_members(scene: Scene) -> None:
    chart = static_figure(scene, "bipartite")
    lines = [trace for trace in chart.data if trace.mode == "lines"]
    ends = {tuple(np.round(part[1], 5)) for trace in lines for part in pieces(trace)}
    assert sum(len(pieces(trace)) for trace in lines) == len(scene.edges.nodes)
    assert ends == {tuple(np.round(place, 5)) for place in np.stack([scene.x, scene.y], 1).astype(float)}


def test_the_matrix_has_a_mark_for_each_member(scene: Scene) -> None:
    chart = static_figure(scene, "matrix")
    marks = [(name.name, x, y) for name in chart.data for x, y in zip(name.x, name.y, strict=True)]
    assert len(marks) == len(set(marks)) == len(scene.edges.nodes)
    columns = np.bincount([x for _, x, _ in marks])
    assert sorted(columns.tolist()) == sorted(np.diff(scene.edges.offsets).tolist())
    rows = np.bincount([y for _, _, y in marks])
    assert rows.tolist() == sorted(scene.degree.tolist(), reverse=True)


def test_overlap_bars_count_pairs(scenes: Scenes, scene: Scene) -> None:
    whole = scenes.stats(scene)["overlap"]
    chart = static_figure(scene, "overlap", overlap=whole)
    assert list(chart.data[0].y) == [row["count"] for row in whole]
    assert "the whole hypergraph" in chart.layout.title.subtitle.text.replace("<br>", " ")
    everything = scenes.build(slot=1, limit=10**6)
    assert list(static_figure(everything, "overlap").data[0].y) == [row["count"] for row in whole]
    assert sum(static_figure(scene, "overlap").data[0].y) <= len(scene.edges.nodes)


@pytest.mark.parametrize("view", get_args(View))
def test_an_empty_scene_is_a_figure_that_says_so(scenes: Scenes, view: Any) -> None:
    chart = static_figure(scenes.build(delta=1.0), view)
    assert isinstance(chart, go.Figure) and "showing 0 of 0 hyperedges" in chart.layout.title.subtitle.text


def test_an_unknown_view_is_refused(scene: Scene) -> None:
    with pytest.raises(ConfigError, match="did you mean 'trees'"):
        static_figure(scene, "tree")  # type: ignore[arg-type]


def test_panels_have_a_region_a_hyperedge_and_a_dot_a_member(scene: Scene) -> None:
    chart = static_figure(scene)
    for m in range(len(scene.modalities)):
        own = [trace for trace in chart.data if trace.xaxis == ("x" if m == 0 else f"x{m + 1}")]
        edges = np.flatnonzero(scene.edges.modality == m).tolist()
        lines = [piece for trace in own if trace.mode == "lines" for piece in pieces(trace)]
        regions = [line for line in lines if len(line) > 3 and (line[0] == line[-1]).all()]
        places = np.stack([scene.px[m], scene.py[m]], 1).astype(float)
        members = sorted({int(i) for edge in edges for i in scene.edges.of_edge(edge)})
        assert len(regions) == len(edges) > 0
        for edge in edges:
            inside = [(windings(line, places[scene.edges.of_edge(edge)]) != 0).mean() for line in regions]
            assert max(inside) > 0.5, "a stray member hangs on by an arm"
        dots = [trace for trace in own if trace.mode == "markers"][-1]
        drawn = {tuple(place) for place in np.stack([dots.x, dots.y], 1).astype(float).round(5).tolist()}
        assert drawn == {tuple(place) for place in places[members].round(5).tolist()}
