"""Records of incidences, nodes and edges out of matrices, tables, and the objects of XGI and HyperNetX.

Those libraries are not imported: what has their methods is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from hyperctr.errors import DataError, ShapeError, did_you_mean
from hyperctr.hypergraph.annotations import Id, Record, plain_id, plain_weight


def of_matrix(matrix: Any, nodes: Sequence[Id]) -> Record:
    """Read a scipy sparse matrix [N, E]; its values are the weights of incidences.

    Raises:
        ShapeError: it has not two dimensions, or there are more or fewer ids than rows.
        DataError: a value is no finite number >= 0, or an entry is stored twice.
    """
    if matrix.ndim != 2:
        raise ShapeError(f"the matrix has shape {list(matrix.shape)}; expected [nodes, hyperedges]")
    if nodes and len(nodes) != matrix.shape[0]:
        raise ShapeError(f"nodes has {len(nodes)} entries; expected {matrix.shape[0]}, one per row of the matrix")
    entries = matrix.tocoo()
    rows, columns, values = entries.row, entries.col, entries.data
    if values.dtype.kind not in "biuf":
        raise DataError(f"the matrix holds {values.dtype}; expected numbers")
    bad = np.flatnonzero(~(np.isfinite(values) & (values >= 0)))
    if len(bad):
        hint = (
            "; a signed matrix is of a directed hypergraph: abs(matrix) forgets directions"
            if values[bad[0]] < 0
            else ""
        )
        where = f"row {rows[bad[0]]}, column {columns[bad[0]]} of the matrix"
        raise DataError(f"{where} is {values[bad[0]].item()!r}; allowed are finite numbers >= 0{hint}")
    names = nodes or range(matrix.shape[0])
    seen: set[tuple[int, int]] = set()
    incidences: list[Record] = []
    for v, e, value in zip(rows.tolist(), columns.tolist(), values.tolist(), strict=True):
        if (v, e) in seen:
            raise DataError(f"row {v}, column {e} of the matrix is stored twice; call matrix.sum_duplicates() before")
        seen.add((v, e))
        if value:
            incidences.append({"edge": e, "node": names[v], "weight": float(value)})
    edges = [{"edge": e} for e in range(matrix.shape[1])]
    return {"incidences": _without_ones(incidences), "edges": edges, "nodes": [{"node": name} for name in names]}


def of_table(table: pd.DataFrame, columns: tuple[str, str]) -> Record:
    """Read a row for each incidence: edge, node, perhaps ``weight``; further columns are attributes.

    Raises:
        DataError: a column is missing, an id is not allowed, a weight is no finite number >= 0, or a pair repeats.
    """
    for name in columns:
        if list(table.columns).count(name) != 1:
            found = did_you_mean(name, map(str, table.columns))
            raise DataError(f"the table has not one column {name!r}; {found} (columns=(EDGE, NODE) names others)")
    more = [name for name in table.columns if name not in (*columns, "weight")]
    given = {name: table[name].tolist() for name in (*columns, *more, *(["weight"] if "weight" in table else []))}
    first: dict[tuple[Id, Id], int] = {}
    incidences: list[Record] = []
    for row in range(len(table)):
        edge, node = (_table_id(row, name, given[name][row]) for name in columns)
        if (edge, node) in first:
            both = f"rows {first[edge, node]} and {row} of the table"
            raise DataError(f"{both} both put node {node!r} on hyperedge {edge!r}; table.drop_duplicates() leaves one")
        first[edge, node] = row
        record: Record = {"edge": edge, "node": node, "attrs": _attributes((n, given[n][row]) for n in more)}
        if "weight" in given:
            record["weight"] = plain_weight(f"weight in row {row} of the table", given["weight"][row])
        incidences.append(record)
    edges = dict.fromkeys(record["edge"] for record in incidences)
    return {"incidences": _without_ones(incidences), "edges": [{"edge": e} for e in edges], "nodes": []}


def of_hypernetx(source: Any) -> Record:
    """Read a Hypergraph of HyperNetX: members, weights, and properties as attributes.

    Raises:
        DataError: an id is neither whole number nor text, or a weight is no finite number >= 0.
    """
    lists: dict[str, list[Record]] = {}
    for kind in ("edge", "node"):
        records = _rows(getattr(source, f"{kind}s").to_dataframe)
        lists[f"{kind}s"] = [{kind: plain_id(f"the id of a {kind}", name)} | record for name, record in records]
    place = {name: e for e, name in enumerate(source.incidence_dict)}  # its tables come in any order
    lists["edges"].sort(key=lambda record: place.get(record["edge"], len(place)))
    lists["nodes"] = _without_ones(lists["nodes"])
    incidences: list[Record] = []
    for (edge, node), record in _rows(source.incidences.to_dataframe):
        incidences.append(
            {"edge": plain_id("the id of an edge", edge), "node": plain_id("the id of a node", node)} | record
        )
    return lists | {"incidences": _without_ones(incidences)}


def of_xgi(source: Any) -> Record:
    """Read a Hypergraph, DiHypergraph or SimplicialComplex of XGI; the attribute ``weight`` is a hyperedge's weight.

    Raises:
        DataError: an id is neither whole number nor text.
    """
    nodes = [{"node": plain_id("the id of a node", v), "attrs": dict(attrs)} for v, attrs in _items(source.nodes.attrs)]
    edges: list[Record] = []
    for name, given in _items(source.edges.attrs):
        attrs = dict(given)
        weight = {"weight": attrs.pop("weight")} if "weight" in attrs else {}
        edges.append({"edge": plain_id("the id of a hyperedge", name), "attrs": attrs} | weight)
    directed = hasattr(source.edges, "tail")
    sides = {"tail": source.edges.tail, "head": source.edges.head} if directed else {"": source.edges.members}
    incidences: list[Record] = []
    for side, members in sides.items():
        direction = {"direction": side} if side else {}
        for edge, ids in members(dtype=dict).items():
            incidences += [{"edge": plain_id("", edge), "node": plain_id("", node)} | direction for node in ids]
    simplicial = any(kind.__name__ == "SimplicialComplex" for kind in type(source).__mro__)
    kind = "directed" if directed else "asc" if simplicial else "undirected"
    lists = {"incidences": incidences, "nodes": nodes, "edges": edges}
    return lists | {"network-type": kind, "metadata": dict(getattr(source, "_net_attr", {}))}


def _items(attrs: Any) -> Iterable[tuple[Any, Any]]:
    items: Iterable[tuple[Any, Any]] = attrs.asdict().items()
    return items


def _rows(frame: pd.DataFrame) -> Iterable[tuple[Any, Record]]:
    """Id, weight and attributes of each row of HyperNetX's tables."""
    for name, row in zip(frame.index.tolist(), frame.to_dict("records"), strict=True):
        weight = plain_weight(f"weight of {name!r}", row.pop("weight", 1))
        more = row.pop("misc_properties", None) or {}
        yield name, {"weight": weight, "attrs": _attributes((row | more).items())}


def _attributes(items: Iterable[tuple[Any, Any]]) -> Record:
    """Those that are there: tables hold NaN, None or NA for what is missing."""
    return {str(name): value for name, value in items if not (pd.api.types.is_scalar(value) and pd.isna(value))}


def _table_id(row: int, column: str, value: Any) -> Id:
    if type(value) in (int, str):  # most are: no message is made up for them
        return value  # type: ignore[no-any-return]
    if isinstance(value, float) and value.is_integer():
        raise DataError(
            f"{column} in row {row} of the table is {value!r}; make ids whole: table.astype({{{column!r}: int}})"
        )
    return plain_id(f"{column} in row {row} of the table", value)


def _without_ones(records: list[Record]) -> list[Record]:
    """Leave weights out where all are 1, as they then say nothing."""
    if any(record.get("weight", 1) != 1 for record in records):
        return records
    return [{name: value for name, value in record.items() if name != "weight"} for record in records]
