"""MicroLens: clicks with titles and matrices of features (50k, 100k, 1M), and the parquet files of the MMCTR challenge.

Its pairs are clicks and nothing else. Row r of a matrix belongs to the item r + 1. MMCTR has clicks and non-clicks
without a time: the order of its rows stands for it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from hyperctr.data.engine import table
from hyperctr.data.formats.arrays import parquet_vectors
from hyperctr.data.formats.beside import CHOICES, matrices, word_vectors, words_of
from hyperctr.data.formats.format import Format, Log, matches, parts_of
from hyperctr.data.formats.release import Release, Vectors
from hyperctr.data.ids import shown
from hyperctr.data.sources import columns_of, first_lines, with_header
from hyperctr.errors import DataError

LICENCE = (
    "MicroLens (Ni et al. 2023, https://github.com/westlake-repl/MicroLens), (c) Westlake University: for research; "
    "altered copies may not be published."
)
SIZES = ("50k", "100k", "1M")


def _pairs(form: Format, root: Path, folder: Path, rule: str, **options: Any) -> Release:
    stem = form.log.files[0].removesuffix("_pairs.csv")
    vectors, notes = matrices(root, first=1, prefix=stem, **options)
    if vectors:
        notes.append("row r of a matrix was read as the vector of the item r + 1, as MicroLens numbers them")
    items = _titles([path for end in ("titles.csv", "title_en.csv") for path in matches(root, f"{stem}_{end}")])
    if items is not None and all(given.modality != "textual" for given in vectors):
        words = [words_of(title) for title in items["title"]]
        vectors += word_vectors(items["item_id"].to_numpy(np.int64), words, "TF-IDF of titles")
    return Release(form.name, parts_of(form.log, root, rule), form.log.clock, rule, vectors, items, notes)


def _titles(paths: list[Path]) -> pd.DataFrame | None:
    """Read the titles: a csv with the header item,title, or lines that are split at their first comma."""
    if not paths:
        return None
    path = paths[0]
    if columns_of(path)[:2] == ("item", "title"):
        rows = table(with_header(path, ("item", "title")), {"item": "integer", "title": "text"})
        frame: pd.DataFrame = rows.to_pandas().rename(columns={"item": "item_id"})
    else:
        frame = pd.DataFrame(_split_titles(path), columns=["item_id", "title"])
    if frame["item_id"].duplicated().any():
        twice = frame["item_id"][frame["item_id"].duplicated()].iloc[0]
        raise DataError(f"{path}: item {twice} has two titles; get the file again")
    return frame


def _split_titles(path: Path) -> list[tuple[int, str]]:
    titles = []
    for number, line in enumerate(first_lines(path, 10**9), 1):
        item, _, title = line.partition(",")
        if not re.fullmatch("[0-9]{1,18}", item):
            raise DataError(f"{path}, line {number}: {shown(line)} is not ITEM,TITLE; get the file again")
        quoted = len(title) > 1 and title[0] == title[-1] == '"'
        titles.append((int(item), title[1:-1].replace('""', '"') if quoted else title))
    return titles


def _mmctr_vectors(root: Path, folder: Path) -> list[Vectors]:
    """Return text and image apart where ``item_feature.parquet`` is there, else the embedding of both."""
    features = [path for place in (root, root.parent, folder) for path in matches(place, "item_feature.parquet")]
    if features:
        parts = (("visual", "img_emb_CLIPRN50"), ("textual", "txt_emb_BERT"))
        return [parquet_vectors(modality, features[0], "item_id", column) for modality, column in parts]
    return [parquet_vectors("multimodal", root / "item_info.parquet", "item_id", "item_emb_d128")]


FORMATS = (
    *(
        Format(
            name=f"microlens-{size.lower()}",
            about=f"MicroLens-{size}: MicroLens-{size}_pairs.csv, titles, extracted_modality_features",
            licence=LICENCE,
            get=f"Get MicroLens-{size} from https://recsys.westlake.edu.cn/MicroLens-Dataset/ and unpack it.",
            log=Log(
                files=(f"MicroLens-{size}_pairs.csv",),
                columns={"user": "integer", "item": "integer", "timestamp": "integer"},
                user="user",
                item="item",
                time="timestamp",
                unit="ms",
            ),
            read_as=_pairs,
            columns_tell=True,
            options=CHOICES,
        )
        for size in SIZES
    ),
    Format(
        name="microlens-mmctr",
        about="MicroLens_1M_x1 of the MMCTR challenge (WWW 2025): train, valid, item_info.parquet",
        licence=LICENCE,
        get="Get MicroLens_1M_MMCTR from huggingface.co/datasets/reczoo and unpack it.",
        log=Log(
            files=("train.parquet", "valid.parquet"),
            columns={
                "user_id": "id",
                "item_id": "integer",
                "likes_level": "integer",
                "views_level": "integer",
                "label": "flag",
            },
            user="user_id",
            item="item_id",
            click="label",
            non_clicks="label 0; how those were drawn was not published",
        ),
        marks=("item_info.parquet",),
        vectors=_mmctr_vectors,
        remark="there are no times: the order of the rows, train before valid, was taken for it; item_seq (earlier "
        "clicks without a time) and test.parquet (no labels) were left out",
    ),
)
