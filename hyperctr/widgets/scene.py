"""One scene: what is drawn, as plain arrays and lists, and how it travels to a browser."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from hyperctr.widgets.colourings import Colouring
from hyperctr.widgets.edges import Edges, Ints

Places = tuple[NDArray[np.float32], NDArray[np.float32]]  # the joint map [N, 2] and those of the modalities [M, N, 2]
Focus = tuple[str, Any]  # ("node", id) or ("hyperedge", number)
# what a browser gets of a scene, and as which type
BUFFERS = {"x": "<f4", "y": "<f4", "degree": "<i4", "edge_offsets": "<i4", "edge_nodes": "<i4"}
BUFFERS |= {"edge_modality": "<u1", "edge_weight": "<f4", "edge_number": "<i4"}
BUFFERS |= {"px": "<f4", "py": "<f4", "node_colour": "<f4"}
NAMES = (
    "around",
    "nodes",
    "titles",
    "edge_labels",
    "edge_titles",
    "rule",
    "slot_label",
)  # of its header, as the scene has them


@dataclass(frozen=True)
class Query:
    """What a scene was asked for; :meth:`hyperctr.widgets.scenes.Scenes.query` checks it and says what may be asked."""

    side: Literal["user", "item"]
    slot: int
    modalities: tuple[str, ...]
    delta: float
    neighbours: int
    swap: bool
    focus: Focus | None
    limit: int
    min_size: int = 0
    max_size: int = 0
    min_degree: int = 0
    min_modalities: int = 0
    colour_by: str = ""
    kinds: tuple[str, str] = ("user", "item")  # of nodes, and of what hyperedges come from, on side "user"
    own: bool = False  # hypergraphs without a data set, which have no threshold
    slots: tuple[int, int] | None = None  # the first and the last of several, which are shown instead of ``slot``

    @property
    def span(self) -> tuple[int, int]:
        """The first and the last slot whose hyperedges are shown."""
        return self.slots or (self.slot, self.slot)

    @property
    def threshold(self) -> str:
        """The threshold in words, "" where there is none."""
        return "" if self.own else f"\N{GREEK SMALL LETTER DELTA} = {self.delta:g}"

    @property
    def filters(self) -> str:
        """The filters in words, "" if there are none.

        >>> Query("user", 0, ("visual",), 0.5, 0, False, None, 9, min_size=3, min_degree=2).filters
        'with at least 3 members, on users of degree 2 or more'
        """
        low, high = self.min_size, self.max_size
        size = f"with {low} to {high} members" if low and high else f"with at least {low} members" if low else ""
        size = size or (f"with at most {high} members" if high else "")
        degree = f"on {self.node_kind}s of degree {self.min_degree} or more" if self.min_degree > 1 else ""
        mixed = (
            f"of {self.label_kind}s with {self.min_modalities} modalities or more" if self.min_modalities > 1 else ""
        )
        return ", ".join(part for part in (size, degree, mixed) if part)

    @property
    def node_kind(self) -> str:
        """What a node is, ``user`` or ``item``; of a reader's own hypergraph ``node`` or ``hyperedge``."""
        return self.kinds[(self.side == "user") == self.swap]

    @property
    def label_kind(self) -> str:
        """What a hyperedge comes from, the other of the two."""
        return self.kinds[(self.side == "user") != self.swap]


