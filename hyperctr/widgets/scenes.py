"""What the inspector can show: one slot's hypergraph at one threshold, cut down to what can be drawn.

:class:`Scenes` holds what all pictures of a data set share (split, slots, interest, places); :meth:`Scenes.build` cuts
one :class:`Scene` from it, in milliseconds. No widget lives here, so a notebook, a test and a report see the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from hyperctr.config import Config
from hyperctr.display.hypergraph import largest_hyperedges
from hyperctr.display.layout import drawn_places
from hyperctr.errors import ConfigError, DataError, did_you_mean
from hyperctr.runs.session import Session
from hyperctr.widgets import scene_stats
from hyperctr.widgets.colourings import Make, colouring_name, colourings
from hyperctr.widgets.edges import Edges
from hyperctr.widgets.filters import filtered, shown_rule
from hyperctr.widgets.places import Places, places_of
from hyperctr.widgets.scene import Focus, Query, Scene
from hyperctr.widgets.score import ScoreExplainer

if TYPE_CHECKING:
    from hyperctr.data.dataset import Dataset
    from hyperctr.hypergraph.interest import Interest
    from hyperctr.runs.run import Run
    from hyperctr.split_data import SplitData

KEPT = 24  # hypergraphs held ready: a slider moved to and fro finds them again


class Scenes:
    """All the inspector knows of a data set and, with a run, of a model; no widgets inside.

    Args:
        data: the data set.
        run: a finished run on it: gives settings, slots, interest, and scores to explain. Without one the settings
            are the ``quick`` budget's and the interest is pre-trained once, when first needed.
        seed: of split and pre-training where there is no run.

    Attributes:
        data: the data set, without the modalities that the run was denied.
        config: the run's settings, or the budget's.
        run: the run, if there is one.
        split_data: the data set with its split and slots.
        slots: labels of the time slots.
        modalities: names, as ``Edges.modality`` numbers them.

    Raises:
        RunError: the run was trained on other data.

    >>> import hyperctr as hc
    >>> data = hc.load_dataset("planted", num_users=50, num_items=80, num_interactions=900, months=12)
    >>> scenes = Scenes(data)
    >>> scene = scenes.build(side="user", slot=0, delta=0.3, limit=5)
    >>> len(scene), len(scene.nodes) == len(scene.x), scene.rule.partition(" of ")[0]
    (5, True, 'showing 5')
    """

    def __init__(self, data: Dataset, run: Run | None = None, *, seed: int = 0) -> None:
        if run is not None:
            from hyperctr.runs.run import Run

            run = Run(run.folder, data)  # the same run on the data in hand, which it checks and need not load again
        self.run = run
        self.config: Config = Config.for_model("hyperctr", "quick", seed=seed) if run is None else run.config
        self._session = Session(data, self.config)
        self.split_data = self._session.split_data if run is None else run.split_data
        self.data = self.split_data.data
        self.slots: list[str] = list(self.split_data.slots.labels)
        self.modalities: tuple[str, ...] = self.data.modalities
        self._ids = {"user": self.data.users, "item": self.data.items}
        self._titles = scene_stats.titles(self.data)
        self._pair = lru_cache(KEPT)(self._build_pair)
        self._slot_clicks = lru_cache(len(self.slots))(self._take_slot_clicks)
        self._whole = lru_cache(KEPT)(self._select)
        self._places = lru_cache(2)(self._place)

    @cached_property
    def interest(self) -> Interest:
        """The run's interest, or one pre-trained now (seconds) where there is no run that has it."""
        learned = self.run.interest if self.run is not None else None
        return self._session.interest if learned is None else learned

    def places(self, kind: str) -> Places:
        """Where each user or item stands in all slots and thresholds, jointly and by modality: see ``places_of``."""
        return self._places(kind)

    def _place(self, kind: str) -> Places:
        return places_of(self.data, self.split_data.split.train, self.interest.degree, kind)

    @cached_property
    def colourings(self) -> dict[str, dict[str, Make]]:
        """What can colour users and items, by name; see :func:`hyperctr.widgets.colourings.colourings`."""
        return colourings(self)

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

        Raises:
            ConfigError: an unknown side, slot, modality or colouring, or a number out of bounds.
        """
        if side not in ("user", "item"):
            raise ConfigError(f"side {side!r}: use 'user' or 'item'")
        if not 0 <= slot < len(self.slots):
            raise ConfigError(f"slot {slot} does not exist; slots are 0 to {len(self.slots) - 1}")
        if limit < 1:
            raise ConfigError(f"limit={limit} shows nothing; use at least 1")
        for name in modalities or ():
            if name not in self.modalities:
                raise ConfigError(f"modality {name!r}: {did_you_mean(name, self.modalities)}")
        names = self.modalities if modalities is None else tuple(m for m in self.modalities if m in modalities)
        delta = float(self.config.interest_threshold if delta is None else delta)
        filters = int(min_size), int(max_size), int(min_degree), int(min_modalities)
        if min(filters) < 0:
            raise ConfigError(f"a filter below 0, of {filters}; 0 filters nothing")
        name = colouring_name(colour_by, self.colourings)
        return Query(side, int(slot), names, delta, int(neighbours), bool(swap), focus, int(limit), *filters, name)

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
        edges = self._pair(query.slot, query.delta, query.neighbours)[query.side]
        edges = edges.swapped() if query.swap else edges
        wanted = [self.modalities.index(name) for name in query.modalities]
        if len(wanted) < len(self.modalities):
            edges = edges.take(np.flatnonzero(np.isin(edges.modality, wanted)))
        edges = filtered(edges, query)
        if query.focus is None:
            return edges
        kind, name = query.focus
        if kind == "node":
            return edges.take(edges.with_members(self._index(query.node_kind, name)))
        if kind != "hyperedge":
            raise ConfigError(f"focus {query.focus!r}: use ('node', id) or ('hyperedge', number)")
        if not 0 <= int(name) < len(self.modalities) * edges.num_labels:
            raise DataError(f"hyperedge {name}: their numbers are 0 to {len(self.modalities) * edges.num_labels - 1}")
        centre = edges.take(np.flatnonzero(edges.number == name))
        return edges.take(edges.with_members(centre.nodes))

    def cut(self, query: Query, whole: Edges, chosen: NDArray[np.int64], rule: str = "") -> Scene:
        """Place and name the ``chosen`` of the hyperedges of a query; ``rule`` says how they were chosen."""
        edges = whole.take(chosen)
        members, position = np.unique(edges.nodes, return_inverse=True)
        node, label = query.node_kind, query.label_kind
        joint, own = self.places(node)
        local = np.stack([position, edges.edge])
        around = self._focus_title(query)
        make = self.colourings[node].get(query.colour_by)
        colouring = make(query) if make else None
        return Scene(
            nodes=self._ids[node][members].tolist(),
            titles=[self._titles[node][member] for member in members],
            x=joint[members, 0],
            y=joint[members, 1],
            edges=replace(edges, nodes=position, num_nodes=len(members)),
            edge_labels=self._ids[label][edges.label].tolist(),
            edge_titles=[self._titles[label][source] for source in edges.label],
            total_edges=len(whole),
            rule=rule or shown_rule(query, len(edges), len(whole), len(members), len(whole.members), around),
            modalities=self.modalities,
            query=query,
            slot_label=self.slots[query.slot],
            around=around,
            panel_places=drawn_places(own[:, members], local, edges.modality),
            node_colour=None if colouring is None else colouring.values[members],
            colouring=colouring,
        )

    def _focus_title(self, query: Query) -> str:
        """Title of the node or hyperedge a query looks at; empty without one."""
        if query.focus is None:
            return ""
        if query.focus[0] == "node":
            return self._titles[query.node_kind][int(self._index(query.node_kind, query.focus[1])[0])]
        modality, label = divmod(int(query.focus[1]), len(self._titles[query.label_kind]))
        return f"{self.modalities[modality]}: {self._titles[query.label_kind][label]}"

    def _index(self, kind: str, name: Any) -> NDArray[np.int64]:
        return (self.data.users_to_index if kind == "user" else self.data.items_to_index)([name])

    def stats(self, scene: Scene) -> dict[str, Any]:
        """Sizes and overlap of the scene's whole hypergraph, and the AUC of the cached run nearest in delta."""
        sizes = scene_stats.sizes(self.whole(scene.query), scene.query.modalities, self.modalities)
        return {**sizes, "nearest_run": scene_stats.nearest_run(self._session.data, self.config, scene.query)}

    def table(self, ids: Sequence[Any], side: str) -> list[dict[str, Any]]:
        """Return id, title, popularity (training clicks), modalities and features of items or users."""
        return scene_stats.table(self.split_data, self._titles, ids, side)

    def timeline(self, user: Any) -> list[dict[str, Any]]:
        """Return, per slot, the user's training clicks and interest in each modality (None where unknown)."""
        return scene_stats.timeline(self.split_data, self.interest, user)

    @cached_property
    def explainer(self) -> ScoreExplainer:
        """Explains scores of the run.

        Raises:
            ConfigError: there is no run, or its model has no hyperedges.
        """
        if self.run is None:
            raise ConfigError("an explanation needs a trained model: pass a run, Inspector(data, run)")
        return ScoreExplainer(self.run)

    def _take_slot_clicks(self, slot: int) -> tuple[SplitData, Interest]:
        """Split and interest with the training clicks of one slot only; the rest counts as validation."""
        split = self.split_data.split
        inside = self.split_data.slots.index[split.train] == slot
        part = split.part.copy()
        part[split.train[~inside]] = 1
        split_data = replace(self.split_data, split=replace(split, part=part))
        return split_data, replace(self.interest, degree=self.interest.degree[inside])

    def _build_pair(self, slot: int, delta: float, neighbours: int) -> dict[str, Edges]:
        """Build both hypergraphs of a slot from its own clicks: they depend on no others."""
        from hyperctr.hypergraph.build import hypergraphs_of
        from hyperctr.hypergraph.settings import GraphSettings

        settings = replace(GraphSettings.of(self.config), interest_threshold=delta, max_neighbours=neighbours or None)
        users, items = (graphs[slot] for graphs in hypergraphs_of(*self._slot_clicks(slot), settings))
        return {"user": Edges.of(users, self.data.num_items), "item": Edges.of(items, self.data.num_users)}
