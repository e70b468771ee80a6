"""The search: strict, resumable, judged by validation clicks alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hyperctr.cli import main
from hyperctr.errors import ConfigError
from hyperctr.sweeps.search import open_search
from tests.sweeps.plans import EPOCHS, SETTINGS, events_of

optuna = pytest.importorskip("optuna")
SPACE = "[space]\nlearning_rate = [0.0001, 0.02]\nbatch_size = [64, 128]\n"


def test_the_papers_grid() -> None:
    search = open_search("search", "planted", "paper")
    assert search.space == {
        "batch_size": [128, 256, 512],
        "embedding_size": [32, 64, 128],
        "learning_rate": [0.0001, 0.0005, 0.001, 0.005, 0.01],
        "weight_decay": [0.0, 1e-5, 1e-4, 1e-3, 0.01, 0.1],
    }
    assert search.points == search.trials == 270
    assert search.name != open_search("search", "planted", "quick").name


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the search has no [space]: give settings and the values to try"),
        ("[space]\nlearning_rates = [1]", "space.learning_rates: unknown setting 'learning_rates': did you mean"),
        ("[space]\nlearning_rate = 1", "space.learning_rate = 1 must be a list of values to try"),
        ("[space]\nlearning_rate = [2.0]", "setting learning_rate = 2.0 is out of bounds: must be between 1e-08 and 1"),
        ("[spaces]", "unknown key 'spaces': did you mean 'space'?"),
        (SPACE + "[quick]\ntrials = '3'", "quick.trials = '3' must be a whole number, got str"),
        (SPACE + "[settings]\nepoch = 3", "unknown setting 'epoch': did you mean 'epochs'?"),
    ],
)
def test_what_is_wrong_in_a_search_is_named(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as error:
        open_search(path, budget="smoke")
    assert str(error.value).startswith(f"{path}: {message}")


def test_a_search_goes_on_and_sees_validation_clicks_alone(
    tmp_path: Path, tiny_table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, runs = tmp_path / "mine.toml", tmp_path / "runs"
    path.write_text(
        f"{SPACE}[smoke]\ntrials = 2\n[settings]\n{SETTINGS}".replace("batch_size = 64\n", "").replace(
            f"= {EPOCHS}", "= 2"
        )
    )
    search = open_search(path, "table", "smoke", data_dir=tiny_table)
    first = search.run(1)
    assert len(first.trained) == 1 and first.exit_code == 0
    assert len(search.frame()) == 1
    # however the test of that trial came out, the search does not see it
    (runs / first.trained[0] / "metrics.json").write_text("{}")
    assert (
        main(
            [
                "sweep",
                "search",
                str(path),
                "--dataset",
                "table",
                "--budget",
                "smoke",
                "--data-dir",
                str(tiny_table),
                "--trials",
                "3",
            ]
        )
        == 0
    )
    capsys.readouterr()
    found = search.frame()
    tried = {(row.learning_rate, row.batch_size) for row in found.itertuples()}
    assert len(found) == 3 and len(tried) >= 2
    assert found["runs"].str.len().eq(12).all() and first.trained[0] in set(found["runs"])
    for row in found.itertuples():
        best = max(event["validation_auc"] for event in events_of(runs, row.runs))
        assert row.best_validation_auc == best
        written = (runs / row.runs / "config.toml").read_text()
        assert f"learning_rate = {json.dumps(row.learning_rate)}\n" in written
    assert found["best_validation_auc"].is_monotonic_decreasing
    # nothing is left to do
    assert search.run(3).trained == ()
