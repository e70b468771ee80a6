"""MMGCN: ``train.npy`` with a row [user, users + item] a click, and matrices whose row is the item.

It has no times and no non-clicks. ``val_full.npy`` and ``test_full.npy`` are pickles, which are never loaded.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hyperctr.data.formats.arrays import mapped, npy_vectors
from hyperctr.data.formats.format import Format, Log, matches
from hyperctr.data.formats.release import ArrayPart, Release
from hyperctr.errors import DataError

ROWS = 500_000
FEATURES = {
    "visual": "FeatureVideo_normal.npy",
    "acoustic": "FeatureAudio_avg_normal.npy",
    "textual": "FeatureText_stl_normal.npy",
}


def _read(form: Format, root: Path, folder: Path, rule: str) -> Release:
    if rule != "all":
        raise DataError(f"click rule {rule!r}: this format has clicks only; leave --click out")
    path = root / "train.npy"
    rows = mapped(path)
    if rows.ndim != 2 or rows.shape[1] != 2 or not len(rows) or rows.dtype.kind not in "iu":
        raise DataError(f"{path}: holds {rows.dtype} of shape {rows.shape}, expected whole numbers [clicks, 2]")
    users = int(rows[:, 0].max()) + 1
    wrong = np.flatnonzero((rows[:, 0] < 0) | (rows[:, 1] < users) | (rows[:, 1] > 2**62))
    if len(wrong):
        user, item = rows[wrong[0]].tolist()
        raise DataError(
            f"{path}, row {wrong[0]} (counted from 0): user {user} and item {item} do not fit: items are counted from "
            f"{users}, the number of users, on; get the file again"
        )

    def blocks() -> Iterator[tuple[npt.NDArray[Any], ...]]:
        for begin in range(0, len(rows), ROWS):
            block = np.asarray(rows[begin : begin + ROWS]).astype(np.int64)
            yield block[:, 0], block[:, 1] - users, np.zeros(len(block), np.int64), np.ones(len(block), bool)

    vectors = [npy_vectors(name, path) for name, file in FEATURES.items() for path in matches(root, file)]
    notes = [
        f"train.npy shows {users:,} users: item ids there were read as {users:,} and more",
        "val_full.npy and test_full.npy are pickles and were left out, and so were feat_v.pt, feat_a.pt and feat_t.pt",
        "there are no times: the order of the rows was taken for it",
    ]
    part = ArrayPart(path, blocks, len(rows), time="")  # type: ignore[arg-type]
    return Release(form.name, [part], form.log.clock, rule, vectors, notes=notes)


FORMATS = (
    Format(
        name="mmgcn",
        about="arrays of MMGCN: train.npy, val_full.npy, FeatureVideo_normal.npy, ...Audio..., ...Text...",
        licence="As the data set that MMGCN took its files from (MovieLens, TikTok, Kwai): see there.",
        get="Get a folder linked from github.com/weiyinwei/MMGCN.",
        log=Log(files=("train.npy",), columns={}, user="", item="", header=False),
        marks=("val_full.npy",),
        read_as=_read,
    ),
)
