"""Figures about hypergraphs: one drawn, how large they are slot by slot, and how the degrees are spread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import plotly.express as px
import plotly.graph_objects as go
from numpy.typing import NDArray

from hyperctr.data.titles import titles
from hyperctr.display.figure import Figure
from hyperctr.display.hypergraph import draw
from hyperctr.display.theme import modality_colour, need_columns, slot_axis, style

if TYPE_CHECKING:
    from hyperctr.hypergraph.incidence import Hypergraph
    from hyperctr.runs.session import Session

PANELS = {
    "hyperedges": "hyperedges",
    "mean_size": "members per<br>hyperedge (mean)",
    "covered": "share of nodes<br>on a hyperedge",
}


def hypergraph(session: Session, kind: str, slot: int = -1, *, limit: int = 15) -> Figure:
    """Draw the ``"user"`` or ``"item"`` hypergraph of a slot, nodes and hyperedges named as people know them.

    A hyperedge bears the name of the item (of users' hyperedges) or user it comes from.

    Args:
        session: holds the hypergraphs.
        kind: which hypergraph.
        slot: -1: the one with most training clicks.
        limit: how many hyperedges, the largest of each modality.

    Raises:
        ConfigError: there is no such slot.
    """
    slot = session.slot_number(slot)
    title = f"{kind.capitalize()} hypergraph, {session.slots.labels[slot]}"
    H, labels = session.hypergraphs[kind][slot], session.labels(kind)
    sources = titles(session.data)["item" if kind == "user" else "user"]
    names = [sources[source] for source in H.label.tolist()]
    chart = draw(H, limit=limit, title=title, node_labels=labels, hyperedge_labels=names)
    return Figure(chart, f"{kind}_hypergraph")


def sizes(session: Session, kind: str) -> Figure:
    """Number, mean size and reach of the hyperedges of the ``"user"`` or ``"item"`` hypergraphs, slot by slot."""
    frame = session.sizes(kind)
    count = int(frame["hyperedges"].sum())
    members = float(frame["incidences"].sum() / max(count, 1))
    headline = {"slots": session.slots.count, f"{kind} hyperedges": count, f"{kind}s per hyperedge": members}
    chart = draw_sizes(frame, title=f"{kind.capitalize()} hypergraphs over time")
    return Figure(chart, f"{kind}_sizes", frame, headline=headline)


def draw_sizes(summary: pd.DataFrame, *, title: str = "Hypergraphs over time") -> go.Figure:
    """Draw, per slot and modality, the number of hyperedges, their mean size and how many nodes they reach.

    Args:
        summary: one row per slot and modality with columns ``slot`` (label, in time order), ``modality``,
            ``hyperedges``, ``mean_size``, ``covered`` (0 to 1); `hypergraph.stats.summary` makes it.
        title: of the figure.

    Raises:
        ShapeError: a column is missing.

    >>> row = {"slot": "a", "modality": "visual", "hyperedges": 4, "mean_size": 2.5, "covered": 0.5}
    >>> [panel.y.tolist() for panel in draw_sizes(pd.DataFrame([row])).data]
    [[4.0], [2.5], [0.5]]
    """
    need_columns(summary, "slot", "modality", *PANELS)
    names = list(dict.fromkeys(summary["modality"]))
    rows = summary[["slot", "modality", *PANELS]].astype(dict.fromkeys(PANELS, np.float32))
    panels = rows.rename(columns=PANELS).melt(["slot", "modality"], var_name="panel")
    axes = {"x": "slot", "y": "value", "facet_col": "panel", "facet_col_spacing": 0.07}
    chart = px.line(panels, **axes, **_lines(names), labels={"value": "", "modality": ""})
    chart.for_each_annotation(lambda title: title.update(text=title.text.removeprefix("panel="), font_size=13))
    style(chart, title, "one line per modality", height=430, margin={"t": 128}, legend={"y": 1.22})
    chart.update_xaxes(slot_axis(list(dict.fromkeys(summary["slot"])), most=4))
    chart.update_yaxes(matches=None, showticklabels=True, rangemode="tozero")
    return chart


def degrees(session: Session, kind: str) -> Figure:
    """How many nodes of the ``"user"`` or ``"item"`` hypergraphs lie on how many hyperedges."""
    frame = degree_frame(session.hypergraphs[kind])
    return Figure(draw_degrees(frame, title=f"Degrees of {kind}s"), f"{kind}_degrees", frame)


def degree_frame(hypergraphs: Sequence[Hypergraph]) -> pd.DataFrame:
    """Count, over all slots, the nodes that lie on k hyperedges of a modality.

    Returns:
        columns ``modality``, ``degree`` (k, 0 included) and ``nodes`` ((node, slot) pairs).
    """
    counts: dict[str, NDArray[np.int64]] = {}
    for H in hypergraphs:
        node, edge = np.asarray(H.incidence, dtype=np.int64)
        group = np.asarray(H.group, dtype=np.int64)[edge]
        for m, name in enumerate(H.group_names):
            degree = np.bincount(np.bincount(node[group == m], minlength=H.num_nodes))
            before = counts.get(name, np.zeros(0, np.int64))
            size = max(len(before), len(degree))
            counts[name] = np.pad(before, (0, size - len(before))) + np.pad(degree, (0, size - len(degree)))
    frames = [
        pd.DataFrame({"modality": name, "degree": np.flatnonzero(count), "nodes": count[count > 0]})
        for name, count in counts.items()
    ]
    return pd.concat(frames, ignore_index=True)


def draw_degrees(degrees: pd.DataFrame, *, title: str = "Degrees of the nodes") -> go.Figure:
    """Draw the share of nodes that lie on at least k hyperedges, per modality, on logarithmic axes.

    Args:
        degrees: columns ``modality``, ``degree`` (k >= 0) and ``nodes`` ((node, slot) pairs with it).
        title: of the figure.

    Raises:
        ShapeError: a column is missing.

    >>> frame = pd.DataFrame({"modality": "visual", "degree": [0, 1, 3], "nodes": [5, 3, 1]})
    >>> draw_degrees(frame).data[0].y.tolist()
    [1.0, 0.25]
    """
    need_columns(degrees, "modality", "degree", "nodes")
    names = list(dict.fromkeys(degrees["modality"]))
    on_none = degrees.loc[degrees["degree"] == 0, "nodes"].sum() / max(degrees["nodes"].sum(), 1)
    rows = degrees[degrees["degree"] > 0].sort_values("degree", ascending=False)
    nodes = rows.groupby("modality", sort=False)["nodes"]
    share = (nodes.cumsum() / nodes.transform("sum")).astype(np.float32)
    shares = rows.assign(degree=rows["degree"].astype(np.float32), share=share)[::-1]
    labels = {"degree": "hyperedges a node lies on (k)", "share": "share of nodes on k or more", "modality": ""}
    chart = px.line(shares, x="degree", y="share", **_lines(names), labels=labels)
    words = f"of the nodes that lie on a hyperedge; {on_none:.0%} of (node, slot, modality) triples lie on none"
    style(chart, title, words).update_traces(marker_size=5)
    chart.update_xaxes(type="log", tickvals=[step * 10**power for power in range(7) for step in (1, 2, 5)])
    chart.update_yaxes(type="log", dtick=1)
    return chart


def _lines(names: Sequence[str]) -> dict[str, Any]:
    """What plotly express needs for a line per modality, in our colours."""
    colours = {name: modality_colour(name, names) for name in names}
    return {"color": "modality", "category_orders": {"modality": names}, "color_discrete_map": colours, "markers": True}
