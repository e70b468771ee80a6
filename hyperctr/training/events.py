"""The learning curve on disk: one JSON line per validation point, readable while the run goes on."""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hyperctr.runtime import write_atomic

if TYPE_CHECKING:
    import torch


class EventLog:
    """Append points to ``events.jsonl``; on resume, forget what came after ``after_step``. No path writes nothing."""

    def __init__(self, path: Path | None, after_step: int = 0) -> None:
        self.path = path
        self.points: list[dict[str, Any]] = []  # the curve so far
        if path is not None:
            self.points = [line for line in read_events(path) if line["step"] <= after_step]
            write_atomic(path, "".join(json.dumps(line) + "\n" for line in self.points))

    def write(self, **point: Any) -> None:
        """Append one point and hand it to the operating system at once."""
        self.points.append(point)
        if self.path is not None:
            with open(self.path, "a", encoding="utf-8") as file:
                file.write(json.dumps(point) + "\n")


def read_events(path: Path) -> list[dict[str, Any]]:
    """Return the whole lines of an ``events.jsonl``; a line cut off by a crash is left out."""
    points = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []:
        try:
            points.append(json.loads(line))
        except json.JSONDecodeError:
            break
    return points


def peak_memory_mib(device: torch.device) -> float:
    """Return the peak memory so far in MiB: of the GPU when it trains, else of this process."""
    if device.type == "cuda":
        import torch

        return torch.cuda.max_memory_allocated(device) / 2**20
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20
