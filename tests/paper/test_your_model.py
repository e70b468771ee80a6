"""Models scored elsewhere in Table 3, and beside the runs of a sweep with paired differences."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import hyperctr as hc
from hyperctr.paper.tables.rows import measured_rows
from hyperctr.paper.tables.table3_overall import table3, table3_frame, table3_note
from hyperctr.paper.tables.your_model import your_model, your_model_frame
from hyperctr.runs.compare import compare_runs
from hyperctr.runs.run import Run
from tests.conftest import Tiny
from tests.paper.frames import baselines_frame, results_frame, run_row, sweep_of


def beside(*rows: dict[str, Any]) -> pd.DataFrame:
    """What a sweep finds that was scored elsewhere."""
    return pd.DataFrame(rows, columns=list(run_row()))


def test_a_model_scored_elsewhere_has_its_row_in_table3() -> None:
    runs = results_frame({"hyperctr": 0.8, "gru4rec": 0.7}).assign(model=lambda frame: frame["label"])
    found = beside(run_row(0.85, model="my model", label="my model", parameters=np.nan, seconds_per_epoch=np.nan))
    sweep = sweep_of(runs, baselines_frame(), scored_elsewhere=found)
    frame = table3_frame(sweep)
    row = measured_rows(frame).set_index("model").loc["my model"]
    assert (row["auc"], row["auc_low"], row["auc_high"], row["seeds"]) == (0.85, 0.84, 0.86, 1)
    assert (row["auc_centred"], row["logloss_calibrated"]) == pytest.approx((0.8585, 0.525))
    assert np.isnan(row["paper_auc"])
    lines = {cells[0].text: cells for cells in table3(sweep).rows if not isinstance(cells[0], str)}
    assert lines["my model"][0].small == "scored elsewhere" and lines["HyperCTR"][0].small == ""
    assert [name for name, cells in lines.items() if not isinstance(cells[1], str) and cells[1].bold] == ["my model"]
    assert "The highest is that of my model, 0.8500 [0.8400, 0.8600]." in table3_note(frame)
    assert "Of the paper's 7 other systems 1 has a result" in table3_note(frame)


def test_a_stale_one_says_so_and_has_no_numbers() -> None:
    runs = results_frame({"hyperctr": 0.8})
    found = beside(run_row(model="my model", label="my model", state="stale", error="code: has changed"))
    sweep = sweep_of(runs, baselines_frame(), scored_elsewhere=found)
    row = measured_rows(table3_frame(sweep)).set_index("model").loc["my model"]
    assert (row["state"], row["error"], row["seeds"]) == ("stale", "code: has changed", 0) and np.isnan(row["auc"])
    lines = {cells[0].text: cells for cells in table3(sweep).rows if not isinstance(cells[0], str)}
    assert (lines["my model"][0].small, lines["my model"][0].tone) == ("stale; scored elsewhere", "bad")


@pytest.fixture
def scored(tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Somebody's scores, better than chance, in a copy of the tiny run's store."""
    monkeypatch.setenv("HYPERCTR_RUNS", str(shutil.copytree(tiny.store, tmp_path / "runs")))
    pairs = hc.Session(tiny.data, tiny.run.config).pairs
    noise = np.random.default_rng(0).normal(size=len(pairs))
    with warnings.catch_warnings(action="ignore"):
        return hc.evaluate_scores(tiny.data, tiny.run.config, pairs.assign(score=pairs["label"] + noise), "mine")


def test_beside_the_runs_of_a_sweep_with_paired_differences(tiny: Tiny, scored: Run) -> None:
    runs = results_frame({"hyperctr": tiny.run.metrics["auc"], "lost": 0.5}, failed={"broken": "no"})
    runs["run"] = [tiny.run.id, *runs["run"][1:]]
    runs = runs[runs["label"] != "lost"]
    frame = your_model_frame(sweep_of(runs), scored).set_index("model")
    expected = {"mine", "hyperctr", "content matrix factorisation", "constant", "popularity", "item mean"}
    assert set(frame.index) == expected and frame["auc"].is_monotonic_decreasing
    difference = compare_runs(scored, tiny.run)
    gain = ["auc_gain", "auc_gain_low", "auc_gain_high"]
    assert frame.loc["hyperctr", gain].tolist() == [difference.value, difference.low, difference.high]
    rows = scored.rows.set_index("model")
    assert frame.loc["popularity", gain].tolist() == rows.loc["popularity", gain].tolist()
    assert frame.loc["mine", gain].isna().all() and frame.loc["mine", "auc"] == scored.metrics["auc"] > 0.6
    table = your_model(sweep_of(runs), scored)
    assert table.head[-1] == "AUC of mine minus this" and table.name == "your_model"
    assert [cells[0].text for cells in table.rows if not isinstance(cells[0], str) and cells[0].bold] == ["mine"]
    assert table.note.startswith("Ahead of ") and "HyperCTR" in table.note


def test_runs_of_another_seed_or_protocol_are_left_out(tiny: Tiny, scored: Run) -> None:
    with warnings.catch_warnings(action="ignore"):
        other = hc.train(tiny.data, tiny.run.config.reference().replace(seed=1), device="cpu")
    runs = results_frame({"a": 0.5, "b": 0.5}).assign(run=[other.id, tiny.run.id], protocol=["as-published", "causal"])
    models = your_model_frame(sweep_of(runs), scored)["model"].tolist()
    assert sorted(models) == ["constant", "content matrix factorisation", "item mean", "mine", "popularity"]
