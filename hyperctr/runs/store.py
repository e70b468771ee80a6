"""Where runs live and what names them: the id is a hash of settings, data and library code."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from hyperctr.errors import RunError, did_you_mean

if TYPE_CHECKING:
    from hyperctr.config import Config
    from hyperctr.data.dataset import Dataset

PACKAGE = Path(__file__).resolve().parent.parent
# What a result can depend on. Reports, widgets and the command line only show results.
COMPUTING = ("data", "hypergraph", "model", "baselines", "training", "metrics", "slots.py", "statistics.py",
             "evaluation.py", "runtime.py", "runs/experiment.py", "runs/run.py")  # fmt: skip


def runs_folder() -> Path:
    """Return the run store: ``HYPERCTR_RUNS``, else ``reports/runs`` of the checkout, else of the current folder."""
    named = os.environ.get("HYPERCTR_RUNS")
    if named:
        return Path(named).expanduser()
    checkout = PACKAGE.parent
    base = checkout if (checkout / "pyproject.toml").exists() else Path.cwd()
    return base / "reports" / "runs"


@cache
def code_fingerprint() -> str:
    """Return a hash of the library's computing source, so that changed code never answers with old results."""
    digest = hashlib.sha256()
    for part in COMPUTING:
        path = PACKAGE / part
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            digest.update(str(file.relative_to(PACKAGE)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def run_id(data: Dataset, config: Config) -> str:
    """Return the id, 12 hex digits, of a run of ``config`` on ``data`` by the code as it is now."""
    facts = [dataclasses.asdict(config), data.fingerprint, code_fingerprint()]
    # Canonical JSON: sorted keys, so that equal settings always give equal ids and different ones never do.
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:12]


def find_run(name: str) -> Path:
    """Return the folder of a run by its id or an unambiguous beginning of it, or by a path.

    Raises:
        RunError: no such run, or several; the message lists near ones.
    """
    if (Path(name) / "config.toml").exists():
        return Path(name)
    store = runs_folder()
    known = sorted(path.name for path in store.iterdir() if path.is_dir()) if store.is_dir() else []
    matching = [run for run in known if run.startswith(name)] if name else []
    if len(matching) != 1:
        problem = f"{len(matching)} runs begin with {name!r}" if matching else f"no run {name!r}"
        hint = did_you_mean(name, known) if known else "the store is empty; train one with `hyperctr train planted`"
        raise RunError(f"{problem} in {store}: {hint}")
    return store / matching[0]
