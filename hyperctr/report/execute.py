"""Run notebooks and say truthfully how each ended.

papermill executes; this module adds what it lacks: parameters are checked first, the kernel is the Python that runs us
(no registered kernel needed), its noise goes to a file, and a killed kernel or a timeout is written into the saved
notebook, which papermill leaves looking like a success.
"""

from __future__ import annotations

import errno
import logging
import re
import sys
import tempfile
import time
import traceback
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from hyperctr.errors import HyperCTRError
from hyperctr.executor import Executor, python_path
from hyperctr.report.notebooks import read_notebook
from hyperctr.runtime import NOTEBOOK, REPORT_DIR, write_atomic

Status = Literal["done", "failed", "killed", "timeout", "disk full", "refused"]
_log = logging.getLogger(__name__)
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_FULL = (errno.ENOSPC, errno.EDQUOT)
_NOISE = ("Kernel is running over TCP", "IPKernelApp", "NOTE: When using the `ipython kernel`")
_DIED = (
    "The kernel process died without a Python error. The usual reason is memory: the system kills the "
    "largest process. Try a smaller budget, or watch the memory while it runs.\n"
)


@dataclass(frozen=True)
class NotebookResult:
    """How a notebook ended.

    Attributes:
        name: file name without ending.
        status: ``done``, ``failed`` (a cell raised), ``killed`` (the kernel died), ``timeout`` (of a cell),
            ``disk full``, ``refused`` (its parameters cell does not take what a report gives).
        seconds: wall time, kernel start included.
        error: traceback or explanation, plain text; empty when done.
        path: the executed notebook, also there (as far as it got) when it failed; not if it was refused, or could
            not be written.
    """

    name: str
    status: Status
    seconds: float
    error: str
    path: Path

    @property
    def ok(self) -> bool:
        """Whether every cell ran."""
        return self.status == "done"


@dataclass(frozen=True)
class Job:
    """A notebook to run.

    Attributes:
        source: the notebook.
        target: where the executed one goes, and beside it its tables and figures; missing folders are made.
        parameters: values for the cell tagged ``parameters``.
        cell_timeout: whole seconds that one cell may take; None: any time.
        environment: variables for the kernel, beside ``HYPERCTR_BATCH=1`` and those that :func:`hyperctr.show` and
            reproduction cards read.
    """

    source: Path
    target: Path
    parameters: Mapping[str, Any]
    cell_timeout: int | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


