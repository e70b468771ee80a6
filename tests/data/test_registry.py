"""Data sets by name, and where their files are looked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hyperctr.data import registry
from hyperctr.data.download import ACOUSTIC_FILE, VISUAL_FILE
from hyperctr.data.importing import import_folder
from hyperctr.data.registry import data_directory, known_datasets, load_dataset, open_data
from hyperctr.errors import DataError
from tests.data import releases


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


def test_what_was_imported_is_known_by_its_name_or_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = tmp_path / "data"
    releases.mmrec(tmp_path / "raw")
    done = import_folder(tmp_path / "raw", base=base)
    assert [(k.name, k.folder) for k in known_datasets(base) if k.ready] == [("planted", None), ("baby", done.folder)]
    ways = [load_dataset("baby", data_dir=base), load_dataset(str(done.folder)), open_data(str(done.folder), "smoke")]
    monkeypatch.setenv("HYPERCTR_DATA", str(base))
    (tmp_path / "work" / "baby").mkdir(parents=True)
    monkeypatch.chdir(base)  # where the folder is called like the set
    ways += [load_dataset("baby"), load_dataset("table", data_dir="baby")]
    assert {(data.name, data.fingerprint) for data in ways} == {("baby", ways[0].fingerprint)}
    assert {data.origin["data_dir"] for data in ways} == {str(done.folder)} and ways[0].origin["name"] == "table"
    monkeypatch.chdir(tmp_path / "work")  # a folder of this name that is none of the data directory
    with pytest.raises(DataError, match="interactions"):
        load_dataset("baby")
    assert load_dataset("baby", data_dir=base).num_items == 3
    with pytest.raises(DataError, match="'baby' is a folder, and not one in the data directory other; give one of"):
        load_dataset("baby", data_dir="other")
    with pytest.raises(DataError, match="data set 'babyy' is not known; did you mean 'baby'"):
        load_dataset("babyy", data_dir=base)


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
