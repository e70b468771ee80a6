"""From a release to scores and a report, by the lines that the command line itself says to type."""

from __future__ import annotations

import shlex
from pathlib import Path

import pandas as pd
import pytest

from hyperctr.cli import main
from hyperctr.data.formats import FORMATS
from hyperctr.data.registry import load_dataset
from tests.data.scaled import SCALED
from tests.data.world import World

pytestmark = pytest.mark.filterwarnings("ignore::hyperctr.errors.DataWarning")
SMALL = ["embedding_size=8", "layers=1", "hidden=[8, 4]", "epochs=2", "interest_epochs=1", "test_candidates=20"]


@pytest.fixture(scope="module")
def world() -> World:
    return World(1200)


def test_each_layout_can_be_written_at_size() -> None:
    assert set(SCALED) == {*FORMATS, "table"}


@pytest.mark.parametrize("name", ["kuairec", "fuxictr-csv", "microlens-100k"])
def test_a_release_is_imported_checked_trained_on_and_scored(
    name: str, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HYPERCTR_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("HYPERCTR_DATA", str(tmp_path / "data"))
    SCALED[name](tmp_path / "raw", world)
    assert main(["data", "import", "raw"]) == 0
    said = capsys.readouterr().out.splitlines()
    check, train, report = (shlex.split(line)[1:] for line in said[-3:])
    assert main(check) == 0
    assert "fault" not in capsys.readouterr().out
    assert main([*train, "--device", "cpu", "--set", *SMALL]) == 0
    run = capsys.readouterr().out.splitlines()[-1].split()[0]
    data = load_dataset(check[-1])
    clicks = world.clicked.sum()
    assert len(data.timestamp) == (clicks if name.startswith("microlens") else len(world.clicked))
    assert data.clicked.sum() == clicks and data.clock == ("ordinal" if name == "fuxictr-csv" else "calendar")
    data.interactions[["user_id", "item_id"]].head(50).to_csv("pairs.csv", index=False)
    assert main(["predict", run, "--pairs", "pairs.csv", "--out", "scores.csv"]) == 0
    scores = pd.read_csv("scores.csv")["score"]
    assert len(scores) == 50 and scores.between(0, 1).all() and scores.nunique() > 10
    assert capsys.readouterr().err == ""  # what was to say of the data was said when they were trained on
    if name == "fuxictr-csv":  # an ordinal clock goes all the way
        assert main([*report, "--budget", "smoke", "--only", "01"]) == 0
        index = capsys.readouterr().out.splitlines()[-1]
        assert Path(index) == tmp_path / "reports" / "out" / data.name / "smoke" / "index.html"
        assert data.name in Path(index).read_text()
        line = ["sweep", "run", "layers", "--dataset", check[-1], "--budget", "smoke", "--dry-run"]
        assert main(line) == 0
        assert "2 runs, 0 of them done" in capsys.readouterr().out
