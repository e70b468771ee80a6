"""The two files of `hyperctr predict`: pairs to score, and pairs with their scores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from hyperctr.data.files import read_text
from hyperctr.data.ids import INTEGER_TEXT, bad_value, clean_ids, parse_ids
from hyperctr.errors import ConfigError, DataError, did_you_mean
from hyperctr.runtime import atomic_path

REQUIRED, OPTIONAL = ("user_id", "item_id"), ("timestamp",)
SUFFIXES = (".parquet", ".csv")


def read_pairs(path: str | Path) -> pd.DataFrame:
    """Read ``user_id,item_id[,timestamp]``; ids become integers where all of a column are.

    Raises:
        DataError: no such file, a missing or unknown column, a missing id, a timestamp that is not a whole
            number; the message names file and line.
    """
    file = Path(path)
    text = read_text(file, REQUIRED, optional=OPTIONAL)
    known = [*REQUIRED, *OPTIONAL]
    for name in text.columns:
        if name not in known:
            raise DataError(f"{file}, line 1: column {name!r} is not known; {did_you_mean(name, known)}")
    if not len(text):
        raise DataError(f"{file}: there are no rows below the header")
    for name in REQUIRED:
        clean_ids(text[name], source=str(file))  # raises on an empty id, naming the line
    pairs = pd.DataFrame({name: parse_ids(text[name].str.strip()) for name in REQUIRED})
    if "timestamp" in text:
        column = text["timestamp"].str.strip()
        bad = ~column.str.fullmatch(INTEGER_TEXT).to_numpy(dtype=bool)
        if bad.any():
            fix = "expected: seconds since 1970, or an ordinal"
            raise bad_value(column, bad, str(file), f"is not a whole number; {fix}")
        pairs["timestamp"] = column.to_numpy().astype(np.int64)
    return pairs.reset_index(drop=True)


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
