"""KuaiRand: Pure, 1K and 27K, with what was recommended and what was shown at random.

Shown and not clicked is a real non-click. There are no vectors; the tags of a video become the modality ``tags``.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hyperctr.data.engine import stream
from hyperctr.data.formats.format import Format, Log, matches, part_of
from hyperctr.data.formats.release import Release, Vectors
from hyperctr.data.sources import Kind, with_header
from hyperctr.errors import DataError, did_you_mean

LOGS = {"standard": ("standard",), "random": ("random",), "all": ("standard", "random")}
BASIC: dict[str, Kind] = {"video_id": "integer", "tag": "text"}
MOST_TAGS = 4096  # there are some sixty; more are a damaged file


def _read(form: Format, root: Path, folder: Path, rule: str, logs: str = "all") -> Release:
    if logs not in LOGS:
        raise DataError(f"logs {logs!r} is not known; {did_you_mean(logs, LOGS)}")
    paths = [path for kind in LOGS[logs] for path in matches(root, f"log_{kind}_*.csv")]
    paths.sort(key=lambda path: re.sub("^log_[a-z]+_", "", path.name))
    sizes = sorted({re.sub(r"_part\d+$", "", path.stem).rpartition("_")[2].lower() for path in paths})
    if not paths:
        raise DataError(f"{root}: holds no log_{logs}_*.csv; get the files again")
    if len(sizes) > 1:
        raise DataError(f"{root}: holds logs of {' and '.join(sizes)}, whose ids differ; move one to another folder")
    notes = ["in tabs of one column is_click is set after 7 seconds of play; " + _of(logs)]
    parts = [part_of(form.log, path, rule) for path in paths]
    return Release(f"kuairand-{sizes[0]}", parts, form.log.clock, rule, _tags(root), notes=notes)


def _of(logs: str) -> str:
    return {
        "all": "rows shown at random are in, too (--option logs=standard leaves them out)",
        "standard": "rows shown at random were left out",
        "random": "only rows shown at random were read",
    }[logs]


def _tags(root: Path) -> list[Vectors]:
    """Return 0 and 1 for each tag of a video; one without a tag has no vector."""
    from scipy.sparse import csr_matrix

    items: list[npt.NDArray[np.int64]] = []
    counts: list[npt.NDArray[np.int64]] = []
    tags: dict[str, int] = {}
    codes: list[npt.NDArray[np.int32]] = []
    paths = matches(root, "video_features_basic_*.csv")
    for path in paths:
        for batch, _ in stream(with_header(path, BASIC), BASIC, {name: f'"{name}"' for name in BASIC}):
            texts, place = np.unique(np.array(batch.column("tag").to_pylist(), dtype=object), return_inverse=True)
            given = [sorted({tag.strip() for tag in text.split(",")} - {""}) for text in texts]
            for tag in sorted({tag for some in given for tag in some} - set(tags)):
                tags[tag] = len(tags)
            if len(tags) > MOST_TAGS:
                raise DataError(f"{path}: has more than {MOST_TAGS:,} different tags; get the file again")
            rows = [np.array([tags[tag] for tag in some], dtype=np.int32) for some in given]
            length = np.array([len(row) for row in rows])[place]
            items.append(batch.column("video_id").to_numpy()[length > 0])
            counts.append(length[length > 0])
            codes.append(np.concatenate([rows[row] for row in place]) if len(place) else np.empty(0, np.int32))
    if not tags:
        return []
    videos = np.concatenate(items)
    if len(np.unique(videos)) < len(videos):
        raise DataError(f"{paths[0]}: a video stands twice; get the file again")
    begins = np.concatenate([[0], np.cumsum(np.concatenate(counts))])
    flat = np.concatenate(codes)
    matrix: Any = csr_matrix((np.ones(len(flat), np.float32), flat, begins), shape=(len(videos), len(tags)))
    return [Vectors("tags", videos, len(tags), lambda rows: np.asarray(matrix[rows].toarray()), str(paths[0]))]


FORMATS = (
    Format(
        name="kuairand",
        about="KuaiRand-Pure, -1K or -27K: data/log_standard_*.csv, log_random_*.csv, video_features_basic_*.csv",
        licence="KuaiRand (Gao et al. 2022, https://kuairand.com): CC BY-SA 4.0.",
        get="Get KuaiRand-Pure.tar.gz, -1K or -27K from https://zenodo.org/records/10439422 and unpack it.",
        log=Log(
            files=("log_standard_*.csv",),
            columns={
                "user_id": "integer",
                "video_id": "integer",
                "time_ms": "integer",
                "is_click": "flag",
                "is_like": "flag",
                "is_follow": "flag",
                "is_hate": "flag",
                "long_view": "flag",
                "play_time_ms": "number",
                "duration_ms": "number",
                "is_rand": "flag",
                "tab": "integer",
            },
            user="user_id",
            item="video_id",
            time="time_ms",
            unit="ms",
            click="is_click",
            non_clicks="shown and not clicked",
        ),
        read_as=_read,
        columns_tell=True,
        options=("logs",),
    ),
)
