"""Micro-Video 1.7M: THACIL's release, whose test items have ids of their own, and RecZoo's ``MicroVideo1.7M_x1``.

What was shown and not clicked is a real non-click. The unit of the timestamps was never published: only their order is
taken to be real. There are vectors of cover images alone.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hyperctr.data.engine import literal, quoted
from hyperctr.data.formats.arrays import h5_vectors, npy_vectors
from hyperctr.data.formats.format import Format, Log, part_of
from hyperctr.data.formats.release import Release, Vectors
from hyperctr.errors import DataError

NAME = "mv1.7m"
TRAIN_ITEMS = 984_983  # of the release: rows of the train matrix
LICENCE = (
    "MicroVideo-1.7M (Chen et al. 2018, THACIL, ACM MM), collected by its authors: for research; no licence given."
)
NON_CLICKS = "shown and not clicked"
THACIL = Log(
    files=("train_data.csv", "test_data.csv"),
    columns={
        "user_id": "integer",
        "item_id": "integer",
        "cate_id": "integer",
        "is_click": "flag",
        "timestamp": "integer",
    },
    user="user_id",
    item="item_id",
    time="timestamp",
    unit="order",
    click="is_click",
    non_clicks=NON_CLICKS,
)


def _thacil(form: Format, root: Path, folder: Path, rule: str, **_: Any) -> Release:
    """Read train and test; a test item i becomes i + rows of the train matrix, as its vector does."""
    matrices = [root / f"{part}_cover_image_feature.npy" for part in ("train", "test")]
    tables = [npy_vectors("visual", path) for path in matrices if path.is_file()]
    if len(tables) == 1:
        raise DataError(f"{root}: holds one of {matrices[0].name} and {matrices[1].name}; both or none are needed")
    offset = len(tables[0].items) if tables else TRAIN_ITEMS
    sizes = (offset, len(tables[1].items) if tables else 2**62)
    parts = []
    for file, size, shift in zip(form.log.files, sizes, (0, offset), strict=True):
        part, item = part_of(form.log, root / file, rule), quoted("item_id")
        problem = literal(f" is not below {size}, the rows of the matrix of cover images")
        bounded = (
            f"CASE WHEN {item} BETWEEN 0 AND {size - 1} THEN {item} ELSE error('item_id ' || {item} || {problem}) END"
        )
        parts.append(replace(part, item=f"({bounded}) + {shift}"))
    notes = [f"items of test_data.csv have ids of their own: {offset:,} was added to them"]
    return Release(NAME, parts, form.log.clock, rule, _joined(tables, root), notes=notes)


def _joined(tables: list[Vectors], root: Path) -> list[Vectors]:
    """Put the vectors of train and test one after the other, without reading them."""
    if not tables:
        return []
    train, test = tables
    if train.dim != test.dim:
        raise DataError(f"{root}: vectors of train have {train.dim} numbers, of test {test.dim}; get them again")
    border = len(train.items)

    def take(rows: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
        early, late = rows[rows < border], rows[rows >= border] - border  # rows are sorted
        blocks = [table.take(some) for table, some in ((train, early), (test, late)) if len(some)]
        return np.concatenate(blocks)

    items = np.arange(border + len(test.items), dtype=np.int64)
    return [Vectors("visual", items, train.dim, take, f"{root}, cover images")]


def _reczoo_vectors(root: Path, folder: Path) -> list[Vectors]:
    path = root / "item_image_emb_dim64.h5"
    return [h5_vectors("visual", path)] if path.is_file() else []


FORMATS = (
    Format(
        name="micro-video",
        about="Micro-Video 1.7M of THACIL: {train,test}_data.csv, {train,test}_cover_image_feature.npy",
        licence=LICENCE,
        get="Get MicroVideo-1.7M linked from github.com/Ocxs/THACIL.",
        log=THACIL,
        read_as=_thacil,
    ),
    Format(
        name="microvideo1.7m-x1",
        about="RecZoo MicroVideo1.7M_x1: train.csv, test.csv, item_image_emb_dim64.h5",
        licence=LICENCE,
        get="Get MicroVideo1.7M_x1.zip from huggingface.co/datasets/reczoo/MicroVideo1.7M_x1 and unpack it.",
        log=replace(
            THACIL,
            files=("train.csv", "test.csv"),
            columns={**THACIL.columns, "clicked_items": "text", "clicked_categories": "text"},
        ),
        vectors=_reczoo_vectors,
        title=lambda root: NAME,
    ),
)
