"""User and item ids: any integers or any strings, checked once, so that every later stage may trust them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from hyperctr.errors import DataError

LONGEST_ID = 256
INTEGER_TEXT = r"-?(?:0|[1-9][0-9]{0,17})"
EXACT_FLOAT = 2**53  # above this a float no longer tells neighbouring integers apart
EXACT = {2: 2**11, 4: 2**24, 8: EXACT_FLOAT}  # the same by bytes of a float
MISSING_WORDS = ("nan", "null", "none", "nat", "na", "n/a", "<na>", "\\n")  # what programs write for a missing value
EXPONENT = r"[+-]?[0-9]+(?:\.[0-9]*)?[eE][+-]?[0-9]+"
GROUPED = r"-?[0-9]{1,3}(?:([,.' \u00a0\u202f])[0-9]{3})(?:\1[0-9]{3})*"  # 1,234 or 1.234.567
FILL_IN = "every row needs a user_id and an item_id: fill it in or remove the row"


def row_name(index: pd.Index, position: int, source: str) -> str:
    """Name one row the way its reader can find it: a line of a text file, else a row counted from 0.

    A frame read by :func:`hyperctr.data.files.read_text` carries its line numbers in an index named ``line``, one of
    which rows were left out their numbers in an index named ``row``.

    >>> row_name(pd.RangeIndex(3), 1, "<memory>")
    '<memory>, row 1 (counted from 0)'
    """
    if index.name == "line":
        return f"{source}, line {index[position]}"
    position = index[position] if index.name == "row" else position  # of which some were left out
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
    row, rows = int(np.argmax(bad)), int(np.count_nonzero(bad))
    such = f" ({rows:,} such rows)" if rows > 1 else ""
    return DataError(f"{row_name(column.index, row, source)}: {column.name} {shown(column.iloc[row])} {problem}{such}")


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
    problems: dict[str, list[int]] = {}  # and which of the values have it
    if (codes < 0).any():
        problems[f"is missing; {FILL_IN}"] = [-1]
    text = np.array([isinstance(value, str) for value in values], dtype=bool)
    rarer = text if text.sum() <= (~text).sum() else ~text
    mixed = bool(text.any() and not text.all())
    size = getattr(getattr(column.dtype, "numpy_dtype", column.dtype), "itemsize", 8)
    for code, value in enumerate(values):
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            problem = f"is of type {type(value).__name__}; ids must be integers or strings"
        elif mixed and rarer[code]:
            problem = f"mixes strings with numbers in one column; make all of {column.name} integers or all strings"
        else:
            problem = _text_fault(value) if isinstance(value, str) else _number_fault(value, size)
        if problem:
            problems.setdefault(problem, []).append(code)
    if not problems and text.any():
        problems = _rewritten(values)
    if problems:
        raise DataError(*(str(bad_value(column, np.isin(codes, bad), source, p)) for p, bad in problems.items()))
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
    if is_missing_word(text):
        return f"stands for a missing value; {FILL_IN}"
    return ""


def is_missing_word(text: str) -> bool:
    """Tell whether a text is what programs write for a missing value, or blank.

    >>> is_missing_word("NULL"), is_missing_word("nancy")
    (True, False)
    """
    return text.strip().lower() in ("", *MISSING_WORDS)


def _number_fault(value: float, size: int) -> str:
    if isinstance(value, int):
        return "" if -(2**63) <= value < 2**63 else "does not fit in 64 bits; store such ids as strings"
    if not np.isfinite(value) or value != int(value):
        return "is not a whole number; ids must be integers or strings"
    if abs(value) >= EXACT.get(size, EXACT_FLOAT):
        kind = "a float" if size == 8 else f"a float{8 * size}"
        return f"is too large to be exact as {kind}; store such ids as integers or strings"
    return ""


def _rewritten(values: list[Any]) -> dict[str, list[int]]:
    """Return which ids a program has written as rounded or grouped numbers: all are numbers, and some are so."""
    texts = [value.strip() for value in values]
    forms = (
        (EXPONENT, "is written with an exponent, which has rounded it; write such ids with all their digits"),
        (GROUPED, "is written with thousands separators; write ids as plain digits"),
    )
    for form, problem in forms:
        number = re.compile(rf"{form}|-?[0-9]+(?:\.0*)?")
        alike = all(number.fullmatch(text) for text in texts)  # which ends at the first that is none
        if such := [code for code, text in enumerate(texts if alike else ()) if re.fullmatch(form, text)]:
            return {problem: such}
    return {}


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


def decimals(column: pd.Series[Any], ids: npt.NDArray[Any]) -> str:
    """Return what to tell of a column of whole ids that are written with decimals, as by pandas; empty: it is not so.

    >>> decimals(pd.Series(["101.0", "7"], name="user_id"), np.array([101, 7]))
    "user_id is written with decimals, such as '101.0' in 1 of 2 rows, and was read as the whole number 101"
    """
    if ids.dtype.kind != "i" or not len(column) or pd.api.types.is_integer_dtype(column.dtype):
        return ""
    if pd.api.types.is_float_dtype(column.dtype):
        pointed = np.ones(len(column), dtype=bool)
    else:
        pointed = column.astype("str").str.contains(".", regex=False).to_numpy(dtype=bool)
    if not pointed.any():
        return ""
    first, rows = int(np.argmax(pointed)), f"{pointed.sum():,} of {len(column):,} rows"
    such = f"such as {shown(column.iloc[first])} in {rows}"
    return f"{column.name} is written with decimals, {such}, and was read as the whole number {ids[first]}"


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
        near = near_ids(np.asarray(wanted[unknown]), np.asarray(known))
        hint += f"; {near.words}: write them as the data set does" if near else ""
        sample = ", ".join(repr(i) for i in known[:3].tolist())
        raise DataError(
            f"{what} id {shown(first)} is unknown ({len(unknown):,} of {len(wanted):,} asked for are){hint}; "
            f"known are {len(known):,} ids such as {sample}"
        )
    return position


class NearIds(NamedTuple):
    """Ids that differ only in leading zeros, or in upper and lower case: an example, and how many there are."""

    here: Any
    there: Any
    pairs: int

    @property
    def words(self) -> str:
        """The pair, for a message."""
        what = "upper and lower case" if str(self.here).casefold() == str(self.there).casefold() else "leading zeros"
        such = f" ({self.pairs:,} such pairs)" if self.pairs > 1 else ""
        return f"{shown(self.here)} and {shown(self.there)} differ only in {what}{such}"


def near_ids(here: npt.NDArray[Any], there: npt.NDArray[Any]) -> NearIds | None:
    """Return an example of ids of two places that are the same but for leading zeros, ``.0`` or case; None: no such.

    >>> near_ids(np.array(["x", "0090"], dtype=object), np.array([7, 90])).words
    "'0090' and 90 differ only in leading zeros"
    """
    if not len(here) or not len(there) or (here.dtype.kind == "i" and there.dtype.kind == "i"):
        return None
    place = pd.Index(folded_ids(there)).drop_duplicates()
    folded = folded_ids(here)
    match = np.flatnonzero(folded.isin(place).to_numpy())
    if not len(match):
        return None
    other = int(np.argmax((folded_ids(there) == folded.iloc[match[0]]).to_numpy()))
    return NearIds(here[match[0]], there[other], len(match))


def folded_ids(ids: npt.NDArray[Any]) -> pd.Series[Any]:
    """Return ids as texts without leading zeros, ``.0`` and capitals.

    >>> folded_ids(np.array(["007", "A.0"], dtype=object)).tolist()
    ['7', 'a']
    """
    texts = pd.Series([str(value) for value in ids.tolist()], dtype="str").str.strip().str.casefold()
    return texts.str.replace(r"^(-?)0+(?=[0-9])", r"\1", regex=True).str.replace(r"\.0+$", "", regex=True)
