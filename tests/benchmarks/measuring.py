"""Time and memory of calls in this process: what the benchmarks of single parts share."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np


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
