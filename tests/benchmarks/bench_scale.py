"""What an epoch of training costs with one thing at a time changed: more users, items, clicks, slots; wider; divided.

    python -m tests.benchmarks.bench_scale --out scale.csv

Random power-law data, budget quick. Every row is measured in a process of its own (or in two that torchrun starts), all
of them by turns, so that other load meets all alike; the median of the turns is kept. ``<cost>_times_base`` is a cost
over that of the first row. Memory is the peak of a process that has also validated and kept its best parameters.

Traffic is that of the convolved rows and their gradients: each row that the data have goes once a round from the
process that convolved it to another one, and its gradient back. It is computed from the number of rows; what two
processes really hand over is counted in their row, the gradients of parameters apart.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pandas as pd
import torch
import torch.distributed as dist

from hyperctr import distributed
from hyperctr.config import Config
from hyperctr.distributed import Group
from hyperctr.hypergraph.settings import GraphSettings
from hyperctr.hypergraph.stack import SlotHypergraphs
from hyperctr.model.hyperctr import HyperCTR
from hyperctr.runs.scaling import THREAD_VARIABLES
from hyperctr.runs.scoring import interest_of
from hyperctr.runtime import write_atomic
from hyperctr.training.events import peak_memory_mib
from tests.benchmarks.power_law import DIMS, power_law
from tests.benchmarks.training_turns import CPU, EpochTimer, prepare

ROOT = Path(__file__).resolve().parents[2]
COSTS = ("epoch_seconds", "peak_memory_mib", "hypergraph_seconds", "traffic_gib")


@dataclass(frozen=True)
class Case:
    """A row of the table: the data, the settings and the processes that are measured."""

    what: str
    users: int
    items: int
    interactions: int
    modalities: int = len(DIMS)
    settings: dict[str, Any] = field(default_factory=dict)
    processes: int = 1
    threads: int = 1


def cases(base: Case, config: Config) -> dict[str, Case]:
    """Return the base and what differs from it in one thing, by a short name."""

    def but(what: str, **changes: Any) -> Case:
        settings = base.settings | changes.pop("settings", {})
        return Case(**{**asdict(base), "what": what, **changes, "settings": settings})

    return {
        "base": base,
        "users": but("twice the users, half as active", users=2 * base.users),
        "items": but("twice the items, half as popular", items=2 * base.items),
        "interactions": but("twice the interactions", interactions=2 * base.interactions),
        "slots": but("twice the slots", settings={"slot_months": config.slot_months // 2}),
        "modality": but("one modality", modalities=1),
        "d": but("twice the width d", settings={"embedding_size": 2 * config.embedding_size}),
        "threads": but("two threads", threads=2),
        "processes": but("two processes, a thread each", processes=2),
    }


@contextmanager
def counted(group: Group) -> Iterator[dict[str, float]]:
    """Count the bytes that this process hands to others: those of convolved rows, those of parameters' gradients.

    A sum over N processes passes 2 (N - 1) / N of it on from each of them, as a ring does.
    """
    sent, others = {"rows": 0.0, "gradients": 0.0}, group.size - 1

    def sizes(name: str, given: tuple[Any, ...]) -> float:
        match name:
            case "broadcast":
                return float(given[0].nbytes * others * (given[1] == group.rank))
            case "reduce":
                return float(given[0].nbytes * (given[1] != group.rank))
            case "all_gather":
                return float(given[1].nbytes * others)
        return 2 * others / group.size * given[0].nbytes

    def counting(name: str, kind: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted_call(*given: Any, **options: Any) -> Any:
            sent[kind] += sizes(name, given)
            return call(*given, **options)

        return counted_call

    kinds = {"broadcast": "rows", "reduce": "rows", "all_reduce": "gradients", "all_gather": "gradients"}
    with ExitStack() as patched:
        for name, kind in kinds.items():
            patched.enter_context(patch.object(dist, name, counting(name, kind, getattr(dist, name))))
        yield sent


def sent_an_epoch(timer: EpochTimer, group: Group) -> dict[str, float]:
    """Train a whole round and return the GiB that all processes send in an epoch of such rounds."""
    trainer, number = timer.trainer, len(timer.rounds) - 1
    begin = (timer._epoch + 1) * trainer.steps_per_epoch
    with counted(group) as sent:
        for step in timer.rounds[number]:
            trainer.train_step(begin + step)
    total = group.total(torch.tensor(list(sent.values()), dtype=torch.float64)) * trainer.rounds_per_epoch / 2**30
    return {f"sent_{kind}_gib": float(gib) for kind, gib in zip(sent, total, strict=True)}


def measure(case: Case, seconds: float) -> dict[str, Any] | None:
    """Measure a case in this process, and in those that torchrun has started with it; only the first answers."""
    torch.set_num_threads(case.threads)
    config = Config.for_model("hyperctr", "quick").replace(interest_epochs=0, **case.settings)
    dims = dict(list(DIMS.items())[: case.modalities])
    make = partial(power_law, case.users, case.items, case.interactions, dims=dims)
    with distributed.joined(CPU) as group:
        parts: dict[str, Any] = {}
        # All processes read the first one's clock, so that they train the same rounds.
        timer = prepare(make, config, parts, clock=lambda: group.agreed(time.perf_counter()))
        answer = {"epoch_seconds": timer.seconds_per_epoch(seconds), "peak_memory_mib": peak_memory_mib(CPU)}
        answer |= sent_an_epoch(timer, group) if group.size > 1 else {}
        trainer = timer.trainer
        model, split_data = trainer.model, trainer.split_data
        assert isinstance(model, HyperCTR)
        graphs = model.convolution.needed()
        rows = len(graphs.user_rows.node) + len(graphs.item_rows.node)
        answer["traffic_gib"] = trainer.rounds_per_epoch * 2 * rows * config.embedding_size * 4 / 2**30
        interest, times = interest_of(split_data, config, "cpu"), []
        for _ in range(3):
            begun = time.perf_counter()
            SlotHypergraphs(split_data, interest, GraphSettings.of(config))
            times.append(time.perf_counter() - begun)
        answer["hypergraph_seconds"] = statistics.median(times)
    facts = {"slots": parts["slots"], "d": config.embedding_size, "train_clicks": parts["train_clicks"]}
    facts |= {"rounds_per_epoch": trainer.rounds_per_epoch, "convolved_rows": rows}
    return {**facts, **answer} if group.first else None


def in_processes(case: Case, seconds: float) -> dict[str, Any]:
    """Measure a case in a process, or several, of its own."""
    command = [sys.executable]
    if case.processes > 1:
        command += ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(case.processes)]
    command += ["-m", "tests.benchmarks.bench_scale", "--case", json.dumps(asdict(case)), "--seconds", str(seconds)]
    environment = {**os.environ, **dict.fromkeys(THREAD_VARIABLES, str(case.threads))}
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return dict(json.loads(next(line for line in done.stdout.splitlines() if line.startswith("{"))))


def summary(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Return a row for each case, medians of its turns, and each cost over that of the first case."""
    turns = pd.DataFrame(rows)
    by_case = turns.groupby("what", sort=False)
    names = [name for name in turns.columns if name != "what"]
    frame = by_case[names].median().astype({name: turns[name].dtype for name in names})
    frame.insert(frame.columns.get_loc("epoch_seconds") + 1, "low", by_case["epoch_seconds"].min())
    frame.insert(frame.columns.get_loc("low") + 1, "high", by_case["epoch_seconds"].max())
    for cost in COSTS:
        frame[f"{cost}_times_base"] = frame[cost] / frame[cost].iloc[0]
    return frame.assign(turns=by_case.size()).reset_index()


