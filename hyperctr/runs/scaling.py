"""How much faster training gets with more threads (Figure 7): measured on a finished run, kept beside the run store.

One fresh process for each number of threads, because a thread pool cannot be resized honestly once it has run. They
take turns in rounds, the others asleep, so that whatever else the machine does meets all of them; a speed-up is
taken within a round. The result is kept by run (settings, data, code), machine and way of measuring: asking again
costs nothing.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import multiprocessing
import platform
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import psutil

from hyperctr.errors import ConfigError, RunError
from hyperctr.executor import Executor, available_cores
from hyperctr.runs.store import find_run, runs_folder
from hyperctr.runtime import write_atomic

if TYPE_CHECKING:
    from hyperctr.runs.run import Run

# what is timed: one training step, and one convolution of all user hypergraphs there and back
STEP, CONVOLUTION = "training step", "convolution"
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")


@dataclass(frozen=True)
class Scaling:
    """What was measured of the training of ``run``, in ``seconds`` altogether.

    Attributes:
        frame: columns ``what`` (training step, convolution), ``threads``, ``round``, ``per_second``.
        machine: ``processor``, ``cores`` that this process may use, ``torch``, ``python``.
        busy_cores: how many cores were busy just before the start, see :func:`busy_cores`.
    """

    run: str
    frame: pd.DataFrame
    machine: dict[str, Any]
    busy_cores: float
    seconds: float

    @property
    def where(self) -> str:
        """The machine in words, for a subtitle."""
        busy = "" if math.isnan(self.busy_cores) else f", {self.busy_cores:.1f} busy when it began"
        return f"{self.machine['processor']}, {self.machine['cores']} cores{busy}"


def thread_counts(limit: int) -> list[int]:
    """Return 1, 2, 4, ... and the limit itself.

    >>> thread_counts(24), thread_counts(1)
    ([1, 2, 4, 8, 16, 24], [1])
    """
    return sorted({*(2**power for power in range(limit.bit_length())), limit})


def measure_scaling(run: str | Path, *, threads: Sequence[int] = (), rounds: int = 5, seconds: float = 0.6) -> Scaling:
    """Time the training steps of a finished run, and its hypergraph convolution alone, by number of threads.

    Args:
        run: id, beginning of an id, or folder; its settings, data and trained weights are used.
        threads: numbers of threads, 1 among them; empty: 1, 2, 4, ... up to the machine's cores.
        rounds: how often each is measured.
        seconds: for each measurement, at least.

    Raises:
        ConfigError: a number of threads, ``rounds`` or ``seconds`` that cannot be measured.
        RunError: no such run, it is not finished, or a process that measured has died.
    """
    counts = sorted(set(threads)) or thread_counts(available_cores())
    if counts[0] != 1 or counts[-1] > 1024:
        raise ConfigError(f"threads = {counts} must hold 1, which the others are compared with, and end by 1024")
    if rounds < 1 or not seconds > 0:
        raise ConfigError(f"rounds = {rounds} must be at least 1 and seconds = {seconds} above 0")
    folder = find_run(str(run))
    if not (folder / "DONE").exists():
        raise RunError(f"{folder}: only a finished run can be timed; train it first")
    machine = machine_facts()
    asked = {"run": folder.name, "threads": counts, "rounds": rounds, "seconds": seconds, "machine": machine}
    code = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    key = json.dumps([asked, code], sort_keys=True)
    path = runs_folder() / ".timings" / f"{hashlib.sha256(key.encode()).hexdigest()[:12]}.json"
    with suppress(OSError, ValueError, KeyError):  # there is no earlier measurement, or none that can be read
        return _read(path)
    busy, started = round(busy_cores(), 2), time.perf_counter()
    rows = _take_turns(folder, counts, rounds, seconds)
    content = {"rows": rows, "busy_cores": busy, "took": round(time.perf_counter() - started, 1), **asked}
    write_atomic(path, json.dumps(content, indent=1))
    return _read(path)


def _read(path: Path) -> Scaling:
    kept = json.loads(path.read_text(encoding="utf-8"))
    return Scaling(kept["run"], pd.DataFrame(kept["rows"]), kept["machine"], kept["busy_cores"], kept["took"])


def busy_cores(seconds: float = 0.3) -> float:
    """Return how many cores of the machine are busy now; nan where the system does not tell.

    A load average looks back a minute, and would call a machine busy whose last run has just ended.
    """
    try:
        return float(psutil.cpu_percent(seconds)) / 100 * (psutil.cpu_count() or 1)
    except (OSError, RuntimeError):
        return math.nan


@cache
def machine_facts() -> dict[str, Any]:
    """Return what a timing depends on beside run and code: processor, cores, versions."""
    name = platform.processor() or platform.machine()
    with suppress(OSError):  # only Linux tells it there
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), name)
    versions = {"torch": version("torch"), "python": platform.python_version()}
    return {"processor": name, "cores": available_cores(), **versions}


def _take_turns(folder: Path, counts: list[int], rounds: int, seconds: float) -> list[dict[str, Any]]:
    with Executor(fresh=True) as executor:
        lines: dict[int, Connection[Any, Any]] = {}

        def ask(threads: int, what: str | None) -> float:
            try:
                lines[threads].send((what, seconds))
                return float(lines[threads].recv())
            except (EOFError, OSError):
                ended = executor.wait()[0]
                raise RunError(f"timing with {ended.name} stopped (exit {ended.exit}): {ended.error}") from None

        for threads in counts:
            lines[threads], theirs = multiprocessing.Pipe()
            # passive: threads that wait for work must not keep a core busy while another process is measured
            environment = {**dict.fromkeys(THREAD_VARIABLES, str(threads)), "OMP_WAIT_POLICY": "PASSIVE"}
            executor.start(f"{threads} threads", _measure, folder.resolve(), threads, theirs, environment=environment)
            theirs.close()
        for threads in counts:
            if ask(threads, None) != threads:  # ready and warmed up: it tells how many threads it got
                raise RunError(f"torch cannot use {threads} threads here; ask for fewer")
        rows = []
        for turn in range(rounds):
            # every other round the other way round: what drifts favours nobody
            for threads, what in itertools.product(counts if turn % 2 == 0 else counts[::-1], (STEP, CONVOLUTION)):
                rate = ask(threads, what)
                rows.append({"what": what, "threads": threads, "round": turn, "per_second": rate})
        return rows


def _measure(folder: Path, threads: int, orders: Connection[Any, Any]) -> None:
    """Be a process with a fixed number of threads that measures when asked and else sleeps, until it is killed."""
    import torch

    from hyperctr.runs.run import Run

    torch.set_num_threads(threads)
    torch.set_num_interop_threads(1)
    calls = _calls(Run(folder))
    for call in calls.values():
        call()
        call()
    while True:
        what, seconds = orders.recv()
        if what is None:
            orders.send(torch.get_num_threads())
            continue
        count, started = 0, time.perf_counter()
        while count == 0 or time.perf_counter() - started < seconds:
            calls[what]()
            count += 1
        orders.send(count / (time.perf_counter() - started))


def _calls(run: Run) -> dict[str, Callable[[], object]]:
    """Return what is timed, by name."""
    import torch

    from hyperctr.model.convolution import HypergraphConv
    from hyperctr.training.loop import Trainer

    model, size = run.model, run.config.embedding_size
    graphs = getattr(getattr(model, "context", None), "graphs", None)
    if graphs is None:
        raise RunError(f"{run.id}: a run of {run.config.model} without hypergraphs; Figure 7 is about those that have")
    trainer = Trainer(model, run.split_data, run.config, torch.device("cpu"))
    steps = itertools.count()
    graph, layer = graphs.assemble(None)[0], HypergraphConv(size, size)
    x = torch.randn(graph.num_nodes, size, requires_grad=True)
    return {STEP: lambda: trainer.train_step(next(steps)), CONVOLUTION: lambda: layer(x, graph).sum().backward()}
