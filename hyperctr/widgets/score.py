"""Why this score, and what it would be without some hyperedges: exact, by convolving what lies around again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from hyperctr.data.times import LATEST_SECOND
from hyperctr.errors import ConfigError, did_you_mean
from hyperctr.metrics.platt import Calibration
from hyperctr.widgets.scene_stats import titles

if TYPE_CHECKING:
    from hyperctr.model.explain import Contribution
    from hyperctr.model.history import Targets
    from hyperctr.runs.run import Run

KEPT = 16  # explained pairs held ready, so that removing needs one convolution and no new explanation


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
        from hyperctr.model.hyperctr import HyperCTR

        model = run.model
        if not isinstance(model, HyperCTR) or model.context.graphs is None or model.config.graph != "hypergraph":
            raise ConfigError(f"model {run.config.model!r} has no hyperedges to explain a score by")
        self.model, self.split_data, self.graphs = model, run.split_data, model.context.graphs
        self.calibration = run.calibration or Calibration()
        self._explained = lru_cache(KEPT)(self._explain)

    def explain(
        self,
        user: Any,
        item: Any,
        timestamp: int | None = None,
        removed: Sequence[str] = (),
        removed_modalities: Sequence[str] = (),
        *,
        slot: int | None = None,
    ) -> dict[str, Any]:
        """Return the score of a pair, what each hyperedge around it adds, and the score without the removed ones.

        Args:
            user: its id.
            item: its id.
            timestamp: when; None means when the user last clicked the item, or else the end of ``slot``.
            removed: keys of hyperedges to take out (the ``key`` of a contribution).
            removed_modalities: names whose hyperedges are taken out of both hypergraphs in all slots.
            slot: number of the time slot of a pair without a click; None means the last one.

        Returns:
            ``score`` and ``new_score`` (probabilities), ``user``, ``item``, their titles in ``who`` and ``what``,
            ``timestamp``, ``moment`` (the same in words), ``of_slot`` (whether it is the end of a slot) and
            ``contributions``, the largest effect first: ``key``, ``side``, ``slot`` (number),
            ``slot_label``, ``number`` (what ``focus`` takes), ``modality``, ``hyperedge`` (id of the item or user it
            comes from), ``title``, ``members`` (ids), ``value`` (score with it minus score without it; they do not
            add up, since hyperedges act together) and ``removed``.

        Raises:
            DataError: an unknown id.
            ConfigError: an unknown modality, a key of no hyperedge, or a time that is no timestamp.
        """
        data, names = self.split_data.data, titles(self.split_data.data)
        who, what = int(data.users_to_index([user])[0]), int(data.items_to_index([item])[0])
        time, of_slot, reason = self._moment(who, what, timestamp, slot)
        for name in removed_modalities:
            if name not in data.modalities:
                raise ConfigError(f"modality {name!r}: {did_you_mean(name, data.modalities)}")
        score, contributions = self._explained(who, what, time)
        rows = [self._row(part, names) for part in contributions]
        for row in rows:
            row["removed"] = row["key"] in removed or row["modality"] in removed_modalities
        changed = bool(removed) or bool(removed_modalities)
        new_score = self._without(who, what, time, removed, removed_modalities) if changed else score
        ids = {"user": data.users[[who]].tolist()[0], "item": data.items[[what]].tolist()[0], "timestamp": time}
        ids |= {"who": names["user"][who], "what": names["item"][what]}
        calendar = self.split_data.slots.clock == "calendar"
        words = f"{datetime.fromtimestamp(time, UTC):%Y-%m-%d %H:%M} UTC" if calendar else f"time {time:,}"
        ids |= {"moment": f"{words}, {reason}", "of_slot": of_slot}
        return {**ids, "score": score, "new_score": new_score, "contributions": rows}

    def _moment(self, user: int, item: int, time: Any, slot: int | None) -> tuple[int, bool, str]:
        """When a pair is explained, whether that is the end of a slot, and why then."""
        data, slots = self.split_data.data, self.split_data.slots
        if time is not None:
            latest = LATEST_SECOND if slots.clock == "calendar" else 2**62
            if not isinstance(time, int | np.integer) or isinstance(time, bool) or not 0 <= time <= latest:
                wanted = f"a whole number from 0 to {latest:,}, in the data set's clock"
                raise ConfigError(f"the time {time!r} must be {wanted}")
            return int(time), False, "as asked"
        own = data.timestamp[(data.user_index == user) & (data.item_index == item) & data.clicked]
        if len(own):
            return int(own.max()), False, "when it was clicked"
        slot = slots.count - 1 if slot is None else slot
        end = min(int(slots.edges[slot + 1]) - 1, int(data.timestamp.max()))
        return end, True, f"the end of {slots.labels[slot]}: never clicked"

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

    def _target(self, user: int, item: int, time: int) -> Targets:
        from hyperctr.runs.prediction import pair_targets

        return pair_targets(self.split_data, *(np.array([value], dtype=np.int64) for value in (user, item, time)))

    def _explain(self, user: int, item: int, time: int) -> tuple[float, list[Contribution]]:
        from hyperctr.model.explain import explain

        return explain(self.model, self._target(user, item, time), item, self.calibration)

    def _without(self, user: int, item: int, time: int, removed: Sequence[str], modalities: Sequence[str]) -> float:
        import torch

        from hyperctr.model.neighbourhood import Neighbourhood, Removed

        numbers = [self.split_data.data.modalities.index(name) for name in modalities]
        without = Removed([self._edge(key) for key in removed], numbers)
        around = Neighbourhood(self.model, self._target(user, item, time), item)
        with torch.no_grad():
            return float(self.calibration.probabilities(around.logit(around.vectors(without))))

    def _edge(self, key: str) -> tuple[int, int, int]:
        """Side and slot of a hyperedge, and its number in the slot's hypergraph of that side."""
        import torch

        from hyperctr.model.explain import SIDES

        try:
            side, at, rest = key.split(":", 2)
            (modality, label), slot = rest.rsplit(":", 1), int(at)
            rows = {"user": self.graphs.item_rows, "item": self.graphs.user_rows}[side]
            row = int(rows.find(torch.tensor([int(label)]), torch.tensor([slot])))
            if row < 0:
                raise ValueError("no such row")
            first, end = rows.starts[slot : slot + 2]
            number = self.split_data.data.modalities.index(modality) * (end - first) + row - first
            return SIDES.index(side), slot, number
        except (ValueError, KeyError) as error:
            raise ConfigError(f"{key!r} is the key of no hyperedge; take it from a contribution's 'key'") from error


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


def contributions_frame(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Return the contributions of an explanation as a frame, members counted."""
    columns = ["side", "slot_label", "modality", "hyperedge", "title", "members", "value", "removed"]
    frame = pd.DataFrame(rows, columns=columns).rename(columns={"slot_label": "slot"})
    return frame.assign(members=[len(members) for members in frame["members"]])
