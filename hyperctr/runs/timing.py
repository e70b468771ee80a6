"""How long one run takes, from a few steps of each of its stages on a sample of the data, timed in this process."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from hyperctr.config import Config
from hyperctr.model.base import Stage
from hyperctr.runs.experiment import DRY_RUN_ROWS
from hyperctr.runs.scoring import build_model, interest_of, reads_interest
from hyperctr.runtime import choose_device, write_atomic
from hyperctr.split_data import SplitData
from hyperctr.training.events import peak_memory_mib
from hyperctr.training.loop import Trainer

if TYPE_CHECKING:
    from hyperctr.data.dataset import Dataset

ROUND = 4  # timed steps that share a round, at least
SCORED = 256  # validation clicks at most


def time_run(data: Dataset, config: Config, path: Path, device: str | None) -> None:
    """Time the parts of a run on a sample, and write what they add up to at the size of the data.

    A step costs what its batch costs. What a round of steps shares, a pass of the interest and the refreshing of a
    model before it scores are taken to grow with the training clicks. The JSON file at ``path`` gets ``seconds`` of
    the whole run at most, ``seconds_per_epoch`` (of the mean stage), ``device``, and ``peak_memory_mib``: that of the
    sample and of the test scores, without what grows with the clicks, such as the hypergraphs.
    """
    where = choose_device(device)

    def clock() -> float:
        if where.type == "cuda":
            torch.cuda.synchronize(where)
        return time.perf_counter()

    # Step 1: what is done once. The data are loaded and split whole
    started = clock()
    split_data = SplitData.open(data, config)
    opened = clock()
    sample = split_data.sample(max(DRY_RUN_ROWS, 4 * config.batch_size), config.seed)
    growth = len(split_data.split.train) / max(1, len(sample.split.train))
    interest, spent = None, [0.0, 0.0, 0.0]
    if reads_interest(sample, config):
        spent = []
        for epochs in (1, 0, 1):  # the first one warms up
            begun = clock()
            interest = interest_of(sample, config.replace(interest_epochs=epochs), str(where))
            spent.append(clock() - begun)
    pretrained = clock()
    steps = -(-len(sample.split.train) // config.batch_size)
    few = {"points_per_epoch": 1, "rounds_per_epoch": max(1, steps // ROUND)}
    few["validation_clicks"] = min(config.validation_clicks, SCORED)
    model = build_model(sample, config.replace(**few), interest, where)
    trainer = Trainer(model, sample, config.replace(**few), where)
    trainer.fit(dry_run=True)  # begins every stage; the first step of a process is slower than all others
    once = (opened - started) + (clock() - pretrained) + spent[1]
    once += config.interest_epochs * max(0.0, spent[2] - spent[1]) * growth

    # Step 2: a validation, whose refreshing reads all training clicks
    begun = clock()
    with torch.no_grad():
        model.eval().refresh()
    refreshed = clock()
    trainer.validate()
    refresh, scored = refreshed - begun, max(0.0, clock() - refreshed - (refreshed - begun))
    per_score = scored / max(1, len(trainer.pool) * (1 + config.validation_candidates))
    clicks = min(config.validation_clicks, len(split_data.split.validation))
    validation = refresh * growth + clicks * (1 + config.validation_candidates) * per_score
    scores = len(split_data.split.test) * (1 + config.test_candidates)
    test = refresh * growth + scores * per_score

    # Step 3: epochs of all stages, at the numbers of steps and rounds that the whole data give them
    whole_steps = -(-len(split_data.split.train) // config.batch_size)
    points = min(config.points_per_epoch, whole_steps)
    rounds = min(-(-config.rounds_per_epoch // config.points_per_epoch) * config.points_per_epoch, whole_steps)
    known: dict[str, tuple[float, float]] = {}
    seconds, epochs = 0.0, 0
    for stage in trainer.stages:
        if stage.name not in known:
            known[stage.name] = step_and_shared(_timed_rounds(trainer, stage, len(known), clock))
        step, shared = known[stage.name]
        count = stage.epochs or config.epochs
        seconds += count * (whole_steps * step + rounds * shared * growth + points * validation)
        epochs += count
    memory = peak_memory_mib(where) + 4 * scores / 2**20
    costs = {
        "seconds": once + seconds + test,
        "seconds_per_epoch": seconds / epochs,
        "peak_memory_mib": memory,
        "device": str(where),
    }
    write_atomic(path, json.dumps(costs, indent=1))


def _timed_rounds(trainer: Trainer, stage: Stage, epoch: int, clock: Callable[[], float]) -> list[list[float]]:
    """Go through an epoch of a stage, and return the seconds of each step, by round; not of the first, if others are.

    The first round warms up, and its first step draws what the epoch needs.
    """
    steps, rounds = trainer.steps_per_epoch, trainer.rounds_per_epoch
    starts = [-(-number * steps // rounds) for number in range(rounds + 1)]
    seconds = []
    for within in range(steps):
        begun = clock()
        trainer.train_step(epoch * steps + within, stage)
        seconds.append(clock() - begun)
    return [seconds[start:end] for start, end in pairwise(starts)][rounds > 1 :]


def step_and_shared(rounds: Sequence[Sequence[float]]) -> tuple[float, float]:
    """Return the seconds of a step, and those that a round takes beside its steps, in its first and its last one.

    Rounds of one or two steps do not tell them apart: all is the steps'.

    >>> step_and_shared([[5.0, 1.0, 1.5, 1.0, 4.0], [6.0, 1.0, 4.0]])
    (1.0, 7.0)
    >>> step_and_shared([[2.0, 4.0]])
    (3.0, 0.0)
    """
    between = [seconds for steps in rounds for seconds in steps[1:-1]]
    if not between:
        return float(np.mean([seconds for steps in rounds for seconds in steps])), 0.0
    step = float(np.median(between))
    return step, max(0.0, min(steps[0] + steps[-1] for steps in rounds if len(steps) > 2) - 2 * step)
