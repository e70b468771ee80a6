"""Models of other software get the pairs that all models are judged on, and their scores are judged to the same bit."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import hyperctr as hc
from hyperctr.cli import main
from hyperctr.data.negatives import candidate_pool, impression_pool
from hyperctr.errors import ConfigError, DataError, RunError
from hyperctr.evaluation import calibrated_on, evaluate
from hyperctr.runs import pairs as pairs_module
from hyperctr.runs import scored_pairs
from hyperctr.runs.compare import compare_runs
from hyperctr.runs.elsewhere import read_scores
from hyperctr.runs.pairs import judged_pools, open_pairs
from hyperctr.runs.scoring import pool_of_calibration, pools_of_test
from hyperctr.runs.store import run_id
from hyperctr.sweeps.results import SAME_PAIRS, scored_elsewhere
from hyperctr.training.loop import Trainer
from hyperctr.training.scoring import PoolScores, score_pool
from tests.conftest import TINY_SIZES, Tiny
from tests.paper.frames import results_frame

REFERENCE = "content matrix factorisation"
NEW = {"scored_elsewhere", "model", "seconds", "code_fingerprint", "warnings"}  # of metrics


@pytest.fixture(autouse=True)
def _no_warnings_about_models() -> Any:
    with warnings.catch_warnings(action="ignore"):
        yield


@pytest.fixture(scope="module")
def pairs(tiny: Tiny) -> pd.DataFrame:
    return hc.Session(tiny.data, tiny.run.config).pairs


@pytest.fixture
def store(tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the store of the tiny run, to write to."""
    copy = shutil.copytree(tiny.store, tmp_path / "runs")
    monkeypatch.setenv("HYPERCTR_RUNS", str(copy))
    return copy


def known(frame: pd.DataFrame) -> np.ndarray[Any, Any]:
    """A score that anybody can compute from the ids: some of it says something, ties are many."""
    user, item, time = (frame[name].to_numpy() for name in ("user_id", "item_id", "timestamp"))
    return ((user * 7 + item * 13) % 11) / 4.0 - (time % 3) + (item % 5) * 0.7


# what is handed over


def test_exported_pairs_are_those_that_models_are_judged_on(tiny: Tiny, pairs: pd.DataFrame) -> None:
    data, config, split_data = tiny.data, tiny.run.config, tiny.run.split_data
    trainer = Trainer(tiny.run.model, split_data, config, torch.device("cpu"), tiny.run.folder)
    test, impressions = pools_of_test(split_data, config)
    assert impressions is not None
    pools = {
        "validation": trainer.pool,
        "calibration": pool_of_calibration(split_data, config),
        "test": test,
        "impressions": impressions,
    }
    assert list(pairs["part"].unique()) == list(pools)
    for part, pool in pools.items():
        expected = []
        for row, user, item, time, label, others in zip(
            pool.rows, pool.users, pool.items, pool.timestamps, pool.labels, pool.negatives[:], strict=True
        ):
            named = (row, data.users[user])
            expected.append((*named, data.items[item], time, bool(label)))
            expected += [(*named, data.items[other], time, False) for other in others if other >= 0]
        rows = pairs[pairs["part"] == part].drop(columns="part")
        assert [tuple(row) for row in rows.itertuples(index=False)] == expected
    assert not pairs.duplicated(["part", "click", "item_id"]).any(), "what names a pair"


def test_training_clicks_and_pairs_share_no_click_and_leak_no_label(tiny: Tiny, pairs: pd.DataFrame) -> None:
    """The same split; and a pair labelled 0 is no click that its part may know of."""
    data, split = tiny.data, tiny.run.split_data.split
    train = hc.Session(data, tiny.run.config).training_clicks
    expected = data.interactions.iloc[split.train][["user_id", "item_id", "timestamp"]]
    pd.testing.assert_frame_equal(train, expected.reset_index(drop=True))
    assert {part: set(rows) for part, rows in pairs[pairs["label"]].groupby("part")["click"]} == {
        "validation": set(candidate_pool(data, split, "validation", max_rows=200).rows),
        "calibration": set(split.validation),
        "test": set(split.test),
        "impressions": set(split.test),
    }
    clicks = data.interactions.assign(part=split.part).query("clicked")
    before = {"validation": (0, 1), "calibration": (0, 1), "test": (0, 1, 2)}
    for part, parts in before.items():
        seen = set(zip(*(clicks[clicks["part"].isin(parts)][name] for name in ("user_id", "item_id")), strict=True))
        others = pairs[(pairs["part"] == part) & ~pairs["label"]]
        assert not seen & set(zip(others["user_id"], others["item_id"], strict=True))


