"""The vectors of one modality as a file holds them: ``features/<modality>.{parquet,npz,npy}``."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from hyperctr.data.files import read_array, read_arrays, read_parquet
from hyperctr.data.ids import clean_ids, parse_ids, shown
from hyperctr.errors import DataError, did_you_mean

Ids: TypeAlias = npt.NDArray[Any]
Rows: TypeAlias = tuple[Ids, npt.NDArray[Any]]  # item ids [R], vectors [R, dim]
READ = (".parquet", ".npz", ".npy")
ORDERS = (".csv", ".txt", ".npy")


def feature_files(root: Path, told: list[str]) -> list[Path]:
    """Return the files of ``features/`` that hold vectors, one a modality; others are ``told`` of.

    Raises:
        DataError: there are none, or two for one modality.
    """
    folder = root / "features"
    visible = sorted(p for p in folder.iterdir() if not p.name.startswith(".")) if folder.is_dir() else []
    orders = [p for p in visible if p.suffix in ORDERS and (p.stem.endswith(".ids") or p.stem == "item_id")]
    files = [p for p in visible if p.suffix in READ and p not in orders]
    if not files:
        fix = "write features/visual.parquet (item_id and a vector) or features/visual.npz (arrays item_id and values)"
        fix += f", or make them of videos: hyperctr data extract --media VIDEOS --out {shlex.quote(str(root))}"
        what = (
            f"file of features that is read (found {', '.join(p.name for p in visible[:8])})" if visible else "features"
        )
        beside = [p for p in sorted(root.iterdir()) if p.suffix in READ and p.stem != "interactions"]
        if beside:
            place = shlex.quote(str(folder))
            move = f"mkdir -p {place} && mv {' '.join(shlex.quote(str(p)) for p in beside)} {place}"
            fix = f"{', '.join(p.name for p in beside)} would be read there: {move}; or {fix}"
        raise DataError(f"{folder}: holds no {what}; at least one modality is needed: {fix}")
    for modality in {p.stem for p in files}:
        only_one(folder, modality, READ)
    unread = [p for p in visible if p not in files and p not in orders]
    told += [f"{other}: was ignored; features are read from .parquet, .npz and .npy" for other in unread]
    return files


def only_one(folder: Path, stem: str, suffixes: Sequence[str], command: str = "") -> Path:
    """Return the one file of a stem that has one of some endings; ``command`` makes one of other files.

    Raises:
        DataError: there is none, or more than one.
    """
    present = [folder / (stem + suffix) for suffix in suffixes if (folder / (stem + suffix)).exists()]
    if len(present) > 1:
        raise DataError(f"{folder}: holds both {present[0].name} and {present[1].name}; remove one")
    if not present:
        here = sorted(p.name for p in folder.iterdir() if not p.name.startswith("."))
        found = f"found {', '.join(here[:8])}" if here else "the folder is empty"
        fix = f"; files as they were released are brought in by: {command}" if command and here else ""
        files = [name for name in here if (folder / name).is_file()]
        near = [name for name in files if name.startswith(f"{stem}.")]
        if other := next(iter(near or get_close_matches(f"{stem}.csv", files, 1, 0.8)), ""):
            packed, place = other.endswith((".gz", ".bz2", ".xz", ".zip")), shlex.quote(str(folder / other))
            way = f"mv {place} {shlex.quote(str(folder / f'{stem}.csv'))}"
            fix = f"; unpack {other} first" if packed else f"; delimited text is read under that name: {way}"
        raise DataError(f"{folder}: has no {' or '.join(stem + s for s in suffixes)} ({found}){fix}")
    return present[0]


def from_npy(path: Path, items: Ids, told: list[str]) -> Rows:
    """Read a matrix whose row order is known.

    It is known by a list of ids beside it, ``<modality>.ids.{csv,txt,npy}`` or ``item_id.{csv,txt,npy}``; or since the
    ids of the ``items`` are 0 to R-1 for R rows; or R whole numbers without a gap, of which row ``i`` has the ``i``-th.

    Raises:
        DataError: the order is not known, or anything is wrong with the matrix or the list.
    """
    values = read_array(path)
    if values.ndim != 2:
        raise DataError(f"{path}: needs numbers of shape [items, dim], got shape {values.shape}")
    for stem in (f"{path.stem}.ids", "item_id"):
        for order in (path.with_name(stem + suffix) for suffix in ORDERS):
            if order.exists():
                ids = _order(order)
                if len(ids) != len(values):
                    raise DataError(f"{order}: names {len(ids):,} items for the {len(values):,} rows of {path.name}")
                return ids, values
    distinct = np.unique(items)
    if distinct.dtype.kind == "i":
        first, last = int(distinct[0]), int(distinct[-1])
        if first == 0 and last == len(values) - 1:
            return np.arange(len(values)), values
        if len(distinct) == len(values) == last - first + 1:
            told.append(f"{path}: the rows were read as those of the items {first} to {last}, in this order")
            return distinct, values
    fix = f"write {path.with_name(path.stem + '.ids.csv')}: a line item_id, then the id of each row, one a line"
    known = f"the data set has {len(distinct):,} items such as {shown(distinct[0])} and {shown(distinct[-1])}"
    raise DataError(f"{path}: which item each of the {len(values):,} rows belongs to is not known; {known}: {fix}")


def _order(path: Path) -> Ids:
    """Read a list of ids: an array, or one a line, below a header ``item_id`` if there is one."""
    if path.suffix == ".npy":
        ids = read_array(path)
        if ids.ndim != 1:
            raise DataError(f"{path}: must have one dimension, got shape {ids.shape}")
        column = pd.Series(ids.tolist() if ids.dtype.kind == "U" else ids, name="item_id")
        return clean_ids(column, source=str(path))
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: is not UTF-8 text ({error}); write one id a line") from error
    headed = bool(lines) and lines[0].strip().strip('"').lower() in ("item_id", "itemid", "id")
    index = pd.RangeIndex(1 + headed, 1 + len(lines), name="line")
    column = pd.Series([line.strip().strip('"') for line in lines[headed:]], index=index, name="item_id", dtype="str")
    return clean_ids(parse_ids(column), source=str(path))


def from_npz(path: Path) -> Rows:
    """Read the arrays ``item_id`` and ``values`` (or ``vector``).

    Raises:
        DataError: an array is missing, or they do not fit together.
    """
    arrays = read_arrays(path)
    names = [name for name in ("values", "vector") if name in arrays]
    if "item_id" not in arrays or len(names) != 1:
        others = [name for name, array in arrays.items() if array.ndim == 2]
        fix = ""
        if "item_id" in arrays and others:
            saved = (
                f"np.savez({str(path.with_name(f'{others[0]}.npz'))!r}, item_id=a['item_id'], values=a[{others[0]!r}])"
            )
            fix = (
                f"; give each modality a file: a = np.load({str(path)!r}); {saved}, and so on, then remove {path.name}"
            )
        raise DataError(f"{path}: needs the arrays 'item_id' and 'values' (or 'vector'), holds {sorted(arrays)}{fix}")
    ids, vectors = arrays["item_id"], arrays[names[0]]
    if ids.ndim != 1:
        raise DataError(f"{path}: 'item_id' must have one dimension, got shape {ids.shape}")
    if len(ids) != len(vectors):
        raise DataError(f"{path}: has {len(ids):,} item ids for {len(vectors):,} vectors; one each is needed")
    column = pd.Series(ids.tolist() if ids.dtype.kind == "U" else ids, name="item_id")
    return clean_ids(column, source=str(path)), vectors


def from_parquet(path: Path) -> Rows:
    """Read ``item_id`` beside one column of lists, or beside numeric columns.

    Raises:
        DataError: no ids, no vectors, or vectors of different lengths.
    """
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
