"""Time and memory of everything between a file and training, at growing sizes: each part should cost the same per row.

    python tests/benchmarks/bench_data.py --rows 100000 1000000 10000000 --out reports/results/benchmarks/data.csv

Rows are interactions; there are 50 a user and 200 an item, so users and items grow along. Peak is what the process held
at most during a part, beyond what it held before. The last column is the CPU time per row relative to that at the
smallest size; wall time says little on a busy machine. Data sets are drawn by ``power_law.py``, but for ``planted``.
"""

from __future__ import annotations

import argparse
import gc
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil

from hyperctr.config import Config
from hyperctr.data.dataset import Dataset
from hyperctr.data.features import FeatureTable
from hyperctr.data.interactions import Interactions
from hyperctr.data.planted import planted
from hyperctr.data.splits import split
from hyperctr.data.table import load_table
from hyperctr.runtime import rng, write_atomic
from hyperctr.slots import make_slots
from hyperctr.split_data import SplitData
from tests.benchmarks.measuring import restart_peak
from tests.benchmarks.power_law import power_law

Part = tuple[str, Callable[[], Any]]


def parts(rows: int, args: argparse.Namespace, folder: Path) -> Iterator[Part]:
    """Yield the parts one after the other; a part's data are made when it is asked for, outside of the measurement."""
    users, items = max(20, rows // 50), max(100, rows // 200)
    if rows <= args.planted:
        yield "planted", lambda: planted(num_users=users, num_items=items, num_interactions=rows)
    yield "power law", lambda: power_law(users, items, rows)
    for kind in ("integer", "text"):
        data = power_law(users, items, rows, text_ids=kind == "text")
        log = data.interactions.sample(frac=1.0, random_state=0, ignore_index=True)  # no log comes sorted
        yield f"Dataset, {kind} ids", lambda log=log, data=data: Dataset("log", Interactions(log), items=data.items)
        write_table(folder, log, data)
        del log
        yield f"load_table, {kind} ids", lambda: load_table(folder)
    yield "fingerprint", lambda: data.fingerprint
    yield "split, random", lambda: split(data)
    yield "split, temporal", lambda: split(data, "temporal")
    yield "make_slots", lambda: make_slots(data)
    yield "SplitData.open", lambda: SplitData.open(data, Config())
    yield "table1_row", lambda: data.table1_row()
    yield "interactions", lambda: data.interactions
    values = rng(0, "bench", "standardised").standard_normal((items, args.dim), dtype=np.float32)
    table = FeatureTable("visual", values)
    del values
    yield "standardised", table.standardised


def write_table(folder: Path, log: pd.DataFrame, data: Dataset) -> None:
    """Write a folder as users have it; one modality is enough, its part is timed by itself."""
    (folder / "features").mkdir(exist_ok=True)
    log.to_parquet(folder / "interactions.parquet", index=False)
    ids = data.items.astype(str) if data.items.dtype == object else data.items
    np.savez(folder / "features" / "visual.npz", item_id=ids, values=data.features["visual"].values)


def measure(run: Callable[[], Any]) -> dict[str, float]:
    """Return wall and CPU seconds, and MiB at the peak beyond what the process held before."""
    gc.collect()
    before = psutil.Process().memory_info().rss
    restart_peak()
    start, start_cpu = time.perf_counter(), time.process_time()
    made = run()
    taken = {"seconds": time.perf_counter() - start, "cpu_seconds": time.process_time() - start_cpu}
    del made
    return taken | {"peak_mib": max(0, peak_bytes() - before) / 2**20}


def peak_bytes() -> int:
    """Return the most memory the process held since :func:`restart_peak`; elsewhere than on Linux what it holds now."""
    if not os.path.exists("/proc/self/status"):
        return int(psutil.Process().memory_info().rss)
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])


def main() -> None:
    """Measure, print and write to --out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--planted", type=int, default=1_000_000, help="generate planted up to this many rows")
    parser.add_argument("--dim", type=int, default=128, help="width of the modality that is standardised")
    parser.add_argument("--out", type=Path, help="write the measurements here as CSV")
    args = parser.parse_args()

    planted(num_users=20, num_items=40, num_interactions=100)  # imports and first calls
    measured: list[dict[str, Any]] = []
    heads = ("rows", "seconds", "CPU s", "rows/CPU s", "peak MiB", "cost a row")
    print("part                       {:>12s} {:>9s} {:>9s} {:>12s} {:>9s} {:>11s}".format(*heads))
    for rows in args.rows:
        with tempfile.TemporaryDirectory() as folder:
            for part, run in parts(rows, args, Path(folder)):
                took = measure(run)
                each = took["cpu_seconds"] / rows
                ratio = each / next((row["cpu_seconds"] / row["rows"] for row in measured if row["part"] == part), each)
                speed = {"rows_per_cpu_second": 1 / each, "cost_a_row_to_first": ratio}
                measured.append({"part": part, "rows": rows} | took | speed)
                line = f"{took['seconds']:9.3f} {took['cpu_seconds']:9.3f} {1 / each:12,.0f} {took['peak_mib']:9.0f}"
                print(f"{part:26s} {rows:12,d} {line} {ratio:10.2f}x", flush=True)
    if args.out:
        versions = f"Python {platform.python_version()}, numpy {np.__version__}, pandas {pd.__version__}"
        machine = f"{os.cpu_count()} cores, {platform.machine()}, load {os.getloadavg()[0]:.1f} at the end"
        command = " ".join(["python", *sys.argv])
        frame = pd.DataFrame(measured).assign(machine=machine, versions=versions, command=command)
        write_atomic(args.out, frame.to_csv(index=False, float_format="%.6g"))


if __name__ == "__main__":
    main()
