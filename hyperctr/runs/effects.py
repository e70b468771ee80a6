"""What sources and hyperedges do to scores in general: mean effects over test clicks, beside items not clicked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from hyperctr.runtime import rng
from hyperctr.statistics import mean_interval

if TYPE_CHECKING:
    from hyperctr.runs.run import Run

CLICKS = 200
SIZES = ((2, "2"), (4, "3-4"), (8, "5-8"), (16, "9-16"), (32, "17-32"))  # the most members, and what to call it
KINDS = ("clicked", "not clicked")
BY = {"source": "source", "modality": "modality", "slot": "slot", "age": "slots before the click", "size": "members"}


@dataclass(frozen=True)
class Effects:
    """Effects of everything that a sample of scores is made of.

    Attributes:
        rows: a row per pair and source, or per pair and hyperedge around it: ``user``, ``kind`` (``clicked``, or
            ``not clicked``: the first candidate of the same click), ``by`` (``source`` or ``hyperedge``), ``source``,
            ``modality``, ``slot`` (label), ``order`` (its number), ``age`` (slots before that of the click), ``size``
            (members) and ``value``, the change in probability.
        clicks, of: how many test clicks were sampled, and of how many.
    """

    rows: pd.DataFrame
    clicks: int
    of: int


def effects(run: Run, clicks: int = CLICKS, seed: int = 0) -> Effects:
    """Explain a sample of test clicks, and beside each the first of its candidates, which was not clicked.

    Args:
        run: finished, with a model that convolves hypergraphs.
        clicks: test clicks explained at most; all of them take a hundredth of a second or so each.
        seed: of the sample.

    Raises:
        ConfigError: the run's model has no hypergraphs.
    """
    from hyperctr.model.explain import GROUPS, SOURCES, contributions, scores_by_source
    from hyperctr.runs.explaining import explainer_of

    explainer = explainer_of(run)
    data, slots = explainer.split_data.data, explainer.split_data.slots
    pool = explainer.placing.pool("test")
    chosen = np.sort(rng(seed, "explained clicks").choice(len(pool), min(clicks, len(pool)), replace=False))
    rows, beside = [], None
    for number in chosen.tolist():
        user, time = int(pool.users[number]), int(pool.timestamps[number])
        other = int(pool.negatives[number : number + 1][0, 0])
        for kind, item in zip(KINDS, (int(pool.items[number]), other), strict=True):
            if item < 0:
                continue
            beside = around = explainer.around(user, item, time, beside)
            pair = {"user": data.users[user], "kind": kind}
            scores = scores_by_source(around, explainer.calibration)
            for source, value in zip(SOURCES, np.diff(scores).tolist(), strict=True):
                rows.append(pair | {"by": "source", "source": source, "value": value})
            for part in contributions(around, explainer.calibration):
                place = {
                    "slot": slots.labels[part.slot],
                    "order": part.slot,
                    "age": int(around.target.slot) - part.slot,
                }
                named = {"source": GROUPS[part.side], "modality": data.modalities[part.modality]}
                counted = {"size": len(part.members), "value": part.value}
                rows.append(pair | {"by": "hyperedge"} | named | place | counted)
    columns = ["user", "kind", "by", "source", "modality", "slot", "order", "age", "size", "value"]
    return Effects(pd.DataFrame(rows, columns=columns), len(chosen), len(pool))


def mean_effects(found: Effects, seed: int = 0) -> pd.DataFrame:
    """Average effects by source, and those of single hyperedges by modality, slot, age of the slot, and members.

    Returns:
        ``by``, ``group``, ``kind``, ``effects`` (how many), ``users``, ``mean``, ``low`` and ``high``: 95 % intervals,
        a bootstrap over users.

    >>> columns = ["user", "kind", "by", "source", "modality", "slot", "order", "age", "size", "value"]
    >>> none = pd.DataFrame(columns=columns)
    >>> mean_effects(Effects(none, 0, 0)).columns.tolist()[-3:]
    ['mean', 'low', 'high']
    """
    sources = found.rows[found.rows["by"] == "source"].assign(group=lambda rows: rows["source"])
    edges = found.rows[found.rows["by"] == "hyperedge"]
    parts = [("source", sources), ("modality", edges.assign(group=edges["modality"]))]
    parts.append(("slot", edges.sort_values("order", kind="stable").assign(group=lambda rows: rows["slot"])))
    parts.append(("age", edges.assign(group=[_age(age) for age in edges["age"]])))
    parts.append(("size", edges.assign(group=[_size(size) for size in edges["size"]])))
    lines: list[dict[str, Any]] = []
    for by, rows in parts:
        order = {"age": [_age(k) for k in range(5)], "size": [_size(k) for k in (2, 4, 8, 16, 32, 64)]}.get(by)
        for group in order or rows["group"].drop_duplicates():
            for kind in KINDS:
                some = rows[(rows["group"] == group) & (rows["kind"] == kind)]
                if len(some):
                    mean = mean_interval(some["value"], some["user"].to_numpy(), seed=seed)
                    counts = {"effects": len(some), "users": mean.users}
                    bounds = {"mean": mean.value, "low": mean.low, "high": mean.high}
                    lines.append({"by": by, "group": group, "kind": kind} | counts | bounds)
    return pd.DataFrame(lines, columns=["by", "group", "kind", "effects", "users", "mean", "low", "high"])


def _age(slots: int) -> str:
    return ("the click's own", "1 before", "2 before", "3 before", "4 or more")[min(int(slots), 4)]


def _size(members: int) -> str:
    return next((name for most, name in SIZES if members <= most), "33 or more")
