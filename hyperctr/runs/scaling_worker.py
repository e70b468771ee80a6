"""The process that measures for :mod:`hyperctr.runs.scaling`: a fixed number of threads, idle until asked."""

from __future__ import annotations

import itertools
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

import torch

from hyperctr.errors import RunError
from hyperctr.model.convolution import HypergraphConv
from hyperctr.runs.run import Run
from hyperctr.runs.scaling import CONVOLUTION, STEP
from hyperctr.training.loop import Trainer


def work(folder: Path, threads: int, orders: IO[str], answers: IO[str]) -> None:
    """Tell how many threads there are, then answer each order [what, seconds] with a rate, until the input ends."""
    torch.set_num_threads(threads)
    torch.set_num_interop_threads(1)
    measured = _calls(Run(folder))
    for call in measured.values():
        call()
        call()

    def say(value: float) -> None:
        answers.write(json.dumps(value) + "\n")
        answers.flush()

    say(torch.get_num_threads())
    for line in orders:
        what, seconds = json.loads(line)
        call, count, started = measured[what], 0, time.perf_counter()
        while count == 0 or time.perf_counter() - started < seconds:
            call()
            count += 1
        say(count / (time.perf_counter() - started))


def _calls(run: Run) -> dict[str, Callable[[], object]]:
    """Return what is timed, by name."""
    model = run.model
    trainer = Trainer(model, run.split_data, run.config, torch.device("cpu"))
    graphs = getattr(getattr(model, "context", None), "graphs", None)
    if graphs is None:
        raise RunError(f"{run.id}: a run of {run.config.model} without hypergraphs; Figure 7 is about those that have")
    steps = itertools.count()
    calls: dict[str, Callable[[], object]] = {STEP: lambda: trainer.train_step(next(steps))}
    size = run.config.embedding_size
    graph, layer = graphs.assemble(None)[0], HypergraphConv(size, size)
    x = torch.randn(graph.num_nodes, size, requires_grad=True)
    calls[CONVOLUTION] = lambda: layer(x, graph).sum().backward()
    return calls


if __name__ == "__main__":
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a library prints is no answer
    work(Path(sys.argv[1]), int(sys.argv[2]), sys.stdin, channel)
