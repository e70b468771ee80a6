"""Functions in processes of their own: endings are told apart, and none outlives the process that asked for it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from hyperctr.errors import DataError
from hyperctr.executor import Executor, JobResult
from tests.sweeps.plans import wait_for


def answer(value: Any) -> Any:
    return value


def refuse(value: str) -> None:
    raise DataError(value)


def divide() -> float:
    return 1 / 0


def leave(code: int) -> None:
    sys.exit(code)


def die(number: int, mebibytes: int = 0) -> None:
    held = np.ones(mebibytes << 17)
    time.sleep(0.5 if held.size else 0)
    os.kill(os.getpid(), number)


def sleep(mark: Path | None = None) -> None:
    if mark:
        mark.write_text(str(os.getpid()))
    time.sleep(120)


def speak() -> tuple[str | None, str | None, str]:
    print("hello", flush=True)
    return os.environ.get("GIVEN"), os.environ.get("HYPERCTR_RUNS"), os.getcwd()


def result_of(function: Any, *arguments: Any, **options: Any) -> JobResult:
    with Executor() as executor:
        executor.start("it", function, *arguments, **options)
        (result,) = executor.wait()
        assert executor.running == ()
    return result


def test_each_ending_is_told_apart(tmp_path: Path) -> None:
    big = "x" * 1_000_000  # more than a pipe holds
    assert result_of(answer, big).value == big
    done = result_of(answer, {"a": [1, 2]})
    assert (done.name, done.state, done.value, done.error, done.exit) == ("it", "done", {"a": [1, 2]}, "", 0)
    refused = result_of(refuse, "row 3 is wrong")
    assert (refused.state, refused.error, refused.exit) == ("failed", "row 3 is wrong", 1)
    failed = result_of(divide)
    assert (failed.state, failed.error) == ("failed", "ZeroDivisionError: division by zero")
    assert "in divide" in failed.traceback
    left = result_of(leave, 3, log=tmp_path / "left.log")
    assert (left.state, left.exit, left.error) == ("failed", 3, f"ended with exit code 3; see {tmp_path / 'left.log'}")
    ended = result_of(die, signal.SIGTERM)
    assert (ended.state, ended.exit, ended.error) == ("killed", -15, "killed by SIGTERM")
    killed = result_of(die, signal.SIGKILL, 300)
    assert killed.error == "killed by SIGKILL (out of memory, or somebody's kill -9)"
    assert 300 < killed.peak_memory_mib - refused.peak_memory_mib < 400, "known of one that was killed, too"


def test_what_is_stopped_is_told_apart_from_what_was_killed() -> None:
    with Executor() as executor:
        executor.start("long", sleep)
        executor.start("short", answer, 1)
        assert [result.value for result in executor.wait()] == [1]
        assert executor.wait(0.05) == [] and executor.running == ("long",)
        (stopped,) = executor.stop()
    assert (stopped.name, stopped.state, stopped.exit) == ("long", "stopped", -9)
    assert executor.wait() == []


def test_a_process_has_our_environment_folder_and_its_own_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYPERCTR_RUNS", "changed since the first process")
    monkeypatch.chdir(tmp_path)
    log = tmp_path / "logs" / "it.log"
    result = result_of(speak, log=log, environment={"GIVEN": "x"})
    assert result.value == ("x", "changed since the first process", str(tmp_path))
    assert "GIVEN" not in os.environ
    first, second = log.read_text().splitlines()
    assert " it starts in process " in first and second == "hello"


def test_a_server_that_died_takes_its_processes_with_it(tmp_path: Path) -> None:
    with Executor() as executor:
        executor.start("it", sleep, tmp_path / "pid")
        pid = int(wait_for(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text()))
        process = psutil.Process(pid)
        process.parent().kill()
        (result,) = executor.wait()
        assert (result.state, result.error) == ("killed", "the server of the processes died")
        wait_for(lambda: not process.is_running())
        executor.start("another", answer, 5)
        assert executor.wait()[0].value == 5


SCRIPT = """import sys
print("script", flush=True)
from pathlib import Path
from hyperctr.executor import Executor
from tests.test_executor import answer, sleep
executor = Executor(fresh={fresh}, preload=())
executor.start("it", answer, 7)
print(executor.wait()[0].value, flush=True)
executor.start("it", sleep, Path(sys.argv[1]))
executor.wait()
"""


@pytest.mark.parametrize("fresh", [False, True])
@pytest.mark.parametrize("kind", ["file", "stdin"])
def test_a_script_is_not_run_again_and_nothing_outlives_it(tmp_path: Path, kind: str, fresh: bool) -> None:
    script, mark = tmp_path / "no_guard.py", tmp_path / "pid"
    script.write_text(SCRIPT.format(fresh=fresh))
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    with open(script) as stdin, open(tmp_path / "out", "wb") as out:
        command = [sys.executable, str(script) if kind == "file" else "-", str(mark)]
        process = subprocess.Popen(command, stdin=stdin, stdout=out, env=environment)
    child = psutil.Process(int(wait_for(lambda: mark.exists() and mark.read_text())))
    process.kill()
    process.wait()
    wait_for(lambda: not child.is_running())
    assert (tmp_path / "out").read_text() == "script\n7\n"
