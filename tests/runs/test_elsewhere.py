"""Scores of models of other software are judged as any model's, to the same bit, and have their row in tables."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import hyperctr as hc
from hyperctr.cli import main
from hyperctr.errors import ConfigError, DataError, RunError
from hyperctr.evaluation import calibrated_on, evaluate
from hyperctr.runs.compare import compare_runs
from hyperctr.runs.pairs import judged_pools, open_pairs
from hyperctr.runs.store import run_id
from hyperctr.sweeps.results import SAME_PAIRS, scored_elsewhere
from hyperctr.training.scoring import PoolScores, score_pool
from tests.conftest import Tiny
from tests.paper.frames import results_frame
from tests.runs.scores import known

REFERENCE = "content matrix factorisation"
NEW = {"scored_elsewhere", "model", "seconds", "code_fingerprint", "warnings"}  # of metrics


@pytest.fixture(autouse=True)
def _no_warnings_about_models() -> Any:
    with warnings.catch_warnings(action="ignore"):
        yield


def test_scores_of_anybody_are_judged_as_any_models_to_the_bit(tiny: Tiny, pairs: pd.DataFrame, store: Path) -> None:
    """A known function of the ids, laid out by hand here and read from shuffled pairs there."""
    data, config, split_data = tiny.data, tiny.run.config, tiny.run.split_data
    by_hand = {}
    for part, pool in judged_pools(split_data, config).items():
        who = {"user_id": data.users[pool.users], "timestamp": pool.timestamps}
        own = known(pd.DataFrame({**who, "item_id": data.items[pool.items]}))
        others = [known(pd.DataFrame({**who, "item_id": data.items[items]})) for items in pool.negatives[:].T]
        columns = np.array(others).T if others else np.empty(pool.negatives.shape)
        by_hand[part] = PoolScores(pool, own, np.where(pool.negatives[:] < 0, -np.inf, columns))
    calibration = calibrated_on(by_hand["calibration"])
    expected = evaluate(by_hand["test"], by_hand["impressions"], seed=config.seed, calibration=calibration)

    scores = pairs.assign(score=known(pairs)).sample(frac=1, random_state=3)
    run = hc.evaluate_scores(data, config, scores, "by hand")
    assert {name: run.metrics[name] for name in expected} == expected
    assert run.metrics["best_validation_auc"] == by_hand["validation"].wins.value
    assert (run.metrics["model"], run.metrics["scored_elsewhere"], run.config.model) == (
        "by hand",
        True,
        "elsewhere:by hand",
    )
    assert run.calibration == calibration


def test_a_models_own_scores_give_its_own_run(tiny: Tiny, pairs: pd.DataFrame, store: Path, tmp_path: Path) -> None:
    """Metrics, rows, draws and reliability of HyperCTR come out again from its scores in a file."""
    split_data, config = tiny.run.split_data, tiny.run.config
    flat = []
    for pool in judged_pools(split_data, config).values():
        scores = score_pool(tiny.run.model, split_data, pool)
        cells = np.concatenate([scores.rows[:, None], scores.negatives], axis=1)
        flat.append(cells[np.isfinite(cells)])
    file = tmp_path / "scores.parquet"
    shuffled = pairs.assign(score=np.concatenate(flat)).sample(frac=1, random_state=0)
    shuffled[["score", "item_id", "part", "click"]].to_parquet(file)
    run = hc.evaluate_scores(tiny.data, config, file, "a twin")
    shared = (run.metrics.keys() & tiny.run.metrics.keys()) - NEW
    assert {"auc", "auc_centred", "gauc", "logloss", "logloss_calibrated", "best_validation_auc"} <= shared
    assert {name: run.metrics[name] for name in shared} == {name: tiny.run.metrics[name] for name in shared}
    np.testing.assert_array_equal(run.draws.draws, tiny.run.draws.draws)
    for mine, theirs in ((run.rows, tiny.run.rows), (run.reliability, tiny.run.reliability)):
        pd.testing.assert_frame_equal(mine, theirs.replace({"model": {"hyperctr": "a twin"}}), check_exact=True)
    assert list(run.rows["model"]) == ["a twin", REFERENCE, "constant", "popularity", "item mean"]
    difference = compare_runs(run, tiny.run)
    assert (difference.value, difference.low, difference.high) == (0, 0, 0)


def test_the_run_is_kept_and_replaced_or_only_shown(tiny: Tiny, pairs: pd.DataFrame, store: Path) -> None:
    first = hc.evaluate_scores(tiny.data, tiny.run.config, pairs.assign(score=known(pairs)), "mine")
    other = tiny.run.config.replace(layers=2, model="hyperctr+", matching=True)
    second = hc.evaluate_scores(tiny.data, other, pairs.assign(score=-known(pairs)), "mine")
    assert second.id == first.id == run_id(tiny.data, second.config), "training settings do not count"
    assert second.metrics["auc"] == pytest.approx(1 - first.metrics["auc"], abs=1e-12)
    assert hc.load_run(first.id).metrics["auc"] == second.metrics["auc"]
    assert {path.name for path in second.folder.iterdir()} == {
        *("config.toml", "data.json", "code.json", "status.json", "metrics.json", "rows.csv", "draws.json"),
        *("reliability.csv", "DONE"),
    }
    with pytest.raises(ConfigError, match="'mine' was scored elsewhere: there is no model here"):
        second.predict([tiny.data.users[0]], [tiny.data.items[0]])
    there = set(store.iterdir())
    shown = hc.evaluate_scores(tiny.data, tiny.run.config, pairs.assign(score=known(pairs)), "shown", keep=False)
    assert shown.rows["auc"][0] == first.metrics["auc"] and shown.folder.exists() and set(store.iterdir()) == there
    folder = shown.folder
    del shown
    assert not folder.exists()


def test_without_a_reference_run_the_counting_baselines_stand_beside(
    tiny: Tiny, pairs: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYPERCTR_RUNS", str(tmp_path))
    run = hc.evaluate_scores(tiny.data, tiny.run.config, pairs.assign(score=known(pairs)), "alone")
    rows, theirs = run.rows.set_index("model"), tiny.run.rows.set_index("model")
    assert list(rows.index) == ["alone", "constant", "popularity", "item mean"]
    columns = ["auc", "gauc", "logloss_calibrated"]
    pd.testing.assert_frame_equal(rows.loc["constant":, columns], theirs.loc["constant":, columns], check_exact=True)  # type: ignore[misc]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "1 to 60 printable"),
        (" mine", "no blank at either end"),
        ("x" * 61, "1 to 60"),
        ("a\nb", "printable"),
        ("hyperctr", "a model of the library"),
        ("popularity", "a model of the library"),
    ],
)
def test_names_that_cannot_stand_in_a_table(tiny: Tiny, pairs: pd.DataFrame, name: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        hc.evaluate_scores(tiny.data, tiny.run.config, pairs.assign(score=0.0), name)


def test_a_model_scored_elsewhere_is_not_trained_here(tiny: Tiny, store: Path) -> None:
    config = hc.Config.for_model("hyperctr", "smoke").replace(model="elsewhere:mine")
    with pytest.raises(ConfigError, match="'mine' was scored elsewhere"):
        hc.train(tiny.data, config, device="cpu")


def planned(tiny: Tiny) -> pd.DataFrame:
    """The results of a sweep that holds the tiny run."""
    row = results_frame({"hyperctr": tiny.run.metrics["auc"]}).assign(run=tiny.run.id)
    return row.assign(**{name: [tiny.run.metrics[name]] for name in SAME_PAIRS})


def test_a_sweep_finds_what_was_scored_on_its_pairs(tiny: Tiny, pairs: pd.DataFrame, store: Path) -> None:
    scores, config = pairs.assign(score=known(pairs)), tiny.run.config
    assert scored_elsewhere(planned(tiny)).empty
    run = hc.evaluate_scores(tiny.data, config, scores, "mine")
    hc.evaluate_scores(tiny.data, config.replace(protocol="causal"), scores, "mine")  # of another block of Table 3
    (row,) = scored_elsewhere(planned(tiny)).to_dict("records")
    assert (row["model"], row["label"], row["state"], row["run"], row["protocol"]) == (
        *("mine", "mine", "done", run.id, "as-published"),
    )
    for name in ("auc", "auc_low", "auc_centred", "gauc", "logloss", "logloss_calibrated", "best_validation_auc"):
        assert row[name] == run.metrics[name]
    assert scored_elsewhere(planned(tiny).assign(seed=1)).empty
    assert scored_elsewhere(planned(tiny).assign(state="failed")).empty

    older = json.loads((run.folder / "code.json").read_text())
    older["files"]["data/negatives.py"] = "0" * 64
    (run.folder / "code.json").write_text(json.dumps(older))
    (row,) = scored_elsewhere(planned(tiny)).to_dict("records")
    assert row["state"] == "stale" and np.isnan(row["auc"])
    assert row["error"] == "code: hyperctr/data/negatives.py has changed; export and evaluate again"
    (run.folder / "metrics.json").write_text("{")
    assert scored_elsewhere(planned(tiny)).empty


def test_the_commands(
    tiny_table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HYPERCTR_RUNS", str(tmp_path / "runs"))
    out, train = tmp_path / "pairs.parquet", tmp_path / "train.parquet"
    line = ["pool", "export", "table", "--data-dir", str(tiny_table), "--budget", "smoke", "--set", "split=temporal"]
    assert main([*line, "--seed", "4", "--out", str(out), "--train", str(train)]) == 0
    data, config = open_pairs(out)
    assert (config.split, config.seed, config.test_candidates, data.name) == ("temporal", 4, 100, "table")
    session = hc.Session(data, config)
    pd.testing.assert_frame_equal(pd.read_parquet(out), session.pairs)
    assert len(pd.read_parquet(train)) == len(session.split.train)
    words = (
        f"{len(session.pairs):,} pairs written to {out}, temporal split, seed 4\ntraining clicks written to {train}\n"
    )
    assert capsys.readouterr().out == words

    scores = pd.read_parquet(out).sample(frac=1, random_state=0)
    scores.assign(score=known(scores)).to_parquet(tmp_path / "scores.parquet")
    assert main(["evaluate", str(tmp_path / "scores.parquet"), "--name", "my model"]) == 0
    *table, last = capsys.readouterr().out.splitlines()
    run = hc.load_run(last.split()[0])
    assert last == f"{run.id} my model test AUC {run.metrics['auc']:.4f}"
    assert table[1].split()[:3] == ["my", "model", f"{run.metrics['auc']:.4f}"] and len(table) == 5
    assert (run.config.split, run.config.seed) == ("temporal", 4)

    moved = out.rename(tmp_path / "elsewhere.parquet")
    assert main(["evaluate", str(tmp_path / "scores.parquet"), "--name", "my model"]) == 2
    assert "pairs.parquet: there is no such file; name the one that" in capsys.readouterr().err
    wrong = ["evaluate", str(tmp_path / "scores.parquet"), "--name", "my model", "--pairs", str(moved)]
    scores.to_parquet(tmp_path / "scores.parquet")
    assert main(wrong) == 2
    assert "scores.parquet: column 'score' is missing" in capsys.readouterr().err


def test_runs_of_other_pairs_cannot_be_compared(tiny: Tiny, pairs: pd.DataFrame, store: Path) -> None:
    config = tiny.run.config.replace(seed=1)
    other = hc.Session(tiny.data, config).pairs
    with pytest.raises(DataError, match="is none of"):
        hc.evaluate_scores(tiny.data, config, pairs.assign(score=0.0), "mine")
    run = hc.evaluate_scores(tiny.data, config, other.assign(score=0.0), "mine")
    with pytest.raises(RunError, match="cannot be compared"):
        compare_runs(run, tiny.run)
