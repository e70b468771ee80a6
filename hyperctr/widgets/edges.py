"""The hyperedges of one hypergraph as flat numpy arrays: what a scene is cut from, counted and compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from hyperctr.hypergraph.incidence import Hypergraph

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Edges:
    """Hyperedges over N nodes; each comes from one of L labels in one modality.

    Attributes:
        offsets: int64 [E + 1], where the members of each hyperedge begin.
        nodes: int64 [nnz], members of hyperedge e are ``nodes[offsets[e]:offsets[e + 1]]``.
        modality: int64 [E].
        label: int64 [E].
        weight: float32 [E].
        num_nodes: N.
        num_labels: L.

    >>> edges = Edges(np.array([0, 2, 4]), np.array([0, 1, 1, 2]), np.array([0, 1]), np.array([7, 7]),
    ...               np.ones(2, np.float32), num_nodes=3, num_labels=9)
    >>> edges.size.tolist(), edges.number.tolist()
    ([2, 2], [7, 16])
    >>> overlap_counts(edges, ("visual", "textual"))[-1]
    {'modalities': ['visual', 'textual'], 'count': 1}
    >>> edges.swapped().label.tolist(), edges.swapped().nodes.tolist()
    ([0, 1, 1, 2], [7, 7, 7, 7])
    """

    offsets: Ints
    nodes: Ints
    modality: Ints
    label: Ints
    weight: NDArray[np.float32]
    num_nodes: int
    num_labels: int

    @classmethod
    def of(cls, graph: Hypergraph, num_labels: int) -> Edges:
        """Take the arrays of a hypergraph, whose members are listed in ascending order."""
        incidence = graph.incidence.cpu().numpy()
        size = np.bincount(incidence[1], minlength=graph.num_hyperedges)
        columns = (graph.group.cpu().numpy(), graph.label.cpu().numpy(), graph.weight.cpu().numpy())
        return cls(_offsets(size), incidence[0], *columns, graph.num_nodes, num_labels)

    def __len__(self) -> int:
        return len(self.label)

    @cached_property
    def size(self) -> Ints:
        """Members of each hyperedge, int64 [E]."""
        return np.diff(self.offsets)

    @cached_property
    def edge(self) -> Ints:
        """Hyperedge of each incidence, int64 [nnz]."""
        return np.repeat(np.arange(len(self)), self.size)

    @cached_property
    def members(self) -> Ints:
        """The nodes that lie on any hyperedge, ascending."""
        return np.unique(self.nodes)

    @cached_property
    def number(self) -> Ints:
        """A name for each hyperedge that does not change with slot, threshold or limit: modality * L + label."""
        return self.modality * self.num_labels + self.label

    def of_edge(self, edge: int) -> Ints:
        """Return the nodes of one hyperedge."""
        return self.nodes[self.offsets[edge] : self.offsets[edge + 1]]

    def take(self, chosen: Ints) -> Edges:
        """Return the chosen hyperedges, in that order."""
        size = self.size[chosen]
        offsets = _offsets(size)
        at = np.arange(int(offsets[-1])) + np.repeat(self.offsets[:-1][chosen] - offsets[:-1], size)
        columns = (self.modality[chosen], self.label[chosen], self.weight[chosen])
        return Edges(offsets, self.nodes[at], *columns, self.num_nodes, self.num_labels)

    @classmethod
    def chained(cls, parts: Sequence[Edges]) -> Edges:
        """Return the hyperedges of several hypergraphs over the same nodes, one after another."""
        names = ("size", "nodes", "modality", "label", "weight")
        columns = [np.concatenate([getattr(part, name) for part in parts]) for name in names]
        size, nodes, modality, label, weight = columns
        return cls(_offsets(size), nodes, modality, label, weight, parts[0].num_nodes, parts[0].num_labels)

    @classmethod
    def united(cls, parts: Sequence[Edges]) -> Edges:
        """Return the hyperedges of several hypergraphs over the same nodes; those of one number become one.

        Its members are those of all, its weight is their mean.

        >>> one = Edges(np.array([0, 2]), np.array([0, 1]), np.array([0]), np.array([7]), np.ones(1, "f4"), 4, 9)
        >>> two = Edges(np.array([0, 2]), np.array([1, 3]), np.array([0]), np.array([7]), np.full(1, 3.0, "f4"), 4, 9)
        >>> both = Edges.united([one, two])
        >>> both.nodes.tolist(), both.number.tolist(), both.weight.tolist()
        ([0, 1, 3], [7], [2.0])
        """
        every = cls.chained(parts)
        number, kind, times = np.unique(every.number, return_inverse=True, return_counts=True)
        edge, nodes = np.divmod(np.unique(kind[every.edge] * every.num_nodes + every.nodes), max(every.num_nodes, 1))
        modality, label = np.divmod(number, max(every.num_labels, 1))
        weight = (np.bincount(kind, every.weight, len(number)) / times).astype(np.float32)
        offsets = _offsets(np.bincount(edge, minlength=len(number)))
        return cls(offsets, nodes, modality, label, weight, every.num_nodes, every.num_labels)

    def swapped(self) -> Edges:
        """Swap roles, modality by modality: a hyperedge per node, its members the labels; every weight is 1."""
        key, edge = np.unique(self.modality[self.edge] * self.num_nodes + self.nodes, return_inverse=True)
        members = self.label[self.edge]
        order = np.lexsort((members, edge))
        offsets = _offsets(np.bincount(edge, minlength=len(key)))
        modality, label = np.divmod(key, max(self.num_nodes, 1))
        weight = np.ones(len(key), np.float32)
        return Edges(offsets, members[order], modality, label, weight, self.num_labels, self.num_nodes)

    def of_nodes(self, wanted: NDArray[np.bool_]) -> Edges:
        """Return the hyperedges with only the wanted nodes, bool [N]; those with fewer than two of them go."""
        inside = wanted[self.nodes]
        size = np.bincount(self.edge[inside], minlength=len(self))
        left = replace(self, offsets=_offsets(size), nodes=self.nodes[inside])
        return left.take(np.flatnonzero(size > 1))

    def in_modalities(self) -> Ints:
        """Return in how many modalities the label of each hyperedge has one, int64 [E]."""
        labels = np.unique(self.modality * self.num_labels + self.label) % max(self.num_labels, 1)
        return np.bincount(labels, minlength=self.num_labels)[self.label]

    def with_members(self, members: Ints) -> Ints:
        """Return the hyperedges with at least one of these nodes, ascending."""
        wanted = np.zeros(self.num_nodes, dtype=bool)
        wanted[members] = True
        return np.unique(self.edge[wanted[self.nodes]])


def overlap_counts(edges: Edges, names: Sequence[str]) -> list[dict[str, Any]]:
    """Count the (node, label) pairs that lie in exactly these modalities together (an UpSet plot's bars).

    Returns:
        ``{"modalities": [...], "count": n}`` for every combination that occurs, the most frequent first.
    """
    _, pair = np.unique(edges.label[edges.edge] * edges.num_nodes + edges.nodes, return_inverse=True)
    together = np.zeros(int(pair.max(initial=-1)) + 1, dtype=np.int64)
    np.bitwise_or.at(together, pair, np.int64(1) << edges.modality[edges.edge])
    codes, counts = np.unique(together, return_counts=True)
    pairs = zip(codes.tolist(), counts.tolist(), strict=True)
    rows = [{"modalities": [n for m, n in enumerate(names) if code >> m & 1], "count": count} for code, count in pairs]
    return sorted(rows, key=lambda row: (-row["count"], len(row["modalities"]), row["modalities"]))


def _offsets(size: Ints) -> Ints:
    return np.concatenate([[0], np.cumsum(size)]).astype(np.int64)