def main() -> None:
    """Measure all cases by turns, print the table and write it to --out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("users", 20_000), ("items", 10_000), ("interactions", 1_000_000), ("turns", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--seconds", type=float, default=15.0, help="of training that is timed, at least")
    parser.add_argument("--only", nargs="+", default=[], help="short names of cases, beside the base")
    parser.add_argument("--settings", nargs="*", default=[], metavar="KEY=VALUE")
    parser.add_argument("--case", help=argparse.SUPPRESS)  # measured here, its answer printed
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    if options.case:
        if (answer := measure(Case(**json.loads(options.case)), options.seconds)) is not None:
            print(json.dumps(answer), flush=True)
        return
    config = Config.for_model("hyperctr", "quick").with_settings(options.settings)
    changed = {name: getattr(config, name) for name in (text.partition("=")[0] for text in options.settings)}
    base = Case("base", options.users, options.items, options.interactions, settings=changed)
    known = cases(base, config)
    chosen = [case for name, case in known.items() if name in ("base", *(options.only or known))]
    rows = []
    for turn in range(options.turns):
        for case in chosen if turn % 2 == 0 else chosen[::-1]:
            facts = {name: value for name, value in asdict(case).items() if name != "settings"}
            rows.append({**facts, **in_processes(case, options.seconds)})
            print(rows[-1], flush=True)
    frame = summary(rows)
    print(frame.T.to_string(header=False, float_format=lambda value: f"{value:.4g}"))
    if options.out:
        write_atomic(options.out, frame.to_csv(index=False, float_format="%.6g"))


if __name__ == "__main__":
    main()
