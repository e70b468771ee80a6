"""Who may train a run: the holder of its claim, a file lock that the system takes back when the holder dies."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock

from hyperctr.errors import RunError
from hyperctr.runs.store import runs_folder

log = logging.getLogger(__name__)


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
    if not _place(run_id).exists():
        return False
    lock = _lock(run_id)
    try:
        lock.acquire(blocking=False)
    except filelock.Timeout:
        return True
    lock.release()
    return False


def _place(run_id: str) -> Path:
    return runs_folder() / ".locks" / f"{run_id}.lock"


def _lock(run_id: str) -> filelock.BaseFileLock:
    path = _place(run_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    return filelock.FileLock(path)
