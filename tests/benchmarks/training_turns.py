"""Train HyperCTR in turns on random data of one size: the process that ``bench_training.py`` starts for each.

A turn is asked for by a line of JSON on stdin, ``{"seconds": 5}``, and answered by one on stdout, so that processes of
several sizes, and of a peer in an environment of its own, can be measured by turns.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

import torch

from hyperctr.config import Config
from hyperctr.data.dataset import Dataset
from hyperctr.runs.scoring import build_model, interest_of
from hyperctr.split_data import SplitData
from hyperctr.training.events import peak_memory_mib
from hyperctr.training.loop import Trainer
from tests.benchmarks.power_law import power_law

CPU = torch.device("cpu")
LONG = 60  # steps of a round that are trained at most, beside its first and its last
INTERACTIONS_PER_USER, INTERACTIONS_PER_ITEM = 50, 100  # the mean degrees, the same at every size


def data_of_size(interactions: int, seed: int = 0) -> Dataset:
    """Return random power-law data with users and items in proportion: three modalities, 36 months."""
    users, items = interactions // INTERACTIONS_PER_USER, interactions // INTERACTIONS_PER_ITEM
    return power_law(users, items, interactions, seed)


@dataclass
class EpochTimer:
    """What an epoch of training costs, from some rounds of it.

    A round is the stretch of steps that share a convolution, after which their work repeats. What comes once an epoch
    (its shuffle and its negatives) is timed apart and added.

    Attributes:
        clock: gives seconds; ``time.process_time`` counts those of this process alone.
        start: seconds of what comes once an epoch.
        spent, steps: seconds and steps of the last call.
    """

    trainer: Trainer
    clock: Callable[[], float] = time.perf_counter
    start: float = 0.0
    spent: float = 0.0
    steps: int = 0
    _round: int = 0
    _epoch: int = -1

    def __post_init__(self) -> None:
        """Warm up, and time an epoch's beginning: its first round less another as long; several times where quick."""
        first, *others = self.rounds
        alike = [number for number, steps in enumerate(others, 1) if len(steps) == len(first)]

        def beginning() -> float:
            whole = self.train(0)
            return max(0.0, whole - self.train(alike[-1])) if alike else 0.0  # one round: it begins in each

        self.train(alike[-1] if alike else 0)
        begun, values = self.clock(), [beginning()]
        while len(values) < 5 and self.clock() - begun < 5:
            values.append(beginning())
        self.start = statistics.median(values)

    @property
    def rounds(self) -> list[range]:
        """The steps of each round of an epoch."""
        steps, rounds = self.trainer.steps_per_epoch, self.trainer.rounds_per_epoch
        bounds = [-(-number * steps // rounds) for number in range(rounds + 1)]
        return [range(*pair) for pair in itertools.pairwise(bounds)]

    def train(self, number: int) -> float:
        """Train one round, each time of another epoch so that nothing of it is there already; return its seconds.

        Of a long round, whose steps are alike but for the first (which convolves) and the last (which goes back through
        the convolution), ``LONG`` steps are trained and the others are taken to cost what the middle ones do.
        """
        self._epoch += 1
        steps, marks = self.rounds[number], [self.clock()]
        middle = steps[1:-1]
        for some in (steps[:1], middle[:LONG], steps[1:][-1:]):
            for step in some:
                self.trainer.train_step(self._epoch * self.trainer.steps_per_epoch + step)
            marks.append(self.clock())
        first, between, last = (end - begin for begin, end in itertools.pairwise(marks))
        return first + between * max(1.0, len(middle) / LONG) + last

    def seconds_per_epoch(self, at_least: float) -> float:
        """Train whole rounds for so many seconds, one after the other, and return what an epoch of them costs."""
        rounds, self.spent, self.steps = self.rounds, 0.0, 0
        while self.steps == 0 or self.spent < at_least:
            self._round = (self._round + 1) % len(rounds) or min(1, len(rounds) - 1)  # not the one of the beginning
            self.spent += self.train(self._round)
            self.steps += len(rounds[self._round])
        return self.start + self.spent / self.steps * self.trainer.steps_per_epoch

    @property
    def examples_per_epoch(self) -> int:
        """Clicks and their negatives."""
        return len(self.trainer.rows) * (1 + self.trainer.config.negatives)


def measure(timer: EpochTimer, seconds: float) -> float:
    """Return examples per second of training, everything that falls into an epoch included."""
    return timer.examples_per_epoch / timer.seconds_per_epoch(seconds)


def prepare(
    make_data: Callable[[], Dataset],
    config: Config,
    parts: dict[str, Any],
    clock: Callable[[], float] = time.perf_counter,
) -> EpochTimer:
    """Build all that training needs, with the interest of ``config``, and note what each part took in ``parts``.

    The model has then been validated and its parameters kept, so that the peak of memory is that of a run.
    """
    marks = [time.perf_counter()]

    def lap(name: str) -> None:
        marks.append(time.perf_counter())
        parts[f"{name}_seconds"] = marks[-1] - marks[-2]

    data = make_data()
    lap("data")
    parts["data_memory_mib"] = peak_memory_mib(CPU)
    split_data = SplitData.open(data, config)
    lap("split")
    interest = interest_of(split_data, config, "cpu")
    lap("interest")
    model = build_model(split_data, config, interest, CPU)
    lap("build")
    trainer = Trainer(model, split_data, config, CPU)
    lap("trainer")
    parts |= {"users": data.num_users, "items": data.num_items, "train_clicks": len(trainer.rows)}
    parts |= {"slots": split_data.slots.count, "steps_per_epoch": trainer.steps_per_epoch}
    timer = EpochTimer(trainer, clock)
    begun = time.perf_counter()
    with trainer.average.in_place() if trainer.average else nullcontext():
        trainer._keep_if_best(trainer.validate(), trainer.stages[-1])
    parts["validation_seconds"] = time.perf_counter() - begun
    timer.train(min(1, len(timer.rounds) - 1))  # a validation gives memory back, which the next round takes anew
    return timer


def interest_pace(split_data: SplitData, config: Config, most: int = 500_000) -> float:
    """Return clicks per second of the interest pre-training, without what comes once a run; of ``most`` clicks."""
    part = split_data.split.part.copy()
    part[split_data.split.train[most:]] = 1  # the others are for validation; all users and items stay
    less, times = replace(split_data, split=replace(split_data.split, part=part)), []
    for epochs in (0, 1):
        begun = time.perf_counter()
        interest_of(less, config.replace(interest_epochs=epochs), "cpu")
        times.append(time.perf_counter() - begun)
    return len(less.split.train) / max(1e-9, times[1] - times[0])


def main() -> None:
    """Build the data and the model, then take turns until stdin ends."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--interactions", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--settings", nargs="*", default=[], metavar="KEY=VALUE")
    options = parser.parse_args()
    answers, sys.stdout = sys.stdout, sys.stderr
    torch.set_num_threads(options.threads)
    config = Config.for_model("hyperctr", "quick").with_settings(options.settings).replace(interest_epochs=0)
    interest_pace(SplitData.open(power_law(50, 80, 600), config), config)  # the first call of a process is slower
    parts: dict[str, Any] = {}
    timer = prepare(lambda: data_of_size(options.interactions), config, parts)
    parts["interest_clicks_per_second"] = interest_pace(timer.trainer.split_data, config)

    def say(answer: dict[str, Any]) -> None:
        print(json.dumps(answer), file=answers, flush=True)

    say({**parts, "epoch_start_seconds": timer.start})
    for line in sys.stdin:
        answer = {"examples_per_second": measure(timer, json.loads(line)["seconds"])}
        answer["seconds_per_step"] = timer.spent / timer.steps
        say({**answer, "peak_memory_mib": peak_memory_mib(CPU)})


if __name__ == "__main__":
    main()
