"""What `data check` tells, by value, and that it tells everything."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hyperctr.cli import main
from hyperctr.config import Config
from hyperctr.data.registry import load_dataset
from hyperctr.errors import DataError, DataWarning
from hyperctr.runs.data_report import check_data
from hyperctr.runs.experiment import train

Captured = pytest.CaptureFixture[str]
DAY = 86_400


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Five users with ten clicks each in two half-years, a sixth who clicked nothing, two modalities."""
    user = np.repeat(np.arange(5), 10)
    rows = pd.DataFrame({"user_id": user, "item_id": (user * 3 + np.tile(np.arange(10), 5)) % 8, "clicked": 1})
    rows["timestamp"] = 1_577_836_800 + np.arange(50) * 5 * DAY
    rows = pd.concat([rows, pd.DataFrame([[5, 9, 0, 1_577_836_801], [0, 9, 0, 1_577_836_802]], columns=rows.columns)])
    (tmp_path / "features").mkdir()
    rows.to_csv(tmp_path / "interactions.csv", index=False)
    np.savez(tmp_path / "features" / "visual.npz", item_id=np.arange(8), values=np.eye(8))
    np.savez(tmp_path / "features" / "acoustic.npz", item_id=np.arange(4), values=np.eye(4))
    return tmp_path


def test_facts_by_value(folder: Path) -> None:
    report = check_data(str(folder))
    facts, log = report.facts, pd.read_csv(folder / "interactions.csv")
    assert report.faults == ()
    known = {"users": 6, "items": 9, "clicks": 50, "non_clicks": 2, "base_rate": 50 / 52, "users_no_click": 1}
    known |= {"users_all_clicked": 4, "items_no_click": 1, "items_all_modalities": 4, "items_no_modality": 1}
    known |= {"visual_coverage": 8 / 9, "acoustic_coverage": 4 / 9, "slots": 2, "first_slot": "2020-01 to 2020-06"}
    assert {name: facts[name] for name in known} == pytest.approx(known)
    assert facts["repeated_pairs"] == int(log.duplicated(["user_id", "item_id"]).sum()) == 10
    assert 0 <= facts["popularity_auc"] <= 1 and facts["causal_hyperedges"] > 0
    assert any("users have no click" in note for note in report.warnings)
    assert any("1 of 9 items have no feature" in note for note in report.warnings)


def test_one_slot_is_said_loudly(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYPERCTR_RUNS", str(folder / "runs"))
    log = pd.read_csv(folder / "interactions.csv")
    log.assign(timestamp=1_600_000_000 + np.arange(len(log))).to_csv(folder / "interactions.csv", index=False)
    report = check_data("table", folder)
    assert (report.facts["slots"], report.facts["causal_hyperedges"]) == (1, 0)
    assert any("ALL CLICKS LIE IN ONE TIME SLOT" in note for note in report.warnings)
    assert any("no prediction will see any hypergraph" in note for note in report.warnings)
    assert check_data("table", folder, ["slot_count=12"]).facts["slots"] == 12  # as it advises
    config = Config.for_model("hyperctr", "smoke", protocol="causal", epochs=1)
    with pytest.warns(DataWarning) as told:  # training says the same
        train(load_dataset("table", data_dir=folder), config)
    said = [str(warning.message) for warning in told]
    assert any("LIE IN ONE TIME SLOT (times 2020-09-13 to 2020-09-13)" in note for note in said)
    assert any("no prediction will see any hypergraph" in note for note in said)


def test_the_papers_row_stands_beside(folder: Path, capsys: Captured) -> None:
    assert main(["data", "check", str(folder), "--option", "name=movielens-10m"]) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert lines["users"].endswith("paper: 71,567") and lines["visual_dim"].endswith("paper: 2,048")
    assert lines["sparsity"].endswith("paper: 0.9963") and "paper" not in lines["clicks"]
    assert main(["data", "check", str(folder)]) == 0
    assert "paper:" not in capsys.readouterr().out


def test_every_warning_of_loading_is_listed_and_all_faults_end_in_one(folder: Path, capsys: Captured) -> None:
    (folder / "features" / "notes.txt").write_text("hm")
    assert main(["data", "check", str(folder)]) == 0
    assert "warning: " in (out := capsys.readouterr().out) and "notes.txt: was ignored" in out
    log = (folder / "interactions.csv").read_text().replace("\n1,", "\n,").replace(",1,15778", ",maybe,15778")
    (folder / "interactions.csv").write_text(log)
    (folder / "features" / "visual.npz").write_bytes(b"no")
    assert main(["data", "check", str(folder)]) == 1
    out, err = capsys.readouterr()
    assert [line.split(": ")[0] for line in out.splitlines()].count("fault") == 3
    assert "user_id '' is empty" in out and "(10 such rows)" in out and "clicked 'maybe'" in out
    assert err == f"hyperctr: 3 faults in {folder}, listed above\n"


@pytest.mark.parametrize(
    "arguments", [["nosuch"], ["table", "--data-dir", "/nowhere"], ["table", "--option", "clok=x"]]
)
def test_wrong_arguments_are_no_fault_of_the_data(arguments: list[str], capsys: Captured) -> None:
    assert main(["data", "check", *arguments]) == 2
    assert capsys.readouterr().err.startswith("hyperctr: ")


def test_data_too_small_to_train_are_a_fault_with_advice_that_can_work(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "features").mkdir()
    (tmp_path / "interactions.csv").write_text("user_id,item_id,timestamp\n1,7,1600000000\n")
    np.savez(tmp_path / "features" / "visual.npz", item_id=[7, 8], values=np.eye(2))
    report = check_data("table", tmp_path)
    assert report.facts["clicks"] == 1 and report.warnings == check_data("table", tmp_path).warnings
    assert len(report.faults) == 1 and "no model can be trained on it" in report.faults[0]
    assert "(1 click at 1 instant, ratios (0.7, 0.2, 0.1)); use more data: three parts need" in report.faults[0]
    assert main(["data", "check", str(tmp_path)]) == 1
    out, err = capsys.readouterr()
    assert f"fault: {report.faults[0]}" in out and err == f"hyperctr: 1 fault in {tmp_path}, listed above\n"
    with pytest.raises(DataError, match="not known"):
        check_data("tabel")
