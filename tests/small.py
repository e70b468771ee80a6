"""Small random studies with everything awkward in them, for tests that compare with brute force.

Users click an item twice in a slot and at one moment, slots are empty, items lack modalities, rows are non-clicks, and
the degrees of interest lie on a coarse grid, so that thresholds are met exactly.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import pandas as pd
import torch
from torch import nn

from hyperctr.data.dataset import Dataset
from hyperctr.data.features import FeatureTable
from hyperctr.data.interactions import Interactions
from hyperctr.data.splits import Split
from hyperctr.hypergraph.interest import Interest
from hyperctr.hypergraph.neighbours import sampling_priority
from hyperctr.model.history import Targets
from hyperctr.slots import Slots, make_slots
from hyperctr.split_data import SplitData

Model = TypeVar("Model", bound=nn.Module)

Edges = dict[tuple[int, int, int], tuple[frozenset[int], float]]  # (slot, modality, label) -> members, weight
DIMS = {"visual": 3, "textual": 2}


@dataclass(frozen=True)
class Small(SplitData):
    """A study with hand-made interest; ``clicks`` lists the training clicks as (user, item, slot, timestamp)."""

    interest: Interest

    @property
    def clicks(self) -> list[tuple[int, int, int, int]]:
        columns = (self.data.user_index, self.data.item_index, self.slots.index, self.data.timestamp)
        return [tuple(int(column[row]) for column in columns) for row in self.split.train]  # type: ignore[misc]

    def without(self, dropped: list[int]) -> Small:
        """The same study when the training clicks ``dropped`` are moved to validation."""
        part = self.split.part.copy()
        part[self.split.train[dropped]] = 1
        split = replace(self.split, part=part)
        kept = np.delete(self.interest.degree, dropped, axis=0)
        return replace(self, split=split, interest=hand_made(self.data, split, self.slots, kept))


def small(
    seed: int,
    *,
    users: int = 5,
    items: int = 6,
    rows: int = 50,
    slots: int = 3,
    ticks: int = 30,
    names: tuple[str, ...] = tuple(DIMS),
) -> Small:
    """Draw a study; every user has at least one row, and everything else is left to chance."""
    draw = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "user_id": np.concatenate([np.arange(users), draw.integers(users, size=rows)]) + 100,
            "item_id": draw.integers(items, size=users + rows) + 500,
            "timestamp": draw.integers(ticks, size=users + rows),
            "clicked": draw.random(users + rows) < 0.9,
        }
    )
    frame.loc[0, "timestamp"], frame.loc[1, "timestamp"] = 0, ticks - 1
    frame = frame.drop_duplicates(["user_id", "item_id", "timestamp"])
    tables = []
    for name in names:
        present = draw.random(items) < 0.7
        present[0] = True
        tables.append(FeatureTable(name, draw.standard_normal((items, DIMS[name])), present))
    present = np.any([table.present for table in tables], axis=0)
    tables[0] = FeatureTable(names[0], tables[0].values, tables[0].present | ~present)  # no item without any
    data = Dataset("small", Interactions(frame, clock="ordinal"), tables, items=np.arange(items) + 500)
    part = np.where(draw.random(len(data.clicked)) < 0.8, 0, draw.integers(1, 3, size=len(data.clicked)))
    parts = Split("random", (0.7, 0.2, 0.1), 0, part.astype(np.int8), data.clicked)
    degree = draw.integers(1, 8, size=(users, items, len(names))).astype(np.float32) / 8
    for m, table in enumerate(data.features.values()):
        degree[:, ~table.present, m] = np.nan
    cut = make_slots(data, count=slots)
    degree = degree[data.user_index[parts.train], data.item_index[parts.train]]
    return Small(data, parts, cut, hand_made(data, parts, cut, degree, draw))


def hand_made(
    data: Dataset,
    split: Split,
    slots: Slots,
    degree: np.ndarray,
    draw: np.random.Generator | None = None,
    size: int = 8,
) -> Interest:
    """Interest with the given degrees; the matrix is their plain mean, the embeddings are noise."""
    matrix = np.full((slots.count, data.num_users, degree.shape[1]), np.nan, dtype=np.float32)
    user, slot = data.user_index[split.train], slots.index[split.train]
    for t, u, m in np.ndindex(matrix.shape):
        known = degree[(user == u) & (slot == t), m]
        known = known[~np.isnan(known)]
        if len(known):
            matrix[t, u, m] = known.astype(np.float64).mean()
    draw = draw or np.random.default_rng(0)
    vectors = [draw.standard_normal((n, size)).astype(np.float32) for n in (data.num_users, data.num_items)]
    return Interest(degree, matrix, data.modalities, *vectors, projections={}, weights={}, losses=())


def definitions(
    study: Small,
    delta: float = 0.5,
    *,
    quantile: bool = False,
    max_neighbours: int | None = None,
    weighted: bool = True,
    seed: int = 0,
    least: int = 2,
) -> tuple[Edges, Edges]:
    """User and item hyperedges, set by set, from Definitions 2 and 3."""
    degree: dict[tuple[int, int, int, int], float] = {}
    heard: dict[tuple[int, int, int], list[float]] = defaultdict(list)
    for (u, i, t, _), row in zip(study.clicks, study.interest.degree.astype(float), strict=True):
        for m, value in enumerate(row):
            if not np.isnan(value):
                degree[t, m, u, i] = value
                heard[t, m, u].append(value)
    interest = {key: float(np.float32(np.mean(values))) for key, values in heard.items()}
    limit = defaultdict(lambda: float(np.float32(delta)))
    if quantile:
        for t, m in {key[:2] for key in interest}:
            limit[t, m] = float(np.float32(np.quantile([v for k, v in interest.items() if k[:2] == (t, m)], delta)))
    sides: list[Edges] = []
    for side in ("user", "item"):
        found: dict[tuple[int, int, int], dict[int, tuple[int, float]]] = defaultdict(dict)
        for (t, m, u, i), value in degree.items():
            shown = interest[t, m, u] if side == "user" else value
            if shown >= limit[t, m]:
                label, node = (i, u) if side == "user" else (u, i)
                names = (np.array([x]) for x in (u, i, t))
                found[t, m, label][node] = (int(sampling_priority(seed, 2, *names)[m, 0]), shown)
        if max_neighbours:
            for key, members in found.items():
                found[key] = dict(sorted(members.items(), key=lambda member: member[1])[:max_neighbours])
            places: dict[tuple[int, int], list[tuple[int, tuple[int, int, int]]]] = defaultdict(list)
            for key, members in found.items():
                for node, (priority, _) in members.items():
                    places[key[0], node].append((priority, key))
            for (_, node), keys in places.items():
                for _, key in sorted(keys)[max_neighbours:]:
                    del found[key][node]
        sides.append(
            {
                key: (frozenset(members), float(np.mean([v for _, v in members.values()])) if weighted else 1.0)
                for key, members in found.items()
                if len(members) >= least
            }
        )
    return sides[0], sides[1]


def visible(
    study: Small, protocol: str, user: int, slot: int, timestamp: int, hidden: int = -1, most: int | None = None
) -> list[tuple[int, int, int, int]]:
    """(timestamp, place in the data, item, slot) of the clicks a target may see, the newest first; ``most`` nearest."""
    seen = [
        (when, c, i, s)
        for c, (u, i, s, when) in enumerate(study.clicks)
        if u == user and c != hidden and (s <= slot if protocol == "as-published" else when < timestamp)
    ]
    seen = sorted(seen, reverse=True)
    return seen if most is None else [seen[k] for k in nearest([when for when, *_ in seen], timestamp, most)]


def nearest(times: list[int], target: int, length: int) -> list[int]:
    """Places of the ``length`` times, the newest first, that are nearest: the further end goes, the later of two."""
    kept = list(range(len(times)))
    while len(kept) > length:
        kept.pop(-1 if target - times[kept[-1]] > times[kept[0]] - target else 0)
    return kept


def targets_of(study: Small) -> tuple[list[tuple[int, int, int, int]], Targets]:
    """Every training click as a target, and every user at three times without a click of their own.

    Returns:
        rows (user, slot, timestamp, number of the training click or -1), and the same as tensors.
    """
    rows = [(u, s, t, c) for c, (u, _, s, t) in enumerate(study.clicks)]
    rows += [(u, int(study.slots.of([t])[0]), t, -1) for u in range(5) for t in (0, 15, 29)]
    return rows, Targets(*torch.tensor(rows).T.contiguous())


def with_drawn_weights(model: Model) -> Model:
    """Give every parameter Gaussian values that do not depend on the others, in float64, ready to score."""
    for k, parameter in enumerate(model.parameters()):
        nn.init.normal_(parameter, std=0.5, generator=torch.Generator().manual_seed(k))
    return model.double().eval()
