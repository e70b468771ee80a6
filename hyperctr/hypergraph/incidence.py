"""The hypergraph container: a flat list of incidences, and the two compressed views every computation needs.

One slot's hypergraph ``H = [H_v | H_a | H_x]`` (section 2.3, Eq 11) is a single object: the modality groups
stand side by side as hyperedges that carry a group number, so the whole object is the paper's ``G_group`` and
``H.select(H.group == m)`` is the part of modality ``m``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor

from hyperctr.hypergraph import arrays, convert, hif, sources
from hyperctr.hypergraph.annotations import Annotations, Id
from hyperctr.hypergraph.arrays import BITS, CSR, LIMIT
from hyperctr.hypergraph.propagation import Propagation
from hyperctr.lazy import lazy_function

PLAIN = ("num_nodes", "num_hyperedges", "group_names", "node_kind", "slot", "annotations")
COLUMNS = ("weight", "group", "label")  # one number per hyperedge
NO_ANNOTATIONS = Annotations()


class Hypergraph:
    r"""Nodes, hyperedges and which node lies on which hyperedge; immutable, on one device.

    Two hyperedges :math:`\{0, 1, 2\}` and :math:`\{1, 3\}` over five nodes (node 4 is isolated) are written

    >>> H = Hypergraph([[0, 1, 2, 1, 3],
    ...                 [0, 0, 0, 1, 1]], num_nodes=5, num_hyperedges=2, weight=[1.0, 0.5])
    >>> H.hyperedge_size.tolist(), H.node_degree.tolist()
    ([3, 2], [1.0, 1.5, 1.0, 0.5, 0.0])
    >>> H.hyperedges_of(1).tolist()
    [0, 1]

    Args:
        incidence: whole numbers [2, nnz], row 0 nodes, row 1 hyperedges, in any order. Kept **sorted by
            hyperedge, then node**, so equal sets give equal objects. A repeated pair is refused: H is binary.
        num_nodes: N; nodes that appear nowhere are isolated.
        num_hyperedges: E; hyperedges that appear nowhere are empty.
        weight: [E], finite and >= 0, the diagonal of W in Eq 5 (default: ones); float32, without gradient.
        group: [E], modality number of each hyperedge (default: zeros).
        label: [E], data-set index of the item or user a hyperedge comes from (default: 0..E-1).
        group_names: names of the groups; empty gives ``group 0``, ``group 1``, ...
        node_kind: what a node is: ``user``, ``item`` or ``node``.
        slot: time slot the hypergraph belongs to, if any.

    Raises:
        ShapeError: an argument has not the documented shape, or a size does not fit 32 bits.
        DataError: an index, weight or group is not allowed (the message names where), or a pair repeats.
    """

    def __init__(
        self,
        incidence: Any,
        num_nodes: int,
        num_hyperedges: int,
        weight: Any = None,
        group: Any = None,
        *,
        label: Any = None,
        group_names: Iterable[str] = (),
        node_kind: str = "node",
        slot: int | str | None = None,
    ) -> None:
        names = tuple(group_names)
        pairs = arrays.checked_pairs(incidence, num_nodes, num_hyperedges)
        given = {"weight": weight, "group": group, "label": label}
        columns = arrays.checked_columns(given, int(num_hyperedges), len(names), pairs.device)
        if not names:
            last = int(columns["group"].max()) if len(columns["group"]) else 0
            names = tuple(f"group {m}" for m in range(last + 1))
        fields: dict[str, Any] = {"num_nodes": int(num_nodes), "num_hyperedges": int(num_hyperedges), **columns}
        fields |= {"group_names": names, "node_kind": node_kind, "slot": slot, "incidence": pairs}
        vars(self).update(vars(Hypergraph.unchecked(**fields)))

    @classmethod
    def unchecked(
        cls,
        *,
        num_nodes: int,
        num_hyperedges: int,
        weight: Tensor,
        group: Tensor,
        label: Tensor,
        group_names: tuple[str, ...],
        node_kind: str = "node",
        slot: int | str | None = None,
        annotations: Annotations = NO_ANNOTATIONS,
        incidence: Tensor | None = None,
        by_hyperedge: CSR | None = None,
        by_node: CSR | None = None,
    ) -> Self:
        """Build from arrays known to be right, with no check, sort or copy: for the training step.

        Give ``incidence`` (int64, sorted by hyperedge, no repeats) or ``by_hyperedge``; other views follow on
        demand. CSR pairs are int32 on the device of ``weight``, the entries of a row in any order.
        """
        H = cls.__new__(cls)
        H.num_nodes, H.num_hyperedges, H.node_kind, H.slot = num_nodes, num_hyperedges, node_kind, slot
        H.weight, H.group, H.label, H.group_names = weight, group, label, group_names
        H.annotations = annotations
        views = {"incidence": incidence, "by_hyperedge": by_hyperedge, "by_node": by_node}
        vars(H).update({name: view for name, view in views.items() if view is not None})
        return H

    num_nodes: int
    num_hyperedges: int
    weight: Tensor
    group: Tensor
    label: Tensor
    group_names: tuple[str, ...]
    node_kind: str
    slot: int | str | None
    annotations: Annotations

    def _like(self, **changed: Any) -> Hypergraph:
        return Hypergraph.unchecked(**({name: getattr(self, name) for name in PLAIN + COLUMNS} | changed))

    @cached_property
    def by_hyperedge(self) -> CSR:
        """CSR of the hyperedges: offsets int32 [E + 1], nodes int32 [nnz], ascending in each hyperedge."""
        return arrays.offsets(self.incidence[1], self.num_hyperedges), self.incidence[0].int()

    @cached_property
    def by_node(self) -> CSR:
        """CSR of the nodes: offsets int32 [N + 1], hyperedges int32 [nnz], ascending for each node."""
        return arrays.offsets(self.incidence[0], self.num_nodes), self.incidence[1][self._node_order].int()

    @cached_property
    def incidence(self) -> Tensor:
        """The incidences int64 [2, nnz], sorted by hyperedge, then node."""
        offsets, nodes = self.by_hyperedge
        return torch.stack([nodes, arrays.row_numbers(offsets, len(nodes))]).long()

    @cached_property
    def _node_order(self) -> Tensor:
        """Positions of the incidences in the order (node, position), int64 [nnz]."""
        nodes = self.incidence[0]
        keys = arrays.sort_keys(nodes << BITS | torch.arange(len(nodes), device=nodes.device))
        return keys.bitwise_and_(LIMIT)

    @property
    def nnz(self) -> int:
        """Number of incidences."""
        return len(self.by_hyperedge[1]) if "by_hyperedge" in vars(self) else self.incidence.shape[1]

    @property
    def num_groups(self) -> int:
        """Number of modality groups M."""
        return len(self.group_names)

    @property
    def device(self) -> torch.device:
        """Device all tensors live on."""
        return self.weight.device

    @cached_property
    def hyperedge_size(self) -> Tensor:
        """D_e of Eq 5: members of each hyperedge, int64 [E]."""
        return self.by_hyperedge[0].diff().long()

    @cached_property
    def node_degree(self) -> Tensor:
        """D_v of Eq 5: summed weight of each node's hyperedges, float32 [N]."""
        return self.propagation.node_degree

    @cached_property
    def propagation(self) -> Propagation:
        """What a convolution needs: both views and the diagonals of Eq 5."""
        weight = self.weight.double().repeat_interleave(self.hyperedge_size, output_size=self.nnz)
        degree = arrays.sums(self.by_hyperedge[1], weight, self.num_nodes)
        return Propagation(self.by_hyperedge, self.by_node, self.weight, self.hyperedge_size, degree)

    @property
    def node_ids(self) -> Sequence[Id]:
        """Id of each node: that of :meth:`of` or :meth:`from_hif`, else its number."""
        return self.annotations.node_ids or range(self.num_nodes)

    @property
    def hyperedge_ids(self) -> Sequence[Id]:
        """Id of each hyperedge, as of nodes."""
        return self.annotations.hyperedge_ids or range(self.num_hyperedges)

    def annotate(self, **columns: Any) -> Hypergraph:
        """Return the same with other :class:`Annotations`, by their names.

        >>> Hypergraph([[0, 1], [0, 0]], 2, 1).annotate(node_ids=["ann", "bob"]).node_ids
        ('ann', 'bob')
        """
        H = copy(self)
        H.annotations = replace(self.annotations, **columns).checked(self.num_nodes, self.num_hyperedges, self.nnz)
        return H

    def members(self, hyperedge: int) -> Tensor:
        """Return the nodes of one hyperedge, int64."""
        return arrays.row("hyperedge", hyperedge, self.by_hyperedge)

    def hyperedges_of(self, node: int) -> Tensor:
        """Return the hyperedges one node lies on, int64."""
        return arrays.row("node", node, self.by_node)

    def without(self, dropped: Tensor, min_size: int = 2) -> Hypergraph:
        """Drop incidences, a bool mask [nnz], then empty hyperedges left with under ``min_size``; keep all numbers.

        Nothing is sorted: both CSR views are filtered, which is cheap enough for every training step.

        >>> H = Hypergraph([[0, 1, 2, 1, 3], [0, 0, 0, 1, 1]], 4, 2)
        >>> H.without(torch.tensor([True, False, False, False, True])).incidence.tolist()
        [[1, 2], [0, 0]]
        """
        keep = ~arrays.mask("dropped", dropped, self.nnz, self.device)
        enough = arrays.compact(keep, self.by_hyperedge[0]).diff() >= min_size
        keep = keep & enough[self.incidence[1]]
        by_hyperedge, by_node = self._filtered(keep)
        annotations = self.annotations.kept(keep)
        return self._like(by_hyperedge=by_hyperedge, by_node=by_node, annotations=annotations)

    def select(self, chosen: Tensor) -> Hypergraph:
        """Keep the hyperedges chosen by a bool mask [E], renumbered in order; all nodes stay.

        >>> H = Hypergraph([[0, 1, 0, 2], [0, 0, 1, 1]], 3, 2, group=[0, 1])
        >>> H.select(H.group == 1).incidence.tolist()
        [[0, 2], [0, 0]]
        """
        chosen = arrays.mask("chosen", chosen, self.num_hyperedges, self.device)
        keep = chosen[self.incidence[1]]
        (offsets, nodes), (node_offsets, edges) = self._filtered(keep)
        offsets = torch.cat([offsets[:-1][chosen], offsets[-1:]])
        edges = (chosen.cumsum(0, dtype=torch.int32) - 1)[edges.long()]
        columns = {name: getattr(self, name)[chosen] for name in COLUMNS}
        views = {"by_hyperedge": (offsets, nodes), "by_node": (node_offsets, edges)}
        annotations = self.annotations.kept(keep, chosen)
        return self._like(num_hyperedges=len(offsets) - 1, annotations=annotations, **columns, **views)

    def _filtered(self, keep: Tensor) -> tuple[CSR, CSR]:
        kept = keep[self._node_order]
        by_hyperedge = arrays.compact(keep, self.by_hyperedge[0]), self.by_hyperedge[1][keep]
        edges = self.incidence[1][self._node_order[kept]].int()
        return by_hyperedge, (arrays.compact(kept, self.by_node[0]), edges)

    def to(self, device: torch.device | str) -> Hypergraph:
        """Return this hypergraph on another device, with both CSR views (itself if it is there already)."""
        if torch.device(device) == self.device:
            return self
        columns = {name: getattr(self, name).to(device) for name in COLUMNS}
        views = {name: tuple(t.to(device) for t in getattr(self, name)) for name in ("by_hyperedge", "by_node")}
        return self._like(**columns, **views)

    def __repr__(self) -> str:
        groups = "" if self.num_groups == 1 else f", groups={list(self.group_names)}"
        slot = "" if self.slot is None else f", slot={self.slot!r}"
        nodes = f"{self.num_nodes} {self.node_kind}s"
        return f"Hypergraph({nodes}, {self.num_hyperedges} hyperedges, {self.nnz} incidences{groups}{slot})"

    _repr_html_ = lazy_function("display.cards:hypergraph")
    to_networkx = convert.to_networkx
    to_pyg = convert.to_pyg
    to_hif = hif.to_hif

    @classmethod
    def from_hif(cls, path: str | Path) -> Hypergraph:
        """Read a HIF JSON file; see :func:`hyperctr.hypergraph.hif.from_hif`."""
        return hif.from_hif(path, cls)

    @classmethod
    def of(
        cls,
        source: Any,
        *,
        nodes: Iterable[Any] | None = None,
        weight: Mapping[Any, float] | Iterable[float] | None = None,
        columns: tuple[str, str] = ("edge", "node"),
    ) -> Hypergraph:
        """Make one of a dict, a list of sets, a matrix, a table, an object of XGI or HyperNetX.

        All arguments: :func:`hyperctr.hypergraph.sources.hypergraph_of`.

        >>> H = Hypergraph.of({"cats": ["ann", "bob"], "dogs": ["bob", "cid"]}, weight={"cats": 1.0, "dogs": 0.5})
        >>> H.incidence.tolist(), H.node_ids, H.hyperedge_ids
        ([[0, 1, 1, 2], [0, 0, 1, 1]], ('ann', 'bob', 'cid'), ('cats', 'dogs'))
        """
        return sources.hypergraph_of(source, cls, nodes=nodes, weight=weight, columns=columns)
