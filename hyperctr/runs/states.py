"""What became of each run: who trains it now, how it ended, and whether the code has moved on since.

A state is written by whoever runs the run, never by guessing: ``status.json`` in its folder. A process that trains
holds the run's claim, a file lock that the system takes back when the process dies, however it dies.
"""

from __future__ import annotations

import json
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

from hyperctr.errors import RunError, did_you_mean
from hyperctr.runs.store import read_json, runs_folder
from hyperctr.runtime import write_atomic

State = Literal["planned", "running", "done", "failed", "killed"]
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Status:
    """How a run stands.

    Attributes:
        id: name of the run.
        state: ``planned``, ``running``, ``done``, ``failed`` or ``killed``.
        pid, host: the process that trains or trained it.
        started, updated: when its state was last ``running``, and last written; ISO 8601, UTC.
        error: why it failed.
        exit: exit code of its process, where somebody watched it; negative is a signal.
        peak_memory_mib: most memory it took.
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
def claim(run_id: str, *, timeout: float = -1.0) -> Iterator[bool]:
    """Hold a run: no two processes train the same one. The second waits here until the first is through, or dead.

    Args:
        run_id: name of the run.
        timeout: seconds to wait for another process; negative waits as long as it takes.

    Yields:
        Whether somebody else held it meanwhile; a run that is still unfinished was then left behind by a dead process.

    Raises:
        RunError: another process still holds it after ``timeout``.
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
    """Tell whether a living process holds the run's claim."""
    lock = _lock(run_id)
    try:
        lock.acquire(blocking=False)
    except filelock.Timeout:
        return True
    lock.release()
    return False


def write_status(run_id: str, state: State, **facts: Any) -> None:
    """Write a run's state; facts not given stay as they were, but ``planned`` and ``running`` begin anew.

    Args:
        run_id: name of the run.
        state: its new state.
        **facts: other fields of :class:`Status`.

    Raises:
        RunError: unknown state or fact.
    """
    for name, known in ((state, get_args(State)), *((fact, Status.__dataclass_fields__) for fact in facts)):
        if name not in known:
            raise RunError(f"status {name!r} is not known; {did_you_mean(name, known)}")
    path = runs_folder() / run_id / "status.json"
    now = datetime.now(UTC).isoformat(timespec="seconds")
    before: dict[str, Any] = {}
    if state == "running":
        before = {"pid": os.getpid(), "host": socket.gethostname(), "started": now}
    elif state != "planned":
        before = _written(path)
    write_atomic(path, json.dumps({**before, **facts, "state": state, "updated": now}, indent=1))


def read_status(run_id: str) -> Status:
    """Return how a run stands; one that nobody has begun is ``planned``.

    What is on disk has the last word: ``DONE`` there is done, "running" without a living holder of the claim was
    killed, and a finished run whose numbers cannot be read has failed.
    """
    folder = runs_folder() / run_id
    facts = _written(folder / "status.json")
    facts = {name: facts[name] for name in Status.__dataclass_fields__ if name in facts} | {"id": run_id}
    if (folder / "DONE").exists():
        facts["state"], facts["error"] = "done", None
        try:
            read_json(folder / "metrics.json")
        except RunError as error:
            facts["state"], facts["error"] = "failed", str(error)
    elif "state" not in facts and (folder / "config.toml").exists():
        facts["state"] = "running"  # begun by a version that wrote no states
    if facts.get("state") == "running" and not held(run_id):
        # it may have finished since its status was read
        facts["state"] = "done" if (folder / "DONE").exists() else "killed"
    return Status(**{**facts, "last_event": _last_event(folder / "events.jsonl") or facts.get("last_event")})


def _lock(run_id: str) -> filelock.BaseFileLock:
    path = runs_folder() / ".locks" / f"{run_id}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    return filelock.FileLock(path)


def _written(path: Path) -> dict[str, Any]:
    """Return a status file's facts, nothing if there is none or it is damaged: the run's other files say enough."""
    try:
        return read_json(path)
    except RunError:
        return {}


def _last_event(path: Path) -> dict[str, Any] | None:
    """Return the last whole line of a learning curve."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    for line in reversed(lines[-2:]):  # a crash cuts off one line at most
        try:
            event: dict[str, Any] = json.loads(line)
        except json.JSONDecodeError:
            continue
        return event
    return None
