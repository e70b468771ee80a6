"""The static twin of the inspector: the same scene as a plotly figure, for papermill, reports and export."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, cast, get_args

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from hyperctr.display.colours import NEUTRAL, modality_colour, translucent
from hyperctr.display.outline import joined, star_lines, tree_outline
from hyperctr.display.regions import Panel, draw_panel
from hyperctr.display.theme import line_trace, point_trace, style
from hyperctr.widgets.contrast import Contrast
from hyperctr.widgets.edges import Ints, overlap_counts
from hyperctr.widgets.multiples import Multiples
from hyperctr.widgets.scene import Scene
from hyperctr.widgets.views import known_view

Rows = Sequence[dict[str, Any]]
View = Literal["panels", "trees", "matrix", "density", "bipartite", "overlap"]
BELOW = {"orientation": "h", "x": 0, "xanchor": "left", "y": -0.02, "yanchor": "top"}
REACH = 0.014  # of an outline around its members; the picture is 2 wide


def static_figure(scene: Scene, view: View = "panels", *, overlap: Rows | None = None) -> go.Figure:
    """Draw a scene without any widget.

    Args:
        scene: what to draw.
        view: ``panels`` (regions, a panel for each modality, as :func:`hyperctr.draw`), ``trees`` (along the tree
            that joins the members), ``matrix`` (nodes by hyperedges, sorted), ``density`` (how thick nodes stand),
            ``bipartite`` (hyperedges as squares joined to their members) or ``overlap`` (UpSet: pairs shared by the
            modalities).
        overlap: ``Scenes.stats(scene)["overlap"]``, to count the whole hypergraph and not only what is shown.

    Returns:
        a figure whose ``layout.meta["edge_number"]`` lists the hyperedges drawn. One trace per modality, however
        many hyperedges: a trace each would be 70 times slower.

    Raises:
        ConfigError: an unknown view.

    >>> import hyperctr as hc
    >>> from hyperctr.widgets.scenes import Scenes
    >>> data = hc.load_dataset("planted", num_users=50, num_items=80, num_interactions=900, months=12)
    >>> scene = Scenes(data).build(delta=0.3, limit=4)
    >>> len(static_figure(scene, "matrix").layout.meta["edge_number"])
    4
    """
    view = cast(View, known_view(view, get_args(View)))
    if view == "overlap":
        chart, what = _overlap(scene, overlap), "Modalities in common"
    elif view == "matrix":
        chart, what = _matrix(scene), "Matrix of members"
    elif view == "density":
        chart, what = _density(scene), "Density"
    elif view == "panels":
        chart, what = _panels(scene), "Hypergraph"
    else:
        chart, what = _drawn(scene, view), "Hypergraph"
    counted = "counted over the whole hypergraph" if view == "overlap" and overlap is not None else scene.rule
    when = scene.slot_label or f"slot {scene.slot}"
    told = "; ".join(filter(None, [scene.query.threshold, counted]))
    style(chart, f"{what} over {scene.node_kind}s, {when}", told, height=560)
    chart.update_layout(meta={"edge_number": scene.edges.number.tolist(), "view": view, "slot": scene.slot})
    return chart.update_layout(legend=BELOW if view in ("trees", "bipartite") else BELOW | {"y": -0.14})


def difference_figure(compared: Contrast) -> go.Figure:
    """Draw what differs between two scenes: filled only in the first, hollow only in the second, grey in both.

    Returns:
        a figure whose ``layout.meta`` lists the hyperedges drawn: ``only_here``, ``only_there`` and ``both``.

    >>> import hyperctr as hc
    >>> from dataclasses import replace
    >>> from hyperctr.widgets.contrast import contrast
    >>> from hyperctr.widgets.scenes import Scenes
    >>> data = hc.load_dataset("planted", num_users=50, num_items=80, num_interactions=900, months=12)
    >>> scenes = Scenes(data)
    >>> query = scenes.query(delta=0.5, limit=9)
    >>> chart = difference_figure(contrast(scenes, query, replace(query, delta=0.3)))
    >>> chart.layout.meta["only_here"], len(chart.layout.meta["only_there"]) > 0
    ([], True)
    """
    here, there = compared.here, compared.there
    chart = go.Figure()
    common = np.flatnonzero(~compared.only_here)
    _outlines(chart, here, common, "in both", NEUTRAL, 0.15, 0.4)
    for m, name, colour in _modalities(here):
        away = np.flatnonzero(there.edges.modality == m)
        _outlines(chart, there, away, name, colour, 0.0, 0.9, ", only there", line_dash="dot")
        away = np.flatnonzero(compared.only_here & (here.edges.modality == m))
        _outlines(chart, here, away, name, colour, 0.35, 0.9, ", only here")
    _nodes(chart, there, "there")
    _nodes(chart, here, "here")
    what = [", ".join(filter(None, [s.slot_label or f"slot {s.slot}", s.query.threshold])) for s in (here, there)]
    style(chart, f"Only in {what[0]} or in {what[1]}", here.rule, height=560)
    numbers = {"only_here": here.edges.number[compared.only_here], "only_there": there.edges.number}
    numbers |= {"both": here.edges.number[common], "edge_number": compared.picture.edges.number}
    meta = {name: part.tolist() for name, part in numbers.items()}
    return chart.update_layout(meta={**meta, "view": "difference"}, legend=BELOW)


def slots_figure(shown: Multiples) -> go.Figure:
    """Draw some slots side by side, four in a row, nodes at the same places in all."""
    scene, columns = shown.picture, min(len(shown.panels), 4)
    rows = -(-len(shown.panels) // columns)
    counts = np.bincount(shown.part, minlength=len(shown.panels))
    heads = [f"{p['label']}: {count:,} of {p['total']:,}" for p, count in zip(shown.panels, counts, strict=True)]
    gaps = {"horizontal_spacing": 0.02, "vertical_spacing": 0.12 / rows}
    chart, places = make_subplots(rows, columns, subplot_titles=heads, **gaps), np.stack([scene.px[0], scene.py[0]], 1)
    for at in range(len(shown.panels)):
        for m, name, colour in _modalities(scene):
            edges = np.flatnonzero((shown.part == at) & (scene.edges.modality == m)).tolist()
            own, titles = [scene.edges.of_edge(edge) for edge in edges], [scene.edge_titles[edge] for edge in edges]
            where: dict[str, Any] = {"row": at // columns + 1, "col": at % columns + 1}
            draw_panel(chart, Panel(places, own, titles, scene.titles, colour), name=name, **where)
    words = "; ".join(filter(None, [scene.query.threshold, scene.rule]))
    style(chart, f"Slots of the hypergraph over {scene.node_kind}s", words, height=180 + 260 * rows)
    chart.update_xaxes(visible=False, range=[-1.14, 1.14])
    chart.update_yaxes(visible=False, range=[1.14, -1.14])
    meta = {"edge_number": scene.edges.number.tolist(), "part": shown.part.tolist(), "view": "slots"}
    return chart.update_layout(showlegend=False, meta=meta)


def _modalities(scene: Scene) -> list[tuple[int, str, str]]:
    """Number, name and colour of the modalities asked for."""
    names = scene.modalities
    return [(m, n, modality_colour(n, names)) for m, n in enumerate(names) if n in scene.query.modalities]


def _panels(scene: Scene) -> go.Figure:
    """One panel for each modality, in its own layout, as :func:`hyperctr.draw` draws them."""
    counts = np.bincount(scene.edges.modality, minlength=len(scene.modalities))
    shown = [row for row in _modalities(scene) if counts[row[0]]] or _modalities(scene)  # the others need no room
    heads = [f"{name}: {counts[m]:,} shown" for m, name, _ in shown]
    chart = make_subplots(1, max(len(shown), 1), subplot_titles=heads, horizontal_spacing=0.02)
    for column, (m, name, colour) in enumerate(shown, start=1):
        places = np.stack([scene.px[m], scene.py[m]], 1)
        edges = np.flatnonzero(scene.edges.modality == m).tolist()
        own, titles = [scene.edges.of_edge(edge) for edge in edges], [scene.edge_titles[edge] for edge in edges]
        draw_panel(chart, Panel(places, own, titles, scene.titles, colour), name=name, row=1, col=column)
    chart.update_layout(showlegend=False)
    chart.update_xaxes(visible=False, range=[-1.14, 1.14])
    return chart.update_yaxes(visible=False, range=[1.14, -1.14])


def _density(scene: Scene) -> go.Figure:
    """How thick the nodes stand, and each as a point."""
    chart = go.Figure()
    look = {"colorscale": "Greys", "showscale": False, "ncontours": 12, "line": {"width": 0}, "hoverinfo": "skip"}
    chart.add_histogram2dcontour(x=scene.x, y=scene.y, **look)
    marker = {"size": 3, "color": modality_colour("visual"), "opacity": 0.5}
    chart.add_scattergl(**point_trace(scene.x, scene.y, scene.titles, marker, name=f"{scene.node_kind}s"))
    chart.update_xaxes(visible=False)
    return chart.update_yaxes(visible=False, autorange="reversed")


def _drawn(scene: Scene, view: str) -> go.Figure:
    chart = go.Figure()
    for m, name, colour in _modalities(scene):
        edges = np.flatnonzero(scene.edges.modality == m)
        if view == "trees":
            _outlines(chart, scene, edges, name, colour, 0.2, 0.8)
        else:
            _stars(chart, scene, edges, name, colour)
    _nodes(chart, scene)
    return chart


def _outlines(
    chart: go.Figure,
    scene: Scene,
    edges: Ints,
    name: str,
    colour: str,
    fill: float,
    line: float,
    where: str = "",
    **look: Any,
) -> None:
    """Draw outlines of one look, as one trace; those of different modalities do not hide each other."""
    reach = [REACH * (1 + 0.4 * (m % 4)) for m in scene.edges.modality.tolist()]
    outlines = joined([tree_outline(_places(scene, edge), reach[edge]) for edge in edges.tolist()])
    look |= {"name": f"{name}{where} ({len(edges):,})", "legendgroup": name}
    inside = translucent(colour, fill) if fill else ""
    chart.add_scatter(**line_trace(outlines, translucent(colour, line), fill=inside, **look))


def _stars(chart: go.Figure, scene: Scene, edges: Ints, name: str, colour: str) -> None:
    """Join each hyperedge's middle, a square, to its members."""
    members = [_places(scene, edge) for edge in edges.tolist()]
    look = {"name": f"{name} ({len(edges):,})", "legendgroup": name}
    lines = joined([star_lines(points.mean(0), points) for points in members])
    chart.add_scatter(**line_trace(lines, translucent(colour, 0.35), 0.8, **look))
    if members:
        x, y = np.array([points.mean(0) for points in members], dtype=np.float32).T
        text = [f"{name}: {scene.edge_titles[edge]}, {scene.edges.size[edge]} members" for edge in edges]
        marker = {"symbol": "square", "size": 7, "color": colour}
        chart.add_scatter(**point_trace(x, y, text, marker, showlegend=False, **look))


