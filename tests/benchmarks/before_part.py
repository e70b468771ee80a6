"""Measure one part of HyperCTR in whichever version of it is on the path; ``bench_before.py`` starts this for each.

    PYTHONPATH=TREE python tests/benchmarks/before_part.py step --folder DATA

Prints one line of JSON. Version 0.1.0 has other names, so a part that trains is written down twice.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hyperctr.data.planted import planted
from hyperctr.data.table import load_table
from hyperctr.metrics import auc_from_scores
from hyperctr.statistics import auc_draws
from hyperctr.training.events import peak_memory_mib

try:
    from hyperctr.split_data import SplitData
except ModuleNotFoundError:  # version 0.1.0
    SplitData = None
ASKED_CLICKS = 20  # training clicks that are scored
# Budget quick has other settings now; both versions get those of before.
ALIKE = {"interest_epochs": 0, "embedding_size": 64, "negatives": 1, "weight_decay": 0.1}
INTEREST_CLICKS = 100_000  # clicks that interest is pre-trained on at most; its cost per click is what is measured


def timed(run: Any) -> float:
    """Return the seconds of one call."""
    begun = time.perf_counter()
    run()
    return time.perf_counter() - begun


def step(folder: Path, _: int) -> dict[str, float]:
    """Seconds of a training step, budget quick, the share of its round's convolution included; clicks and steps."""
    data = load_table(folder)
    if SplitData is None:
        from hyperctr.config import Config
        from hyperctr.runs.experiment import Study, build_model, pretrain_interest
        from hyperctr.training.loop import Trainer

        config = Config.preset("hyperctr", "quick").replace(**ALIKE)
        study = Study.open(data, config)
        interest = pretrain_interest(study.data, study.split, study.slots, epochs=0, device="cpu")
        model = build_model(study, config, interest)
        trainer = Trainer(model, study.data, study.split, study.slots, config, torch.device("cpu"))
        trainer._step(0, trainer.stages[0])
        taken, begun = [], time.perf_counter()
        while len(taken) < 3 or time.perf_counter() - begun < 10:
            taken.append(timed(lambda: trainer._step(1 + len(taken), trainer.stages[0])))
        seconds = float(np.median(taken))
    else:
        from hyperctr.config import Config
        from hyperctr.runs.scoring import build_model, interest_of
        from hyperctr.training.loop import Trainer
        from tests.benchmarks.training_turns import EpochTimer

        config = Config.for_model("hyperctr", "quick").replace(**ALIKE)
        split_data = SplitData.open(data, config)
        model = build_model(split_data, config, interest_of(split_data, config, "cpu"), torch.device("cpu"))
        trainer = Trainer(model, split_data, config, torch.device("cpu"))
        seconds = EpochTimer(trainer).seconds_per_epoch(10) / trainer.steps_per_epoch
    return {
        "seconds": seconds,
        "peak_memory_mib": peak_memory_mib(torch.device("cpu")),
        "train_clicks": len(trainer.rows),
        "epoch_minutes": seconds * trainer.steps_per_epoch / 60,
    }


def interest(folder: Path, _: int) -> dict[str, float]:
    """Seconds of the interest pre-training for each 100,000 clicks, all users and items of the data set there."""
    data = load_table(folder)
    from hyperctr.config import Config

    config = Config(slot_months=6)

    def fewer(split: Any) -> Any:
        part = split.part.copy()
        part[split.train[INTEREST_CLICKS:]] = 1
        return replace(split, part=part)

    if SplitData is None:
        from hyperctr.runs.experiment import Study, pretrain_interest

        study = Study.open(data, config)
        split = fewer(study.split)

        def train(epochs: int) -> None:
            pretrain_interest(study.data, split, study.slots, epochs=epochs, device="cpu")
    else:
        from hyperctr.runs.scoring import interest_of

        whole = SplitData.open(data, config)
        less = replace(whole, split=fewer(whole.split))
        split = less.split

        def train(epochs: int) -> None:
            interest_of(less, config.replace(interest_epochs=epochs), "cpu")

    train(0)
    without = timed(lambda: train(0))
    return {"seconds": (timed(lambda: train(1)) - without) * 100_000 / len(split.train)}


