"""One run as a job for another process: what is left to do, what the process does, and writing down how it ended."""

from __future__ import annotations

import logging
import warnings
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hyperctr.config import REFERENCE_MODEL, Config
from hyperctr.errors import ConfigError, DataError, DataWarning, RunError
from hyperctr.executor import Executor, JobResult
from hyperctr.runs.states import State, read_status, run_lock, write_status
from hyperctr.runs.store import load_again, run_id, runs_folder
from hyperctr.sweeps.plan import Plan
from hyperctr.training.events import read_events

if TYPE_CHECKING:
    from hyperctr.data.dataset import Dataset

logger = logging.getLogger("hyperctr.sweeps")


@dataclass(frozen=True)
class Job:
    """A run to train, or to time.

    Attributes:
        name: the run's id.
        label: for people: plan, case, seed.
        origin: how to load the data, ``Dataset.origin``.
        timed: whether it is only timed, on a sample of the data.
    """

    name: str
    label: str
    origin: Mapping[str, Any]
    config: Config
    timed: bool = False

    @property
    def weight(self) -> float:
        """About how long it takes, in no unit. References start first: other runs wait for them."""
        if self.config.model == REFERENCE_MODEL:
            return float("inf")
        slots = self.config.slot_count or 36 / self.config.slot_months
        graphs = 0.0 if self.config.graph == "none" else self.config.layers * slots * (len(self.config.modalities) or 3)
        return self.config.epochs * (10 + graphs) * self.config.embedding_size


@dataclass(frozen=True)
class SweepResult:
    """What :func:`hyperctr.sweeps.local.run_plans` returns.

    Attributes:
        states, errors: run id -> state, of all runs of the plans, and what went wrong.
        trained: run ids that this call finished.
        seconds, stopped: how long it took, and whether the time was up before everything was done.
    """

    states: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    trained: tuple[str, ...] = ()
    seconds: float = 0.0
    stopped: bool = False

    @classmethod
    def of(cls, jobs: Iterable[Job], ended: Sequence[JobResult], seconds: float, stopped: bool) -> SweepResult:
        """Sum up: how all jobs stand, and how those ended that were carried out."""
        statuses = [read_status(job.name) for job in jobs]
        bad = ("failed", "killed")
        errors = {status.id: status.error or "" for status in statuses if status.state in bad}
        errors |= {result.name: result.error for result in ended if result.state in bad}
        trained = tuple(result.name for result in ended if result.state == "done")
        return cls({status.id: status.state for status in statuses}, errors, trained, seconds, stopped)

    @property
    def exit_code(self) -> int:
        """0 if every run is done, else 1."""
        return 1 if self.errors or any(state != "done" for state in self.states.values()) else 0

    def __str__(self) -> str:
        states = sorted(Counter(self.states.values()).items(), key=lambda entry: (entry[0] != "done", entry[0]))
        counts = [f"{count} {state}" for state, count in states]
        lines = [f"{len(self.states)} runs: {', '.join(counts) or 'none'} ({self.seconds:.0f} s)"]
        lines += [f"  {name}: {error}" for name, error in self.errors.items()]
        if self.stopped:
            lines.append("  the time was up: start the sweep again, it goes on where it stopped")
        return "\n".join(lines)


def jobs_of(plans: Iterable[Plan]) -> list[Job]:
    """Return the runs of some plans as jobs, each once, done or not; raises as :func:`job_of`."""
    jobs: dict[str, Job] = {}
    for plan in plans:
        for run in plan.runs:
            what = run.label if run.setting == "case" else f"{run.setting} {run.label}"
            if run.run_id not in jobs:
                jobs[run.run_id] = job_of(plan.data, run.config, f"{run.plan}: {what}, seed {run.seed}")
    return list(jobs.values())


def job_of(data: Dataset, config: Config, label: str) -> Job:
    """Return the run of ``config`` on ``data`` as a job.

    Raises:
        DataError: the data were made in memory, so that no other process can load them.
    """
    if data.origin is None:
        raise DataError(f"data set {data.name!r} was made in memory: a sweep needs data it can load by name")
    return Job(run_id(data, config), label, data.origin, config)


