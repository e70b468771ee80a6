"""Writes the files that releases of public data sets are made of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd


def write(path: Path, content: str | bytes, encoding: str = "utf-8") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode(encoding) if isinstance(content, str) else content)
    return path


def vectors(rows: int, dim: int, dtype: str = "<f4") -> npt.NDArray[np.float32]:
    """Row r holds r + 0, r + 0.125, ..."""
    return (np.arange(rows)[:, None] + np.arange(dim)[None] / 8).astype(dtype)


def save(path: Path, values: npt.NDArray[np.float32]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as file:  # numpy.save adds an extension
        np.save(file, values)
    return path


def h5(path: Path, values: npt.NDArray[np.float32]) -> None:
    import h5py

    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        file["key"], file["value"] = np.arange(len(values)), values


def parquet(path: Path, **columns: object) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path, row_group_size=2)


def text(path: Path, frame: pd.DataFrame, names: str, separator: str = ",", header: bool = True) -> None:
    """Write a delimited file whose columns have the names given, by commas."""
    path.parent.mkdir(parents=True, exist_ok=True)
    named = frame.set_axis(names.split(","), axis=1)
    rows = named.to_csv(sep="\x1f", index=False, header=header, lineterminator="\n")
    path.write_text(rows.replace("\x1f", separator), encoding="utf-8")
