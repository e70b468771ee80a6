"""What an epoch of every system costs, as a multiple of HyperCTR's, on the data set planted at budget quick.

    python tests/benchmarks/bench_systems.py --out reports/bench_systems.csv

All models take turns in one process, a few steps and one validation point at a time, so that load on the machine hits
all of them alike; a ratio is to HyperCTR's turn of the same round, and the median of the rounds is shown. No epoch is
run whole: its seconds are the mean step times the steps of an epoch plus the mean point times the points of an epoch.
Steps are drawn at random from the first epoch. A model of several stages is timed in each and shown at its costliest;
what comes once a run (the hyperedges' interest, a closed form, a stage's beginning) is left out. Seconds are the
process's own, which on an idle machine and with one thread are those of the clock. Memory is what a turn takes on top
of what all models hold, where the operating system tells.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import re
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import torch

import hyperctr as hc
from hyperctr.config import SYSTEMS, Config
from hyperctr.data.dataset import Dataset
from hyperctr.hypergraph.interest import Interest
from hyperctr.models import model_class
from hyperctr.runs.scoring import build_model, interest_of
from hyperctr.runtime import rng, write_atomic
from hyperctr.split_data import SplitData
from hyperctr.training.loop import Trainer

YARDSTICK = "hyperctr"
CPU = torch.device("cpu")


@dataclass
class Timed:
    """A model in one of its stages, and what its turns took."""

    name: str
    variant: str
    trainer: Trainer
    stage: int
    epochs: list[float] = field(default_factory=list)  # seconds, one per round
    steps: list[float] = field(default_factory=list)
    points: list[float] = field(default_factory=list)
    memory: float = float("nan")

    @classmethod
    def build(cls, data: Dataset, config: Config, variant: str, interest: Interest) -> list[Timed]:
        """Return the model once for every stage of its training."""
        made: list[Timed] = []
        study = SplitData.open(data, config)
        torch.manual_seed(0)
        while not made or len(made) < len(made[0].trainer.stages):
            given = interest if model_class(config.model).needs_interest else None
            trainer = Trainer(build_model(study, config, given, CPU), study, config, CPU)
            for stage in trainer.stages[: len(made) + 1]:
                if stage.begin is not None:
                    stage.begin()
            made.append(cls(config.model, variant, trainer, len(made)))
        return made

    def turn(self, numbers: list[int]) -> None:
        """Take the steps of these numbers and score one validation point."""
        stage = self.trainer.stages[self.stage]
        step = seconds(lambda: [self.trainer.train_step(number, stage) for number in numbers]) / len(numbers)
        point = seconds(self.trainer.validate)
        config = self.trainer.config
        self.steps.append(step)
        self.points.append(point)
        self.epochs.append(step * self.trainer.steps_per_epoch + point * config.points_per_epoch)


def seconds(run: Callable[[], object]) -> float:
    """Return the processor's seconds that ``run`` takes."""
    begin = time.process_time()
    run()
    return time.process_time() - begin


def status(name: str) -> float:
    """Return a line of this process's status in MiB, NaN where there is none."""
    found = re.search(rf"^{name}:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.M)
    return int(found[1]) / 1024 if found else float("nan")


def growth(run: Callable[[], object]) -> float:
    """Return by how much ``run`` made this process grow at its peak, MiB; NaN where the system does not tell."""
    gc.collect()
    try:
        ctypes.CDLL(None).malloc_trim(0)  # glibc: what was freed and kept would hide the growth
        Path("/proc/self/clear_refs").write_text("5")  # Linux: the peak is forgotten
        before = status("VmRSS")
        run()
        return status("VmHWM") - before
    except (OSError, AttributeError):
        run()
        return float("nan")


def main() -> None:
    """Measure, print a table and write it to --out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=list(SYSTEMS), choices=list(SYSTEMS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=12, help="of a turn, of which every model has one a round")
    parser.add_argument("--out", type=Path, help="CSV file to write")
    options = parser.parse_args()
    torch.set_num_threads(1)
    data = hc.load_dataset("planted", seed=0)
    config = Config.for_model(YARDSTICK, "quick")
    study = SplitData.open(data, config)
    interest = interest_of(study, config, "cpu")

    timed = Timed.build(data, config, "", interest)
    for name in options.models:
        variants = {variant: Config.for_model(name, "quick", variant) for variant in ("table2", "author")}
        if variants["table2"] == variants["author"]:
            variants = {"both": variants["table2"]}
        for variant, one in variants.items():
            timed += Timed.build(data, one, variant, interest)
    draw = rng(0, "bench", "systems")
    for one in timed:  # warms up, too
        one.memory = growth(lambda one=one: one.turn([0, 1]))  # type: ignore[misc]
    for turn in range(options.rounds):
        for one in timed[:: -1 if turn % 2 else 1]:
            one.turn(draw.integers(one.trainer.steps_per_epoch, size=options.steps).tolist())

    yardstick = timed[0].epochs[1:]
    rows = []
    for one in timed:
        rows.append(
            {
                "model": one.name,
                "variant": one.variant,
                "ratio": statistics.median(mine / its for mine, its in zip(one.epochs[1:], yardstick, strict=True)),
                "seconds_per_epoch": statistics.median(one.epochs[1:]),
                "steps_per_epoch": one.trainer.steps_per_epoch,
                "step_ms": 1e3 * statistics.median(one.steps[1:]),
                "point_ms": 1e3 * statistics.median(one.points[1:]),
                "parameters": sum(parameter.numel() for parameter in one.trainer.model.parameters()),
                "memory_mib": one.memory,
                "stage": one.trainer.stages[one.stage].name,
            }
        )
    table = pd.DataFrame(rows)
    table = table.loc[table.groupby(["model", "variant"], sort=False).ratio.idxmax()]
    print(f"1 thread, torch {torch.__version__}")
    print(table.to_string(index=False, float_format=lambda value: f"{value:.2f}"))
    if options.out:
        write_atomic(options.out, table.assign(hyperctr=hc.__version__).to_csv(index=False, float_format="%.4f"))


if __name__ == "__main__":
    main()
