"""Run one notebook and say truthfully how it ended.

papermill executes; this module adds what it lacks: parameters are checked first, the kernel is the Python
that runs us (no registered kernel needed), its noise goes to a file, and a killed kernel or a timeout is
written into the saved notebook, which papermill leaves looking like a success.
"""

from __future__ import annotations

import errno
import logging
import os
import re
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import hyperctr
from hyperctr.report.parameters import check_parameters
from hyperctr.runtime import NOTEBOOK, REPORT_DIR, write_atomic

Status = Literal["done", "failed", "killed", "timeout", "disk full", "refused"]
_log = logging.getLogger(__name__)
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_FULL = (errno.ENOSPC, errno.EDQUOT)
_NOISE = ("Kernel is running over TCP", "IPKernelApp", "NOTE: When using the `ipython kernel`")


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


def run_notebook(
    source: str | Path,
    target: str | Path,
    parameters: Mapping[str, Any] | None = None,
    *,
    cell_timeout: int | None = None,
    environment: Mapping[str, str] | None = None,
) -> NotebookResult:
    """Execute ``source`` with ``parameters`` and store the executed notebook in ``target``, its results beside it.

    The outcome is also stored in the notebook (``metadata.hyperctr``).

    Args:
        source: the notebook.
        target: where the executed one goes; missing folders are made.
        parameters: values for the cell tagged ``parameters``.
        cell_timeout: whole seconds that one cell may take; None: any time.
        environment: variables for the kernel, beside ``HYPERCTR_BATCH=1`` and those that :func:`hyperctr.show` and
            reproduction cards read.

    Raises:
        ConfigError: an unknown or ill-typed parameter, or no notebook at ``source``; nothing was started.
    """
    import papermill
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    # without a handler of its own, papermill's messages about what we report ourselves go to the terminal
    logging.getLogger("papermill").addHandler(logging.NullHandler())
    parameters = dict(parameters or {})
    check_parameters(source, parameters)
    source, target = Path(source), Path(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    told = {"HYPERCTR_BATCH": "1", REPORT_DIR: str(target.parent.resolve()), NOTEBOOK: source.stem}
    begin, error = time.perf_counter(), ""
    status: Status = "done"
    with tempfile.TemporaryDirectory(prefix="hyperctr-kernel-") as folder:
        kernel_log = Path(folder) / "kernel.log"
        try:
            papermill.execute_notebook(
                str(source),
                str(target),
                parameters,
                kernel_name="python3",
                language="python",
                progress_bar=False,
                execution_timeout=cell_timeout,
                store_widget_state=False,
                kernel_manager_class=_kernel_manager(kernel_log, {**told, **(environment or {})}),
            )
        except papermill.PapermillExecutionError as reason:
            full = reason.ename == "OSError" and reason.evalue.startswith(tuple(f"[Errno {code}]" for code in _FULL))
            status, error = "disk full" if full else "failed", "\n".join(reason.traceback)
        except DeadKernelError:
            status, error = "killed", _explain_death(kernel_log)
        except CellTimeoutError:
            status, error = "timeout", f"A cell took longer than {cell_timeout} s and was stopped."
        except OSError as reason:
            status = "disk full" if reason.errno in _FULL else "failed"
            error = traceback.format_exc() + _tail(kernel_log)
        except Exception:  # the kernel did not start ...: report it, the other notebooks still run
            status, error = "failed", traceback.format_exc() + _tail(kernel_log)
    seconds, error = time.perf_counter() - begin, _ANSI.sub("", error).strip()
    result = NotebookResult(source.stem, status, seconds, error, target)
    try:
        _stamp(result)
    except OSError as reason:
        status = "disk full" if reason.errno in _FULL else "failed"
        result = NotebookResult(source.stem, status, seconds, f"{error}\n{reason}".strip(), target)
    _log.info("%s: %s after %.1f s", result.name, result.status, result.seconds)
    return result


def _kernel_manager(log: Path, environment: Mapping[str, str]) -> type:
    """Return a kernel manager whose kernel is this Python with this ``hyperctr``, registered or not."""
    from jupyter_client.kernelspec import KernelSpec
    from jupyter_client.manager import AsyncKernelManager

    home = str(Path(hyperctr.__file__).parents[1])
    search = [home, *filter(None, [os.environ.get("PYTHONPATH")])]
    spec = KernelSpec(
        argv=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        display_name="HyperCTR",
        language="python",
        env={"PYTHONPATH": os.pathsep.join(search), **environment},
    )

    class OwnKernelManager(AsyncKernelManager):
        @property
        def kernel_spec(self) -> KernelSpec:
            return spec

        async def start_kernel(self, **options: Any) -> None:  # type: ignore[override]
            with open(log, "ab") as sink:  # the kernel keeps its own copy of the handle
                await super().start_kernel(stdout=sink, stderr=sink, **options)

    return OwnKernelManager


def _tail(log: Path, lines: int = 20) -> str:
    """Last lines the kernel process itself wrote (not its cells), without those every kernel writes."""
    if not log.is_file():
        return ""
    text = log.read_text(errors="replace").splitlines()
    return "\n".join([line for line in text if line.strip() and not any(part in line for part in _NOISE)][-lines:])


def _explain_death(log: Path) -> str:
    return (
        "The kernel process died without a Python error. The usual reason is memory: the system kills the "
        "largest process. Try a smaller budget, or watch the memory while it runs.\n" + _tail(log)
    ).strip()


def _stamp(result: NotebookResult) -> None:
    """Write the outcome into the executed notebook, and mark the cell in which the kernel ended."""
    # nothing was saved (the kernel did not start): an empty notebook carries the explanation
    book = load_book(result.path)
    meta = book.metadata.setdefault("papermill", {})
    meta["exception"] = not result.ok
    meta["input_path"], meta["output_path"] = (f"{result.name}.ipynb", result.path.name)  # no path of this machine
    started = [cell for cell in book.cells if cell.metadata.get("papermill", {}).get("start_time")]
    if result.status in {"killed", "timeout"} and started:
        started[-1].metadata.papermill["status"] = "failed"
        started[-1].metadata.papermill["exception"] = True
    book.metadata["hyperctr"] = {
        **book.metadata.get("hyperctr", {}),
        "name": result.name,
        "status": result.status,
        "seconds": round(result.seconds, 2),
        "error": result.error,
    }
    _save_book(result.path, book)


def load_book(path: str | Path) -> Any:
    """Read a notebook as an nbformat node; an empty one if there is no file."""
    import nbformat

    if not Path(path).is_file():
        return nbformat.v4.new_notebook()  # type: ignore[no-untyped-call]
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]


def _save_book(path: Path, book: Any) -> None:
    import nbformat

    write_atomic(path, nbformat.writes(book) + "\n")  # type: ignore[no-untyped-call]
