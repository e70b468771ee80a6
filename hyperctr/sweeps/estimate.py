"""What a sweep will cost before it starts: minutes and memory, from one timed epoch and a few timed steps.

The base run is timed for a whole epoch; every other run for a handful of steps, an epoch of the interest pre-training
and one validation. The test is as much work as validation per click and candidate. Epochs are counted as if early
stopping never came, so the minutes are an upper bound. Timings are kept in ``<runs>/.timings`` under the run's id.
"""

from __future__ import annotations

import heapq
import json
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from hyperctr.errors import RunError
from hyperctr.runs.states import read_status
from hyperctr.runs.store import runs_folder
from hyperctr.sweeps.local import LocalSweep
from hyperctr.sweeps.plan import Plan, job_of, unique_runs
from hyperctr.sweeps.tasks import Task, label_of, weight

if TYPE_CHECKING:
    pass


def estimate(
    plans: Sequence[Plan], *, workers: int | None = None, share_gpu: bool = False, device: str | None = None
) -> pd.DataFrame:
    """Time what is not timed yet, and return one row per distinct run of the plans, in the order they would start.

    Returns:
        ``label``, ``run``, ``state``, ``minutes`` (at most; 0 if done), ``peak_memory_mib``. Runs that differ in
        nothing but the seed are timed once. ``frame.attrs["minutes"]`` is the wall time of all with ``workers`` at
        once, ``frame.attrs["workers"]`` their number.

    Raises:
        RunError: the base run cannot even be timed; the message says why.
    """
    tasks: list[Task] = []
    timed: dict[str, str] = {}
    for run_id, (plan, run) in unique_runs(list(plans)).items():
        first = plan.file.config(plan.preset, {}, plan.seeds[0])
        same = run.config.replace(seed=plan.seeds[0])
        key = next((r.run_id for r in plan.runs if r.config == same), run_id)
        timed[run_id] = key
        job = job_of(plan, run)
        whole = same == first
        wanted = not timing(key) and read_status(run_id).state != "done" and key not in (t.job["timed"] for t in tasks)
        if wanted:
            job |= {"kind": "time", "id": f"timing-{key}", "timed": key, "whole": whole}
            tasks.append(Task(job, f"timing {label_of(run)}", 0, weight(run.config)))
    sweep = LocalSweep(len(unique_runs(list(plans))), workers, None, share_gpu, device)
    sweep.run(tasks)
    rows = []
    for run_id, (_, run) in sorted(unique_runs(list(plans)).items(), key=lambda one: -weight(one[1][1].config)):
        state, found = read_status(run_id).state, timing(timed[run_id])
        minutes = 0.0 if state == "done" else found.get("seconds", math.nan) / 60
        rows.append((label_of(run), run_id, state, minutes, found.get("peak_memory_mib", math.nan)))
    frame = pd.DataFrame(rows, columns=["label", "run", "state", "minutes", "peak_memory_mib"])
    failed = [one for one in sweep.ended.values() if one.state != "done"]
    if failed and len(failed) == len(tasks):
        raise RunError(f"no run of the sweep can be timed: {failed[0].error}")
    frame.attrs["workers"] = sweep.count
    frame.attrs["minutes"] = makespan(frame["minutes"].dropna().tolist(), sweep.count)
    return frame


def timing(run_id: str) -> dict[str, Any]:
    """Return the timing kept for a run; nothing if there is none."""
    try:
        found: dict[str, Any] = json.loads((runs_folder() / ".timings" / f"{run_id}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found


def makespan(minutes: Sequence[float], workers: int) -> float:
    """Return the wall time of runs that are started in this order as workers get free.

    >>> makespan([5, 3, 3, 1], workers=2)
    6.0
    """
    free = [0.0] * workers
    for one in minutes:
        heapq.heappush(free, heapq.heappop(free) + one)
    return max(free)


def describe(frame: pd.DataFrame) -> str:
    """Return what :func:`estimate` found, for people to read."""
    lines = [f"{'run':<14}{'state':<9}{'minutes':>8}{'MiB':>7}  what"]
    for row in frame.to_dict("records"):
        minutes, memory = (
            f"{row[name]:.{digits}f}" if row[name] == row[name] else "?"
            for name, digits in (("minutes", 1), ("peak_memory_mib", 0))
        )
        lines.append(f"{row['run']:<14}{row['state']:<9}{minutes:>8}{memory:>7}  {row['label']}")
    done, workers = int((frame["state"] == "done").sum()), frame.attrs["workers"]
    peak = frame["peak_memory_mib"].nlargest(workers).sum()
    lines.append(
        f"{len(frame)} runs, {done} of them done; at most {frame.attrs['minutes']:.1f} minutes with {workers} at once "
        f"(early stopping usually ends before), {peak:.0f} MiB of memory"
    )
    return "\n".join(lines)
