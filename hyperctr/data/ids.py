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
    codes, uniques = pd.factorize(column, use_na_sentinel=True)

    def fail(bad_code: int, what: str, fix: str) -> DataError:
        row = int(np.flatnonzero(codes == bad_code)[0])
        place = row_name(column.index, row, source)
        return DataError(f"{place}: {column.name} {shown(column.iloc[row])} {what}; {fix}")

    if (codes < 0).any():
        raise fail(-1, "is missing", "every row needs a user_id and an item_id: fill it in or remove the row")
    values: list[Any] = list(uniques.tolist())
    kinds = np.array([_kind(value) for value in values])
    for kind in ("bool", "other"):
        if (kinds == kind).any():
            code = int(np.argmax(kinds == kind))
            raise fail(code, f"is of type {type(values[code]).__name__}", "ids must be integers or strings")
    if (kinds == "str").any() and (kinds != "str").any():
        rarer = "str" if (kinds == "str").sum() <= (kinds != "str").sum() else None
        code = int(np.argmax(kinds == "str" if rarer else kinds != "str"))
        raise fail(
            code, "mixes strings with numbers in one column", f"make all of {column.name} integers or all strings"
        )
    if (kinds == "str").any():
        return _text_ids(values, codes, fail)
    return _number_ids(values, codes, fail)


def _kind(value: object) -> str:
    if isinstance(value, (bool, np.bool_)):
        return "bool"
    if isinstance(value, str):
        return "str"
    if isinstance(value, (int, np.integer)):
        return "int"
    return "float" if isinstance(value, (float, np.floating)) else "other"


def _text_ids(values: list[Any], codes: npt.NDArray[np.intp], fail: Any) -> npt.NDArray[Any]:
    stripped = [value.strip() for value in values]
    for code, text in enumerate(stripped):
        if not text:
            raise fail(code, "is empty", "every row needs a user_id and an item_id: fill it in or remove the row")
        if len(text) > LONGEST_ID:
            raise fail(
                code,
                f"is longer than {LONGEST_ID} characters",
                "it looks like a whole row or more: check the delimiter and look for an unclosed quote",
            )
        if not text.isprintable():
            raise fail(
                code,
                "contains a tab, a line break or another control character",
                "it looks like a whole row: check the delimiter and the quotes",
            )
    return np.array(stripped, dtype=object)[codes]


def _number_ids(values: list[Any], codes: npt.NDArray[np.intp], fail: Any) -> npt.NDArray[Any]:
    for code, value in enumerate(values):
        if not isinstance(value, (int, np.integer)):
            if not np.isfinite(value) or value != int(value):
                raise fail(code, "is not a whole number", "ids must be integers or strings")
            if abs(value) >= EXACT_FLOAT:
                raise fail(code, "is too large to be exact as a float", "store such ids as integers or strings")
        elif not -(2**63) <= value < 2**63:
            raise fail(code, "does not fit in 64 bits", "store such ids as strings")
    return np.array([int(value) for value in values], dtype=np.int64)[codes]


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
        first = wanted[unknown[0]]
        kind = "integers" if known.dtype.kind == "i" else "strings"
        mismatch = isinstance(first, str) == (kind == "integers")
        hint = f"; the {what} ids of this data set are {kind}" if mismatch else ""
        sample = ", ".join(repr(i) for i in known[:3].tolist())
        raise DataError(
            f"{what} id {shown(first)} is unknown ({len(unknown):,} of {len(wanted):,} asked for are){hint}; "
            f"known are {len(known):,} ids such as {sample}"
        )
    return position
