"""Cornac: ``rating.txt`` with ``image_features.npy`` and ``item_ids.txt``, or ``text.txt``, beside it.

A row is user, item, rating and perhaps a time in seconds. A rating of 4 and more is a click.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from hyperctr.data.formats.arrays import npy_vectors
from hyperctr.data.formats.beside import word_vectors, words_of
from hyperctr.data.formats.format import Format, Log, part_of
from hyperctr.data.formats.release import Release, Vectors
from hyperctr.data.ids import parse_ids, shown
from hyperctr.data.sources import Kind, TextFile, first_lines
from hyperctr.errors import DataError

COLUMNS: dict[str, Kind] = {"user": "id", "item": "id", "rating": "number", "timestamp": "integer"}
BESIDE = ("item_ids.txt", "text.txt")


def _read(form: Format, root: Path, folder: Path, rule: str, **_: Any) -> Release:
    path = root / form.log.files[0]
    fields = len((first_lines(path, 1) or [""])[0].split("\t"))
    if not 3 <= fields <= len(COLUMNS):
        raise DataError(f"{path}, line 1: has {fields} fields separated by tabs, expected user, item, rating[, time]")
    columns = dict(list(COLUMNS.items())[:fields])
    log = replace(form.log, columns=columns, time="timestamp" if fields == len(COLUMNS) else "")
    part = part_of(log, path, rule, TextFile(path, tuple(columns), "\t", header=0, quote=""))
    if not any((root / name).is_file() for name in BESIDE):
        raise DataError(f"{root}: holds neither {' nor '.join(BESIDE)}, which name the items of Cornac's features")
    notes = [] if log.time else ["there are no times: the order of the rows was taken for it"]
    return Release(root.resolve().name, [part], log.clock, rule, _vectors(root), notes=notes)


def _vectors(root: Path) -> list[Vectors]:
    tables, matrix, order, texts = [], root / "image_features.npy", root / "item_ids.txt", root / "text.txt"
    if matrix.is_file() and order.is_file():
        tables.append(npy_vectors("visual", matrix, _ids([line.strip() for line in first_lines(order, 10**9)], order)))
    if texts.is_file():
        lines = [line.partition("::") for line in first_lines(texts, 10**9)]
        for number, (item, mark, _) in enumerate(lines, 1):
            if not mark or not item:
                raise DataError(f"{texts}, line {number}: {shown(item)} is not ITEM::TEXT; get the file again")
        items = _ids([item for item, _, _ in lines], texts)
        tables += word_vectors(items, [words_of(text) for _, _, text in lines], str(texts))
    return tables


def _ids(texts: list[str], path: Path) -> Any:
    """Return ids: int64 where all are whole numbers, as those of a log, else text."""
    column = pd.Series(texts, dtype="str")
    if not len(column) or column.duplicated().any() or (column == "").any():
        twice = shown(column[column.duplicated()].iloc[0]) if column.duplicated().any() else "an empty line"
        raise DataError(f"{path}: {twice} stands among its items, which have to be named once each")
    ids = parse_ids(column)
    whole = ids.dtype.kind == "i" and not column.str.contains(".", regex=False).any()
    return ids.to_numpy(dtype=np.int64) if whole else np.array(texts, dtype=str)


FORMATS = (
    Format(
        name="cornac",
        about="Cornac: rating.txt, image_features.npy with item_ids.txt, or text.txt",
        licence="As the data set that the files were made of: see there.",
        get="Get the files of a data set as cornac.datasets does.",
        log=Log(
            files=("rating.txt",),
            columns=COLUMNS,
            user="user",
            item="item",
            time="timestamp",
            click="rating >= 4",
            non_clicks="ratings below 4",
            separator="\t",
            header=False,
            quote="",
        ),
        read_as=_read,
    ),
)
