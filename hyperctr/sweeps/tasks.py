"""What is left to do of some plans, and writing down what became of it: shared by local sweeps and clusters."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from hyperctr.config import REFERENCE_MODEL, Config
from hyperctr.errors import ConfigError
from hyperctr.runs.states import State, read_status, write_status
from hyperctr.runs.store import runs_folder
from hyperctr.sweeps.executor import Ended
from hyperctr.sweeps.plan import Plan, PlannedRun, job_of, unique_runs
from hyperctr.training.events import read_events

logger = logging.getLogger("hyperctr.sweeps")


@dataclass(frozen=True)
class Task:
    """One job with what is shown of it.

    Attributes:
        job: see :mod:`hyperctr.sweeps.worker`.
        label: for people: plan, variant, seed.
        epochs: most epochs of a training; 0 if it only times.
        weight: about how long it takes, in no unit: the heaviest is started first.
    """

    job: dict[str, Any]
    label: str
    epochs: int
    weight: float

    @property
    def name(self) -> str:
        """The job's id; of a training, the run's."""
        return str(self.job["id"])

    @property
    def trains(self) -> bool:
        """Whether it is a training."""
        return bool(self.job["kind"] == "train")


@dataclass(frozen=True)
class Outcome:
    """What :func:`hyperctr.sweeps.local.run_plans` returns.

    Attributes:
        states: run id -> state, of all runs of the plans.
        errors: run id -> what went wrong.
        trained: run ids that this call finished.
        seconds: how long it took.
        stopped: the time was up before everything was done.
    """

    states: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    trained: tuple[str, ...] = ()
    seconds: float = 0.0
    stopped: bool = False

    @property
    def exit_code(self) -> int:
        """0 if every run is done, else 1."""
        return 1 if self.errors or any(state != "done" for state in self.states.values()) else 0

    def __str__(self) -> str:
        names = sorted(set(self.states.values()), key=lambda state: (state != "done", state))
        counts = [f"{list(self.states.values()).count(state)} {state}" for state in names]
        lines = [f"{len(self.states)} runs: {', '.join(counts) or 'none'} ({self.seconds:.0f} s)"]
        lines += [f"  {name}: {error}" for name, error in self.errors.items()]
        if self.stopped:
            lines.append("  the time was up: start the sweep again, it goes on where it stopped")
        return "\n".join(lines)


def missing_runs(plans: Sequence[Plan], only: str | None = None) -> list[Task]:
    """Return the runs that are not done, each once, references first and then the heaviest.

    Args:
        plans: what is wanted.
        only: ``failed`` for those that failed or were killed; None for all.

    Raises:
        ConfigError: unknown ``only``. DataError: the data cannot be loaded by name.
    """
    if only not in (None, "failed"):
        raise ConfigError(f"only = {only!r} is not known; allowed: failed")
    tasks = []
    for run_id, (plan, run) in unique_runs(list(plans)).items():
        job = job_of(plan, run)
        if is_done(run_id) or (only == "failed" and read_status(run_id).state not in ("failed", "killed")):
            continue
        tasks.append(Task(job, label_of(run), run.config.epochs, weight(run.config)))
    return sorted(tasks, key=lambda task: -task.weight)


def is_done(run_id: str) -> bool:
    """Tell whether a run is finished, and its numbers can be read."""
    return read_status(run_id).state == "done"


def label_of(run: PlannedRun) -> str:
    """Return what a run is called in progress and messages."""
    what = run.label if run.axis == "row" else f"{run.axis} {run.label}"
    return f"{run.plan}: {what}, seed {run.seed}"


def weight(config: Config) -> float:
    """Return about how long a run takes, in no unit; only the order of starting follows from it.

    References come first: other runs need them at their end, and would wait for each other.
    """
    if config.model == REFERENCE_MODEL:
        return float("inf")
    slots = config.slot_count or 36 / config.slot_months
    graphs = 0.0 if config.graph == "none" else config.layers * slots * (len(config.modalities) or 3)
    return config.epochs * (10 + graphs) * config.embedding_size


def begin(name: str) -> None:
    """Write down that a run is going on; the run itself will say in which process."""
    with _whatever_the_disk_says(name):
        write_status(name, "running")


def settle(ended: Ended) -> None:
    """Write down how a run ended. One that was stopped is planned again: it goes on from its checkpoint."""
    state: State = "planned" if ended.state == "stopped" else ended.state
    if state != "done" and is_done(ended.name):
        state = "done"  # it was stopped or killed after its last file was written
    points = read_events(runs_folder() / ended.name / "events.jsonl")
    facts = {"error": ended.error if state != "done" else "", "exit": ended.exit}
    with _whatever_the_disk_says(ended.name):
        write_status(
            ended.name, state, **facts, peak_memory_mib=ended.peak_memory_mib, last_event=points[-1] if points else None
        )


def plan_all(tasks: Sequence[Task]) -> None:
    """Write down what is going to be run; one that failed or was killed stays so until it is its turn."""
    for task in tasks:
        if task.trains and read_status(task.name).state == "planned":
            with _whatever_the_disk_says(task.name):
                write_status(task.name, "planned")


@contextmanager
def _whatever_the_disk_says(name: str) -> Iterator[None]:
    """Let a sweep go on where a state cannot be written (a full disk): its runs will say so themselves."""
    try:
        yield
    except OSError as error:
        logger.warning("the state of run %s cannot be written: %s", name, error)


def final_states(plans: Sequence[Plan]) -> dict[str, str]:
    """Return run id -> state of all runs of the plans."""
    return {run: read_status(run).state for run in unique_runs(list(plans))}
