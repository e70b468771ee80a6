"""`hc.draw` draws any hypergraph and says what it left out; places and outlines are right, whatever the points are."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import plotly.graph_objects as go
import plotly.io as pio
import pytest
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial.distance import pdist, squareform

import hyperctr as hc
from hyperctr.display.colours import MODALITY_COLOURS, tint, translucent
from hyperctr.display.hypergraph import largest_hyperedges
from hyperctr.display.layout import spread
from hyperctr.display.outline import convex_outline, spanning_tree, tree_outline
from hyperctr.display.regions import core_of
from hyperctr.errors import ConfigError, DataError, ShapeError


def hypergraph() -> hc.Hypergraph:
    """Five users and one alone; visual: {0, 1, 2} and {3, 4}; acoustic: {1, 2, 3, 4} and {0, 4}."""
    node = [0, 1, 2, 3, 4, 1, 2, 3, 4, 0, 4]
    edge = [0, 0, 0, 1, 1, 2, 2, 2, 2, 3, 3]
    names = ("visual", "acoustic")
    return hc.Hypergraph([node, edge], 6, 4, group=[0, 0, 1, 1], group_names=names, node_kind="user")


def random_hypergraph(nodes: int, hyperedges: int, groups: int) -> hc.Hypergraph:
    draw = np.random.default_rng(0)
    pairs = np.stack([draw.integers(0, nodes, 5 * hyperedges), draw.integers(0, hyperedges, 5 * hyperedges)])
    return hc.Hypergraph(np.unique(pairs, axis=1), nodes, hyperedges, group=draw.integers(0, groups, hyperedges))


def subtitle(chart: go.Figure) -> str:
    """The line under the title, unbroken."""
    return str(chart.layout.title.subtitle.text.replace("<br>", " "))


def test_a_drawing_shows_the_largest_of_each_modality_and_says_how_many() -> None:
    H = hypergraph()
    assert largest_hyperedges(H.incidence.numpy(), H.group.numpy(), 2).tolist() == [0, 2]
    chart = hc.draw(H, limit=2)
    assert "showing 2 of 4 hyperedges (largest by size)" in subtitle(chart)
    assert "5 of 6 users" in subtitle(chart)
    assert [note.text for note in chart.layout.annotations] == ["visual: 1 of 2", "acoustic: 1 of 2"]
    region, names, others, points = chart.data[:4]
    assert np.isnan(region.x[-1]) and region.line.color == translucent(tint(MODALITY_COLOURS["visual"], 0), 0.85)
    assert names.text == ("0",) and points.text == ("user 0", "user 1", "user 2") and len(others.x) == 2
    for x, y in np.stack([points.x, points.y], 1):
        assert np.nanmin(region.x) < x < np.nanmax(region.x) and np.nanmin(region.y) < y < np.nanmax(region.y)
    assert hc.draw(H, limit=2).to_json() == chart.to_json(), "no chance in the layout"


@pytest.mark.parametrize("shape", ["hull", "star"])
def test_drawings_survive_json_and_keep_the_colours(shape: Any) -> None:
    chart = hc.draw(hypergraph(), limit=3, shape=shape, title="Title")
    assert json.loads(pio.from_json(chart.to_json()).to_json()) == json.loads(chart.to_json())
    assert chart.layout.title.text == "Title"
    assert MODALITY_COLOURS["visual"] == next(trace for trace in chart.data if len(trace.x) == 5).marker.color
    stars = next(trace for trace in hc.draw(hypergraph(), limit=1, shape="star").data if trace.mode == "lines")
    assert np.isnan(stars.x).sum() == 4 + 1, "a line to each of the four members"


@pytest.mark.parametrize("limit", [1, 15, 5000])
@pytest.mark.parametrize("shape", ["hull", "star"])
@pytest.mark.parametrize(
    ("H", "words"),
    [
        (hc.Hypergraph([[], []], 0, 0), "0 of 0 hyperedges and 0 of 0 nodes"),
        (hc.Hypergraph([[], []], 1, 0), "0 of 0 hyperedges and 0 of 1 nodes"),
        (hc.Hypergraph([[0], [0]], 1, 1), "1 of 1 hyperedges and 1 of 1 nodes"),
        (hc.Hypergraph([[0, 1, 2], [0, 1, 2]], 3, 3), "of 3 hyperedges"),
        (hc.Hypergraph([[0, 2], [1, 1]], 3, 3), "1 of 3 hyperedges"),
        (random_hypergraph(3000, 3000, 1), "of 3,000 hyperedges"),
        (random_hypergraph(100, 90, 60), "of 90 hyperedges"),
    ],
    ids=["empty", "one node", "one member", "single members", "empty hyperedges", "thousands", "sixty groups"],
)
def test_any_hypergraph_is_a_figure(H: hc.Hypergraph, words: str, shape: Any, limit: int) -> None:
    chart = hc.draw(H, shape=shape, limit=limit)
    assert words in subtitle(chart)
    drawn = sum(np.isfinite(np.asarray(trace.x, float)).sum() for trace in chart.data if trace.mode == "markers")
    assert f"and {drawn:,} of" in subtitle(chart) and len(chart.data) <= 20 + 3
    pio.from_json(chart.to_json())


def test_hyperedges_without_members_are_told() -> None:
    assert "1 of 3 hyperedges (the others are empty)" in subtitle(hc.draw(hc.Hypergraph([[0, 2], [1, 1]], 3, 3)))


def test_wrong_arguments_are_refused() -> None:
    H: Any = hypergraph()
    with pytest.raises(ConfigError, match="limit=0 draws nothing; use at least 1"):
        hc.draw(H, limit=0)
    with pytest.raises(ConfigError, match="shape 'hul': did you mean 'hull'"):
        hc.draw(H, shape="hul")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="takes one Hypergraph, not a list"):
        hc.draw([H])  # type: ignore[arg-type]
    for other in ({"cats": ["ann"]}, "zoo.json"):
        with pytest.raises(DataError, match=r"hc\.Hypergraph\.of\(\.\.\.\).*hc\.Hypergraph\.from_hif\("):
            hc.draw(other)  # type: ignore[arg-type]
    with pytest.raises(ShapeError, match="node_labels has 2 entries; the hypergraph has 6 nodes"):
        hc.draw(H, node_labels=["a", "b"])
    with pytest.raises(ShapeError, match="hyperedge_labels has 1 entries; the hypergraph has 4 hyperedges"):
        hc.draw(H, hyperedge_labels=["a"])


def test_hyperedges_have_tints_and_names_where_there_is_room() -> None:
    H = hypergraph()
    chart = hc.draw(H, hyperedge_labels=["one", "two", "three", "a title that is too long to be written"])
    regions = [trace for trace in chart.data if trace.mode == "lines"]
    assert len({trace.line.color for trace in regions}) == 4, "each its own"
    names = [text for trace in chart.data if trace.mode == "text" for text in trace.text]
    assert {"one", "two", "three"} <= {*names} and all(len(name) <= 22 for name in names)
    assert len({tint("#0072B2", rank) for rank in range(20)}) == 20
    crowd = hc.draw(random_hypergraph(40, 60, 1), limit=60)
    x, y, text = next((trace.x, trace.y, trace.text) for trace in crowd.data if trace.mode == "text")
    assert 3 < len(text) < 60, "no name on another"
    apart = [abs(y[a] - y[b]) > 0.1 or abs(x[a] - x[b]) > 0.02 for a in range(len(x)) for b in range(a)]
    assert all(apart)


def test_a_stray_member_hangs_on_by_an_arm() -> None:
    points = np.array([[0.0, 0.0], [0.1, 0.05], [0.0, 0.1], [0.9, 0.9]])
    assert core_of(points).tolist() == [True, True, True, False]
    assert core_of(points[:1]).all() and core_of(np.zeros((5, 2))).all()


def test_points_that_share_hyperedges_lie_together_and_nobody_on_top() -> None:
    members = [(node, edge) for edge in range(3) for node in range(10 * edge, 10 * edge + 10)]
    incidence = np.array(members).T
    nodes = spread(np.zeros((30, 2)), incidence, 3)
    distance = np.linalg.norm(nodes[:, None] - nodes[None], axis=2)
    same = np.arange(30)[:, None] // 10 == np.arange(30)[None] // 10
    apart = ~np.eye(30, dtype=bool)
    assert distance[same & apart].mean() < 0.5 * distance[~same].mean()
    assert distance[apart].min() > 0.02
    assert np.abs(nodes).max() <= 1 + 1e-9


POINTS = {
    "scattered": np.random.default_rng(0).normal(size=(20, 2)),
    "few": np.random.default_rng(1).normal(size=(4, 2)),
    "on a line": np.stack([np.arange(9.0)] * 2, 1),
    "a lattice, full of ties": np.stack(np.divmod(np.arange(20), 5), 1).astype(float),
    "each twice": np.repeat(np.random.default_rng(2).normal(size=(6, 2)), 2, axis=0),
    "next to each other": 1 + 1e-12 * np.random.default_rng(3).normal(size=(9, 2)),
    "all in one place": np.array([[1.0, 2.0]] * 7),
    "one": np.zeros((1, 2)),
}


@pytest.mark.parametrize("points", POINTS.values(), ids=POINTS)
def test_a_convex_outline_holds_its_points(points: np.ndarray[Any, Any]) -> None:
    outline = convex_outline(points, 0.1)
    assert np.allclose(outline[0], outline[-1])
    for point in points:  # a point is inside a convex outline if it lies left of every edge
        edge, to = np.diff(outline, axis=0), point - outline[:-1]
        assert (edge[:, 0] * to[:, 1] - edge[:, 1] * to[:, 0] > -1e-12).all()


@pytest.mark.parametrize("points", POINTS.values(), ids=POINTS)
def test_a_tree_is_the_shortest_there_is_and_its_outline_keeps_near(points: np.ndarray[Any, Any]) -> None:
    pairs = spanning_tree(points)
    assert len(pairs) == len(points) - 1
    length = np.linalg.norm(points[pairs[:, 0]] - points[pairs[:, 1]], axis=1).sum()
    apart = squareform(pdist(np.unique(points, axis=0)))  # a length of 0 is no edge for scipy
    assert length == pytest.approx(minimum_spanning_tree(apart).sum(), abs=1e-9)
    outline = tree_outline(points, 0.1)
    away = np.linalg.norm(outline[:, None] - points, axis=2).min(0)
    assert np.allclose(outline[0], outline[-1]) and (away > 0.1 - 1e-9).all() and (away < 0.1 / 0.35 + 1e-9).all()
