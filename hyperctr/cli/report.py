"""`hyperctr report`: the notebooks, run in one batch, as an offline site."""

from __future__ import annotations

import argparse

from hyperctr.cli.parser import PRESETS, Commands, command, with_data_dir


def add_commands(commands: Commands) -> None:
    """Add ``report``."""
    report = command(commands, "report", run_report, "run the report notebooks; write an offline site")
    report.add_argument("dataset", metavar="DATASET")
    report.add_argument("--preset", choices=PRESETS, default="quick", help="size of the runs")
    with_data_dir(report)


def run_report(options: argparse.Namespace) -> int:
    """Render the report; 1 if any notebook failed."""
    from hyperctr.reporting.report import build_report

    report = build_report(options.dataset, options.preset, data_dir=options.data_dir)
    print(report)
    return report.exit_code
