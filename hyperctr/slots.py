"""Time slots: the snapshots in which hypergraphs are built (paper, section 2.1 and Figure 5).

A calendar clock is cut at whole months (UTC), because interests follow seasons and releases. An ordinal clock
(obfuscated timestamps) has no months and is cut in slots of equal width. Either way a slot lies between two edges.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hyperctr.errors import ConfigError, DataError
from hyperctr.lazy import lazy_function

if TYPE_CHECKING:
    from hyperctr.data.dataset import Dataset

DEFAULT_MONTHS = 6
DEFAULT_COUNT = 12


@dataclass(frozen=True, eq=False)
class Slots:
    """The slot of every interaction, and how to find the slot of any other timestamp.

    Attributes:
        index: int64 [n], slot of each interaction row, 0..T-1. A slot may be empty.
        labels: one readable label per slot: "2018-01 to 2018-06", "2018-01-03 to 2018-02-14" or "slot 3".
        edges: int64 [T+1]; slot t holds the timestamps with ``edges[t] <= timestamp < edges[t + 1]``.
        clock: "calendar" (seconds since 1970, UTC) or "ordinal".
        months: whole months per slot, or None where slots have equal width.
        clicks: int64 [T], clicks in each slot; None: not counted.
    """

    index: NDArray[np.int64]
    labels: list[str]
    edges: NDArray[np.int64]
    clock: Literal["calendar", "ordinal"]
    months: int | None = None
    clicks: NDArray[np.int64] | None = None

    _repr_html_ = lazy_function("display.cards:slots")

    @property
    def count(self) -> int:
        """Number of slots T."""
        return len(self.labels)

    def of(self, timestamps: ArrayLike) -> NDArray[np.int64]:
        """Return the slot of each timestamp, int64, same shape; what lies outside is clipped to 0..T-1.

        Raises:
            DataError: timestamps that are not integers.

        >>> slots = Slots(np.array([0]), ["slot 0", "slot 1"], np.array([0, 10, 20]), "ordinal")
        >>> slots.of([-5, 0, 9, 10, 99])
        array([0, 0, 0, 1, 1])
        """
        moments = np.asarray(timestamps)
        if moments.size and not np.issubdtype(moments.dtype, np.integer):
            raise DataError(f"timestamps have dtype {moments.dtype}; integers in the data set's clock are needed")
        return np.asarray(np.searchsorted(self.edges[1:-1], moments, side="right"), dtype=np.int64)


def make_slots(data: Dataset, months: int | None = None, count: int | None = None) -> Slots:
    """Cut the time of ``data`` into slots.

    By ``months`` (1..18, calendar clocks only): slot = whole calendar months (UTC) since the month of the first
    interaction, integer-divided by ``months``. By ``count``: that many slots of equal width from the first to the last
    timestamp, at most one a tick of the clock. With neither, a calendar clock is cut every 6 months and an ordinal
    clock in 12 slots. Nothing between the first and the last interaction moves an edge; from when to when the data go
    is, like their catalogue, no label.

    Raises:
        ConfigError: months on an ordinal clock, both or out-of-bounds arguments.

    >>> import pandas as pd
    >>> from hyperctr.data.dataset import Dataset
    >>> seconds = np.array(["2018-01-31", "2018-02-01", "2018-07-01"], "datetime64[s]").astype(np.int64)
    >>> log = pd.DataFrame({"user_id": list("aaa"), "item_id": [7, 8, 9], "timestamp": seconds})
    >>> slots = make_slots(Dataset("tiny", log), months=6)
    >>> slots.index, slots.labels
    (array([0, 0, 1]), ['2018-01 to 2018-06', '2018-07 to 2018-12'])
    """
    if months is not None and count is not None:
        raise ConfigError(f"make_slots: give months ({months}) or count ({count}), not both")
    if months is not None and data.clock == "ordinal":
        clock = f"data set {data.name!r} has an ordinal clock (timestamps that are no dates)"
        raise ConfigError(f"{clock}, so months={months} means nothing; use make_slots(data, count={DEFAULT_COUNT})")
    if months is None and count is None:
        months, count = (DEFAULT_MONTHS, None) if data.clock == "calendar" else (None, DEFAULT_COUNT)
    first, last = int(data.timestamp.min()), int(data.timestamp.max())
    edges = _month_edges(first, last, months) if months is not None else _equal_edges(first, last, count)
    labels = _labels(edges, data.clock, months)
    index = np.searchsorted(edges[1:-1], data.timestamp, side="right").astype(np.int64)
    clicks = np.bincount(index[data.clicked], minlength=len(labels))
    return Slots(index, labels, edges, data.clock, months, clicks)


def _month_edges(first: int, last: int, months: Any) -> NDArray[np.int64]:
    if not _is_whole(months) or not 1 <= months <= 18:
        raise ConfigError(f"months={months!r}: a whole number from 1 to 18 is needed")
    start, end = np.array([first, last]).astype("datetime64[s]").astype("datetime64[M]").astype(np.int64)
    total = (end - start) // int(months) + 1
    starts = start + int(months) * np.arange(total + 1, dtype=np.int64)
    edges: NDArray[np.int64] = starts.astype("datetime64[M]").astype("datetime64[s]").astype(np.int64)
    return edges


def _equal_edges(first: int, last: int, count: Any) -> NDArray[np.int64]:
    span = last - first + 1
    if not _is_whole(count) or not 1 <= int(count) <= span:
        raise ConfigError(f"count={count!r}: a whole number from 1 to {span}, the ticks of the clock, is needed")
    # Edge t is first + ceil(t * span / count), in Python integers: a nanosecond clock times T overflows int64.
    return np.array([first - (-slot * span // int(count)) for slot in range(int(count) + 1)], dtype=np.int64)


def _is_whole(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _labels(edges: NDArray[np.int64], clock: str, months: int | None) -> list[str]:
    if clock == "ordinal":
        return [f"slot {slot}" for slot in range(len(edges) - 1)]
    unit = "datetime64[D]" if months is None else "datetime64[M]"
    starts, ends = (m.astype("datetime64[s]").astype(unit).astype(str) for m in (edges[:-1], edges[1:] - 1))
    return [str(a) if a == b else f"{a} to {b}" for a, b in zip(starts, ends, strict=True)]
