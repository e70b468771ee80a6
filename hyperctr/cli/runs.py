"""`hyperctr runs`: what lies in the run store, why a run is stale, and how two runs differ."""

from __future__ import annotations

import argparse
from typing import Any

from hyperctr.cli.parser import Commands, command

LINE = "{:<14}{:<9}{:<30}{:<14}{:>4}  {:>8} {:>8}  {}"


def add_commands(commands: Commands) -> None:
    """Add ``runs`` and its actions; without an action it lists."""
    runs = command(commands, "runs", run_list, "list the run store; say why a run is stale; compare two runs")
    actions = runs.add_subparsers(title="actions", metavar="ACTION")
    command(actions, "list", run_list, "id, state, model, data set, seed, test AUC, seconds and time of every run")
    stale = command(actions, "why-stale", run_why_stale, "print the one thing that changed since a run was trained")
    stale.add_argument("run_id", metavar="RUN")
    pair = command(actions, "compare", run_compare, "settings and metrics in which two runs differ, with an interval")
    pair.add_argument("a", metavar="A")
    pair.add_argument("b", metavar="B")


def run_list(options: argparse.Namespace) -> int:
    """Print the runs, the newest first, and why those failed that did."""
    from hyperctr.runs.states import list_runs
    from hyperctr.runs.store import runs_folder

    table = list_runs()
    if table.empty:
        print(f"no runs in {runs_folder()}; train one with `hyperctr train planted`")
        return 0
    print(LINE.format("id", "state", "model", "data set", "seed", "test AUC", "seconds", "when"))
    for row in table.to_dict("records"):
        texts = [row["id"], row["state"], _text(row["model"]), _text(row["dataset"])]
        numbers = [_text(row["seed"], ".0f"), _text(row["auc"], ".4f"), _text(row["seconds"], ".0f")]
        print(LINE.format(*texts, *numbers, str(row["when"] or "")[:16].replace("T", " ")).rstrip())
        if row["state"] == "failed":
            print(f"{'':<14}{_text(row['error'])}")
    return 0


def run_why_stale(options: argparse.Namespace) -> int:
    """Print what changed, or that nothing did."""
    from hyperctr.runs.stale import why_stale

    print(why_stale(options.run_id) or "nothing has changed: the run is what would be trained now")
    return 0


def run_compare(options: argparse.Namespace) -> int:
    """Print differing settings, the metrics of both, and the paired difference of the test AUC."""
    from hyperctr.errors import RunError
    from hyperctr.runs.compare import compare_runs, differing_settings, metric_differences
    from hyperctr.runs.run import load_run

    a, b = load_run(options.a), load_run(options.b)
    settings = differing_settings(a, b)
    print("same settings" if settings.empty else settings.to_string(index=False))
    print(f"\n{metric_differences(a, b).to_string(index=False, na_rep='-', float_format='{:.4f}'.format)}\n")
    try:
        interval = compare_runs(a, b)
    except RunError as error:
        print(f"no paired interval: {error}")
        return 0
    print(f"test AUC of {a.id} minus {b.id}: {interval}, paired over {interval.users} users")
    return 0


def _text(value: Any, form: str = "") -> str:
    return "-" if value is None or value != value else format(value, form)
