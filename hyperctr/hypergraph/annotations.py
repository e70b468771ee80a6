"""What came with a hypergraph beyond its incidences: ids, attributes, weights of nodes and incidences.

All of it is kept beside the tensors, as plain tuples that no computation reads, and written again by ``H.to_hif``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import compress
from typing import Any, Self

import numpy as np

from hyperctr.errors import DataError, ShapeError

Id = int | str
Record = dict[str, Any]
LARGEST = float(np.finfo(np.float32).max)
OF_NODES = ("node_ids", "node_weights", "node_attrs")
OF_HYPEREDGES = ("hyperedge_ids", "hyperedge_attrs")
OF_INCIDENCES = ("incidence_weights", "incidence_attrs", "directions")


@dataclass(frozen=True, kw_only=True)
class Annotations:
    """Columns of nodes [N], hyperedges [E] and incidences [nnz], the latter in the order of ``H.incidence``.

    An empty column says that nobody has such a thing. Hyperedges have their weight in ``H.weight``.

    Args:
        node_ids: whole numbers or text, each once; empty means 0..N-1.
        hyperedge_ids: the same of hyperedges; empty means 0..E-1.
        node_weights: a number or None for each node.
        node_attrs: free attributes of each node, by name; they must be JSON to be written.
        hyperedge_attrs: the same of hyperedges.
        incidence_weights: a number or None for each incidence; the convolution ignores them, as H of Eq 5 is binary.
        incidence_attrs: free attributes of each incidence.
        directions: ``head``, ``tail`` or None for each incidence of a directed hypergraph.
        metadata: free attributes of the whole.
        network_type: ``undirected``, ``directed`` or ``asc``, as HIF has it.
    """

    node_ids: tuple[Id, ...] = ()
    hyperedge_ids: tuple[Id, ...] = ()
    node_weights: tuple[float | None, ...] = ()
    node_attrs: tuple[Record, ...] = ()
    hyperedge_attrs: tuple[Record, ...] = ()
    incidence_weights: tuple[float | None, ...] = ()
    incidence_attrs: tuple[Record, ...] = ()
    directions: tuple[str | None, ...] = ()
    metadata: Record = field(default_factory=dict)
    network_type: str = "undirected"

    def checked(self, num_nodes: int, num_hyperedges: int, nnz: int) -> Self:
        """Return the same with tuples as columns, those that say nothing empty.

        Raises:
            ShapeError: a column has another length than what it is of.
            DataError: an id repeats, or is neither whole number nor text.
        """
        columns: Record = {}
        sizes = ((OF_NODES, num_nodes), (OF_HYPEREDGES, num_hyperedges), (OF_INCIDENCES, nnz))
        for name, length in ((name, length) for names, length in sizes for name in names):
            values = getattr(self, name)
            if len(values) == 0:
                continue
            if name.endswith("_ids"):
                ids = checked_ids(name, values, length)
                columns[name] = () if ids == tuple(range(length)) else ids
                continue
            if len(values) != length:
                raise ShapeError(f"{name} has {len(values)} entries; expected {length}")
            says_something = any(value is not None and value != {} for value in values)
            columns[name] = tuple(values) if says_something else ()
        return replace(self, **columns)

    def kept(self, incidences: Any, hyperedges: Any = None) -> Self:
        """Return what is left of the columns where the bool masks [nnz] and [E] (default: all) hold."""
        masks: Record = dict.fromkeys(OF_INCIDENCES, incidences)
        if hyperedges is not None:
            masks |= dict.fromkeys(OF_HYPEREDGES, hyperedges)
        chosen = {name: mask for name, mask in masks.items() if getattr(self, name)}
        if not chosen:
            return self
        columns: Record = {name: tuple(compress(getattr(self, name), m.tolist())) for name, m in chosen.items()}
        return replace(self, **columns)


def checked_ids(name: str, values: Iterable[Any], length: int, unique: bool = True) -> tuple[Id, ...]:
    """Return ids as plain numbers and text.

    Raises:
        ShapeError: there are more or fewer than ``length``.
        DataError: one is neither whole number nor text, or repeats.
    """
    ids = tuple(plain_id(f"{name}[{place}]", value) for place, value in enumerate(values))
    if len(ids) != length:
        raise ShapeError(f"{name} has {len(ids)} entries; expected {length}")
    if unique and len(set(ids)) < len(ids):
        most, count = Counter(ids).most_common(1)[0]
        raise DataError(f"{name} holds {most!r} {count} times; ids must be unique")
    return ids


def plain_id(where: str, value: Any) -> Id:
    """Return one id as a Python number or text.

    Raises:
        DataError: it is anything else.

    >>> import numpy as np
    >>> plain_id("node_ids[0]", np.int64(7))
    7
    """
    plain = _python(value)
    if isinstance(plain, bool) or not isinstance(plain, int | str):
        raise DataError(
            f"{where} is {plain!r:.60}, a {type(plain).__name__}; allowed as ids are whole numbers and text"
        )
    return plain


def plain_weight(where: str, value: Any) -> float:
    """Return one weight as a Python number.

    Raises:
        DataError: it is anything but a number from 0 to the largest float32.

    >>> plain_weight("weight of hyperedge 'e'", 2)
    2
    """
    plain = _python(value)
    if isinstance(plain, bool) or not isinstance(plain, int | float) or not 0 <= plain <= LARGEST:
        raise DataError(f"{where} is {plain!r:.60}; allowed are finite numbers >= 0")
    return plain


def _python(value: Any) -> Any:
    """Return what an element of an array or tensor is in Python."""
    return value.item() if getattr(value, "ndim", None) == 0 and hasattr(value, "item") else value


def lookalikes(ids: Iterable[Id]) -> str:
    """Name a number and a text that read the same, "" if there are none.

    >>> lookalikes([2, "1", 1])
    "1 and '1'"
    """
    values = list(ids)
    texts = {value for value in values if isinstance(value, str)}
    same = next((value for value in values if isinstance(value, int) and str(value) in texts), None) if texts else None
    return "" if same is None else f"{same!r} and {str(same)!r}"
