"""Run the benchmarks and keep what they measured: ``make bench``, ``make bench ONLY=training SIZES=100000,1000000``.

Each writes a table to reports/results/benchmarks/<name>.csv; columns that say where, with what and by which command it
was measured are added here. ``report``, ``inspector``, ``before``, ``rounds``, ``formats`` and ``import`` run only
where ``--only`` names them; verdicts.csv and gpu.csv are written by scripts of their own (bench_verdicts.py, gpu.sh).
The figure of cost against size is drawn from the table of ``training``; docs/benchmarks.md shows all.
"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from bench_figure import cost_figure  # noqa: E402
from result_pages import pages  # noqa: E402

from hyperctr import __version__  # noqa: E402
from hyperctr.report.images import write_images  # noqa: E402
from hyperctr.runs.scaling import busy_cores, machine_facts  # noqa: E402
from hyperctr.runs.source import code_fingerprint  # noqa: E402
from hyperctr.runtime import duration, write_atomic  # noqa: E402

RESULTS = ROOT / "reports" / "results" / "benchmarks"
# A line each; a benchmark writes a CSV table to --out. {sizes} are numbers of interactions, {peers} is a folder.
BENCHMARKS = {
    "training": "-m tests.benchmarks.bench_training --sizes {sizes} --seconds 5 --peer-env {peers}",
    "profile": "-m tests.benchmarks.bench_profile --sizes {sizes}",
    "scale": "-m tests.benchmarks.bench_scale --users 6000 --items 3000 --interactions 300000 --turns 1 --seconds 5",
    "data": "-m tests.benchmarks.bench_data --rows {sizes}",
    "evaluation": "-m tests.benchmarks.bench_evaluation",
    "purity": "-m tests.benchmarks.bench_purity",
    "exact-auc": "-m tests.benchmarks.bench_evaluation --only exact_auc --scores 100000000",
    "scoring": (
        "-m tests.benchmarks.bench_evaluation --only scoring --clicks 1200000 --positives 100000"
        " --naive-positives 1024 --rounds 1"
    ),
    "convolution-movielens": "-m tests.benchmarks.bench_convolution --shape movielens --rounds 7",
    "convolution-kuaishou": "-m tests.benchmarks.bench_convolution --shape kuaishou --rounds 5 --pyg-rounds 2",
}
# Run only where they are named: they take long, or need what not everybody has (the history of the repository, a
# data set). {data} is --data-dir of ml-trailers or nothing, {genuine} the same folder of releases as downloaded.
ON_REQUEST = {
    "report": "-m tests.benchmarks.bench_report",
    "inspector": "-m tests.benchmarks.bench_inspector",
    "before": "-m tests.benchmarks.bench_before",
    "rounds": "-m tests.benchmarks.bench_rounds {data}",
    "formats": "-m tests.benchmarks.bench_formats {genuine}",
    "import": "-m tests.benchmarks.bench_import --dims 64 2048",
}
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hyperctr" / "peers"


def run(name: str, choices: dict[str, str]) -> bool:
    """Run one benchmark and write its table; tell whether it succeeded."""
    template = (BENCHMARKS | ON_REQUEST)[name]
    command = template.format(**choices)
    named = {"data": "--data-dir DATA", "genuine": "--genuine DATA"}
    named = {key: text if choices.get(key) else "" for key, text in named.items()}
    kept = template.format(**choices | {"peers": "PEER_ENV"} | named).strip()  # no place of this machine
    busy, begun = busy_cores(1.0), time.monotonic()
    print(f"\n== {name}: python {command}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / f"{name}.csv"
        done = subprocess.run([sys.executable, *shlex.split(command), "--out", str(out)], cwd=ROOT)
        if done.returncode or not out.exists():
            print(f"{name} failed with exit code {done.returncode}; its table stays as it was")
            return False
        frame = pd.read_csv(out)
    facts = {**machine_facts(), "busy_cores": round(busy, 2), "hyperctr": __version__}
    facts |= {"code": code_fingerprint("hyperctr")[:8], "command": f"python {kept}"}
    frame = frame.assign(**facts, date=datetime.now(UTC).date().isoformat())
    write_atomic(RESULTS / f"{name}.csv", frame.to_csv(index=False))
    print(f"{name}: {duration(time.monotonic() - begun)}, {busy:.1f} cores were busy when it began", flush=True)
    return True


def publish() -> None:
    """Draw the figure from the table that is there, and write the page of all tables."""
    table = RESULTS / "training.csv"
    if table.exists():
        write_atomic(RESULTS / "figures" / "training.json", cost_figure(pd.read_csv(table)).chart.to_json())
        print(write_images(RESULTS))
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")


def main() -> int:
    """Run what is asked for; 1 if a benchmark failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    which = f"of these (default: all) {', '.join(BENCHMARKS)}; on request alone: {', '.join(ON_REQUEST)}"
    every = [*BENCHMARKS, *ON_REQUEST]
    parser.add_argument("--only", nargs="+", default=list(BENCHMARKS), choices=every, metavar="NAME", help=which)
    parser.add_argument("--sizes", default="100000,1000000,10000000", help="interactions, separated by commas")
    parser.add_argument("--peer-env", type=Path, default=CACHE, help="folder for the environments of peers")
    parser.add_argument(
        "--data-dir", type=Path, help="of ml-trailers for rounds, of releases as downloaded for formats"
    )
    parser.add_argument("--figure", action="store_true", help="only draw the figure and write the page again")
    options = parser.parse_args()
    choices = {"sizes": options.sizes.replace(",", " "), "peers": shlex.quote(str(options.peer_env.absolute()))}
    for key, option in (("data", "--data-dir"), ("genuine", "--genuine")):
        choices[key] = shlex.join([option, str(options.data_dir.absolute())]) if options.data_dir else ""
    failed = [] if options.figure else [name for name in options.only if not run(name, choices)]
    publish()
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
