"""Users, items and clicks that came after training: scored without training again, the others as before."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import hyperctr as hc
from hyperctr.cli import main
from hyperctr.errors import DataError, RunError
from tests.conftest import Tiny

Captured = pytest.CaptureFixture[str]
SMALL = ["embedding_size=8", "layers=1", "hidden=[8, 4]", "epochs=1", "interest_epochs=1", "points_per_epoch=1"]


def test_the_known_are_scored_as_before(tiny: Tiny) -> None:
    users, items = tiny.data.users[:5].tolist(), tiny.data.items[3:8].tolist()
    before = tiny.run.predict(users, items)
    again = tiny.run.predict([*users, 10**9, 10**9], [*items, items[0], -5], unknown="cold")
    assert np.abs(again[:5] - before).max() < 1e-6
    assert np.isfinite(again).all()
    with pytest.raises(DataError, match="user id 1000000000 is unknown"):
        tiny.run.predict([10**9], items[:1])


def test_a_new_user_has_no_history_until_one_is_given(tiny: Tiny) -> None:
    item, late = tiny.data.items[0], int(tiny.data.timestamp.max()) + 5
    cold = tiny.run.predict([10**9, 10**9 + 1, "x"], [item] * 3, [late] * 3, unknown="cold")
    assert cold[0] == pytest.approx(cold[1]) == pytest.approx(cold[2])  # nothing tells them apart
    clicks = pd.DataFrame({"user_id": 10**9, "item_id": tiny.data.items[5:15], "timestamp": late - 3})
    warm = tiny.run.predict([10**9, 10**9 + 1], [item] * 2, [late] * 2, unknown="cold", history=clicks)
    assert warm[1] == pytest.approx(cold[1], abs=1e-6)
    assert abs(warm[0] - cold[0]) > 1e-5
    known_by_history = tiny.run.predict([10**9], [item], [late], history=clicks)
    assert known_by_history[0] == pytest.approx(warm[0], abs=1e-6)


def test_newer_clicks_lengthen_a_history_and_repeats_do_not(tiny: Tiny) -> None:
    data, late = tiny.data, int(tiny.data.timestamp.max()) + 5
    user, item = data.users[0], data.items[0]
    before = tiny.run.predict([user], [item], [late])
    newer = pd.DataFrame({"user_id": user, "item_id": data.items[20:30], "timestamp": late - 1, "clicked": True})
    assert abs(tiny.run.predict([user], [item], [late], history=newer) - before)[0] > 1e-5
    assert tiny.run.predict([user], [item], [late], history=newer.assign(timestamp=late + 1)).shape == (1,)
    old = data.interactions.iloc[tiny.run.split_data.split.train]
    useless = pd.concat([old, newer.assign(clicked=False), newer.assign(item_id=-7)])
    with pytest.warns(hc.errors.DataWarning, match=r"history: 0 of .* 10 are no clicks.* 10 are of unknown items"):
        assert tiny.run.predict([user], [item], [late], history=useless) == pytest.approx(before, abs=1e-6)


@pytest.mark.parametrize("protocol", ["as-published", "causal"])
def test_newer_clicks_move_nobody_elses_score(
    protocol: str, tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, data = tiny.run, tiny.data
    if protocol == "causal":
        monkeypatch.setenv("HYPERCTR_RUNS", str(tmp_path))
        run = hc.train(data, run.config.replace(protocol=protocol, learning_rate=1e-2), device="cpu")
    end, other = int(data.timestamp.max()), data.users[1:].repeat(3)
    items = np.resize(data.items[:60], len(other))
    newer = pd.DataFrame({"user_id": data.users[0], "item_id": data.items[20:30], "timestamp": end + 40_000_000})
    for more in ({}, {"unknown": "cold"}):
        before = run.predict([*data.users[:1], *other], [data.items[0], *items], **more)
        after = run.predict([*data.users[:1], *other], [data.items[0], *items], history=newer, **more)
        assert np.abs(after[1:] - before[1:]).max() < 1e-6
        assert abs(after[0] - before[0]) > 1e-5  # its user's does, the newest click included
    last = newer.iloc[-1:]
    with_last = run.predict(data.users[:1], data.items[:1], history=newer)
    without = run.predict(data.users[:1], data.items[:1], history=newer.drop(index=last.index))
    assert abs(with_last - without)[0] > 1e-6


@pytest.fixture
def trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> Callable[..., tuple[str, Path]]:
    """Write a log with an odd column for a label and an ordinal clock, check and train it; its run and folder."""

    def train(*options: str) -> tuple[str, Path]:
        monkeypatch.setenv("HYPERCTR_RUNS", str(tmp_path / "runs"))
        monkeypatch.delenv("HYPERCTR_DATA", raising=False)
        folder, rng = tmp_path / "data", np.random.default_rng(0)
        (folder / "features").mkdir(parents=True)
        rows = {"user_id": rng.integers(0, 30, 900), "item_id": rng.integers(0, 40, 900)}
        rows |= {"timestamp": 760_995_159_683 + rng.permutation(900) * 1000, "rating": rng.integers(1, 6, 900)}
        pd.DataFrame(rows).to_csv(folder / "interactions.csv", index=False)
        np.savez(folder / "features" / "visual.npz", item_id=np.arange(44), values=rng.normal(size=(44, 4)))
        asked = [word for option in options for word in ("--option", option)]
        assert main(["data", "check", str(folder), *asked]) == 0
        line = ["train", "table", "--data-dir", str(folder), *asked, "--device", "cpu", "--set", *SMALL]
        assert main([*line, "test_candidates=20"]) == 0
        return capsys.readouterr().out.splitlines()[-1].split()[0], folder

    return train


def predict(run: str, folder: Path, text: str, *more: str) -> tuple[int, pd.DataFrame | None]:
    (folder / "pairs.csv").write_text(text)
    (folder / "scores.csv").unlink(missing_ok=True)
    code = main(["predict", run, "--pairs", str(folder / "pairs.csv"), "--out", str(folder / "scores.csv"), *more])
    return code, pd.read_csv(folder / "scores.csv") if code == 0 else None


def test_a_run_with_options_is_loaded_again_where_its_data_have_moved(
    trained: Callable[..., tuple[str, Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    run, folder = trained("clock=ordinal", "click=rating >= 4", "slot_count=7")
    loaded = hc.load_run(run)
    data = loaded.split_data.data
    assert (data.clock, loaded.split_data.slots.count, bool(data.clicked.all())) == ("ordinal", 7, False)
    text = "user_id,item_id,timestamp\n1,3,760996000000\n2,5,760996000000\n"
    _, first = predict(run, tmp_path, text)
    assert first is not None

    moved = tmp_path / "elsewhere"
    shutil.move(folder, moved)
    assert predict(run, tmp_path, text)[0] == 2
    assert re_line(capsys) == "--data-dir D, data_dir=..., or the variable HYPERCTR_DATA"
    for more, place in ((["--data-dir", str(moved)], None), ([], str(moved))):
        monkeypatch.setenv("HYPERCTR_DATA", place) if place else None
        _, again = predict(run, tmp_path, text, *more)
        assert again is not None and again["score"].tolist() == first["score"].tolist()
    folder.mkdir()  # again, without the files
    assert predict(run, tmp_path, text)[0] == 0
    frame = pd.read_csv(moved / "interactions.csv")
    frame.iloc[:-1].to_csv(moved / "interactions.csv", index=False)
    assert predict(run, tmp_path, text)[0] == 2
    assert "has changed since training (fingerprint" in capsys.readouterr().err


def re_line(capsys: Captured) -> str:
    return capsys.readouterr().err.strip().split("in now: ")[-1]


def test_unknown_pairs_on_the_command_line(
    trained: Callable[..., tuple[str, Path]], tmp_path: Path, capsys: Captured
) -> None:
    run, folder = trained("clock=ordinal", "click=rating >= 4")
    text = "user_id,item_id\n1,3\n777,3\n1,42\n1,999\n"  # 42 has a vector and no row, 999 has neither
    assert predict(run, folder, text)[0] == 2
    said = capsys.readouterr().err
    assert "user id 777 is unknown" in said and "--unknown skip leaves such pairs out, --unknown cold" in said
    _, skipped = predict(run, folder, text, "--unknown", "skip")
    assert "3 of 4 pairs: 1 user and 2 items are unknown; these pairs were left out" in capsys.readouterr().out
    _, cold = predict(run, folder, text, "--unknown", "cold")
    assert "these pairs were scored as cold" in capsys.readouterr().out
    assert skipped is not None and cold is not None
    assert (skipped["item_id"].tolist(), cold["item_id"].tolist()) == ([3], [3, 3, 42, 999])
    none = folder / "none.csv"
    none.write_text("user_id,item_id,timestamp\n777,3,1600000000\n1,999,1600000000\n")
    line = ["predict", run, "--pairs", str(none), "--out", str(folder / "s.csv"), "--unknown", "skip"]
    assert main(line) == 0
    assert "2 of 2 pairs" in (said := capsys.readouterr().out) and "0 scores written" in said
    assert (folder / "s.csv").read_text() == "user_id,item_id,timestamp,score\n"
    assert skipped["score"][0] == pytest.approx(cold["score"][0], abs=1e-6)
    assert cold["score"].nunique() == 4  # the content of 42 counts

    newer = folder / "new.csv"
    newer.write_text("user_id,item_id,timestamp,rating\n" + "".join(f"777,{i},999999999999,5\n" for i in range(9)))
    _, warm = predict(run, folder, "user_id,item_id\n1,3\n777,3\n", "--history", str(newer))
    assert warm is not None and abs(warm["score"][1] - cold["score"][1]) > 1e-6
    newer.write_text("user_id,item_id,timestamp,rating\n777,1,x,5\n")
    assert predict(run, folder, "user_id,item_id\n1,3\n", "--history", str(newer))[0] == 2
    assert "new.csv, line 2: timestamp 'x'" in capsys.readouterr().err
    pd.DataFrame({"user_id": [1], "item_id": [3]}).to_parquet(folder / "pairs.parquet")
    line = ["predict", run, "--pairs", str(folder / "pairs.parquet"), "--out", str(folder / "s.csv")]
    assert main(line) == 0
    assert pd.read_csv(folder / "s.csv")["score"][0] == pytest.approx(skipped["score"][0], abs=1e-6)


def test_a_model_that_cannot_grow_says_so(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    def shrunk(path: Any) -> Any:
        return {"user_embedding": torch.zeros(3)}, {}

    monkeypatch.setattr("hyperctr.runs.grown.load_tensors", shrunk)
    with pytest.raises(RunError, match="does not fit the model"):
        tiny.run.predict([10**9], tiny.data.items[:1].tolist(), unknown="cold")
