"""The part of a hypergraph around one node: all that L convolutions read for that node's vector."""

from __future__ import annotations

from copy import copy
from functools import cached_property
from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor

from hyperctr.hypergraph.arrays import CSR, starts
from hyperctr.hypergraph.incidence import Hypergraph
from hyperctr.hypergraph.propagation import Propagation


class Ball(Hypergraph):
    """The hyperedges and nodes within some hops of a node, numbered anew; degrees are those of the whole hypergraph.

    A convolution gives the inner nodes the vectors that they have in the whole. Nodes at the boundary lack hyperedges,
    and their vectors mean nothing.

    Attributes:
        nodes: int64 ``[N]``, their numbers in the whole, ascending.
        inner: int64, the nodes within one hop less, as numbered here, ascending: for one hop the node itself.

    >>> whole = Hypergraph([[0, 1, 1, 2, 2, 3], [0, 0, 1, 1, 2, 2]], 4, 3, weight=[1.0, 0.5, 0.25])
    >>> ball = Ball.around(whole, 0, hops=1)
    >>> ball.nodes.tolist(), ball.inner.tolist(), ball.incidence.tolist(), ball.node_degree.tolist()
    ([0, 1], [0], [[0, 1], [0, 0]], [1.0, 1.5])
    >>> ball.weighted(torch.tensor([0.0, 0.5, 0.25])).node_degree.tolist()
    [0.0, 0.5]
    >>> ball.copies(torch.tensor([[1.0, 0.5, 0.25], [0.0, 0.5, 0.25]])).node_degree.tolist()
    [1.0, 1.5, 0.0, 0.5]
    """

    nodes: Tensor
    inner: Tensor
    _hyperedges: Tensor  # int64 [E], their numbers in the whole
    _all_of_node: CSR  # all hyperedges of each node, as numbered in the whole
    _all_weights: Tensor

    @classmethod
    def around(cls, whole: Hypergraph, node: int, hops: int) -> Self:
        """Cut out what lies within ``hops`` hyperedges of a node; that takes time in proportion to it."""
        inner = nodes = torch.tensor([node], device=whole.device)
        edges = nodes[:0]
        for _ in range(hops):
            inner, edges = nodes, torch.unique(_rows(whole.by_node, nodes)[1])
            nodes = torch.unique(torch.cat([nodes, _rows(whole.by_hyperedge, edges)[1].long()]))
        sizes, members = _rows(whole.by_hyperedge, edges)
        degrees, all_of_node = _rows(whole.by_node, nodes)
        inner = torch.searchsorted(nodes, inner)
        within = torch.zeros(len(nodes), dtype=torch.bool, device=nodes.device).index_fill(0, inner, True)
        of_inner = all_of_node[within.repeat_interleave(degrees)]
        ball = cls.unchecked(
            num_nodes=len(nodes),
            num_hyperedges=len(edges),
            weight=whole.weight[edges],
            group=whole.group[edges],
            label=whole.label[edges],
            group_names=whole.group_names,
            by_hyperedge=(starts(sizes), torch.searchsorted(nodes, members.long()).int()),
            by_node=(starts(degrees * within), torch.searchsorted(edges, of_inner.long()).int()),
        )
        ball.nodes, ball.inner, ball._hyperedges = nodes, inner, edges
        ball._all_of_node, ball._all_weights = (starts(degrees), all_of_node), whole.weight
        return ball

    def weighted(self, weight: Tensor) -> Self:
        """Return the same with other weights of the whole's hyperedges, ``[E]``; one of weight 0 is as good as gone."""
        other = copy(self)
        other.weight, other._all_weights = weight[self._hyperedges], weight
        for cached in ("propagation", "node_degree"):
            vars(other).pop(cached, None)
        return other

    def copies(self, weights: Tensor) -> Self:
        """Return copies of the ball side by side, one for each row of ``weights`` [V, E], those of the whole in it.

        Node n of copy v has the number ``v * N + n``. One convolution then does for all copies.
        """
        count, (offsets, edges) = len(weights), self._all_of_node
        degree = F.embedding_bag(edges, weights.T.double(), offsets, mode="sum", include_last_offset=True)
        weight, sizes = weights[:, self._hyperedges].flatten(), self.hyperedge_size.repeat(count)
        by_hyperedge = _beside(self.by_hyperedge, self.num_nodes, count)
        by_node = _beside(self.by_node, self.num_hyperedges, count)
        other = self.unchecked(
            num_nodes=count * self.num_nodes,
            num_hyperedges=count * self.num_hyperedges,
            weight=weight,
            group=self.group.repeat(count),
            label=self.label.repeat(count),
            group_names=self.group_names,
            by_hyperedge=by_hyperedge,
            by_node=by_node,
        )
        other.nodes = self.nodes.repeat(count)
        other.inner = (self.inner + self.num_nodes * torch.arange(count, device=self.device)[:, None]).flatten()
        vars(other)["propagation"] = Propagation(by_hyperedge, by_node, weight, sizes, degree.T.flatten())
        return other

    @cached_property
    def propagation(self) -> Propagation:
        """What a convolution needs; a node's degree counts all of its hyperedges, also those outside."""
        offsets, edges = self._all_of_node
        weight = self._all_weights.double()[:, None]
        degree = F.embedding_bag(edges, weight, offsets, mode="sum", include_last_offset=True)[:, 0]
        return Propagation(self.by_hyperedge, self.by_node, self.weight, self.hyperedge_size, degree)


def _beside(csr: CSR, columns: int, count: int) -> CSR:
    """Return ``count`` copies of a CSR of so many columns, each after the other in rows and columns."""
    offsets, entries = csr
    copy_number = torch.arange(count, dtype=torch.int32, device=entries.device)[:, None]
    rows = (offsets[:-1] + copy_number * len(entries)).flatten()
    end = offsets.new_tensor([count * len(entries)])
    return torch.cat([rows, end]), (entries + copy_number * columns).flatten()


def _rows(csr: CSR, rows: Tensor) -> tuple[Tensor, Tensor]:
    """Return how many entries some rows have, int64, and these entries, row after row."""
    offsets, columns = csr
    first = offsets[rows].long()
    sizes = offsets[rows + 1].long() - first
    place = torch.arange(int(sizes.sum()), device=rows.device)
    return sizes, columns[place + (first - (sizes.cumsum(0) - sizes)).repeat_interleave(sizes)]
