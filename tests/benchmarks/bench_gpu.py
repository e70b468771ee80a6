"""Training on a GPU at the paper's three sizes: epoch, step, memory, share of the memory bandwidth, profile of a step.

    python tests/benchmarks/bench_gpu.py --out gpu.csv --profile gpu_profile.txt --compiled gpu_compiled.csv

The data are random (:mod:`tests.benchmarks.power_law`), with as many users, items and clicks as the paper's. An epoch
is not run whole: its seconds are the mean of the timed rounds times the rounds of an epoch. Bandwidth is that of one
convolution, forward and backward: the bytes its gathers read, over the seconds it took, as a share of what a copy on
the same device reaches in the same run. The profile is that of a step within a round. Last, steps of the first size are
timed by turns as they are and with the token encoder and the prediction network compiled by ``torch.compile``: whether
that pays. On a CPU all sizes are a thousandth and nothing is compiled after tracing, to see that the script works.
"""

from __future__ import annotations

import argparse
import gc
import platform
import time
import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from hyperctr import __version__
from hyperctr.config import Config
from hyperctr.executor import available_cores
from hyperctr.model.convolution import HypergraphConv
from hyperctr.model.hyperctr import HyperCTR
from hyperctr.runs.scoring import build_model, interest_of
from hyperctr.runs.source import code_fingerprint
from hyperctr.runtime import choose_device, write_atomic
from hyperctr.split_data import SplitData
from hyperctr.training.events import peak_memory_mib
from hyperctr.training.loop import Trainer
from tests.benchmarks.power_law import power_law

# Users, items and interactions of the paper's Table 1.
SIZES = {
    "MovieLens-10M": (69_878, 10_681, 5_000_000),
    "MV1.7M": (10_986, 1_704_880, 12_737_619),
    "Kuaishou": (10_000, 3_239_534, 13_661_383),
}
DIMS = {"visual": 128, "acoustic": 64, "textual": 64}


def seconds_of(call: Callable[[], object], device: torch.device, repeats: int) -> float:
    """Return the mean seconds of a call, after one that warms up."""
    call()
    _wait(device)
    started = time.perf_counter()
    for _ in range(repeats):
        call()
    _wait(device)
    return (time.perf_counter() - started) / repeats


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def copy_bandwidth(device: torch.device) -> float:
    """Return what copying a large tensor reads and writes, bytes per second."""
    x = torch.zeros(2**28 if device.type == "cuda" else 2**22, device=device)
    y = torch.empty_like(x)
    return 2 * x.numel() * x.element_size() / seconds_of(lambda: y.copy_(x), device, 10)