def test_files_are_written_in_pieces_and_whole_or_not_at_all(
    tiny: Tiny, pairs: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pairs_module, "CHUNK", 100)
    out, train = tmp_path / "pairs.parquet", tmp_path / "train.parquet"
    assert hc.export_pool(tiny.data, tiny.run.config, out, train) == len(pairs)
    pd.testing.assert_frame_equal(pd.read_parquet(out), pairs)
    pd.testing.assert_frame_equal(
        pd.read_parquet(train), hc.Session(tiny.data, tiny.run.config).training_clicks, check_dtype=False
    )
    metadata = pq.read_metadata(out)
    assert max(metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)) <= 100
    before, frames = out.read_bytes(), pairs_module.pair_frames

    def broken(*arguments: Any) -> Any:
        yield next(frames(*arguments))
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pairs_module, "pair_frames", broken)
    with pytest.raises(DataError, match=r"pairs.parquet: cannot be written \(No space left on device\)"):
        hc.export_pool(tiny.data, tiny.run.config, out)
    assert out.read_bytes() == before and {path.name for path in tmp_path.iterdir()} == {out.name, train.name}


@pytest.mark.parametrize(
    ("out", "train", "words"),
    [
        ("pairs.csv", None, r"pairs.csv: .*end in .parquet"),
        ("pairs.parquet", "train.csv", r"train.csv: .*end in .parquet"),
        ("pairs.parquet", "pairs.parquet", "need two names"),
    ],
)
def test_names_that_cannot_be_written_to(tiny: Tiny, tmp_path: Path, out: str, train: str | None, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        hc.export_pool(tiny.data, tiny.run.config, tmp_path / out, None if train is None else tmp_path / train)
    assert not any(tmp_path.iterdir())


# what comes back


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


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), batch=st.integers(300, 7000), chunk=st.integers(1, 3000))
def test_order_and_pieces_do_not_matter(tiny: Tiny, seed: int, batch: int, chunk: int) -> None:
    config = tiny.run.config
    frame = hc.Session(tiny.data, config).pairs
    scores = frame.assign(score=known(frame).astype(np.float32))
    plain = read_scores(scores, tiny.run.split_data, config)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scored_pairs, "BATCH", batch)
        patch.setattr(pairs_module, "CHUNK", chunk)
        order = np.random.default_rng(seed).permutation(len(scores))
        shuffled = read_scores(scores.iloc[order], tiny.run.split_data, config)
    for part, expected in plain.items():
        assert shuffled[part].rows.dtype == np.float32
        np.testing.assert_array_equal(shuffled[part].rows, expected.rows)
        np.testing.assert_array_equal(shuffled[part].negatives, expected.negatives)


# faults


def with_value(name: str, row: int, value: Any) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        column = frame[name].to_numpy().copy()
        column[row] = value
        return frame.assign(**{name: column})

    return change


def unknown_pair(frame: pd.DataFrame) -> pd.DataFrame:
    """Move a test pair to an item that the user clicked, which is never a candidate."""
    place = int(np.flatnonzero(frame["part"] == "test")[1])
    same = (
        frame["user_id"].eq(frame["user_id"].iloc[place])
        & frame["label"]
        & frame["click"].ne(frame["click"].iloc[place])
    )
    assert same.any()
    return with_value("item_id", place, frame.loc[same, "item_id"].iloc[0])(frame)


FAULTS: list[tuple[Callable[[pd.DataFrame], pd.DataFrame], str]] = [
    (with_value("score", 17, np.nan), r"row 17 .*: score nan is not a finite number; .*lowest"),
    (with_value("score", 17, -np.inf), r"row 17 .*: score -inf is not a finite number"),
    (lambda frame: frame.assign(score=frame["score"].astype(str)), "column 'score' is of type .*real numbers"),
    (lambda frame: frame.assign(score=frame["label"]), "column 'score' is of type bool"),
    (lambda frame: frame.rename(columns={"score": "scores"}), r"'score' is missing \(did you mean 'scores'\?\)"),
    (lambda frame: frame.drop(columns="part"), "column 'part' is missing.*part, click, item_id, score are needed"),
    (lambda frame: frame.iloc[:0], "there are no rows; score the pairs of the file that `hyperctr pool export` wrote"),
    (with_value("part", 3, "tset"), r"row 3 .*: part 'tset' is not known; allowed are validation, calibration, test"),
    (with_value("click", 3, 10**6), r"row 3 .*: click 1000000 is none of this part's"),
    (with_value("item_id", 3, -5), r"row 3 .*: item_id -5 is none of this data set's, whose ids are integers"),
    (lambda frame: frame.assign(item_id=frame["item_id"].astype(str)), r"row 0 .*: item_id '\d+' is none of.*integers"),
    (unknown_pair, r"row \d+ .*: part 'test', click \d+, item_id \d+ is none of the pairs to score \(1 such rows\)"),
    (
        lambda frame: pd.concat([frame, frame.iloc[[40]].assign(score=9.0)], ignore_index=True),
        r"row \d+ .*: part 'validation', click \d+, item_id \d+ has a score in row 40 already \(1 rows repeat",
    ),
    (
        lambda frame: frame.drop(index=[5, 6]),
        r"part 'validation', click \d+, item_id \d+ has no score \(2 of [\d,]+ pairs have none\); score all of",
    ),
    (lambda frame: frame[frame["part"] == "test"], r"part 'validation', click \d+, item_id \d+ has no score"),
]


