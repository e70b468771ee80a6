"""How a folder of data is written: aside, then renamed; rows as parquet, and vectors some at a time."""

from __future__ import annotations

import hashlib
import logging
import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hyperctr.data.resume import can_go_on
from hyperctr.errors import DataError
from hyperctr.progress import track

logger = logging.getLogger(__name__)
ROWS = 1 << 20  # of a log at a time


def free_folder(target: str | Path) -> Path:
    """Return the folder to make, in full.

    Raises:
        DataError: it is a file, or holds something.
    """
    folder = Path(target).absolute()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError(f"{target}: is there already; remove it, or write elsewhere with --out FOLDER")
    return folder


@contextmanager
def folder_aside(target: Path, key: str = "") -> Iterator[Path]:
    """Yield a new folder beside ``target`` that becomes it on success and vanishes on failure.

    One that a killed or interrupted process left is removed, or handed on if it was made under the same ``key``
    (:class:`~hyperctr.data.resume.FinishedParts`). Of two processes that make one folder the second waits.
    """
    from filelock import FileLock

    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f".{target.name}.unfinished")
    place = hashlib.sha256(str(target.resolve()).encode()).hexdigest()[:16]
    with FileLock(Path(tempfile.gettempdir(), f"hyperctr-folder-{place}.lock")):
        if not can_go_on(aside, key):
            shutil.rmtree(aside, ignore_errors=True)
            aside.mkdir()
        try:
            yield aside
            if target.is_dir():
                target.rmdir()  # it is empty, or this fails
            aside.rename(target)
        except KeyboardInterrupt:
            if can_go_on(aside, key):
                logger.info("what was finished is kept in %s; the same command goes on from there", aside)
            else:
                shutil.rmtree(aside, ignore_errors=True)
            raise
        except BaseException:
            shutil.rmtree(aside, ignore_errors=True)
            raise


def parquet_encodings(schema: Any) -> dict[str, Any]:
    """Return what makes parquet small and four times as fast to write: integers as differences, ids as a dictionary."""
    import pyarrow as pa

    integers = [field.name for field in schema if pa.types.is_integer(field.type)]
    texts = [field.name for field in schema if pa.types.is_string(field.type)]
    return {
        "compression": "zstd",
        "use_dictionary": texts,
        "column_encoding": dict.fromkeys(integers, "DELTA_BINARY_PACKED"),
    }


def write_npz(path: Path, ids: npt.NDArray[Any], dim: int, blocks: Iterable[npt.NDArray[np.float32]]) -> None:
    """Write ``item_id`` [R] and ``values`` [R, dim] so that they can be memory-mapped; ``blocks`` are rows of these."""
    ids = ids if ids.dtype.kind == "i" else np.array(ids.tolist(), dtype=str)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        with archive.open("item_id.npy", "w", force_zip64=True) as member:
            np.lib.format.write_array(member, ids, allow_pickle=False)
        with archive.open("values.npy", "w", force_zip64=True) as member:
            header = {"descr": "<f4", "fortran_order": False, "shape": (len(ids), dim)}
            np.lib.format.write_array_header_1_0(member, header)
            for block in blocks:
                member.write(np.ascontiguousarray(block, dtype="<f4").data)


def blocks(count: int, size: int, label: str = "") -> Iterator[slice]:
    """Cut 0 to ``count`` into slices of at most ``size``; with a ``label`` progress is shown.

    >>> list(blocks(5, 2))
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    size = max(1, size)
    begins = range(0, count, size)
    for begin in track(begins, label=label) if label else begins:
        yield slice(begin, min(begin + size, count))
