"""`hyperctr sweep`: many runs from one plan, what became of them, and a search for settings."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from hyperctr.cli.parser import PRESETS, Commands, Parser, command, command_group, with_data_dir

if TYPE_CHECKING:
    from hyperctr.sweeps.plan import Plan


def add_commands(commands: Commands) -> None:
    """Add ``sweep run``, ``sweep status`` and ``sweep search``."""
    actions = command_group(commands, "sweep", "run a plan of many runs, look how it stands, or search for settings")
    run = command(actions, "run", run_sweep, "train what is missing of a plan; 1 if anything is not done in the end")
    _with_plan(run)
    _with_workers(run)
    run.add_argument("--only", choices=("failed",), help="only runs that failed or were killed")
    run.add_argument("--dry-run", action="store_true", help="print runs, what is done, minutes and memory; train none")
    text = "run on the dask.distributed scheduler there, for example tcp://10.0.0.1:8786 (extra: cluster)"
    run.add_argument("--scheduler", metavar="ADDRESS", help=text)

    status = command(actions, "status", run_status, "print the state of every run of a plan")
    _with_plan(status)

    search = command(actions, "search", run_search, "search settings by validation AUC (extra: search)")
    text = "the search: search (the paper's grid), or a TOML file (default: search)"
    search.add_argument("plan", metavar="SEARCH.toml|NAME", nargs="?", default="search", help=text)
    _with_data(search)
    _with_workers(search)
    search.add_argument("--seeds", type=int, default=0, metavar="N", help="how many seeds a trial is the mean of")
    search.add_argument("--trials", type=int, metavar="N", help="trials in all, those done before included")


def _with_plan(sub: Parser) -> None:
    sub.add_argument("plan", metavar="PLAN.toml|NAME", help="a plan of the library, or a file; see reports/sweeps")
    _with_data(sub)
    sub.add_argument("--seeds", type=int, default=0, metavar="N", help="how many seeds (default: as the preset says)")


def _with_data(sub: Parser) -> None:
    sub.add_argument("--dataset", metavar="D", help="data set (default: those the preset names, else planted)")
    sub.add_argument("--preset", choices=PRESETS, default="quick", help="size of the runs (default: quick)")
    with_data_dir(sub)


def _with_workers(sub: Parser) -> None:
    sub.add_argument("--workers", type=int, metavar="N", help="runs at once (default: one per core, or one per GPU)")
    sub.add_argument("--share-gpu", action="store_true", help="allow more than one run on a GPU")
    sub.add_argument("--device", metavar="D", help="cpu, cuda, cuda:N or mps (default: the best there is)")
    text = "start nothing after so many minutes and stop what is running; the same command goes on later"
    sub.add_argument("--max-minutes", type=float, metavar="M", help=text)


def _open(options: argparse.Namespace) -> list[Plan]:
    from hyperctr.sweeps.plan import open_plan, read_plan

    datasets = [options.dataset] if options.dataset else read_plan(options.plan).presets[options.preset].datasets
    return [
        open_plan(options.plan, dataset, options.preset, seeds=options.seeds, data_dir=options.data_dir or "")
        for dataset in datasets
    ]


def run_sweep(options: argparse.Namespace) -> int:
    """Carry out a plan, or say what that would take."""
    plans = _open(options)
    chosen = {"workers": options.workers, "share_gpu": options.share_gpu, "device": options.device}
    if options.dry_run:
        from hyperctr.sweeps.estimate import describe, estimate

        print(describe(estimate(plans, **chosen)))
        return 0
    from hyperctr.sweeps.local import run_plans

    outcome = run_plans(
        plans, only=options.only, max_minutes=options.max_minutes, scheduler=options.scheduler, **chosen
    )
    print(outcome)
    return outcome.exit_code


def run_status(options: argparse.Namespace) -> int:
    """Print a line per run: state, how far it is, test AUC, error."""
    from hyperctr.sweeps.progress import epoch_of
    from hyperctr.sweeps.results import results

    for plan in _open(options):
        frame = results(plan)
        print(f"{plan.file.title}: {plan.data.name}, preset {plan.preset}")
        for row, run in zip(frame.to_dict("records"), plan.runs, strict=True):
            what = f"{row['auc']:.4f}" if row["state"] == "done" else row["error"]
            if row["state"] in ("running", "killed", "planned") and epoch_of(run.run_id):
                what = f"epoch {epoch_of(run.run_id):.1f} of at most {run.config.epochs} {what}".rstrip()
            print(f"  {run.run_id}  {row['state']:<8} {run.label:<28} seed {run.seed}  {what}".rstrip())
    return 0


def run_search(options: argparse.Namespace) -> int:
    """Search settings on validation AUC; 1 if no trial could be finished."""
    from hyperctr.sweeps.search import open_search

    search = open_search(
        options.plan, options.dataset or "planted", options.preset, seeds=options.seeds, data_dir=options.data_dir or ""
    )
    outcome = search.run(
        options.trials,
        workers=options.workers,
        max_minutes=options.max_minutes,
        share_gpu=options.share_gpu,
        device=options.device,
    )
    print(outcome)
    frame = search.frame()
    print(frame.head(10).to_string(index=False) if len(frame) else "no trial is finished")
    return outcome.exit_code
