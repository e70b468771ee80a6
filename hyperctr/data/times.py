"""Times of a log: numbers in a unit or dates in a format become whole seconds, and what looks misread is refused."""

from __future__ import annotations

import re
from datetime import date
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from hyperctr.data.ids import EXACT, EXPONENT, GROUPED, bad_value
from hyperctr.data.rules import DECIMAL_COMMA, LONG_UNITS, UNITS, as_seconds, is_format
from hyperctr.errors import Faults, say

Clock: TypeAlias = Literal["calendar", "ordinal"]
LATEST_SECOND = 100_000_000_000  # the year 5138; larger "seconds" are milliseconds in practice
USUAL = (631_152_000, 4_102_444_800)  # seconds of the years 1990 to 2099, in which logs were written
DATE_NUMBERS = {8: "%Y%m%d", 10: "%Y%m%d%H", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}  # by how many digits they have
DAYS = ("%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%d-%b-%Y")
HOURS = (" %H:%M:%S", "T%H:%M:%S", " %H:%M", "T%H:%M", " %H:%M:%S.%f", "T%H:%M:%S.%f", " %I:%M:%S %p", " %I:%M %p")
OFFSET = r".*[0-9]{2}:[0-9]{2}.*(?:[+-][0-9]{2}:?[0-9]{2}|Z)"


def read_times(
    column: pd.Series[Any],
    source: str = "<memory>",
    clock: Clock = "calendar",
    time: str = "s",
    *,
    of_file: bool = True,
) -> npt.NDArray[np.int64]:
    """Return one column of times as int64 [n]: whole seconds since 1970, or, of an ordinal clock, as they are.

    What was not read from a file (``of_file``) need not look like times at which logs are written.

    Raises:
        DataError: a value that is missing, no time, or negative; times that look like another unit, or like dates.

    >>> read_times(pd.Series([1_600_000_000_000]), time="ms")
    array([1600000000])
    >>> read_times(pd.Series(["2020-09-13"]), time="%Y-%m-%d")
    array([1599955200])
    """
    if is_format(time):
        return _dates(column, source, time)
    numbers = _whole_numbers(column, source, clock)
    if clock == "ordinal" or not len(numbers):
        return numbers
    seconds = as_seconds(numbers, time)
    if problem := _misread(numbers, seconds, time, of_file):
        late = seconds > LATEST_SECOND
        raise bad_value(column, late if late.any() else np.ones(len(column), bool), source, problem)
    return seconds


def _whole_numbers(column: pd.Series[Any], source: str, clock: Clock) -> npt.NDArray[np.int64]:
    """Check a column of numbers and return it as int64 [n]."""
    allowed = "whole seconds since 1970" if clock == "calendar" else "whole numbers from 0 on"

    faults = Faults()

    def refuse(bad: Any, problem: str, fix: str) -> None:
        if np.any(bad):
            everywhere = np.broadcast_to(bad, len(column))
            with faults:
                raise bad_value(column, everywhere, source, f"{problem}; allowed are {allowed}: {fix}")

    is_date, is_bool = pd.api.types.is_datetime64_any_dtype(column), pd.api.types.is_bool_dtype(column)
    refuse(is_date, "is a date object", "convert with .astype('datetime64[s]').astype('int64')")
    refuse(is_bool, "is a truth value", "check the order of the columns")
    faults.tell()
    numbers = pd.to_numeric(column, errors="coerce")
    missing = numbers.isna().to_numpy()
    if missing.any():
        refuse(missing, "is missing or no number", _fix_of_text(column[missing]))
    if column.dtype.kind not in "iuf":
        rounded = column.astype("str").str.strip().str.fullmatch(EXPONENT).to_numpy(dtype=bool)
        refuse(rounded, "is written with an exponent, which has rounded it", "write all its digits")
    plain = numbers.to_numpy(dtype=np.float64, na_value=np.nan) if missing.any() else numbers.to_numpy()
    if plain.dtype.kind not in "fiu":
        refuse(True, f"is of type {plain.dtype}", "store timestamps as integers")
        faults.tell()
    if plain.dtype.kind == "f":
        whole = missing | (np.isfinite(plain) & (plain == np.floor(plain)))
        refuse(~whole, "is not a whole number", "round to seconds")
        size = getattr(column.dtype, "itemsize", 8) if column.dtype.kind == "f" else 8
        exact = missing | ~np.isfinite(plain) | (np.abs(plain) < EXACT.get(size, EXACT[8]))
        kind = "a float" if size == 8 else f"a float{8 * size}"
        refuse(~exact, f"is too large to be exact as {kind}", "store timestamps as integers")
    if plain.dtype.kind == "u":
        refuse(plain >= 2**63, "does not fit in 64 bits", "store seconds")
    refuse(plain < 0, "is negative", "shift or remove such rows")
    faults.tell()
    return plain.astype(np.int64, copy=False)


