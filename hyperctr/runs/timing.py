"""How long one run takes, from an epoch or a few steps of it timed in this process."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

from hyperctr.config import Config
from hyperctr.runs.scoring import build_model, interest_of, reads_interest
from hyperctr.runtime import choose_device, write_atomic
from hyperctr.split_data import SplitData
from hyperctr.training.events import peak_memory_mib
from hyperctr.training.loop import Trainer

if TYPE_CHECKING:
    from hyperctr.data.dataset import Dataset

STEPS = 3  # timed steps of a run that is not the base run, after one that warms up


def time_run(data: Dataset, config: Config, path: Path, device: str | None, *, whole_epoch: bool) -> None:
    """Time the parts of a run, a whole epoch of training or a few steps, and write what they add up to.

    The JSON file at ``path`` gets ``seconds`` of the whole run at most, ``seconds_per_epoch``, ``peak_memory_mib``,
    ``device``.
    """
    where, clock = choose_device(device), time.perf_counter
    started = clock()
    split_data = SplitData.open(data, config)
    opened = clock()
    once = config.replace(interest_epochs=min(config.interest_epochs, 1))
    interest = interest_of(split_data, once, str(where)) if reads_interest(split_data, config) else None
    interested = clock()
    model = build_model(split_data, config, interest, where)

    trainer = Trainer(model, split_data, config, where)
    trainer.fit(dry_run=True)  # the first step of a process is slower than all others
    built = clock()
    trainer.validate()
    validation = clock() - built
    if whole_epoch:
        timed = Trainer(model, split_data, config.replace(epochs=1), where)
        begun = clock()
        timed.fit()
        epoch = (clock() - begun) * trainer.steps_per_epoch / timed.progress.step
    else:
        spent = 0.0
        for _ in range(STEPS):
            timed = Trainer(model, split_data, config, where)
            begun = clock()
            timed.fit(dry_run=True)  # a step and a validation per stage
            spent += (clock() - begun) / len(timed.stages) / STEPS
        step, shared = max(0.0, spent - validation), 0.0
        if trainer.rounds_per_epoch < trainer.steps_per_epoch and len(trainer.stages) == 1:
            # Of a round, the first step convolves forwards, and the last one forwards and backwards.
            begun = clock()
            timed.train_step(0)
            first = clock()
            timed.train_step(1)
            step, shared = clock() - first, max(0.0, 2 * first - begun - clock()) * 3
        epoch = trainer.steps_per_epoch * step + trainer.rounds_per_epoch * shared
        epoch += config.points_per_epoch * validation

    epochs = sum(stage.epochs or config.epochs for stage in trainer.stages)
    test = len(split_data.split.test) * config.test_candidates * validation
    test /= max(1, len(trainer.pool.rows)) * config.validation_candidates
    before = (opened - started) + max(1, config.interest_epochs) * (interested - opened) + (built - interested)
    costs = {"seconds": before + epochs * epoch + test, "seconds_per_epoch": epoch}
    machine = {"peak_memory_mib": peak_memory_mib(where), "device": str(where)}
    write_atomic(path, json.dumps(costs | machine, indent=1))
