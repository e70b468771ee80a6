"""Scenes from hypergraphs of any origin: what may be asked, which hyperedges answer, where their nodes stand.

:class:`SceneSource` cuts one :class:`Scene` from what its children hold: :class:`hyperctr.widgets.scenes.Scenes` the
hypergraphs of a data set, :class:`hyperctr.widgets.own.OwnScenes` those of anybody.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from hyperctr.display.hypergraph import largest_hyperedges
from hyperctr.display.layout import drawn_places
from hyperctr.errors import ConfigError, DataError
from hyperctr.widgets import scene_stats
from hyperctr.widgets.checks import known_modalities, known_range, known_slot
from hyperctr.widgets.colourings import Make, colouring_name
from hyperctr.widgets.edges import Edges
from hyperctr.widgets.filters import filtered, shown_rule
from hyperctr.widgets.scene import Focus, Places, Query, Scene

if TYPE_CHECKING:
    import pandas as pd

    from hyperctr.runs.explaining import ScoreExplainer

KEPT = 24  # hypergraphs held ready: a slider moved to and fro finds them again


class SceneSource(ABC):
    """Hypergraphs over two kinds of things, one pair for each slot; an inspector shows their scenes.

    Attributes:
        own: whether they are a reader's hypergraphs, with no data set behind them: no clicks, interest or scores.
        kinds: what a node is, and what a hyperedge comes from, on side ``user``.
        slots: a label for each slot.
        modalities: names, as ``Edges.modality`` numbers them.
        delta: the threshold shown at first.
        neighbours: the K shown at first, 0 for all.
        ids: of each kind, in the order of its numbers.
        titles: the same.
    """

    own: ClassVar[bool] = False
    kinds: tuple[str, str] = ("user", "item")
    slots: list[str]
    modalities: tuple[str, ...]
    delta: float
    neighbours: int
    ids: Mapping[str, NDArray[Any]]
    titles: Mapping[str, list[str]]

    def __init__(self) -> None:
        self._pair = lru_cache(KEPT)(self._build_pair)
        self._whole = lru_cache(KEPT)(self._select)
        self._places = lru_cache(2)(self._place)

    @abstractmethod
    def index(self, kind: str, ids: Sequence[Any]) -> NDArray[np.int64]:
        """Return the numbers of things of a kind.

        Raises:
            DataError: there is none of that id.
        """

    @cached_property
    @abstractmethod
    def colourings(self) -> dict[str, dict[str, Make]]:
        """What can colour the nodes of each kind, by name."""

    @abstractmethod
    def table(self, ids: Sequence[Any], kind: str) -> list[dict[str, Any]]:
        """Return a row for each of the selected things."""

    @abstractmethod
    def frame(self, ids: Sequence[Any], kind: str) -> pd.DataFrame:
        """Return the same as a frame."""

    @abstractmethod
    def panel(self, ids: Sequence[Any], kind: str, total: int, colours: Mapping[str, str]) -> str:
        """Return the same as HTML; ``ids`` are the first of ``total``."""

    @abstractmethod
    def timeline(self, user: Any) -> list[dict[str, Any]]:
        """Return what a user did, slot by slot."""

    @property
    @abstractmethod
    def explainer(self) -> ScoreExplainer:
        """Explains scores.

        Raises:
            ConfigError: there are none to explain.
        """

    @abstractmethod
    def _build_pair(self, slot: int, delta: float, neighbours: int) -> dict[str, Edges]:
        """Return the hypergraph of each side."""

    @abstractmethod
    def _place(self, kind: str) -> Places:
        """Place all things of a kind."""

    @property
    def slot_counts(self) -> tuple[list[int], str]:
        """How much there is in each slot, and of what."""
        pairs = [self._pair(slot, self.delta, self.neighbours) for slot in range(len(self.slots))]
        return [len(pair["user"]) for pair in pairs], "hyperedges"

    def places(self, kind: str) -> Places:
        """Where each thing of a kind stands in all slots and thresholds, jointly and by modality."""
        return self._places(kind)

    def query(
        self,
        *,
        side: Literal["user", "item"] = "user",
        slot: int = 0,
        modalities: Sequence[str] | None = None,
        delta: float | None = None,
        neighbours: int = 0,
        swap: bool = False,
        focus: Focus | None = None,
        limit: int = 300,
        min_size: int = 0,
        max_size: int = 0,
        min_degree: int = 0,
        min_modalities: int = 0,
        colour_by: str = "",
        slots: Sequence[int] | None = None,
    ) -> Query:
        """Check what a scene is asked for; see :class:`~hyperctr.widgets.scene.Query`.

        Args:
            side: which hypergraph.
            slot: number of the time slot.
            modalities: names; None is all of them.
            delta: interest threshold; None is that of the settings.
            neighbours: K sampled neighbours; 0 is all.
            swap: exchange the roles of nodes and hyperedges, modality by modality.
            focus: ``("node", id)`` keeps its hyperedges; ``("hyperedge", number)`` keeps it (see
                ``Edges.number``) and those that share a member with it.
            limit: most hyperedges shown, the largest of each modality in turn; ``Scene.rule`` tells.
            min_size: fewest members of a hyperedge.
            max_size: most of them; 0 is no bound.
            min_degree: fewest hyperedges that a node lies on; others are left out of their hyperedges, once.
            min_modalities: fewest modalities in which what a hyperedge comes from has one.
            colour_by: one of ``colourings`` of any kind of node; those of the other kind colour nothing here.
            slots: first and last of several slots, whose hyperedges are shown together instead of those of ``slot``:
                one of a label and modality has the members of all.

        Raises:
            ConfigError: an unknown side, slot, modality or colouring, or a number out of bounds.
        """
        if side not in ("user", "item"):
            raise ConfigError(f"side {side!r}: use 'user' or 'item'")
        known_slot("slot", slot, len(self.slots))
        if slots:
            known_range(slots, len(self.slots))
        if limit < 1:
            raise ConfigError(f"limit={limit} shows nothing; use at least 1")
        known_modalities(modalities or (), self.modalities)
        names = self.modalities if modalities is None else tuple(m for m in self.modalities if m in modalities)
        delta = float(self.delta if delta is None else delta)
        filters = int(min_size), int(max_size), int(min_degree), int(min_modalities)
        if min(filters) < 0:
            raise ConfigError(f"a filter below 0, of {filters}; 0 filters nothing")
        name = colouring_name(colour_by, self.colourings)
        numbers = int(neighbours), bool(swap), focus, int(limit), *filters
        several = (int(slots[0]), int(slots[1])) if slots else None
        return Query(side, int(slot), names, delta, *numbers, name, self.kinds, self.own, several)

    @property
    def slot_ends(self) -> list[tuple[str, str]]:
        """How each slot is called where it begins a range of slots, and where it ends one."""
        return [(label, label) for label in self.slots]

    def when(self, first: int, last: int) -> str:
        """Say from when to when some slots are: "2018-01 to 2019-06", "slot 3 to 5"; of one slot, its label."""
        return self.slots[first] if first == last else f"{self.slot_ends[first][0]} to {self.slot_ends[last][1]}"

    def build(self, **asked: Any) -> Scene:
        """Cut the scene that the arguments of :meth:`query` ask for.

        Raises:
            ConfigError: see :meth:`query`.
            DataError: the focus is not a node of this data set, or not the number of a hyperedge. One that is only
                not in this slot, or not at this threshold, gives an empty scene that says so.
        """
        return self.scene(self.query(**asked))

    def scene(self, query: Query) -> Scene:
        """Cut the largest hyperedges of a query, each modality in turn; what the focus is on is among them."""
        whole = self.whole(query)
        chosen = largest_hyperedges(np.stack([whole.nodes, whole.edge]), whole.modality, query.limit)
        if query.focus is not None and query.focus[0] == "hyperedge" and 0 < len(chosen) < len(whole):
            centre = np.flatnonzero(whole.number == query.focus[1])  # what is looked at is always shown
            chosen = np.union1d(centre, chosen if centre[0] in chosen else chosen[:-1])
        return self.cut(query, whole, chosen)

    def whole(self, query: Query) -> Edges:
        """Return all hyperedges a query asks for: its slot, threshold, modalities and focus, but no limit."""
        return self._whole(replace(query, limit=1, colour_by=""))

    def _select(self, query: Query) -> Edges:
        first, last = query.span
        pairs = [self._pair(slot, query.delta, query.neighbours)[query.side] for slot in range(first, last + 1)]
        edges = pairs[0] if first == last else Edges.united(pairs)
        edges = edges.swapped() if query.swap else edges
        wanted = [self.modalities.index(name) for name in query.modalities]
        if len(wanted) < len(self.modalities):
            edges = edges.take(np.flatnonzero(np.isin(edges.modality, wanted)))
        edges = filtered(edges, query)
        if query.focus is None:
            return edges
        kind, name = query.focus
        if kind == "node":
            return edges.take(edges.with_members(self.index(query.node_kind, [name])))
        if kind != "hyperedge":
            raise ConfigError(f"focus {query.focus!r}: use ('node', id) or ('hyperedge', number)")
        if not 0 <= int(name) < len(self.modalities) * edges.num_labels:
            raise DataError(f"hyperedge {name}: their numbers are 0 to {len(self.modalities) * edges.num_labels - 1}")
        centre = edges.take(np.flatnonzero(edges.number == name))
        return edges.take(edges.with_members(centre.nodes))

    def cut(
        self, query: Query, whole: Edges, chosen: NDArray[np.int64], rule: str = "", *, alike: bool = False
    ) -> Scene:
        """Place and name the ``chosen`` of the hyperedges of a query; ``rule`` says how they were chosen.

        ``alike``: a node has one place, whatever the modality.
        """
        edges = whole.take(chosen)
        members, position = np.unique(edges.nodes, return_inverse=True)
        node, label = query.node_kind, query.label_kind
        joint, own = self.places(node)
        local = np.stack([position, edges.edge])
        around, when = self._focus_title(query), self.when(*query.span)
        if alike:
            one = drawn_places(joint[members][None], local, np.zeros_like(edges.modality))
            places = np.repeat(one, len(own), axis=0)
        else:
            places = drawn_places(own[:, members], local, edges.modality)
        make = self.colourings[node].get(query.colour_by)
        colouring = make(query) if make else None
        return Scene(
            nodes=self.ids[node][members].tolist(),
            titles=[self.titles[node][member] for member in members],
            x=joint[members, 0],
            y=joint[members, 1],
            edges=replace(edges, nodes=position, num_nodes=len(members)),
            edge_labels=self.ids[label][edges.label].tolist(),
            edge_titles=[self.titles[label][source] for source in edges.label],
            total_edges=len(whole),
            rule=rule
            or shown_rule(
                query, len(edges), len(whole), len(members), len(whole.members), around, when if query.slots else ""
            ),
            modalities=self.modalities,
            query=query,
            slot_label=when,
            around=around,
            panel_places=places,
            node_colour=None if colouring is None else colouring.values[members],
            colouring=colouring,
        )

    def _focus_title(self, query: Query) -> str:
        """Title of the node or hyperedge a query looks at; empty without one."""
        if query.focus is None:
            return ""
        if query.focus[0] == "node":
            return self.titles[query.node_kind][int(self.index(query.node_kind, [query.focus[1]])[0])]
        modality, label = divmod(int(query.focus[1]), len(self.titles[query.label_kind]))
        name = f"{self.modalities[modality]}: " if len(self.modalities) > 1 else ""
        return name + self.titles[query.label_kind][label]

    def stats(self, scene: Scene) -> dict[str, Any]:
        """Return sizes and overlap of the scene's whole hypergraph."""
        return scene_stats.sizes(self.whole(scene.query), scene.query.modalities, self.modalities)
