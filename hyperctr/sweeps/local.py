"""Carry out plans on this machine: a process per run, as many at once as there are cores or GPUs."""

from __future__ import annotations

import math
import os
import time
from collections import deque
from collections.abc import Sequence

from hyperctr.errors import ConfigError, RunError
from hyperctr.executor import Executor, JobResult, available_cores
from hyperctr.sweeps.jobs import Job, SweepResult, is_done, jobs_of, missing_jobs, plan_jobs, settle, start_job
from hyperctr.sweeps.plan import Plan
from hyperctr.sweeps.progress import Board

POLL_SECONDS = 0.5


def run_plans(
    plans: Plan | Sequence[Plan],
    *,
    workers: int | None = None,
    only: str | None = None,
    max_minutes: float | None = None,
    scheduler: str | None = None,
    share_gpu: bool = False,
    device: str | None = None,
) -> SweepResult:
    """Train what is missing of some plans, and return how every run ended.

    A run that several plans share is trained once. An interrupted run goes on from its checkpoint, to the same bits. A
    run that fails or is killed never stops the others. Every run is a process of its own; with several at once each
    uses one thread.

    Args:
        plans: several at once use the machine best.
        workers: how many runs at once; None: as many as cores, or one per GPU.
        only: ``failed``: only runs that failed or were killed before; ``untried``: only the others.
        max_minutes: start nothing after this time, and stop what is running then; it can be resumed.
        scheduler: address of a dask.distributed scheduler: run there instead (extra ``cluster``).
        share_gpu: allow more than one run on a GPU.
        device: as for :func:`hyperctr.train`; None: the GPUs, if there are any.

    Raises:
        ConfigError: arguments that cannot be; nothing was started.
        DataError: data that other processes cannot load.
        RunError: the processes cannot be started at all.

    >>> from hyperctr.sweeps.plan import open_plan
    >>> result = run_plans(open_plan("layers", budget="smoke"))  # doctest: +SKIP
    """
    if workers is not None and workers < 1:
        raise ConfigError(f"workers = {workers} must be at least 1")
    if max_minutes is not None and max_minutes <= 0:
        raise ConfigError(f"max_minutes = {max_minutes} must be more than 0")
    begun = time.monotonic()
    deadline = math.inf if max_minutes is None else begun + 60 * max_minutes
    jobs = jobs_of([plans] if isinstance(plans, Plan) else plans)
    missing = missing_jobs(jobs, only)
    ended: list[JobResult] = []
    stopped = False
    if missing and scheduler is not None:
        from hyperctr.sweeps.cluster import run_on_cluster

        ended, stopped = run_on_cluster(missing, scheduler, deadline, device)
    elif missing:
        # by how many runs there are, done ones too: threads must not depend on how much of a sweep is left
        ended, stopped = run_jobs(missing, choose_devices(len(jobs), workers, share_gpu, device), deadline)
    return SweepResult.of(jobs, ended, time.monotonic() - begun, stopped)


def run_jobs(
    jobs: Sequence[Job], devices: Sequence[str | None], deadline: float = math.inf
) -> tuple[list[JobResult], bool]:
    """Carry out jobs on this machine, in their order, one at once for each device (:func:`choose_devices`).

    What still runs at the deadline (of :func:`time.monotonic`) is stopped, to be resumed by another call. Returns how
    those ended that were started, and whether the deadline came first.
    """
    plan_jobs(jobs)
    waiting, free = deque(jobs), list(devices)
    busy: dict[str, tuple[Job, str | None]] = {}
    ended: list[JobResult] = []
    board = Board(jobs)

    def end(result: JobResult) -> None:
        job, device = busy.pop(result.name)
        free.append(device)
        ended.append(result)
        if not job.timed:
            settle(result)
        board.end(result.name, result.state, result.error)

    with board, Executor() as executor:
        try:
            while (waiting or busy) and time.monotonic() < deadline:
                while waiting and free:
                    job = waiting.popleft()
                    if not job.timed and is_done(job.name):  # by another sweep, or as somebody's reference
                        board.end(job.name, "done")
                        continue
                    busy[job.name] = job, (card := free.pop(0))
                    start_job(executor, job, card, one_thread=len(devices) > 1)
                    board.start(job.name)
                for result in executor.wait(POLL_SECONDS):
                    end(result)
                board.update()
        finally:  # the time is up, or Ctrl-C
            stopped = bool(waiting or busy)
            for result in executor.stop():
                end(result)
    return ended, stopped


def choose_devices(
    planned: int, workers: int | None = None, share_gpu: bool = False, device: str | None = None
) -> list[str | None]:
    """Return the device of each run at once; on a CPU that is just as many as there are workers.

    ``planned`` is how many runs there are; for the other arguments see :func:`run_plans`.

    Raises:
        ConfigError: there is no such GPU, or there are more workers than GPUs.
        RunError: the process that counts the GPUs cannot be started.
    """
    device = device or os.environ.get("HYPERCTR_DEVICE") or None
    kind = (device or "").partition(":")[0]
    gpus = count_gpus() if kind in ("", "cuda") else 0
    if kind == "cuda" and not gpus:
        raise ConfigError(f"device {device!r} was asked for, but there is no CUDA device; use device='cpu'")
    if not gpus:  # without a wish the run itself chooses, which finds Apple's GPU, too
        return [device] * (workers or (1 if kind == "mps" else min(available_cores(), max(1, planned))))
    cards = [device] if device and ":" in device else [f"cuda:{number}" for number in range(gpus)]
    workers = workers or len(cards)
    if workers > len(cards) and not share_gpu:
        why = "runs that share a GPU slow each other down and may run out of its memory"
        fix = f"use workers={len(cards)}, or share_gpu=True (--share-gpu)"
        raise ConfigError(f"{workers} workers on {len(cards)} GPU(s): {why}; {fix}")
    return [cards[number % len(cards)] for number in range(workers)]


def count_gpus() -> int:
    """Count CUDA devices in a process of its own: this one may know no torch."""
    with Executor() as executor:
        executor.start("count of GPUs", _count_gpus)
        (result,) = executor.wait()
    if result.state != "done":
        raise RunError(f"the GPUs cannot be counted: {result.error}")
    return int(result.value)


def _count_gpus() -> int:
    import torch

    return torch.cuda.device_count()
