"""Write the training clicks of random data, each with its negatives, as the table that ``peer_din.py`` reads."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from hyperctr.config import Config
from hyperctr.runtime import rng, write_atomic
from hyperctr.split_data import SplitData
from tests.benchmarks.training_turns import data_of_size

FACTS = "facts.json"  # written last: a folder that has it is whole


def write_peer_table(interactions: int, negatives: int, folder: Path) -> None:
    """Write the files; ids are counted from 1, as 0 is padding, and a history is the user's training clicks before."""
    data = data_of_size(interactions)
    split_data = SplitData.open(data, Config.for_model("hyperctr", "quick"))
    rows = split_data.split.train
    user, item = data.user_index[rows], data.item_index[rows] + 1
    order = np.lexsort((data.timestamp[rows], user))
    begins = np.searchsorted(user[order], np.arange(data.num_users + 1))
    before = np.empty(len(rows), dtype=np.int64)
    before[order] = np.arange(len(rows)) - begins[user[order]]
    drawn = rng(0, "bench", "peer").integers(1, data.num_items + 1, size=negatives * len(rows))

    folder.mkdir(parents=True, exist_ok=True)
    columns = {"label": np.repeat([1, 0], [len(rows), len(drawn)]), "item_index": np.r_[item, drawn]}
    of_user = {"user_index": user, "user_id": user + 1, "seq_len": before}
    columns |= {name: np.tile(values, 1 + negatives) for name, values in of_user.items()}
    pd.DataFrame(columns).to_parquet(folder / "train.parquet", index=False)
    histories = pa.ListArray.from_arrays(pa.array(begins, pa.int32()), pa.array(item[order]))
    pq.write_table(pa.table({"full_item_seq": histories}), folder / "user_info.parquet")
    every = np.arange(data.num_items + 1)
    pd.DataFrame({"item_index": every, "item_id": every}).to_parquet(folder / "item_info.parquet", index=False)
    facts = {"users": data.num_users, "items": data.num_items, "train_clicks": len(rows)}
    write_atomic(folder / FACTS, json.dumps(facts))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--interactions", type=int, required=True)
    parser.add_argument("--negatives", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    write_peer_table(options.interactions, options.negatives, options.out)
