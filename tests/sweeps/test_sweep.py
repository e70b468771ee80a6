"""A notebook's sweep: planned without torch, its table, its card, what it hands to the figures."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hyperctr.errors import ConfigError
from hyperctr.executor import JobResult
from hyperctr.paper.figures.figures4to6_settings import sweep_frame
from hyperctr.runs.states import write_status
from hyperctr.runtime import NOTEBOOK, REPORT_DIR
from hyperctr.sweeps.jobs import Job
from hyperctr.sweeps.sweep import Sweep, paired_runs
from tests.paper.frames import baselines_frame, results_frame


@pytest.fixture
def sweep(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Sweep:
    """The layers of the smoke budget, one finished, one failed, in a store of its own."""
    monkeypatch.setenv("HYPERCTR_RUNS", str(tmp_path))
    results = results_frame({1: 0.7}, setting="layers", failed={2: "DataError: row 3\nmore"}, plan="layers")
    monkeypatch.setattr("hyperctr.sweeps.results.results", lambda _: results)
    monkeypatch.setattr("hyperctr.sweeps.results.baselines", lambda _: baselines_frame())
    return Sweep("layers", "planted", "smoke", seeds=1)


def test_the_table_has_a_row_per_run_and_says_why_one_has_no_result(sweep: Sweep) -> None:
    rows = sweep.frame.to_dict("records")
    assert [(row["setting"], row["value"], row["state"]) for row in rows] == [
        ("layers", "1", "done"),
        ("layers", "2", "failed"),
    ]
    assert rows[0]["seconds"] == 60
    assert rows[1]["seconds"] is None
    assert [row["note"] for row in rows] == ["", "DataError: row 3"]
    assert sweep.states == {"done": 1, "failed": 1}


def test_the_card_repeats_what_was_asked_for_and_only_that(sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "repeat the page" not in sweep.card(), "by hand, nobody knows its name"
    monkeypatch.setenv(NOTEBOOK, "12_layers")
    card = sweep.card()
    assert card["repeat the runs"] == "hyperctr sweep run layers --dataset planted --budget smoke --seeds 1"
    assert card["repeat the page"].endswith("12_layers.ipynb out.ipynb -p dataset planted -p budget smoke -p seeds 1")
    assert card["runs"] == "1 of 2 finished"
    assert card["split"] == f"random, seed 0, checksum {'5' * 16}"
    assert (card["device"], card["deterministic"], card["training time"]) == ("cpu", "yes", "1 min 0 s")
    assert card["convolution"] == "torch"
    assert card["data fingerprint"] == sweep.plans[0].data.fingerprint[:16]


def test_the_card_of_a_sweep_without_a_finished_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYPERCTR_RUNS", str(tmp_path))
    card = Sweep("layers", "planted", "smoke").card()
    assert card["device"] == card["split"] == card["protocol"] == "no finished run"


def test_the_card_quotes_folders_for_the_shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NOTEBOOK, "12_layers")
    folder = str(tmp_path / "my data")
    card = Sweep("layers", "planted", "smoke", data_dir=folder).card()
    assert f"--data-dir '{folder}'" in card["repeat the runs"]
    assert f"-p data_dir '{folder}'" in card["repeat the page"]


def test_the_figures_frame_holds_what_the_paper_states(sweep: Sweep) -> None:
    frame = sweep_frame(sweep)
    stated = frame[frame["kind"] == "paper"]
    assert set(zip(stated["label"], stated["value"], stated["value_high"], strict=True)) == {
        ("Kuaishou", 3, 3),
        ("MV1.7M", 3, 3),
        ("MovieLens", 4, np.inf),
    }
    assert set(frame.loc[frame["kind"] == "baseline", "label"]) == {"popularity", "content MF"}


def test_some_labels_of_a_plan() -> None:
    sweep = Sweep("overall", "planted", "smoke", labels=["hyperctr"])
    assert [run.config for run in sweep.runs] == [sweep.plans[0].base]
    assert "setting" not in sweep.frame
    with pytest.raises(ConfigError, match="no run labelled 'hyperctl': did you mean 'hyperctr'"):
        Sweep("overall", "planted", "smoke", labels=["hyperctl"])


def test_a_notebook_of_a_report_does_not_try_again_what_has_failed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HYPERCTR_RUNS", str(tmp_path))
    monkeypatch.setenv(REPORT_DIR, str(tmp_path))
    tried: list[str] = []

    def run_jobs(jobs: list[Job], *_: Any) -> tuple[list[JobResult], bool]:
        tried.extend(job.name for job in jobs)
        return [], False

    monkeypatch.setattr("hyperctr.sweeps.local.run_jobs", run_jobs)
    sweep = Sweep(["layers", "granularity"], "planted", "smoke", seeds=1)
    assert sweep.states == {"planned": len(sweep.runs)}
    ids = [run.run_id for run in sweep.runs]
    alone = next(run for run in ids if ids.count(run) == 1)  # the base run lies in both plans
    write_status(alone, "failed", error="no memory")
    assert sweep.states == {"planned": len(sweep.runs)}, "read once"
    assert f"  {alone}: no memory" in str(sweep.run())
    assert sorted(tried) == sorted({*ids} - {alone})
    monkeypatch.delenv(REPORT_DIR)
    sweep.run()
    assert alone in tried, "by hand it is"
    assert sweep.states["failed"] == 1, "and anew after run()"
    assert sweep.frame.set_index("plan")["failed"].to_dict() == {"layers": 1, "granularity": 0}


def test_runs_that_are_not_there_cannot_be_paired(sweep: Sweep) -> None:
    assert paired_runs("0" * 12, "1" * 12) is None


def test_planning_and_reading_need_no_torch(tmp_path: Path) -> None:
    code = (
        "import sys; import hyperctr as hc\n"
        "sweep = hc.Sweep('layers', 'planted', 'smoke'); sweep.frame; sweep.card()\n"
        "hc.paper.figure4(sweep); hc.paper.figure8(sweep); hc.paper.table4(sweep)\n"
        "import hyperctr.runs.scaling, hyperctr.runs.compare, hyperctr.sweeps.local\n"
        "sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={"HYPERCTR_RUNS": str(tmp_path), "PATH": ""},
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stderr
