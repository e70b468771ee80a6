"""The one reader of rows a user wrote: a log of interactions, newer clicks, pairs to score; csv or parquet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from hyperctr.data.columns import check_ignored, check_unused, our_names, refuse_unknown, rule_column
from hyperctr.data.files import read_parquet, read_text
from hyperctr.data.ids import MISSING_WORDS, bad_value, clean_ids, decimals, parse_ids, row_name, shown
from hyperctr.data.interactions import REQUIRED
from hyperctr.data.options import TableOptions
from hyperctr.data.rules import truth_values
from hyperctr.data.times import plain_dates, read_times
from hyperctr.errors import DataError, Faults, say

BLANK = {form(word) for word in ("", " ", "NaN", "NaT", *MISSING_WORDS) for form in (str, str.upper, str.capitalize)}
IDS = ("user_id", "item_id")


def read_log(
    path: Path,
    options: TableOptions,
    told: list[str],
    *,
    required: Sequence[str] = REQUIRED,
    labels: bool = True,
    newer: bool = False,
) -> pd.DataFrame:
    """Read rows of users, items and times, and which of them are clicks.

    Args:
        path: a ``.parquet`` file, or any other name: delimited text with a header; of ``.tsv`` by tabs.
        options: how to read it.
        told: takes what there is to tell of it.
        required: columns that must be there; of ``user_id``, ``item_id``, ``timestamp``.
        labels: whether rows have clicks to look for. Otherwise no row may be left out.
        newer: whether the rows come after those of a log, which may have had more columns to ignore.

    Returns:
        ``user_id``, ``item_id``, where there is one ``timestamp`` (int64 seconds, or ordinal), and where something says
        so ``clicked`` (bool); indexed as :func:`hyperctr.data.ids.row_name` wants it.

    Raises:
        DataError: all that is wrong with the file, with a line for each.
    """
    source, times = str(path), [name for name in REQUIRED if name not in required]
    optional = (*times, *(("clicked",) if labels else ()))
    if path.suffix == ".parquet":
        frame = read_parquet(path)
        header = [str(name) for name in frame.columns]
        frame.columns = pd.Index(our_names(header, required, optional, options.columns, source=source, told=told))
    else:
        separator = "\t" if path.suffix == ".tsv" and options.separator == "," else options.separator
        written: dict[str, Any] = {"separator": separator, "columns": options.columns}
        frame = read_text(path, required, optional=optional, told=told, **written)
    if not len(frame):
        raise DataError(f"{source}: there are no rows below the header; at least one is needed")

    # Step 1: what is a click, and which columns are not used
    faults, rule, columns = Faults(), options.rule if labels else None, [*required, *optional]
    name: str | None = None
    if labels and not newer:
        with faults:
            check_ignored(list(map(str, frame.columns)), options.ignore, source=source)
    with faults:
        if rule is not None:
            name = rule_column(rule, frame, source=source, told=told)
            columns = [column for column in columns if column != "clicked"] + [name]
        decided = rule is not None or "clicked" in frame.columns
        if labels:
            check_unused(frame, columns, options.ignore, decided, source=source, told=told)
        else:
            line = f"{source}, line 1" if frame.index.name == "line" else source
            refuse_unknown(frame, columns, options.ignore, source=line)

    # Step 2: rows without an id or a time
    needed = [name for name in REQUIRED if name in frame.columns]
    frame, missing = _without_missing(frame, needed, options, faults, source, told, labels)

    # Step 3: values
    read: dict[str, Any] = {}
    for column in needed:
        with faults:
            values = frame[column][~missing[column]] if column in missing else frame[column]
            read[column] = _ids(values, source, told) if column in IDS else _times(values, options, source, told)
    with faults:
        if rule is not None and name is not None:
            read["clicked"] = rule.clicks(frame[name] if name else frame.iloc[:, 0], source)
            if not read["clicked"].any():
                problem = f"the rule {options.click!r} holds for none of the {len(frame):,} rows"
                raise DataError(
                    f"{source}: {problem}; give one that does: {name} is such as {shown(frame[name].iloc[0])}"
                )
        elif rule is None and labels and "clicked" in frame.columns:
            read["clicked"] = truth_values(frame["clicked"], source)
    faults.tell()
    return pd.DataFrame(read, index=frame.index)


def _without_missing(
    frame: pd.DataFrame,
    needed: Sequence[str],
    options: TableOptions,
    faults: Faults,
    source: str,
    told: list[str],
    skippable: bool,
) -> tuple[pd.DataFrame, dict[str, npt.NDArray[np.bool_]]]:
    """Return the rows that have ids and times; where none may be left out, all rows and which lack a column."""
    bad = {name: rows for name in needed if (rows := _missing(frame[name])).any()}
    if not bad:
        return frame, {}
    lacking = np.logical_or.reduce(list(bad.values()))
    if skippable and options.on_bad_rows == "skip" and not lacking.all():
        row = row_name(frame.index, int(np.argmax(lacking)), source)
        told.append(f"{row}: lacks an id or a time; {lacking.sum():,} of {len(frame):,} rows were left out")
        frame.index.name = "line" if frame.index.name == "line" else "row"
        return frame[~lacking], {}
    fix = f"fill it in or remove the row{', or ' + say('on_bad_rows', 'skip') if skippable else ''}"
    for name, rows in bad.items():
        value = frame[name].iloc[int(np.argmax(rows))]
        problem = "is missing"
        if isinstance(value, str):
            problem = "stands for a missing value" if value.strip() else "is empty"
        problem = "is missing or no number" if name == "timestamp" else problem
        with faults:
            raise bad_value(frame[name], rows, source, f"{problem}; every row needs one: {fix}")
    return frame, bad


def _missing(column: pd.Series[Any]) -> npt.NDArray[np.bool_]:
    missing = column.isna().to_numpy(dtype=bool)
    numeric = pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_datetime64_any_dtype(column.dtype)
    return missing if numeric else missing | column.isin(BLANK).to_numpy(dtype=bool)


def _ids(column: pd.Series[Any], source: str, told: list[str]) -> npt.NDArray[Any]:
    text = column.index.name == "line"  # a text file does not tell 7 from "7"
    ids = clean_ids(parse_ids(column) if text else column, source=source)
    if note := decimals(column, ids):
        told.append(f"{source}: {note}")
    return ids


def _times(column: pd.Series[Any], options: TableOptions, source: str, told: list[str]) -> npt.NDArray[np.int64]:
    if options.time == "s":
        column, words = plain_dates(column)
        if words:
            told.append(f"{source}: the values of timestamp {words}")
    return read_times(column, source, options.clock, options.time)