def _misread(numbers: npt.NDArray[np.int64], seconds: npt.NDArray[np.int64], time: str, of_file: bool) -> str:
    """Return what times look like that cannot be meant in the unit ``time``; empty: nothing is wrong."""
    low, high = int(numbers.min()), int(numbers.max())
    ordinal = "or clock='ordinal' (--option clock=ordinal) if only the order is real"
    if of_file and time == "s" and (form := _date_numbers(numbers)):
        return f"looks like a date written as a number, and would be read as seconds: {say('time', form)}, {ordinal}"
    usual = [unit for unit in UNITS if USUAL[0] <= _second(low, unit) and _second(high, unit) <= USUAL[1]]
    if int(seconds.max()) > LATEST_SECOND:
        unit = next((unit for unit in ("ms", "us", "ns") if _second(high, unit) <= LATEST_SECOND), "")
        kind = LONG_UNITS.get(unit, "no time")
        fix = f"divide by {UNITS[unit]} or {say('time', unit)}, " if unit and time == "s" else ""
        if of_file and not usual and low < high // 300 and _second(low, "s") <= LATEST_SECOND:
            return f"lies after the year 5138, others do not; write all times in one unit, {ordinal}"
        if time != "s" and usual:
            return f"is far in the future in the unit {time!r}; it looks like {usual[0]!r}: {say('time', usual[0])}"
        return f"lies after the year 5138 and looks like {kind}; allowed are whole seconds since 1970: {fix}{ordinal}"
    if of_file and usual and time not in usual and (time != "s" or usual == ["days"]):
        is_like = LONG_UNITS.get(usual[0], "seconds")
        day = pd.Timestamp(int(seconds.max()), unit="s").date()
        return (
            f"would be at most {day} in the unit {time!r}, and looks like {is_like}: {say('time', usual[0])}, {ordinal}"
        )
    return ""


def _second(number: int, unit: str) -> int:
    size = UNITS[unit]
    return number * -size if size < 0 else number // size


def _date_numbers(numbers: npt.NDArray[np.int64]) -> str:
    """Return the format of numbers that are all dates such as 20200705; empty: they are not."""
    digits = len(str(int(numbers.max())))
    form = DATE_NUMBERS.get(digits, "")
    day = numbers // 10 ** max(digits - 8, 0)
    if not form or day.min() < 19_700_101 or day.max() > 20_991_231:
        return ""
    texts = pd.Series(np.unique(numbers)).astype("str")
    return form if pd.to_datetime(texts, format=form, errors="coerce").notna().all() else ""


def _dates(column: pd.Series[Any], source: str, form: str) -> npt.NDArray[np.int64]:
    """Read dates in a format, in UTC where it has no offset; what follows whole seconds is dropped."""
    texts = column
    if pd.api.types.is_numeric_dtype(column.dtype):  # 20200705, also as 20200705.0 where a value was missing
        texts = column.astype("Int64")
    texts = texts.astype("str").str.strip()
    moments = pd.to_datetime(texts, format=form, utc=True, errors="coerce")
    bad = moments.isna().to_numpy()
    if bad.any():
        others = _formats(texts)  # of all: another format must not lose those that this one reads
        others = ["s"] if texts.str.fullmatch("[0-9]{9,10}").all() else others
        fix = " or ".join(say("time", other) for other in others[:2]) or "write all dates alike"
        raise bad_value(column, bad, source, f"is no date of the format {form!r}: {fix}")
    seconds = moments.dt.tz_localize(None).to_numpy().astype("datetime64[s]").astype(np.int64)
    if (seconds < 0).any():
        raise bad_value(column, seconds < 0, source, "lies before 1970: shift or remove such rows")
    return seconds


def _fix_of_text(values: pd.Series[Any]) -> str:
    """Return what to type for texts that are no numbers: dates, grouped digits, or anything else."""
    texts = values.astype("str").str.strip()
    if texts.str.fullmatch(GROUPED).all():
        return "write numbers without thousands separators"
    if texts.str.fullmatch(DECIMAL_COMMA).all():
        return "round to seconds; a comma is no decimal point"
    if forms := _formats(texts):
        return "dates are read by their format: " + " or ".join(say("time", form) for form in forms[:2])
    return "convert dates to seconds, fill the value in or remove the row"


def _formats(texts: pd.Series[Any]) -> list[str]:
    """Return formats in which all texts can be read as dates."""
    some = texts.drop_duplicates()
    offset = "%z" if some.str.fullmatch(OFFSET).all() else ""
    forms = [day + hour + (offset if hour else "") for day in DAYS for hour in ("", *HOURS)]
    first = [f for f in forms if pd.notna(pd.to_datetime(some.iloc[0], format=f, errors="coerce", utc=True))]
    return [f for f in first if pd.to_datetime(some, format=f, errors="coerce", utc=True).notna().all()]


def plain_dates(column: pd.Series[Any]) -> tuple[pd.Series[Any], str]:
    """Return date objects, and ISO texts that name their offset from UTC, as whole seconds, and what to tell of it.

    These can be read in one way only; any other column is returned as it is, with nothing to tell.

    >>> plain_dates(pd.Series(["2020-07-05T02:00:00+02:00"]))[0].tolist()
    [1593907200]
    """
    told = "are dates with an offset from UTC, and were read as seconds (UTC)"
    first = column.dropna().iloc[:1]
    if pd.api.types.is_datetime64_any_dtype(column.dtype) or isinstance(first.squeeze() if len(first) else 0, date):
        told = "are dates, and were read as seconds (UTC)"
        moments = pd.to_datetime(column, utc=True, errors="coerce")
    elif column.dtype.kind in "OU" or isinstance(column.dtype, pd.StringDtype):
        texts = column.astype("str").str.strip()
        if not len(texts) or not re.fullmatch(OFFSET, texts.iloc[0]) or not texts.str.fullmatch(OFFSET).all():
            return column, ""
        moments = pd.to_datetime(texts, format="ISO8601", utc=True, errors="coerce")
    else:
        return column, ""
    if moments.isna().any():
        return column, ""
    seconds = moments.dt.tz_localize(None).to_numpy().astype("datetime64[s]").astype(np.int64)
    return pd.Series(seconds, index=column.index, name=column.name), told
