"""Work in other processes: runs, timings and notebooks are functions that an :class:`Executor` starts.

Every function gets a process of its own, with its own environment, log and peak memory, and ends in one of four states:
done, failed, killed or stopped. Processes are forked by the forkserver of :mod:`multiprocessing`, which has imported
torch once, so one starts within milliseconds. They are stopped by SIGKILL, and none outlives the process that asked for
it: what they leave on disk must be whole at any moment, as that of a run is.
"""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
import resource
import signal
import sys
import threading
import traceback
import types
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Literal

import hyperctr
from hyperctr.errors import HyperCTRError, RunError

# What a run imports; the second is what the first optimiser imports. Those that are not there are left out.
PRELOADED = ("hyperctr.runs.experiment", "torch._dynamo")
LEAVE_SECONDS = 5.0  # what a process that has answered gets to end by itself
_starting = threading.Lock()


@dataclass(frozen=True)
class JobResult:
    """How a process ended.

    Attributes:
        state: ``done``, ``failed`` (it raised), ``killed`` (by a signal) or ``stopped`` (by :meth:`Executor.stop`).
        value: what its function returned.
        error: one line; empty if done.
        traceback: of a failed one.
        exit: exit code, or minus the signal.
        peak_memory_mib: most memory it held, shared pages included.
    """

    name: str
    state: Literal["done", "failed", "killed", "stopped"]
    value: Any = None
    error: str = ""
    traceback: str = ""
    exit: int = 0
    peak_memory_mib: float = 0.0


