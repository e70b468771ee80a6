"""Time and memory of calls in this process, and of commands: what the benchmarks share."""

from __future__ import annotations

import subprocess
import threading
import time
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import psutil


def timed(calls: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Return the fewest CPU seconds of each call; they take turns, in reversed order every other round."""
    best = dict.fromkeys(calls, np.inf)
    for turn in range(rounds):
        for name in list(calls)[:: 1 if turn % 2 else -1]:
            start = time.process_time()
            calls[name]()
            best[name] = min(best[name], time.process_time() - start)
    return best


def peak(call: Callable[[], Any]) -> tuple[float, Any]:
    """Return the megabytes allocated at the worst moment of a call, by Python and numpy, and its result."""
    tracemalloc.start()
    result = call()
    worst = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return worst / 1e6, result


def process_gb(name: str) -> float:
    """Return a size of this process in GB, such as ``VmRSS``; 0 where the system does not tell."""
    path = Path("/proc/self/status")
    lines = path.read_text().splitlines() if path.exists() else []
    return next((int(line.split()[1]) / 1e6 for line in lines if line.startswith(name)), 0.0)


def restart_peak() -> None:
    """Let the peak memory of this process, ``VmHWM``, start anew, where the system can."""
    reset = Path("/proc/self/clear_refs")
    if reset.exists():
        reset.write_text("5")


def run_measured(
    command: list[str], folder: Path, environment: dict[str, str] | None = None
) -> tuple[str, float, float]:
    """Run a command in a folder; return what it printed, its wall seconds, and MiB of it and its children at the worst.

    Raises:
        RuntimeError: it did not succeed; holds what it said.
    """
    begin = time.perf_counter()
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    process = subprocess.Popen(command, cwd=folder, env=environment, **pipes)
    peaks, ended = [0.0], threading.Event()
    watcher = threading.Thread(target=_watch, args=(process.pid, peaks, ended))
    watcher.start()
    said, _ = process.communicate()
    seconds = time.perf_counter() - begin
    ended.set()
    watcher.join()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)}: exit code {process.returncode}\n{said[-4000:]}")
    return said, seconds, peaks[0]


def _watch(pid: int, peaks: list[float], ended: threading.Event) -> None:
    """Keep the most memory that a process and its children held together, in MiB; what they share counts once.

    Pages of mapped files do not count, as the system takes them back when somebody needs the room.
    """
    while not ended.wait(0.05):
        with suppress(psutil.Error):
            top = psutil.Process(pid)
            peaks[0] = max(peaks[0], sum(_own_mib(process) for process in [top, *top.children(recursive=True)]))


def _own_mib(process: psutil.Process) -> float:
    """Return the memory that a process has for itself, where the system tells: mapped files can be read again."""
    with suppress(psutil.Error, OSError):
        rollup = Path(f"/proc/{process.pid}/smaps_rollup")
        if not rollup.exists():
            return float(process.memory_info().rss) / 2**20
        sizes = dict(line.split()[:2] for line in rollup.read_text().splitlines()[1:])
        return sum(int(sizes[name]) for name in ("Pss_Anon:", "Pss_Shmem:")) / 2**10
    return 0.0
