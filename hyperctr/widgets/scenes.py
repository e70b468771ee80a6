"""What the inspector can show: one slot's hypergraph at one threshold, cut down to what can be drawn.

:class:`Scenes` holds what all pictures of a data set share (split, slots, interest, places); its ``build`` cuts one
:class:`Scene` from it, in milliseconds. No widget lives here, so a notebook, a test and a report see the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hyperctr.config import Config
from hyperctr.data.titles import titles
from hyperctr.errors import ConfigError
from hyperctr.runs.explaining import ScoreExplainer, explainer_of
from hyperctr.runs.session import Session
from hyperctr.widgets import scene_stats
from hyperctr.widgets.colourings import Make, colourings
from hyperctr.widgets.edges import Edges
from hyperctr.widgets.panels import selection_panel
from hyperctr.widgets.places import places_of
from hyperctr.widgets.scene import Places, Scene
from hyperctr.widgets.scene_source import SceneSource

if TYPE_CHECKING:
    import pandas as pd

    from hyperctr.data.dataset import Dataset
    from hyperctr.hypergraph.interest import Interest
    from hyperctr.hypergraph.stack import SlotHypergraphs
    from hyperctr.runs.run import Run


class Scenes(SceneSource):
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
        ConfigError: ``run`` is none.

    >>> import hyperctr as hc
    >>> data = hc.load_dataset("planted", num_users=50, num_items=80, num_interactions=900, months=12)
    >>> scenes = Scenes(data)
    >>> scene = scenes.build(side="user", slot=0, delta=0.3, limit=5)
    >>> len(scene), len(scene.nodes) == len(scene.x), scene.rule.partition(" of ")[0]
    (5, True, 'showing 5')
    """

    def __init__(self, data: Dataset, run: Run | None = None, *, seed: int = 0) -> None:
        super().__init__()
        if run is not None:
            from hyperctr.runs.run import Run

            if not isinstance(run, Run):
                raise ConfigError(
                    f"Inspector(data, run): the run is a {type(run).__name__}; hc.load_run(ID) returns one"
                )
            run = Run(run.folder, data)  # the same run on the data in hand, which it checks and need not load again
        self.run = run
        self.config: Config = Config.for_model("hyperctr", "quick", seed=seed) if run is None else run.config
        self._session = Session(data, self.config)
        self.split_data = self._session.split_data if run is None else run.split_data
        self.data = self.split_data.data
        self.slots: list[str] = list(self.split_data.slots.labels)
        self.modalities: tuple[str, ...] = self.data.modalities
        self.delta = float(self.config.interest_threshold)
        self.neighbours = int(self.config.max_neighbours or 0)
        self.ids = {"user": self.data.users, "item": self.data.items}
        self.titles = titles(self.data)
        self._slot_graphs = lru_cache(len(self.slots))(self._group_clicks)

    @cached_property
    def interest(self) -> Interest:
        """The run's interest, or one pre-trained now (seconds) where there is no run that has it."""
        learned = self.run.interest if self.run is not None else None
        return self._session.interest if learned is None else learned

    def index(self, kind: str, ids: Sequence[Any]) -> NDArray[np.int64]:
        """Return the numbers of users or items, ``kind``.

        Raises:
            DataError: one is not in the data set.
        """
        return (self.data.users_to_index if kind == "user" else self.data.items_to_index)(ids)

    def _place(self, kind: str) -> Places:
        return places_of(self.data, self.split_data.split.train, self.interest.degree, kind)

    @cached_property
    def colourings(self) -> dict[str, dict[str, Make]]:
        """What can colour users and items, by name; see :func:`hyperctr.widgets.colourings.colourings`."""
        return colourings(self)

    def stats(self, scene: Scene) -> dict[str, Any]:
        """Sizes and overlap of the scene's whole hypergraph, and the AUC of the cached run nearest in delta."""
        return {
            **super().stats(scene),
            "nearest_run": scene_stats.nearest_run(self._session.data, self.config, scene.query),
        }

    def table(self, ids: Sequence[Any], kind: str) -> list[dict[str, Any]]:
        """Return id, title, popularity (training clicks), modalities and features of items or users."""
        return scene_stats.table(self.split_data, self.titles, ids, kind)

    def frame(self, ids: Sequence[Any], kind: str) -> pd.DataFrame:
        """Return :meth:`table` with, for each modality, the norm of the features and their first three values."""
        return scene_stats.selection_frame(self.table(ids, kind), self.modalities)

    def panel(self, ids: Sequence[Any], kind: str, total: int, colours: Mapping[str, str]) -> str:
        """Return :meth:`table` as HTML."""
        return selection_panel(self.table(ids, kind), kind, total, colours)

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
        return explainer_of(self.run)

    def _group_clicks(self, slot: int, neighbours: int) -> SlotHypergraphs:
        """Group the training clicks of a slot: all of its hypergraphs that no threshold changes."""
        from hyperctr.hypergraph.settings import GraphSettings
        from hyperctr.hypergraph.stack import SlotHypergraphs

        split = self.split_data.split
        inside = self.split_data.slots.index[split.train] == slot
        part = split.part.copy()
        part[split.train[~inside]] = 1  # all else counts as validation
        split_data = replace(self.split_data, split=replace(split, part=part))
        interest = replace(self.interest, degree=self.interest.degree[inside])
        settings = replace(GraphSettings.of(self.config), max_neighbours=neighbours or None)
        return SlotHypergraphs(split_data, interest, settings)

    @property
    def slot_counts(self) -> tuple[list[int], str]:
        """Training clicks of each slot."""
        slots = self.split_data.slots
        return np.bincount(slots.index[self.split_data.split.train], minlength=slots.count).tolist(), "training clicks"

    @property
    def slot_ends(self) -> list[tuple[str, str]]:
        """Of "2018-01 to 2018-06" the first and the last month, of "slot 3" the whole and the number."""
        ends = [(label.partition(" to ")[0], label.rpartition(" to ")[2]) for label in self.slots]
        return [(start, end.removeprefix("slot ")) for start, end in ends]

    def _build_pair(self, slot: int, delta: float, neighbours: int) -> dict[str, Edges]:
        """Build both hypergraphs of a slot from its own clicks: they depend on no others."""
        from hyperctr.hypergraph.build import hypergraphs_of_slot

        graphs = self._slot_graphs(slot, neighbours).at_threshold(delta)
        users, items = hypergraphs_of_slot(self.data, graphs, slot)
        return {"user": Edges.of(users, self.data.num_items), "item": Edges.of(items, self.data.num_users)}
