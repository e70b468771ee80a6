"""A finished run: its folder, its rows, predictions here and in another process, changed data."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import hyperctr as hc
from hyperctr.baselines.popularity import BASELINE_ROWS
from hyperctr.data.dataset import Dataset
from hyperctr.errors import ConfigError, DataError, DataWarning, RunError, ShapeError
from hyperctr.evaluation import balanced, calibrated_on, evaluate, pooled_draws
from hyperctr.metrics import log_loss
from hyperctr.model.history import Targets
from hyperctr.runs.compare import metric_differences
from hyperctr.runs.run import Run, load_run
from hyperctr.runs.scoring import pool_of_calibration, pools_of_test
from hyperctr.runs.store import run_names
from hyperctr.split_data import SplitData
from hyperctr.training.scoring import item_scores, score_pool
from tests.conftest import TINY_SIZES, Tiny

ROOT = Path(__file__).parents[2]
REFERENCE = "content matrix factorisation"


def test_the_folder_holds_what_the_interface_says(tiny: Tiny) -> None:
    run, config = tiny.run, tiny.run.config
    assert {path.name for path in run.folder.iterdir()} == {
        "config.toml",
        "data.json",
        "code.json",
        "status.json",
        "events.jsonl",
        "interest.safetensors",
        "metrics.json",
        "model.safetensors",
        "rows.csv",
        "draws.json",
        "reliability.csv",
        "DONE",
    }
    assert run.folder == tiny.store / run.id
    assert hc.Config.from_toml(run.folder / "config.toml") == config

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    written = json.loads((run.folder / "metrics.json").read_text(), parse_constant=refuse)
    assert written == run.metrics
    assert written["data_fingerprint"] == tiny.data.fingerprint
    assert (written["dataset"], written["model"], written["protocol"]) == ("planted", "hyperctr", "as-published")
    assert written["parameters"] == sum(parameter.numel() for parameter in run.model.parameters())
    events = run.events
    assert {"step", "epoch", "loss", "examples", "validation_auc", "seconds", "memory_mib"} <= set(events)
    assert written["best_validation_auc"] == events["validation_auc"].max()
    assert written["best_step"] == events["step"][events["validation_auc"].idxmax()]
    assert repr(run) == f"Run({run.id}, hyperctr on planted, test AUC {written['auc']:.4f})"


def test_rows_hold_what_has_to_be_beaten(tiny: Tiny) -> None:
    rows = tiny.run.rows.set_index("model")
    assert list(rows.index) == ["hyperctr", REFERENCE, "constant", "popularity", "item mean"]
    for name in (
        *("auc", "auc_low", "auc_high", "auc_centred", "gauc", "logloss", "calibration_error", "auc_impressions"),
        *("logloss_calibrated", "calibration_slope", "calibration_shift"),
    ):
        assert rows.loc["hyperctr", name] == pytest.approx(tiny.run.metrics[name], rel=1e-12)
    assert rows.loc["constant", "auc"] == rows.loc["constant", "gauc"] == 0.5
    assert rows.loc["constant", "logloss"] == pytest.approx(np.log(2))
    assert rows.loc["constant", "logloss_calibrated"] == pytest.approx(np.log(2)) and rows["auc_centred"].notna().all()
    assert rows.loc["item mean", "auc"] != 0.5 != rows.loc["popularity", "auc"]
    others = rows.drop(index="hyperctr")
    np.testing.assert_allclose(others["auc_gain"], rows.loc["hyperctr", "auc"] - others["auc"], atol=1e-12)
    assert ((others["auc_gain_low"] <= others["auc_gain"]) & (others["auc_gain"] <= others["auc_gain_high"])).all()


def test_the_reference_row_is_a_run_of_its_own(tiny: Tiny, tiny_store: Path) -> None:
    others = [load_run(name, tiny.data) for name in run_names() if name != tiny.run.id]
    assert [run.config for run in others] == [tiny.run.config.reference()]
    assert others[0].metrics["auc"] == pytest.approx(tiny.run.rows["auc"][1], rel=1e-12)
    assert others[0].metrics["split_checksum"] == tiny.run.metrics["split_checksum"]
    assert others[0].interest is None and tiny.run.interest is not None


def some_pairs(data: Dataset, split_data: SplitData) -> pd.DataFrame:
    """Test clicks, training clicks and pairs nobody saw, mixed."""
    rows = np.concatenate([split_data.split.test[:20], split_data.split.train[:20]])
    known = data.interactions.loc[rows, ["user_id", "item_id", "timestamp"]]
    new = known.assign(item_id=known["item_id"].to_numpy()[::-1], timestamp=data.timestamp[-1])
    return pd.concat([known, new]).sample(frac=1, random_state=0, ignore_index=True)


def test_predictions_are_the_models_scores_in_the_order_asked_for(tiny: Tiny) -> None:
    run, split_data = tiny.run, tiny.run.split_data
    pairs = some_pairs(tiny.data, split_data)
    found = run.predict(pairs["user_id"], pairs["item_id"], pairs["timestamp"])
    assert found.dtype == np.float64 and found.shape == (80,)
    assert ((found > 0) & (found < 1)).all() and len(np.unique(found)) > 60
    user, item = tiny.data.users_to_index(pairs["user_id"]), tiny.data.items_to_index(pairs["item_id"])
    time = pairs["timestamp"].to_numpy()
    place = {
        event: k
        for k, event in enumerate(
            zip(
                *(
                    x[split_data.split.train]
                    for x in (split_data.data.user_index, split_data.data.item_index, split_data.data.timestamp)
                ),
                strict=True,
            )
        )
    }
    click = np.array([place.get(event, -1) for event in zip(user, item, time, strict=True)])
    assert (click >= 0).sum() == 20
    targets = Targets(*map(torch.tensor, (user, split_data.slots.of(time), time, click)))
    with torch.no_grad():
        new, known = np.flatnonzero(click < 0), np.flatnonzero(click >= 0)
        logits = np.empty(80)
        logits[new] = run.model(targets[torch.tensor(new)], torch.tensor(item[new, None]))[:, 0].double()
        for row in known:  # each hidden from itself alone
            one = targets[torch.tensor([row])]
            logits[row] = run.model(one, torch.tensor(item[[row], None]), one.click)
    slope, shift = run.metrics["calibration_slope"], run.metrics["calibration_shift"]
    assert slope > 0 and (slope, shift) != (1, 0)
    calibrated = slope * logits + shift
    np.testing.assert_allclose(found, 1 / (1 + np.exp(-calibrated)), rtol=0, atol=1e-7)
    rare = run.predict(pairs["user_id"], pairs["item_id"], pairs["timestamp"], prior=0.01)
    np.testing.assert_allclose(rare, 1 / (1 + 99 * np.exp(-calibrated)), rtol=0, atol=1e-7)
    backwards = pairs[::-1]
    again = run.predict(backwards["user_id"], backwards["item_id"], backwards["timestamp"])
    np.testing.assert_allclose(again[::-1], found, rtol=0, atol=1e-6)


def test_logits_are_calibrated_on_validation_clicks(tiny: Tiny) -> None:
    """The same slope and shift, fitted anew; log loss and bins of the test follow from them."""
    run, split_data, config = tiny.run, tiny.run.split_data, tiny.run.config
    validation = pool_of_calibration(split_data, config)
    np.testing.assert_array_equal(validation.rows, split_data.split.validation)
    fitted = calibrated_on(score_pool(run.model, split_data, validation))
    assert run.calibration is not None and run.calibration.slope == pytest.approx(fitted.slope, abs=1e-6)
    assert run.calibration.shift == pytest.approx(fitted.shift, abs=1e-6)
    labels, logits = balanced(score_pool(run.model, split_data, pools_of_test(split_data, config)[0]))
    expected = log_loss(labels, fitted.probabilities(logits))
    assert run.metrics["logloss_calibrated"] == pytest.approx(expected, abs=1e-6)
    bins = run.reliability.groupby("model", sort=False)[["pairs", "clicks"]].sum()
    assert list(bins.index) == list(run.rows["model"])
    assert (bins["pairs"] == len(labels)).all() and (bins["clicks"] == labels.sum()).all()


def test_a_run_recorded_before_there_was_a_calibration_says_so(tiny: Tiny, tmp_path: Path) -> None:
    for path in tiny.run.folder.iterdir():
        if path.name != "reliability.csv":
            (tmp_path / path.name).write_bytes(path.read_bytes())
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    new = ("auc_centred", "logloss_calibrated", "calibration_slope", "calibration_shift")
    kept = {name: value for name, value in metrics.items() if name not in new}
    (tmp_path / "metrics.json").write_text(json.dumps(kept))
    older = Run(tmp_path, tiny.data)
    assert older.calibration is None and older.reliability.empty
    pair = [tiny.data.users[0]], [tiny.data.items[0]]
    with pytest.warns(DataWarning, match="raw, the sigmoid of the logits.*was recorded before runs were calibrated"):
        raw = older.predict(*pair)
    slope, shift = (metrics[f"calibration_{name}"] for name in ("slope", "shift"))
    logit = np.log(raw / (1 - raw))
    assert tiny.run.predict(*pair) == pytest.approx(1 / (1 + np.exp(-slope * logit - shift)), rel=1e-6)
    with pytest.raises(RunError, match="hold for no known share of clicks, so not for 0.1.*train it again"):
        older.predict(*pair, prior=0.1)
    differences = metric_differences(older, tiny.run).set_index("metric")["difference"]
    assert np.isnan(differences["logloss_calibrated"]) and differences["logloss"] == 0
    with pytest.raises(ConfigError, match="prior=0 must lie strictly between"):
        tiny.run.predict(*pair, prior=0)


def test_without_timestamps_it_is_the_end_of_the_clock(tiny: Tiny) -> None:
    users, items = tiny.data.users[:5].tolist(), tiny.data.items[:5].tolist()
    end = [int(tiny.data.timestamp[-1])] * 5
    np.testing.assert_array_equal(tiny.run.predict(users, items), tiny.run.predict(users, items, end))
    assert len(tiny.run.predict([], [])) == 0


def test_a_training_click_is_hidden_from_its_own_prediction(tiny: Tiny) -> None:
    """Only a click of exactly that user, item and time counts as known; a second later it helps."""
    clicks = tiny.data.interactions.iloc[tiny.run.split_data.split.train]
    hidden, seen = (
        np.array([tiny.run.predict([u], [i], [t + later])[0] for u, i, t, _ in clicks[:30].itertuples(index=False)])
        for later in (0, 1)
    )
    assert (hidden != seen).mean() > 0.9


@pytest.mark.parametrize(
    ("users", "items", "times", "error", "message"),
    [
        ([1, -7], [10_000, 10_001], None, DataError, "-7"),
        ([1, 2], [10_000, 99_999], None, DataError, "99999|99,999"),
        ([1], [10_000], [1.5], DataError, "timestamps must be integers"),
        ([1, 2], [10_000], None, ShapeError, "lengths 2, 1 and 2"),
        ([1], [10_000], [1, 2], ShapeError, "lengths 1, 1 and 2"),
    ],
)
def test_predict_says_what_is_wrong(
    tiny: Tiny, users: list, items: list, times: list | None, error: type, message: str
) -> None:
    with pytest.raises(error, match=message):
        tiny.run.predict(users, items, times)


def test_another_process_predicts_the_same(tiny: Tiny, tmp_path: Path) -> None:
    pairs = some_pairs(tiny.data, tiny.run.split_data)
    pairs.to_csv(tmp_path / "pairs.csv", index=False)
    line = [
        sys.executable,
        "-m",
        "hyperctr",
        "predict",
        tiny.run.id[:8],
        "--pairs",
        str(tmp_path / "pairs.csv"),
        "--out",
        str(tmp_path / "scores.parquet"),
    ]
    environment = {**os.environ, "HYPERCTR_RUNS": str(tiny.store), "OMP_NUM_THREADS": str(torch.get_num_threads())}
    done = subprocess.run(line, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    scores = pd.read_parquet(tmp_path / "scores.parquet")
    pd.testing.assert_frame_equal(scores[["user_id", "item_id", "timestamp"]], pairs)
    here = tiny.run.predict(pairs["user_id"], pairs["item_id"], pairs["timestamp"])
    np.testing.assert_array_equal(scores["score"], here)


def test_data_made_in_memory_have_to_be_given_again(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYPERCTR_RUNS", str(tmp_path))
    data = Dataset("mine", tiny.data.interactions, tiny.data.features.values(), items=tiny.data.items)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        run = hc.train(data, tiny.run.config.replace(model=REFERENCE), device="cpu", dry_run=True)
    pair = [data.users[0]], [data.items[0]]
    assert load_run(run.id, data).predict(*pair) == run.predict(*pair)
    with pytest.raises(RunError, match=f"made in memory.*load_run\\('{run.id}', data="):
        load_run(run.id).predict(*pair)


def test_changed_data_are_refused(tiny: Tiny, tiny_store: Path) -> None:
    other = hc.load_dataset("planted", seed=1, **TINY_SIZES)
    run = load_run(tiny.run.id, data=other)
    assert run.metrics == tiny.run.metrics  # numbers can be read all the same
    with pytest.raises(RunError, match="was trained on 'planted' of seed 0 .*, not on 'planted' of seed 1 ") as caught:
        run.predict([1], [10_000])
    assert tiny.data.fingerprint[:12] in str(caught.value) and other.fingerprint[:12] in str(caught.value)


def test_a_damaged_run_says_which_file(tiny: Tiny, tmp_path: Path) -> None:
    def copy(name: str) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        for path in tiny.run.folder.iterdir():
            (folder / path.name).write_bytes(path.read_bytes())
        return folder

    cut = copy("cut") / "model.safetensors"
    cut.write_bytes(cut.read_bytes()[:-10])
    with pytest.raises(RunError, match=r"cut/model.safetensors: damaged.*train it again"):
        _ = load_run(str(cut.parent), tiny.data).model
    other = copy("other") / "config.toml"
    other.write_text(other.read_text().replace("layers = 1", "layers = 2", 1))
    with pytest.raises(RunError, match=r"other/model.safetensors: does not fit the model(.|\n)*train it again"):
        _ = load_run(str(other.parent), tiny.data).model
    (copy("torn") / "metrics.json").write_text('{"auc": 0.')
    with pytest.raises(RunError, match=r"torn/metrics.json: not valid JSON"):
        load_run(str(tmp_path / "torn"))
    (copy("half") / "DONE").unlink()
    with pytest.raises(RunError, match=r"half: this run was not finished.*--resume"):
        load_run(str(tmp_path / "half"))


def test_the_rows_to_beat_are_measured_once_and_paired_from_their_draws(tiny: Tiny) -> None:
    split_data, config = tiny.run.split_data, tiny.run.config
    pool, _ = pools_of_test(split_data, config)
    own = pooled_draws(score_pool(tiny.run.model, split_data, pool), seed=config.seed)
    shown = tiny.run.rows.set_index("model")
    for name, logits_of in BASELINE_ROWS.items():
        scores = item_scores(pool, logits_of(split_data))
        direct = own.minus(pooled_draws(scores, seed=config.seed))
        assert shown.loc[name, ["auc_gain", "auc_gain_low", "auc_gain_high"]].tolist() == pytest.approx(
            [direct.value, direct.low, direct.high], abs=1e-12
        )
        assert shown.loc[name, "auc"] == pytest.approx(evaluate(scores, seed=config.seed)["auc"], abs=1e-12)
