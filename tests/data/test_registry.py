"""Data sets by name, and where their files are looked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hyperctr.data import registry
from hyperctr.data.download import ACOUSTIC_FILE, VISUAL_FILE
from hyperctr.data.registry import data_directory, known_datasets, load_dataset
from hyperctr.errors import DataError


def test_unknown_names_and_options_are_named() -> None:
    with pytest.raises(DataError, match="data set 'plantd' is not known; did you mean 'planted'"):
        load_dataset("plantd")
    with pytest.raises(DataError, match="data set 'table' has no option 'clok'; did you mean 'clock'"):
        load_dataset("table", clok="ordinal")
    with pytest.raises(DataError, match="data set 'ml-trailers' has no option 'texts'; did you mean 'text'"):
        load_dataset("ml-trailers", texts="tfidf")


def test_data_directory_is_argument_then_environment_then_cache(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HYPERCTR_DATA", "/from/environment")
    assert data_directory(tmp_path) == tmp_path
    assert data_directory() == Path("/from/environment")
    monkeypatch.delenv("HYPERCTR_DATA")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert data_directory() == tmp_path / ".cache" / "hyperctr"


def test_known_datasets_says_what_was_found(tmp_path: Path) -> None:
    assert [k.name for k in known_datasets(tmp_path) if k.ready] == ["planted"]
    (tmp_path / "table").mkdir()
    (tmp_path / "table" / "interactions.csv").write_text("user_id,item_id,timestamp\n1,7,3\n1,9,4\n")
    raw = tmp_path / "ml-trailers" / "raw"
    for name in ("ml-latest-small/ratings.csv", VISUAL_FILE, ACOUSTIC_FILE):
        (raw / name).parent.mkdir(parents=True, exist_ok=True)
        (raw / name).write_text("")
    folders = {k.name: k.folder for k in known_datasets(tmp_path)}
    assert (folders["ml-trailers"], folders["table"], folders["kuaishou"]) == (raw, tmp_path / "table", None)
    (tmp_path / "table" / "features").mkdir()
    np.savez(tmp_path / "table" / "features" / "visual.npz", item_id=[7, 9], values=np.ones((2, 1)))
    assert load_dataset("table", data_dir=tmp_path).items.tolist() == [7, 9]


def test_only_the_default_directory_is_filled_unasked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[Path] = []

    def fetch(base: Path) -> Path:
        asked.append(base)
        raise DataError("no network in this test")

    monkeypatch.setattr(registry, "fetch_ml_trailers", fetch)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("HYPERCTR_DATA", raising=False)
    for options in ({"data_dir": tmp_path}, {"download": False}):
        with pytest.raises(DataError, match="download=True"):
            load_dataset("ml-trailers", **options)
    monkeypatch.setenv("HYPERCTR_DATA", str(tmp_path))
    with pytest.raises(DataError, match="download=True"):
        load_dataset("ml-trailers")
    assert asked == []
    with pytest.raises(DataError, match="no network"):
        load_dataset("ml-trailers", download=True)
    monkeypatch.delenv("HYPERCTR_DATA")
    with pytest.raises(DataError, match="no network"):
        load_dataset("ml-trailers")
    assert asked == [tmp_path, tmp_path / ".cache" / "hyperctr"]
