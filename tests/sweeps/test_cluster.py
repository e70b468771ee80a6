"""A sweep on a real dask scheduler with two worker processes, one of which is killed while it trains."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from hyperctr.errors import RunError
from hyperctr.runs.states import read_status
from hyperctr.sweeps.jobs import log_path
from hyperctr.sweeps.local import run_plans
from tests.sweeps.conftest import Undisturbed
from tests.sweeps.plans import environment, events_of, outcome_of, wait_for

pytest.importorskip("distributed")


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """Address of a scheduler, and the processes of its two workers."""
    file = tmp_path / "scheduler.json"
    common = {"env": environment(tmp_path / "elsewhere"), "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}

    def start(stack: ExitStack, kind: str, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.dask_{kind}", "--no-dashboard", *arguments]
        settings: Any = common
        process = stack.enter_context(subprocess.Popen(command, **settings))
        stack.callback(process.kill)
        return process

    with ExitStack() as stack:
        start(stack, "scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(file))
        address = wait_for(lambda: file.exists() and json.loads(file.read_text() or "{}").get("address"))
        one = ("--nthreads", "1", "--no-nanny", "--local-directory", str(tmp_path / "dask"))
        workers = [start(stack, "worker", address, *one) for _ in range(2)]
        from distributed import Client

        with Client(address, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)
        yield address, workers


def test_a_killed_worker_loses_nothing(
    cluster: tuple[str, list[subprocess.Popen[bytes]]], undisturbed: Undisturbed, tmp_path: Path
) -> None:
    address, workers = cluster
    runs, names = tmp_path / "runs", [run.run_id for run in undisturbed.plan.runs]
    kept: dict[str, list[dict[str, Any]]] = {}

    def kill() -> None:
        """Kill the worker that trains the first run, as soon as that has a checkpoint behind it."""
        wait_for(lambda: len(events_of(runs, names[0])) > 1)
        server = parent_of(read_status(names[0]).pid or 0)
        (victim,) = (worker for worker in workers if worker.pid == parent_of(server))
        victim.kill()
        kept[names[0]] = events_of(runs, names[0])[:-1]  # the last one may be newer than its checkpoint

    killer = threading.Thread(target=kill)
    killer.start()
    outcome = run_plans(undisturbed.plan, scheduler=address)
    killer.join()
    assert kept, "the worker was to be killed"
    assert outcome.states == dict.fromkeys(names, "done") and outcome.exit_code == 0
    # the killed run was begun twice and went on from its checkpoint: what it had done was not done again
    starts = {name: log_path(runs, name).read_text().count(f" {name} starts in process ") for name in names}
    assert starts == {names[0]: 2, names[1]: 1}
    assert events_of(runs, names[0])[: len(kept[names[0]])] == kept[names[0]]
    for name in names:
        assert outcome_of(runs, name) == outcome_of(undisturbed.runs, name)


def test_a_cluster_that_cannot_do_it_is_named(
    tmp_path: Path, undisturbed: Undisturbed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hyperctr.sweeps.cluster.CONNECT_SECONDS", 1)
    with pytest.raises(
        RunError, match=r"^no dask scheduler answers at 'tcp://127.0.0.1:9' .*; start one: dask scheduler$"
    ):
        run_plans(undisturbed.plan, scheduler="tcp://127.0.0.1:9")
    assert not list((tmp_path / "runs").glob("*/config.toml"))


def parent_of(pid: int) -> int:
    """The process that started another one."""
    return int(subprocess.run(["ps", "-o", "ppid=", "-p", str(pid)], capture_output=True, check=True).stdout)
