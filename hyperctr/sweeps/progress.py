"""Progress of a sweep in epochs, not in cells: a line per running run, with the time it has left."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hyperctr.progress import Stage, view
from hyperctr.runs.store import runs_folder
from hyperctr.training.events import read_events

if TYPE_CHECKING:
    from hyperctr.sweeps.jobs import Job

logger = logging.getLogger("hyperctr.sweeps")
REFRESH_SECONDS = 1.0


class Board:
    """Progress in a terminal or a live notebook; elsewhere one log line per finished job."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self.jobs = {job.name: job for job in jobs}
        self.started: dict[str, float] = {}
        self._view = view("Sweep")
        self._whole = Stage("runs done", len(jobs), view=self._view)
        self._running: dict[str, Stage] = {}
        self._ended, self._next = 0, 0.0

    def __enter__(self) -> Board:
        self._whole.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        for stage in [*self._running.values(), self._whole]:
            stage.__exit__(kind, error, trace)

    def start(self, name: str) -> None:
        """Show a job that was started."""
        job, self.started[name] = self.jobs[name], time.monotonic()
        if not job.timed:
            total, done = job.config.epochs, epoch_of(name)
            self._running[name] = Stage(job.label, total, "epoch", done=done, kept=False, view=self._view).__enter__()

    def update(self) -> None:
        """Read how far the running runs are."""
        if self._view is not None and time.monotonic() >= self._next:
            self._next = time.monotonic() + REFRESH_SECONDS
            for name, stage in self._running.items():
                stage.step(epoch_of(name))

    def end(self, name: str, state: str, error: str = "") -> None:
        """Take away a job's line, or say how it failed, or log how it ended."""
        self._ended += 1
        if name in self._running:
            self._running.pop(name).close("" if state == "done" else f"{state}: {error}" if error else state)
        self._whole.step(self._ended)
        if self._view is None:
            took = time.monotonic() - self.started.get(name, time.monotonic())
            line = f"{self._ended}/{len(self.jobs)} {self.jobs[name].label}: {state} in {took:.0f} s"
            logger.info(line + (f" ({error})" if error else ""))


def epoch_of(run_id: str) -> float:
    """Return how many epochs a run has trained."""
    points = read_events(runs_folder() / run_id / "events.jsonl")
    return float(points[-1]["epoch"]) if points else 0.0