class Executor:
    """Starts functions in processes of their own, and says how they end.

    Args:
        fresh: a new interpreter for each, whose numerical libraries see its environment; importing torch takes seconds.
        preload: modules that the first executor of this process has imported before anything is forked.

    >>> with Executor() as executor:
    ...     executor.start("sum", sum, [1, 2])
    ...     [(result.name, result.state, result.value) for result in executor.wait()]
    [('sum', 'done', 3)]
    """

    def __init__(self, *, fresh: bool = False, preload: tuple[str, ...] = PRELOADED) -> None:
        self._context: Any = multiprocessing.get_context("spawn" if fresh else "forkserver")
        self._fresh = fresh
        self._context.set_forkserver_preload(list(preload))
        self._processes: dict[str, tuple[Any, Connection, Any, Path | None]] = {}

    def __enter__(self) -> Executor:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def running(self) -> tuple[str, ...]:
        """Names of what has been started and not yet been seen to end."""
        return tuple(self._processes)

    def start(
        self,
        name: str,
        function: Callable[..., Any],
        *arguments: Any,
        log: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Call a function in a new process.

        Args:
            name: of the result.
            function: of a module that can be imported; that of a script or a notebook's cell cannot.
            arguments: plain values, or ends of a :func:`multiprocessing.Pipe`; so is what it returns.
            log: file that its output is appended to; None: standard output as it was when the first process began.
            environment: variables beside our own.

        Raises:
            RunError: no process can be started.
        """
        answers, theirs = self._context.Pipe(duplex=False)
        peak = self._context.RawValue("d", 0.0)
        parts = (theirs, peak, log, {**os.environ, **(environment or {})}, function, *arguments)
        process = self._context.Process(target=_work, args=parts, name=name, daemon=True)
        # one run has one thread, and so has what numpy does in it: results do not depend on the cores there are
        blas = {"OPENBLAS_NUM_THREADS": os.environ.get("OPENBLAS_NUM_THREADS", "1")}
        try:
            with _starting, _surroundings((environment or {}) if self._fresh else blas):
                process.start()
        except (OSError, EOFError) as error:
            raise RunError(f"no process can be started for {name}: {error!r}; is there memory enough?") from error
        finally:
            theirs.close()
        self._processes[name] = process, answers, peak, log

    def wait(self, timeout: float | None = None) -> list[JobResult]:
        """Return what has ended, after at most ``timeout`` seconds (None: as soon as something has)."""
        handles: dict[Any, str] = {}
        for name, (process, answers, *_) in self._processes.items():
            handles |= {process.sentinel: name, answers: name}
        ready = wait(handles, timeout) if handles else []
        return [self._end(name) for name in dict.fromkeys(handles[handle] for handle in ready)]

    def stop(self) -> list[JobResult]:
        """Kill everything that runs; what it was doing can be started again."""
        for process, *_ in self._processes.values():
            process.kill()
        return [self._end(name, stopped=True) for name in self.running]

    def _end(self, name: str, stopped: bool = False) -> JobResult:
        process, answers, peak, log = self._processes.pop(name)
        answer: tuple[Any, str, str] | None = None
        with answers, suppress(EOFError, OSError):
            answer = answers.recv() if answers.poll() else None
        process.join(LEAVE_SECONDS if answer else None)
        process.kill()
        process.join()
        code = process.exitcode
        ended = partial(JobResult, name, exit=code, peak_memory_mib=round(peak.value, 1))
        if answer is not None:
            value, error, trace = answer
            return ended("failed" if error else "done", value, error, trace, exit=1 if error else 0)
        if stopped:
            return ended("stopped", error="stopped; it goes on where it was")
        if code < 0:
            signal_name = next((known.name for known in signal.Signals if known == -code), f"signal {-code}")
            reason = " (out of memory, or somebody's kill -9)" if code == -signal.SIGKILL else ""
            return ended("killed", error=f"killed by {signal_name}{reason}")
        if code == 255:  # so multiprocessing says that nobody is left to tell; then nobody has ended it either
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
            return ended("killed", error="the server of the processes died", exit=-9)
        return ended("failed", error=f"ended with exit code {code}" + (f"; see {log}" if log else ""))


def available_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def python_path() -> str:
    """Return the ``PYTHONPATH`` under which another process imports this very ``hyperctr``."""
    root = str(Path(hyperctr.__file__).resolve().parent.parent)
    return os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))


@contextmanager
def _surroundings(changes: Mapping[str, str]) -> Iterator[None]:
    """Let what starts meanwhile see other variables, import this very ``hyperctr``, and not run our script again."""
    changes = {**changes, "PYTHONPATH": python_path()}
    before = {name: os.environ.get(name) for name in changes}
    main = sys.modules["__main__"]  # what multiprocessing would import in every process
    sys.modules["__main__"] = types.ModuleType("__main__")
    os.environ.update(changes)
    try:
        yield
    finally:
        sys.modules["__main__"] = main
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


def _work(
    answers: Connection, peak: Any, log: Path | None, environment: dict[str, str], function: Any, *args: Any
) -> None:
    """Run in the new process: call the function and send (value, error, traceback)."""
    os.setsid()  # Ctrl-C in the terminal is for the one who started us
    os.environ.clear()
    os.environ.update(environment)
    threading.Thread(target=_watch, args=(peak,), daemon=True).start()
    value, error, trace = None, "", ""
    try:
        if log is not None:
            log.parent.mkdir(parents=True, exist_ok=True)
            with open(log, "a", encoding="utf-8") as output:
                now = datetime.now(UTC).isoformat(timespec="seconds")
                name = multiprocessing.current_process().name
                print(f"{now} {name} starts in process {os.getpid()}", file=output, flush=True)
                os.dup2(output.fileno(), 1)
                os.dup2(output.fileno(), 2)
        faulthandler.enable(2)
        value = function(*args)
    except Exception as reason:
        words = str(reason) if isinstance(reason, HyperCTRError) else ""  # such a message says all there is to say
        error = words or f"{type(reason).__name__}: {reason}"
        trace = traceback.format_exc()
        if log is not None:
            traceback.print_exc()
    peak.value = _peak_memory_mib()
    answers.send((value, error, trace))
    sys.exit(1 if error else 0)


def _watch(peak: Any) -> None:
    """Write down the memory held so far, and end this process as soon as the one that asked for it is gone."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    while parent.is_alive():
        peak.value = _peak_memory_mib()
        parent.join(0.2)
    os._exit(1)


def _peak_memory_mib() -> float:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20
