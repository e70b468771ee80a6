"""`hyperctr doctor` and `hyperctr data`: what the machine has, which data sets there are, and whether one is valid."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

from hyperctr.cli.media import add_actions as add_media
from hyperctr.cli.parser import Commands, command, command_group, open_dataset, with_data_dir, with_options


def add_commands(commands: Commands) -> None:
    """Add ``doctor``, and ``data`` with its actions."""
    with_data_dir(command(commands, "doctor", run_doctor, "versions, device, data: what is missing, the line to type"))
    actions = command_group(commands, "data", "data sets: list, check, import, export, make features")
    with_data_dir(command(actions, "list", run_list, "list the known data sets, and which are ready"))
    check = command(actions, "check", run_check, "list all that is wrong with a data set, or what a model will find")
    check.add_argument("dataset", metavar="NAME|FOLDER")
    with_options(check)
    add_media(actions)
    command(actions, "formats", run_formats, "list the public layouts that are read, and how to get their files")
    add = command(actions, "import", run_import, "read a public data set as released; write the `table` layout")
    add.add_argument("folder", type=Path, metavar="FOLDER", help="where its files were unpacked to")
    add.add_argument("--as", dest="form", default="", metavar="FORMAT", help="the layout, where files do not tell")
    add.add_argument("--out", type=Path, metavar="DIR", help="folder to make (default: its name in the data directory)")
    add.add_argument("--click", default="", metavar="RULE", help="what a click is, as 'rating >= 4'")
    text = "options of the format; on_bad_rows=skip leaves out rows that do not fit"
    add.add_argument("--option", action="append", default=[], metavar="key=value", help=text + "; may be repeated")
    with_data_dir(add)
    give = command(actions, "export", run_export, "write a data set as a `table`, or as RecBole and MMRec read it")
    give.add_argument("dataset", metavar="NAME|FOLDER")
    give.add_argument("--as", dest="layout", choices=("table", "recbole", "mmrec"), default="table", help="the layout")
    give.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to make")
    give.add_argument("--seed", type=int, metavar="N", help="of the split that peers get (default: 0)")
    with_options(give)


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

    every = known_datasets(options.data_dir)
    width = max(len(known.name) for known in every) + 2
    for known in every:
        print(f"{known.name:<{width}}{'ready' if known.ready else '-':<8}{known.description}")
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
    from hyperctr.data.options import parse_options
    from hyperctr.data.registry import data_directory

    base, settings = data_directory(options.data_dir), parse_options(options.option)
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
    what = shlex.quote(str(done.folder))
    if done.folder == (base / done.name).absolute():
        what = done.name + (f" --data-dir {shlex.quote(str(base))}" if options.data_dir else "")
    vectors = "" if done.modalities else " Put vectors there (docs/own-data.md), then type:"
    print(f"\nWritten to {done.folder}.{vectors or ' Next:'}\n  hyperctr data check {what}")
    print(f"  hyperctr train {what} --budget quick\n  hyperctr report {what}")
    return 0


def run_export(options: argparse.Namespace) -> int:
    """Write a data set in another layout; print what was written and what was left out."""
    from hyperctr.data.exporting import export
    from hyperctr.data.splits import split

    data = open_dataset(options)
    made = export(data, options.out, options.layout, None if options.seed is None else split(data, seed=options.seed))
    print(f"{made.rows:,} of {len(data.clicked):,} rows of {data.name} were written to {made.folder} as {made.layout}")
    for note in made.notes:
        print(f"note: {note}")
    if made.layout == "table":
        print(f"Next:\n  hyperctr data check '{made.folder}'")
    return 0


def _shown(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.4f}" if isinstance(value, float) else str(value)
