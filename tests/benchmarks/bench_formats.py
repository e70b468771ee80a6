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
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd
import psutil

from hyperctr.data.registry import load_dataset
from hyperctr.errors import DataWarning
from hyperctr.runtime import write_atomic
from tests.data.scaled import SCALED, World

GENUINE = {"movielens-csv": "raw", "kuaishou-challenge": "kuaishou-fragment"}
STEPS = ("import", "check", "train", "predict", "report")
PAIRS = 1000


def run(arguments: list[str], folder: Path, environment: dict[str, str]) -> tuple[str, float, float]:
    """Run one command of hyperctr; return what it printed, its wall seconds, and MiB at its worst moment.

    Raises:
        RuntimeError: it did not succeed; holds what it said.
    """
    begin = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "hyperctr", *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    peaks, ended = [0.0], threading.Event()
    watcher = threading.Thread(target=_watch, args=(process.pid, peaks, ended))
    watcher.start()
    said, _ = process.communicate()
    seconds = time.perf_counter() - begin
    ended.set()
    watcher.join()
    if process.returncode:
        raise RuntimeError(f"hyperctr {' '.join(arguments)}: exit code {process.returncode}\n{said[-4000:]}")
    return said, seconds, peaks[0]


def _watch(pid: int, peaks: list[float], ended: threading.Event) -> None:
    """Keep the most memory that a process and its children held together, in MiB; what they share counts once."""
    while not ended.wait(0.05):
        with suppress(psutil.Error):
            top = psutil.Process(pid)
            peaks[0] = max(peaks[0], sum(_own_mib(process) for process in [top, *top.children(recursive=True)]))


def _own_mib(process: psutil.Process) -> float:
    """Return the memory of a process, its share of what it has in common with others, where the system tells."""
    with suppress(psutil.Error):
        held = process.memory_full_info()
        return float(getattr(held, "pss", held.rss)) / 2**20
    return 0.0


def releases(rows: int, genuine: Path | None, only: list[str], folder: Path) -> Iterator[tuple[str, str, Path]]:
    """Yield the layout, what is read, and the folder where it lies as released."""
    for name, place in GENUINE.items():
        if genuine is not None and (genuine / place).is_dir() and (not only or name in only):
            yield name, "genuine", genuine / place
    world = World(rows)
    for name, write in SCALED.items():
        if not only or name in only:
            write(folder / name, world)
            yield name, "as published", folder / name


def steps(name: str, raw: Path, folder: Path, notebook: str) -> dict[str, Any]:
    """Go through all steps with one release; return what there is to tell of it."""
    environment = {**os.environ, "HYPERCTR_RUNS": str(folder / "runs"), "HYPERCTR_DATA": str(folder / "data")}
    took: dict[str, Any] = {}

    def typed(step: str, *arguments: str) -> str:
        said, took[f"{step}_seconds"], took[f"{step}_mib"] = run([*arguments], folder, environment)
        return said

    data_set = str(raw / "mine")
    if name != "table":  # which is what the others become
        typed("import", "data", "import", str(raw), "--out", "imported")
        data_set = "imported"
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
    parser.add_argument("--notebook", default="10", help="of the report")
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
