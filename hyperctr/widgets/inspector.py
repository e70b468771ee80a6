"""The hypergraph inspector as a JupyterLab widget; without a live front end, the same call shows a plotly figure.

Settings and selection are traits that a notebook may save; scenes, tables and answers are messages, never saved.
"""

from __future__ import annotations

import tempfile
import warnings
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hyperctr.display.theme import MODALITY_COLOURS, mime_bundle, modality_colour
from hyperctr.errors import DataWarning, HyperCTRError
from hyperctr.widgets.checks import a_slot, keywords, known_modalities, known_nodes, plain_ids
from hyperctr.widgets.contrast import NAMES, Contrast, contrast
from hyperctr.widgets.explanation_panel import WORDS, selection_panel, why_panel
from hyperctr.widgets.export import save_selection
from hyperctr.widgets.lookup import contributions, find, frame, live, meant
from hyperctr.widgets.picture import Scene
from hyperctr.widgets.scene import Scenes
from hyperctr.widgets.selection_panel import numbers_panel, user_panel

try:
    import anywidget
    import traitlets as t
except ImportError as error:  # training needs no notebook stack
    raise ImportError("hc.Inspector needs anywidget and JupyterLab: pip install 'hyperctr[report,notebook]'") from error

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

    from hyperctr.data.dataset import Dataset
    from hyperctr.runs.run import Run

HERE = Path(__file__).parent
VIEWS = ("hulls", "bipartite", "incidence", "overlap", "difference")
SCENE = ("side", "slot", "modalities", "delta", "neighbours", "swap", "focus", "limit")
LISTED = 200  # rows of the table of selected things; the widget says how many there are


