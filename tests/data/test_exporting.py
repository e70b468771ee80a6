"""`export`: what other libraries read has our rows, parts and vectors, and a table comes back as the same data set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import yaml  # type: ignore[import-untyped]

import hyperctr as hc
from hyperctr.cli import main
from hyperctr.data import exporting, peers
from hyperctr.data.dataset import Dataset
from hyperctr.data.exporting import export
from hyperctr.data.features import FeatureTable
from hyperctr.data.interactions import Interactions
from hyperctr.data.options import TableOptions
from hyperctr.data.splits import PARTS, Split
from hyperctr.data.table import load_table
from hyperctr.errors import DataError

pytestmark = pytest.mark.filterwarnings("ignore::hyperctr.errors.DataWarning")
SIZES: dict[str, Any] = {"num_users": 60, "num_items": 300, "num_interactions": 1200, "months": 12}


@pytest.fixture
def planted() -> Dataset:
    """Clicks and non-clicks, items without modalities or rows, titles."""
    return hc.load_dataset("planted", **SIZES)


def awkward(*, clicks_only: bool = False, clock: str = "calendar") -> Dataset:
    """Ids that are texts with quotes, commas and zeros in front; a modality that nobody has; a catalogue."""
    items = ["007", "7", 'a "b"', "c,d", "é f", "z"]
    rows = [
        (f"u{row % 5}", items[row % 5], 1_500_000_000 + 86_400 * row, row % 3 > 0 or clicks_only) for row in range(60)
    ]
    log = pd.DataFrame(rows, columns=["user_id", "item_id", "timestamp", "clicked"])
    values = np.arange(12, dtype=np.float32).reshape(6, 2) / 7
    seen = FeatureTable("visual", values, [True, False, True, True, True, True])
    shown = pd.DataFrame(
        {
            "item_id": items,
            "title": ['say "x"', "tab\tbed", "new\nline", None, "a, b", "é"],
            "year": [2001, 2, 3, 4, 5, 6],
        }
    )
    tables = [seen, FeatureTable("odour", np.ones((6, 3)), np.zeros(6, bool))]
    interactions = Interactions(log, clock=clock)  # type: ignore[arg-type]
    options = TableOptions(clock=clock, slot_count=4)  # type: ignore[arg-type]
    return Dataset(
        "odd.set", interactions, tables, items=np.array(sorted(items), dtype=object), item_table=shown, options=options
    )


@pytest.mark.parametrize("clock", ["calendar", "ordinal"])
def test_a_table_comes_back_as_the_same_data_set(clock: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "ROWS", 7)  # several writes of each file
    monkeypatch.setattr(exporting, "BLOCK", 4)
    data = awkward(clock=clock)
    made = export(data, tmp_path / "out")
    back = load_table(tmp_path / "out")
    assert (back.fingerprint, made.rows, made.notes) == (data.fingerprint, 60, [])
    assert (back.name, back.clock, back.licence, back.options.slot_count) == (
        "odd.set",
        clock,
        "The user's own data.",
        4,
    )
    assert back.item_table["year"].tolist() == data.item_table["year"].astype(str).tolist()
    pd.testing.assert_frame_equal(back.interactions, data.interactions)
    assert [path.name for path in tmp_path.iterdir()] == ["out"], "nothing is left beside it"


def test_a_table_of_whole_numbers_comes_back_and_once_more(planted: Dataset, tmp_path: Path) -> None:
    export(planted, tmp_path / "a")
    once = load_table(tmp_path / "a")
    assert once.fingerprint == planted.fingerprint
    assert once.licence == planted.licence and once.item_table.equals(planted.item_table)
    export(once, tmp_path / "b")
    assert load_table(tmp_path / "b").fingerprint == planted.fingerprint


def test_without_a_catalogue_none_is_written(tmp_path: Path) -> None:
    log = pd.DataFrame({"user_id": [1, 1, 2], "item_id": [5, 6, 5], "timestamp": [1.5e9, 1.6e9, 1.7e9]})
    data = Dataset("three", log, [FeatureTable("visual", [[0.1], [0.2]])])
    export(data, tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "features",
        "interactions.parquet",
        "table.toml",
    ]
    assert load_table(tmp_path / "out").fingerprint == data.fingerprint


@pytest.fixture(params=["planted", "odd"])
def given(
    request: pytest.FixtureRequest, planted: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Dataset, Split, Path]:
    """A data set, its split, and the folder to write them to, in several pieces."""
    monkeypatch.setattr(peers, "ROWS", 100)
    monkeypatch.setattr(peers, "BLOCK", 2000)
    data = planted if request.param == "planted" else awkward()
    return data, hc.split(data, seed=3), tmp_path / data.name


def atomic(path: Path) -> pd.DataFrame:
    """An atomic file as RecBole reads it: tokens as text, sequences split at spaces."""
    header = path.read_text(encoding="utf-8").split("\n")[0].split("\t")
    names, kinds = zip(*(word.split(":") for word in header), strict=True)
    types = {word: float if kind == "float" else str for word, kind in zip(header, kinds, strict=True)}
    frame = pd.read_csv(path, sep="\t", dtype=types, keep_default_na=False, encoding="utf-8", engine="python")
    frame.columns = pd.Index(names)
    return frame


def test_recbole_has_the_rows_of_each_part(given: tuple[Dataset, Split, Path]) -> None:
    data, parts, folder = given
    made = export(data, folder, "recbole", parts)
    rows = data.interactions.astype({"user_id": str, "item_id": str, "timestamp": float, "clicked": float})
    rows.columns = pd.Index(["user_id", "item_id", "timestamp", "label"])
    for name, ours in zip(("train", "valid", "test"), PARTS, strict=True):
        of_part = np.sort(np.concatenate([parts.rows(ours), parts.non_clicks(ours)]))
        expected = {name: of_part, f"{name}_clicks": parts.rows(ours)}
        for stem, numbers in expected.items():
            frame = atomic(folder / f"{data.name}.{stem}.inter")
            assert frame.to_numpy().tolist() == rows.iloc[numbers].to_numpy().tolist()
    assert atomic(folder / f"{data.name}.inter").to_numpy().tolist() == rows.to_numpy().tolist()
    assert made.rows == len(rows) and f"{len(data.non_clicks):,} rows that are no clicks" in made.notes[0]

    items = atomic(folder / f"{data.name}.item")
    assert items["item_id"].tolist() == [str(item) for item in data.items]
    assert items["title"].tolist() == [" ".join(str(t or "").split()) for t in data.item_table["title"].fillna("")]
    for table in data.features.values():
        frame = atomic(folder / f"{data.name}.{table.name}emb")
        assert frame.iloc[:, 0].tolist() == [str(item) for item in data.items[table.present]]
        vectors = np.array([text.split(" ") for text in frame.iloc[:, 1]], dtype=np.float32).reshape(-1, table.dim)
        np.testing.assert_array_equal(vectors, table.values[table.present])
    settings = yaml.safe_load((folder / f"{data.name}.yaml").read_text())
    assert settings["benchmark_filename"] == ["train", "valid", "test"] and settings["LABEL_FIELD"] == "label"
    assert settings["preload_weight"] == {f"{name}_id": f"{name}_vector" for name in data.features}


def test_recbole_needs_no_files_of_clicks_where_all_rows_are(tmp_path: Path) -> None:
    made = export(awkward(clicks_only=True), tmp_path / "odd.set", "recbole")
    assert not list((tmp_path / "odd.set").glob("*clicks*")) and made.notes == []


def test_mmrec_has_clicks_with_their_part_and_a_row_for_each_id(given: tuple[Dataset, Split, Path]) -> None:
    data, parts, folder = given
    made = export(data, folder, "mmrec", parts)
    log = pd.read_csv(folder / f"{data.name}.inter", sep="\t")
    assert list(log.columns) == ["userID", "itemID", "rating", "timestamp", "x_label"]
    types: Any = {"user_id": data.users.dtype, "asin": str}
    maps = {kind: pd.read_csv(folder / f"{kind}_id_mapping.csv", sep="\t", dtype=types) for kind in "ui"}
    users, items = maps["u"]["user_id"].to_numpy(), maps["i"]["asin"].to_numpy()
    assert maps["i"]["itemID"].tolist() == list(range(log["itemID"].max() + 1)), "from 0, without a gap"
    assert maps["u"]["userID"].tolist() == list(range(log["userID"].max() + 1))
    clicks = data.interactions[data.clicked]
    assert users[log["userID"]].tolist() == clicks["user_id"].tolist()
    assert items[log["itemID"]].tolist() == clicks["item_id"].astype(str).tolist()
    assert log["timestamp"].tolist() == clicks["timestamp"].tolist() and (log["rating"] == 1).all()
    for number, name in enumerate(PARTS):
        of_part = np.isin(np.flatnonzero(data.clicked), parts.rows(name))
        assert (log["x_label"].to_numpy() == number).tolist() == of_part.tolist()
    assert made.rows == len(log)
    assert f"{len(data.non_clicks):,} of {len(data.clicked):,} rows were left out" in " ".join(made.notes)

    place = data.items_to_index(items.astype(data.items.dtype))
    names = {
        "visual": ("image", "img"),
        "textual": ("text", "text"),
        "acoustic": ("audio", "audio"),
        "odour": ("odour", "odour"),
    }
    for name, table in data.features.items():
        file, missed = names[name]
        matrix: npt.NDArray[np.float32] = np.load(folder / f"{file}_feat.npy")
        present = table.present[place]
        assert matrix.shape == (len(items), table.dim) and matrix.dtype == np.float32
        np.testing.assert_array_equal(matrix[present], table.values[place][present])
        lacking = np.loadtxt(folder / f"missed_{missed}_itemIDs.csv", dtype=int, ndmin=1)
        assert lacking.tolist() == np.flatnonzero(~present).tolist()
        mean = table.values[place][present].mean(axis=0, dtype=float) if present.any() else np.zeros(table.dim)
        np.testing.assert_allclose(matrix[~present], np.tile(mean, ((~present).sum(), 1)), rtol=1e-5, atol=1e-6)
    settings = yaml.safe_load((folder / f"{data.name}.yaml").read_text())
    assert settings["vision_feature_file"] == "image_feat.npy" and settings["field_separator"] == "\t"


def test_peers_get_the_split_of_default_settings(planted: Dataset, tmp_path: Path) -> None:
    export(planted, tmp_path / "planted", "mmrec")
    split = hc.Session(planted, budget="smoke").split
    log = pd.read_csv(tmp_path / "planted" / "planted.inter", sep="\t")
    assert log["x_label"].tolist() == split.part[planted.clicked].tolist()


def test_what_cannot_be_written_is_refused_and_leaves_nothing(planted: Dataset, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("")
    with pytest.raises(DataError, match=r"full: is there already; remove it, or write elsewhere with --out FOLDER"):
        export(planted, tmp_path / "full")
    with pytest.raises(DataError, match="layout 'recbol' is not known; did you mean 'recbole'"):
        export(planted, tmp_path / "out", "recbol")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="a table holds no split"):
        export(planted, tmp_path / "out", "table", hc.split(planted))
    with pytest.raises(DataError, match=r"the split is of 60 rows, the data set 1,200"):
        export(planted, tmp_path / "out", "recbole", hc.split(awkward()))
    log = planted.interactions
    with pytest.raises(DataError, match="has no features, and a table needs a modality"):
        export(Dataset("bare", log), tmp_path / "out")
    floats = log.assign(item_id=log["item_id"].astype(str) + ".0")
    numbers = Dataset(
        "dots",
        floats,
        [FeatureTable("visual", np.ones((floats["item_id"].nunique(), 1)))],
        item_table=pd.DataFrame({"item_id": sorted(floats["item_id"].unique()), "title": "x"}),
    )
    with pytest.raises(DataError, match=r"items.csv would give back item '10000.0' as '10000'"):
        export(numbers, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["full"]


def test_an_export_that_fails_half_way_leaves_nothing(
    planted: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise DataError("no space left")

    monkeypatch.setattr(peers, "_write_matrix", stop)
    with pytest.raises(DataError, match="no space left"):
        export(planted, tmp_path / "planted", "mmrec")
    assert list(tmp_path.iterdir()) == []


def test_the_command_writes_a_folder_and_says_what_it_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sizes = [word for name, size in SIZES.items() for word in ("--option", f"{name}={size}")]
    assert main(["data", "export", "planted", "--out", str(tmp_path / "mine"), *sizes]) == 0
    assert f"Next:\n  hyperctr data check '{tmp_path / 'mine'}'" in capsys.readouterr().out
    assert main(["data", "check", str(tmp_path / "mine")]) == 0
    capsys.readouterr()
    assert (
        main(
            ["data", "export", str(tmp_path / "mine"), "--as", "mmrec", "--out", str(tmp_path / "peer"), "--seed", "4"]
        )
        == 0
    )
    told = capsys.readouterr().out
    assert "800 of 1,200 rows of planted were written" in told
    assert "note: 400 of 1,200 rows were left out: MMRec knows clicks only" in told
    assert "note: mmrec looks for planted.inter in a folder called planted: rename peer" in told
    log = pd.read_csv(tmp_path / "peer" / "planted.inter", sep="\t")
    data = load_table(tmp_path / "mine")
    assert log["x_label"].tolist() == hc.split(data, seed=4).part[data.clicked].tolist()
    assert main(["data", "export", "planted", "--out", str(tmp_path / "mine"), *sizes]) == 2
    assert "is there already" in capsys.readouterr().err
