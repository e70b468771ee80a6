"""Hypergraphs for other libraries: networkx, PyG, and HIF files that XGI, HyperNetX and hypergraphx read.

HIF (Hypergraph Interchange Format) is one JSON object with ``network-type``, ``metadata`` and the lists ``incidences``,
``nodes`` and ``edges``, whose records may carry ``weight`` and free ``attrs``. We repeat weight and slot in the
``attrs`` of every hyperedge, because some readers keep nothing else, and store each number as ``index``, because some
writers do not keep the order. What went through another library comes back the same.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from hyperctr.errors import DataError, HyperCTRError, ShapeError
from hyperctr.runtime import write_atomic

if TYPE_CHECKING:
    import networkx
    from torch_geometric.data.hypergraph_data import HyperGraphData

    from hyperctr.hypergraph.incidence import Hypergraph

Record = dict[str, Any]
Made = TypeVar("Made")


def to_networkx(H: Hypergraph) -> networkx.Graph:
    """Return the bipartite graph of members: node v is ``v``, hyperedge e is ``num_nodes + e``.

    Nodes carry ``bipartite=0`` and ``kind``; hyperedges ``bipartite=1``, ``modality``, ``weight``, ``label``
    and, if there is one, ``slot``. Isolated nodes and empty hyperedges are kept.

    >>> import hyperctr as hc
    >>> graph = to_networkx(hc.Hypergraph([[0, 2], [0, 0]], 3, 1, weight=[0.5]))
    >>> sorted(graph[3]), graph.nodes[3]["weight"]
    ([0, 2], 0.5)
    """
    import networkx

    graph = networkx.Graph(node_kind=H.node_kind, **({} if H.slot is None else {"slot": H.slot}))
    graph.add_nodes_from(range(H.num_nodes), bipartite=0, kind=H.node_kind)
    for e, attributes in enumerate(_hyperedge_attributes(H)):
        graph.add_node(H.num_nodes + e, bipartite=1, kind="hyperedge", **attributes)
    nodes, edges = H.incidence.cpu().tolist()
    graph.add_edges_from(zip(nodes, (H.num_nodes + e for e in edges), strict=True))
    return graph


def to_pyg(H: Hypergraph) -> HyperGraphData:
    """Return PyG's hypergraph: ``edge_index`` [2, nnz], ``num_nodes`` and three tensors [E].

    These are ``hyperedge_weight`` (W), ``hyperedge_group`` and ``hyperedge_label``. PyG's own ``num_edges``
    forgets empty hyperedges at the end and fails without incidences, so hand its layers
    ``num_edges=len(data.hyperedge_weight)``, and mind that its HypergraphConv is not Eq 5.

    >>> import hyperctr as hc
    >>> to_pyg(hc.Hypergraph([[0, 2], [0, 0]], 3, 1)).edge_index.tolist()
    [[0, 2], [0, 0]]
    """
    from torch_geometric.data.hypergraph_data import HyperGraphData

    columns = {"hyperedge_weight": H.weight, "hyperedge_group": H.group, "hyperedge_label": H.label}
    return HyperGraphData(edge_index=H.incidence, num_nodes=H.num_nodes, **columns)


def _hyperedge_attributes(H: Hypergraph) -> list[Record]:
    slot = {} if H.slot is None else {"slot": H.slot}
    columns = (H.group.tolist(), H.weight.tolist(), H.label.tolist())
    return [{"modality": H.group_names[m], "weight": w, "label": k} | slot for m, w, k in zip(*columns, strict=True)]


def to_hif(H: Hypergraph, path: str | Path, *, node_ids: Any = None, label_ids: Any = None) -> None:
    """Write a HIF file, all nodes and hyperedges listed, whole or not at all.

    ``node_ids`` are the data set's ids (integers or text, unique) to write instead of 0..N-1; ``label_ids`` those of
    what hyperedges come from, looked up by ``H.label`` and written as ``attrs.label_id`` beside the index.

    Raises:
        ShapeError: there are fewer or more ids than nodes, or fewer label ids than labels.
        DataError: a node id is given twice, or an id is neither whole number nor text.
    """
    names = _ids("node_ids", node_ids, H.num_nodes)
    (most, count), *_ = Counter(names).most_common(1) or [(None, 0)]
    if count > 1:
        raise DataError(f"node_ids holds {most!r} {count} times; ids must be unique")
    attributes = enumerate(_hyperedge_attributes(H))
    edges: list[Record] = [{"edge": e, "weight": a["weight"], "attrs": {"index": e} | a} for e, a in attributes]
    if label_ids is not None:
        size = int(H.label.max()) + 1 if H.num_hyperedges else 0
        labels = _ids("label_ids", label_ids, max(len(label_ids), size))
        for edge in edges:
            edge["attrs"]["label_id"] = labels[edge["attrs"]["label"]]
    nodes, numbers = H.incidence.cpu().tolist()
    content = {
        "network-type": "undirected",
        "metadata": {"node_kind": H.node_kind, "slot": H.slot, "modalities": list(H.group_names)},
        "incidences": [{"edge": e, "node": names[v]} for v, e in zip(nodes, numbers, strict=True)],
        "nodes": [{"node": name, "attrs": {"index": v}} for v, name in enumerate(names)],
        "edges": edges,
    }
    write_atomic(path, json.dumps(content, ensure_ascii=False, allow_nan=False))


def _ids(name: str, values: Any, length: int) -> list[Any]:
    ids = list(range(length)) if values is None else np.asarray(values).tolist()
    if len(ids) != length:
        raise ShapeError(f"{name} has {len(ids)} entries; expected {length}")
    for place, value in enumerate(ids):
        if not isinstance(value, int | str):
            raise DataError(f"{name}[{place}] is {value!r}; allowed in HIF are whole numbers and text")
    return ids


def from_hif(path: str | Path, make: Callable[..., Made]) -> Made:
    """Read a HIF file, ours or another library's, and call ``make`` with the arguments of a :class:`Hypergraph`.

    Numbers come from ``attrs.index`` where all records have it, else from the order of appearance; weight
    defaults to 1, modality to a single group, label to the hyperedge's number.

    Raises:
        DataError: no such file, no JSON, or no undirected HIF; the message names the file and the key.
    """
    path = Path(path)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error
    except ValueError as error:
        raise DataError(f"{path}: is not a JSON file ({error})") from error
    try:
        return make(**_parse(content))
    except HyperCTRError as error:
        raise DataError(f"{path}: {error}") from error


def _parse(content: Any) -> Record:
    if not isinstance(content, dict):
        raise DataError(f"holds a JSON {type(content).__name__}; a HIF file is one object with the key 'incidences'")
    kind = content.get("network-type", "undirected")
    if kind != "undirected":
        raise DataError(f"key 'network-type' is {kind!r}; only 'undirected' can be read")
    if "incidences" not in content:
        raise DataError("key 'incidences' is missing")
    metadata = content.get("metadata", {})
    if not isinstance(metadata, dict):
        raise DataError(f"key 'metadata' is {metadata!r:.60}; expected an object")
    incidences = _records(content, "incidences", ("edge", "node"))
    node_records, edge_records = _records(content, "nodes", ("node",)), _records(content, "edges", ("edge",))
    nodes = _numbers("nodes", "node", node_records, incidences)
    edges = _numbers("edges", "edge", edge_records, incidences)
    listed = {record["edge"]: (place, record) for place, record in enumerate(edge_records)}
    weight, label, names = np.ones(len(edges)), np.arange(len(edges)), [""] * len(edges)
    slots = set()
    for name, e in edges.items():
        place, record = listed.get(name, (-1, {}))
        attributes = record.get("attrs", {})
        where = f"edges[{place}]"
        weight[e] = _number(f"{where}.weight", record.get("weight", attributes.get("weight", 1.0)), (int, float))
        label[e] = _number(f"{where}.attrs.label", attributes.get("label", e), (int,))
        names[e] = str(attributes.get("modality", ""))
        slots.add(attributes.get("slot"))
    modalities = metadata.get("modalities") or sorted(set(names) - {""})
    if not isinstance(modalities, list) or not set(names) - {""} <= set(map(str, modalities)):
        raise DataError(f"key 'metadata.modalities' is {modalities!r}; the hyperedges name {sorted(set(names))}")
    number = {str(text): m for m, text in enumerate(modalities)}
    slot = metadata.get("slot", slots.pop() if len(slots) == 1 else None)
    if not isinstance(slot, int | str | None):
        raise DataError(f"key 'metadata.slot' is {slot!r}; expected a whole number, a text or null")
    pairs = [[nodes[r["node"]] for r in incidences], [edges[r["edge"]] for r in incidences]]
    return {
        "incidence": np.array(pairs, dtype=np.int64).reshape(2, -1),
        "num_nodes": len(nodes),
        "num_hyperedges": len(edges),
        "weight": weight,
        "group": [number.get(name, 0) for name in names],
        "label": label,
        "group_names": tuple(number),
        "node_kind": str(metadata.get("node_kind", "node")),
        "slot": slot,
    }


def _records(content: Record, key: str, required: tuple[str, ...]) -> list[Record]:
    """Return the list of records under ``key``, each checked for its ids; absent means empty."""
    records = content.get(key, [])
    if not isinstance(records, list):
        raise DataError(f"key '{key}' is {records!r:.60}; expected a list of objects")
    for place, record in enumerate(records):
        for name in required:
            value = record.get(name) if isinstance(record, dict) else None
            if not isinstance(value, int | str) or isinstance(value, bool):
                raise DataError(f"key '{key}[{place}].{name}' is {value!r:.60}; expected a whole number or a text")
        if not isinstance(record.get("attrs", {}), dict):
            raise DataError(f"key '{key}[{place}].attrs' is {record['attrs']!r:.60}; expected an object")
    return records


def _numbers(key: str, name: str, records: list[Record], incidences: list[Record]) -> dict[int | str, int]:
    """Number the ids: by ``attrs.index`` where every id has one, else in order of appearance."""
    order: dict[int | str, int] = {}
    for record in (*records, *incidences):
        order.setdefault(record[name], len(order))
    given = {record[name]: record.get("attrs", {}).get("index") for record in records}
    if None in given.values() or len(given) < len(order):
        return order
    if sorted(given.values(), key=repr) != sorted(range(len(order)), key=repr):
        raise DataError(f"key '{key}[].attrs.index' must hold each number 0..{len(order) - 1} exactly once")
    return given


def _number(key: str, value: Any, types: tuple[type, ...]) -> Any:
    if not isinstance(value, types) or isinstance(value, bool):
        expected = "a number" if float in types else "a whole number"
        raise DataError(f"key '{key}' is {value!r:.60}; expected {expected}")
    return value
