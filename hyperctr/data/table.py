"""``table``: the user's own data, a folder of interactions, features and perhaps a catalogue.

    interactions.{parquet,csv}         user_id, item_id, timestamp[, clicked]; without it all are clicks
    features/<modality>.{parquet,npz}  item_id and one vector: a parquet list column or many numeric columns;
                                       in npz the arrays `item_id` [R] and `values` (or `vector`) [R, dim]
    items.csv                          optional catalogue: item_id[, title, ...]; then no other item may occur

An item without a row in a modality's file (or with a null vector) lacks that modality and is masked.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from hyperctr.data.dataset import Dataset
from hyperctr.data.features import FeatureTable, OnBad
from hyperctr.data.files import read_arrays, read_parquet, read_text
from hyperctr.data.ids import clean_ids, index_ids, parse_ids, row_name, shown
from hyperctr.data.interactions import REQUIRED, Clock, Interactions
from hyperctr.errors import DataError, DataWarning, did_you_mean

Rows = tuple[npt.NDArray[Any], npt.NDArray[Any]]  # item ids [R], vectors [R, dim]


def load_table(folder: str | Path, *, clock: Clock = "calendar", on_bad: OnBad = "error") -> Dataset:
    """Read one folder of the user's own data (layout: see the module).

    Args:
        folder: where the files lie.
        clock: ``"ordinal"`` if timestamps only tell the order (counters, shifted clocks).
        on_bad: ``"mask"`` to treat vectors with NaN or infinity as missing instead of raising.

    Raises:
        DataError: anything missing or unusable; the message names file, line or row, value and fix.
    """
    root = Path(folder)
    if not root.is_dir():
        raise DataError(f"{root}: there is no such folder; give data_dir=... with interactions.csv and features/ in it")
    path, catalogue = _only_one(root, "interactions", (".parquet", ".csv")), root / "items.csv"
    files = _feature_files(root)
    log = _text(path, REQUIRED, ("clicked",)) if path.suffix == ".csv" else read_parquet(path)
    if not len(log) or "item_id" not in log.columns:
        Interactions(log, source=str(path), clock=clock)  # raises and says what is missing
    rows = [_from_npz(file) if file.suffix == ".npz" else _from_parquet(file) for file in files]
    table = _text(catalogue, ("item_id",), ()) if catalogue.exists() else pd.DataFrame()
    if catalogue.exists() and not len(table):
        raise DataError(f"{catalogue}: there are no items below the header; fill it in or remove the file")

    listed = clean_ids(table["item_id"], source=str(catalogue)) if len(table) else np.empty(0, dtype=np.int64)
    used = clean_ids(log["item_id"], source=str(path))
    used, listed, *in_features = one_kind([used, listed, *(ids for ids, _ in rows)])
    repeated = np.asarray(pd.Series(listed).duplicated())
    if repeated.any():
        line = row_name(table.index, int(np.argmax(repeated)), str(catalogue))
        raise DataError(f"{line}: item_id {shown(listed[repeated][0])} stands twice; remove one line")
    items, _ = index_ids(pd.Series(listed if len(table) else used))
    features = [
        FeatureTable.from_rows(file.stem, ids, vectors, items, source=str(file), on_bad=on_bad)
        for file, ids, (_, vectors) in zip(files, in_features, rows, strict=True)
    ]
    interactions = Interactions(log.assign(item_id=used), source=str(path), clock=clock)
    shown_items = table.assign(item_id=listed) if len(table) else None
    licence = "The user's own data."
    return Dataset("table", interactions, features, items=items, item_table=shown_items, licence=licence)


def one_kind(columns: list[npt.NDArray[Any]]) -> list[npt.NDArray[Any]]:
    """Bring the id columns of several files to the first one's kind, all to strings where that cannot be.

    Text files do not tell ``7`` from ``"7"``, so files of one folder may disagree and mean the same.

    >>> one_kind([np.array([7, 8]), np.array(["8", "7"], dtype=object)])[1]
    array([8, 7])
    >>> one_kind([np.array([7, 8]), np.array(["8", "x"], dtype=object)])[0].tolist()
    ['7', '8']
    """
    if columns[0].dtype != object:
        text = [ids.dtype == object for ids in columns]
        columns = [
            np.asarray(parse_ids(pd.Series(c, dtype="str"))) if t else c for c, t in zip(columns, text, strict=True)
        ]
    if all(ids.dtype.kind == "i" for ids in columns):
        return columns
    return [np.array([str(value) for value in ids.tolist()], dtype=object) for ids in columns]


def _text(path: Path, required: tuple[str, ...], optional: tuple[str, ...]) -> pd.DataFrame:
    frame = read_text(path, required, optional=optional)
    return frame.assign(**{c: parse_ids(frame[c]) for c in ("user_id", "item_id") if c in frame.columns})


def _only_one(folder: Path, stem: str, suffixes: tuple[str, ...]) -> Path:
    present = [folder / (stem + suffix) for suffix in suffixes if (folder / (stem + suffix)).exists()]
    if len(present) > 1:
        raise DataError(f"{folder}: holds both {present[0].name} and {present[1].name}; remove one")
    if not present:
        here = sorted(p.name for p in folder.iterdir() if not p.name.startswith("."))
        hint = did_you_mean(stem + suffixes[-1], here) if here else "the folder is empty"
        hint = hint if hint.startswith("did") else f"found {', '.join(here[:8]) or 'nothing'}"
        raise DataError(f"{folder}: has no {' or '.join(stem + s for s in suffixes)} ({hint})")
    return present[0]


def _feature_files(root: Path) -> list[Path]:
    folder = root / "features"
    visible = sorted(p for p in folder.iterdir() if not p.name.startswith(".")) if folder.is_dir() else []
    files = [p for p in visible if p.suffix in (".parquet", ".npz")]
    if not files:
        fix = "write features/visual.parquet (item_id and a vector) or features/visual.npz (arrays item_id and values)"
        raise DataError(f"{folder}: holds no features; at least one modality is needed: {fix}")
    for modality in {p.stem for p in files}:
        _only_one(folder, modality, (".parquet", ".npz"))
    for other in (p for p in visible if p not in files):
        warnings.warn(f"{other}: was ignored; features are read from .parquet and .npz", DataWarning, stacklevel=4)
    return files


def _from_npz(path: Path) -> Rows:
    arrays = read_arrays(path)
    names = [name for name in ("values", "vector") if name in arrays]
    if "item_id" not in arrays or len(names) != 1:
        raise DataError(f"{path}: needs the arrays 'item_id' and 'values' (or 'vector'), holds {sorted(arrays)}")
    ids, vectors = arrays["item_id"], arrays[names[0]]
    if ids.ndim != 1:
        raise DataError(f"{path}: 'item_id' must have one dimension, got shape {ids.shape}")
    if len(ids) != len(vectors):
        raise DataError(f"{path}: has {len(ids):,} item ids for {len(vectors):,} vectors; one each is needed")
    column = pd.Series(ids.tolist() if ids.dtype.kind == "U" else ids, name="item_id")
    return clean_ids(column, source=str(path)), vectors


def _from_parquet(path: Path) -> Rows:
    frame = read_parquet(path)
    if "item_id" not in frame.columns:
        hint = did_you_mean("item_id", map(str, frame.columns))
        raise DataError(f"{path}: column 'item_id' is missing; found {list(frame.columns)[:8]} ({hint})")
    ids = clean_ids(frame["item_id"], source=str(path))
    values = frame.drop(columns="item_id")
    if not values.shape[1] or not len(values):
        raise DataError(f"{path}: holds no vectors; add a list column or numeric columns, one row an item")
    if values.shape[1] == 1 and values.dtypes.iloc[0].kind == "O":
        return _from_lists(path, ids, values.iloc[:, 0])
    for column in values.columns:
        if not pd.api.types.is_numeric_dtype(values[column].dtype):
            raise DataError(
                f"{path}: column {column!r} is of type {values[column].dtype}; besides item_id allowed are "
                "numeric columns, or a single list column: remove it (titles belong in items.csv)"
            )
    single = all(dtype == np.float32 for dtype in values.dtypes)  # spares half the memory of a large file
    return ids, values.to_numpy(dtype=np.float32 if single else np.float64, na_value=np.nan)


def _from_lists(path: Path, ids: npt.NDArray[Any], column: pd.Series[Any]) -> Rows:
    """Stack a column of equally long lists; a null stands for a missing vector, its row is left out."""
    given = np.asarray(column.notna())
    vectors = column[given].tolist()
    lengths = np.array([len(v) if isinstance(v, (np.ndarray, list)) else -1 for v in vectors])
    if not len(vectors):
        raise DataError(f"{path}: every vector is null; remove the file if no item has this modality")
    if (lengths != lengths[0]).any() or lengths[0] < 1:
        row = int(np.argmax(lengths != lengths[0])) if lengths[0] > 0 else 0
        got = f"{lengths[row]} numbers" if lengths[row] >= 0 else f"a {type(vectors[row]).__name__}, not a list"
        raise DataError(
            f"{path}: item {shown(ids[given][row])} has {got}, the first item {max(int(lengths[0]), 0)}; "
            "all vectors of a modality need one length of at least 1"
        )
    try:
        stacked = np.array(vectors)
        return ids[given], stacked if stacked.dtype.kind == "f" else stacked.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{path}: a vector holds something that is no number ({error})") from error
