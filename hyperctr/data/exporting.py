"""Writes any loaded data set as a ``table`` folder, as RecBole's atomic files or as an MMRec folder.

Peers read the last two: their files name the parts of our split, so that they train and test on the same rows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias, get_args

import numpy as np
import pandas as pd

from hyperctr.data.dataset import Dataset
from hyperctr.data.features import BLOCK
from hyperctr.data.ids import parse_ids, shown
from hyperctr.data.interactions import COLUMNS
from hyperctr.data.options import TABLE_TOML, TableOptions
from hyperctr.data.peers import write_mmrec, write_recbole
from hyperctr.data.splits import Split
from hyperctr.data.splits import split as usual_split
from hyperctr.data.times import read_times
from hyperctr.data.writing import ROWS, blocks, folder_aside, free_folder, parquet_encodings, write_npz
from hyperctr.errors import DataError, did_you_mean

Layout: TypeAlias = Literal["table", "recbole", "mmrec"]


@dataclass
class Exported:
    """What an export wrote.

    Attributes:
        folder: the new folder.
        layout: ``table``, ``recbole`` or ``mmrec``.
        rows: of the log that were written.
        notes: what was left out or changed, a sentence each.
    """

    folder: Path
    layout: Layout
    rows: int = 0
    notes: list[str] = field(default_factory=list)


def export(data: Dataset, folder: str | Path, as_: Layout = "table", split: Split | None = None) -> Exported:
    """Write a data set to a new folder.

    Args:
        data: any data set.
        folder: to be made; it must not hold anything yet. RecBole and MMRec want it to be called as the data set.
        as_: the layout: ``"table"``, ``"recbole"`` or ``"mmrec"``.
        split: the split that is written for peers; None: the one of default settings, seed 0. A table has none.

    Raises:
        DataError: an unknown layout, a folder that is not free, a split that is not of these rows, or data that the
            layout cannot hold.

    >>> import tempfile
    >>> from hyperctr.data.planted import planted
    >>> from hyperctr.data.table import load_table
    >>> data = planted(num_users=30, num_items=100, num_interactions=600, months=6, groups=3)
    >>> with tempfile.TemporaryDirectory() as place:
    ...     made = export(data, f"{place}/planted")
    ...     load_table(made.folder).fingerprint == data.fingerprint
    True
    """
    if as_ not in get_args(Layout):
        raise DataError(f"layout {as_!r} is not known; {did_you_mean(str(as_), get_args(Layout))}")
    if split is not None and as_ == "table":
        raise DataError("a table holds no split; leave it out, or write the split beside it with Split.save(path)")
    if split is not None and len(split.part) != len(data.clicked):
        rows = f"{len(split.part):,} rows, the data set {len(data.clicked):,}"
        raise DataError(f"{data.name}: the split is of {rows}; make it with hyperctr.split(data, seed=...)")
    if not re.fullmatch(r"[\w][\w.+-]*", data.name):
        raise DataError(f"name {data.name!r} of the data set is no file name; allowed are letters, digits and _ . + -")
    target = free_folder(folder)
    made = Exported(target, as_)
    with folder_aside(target) as aside:
        if as_ == "table":
            made.rows = _write_table(data, aside)
        else:
            write = write_recbole if as_ == "recbole" else write_mmrec
            made.rows = write(data, split or usual_split(data), aside, made.notes)
    if as_ != "table" and target.name != data.name:
        made.notes.append(f"{as_} looks for {data.name}.inter in a folder called {data.name}: rename {target.name}")
    return made


def _write_table(data: Dataset, folder: Path) -> int:
    """Write what :func:`hyperctr.data.table.load_table` reads back as the same data set."""
    import pyarrow as pa
    import pyarrow.parquet as parquet

    if not data.features:
        raise DataError(f"{data.name}: has no features, and a table needs a modality; export it as recbole or mmrec")
    read_times(pd.Series(data.timestamp, name="timestamp"), data.name, data.clock)  # what a file may not hold

    # Step 1: the log
    kinds = [pa.int64() if ids.dtype.kind == "i" else pa.string() for ids in (data.users, data.items)]
    schema = pa.schema(list(zip(COLUMNS, [*kinds, pa.int64(), pa.bool_()], strict=True)))
    with parquet.ParquetWriter(folder / "interactions.parquet", schema, **parquet_encodings(schema)) as writer:
        for rows in blocks(len(data.clicked), ROWS, "interactions"):
            writer.write_table(pa.Table.from_pandas(data.rows(rows), schema=schema, preserve_index=False))

    # Step 2: the catalogue, where it says more than the log
    if len(data.item_table.columns) > 1 or len(np.unique(data.item_index)) < data.num_items:
        _check_text_ids(data)
        data.item_table.to_csv(folder / "items.csv", index=False)

    # Step 3: vectors
    (folder / "features").mkdir()
    masked = False
    for table in data.features.values():
        present = np.flatnonzero(table.present)
        vectors = (table.values[present[rows]] for rows in blocks(len(present), BLOCK // table.dim, table.name))
        path = folder / "features" / f"{table.name}.npz"
        if len(present):
            write_npz(path, data.items[present], table.dim, vectors)
        else:  # a file needs a row: one that counts as missing
            masked = True
            write_npz(path, data.items[:1], table.dim, [np.full((1, table.dim), np.nan, dtype=np.float32)])
    options = TableOptions(
        name=data.name,
        clock=data.clock,
        click="clicked",
        on_bad="mask" if masked else "error",
        slot_months=data.options.slot_months,
        slot_count=data.options.slot_count,
        licence=data.licence,
    )
    (folder / TABLE_TOML).write_text(options.to_toml(), encoding="utf-8")
    return len(data.clicked)


def _check_text_ids(data: Dataset) -> None:
    """Refuse ids that a text file would give back as others."""
    if data.items.dtype.kind == "i":
        return
    back = parse_ids(pd.Series(data.items, dtype="str")).astype(str).to_numpy(dtype=object)
    if (changed := back != data.items).any():
        item, other = shown(data.items[changed][0]), shown(back[changed][0])
        raise DataError(f"{data.name}: items.csv would give back item {item} as {other}; rename such items")
