"""`hyperctr doctor` and `hyperctr data`: what the machine has, which data sets there are, and whether one is valid."""

from __future__ import annotations

import argparse
import warnings

from hyperctr.cli.media import add_actions as add_media
from hyperctr.cli.parser import Commands, command, command_group, with_data_dir
from hyperctr.errors import DataWarning


def add_commands(commands: Commands) -> None:
    """Add ``doctor``, and ``data`` with its actions."""
    with_data_dir(command(commands, "doctor", run_doctor, "versions, device, data: what is missing, the line to type"))
    actions = command_group(commands, "data", "list the known data sets, or check one")
    with_data_dir(command(actions, "list", run_list, "list the known data sets, and which are ready"))
    check = command(actions, "check", run_check, "validate a data set; print Table 1's row and warnings")
    check.add_argument("dataset", metavar="NAME")
    with_data_dir(check)
    add_media(actions)


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
    """Load a data set, which validates it, and print its row of Table 1 and its warnings."""
    from hyperctr.data.registry import load_dataset

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # they are listed below
        data = load_dataset(options.dataset, data_dir=options.data_dir)
    for name, value in data.table1_row().items():
        shown = f"{value:,}" if isinstance(value, int) else f"{value:.4f}" if isinstance(value, float) else value
        print(f"{name:<20}{shown}")
    print(f"{'fingerprint':<20}{data.fingerprint}")
    for warning in data.warnings:
        print(f"warning: {warning}")
    return 0
