"""Scores of the exported pairs, in any order: every fault is named, and what is right is laid out as its pools."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hyperctr.data.ids import shown
from hyperctr.errors import DataError, did_you_mean
from hyperctr.runs.pairs import judged_pools, pool_items
from hyperctr.training.scoring import PoolScores

if TYPE_CHECKING:
    from hyperctr.config import Config
    from hyperctr.data.negatives import CandidatePool
    from hyperctr.split_data import SplitData

NEEDED = ("part", "click", "item_id", "score")
BATCH = 1 << 20  # rows of a file read at a time
EXPORT = "the file that `hyperctr pool export` wrote for these data and settings"
Integers = NDArray[np.int64]


def read_scores(scores: pd.DataFrame | str | Path, split_data: SplitData, config: Config) -> dict[str, PoolScores]:
    """Return scores by part, laid out as the pools they belong to: float32 where they are that, else float64.

    Args:
        scores: a frame or a parquet file with columns ``part, click, item_id, score``; others are not looked at.
        split_data: what the pairs were exported from.
        config: settings they were exported with.

    Raises:
        DataError: a column is missing or of a wrong type; a score is missing, double, not finite, or of no exported
            pair.
    """
    source = "<memory>" if isinstance(scores, pd.DataFrame) else str(scores)
    numbers = PairNumbers(judged_pools(split_data, config), split_data, source)
    # Step 1: the file's pairs as numbers, sorted, and the scores as they stand in the file
    total, frames = _open(scores, source)
    key, value, first = np.empty(total, np.int64), np.empty(0, np.float32), 0
    for frame in frames:
        rows = slice(first, first := first + len(frame))
        key[rows], some = numbers.of(frame, rows.start), _finite(frame["score"], source, rows.start)
        value = value if len(value) else np.empty(total, some.dtype)
        value[rows] = some
    order = np.argsort(key, kind="stable")
    key = key[order]
    if len(twice := np.flatnonzero(key[1:] == key[:-1])):
        before, row = order[twice[0]], order[twice[0] + 1]
        again = f"has a score in row {before} already ({len(twice):,} rows repeat a pair); keep one of them"
        raise DataError(f"{_place(source, row)}: {numbers.words(key[twice[0]])} {again}")

    # Step 2: the scores of the pools' pairs, looked up
    used, missing, result = np.zeros(len(key), dtype=bool), [np.empty(0, np.int64)], {}
    for part, pool in numbers.pools.items():
        scored = PoolScores(pool, np.empty(len(pool), value.dtype), np.empty(pool.negatives.shape, value.dtype))
        for rows, items, there in pool_items(pool):
            wanted = numbers.of_items(part, rows, items)[there]
            at = np.minimum(np.searchsorted(key, wanted), len(key) - 1)
            known = key[at] == wanted
            used[at[known]] = True
            missing.append(wanted[~known])
            cells = np.full(items.shape, -np.inf, value.dtype)
            cells[there] = np.where(known, value[order[at]], -np.inf)
            scored.rows[rows], scored.negatives[rows] = cells[:, 0], cells[:, 1:]
        result[part] = scored

    # Step 3: what is left over on either side
    if not used.all():
        row = order[~used].min()
        unknown = f"is none of the pairs to score ({(~used).sum():,} such rows); score those of {EXPORT}"
        raise DataError(f"{_place(source, row)}: {numbers.words(key[order == row][0])} {unknown}")
    if len(absent := np.concatenate(missing)):
        share = f"{len(absent):,} of {len(absent) + len(key):,} pairs have none"
        raise DataError(f"{source}: {numbers.words(absent[0])} has no score ({share}); score all of {EXPORT}")
    return result


class PairNumbers:
    """A number for every pair: its row among those of all pools one after another, times items, plus its item.

    Args:
        pools: of :func:`hyperctr.runs.pairs.judged_pools`.
        split_data: what they were drawn from.
        source: the name of the file that is read, for messages.
    """

    def __init__(self, pools: dict[str, CandidatePool], split_data: SplitData, source: str) -> None:
        self.pools, self._data, self._source = pools, split_data.data, source
        self._parts, self._items = pd.Index(list(pools)), pd.Index(split_data.data.items)
        self._clicks = [pd.Index(pool.rows) for pool in pools.values()]
        self._start = [0, *accumulate(map(len, pools.values()))]

    def of(self, frame: pd.DataFrame, first: int) -> Integers:
        """Return the numbers of rows of a file, of which ``first`` is the number of the first one.

        Raises:
            DataError: an unknown part or item, or a click that is not in the part.
        """

        def refuse(name: str, bad: NDArray[np.bool_], problem: str) -> None:
            if bad.any():
                row = int(np.argmax(bad))
                at, value = _place(self._source, first + row), shown(frame[name].iloc[row])
                raise DataError(f"{at}: {name} {value} {problem}; score the pairs of {EXPORT}")

        part = _positions(self._parts, frame["part"])
        refuse("part", part < 0, f"is not known; allowed are {', '.join(self._parts)}")
        row = np.full(len(frame), -1)
        for number, (clicks, start) in enumerate(zip(self._clicks, self._start, strict=False)):
            these = np.flatnonzero(part == number)
            place = _positions(clicks, frame["click"].iloc[these])
            row[these] = np.where(place < 0, -1, start + place)
        refuse("click", row < 0, "is none of this part's")
        item, kind = (
            _positions(self._items, frame["item_id"]),
            "strings" if self._items.dtype.kind == "O" else "integers",
        )
        refuse("item_id", item < 0, f"is none of this data set's, whose ids are {kind}")
        return row * len(self._items) + item

    def of_items(self, part: str, rows: slice, items: Integers) -> Integers:
        """Return the numbers of some rows of a pool with their ``items`` [rows, n]; what is no item gives anything."""
        first = self._start[self._parts.get_loc(part)] + rows.start
        return np.arange(first, first + len(items))[:, None] * len(self._items) + items

    def words(self, number: int) -> str:
        """Name the pair of a number as a file does."""
        row, item = divmod(int(number), len(self._items))
        part = int(np.searchsorted(self._start, row, side="right")) - 1
        click = self._clicks[part][row - self._start[part]]
        return f"part {self._parts[part]!r}, click {click}, item_id {shown(self._data.items[item])}"


def _positions(known: pd.Index[Any], column: pd.Series[Any]) -> Integers:
    """Return the place of each value among the known ones; -1: it is none of them."""
    codes, distinct = pd.factorize(column, use_na_sentinel=True)
    return np.append(known.get_indexer(pd.Index(distinct)), -1)[codes].astype(np.int64)


def _open(scores: pd.DataFrame | str | Path, source: str) -> tuple[int, Iterator[pd.DataFrame]]:
    """Return how many rows there are, and the needed columns of them, ``BATCH`` rows at a time."""
    if isinstance(scores, pd.DataFrame):
        _check(list(scores.columns), len(scores), source)
        needed = scores[list(NEEDED)]
        return len(scores), (needed.iloc[first : first + BATCH] for first in range(0, len(scores), BATCH))
    import pyarrow.parquet as pq

    if not Path(scores).is_file():
        raise DataError(f"{source}: there is no such file")
    try:
        file = pq.ParquetFile(scores)
    except (OSError, ValueError) as error:
        raise DataError(f"{source}: is not a readable parquet file ({error}); write it again") from error
    _check(file.schema_arrow.names, file.metadata.num_rows, source)
    return file.metadata.num_rows, (batch.to_pandas() for batch in file.iter_batches(BATCH, columns=list(NEEDED)))


def _check(columns: list[Any], rows: int, source: str) -> None:
    for name in NEEDED:
        if name not in columns:
            hint = did_you_mean(name, map(str, columns))
            raise DataError(f"{source}: column {name!r} is missing ({hint}); {', '.join(NEEDED)} are needed")
    if not rows:
        raise DataError(f"{source}: there are no rows; score the pairs of {EXPORT}")


def _finite(column: pd.Series[Any], source: str, first: int) -> NDArray[np.floating[Any]]:
    """Return scores as float32 where they are that, else as float64."""
    if pd.api.types.is_bool_dtype(column.dtype) or not pd.api.types.is_numeric_dtype(column.dtype):
        raise DataError(f"{source}: column 'score' is of type {column.dtype}; store real numbers: .astype('float64')")
    short = column.dtype in (np.float32, np.float16)
    values = column.to_numpy(np.float32 if short else np.float64, na_value=np.nan)
    if len(bad := np.flatnonzero(~np.isfinite(values))):
        value = shown(column.iloc[bad[0]])
        fix = "every pair needs a finite score: give one that was not scored your lowest"
        raise DataError(f"{_place(source, first + bad[0])}: score {value} is not a finite number; {fix}")
    return values


def _place(source: str, row: int) -> str:
    return f"{source}, row {row} (counted from 0)"
