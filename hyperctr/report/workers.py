"""Run several notebooks at once, each worker a process of its own: papermill's handling of folders knows no threads.

A worker takes one notebook after the other, so what papermill imports is imported once. It ends, and its kernel with
it, when the process that started it is gone.
"""

from __future__ import annotations

import dataclasses
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hyperctr
from hyperctr.errors import HyperCTRError
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
    """Run notebooks in ``workers`` processes and yield how each ended, the first to end first.

    Nothing is raised for a notebook: one with wrong parameters is ``refused``, one whose worker died is ``killed``.
    """
    waiting: queue.SimpleQueue[Job] = queue.SimpleQueue()
    for job in jobs:
        waiting.put(job)
    ended: queue.SimpleQueue[NotebookResult | BaseException] = queue.SimpleQueue()
    started = [_Worker() for _ in range(min(workers, len(jobs)))]
    try:
        for worker in started:
            threading.Thread(target=worker.serve, args=(waiting, ended), daemon=True).start()
        for _ in jobs:
            answer = ended.get()
            if isinstance(answer, BaseException):
                raise answer
            yield answer
    finally:  # Ctrl-C, too: workers see that nobody listens any more
        for worker in started:
            worker.close()


class _Worker:
    """A process that runs notebooks, started again if it dies."""

    def __init__(self) -> None:
        self._open = True
        self._start()

    def _start(self) -> None:
        home = str(Path(hyperctr.__file__).parents[1])
        search = os.pathsep.join(filter(None, [home, os.environ.get("PYTHONPATH")]))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "hyperctr.report.workers"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": search},
            start_new_session=True,  # Ctrl-C is for the one who started us; we are told by the closed pipe
        )

    def serve(self, waiting: queue.SimpleQueue[Job], ended: queue.SimpleQueue[NotebookResult | BaseException]) -> None:
        """Take jobs until there are none."""
        try:
            while self._open:
                try:
                    job = waiting.get_nowait()
                except queue.Empty:
                    return
                ended.put(self._run(job))
        except BaseException as error:  # a defect of ours must not leave the report waiting for ever
            ended.put(error)

    def _run(self, job: Job) -> NotebookResult:
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(dataclasses.asdict(job), default=str) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if line:
            answer = json.loads(line)
            return NotebookResult(**{**answer, "path": Path(answer["path"])})
        code = self._process.wait()
        if self._open:
            self._start()
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        error = f"The process that ran the notebook ended with {how}; if it was killed for memory, use fewer workers."
        return NotebookResult(job.source.stem, "killed", 0.0, error, job.target)

    def close(self) -> None:
        """End the process, and with it the kernel it is waiting for."""
        self._open = False
        try:
            if self._process.stdin is not None:
                self._process.stdin.close()
        except BrokenPipeError:
            pass
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def main() -> None:
    """Be a worker: a job a line on standard input, how it ended a line on standard output."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever else is printed here is no answer
    jobs: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()

    def listen() -> None:
        for line in sys.stdin:
            jobs.put(json.loads(line))
        os._exit(0)  # nobody waits for us any more; a kernel ends when its parent is gone

    threading.Thread(target=listen, daemon=True).start()
    while True:
        job = jobs.get()
        try:
            result = run_notebook(**job)
        except HyperCTRError as error:
            result = NotebookResult(Path(job["source"]).stem, "refused", 0.0, str(error), Path(job["target"]))
        answers.write(json.dumps(dataclasses.asdict(result), default=str) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