@dataclass(frozen=True, eq=False)
class Scene:
    r"""A part of one slot's hypergraph, placed and named; n nodes, e hyperedges, nnz incidences.

    Attributes:
        nodes: id of each node, n.
        titles: title of each node, n.
        x: float32 [n] within [-1, 1]; a node has the same place in every scene of its kind.
        y: the same, downwards.
        edges: the hyperedges shown; their nodes are positions in ``nodes``, ``edges.number`` is what ``focus`` takes.
        edge_labels: id of what each hyperedge comes from, e.
        edge_titles: its title, e.
        total_edges: hyperedges before the limit.
        rule: how many of how many are shown, and how they were chosen.
        modalities: all modalities of the data set.
        query: what the scene was asked for.
        slot_label: dates of the slot or of several, or their numbers in words.
        around: title of the node or hyperedge that is looked at.
        panel_places: float32 [M, n, 2], each modality's own layout within [-1, 1]; None is ``x`` and ``y`` for each.
        node_colour: float32 [n], value of ``colouring`` of each node, NaN where unknown.
        colouring: what the values are; None colours nothing.
        edge_slots: where several slots stand side by side the label of each hyperedge's, e; else None.

    >>> query = Query("user", 0, ("visual",), 0.5, 0, False, None, 300)
    >>> edges = Edges(np.array([0, 2]), np.array([0, 1]), np.array([0]), np.array([7]), np.ones(1, "f4"), 2, 9)
    >>> scene = Scene([1, 2], ["a", "b"], np.zeros(2), np.zeros(2), edges, [7], ["seven"], 1, "all", ("visual",), query)
    >>> len(scene), scene.members(0), scene.edge_keys()
    (1, [1, 2], [('visual', 7)])
    >>> header, buffers = scene.pack()
    >>> [part["name"] for part in header["buffers"]][:3], bytes(buffers[7])
    (['x', 'y', 'degree'], b'\x07\x00\x00\x00')
    """

    nodes: list[Any]
    titles: list[str]
    x: NDArray[np.float32]
    y: NDArray[np.float32]
    edges: Edges
    edge_labels: list[Any]
    edge_titles: list[str]
    total_edges: int
    rule: str
    modalities: tuple[str, ...]
    query: Query
    slot_label: str = ""
    around: str = ""
    panel_places: NDArray[np.float32] | None = None
    node_colour: NDArray[np.float32] | None = None
    colouring: Colouring | None = None
    edge_slots: list[str] | None = None

    def __len__(self) -> int:
        return len(self.edge_labels)

    @property
    def slot(self) -> int:
        """Number of the time slot."""
        return self.query.slot

    @property
    def node_kind(self) -> str:
        """What a node is."""
        return self.query.node_kind

    @property
    def degree(self) -> Ints:
        """Hyperedges shown that each node lies on, int64 [n]."""
        return np.bincount(self.edges.nodes, minlength=len(self.nodes))

    @property
    def px(self) -> NDArray[np.float32]:
        """Where nodes stand in the picture of each modality alone, float32 [M, n]."""
        return np.tile(self.x, (len(self.modalities), 1)) if self.panel_places is None else self.panel_places[..., 0]

    @property
    def py(self) -> NDArray[np.float32]:
        """The same, downwards."""
        return np.tile(self.y, (len(self.modalities), 1)) if self.panel_places is None else self.panel_places[..., 1]

    def members(self, edge: int) -> list[Any]:
        """Ids of one hyperedge's members."""
        return [self.nodes[place] for place in self.edges.of_edge(edge)]

    def edge_keys(self) -> list[tuple[str, Any]]:
        """(modality, id) of every hyperedge."""
        names = [self.modalities[m] for m in self.edges.modality]
        return list(zip(names, self.edge_labels, strict=True))

    def pack(self) -> tuple[dict[str, Any], list[memoryview]]:
        """Return a header that JSON can hold and the arrays as little-endian buffers, in the header's order."""
        edges = self.edges
        colour = np.full(len(self.nodes), np.nan) if self.node_colour is None else self.node_colour
        of_edges = (edges.offsets, edges.nodes, edges.modality, edges.weight, edges.number)
        values = (self.x, self.y, self.degree, *of_edges, self.px, self.py, colour)
        arrays = [np.asarray(part, dtype) for part, dtype in zip(values, BUFFERS.values(), strict=True)]
        header = {name: getattr(self, name) for name in NAMES}
        header |= {name: getattr(self.query, name) for name in ("side", "slot", "delta", "node_kind", "threshold")}
        header |= {"edge_kind": self.query.label_kind, "modalities": list(self.modalities)}
        header["colouring"] = None if self.colouring is None else self.colouring.header()
        header["buffers"] = [{"name": name, "dtype": dtype[1:]} for name, dtype in BUFFERS.items()]
        return header, [memoryview(array.tobytes()) for array in arrays]
