"""The propagation of Eq 5 as arrays, and a propagation from which incidences can be hidden for a step and come back.

    P = D_v^-1/2 H W D_e^-1 H^T D_v^-1/2

A convolution needs both compressed views of H, the sizes D_e, the degrees D_v and the weights W, and nothing else of a
hypergraph. Degrees are added up in float64. float32 weights that are not more than a factor 2^20 or so apart add up
exactly there, in any order, so what is subtracted leaves exactly what would have been added up without it.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from hyperctr.hypergraph import arrays
from hyperctr.hypergraph.arrays import CSR

LEAST_MEMBERS = 2  # a hyperedge with fewer joins nobody


class Propagation:
    """Both views of H and the diagonals of Eq 5, on one device.

    Args:
        by_hyperedge, by_node: CSR pairs of int32, see :class:`Hypergraph`.
        weight: W, float32 [E].
        size: D_e, int64 [E].
        degree: D_v, float64 [N].

    Attributes:
        padded: an index may be one past the last node or hyperedge; such an incidence does not count.
        version: counts the changes of a propagation that changes.
        fixed: what a backend keeps that follows from the offsets, which never change.
    """

    padded = False
    version = 0
    fixed: dict[str, tuple[Tensor, ...]]
    _cached: dict[object, tuple[Tensor, ...]]

    def __init__(self, by_hyperedge: CSR, by_node: CSR, weight: Tensor, size: Tensor, degree: Tensor) -> None:
        self.by_hyperedge, self.by_node = by_hyperedge, by_node
        self.weight, self.hyperedge_size, self.degree = weight, size, degree
        self.fixed, self._cached = {}, {}

    @property
    def num_nodes(self) -> int:
        """Number of nodes N."""
        return len(self.degree)

    @property
    def num_hyperedges(self) -> int:
        """Number of hyperedges E."""
        return len(self.hyperedge_size)

    @property
    def device(self) -> torch.device:
        """Device all tensors live on."""
        return self.weight.device

    @property
    def node_degree(self) -> Tensor:
        """D_v of Eq 5: summed weight of each node's hyperedges, float32 [N]."""
        return self.degree.float()

    def scales(self, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
        """Return the diagonals of Eq 5: D_v^-1/2 [N, 1] and W D_e^-1 [E, 1]; 0^-1/2 = 0^-1 = 0. Cached."""
        if dtype not in self._cached:
            degree, size = self.degree.to(dtype), self.hyperedge_size.to(dtype)
            node = torch.where(degree > 0, degree.rsqrt(), 0.0)
            edge = torch.where(size > 0, self.weight.to(dtype) / size, 0.0)
            self._cached[dtype] = node[:, None], edge[:, None]
        node, edge = self._cached[dtype]
        return node, edge

    def shares(self, dtype: torch.dtype = torch.float32) -> Tensor:
        """Return H^T D_v^-1/2 1, [E, 1]: what a hyperedge gets if all of its members send 1. Cached."""
        key = ("shares", dtype)
        if key not in self._cached:
            (offsets, nodes), scale = self.by_hyperedge, self.scales(dtype)[0]
            scale = torch.cat([scale, scale.new_zeros(1, 1)])  # of what is hidden
            self._cached[key] = (F.embedding_bag(nodes, scale, offsets, mode="sum", include_last_offset=True),)
        return self._cached[key][0]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.num_nodes} nodes, {self.num_hyperedges} hyperedges)"

    def scaled_members(self, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """Return a node int32 [nnz] and its D_v^-1/2 for each incidence by hyperedge, zero if it is hidden. Cached."""
        key = ("members", dtype)
        if key not in self._cached:
            nodes, scale = self.by_hyperedge[1], self.scales(dtype)[0][:, 0]
            if self.padded:
                factors = torch.cat([scale, scale.new_zeros(1)]).index_select(0, nodes)
                self._cached[key] = nodes.clamp(max=max(self.num_nodes - 1, 0)), factors
            else:
                self._cached[key] = nodes, scale.index_select(0, nodes)
        nodes, scale = self._cached[key]
        return nodes, scale


class Hiding(Propagation):
    """The propagation of a hypergraph, from which any incidences can be hidden for a step.

    :meth:`hide` costs what is hidden and a few passes over nodes and hyperedges, not over incidences. Hidden
    incidences point one past the end, at a row of zeros, so arrays keep their shapes (nothing waits for a GPU), and
    what remains is added up in the same order as if they had never been: a convolution over it equals one over
    ``H.without(...)`` to the last bit. Hyperedges left with one member are emptied, as there.

    >>> from hyperctr.hypergraph.incidence import Hypergraph
    >>> H = Hypergraph([[0, 1, 2, 1, 3], [0, 0, 0, 1, 1]], 4, 2)
    >>> hiding = Hiding(H.propagation)
    >>> hiding.hide(torch.tensor([0, 4])).node_degree.tolist()  # node 0 leaves {0, 1, 2}, node 3 leaves {1, 3}
    [0.0, 1.0, 1.0, 0.0]
    >>> hiding.hide(torch.tensor([], dtype=torch.long)).node_degree.tolist()
    [1.0, 2.0, 1.0, 1.0]

    Args:
        whole: the propagation with nothing hidden; not changed. Hyperedges with one member count as empty here.
    """

    padded = True

    def __init__(self, whole: Propagation) -> None:
        (edge_start, nodes), (node_start, edges) = whole.by_hyperedge, whole.by_node
        N, E, nnz = whole.num_nodes, whole.num_hyperedges, len(nodes)
        edge = arrays.row_numbers(edge_start, nnz)
        # What each incidence joins and its place in the view by node, with one more that stands for none.
        self._node, self._edge = _and(nodes, N), _and(edge, E)
        self._place = _and(_places((nodes, edge), (arrays.row_numbers(node_start, nnz), edges)), nnz)
        self._nodes, self._edges = self._node.clone(), _and(edges, E)
        self._count, kept = N, whole.hyperedge_size >= LEAST_MEMBERS
        self._size = _and(torch.where(kept, whole.hyperedge_size, 0), 0)
        self._members = arrays.sums(edge, nodes.long(), E + 1)  # added up: of one that is left, its own number
        self._weight = _and(torch.where(kept, whole.weight, 0.0).double(), 0)
        self._degree = self._degrees(self._weight)
        views = (edge_start, self._nodes[:-1]), (node_start, self._edges[:-1])
        super().__init__(*views, whole.weight, self._size[:-1], self._degree[:-1])
        self._hidden = (self._place[:0].long(), self._node[:0], self._place[:0].long(), self._edge[:0])
        smallest = float(torch.where(self._weight > 0, self._weight, torch.inf).min())
        # float32 has 24 bits: every sum is a multiple of this, and float64 holds 2^53 of them
        unit = math.ldexp(1.0, math.frexp(smallest)[1] - 24) if smallest < math.inf else 1.0
        self._exact = float(self._degree.max()) < unit * 2.0**53

    def hide(self, incidences: Tensor) -> Hiding:
        """Bring back what was hidden, hide these instead, and return self.

        A hyperedge left with fewer than two members is emptied. What was convolved before has to have gone backward.

        Args:
            incidences: int64 [k], numbers in the order of :attr:`Hypergraph.incidence`; repeats are allowed, and nnz
                stands for no incidence, so that k need not change from step to step.
        """
        N, E = self.num_nodes, self.num_hyperedges
        before, nodes, places, edges = self._hidden
        self._nodes.index_copy_(0, before, nodes)
        self._edges.index_copy_(0, places, edges)
        node, edge = self._node.index_select(0, incidences), self._edge.index_select(0, incidences)
        place = self._place.index_select(0, incidences).long()
        self._hidden = incidences, node, place, edge
        turn = torch.arange(len(incidences), device=self.device, dtype=torch.int32)
        first = self._edges.index_copy_(0, place, turn).index_select(0, place) == turn  # of repeats one, any one
        self._edges.index_fill_(0, place, E)
        self._nodes.index_fill_(0, incidences, N)
        node, leaving = torch.where(first, node, N), torch.where(first, edge, E)
        size = self._size.index_add(0, leaving, -torch.ones_like(place))
        left = size.index_select(0, edge)
        # Of the hyperedges that are emptied, those with one member left take their weight from it, too, once each.
        mark = torch.empty_like(size, dtype=torch.int32).index_copy_(0, edge.long(), turn)
        chosen = mark.index_select(0, edge) == turn
        last = self._members.index_add(0, leaving, -torch.where(first, node, 0).long()).index_select(0, edge).int()
        last = torch.where(chosen & (left == 1), last, N)
        size.index_copy_(0, edge.long(), torch.where(left < LEAST_MEMBERS, 0, left))
        if self._exact:
            weight = self._weight.index_select(0, edge)  # of what did not leave it goes to the row that does not count
            degree = self._degree.index_add(0, node, -weight).index_add_(0, last, -weight)
        else:
            degree = self._degrees(torch.where(size > 0, self._weight, 0.0))
        self.hyperedge_size, self.degree = size[:-1], degree[:-1]
        self.version += 1
        self._cached.clear()
        return self

    def _degrees(self, weight: Tensor) -> Tensor:
        return arrays.sums(self._nodes, weight.index_select(0, self._edge), self._count + 1)


def _and(values: Tensor, last: int) -> Tensor:
    return torch.cat([values, values.new_full((1,), last)])


def _places(pairs: tuple[Tensor, Tensor], others: tuple[Tensor, Tensor]) -> Tensor:
    """Return where in the second list of (node, hyperedge) each pair of the first one stands, int32."""
    first, second = ((nodes.long() << arrays.BITS | edges).argsort() for nodes, edges in (pairs, others))
    return torch.empty_like(pairs[0]).index_put_((first,), second.int())