def _nodes(chart: go.Figure, scene: Scene, where: str = "") -> None:
    size = np.clip(3 + 2 * np.sqrt(scene.degree), 6, 12).astype(np.float32)
    text = [f"{title}: {degree} hyperedges {where}" for title, degree in zip(scene.titles, scene.degree, strict=True)]
    marker = {"size": size, "color": NEUTRAL, "line": {"width": 0.5, "color": "white"}}
    look = {"name": f"{scene.node_kind}s", "showlegend": not where}
    chart.add_scatter(**point_trace(scene.x, scene.y, text, marker, **look))
    chart.update_xaxes(visible=False, range=[-1.06, 1.06])
    chart.update_yaxes(visible=False, range=[1.06, -1.06])  # downwards, as on a screen: the widget's picture


def _places(scene: Scene, edge: int) -> NDArray[np.float64]:
    members = scene.edges.of_edge(edge)
    return np.stack([scene.x[members], scene.y[members]], 1).astype(np.float64)


def _matrix(scene: Scene) -> go.Figure:
    """Columns are hyperedges by modality, then size; rows are nodes, the busiest on top."""
    sizes = scene.edges.size
    column = np.argsort(np.lexsort((-sizes, scene.edges.modality)))  # lexsort keeps equals in order
    row = np.argsort(np.argsort(-scene.degree, kind="stable"))
    chart, edge = go.Figure(), scene.edges.edge
    for m, name, colour in _modalities(scene):
        columns, rows = edge[scene.edges.modality[edge] == m], scene.edges.nodes[scene.edges.modality[edge] == m]
        text = [f"{name}: {scene.edge_titles[e]} with {scene.titles[v]}" for e, v in zip(columns, rows, strict=True)]
        marker = {"symbol": "square", "size": 4, "color": colour}
        chart.add_scattergl(**point_trace(column[columns], row[rows], text, marker, name=name))
    chart.update_xaxes(title_text="hyperedges: by modality, then size", rangemode="tozero")
    chart.update_yaxes(title_text=f"{scene.node_kind}s: busiest on top", autorange="reversed")
    return chart


