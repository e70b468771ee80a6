"""A real `hyperctr train` is killed with SIGKILL, again and again, and ends as if nothing had happened."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from safetensors import safe_open

from hyperctr.training.checkpoint import METADATA
from hyperctr.training.events import read_events

ROOT = Path(__file__).parents[2]
SETTINGS = [
    "embedding_size=16",
    "layers=1",
    "history_length=10",
    "hidden=[16, 8]",
    "epochs=8",
    "points_per_epoch=4",
    "patience=99",
    "batch_size=16",
    "interest_epochs=20",
    "validation_clicks=100",
    "validation_candidates=10",
    "test_candidates=20",
]
MEASURED = {"seconds", "memory_mib"}  # of the machine, not of the run


def start(table: Path, store: Path, *arguments: str) -> subprocess.Popen[str]:
    line = [sys.executable, "-m", "hyperctr", "train", "table", "--data-dir", str(table), "--device", "cpu", *arguments]
    environment = {**os.environ, "HYPERCTR_RUNS": str(store), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [*line, "--set", *SETTINGS],
        cwd=ROOT,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def finish(process: subprocess.Popen[str]) -> str:
    """The last line that a run prints."""
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return out.splitlines()[-1]


def kill_when(process: subprocess.Popen[str], moment: Callable[[], bool]) -> None:
    started = time.monotonic()
    while not moment():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() - started < 120
        time.sleep(0.002)
    process.kill()  # SIGKILL: nothing can be tidied up
    process.communicate()


def parts(folder: Path) -> dict[str, Any]:
    """Everything that has to be equal."""
    metrics = json.loads((folder / "metrics.json").read_text())
    events = read_events(folder / "events.jsonl")
    return {
        "model": (folder / "model.safetensors").read_bytes(),
        "interest": (folder / "interest.safetensors").read_bytes(),
        "rows": (folder / "rows.csv").read_text(),
        "metrics": {name: value for name, value in metrics.items() if name not in MEASURED},
        "events": [{name: value for name, value in event.items() if name not in MEASURED} for event in events],
    }


def step_of(state: Path) -> int:
    try:
        with safe_open(str(state), framework="pt") as file:
            return int(json.loads(file.metadata()[METADATA])["step"])
    except FileNotFoundError:
        return 0


def test_killed_at_any_moment_a_resumed_run_is_bit_identical(tiny_table: Path, tmp_path: Path) -> None:
    printed = finish(start(tiny_table, tmp_path / "whole"))
    name = printed.split()[0]
    whole, cut = tmp_path / "whole" / name, tmp_path / "cut" / name
    expected = parts(whole)
    assert printed == f"{name} test AUC {expected['metrics']['auc']:.4f}"

    state, interest = cut / "state" / "latest.safetensors", cut / "interest.safetensors"
    # Before the first checkpoint, then twice at a random moment after one.
    kill_when(start(tiny_table, cut.parent), interest.exists)
    assert step_of(state) == 0
    (cut / ".metrics.json.k1ll3d").write_text("being written aside")
    reached = [0]
    for _ in range(2):
        beyond = reached[-1] + random.randrange(80)
        kill_when(start(tiny_table, cut.parent, "--resume"), lambda beyond=beyond: step_of(state) > beyond)
        assert not (cut / "DONE").exists()
        reached.append(step_of(state))
    assert 0 < reached[1] < reached[2] < expected["metrics"]["steps"]
    # A line that was being written when the power went.
    with open(cut / "events.jsonl", "a") as file:
        file.write('{"step": 12')
    assert finish(start(tiny_table, cut.parent, "--resume")) == printed
    found = parts(cut)
    assert found == expected
    steps = [event["step"] for event in found["events"]]
    assert steps == sorted(set(steps)) and len(steps) == 32
    assert {path.name for path in cut.iterdir()} == {path.name for path in whole.iterdir()}
