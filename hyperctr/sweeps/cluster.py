"""The same plans on many machines, by an existing dask.distributed scheduler and a run store that all machines share.

A dask worker does not train by itself: it keeps a server of processes as a local sweep does, so a run that crashes
takes no worker with it, and a worker that dies takes its runs with it. Its tasks then move to another worker, which
goes on from the checkpoint in the shared store. Give every worker one thread per run it may carry out at once
(``--nthreads 1``), and one GPU (``CUDA_VISIBLE_DEVICES``, which dask-cuda sets).
"""

from __future__ import annotations

import dataclasses
import logging
import os
import secrets
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hyperctr.errors import ConfigError, RunError
from hyperctr.runs.store import runs_folder
from hyperctr.sweeps.executor import GRACE_SECONDS, Ended, Processes
from hyperctr.sweeps.plan import Plan
from hyperctr.sweeps.progress import Board
from hyperctr.sweeps.tasks import Outcome, Task, begin, final_states, is_done, missing_runs, plan_all, settle

logger = logging.getLogger("hyperctr.sweeps")
POLL_SECONDS = 0.5
CONNECT_SECONDS = 10
_mine = threading.local()  # one server of processes per thread of a dask worker


def run_on_cluster(
    plans: Sequence[Plan],
    scheduler: str,
    *,
    only: str | None = None,
    max_minutes: float | None = None,
    device: str | None = None,
) -> Outcome:
    """Carry out plans on a dask.distributed cluster; see :func:`hyperctr.sweeps.local.run_plans`.

    Raises:
        ConfigError: the extra ``cluster`` is not installed.
        RunError: no scheduler there, no workers, or workers that do not see the run store or run other code.
    """
    clock = time.monotonic()
    deadline = clock + 60 * max_minutes if max_minutes is not None else float("inf")
    tasks = missing_runs(plans, only)
    with _connect(scheduler) as client:
        _check_workers(client)
        ended = _carry_out(client, tasks, deadline, device)
    states = final_states(plans)
    errors = {one.name: one.error for one in ended if one.state in ("failed", "killed")}
    trained = tuple(one.name for one in ended if one.state == "done")
    stopped = time.monotonic() >= deadline and any(state == "planned" for state in states.values())
    return Outcome(states, errors, trained, time.monotonic() - clock, stopped)


def carry_out_here(job: dict[str, Any], stop_file: str) -> dict[str, Any]:
    """Do one job in a process of its own on this dask worker, and return how it ended.

    Args:
        job: see :mod:`hyperctr.sweeps.worker`; ``runs`` is the shared run store.
        stop_file: the job is stopped, to be resumed later, when this file appears in the store.
    """
    os.environ["HYPERCTR_RUNS"] = job["runs"]
    if is_done(job["id"]):
        return dataclasses.asdict(Ended(job["id"], "done", "", "", 0, 0.0))
    if getattr(_mine, "processes", None) is None or not _mine.processes.alive:
        _mine.processes = Processes(Path(job["runs"]))
    begin(job["id"])
    _mine.processes.start(job)
    asked = 0.0
    while True:
        ended = _mine.processes.wait(POLL_SECONDS)
        if ended:
            settle(ended[0])
            return dataclasses.asdict(ended[0])
        if Path(stop_file).exists() and not asked:
            asked = time.monotonic()
            _mine.processes.stop(job["id"])


def _carry_out(client: Any, tasks: Sequence[Task], deadline: float, device: str | None) -> list[Ended]:
    """Hand tasks to the cluster and wait for all, or until ``deadline``."""
    if not tasks or time.monotonic() >= deadline:
        return []
    plan_all(tasks)
    runs, name = runs_folder().resolve(), secrets.token_hex(4)
    stop_file = runs / ".logs" / f"stop-{name}"
    jobs = [{**task.job, "runs": str(runs), "device": device, "threads": 1} for task in tasks]
    futures = {
        task.name: client.submit(
            carry_out_here, job, str(stop_file), key=f"hyperctr-{task.name}-{name}", priority=-number, pure=False
        )
        for number, (task, job) in enumerate(zip(tasks, jobs, strict=True))
    }
    board = Board(tasks)
    ended: list[Ended] = []
    try:
        while futures and time.monotonic() < deadline:
            ended += _collect(futures, board)
            time.sleep(POLL_SECONDS / 5)
    finally:  # all done, the time is up, or Ctrl-C
        if futures:
            stop_file.parent.mkdir(parents=True, exist_ok=True)
            stop_file.touch()
            # what no worker has begun is taken back; what runs stops by itself and says how
            working = {key for keys in client.processing().values() for key in keys}
            for task, future in list(futures.items()):
                if future.key not in working:
                    future.cancel()
                    del futures[task]
            limit = time.monotonic() + GRACE_SECONDS
            while futures and time.monotonic() < limit:
                ended += _collect(futures, board)
                time.sleep(POLL_SECONDS / 5)
            stop_file.unlink()
        board.close()
    return ended


def _collect(futures: dict[str, Any], board: Board) -> Iterator[Ended]:
    for name, future in list(futures.items()):
        if name not in board.started and (runs_folder() / name / "events.jsonl").exists():
            board.start(name)
        if not future.done():
            continue
        del futures[name]
        if future.status == "finished":
            one = Ended(**future.result())
        elif future.status == "cancelled":
            one = Ended(name, "stopped", "the scheduler dropped it; start the sweep again", "", 1, 0.0)
        else:
            error = future.exception()
            lost = type(error).__name__ == "KilledWorker"
            words = "its workers died, again and again" if lost else f"{type(error).__name__}: {error}"
            one = Ended(name, "killed" if lost else "failed", words, "", 1, 0.0)
            settle(one)
        board.end(name, one.state, one.error)
        yield one
    board.update()


@contextmanager
def _connect(scheduler: str) -> Iterator[Any]:
    try:
        from distributed import Client
    except ModuleNotFoundError as error:
        raise ConfigError("a sweep on a cluster needs the extra cluster: pip install 'hyperctr[cluster]'") from error
    try:
        client: Any = Client(scheduler, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:  # a time-out is an OSError, a malformed address a ValueError
        raise RunError(f"no dask scheduler answers at {scheduler!r} ({error}); start one: dask scheduler") from error
    with client:
        yield client


def _check_workers(client: Any) -> None:
    """Refuse workers that would train something else or write somewhere else."""
    from hyperctr.config import REFERENCE_MODEL
    from hyperctr.runs.source import code_fingerprint

    token = runs_folder().resolve() / ".logs" / f"shared-{secrets.token_hex(4)}"
    token.parent.mkdir(parents=True, exist_ok=True)
    token.touch()
    try:
        found = client.run(_look_around, str(token))
    finally:
        token.unlink()
    if not found:
        raise RunError(f"the scheduler {client.scheduler.address} has no workers; start some: dask worker ADDRESS")
    for worker, facts in found.items():
        if not facts["shared"]:
            raise RunError(
                f"dask worker {worker} does not see the run store {token.parent.parent}; "
                "set HYPERCTR_RUNS to a folder that all machines share under the same path"
            )
        if facts["code"] != code_fingerprint(REFERENCE_MODEL):
            raise RunError(f"dask worker {worker} runs other code of hyperctr; install the same version everywhere")


def _look_around(token: str) -> dict[str, Any]:
    """Tell, on a worker, whether it sees the run store, and which code it runs."""
    from hyperctr.config import REFERENCE_MODEL
    from hyperctr.runs.source import code_fingerprint

    return {"shared": Path(token).exists(), "code": code_fingerprint(REFERENCE_MODEL)}
