"""What the ways to make a step cost what its batch costs do to the AUC: HyperCTR at budget quick, same seeds.

    python tests/benchmarks/bench_rounds.py --data-dir data --out reports/results/benchmarks/rounds.csv

    every step     one convolution of everything for every step, its own clicks hidden: what the others should match
    8 rounds       the library's way: one convolution for an eighth of an epoch
    slot by slot   a batch has clicks of one slot, so that its step needs no other; else as every step
    neighbours     a step uses at most 15 members of a hyperedge and 15 hyperedges of a node, drawn anew; else the same

Every cell is a run of its own; the differences are paired by data set and seed. A last row for each data set and way
has the means over the seeds, with Student's 95 % intervals of the gains. The last two ways are trained as they would
be, but here a step convolves more than it needs, so their seconds are left out.
"""

from __future__ import annotations

import argparse
import time
import warnings
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

import hyperctr as hc
from hyperctr.data.registry import open_data
from hyperctr.hypergraph.neighbours import NeighbourSample
from hyperctr.model.base import Stage
from hyperctr.runs.scoring import build_model, interest_of, pools_of_test
from hyperctr.runtime import generator, write_atomic
from hyperctr.split_data import SplitData
from hyperctr.sweeps.seeds import seed_interval
from hyperctr.training.loop import Trainer
from hyperctr.training.scoring import score_pool

EVERY_STEP, MANY = "every step", 1_000_000
NEIGHBOURS = 15
GAINS = ["validation_gain", "test_gain"]
MEANS = ["validation_auc", "test_auc", "cpu_seconds_per_step", *GAINS]


class SlotBySlot(Trainer):
    """Batches of clicks of one slot, in random order; those at the border of two slots have clicks of both."""

    def _start_epoch(self, epoch: int) -> None:
        super()._start_epoch(epoch)
        by_slot = self._order[torch.argsort(self.targets.slot[self._order], stable=True)]
        *full, rest = by_slot.split(self.config.batch_size)
        places = torch.randperm(len(full), generator=generator(self.device, self.config.seed, "batches", epoch))
        self._order = torch.cat([*(full[place] for place in places.tolist()), rest])


class Neighbours(Trainer):
    """Sampled neighbours, drawn anew for every step; validation and test see all of them."""

    def train_step(self, step: int, stage: Stage | None = None) -> torch.Tensor:
        graphs = self.model.convolution.needed()  # type: ignore[union-attr, operator]
        users, items = graphs._pair_user.numpy(), graphs._pair_item.numpy()
        draw = np.random.default_rng((self.config.seed, step)).integers(2**63, size=(graphs.num_modalities, len(users)))
        sides, priority = ((users, items), (items, users)), draw.astype(np.uint64)
        graphs._samples = [NeighbourSample(NEIGHBOURS, *side, priority) for side in sides]
        loss = super().train_step(step, stage)
        graphs._samples = []
        return loss


WAYS: dict[str, tuple[type[Trainer], int]] = {
    EVERY_STEP: (Trainer, MANY),
    "8 rounds": (Trainer, 8),
    "slot by slot": (SlotBySlot, MANY),
    "neighbours": (Neighbours, MANY),
}


def measure(data: Any, way: str, seed: int) -> dict[str, Any]:
    """Train once and return a row of the table."""
    kind, rounds = WAYS[way]
    config = hc.Config.for_model("hyperctr", "quick", seed=seed, rounds_per_epoch=rounds)
    split_data, device = SplitData.open(data, config), torch.device("cpu")
    model = build_model(split_data, config, interest_of(split_data, config, "cpu"), device)
    trainer, started = kind(model, split_data, config, device), time.process_time()
    progress = trainer.fit()
    seconds = (time.process_time() - started) / progress.step if kind is Trainer else None
    test = score_pool(model, split_data, pools_of_test(split_data, config)[0]).wins.value
    row: dict[str, Any] = {"data": data.name, "way": way, "seed": seed, "steps_per_epoch": trainer.steps_per_epoch}
    return row | {"validation_auc": progress.best_auc, "test_auc": test, "cpu_seconds_per_step": seconds}


def with_differences(table: pd.DataFrame) -> pd.DataFrame:
    """Add what each run gains over the one of its data set and seed that convolves for every step."""
    strict = table[table["way"] == EVERY_STEP].set_index(["data", "seed"])
    keys = pd.MultiIndex.from_frame(table[["data", "seed"]])
    for part in ("validation", "test"):
        table[f"{part}_gain"] = table[f"{part}_auc"] - strict[f"{part}_auc"].reindex(keys).to_numpy()
    return table


def with_means(table: pd.DataFrame) -> pd.DataFrame:
    """Add a row for each data set and way: means over seeds, intervals where there are two seeds or more.

    >>> runs = {"data": "a", "way": "8 rounds", "seed": [0, 1, 2], "validation_auc": 0.8, "test_auc": 0.8}
    >>> gains = {"cpu_seconds_per_step": 1.0, "validation_gain": 0.0, "test_gain": [0.01, 0.02, 0.03]}
    >>> last = with_means(pd.DataFrame(runs | gains)).iloc[-1]
    >>> last.seed, *(round(float(last[name]), 4) for name in ("test_gain", "test_gain_low", "test_gain_high"))
    ('mean of 3', 0.02, -0.0048, 0.0448)
    """
    means = []
    for _, group in table[table["way"] != EVERY_STEP].groupby(["data", "way"], sort=False):
        row = group.iloc[0].to_dict() | group[MEANS].mean().to_dict() | {"seed": f"mean of {len(group)}"}
        for name in GAINS if len(group) > 1 else ():
            row[f"{name}_low"], row[f"{name}_high"] = seed_interval(group[name])
        means.append(row)
    return pd.concat([table, pd.DataFrame(means)], ignore_index=True)


def main() -> None:
    """Train all cells, print the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", help="where ml-trailers lies; without it only planted is measured")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    sets = [open_data("planted", "quick")]
    sets += [open_data("ml-trailers", "quick", args.data_dir)] if args.data_dir else []
    rows = []
    for data, seed, way in product(sets, range(args.seeds), args.ways):
        rows.append(measure(data, way, seed))
        print(rows[-1], flush=True)
    table = with_means(with_differences(pd.DataFrame(rows)))
    print(table.round(4).to_string(index=False))
    if args.out:
        write_atomic(args.out, table.to_csv(index=False))


if __name__ == "__main__":
    main()
