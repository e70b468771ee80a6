"""Tiny plans for the tests of sweeps, and the parts of a finished run that must not depend on its history."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
EPOCHS = 60  # a few seconds, so that a signal comes before the end
SETTINGS = f"""
embedding_size = 8
interest_epochs = 1
epochs = {EPOCHS}
patience = {EPOCHS}
batch_size = 64
points_per_epoch = 1
hidden = [8, 8]
validation_clicks = 50
test_candidates = 10
"""
# A run's wall time and memory are its own; everything else must come out the same, bit by bit.
COSTS = ("seconds", "peak_memory_mib")


def write_plan(path: Path, text: str) -> Path:
    """Write a plan whose runs take a few seconds."""
    path.write_text(f'title = "tiny"\n{text}\n[settings]\n{SETTINGS}')
    return path


def outcome_of(runs: Path, run_id: str) -> dict[str, Any]:
    """Metrics, curve and weights of a finished run."""
    folder = runs / run_id
    metrics = json.loads((folder / "metrics.json").read_text())
    events = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    return {
        "metrics": {name: value for name, value in metrics.items() if name not in COSTS},
        "curve": [(event["step"], event["loss"], event["validation_auc"]) for event in events],
        "rows": (folder / "rows.csv").read_text(),
        "weights": hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest(),
    }


def environment(runs: Path) -> dict[str, str]:
    """Environment of a command that trains into ``runs``."""
    return os.environ | {"HYPERCTR_RUNS": str(runs), "OMP_NUM_THREADS": "1", "HYPERCTR_DEVICE": "cpu"}


def hyperctr(*arguments: object) -> list[str]:
    """Return the command line of ``hyperctr ...`` in this interpreter."""
    return [sys.executable, "-m", "hyperctr", *map(str, arguments)]


def wait_for(what: Callable[[], Any], seconds: float = 180.0) -> Any:
    """Return what ``what`` gives as soon as it gives anything true."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        found = what()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("it did not happen in time")


def events_of(runs: Path, run_id: str) -> list[dict[str, Any]]:
    """Whole lines of a run's learning curve so far."""
    path = runs / run_id / "events.jsonl"
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    return [json.loads(line) for line in lines if line.endswith("\n")]
