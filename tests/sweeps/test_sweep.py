"""A notebook's sweep: planned without torch, its table, its card, what it hands to the figures."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hyperctr.errors import ConfigError
from hyperctr.paper.figures.figures4to6_settings import sweep_frame
from hyperctr.sweeps.sweep import Sweep, open_sweep, paired_runs
from tests.paper.frames import results_frame, trivial_frame


@pytest.fixture
def sweep(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Sweep:
    """The layers of the smoke preset, one finished, one failed, in a store of its own."""
    monkeypatch.setenv("HYPERCTR_RUNS", str(tmp_path))
    opened = open_sweep("layers", "planted", "smoke", seeds=1)
    results = results_frame({1: 0.7}, axis="layers", failed={2: "DataError: row 3\nmore"}, plan="layers")
    opened.__dict__ |= {"results": results, "trivial": trivial_frame(), "curves": pd.DataFrame()}
    return opened


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


def test_the_card_repeats_what_was_asked_for_and_only_that(sweep: Sweep) -> None:
    card = sweep.card("12_layers")
    assert card["repeat the runs"] == "hyperctr sweep run layers --dataset planted --preset smoke --seeds 1"
    assert card["repeat the page"].endswith("12_layers.ipynb out.ipynb -p dataset planted -p preset smoke -p seeds 1")
    assert card["runs"] == "1 of 2 finished"
    assert card["split"] == f"random, seed 0, checksum {'5' * 16}"
    assert (card["device"], card["deterministic"], card["training time"]) == ("cpu", "yes", "1 min 0 s")
    assert card["data fingerprint"] == sweep.plan.data.fingerprint[:16]
    sweep.__dict__["results"] = results_frame({}, axis="layers", failed={1: "x", 2: "x"})
    assert sweep.card("12_layers")["device"] == "no finished run"


def test_the_card_quotes_folders_for_the_shell(tmp_path: Path) -> None:
    folder = str(tmp_path / "my data")
    card = open_sweep("layers", "planted", "smoke", data_dir=folder).card("12_layers")
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
    assert set(frame.loc[frame["kind"] == "reference", "label"]) == {"popularity", "content MF"}


def test_some_labels_of_a_plan() -> None:
    one = open_sweep("overall", "planted", "smoke", labels=["hyperctr"])
    assert [run.config for run in one.plan.runs] == [one.plan.base]
    assert "setting" not in one.frame
    with pytest.raises(ConfigError, match="no run labelled 'hyperctl': did you mean 'hyperctr'"):
        open_sweep("overall", "planted", "smoke", labels=["hyperctl"])


def test_runs_that_are_not_there_cannot_be_paired(sweep: Sweep) -> None:
    assert paired_runs("0" * 12, "1" * 12) is None


def test_planning_and_reading_need_no_torch(tmp_path: Path) -> None:
    code = (
        "import sys; from hyperctr.sweeps.sweep import open_sweep\n"
        "from hyperctr.paper import figure_sentences, protocols\n"
        "from hyperctr.paper.figures import figure7_scaling, figure8_curves, figures4to6_settings\n"
        "from hyperctr.paper.figures.figures4to6_settings import sweep_frame\n"
        "sweep = open_sweep('layers', 'planted', 'smoke'); sweep.frame; sweep_frame(sweep); sweep.card('12_layers')\n"
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
