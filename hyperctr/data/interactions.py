"""The interactions of users with items: one validated, immutable table sorted by time."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from hyperctr.data.ids import index_ids, row_name
from hyperctr.data.rules import truth_values
from hyperctr.data.times import Clock, read_times
from hyperctr.errors import DataError, DataWarning, Faults, did_you_mean

REQUIRED = ("user_id", "item_id", "timestamp")
COLUMNS = (*REQUIRED, "clicked")


class Interactions:
    """What users were shown and what they clicked.

    Args:
        frame: columns ``user_id``, ``item_id``, ``timestamp`` (whole seconds since 1970, or any order-preserving
            integer if ``clock="ordinal"``) and optionally ``clicked`` (else all rows are clicks); others are ignored.
        source: where the rows come from; named in every message.
        clock: ``"calendar"`` if timestamps are real dates, ``"ordinal"`` if only their order is real.
        time: the unit (``"s"``, ``"ms"``, ``"us"``, ``"ns"``, ``"days"``) or the format of timestamps.

    Attributes:
        users, items: sorted distinct ids (int64, or object of str).
        user_index, item_index: int64 [n], where among these each row's are; rows are stably sorted by time.
        timestamp: int64 [n]. clicked: bool [n]. All arrays are read-only.
        warnings: one counted sentence for each thing dropped or odd (also sent as ``DataWarning``).

    Raises:
        DataError: the frame is empty, lacks a column or holds an unusable value; names row and fix.

    >>> log = Interactions(pd.DataFrame({"user_id": [1, 1, 2, 2], "item_id": ["b", "a", "a", "b"],
    ...                                  "timestamp": [30, 10, 20, 40]}))
    >>> log.frame.item_id.tolist(), log.frame.clicked.all().item()
    (['a', 'a', 'b', 'b'], True)
    """

    def __init__(
        self, frame: pd.DataFrame, *, source: str = "<memory>", clock: Clock = "calendar", time: str = "s"
    ) -> None:
        if clock not in ("calendar", "ordinal"):
            raise DataError(f"{source}: clock {clock!r} is not known; allowed: 'calendar', 'ordinal'")
        for column in REQUIRED:
            if column not in frame.columns:
                others = [str(name) for name in frame.columns if name not in COLUMNS]
                hint = f" ({did_you_mean(column, others)})" if others else ""
                raise DataError(
                    f"{source}: column {column!r} is missing; found {[str(c) for c in frame.columns]}{hint}; "
                    "needed are user_id, item_id, timestamp and optionally clicked: rename the columns"
                )
        if not len(frame):
            raise DataError(f"{source}: there are no rows; at least one click is needed")
        self.source, self.clock, self.warnings = source, clock, list[str]()
        faults, clicked = Faults(), np.ones(len(frame), dtype=bool)
        with faults:
            self.users, user = index_ids(frame["user_id"], source=source)
        with faults:
            self.items, item = index_ids(frame["item_id"], source=source)
        with faults:
            moment = read_times(frame["timestamp"], source, clock, time, of_file=False)
        with faults:
            clicked = truth_values(frame["clicked"], source, of_file=False) if "clicked" in frame else clicked
        faults.tell()
        if not clicked.any():
            raise DataError(f"{source}: none of the {len(frame):,} rows is a click; check the column 'clicked'")
        sorted_already = bool((moment[1:] >= moment[:-1]).all())
        order = np.arange(len(moment)) if sorted_already else np.argsort(moment, kind="stable")
        order = order[self._kept(moment[order], user[order] * np.int64(len(self.items)) + item[order], clicked[order])]
        self.user_index, self.item_index = user[order], item[order]
        self.timestamp, self.clicked = moment[order], clicked[order]
        for array in (self.users, self.items, self.user_index, self.item_index, self.timestamp, self.clicked):
            array.flags.writeable = False
        self._origin, self._order = frame.index, order
        self._count_thin_users()

    @property
    def frame(self) -> pd.DataFrame:
        """Columns user_id, item_id (int64 or str each), timestamp int64, clicked bool; made anew at each call."""
        return rows_frame(self.users, self.user_index, self.items, self.item_index, self.timestamp, self.clicked)

    def __len__(self) -> int:
        return len(self.timestamp)

    def __repr__(self) -> str:
        clicks = int(self.clicked.sum())
        return f"Interactions({len(self):,} rows, {clicks:,} clicks, {self.clock} clock, from {self.source})"

    def where(self, row: int) -> str:
        """Name the place a row of ``frame`` was read from: file and line, or source and row.

        >>> Interactions(pd.DataFrame({"user_id": [1, 1], "item_id": [1, 2], "timestamp": [9, 3]})).where(0)
        '<memory>, row 1 (counted from 0)'
        """
        return row_name(self._origin, int(self._order[row]), self.source)

    def note(self, message: str) -> None:
        """Record a warning and send it as ``DataWarning``."""
        self.warnings.append(message)
        warnings.warn(message, DataWarning, stacklevel=3)

    def _kept(
        self, moment: npt.NDArray[np.int64], pair: npt.NDArray[np.int64], clicked: npt.NDArray[np.bool_]
    ) -> npt.NDArray[np.bool_]:
        """Mark which of the rows, sorted by time, stay: repeats go, and a click outweighs a non-click of its moment."""
        kept, tie = np.ones(len(moment), dtype=bool), np.zeros(len(moment) + 1, dtype=bool)
        np.equal(moment[1:], moment[:-1], out=tie[1:-1])
        tied = np.flatnonzero(tie[1:] | tie[:-1])  # only rows of one moment can be of one event
        tied = tied[np.lexsort((~clicked[tied], pair[tied], moment[tied]))]  # clicks first, of each event
        follows = (moment[tied][1:] == moment[tied][:-1]) & (pair[tied][1:] == pair[tied][:-1])
        same = clicked[tied][1:] == clicked[tied][:-1]
        repeated, contradicted = tied[1:][follows & same], tied[1:][follows & ~same]
        if len(repeated):
            self.note(f"{self.source}: {len(repeated):,} of {len(kept):,} rows repeat an earlier row and were dropped")
        if len(contradicted):
            rows_say = (
                f"{len(contradicted):,} rows say 'not clicked' where another row of the same user, item and timestamp"
            )
            self.note(f"{self.source}: {rows_say} says 'clicked'; the clicks were kept")
        kept[repeated] = kept[contradicted] = False
        return kept

    def _count_thin_users(self) -> None:
        clicks = np.bincount(self.user_index[self.clicked], minlength=len(self.users))
        for count, words in ((1, "only one click"), (0, "no click")):
            users = int((clicks == count).sum())
            if users:
                thin = f"{users:,} of {len(clicks):,} users have {words}"
                self.note(f"{self.source}: {thin}; they were kept (no history to learn their taste from)")


def rows_frame(
    users: npt.NDArray[Any],
    user_index: npt.NDArray[np.int64],
    items: npt.NDArray[Any],
    item_index: npt.NDArray[np.int64],
    timestamp: npt.NDArray[np.int64],
    clicked: npt.NDArray[np.bool_],
) -> pd.DataFrame:
    """Return rows with the ids that their indices stand for: user_id, item_id, timestamp, clicked."""
    columns = {"user_id": pd.Series(users).array.take(user_index), "item_id": pd.Series(items).array.take(item_index)}
    return pd.DataFrame(columns | {"timestamp": timestamp, "clicked": clicked})
