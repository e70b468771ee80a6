"""A small world whose rows can be changed at will on a fixed catalogue, for the leakage test."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from hyperctr.config import Config
from hyperctr.data.dataset import Dataset
from hyperctr.data.interactions import Interactions
from hyperctr.data.splits import Split
from hyperctr.hypergraph.interest import Interest, interest_matrix
from hyperctr.model.context import Context
from hyperctr.slots import Slots
from hyperctr.split_data import SplitData

EVENT = ["user", "item", "timestamp"]
DIMS = {"visual": 8, "acoustic": 4, "textual": 6}
DEGREES = [f"degree of {name}" for name in DIMS]


@dataclass(frozen=True)
class World:
    """Rows (user, item, timestamp, clicked, part, a degree of interest per modality) on a fixed catalogue."""

    rows: pd.DataFrame
    base: Dataset
    clock: Slots

    def split_data(self) -> SplitData:
        rows = self.rows
        frame = pd.DataFrame(
            {
                "user_id": self.base.users[rows["user"]],
                "item_id": self.base.items[rows["item"]],
                "timestamp": rows["timestamp"],
                "clicked": rows["clicked"],
            }
        )
        data = Dataset("world", Interactions(frame), self.base.features, items=self.base.items)
        assert len(data.clicked) == len(rows) and (data.users == self.base.users).all()
        parts = Split("random", (0.7, 0.2, 0.1), 0, rows["part"].to_numpy(np.int8), data.clicked)
        return SplitData(data, parts, replace(self.clock, index=self.clock.of(data.timestamp)))

    def context(self, config: Config, interest: Interest) -> Context:
        split_data = self.split_data()
        clicks, slots = split_data.split.train, split_data.slots
        degree = self.rows[DEGREES].to_numpy(np.float32)[clicks]
        user = split_data.data.user_index[clicks]
        matrix = interest_matrix(degree, user, slots.index[clicks], split_data.data.num_users, slots.count)
        return Context.build(split_data, replace(interest, degree=degree, matrix=matrix), config)

    @property
    def slot(self) -> np.ndarray:
        return self.clock.of(self.rows["timestamp"].to_numpy())

    @property
    def training(self) -> np.ndarray:
        return (self.rows["clicked"] & (self.rows["part"] == 0)).to_numpy()

    def readable(self, non_clicks: bool) -> np.ndarray:
        """Rows a model may read: training clicks, and for some models what was shown and not clicked in training."""
        return self.training | (non_clicks & (self.rows["part"] == 0).to_numpy())

    def with_rows(self, *frames: pd.DataFrame) -> World:
        """The world of these rows; where two tell of one event, the first stays."""
        rows = pd.concat(frames).drop_duplicates(EVENT).sort_values("timestamp", kind="stable", ignore_index=True)
        return replace(self, rows=rows)


def at_random(world: World, count: int, low: int, high: int, draw: np.random.Generator) -> pd.DataFrame:
    """Rows that tell of anything, with a timestamp in [low, high); for now they are non-clicks."""
    item = draw.integers(world.base.num_items, size=count)
    degree = draw.random((count, len(DIMS))).astype(np.float32)
    for m, table in enumerate(world.base.features.values()):
        degree[~table.present[item], m] = np.nan
    fields = {
        "user": draw.integers(world.base.num_users, size=count),
        "item": item,
        "timestamp": draw.integers(low, max(high, low + 1), size=count),
        "clicked": False,
        "part": draw.integers(3, size=count),
    }
    return pd.DataFrame(fields).assign(**dict(zip(DEGREES, degree.T, strict=True)))


def shaken(
    world: World, hidden: np.ndarray, allowed: Any, deleted: float, draw: np.random.Generator, non_clicks: bool = False
) -> World:
    """Change, delete and add rows: the readable ones in ``hidden`` and all rows that nothing may read.

    Args:
        world: stays as it is.
        hidden: bool per row, readable rows that are free to change.
        allowed: tells of rows whether a readable one may be put there.
        deleted: share of the free rows that go.
        draw: decides the rest.
        non_clicks: whether training rows shown and not clicked are readable.
    """
    free = hidden | ~world.readable(non_clicks)
    visible = world.rows[~free]
    kept = world.rows[free & (draw.random(len(free)) >= deleted)]
    low, high = int(world.clock.edges[0]), int(world.clock.edges[-1])
    other = at_random(world, len(kept), low, high, draw).set_index(kept.index)
    # Each field is changed or not, on its own, and the part and the click of what is no training click as well.
    changed = kept.copy()
    for columns in (["user"], ["item", *DEGREES], ["timestamp"], DEGREES):
        where = draw.random(len(kept)) < 0.4
        changed.loc[where, columns] = other.loc[where, columns]
    added = at_random(world, int(draw.integers(1, 120)), low, high, draw)
    added["clicked"] = draw.random(len(added)) < 0.8
    rows = pd.concat([changed, added], ignore_index=True)
    for m, table in enumerate(world.base.features.values()):  # a degree exists where its item has the modality
        rows.loc[~table.present[rows["item"]], DEGREES[m]] = np.nan
        missing = rows[DEGREES[m]].isna() & table.present[rows["item"]]
        rows.loc[missing, DEGREES[m]] = draw.random(int(missing.sum())).astype(np.float32)
    readable = (rows["clicked"] | non_clicks) & (rows["part"] == 0)
    rows.loc[readable & ~allowed(rows), "part"] = 1 + draw.integers(2)
    someone = at_random(world, world.base.num_users, low, high, draw).assign(user=np.arange(world.base.num_users))
    someone = someone.assign(part=1) if non_clicks else someone
    silent = ~someone["user"].isin(pd.concat([visible, rows])["user"])  # the catalogue of users stays
    return world.with_rows(visible, rows, someone[silent])


def with_other_clicks(world: World, part: int, draw: np.random.Generator, non_clicks: bool) -> World:
    """Delete, move and add clicks of a part, and replace all rows that training reads in neither part.

    Args:
        world: stays as it is.
        part: 1 validation, 2 test.
        draw: decides what happens to whom.
        non_clicks: whether training rows shown and not clicked are readable.
    """
    rows, (low, high) = world.rows, world.clock.edges[[0, -1]].tolist()
    free = (rows["clicked"] & (rows["part"] == part)).to_numpy()
    kept = rows[world.readable(non_clicks) | (rows["clicked"] & ~free)]
    moved = rows[free & (draw.random(len(rows)) < 0.6)]
    other = at_random(world, len(moved), low, high, draw).set_index(moved.index)
    for column in ("user", "item", "timestamp"):
        where = draw.random(len(moved)) < 0.5
        moved.loc[where, column] = other.loc[where, column]
    added = at_random(world, 150, low, high, draw).assign(clicked=True, part=part)
    # Nobody reads these: rows shown and not clicked, of all users, so that the catalogue of users stays.
    unread = at_random(world, 200, low, high, draw)
    unread["user"] = np.arange(len(unread)) % world.base.num_users
    return world.with_rows(kept, moved, added, unread.assign(part=1 + draw.integers(2, size=len(unread))))
