"""Run several notebooks at once, each in a process of its own: papermill's handling of folders knows no threads."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hyperctr.errors import HyperCTRError
from hyperctr.executor import Executor
from hyperctr.report.execute import NotebookResult, run_notebook


@dataclass(frozen=True)
class Job:
    """One notebook to run; see :func:`hyperctr.report.execute.run_notebook`."""

    source: Path
    target: Path
    parameters: Mapping[str, Any]
    cell_timeout: int | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


def run_notebooks(jobs: Sequence[Job], workers: int) -> Iterator[NotebookResult]:
    """Run notebooks, ``workers`` at once, and yield how each ended, the first to end first.

    Nothing is raised for a notebook: one with wrong parameters is ``refused``, one whose process died is ``killed``. If
    nobody listens any more (Ctrl-C), what still runs is killed.
    """
    waiting, started = deque(jobs), {str(job.source): job for job in jobs}
    with Executor(preload=("papermill",)) as executor:
        while waiting or executor.running:
            while waiting and len(executor.running) < workers:
                executor.start(str(waiting[0].source), _run, waiting.popleft())
            for ended in executor.wait():
                job = started[ended.name]
                if ended.state == "done":
                    yield ended.value
                elif ended.state == "killed":
                    error = (
                        f"The process that ran the notebook was {ended.error}; for want of memory, use fewer workers."
                    )
                    yield NotebookResult(job.source.stem, "killed", 0.0, error, job.target)
                else:
                    yield NotebookResult(job.source.stem, "failed", 0.0, ended.traceback or ended.error, job.target)


def _run(job: Job) -> NotebookResult:
    try:
        return run_notebook(**vars(job))
    except HyperCTRError as error:
        return NotebookResult(job.source.stem, "refused", 0.0, str(error), job.target)