def missing_jobs(jobs: Iterable[Job], only: str | None = None) -> list[Job]:
    """Return the jobs that are not done, references first and then the heaviest.

    With ``only="failed"`` just those that failed or were killed, with ``only="untried"`` the others.

    Raises:
        ConfigError: unknown ``only``.
    """
    bad: set[State] = {"failed", "killed"}
    untried: set[State] = {"planned", "running"}
    choices = {None: bad | untried, "failed": bad, "untried": untried}
    if only not in choices:
        raise ConfigError(f"only = {only!r} is not known; allowed: failed, untried")
    wanted = choices[only]
    return sorted((job for job in jobs if read_status(job.name).state in wanted), key=lambda job: -job.weight)


def start_job(executor: Executor, job: Job, device: str | None, *, one_thread: bool) -> None:
    """Begin a job in a process of its own, whose output goes to ``.logs/`` of the run store."""
    store = runs_folder().resolve()
    if not job.timed:
        _write_state(job.name, "running")  # the run itself will say in which process
    environment = {"HYPERCTR_RUNS": str(store), "HYPERCTR_BATCH": "1", "MPLBACKEND": "Agg"}
    log = log_path(store, f"timing-{job.name}" if job.timed else job.name)
    executor.start(job.name, _do_job, job, device, one_thread, log=log, environment=environment)


def _do_job(job: Job, device: str | None, one_thread: bool) -> None:
    """Do a job in this process, and let its errors out."""
    import torch

    from hyperctr.runs.experiment import train
    from hyperctr.runs.timing import time_run

    if one_thread:
        torch.set_num_threads(1)
    warnings.simplefilter("ignore", DataWarning)  # kept with the data, and by the run
    data = load_again(job.origin)
    if job.timed:
        return time_run(data, job.config, timing_path(job.name), device)
    if (name := run_id(data, job.config)) != job.name:
        why = "the data or the library's code changed while the sweep ran; start the sweep again"
        raise RunError(f"run {job.name} was planned, but data and code now give {name}: {why}")
    train(data, job.config, device=device, resume=True)


def log_path(runs: Path, name: str) -> Path:
    """Return where the output of a run's process goes."""
    return runs / ".logs" / f"{name}.log"


def timing_path(name: str) -> Path:
    """Return where the timing of a run is kept."""
    return runs_folder() / ".timings" / f"{name}.json"


def is_done(name: str) -> bool:
    """Tell whether a run is finished, and its numbers can be read."""
    return read_status(name).state == "done"


def plan_jobs(jobs: Sequence[Job]) -> None:
    """Write down what is going to be run; one that failed or was killed stays so until it is its turn."""
    for job in jobs:
        if not job.timed and read_status(job.name).state == "planned":
            _write_state(job.name, "planned")


def settle(result: JobResult) -> None:
    """Write down how a run ended. One that was stopped is planned again: it goes on from its checkpoint."""
    name, folder = result.name, runs_folder() / result.name
    state: State = "planned" if result.state == "stopped" else result.state
    if state != "done" and is_done(name):
        state = "done"  # it was stopped or killed after its last file was written
    if result.state in ("stopped", "killed"):
        with suppress(RunError, OSError), run_lock(name, timeout=0.0):  # else somebody else has gone on with it
            for torn in folder.glob(".*"):
                torn.unlink()
    points = read_events(folder / "events.jsonl")
    ended = {"error": result.error if state != "done" else "", "last_event": points[-1] if points else None}
    _write_state(name, state, **ended, exit=result.exit, peak_memory_mib=result.peak_memory_mib)


def _write_state(name: str, state: State, **facts: Any) -> None:
    """Let a sweep go on where a state cannot be written (a full disk): its runs will say so themselves."""
    try:
        write_status(name, state, **facts)
    except OSError as error:
        logger.warning("the state of run %s cannot be written: %s", name, error)
