"""The interactions of users with items: one validated, immutable table sorted by time."""

from __future__ import annotations

import warnings
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from hyperctr.data.ids import EXACT_FLOAT, bad_value, clean_ids, row_name
from hyperctr.errors import DataError, DataWarning, did_you_mean

Clock: TypeAlias = Literal["calendar", "ordinal"]
REQUIRED = ("user_id", "item_id", "timestamp")
COLUMNS = (*REQUIRED, "clicked")
LATEST_SECOND = 100_000_000_000  # the year 5138; larger "seconds" are milliseconds in practice
WORDS = {"true": True, "false": False, "1": True, "0": False, "1.0": True, "0.0": False}


class Interactions:
    """What users were shown and what they clicked.

    Args:
        frame: columns ``user_id``, ``item_id``, ``timestamp`` (whole seconds since 1970, or any order-preserving
            integer if ``clock="ordinal"``) and optionally ``clicked`` (else all rows are clicks); others are ignored.
        source: where the rows come from; named in every message.
        clock: ``"calendar"`` if timestamps are real dates, ``"ordinal"`` if only their order is real.

    Attributes:
        frame: user_id, item_id (int64 or str each), timestamp int64, clicked bool; stably sorted by time.
        warnings: one counted sentence for each thing dropped or odd (also sent as ``DataWarning``).

    Raises:
        DataError: the frame is empty, lacks a column or holds an unusable value; names row and fix.

    >>> log = Interactions(pd.DataFrame({"user_id": [1, 1, 2, 2], "item_id": ["b", "a", "a", "b"],
    ...                                  "timestamp": [30, 10, 20, 40]}))
    >>> log.frame.item_id.tolist(), log.frame.clicked.all().item()
    (['a', 'a', 'b', 'b'], True)
    """

    def __init__(self, frame: pd.DataFrame, *, source: str = "<memory>", clock: Clock = "calendar") -> None:
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
        clean = pd.DataFrame({name: clean_ids(frame[name], source=source) for name in ("user_id", "item_id")})
        clean["timestamp"] = _timestamps(frame["timestamp"], source, clock)
        clean["clicked"] = _clicked(frame["clicked"], source) if "clicked" in frame.columns else True
        if not clean["clicked"].any():
            raise DataError(f"{source}: none of the {len(clean):,} rows is a click; check the column 'clicked'")
        order = np.argsort(clean["timestamp"].to_numpy(), kind="stable")
        order = order[self._kept(clean.iloc[order])]
        self.frame = clean.iloc[order].reset_index(drop=True)
        self._origin, self._order = frame.index, order
        self._count_thin_users()

    def __len__(self) -> int:
        return len(self.frame)

    def __repr__(self) -> str:
        clicks = int(self.frame["clicked"].sum())
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

    def _kept(self, rows: pd.DataFrame) -> npt.NDArray[np.bool_]:
        """Mark the rows that stay: repeats go, and a click outweighs a non-click of the same moment."""
        event = ["user_id", "item_id", "timestamp"]
        repeated = rows.duplicated(keep="first").to_numpy()
        if repeated.any():
            self.note(f"{self.source}: {repeated.sum():,} of {len(rows):,} rows repeat an earlier row and were dropped")
        # Rows that are no plain repeats and yet share an event differ in `clicked`.
        distinct = rows[~repeated]
        contradicted = np.zeros(len(rows), dtype=bool)
        contradicted[~repeated] = distinct.duplicated(event, keep=False).to_numpy() & ~distinct["clicked"].to_numpy()
        if contradicted.any():
            rows_say = (
                f"{contradicted.sum():,} rows say 'not clicked' where another row of the same user, item and timestamp"
            )
            self.note(f"{self.source}: {rows_say} says 'clicked'; the clicks were kept")
        kept: npt.NDArray[np.bool_] = ~(repeated | contradicted)
        return kept

    def _count_thin_users(self) -> None:
        clicks = self.frame.groupby("user_id", sort=False)["clicked"].sum()
        for count, words in ((1, "only one click"), (0, "no click")):
            users = int((clicks == count).sum())
            if users:
                thin = f"{users:,} of {len(clicks):,} users have {words}"
                self.note(f"{self.source}: {thin}; they were kept (no history to learn their taste from)")


def _timestamps(column: pd.Series[Any], source: str, clock: Clock) -> npt.NDArray[np.int64]:
    """Check one column of timestamps and return it as int64 [n]."""
    allowed = "whole seconds since 1970" if clock == "calendar" else "whole numbers from 0 on"

    def refuse(bad: Any, problem: str, fix: str) -> None:
        if np.any(bad):
            everywhere = np.broadcast_to(bad, len(column))
            raise bad_value(column, everywhere, source, f"{problem}; allowed are {allowed}: {fix}")

    is_date, is_bool = pd.api.types.is_datetime64_any_dtype(column), pd.api.types.is_bool_dtype(column)
    refuse(is_date, "is a date object", "convert with .astype('datetime64[s]').astype('int64')")
    refuse(is_bool, "is a truth value", "check the order of the columns")
    numbers = pd.to_numeric(column, errors="coerce")
    fix = "convert dates to seconds, fill the value in or remove the row"
    refuse(numbers.isna().to_numpy(), "is missing or no number", fix)
    plain = numbers.to_numpy()
    refuse(plain.dtype.kind not in "fiu", f"is of type {plain.dtype}", "store timestamps as integers")
    if plain.dtype.kind == "f":
        refuse(~np.isfinite(plain) | (plain != np.floor(plain)), "is not a whole number", "round to seconds")
        refuse(np.abs(plain) >= EXACT_FLOAT, "is too large to be exact as a float", "store timestamps as integers")
    if plain.dtype.kind == "u":
        refuse(plain >= 2**63, "does not fit in 64 bits", "store seconds")
    refuse(plain < 0, "is negative", "shift or remove such rows")
    if clock == "calendar":
        fix = "divide by 1000, or say clock='ordinal' if only the order is real"
        refuse(plain > LATEST_SECOND, "lies after the year 5138 and looks like milliseconds", fix)
    return plain.astype(np.int64)


def _clicked(column: pd.Series[Any], source: str) -> npt.NDArray[np.bool_]:
    """Check one column of clicks and return it as bool [n]."""
    if column.dtype == bool:
        return column.to_numpy(dtype=bool)
    words = column.astype("str").str.strip().str.lower().map(WORDS)
    bad = (words.isna() | column.isna()).to_numpy()
    if bad.any():
        fix = "turn ratings or watching times into clicks before (for example rating >= 4)"
        raise bad_value(column, bad, source, f"is not usable; allowed are 1, 0, true, false: {fix}")
    return words.to_numpy(dtype=bool)