def untrained(folder: Path) -> tuple[Any, Any, np.ndarray]:
    """Return an untrained model in evaluation mode, what it is scored with, and the rows of some training clicks.

    Degrees of interest are random numbers, so that both versions have the same hyperedges.
    """
    data = load_table(folder)
    from hyperctr.config import Config

    if SplitData is None:
        from hyperctr.runs.experiment import Study, build_model, pretrain_interest

        config = Config.preset("hyperctr", "quick").replace(**ALIKE)
        opened = Study.open(data, config)
        interest = pretrain_interest(opened.data, opened.split, opened.slots, epochs=0, device="cpu")
    else:
        from hyperctr.runs.scoring import build_model, interest_of

        config = Config.for_model("hyperctr", "quick").replace(**ALIKE)
        opened = SplitData.open(data, config)
        interest = interest_of(opened, config, "cpu")
    rows, degree = opened.split.train, np.random.default_rng(0).random(interest.degree.shape, dtype=np.float32)
    interest = replace(interest, degree=np.where(np.isnan(interest.degree), np.nan, degree).astype(np.float32))
    some = rows[np.linspace(0, len(rows) - 1, ASKED_CLICKS).astype(np.int64)]
    return build_model(opened, config, interest, torch.device("cpu")).eval(), opened, some


def predict(folder: Path, _: int) -> dict[str, float]:
    """Seconds of a row when training clicks are scored, each without itself."""
    model, opened, rows = untrained(folder)
    if SplitData is None:
        from hyperctr.runs.experiment import score_pairs
    else:
        from hyperctr.runs.prediction import score_pairs

    def score(some: np.ndarray) -> None:
        data = opened.data
        score_pairs(model, opened, data.user_index[some], data.item_index[some], data.timestamp[some])

    score(rows[:1])
    return {"seconds": timed(lambda: score(rows)) / len(rows)}


def explain(folder: Path, _: int) -> dict[str, float]:
    """Seconds to explain the score of one training click, and how many hyperedges have a part in it."""
    from hyperctr.model.explain import explain

    if SplitData is None:
        from hyperctr.training.loop import targets_of
    else:
        from hyperctr.training.scoring import targets_of

    model, opened, rows = untrained(folder)
    train, items = opened.split.train, opened.data.item_index
    by_clicks = rows[np.argsort(np.bincount(items[train])[items[rows]], kind="stable")]
    known = (opened.data, opened.slots) if SplitData is None else (opened,)

    def explained(row: int) -> list[Any]:
        numbers = np.flatnonzero(train == row)
        return explain(model, targets_of(*known, train[numbers], numbers), int(items[row]))[1]

    explained(by_clicks[0])  # the first call of a process is slower
    parts: list[Any] = []
    seconds = timed(lambda: parts.extend(explained(by_clicks[-1])))  # its item lies on the most hyperedges
    return {"seconds": seconds, "hyperedges": len(parts)}


def candidates(folder: Path, count: int) -> dict[str, float]:
    """Seconds to draw 1000 candidates for each of so many test clicks."""
    from hyperctr.data.negatives import candidate_pool
    from hyperctr.data.splits import split

    data = load_table(folder)
    parts = split(data)
    candidate_pool(data, parts, "test", max_rows=10)
    return {"seconds": timed(lambda: candidate_pool(data, parts, "test", max_rows=count))}


def bootstrap(_: Path, users: int) -> dict[str, float]:
    """Seconds of the interval of one AUC of so many users, ten clicks and a hundred candidates each."""
    draw = np.random.default_rng(0)
    positive, negative = draw.normal(0.5, 1.0, 10 * users), draw.normal(0.0, 1.0, 100 * users)
    owners = np.repeat(np.arange(users), 10), np.repeat(np.arange(users), 100)
    return {"seconds": timed(lambda: auc_draws(positive, negative, *owners).interval())}


def exact_auc(_: Path, scores: int) -> dict[str, float]:
    """Seconds of the pooled AUC of so many scores, a thousand negatives for each positive."""
    draw = np.random.default_rng(0)
    positive = draw.normal(0.5, 1.0, scores // 1001).astype(np.float32)
    negative = draw.normal(0.0, 1.0, scores - len(positive)).astype(np.float32)
    return {"seconds": timed(lambda: auc_from_scores(positive, negative))}


def generate(_: Path, rows: int) -> dict[str, float]:
    """Seconds to generate ``planted`` with so many rows."""
    planted(num_users=20, num_items=40, num_interactions=100)
    return {"seconds": timed(lambda: planted(num_users=rows // 50, num_items=rows // 100, num_interactions=rows))}


PARTS = {part.__name__: part for part in (step, interest, predict, explain, candidates, bootstrap, exact_auc, generate)}


def main() -> None:
    """Measure what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("--folder", type=Path, default=Path())
    parser.add_argument("--size", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    answer = PARTS[options.part](options.folder, options.size)
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
