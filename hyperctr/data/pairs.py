"""The two files of `hyperctr predict`: pairs to score, and pairs with their scores."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from hyperctr.data.log import read_log
from hyperctr.data.options import TableOptions
from hyperctr.errors import ConfigError, DataError, DataWarning, counted
from hyperctr.runtime import atomic_path

SUFFIXES = (".parquet", ".csv")


def read_pairs(path: str | Path, options: TableOptions | None = None) -> pd.DataFrame:
    """Read ``user_id,item_id[,timestamp]`` by the rules of a log; ids become integers where all of a column are.

    ``options`` are those of the data set: its names of columns, separator, unit or format of time. No row is left out.

    Raises:
        DataError: no such file, a missing or unknown column, a missing id, a time that is none; the message names file
            and line.
    """
    told: list[str] = []
    pairs = read_log(Path(path), options or TableOptions(), told, required=("user_id", "item_id"), labels=False)
    for note in told:
        warnings.warn(note, DataWarning, stacklevel=2)
    return pairs.reset_index(drop=True)


def read_history(path: str | Path, options: TableOptions | None = None) -> pd.DataFrame:
    """Read newer interactions, ``user_id,item_id,timestamp[,clicked]``, exactly as the log of the data set is read.

    Raises:
        DataError: as for a log.
    """
    told: list[str] = []
    rows = read_log(Path(path), options or TableOptions(), told, newer=True)
    for note in told:
        warnings.warn(note, DataWarning, stacklevel=2)
    return rows.reset_index(drop=True)


def unknown_pairs(
    users: list[Any], items: list[Any], known_users: npt.NDArray[Any], known_items: npt.NDArray[Any]
) -> tuple[npt.NDArray[np.bool_], str]:
    """Return which pairs have a user or an item that is not known, bool [n], and how many, in words.

    >>> unknown_pairs([1, 1], [7, -1], np.array([1, 2]), np.array([7, 8]))
    (array([False,  True]), '1 of 2 pairs: 0 users and 1 item are unknown')
    """
    new_users, new_items = ~pd.Index(users).isin(known_users), ~pd.Index(items).isin(known_items)
    unknown = new_users | new_items
    counts = [pd.Index(ids)[new].nunique() for ids, new in ((users, new_users), (items, new_items))]
    new = f"{counted(counts[0], 'user')} and {counted(counts[1], 'item')} are unknown"
    words = f"{unknown.sum():,} of {counted(len(unknown), 'pair')}: {new}"
    return unknown, words


def like_ids(column: pd.Series[Any], known: npt.NDArray[Any]) -> list[Any]:
    """Return ids as text where the data set's are text: ``12`` in a file may mean the string.

    >>> like_ids(pd.Series([12]), np.array(["12", "a"], dtype=object)), like_ids(pd.Series([12]), np.array([12]))
    (['12'], [12])
    """
    ids: list[Any] = column.tolist()
    return [str(value) for value in ids] if known.dtype == object else ids


def check_suffix(path: str | Path) -> None:
    """Check that scores can be written to a file of this name.

    Raises:
        ConfigError: it ends neither in .parquet nor in .csv.

    >>> check_suffix("scores.csv")
    """
    if Path(path).suffix not in SUFFIXES:
        raise ConfigError(f"{path}: scores can be written to a name that ends in {' or '.join(SUFFIXES)}")


def check_place(path: str | Path, *inputs: str | Path) -> None:
    """Check that scores can be written to a file of this name, and would replace nothing but older scores.

    Raises:
        ConfigError: it ends neither in .parquet nor in .csv.
        DataError: it is there and holds no scores, or is one of the ``inputs``.
    """
    check_suffix(path)
    file, way = Path(path), "move it away, or name another file with --out"
    if any(file.resolve() == Path(given).resolve() for given in inputs):
        raise DataError(f"{path}: is read by the same command, scores would replace it; name another file with --out")
    if not file.exists():
        return
    try:
        if file.suffix == ".csv":
            columns = pd.read_csv(file, nrows=0).columns.tolist()
        else:
            import pyarrow.parquet as pq

            columns = pq.read_schema(file).names
    except (OSError, ValueError):
        columns = []
    if columns[:2] != ["user_id", "item_id"] or columns[-1] != "score":
        raise DataError(f"{path}: is there already and holds no scores, which could be replaced; {way}")


def write_scores(path: str | Path, pairs: pd.DataFrame, scores: npt.NDArray[np.float64]) -> None:
    """Write the pairs with a column ``score``, in the same order; the file appears whole or not at all.

    Raises:
        ConfigError: the name ends neither in .parquet nor in .csv.
    """
    check_suffix(path)
    scored = pairs.assign(score=np.asarray(scores, dtype=np.float64))
    with atomic_path(path) as aside:
        if Path(path).suffix == ".csv":
            scored.to_csv(aside, index=False)
        else:
            scored.to_parquet(aside, index=False)
