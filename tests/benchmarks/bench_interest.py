"""What each deviation in the interest pre-training is worth: recovery of the planted interest with it taken back.

    python tests/benchmarks/bench_interest.py --out reports/results/planted/interest.csv

Prints and writes one row per reading and seed; docs/method.md, section 4.1, shows them.
"""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pandas as pd
import torch
from torch import Tensor

import hyperctr as hc
from hyperctr.hypergraph import interest
from hyperctr.hypergraph.recovery import interest_recovery
from hyperctr.runs.scoring import interest_of
from hyperctr.split_data import SplitData


def plain_degree(logits: Tensor, present: Tensor) -> Tensor:
    """The degree without its calibration over the item's modalities."""
    return torch.where(present, torch.sigmoid(logits), torch.nan)


READINGS: dict[str, dict[str, object]] = {
    "as implemented": {},
    "item vector not pulled to 1": {"ITEM_DECAY": 0.0},
    "user vector and projections not pulled to 0": {"USER_DECAY": 0.0, "PROJECTION_DECAY": 0.0},
    "weights of the last step, not averaged": {"AVERAGE_EPOCHS": 1e-6},
    "degree not relative to the item's other modalities": {"degree_of_interest": plain_degree},
}


def main() -> None:
    """Pre-train every reading on every seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    rows = []
    for seed in options.seeds:
        data = hc.load_dataset("planted", seed=seed)
        split_data = SplitData.open(data, hc.Config(seed=seed, slot_months=6))
        for reading, changes in READINGS.items():
            with ExitStack() as changed:
                for name, value in changes.items():
                    changed.enter_context(patch.object(interest, name, value))
                learned = interest_of(split_data, hc.Config(seed=seed), "cpu")
            auc = float(np.mean(list(interest_recovery(split_data, learned).values())))
            rows.append({"reading": reading, "seed": seed, "recovery_auc": auc, "hyperctr": hc.__version__})
    table = pd.DataFrame(rows)
    print(table.pivot(index="reading", columns="seed", values="recovery_auc").round(3).to_string())
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        table.to_csv(options.out, index=False, float_format="%.5f")


if __name__ == "__main__":
    main()
