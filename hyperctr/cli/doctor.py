"""`hyperctr doctor`: what the machine has, and the line to type for what it lacks."""

from __future__ import annotations

import argparse

from hyperctr.cli.parser import Commands, command, with_data_dir


def add_commands(commands: Commands) -> None:
    """Add ``doctor``."""
    with_data_dir(command(commands, "doctor", run_doctor, "versions, device, data: what is missing, the line to type"))


def run_doctor(options: argparse.Namespace) -> int:
    """Print what the machine has; 1 if the install cannot work."""
    from hyperctr.doctor import examine, healthy

    findings = examine(options.data_dir)
    for finding in findings:
        print(finding)
    works = healthy(findings)
    print("\nThe install works." if works else "\nThe install cannot work: see the lines marked X.")
    return 0 if works else 1
