"""What `make report` takes in a bare clone after its set-up: wall time, and CPU time of the whole machine.

    python -m tests.benchmarks.bench_report --out report.csv

The last commit of this checkout is cloned into a temporary folder, where its environment is set up (timed apart), with
an empty run store. CPU seconds are those of everything that the machine did meanwhile: on a busy one they are too many.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pandas as pd
import psutil

from hyperctr.runtime import duration, write_atomic

ROOT = Path(__file__).resolve().parents[2]
BUSY = ("user", "nice", "system", "irq", "softirq")


def bare_environment(runs: Path) -> dict[str, str]:
    """Return the variables of this process without those that choose code, make's settings, threads or places."""
    makes = re.findall(r"^(\w+)\s*\?=", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    left_out = {*makes, "PRESET", "MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES", "MAKELEVEL", "PYTHONPATH", "VIRTUAL_ENV"}
    left_out |= {name for name in os.environ if name.startswith(("HYPERCTR_", "OMP_", "MKL_"))} - {"HYPERCTR_TORCH"}
    return {name: text for name, text in os.environ.items() if name not in left_out} | {"HYPERCTR_RUNS": str(runs)}


def machine_cpu_seconds() -> float:
    """Return the CPU seconds that all processes of the machine have had since it was started."""
    times = psutil.cpu_times()
    return float(sum(getattr(times, name, 0.0) for name in BUSY))


def timed(command: list[str], folder: Path, environment: dict[str, str]) -> dict[str, float]:
    """Run a command to its end and return what it took; stop if it fails."""
    began, cpu = time.perf_counter(), machine_cpu_seconds()
    subprocess.run(command, cwd=folder, env=environment, check=True)
    return {"wall_seconds": time.perf_counter() - began, "cpu_seconds": machine_cpu_seconds() - cpu}


def what_was_made(report: Path) -> dict[str, Any]:
    """Count the notebooks and the finished runs of a report, and the seconds of these runs, several at a time."""
    runs = pd.read_csv(report / "runs.csv")
    return {
        "notebooks": len(list(report.glob("[0-9]*.html"))),
        "runs": int((runs["state"] == "done").sum()),
        "training_seconds": runs["seconds"].sum(),
    }


def main() -> None:
    """Clone, set up, time the report, print and write to --out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        clone, environment = Path(place) / "hyperctr", bare_environment(Path(place) / "runs")
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        setup = timed([sys.executable, "tools/bootstrap.py"], clone, environment)
        make = ["make", "report", f"PYTHON={sys.executable}"]  # another version would set up anew
        row: dict[str, Any] = {"what": "make report", **timed(make, clone, environment)}
        row |= what_was_made(clone / "reports" / "out" / "planted" / "quick") | {"setup_seconds": setup["wall_seconds"]}
    print(f"make report: {duration(row['wall_seconds'])}, CPU of the machine {duration(row['cpu_seconds'])}; {row}")
    if options.out:
        write_atomic(options.out, pd.DataFrame([row]).to_csv(index=False, float_format="%.6g"))


if __name__ == "__main__":
    main()
