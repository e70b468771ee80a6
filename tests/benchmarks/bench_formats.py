"""What a user does with each public layout, as typed in a terminal: import, check, train, predict, report.

    python -m tests.benchmarks.bench_formats --out formats.csv [--genuine /path/to/downloads] [--only mmrec kuairec]

A release is written with some thousand rows of ``planted`` after the published layout (``tests/data/scaled.py``). With
``--genuine`` releases that lie in its subfolders are read as well: ``raw`` (MovieLens latest-small with MMTF-14K
features), ``kuaishou-fragment``. Each step is a process of its own, with what it starts: wall seconds, and their memory
at the worst moment. Training is of two epochs at budget smoke; the report is that of one notebook, with all runs it
shows. Anything but exit code 0 stops the benchmark.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from hyperctr.data.registry import load_dataset
from hyperctr.errors import DataWarning
from hyperctr.runtime import write_atomic
from tests.benchmarks.measuring import run_measured
from tests.data.scaled import SCALED
from tests.data.world import World

GENUINE = {"movielens-csv": "raw", "kuaishou-challenge": "kuaishou-fragment"}
STEPS = ("import", "check", "train", "predict", "report")
PAIRS = 1000


def releases(rows: int, genuine: Path | None, only: list[str], folder: Path) -> Iterator[tuple[str, str, Path]]:
    """Yield the layout, what is read, and the folder where it lies as released."""
    for name, place in GENUINE.items():
        if genuine is not None and (genuine / place).is_dir() and (not only or name in only):
            yield name, "genuine rows, invented vectors" if name == "kuaishou-challenge" else "genuine", genuine / place
    world = World(rows)
    for name, write in SCALED.items():
        if not only or name in only:
            write(folder / name, world)
            what = "written as published"
            yield name, f"{what}, invented vectors" if name == "kuaisar" else what, folder / name


def put_vectors(folder: Path) -> None:
    """Write a file of 16 numbers for each item where a release has no vectors, as its user has to."""
    if not list((folder / "features").iterdir()):
        items = np.unique(pd.read_parquet(folder / "interactions.parquet", columns=["item_id"])["item_id"])
        values = np.random.default_rng(0).normal(size=(len(items), 16)).astype(np.float32)
        np.savez(folder / "features" / "visual.npz", item_id=items, values=values)


def steps(name: str, raw: Path, folder: Path, notebook: str) -> dict[str, Any]:
    """Go through all steps with one release; return what there is to tell of it."""
    environment = {**os.environ, "HYPERCTR_RUNS": str(folder / "runs"), "HYPERCTR_DATA": str(folder / "data")}
    took: dict[str, Any] = {}

    def typed(step: str, *arguments: str) -> str:
        line = [sys.executable, "-m", "hyperctr", *arguments]
        said, took[f"{step}_seconds"], took[f"{step}_mib"] = run_measured(line, folder, environment)
        return said

    data_set = str(raw / "mine")
    if name != "table":  # which is what the others become
        typed("import", "data", "import", str(raw), "--out", "imported")
        data_set = "imported"
        put_vectors(folder / data_set)
    typed("check", "data", "check", data_set)
    settings = ["--budget", "smoke", "--set", "epochs=2"]
    run_id, *_, auc = typed("train", "train", data_set, *settings).splitlines()[-1].split()
    place = folder / data_set  # an absolute path stays as it is
    with warnings.catch_warnings(action="ignore", category=DataWarning):
        data = load_dataset(str(place))
    rows = data.interactions.iloc[-PAIRS:]
    rows[["user_id", "item_id"]].to_csv(folder / "pairs.csv", index=False)
    typed("predict", "predict", run_id, "--pairs", "pairs.csv", "--out", "scores.csv")
    scores = pd.read_csv(folder / "scores.csv")["score"]
    assert len(scores) == len(rows) and scores.between(0, 1).all()
    typed("report", "report", data_set, "--budget", "smoke", "--only", notebook)
    made = {"rows": len(data.timestamp), "clicks": int(data.clicked.sum()), "users": data.num_users}
    made |= {"items": data.num_items, "modalities": " ".join(data.modalities), "test_auc": float(auc)}
    return made | took


def main() -> None:
    """Measure, print and write to --out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=9000, help="rows of a release that is written here")
    parser.add_argument("--genuine", type=Path, help="folder with releases as downloaded")
    parser.add_argument("--only", nargs="+", default=[], metavar="FORMAT")
    parser.add_argument("--notebook", default="03", help="of the report")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    measured: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as top:
        genuine = options.genuine.absolute() if options.genuine else None
        for number, (name, what, raw) in enumerate(releases(options.rows, genuine, options.only, Path(top, "raw"))):
            folder = Path(top, f"{number}-{name}")
            folder.mkdir()
            row = {"format": name, "read": what, **steps(name, raw, folder, options.notebook)}
            row["peak_mib"] = max(row.pop(f"{step}_mib", 0) for step in STEPS)
            measured.append(row)
            took = ", ".join(f"{step} {row.get(f'{step}_seconds', 0):.1f}" for step in STEPS)
            print(f"{name} ({what}): {row['rows']:,} rows, {took} s, {row['peak_mib']:.0f} MiB", flush=True)
    if options.out:
        write_atomic(options.out, pd.DataFrame(measured).to_csv(index=False, float_format="%.6g"))


if __name__ == "__main__":
    main()
