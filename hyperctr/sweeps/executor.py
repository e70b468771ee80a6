"""Processes seen from the sweep: start a job, stop it, hear how it ended."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import hyperctr
from hyperctr.errors import RunError
from hyperctr.sweeps.worker import STOPPED, error_path, log_path

GRACE_SECONDS = 30.0  # what a stopped run gets to leave whole files behind
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Ended:
    """How a job ended.

    Attributes:
        name: the job's id.
        state: ``done``, ``failed`` (it raised), ``killed`` (by a signal) or ``stopped`` (because it was asked to).
        error: one line; empty if done.
        traceback: of a failed job.
        exit: exit code, or minus the signal.
        peak_memory_mib: most memory it held, shared pages included.
    """

    name: str
    state: Literal["done", "failed", "killed", "stopped"]
    error: str
    traceback: str
    exit: int
    peak_memory_mib: float


class Processes:
    """A server of processes, see :mod:`hyperctr.sweeps.server`; one sweep uses one.

    Args:
        runs: the run store that the jobs write to.
        single_threaded: numerical libraries get one thread per process.

    Raises:
        RunError: the server cannot start, for example because torch cannot be imported.
    """

    def __init__(self, runs: Path, *, single_threaded: bool = True) -> None:
        self.runs = runs.resolve()
        self._log = log_path(self.runs, f"server-{os.getpid()}-{time.monotonic_ns()}")
        self._log.parent.mkdir(parents=True, exist_ok=True)
        root = str(Path(hyperctr.__file__).resolve().parent.parent)
        environment = os.environ | dict.fromkeys(ONE_THREAD if single_threaded else (), "1")
        environment |= {
            "PYTHONPATH": os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])]),
            "HYPERCTR_BATCH": "1",
            "HYPERCTR_RUNS": str(self.runs),
            "MPLBACKEND": "Agg",
        }
        with open(self._log, "w", encoding="utf-8") as log:
            # A session of its own: Ctrl-C in the terminal reaches the sweep alone, which then stops its runs.
            self._server = subprocess.Popen(
                [sys.executable, "-m", "hyperctr.sweeps.server"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment,
                start_new_session=True,
                bufsize=0,
            )
        self._waiting = b""
        self._stopping: set[str] = set()
        self.running: dict[str, int] = {}  # job id -> process id, 0 until it is known
        first = self._answers(None)
        if not first:
            words = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            raise RunError(f"the processes of the sweep cannot start: {words[-1] if words else 'no reason given'}")
        self.gpus: int = first[0]["ready"]["cuda"]

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def alive(self) -> bool:
        """Whether the server is there; if it died, its runs died with it."""
        return self._server.poll() is None

    def start(self, job: dict[str, Any]) -> None:
        """Start a job in a process of its own."""
        self.running[job["id"]] = 0
        self._tell({"start": {**job, "runs": str(self.runs)}})

    def stop(self, name: str, number: signal.Signals = signal.SIGTERM) -> None:
        """Ask a job to stop; it leaves whole files and can be resumed."""
        self._stopping.add(name)
        self._tell({"stop": name, "signal": number.name})

    def wait(self, timeout: float | None = None) -> list[Ended]:
        """Return the jobs that ended, after at most ``timeout`` seconds (None: until one ends)."""
        limit = None if timeout is None else time.monotonic() + timeout
        while self.running:
            left = None if limit is None else max(0.0, limit - time.monotonic())
            answers = self._answers(left)
            ended = [self._ended(answer) for answer in answers if "ended" in answer]
            self.running |= {answer["started"]: answer["pid"] for answer in answers if "started" in answer}
            for one in ended:
                self.running.pop(one.name, None)
            if not self.alive:
                ended += self._lost()
            if ended or (limit is not None and time.monotonic() >= limit):
                return ended
        return []

    def stop_all(self) -> list[Ended]:
        """Stop every running job and return how they ended; one that does not listen is killed."""
        ended: list[Ended] = []
        for number, patience in ((signal.SIGTERM, GRACE_SECONDS), (signal.SIGKILL, GRACE_SECONDS)):
            for name in self.running:
                self.stop(name, number)
            limit = time.monotonic() + patience
            while self.running and time.monotonic() < limit:
                ended += self.wait(limit - time.monotonic())
        return ended

    def close(self) -> None:
        """End the server; runs still going on end with it."""
        for pipe in (self._server.stdin, self._server.stdout):
            if pipe is not None:
                pipe.close()
        try:
            self._server.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()
        self._log.unlink(missing_ok=True)

    def _tell(self, message: dict[str, Any]) -> None:
        assert self._server.stdin is not None
        try:
            self._server.stdin.write(json.dumps(message).encode() + b"\n")
        except BrokenPipeError:
            return  # the server is gone: wait() says so

    def _answers(self, timeout: float | None) -> list[dict[str, Any]]:
        """Read what the server has said; nothing if the time is up or the server has ended."""
        pipe = self._server.stdout
        assert pipe is not None
        limit = None if timeout is None else time.monotonic() + timeout
        while True:
            left = None if limit is None else max(0.0, limit - time.monotonic())
            if not select.select([pipe], [], [], left)[0]:
                return []
            received = os.read(pipe.fileno(), 1 << 16)
            if not received:
                self._server.wait()
                return []
            *lines, self._waiting = (self._waiting + received).split(b"\n")
            if lines:
                return [json.loads(line) for line in lines]

    def _ended(self, answer: dict[str, Any]) -> Ended:
        name, code, traceback = answer["ended"], answer["exit"], ""
        state: Literal["done", "failed", "killed", "stopped"]
        if code == 0:
            state, error = "done", ""
        elif name in self._stopping and (code == STOPPED or code < 0):
            state, error = "stopped", "stopped; it goes on where it was"
        elif code < 0 or code == STOPPED:
            number = -code if code < 0 else signal.SIGTERM
            known = number in {one.value for one in signal.Signals}
            state, error = "killed", f"killed by {signal.Signals(number).name if known else f'signal {number}'}"
            if number == signal.SIGKILL:
                error += " (out of memory, or somebody's kill -9)"
        else:
            state, (error, traceback) = "failed", self._explanation(name, code)
        return Ended(name, state, error, traceback, code, answer["peak_memory_mib"])

    def _explanation(self, name: str, code: int) -> tuple[str, str]:
        try:
            found = json.loads(error_path(self.runs, name).read_text(encoding="utf-8"))
            return found["error"], found["traceback"]
        except (OSError, ValueError, KeyError):
            return f"ended with exit code {code}; see {log_path(self.runs, name)}", ""

    def _lost(self) -> list[Ended]:
        lost = [Ended(name, "killed", "the server of the sweep's processes died", "", -9, 0.0) for name in self.running]
        self.running = {}
        return lost
