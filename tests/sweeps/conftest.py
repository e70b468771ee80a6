"""A local sweep of a tiny plan that nothing disturbed, to compare disturbed ones with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hyperctr.sweeps.jobs import SweepResult
from hyperctr.sweeps.local import run_plans
from hyperctr.sweeps.plan import Plan, open_plan
from tests.sweeps.plans import write_plan

PLAN = '[[vary]]\nsetting = "layers"\nvalues = [1, 2]'


@dataclass(frozen=True)
class Undisturbed:
    """Plan, the store it was carried out in, and how that went."""

    plan: Plan
    runs: Path
    outcome: SweepResult


@pytest.fixture(autouse=True)
def _own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYPERCTR_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("HYPERCTR_DEVICE", "cpu")


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, tiny_table: Path) -> Iterator[Undisturbed]:
    """Made once; nobody changes its store."""
    folder = tmp_path_factory.mktemp("undisturbed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HYPERCTR_RUNS", str(folder / "runs"))
        patch.setenv("HYPERCTR_DEVICE", "cpu")
        plan = open_plan(write_plan(folder / "tiny.toml", PLAN), "table", "smoke", data_dir=tiny_table)
        yield Undisturbed(plan, folder / "runs", run_plans(plan, workers=2))