def run_notebooks(jobs: Sequence[Job], workers: int) -> Iterator[NotebookResult]:
    """Run notebooks, ``workers`` at once, and yield how each ended, the first to end first.

    Each has a process of its own: papermill's handling of folders knows no threads. Nothing is raised for a notebook:
    one with wrong parameters is ``refused``, one whose process died is ``killed``. If nobody listens any more (Ctrl-C),
    what still runs is killed.
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
                    advice = "for want of memory, use fewer workers."
                    error = f"The process that ran the notebook was {ended.error}; {advice}"
                    yield NotebookResult(job.source.stem, "killed", 0.0, error, job.target)
                else:
                    yield NotebookResult(job.source.stem, "failed", 0.0, ended.traceback or ended.error, job.target)


def _run(job: Job) -> NotebookResult:
    try:
        return run_notebook(job)
    except HyperCTRError as error:
        return NotebookResult(job.source.stem, "refused", 0.0, str(error), job.target)


def run_notebook(job: Job) -> NotebookResult:
    """Execute one notebook; how it ended is also stored in the executed one (``metadata.hyperctr``).

    Raises:
        ConfigError: an unknown or ill-typed parameter, or no notebook at ``source``; nothing was started.
    """
    import papermill
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    # without a handler of its own, papermill's messages about what we report ourselves go to the terminal
    logging.getLogger("papermill").addHandler(logging.NullHandler())
    read_notebook(job.source).check(job.parameters)
    folder = job.target.parent.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    told = {"HYPERCTR_BATCH": "1", REPORT_DIR: str(folder), NOTEBOOK: job.source.stem, **job.environment}
    begin, error = time.perf_counter(), ""
    status: Status = "done"
    with tempfile.TemporaryDirectory(prefix="hyperctr-kernel-") as place:
        kernel_log = Path(place) / "kernel.log"
        try:
            papermill.execute_notebook(
                str(job.source),
                str(job.target),
                dict(job.parameters),
                **{"kernel_name": "python3", "language": "python", "progress_bar": False, "store_widget_state": False},
                execution_timeout=job.cell_timeout,
                kernel_manager_class=_kernel_manager(kernel_log, told),
            )
        except papermill.PapermillExecutionError as reason:
            full = reason.ename == "OSError" and reason.evalue.startswith(tuple(f"[Errno {code}]" for code in _FULL))
            status, error = "disk full" if full else "failed", "\n".join(reason.traceback)
        except DeadKernelError:
            status, error = "killed", _DIED + _tail(kernel_log)
        except CellTimeoutError:
            status, error = "timeout", f"A cell took longer than {job.cell_timeout} s and was stopped."
        except Exception as reason:  # the kernel did not start ...: report it, the other notebooks still run
            status, error = _status_of(reason), traceback.format_exc() + _tail(kernel_log)
    seconds, error = time.perf_counter() - begin, _ANSI.sub("", error).strip()
    result = NotebookResult(job.source.stem, status, seconds, error, job.target)
    try:
        _stamp(result)
    except OSError as reason:
        result = replace(result, status=_status_of(reason), error=f"{error}\n{reason}".strip())
    _log.info("%s: %s after %.1f s", result.name, result.status, result.seconds)
    return result


def _status_of(reason: Exception) -> Status:
    return "disk full" if isinstance(reason, OSError) and reason.errno in _FULL else "failed"


def _kernel_manager(log: Path, environment: Mapping[str, str]) -> type:
    """Return a kernel manager whose kernel is this Python with this ``hyperctr``, registered or not."""
    from jupyter_client.kernelspec import KernelSpec
    from jupyter_client.manager import AsyncKernelManager

    spec = KernelSpec(
        argv=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        display_name="HyperCTR",
        language="python",
        env={"PYTHONPATH": python_path(), **environment},
    )

    class ThisPythonKernelManager(AsyncKernelManager):
        @property
        def kernel_spec(self) -> KernelSpec:
            return spec

        async def start_kernel(self, **options: Any) -> None:  # type: ignore[override]
            with open(log, "ab") as sink:  # the kernel keeps its own copy of the handle
                await super().start_kernel(stdout=sink, stderr=sink, **options)

    return ThisPythonKernelManager


def _tail(log: Path) -> str:
    """Last lines the kernel process itself wrote (not its cells), without those every kernel writes."""
    lines = log.read_text(errors="replace").splitlines() if log.is_file() else []
    return "\n".join([line for line in lines if line.strip() and not any(part in line for part in _NOISE)][-20:])


def _stamp(result: NotebookResult) -> None:
    """Write the outcome into the executed notebook, and mark the cell in which the kernel ended."""
    import nbformat

    book = load_book(result.path)  # if the kernel did not start, an empty one carries the explanation
    meta = book.metadata.setdefault("papermill", {})
    meta["exception"] = not result.ok
    meta["input_path"], meta["output_path"] = (f"{result.name}.ipynb", result.path.name)  # no path of this machine
    started = [cell for cell in book.cells if cell.metadata.get("papermill", {}).get("start_time")]
    if result.status in {"killed", "timeout"} and started:
        started[-1].metadata.papermill["status"] = "failed"
        started[-1].metadata.papermill["exception"] = True
    outcome = {"name": result.name, "status": result.status, "seconds": round(result.seconds, 2), "error": result.error}
    book.metadata["hyperctr"] = {**book.metadata.get("hyperctr", {}), **outcome}
    write_atomic(result.path, nbformat.writes(book) + "\n")  # type: ignore[no-untyped-call]


def load_book(path: Path) -> Any:
    """Read a notebook as an nbformat node; an empty one if there is no file."""
    import nbformat

    if not path.is_file():
        return nbformat.v4.new_notebook()  # type: ignore[no-untyped-call]
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
