"""Where a step's time goes at a small and at a large size: the profile behind the table of training against size.

    python -m tests.benchmarks.bench_profile --sizes 100000 10000000 --out profile.csv

The middle steps of a round are profiled, operation by operation. What its first step (which convolves) and its last
(which goes back through the convolution) take beyond a middle one is shared out over the round's steps.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch.profiler import ProfilerActivity, profile

from hyperctr.config import Config
from hyperctr.runtime import write_atomic
from tests.benchmarks.training_turns import EpochTimer, data_of_size, prepare

ROUND = "convolution of a round, there and back"
GROUPS = {
    "matrix products": ("mm", "addmm", "bmm", "baddbmm"),
    "rows read and written": (
        *("index", "index_select", "index_copy_", "index_put_", "_index_put_impl_", "index_add_", "gather"),
        *("embedding", "embedding_dense_backward", "scatter_add_", "_coalesce", "_unique2", "sort", "searchsorted"),
    ),
    "attention": (
        "_scaled_dot_product_flash_attention_for_cpu",
        "_scaled_dot_product_flash_attention_for_cpu_backward",
        *("_softmax", "_softmax_backward_data"),
    ),
    "random numbers": ("random_", "bernoulli_", "randperm"),
    "dense AdamW": ("_fused_adamw_",),
}
OF_OPERATION = {f"aten::{name}": group for group, names in GROUPS.items() for name in names}


def milliseconds(timer: EpochTimer, at_least: int = 20) -> dict[str, float]:
    """Return what a step spends on each group of operations; the timer has trained rounds before.

    A middle step's time is taken without the profiler, which slows it down, and divided as the profile says.
    """
    trainer, spent, steps, profiled, timed = timer.trainer, Counter[str](), 0, 0, 0
    ends = middle_seconds = 0.0

    def seconds(some: list[int]) -> float:
        begun = time.perf_counter()
        for step in some:
            trainer.train_step(step)
        return time.perf_counter() - begun

    for stretch in timer.rounds[1:]:
        if profiled >= at_least:
            break
        first, *middle, last = (trainer.steps_per_epoch + step for step in stretch)
        half = min(at_least, len(middle) // 2)
        ends += seconds([first])
        middle_seconds += seconds(middle[:half])
        with profile(activities=[ProfilerActivity.CPU]) as recorded:
            seconds(middle[half : 2 * half])
        ends += seconds([last]) - 2 * middle_seconds / (timed + half)  # both are ordinary steps beside it
        for event in recorded.key_averages():
            spent[OF_OPERATION.get(event.key, "everything else")] += event.self_cpu_time_total
        steps, profiled, timed = steps + len(stretch), profiled + half, timed + half
    a_step, total = 1000 * middle_seconds / timed, sum(spent.values())
    return {**{part: a_step * time / total for part, time in spent.items()}, ROUND: 1000 * ends / steps}


def main() -> None:
    """Profile each size, print the table and write it to --out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100_000, 10_000_000])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    config = Config.for_model("hyperctr", "quick").replace(interest_epochs=0)
    rows: list[dict[str, Any]] = []
    for size in options.sizes:
        spent = milliseconds(prepare(partial(data_of_size, size), config, {}))
        total = sum(spent.values())
        rows += [
            {"interactions": size, "part": part, "milliseconds_a_step": value, "share": value / total}
            for part, value in sorted(spent.items(), key=lambda item: -item[1])
        ]
    table = pd.DataFrame(rows)
    print(table.round(3).to_string(index=False))
    if options.out:
        write_atomic(options.out, table.to_csv(index=False, float_format="%.6g"))


if __name__ == "__main__":
    main()
