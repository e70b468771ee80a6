"""What rounds do to the AUC: HyperCTR at budget quick with a convolution per step and with fewer, same seeds.

    python tests/benchmarks/bench_rounds.py --data-dir data --out reports/results/benchmarks/rounds.csv

Every cell is a run of its own; the differences are paired by data set and seed. ``strict`` has a round per step. A last
row for each data set and number of rounds has the means over the seeds, with Student's 95 % intervals of the gains.
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path
from typing import Any

import pandas as pd
import torch

import hyperctr as hc
from hyperctr.runs.scoring import build_model, interest_of, pools_of_test
from hyperctr.runtime import write_atomic
from hyperctr.split_data import SplitData
from hyperctr.sweeps.seeds import seed_interval
from hyperctr.training.loop import Trainer
from hyperctr.training.scoring import score_pool

STRICT = 1_000_000
GAINS = ["validation_gain", "test_gain"]
MEANS = ["validation_auc", "test_auc", "cpu_seconds_per_step", *GAINS]


def measure(data: Any, rounds: int, seed: int) -> dict[str, Any]:
    """Train once and return a row of the table."""
    config = hc.Config.for_model("hyperctr", "quick", seed=seed, rounds_per_epoch=rounds)
    split_data, device = SplitData.open(data, config), torch.device("cpu")
    model = build_model(split_data, config, interest_of(split_data, config, "cpu"), device)
    trainer, started = Trainer(model, split_data, config, device), time.process_time()
    progress = trainer.fit()
    seconds = time.process_time() - started
    test = score_pool(model, split_data, pools_of_test(split_data, config)[0]).wins.value
    row: dict[str, Any] = {"data": data.name, "rounds": "strict" if rounds == STRICT else str(rounds), "seed": seed}
    row |= {"steps_per_epoch": trainer.steps_per_epoch, "validation_auc": progress.best_auc, "test_auc": test}
    return row | {"cpu_seconds_per_step": seconds / progress.step}


def with_differences(table: pd.DataFrame) -> pd.DataFrame:
    """Add what each run gains over the strict one of its data set and seed."""
    strict = table[table["rounds"] == "strict"].set_index(["data", "seed"])
    keys = pd.MultiIndex.from_frame(table[["data", "seed"]])
    for part in ("validation", "test"):
        table[f"{part}_gain"] = table[f"{part}_auc"] - strict[f"{part}_auc"].reindex(keys).to_numpy()
    return table


def with_means(table: pd.DataFrame) -> pd.DataFrame:
    """Add a row for each data set and number of rounds: means over seeds, intervals where there are two seeds or more.

    >>> runs = {"data": "a", "rounds": "8", "seed": [0, 1, 2], "validation_auc": 0.8, "test_auc": 0.8}
    >>> gains = {"cpu_seconds_per_step": 1.0, "validation_gain": 0.0, "test_gain": [0.01, 0.02, 0.03]}
    >>> last = with_means(pd.DataFrame(runs | gains)).iloc[-1]
    >>> last.seed, *(round(float(last[name]), 4) for name in ("test_gain", "test_gain_low", "test_gain_high"))
    ('mean of 3', 0.02, -0.0048, 0.0448)
    """
    means = []
    for _, group in table[table["rounds"] != "strict"].groupby(["data", "rounds"], sort=False):
        row = group.iloc[0].to_dict() | group[MEANS].mean().to_dict() | {"seed": f"mean of {len(group)}"}
        for name in GAINS if len(group) > 1 else ():
            row[f"{name}_low"], row[f"{name}_high"] = seed_interval(group[name])
        means.append(row)
    return pd.concat([table, pd.DataFrame(means)], ignore_index=True)


def main() -> None:
    """Train all cells, print the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", help="where ml-trailers lies; without it only planted is measured")
    parser.add_argument("--rounds", type=int, nargs="+", default=[8, 16])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    sets = [hc.load_dataset("planted")]
    sets += [hc.load_dataset("ml-trailers", data_dir=args.data_dir)] if args.data_dir else []
    rows = [
        measure(data, rounds, seed) for seed in range(args.seeds) for data in sets for rounds in (STRICT, *args.rounds)
    ]
    table = with_means(with_differences(pd.DataFrame(rows)))
    print(table.round(4).to_string(index=False))
    if args.out:
        write_atomic(args.out, table.to_csv(index=False))


if __name__ == "__main__":
    main()
