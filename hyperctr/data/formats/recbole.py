"""RecBole's atomic files: ``<name>.inter``, or its parts ``<name>.{train,valid,test}.inter``, with ``<name>.item``.

Fields are named ``name:type``. A click is a ``label`` of 1, else a ``rating`` of 4 and more, else every row.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from hyperctr.data.engine import quoted, table
from hyperctr.data.formats.beside import word_vectors, words_of
from hyperctr.data.formats.format import Format, Log, matches, part_of
from hyperctr.data.formats.release import Release, Vectors
from hyperctr.data.ids import shown
from hyperctr.data.sources import Kind, columns_of, with_header
from hyperctr.errors import DataError

KINDS: dict[str, Kind] = {"token": "id", "float": "number", "token_seq": "text", "float_seq": "text"}
PARTS = ("train", "valid", "test")
SECONDS = "CAST(floor(CASE WHEN {0} > 1e11 THEN {0} / 1000 ELSE {0} END) AS BIGINT)"  # some sets have milliseconds


def _read(form: Format, root: Path, folder: Path, rule: str, dataset: str = "", **options: str) -> Release:
    name, paths = _logs(root, dataset)
    user, item = options.get("user", "user_id"), options.get("item", "item_id")
    wanted = options.get("time", "timestamp")
    first = _fields(paths[0])
    columns = {field: KINDS[kind] for field, kind in first.items()}
    for role, field in (("user", user), ("item", item)):
        if columns.get(field) != "id":
            raise DataError(f"{paths[0]}, line 1: needs {field}:token; found {', '.join(first)}: --option {role}=FIELD")
    if "time" in options and columns.get(wanted) != "number":
        raise DataError(f"{paths[0]}, line 1: needs {wanted}:float; found {', '.join(first)}: --option time=FIELD")
    time = SECONDS.format(quoted(wanted)) if columns.get(wanted) == "number" else ""
    if "label" in columns:
        columns["label"] = "flag"
    if rule == form.log.click:
        rule = next((usual for usual in ("label", "rating >= 4") if usual.split()[0] in columns), "all")
    log = replace(form.log, columns=columns, time=time, user=user, item=item)
    parts = []
    for path in paths:
        fields = _fields(path)
        if missing := [field for field in columns if field not in fields]:
            raise DataError(f"{path}, line 1: needs {missing[0]}, which {paths[0].name} has; get the file again")
        source = replace(with_header(path, (), "\t", quote=""), columns=tuple(fields))
        parts.append(part_of(log, path, rule, source))
    notes = [] if time else ["there are no times: the order of the rows was taken for it"]
    if len(paths) > 1:
        notes.append("train, valid and test of RecBole were put together")
    items, vectors = _items(root / f"{name}.item", item)
    return Release(name, parts, log.clock, rule, vectors, items, notes)


def _logs(root: Path, dataset: str) -> tuple[str, list[Path]]:
    """Return the name of the data set and the files of its log: the whole one, or its parts."""
    found = [path for path in matches(root, "*.inter") if not path.name.startswith(".")]
    parts = {path: path.stem.rpartition(".")[0] for path in found if path.stem.rpartition(".")[2] in PARTS}
    names = sorted({parts.get(path, path.stem) for path in found} - {""})
    if dataset and dataset not in names:
        raise DataError(f"{root}: holds no {dataset}.inter; found {', '.join(names)}")
    if len(names) != 1 and not dataset:
        raise DataError(f"{root}: holds the logs of {', '.join(names) or 'nothing'}; name one: --option dataset=NAME")
    name = dataset or names[0]
    whole = root / f"{name}.inter"
    files = [whole] if whole in found else [root / f"{name}.{part}.inter" for part in PARTS]
    return name, [path for path in files if path in found]


def _fields(path: Path) -> dict[str, str]:
    """Return the fields of an atomic file and their types."""
    fields: dict[str, str] = {}
    for header in columns_of(path, "\t"):
        name, _, kind = header.rpartition(":")
        if kind not in KINDS or not name or name in fields:
            raise DataError(f"{path}, line 1: {shown(header)} is not name:type with one of {', '.join(KINDS)}")
        fields[name] = kind
    return fields


def _items(path: Path, item: str) -> tuple[pd.DataFrame | None, list[Vectors]]:
    """Read the ``.item`` file: texts as a catalogue and its words, sequences of numbers as modalities."""
    if not path.is_file():
        return None, []
    fields = _fields(path)
    if fields.get(item) != "token":
        raise DataError(f"{path}, line 1: needs {item}:token; found {', '.join(fields)}")
    kinds: dict[str, Kind] = {name: "id" if name == item else "text" for name in fields}
    source = replace(with_header(path, (), "\t", quote=""), columns=tuple(fields))
    frame = table(source, kinds).to_pandas().rename(columns={item: "item_id"})
    ids = pd.to_numeric(frame["item_id"]) if frame["item_id"].str.fullmatch("0|[1-9][0-9]{0,17}").all() else None
    frame["item_id"] = frame["item_id"] if ids is None else ids.astype(np.int64)
    if frame["item_id"].duplicated().any():
        twice = frame["item_id"][frame["item_id"].duplicated()].iloc[0]
        raise DataError(f"{path}: item {shown(twice)} stands twice; get the file again")
    keys = frame["item_id"].to_numpy() if ids is not None else np.array(frame["item_id"].tolist(), dtype=str)
    vectors = [
        Vectors.of(name, keys[rows], values, f"{path}, {name}")
        for name, kind in fields.items()
        if kind == "float_seq"
        for rows, values in [_numbers(path, name, frame[name])]
    ]
    spoken = [name for name, kind in fields.items() if kind.startswith("token") and name != item]
    texts = frame[spoken].agg(" ".join, axis=1) if spoken and len(frame) else []
    vectors += word_vectors(keys, [words_of(text) for text in texts], "TF-IDF of the tokens of items")
    return frame[["item_id", *spoken]], vectors


def _numbers(path: Path, name: str, texts: pd.Series[Any]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Return the rows that have a vector, and these."""
    given = np.flatnonzero(texts.str.strip() != "")
    try:
        values = np.array([text.split() for text in texts.iloc[given]], dtype=np.float32)
    except ValueError as error:
        raise DataError(f"{path}: {name} needs as many numbers in each row, separated by blanks ({error})") from error
    return given, values


FORMATS = (
    Format(
        name="recbole",
        about="atomic files of RecBole: <name>.inter or <name>.{train,valid,test}.inter, <name>.item",
        licence="As the data set that the files were made of: see there.",
        get="Get a data set linked from https://recbole.io/dataset_list.html and unpack it.",
        log=Log(
            files=("*.inter",),
            columns={"user_id:token": "id", "item_id:token": "id"},
            user="user_id",
            item="item_id",
            time="timestamp",
            click="label, else rating >= 4, else all",
            non_clicks="label 0, or ratings below 4",
            separator="\t",
            quote="",
        ),
        read_as=_read,
        columns_tell=True,
        options=("dataset", "user", "item", "time"),
    ),
)
