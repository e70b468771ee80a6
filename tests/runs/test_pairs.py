"""Models of other software get the very pairs and training clicks that all models are judged and trained on."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import torch

import hyperctr as hc
from hyperctr.data.negatives import candidate_pool, impression_pool
from hyperctr.errors import ConfigError, DataError
from hyperctr.runs import pairs as pairs_module
from hyperctr.runs.pairs import open_pairs
from hyperctr.runs.scoring import pool_of_calibration, pools_of_test
from hyperctr.training.loop import Trainer
from tests.conftest import TINY_SIZES, Tiny


@pytest.fixture(autouse=True)
def _no_warnings_about_models() -> Any:
    with warnings.catch_warnings(action="ignore"):
        yield


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


def test_only_files_that_it_wrote_are_replaced(tiny: Tiny, tmp_path: Path) -> None:
    out, train, mine = tmp_path / "pairs.parquet", tmp_path / "train.parquet", tmp_path / "clicks.parquet"
    pd.DataFrame({"user_id": [1], "item_id": [2], "timestamp": [3]}).to_parquet(mine)
    before = mine.read_bytes()
    for names in ((mine, None), (out, mine)):
        with pytest.raises(
            DataError, match=r"clicks.parquet: is there already and was not written by .*; move it away"
        ):
            hc.export_pool(tiny.data, tiny.run.config, *names)
    assert mine.read_bytes() == before and list(tmp_path.iterdir()) == [mine]
    for _ in range(2):
        hc.export_pool(tiny.data, tiny.run.config, out, train)
    with pytest.raises(DataError, match="does not say what it was exported from"):
        open_pairs(train)


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


def test_impressions_are_there_only_where_non_clicks_are(tiny: Tiny) -> None:
    clicks = tiny.data.interactions.query("clicked")
    data = hc.Dataset("clicks", clicks, tiny.data.features.values(), items=tiny.data.items)
    session = hc.Session(data, tiny.run.config)
    assert list(session.pairs["part"].unique()) == ["validation", "calibration", "test"]
    assert len(impression_pool(tiny.data, tiny.run.split_data.split)) == 120
    run = hc.evaluate_scores(data, tiny.run.config, session.pairs.assign(score=1.0), "flat", keep=False)
    assert np.isnan(run.metrics["auc_impressions"]) and run.metrics["auc"] == 0.5
    assert TINY_SIZES["num_users"] == data.num_users
