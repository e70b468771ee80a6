"""What a user says of a log's columns: which rows are clicks, and in what unit or format times are written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from hyperctr.data.ids import bad_value
from hyperctr.errors import DataError, say

WORDS = {"true": True, "false": False, "1": True, "0": False, "1.0": True, "0.0": False}
SIGNS = ("==", "!=", ">=", "<=", ">", "<")
EVERY_ROW = "all"
DECIMAL_COMMA = r"[+-]?[0-9]*,[0-9]+"
UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9, "days": -86_400}  # of a second; below zero: seconds each
LONG_UNITS = {"ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds", "days": "days"}


@dataclass(frozen=True)
class ClickRule:
    """Which rows of a log are clicks: those where a column of truth values is true, or where a comparison holds.

    Attributes:
        column: the column that is looked at; empty: every row is a click.
        sign: one of ``== != >= <= > <``; empty: the column holds 0, 1, true, false.
        value: a number, or a text, which only ``==`` and ``!=`` compare with.

    >>> ClickRule.parse("rating >= 4")
    ClickRule(column='rating', sign='>=', value=4.0)
    >>> ClickRule.parse("event == view").clicks(pd.Series(["view", "buy"]), "log.csv").tolist()
    [True, False]
    """

    column: str
    sign: str = ""
    value: float | str = 0.0

    @classmethod
    def parse(cls, text: str) -> ClickRule:
        """Read ``column``, ``column >= 4``, ``column == word`` or ``all``.

        Raises:
            DataError: not written so.
        """
        fix = "write a column of 0 and 1 (is_click), one comparison ('rating >= 4', 'event == view'), or 'all'"
        match = re.fullmatch(r"\s*([^<>=!]+?)\s*(?:(==|!=|>=|<=|>|<|=)\s*([^<>=!]+?)\s*)?", text)
        if not match:
            raise DataError(f"click = {text!r} is no rule: {fix}")
        column, sign, right = match[1].strip("`"), match[2] or "", match[3]
        if not sign:
            return cls("" if column == EVERY_ROW else column)
        sign = "==" if sign == "=" else sign
        try:
            value: float | str = float(right)
        except ValueError:
            value = right.strip("'\"")
        if (isinstance(value, str) and sign not in ("==", "!=")) or value != value or value == "":
            raise DataError(f"click = {text!r} compares with {right!r}, which is no number: {fix}")
        return cls(column, sign, value)

    def clicks(self, column: pd.Series[Any], source: str) -> npt.NDArray[np.bool_]:
        """Return bool [n]: which values of the rule's column are clicks.

        Raises:
            DataError: a value that is missing, or no number where one is needed; names the row.
        """
        if not self.column:
            return np.ones(len(column), dtype=bool)
        if not self.sign:
            return truth_values(column, source)
        if isinstance(self.value, str):
            texts = column.astype("str").str.strip()
            equal = (texts == self.value).to_numpy(dtype=bool) & column.notna().to_numpy()
            return equal if self.sign == "==" else ~equal
        numbers = pd.to_numeric(column.astype(float) if column.dtype == bool else column, errors="coerce")
        bad = numbers.isna().to_numpy()
        if bad.any():
            rule = f"{self.column} {self.sign} {self.value:g}"
            commas = column[bad].astype("str").str.strip().str.fullmatch(DECIMAL_COMMA).any()
            fix = "write numbers with a decimal point, and without other separators" if commas else "fill it in"
            raise bad_value(column, bad, source, f"is missing or no number, which the rule {rule!r} needs: {fix}")
        values = numbers.to_numpy(dtype=np.float64)
        compared: dict[str, Any] = {
            "==": np.equal,
            "!=": np.not_equal,
            ">=": np.greater_equal,
            "<=": np.less_equal,
            ">": np.greater,
            "<": np.less,
        }
        return np.asarray(compared[self.sign](values, self.value), dtype=bool)


def truth_values(column: pd.Series[Any], source: str, *, of_file: bool = True) -> npt.NDArray[np.bool_]:
    """Return a column of 0, 1, true, false as bool [n].

    Raises:
        DataError: any other value; names the row.

    >>> truth_values(pd.Series(["1", "False"]), "log.csv")
    array([ True, False])
    """
    if column.dtype == bool or (column.dtype.kind in "iu" and column.between(0, 1).all()):
        return column.to_numpy(dtype=bool)
    words = column.astype("str").str.strip().str.lower().map(WORDS)
    bad = (words.isna() | column.isna()).to_numpy()
    if bad.any():
        fix = "turn ratings or watching times into clicks before (for example rating >= 4)"
        fix += f", or {_comparison(column[bad])}" if of_file and column[bad].notna().any() else ""
        raise bad_value(column, bad, source, f"is not usable; allowed are 1, 0, true, false: {fix}")
    return words.to_numpy(dtype=bool)


def _comparison(values: pd.Series[Any]) -> str:
    """Return the advice to compare values, one at least, that are no truth values."""
    numbers = pd.to_numeric(values, errors="coerce")
    texts = values.dropna().astype("str").str.strip()
    rule = f">= {numbers.max():g}" if numbers.notna().any() else f"== {texts.max()}"
    return f"say which are, for example: {say('click', f'{values.name} {rule}')}"


def is_format(time: str) -> bool:
    """Tell whether ``time`` is a format of dates (``%Y-%m-%d``) and not a unit of numbers."""
    return "%" in time


def check_time(time: str) -> None:
    """Check a unit or format of times.

    Raises:
        DataError: neither a known unit nor a format with year, month and day, or seconds.

    >>> check_time("ms"); check_time("%Y-%m-%d %H:%M:%S")
    """
    whole_date = re.search(r"%[YyGcDFx]", time) or "%s" in time
    if time not in UNITS and not (is_format(time) and whole_date):
        units = ", ".join(UNITS)
        raise DataError(f"time = {time!r} is not known; allowed: {units}, or a format such as '%Y-%m-%d %H:%M:%S'")


def as_seconds(numbers: npt.NDArray[np.int64], time: str) -> npt.NDArray[np.int64]:
    """Return whole numbers of a unit as whole seconds; of a second that has begun, the rest is dropped.

    >>> as_seconds(np.array([1_600_000_000_999]), "ms"), as_seconds(np.array([2]), "days")
    (array([1600000000]), array([172800]))
    """
    unit = UNITS[time]
    return numbers * -unit if unit < 0 else numbers // unit if unit > 1 else numbers
