"""The hypergraph inspector as a JupyterLab widget; without a live front end, the same call shows a page part.

Settings and selection are traits that a notebook may save; scenes, tables and answers are messages, never saved. What
shows them without Python is an output of its own (``saving.py``).
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hyperctr.display.theme import modality_colour
from hyperctr.errors import DataWarning, HyperCTRError, counted
from hyperctr.widgets import lookup
from hyperctr.widgets.contrast import Contrast, contrast
from hyperctr.widgets.export import save_selection
from hyperctr.widgets.front_end import joined, stylesheet
from hyperctr.widgets.messages import (
    about,
    file_message,
    live,
    scene_message,
    selection_message,
    user_message,
    working_message,
)
from hyperctr.widgets.multiples import Multiples, multiples
from hyperctr.widgets.own import scenes_of
from hyperctr.widgets.saving import Saving
from hyperctr.widgets.scene import Query, Scene
from hyperctr.widgets.traits import SceneTraits, Text
from hyperctr.widgets.views import automatic_view, known_view
from hyperctr.widgets.why import Explaining, explanation_message

try:
    import anywidget
    import traitlets as t
except ImportError as error:  # training needs no notebook stack
    raise ImportError("hc.Inspector needs anywidget and JupyterLab: pip install 'hyperctr[report,notebook]'") from error

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

    from hyperctr.runs.run import Run

QUICK = 0.3  # seconds: a scene like the last one, that took no longer, is sent without a word before it
# traits that say what a scene shows
ASKED = tuple(field.name for field in fields(Query) if field.name not in ("kinds", "own"))


class Inspector(SceneTraits, Explaining, Saving, anywidget.AnyWidget):
    """Look into the hypergraphs of a data set and the scores of a run, or into hypergraphs of your own.

    Every trait below can be read and set from Python, and changes with what the user does.

    Attributes:
        view: ``panels`` (regions, a panel for each modality), ``trees`` (all modalities in one picture), ``matrix``
            (rows are nodes, columns hyperedges), ``density`` (clusters of nodes), ``bipartite``, ``overlap``,
            ``difference`` or ``slots`` (up to twelve slots side by side). None lets the number of hyperedges choose:
            panels up to 40, a matrix up to 3,000, then the density; :attr:`shown_view` says which.
        side: ``user`` or ``item`` hypergraph.
        swap: whether the roles of nodes and hyperedges are exchanged.
        slot: number of the time slot.
        slots: None, or ``[first, last]``: the hyperedges of these slots together, instead of those of ``slot``, and the
            panels of the view ``slots``. Setting ``slot`` later ends it.
        delta: threshold of interest.
        neighbours: K sampled neighbours; 0 is all.
        modalities: names of those shown.
        focus: None, ``["node", id]`` or ``["hyperedge", number]``: only its neighbourhood is shown.
        limit: most hyperedges shown; :attr:`scene` says by which rule.
        min_size, max_size: bounds of the members of a hyperedge; 0 is no bound.
        min_degree: fewest hyperedges that a node lies on; others are left out of their hyperedges, once.
        min_modalities: fewest modalities in which what a hyperedge comes from has one.
        colour_by: what colours nodes, one of ``about["colourings"]`` of their kind; "" is nothing.
        selection: ids of the selected nodes.
        query: text to find users, items and titles by.
        pair: ids of the user and the item whose score is explained, perhaps a timestamp: without one, when it was
            clicked or else the end of the slot shown. The picture goes to the hyperedges that explain it.
        removed, removed_modalities: keys of hyperedges, and names of modalities, taken out of the explained score.
        removed_clicks: ``[item, timestamp]`` of clicks of the user taken out of the history that the score sees.
        explained_delta, explained_neighbours: other hypergraphs to compute the score on, with the weights as trained;
            None: the run's.
        compare_slot: slot that ``difference`` compares with; None: the one before (the second for the first).
        compare_delta: threshold that it compares with; None: the same.

    Args:
        data: a data set; or a hypergraph, several of them (a list, or a dict by name: one slot each), the path of a
            HIF file, or what ``Hypergraph.of`` takes. Of these there is no threshold, timeline or score to show.
        run: a finished run: its settings, interest and scores.
        seed: of what is drawn where there is no run.
        traits: first values, as in ``Inspector(data, slot=3, view="overlap")``.

    Raises:
        RunError: the run was trained on other data.
        ConfigError: a keyword that is no trait, or a run without a data set.
        DataError: ``data`` is nothing that can be looked at.
        SettingError: a value a trait cannot have, a ConfigError that is a traitlets.TraitError, too; the message says
            what it can have. Of hypergraphs alone, also a trait that needs clicks, interest or scores.

    >>> import hyperctr as hc
    >>> data = hc.load_dataset("planted", num_users=50, num_items=80, num_interactions=900, months=12)
    >>> inspector = hc.Inspector(data, delta=0.3, limit=5)
    >>> inspector.selection = inspector.scene.nodes[:2]
    >>> len(inspector.table()), inspector.scene.rule.partition(" of ")[0]
    (2, 'showing 5')
    """

    _esm = joined()
    _css = stylesheet()

    about = t.Dict().tag(sync=True)
    view = Text(None, allow_none=True).tag(sync=True)

    def __init__(self, data: Any, run: Run | None = None, *, seed: int = 0, **traits: Any) -> None:
        self.scenes = scenes_of(data, run, seed)
        names = self.scenes.modalities
        self._sent: Any = None  # what the last scene was asked for
        self._took = 0.0  # seconds that it needed
        self._user: Any = None  # whose timeline is shown, and in which slot
        self._pages: list[Any] = []  # outputs that show a reader without Python what is shown here
        self._paged: set[str] = set()  # sides whose scenes these hold
        self._set_for: dict[str, Any] = {}  # side and swap for which focus and selection were set
        lookup.keywords(traits, self.trait_names())
        self._colours = {name: modality_colour(name, names) for name in names}
        first = {"modalities": list(names), "neighbours": self.scenes.neighbours, "delta": self.scenes.delta}
        first |= {"about": about(self.scenes, self._colours)}
        super().__init__(**(first | traits))
        self.on_msg(self._receive)
        self.observe(self._moved, [*ASKED, "view", "compare_slot", "compare_delta"])
        self.observe(self._send_selection, "selection")
        self.observe(self._send_matches, "query")
        self._listen_for_pairs(go=not {*traits} & {*ASKED, "selection"})

    @property
    def scene(self) -> Scene:
        """What is shown: nodes, hyperedges and the rule by which they were chosen."""
        shown = self._shown()
        return shown if isinstance(shown, Scene) else shown.picture

    @property
    def shown_view(self) -> str:
        """The view in the picture: ``view``, or where that is None what suits the number of hyperedges shown."""
        return self.view or automatic_view(len(self.scene))

    def contrast(self) -> Contrast:
        """Return what differs from ``compare_slot`` and ``compare_delta``: what the view ``difference`` shows."""
        beside = self.slot - 1 if self.slot else min(1, len(self.scenes.slots) - 1)
        slot = beside if self.compare_slot is None else self.compare_slot
        delta = self.delta if self.compare_delta is None else self.compare_delta
        return contrast(self.scenes, self._asked(), replace(self._asked(), slot=slot, slots=None, delta=delta))

    def _shown(self) -> Scene | Contrast | Multiples:
        if self.view == "slots":
            return multiples(self.scenes, self._asked())
        return self.contrast() if self.view == "difference" else self.scenes.scene(self._asked())

    def table(self) -> list[dict[str, Any]]:
        """Return one row per selected node: id, title, popularity, modalities, features."""
        return self.scenes.table(self.selection, self.node_kind)

    def selected(self) -> pd.DataFrame:
        """Return :meth:`table` as a frame; for each modality the norm of the features and their first three values."""
        return self.scenes.frame(self.selection, self.node_kind)

    def figure(self, view: str | None = None) -> go.Figure:
        """Return the static twin: a plotly figure of the same scene."""
        from hyperctr.widgets.static import difference_figure, slots_figure, static_figure

        wanted: Any = known_view(view) or self.shown_view
        if wanted == "difference":
            return difference_figure(self.contrast())
        if wanted == "slots":
            return slots_figure(multiples(self.scenes, self._asked()))
        scene = self.scenes.scene(self._asked())
        overlap = self.scenes.stats(scene)["overlap"] if wanted == "overlap" else None
        return static_figure(scene, wanted, overlap=overlap)

    def export_selection(self, path: str | Path) -> Path:
        """Write the selection, or the whole scene if nothing is selected, as ``.csv`` or as HIF (``.json``).

        What is selected but not in this scene is left out, with a ``DataWarning`` that says how many.

        Raises:
            ConfigError: another ending.
            DataError: nothing that is selected is in this scene.
        """
        left_out = save_selection(self.scene, self.selection, path)
        if left_out:
            warnings.warn(left_out, DataWarning, stacklevel=2)
        return Path(path)

    def open(self) -> None:
        """Open the channel to the browser; a batch run has none, and saves no widget state."""
        if live():
            super().open()

    def __repr__(self) -> str:
        return f"Inspector({counted(len(self.scenes.slots), 'slot')}; {', '.join(self.scenes.modalities)})"

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        return super()._repr_mimebundle_(**kwargs) if live() else self._saved()

    def _asked(self) -> Query:
        asked = {name: getattr(self, name) for name in ASKED}
        return self.scenes.query(**asked | {"focus": tuple(self.focus) if self.focus else None})

    def _moved(self, change: Any) -> None:
        if self.slots and self._set_for["slots"] != self.slot:
            self.slots = None
        for name, nothing in (("focus", None), ("selection", [])):  # users are not items
            if getattr(self, name) and self._set_for[name] != (self.side, self.swap):
                setattr(self, name, nothing)
        if self.comm is not None:
            self._try(self._send_scene)

    def _send_scene(self, again: bool = False) -> None:
        several = self.view in ("difference", "slots") and (self.view, self.compare_slot, self.compare_delta)
        asked = (self._asked(), several)
        if asked == self._sent and not again:
            return  # one message of the browser can change several traits
        if self._sent is None or self._took > QUICK:
            self.send(working_message(self.scenes, asked[0], first=self._sent is None))
        begun = time.perf_counter()
        content, buffers = scene_message(self.scenes, self._shown(), self._colours)
        self._sent, self._took = asked, time.perf_counter() - begun
        self.send(content, buffers)
        self._show_user(self._user and self._user[0])
        self._save()

    def _send_selection(self, _: Any = None) -> None:
        if self.comm is None:
            return
        self.send(selection_message(self.scenes, self.selection, self.node_kind, self._colours))
        self._show_user(self.user_shown())

    def user_shown(self) -> Any:
        """Return the user whose timeline is shown: the first selected, else the one of the pair; None for nobody."""
        user = self.selection[0] if self.selection and self.node_kind == "user" else (self.pair or [None])[0]
        return None if user is None else lookup.known_ids([user], self.scenes.kinds[0], self.scenes)[0]

    def _show_user(self, user: Any) -> None:
        if (user, self.slot) != self._user:
            self._user = user, self.slot
            self.send(user_message(self.scenes, user, self.slot, self._colours))

    def _send_matches(self, _: Any = None) -> None:
        if self.query and self.comm is not None:
            self.send({"type": "found", "rows": lookup.find(self.scenes, self._asked(), self.query)})

    def send(self, content: Any, buffers: Any = None) -> None:
        """Send a message, large ids as texts."""
        super().send(lookup.exact(content), buffers)

    def _receive(self, _: Any, message: dict[str, Any], __: Any) -> None:
        kind = message.get("type")
        if kind == "hello":
            self._user = None  # a new front end has been told nothing
            self._try(self._send_scene, True)
            self._send_selection()
            self._explain()
        elif kind == "export":
            self._try(self._send_file, message.get("kind"))
        elif kind == "ping":
            self.send({"type": "pong"})

    def _send_file(self, kind: Any) -> None:
        if kind == "why":
            self.send(explanation_message(self.why()))
            return
        content, left_out = file_message(self.scene, self.selection, kind)
        self.send(content)
        if left_out:
            self.send({"type": "error", "text": left_out})

    def _try(self, act: Callable[..., None], *arguments: Any) -> None:
        """What a user cannot have is told in the widget, where the wish came from."""
        try:
            act(*arguments)
        except HyperCTRError as error:
            self.send({"type": "error", "text": str(error)})
