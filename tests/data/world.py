"""Some thousand rows of ``planted``, to be written in the layouts of public data sets."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from hyperctr.data.planted import planted

Array = npt.NDArray[Any]


class World:
    """Rows of ``planted``, in the order of time: indices of users and items from 0, and vectors of all items."""

    def __init__(self, rows: int = 9000) -> None:
        data = planted(num_users=max(30, rows // 30), num_items=max(120, rows // 15), num_interactions=rows)
        self.users, self.items, self.time = data.user_index, data.item_index, data.timestamp
        self.clicked, self.count = data.clicked, data.num_items
        self.vectors = {}
        for name, table in data.features.items():  # where one is missing the mean stands, as in MMRec
            mean = table.values[table.present].mean(axis=0)
            self.vectors[name] = np.where(table.present[:, None], table.values, mean).astype(np.float32)
        self.titles = [str(title).replace(",", "") for title in data.item_table["title"]]
        assert (np.diff(self.time) >= 0).all()

    def frame(self, clicks: bool = False, first_item: int = 0, **columns: Array | int) -> pd.DataFrame:
        """Return the rows, or the clicks, as ``user, item`` and further columns [rows]."""
        frame = pd.DataFrame({"user": self.users, "item": self.items + first_item, **columns})
        return frame[self.clicked].reset_index(drop=True) if clicks else frame

    @property
    def stars(self) -> Array:
        """Ratings: 4 or 5 where clicked, else 1 to 3."""
        return np.where(self.clicked, 4 + self.items % 2, 1 + self.items % 3)

    @property
    def padded(self) -> Array:
        """64 numbers an item, and the row that pads histories behind."""
        return np.concatenate([self.vectors["visual"][:, :64], np.zeros((1, 64), np.float32)])

    @property
    def train(self) -> int:
        """How many of the rows releases with parts call train."""
        return len(self.users) * 4 // 5
