"""KuaiRec 2.0: how long videos were watched, by everybody (big matrix) or by users who saw nearly all (small matrix).

It has no clicks. Here one is a video that was watched twice or longer, as its authors tell what users liked; a shorter
watch is the non-click. There are no vectors; captions and categories become the textual modality.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hyperctr.data.engine import table
from hyperctr.data.formats.beside import word_vectors, words_of
from hyperctr.data.formats.format import Format, Log, matches, part_of
from hyperctr.data.formats.release import Release, Vectors
from hyperctr.data.sources import Kind, columns_of, with_header
from hyperctr.errors import DataError, did_you_mean

MATRICES = ("big", "small")
TEXTS = (
    "manual_cover_text",
    "caption",
    "topic_tag",
    *(f"{level}_level_category_name" for level in ("first", "second")),
)
UNKNOWN = ("UNKNOWN", "-124")  # what stands where nothing is known


def _read(form: Format, root: Path, folder: Path, rule: str, matrix: str = "big") -> Release:
    if matrix not in MATRICES:
        raise DataError(f"matrix {matrix!r} is not known; {did_you_mean(matrix, MATRICES)}")
    notes = [
        f"{matrix}_matrix.csv was read; a click is our rule, --click 'watch_ratio >= 1' or another takes its place",
        "rows without a time are refused; --option on_bad_rows=skip leaves them out",
    ]
    part = part_of(form.log, root / f"{matrix}_matrix.csv", rule)
    name = "kuairec" if matrix == "big" else "kuairec-small"
    return Release(name, [part], form.log.clock, rule, _captions(root), notes=notes)


def _captions(root: Path) -> list[Vectors]:
    """Embed the words of captions, tags and categories."""
    paths = matches(root, "kuairec_caption_category.csv")
    if not paths:
        return []
    names = columns_of(paths[0])
    kinds: dict[str, Kind] = {"video_id": "integer", **{name: "text" for name in TEXTS if name in names}}
    frame = table(with_header(paths[0], kinds), kinds).to_pandas()
    if frame["video_id"].duplicated().any():
        raise DataError(f"{paths[0]}: a video stands twice; get the file again")
    texts = frame.drop(columns="video_id").replace(dict.fromkeys(UNKNOWN, "")).agg(" ".join, axis=1)
    words = [words_of(text) for text in texts]
    return word_vectors(frame["video_id"].to_numpy(np.int64), words, "TF-IDF of captions, tags, categories")


FORMATS = (
    Format(
        name="kuairec",
        about="KuaiRec 2.0: data/big_matrix.csv or small_matrix.csv, kuairec_caption_category.csv",
        licence="KuaiRec (Gao et al. 2022, https://kuairec.com): CC BY-SA 4.0.",
        get="Get KuaiRec.zip from https://zenodo.org/records/18164998 and unpack it.",
        log=Log(
            files=("big_matrix.csv",),
            columns={
                "user_id": "integer",
                "video_id": "integer",
                "play_duration": "number",
                "video_duration": "number",
                "timestamp": "number",
                "watch_ratio": "number",
            },
            user="user_id",
            item="video_id",
            time="timestamp",
            click="watch_ratio >= 2",
            non_clicks="watched for less than twice its length",
        ),
        read_as=_read,
        columns_tell=True,
        options=("matrix",),
    ),
)
