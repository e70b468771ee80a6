"""Layouts that other libraries read: RecBole's atomic files, and the folder of MMRec, with the parts of a split."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from hyperctr.data import engine
from hyperctr.data.dataset import Dataset
from hyperctr.data.features import BLOCK, FeatureTable
from hyperctr.data.splits import PARTS, Split
from hyperctr.data.writing import ROWS, blocks

Rows: TypeAlias = npt.NDArray[np.int64]
RECBOLE_PARTS = ("train", "valid", "test")
TAKEN = ("user_id", "item_id", "timestamp", "label")  # names of fields that an item's may not have in RecBole
MMREC_NAMES = {"visual": "image", "textual": "text", "acoustic": "audio"}  # modality -> what MMRec calls it
MMREC_KEYS = {"image": "vision_feature_file", "text": "text_feature_file"}


def write_recbole(data: Dataset, split: Split, folder: Path, notes: list[str]) -> int:
    """Write atomic files: the log and its parts with a label, items, and a file of vectors a modality."""
    rows = np.arange(len(data.clicked))
    sets = {"": rows} | {f".{ours}": rows[split.part == part] for part, ours in enumerate(RECBOLE_PARTS)}
    top = ""
    if not data.clicked.all():  # models that rank take every row for a click
        top = "_clicks"
        sets |= {f".{ours}_clicks": split.rows(PARTS[part]) for part, ours in enumerate(RECBOLE_PARTS)}
        notes.append(
            f"{len(data.non_clicks):,} rows that are no clicks have label 0; models that rank take every row for a "
            f"click: for them say benchmark_filename: [train_clicks, valid_clicks, test_clicks]"
        )
    header = ["user_id:token", "item_id:token", "timestamp:float", "label:float"]
    for name, chosen in sets.items():
        _write_rows(folder / f"{data.name}{name}.inter", header, chosen, lambda rows: _labelled(data, rows))
    _recbole_items(data).to_csv(folder / f"{data.name}.item", sep="\t", index=False)
    for table in data.features.values():
        _write_float_sequences(folder / f"{data.name}.{table.name}emb", table, data)
    (folder / f"{data.name}.yaml").write_text(_recbole_settings(data, top), encoding="utf-8")
    return len(rows)


def _labelled(data: Dataset, rows: Rows) -> pd.DataFrame:
    frame = data.rows(rows)
    return frame.assign(clicked=frame["clicked"].astype(np.int8))


def _recbole_items(data: Dataset) -> pd.DataFrame:
    """Return the catalogue with typed headers; texts with spaces are sequences of words."""
    columns: dict[str, Any] = {"item_id:token": data.items}
    for name, column in data.item_table.drop(columns="item_id").items():
        plain = re.sub(r"[:\s]+", "_", str(name)) or "column"
        plain = f"item_{plain}" if plain in TAKEN else plain
        if pd.api.types.is_numeric_dtype(column):
            columns[f"{plain}:float"] = column.astype(float)
        else:
            words = [" ".join(str(value).split()) if pd.notna(value) else "" for value in column]
            columns[f"{plain}:token{'_seq' if any(' ' in text for text in words) else ''}"] = words
    return pd.DataFrame(columns)


def _write_float_sequences(path: Path, table: FeatureTable, data: Dataset) -> None:
    """Write the vectors of the items that have one, with the fewest digits that give the same float32."""
    present = np.flatnonzero(table.present)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(f"{table.name}_id:token\t{table.name}_vector:float_seq\n")
        for rows in blocks(len(present), BLOCK // 16 // table.dim, table.name):
            numbers = table.values[present[rows]].astype(str)
            frame = pd.DataFrame({"id": data.items[present[rows]], "vector": [" ".join(row) for row in numbers]})
            frame.to_csv(file, sep="\t", header=False, index=False)


def _recbole_settings(data: Dataset, top: str) -> str:
    lines = [
        f"# {data.name}, written by `hyperctr data export`: run_recbole(dataset={data.name!r}, config_file_list=[...])",
        "USER_ID_FIELD: user_id",
        "ITEM_ID_FIELD: item_id",
        "TIME_FIELD: timestamp",
        "LABEL_FIELD: label",
        f"benchmark_filename: {json.dumps(RECBOLE_PARTS)}",
    ]
    if top:
        lines.append(f"# models that rank: {json.dumps([part + top for part in RECBOLE_PARTS])}")
    if data.features:
        names = list(data.features)
        lines += [
            f"additional_feat_suffix: {json.dumps([f'{name}emb' for name in names])}",
            f"alias_of_item_id: {json.dumps([f'{name}_id' for name in names])}",
            f"preload_weight: {json.dumps({f'{name}_id': f'{name}_vector' for name in names})}",
        ]
    return "\n".join(lines) + "\n"


def write_mmrec(data: Dataset, split: Split, folder: Path, notes: list[str]) -> int:
    """Write clicks with their part, matrices of vectors, and what the ids from 0 stand for."""
    rows = np.flatnonzero(data.clicked & (split.part < len(PARTS)))
    users, user = np.unique(data.user_index[rows], return_inverse=True)
    items, item = np.unique(data.item_index[rows], return_inverse=True)
    for kind, kept, number in (("users", users, data.num_users), ("items", items, data.num_items)):
        if len(kept) < number:
            notes.append(f"{number - len(kept):,} of {number:,} {kind} without a click were left out")
    if left := len(data.clicked) - len(rows):
        notes.append(f"{left:,} of {len(data.clicked):,} rows were left out: MMRec knows clicks only")

    def columns(block: Rows) -> pd.DataFrame:
        at, given = rows[block], {"userID": user[block], "itemID": item[block], "rating": 1.0}
        return pd.DataFrame({**given, "timestamp": data.timestamp[at], "x_label": split.part[at]})

    header = ["userID", "itemID", "rating", "timestamp", "x_label"]
    _write_rows(folder / f"{data.name}.inter", header, np.arange(len(rows)), columns)
    for file, theirs, ours, ids in (
        ("u", "user_id", "userID", data.users[users]),
        ("i", "asin", "itemID", data.items[items]),
    ):
        frame = pd.DataFrame({theirs: ids, ours: np.arange(len(ids))})
        frame.to_csv(folder / f"{file}_id_mapping.csv", sep="\t", index=False)
    free = {ours: theirs for ours, theirs in MMREC_NAMES.items() if theirs not in data.features}
    names = {name: free.get(name, name) for name in data.features}
    for table in data.features.values():
        _write_matrix(folder, names[table.name], table, items, notes)
    settings = {"USER_ID_FIELD": "userID", "ITEM_ID_FIELD": "itemID", "TIME_FIELD": "timestamp"}
    settings |= {"inter_file_name": f"{data.name}.inter", "inter_splitting_label": "x_label", "field_separator": "\t"}
    settings |= {MMREC_KEYS[name]: f"{name}_feat.npy" for name in names.values() if name in MMREC_KEYS}
    text = "".join(f"{key}: {json.dumps(value)}\n" for key, value in settings.items())
    comment = f"# to be copied to src/configs/dataset/{data.name}.yaml of MMRec\nfilter_out_cod_start_users: True\n"
    (folder / f"{data.name}.yaml").write_text(comment + text, encoding="utf-8")
    return len(rows)


def _write_matrix(folder: Path, name: str, table: FeatureTable, items: Rows, notes: list[str]) -> None:
    """Write a row for each of the items, the mean for those without a vector, and which these are."""
    present = table.present[items]
    total = np.zeros(table.dim)
    size = BLOCK // table.dim
    for rows in blocks(len(items), size):
        total += table.values[items[rows][present[rows]]].sum(axis=0, dtype=np.float64)
    mean = (total / max(1, present.sum())).astype(np.float32)
    shape = (len(items), table.dim)
    matrix = np.lib.format.open_memmap(folder / f"{name}_feat.npy", mode="w+", dtype=np.float32, shape=shape)
    for rows in blocks(len(items), size, table.name):
        matrix[rows] = np.where(present[rows, None], table.values[items[rows]], mean)
    matrix.flush()
    missed = np.flatnonzero(~present)
    if len(missed):
        file = f"missed_{'img' if name == 'image' else name}_itemIDs.csv"
        np.savetxt(folder / file, missed, fmt="%d")
        notes.append(f"{table.name}: {len(missed):,} items without a vector have the mean of all, see {file}")


def _write_rows(path: Path, header: list[str], rows: Rows, columns: Callable[[Rows], pd.DataFrame]) -> None:
    """Write rows of the log as text with tabs, some at a time; DuckDB writes it several times as fast as pandas."""
    import pyarrow as pa

    def table(block: slice) -> Any:
        return pa.Table.from_pandas(columns(rows[block]).set_axis(header, axis=1), preserve_index=False)

    schema = table(slice(0, 1)).schema
    batches = (batch for block in blocks(len(rows), ROWS, path.name) for batch in table(block).to_batches())
    connection = engine.connect()
    try:
        connection.register("log", pa.RecordBatchReader.from_batches(schema, batches))
        connection.execute(f"COPY log TO {engine.literal(str(path))} (FORMAT csv, HEADER, DELIMITER '\t')")
    finally:
        connection.close()
