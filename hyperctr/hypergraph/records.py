"""Records of nodes, hyperedges and incidences, as HIF has them, put together to the arguments of one hypergraph."""

from __future__ import annotations

from typing import Any

import numpy as np

from hyperctr.hypergraph.annotations import Annotations, Id, Record, lookalikes

FIELDS = ("weight", "direction", "attrs")
LOSSLESS = 1e-6  # relative; float32 keeps 6e-8 of every weight that is neither tiny nor huge


def assemble(content: Record) -> tuple[Record, Annotations, list[str]]:
    """Number the ids of valid records, those listed first, in order of appearance, and keep the rest as annotations.

    Records of the same node, hyperedge or incidence are merged; of what they say differently the first is kept.

    Returns:
        ``incidence``, ``num_nodes``, ``num_hyperedges`` and ``weight`` as :class:`Hypergraph` takes them, what else the
        records say, and a sentence for each thing that a hypergraph of ours has no place for.
    """
    notes: list[str] = []
    nodes = _merged("node", content.get("nodes", ()), notes)
    edges = _merged("edge", content.get("edges", ()), notes)
    members = _merged("incidence", content["incidences"], notes)
    for e, v in members:
        edges.setdefault(e, {})
        nodes.setdefault(v, {})
    node_number = {name: number for number, name in enumerate(nodes)}
    edge_number = {name: number for number, name in enumerate(edges)}
    pairs = np.array([(node_number[v], edge_number[e]) for e, v in members], dtype=np.int64).reshape(-1, 2).T
    order = np.lexsort(pairs)
    incidences = list(members.values())
    incidences = [incidences[place] for place in order]
    annotations = Annotations(
        node_ids=tuple(nodes),
        hyperedge_ids=tuple(edges),
        node_weights=tuple(record.get("weight") for record in nodes.values()),
        node_attrs=tuple(record.get("attrs", {}) for record in nodes.values()),
        hyperedge_attrs=tuple(record.get("attrs", {}) for record in edges.values()),
        incidence_weights=tuple(record.get("weight") for record in incidences),
        incidence_attrs=tuple(record.get("attrs", {}) for record in incidences),
        directions=tuple(record.get("direction") for record in incidences),
        metadata=content.get("metadata", {}),
        network_type=content.get("network-type", "undirected"),
    )
    weight = np.array([float(record.get("weight", 1.0)) for record in edges.values()])
    notes += _type_notes(annotations.network_type) + _id_notes(nodes, edges)
    lost = np.abs(weight.astype(np.float32) - weight) > LOSSLESS * weight
    if lost.any():
        place = int(lost.argmax())
        first = f"first: {weight[place]} of edge {annotations.hyperedge_ids[place]!r}"
        notes.append(f"weights of edges are too small for float32 and are rounded: {lost.sum():,} ({first})")
    sizes = {"num_nodes": len(nodes), "num_hyperedges": len(edges)}
    return {"incidence": pairs[:, order], "weight": weight, **sizes}, annotations, notes


def plain(identifier: float | str) -> Id:
    """Return an id as number or text: to JSON Schema 1.0 is a whole number, too."""
    return int(identifier) if isinstance(identifier, float) else identifier


def _merged(kind: str, records: Any, notes: list[str]) -> dict[Any, Record]:
    """Return the fields of each node, edge or incidence (edge, node), in order of appearance."""
    kept: dict[Any, Record] = {}
    repeated: list[Any] = []
    differing: list[Any] = []
    for record in records:
        key: Any = (plain(record["edge"]), plain(record["node"])) if kind == "incidence" else plain(record[kind])
        new = {name: record[name] for name in FIELDS if name in record and record[name] != {}}
        old = kept.get(key)
        if old is None:
            kept[key] = new
            continue
        repeated.append(key)
        attrs, more = old.get("attrs", {}), new.get("attrs", {})
        same = all(old.get(name, new[name]) == new[name] for name in new if name != "attrs")
        if not same or any(attrs.get(name, value) != value for name, value in more.items()):
            differing.append(key)
        kept[key] = new | old | ({"attrs": more | attrs} if attrs or more else {})
    if repeated and kind == "incidence":
        notes.append(f"repeated incidences are merged: {_counted(repeated)}; a node is on a hyperedge once")
    if differing:
        notes.append(f"repeated {kind}s say different things, of which the first is kept: {_counted(differing)}")
    return kept


def _counted(keys: list[Any]) -> str:
    key = keys[0]
    first = f"edge {key[0]!r}, node {key[1]!r}" if isinstance(key, tuple) else repr(key)
    return f"{len(keys):,} (first: {first})"


def _type_notes(network_type: str) -> list[str]:
    notes = {
        "directed": "is directed: head and tail of a hyperedge are both its members; directions are kept "
        "(H.annotations.directions) and written again, but nothing is computed with them",
        "asc": "is an abstract simplicial complex: its hyperedges are those listed; other faces are not added",
    }
    return [notes[network_type]] if network_type in notes else []


def _id_notes(nodes: dict[Any, Record], edges: dict[Any, Record]) -> list[str]:
    mixed = {"node": lookalikes(nodes), "edge": lookalikes(edges)}
    return [f"{kind} ids {pair} are told apart, a number and a text" for kind, pair in mixed.items() if pair]
