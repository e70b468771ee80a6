"""What the Kuaishou challenge knows of its photos: vectors of covers, words of captions, faces."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hyperctr.data.engine import stream
from hyperctr.data.formats.arrays import mapped
from hyperctr.data.formats.format import folders
from hyperctr.data.formats.release import Vectors, vectors_of_files
from hyperctr.data.ids import shown
from hyperctr.data.sources import TextFile
from hyperctr.errors import DataError

TEXT_DIM = 128
FACE = ("faces", "area", "sex", "age", "beauty")  # their number, the area of all, and means of the rest
MAGIC = b"\x93NUMPY"


def photo_vectors(folder: Path) -> list[Vectors]:
    """Find the vectors of covers: npy files [1, dim] that are named by photo id, without extension.

    Raises:
        DataError: a photo lies in two folders, or a file is damaged.
    """
    paths: dict[str, str] = {}
    for place in folders(folder):
        if not _holds_photos(place):
            continue
        with os.scandir(place) as entries:
            for entry in entries:
                if entry.name.isascii() and entry.name.isdigit():
                    if entry.name in paths:
                        raise DataError(f"photo {entry.name} lies in {paths[entry.name]} and in {place}; remove one")
                    paths[entry.name] = str(place)
    if not paths:
        return []
    items = np.array(sorted(map(int, paths)), dtype=np.int64)

    def vector(item: int) -> npt.NDArray[Any]:
        path = Path(paths[str(item)], str(item))
        values = np.array(mapped(path)).reshape(-1)
        if values.dtype.kind not in "fiu" or not len(values):
            raise DataError(f"{path}: holds {values.dtype} of length {len(values)}, expected numbers; get it again")
        return values

    def file_of(item: int) -> Path:
        return Path(paths[str(item)], str(item))

    return [vectors_of_files("visual", items, vector, file_of, "photo", f"{folder}, photos")]


def _holds_photos(place: Path) -> bool:
    with os.scandir(place) as entries:
        for entry in islice(entries, 20):
            if entry.name.isascii() and entry.name.isdigit() and entry.is_file():
                with open(entry.path, "rb") as file:
                    return file.read(len(MAGIC)) == MAGIC
    return False


def text_vectors(folder: Path) -> list[Vectors]:
    """Embed the captions (``*_text.txt``: id, TAB, numbers of words; ``0`` for none).

    TF-IDF of the words that stand in two captions and more, projected by a fixed Gaussian matrix to 128 numbers, in
    which scalar products are kept up to about 0.1: a singular value decomposition of millions of captions would not
    fit into memory. Photos without such a word have no vector.

    Raises:
        DataError: a line is not as described; names file, line and value.
    """
    from scipy.sparse import csr_matrix

    items: list[int] = []
    words: list[int] = []
    lengths: list[int] = []
    for path, item, text in _lines(folder, "*_text.txt"):
        try:
            given = [int(word) for word in text.split(",")] if text != "0" else []
        except ValueError as error:
            raise _bad(path, item, text, "numbers of words, separated by commas, or 0") from error
        items.append(item)
        words += given
        lengths.append(len(given))
    if not words:
        return []
    _, column = np.unique(np.array(words, dtype=np.int64), return_inverse=True)
    begin = np.concatenate([[0], np.cumsum(lengths)])
    counts: Any = csr_matrix((np.ones(len(column), np.float32), column, begin))
    counts.sum_duplicates()
    documents = np.bincount(counts.indices, minlength=counts.shape[1])
    weight = np.where(documents > 1, 1 + np.log((1 + len(items)) / (1 + documents)), 0.0).astype(np.float32)
    counts.data = (1 + np.log(counts.data)) * weight[counts.indices]
    length = np.sqrt(np.asarray(counts.multiply(counts).sum(axis=1))).ravel()
    known = np.flatnonzero(length > 0)
    if not len(known):
        return []
    counts.data /= np.repeat(np.where(length > 0, length, 1.0), np.diff(counts.indptr)).astype(np.float32)
    ids, kept = _unique(np.array(items, dtype=np.int64)[known], folder, "*_text.txt")
    scaled = counts[known[kept]]
    shape = (scaled.shape[1], TEXT_DIM)
    projection = np.random.default_rng(0).standard_normal(shape, dtype=np.float32) / np.float32(np.sqrt(TEXT_DIM))
    return [
        Vectors(
            "textual", ids, TEXT_DIM, lambda rows: np.asarray(scaled[rows] @ projection), "captions, TF-IDF projected"
        )
    ]


def face_vectors(folder: Path) -> list[Vectors]:
    """Sum up the faces (``*_face.txt``: id, TAB, ``[[area,sex,age,beauty],...]``; ``0`` for none) as :data:`FACE`.

    Raises:
        DataError: a line is not as described; names file, line and value.
    """
    items, rows = [], []
    for path, item, text in _lines(folder, "*_face.txt"):
        if text == "0":
            continue
        try:
            faces = np.array(json.loads(text), dtype=np.float64)
        except (ValueError, TypeError, RecursionError, OverflowError):
            faces = np.empty(0)
        if faces.ndim != 2 or faces.shape[1] != 4 or not len(faces) or not np.isfinite(faces).all():
            raise _bad(path, item, text, "[[area,sex,age,beauty],...] or 0")
        items.append(item)
        rows.append([len(faces), faces[:, 0].sum(), *faces[:, 1:].mean(axis=0)])
    if not items:
        return []
    ids, kept = _unique(np.array(items, dtype=np.int64), folder, "*_face.txt")
    return [Vectors.of("face", ids, np.array(rows, dtype=np.float32)[kept], "faces: " + ", ".join(FACE))]


def _lines(folder: Path, pattern: str) -> Iterator[tuple[Path, int, str]]:
    """Yield file, photo and text of each line of the files of that name."""
    for place in folders(folder):
        for path in sorted(place.glob(pattern)):
            source = TextFile(path, ("photo_id", "content"), "\t", header=0, quote="")
            for batch, _ in stream(
                source, {"photo_id": "integer", "content": "text"}, {"id": "photo_id", "c": "content"}
            ):
                for item, text in zip(batch.column("id").to_pylist(), batch.column("c").to_pylist(), strict=True):
                    yield path, item, text.strip()


def _bad(path: Path, item: int, text: str, form: str) -> DataError:
    """Return the error for a line, whose number is looked up only now."""
    with open(path, "rb") as file:
        line = next((n for n, raw in enumerate(file, 1) if raw.startswith(f"{item}\t".encode())), 0)
    return DataError(f"{path}, line {line}: photo {item} has {shown(text)}, expected {form}; repair the line")


def _unique(
    items: npt.NDArray[np.int64], folder: Path, what: str
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the sorted ids and where each is.

    Raises:
        DataError: a photo stands twice.
    """
    ids, place = np.unique(items, return_index=True)
    if len(ids) < len(items):
        repeated = ids[np.bincount(np.searchsorted(ids, items)) > 1][0]
        raise DataError(f"{folder}: photo {repeated} stands twice in {what}; remove one line")
    return ids, place
