"""User and item ids: any integers or any strings, checked once, so that every later stage may trust them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from hyperctr.errors import DataError

LONGEST_ID = 256
INTEGER_TEXT = r"-?(?:0|[1-9][0-9]{0,17})"
EXACT_FLOAT = 2**53  # above this a float no longer tells neighbouring integers apart
FILL_IN = "every row needs a user_id and an item_id: fill it in or remove the row"


def row_name(index: pd.Index, position: int, source: str) -> str:
    """Name one row the way its reader can find it: a line of a text file, else a row counted from 0.

    A frame read by :func:`hyperctr.data.files.read_text` carries its line numbers in an index named ``line``.

    >>> row_name(pd.RangeIndex(3), 1, "<memory>")
    '<memory>, row 1 (counted from 0)'
    """
    if index.name == "line":
        return f"{source}, line {index[position]}"
    return f"{source}, row {position} (counted from 0)"


def shown(value: object) -> str:
    """Quote a value for a message: plain Python form, never longer than a line.

    >>> shown(np.int64(7)), shown("7")
    ('7', "'7'")
    """
    text = repr(value.item() if isinstance(value, np.generic) else value)
    return text if len(text) <= 80 else f"{text[:60]}... ({len(text):,} characters)"


def bad_value(column: pd.Series[Any], bad: npt.NDArray[np.bool_], source: str, problem: str) -> DataError:
    """Return the error for the first bad row of a column: where it is, its value, and ``problem``: what is wrong.

    >>> print(bad_value(pd.Series([3, -1], name="timestamp"), np.array([False, True]), "log.csv", "is negative"))
    log.csv, row 1 (counted from 0): timestamp -1 is negative
    """
    row = int(np.argmax(bad))
    return DataError(f"{row_name(column.index, row, source)}: {column.name} {shown(column.iloc[row])} {problem}")


def clean_ids(column: pd.Series[Any], *, source: str = "<memory>") -> npt.NDArray[Any]:
    """Return a column of ids as int64 or as an object array of non-empty ``str``.

    Whole floats become integers (pandas turns integers into floats whenever a value was missing).

    Raises:
        DataError: a missing, empty, fractional or over-long id; integers mixed with strings.

    >>> clean_ids(pd.Series([3.0, 1.0], name="user_id"))
    array([3, 1])
    >>> clean_ids(pd.Series(["b", "a"], name="user_id")).tolist()
    ['b', 'a']
    """
    if isinstance(column.dtype, np.dtype) and column.dtype.kind == "i":
        return column.to_numpy(dtype=np.int64)
    ids, codes = _factorised(column, source)
    return ids[codes]


def index_ids(column: pd.Series[Any], *, source: str = "<memory>") -> tuple[npt.NDArray[Any], npt.NDArray[np.int64]]:
    """Return the sorted distinct ids of a column, checked as by :func:`clean_ids`, and each row's place among them.

    >>> index_ids(pd.Series(["b", "a", "b"], name="user_id"))
    (array(['a', 'b'], dtype=object), array([1, 0, 1]))
    """
    ids, codes = _factorised(column, source)
    ids, place = np.unique(ids, return_inverse=True)
    return ids, place.astype(np.int64, copy=False)[codes]


def _factorised(column: pd.Series[Any], source: str) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64]]:
    """Return clean ids, in which one may stand twice, and for each row which of them it is."""
    codes, uniques = pd.factorize(column, use_na_sentinel=True)
    if isinstance(uniques.dtype, np.dtype) and uniques.dtype.kind == "i":
        return np.asarray(uniques, dtype=np.int64), codes
    values: list[Any] = [value.item() if isinstance(value, np.generic) else value for value in uniques.tolist()]

    def refuse(code: int, problem: str) -> None:
        raise bad_value(column, codes == code, source, problem)

    if (codes < 0).any():
        refuse(-1, f"is missing; {FILL_IN}")
    for code, value in enumerate(values):
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            refuse(code, f"is of type {type(value).__name__}; ids must be integers or strings")
    text = np.array([isinstance(value, str) for value in values], dtype=bool)
    if text.any() and not text.all():
        rarer = text if text.sum() <= (~text).sum() else ~text
        fix = f"make all of {column.name} integers or all strings"
        refuse(int(np.argmax(rarer)), f"mixes strings with numbers in one column; {fix}")
    fault = _text_fault if text.any() else _number_fault
    for code, value in enumerate(values):
        if problem := fault(value):
            refuse(code, problem)
    if text.any():
        return np.array([value.strip() for value in values], dtype=object), codes
    return np.array([int(value) for value in values], dtype=np.int64), codes


def _text_fault(text: str) -> str:
    if not text.strip():
        return f"is empty; {FILL_IN}"
    if len(text.strip()) > LONGEST_ID:
        fix = "it looks like a whole row or more: check the delimiter and look for an unclosed quote"
        return f"is longer than {LONGEST_ID} characters; {fix}"
    if not text.strip().isprintable():
        fix = "it looks like a whole row: check the delimiter and the quotes"
        return f"contains a tab, a line break or another control character; {fix}"
    return ""


def _number_fault(value: float) -> str:
    if isinstance(value, int):
        return "" if -(2**63) <= value < 2**63 else "does not fit in 64 bits; store such ids as strings"
    if not np.isfinite(value) or value != int(value):
        return "is not a whole number; ids must be integers or strings"
    if abs(value) >= EXACT_FLOAT:
        return "is too large to be exact as a float; store such ids as integers or strings"
    return ""


def parse_ids(column: pd.Series[Any]) -> pd.Series[Any]:
    """Turn a text column into integers when every value is one (``12`` or ``12.0``); else leave it as text.

    ``007`` stays text, since turning it into 7 would lose what the file says.

    >>> parse_ids(pd.Series(["7", "12.0"])).tolist(), parse_ids(pd.Series(["7", "007"])).tolist()
    ([7, 12], ['7', '007'])
    """
    codes, uniques = pd.factorize(column)
    texts = pd.Series(uniques, dtype="str").str.strip()
    if not len(texts) or not bool(texts.str.fullmatch(INTEGER_TEXT + r"(?:\.0*)?").all()) or bool((codes < 0).any()):
        return column
    numbers = np.array([int(text.split(".")[0]) for text in texts], dtype=np.int64)
    return pd.Series(numbers[codes], index=column.index, name=column.name)


def find_ids(known: pd.Index, ids: Iterable[Any], what: str) -> npt.NDArray[np.int64]:
    """Return the position of each id in ``known``.

    Raises:
        DataError: an id is not there; the message names it and, where the type is the cause, says so.

    >>> find_ids(pd.Index([10, 20]), [20, 10], "item")
    array([1, 0])
    """
    wanted = pd.Index(ids if isinstance(ids, (np.ndarray, pd.Series, pd.Index, list)) else list(ids))
    position = known.get_indexer(wanted).astype(np.int64)
    unknown = np.flatnonzero(position < 0)
    if len(unknown):
        first, kind = wanted[unknown[0]], "integers" if known.dtype.kind == "i" else "strings"
        mismatch = isinstance(first, str) == (kind == "integers")
        hint = f"; the {what} ids of this data set are {kind}" if mismatch else ""
        sample = ", ".join(repr(i) for i in known[:3].tolist())
        raise DataError(
            f"{what} id {shown(first)} is unknown ({len(unknown):,} of {len(wanted):,} asked for are){hint}; "
            f"known are {len(known):,} ids such as {sample}"
        )
    return position
