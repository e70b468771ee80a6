"""A reader's own hypergraphs in the inspector: nodes with their names, groups for modalities, one slot for each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hyperctr.display.layout import hypergraph_maps
from hyperctr.errors import ConfigError, DataError, did_you_mean
from hyperctr.widgets.colourings import Colouring, Make, column, number, of_communities
from hyperctr.widgets.edges import Edges
from hyperctr.widgets.panels import render
from hyperctr.widgets.scene import Places, Query
from hyperctr.widgets.scene_source import SceneSource

if TYPE_CHECKING:
    from hyperctr.hypergraph.incidence import Hypergraph
    from hyperctr.runs.explaining import ScoreExplainer
    from hyperctr.runs.run import Run

NAMES = ("title", "name", "label")  # attributes that name a node or hyperedge, the first that is there
OF_KIND = {"user": "item", "item": "user"}  # what the hyperedges of a data set's hypergraphs come from
UNGROUPED = "hyperedges"  # shown where nobody gave groups
Ints = NDArray[np.int64]
Things = dict[Any, dict[str, Any]]  # attributes by id, in order


class OwnScenes(SceneSource):
    """Scenes of hypergraphs without a data set: no threshold, clicks, interest or scores.

    What has one id in several of them is one node, or one hyperedge, at one place.

    Args:
        graphs: the hypergraphs, over one kind of node, by name.

    Raises:
        ConfigError: there is none, or their nodes are of different kinds.

    >>> import hyperctr as hc
    >>> scenes = OwnScenes({"pets": hc.Hypergraph.of({"cats": ["ann", "bob"], "dogs": ["bob", "cid"]})})
    >>> scene = scenes.build()
    >>> scene.titles, scene.edge_titles, scene.rule
    (['ann', 'bob', 'cid'], ['cats', 'dogs'], 'showing 2 of 2 hyperedges: all of them; 3 of 3 nodes')
    """

    own = True

    def __init__(self, graphs: Mapping[str, Hypergraph]) -> None:
        super().__init__()
        kinds = {graph.node_kind for graph in graphs.values()}
        if len(kinds) != 1:
            found = ", ".join(sorted(kinds)) or "nothing"
            raise ConfigError(f"Inspector shows hypergraphs over one kind of node together; these are over {found}")
        node = kinds.pop()
        self.kinds = node, OF_KIND.get(node, "hyperedge")
        self.slots = list(graphs)
        self.modalities = tuple(dict.fromkeys(name for graph in graphs.values() for name in _groups(graph)))
        self.delta, self.neighbours = 0.0, 0
        self._graphs = list(graphs.values())
        self._things: dict[str, Things] = {kind: {} for kind in self.kinds}
        for graph in self._graphs:
            told = graph.annotations
            for kind, ids, attrs in (
                (self.kinds[0], graph.node_ids, told.node_attrs),
                (self.kinds[1], _hyperedge_ids(graph), told.hyperedge_attrs),
            ):
                _gather(self._things[kind], ids, attrs)
        self._number = {kind: {name: n for n, name in enumerate(things)} for kind, things in self._things.items()}
        self.ids = {kind: _as_objects(things) for kind, things in self._things.items()}
        self.titles = {
            kind: [_title(kind, name, attrs) for name, attrs in things.items()] for kind, things in self._things.items()
        }

    def index(self, kind: str, ids: Sequence[Any]) -> Ints:
        """Return the numbers of nodes, or of what hyperedges come from.

        Raises:
            DataError: there is none of that id.
        """
        known = self._number[kind]
        for name in ids:
            if name not in known:
                raise DataError(
                    f"{kind} {name!r} is in none of these hypergraphs: {did_you_mean(str(name), map(str, known))}"
                )
        return np.array([known[name] for name in ids], dtype=np.int64)

    @cached_property
    def colourings(self) -> dict[str, dict[str, Make]]:
        """Degree, communities, and every attribute of nodes and of hyperedges."""
        degree = {kind: {"degree": partial(self._degree, kind)} | of_communities(self, kind) for kind in self.kinds}
        return {kind: made | self._attributes(kind) for kind, made in degree.items()}

    def table(self, ids: Sequence[Any], kind: str) -> list[dict[str, Any]]:
        """Return ``id``, ``title``, on how many hyperedges of each group it lies in all slots, and its attributes."""
        rows = []
        for place in self.index(kind, ids).tolist():
            name = self.ids[kind][place]
            counts = dict(zip(self.modalities, self._degrees[kind][:, place].tolist(), strict=True))
            row = {"id": name, "title": self.titles[kind][place], "hyperedges": counts}
            rows.append(row | {"attributes": self._things[kind][name]})
        return rows

    def frame(self, ids: Sequence[Any], kind: str) -> pd.DataFrame:
        """Return :meth:`table` with a column for each group and each attribute."""
        rows = [
            {"id": row["id"], "title": row["title"], **row["hyperedges"], **row["attributes"]}
            for row in self.table(ids, kind)
        ]
        return pd.DataFrame(rows, columns=None if rows else ["id", "title", *self.modalities])

    def panel(self, ids: Sequence[Any], kind: str, total: int, colours: Mapping[str, str]) -> str:
        """Return :meth:`table` as HTML."""
        return render("own_selection", rows=self.table(ids, kind), kind=kind, total=total, colours=colours)

    def timeline(self, user: Any) -> list[dict[str, Any]]:
        """Return nothing: there are no clicks."""
        return []

    @property
    def explainer(self) -> ScoreExplainer:
        """Refuse: hypergraphs alone have no scores.

        Raises:
            ConfigError: always.
        """
        raise ConfigError("scores are explained of a data set and a run: Inspector(data, run)")

    def _build_pair(self, slot: int, delta: float, neighbours: int) -> dict[str, Edges]:
        """Return the hypergraph of a slot, and its dual; threshold and K change nothing."""
        graph, (nodes, labels) = self._graphs[slot], (self._number[kind] for kind in self.kinds)
        groups = np.array([self.modalities.index(name) for name in _groups(graph)], dtype=np.int64)
        incidence = graph.incidence.cpu().numpy()
        node = np.array([nodes[name] for name in graph.node_ids], dtype=np.int64)[incidence[0]]
        label = np.array([labels[name] for name in _hyperedge_ids(graph)], dtype=np.int64)
        order = np.lexsort((node, incidence[1]))
        size = np.bincount(incidence[1], minlength=graph.num_hyperedges)
        offsets = np.concatenate([[0], np.cumsum(size)]).astype(np.int64)
        columns = groups[graph.group.cpu().numpy()], label, graph.weight.cpu().numpy()
        edges = Edges(offsets, node[order], *columns, len(nodes), len(labels))
        edges = edges.take(np.flatnonzero(edges.size > 0))
        return {"user": edges, "item": edges.swapped()}

    @cached_property
    def _all(self) -> dict[str, Edges]:
        """The hyperedges of all slots, by the kind of their nodes."""
        pairs = [self._pair(slot, self.delta, 0) for slot in range(len(self.slots))]
        sides = zip(self.kinds, ("user", "item"), strict=True)
        return {kind: Edges.chained([pair[side] for pair in pairs]) for kind, side in sides}

    @cached_property
    def _degrees(self) -> dict[str, Ints]:
        """On how many hyperedges of each group a thing lies, int64 [M, N]."""
        counts = {}
        for kind, edges in self._all.items():
            key = edges.modality[edges.edge] * edges.num_nodes + edges.nodes
            flat = np.bincount(key, minlength=len(self.modalities) * edges.num_nodes)
            counts[kind] = flat.reshape(len(self.modalities), edges.num_nodes)
        return counts

    def _place(self, kind: str) -> Places:
        edges = self._all[kind]
        pairs = np.stack([edges.nodes, edges.edge])
        return hypergraph_maps(pairs, edges.modality, edges.num_nodes, len(self.modalities))

    def _degree(self, kind: str, query: Query) -> Colouring:
        whole = self.whole(query)
        return number("degree", np.bincount(whole.nodes, minlength=len(self.ids[kind])), low=1, log=True)

    def _attributes(self, kind: str) -> dict[str, Make]:
        """A colouring for every attribute whose values are numbers or words."""
        found: dict[str, Make] = {}
        for name in dict.fromkeys(name for attrs in self._things[kind].values() for name in attrs):
            values = [attrs.get(name) for attrs in self._things[kind].values()]
            if all(isinstance(value, str | int | float | None) for value in values):
                series: pd.Series[Any] = pd.Series(values).infer_objects()
                found[name] = partial(lambda name, series, _: column(name, series), name, series)
        return found


def own_hypergraphs(source: Any) -> dict[str, Hypergraph]:
    """Return by name what a reader gave to look at.

    Args:
        source: a Hypergraph, the path of a HIF file, what ``Hypergraph.of`` takes (a dict of members, a list of sets, a
            matrix, a table, a hypergraph of XGI or HyperNetX), or several hypergraphs, files or dicts of members: a
            list, or a dict by name.

    Raises:
        DataError: it is none of these, or cannot be read.
        ShapeError: its parts do not fit each other.

    >>> list(own_hypergraphs([{"ann", "bob"}, {"bob", "cid"}]))
    ['hypergraph']
    >>> list(own_hypergraphs({"May": {"cats": ["ann", "bob"]}, "June": {"cats": ["ann", "cid"]}}))
    ['May', 'June']
    """
    if isinstance(source, Mapping) and source and all(map(_is_whole, source.values())):
        return {str(name): _hypergraph(part) for name, part in source.items()}
    if isinstance(source, list | tuple) and source and all(map(_is_whole, source)):
        graphs = [_hypergraph(part) for part in source]
        return {_slot_name(part, graph, at): graph for at, (part, graph) in enumerate(zip(source, graphs, strict=True))}
    name = Path(source).stem if isinstance(source, str | Path) else "hypergraph"
    return {name: _hypergraph(source)}


def _is_whole(part: Any) -> bool:
    """Whether a part of a list or dict is a hypergraph by itself, and no hyperedge."""
    from hyperctr.hypergraph.incidence import Hypergraph

    return isinstance(part, Hypergraph | Mapping | Path) or (isinstance(part, str) and part.endswith(".json"))


def _hypergraph(source: Any) -> Hypergraph:
    from hyperctr.hypergraph.incidence import Hypergraph

    if isinstance(source, str | Path):
        if not Path(source).is_file():
            known = f"a data set as hc.load_dataset({str(source)!r})"
            raise DataError(f"{source}: no such file; give a HIF file, or {known}")
        return Hypergraph.from_hif(source)
    return source if isinstance(source, Hypergraph) else Hypergraph.of(source)


def _slot_name(source: Any, graph: Hypergraph, at: int) -> str:
    if isinstance(source, str | Path):
        return f"{at}: {Path(source).stem}"
    return f"hypergraph {at}" if graph.slot is None or graph.slot == at else f"hypergraph {at}: slot {graph.slot}"


def _groups(graph: Hypergraph) -> tuple[str, ...]:
    """Return the names of the groups; of a hypergraph without groups what all of it is."""
    return (UNGROUPED,) if graph.group_names == ("group 0",) else graph.group_names


def _hyperedge_ids(graph: Hypergraph) -> Iterable[Any]:
    """Return ids as given, else what hyperedges come from where that tells those of a group apart, else numbers."""
    if graph.annotations.hyperedge_ids:
        return graph.annotations.hyperedge_ids
    group, label = graph.group.cpu().numpy(), graph.label.cpu().numpy()
    apart = len(np.unique(np.stack([group, label]), axis=1).T) == len(label)
    ids: list[Any] = label.tolist() if apart else list(range(len(label)))
    return ids


def _gather(things: Things, ids: Iterable[Any], attrs: Sequence[Mapping[str, Any] | None]) -> None:
    """Add ids and what is told of them; what was told first stays."""
    for place, name in enumerate(ids):
        told = (attrs[place] if len(attrs) else None) or {}
        things[name] = {**told, **things.get(name, {})}


def _title(kind: str, name: Any, attrs: Mapping[str, Any]) -> str:
    given = next((attrs[key] for key in NAMES if isinstance(attrs.get(key), str) and attrs[key]), None)
    return given or (name if isinstance(name, str) else f"{kind} {name}")


def _as_objects(things: Things) -> NDArray[Any]:
    ids = np.empty(len(things), dtype=object)  # ids may be numbers and words
    ids[:] = list(things)
    return ids


def scenes_of(source: Any, run: Run | None, seed: int) -> SceneSource:
    """Return the scenes of a data set, or of anything that :func:`own_hypergraphs` takes.

    Raises:
        ConfigError: a run, but no data set.
    """
    from hyperctr.data.dataset import Dataset
    from hyperctr.runs.session import Session
    from hyperctr.widgets.scenes import Scenes

    if isinstance(source, Dataset):
        return Scenes(source, run, seed=seed)
    if isinstance(source, Session):
        raise ConfigError("Inspector takes data and run of a session: Inspector(session.data, session.run)")
    if run is not None:
        raise ConfigError("Inspector(H, run): a run belongs to a data set; Inspector(data, run) shows its hypergraphs")
    return OwnScenes(own_hypergraphs(source))
