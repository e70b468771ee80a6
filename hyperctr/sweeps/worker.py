"""What one process of a sweep does: one job, with its own log, threads and signals.

Jobs are plain values: ``{"kind": "train", "id", "runs", "data", "config", "device", "threads"}``, where ``runs`` is the
run store; the kind ``time`` also says for which run, ``timed``, and whether a ``whole`` epoch is timed.
"""

from __future__ import annotations

import faulthandler
import json
import os
import signal
import sys
import threading
import time
import traceback
import warnings
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from hyperctr.config import Config
from hyperctr.errors import DataWarning, HyperCTRError, RunError
from hyperctr.runtime import write_atomic

if TYPE_CHECKING:
    from hyperctr.data.dataset import Dataset

STOPPED = 143  # what a shell reports of a process that SIGTERM ended


class Stop(BaseException):
    """Somebody asked this process to stop; files are whole, and the run can be resumed."""


def log_path(runs: str | Path, name: str) -> Path:
    """Return where the output of a job goes."""
    return Path(runs) / ".logs" / f"{name}.log"


def error_path(runs: str | Path, name: str) -> Path:
    """Return where a failing job explains itself."""
    return log_path(runs, name).with_suffix(".json")


def carry_out(job: dict[str, Any]) -> int:
    """Do a job in this process and return its exit code: 0 done, 1 failed, 143 stopped."""
    os.environ["HYPERCTR_RUNS"], os.environ["HYPERCTR_BATCH"] = job["runs"], "1"
    _end_with_the_sweep(os.getppid())
    log = log_path(job["runs"], job["id"])
    error_path(job["runs"], job["id"]).unlink(missing_ok=True)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the sweep's to handle
    signal.signal(signal.SIGTERM, _stop)
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        with open(log, "a", encoding="utf-8") as output:
            now = datetime.now(UTC).isoformat(timespec="seconds")
            output.write(f"{now} {job['kind']} by process {os.getpid()}\n")
            os.dup2(output.fileno(), 1)
            os.dup2(output.fileno(), 2)
        faulthandler.enable(sys.__stderr__ or 2)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataWarning)  # kept with the data, and by the run
            do(job)
    except Stop:
        return STOPPED
    except Exception as error:
        traceback.print_exc()
        _explain(job, error)
        return 1
    return 0


def do(job: dict[str, Any]) -> None:
    """Do a job; its errors are raised."""
    import torch

    if job.get("threads"):
        torch.set_num_threads(job["threads"])
    data, config = read_data(job["data"]), Config.from_dict(job["config"])
    if job["kind"] == "time":
        from hyperctr.runs.timing import measure

        measure(data, config, job["whole"], job["device"], Path(job["runs"]) / ".timings" / f"{job['timed']}.json")
        return

    from hyperctr.runs.experiment import train
    from hyperctr.runs.store import run_id

    found = run_id(data, config)
    if found != job["id"]:
        raise RunError(
            f"run {job['id']} was planned, but data and code now give {found}: "
            "the data or the library's code changed while the sweep ran; start the sweep again"
        )
    train(data, config, device=job["device"], resume=True)


def read_data(origin: dict[str, Any]) -> Dataset:
    """Load the data set that a plan was opened on, once per process (forked processes share it)."""
    return _read_data(json.dumps(origin, sort_keys=True))


@lru_cache(maxsize=2)
def _read_data(origin: str) -> Dataset:
    from hyperctr.data.registry import load_dataset

    facts = json.loads(origin)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return load_dataset(facts["name"], data_dir=facts["data_dir"], seed=facts["seed"], **facts["options"])


def _explain(job: dict[str, Any], error: Exception) -> None:
    own = isinstance(error, HyperCTRError)  # such a message says all there is to say
    message = str(error) if own else f"{type(error).__name__}: {error}"
    facts = {"error": message, "traceback": traceback.format_exc()}
    try:
        write_atomic(error_path(job["runs"], job["id"]), json.dumps(facts))
    except OSError:  # a full disk, most likely; the exit code and the log have to do
        traceback.print_exc()


def _stop(number: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough: cleaning up is not to be interrupted
    raise Stop


def _end_with_the_sweep(parent: int) -> None:
    """End this process soon after its parent: a killed sweep must not leave runs behind that go on by themselves."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(STOPPED)

    threading.Thread(target=watch, daemon=True).start()
