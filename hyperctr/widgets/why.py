"""The part of the inspector that explains a score: the pair, what a reader changes about it, and its panel."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import traitlets as t

from hyperctr.errors import HyperCTRError
from hyperctr.runs import explanation as frames
from hyperctr.widgets import lookup
from hyperctr.widgets.checks import known_modalities
from hyperctr.widgets.panels import explanation_panel
from hyperctr.widgets.traits import Number, Several, Whole

if TYPE_CHECKING:
    import pandas as pd

    from hyperctr.widgets.scene_source import SceneSource

Message = dict[str, Any]
# traits that change a score, and what the explainer calls them
CHANGES = {name: name for name in ("removed", "removed_modalities", "removed_clicks")}
CHANGES |= {"explained_delta": "delta", "explained_neighbours": "neighbours"}


class Explaining(t.HasTraits):
    """What :class:`hyperctr.widgets.inspector.Inspector` has beside the picture; its traits are described there."""

    scenes: SceneSource
    comm: Any
    send: Any
    side: Any
    slot: Any
    _colours: dict[str, str]
    _explanation: dict[str, Any] | None = None

    pair: Any = Several(maxlen=3).tag(
        sync=True, to_json=lookup.exact, of_data=True, needed="[user, item] or [user, item, time]"
    )
    removed = Several(t.Unicode()).tag(sync=True, of_data=True)
    removed_modalities = Several(t.Unicode()).tag(sync=True, of_data=True)
    removed_clicks: Any = Several(t.List(minlen=2, maxlen=2)).tag(
        sync=True, to_json=lookup.exact, of_data=True, needed="a list of [item, time]"
    )
    explained_delta = Number(None, allow_none=True, min=0.0, max=1.0).tag(sync=True, of_data=True)
    explained_neighbours = Whole(None, allow_none=True, min=0).tag(sync=True, of_data=True)

    # ---- what Python can ask
    @property
    def score(self) -> float | None:
        """Probability of a click of :attr:`pair` with what was changed; None where no pair was picked."""
        return None if self._explanation is None else float(self._explanation["new_score"])

    def why(self) -> dict[str, Any] | None:
        """Return the explanation of :attr:`pair`; see :meth:`hyperctr.runs.explaining.ScoreExplainer.explain`."""
        return self._explanation

    def sources(self) -> pd.DataFrame:
        """Return where the score comes from: :func:`hyperctr.runs.explanation.sources_frame`."""
        return frames.sources_frame(self._explanation)

    def contributions(self) -> pd.DataFrame:
        """Return what each hyperedge adds to the score of :attr:`pair`, largest effect first; empty without a pair."""
        return frames.contributions_frame(self._explanation)

    def history(self) -> pd.DataFrame:
        """Return what each click of the user's history adds to the score, the nearest in time first."""
        return frames.history_frame(self._explanation)

    def explanation(self) -> pd.DataFrame:
        """Return all of that as one table; see :func:`hyperctr.runs.explanation.explanation_frame`."""
        return frames.explanation_frame(self._explanation)

    def export_explanation(self, path: str | Path) -> Path:
        """Write :meth:`explanation` as CSV, with the pair in each row.

        Raises:
            ConfigError: no pair is explained, or another ending than ``.csv``.
        """
        return frames.export_explanation(self._explanation, path)

    # ---- what a change does
    def _listen_for_pairs(self, go: bool) -> None:
        """Explain now and whenever something changes; ``go``: the picture goes to what explains the first pair."""
        self._listen(True)
        self._explain()
        if go:
            self._go_to_pair()

    def _listen(self, on: bool) -> None:
        listen = self.observe if on else self.unobserve
        listen(self._explain, [*CHANGES])
        listen(self._explain_pair, "pair")
        listen(self._explain_slot, "slot")

    def _set_unheard(self, **values: Any) -> None:
        self._listen(False)
        with self.hold_trait_notifications():
            for name, value in values.items():
                setattr(self, name, value)
        self._listen(True)

    def _explain_pair(self, change: Any) -> None:
        kept = [old == new for old, new in zip(change["old"][:2], change["new"][:2], strict=False)]
        if kept and not all(kept):  # hyperedges struck out belong to the pair before, clicks to the user
            self._set_unheard(removed=[], **({} if kept[0] else {"removed_clicks": []}))
        self._explain(change)
        self._go_to_pair()

    def _explain_slot(self, _: Any) -> None:
        """Explain a pair that was never clicked at the end of the slot that is shown now."""
        if (self._explanation or {}).get("of_slot"):
            self._explain()

    def _explain(self, change: Any = None) -> None:
        """Explain the pair; what cannot be done is taken back, and raised where Python asked for it."""
        problem, before, self._explanation = "", self._explanation, None
        if len(self.pair) >= 2:
            changes = {name: getattr(self, trait) for trait, name in CHANGES.items()}
            try:
                user, item, time = lookup.known_pair(self.pair, self.scenes)
                if self.comm is not None:
                    self.send({"type": "working", "text": f"scoring user {user} and item {item}"})
                self._explanation = self.scenes.explainer.explain(user, item, time, slot=self.slot, **changes)
            except HyperCTRError as error:
                problem = str(error)
                if change and (self.comm is None or change["name"] != "pair"):  # a typed pair stays to be mended
                    self._set_unheard(**{change["name"]: change["old"]})
                    self._explanation = before
                if self.comm is None:
                    raise
        if self.comm is not None:
            self.send({"type": "why", "html": explanation_panel(self._explanation, self._colours, problem)})
            if problem and self._explanation is not None:
                self.send({"type": "error", "text": problem})
            if self._explanation is not None:
                self._show_user(self._explanation["user"])

    def _go_to_pair(self) -> None:
        """Show the hyperedges that explain the pair; its time stays, whatever slot these lie in."""
        self._set_unheard(**shown_for(self._explanation, self.side))

    def _show_user(self, user: Any) -> None:
        """Show a user's timeline; the inspector has it."""
        raise NotImplementedError

    @t.validate("pair")
    def _plain_pair(self, proposal: Any) -> list[Any]:
        return lookup.plain_ids(proposal["value"]) or []

    @t.validate("removed_clicks")
    def _plain_clicks(self, proposal: Any) -> list[list[Any]]:
        clicks = [lookup.plain_ids(click) or [] for click in proposal["value"]]
        items = self.scenes.kinds[1]
        return [[*lookup.known_ids(click[:1], items, self.scenes), *click[1:]] for click in clicks]

    @t.validate("removed_modalities")
    def _known_removed(self, proposal: Any) -> list[str]:
        return lookup.setting(known_modalities, proposal["value"], self.scenes.modalities)


def explanation_message(explanation: dict[str, Any] | None) -> Message:
    """Return an explanation as a file for the browser to save.

    Raises:
        ConfigError: no pair is explained.
    """
    text = frames.explanation_csv(explanation)
    return {"type": "file", "name": "explanation.csv", "mime": "text/csv", "text": text}


def shown_for(explanation: dict[str, Any] | None, side: str) -> dict[str, Any]:
    """Return what an inspector must show to show an explanation: the slot and the user's or item's hyperedges there.

    That is on ``side`` if there are any, else on the other; nothing where no hyperedge touches the pair.
    """
    parts = explanation["contributions"] if explanation else []
    part = next((part for part in parts if part["side"] == side), parts[0] if parts else None)
    if part is None or explanation is None:
        return {}
    focus = ["node", explanation[part["side"]]]
    return {"side": part["side"], "swap": False, "slot": part["slot"], "focus": focus}
