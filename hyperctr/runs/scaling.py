"""How much faster training gets with more threads (Figure 7): measured on a finished run, kept beside the run store.

One fresh process for each number of threads, because a thread pool cannot be resized honestly once it has run. They
take turns in rounds, the others asleep, so that whatever else the machine does meets all of them; a speed-up is
taken within a round. The result is kept by run (settings, data, code), machine and way of measuring: asking again
costs nothing.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from hyperctr.errors import ConfigError, RunError
from hyperctr.runs.store import find_run, runs_folder
from hyperctr.runtime import write_atomic

# what is timed: one training step, and one convolution of all user hypergraphs there and back
STEP, CONVOLUTION = "training step", "convolution"
MODULES = ("scaling.py", "scaling_worker.py")
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")


@dataclass(frozen=True)
class Scaling:
    """What was measured.

    Attributes:
        run: id of the run whose training was timed.
        frame: columns ``what`` (training step, convolution), ``threads``, ``round``, ``per_second``.
        machine: ``processor``, ``cores`` that this process may use, ``torch``, ``python``.
        busy_cores: how many cores were busy just before the start, see :func:`busy_cores`.
        seconds: what the measurement took.
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


def cores() -> int:
    """Return how many cores this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def thread_counts(limit: int) -> list[int]:
    """Return 1, 2, 4, ... and the limit itself.

    >>> thread_counts(24), thread_counts(1)
    ([1, 2, 4, 8, 16, 24], [1])
    """
    return sorted({*(2**power for power in range(limit.bit_length())), limit})


def measure_scaling(run: str | Path, *, threads: Sequence[int] = (), rounds: int = 5, seconds: float = 0.8) -> Scaling:
    """Time the training steps of a finished run, and its hypergraph convolution alone, by number of threads.

    Args:
        run: id, beginning of an id, or folder of a finished run; its settings, data and trained weights are used.
        threads: numbers of threads, 1 among them; empty: 1, 2, 4, ... up to the machine's cores.
        rounds: how often each is measured.
        seconds: for each measurement, at least.

    Raises:
        ConfigError: a number of threads, ``rounds`` or ``seconds`` that cannot be measured.
        RunError: no such run, it is not finished, or a process that measured has died.
    """
    counts = sorted(set(threads)) or thread_counts(cores())
    if counts[0] != 1 or counts[-1] > 1024:
        raise ConfigError(f"threads = {counts} must hold 1, which the others are compared with, and end by 1024")
    if rounds < 1 or not seconds > 0:
        raise ConfigError(f"rounds = {rounds} must be at least 1 and seconds = {seconds} above 0")
    folder = find_run(str(run))
    if not (folder / "DONE").exists():
        raise RunError(f"{folder}: only a finished run can be timed; train it first")
    machine = machine_facts()
    asked = {"run": folder.name, "threads": counts, "rounds": rounds, "seconds": seconds, "machine": machine}
    code = [hashlib.sha256((Path(__file__).parent / name).read_bytes()).hexdigest() for name in MODULES]
    key = json.dumps([asked, code], sort_keys=True)
    path = runs_folder() / ".timings" / f"{hashlib.sha256(key.encode()).hexdigest()[:12]}.json"
    kept = _kept(path)
    if kept is not None:
        return kept
    busy = busy_cores()
    started = time.perf_counter()
    frame = pd.DataFrame(_take_turns(folder, counts, rounds, seconds))
    found = Scaling(folder.name, frame, machine, round(busy, 2), round(time.perf_counter() - started, 1))
    content = {"rows": frame.to_dict("records"), "busy_cores": found.busy_cores, "took": found.seconds, **asked}
    write_atomic(path, json.dumps(content, indent=1))
    return found


def _kept(path: Path) -> Scaling | None:
    """Read an earlier measurement; None if there is none, or none that can be read."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        return Scaling(kept["run"], pd.DataFrame(kept["rows"]), kept["machine"], kept["busy_cores"], kept["took"])
    except (OSError, ValueError, KeyError):
        return None


def busy_cores(seconds: float = 0.3) -> float:
    """Return how many cores of the machine are busy now; the load average where the system does not tell, else nan.

    A load average looks back a minute, and would call a machine busy whose last run has just ended.
    """
    try:
        first = _ticks()
        time.sleep(seconds)
        (idle, total), (idle_before, total_before) = _ticks(), first
        return (os.cpu_count() or 1) * max(0.0, 1 - (idle - idle_before) / max(total - total_before, 1))
    except (OSError, ValueError):
        return os.getloadavg()[0] if hasattr(os, "getloadavg") else math.nan


def _ticks() -> tuple[int, int]:
    """Idle and all clock ticks of all cores since the start of the system (Linux)."""
    counts = [int(word) for word in Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:9]]
    return counts[3] + counts[4], sum(counts)


@cache
def machine_facts() -> dict[str, Any]:
    """Return what a timing depends on beside run and code: processor, cores, versions."""
    name = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), name)
    except OSError:
        pass  # only Linux tells it there
    return {"processor": name, "cores": cores(), "torch": version("torch"), "python": platform.python_version()}


def _take_turns(folder: Path, counts: list[int], rounds: int, seconds: float) -> list[dict[str, Any]]:
    workers: list[_Worker] = []
    try:
        workers += [_Worker(folder, count) for count in counts]
        for worker in workers:
            if worker.answer() != worker.threads:  # ready and warmed up: it tells how many threads it got
                raise RunError(f"torch cannot use {worker.threads} threads here; ask for fewer")
        rows = []
        for turn in range(rounds):
            # every other round the other way round: what drifts favours nobody
            for worker in workers if turn % 2 == 0 else reversed(workers):
                for what in (STEP, CONVOLUTION):
                    rate = worker.ask(what, seconds)
                    rows.append({"what": what, "threads": worker.threads, "round": turn, "per_second": rate})
        return rows
    finally:
        for worker in workers:
            worker.close()


class _Worker:
    """A process with a fixed number of threads that measures when asked, and sleeps otherwise."""

    def __init__(self, folder: Path, threads: int) -> None:
        self.threads = threads
        # passive: threads that wait for work must not keep a core busy while another process is measured
        environment = {**os.environ, **dict.fromkeys(THREAD_VARIABLES, str(threads)), "OMP_WAIT_POLICY": "PASSIVE"}
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        command = [sys.executable, "-m", "hyperctr.runs.scaling_worker", str(folder.resolve()), str(threads)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, env=environment, text=True
        )

    def ask(self, what: str, seconds: float) -> float:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps([what, seconds]) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # answer() says why
        return float(self.answer())

    def answer(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            code = self.process.wait()
            self.errors.seek(0)
            words = self.errors.read().decode(errors="replace").strip().splitlines() or ["no message"]
            raise RunError(f"timing with {self.threads} threads stopped (exit {code}): {words[-1]}")
        return json.loads(line)

    def close(self) -> None:
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()  # a worker ends when its input does
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.errors.close()
