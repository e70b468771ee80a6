"""A data set that needs options goes through the command line: check, train, report, and the page repeats them."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hyperctr.cli import main
from hyperctr.data.registry import load_dataset
from hyperctr.runs.session import Session
from hyperctr.sweeps.plan import open_plan
from hyperctr.sweeps.sweep import Sweep

pytestmark = pytest.mark.filterwarnings("ignore::hyperctr.errors.DataWarning")
OPTIONS = ["clock=ordinal", "click=rating >= 3", "slot_count=5"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ratings with an order and no dates."""
    folder, rng = tmp_path_factory.mktemp("ordinal"), np.random.default_rng(0)
    (folder / "features").mkdir()
    rows = {"user_id": rng.integers(0, 40, 1500), "item_id": rng.integers(0, 60, 1500)}
    rows |= {"timestamp": 760_995_159_683 + rng.permutation(1500) * 1000, "rating": rng.integers(1, 6, 1500)}
    pd.DataFrame(rows).to_csv(folder / "interactions.csv", index=False)
    np.savez(folder / "features" / "visual.npz", item_id=np.arange(60), values=rng.normal(size=(60, 4)))
    return folder


def test_an_ordinal_clock_reaches_the_report(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HYPERCTR_RUNS", str(tmp_path / "runs"))
    assert main(["data", "check", str(folder)]) == 1
    out, err = capsys.readouterr()
    assert "column 'rating' looks like a label" in out and "looks like milliseconds" in out
    assert err == f"hyperctr: 2 faults in {folder}, listed above\n"
    options = [word for text in OPTIONS for word in ("--option", text)]
    assert main(["data", "check", str(folder), *options]) == 0
    facts = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert (facts["clock"], facts["slots"], facts["first_slot"]) == ("ordinal", "5", "slot 0")
    data = ["table", "--data-dir", str(folder), *options, "--budget", "smoke"]
    assert main(["train", *data, "--device", "cpu"]) == 0
    assert main(["report", *data, "--only", "01", "--out", str(tmp_path / "out"), "--workers", "1"]) == 0
    page = (tmp_path / "out" / "index.html").read_text()
    assert "--option clock=ordinal --option" in page
    table = pd.read_csv(next((tmp_path / "out" / "tables").glob("table1*.csv")))
    clicks = int((pd.read_csv(folder / "interactions.csv")["rating"] >= 3).sum())
    assert table.set_index("dataset").loc["table", "clicks"] == clicks


def test_slots_of_the_data_hold_where_settings_leave_their_default(folder: Path) -> None:
    session = Session("table", budget="smoke", data_dir=str(folder), data_options=OPTIONS)
    assert session.slots.count == 5
    assert Session(session.data, session.config.replace(slot_count=3)).slots.count == 3
    dated = ["columns.timestamp=timestamp", "time=ms", "click=all", "slot_months=2"]
    with_months = load_dataset("table", data_dir=folder, click="all", time="ms", slot_months=2)
    without = load_dataset("table", data_dir=folder, click="all", time="ms")
    assert with_months.fingerprint != without.fingerprint == with_months.without_slots().fingerprint
    plan = open_plan("granularity", "table", "smoke", data_dir=folder, data_options=dated)
    assert plan.data.options.slot_months == 0  # there 6 months are 6 months
    assert plan.data.origin is not None and plan.data.origin["options"]["slot_months"] == 0


def test_the_card_repeats_the_options(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYPERCTR_NOTEBOOK", "12_layers")
    card = Sweep("layers", "table", "smoke", data_dir=str(folder), data_options=OPTIONS).card()
    assert "--option 'click=rating >= 3'" in card["repeat the runs"]
    given = re.search(r"-p data_options '(\[.*\])'", card["repeat the page"])
    assert given
    again = Sweep("layers", "table", "smoke", data_dir=str(folder), data_options=given[1])
    assert (
        again.plans[0].data.fingerprint == Session("table", data_dir=str(folder), data_options=OPTIONS).data.fingerprint
    )
