"""The same jobs on many machines, by an existing dask.distributed scheduler and a run store that all machines share.

A dask worker does not train by itself: it starts a process as a local sweep does, so a run that crashes takes no worker
with it, and a worker that dies takes its run with it. Its tasks then move to another worker, which goes on from the
checkpoint in the shared store. Give every worker one thread per run it may carry out at once (``--nthreads 1``), and
one GPU (``CUDA_VISIBLE_DEVICES``, which dask-cuda sets).
"""

from __future__ import annotations

import multiprocessing
import os
import secrets
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from hyperctr.config import REFERENCE_MODEL
from hyperctr.errors import ConfigError, RunError
from hyperctr.executor import Executor, JobResult
from hyperctr.runs.source import code_fingerprint
from hyperctr.runs.store import runs_folder
from hyperctr.sweeps.jobs import Job, is_done, plan_jobs, settle, start_job
from hyperctr.sweeps.progress import Board

POLL_SECONDS = 0.5
CONNECT_SECONDS = 10
STOP_SECONDS = 30  # what workers get to answer that they have stopped


def run_on_cluster(
    jobs: Sequence[Job], scheduler: str, deadline: float, device: str | None
) -> tuple[list[JobResult], bool]:
    """Carry out jobs on a dask.distributed cluster; see :func:`hyperctr.sweeps.local.run_jobs`.

    Raises:
        ConfigError: the extra ``cluster`` is not installed.
        RunError: no scheduler there, no workers, or workers that do not see the run store or run other code.
    """
    try:
        from distributed import Client, Event
    except ModuleNotFoundError as error:
        raise ConfigError("a sweep on a cluster needs the extra cluster: pip install 'hyperctr[cluster]'") from error
    try:
        client: Any = Client(scheduler, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:  # a time-out is an OSError, a malformed address a ValueError
        raise RunError(f"no dask scheduler answers at {scheduler!r} ({error}); start one: dask scheduler") from error
    with client, Board(jobs) as board:
        _check_workers(client)
        plan_jobs(jobs)
        sweep, ended = secrets.token_hex(4), list[JobResult]()
        common = (str(runs_folder().resolve()), device, f"stop-{sweep}")
        futures = {}
        for number, job in enumerate(jobs):
            key = f"hyperctr-{job.name}-{sweep}"
            futures[job.name] = client.submit(do_on_worker, job, *common, key=key, priority=-number, pure=False)
        try:
            while futures and time.monotonic() < deadline:
                ended += _collect(futures, board)
        finally:  # all done, the time is up, or Ctrl-C
            stopped, limit = bool(futures), time.monotonic() + STOP_SECONDS
            if stopped:
                Event(common[-1], client=client).set()
            while futures and time.monotonic() < limit:
                ended += _collect(futures, board)
    return ended, stopped


def do_on_worker(job: Job, store: str, device: str | None, stop: str) -> JobResult:
    """Do one job in a process of its own on this dask worker, until it ends or the event ``stop`` is set."""
    from distributed import Event

    os.environ["HYPERCTR_RUNS"] = store
    multiprocessing.current_process().daemon = False  # else the worker of a nanny could start no process
    event = Event(stop)
    if event.is_set():
        return JobResult(job.name, "stopped")
    if is_done(job.name):
        return JobResult(job.name, "done")
    with Executor() as executor:
        start_job(executor, job, device, one_thread=True)
        ended = executor.wait(POLL_SECONDS)
        while not ended:
            ended = executor.stop() if event.is_set() else executor.wait(POLL_SECONDS)
    settle(ended[0])
    return ended[0]


def _collect(futures: dict[str, Any], board: Board) -> Iterator[JobResult]:
    time.sleep(POLL_SECONDS / 5)
    for name, future in list(futures.items()):
        if name not in board.started and (runs_folder() / name / "events.jsonl").exists():
            board.start(name)
        if not future.done():
            continue
        del futures[name]
        if future.status == "finished":
            result = future.result()
        elif future.status == "cancelled":
            result = JobResult(name, "stopped", error="the scheduler dropped it; start the sweep again")
        elif type(error := future.exception()).__name__ == "KilledWorker":
            settle(result := JobResult(name, "killed", error="its workers died, again and again", exit=1))
        else:
            settle(result := JobResult(name, "failed", error=f"{type(error).__name__}: {error}", exit=1))
        board.end(name, result.state, result.error)
        yield result
    board.update()


def _check_workers(client: Any) -> None:
    """Refuse workers that would train something else or write somewhere else."""
    token = runs_folder().resolve() / ".logs" / f"shared-{secrets.token_hex(4)}"
    token.parent.mkdir(parents=True, exist_ok=True)
    token.touch()
    try:
        workers = client.run(_look_around, str(token))
    finally:
        token.unlink()
    if not workers:
        raise RunError(f"the scheduler {client.scheduler.address} has no workers; start some: dask worker ADDRESS")
    for worker, (shared, code) in workers.items():
        if not shared:
            fix = "set HYPERCTR_RUNS to a folder that all machines share under the same path"
            raise RunError(f"dask worker {worker} does not see the run store {token.parent.parent}; {fix}")
        if code != code_fingerprint(REFERENCE_MODEL):
            raise RunError(f"dask worker {worker} runs other code of hyperctr; install the same version everywhere")


def _look_around(token: str) -> tuple[bool, str]:
    """Tell, on a worker, whether it sees the run store, and which code it runs."""
    return Path(token).exists(), code_fingerprint(REFERENCE_MODEL)
