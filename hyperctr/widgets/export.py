"""Selections as files: CSV for people and spreadsheets, HIF for XGI, HyperNetX, hypergraphx and ourselves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from hyperctr.errors import ConfigError, DataError
from hyperctr.runtime import write_atomic
from hyperctr.widgets.scene import Scene


def export_selection_csv(scene: Scene, selection: Sequence[Any] | None, path: str | Path) -> Path:
    """Write one row per selected node: ``id``, ``title``, ``degree``, ``hyperedges`` as ``modality:id`` by spaces.

    Of slots side by side, a row per slot in which the node lies on a hyperedge, with ``slot`` before all others.

    Args:
        scene: what was shown.
        selection: ids of nodes; None or empty is all nodes of the scene.
        path: file to write or replace, whole or not at all.

    Raises:
        DataError: an id is not a node of the scene.

    >>> import hyperctr as hc, tempfile
    >>> from hyperctr.widgets.scenes import Scenes
    >>> data = hc.load_dataset("planted", num_users=50, num_items=80, num_interactions=900, months=12)
    >>> scene = Scenes(data).build(delta=0.3, limit=4)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     lines = export_selection_csv(scene, scene.nodes[:2], folder + "/selection.csv").read_text().splitlines()
    >>> lines[0], len(lines)
    ('id,title,degree,hyperedges', 3)
    """
    places = _places(scene, selection)
    names = [f"{modality}:{label}" for modality, label in scene.edge_keys()]
    slots = scene.edge_slots or [""] * len(names)
    on: dict[tuple[str, int], list[str]] = {}
    for place, edge in zip(scene.edges.nodes.tolist(), scene.edges.edge.tolist(), strict=True):
        on.setdefault((slots[edge], place), []).append(names[edge])
    rows = [
        {
            "slot": slot,
            "id": scene.nodes[place],
            "title": scene.titles[place],
            "degree": len(on[slot, place]),
            "hyperedges": " ".join(on[slot, place]),
        }
        for slot in dict.fromkeys(slots)
        for place in map(int, places)
        if (slot, place) in on
    ]
    table = pd.DataFrame(rows, columns=["slot", "id", "title", "degree", "hyperedges"])
    table = table if scene.edge_slots else table.drop(columns="slot")
    write_atomic(path, table.to_csv(index=False, lineterminator="\n"))
    return Path(path)


def export_selection_hif(scene: Scene, selection: Sequence[Any] | None, path: str | Path) -> Path:
    """Write the part of the scene on the selected nodes as a HIF file; ``Hypergraph.from_hif`` reads it.

    Every hyperedge that holds a selected node is written with its selected members, modality and weight;
    ``attrs.label_id`` is the id of what it comes from. Of slots side by side, ``attrs.time_slot`` is its own; of
    several in one picture, the slot of the whole are their dates.

    Args:
        scene: what was shown.
        selection: ids of nodes; None or empty is all nodes of the scene.
        path: file to write or replace, whole or not at all.

    Raises:
        DataError: an id is not a node of the scene.
    """
    from hyperctr.hypergraph.incidence import Hypergraph

    places = _places(scene, selection)
    new = np.full(len(scene.nodes), -1)
    new[places] = np.arange(len(places))
    member, edges = new[scene.edges.nodes], scene.edges
    kept, number = np.unique(edges.edge[member >= 0], return_inverse=True)
    incidence = np.stack([member[member >= 0], number])
    slot = scene.slot_label if scene.query.slots else scene.slot
    known: dict[str, Any] = {"group_names": scene.modalities, "node_kind": scene.node_kind, "slot": slot}
    weight, group = edges.weight[kept], edges.modality[kept]
    graph = Hypergraph(incidence, len(places), len(kept), weight=weight, group=group, **known)
    if scene.edge_slots:
        graph = graph.annotate(hyperedge_attrs=[{"time_slot": scene.edge_slots[e]} for e in kept])
    labels = [scene.edge_labels[e] for e in kept]
    graph.to_hif(path, node_ids=[scene.nodes[place] for place in places], label_ids=labels)
    return Path(path)


def save_selection(scene: Scene, selection: Sequence[Any], path: str | Path) -> str:
    """Write what is selected and in the scene as CSV or HIF; say what was left out, "" if nothing.

    Raises:
        ConfigError: another ending than ``.csv`` or ``.json``.
        DataError: nothing selected is in the scene.
    """
    writers = {".csv": export_selection_csv, ".json": export_selection_hif}
    if Path(path).suffix not in writers:
        raise ConfigError(f"{path}: a selection is written as .csv or as .json (HIF)")
    kept = set(scene.nodes).intersection(selection)
    gone = f"of {len(selection):,} selected {scene.node_kind}s are on no hyperedge in this picture"
    if selection and not kept:
        raise DataError(f"all {gone}: there is nothing to write; {scene.rule}")
    writers[Path(path).suffix](scene, [name for name in selection if name in kept], path)
    missing = len(selection) - sum(name in kept for name in selection)
    return f"{missing:,} {gone}, and left out of the file" if missing else ""


def _places(scene: Scene, selection: Sequence[Any] | None) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Positions of the selected nodes, ascending, each once."""
    if not selection:
        return np.arange(len(scene.nodes))
    known = {name: place for place, name in enumerate(scene.nodes)}
    for name in selection:
        if name not in known:
            raise DataError(f"{name!r} is not among the {len(known):,} {scene.node_kind}s of this scene: {scene.rule}")
    return np.unique([known[name] for name in selection])
