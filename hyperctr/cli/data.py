"""`hyperctr doctor` and `hyperctr data`: what the machine has, which data sets there are, and whether one is valid."""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

from hyperctr.cli.media import add_actions as add_media
from hyperctr.cli.parser import Commands, command, command_group, with_data_dir
from hyperctr.errors import ConfigError, DataWarning


def add_commands(commands: Commands) -> None:
    """Add ``doctor``, and ``data`` with its actions."""
    with_data_dir(command(commands, "doctor", run_doctor, "versions, device, data: what is missing, the line to type"))
    actions = command_group(commands, "data", "list the known data sets, or check one")
    with_data_dir(command(actions, "list", run_list, "list the known data sets, and which are ready"))
    check = command(actions, "check", run_check, "validate a data set; print Table 1's row and warnings")
    check.add_argument("dataset", metavar="NAME")
    with_data_dir(check)
    add_media(actions)
    command(actions, "formats", run_formats, "list the public layouts that are read, and how to get their files")
    add = command(actions, "import", run_import, "read a public data set as released; write the `table` layout")
    add.add_argument("folder", type=Path, metavar="FOLDER", help="where its files were unpacked to")
    add.add_argument("--as", dest="form", default="", metavar="FORMAT", help="the layout, where files do not tell")
    add.add_argument("--out", type=Path, metavar="DIR", help="folder to make (default: its name in the data directory)")
    add.add_argument("--click", default="", metavar="RULE", help="what a click is, as 'rating >= 4'")
    text = "options of the format; on_bad_rows=skip leaves out rows that do not fit"
    add.add_argument("--option", nargs="+", action="extend", default=[], metavar="key=value", help=text)
    with_data_dir(add)


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


def run_formats(options: argparse.Namespace) -> int:
    """Print what :func:`run_import` reads."""
    from hyperctr.data.formats import FORMATS

    for form in FORMATS.values():
        print(f"{form.name}\n    {form.about}\n    click: {form.log.click}; no click: {form.log.non_clicks}")
        print(f"    {form.log.clock} clock. {form.get}")
    return 0


def run_import(options: argparse.Namespace) -> int:
    """Import a folder as released; print what was found and the line to type next."""
    from hyperctr.data.importing import import_folder
    from hyperctr.data.registry import SOURCES, data_directory

    settings = {}
    for text in options.option:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            raise ConfigError(f"--option {text!r}: write key=value")
        settings[key.strip()] = value.strip()
    base = data_directory(options.data_dir)
    done = import_folder(options.folder, options.out, options.form, click=options.click, base=base, **settings)
    clock = "calendar" if done.clock == "calendar" else "ordinal: times only tell the order"
    print(f"{'format':<12}{done.form}, called {done.name}")
    print(f"{'rows':<12}{done.rows:,} of {done.users:,} users and {done.items:,} items")
    print(f"{'click':<12}{done.click}: {done.clicks:,} rows")
    print(f"{'non-clicks':<12}{done.rows - done.clicks:,}; {done.non_clicks}")
    print(f"{'clock':<12}{clock}")
    for name, (items, dim) in done.modalities.items():
        print(f"{name:<12}{items:,} items, {dim} numbers each")
    if not done.modalities:
        print(f"{'features':<12}none: put features/<modality>.npz (item_id, values) into {done.folder}")
    if done.skipped:
        print(f"{'skipped':<12}{done.skipped:,} rows that did not fit")
    print(f"{'licence':<12}{done.licence}")
    for note in done.notes:
        print(f"note: {note}")
    by_name = done.name in SOURCES and done.folder == base / done.name
    where = done.name if by_name else "table"
    place = base if by_name else done.folder
    print(f"\nWritten to {done.folder}. Next:\n  hyperctr data check {where} --data-dir '{place}'")
    return 0
