"""`hyperctr sweep` and `hyperctr report`: many runs from one plan, a search for settings, and the report on them."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hyperctr.cli.parser import Commands, command, command_group, with_budget, with_options, with_seeds

if TYPE_CHECKING:
    from hyperctr.sweeps.plan import Plan


def add_commands(commands: Commands) -> None:
    """Add ``sweep run``, ``sweep status``, ``sweep search`` and ``report``."""
    actions = command_group(commands, "sweep", "run a plan of many runs, see where it stands, or search for settings")
    run = command(actions, "run", run_sweep, "train what is missing of a plan; 1 if anything is not done in the end")
    status = command(actions, "status", run_status, "print the state of every run of a plan")
    search = command(actions, "search", run_search, "search settings by validation AUC (extra: search)")
    for sub in (run, status):
        sub.add_argument("plan", metavar="PLAN.toml|NAME", help="a plan of the library, or a file; see reports/sweeps")
        with_seeds(sub)
    text = "the search: search (the paper's grid), or a TOML file (default: search)"
    search.add_argument("plan", metavar="SEARCH.toml|NAME", nargs="?", default="search", help=text)
    with_seeds(search, "how many seeds a trial is the mean of")
    for sub in (run, status, search):
        sub.add_argument(
            "--dataset",
            metavar="D",
            help="data set, its name or a folder of your own (default: those the budget names, else planted)",
        )
        with_budget(sub)
        with_options(sub)
    for sub in (run, search):
        sub.add_argument("--workers", type=int, metavar="N", help="runs at once (default: one per core, or per GPU)")
        sub.add_argument("--share-gpu", action="store_true", help="allow more than one run on a GPU")
        sub.add_argument("--device", metavar="D", help="cpu, cuda, cuda:N or mps (default: the best there is)")
        text = "start nothing after so many minutes and stop what is running; the same command goes on later"
        sub.add_argument("--max-minutes", type=float, metavar="M", help=text)
    search.add_argument("--trials", type=int, metavar="N", help="trials in all, those done before included")
    run.add_argument("--only", choices=("failed",), help="only runs that failed or were killed")
    run.add_argument("--dry-run", action="store_true", help="print runs, what is done, minutes and memory; train none")
    text = "run on the dask.distributed scheduler there, for example tcp://10.0.0.1:8786 (extra: cluster)"
    run.add_argument("--scheduler", metavar="ADDRESS", help=text)

    report = command(commands, "report", run_report, "run the report notebooks; write an offline site")
    report.add_argument("dataset", metavar="DATASET", help="its name, or a folder of your own")
    with_budget(report)
    with_seeds(report)
    report.add_argument("--workers", type=int, metavar="N", help="runs, and notebooks, at once (default: one per core)")
    text = "only notebooks whose names begin so, for example 12; the others are kept as they were"
    report.add_argument("--only", nargs="+", action="extend", metavar="NAME", help=text)
    text = "run notebooks again of which nothing has changed; finished runs are kept"
    report.add_argument("--force", action="store_true", help=text)
    text = "a report that is there is replaced, .FOLDER.cache beside it kept (default: reports/out/NAME/BUDGET)"
    report.add_argument("--out", type=Path, metavar="FOLDER", help=text)
    with_options(report)


def _options(options: argparse.Namespace, *names: str) -> dict[str, Any]:
    return {name: getattr(options, name) for name in names}


def _open(options: argparse.Namespace) -> list[Plan]:
    from hyperctr.sweeps.plan import open_plan, read_plan

    datasets = [options.dataset] if options.dataset else read_plan(options.plan).budgets[options.budget].datasets
    given = {"seeds": options.seeds, "data_dir": options.data_dir or "", "data_options": options.data_options}
    return [open_plan(options.plan, dataset, options.budget, **given) for dataset in datasets]


def run_sweep(options: argparse.Namespace) -> int:
    """Carry out a plan, or say what that would take."""
    plans = _open(options)
    chosen = _options(options, "workers", "share_gpu", "device")
    if options.dry_run:
        from hyperctr.sweeps.estimate import describe, estimate

        print(describe(estimate(plans, **chosen)))
        return 0
    from hyperctr.sweeps.local import run_plans

    outcome = run_plans(plans, **chosen, **_options(options, "only", "max_minutes", "scheduler"))
    print(outcome)
    return outcome.exit_code


def run_status(options: argparse.Namespace) -> int:
    """Print a line per run: state, how far it is, test AUC, error."""
    from hyperctr.sweeps.progress import epoch_of
    from hyperctr.sweeps.results import results

    for plan in _open(options):
        frame = results(plan)
        print(f"{plan.file.title}: {plan.data.name}, budget {plan.budget}")
        for row, run in zip(frame.to_dict("records"), plan.runs, strict=True):
            what = f"{row['auc']:.4f}" if row["state"] == "done" else row["error"]
            if row["state"] in ("running", "killed", "planned") and epoch_of(run.run_id):
                what = f"epoch {epoch_of(run.run_id):.1f} of at most {run.config.epochs} {what}".rstrip()
            print(f"  {run.run_id}  {row['state']:<8} {run.label:<28} seed {run.seed}  {what}".rstrip())
    return 0


def run_search(options: argparse.Namespace) -> int:
    """Search settings on validation AUC; 1 if no trial could be finished."""
    from hyperctr.sweeps.search import open_search

    given = {"seeds": options.seeds, "data_dir": options.data_dir or "", "data_options": options.data_options}
    search = open_search(options.plan, options.dataset or "planted", options.budget, **given)
    outcome = search.run(options.trials, **_options(options, "workers", "share_gpu", "device", "max_minutes"))
    print(outcome)
    frame = search.frame()
    print(frame.head(10).to_string(index=False) if len(frame) else "no trial is finished")
    return outcome.exit_code


def run_report(options: argparse.Namespace) -> int:
    """Bring the report up to date; 1 if any notebook or run failed."""
    from hyperctr.report.build import build_report

    given = _options(options, "seeds", "data_dir", "data_options", "out", "only", "workers", "force")
    report = build_report(options.dataset, options.budget, **given)
    print(report)
    return report.exit_code