def prepare(name: str, scale: int, config: Config, device: torch.device) -> tuple[Trainer, HyperCTR]:
    """Return a trainer of HyperCTR at one size, and its model."""
    users, items, interactions = (max(count // scale, 60) for count in SIZES[name])
    data = power_law(users, items, min(interactions, users * items // 8), dims=DIMS)
    split_data = SplitData.open(data, config)
    model = build_model(split_data, config, interest_of(split_data, config, str(device)), device)
    assert isinstance(model, HyperCTR)
    trainer = Trainer(model, split_data, config, device)
    _wait(device)
    return trainer, model


def measure(name: str, scale: int, config: Config, device: torch.device, rounds: int) -> tuple[dict[str, Any], str]:
    """Train some rounds at one size and return the row of the table and the profile of a step."""
    started = time.perf_counter()
    trainer, model = prepare(name, scale, config, device)
    data = trainer.split_data.data
    row: dict[str, Any] = {"device": device.type, "data": name, "users": data.num_users, "items": data.num_items}
    row["training_clicks"] = len(trainer.rows)
    row["preparation_seconds"] = time.perf_counter() - started

    # Step 1: whole rounds, the first to warm up
    steps = [trainer.schedule.round(0)[1]]
    while len(steps) <= rounds and steps[-1] < trainer.steps_per_epoch:
        steps.append(trainer.schedule.round(steps[-1])[1])
    for step in range(steps[0]):
        trainer.train_step(step)
    _wait(device)
    started = time.perf_counter()
    for step in range(steps[0], steps[-1]):
        trainer.train_step(step)
    _wait(device)
    per_step = (time.perf_counter() - started) / max(steps[-1] - steps[0], 1)
    row |= {"batch": config.batch_size, "steps_per_round": steps[0], "milliseconds_per_step": 1000 * per_step}
    row["epoch_seconds"] = per_step * trainer.steps_per_epoch
    row["examples_per_second"] = config.batch_size * (1 + config.negatives) / per_step

    # Step 2: one convolution of the users' hypergraphs against the bandwidth of a copy
    graphs = model.convolution.graphs
    assert graphs is not None
    H = graphs.assemble(None, graphs.stretches[0])[0]
    layer = HypergraphConv(config.embedding_size, config.embedding_size).to(device)
    x = torch.randn(H.num_nodes, config.embedding_size, device=device, requires_grad=True)
    seconds = seconds_of(lambda: layer(x, H).sum().backward(), device, 5)
    gathered = 4 * H.nnz * (config.embedding_size * 4 + 4)  # up and down, forward and backward: rows and columns
    row |= {"incidences": H.nnz, "convolution_milliseconds": 1000 * seconds}
    row["share_of_copy_bandwidth"] = gathered / seconds / copy_bandwidth(device)
    row["peak_memory_mib"] = peak_memory_mib(device)

    # Step 3: where the time of a step within a round goes
    trainer.train_step(steps[-1])
    activities = [torch.profiler.ProfilerActivity.CPU]
    activities += [torch.profiler.ProfilerActivity.CUDA] if device.type == "cuda" else []
    with torch.profiler.profile(activities=activities) as profile:
        trainer.train_step(steps[-1] + 1)
        _wait(device)
    order = "self_cuda_time_total" if device.type == "cuda" else "self_cpu_time_total"
    return row, profile.key_averages().table(sort_by=order, row_limit=20)


def timed_steps(trainer: Trainer, epoch: int, most: int = 30) -> tuple[float, float]:
    """Return the seconds of the first step of an epoch, which begins its only round, and the mean of those after it."""
    first, count = epoch * trainer.steps_per_epoch, min(most, trainer.steps_per_epoch - 2)
    started = time.perf_counter()
    trainer.train_step(first)
    _wait(trainer.device)
    began = time.perf_counter()
    for step in range(first + 1, first + 1 + count):
        trainer.train_step(step)
    _wait(trainer.device)
    return began - started, (time.perf_counter() - began) / count


def compare_compiled(name: str, scale: int, config: Config, device: torch.device, turns: int) -> list[dict[str, Any]]:
    """Time steps within a round, plain and with parts of the model compiled, by turns; a row each, medians."""
    trainer, model = prepare(name, scale, config.replace(rounds_per_epoch=1, points_per_epoch=1), device)
    backend = "inductor" if device.type == "cuda" else "eager"
    parts: tuple[tuple[torch.nn.Module, str], ...] = (model.sequence, "forward"), (model, "_compare")
    compiled = [torch.compile(getattr(owner, part), backend=backend) for owner, part in parts]
    seconds: dict[str, list[float]] = {"plain": [], backend: []}
    warm_up, note = dict.fromkeys(seconds, float("nan")), ""
    for epoch in range(2 * (turns + 1)):  # the first turn of each warms up, and compiles
        what = ("plain", backend)[epoch % 2]
        if what == backend and note:
            continue
        for (owner, part), function in zip(parts, compiled, strict=True):
            vars(owner).pop(part, None)
            if what == backend:
                vars(owner)[part] = function
        try:
            begin, each = timed_steps(trainer, epoch)
        except Exception as error:  # of the compiler, or of what it needs: that is then the result
            note = f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
            continue
        if epoch < 2:
            warm_up[what] = begin
        else:
            seconds[what].append(each)
    shape = {"data": name, "batch": config.batch_size, "history": config.history_length, "note": note}
    return [
        shape
        | {"compiled": what, "turns": len(times), "first_step_seconds": warm_up[what]}
        | {"milliseconds_per_step": 1000 * float(np.median(times)) if times else float("nan")}
        for what, times in seconds.items()
    ]


def main() -> None:
    """Measure all sizes, print the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", help="cuda, cuda:N or cpu (default: the best there is)")
    parser.add_argument("--batch", type=int, default=8192)
    parser.add_argument("--rounds", type=int, default=3, help="rounds timed, after one to warm up")
    parser.add_argument("--only", choices=SIZES, help="one of the sizes")
    parser.add_argument("--out", type=Path, help="write the table here as CSV")
    parser.add_argument("--profile", type=Path, help="write the profiles here")
    parser.add_argument("--compiled", type=Path, help="compare with compiled steps, and write that here as CSV")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    device = choose_device(args.device)
    on_gpu = device.type == "cuda"
    changes = {"validation_clicks": 2000, "slot_count": 6, "interest_epochs": 0, "history_length": 30}
    config = Config.for_model("hyperctr", batch_size=args.batch if on_gpu else 64, **changes)
    card = torch.cuda.get_device_name(device) if on_gpu else platform.processor() or platform.machine()
    facts: dict[str, Any] = {"processor": card, "cores": available_cores(), "busy_cores": "", "hyperctr": __version__}
    facts |= {"python": platform.python_version(), "torch": torch.__version__}
    facts |= {"code": code_fingerprint("hyperctr")[:8], "command": "sh tests/benchmarks/gpu.sh"}
    facts["date"] = datetime.now(UTC).date().isoformat()
    rows, profiles, scale = [], [], 1 if on_gpu else 1000
    for name in [args.only] if args.only else SIZES:
        row, profile = measure(name, scale, config, device, args.rounds)
        rows.append(row | facts)
        profiles.append(f"{name}\n{profile}\n")
        print(pd.DataFrame(rows[-1:]).T.to_string(header=False), flush=True)
        if args.out:  # now, in case that time runs out
            write_atomic(args.out, pd.DataFrame(rows).to_csv(index=False))
        if args.profile:
            write_atomic(args.profile, "\n".join(profiles))
        gc.collect()
        if on_gpu:
            torch.cuda.reset_peak_memory_stats(device)
    if args.compiled:
        compared = compare_compiled(args.only or next(iter(SIZES)), scale, config, device, args.rounds)
        print(pd.DataFrame(compared).T.to_string(header=False), flush=True)
        write_atomic(args.compiled, pd.DataFrame([row | facts for row in compared]).to_csv(index=False))


if __name__ == "__main__":
    main()
