"""Hypergraphs from what people have at hand: dicts, lists of sets, matrices, tables, objects of XGI and HyperNetX.

Every reader here makes the records that a HIF file would hold, and refuses what a person cannot have meant.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import scipy.sparse

from hyperctr.errors import DataError, DataWarning, ShapeError, did_you_mean
from hyperctr.hypergraph.annotations import Id, Record, checked_ids, lookalikes, plain_id, plain_weight
from hyperctr.hypergraph.foreign import of_hypernetx, of_matrix, of_table, of_xgi
from hyperctr.hypergraph.records import assemble

if TYPE_CHECKING:
    from hyperctr.hypergraph.incidence import Hypergraph

ACCEPTED = (
    "a dict {hyperedge: members}, a list of sets, a scipy sparse matrix [nodes, hyperedges], a pandas table of "
    "incidences, or a hypergraph of XGI or HyperNetX"
)
HINTS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    ((set, frozenset), "; a set has no order, a list has"),
    ((str, bytes, Path), "; a HIF file is read by Hypergraph.from_hif(path)"),
    (np.ndarray, "; for a dense matrix [nodes, hyperedges] give scipy.sparse.csr_array(matrix)"),
)


def hypergraph_of(
    source: Any,
    make: Callable[..., Hypergraph],
    *,
    nodes: Iterable[Any] | None = None,
    weight: Mapping[Any, float] | Iterable[float] | None = None,
    columns: tuple[str, str] = ("edge", "node"),
) -> Hypergraph:
    """Read any of the accepted sources and call ``make`` with the arguments of a :class:`Hypergraph`.

    Members are ids, also where they look like numbers of rows. Hyperedges keep the source's order; nodes are those of
    ``nodes``, then the others sorted, numbers before text, so that sets give the same hypergraph every time. Of a
    matrix, rows are nodes and columns hyperedges, and stored zeros are no incidences.

    Args:
        source: a dict ``{hyperedge: members}``; a list of members; a scipy sparse matrix [N, E] of weights of
            incidences; a pandas table with a row for each incidence, of which ``weight`` is its weight and further
            columns are attributes; a Hypergraph, DiHypergraph or SimplicialComplex of XGI, or a Hypergraph of
            HyperNetX, with attributes.
        make: the class.
        nodes: ids of nodes in the order wanted, also of isolated ones; of a matrix, the ids [N] of its rows.
        weight: finite numbers >= 0, by hyperedge or [E] in order; default: ``weight`` of the objects' hyperedges, or 1.
        columns: of a table, those of hyperedge and node.

    Warns:
        DataWarning: as :func:`hyperctr.hypergraph.hif.from_hif`, for directed hypergraphs and simplicial complexes.

    Raises:
        DataError: no such source or nothing in it, an id that is neither whole number nor text, ids that hold both 1
            and "1", a member given twice, or a weight that is no finite number >= 0.
        ShapeError: ``nodes`` or ``weight`` has another length than the matrix or the hyperedges.
    """
    if scipy.sparse.issparse(source):
        content = of_matrix(source, _ids(nodes if nodes is not None else ()))
    elif isinstance(source, pd.DataFrame):
        content = of_table(source, columns)
    elif hasattr(source, "incidence_dict") and hasattr(source, "incidences"):
        content = of_hypernetx(source)
    elif hasattr(getattr(source, "edges", None), "members"):
        content = of_xgi(source)
    elif isinstance(source, Mapping):
        content = _of_members(source.items())
    else:
        hint = next((hint for kinds, hint in HINTS if isinstance(source, kinds)), "")
        if hint or not isinstance(source, Iterable) or hasattr(source, "device"):
            raise DataError(f"no hypergraph can be made of a {type(source).__name__}; give {ACCEPTED}{hint}")
        content = _of_members(enumerate(source))
    _complete(content, _ids(nodes if nodes is not None else ()))
    _set_weights(content["edges"], weight)
    arguments, annotations, notes = assemble(content)
    for note in notes:
        warnings.warn(f"the {type(source).__name__}: {note}", DataWarning, stacklevel=3)
    return make(**arguments).annotate(**vars(annotations))


def _ids(values: Iterable[Any]) -> tuple[Id, ...]:
    listed = list(values)
    return checked_ids("nodes", listed, len(listed))


def _complete(content: Record, first: Sequence[Id]) -> None:
    """List all nodes: those given, then the others sorted.

    Raises:
        DataError: there is nothing, or a number and a text read the same.
    """
    records = {record["node"]: record for record in content["nodes"]}
    for incidence in content["incidences"]:
        records.setdefault(incidence["node"], {"node": incidence["node"]})
    others = sorted(records.keys() - set(first), key=lambda name: (isinstance(name, str), name))
    content["nodes"] = [records.get(name, {"node": name}) for name in (*first, *others)]
    if not content["nodes"] and not content["edges"]:
        raise DataError("there is no hyperedge and no node; an empty hypergraph is Hypergraph([[], []], 0, 0)")
    for kind in ("node", "edge"):
        pair = lookalikes(record[kind] for record in content[f"{kind}s"])
        if pair:
            raise DataError(f"ids of {kind}s hold both {pair}; give all as numbers or all as text")


def _set_weights(edges: list[Record], weight: Mapping[Any, float] | Iterable[float] | None) -> None:
    names = {edge["edge"]: None for edge in edges}
    if isinstance(weight, Mapping):
        for name in weight:
            if name not in names:
                hint = did_you_mean(str(name), map(str, names))
                raise DataError(f"weight names {name!r}, which is no hyperedge; {hint}")
        for name in names:
            if name not in weight:
                raise DataError(f"weight lacks hyperedge {name!r}; it has to name each of the {len(names)}")
        weight = [weight[name] for name in names]
    if weight is not None:
        try:
            values = list(weight)
        except TypeError as error:
            raise DataError(f"weight is {weight!r:.60}; give a dict by hyperedge, or [E] numbers in order") from error
        if len(values) != len(edges):
            raise ShapeError(f"weight has {len(values)} entries; expected {len(edges)}, one per hyperedge")
        for edge, value in zip(edges, values, strict=True):
            edge["weight"] = value
    for edge in edges:
        if "weight" in edge:
            edge["weight"] = plain_weight(f"weight of hyperedge {edge['edge']!r}", edge["weight"])


def _of_members(items: Iterable[tuple[Any, Any]]) -> Record:
    incidences: list[Record] = []
    names: dict[Id, None] = {}
    for key, members in items:
        name = plain_id("the id of a hyperedge", key)
        if name in names:
            raise DataError(f"hyperedge {name!r} is given twice")
        names[name] = None
        if isinstance(members, str | bytes | Mapping) or not isinstance(members, Iterable):
            kind = type(members).__name__
            raise DataError(f"hyperedge {name!r} is {members!r:.60}, a {kind}; its members are a set or a list of ids")
        seen: set[Id] = set()
        for value in members:
            node = plain_id(f"a member of hyperedge {name!r}", value)
            if node in seen:
                raise DataError(f"hyperedge {name!r} holds {node!r} twice; a node is on a hyperedge once")
            seen.add(node)
            incidences.append({"edge": name, "node": node})
    return {"incidences": incidences, "edges": [{"edge": name} for name in names], "nodes": []}
