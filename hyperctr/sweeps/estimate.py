"""What a sweep will cost before it starts: minutes and memory, from some steps of each run on a sample of the data.

See :func:`hyperctr.runs.timing.time_run` for how a run is timed. The test is as much work as validation per click and
candidate. Epochs are counted as if early stopping never came, so the minutes are an upper bound. Memory leaves out what
grows with the clicks. Timings are kept in ``<runs>/.timings`` under the run's id.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pandas as pd

from hyperctr.errors import RunError
from hyperctr.runs.states import read_status
from hyperctr.runs.store import read_json
from hyperctr.sweeps.jobs import Job, is_done, jobs_of, timing_path
from hyperctr.sweeps.local import choose_devices, run_jobs
from hyperctr.sweeps.plan import Plan


def estimate(
    plans: Sequence[Plan], *, workers: int | None = None, share_gpu: bool = False, device: str | None = None
) -> pd.DataFrame:
    """Time what is not timed yet, and return one row per distinct run of the plans, in the order they would start.

    Columns: ``label``, ``run``, ``state``, ``minutes`` (at most; 0 if done), ``peak_memory_mib``. Runs that differ in
    nothing but the seed are timed once. ``frame.attrs["minutes"]`` is the wall time of all with
    ``frame.attrs["workers"]`` at once.

    Raises:
        RunError: no run can even be timed; the message says why.
    """
    jobs = {job.name: job for job in sorted(jobs_of(plans), key=lambda job: -job.weight)}
    timed_as: dict[str, str] = {}
    wanted: dict[str, Job] = {}
    for plan in plans:
        first = {run.config: run.run_id for run in plan.runs if run.seed == plan.seeds[0]}
        for run in plan.runs:
            config = run.config.replace(seed=plan.seeds[0])
            key = timed_as.setdefault(run.run_id, first[config])
            if not timing(key) and not is_done(run.run_id):
                wanted.setdefault(key, replace(jobs[run.run_id], name=key, timed=True))
    devices = choose_devices(len(jobs), workers, share_gpu, device)
    ended, _ = run_jobs(list(wanted.values()), devices) if wanted else ([], False)
    failed = [result for result in ended if result.state != "done"]
    if failed and len(failed) == len(wanted):
        raise RunError(f"no run of the sweep can be timed: {failed[0].error}")
    rows = []
    for name, job in jobs.items():
        state, costs = read_status(name).state, timing(timed_as[name])
        minutes = 0.0 if state == "done" else costs.get("seconds", math.nan) / 60
        rows.append((job.label, name, state, minutes, costs.get("peak_memory_mib", math.nan)))
    frame = pd.DataFrame(rows, columns=["label", "run", "state", "minutes", "peak_memory_mib"])
    frame.attrs["workers"] = len(devices)
    frame.attrs["minutes"] = makespan(frame["minutes"].dropna().tolist(), len(devices))
    return frame


def timing(name: str) -> dict[str, Any]:
    """Return the timing kept for a run; nothing if there is none."""
    with suppress(RunError):
        return read_json(timing_path(name))
    return {}


def makespan(minutes: Sequence[float], workers: int) -> float:
    """Return the wall time of runs that are started in this order as workers get free.

    >>> makespan([5, 3, 3, 1], workers=2)
    6.0
    """
    free = [0.0] * workers
    for run in minutes:
        heapq.heapreplace(free, free[0] + run)
    return max(free)


def describe(frame: pd.DataFrame) -> str:
    """Return the frame of :func:`estimate` as text for people to read."""
    lines = [f"{'run':<14}{'state':<9}{'minutes':>8}{'MiB':>7}  what"]
    for label, run, state, *costs in frame.itertuples(index=False):
        minutes, memory = (f"{cost:.{digits}f}".replace("nan", "?") for cost, digits in zip(costs, (1, 0), strict=True))
        lines.append(f"{run:<14}{state:<9}{minutes:>8}{memory:>7}  {label}")
    done, workers = (frame["state"] == "done").sum(), frame.attrs["workers"]
    peak = frame["peak_memory_mib"].nlargest(workers).sum()
    limit = f"{frame.attrs['minutes']:.1f} minutes with {workers} at once (early stopping usually ends before)"
    lines.append(f"{len(frame)} runs, {done} of them done; at most {limit}, at least {peak:.0f} MiB of memory")
    return "\n".join(lines)
