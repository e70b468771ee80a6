"""A log of the size of Kuaishou, with vectors of all its items, imported as ``hyperctr data import`` does; ``planted``.

    python -m tests.benchmarks.bench_import --out import.csv [--rows 13661383 --items 3242315 --dims 64 2048]

The release is RecZoo's ``KuaiVideo_x1`` with invented rows, whose histories hold seven or eight ids; ``--dims`` are
lengths of its vectors. A bare read is one query of DuckDB that reads the four columns needed, typed and not checked,
into memory. All are processes of their own with two threads; bare reads and imports of the log take turns, and the
fewest seconds count. ``times_bare`` is relative to the bare read, interpreter and all. ``planted`` is generated at the
sizes of ``--planted``, timed without the interpreter; the smallest is made twice and compared to the bit.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from hyperctr.data.writing import blocks
from hyperctr.runtime import write_atomic
from tests.benchmarks.measuring import run_measured

HEAD = "timestamp,user_id,item_id,is_click,is_like,is_follow,pos_items,neg_items\n"
USERS = 10_000
BARE = """
import sys, duckdb
duckdb.sql("SET threads = 2")
types = {"timestamp": "BIGINT", "user_id": "BIGINT", "item_id": "BIGINT", "is_click": "TINYINT"}
for path in sys.argv[1:]:
    query = f"SELECT {', '.join(types)} FROM read_csv('{path}', types = {types})"
    print(duckdb.sql(query).to_arrow_table().num_rows)
"""
LOAD = "import sys; from hyperctr.data.table import load_table; print(len(load_table(sys.argv[1]).timestamp))"
IMPORT = "import sys; from hyperctr.data.importing import import_folder; print(import_folder(*sys.argv[1:3]).rows)"
PLANTED = """
import sys, time
from hyperctr.data.planted import planted
planted(num_users=20, num_items=40, num_interactions=100)
begin, rows = time.perf_counter(), int(sys.argv[1])
data = planted(num_users=rows // 50, num_items=rows // 200, num_interactions=rows)
print(data.fingerprint if len(sys.argv) > 2 else "", time.perf_counter() - begin)
"""


def write_log(folder: Path, rows: int, items: int) -> list[Path]:
    """Write train and test of ``KuaiVideo_x1`` by the order of time, every item at least once."""
    import pyarrow as pa
    import pyarrow.csv as csv

    folder.mkdir(parents=True)
    rng, paths = np.random.default_rng(0), []
    first = np.sort(rng.choice(rows, items, replace=False))  # where an item comes up first
    for name, begin, end in (("train", 0, rows * 4 // 5), ("test", rows * 4 // 5, rows)):
        paths.append(folder / f"{name}.csv")
        with open(paths[-1], "wb") as file:
            file.write(HEAD.encode())
            for part in blocks(end - begin, 500_000):
                at = np.arange(begin + part.start, begin + part.stop)
                item = rng.integers(0, items, len(at))
                place = np.searchsorted(first, at)
                item = np.where(first[np.minimum(place, items - 1)] == at, place % items, item)
                history = np.char.add("7^88^999^12345^234567^1234567^", item.astype(str))
                user, click = rng.integers(0, USERS, len(at)), (rng.random(len(at)) < 0.2).astype(np.int8)
                zero = np.zeros(len(at), np.int8)
                columns = [at // 20 + 1_500_000, user, item, click, zero, zero, history, history]
                table = pa.table(dict(zip(HEAD.strip().split(","), columns, strict=True)))
                csv.write_csv(table, file, csv.WriteOptions(include_header=False, quoting_style="none"))
    return paths


def write_vectors(path: Path, items: int, dim: int) -> None:
    """Write the ``.h5`` of the release, some rows at a time."""
    import h5py

    rows = max(1, (1 << 24) // dim)
    block = np.random.default_rng(1).standard_normal((rows, dim), dtype=np.float32)
    with h5py.File(path, "w") as file:
        file["key"] = np.arange(items)
        values = file.create_dataset("value", (items, dim), np.float32)
        for number, part in enumerate(blocks(items, rows)):
            values[part] = block[: part.stop - part.start] + number


def python(code: str, *arguments: object) -> tuple[str, float, float]:
    """Run Python in a process of its own, with two threads."""
    environment = {**os.environ, "OMP_NUM_THREADS": "2", "PYTHONPATH": os.pathsep.join(sys.path)}
    return run_measured([sys.executable, "-c", code, *map(str, arguments)], Path.cwd(), environment)


def imports(options: argparse.Namespace, top: Path) -> list[dict[str, Any]]:
    """Measure the bare read, the import of the log, that with vectors of each length, and what follows it."""
    raw, turns = top / "KuaiVideo_x1", range(options.turns)
    logs = write_log(raw, options.rows, options.items)
    size = sum(path.stat().st_size for path in logs) / 2**20
    seen: dict[str, list[tuple[float, float]]] = {"bare read": [], "log": []}
    for _ in turns:
        seen["bare read"].append(python(BARE, *logs)[1:])
        shutil.rmtree(top / "out", ignore_errors=True)
        seen["log"].append(python(IMPORT, raw, top / "out")[1:])
    measured = []
    for dim in options.dims:
        write_vectors(raw / "item_visual_emb_dim64.h5", options.items, dim)
        shutil.rmtree(top / "out", ignore_errors=True)
        seen[f"log and vectors of {dim}"] = [python(IMPORT, raw, top / "out")[1:]]
        seen[f"loaded for training, vectors of {dim}"] = [python(LOAD, top / "out")[1:]]
    bare = min(seconds for seconds, _ in seen["bare read"])
    for name, runs in seen.items():
        seconds, mib = min(runs)[0], max(run[1] for run in runs)
        row = {"what": name, "rows": options.rows, "items": options.items, "seconds": seconds, "peak_mib": mib}
        measured.append(row | {"log_mib": size, "times_bare": seconds / bare})
    return measured


def generated(sizes: list[int]) -> list[dict[str, Any]]:
    """Measure ``planted``, and whether the smallest is the same the second time."""
    measured = []
    for rows in sizes:
        said, _, mib = python(PLANTED, rows)
        row: dict[str, Any] = {"what": "planted", "rows": rows, "items": rows // 200, "peak_mib": mib}
        measured.append(row | {"seconds": float(said.split()[-1])})
    if sizes:
        marks = {python(PLANTED, min(sizes), "fingerprint")[0].split()[0] for _ in range(2)}
        measured[0]["same_twice"] = len(marks) == 1
    return measured


def main() -> None:
    """Measure, print and write to --out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=13_661_383)
    parser.add_argument("--items", type=int, default=3_242_315)
    parser.add_argument("--dims", type=int, nargs="*", default=[64])
    parser.add_argument("--turns", type=int, default=2)
    parser.add_argument("--planted", type=int, nargs="*", default=[10**6, 10**7])
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as top:
        measured = imports(options, Path(top)) + generated(options.planted)
    frame = pd.DataFrame(measured)
    print(frame.to_string(index=False))
    if options.out:
        write_atomic(options.out, frame.to_csv(index=False, float_format="%.6g"))


if __name__ == "__main__":
    main()
