"""Vectors in files, read block by block: rows of ``.npy``; ids and rows of ``.h5``, ``.npz``, ``.parquet``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hyperctr.data.features import BLOCK
from hyperctr.data.files import read_arrays
from hyperctr.data.formats.release import Take, Vectors
from hyperctr.data.sources import with_columns
from hyperctr.errors import DataError


def mapped(path: Path) -> np.memmap[Any, Any]:
    """Open an ``.npy`` file, memory-mapped and without unpickling anything.

    Raises:
        DataError: the file is missing or damaged, or holds pickled objects.
    """
    if not path.is_file():
        raise DataError(f"{path}: there is no such file")
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # a damaged header fails in any way at all
        if "pickle" in str(error).lower():
            raise DataError(f"{path}: holds pickled objects or is no .npy file; pickles are never loaded") from error
        raise DataError(f"{path}: is not a readable .npy file ({error}); get the file again") from error
    if not isinstance(array, np.memmap):
        raise DataError(f"{path}: is an archive, not a single .npy array; get the file again")
    return array


def npy_vectors(modality: str, path: Path, items: npt.NDArray[Any] | None = None, first: int = 0) -> Vectors:
    """Wrap an ``.npy`` matrix whose row r belongs to ``items[r]``, or to the item ``first + r``.

    Raises:
        DataError: as :func:`mapped`, or the rows are not one an item.
    """
    values = mapped(path)
    rows = len(values) if values.ndim else 0
    ids = np.arange(first, first + rows, dtype=np.int64) if items is None else items
    table = Vectors.of(modality, ids, values, path)
    if not values.flags.c_contiguous:
        return table
    row_bytes, offset, dtype = values.dtype.itemsize * table.dim, int(values.offset), values.dtype

    def read(begin: int, end: int) -> npt.NDArray[Any]:
        # read, not mapped: pages that were looked at would count as this process's memory
        start, count = offset + begin * row_bytes, (end - begin) * table.dim
        return np.fromfile(path, dtype, count, offset=start).reshape(-1, table.dim)

    return replace(table, take=by_stretches(read, table.dim))


def by_stretches(read: Callable[[int, int], npt.NDArray[Any]], dim: int) -> Take:
    """Return a function from sorted rows to vectors that reads neighbouring rows at once, and few at a time."""
    size = max(1, BLOCK // dim)

    def take(rows: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
        blocks = []
        for group in np.split(rows, np.flatnonzero(np.diff(rows // size)) + 1):
            begin, end = int(group[0]), int(group[-1]) + 1
            block = read(begin, end)
            blocks.append(block if len(group) == end - begin else block[group - begin])
        return blocks[0] if len(blocks) == 1 else np.concatenate(blocks)

    return take


def h5_vectors(modality: str, path: Path, key: str = "key", value: str = "value") -> Vectors:
    """Wrap the datasets ``key`` [R] and ``value`` [R, dim] of an HDF5 file, as RecZoo and FuxiCTR write them.

    Raises:
        DataError: h5py is not installed, or the file is missing, damaged or laid out otherwise.
    """
    try:
        import h5py
    except ImportError as error:
        raise DataError(f"{path}: .h5 files need the package h5py: pip install 'hyperctr[h5]'") from error
    if not path.is_file():
        raise DataError(f"{path}: there is no such file")
    try:
        file = h5py.File(path, "r")
        names = sorted(file.keys())
        if not {key, value} <= set(names):
            raise DataError(f"{path}: needs the datasets {key!r} and {value!r}, holds {names[:8]}")
        items, values = np.asarray(file[key][:]), file[value]
        shape, kind = values.shape, values.dtype.kind
    except (OSError, RuntimeError, KeyError, AttributeError, TypeError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path}: is not a readable HDF5 file ({error}); get the file again") from error
    ids = _checked(path, items, shape, kind)

    def read(begin: int, end: int) -> npt.NDArray[Any]:
        try:
            return np.asarray(values[begin:end])
        except (OSError, RuntimeError) as error:
            raise DataError(f"{path}: is damaged ({error}); get the file again") from error

    return Vectors(modality, ids, int(shape[1]), by_stretches(read, int(shape[1])), str(path))


def npz_vectors(modality: str, path: Path, key: str = "key", value: str = "value") -> Vectors:
    """Wrap the arrays ``key`` [R] and ``value`` [R, dim] of an ``.npz`` file.

    Raises:
        DataError: the file is missing, damaged or laid out otherwise.
    """
    arrays = read_arrays(path)
    if not {key, value} <= set(arrays):
        raise DataError(f"{path}: needs the arrays {key!r} and {value!r}, holds {sorted(arrays)[:8]}")
    values = arrays[value]
    return Vectors.of(modality, _checked(path, arrays[key], values.shape, values.dtype.kind), values, path)


def parquet_vectors(modality: str, path: Path, key: str, value: str) -> Vectors:
    """Wrap a parquet file with a column of ids and one of lists of equal length; row groups are read one by one.

    Raises:
        DataError: the file is missing, damaged or laid out otherwise.
    """
    import pyarrow.compute as compute
    import pyarrow.parquet as parquet

    with_columns(path, (key, value))
    try:
        groups = parquet.ParquetFile(path)
        sizes = [groups.metadata.row_group(number).num_rows for number in range(groups.num_row_groups)]
        items = groups.read([key]).column(key).to_numpy()
    except Exception as error:  # a damaged file fails in any way at all
        raise DataError(f"{path}: is not a readable parquet file ({error}); get the file again") from error
    begins = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)

    @lru_cache(maxsize=1)
    def group(number: int) -> npt.NDArray[Any]:
        try:
            column = groups.read_row_group(number, [value]).column(value)
            lengths = np.unique(compute.list_value_length(column).to_numpy())
            flat = column.combine_chunks().flatten().to_numpy(zero_copy_only=False)
        except Exception as error:  # so does a damaged page
            raise DataError(f"{path}: column {value!r} holds no lists of numbers ({error})") from error
        if len(lengths) != 1 or not lengths[0] >= 1 or flat.dtype.kind not in "fiu":
            raise DataError(f"{path}: column {value!r} needs lists of numbers, all of one length; get the file again")
        return np.asarray(flat).reshape(-1, int(lengths[0]))

    dim = group(0).shape[1] if sizes else 0

    def read(begin: int, end: int) -> npt.NDArray[Any]:
        blocks = []
        for number in range(*np.searchsorted(begins, [begin, end - 1], side="right") - [1, 0]):
            block = group(number)
            if block.shape[1] != dim:
                raise DataError(f"{path}: vectors have {dim} and {block.shape[1]} numbers; get the file again")
            blocks.append(block[max(0, begin - begins[number]) : end - begins[number]])
        return blocks[0] if len(blocks) == 1 else np.concatenate(blocks)

    return Vectors(modality, _checked(path, items, (sum(sizes), dim), "f"), dim, by_stretches(read, dim), str(path))


def _checked(path: Path, items: npt.NDArray[Any], shape: tuple[int, ...], kind: str) -> npt.NDArray[Any]:
    """Return the ids of vectors of a shape and kind of numbers, checked: int64, or fixed-width text."""
    if items.dtype.kind in "SO":
        items = np.array([text.decode(errors="replace") if isinstance(text, bytes) else str(text) for text in items])
    if (
        items.dtype.kind not in "iuU"
        or items.shape != shape[:1]
        or len(shape) != 2
        or not shape[1]
        or kind not in "fiu"
    ):
        given = f"{items.dtype} of shape {items.shape}, vectors of kind {kind!r} and shape {shape}"
        raise DataError(f"{path}: needs ids [R] and numbers [R, dim >= 1], got {given}; get the file again")
    if len(np.unique(items)) < len(items):
        raise DataError(f"{path}: an item stands twice among the ids; get the file again")
    return items.astype(np.int64) if items.dtype.kind in "iu" else items
