"""Carry out plans on this machine: a process per run, as many at once as there are cores or GPUs."""

from __future__ import annotations

import logging
import os
import time
from collections import deque
from collections.abc import Sequence

from hyperctr.errors import ConfigError, RunError
from hyperctr.runs.store import runs_folder
from hyperctr.sweeps.executor import Ended, Processes
from hyperctr.sweeps.plan import Plan, unique_runs
from hyperctr.sweeps.progress import Board
from hyperctr.sweeps.tasks import Outcome, Task, begin, final_states, is_done, missing_runs, plan_all, settle

logger = logging.getLogger("hyperctr.sweeps")
POLL_SECONDS = 0.5
SERVERS = 3  # how often the server of the processes may die before the sweep gives up


def run_plans(
    plans: Plan | Sequence[Plan],
    *,
    workers: int | None = None,
    only: str | None = None,
    max_minutes: float | None = None,
    scheduler: str | None = None,
    share_gpu: bool = False,
    device: str | None = None,
) -> Outcome:
    """Train what is missing of some plans.

    A run that several plans share is trained once. An interrupted run goes on from its checkpoint, to the same bits. A
    run that fails or is killed never stops the others. Every run is a process of its own; with several at once each
    uses one thread.

    Args:
        plans: one plan or several; several at once use the machine best.
        workers: how many runs at once; None: as many as cores, or one per GPU.
        only: ``failed``: only runs that failed or were killed before.
        max_minutes: start nothing after this time, and stop what is running then; it can be resumed.
        scheduler: address of a dask.distributed scheduler: run there instead (extra ``cluster``).
        share_gpu: allow more than one run on a GPU.
        device: as for :func:`hyperctr.train`; None: the GPUs, if there are any.

    Returns:
        How every run ended.

    Raises:
        ConfigError: arguments that cannot be; nothing was started.
        DataError: data that other processes cannot load.
        RunError: the processes cannot be started at all.

    >>> from hyperctr.sweeps.plan import open_plan
    >>> outcome = run_plans(open_plan("layers", preset="smoke"))  # doctest: +SKIP
    """
    chosen = [plans] if isinstance(plans, Plan) else list(plans)
    _check(workers, max_minutes)
    if scheduler is not None:
        from hyperctr.sweeps.cluster import run_on_cluster

        return run_on_cluster(chosen, scheduler, only=only, max_minutes=max_minutes, device=device)
    tasks = missing_runs(chosen, only)
    sweep = LocalSweep(len(unique_runs(chosen)), workers, max_minutes, share_gpu, device)
    sweep.run(tasks)
    return sweep.outcome(chosen)


class LocalSweep:
    """Some tasks on this machine's cores or GPUs.

    Args:
        planned: how many runs there are, done ones too: threads, and so the last bits, must not depend on how much of
            a sweep is left.
        workers, max_minutes, share_gpu, device: as for :func:`run_plans`.
    """

    def __init__(
        self,
        planned: int,
        workers: int | None = None,
        max_minutes: float | None = None,
        share_gpu: bool = False,
        device: str | None = None,
    ) -> None:
        self.planned, self.workers, self.share_gpu = planned, workers, share_gpu
        self.device = device or os.environ.get("HYPERCTR_DEVICE") or None
        self.clock = time.monotonic()
        self.deadline = self.clock + 60 * max_minutes if max_minutes is not None else float("inf")
        self.count = workers or min(_cores(), max(1, planned))  # how many at once; on GPUs, known once they are counted
        self.ended: dict[str, Ended] = {}
        self.stopped = False

    def run(self, tasks: Sequence[Task]) -> None:
        """Carry out the tasks; what became of them is in ``ended``, and of runs in the run store."""
        plan_all(tasks)
        waiting = deque(tasks)
        board = Board(tasks) if tasks else None
        try:
            for _ in range(SERVERS):
                if not waiting or self.stopped:
                    return
                assert board is not None
                several = self._several()
                with Processes(runs_folder(), single_threaded=several) as processes:
                    self._run(waiting, processes, board)
            if waiting:
                raise RunError(f"the server of the sweep's processes died {SERVERS} times; is there memory enough?")
        finally:
            if board is not None:
                board.close()

    def _run(self, waiting: deque[Task], processes: Processes, board: Board) -> None:
        free = self._devices(processes.gpus)
        self.count = len(free)
        busy: dict[str, tuple[Task, str | None]] = {}
        threads = 1 if self._several() else None
        try:
            while (waiting or busy) and processes.alive:
                while waiting and free and time.monotonic() < self.deadline:
                    task = waiting.popleft()
                    if task.trains and is_done(task.name):  # by another sweep, or as somebody's reference
                        board.end(task.name, "done")
                        continue
                    device = free.pop(0)
                    busy[task.name] = task, device
                    if task.trains:
                        begin(task.name)
                    processes.start({**task.job, "device": device, "threads": threads})
                    board.start(task.name)
                for one in processes.wait(POLL_SECONDS):
                    free.append(self._settle(one, busy, board))
                board.update()
                if time.monotonic() >= self.deadline:
                    self.stopped = bool(waiting or busy)
                    return
        finally:  # the time is up, or Ctrl-C: what still runs leaves whole files and can be resumed
            for one in processes.stop_all():
                self._settle(one, busy, board)

    def _settle(self, one: Ended, busy: dict[str, tuple[Task, str | None]], board: Board) -> str | None:
        task, device = busy.pop(one.name)
        self.ended[one.name] = one
        if task.trains:
            settle(one)
        board.end(one.name, one.state, one.error)
        return device

    def outcome(self, plans: Sequence[Plan]) -> Outcome:
        """Sum up."""
        errors = {name: one.error for name, one in self.ended.items() if one.state in ("failed", "killed")}
        trained = tuple(name for name, one in self.ended.items() if one.state == "done")
        return Outcome(final_states(plans), errors, trained, time.monotonic() - self.clock, self.stopped)

    def _several(self) -> bool:
        return (self.workers or min(_cores(), self.planned)) > 1

    def _devices(self, gpus: int) -> list[str | None]:
        """Return the device of each worker; on a CPU that is just as many as there are workers."""
        kind = (self.device or ("cuda" if gpus else "cpu")).split(":")[0]
        if kind != "cuda":
            default = 1 if kind == "mps" else min(_cores(), self.planned)
            # without GPUs and without a wish the run itself chooses, which finds Apple's GPU, too
            named = self.device
            return [named] * (self.workers or default)
        if not gpus:
            raise ConfigError(f"device {self.device!r} was asked for, but there is no CUDA device; use device='cpu'")
        one = self.device if self.device and ":" in self.device else None
        cards = [one] if one else [f"cuda:{number}" for number in range(gpus)]
        workers = self.workers or len(cards)
        if workers > len(cards) and not self.share_gpu:
            raise ConfigError(
                f"{workers} workers on {len(cards)} GPU(s): runs that share a GPU slow each other down and may run out "
                f"of its memory; use workers={len(cards)}, or share_gpu=True (--share-gpu)"
            )
        return [cards[number % len(cards)] for number in range(workers)]


def _check(workers: int | None, max_minutes: float | None) -> None:
    if workers is not None and workers < 1:
        raise ConfigError(f"workers = {workers} must be at least 1")
    if max_minutes is not None and max_minutes <= 0:
        raise ConfigError(f"max_minutes = {max_minutes} must be more than 0")


def _cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