class Inspector(anywidget.AnyWidget):
    """Look into the hypergraphs of a data set, and into the scores of a run.

    Every trait below can be read and set from Python, and changes with what the user does.

    Attributes:
        view: ``hulls``, ``bipartite``, ``incidence``, ``overlap`` or ``difference``.
        side: ``user`` or ``item`` hypergraph; ``swap`` exchanges the roles of nodes and hyperedges.
        slot, delta, neighbours: time slot; threshold of interest; K sampled neighbours (0 is all).
        modalities: names of those shown.
        focus: None, ``["node", id]`` or ``["hyperedge", number]``: only its neighbourhood is shown.
        limit: most hyperedges shown; :attr:`scene` says by which rule.
        selection: ids of the selected nodes.
        query: text to find users, items and titles by.
        pair: user id and item id whose score is explained; ``struck`` and ``struck_modalities`` are taken out.
        compare_slot, compare_delta: what ``difference`` compares with; None: the slot before (the second for
            the first), the same delta.

    Args:
        data: the data set.
        run: a finished run: its settings, interest and scores.
        seed: of what is drawn where there is no run.
        traits: first values, as in ``Inspector(data, slot=3, view="overlap")``.

    Raises:
        RunError: the run was trained on other data. ConfigError: a keyword that is no trait.
        traitlets.TraitError: a value a trait cannot have; the message says what it can.

    >>> import hyperctr as hc
    >>> data = hc.load_dataset("planted", num_users=50, num_items=80, num_interactions=900, months=12)
    >>> inspector = hc.Inspector(data, delta=0.3, limit=5)
    >>> inspector.selection = inspector.scene.nodes[:2]
    >>> len(inspector.table()), inspector.scene.rule.partition(" of ")[0]
    (2, 'showing 5')
    """

    _esm = HERE / "inspector.js"
    _css = HERE / "inspector.css"

    about = t.Dict().tag(sync=True)
    view = t.Enum(VIEWS, "hulls").tag(sync=True)
    side = t.Enum(("user", "item"), "user").tag(sync=True)
    slot = t.Int(0).tag(sync=True)
    modalities = t.List(t.Unicode()).tag(sync=True)
    delta = t.Float(0.5, min=0.0, max=1.0).tag(sync=True)
    neighbours = t.Int(0, min=0).tag(sync=True)
    swap = t.Bool(False).tag(sync=True)
    focus: Any = t.List(allow_none=True, default_value=None, minlen=2, maxlen=2).tag(sync=True)
    limit = t.Int(15, min=1).tag(sync=True)
    selection: Any = t.List().tag(sync=True)
    query = t.Unicode("").tag(sync=True)
    pair: Any = t.List(maxlen=2).tag(sync=True)
    struck = t.List(t.Unicode()).tag(sync=True)
    struck_modalities = t.List(t.Unicode()).tag(sync=True)
    compare_slot = t.Int(None, allow_none=True).tag(sync=True)
    compare_delta = t.Float(None, allow_none=True, min=0.0, max=1.0).tag(sync=True)

    def __init__(self, data: Dataset, run: Run | None = None, *, seed: int = 0, **traits: Any) -> None:
        self.scenes = Scenes(data, run, seed=seed)
        names = self.scenes.modalities
        self._why: dict[str, Any] | None = None
        self._sent: tuple[str, ...] = ()
        self._user: Any = None  # whose timeline is shown
        self._meant: dict[str, Any] = {}  # side and swap for which focus and selection were set
        keywords(traits, self.trait_names())
        self._colours = {name: modality_colour(name, names) for name in names}
        about = {
            "slots": self.scenes.slots,
            "modalities": list(names),
            "colours": list(self._colours.values()),
            "joint": MODALITY_COLOURS["multi-modal"],
            "words": WORDS,
        }
        first = {
            "modalities": list(names),
            "delta": float(self.scenes.config.delta),
            "neighbours": int(self.scenes.config.neighbours or 0),
        } | traits
        super().__init__(about=about, **first)
        self.on_msg(self._hear)
        self.observe(self._moved, [*SCENE, "view", "compare_slot", "compare_delta"])
        self.observe(self._asked_why, ["pair", "struck", "struck_modalities"])
        self.observe(self._selected, "selection")
        self.observe(self._searched, "query")
        self._asked_why()

    @property
    def node_kind(self) -> str:
        """What a node is, ``user`` or ``item``."""
        return "user" if (self.side == "user") != self.swap else "item"

    @property
    def scene(self) -> Scene:
        """What is shown: nodes, hyperedges and the rule by which they were chosen."""
        return self.contrast().picture if self.view == "difference" else self.scenes.build(**self._wanted())

    def contrast(self) -> Contrast:
        """Return what differs from ``compare_slot`` and ``compare_delta``: what the view ``difference`` shows."""
        query = self.scenes.build(**self._wanted()).query
        beside = self.slot - 1 if self.slot else min(1, len(self.scenes.slots) - 1)
        slot = beside if self.compare_slot is None else self.compare_slot
        delta = self.delta if self.compare_delta is None else self.compare_delta
        return contrast(self.scenes, query, replace(query, slot=slot, delta=delta))

    @property
    def score(self) -> float | None:
        """Probability of a click of :attr:`pair` without what is struck out; None where no pair was picked."""
        return None if self._why is None else float(self._why["new_score"])

    def why(self) -> dict[str, Any] | None:
        """Return the explanation of :attr:`pair`; see :meth:`hyperctr.widgets.scene.Scenes.why`."""
        return self._why

    def table(self) -> list[dict[str, Any]]:
        """Return one row per selected node: id, title, popularity, modalities, features."""
        return self.scenes.table(self.selection, self.node_kind)

    def selected(self) -> pd.DataFrame:
        """Return :meth:`table` as a frame; for each modality the norm of the features and their first three values."""
        return frame(self.table(), self.scenes.modalities)

    def contributions(self) -> pd.DataFrame:
        """Return what each hyperedge adds to the score of :attr:`pair`, largest effect first; empty without a pair."""
        return contributions([] if self._why is None else self._why["contributions"])

    def figure(self, view: str | None = None) -> go.Figure:
        """Return the static twin: a plotly figure of the same scene."""
        from hyperctr.widgets.static import difference_figure, static_figure

        wanted: Any = view or self.view
        if wanted == "difference":
            return difference_figure(self.contrast())
        scene = self.scenes.build(**self._wanted())
        overlap = self.scenes.stats(scene)["overlap"] if wanted == "overlap" else None
        return static_figure(scene, wanted, overlap=overlap)

    def export_selection(self, path: str | Path) -> Path:
        """Write the selection, or the whole scene if nothing is selected, as ``.csv`` or as HIF (``.json``).

        What is selected but not in this scene is left out, with a ``DataWarning`` that says how many.

        Raises:
            ConfigError: another ending. DataError: nothing that is selected is in this scene.
        """
        left_out = save_selection(self.scene, self.selection, path)
        if left_out:
            warnings.warn(left_out, DataWarning, stacklevel=2)
        return Path(path)

    def open(self) -> None:
        """Open the channel to the browser; a batch run has none, and saves no widget state."""
        if live():
            super().open()

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        return super()._repr_mimebundle_(**kwargs) if live() else mime_bundle(self.figure())

    @t.validate("slot", "compare_slot")
    def _a_slot(self, proposal: Any) -> int | None:
        return a_slot(proposal["trait"].name, proposal["value"], len(self.scenes.slots))

    @t.validate("modalities", "struck_modalities")
    def _known(self, proposal: Any) -> list[str]:
        return known_modalities(proposal["value"], self.scenes.modalities)

    @t.validate("selection", "pair", "focus")
    def _plain_ids(self, proposal: Any) -> list[Any] | None:
        name, value = proposal["trait"].name, plain_ids(proposal["value"])
        self._meant[name] = self.side, self.swap
        return known_nodes(value, self.node_kind, self.scenes.data) if name == "selection" and value else value

    def _wanted(self) -> dict[str, Any]:
        wanted = {name: getattr(self, name) for name in SCENE}
        return wanted | {"focus": tuple(self.focus) if self.focus else None}

    def _moved(self, change: Any) -> None:
        for name, nothing in (("focus", None), ("selection", [])):  # users are not items
            if getattr(self, name) and self._meant[name] != (self.side, self.swap):
                setattr(self, name, nothing)
        if self.comm is not None:
            self._try(self._send_scene)

    def _send_scene(self, again: bool = False) -> None:
        different = self.view == "difference"
        sent = (str(self._wanted()), str(different and (self.compare_slot, self.compare_delta)))
        if sent == self._sent and not again:
            return  # one message of the browser can change several traits
        found = self.contrast() if different else None
        scene = found.picture if found else self.scene
        header, buffers = scene.pack()
        message: dict[str, Any] = {"type": "scene", "scene": header, "stats": self.scenes.stats(scene)}
        if found is not None:
            buffers = [*buffers, memoryview(found.marks.tobytes())]
            message["against"] = [found.there.slot, found.there.query.delta]
            message["difference"] = [found.counts[name] for name in NAMES]
        self._sent = sent
        message["numbers"] = numbers_panel(message["stats"], message.get("difference"), scene.node_kind, self._colours)
        self.send(message, buffers)
        self._send_user(self._user)

    def _selected(self, _: Any = None) -> None:
        if self.comm is None:
            return
        kind, rows = self.node_kind, self.scenes.table(self.selection[:LISTED], self.node_kind)
        html = selection_panel(rows, kind, len(self.selection), self._colours)
        self.send({"type": "table", "ids": [row["id"] for row in rows], "html": html})
        user = self.selection[0] if self.selection and kind == "user" else (self.pair or [None])[0]
        self._send_user(None if user is None else meant(user, self.scenes.data.users))

    def _send_user(self, user: Any) -> None:
        self._user = user
        rows = [] if user is None else self.scenes.timeline(user)
        self.send({"type": "user", "html": user_panel(user, rows, self.slot, self._colours)})

    def _asked_why(self, _: Any = None) -> None:
        self._why, problem = None, ""
        if len(self.pair) == 2:
            data = self.scenes.data
            user, item = meant(self.pair[0], data.users), meant(self.pair[1], data.items)
            try:
                self._why = self.scenes.why(user, item, struck=self.struck, struck_modalities=self.struck_modalities)
            except HyperCTRError as error:
                if self.comm is None:
                    raise
                problem = f'<p class="hc-none">{escape(str(error))}</p>'
        if self.comm is None:
            return
        html = problem or why_panel(self._why, self.struck, self.struck_modalities, self._colours)
        self.send({"type": "why", "html": html})
        if self._why is not None and user != self._user:
            self._send_user(user)

    def _searched(self, _: Any = None) -> None:
        if self.query and self.comm is not None:
            scene = self.scene
            whole = self.scenes.whole(replace(scene.query, focus=None))
            self.send({"type": "found", "rows": find(self.scenes.data, scene, whole, self.query)})

    def _hear(self, _: Any, message: dict[str, Any], __: Any) -> None:
        kind = message.get("type")
        if kind == "hello":
            self._try(self._send_scene, True)
            self._selected()
            self._asked_why()
        elif kind == "export":
            self._try(self._send_file, message.get("kind"))
        elif kind == "ping":
            self.send({"type": "pong"})

    def _send_file(self, kind: Any) -> None:
        name, mime = {"csv": ("selection.csv", "text/csv"), "hif": ("selection.json", "application/json")}[kind]
        with tempfile.TemporaryDirectory() as folder:
            left_out = save_selection(self.scene, self.selection, Path(folder) / name)
            text = (Path(folder) / name).read_text(encoding="utf-8")
        self.send({"type": "file", "name": name, "mime": mime, "text": text})
        if left_out:
            self.send({"type": "error", "text": left_out})

    def _try(self, act: Any, *arguments: Any) -> None:
        """What a user cannot have is told in the widget, where the wish came from."""
        try:
            act(*arguments)
        except HyperCTRError as error:
            self.send({"type": "error", "text": str(error)})
