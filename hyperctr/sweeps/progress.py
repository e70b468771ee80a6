"""Progress of a sweep in epochs, not in cells: a bar per running run, with the time it has left."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from hyperctr.runs.store import runs_folder
from hyperctr.runtime import in_notebook
from hyperctr.training.events import read_events

if TYPE_CHECKING:
    from hyperctr.sweeps.jobs import Job

logger = logging.getLogger("hyperctr.sweeps")
REFRESH_SECONDS = 1.0
BAR = "{desc:<44.44} {percentage:3.0f}% |{bar:20}| epoch {n:.1f} of at most {total_fmt}, {remaining} left"
WHOLE = "{desc:<44.44} {percentage:3.0f}% |{bar:20}| {n_fmt} of {total_fmt} runs"


class Board:
    """Bars in a terminal or a live notebook; elsewhere one log line per finished job."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        from tqdm.auto import tqdm

        self.jobs = {job.name: job for job in jobs}
        self.started: dict[str, float] = {}
        self.watched = not os.environ.get("HYPERCTR_BATCH") and (in_notebook() or sys.stderr.isatty())
        self._bar: Any = partial(tqdm, disable=not self.watched)
        self._bars: dict[str, Any] = {}
        self._whole = self._bar(total=len(jobs), desc="sweep", bar_format=WHOLE)
        self._ended, self._next = 0, 0.0

    def __enter__(self) -> Board:
        return self

    def __exit__(self, *_: object) -> None:
        for bar in [*self._bars.values(), self._whole]:
            bar.close()

    def start(self, name: str) -> None:
        """Show a job that was started."""
        job, self.started[name] = self.jobs[name], time.monotonic()
        if not job.timed:
            options = {"total": job.config.epochs, "initial": epoch_of(name), "desc": job.label}
            self._bars[name] = self._bar(**options, leave=False, bar_format=BAR)

    def update(self) -> None:
        """Read how far the running runs are."""
        if self.watched and time.monotonic() >= self._next:
            self._next = time.monotonic() + REFRESH_SECONDS
            for name, bar in self._bars.items():
                bar.n = min(epoch_of(name), bar.total)
                bar.refresh()

    def end(self, name: str, state: str, error: str = "") -> None:
        """Take away a job's bar, or log how it ended."""
        self._ended += 1
        if name in self._bars:
            self._bars.pop(name).close()
        self._whole.update()
        took = time.monotonic() - self.started.get(name, time.monotonic())
        line = f"{self._ended}/{len(self.jobs)} {self.jobs[name].label}: {state} in {took:.0f} s"
        line += f" ({error})" if error else ""
        if not self.watched:
            logger.info(line)
        elif state != "done":
            self._whole.write(line, file=sys.stderr)


def epoch_of(run_id: str) -> float:
    """Return how many epochs a run has trained."""
    points = read_events(runs_folder() / run_id / "events.jsonl")
    return float(points[-1]["epoch"]) if points else 0.0
