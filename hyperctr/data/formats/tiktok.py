"""TikTok of the ICME 2019 challenge, track 2: a log of 12 columns, and features as one JSON object a line.

A click is a video that was watched to its end. Times are shifted: only their order is real. Items may lack vectors.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hyperctr.data.formats.beside import word_vectors
from hyperctr.data.formats.format import Format, Log
from hyperctr.data.formats.release import Vectors
from hyperctr.data.ids import shown
from hyperctr.errors import DataError

COLUMNS = (
    *("uid", "user_city", "item_id", "author_id", "item_city", "channel", "finish", "like", "music_id"),
    *("device", "time", "duration_time"),
)
NUMBERS = {  # modality -> file, key
    "visual": ("track2_video_features.txt", "video_feature_dim_128"),
    "acoustic": ("track2_audio_features.txt", "audio_feature_128_dim"),
}
TITLES = "track2_title.txt"


def _vectors(root: Path, folder: Path) -> list[Vectors]:
    found = {modality: (root / file, key) for modality, (file, key) in NUMBERS.items() if (root / file).is_file()}
    tables = [table for modality, (path, key) in found.items() for table in _numbers(path, modality, key)]
    titles = root / TITLES
    if titles.is_file():
        items, words = [], []
        for place, item, content, _ in _objects(titles):
            counts = content.get("title_features")
            if not isinstance(counts, dict) or not all(type(n) is int and 0 < n < 10**4 for n in counts.values()):
                raise DataError(f"{place}: title_features {shown(counts)} are no counts of words; get the file again")
            items.append(item)
            words.append([word for word, count in counts.items() for _ in range(count)])
        tables += word_vectors(_unique(items, titles), words, str(titles))
    return tables


def _numbers(path: Path, modality: str, key: str) -> list[Vectors]:
    """Note where the vector of each item stands in a file; it is read when it is asked for."""
    items, begins, dim = list[int](), list[int](), 0
    for place, item, content, begin in _objects(path):
        values = content.get(key)
        dim = dim or (len(values) if isinstance(values, list) else 0)
        if not isinstance(values, list) or (values and len(values) != dim):
            raise DataError(f"{place}: {key} {shown(values)} is no list of {dim or 128} numbers; get the file again")
        if values:
            items.append(item)
            begins.append(begin)

    def take(rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        block = np.empty((len(rows), dim), dtype=np.float32)
        with open(path, "rb") as file:
            for row, place in zip(block, rows.tolist(), strict=True):
                file.seek(begins[place])
                values = json.loads(file.readline())[key]
                if not all(type(value) in (int, float) and abs(value) < 1e300 for value in values):
                    problem = f"{key} of item {items[place]} holds something that is no number"
                    raise DataError(f"{path}: {problem}; get the file again")
                row[:] = values
        return block

    return [Vectors(modality, _unique(items, path), dim, take, str(path))] if items else []


def _objects(path: Path) -> Iterator[tuple[str, int, dict[str, Any], int]]:
    """Yield the place in words, the item, the object and where it begins, of each line of a file."""
    begin = 0
    with open(path, "rb") as file:
        for number, line in enumerate(file, 1):
            place = f"{path}, line {number}"
            if line.strip():
                try:
                    content = json.loads(line)
                except (ValueError, RecursionError) as error:
                    raise DataError(f"{place}: is no JSON object ({error}); get the file again") from error
                item = content.get("item_id") if isinstance(content, dict) else None
                if type(item) is not int or not 0 <= item < 2**62:
                    raise DataError(f"{place}: item_id {shown(item)} is no whole number from 0 on; get the file again")
                yield place, item, content, begin
            begin += len(line)


def _unique(items: list[int], path: Path) -> npt.NDArray[np.int64]:
    ids, counts = np.unique(np.array(items, dtype=np.int64), return_counts=True)
    if (counts > 1).any():
        raise DataError(f"{path}: item {ids[counts > 1][0]} stands twice; get the file again")
    return np.array(items, dtype=np.int64)


FORMATS = (
    Format(
        name="tiktok",
        about="TikTok, ICME 2019: final_track2_train.txt, track2_{video,audio}_features.txt, track2_title.txt",
        licence="TikTok (ICME 2019 short video understanding challenge): for its participants; no longer offered.",
        get="The challenge no longer offers its files.",
        log=Log(
            files=("final_track2_train.txt",),
            columns={name: "flag" if name in ("finish", "like") else "integer" for name in COLUMNS},
            user="uid",
            item="item_id",
            time="time",
            unit="order",
            click="finish",
            non_clicks="shown and not watched to the end",
            separator="\t",
            header=False,
            quote="",
        ),
        vectors=_vectors,
        remark="a click is a video watched to its end (finish); times are shifted, so only their order was kept",
    ),
)
