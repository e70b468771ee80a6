"""How each run stands: who trains it now, how it ended, and whether the code has moved on since.

A state is written by whoever runs the run: ``status.json`` in its folder. What contradicts it on disk counts more. A
killed run is told from one in training by its file lock, which the system releases when the holder dies.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

import filelock
import pandas as pd

from hyperctr.errors import RunError, did_you_mean
from hyperctr.runs.stale import why_stale
from hyperctr.runs.store import read_json, run_names, runs_folder, write_json
from hyperctr.training.events import read_events

log = logging.getLogger(__name__)
State = Literal["planned", "running", "done", "failed", "killed"]
LISTED = ("id", "state", "model", "dataset", "protocol", "split", "seed", "auc", "seconds", "when", "error")


@dataclass(frozen=True)
class Status:
    """How a run stands.

    Attributes:
        pid, host: the process that trains or trained it.
        started, updated: when its state was last ``running``, and last written; ISO 8601, UTC.
        exit: exit code of its process, where somebody watched it; negative is a signal.
        last_event: the newest line of its learning curve.
    """

    id: str
    state: State = "planned"
    pid: int | None = None
    host: str | None = None
    started: str | None = None
    updated: str | None = None
    error: str | None = None
    exit: int | None = None
    peak_memory_mib: float | None = None
    last_event: dict[str, Any] | None = None


@contextmanager
def run_lock(run_id: str, *, timeout: float = -1.0) -> Iterator[bool]:
    """Hold a run: no two processes train the same one. The second waits here until the first is through, or dead.

    Yields:
        Whether somebody else held it meanwhile; a run that is still unfinished was then left behind by a dead process.

    Raises:
        RunError: another process still holds it after ``timeout`` seconds; a negative one waits as long as it takes.
    """
    lock = _lock(run_id)
    waited = False
    try:
        # a moment's patience, because held() takes the lock for an instant to see whether it can
        lock.acquire(timeout=0.5 if timeout < 0 else min(0.5, timeout))
    except filelock.Timeout:
        waited = True
        log.info("run %s is being trained by another process; waiting for it", run_id)
        try:
            lock.acquire(timeout=timeout)
        except filelock.Timeout as error:
            raise RunError(f"run {run_id} is being trained by another process; wait for it, or stop it") from error
    try:
        yield waited
    finally:
        lock.release()


def held(run_id: str) -> bool:
    """Tell whether a living process holds the run's lock."""
    lock = _lock(run_id)
    if not Path(lock.lock_file).exists():
        return False
    try:
        lock.acquire(blocking=False)
    except filelock.Timeout:
        return True
    lock.release()
    return False


def _lock(run_id: str) -> filelock.BaseFileLock:
    path = runs_folder() / ".locks" / f"{run_id}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    return filelock.FileLock(path)


def write_status(run_id: str, state: State, **fields: Any) -> None:
    """Write a run's state; other fields of :class:`Status` stay as they were, but ``planned``, ``running`` begin anew.

    Raises:
        RunError: unknown state or field.
    """
    for name, known in ((state, get_args(State)), *((field, Status.__dataclass_fields__) for field in fields)):
        if name not in known:
            raise RunError(f"status {name!r} is not known; {did_you_mean(name, known)}")
    path = runs_folder() / run_id / "status.json"
    now = datetime.now(UTC).isoformat(timespec="seconds")
    before: dict[str, Any] = {}
    if state == "running":
        before = {"pid": os.getpid(), "host": socket.gethostname(), "started": now}
    elif state != "planned":
        before = _written(path)
    write_json(path, {**before, **fields, "state": state, "updated": now})


def read_status(run_id: str) -> Status:
    """Return how a run stands; one that nobody has begun is ``planned``.

    What is on disk has the last word: ``DONE`` there is done, "running" without a living holder of its lock was
    killed, and a finished run whose numbers cannot be read has failed.
    """
    folder = runs_folder() / run_id
    fields = _written(folder / "status.json")
    fields = {name: fields[name] for name in Status.__dataclass_fields__ if name in fields} | {"id": run_id}
    if (folder / "DONE").exists():
        fields["state"], fields["error"] = "done", None
        try:
            read_json(folder / "metrics.json")
        except RunError as error:
            fields["state"], fields["error"] = "failed", str(error)
    elif "state" not in fields and (folder / "config.toml").exists():
        fields["state"] = "running"  # begun by a version that wrote no states
    if fields.get("state") == "running" and not held(run_id):
        # it may have finished since its status was read
        fields["state"] = "done" if (folder / "DONE").exists() else "killed"
    fields["last_event"] = next(reversed(read_events(folder / "events.jsonl")), fields.get("last_event"))
    return Status(**fields)


def list_runs() -> pd.DataFrame:
    """Return all runs of the store, the newest first: id, state, model, dataset, ..., auc, seconds, when, error.

    A finished run that the present code or settings would not give again is ``stale``; whether its data have changed
    is left to :func:`hyperctr.runs.stale.why_stale`, as it takes loading them. Dry runs are left out. Data of one's
    own, which are all called ``table``, have the name of their folder.
    """
    rows = []
    for name in run_names():
        if name.startswith("dry-"):
            continue
        status, folder = read_status(name), runs_folder() / name
        fields = _written(folder / "code.json").get("settings", {})
        origin = _written(folder / "data.json")
        fields |= {"dataset": origin.get("name")}
        if status.state == "done":
            fields |= read_json(folder / "metrics.json")
            fields["state"] = "stale" if why_stale(name, data=False) else "done"
        if fields["dataset"] == "table":
            fields["dataset"] = Path(origin.get("data_dir") or "table").name
        row = {"state": status.state, "error": status.error, "when": status.updated or status.started, **fields}
        rows.append({**row, "id": name})
    table = pd.DataFrame(rows, columns=list(LISTED))
    return table.sort_values("when", ascending=False, na_position="last", kind="stable", ignore_index=True)


def _written(path: Path) -> dict[str, Any]:
    """Return a JSON file's content, nothing if there is none or it is damaged: the run's other files say enough."""
    try:
        return read_json(path)
    except RunError:
        return {}
