"""HIF files (Hypergraph Interchange Format), which XGI, HyperNetX and hypergraphx read, too.

HIF is one JSON object with the lists ``incidences``, ``nodes`` and ``edges``, whose records have ids, ``weight`` and
free ``attrs``, and with ``network-type`` and ``metadata``. Files that we wrote bear the key ``hyperctr`` in their
metadata. Only there do ``attrs`` hold keys of ours: ``index``, as some writers do not keep the order; ``weight``, as
some readers keep nothing but ``attrs``; ``modality``, ``label``, ``slot``. An attribute of the same name that is not
ours lies under ``attributes``.
"""

from __future__ import annotations

import json
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hyperctr.errors import DataError, DataWarning, HyperCTRError
from hyperctr.hypergraph.annotations import Id, Record, checked_ids
from hyperctr.hypergraph.arrays import LIMIT
from hyperctr.hypergraph.convert import hyperedge_attributes
from hyperctr.hypergraph.hif_schema import KEYS, MARK, read_hif_content
from hyperctr.hypergraph.records import assemble, plain
from hyperctr.runtime import write_atomic

if TYPE_CHECKING:
    from hyperctr.hypergraph.incidence import Hypergraph


def to_hif(H: Hypergraph, path: str | Path, *, node_ids: Any = None, label_ids: Any = None) -> None:
    """Write a HIF file, all nodes and hyperedges listed, whole or not at all.

    ``node_ids`` are the data set's ids (integers or text, unique) to write instead of ``H.node_ids``; ``label_ids``
    those of what hyperedges come from, looked up by ``H.label`` and written as ``attrs.label_id`` beside the index.

    Raises:
        ShapeError: there are fewer or more ids than nodes, or fewer label ids than labels.
        DataError: an id is given twice or is neither whole number nor text, two groups have the same name, or an
            attribute is not JSON.
    """
    notes, names = H.annotations, H.node_ids
    if node_ids is not None:
        names = checked_ids("node_ids", node_ids, H.num_nodes)
    if len(set(H.group_names)) < len(H.group_names):
        raise DataError(f"{path}: not written, as groups share a name: {', '.join(H.group_names)}; see group_names=...")
    labels = None if label_ids is None else _label_ids(H, label_ids)
    nodes = [
        _record({"node": name}, _at(notes.node_weights, v), {"index": v} | _renamed(_at(notes.node_attrs, v, {})))
        for v, name in enumerate(names)
    ]
    edges: list[Record] = []
    for e, known in enumerate(hyperedge_attributes(H)):
        known["weight"] = float(str(np.float32(known["weight"])))  # 0.1, not 0.10000000149011612
        attrs: Record = {"index": e} | known | _renamed(_at(notes.hyperedge_attrs, e, {}))
        if labels is not None:
            attrs["label_id"] = labels[known["label"]]
        edges.append(_record({"edge": H.hyperedge_ids[e]}, known["weight"], attrs))
    incidences: list[Record] = []
    for place, (v, e) in enumerate(zip(*H.incidence.cpu().tolist(), strict=True)):
        direction = _at(notes.directions, place)
        ids = {"edge": H.hyperedge_ids[e], "node": names[v]} | ({"direction": direction} if direction else {})
        incidences.append(_record(ids, _at(notes.incidence_weights, place), _at(notes.incidence_attrs, place, {})))
    mark: Record = {"version": 1, "node_kind": H.node_kind, "slot": H.slot, "modalities": list(H.group_names)}
    mark |= {name: value for name, value in notes.metadata.items() if name == MARK}  # not ours, of the same name
    lists = {"incidences": incidences, "nodes": nodes, "edges": edges}
    content = {"network-type": notes.network_type, "metadata": notes.metadata | {MARK: mark}} | lists
    try:
        text = json.dumps(content, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise DataError(f"{path}: not written, as an attribute cannot be JSON ({error})") from error
    write_atomic(path, text)


def _at(column: tuple[Any, ...], place: int, default: Any = None) -> Any:
    return column[place] if column else default


def _record(ids: Record, weight: float | None, attrs: Record) -> Record:
    return ids | ({} if weight is None else {"weight": weight}) | ({"attrs": attrs} if attrs else {})


def _renamed(attrs: Record) -> Record:
    """Put attributes that are called like keys of ours aside."""
    taken = {name: value for name, value in attrs.items() if name in KEYS}
    return {k: v for k, v in attrs.items() if k not in taken} | {"attributes": taken} if taken else attrs


def _label_ids(H: Hypergraph, label_ids: Any) -> tuple[Id, ...]:
    size = int(H.label.max()) + 1 if H.num_hyperedges else 0
    return checked_ids("label_ids", label_ids, max(len(label_ids), size), unique=False)


def from_hif(path: str | Path, make: Callable[..., Hypergraph]) -> Hypergraph:
    """Read a HIF file, ours or another library's, and call ``make`` with the arguments of a :class:`Hypergraph`.

    All valid files are read. Nodes and hyperedges are numbered as listed, then in order of appearance; a hyperedge
    without ``weight`` has 1. In a file of ours ``attrs.index`` gives the order, and modality, label and slot are read.
    What else the file says is kept in ``H.annotations``: ids, attributes, weights of nodes and incidences, directions.

    Warns:
        DataWarning: repeated incidences are merged, the network is directed or ``asc`` (an abstract simplicial
            complex), or the file says something else that is not what it was; with counts and the first example.

    Raises:
        DataError: no such file, no JSON, or no valid HIF: the message names the file, the JSON path, the value there
            and what is allowed; or a hyperedge's weight is negative, for which W of Eq 5 has no place.
    """
    path = Path(path)
    content, written_by_us = read_hif_content(path)
    try:
        if written_by_us:
            mark = content["metadata"][MARK]
            content, known = _without_ours(content)
            arguments, annotations, notes = assemble(content)
            arguments |= _our_arguments(mark, [known.get(name, {}) for name in annotations.hyperedge_ids])
        else:
            arguments, annotations, notes = assemble(content)
            notes += _weights_among_attrs(content)
        H = make(**arguments).annotate(**vars(annotations))
    except HyperCTRError as error:
        raise DataError(f"{path}: {error}") from error
    for note in notes:
        warnings.warn(f"{path}: {note}", DataWarning, stacklevel=3)
    return H


def _without_ours(content: Record) -> tuple[Record, dict[Id, Record]]:
    """Return the content in our order and without our keys, and those keys of each hyperedge."""
    modalities = content["metadata"][MARK]["modalities"]
    lists: dict[str, list[Record]] = {}
    edges: dict[Id, Record] = {}
    for kind in ("node", "edge"):
        indexed: list[tuple[int, Record]] = []
        for place, record in enumerate(content.get(f"{kind}s", [])):
            attrs = dict(record.get("attrs", {}))
            ours = {name: attrs.pop(name) for name in KEYS if name in attrs}
            theirs = record | {"attrs": attrs | ours.get("attributes", {})}
            if kind == "edge":
                edges.setdefault(plain(record["edge"]), ours)
                theirs.setdefault("weight", ours.get("weight", 1.0))
                if ours.setdefault("modality", modalities[0]) not in modalities:
                    allowed = ", ".join(modalities)
                    raise DataError(f"$.edges[{place}].attrs.modality is {ours['modality']!r}; allowed: {allowed}")
            indexed.append((ours.get("index", LIMIT), theirs))
        indices = Counter(index for index, _ in indexed if index < LIMIT)
        index, times = indices.most_common(1)[0] if indices else (0, 0)
        if times > 1:
            raise DataError(f"$.{kind}s[*].attrs.index is {index} for {times} records; each has a number of its own")
        lists[f"{kind}s"] = [record for _, record in sorted(indexed, key=lambda entry: entry[0])]
    metadata = {name: value for name, value in content["metadata"].items() if name != MARK}
    metadata |= {name: value for name, value in content["metadata"][MARK].items() if name == MARK}
    return content | lists | {"metadata": metadata}, edges


def _our_arguments(mark: Record, edges: list[Record]) -> Record:
    names = mark["modalities"]
    return {
        "group": [names.index(record.get("modality", names[0])) for record in edges],
        "label": [int(record.get("label", e)) for e, record in enumerate(edges)],
        "group_names": tuple(names),
        "node_kind": mark["node_kind"],
        "slot": mark["slot"],
    }


def _weights_among_attrs(content: Record) -> list[str]:
    """Say which weights are attributes only: HIF has weights beside attributes."""
    edges = content.get("edges", [])
    places = [e for e, edge in enumerate(edges) if "weight" in edge.get("attrs", {}) and "weight" not in edge]
    if not places:
        return []
    return [
        f"$.edges[{places[0]}].attrs.weight is kept as an attribute, and the weight is 1 ({len(places):,} edges "
        "in all); to have it as the weight, read a file that XGI wrote with Hypergraph.of(xgi.read_hif(path))"
    ]