@pytest.mark.parametrize(("spoil", "words"), FAULTS)
def test_every_fault_is_named(
    tiny: Tiny,
    pairs: pd.DataFrame,
    store: Path,
    tmp_path: Path,
    spoil: Callable[[pd.DataFrame], pd.DataFrame],
    words: str,
) -> None:
    file, there = tmp_path / "scores.parquet", set(store.iterdir())
    spoil(pairs.assign(score=known(pairs))).to_parquet(file, index=False)
    with pytest.raises(DataError, match=rf"scores\.parquet.*{words}"):
        hc.evaluate_scores(tiny.data, tiny.run.config, file, "wrong")
    assert set(store.iterdir()) == there


def test_files_that_cannot_be_read(tiny: Tiny, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nosuch.parquet: there is no such file"):
        hc.evaluate_scores(tiny.data, tiny.run.config, tmp_path / "nosuch.parquet", "x")
    (tmp_path / "text.parquet").write_text("part,click\n")
    with pytest.raises(DataError, match=r"text.parquet: is not a readable parquet file"):
        hc.evaluate_scores(tiny.data, tiny.run.config, tmp_path / "text.parquet", "x")
    for open_what, words in (("nosuch", "no such file"), ("text", "does not say what it was exported from")):
        with pytest.raises(DataError, match=words):
            open_pairs(tmp_path / f"{open_what}.parquet")


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


# in tables, and on the command line


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


def test_pairs_of_data_that_are_gone_or_changed(tiny: Tiny, tiny_table: Path, tmp_path: Path) -> None:
    out, folder = tmp_path / "pairs.parquet", shutil.copytree(tiny_table, tmp_path / "table")
    config = tiny.run.config
    memory = hc.Dataset("mine", tiny.data.interactions, tiny.data.features.values(), items=tiny.data.items)
    hc.export_pool(memory, config, out)
    with pytest.raises(DataError, match=r"exported from data made in memory; call hyperctr.evaluate_scores"):
        open_pairs(out)
    hc.export_pool(hc.load_dataset("table", data_dir=folder), config, out)
    assert open_pairs(out)[0].fingerprint == hc.load_dataset("table", data_dir=folder).fingerprint
    moved = folder.rename(tmp_path / "moved")
    with pytest.raises(DataError, match="table"):
        open_pairs(out)
    assert open_pairs(out, moved)[0].fingerprint == hc.load_dataset("table", data_dir=moved).fingerprint
    folder = moved.rename(folder)
    log = pd.read_csv(folder / "interactions.csv")
    log.iloc[:-1].to_csv(folder / "interactions.csv", index=False)
    with pytest.raises(DataError, match="'table' has changed since; restore it, or export and score again"):
        open_pairs(out)


def test_runs_of_other_pairs_cannot_be_compared(tiny: Tiny, pairs: pd.DataFrame, store: Path) -> None:
    config = tiny.run.config.replace(seed=1)
    other = hc.Session(tiny.data, config).pairs
    with pytest.raises(DataError, match="is none of"):
        hc.evaluate_scores(tiny.data, config, pairs.assign(score=0.0), "mine")
    run = hc.evaluate_scores(tiny.data, config, other.assign(score=0.0), "mine")
    with pytest.raises(RunError, match="cannot be compared"):
        compare_runs(run, tiny.run)


def test_impressions_are_there_only_where_non_clicks_are(tiny: Tiny) -> None:
    clicks = tiny.data.interactions.query("clicked")
    data = hc.Dataset("clicks", clicks, tiny.data.features.values(), items=tiny.data.items)
    session = hc.Session(data, tiny.run.config)
    assert list(session.pairs["part"].unique()) == ["validation", "calibration", "test"]
    assert len(impression_pool(tiny.data, tiny.run.split_data.split)) == 120
    run = hc.evaluate_scores(data, tiny.run.config, session.pairs.assign(score=1.0), "flat", keep=False)
    assert np.isnan(run.metrics["auc_impressions"]) and run.metrics["auc"] == 0.5
    assert TINY_SIZES["num_users"] == data.num_users
