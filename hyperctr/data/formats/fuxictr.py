"""FuxiCTR and RecZoo: train, valid, test as csv or parquet, embeddings by key and value; LongCTR's ``_x2`` sets.

Their times have no known unit: only their order is taken to be real.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hyperctr.data.formats.arrays import parquet_vectors
from hyperctr.data.formats.beside import CHOICES, embeddings
from hyperctr.data.formats.format import Format, Log, part_of
from hyperctr.data.formats.release import Release, Vectors
from hyperctr.data.rules import ClickRule
from hyperctr.data.sources import Kind, columns_of
from hyperctr.errors import DataError

PARTS = ("train", "valid", "test")
LABELS = ("label", "is_click", "click", "clk")
LICENCE = "As the data set that the files were made of: see huggingface.co/reczoo."
GET = "Get a data set from huggingface.co/reczoo and unpack it."


def _read(form: Format, root: Path, folder: Path, rule: str, **options: str) -> Release:
    chosen = {name: options.pop(name) for name in CHOICES if name in options}
    paths = [root / f"{part}.{form.name.removeprefix('fuxictr-')}" for part in PARTS]
    paths = [path for path in paths if path.is_file()]
    names = columns_of(paths[0])
    user, item = options.get("user", "user_id"), options.get("item", "item_id")
    for role, column in (("user", user), ("item", item)):
        if column not in names:
            found = ", ".join(names)[:200]
            raise DataError(f"{paths[0]}: has no column {column!r}; found {found}: --option {role}=COLUMN")
    time = options.get("time", "timestamp" if "timestamp" in names else "")
    kinds: dict[str, Kind] = {name: "flag" if name in LABELS else "text" for name in names}
    if rule == form.log.click:
        rule = next((label for label in LABELS if label in names), "all")
    kinds |= {user: "id", item: "id"} | ({time: "integer"} if time else {})
    asked = ClickRule.parse(rule)
    if asked.sign and not isinstance(asked.value, str) and asked.column in names:
        kinds[asked.column] = "number"
    read = {name: kind for name, kind in kinds.items() if name in (user, item, time, asked.column, *LABELS)}
    notes = ["the parts were put together in the order " + ", ".join(path.name for path in paths)]
    labelled = [path for path in paths if set(read) <= set(columns_of(path))]
    if left := [path.name for path in paths[1:] if path not in labelled]:
        notes.append(f"{', '.join(left)} lack a column that is needed ({', '.join(read)}) and were left out")
    notes.append(f"only the order of {time} was taken to be real" if time else "there are no times: rows are in order")
    log = replace(form.log, columns=read, user=user, item=item, time=time)
    vectors, others = embeddings(root, **chosen)
    parts = [part_of(log, path, rule) for path in (labelled or paths[:1])]
    return Release(root.resolve().name, parts, log.clock, rule, vectors, notes=notes + others)


def _longctr_vectors(root: Path, folder: Path) -> list[Vectors]:
    return [parquet_vectors("visual", root / "item_info.parquet", "item_index", "image_emb_dim64")]


FORMATS = (
    *(
        Format(
            name=f"fuxictr-{kind}",
            about=f"FuxiCTR or RecZoo: train.{kind}, valid.{kind}, test.{kind}, embeddings as *emb*.{{h5,npz,parquet}}",
            licence=LICENCE,
            get=GET,
            log=Log(
                files=(f"train.{kind}",),
                columns={"user_id": "id", "item_id": "id"},
                user="user_id",
                item="item_id",
                time="timestamp",
                unit="order",
                click="label, else is_click, else all",
                non_clicks="label 0: shown and not clicked",
            ),
            read_as=_read,
            columns_tell=True,
            options=("user", "item", "time", *CHOICES),
        )
        for kind in ("csv", "parquet")
    ),
    Format(
        name="longctr",
        about="RecZoo KuaiVideo_x2, MicroVideo1.7M_x2: train, valid, test, user_info, item_info.parquet",
        licence=LICENCE,
        get=GET,
        log=Log(
            files=("train.parquet", "valid.parquet", "test.parquet"),
            columns={"user_index": "integer", "item_index": "integer", "seq_len": "integer", "is_click": "flag"},
            user="user_index",
            item="item_index",
            time="seq_len",
            unit="order",
            click="is_click",
            non_clicks="shown and not clicked",
        ),
        marks=("item_info.parquet", "user_info.parquet"),
        vectors=_longctr_vectors,
        remark="seq_len, how many clicks of a user came before, was taken for the time: it orders the rows of one "
        "user, not of two; full_item_seq was left out, as part of it is the future",
    ),
)
