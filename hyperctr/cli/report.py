"""`hyperctr report`: the notebooks, run in one batch, as an offline site."""

from __future__ import annotations

import argparse
from pathlib import Path

from hyperctr.cli.parser import Commands, command, with_budget, with_data_dir


def add_commands(commands: Commands) -> None:
    """Add ``report``."""
    report = command(commands, "report", run_report, "run the report notebooks; write an offline site")
    report.add_argument("dataset", metavar="DATASET")
    with_budget(report)
    report.add_argument(
        "--seeds", type=int, default=0, metavar="N", help="seeds of each run (default: as the budget says)"
    )
    report.add_argument("--workers", type=int, metavar="N", help="runs, and notebooks, at once (default: one per core)")
    text = "only notebooks whose names begin so, for example 12; the others are kept as they were"
    report.add_argument("--only", nargs="+", action="extend", metavar="NAME", help=text)
    text = "run notebooks again of which nothing has changed; finished runs are kept"
    report.add_argument("--force", action="store_true", help=text)
    report.add_argument("--out", type=Path, metavar="FOLDER", help="default: reports/out/DATASET/BUDGET")
    with_data_dir(report)


def run_report(options: argparse.Namespace) -> int:
    """Bring the report up to date; 1 if any notebook or run failed."""
    from hyperctr.report.build import build_report

    report = build_report(
        options.dataset,
        options.budget,
        seeds=options.seeds,
        data_dir=options.data_dir,
        out=options.out,
        only=options.only,
        workers=options.workers,
        force=options.force,
    )
    print(report)
    return report.exit_code
