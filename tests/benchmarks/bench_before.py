"""What version 0.1.0 took and what this one takes, part by part, on the same data and machine.

    python -m tests.benchmarks.bench_before --out before.csv

Version 0.1.0 is checked out from the history into a folder for the time of the measurement. Every measurement is a
process of its own with one thread, the old version's and this one's one after the other. The data are folders of random
power-law clicks with three modalities. A process that takes longer than --limit is ended: the time is then the limit,
and ``ended`` is true.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from hyperctr.runs.scaling import THREAD_VARIABLES
from hyperctr.runtime import write_atomic
from tests.benchmarks.power_law import power_law

ROOT = Path(__file__).resolve().parents[2]
BEFORE = "b9486fe"  # the last commit before training was made to cost what its batches cost
# Users, items, interactions; 0.467 of these are training clicks. The last has MovieLens-10M's size.
SHAPES = {"1 k users": (1_000, 2_000, 91_000), "10 k users": (10_000, 10_000, 975_000)}
SHAPES["70 k users"] = (69_878, 10_681, 7_350_000)
SHAPES["100 k users"] = (100_000, 20_000, 5_000_000)
# What is measured, of which part, on which data, at which size.
MEASURED = [
    *(("a training step", "step", shape, 0) for shape in list(SHAPES)[:3]),
    *(("interest, 100,000 clicks", "interest", shape, 0) for shape in list(SHAPES)[:3]),
    *(("the score of a training click", "predict", shape, 0) for shape in list(SHAPES)[:2]),
    *(("the explanation of a score", "explain", shape, 0) for shape in list(SHAPES)[:2]),
    ("1000 candidates of 10,000 clicks", "candidates", "10 k users", 10_000),
    *((f"interval of an AUC, {users:,} users", "bootstrap", "", users) for users in (4_000, 8_000, 16_000)),
    ("AUC of 20,020,000 scores", "exact_auc", "", 20_020_000),
    ("planted, 1,000,000 rows", "generate", "", 1_000_000),
    ("train --dry-run", "dry-run", "100 k users", 0),
]


def write_folder(folder: Path, users: int, items: int, interactions: int) -> None:
    """Write random clicks as the files that users have."""
    data = power_law(users, items, interactions)
    (folder / "features").mkdir(parents=True)
    data.interactions.to_parquet(folder / "interactions.parquet", index=False)
    for name, table in data.features.items():
        held = table.present
        np.savez(folder / "features" / f"{name}.npz", item_id=data.items[held], values=table.values[held])


def measure(tree: Path, part: str, folder: Path, size: int, limit: float) -> dict[str, Any]:
    """Run one part in the version that lies in ``tree``."""
    environment = {**os.environ, **dict.fromkeys(THREAD_VARIABLES, "1"), "PYTHONPATH": str(tree), "HYPERCTR_BATCH": "1"}
    script = Path(__file__).with_name("before_part.py")
    command = [sys.executable, str(script), part, "--folder", str(folder), "--size", str(size)]
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as runs:
        if part == "dry-run":
            environment |= {"HYPERCTR_RUNS": runs}
            train = ["train", "table", "--data-dir", str(folder), "--dry-run", "--device", "cpu"]  # the model: hyperctr
            command = [sys.executable, "-m", "hyperctr", *train]
        try:
            done = subprocess.run(command, cwd=tree, env=environment, stdout=subprocess.PIPE, timeout=limit, check=True)
        except subprocess.TimeoutExpired:
            return {"seconds": limit, "ended": True}
    if part == "dry-run":
        return {"seconds": time.perf_counter() - begun}
    return dict(json.loads(done.stdout.decode().splitlines()[-1]))


@contextmanager
def checkout(commit: str) -> Iterator[Path]:
    """Check out a commit of this repository's history into a folder, for a while."""
    with tempfile.TemporaryDirectory() as place:
        tree = Path(place) / "tree"
        try:
            subprocess.run(["git", "worktree", "add", "--detach", str(tree), commit], cwd=ROOT, check=True)
        except subprocess.CalledProcessError as reason:
            raise SystemExit(f"commit {commit} is needed: fetch the whole history (git fetch --unshallow)") from reason
        try:
            yield tree
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", str(tree)], cwd=ROOT)


def main() -> None:
    """Measure, print and write to --out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--limit", type=float, default=300.0, help="seconds a measurement may take")
    parser.add_argument("--only", nargs="+", default=[], help="parts, as in before_part.py; dry-run")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    rows = []
    with checkout(BEFORE) as before, tempfile.TemporaryDirectory() as place:
        for what, part, shape, size in MEASURED:
            if options.only and part not in options.only:
                continue
            folder = Path(place) / shape
            if shape and not folder.exists():
                write_folder(folder, *SHAPES[shape])
            row: dict[str, Any] = {"what": what, "data": shape}
            for name, tree in (("before", before), ("now", ROOT)):
                answer = measure(tree, part, folder, size, options.limit)
                row |= {f"{key}_{name}": value for key, value in answer.items()}
                print(f"{what}, {shape or '-'}, {name}: {answer}", flush=True)
            row["times_faster"] = row["seconds_before"] / row["seconds_now"]
            rows.append(row)
            frame = pd.DataFrame(rows).drop(columns=["train_clicks_now"], errors="ignore")
            frame = frame.rename(columns={"train_clicks_before": "train_clicks"})
            if options.out:  # after each: the whole takes half an hour
                write_atomic(options.out, frame.to_csv(index=False, float_format="%.6g"))
    print(frame.to_string(index=False))


if __name__ == "__main__":
    main()
