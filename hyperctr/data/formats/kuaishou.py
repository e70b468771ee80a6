"""Kuaishou: the raw challenge files of 2018, ALPINE's release, and RecZoo's ``KuaiVideo_x1``.

All three come from one log, with ids of their own. Its clock is shifted: only the order of events is real. What was
shown and not played is a real non-click. The paper has the 10,000 users of ALPINE and RecZoo; the challenge has all.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hyperctr.data.formats.arrays import h5_vectors, npy_vectors
from hyperctr.data.formats.format import Format, Log
from hyperctr.data.formats.kuaishou_photos import face_vectors, photo_vectors, text_vectors
from hyperctr.data.formats.plain_pickle import load_plain
from hyperctr.data.formats.release import ArrayPart, Release, Vectors
from hyperctr.data.ids import shown
from hyperctr.errors import DataError

NAME = "kuaishou"
NON_CLICKS = "shown and not clicked"
LICENCE = "Kuaishou user interest modelling challenge (2018), (c) Kuaishou: for research; no licence was published."
SHOWN = "train_interaction.txt"
ROWS = 500_000


def _challenge_vectors(root: Path, folder: Path) -> list[Vectors]:
    return [*photo_vectors(folder), *text_vectors(folder), *face_vectors(folder)]


def _reczoo_vectors(root: Path, folder: Path) -> list[Vectors]:
    path = root / "item_visual_emb_dim64.h5"
    return [h5_vectors("visual", path)] if path.is_file() else []


def _alpine(form: Format, root: Path, folder: Path, rule: str, **_: Any) -> Release:
    """Read ``dataset.pkl``: six pickles, of which the first two are the interactions, train and test."""
    if rule not in ("click", "like", "follow"):
        raise DataError(f"click rule {rule!r}: this format has the columns click, like, follow of 0 and 1; name one")
    path, matrix = root / "dataset.pkl", root / "visual64_select.npy"
    column = ("click", "like", "follow").index(rule) + 2

    def blocks() -> Iterator[tuple[npt.NDArray[Any], ...]]:
        with open(path, "rb") as file:
            for part in ("train", "test"):
                samples = load_plain(file, path)
                if not isinstance(samples, list):
                    raise DataError(f"{path}: {part} is a {type(samples).__name__}, expected a list of samples")
                for begin in range(0, len(samples), ROWS):
                    rows = _sample_rows(samples[begin : begin + ROWS], path, part, begin)
                    yield rows[:, 0], rows[:, 1], rows[:, 5], rows[:, column] == 1
                del samples

    vectors = [npy_vectors("visual", matrix)] if matrix.is_file() else []
    notes = ["the last row of visual64_select.npy pads histories; it is kept only if the log shows an item of that id"]
    size = path.stat().st_size // 40  # bytes of a sample, about
    return Release(NAME, [ArrayPart(path, blocks, size)], "ordinal", rule, vectors, notes=notes)  # type: ignore[arg-type]


def _sample_rows(samples: list[Any], path: Path, part: str, begin: int) -> npt.NDArray[np.int64]:
    """Return samples ((user, item, click, like, follow, timestamp), ...) as int64 [n, 6]."""
    try:
        rows = np.array([sample[0] for sample in samples])
    except (TypeError, IndexError, KeyError, ValueError, OverflowError):
        rows = np.empty(0)
    if rows.ndim == 2 and rows.shape[1] == 6 and rows.dtype.kind in "ib" and _all_flags(rows):
        return rows.astype(np.int64)
    for number, sample in enumerate(samples, begin):
        row = sample[0] if isinstance(sample, (tuple, list)) and sample else sample
        whole = isinstance(row, (tuple, list)) and len(row) == 6 and all(type(value) is int for value in row)
        if not whole or any(value not in (0, 1) for value in row[2:5]) or not all(0 <= v < 2**63 for v in row):
            form = "((user, item, click, like, follow, timestamp), ...) of whole numbers, with 0 and 1 for clicks"
            raise DataError(f"{path}: {part} sample {number} (counted from 0) is {shown(sample)}, expected {form}")
    raise DataError(f"{path}: {part} samples {begin} and on are not whole numbers; get the file again")


def _all_flags(rows: npt.NDArray[Any]) -> bool:
    return bool(((rows[:, 2:5] == 0) | (rows[:, 2:5] == 1)).all() and (rows >= 0).all())


FORMATS = (
    Format(
        name="kuaishou-challenge",
        about="Kuaishou challenge 2018, raw: train_interaction.txt, photo features, texts, faces",
        licence=LICENCE,
        get="The challenge no longer offers its files; ALPINE's and RecZoo's releases hold the paper's 10,000 users.",
        log=Log(
            files=(SHOWN,),
            columns={
                "user_id": "integer",
                "photo_id": "integer",
                "click": "flag",
                "like": "flag",
                "follow": "flag",
                "time": "integer",
                "playing_time": "integer",
                "duration_time": "integer",
            },
            user="user_id",
            item="photo_id",
            time="time",
            unit="order",
            click="click",
            non_clicks=NON_CLICKS,
            separator="\t",
            header=False,
            quote="",
        ),
        remark="test_interaction.txt has no labels and was left out; of these users the paper has 10,000, unnamed",
        vectors=_challenge_vectors,
        title=lambda root: NAME,
    ),
    Format(
        name="kuaishou-alpine",
        about="Kuaishou as ALPINE released it: dataset.pkl, visual64_select.npy",
        licence=LICENCE,
        get="Get Dataset I linked from github.com/liyongqi67/ALPINE.",
        log=Log(
            files=("dataset.pkl",),
            columns={},
            user="",
            item="",
            time="timestamp",
            unit="order",
            click="click",
            non_clicks=NON_CLICKS,
            header=False,
        ),
        read_as=_alpine,
    ),
    Format(
        name="kuaivideo-x1",
        about="RecZoo KuaiVideo_x1: train.csv, test.csv, item_visual_emb_dim64.h5",
        licence=LICENCE,
        get="Get KuaiVideo_x1.zip from huggingface.co/datasets/reczoo/KuaiVideo_x1 and unpack it.",
        log=Log(
            files=("train.csv", "test.csv"),
            columns={
                "timestamp": "integer",
                "user_id": "integer",
                "item_id": "integer",
                "is_click": "flag",
                "is_like": "flag",
                "is_follow": "flag",
                "pos_items": "text",
                "neg_items": "text",
            },
            user="user_id",
            item="item_id",
            time="timestamp",
            unit="order",
            click="is_click",
            non_clicks=NON_CLICKS,
        ),
        vectors=_reczoo_vectors,
        title=lambda root: NAME,
    ),
)
