"""`hyperctr doctor` and `hyperctr data`: what the machine has, which data sets there are, and whether one is valid."""

from __future__ import annotations

import argparse
import sys

from hyperctr.cli.parser import Commands, command, command_group, with_data_dir, with_options


def add_commands(commands: Commands) -> None:
    """Add ``doctor``, and ``data`` with its actions."""
    with_data_dir(command(commands, "doctor", run_doctor, "versions, device, data: what is missing, the line to type"))
    actions = command_group(commands, "data", "list the known data sets, or check one")
    with_data_dir(command(actions, "list", run_list, "list the known data sets, and which are ready"))
    check = command(actions, "check", run_check, "list all that is wrong with a data set, or what a model will find")
    check.add_argument("dataset", metavar="NAME|FOLDER")
    with_options(check)


def run_doctor(options: argparse.Namespace) -> int:
    """Print what the machine has; 1 if the install cannot work."""
    from hyperctr.doctor import examine, healthy

    findings = examine(options.data_dir)
    works = healthy(findings)
    print(*findings, sep="\n")
    print("\nThe install works." if works else "\nThe install cannot work: see the lines marked X.")
    return 0 if works else 1


def run_list(options: argparse.Namespace) -> int:
    """Print the known data sets, one a line, and whether they can be loaded as things stand."""
    from hyperctr.data.registry import known_datasets

    for known in known_datasets(options.data_dir):
        print(f"{known.name:<16}{'ready' if known.ready else '-':<8}{known.description}")
    return 0


def run_check(options: argparse.Namespace) -> int:
    """Print Table 1's row, what a model will find and all warnings; or all faults, and return 1."""
    from hyperctr.paper.numbers import published_statistics
    from hyperctr.runs.data_report import check_data

    report = check_data(options.dataset, options.data_dir, options.data_options)
    published = published_statistics(report.name)
    beside = {**published, "sparsity": published.get("sparsity_percent", 0.0) / 100 or None}
    beside |= {f"{name}_dim": published.get(name) for name in ("visual", "acoustic", "textual")}
    for name, value in report.facts.items():
        paper = f"   paper: {_shown(beside[name])}" if published and beside.get(name) is not None else ""
        print(f"{name:<24}{_shown(value)}{paper if name != 'dataset' else ''}")
    for warning in report.warnings:
        print(f"warning: {warning}")
    for fault in report.faults:
        print(f"fault: {fault}")
    if report.faults:
        count = f"{len(report.faults):,} fault{'s' if len(report.faults) > 1 else ''}"
        print(f"hyperctr: {count} in {options.dataset}, listed above", file=sys.stderr)
    return 1 if report.faults else 0


def _shown(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.4f}" if isinstance(value, float) else str(value)