def _overlap(scene: Scene, counted: Rows | None) -> go.Figure:
    """UpSet: a bar per combination of modalities, and below it the dots that name the combination."""
    rows = list(overlap_counts(scene.edges, scene.modalities) if counted is None else counted)
    chart = make_subplots(2, 1, shared_xaxes=True, row_heights=[0.7, 0.3], vertical_spacing=0.04)
    x, labels = np.arange(len(rows)), [" + ".join(row["modalities"]) for row in rows]
    bars = {"y": [row["count"] for row in rows], "marker_color": NEUTRAL}
    hover = "%{customdata}: %{y:,}<extra></extra>"
    chart.add_bar(x=x, customdata=labels, hovertemplate=hover, showlegend=False, **bars)
    for place, (_, name, colour) in enumerate(_modalities(scene)):
        colours = [colour if name in row["modalities"] else translucent(NEUTRAL, 0.25) for row in rows]
        dots = {"y": [place] * len(rows), "mode": "markers", "marker": {"size": 14, "color": colours}}
        chart.add_scatter(x=x, name=name, showlegend=False, hoverinfo="skip", row=2, col=1, **dots)
    names = [name for _, name, _ in _modalities(scene)]
    chart.update_xaxes(showticklabels=False, ticks="")
    chart.update_yaxes(title_text="(member, hyperedge) pairs", row=1)
    chart.update_yaxes(tickvals=list(range(len(names))), ticktext=names, range=[len(names) - 0.5, -0.5], row=2)
    return chart
