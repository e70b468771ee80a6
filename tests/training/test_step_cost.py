"""Training costs what its batches cost, however many clicks there are."""

from __future__ import annotations

import statistics
import time
from functools import partial

from hyperctr.config import Config
from tests.benchmarks.training_turns import data_of_size, prepare

SMALL, LARGE = 25_000, 200_000  # interactions


def test_an_example_costs_no_more_in_eight_times_the_data() -> None:
    # Narrow layers and small batches, so that work on all data at once, if a step does any, is most of its cost.
    narrow = {"embedding_size": 16, "history_length": 10, "hidden": (32, 16), "batch_size": 128}
    config = Config.for_model("hyperctr", "quick", interest_epochs=0, **narrow)
    # The process's own seconds, both sizes by turns: other load on the machine meets both alike.
    made = [partial(data_of_size, size) for size in (SMALL, LARGE)]
    timers = [prepare(make, config, {}, clock=time.process_time) for make in made]
    ratios = []
    for _ in range(3):
        small, large = (timer.seconds_per_epoch(at_least=0.5) / timer.examples_per_epoch for timer in timers)
        ratios.append(large / small)
    # A step that convolves all hypergraphs anew made it 4 and more.
    assert statistics.median(ratios) < 2, f"an example costs {ratios} times as much"
