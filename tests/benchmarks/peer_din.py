"""Train FuxiCTR's DIN in turns: the peer that ``bench_training.py`` compares with. Runs in an environment of its own.

FuxiCTR is imported here and nowhere else, and nothing of HyperCTR is. The model and its data loader are those that the
wheel ships (``model_zoo.LongCTR``), put together as its own ``run_expid.py`` does. A turn is asked for by a line of
JSON on stdin, ``{"what": loader, "seconds": 5}``, and answered by one on stdout.

The table is a folder with ``train.parquet`` (label, user_index, user_id, item_index, seq_len), ``user_info.parquet``
(full_item_seq, a list a user) and ``item_info.parquet`` (item_index, item_id); a history is the first ``seq_len`` items
of its user's list, and item 0 is padding.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import torch
from fuxictr.features import FeatureMap
from model_zoo.LongCTR.DIN.DIN import DIN
from model_zoo.LongCTR.longctr_dataloader import LongCTRDataLoader

# Its loader without and with a worker (the class's default), and no loader at all: batches made before the clock runs.
WORKERS = {"0 workers": 0, "1 worker": 1}
READY = "batches ready"
WARM = 3  # steps of a turn before the first that counts: a loader begins with reading the table


def feature_map(folder: Path, users: int, items: int, size: int) -> FeatureMap:
    """Return the description of the table: a user's and an item's id are learned, the rest finds the history."""
    made = FeatureMap(folder.name, str(folder))
    made.labels, made.default_emb_dim = ["label"], size
    made.features.update({name: {"type": "meta"} for name in ("user_index", "item_index", "seq_len")})
    made.features["user_id"] = {"source": "user", "type": "categorical", "vocab_size": users + 1, "padding_idx": 0}
    made.features["item_id"] = {"source": "item", "type": "categorical", "vocab_size": items + 1, "padding_idx": 0}
    made.num_fields = made.get_num_fields()
    made.set_column_index()
    return made


def batches(described: FeatureMap, options: argparse.Namespace, workers: int) -> Iterator[Any]:
    """Yield batches for ever, as the loader gives them."""
    files = {"user_info": f"{options.table}/user_info.parquet", "item_info": f"{options.table}/item_info.parquet"}
    sizes = {"batch_size": options.batch, "max_len": options.length, "num_workers": workers}
    loader = LongCTRDataLoader(described, f"{options.table}/train.parquet", shuffle=True, **files, **sizes)
    while True:
        yield from loader


def main() -> None:
    """Build the model, then take turns until stdin ends."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", type=Path, required=True)
    for name in ("users", "items", "embedding-size", "length", "batch", "threads"):
        parser.add_argument(f"--{name}", type=int, required=True)
    options = parser.parse_args()
    answers, sys.stdout = sys.stdout, sys.stderr  # the library may print
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    described = feature_map(options.table, options.users, options.items, options.embedding_size)
    # Widths as in the paper of DIN, the rest as in its template of settings; no evaluation, so nothing is written.
    network = {"dnn_hidden_units": [200, 80], "attention_hidden_units": [64], "embedding_dim": options.embedding_size}
    needed = {"optimizer": "adam", "loss": "binary_crossentropy", "task": "binary_classification", "metrics": ["AUC"]}
    place = {"model_root": gettempdir(), "verbose": 0}
    model = DIN(described, **network, **needed, **place)
    model._max_gradient_norm, model._batch_index = 10.0, 0  # what its fit() sets
    model.train()
    loader = batches(described, options, 0)
    kept = [next(loader) for _ in range(20)]
    loader.close()  # type: ignore[attr-defined]
    del loader

    def say(answer: dict[str, Any]) -> None:
        print(json.dumps(answer), file=answers, flush=True)

    def step(source: Iterator[Any]) -> int:
        batch = next(source)
        float(model.train_step(batch).item())
        return len(batch[2])

    say({"version": version("fuxictr"), "torch": torch.__version__, "loaders": [*WORKERS, READY]})
    for line in sys.stdin:
        asked = json.loads(line)
        source = None  # one loader at a time, as in training, so that the peak of memory is that of one
        source = ready(kept) if asked["what"] == READY else batches(described, options, WORKERS[asked["what"]])
        for _ in range(WARM):
            step(source)
        examples, steps, begun = 0, 0, time.perf_counter()
        while steps == 0 or time.perf_counter() - begun < asked["seconds"]:
            examples, steps = examples + step(source), steps + 1
        seconds = time.perf_counter() - begun
        answer = {"examples_per_second": examples / seconds, "seconds_per_step": seconds / steps}
        unit = 1 if sys.platform == "darwin" else 1024
        say({**answer, "peak_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20})


def ready(kept: list[Any]) -> Iterator[Any]:
    """Yield the kept batches over and over; the model moves items between devices in place, so each gets a copy."""
    while True:
        for batch, items, mask in kept:
            yield dict(batch), dict(items), mask


if __name__ == "__main__":
    main()
