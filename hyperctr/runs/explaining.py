"""Why a run gives a pair its score, in the data set's own ids and titles, and what the score would be otherwise.

All of it is exact: the model scores the pair again, on what lies around user and item without the hyperedge, with the
history without the click, on the hypergraphs of another threshold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from hyperctr.data.times import LATEST_SECOND
from hyperctr.data.titles import titles
from hyperctr.errors import ConfigError, did_you_mean
from hyperctr.hypergraph.settings import GraphSettings
from hyperctr.metrics.platt import Calibration
from hyperctr.runs.placing import Placing

if TYPE_CHECKING:
    from hyperctr.hypergraph.stack import SlotHypergraphs
    from hyperctr.model.explain import Contribution
    from hyperctr.model.history import Targets
    from hyperctr.model.hyperctr import HyperCTR
    from hyperctr.model.neighbourhood import Neighbourhood
    from hyperctr.runs.run import Run

KEPT = 16  # explained pairs held ready, so that removing needs one convolution and no new explanation
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Changes:
    """What a reader changes about a score.

    Attributes:
        removed: keys of hyperedges to take out (the ``key`` of a contribution).
        removed_modalities: names whose hyperedges are taken out of both hypergraphs in all slots.
        removed_clicks: (item id, timestamp) of clicks to take out of the user's history. Hyperedges stay as they are.
        delta: another threshold of interest for all hypergraphs; None: the run's.
        neighbours: another K; 0: all, None: the run's.
    """

    removed: Sequence[str] = ()
    removed_modalities: Sequence[str] = ()
    removed_clicks: Sequence[Sequence[Any]] = ()
    delta: float | None = None
    neighbours: int | None = None


class ScoreExplainer:
    """Explains and re-computes scores of one run.

    Args:
        run: finished, with a model that convolves hypergraphs.

    Raises:
        ConfigError: the model has none.

    >>> import hyperctr as hc
    >>> explainer = ScoreExplainer(hc.load_run("0123"))  # doctest: +SKIP
    >>> explainer.explain("user 1", "item 7")["score"]  # doctest: +SKIP
    0.73
    """

    def __init__(self, run: Run) -> None:
        from hyperctr.model.explain import explainable

        self.run, self.model, self.split_data = run, explainable(run.model), run.split_data
        self.settings, self.calibration = GraphSettings.of(run.config), run.calibration or Calibration()
        self.placing = Placing(self.split_data, run.config, self.model)
        self._explained, self._graphs = lru_cache(KEPT)(self._explain), lru_cache(2)(self._of_neighbours)

    def explain(
        self, user: Any, item: Any, timestamp: int | None = None, *, slot: int | None = None, **changes: Any
    ) -> dict[str, Any]:
        """Return the score of a pair, where it comes from, and the score with some changes.

        Args:
            user: its id.
            item: its id.
            timestamp: when; None means when the user last clicked the item, or else the end of ``slot``.
            slot: number of the time slot of a pair without a click; None means the last one.
            changes: see :class:`Changes`.

        Returns:
            ``score`` and ``new_score`` (probabilities), ``changes`` (what differs, in words), ``user``, ``item``, their
            titles in ``who`` and ``what``, ``timestamp``, ``moment`` (in words), ``slot_label``, ``of_slot`` (whether
            it is the end of a slot), ``delta``, ``neighbours`` (0: all) and ``removed_modalities`` of the new score;

            - ``sources``: ``source``, ``value`` and ``score`` so far of what comes in one after the other, from the
              base rate to the score (:func:`hyperctr.model.explain.scores_by_source`); the values add up to it;
            - ``rank``: ``place`` of the item among ``of`` candidates of that click, and ``among`` whom, in words;
            - ``contributions``, the largest effect first: ``key``, ``side``, ``of`` (the source that it belongs to),
              ``slot`` (number), ``slot_label``, ``number`` (what ``focus`` takes), ``modality``, ``hyperedge`` (id of
              the item or user it comes from), ``title``, ``members`` (ids), ``value`` (score with it minus score
              without it; they do not add up, since hyperedges act together) and ``removed``;
            - ``history``, the clicks that the score sees, the nearest first: ``item``, ``title``, ``timestamp``,
              ``moment``, ``slot_label``, ``value`` (score with the click minus score without it) and ``removed``.

        Raises:
            DataError: an unknown id.
            ConfigError: an unknown modality, a key of no hyperedge, no such click, a threshold or K out of bounds, or
                a time that is no timestamp.
        """
        data, asked = self.split_data.data, Changes(**changes)
        who, what = int(data.users_to_index([user])[0]), int(data.items_to_index([item])[0])
        time, of_slot, reason = self._moment(who, what, timestamp, slot)
        for name in asked.removed_modalities:
            if name not in data.modalities:
                raise ConfigError(f"modality {name!r}: {did_you_mean(name, data.modalities)}")
        known = self._explained(who, what, time)
        struck = {tuple(click) for click in asked.removed_clicks}
        contributions = [
            row | {"removed": row["key"] in asked.removed or row["modality"] in asked.removed_modalities}
            for row in known["contributions"]
        ]
        history = [row | {"removed": (row["item"], row["timestamp"]) in struck} for row in known["history"]]
        words = self._in_words(asked)
        names = titles(data)
        answer = {"user": data.users[[who]].tolist()[0], "item": data.items[[what]].tolist()[0], "timestamp": time}
        answer |= {"who": names["user"][who], "what": names["item"][what]}
        answer |= {"moment": f"{self._date(time)}, {reason}", "of_slot": of_slot}
        answer["slot_label"] = self.split_data.slots.labels[int(self.split_data.slots.of([time])[0])]
        settings = self._settings(asked)
        answer |= {"delta": settings.interest_threshold, "neighbours": settings.max_neighbours or 0}
        answer |= {"removed_modalities": list(asked.removed_modalities)}
        new_score = self._changed(who, what, time, asked) if words else known["score"]
        rows = {"contributions": contributions, "history": history}
        return answer | known | rows | {"new_score": new_score, "changes": words}

    # ---- when
    def _moment(self, user: int, item: int, time: Any, slot: int | None) -> tuple[int, bool, str]:
        """When a pair is explained, whether that is the end of a slot, and why then."""
        data, slots = self.split_data.data, self.split_data.slots
        own = data.timestamp[(data.user_index == user) & (data.item_index == item) & data.clicked]
        if time is not None:
            latest = LATEST_SECOND if slots.clock == "calendar" else 2**62
            if not isinstance(time, int | np.integer) or isinstance(time, bool) or not 0 <= time <= latest:
                wanted = f"a whole number from 0 to {latest:,}, in the data set's clock"
                raise ConfigError(f"the time {time!r} must be {wanted}")
            return int(time), False, "when it was clicked" if int(time) in own else "as asked"
        if len(own):
            return int(own.max()), False, "when it was clicked"
        slot = slots.count - 1 if slot is None else slot
        end = min(int(slots.edges[slot + 1]) - 1, int(data.timestamp.max()))
        return end, True, f"the end of {slots.labels[slot]}: never clicked"

    def _date(self, time: int) -> str:
        calendar = self.split_data.slots.clock == "calendar"
        return f"{datetime.fromtimestamp(time, UTC):%Y-%m-%d %H:%M} UTC" if calendar else f"time {time:,}"

    # ---- what it is made of
    def around(self, user: int, item: int, time: int, beside: Neighbourhood | None = None) -> Neighbourhood:
        """Return what the score of a pair, given as indices, reads of the hypergraphs."""
        from hyperctr.model.neighbourhood import Neighbourhood

        return Neighbourhood(self.model, self._target(user, item, time), item, beside)

    def _target(self, user: int, item: int, time: int) -> Targets:
        from hyperctr.runs.prediction import pair_targets

        return pair_targets(self.split_data, *(np.array([value], dtype=np.int64) for value in (user, item, time)))

    def _explain(self, user: int, item: int, time: int) -> dict[str, Any]:
        """What does not depend on changes."""
        from hyperctr.model.explain import GROUPS, SOURCES, click_effects, contributions, scores_by_source

        around, names, data = self.around(user, item, time), titles(self.split_data.data), self.split_data.data
        scores = scores_by_source(around, self.calibration)
        steps = [{"source": "base rate", "value": scores[0], "score": scores[0]}]
        for source, before, score in zip(SOURCES, scores, scores[1:], strict=False):
            steps.append({"source": source, "value": score - before, "score": score})
        labels, clicks = self.split_data.slots.labels, click_effects(around, self.calibration)
        history = [
            {"item": data.items[[click.item]].tolist()[0], "title": names["item"][click.item]}
            | {"timestamp": click.timestamp, "moment": self._date(click.timestamp), "slot_label": labels[click.slot]}
            | {"value": click.value}
            for click in clicks
        ]
        parts = [self._row(part, names) | {"of": GROUPS[part.side]} for part in contributions(around, self.calibration)]
        known = {"score": scores[-1], "sources": steps, "contributions": parts, "history": history}
        return known | {"rank": self.placing.rank(around.target, user, item, time)}

    def _row(self, part: Contribution, names: dict[str, list[str]]) -> dict[str, Any]:
        """A contribution in the data set's own ids and titles."""
        data = self.split_data.data
        of_user = part.side == "user"
        members, labels = (data.users, data.items) if of_user else (data.items, data.users)
        modality = data.modalities[part.modality]
        title = names["item" if of_user else "user"][part.label]
        row = {"key": f"{part.side}:{part.slot}:{modality}:{part.label}", "side": part.side, "slot": part.slot}
        row |= {"slot_label": self.split_data.slots.labels[part.slot], "modality": modality, "title": title}
        row |= {"number": part.modality * len(labels) + part.label, "hyperedge": labels[[part.label]].tolist()[0]}
        return row | {"members": members[list(part.members)].tolist(), "value": part.value}

    # ---- what it would be
    def _in_words(self, asked: Changes) -> list[str]:
        """What is changed; nothing where the score stays by definition."""
        counts = ((asked.removed, "hyperedge"), (asked.removed_clicks, "click"))
        words = [f"without {len(gone)} {kind}{'s' * (len(gone) != 1)}" for gone, kind in counts if gone]
        gone = sorted(set(asked.removed_modalities), key=self.split_data.data.modalities.index)
        every = len(gone) == len(self.split_data.data.modalities)
        words += ["without hyperedges"] if every else [f"without {name}" for name in gone]
        own, new = self.settings, self._settings(asked)
        if new.interest_threshold != own.interest_threshold:
            words.append(f"\N{GREEK SMALL LETTER DELTA} = {new.interest_threshold:g}, not {own.interest_threshold:g}")
        if new.max_neighbours != own.max_neighbours:
            words.append(f"K = {new.max_neighbours or 'all'}, not {own.max_neighbours or 'all'}")
        return words

    def _changed(self, user: int, item: int, time: int, asked: Changes) -> float:
        import torch

        from hyperctr.model.explain import window_without
        from hyperctr.model.neighbourhood import Neighbourhood, Removed

        numbers = [self.split_data.data.modalities.index(name) for name in asked.removed_modalities]
        without = Removed([self._edge(key) for key in asked.removed], numbers)
        model = self._on_graphs(self._settings(asked))
        around = Neighbourhood(model, self._target(user, item, time), item)
        history, length = model.context.history, model.config.history_length
        struck = [self._click(around.target, click) for click in asked.removed_clicks]
        window = window_without(history, around.target, length, struck) if struck else None
        with torch.no_grad():
            return float(self.calibration.probabilities(around.logits(around.vectors(without), window).item()))

    def _settings(self, asked: Changes) -> GraphSettings:
        """The graph settings that are asked for."""
        own = self.settings
        delta = own.interest_threshold if asked.delta is None else float(asked.delta)
        limit = own.max_neighbours if asked.neighbours is None else asked.neighbours or None
        return replace(own, interest_threshold=delta, max_neighbours=limit)

    def _on_graphs(self, settings: GraphSettings) -> HyperCTR:
        """The model, its weights as trained, on the hypergraphs of another threshold or K."""
        from hyperctr.model.explain import with_graphs

        if settings == self.settings:
            return self.model
        graphs = self._graphs(settings.max_neighbours)
        return with_graphs(self.model, graphs.at_threshold(settings.interest_threshold))

    def _of_neighbours(self, limit: int | None) -> SlotHypergraphs:
        from hyperctr.hypergraph.stack import SlotHypergraphs

        own, interest = self.model.convolution.needed(), self.run.interest
        if limit == self.settings.max_neighbours or interest is None:
            return own
        return SlotHypergraphs(self.split_data, interest, replace(self.settings, max_neighbours=limit))

    def _click(self, target: Targets, click: Sequence[Any]) -> tuple[int, int]:
        """Index of the item and time of a click of the target's user."""
        from hyperctr.model.explain import history_slots

        item, timestamp = click
        found = int(self.split_data.data.items_to_index([item])[0]), int(timestamp)
        if history_slots(self.model.context.history, target, [found])[0] < 0:
            raise ConfigError(f"{[item, timestamp]}: the user has no such training click; take one of 'history'")
        return found

    def _edge(self, key: str) -> tuple[int, int, int]:
        """Side and slot of a hyperedge, and its number in the slot's hypergraph of that side."""
        import torch

        from hyperctr.model.explain import SIDES

        graphs = self.model.convolution.needed()
        try:
            side, at, rest = key.split(":", 2)
            (modality, label), slot = rest.rsplit(":", 1), int(at)
            rows = {"user": graphs.item_rows, "item": graphs.user_rows}[side]
            row = int(rows.find(torch.tensor([int(label)]), torch.tensor([slot])))
            if row < 0:
                raise ValueError("no such row")
            first, end = rows.starts[slot : slot + 2]
            number = self.split_data.data.modalities.index(modality) * (end - first) + row - first
            return SIDES.index(side), slot, number
        except (ValueError, KeyError) as error:
            raise ConfigError(f"{key!r} is the key of no hyperedge; take it from a contribution's 'key'") from error


def explainer_of(run: Run) -> ScoreExplainer:
    """Return the explainer of a run, one for all who ask, so that what it has explained is not explained again.

    The run keeps it, so both, and the model, are let go together.

    Raises:
        ConfigError: the model has no hypergraphs.
    """
    kept = vars(run)
    if "explainer" not in kept:
        kept["explainer"] = ScoreExplainer(run)
    explainer: ScoreExplainer = kept["explainer"]
    return explainer
