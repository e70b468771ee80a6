"""The user's own data: all ways to write it are equal, every mistake is named with its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hyperctr.data.files import read_arrays
from hyperctr.data.registry import load_dataset
from hyperctr.errors import DataError, DataWarning

pytestmark = pytest.mark.filterwarnings("ignore::hyperctr.errors.DataWarning")

LOG = "user_id,item_id,timestamp,clicked\n2,9,30,1\n2,7,10,0\n\n1,7,20,true\n1,9,25,False\n"
VECTORS = {9: [1.0, 2.0], 7: [3.0, 4.0]}


def write(folder: Path, log: str = LOG, *, features: str = "npz", items: str | None = None) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "features").mkdir(exist_ok=True)
    (folder / "interactions.csv").write_text(log)
    target = folder / "features" / "visual"
    ids, vectors = list(VECTORS), list(VECTORS.values())
    if features == "npz":
        np.savez(target.with_suffix(".npz"), item_id=np.array(ids), values=np.array(vectors))
    elif features == "lists":
        pd.DataFrame({"item_id": ids, "vector": vectors}).to_parquet(target.with_suffix(".parquet"))
    elif features == "columns":
        wide = pd.DataFrame(vectors, columns=["v0", "v1"])
        wide.assign(item_id=ids).to_parquet(target.with_suffix(".parquet"))
    elif features == "index":
        pd.DataFrame(vectors, columns=["v0", "v1"], index=pd.Index(ids, name="item_id")).to_parquet(
            target.with_suffix(".parquet")
        )
    elif features == "text":
        np.savez(target.with_suffix(".npz"), item_id=np.array(ids).astype(str), vector=np.array(vectors))
    if items is not None:
        (folder / "items.csv").write_text(items)
    return folder


def load(folder: Path, **options: Any) -> Any:
    return load_dataset("table", data_dir=folder, **options)


@pytest.mark.parametrize("features", ["npz", "lists", "columns", "index", "text"])
@pytest.mark.parametrize("log", ["csv", "parquet", "crlf", "quoted"])
def test_all_ways_to_write_it_are_equal(tmp_path: Path, features: str, log: str) -> None:
    folder = write(tmp_path, features=features)
    if log == "parquet":
        frame = pd.DataFrame(
            {"user_id": [2, 2, 1, 1], "item_id": [9, 7, 7, 9], "timestamp": [30, 10, 20, 25], "clicked": [1, 0, 1, 0]}
        )
        frame.to_parquet(folder / "interactions.parquet")
        (folder / "interactions.csv").unlink()
    elif log == "crlf":
        (folder / "interactions.csv").write_bytes(b"\xef\xbb\xbf" + LOG.replace("\n", "\r\n").encode())
    elif log == "quoted":
        (folder / "interactions.csv").write_text(LOG.replace("2,9,30,1", '"2", "9.0",30,1'))
    data = load(folder)
    assert data.interactions.to_numpy().tolist() == [
        [2, 7, 10, False],
        [1, 7, 20, True],
        [1, 9, 25, False],
        [2, 9, 30, True],
    ]
    assert data.features["visual"].values.tolist() == [[3, 4], [1, 2]]
    assert (data.items.tolist(), data.items.dtype) == ([7, 9], np.int64)


def test_without_a_clicked_column_all_rows_are_clicks_and_the_clock_may_be_ordinal(tmp_path: Path) -> None:
    folder = write(tmp_path, "user_id,item_id,timestamp\na,7,760000000000\na,9,760000000001\n")
    with pytest.raises(DataError, match=r"interactions.csv, line 2: timestamp .*milliseconds.*clock='ordinal'"):
        load(folder)
    data = load(folder, clock="ordinal")
    assert (data.clicked.all(), data.clock, data.users.tolist()) == (True, "ordinal", ["a"])


@pytest.mark.parametrize(
    ("log", "message"),
    [
        ("", "interactions.csv: is empty"),
        ("user_id,item_id,timestamp\n", "interactions.csv: there are no rows"),
        ("user_id;item_id;timestamp\n1;7;3\n", r"line 1: fields are separated by semicolons \(';'\), expected commas"),
        ("user_id\titem_id\ttimestamp\n1\t7\t3\n", "line 1: fields are separated by tabs"),
        ("user_id::item_id::timestamp\n1::7::3\n", "line 1: fields are separated by '::'"),
        ("user_id,item_id,timestamp\n1,7,3\n2;7;3\n", "line 3: fields are separated by semicolons"),
        ("1,7,3\n1,9,4\n", "line 1: expected a header .*add a header line"),
        ("user,item_id,timestamp\n1,7,3\n", r"column 'user_id' \(did you mean 'user'\?\) is missing.*rename"),
        ("user_id,item_id,timestamp,item_id\n1,7,3,7\n", "line 1: column 'item_id' stands twice"),
        ("user_id,item_id,timestamp\n1,7,3\n1,7,3,5\n", "line 3: has 4 fields, the header has 3"),
        ("user_id,item_id,timestamp\n1,7,3,5\n1,7,3,5\n", "line 2: has more fields than the header's 3"),
        ('user_id,item_id,timestamp\n1,7,3\n1,"7,3\n', "line 3: a quote is opened and never closed"),
        ("user_id,item_id,timestamp\n1,7,3\n1\n", "line 3: item_id '' is empty"),
        ("user_id,item_id,timestamp\n1,7,3\n\n\n1,7,-4\n", "line 5: timestamp .*-4.* is negative"),
        (
            'user_id,item_id,timestamp\n1,7,3\n"a\nb",7,3\n1,7,x\n',
            "line 3: user_id 'a.nb' contains a tab, a line break",
        ),
        ("user_id,item_id,timestamp\n1,7,3\n1,,3\n", "line 3: item_id '' is empty"),
        ("user_id,item_id,timestamp,clicked\n1,7,3,1\n1,9,3,4.5\n", "line 3: clicked '4.5' is not usable"),
        (f"user_id,item_id,timestamp\n1,7,3\n{'9' * 5000},7,3\n", r"line 3: user_id .*characters\) is longer than 256"),
        ("user_id,item_id,timestamp\n1,7,3\n1,\xfc,3\n", "0xfc, which is not UTF-8; convert the file first"),
    ],
)
def test_mistakes_in_the_log_are_named_with_their_line(tmp_path: Path, log: str, message: str) -> None:
    folder = write(tmp_path)
    (folder / "interactions.csv").write_text(log, encoding="latin-1")
    with pytest.raises(DataError, match=message) as caught:
        load(folder)
    assert str(folder / "interactions.csv") in str(caught.value)


def test_a_catalogue_declares_the_items(tmp_path: Path) -> None:
    folder = write(tmp_path, items="item_id,title\n9,nine\n8,eight\n7,seven\n")
    data = load(folder)
    assert data.items.tolist() == [7, 8, 9]
    assert data.item_table.title.tolist() == ["seven", "eight", "nine"]
    assert data.features["visual"].present.tolist() == [True, False, True]
    write(folder, items="item_id\n9\n8\n")
    with pytest.raises(
        DataError, match=r"interactions.csv, line 3: item_id 7 is not in the catalogue of 2 items \(2 such"
    ):
        load(folder)
    write(folder, items="item_id\n9\n7\n9\n")
    with pytest.raises(DataError, match="items.csv, line 4: item_id 9 stands twice"):
        load(folder)
    write(folder, items="item_id\n")
    with pytest.raises(DataError, match="items.csv: there are no items"):
        load(folder)
    write(folder, items="item_id,title\n9,nine\n7,seven\nx1,new\n")  # text elsewhere makes all ids text
    assert load(folder).items.tolist() == ["7", "9", "x1"]


def test_without_a_catalogue_an_item_without_features_is_kept_and_masked(tmp_path: Path) -> None:
    folder = write(tmp_path, LOG + "1,5,40,1\n")
    with pytest.warns(DataWarning, match="1 of 3 items have no feature in any modality"):
        data = load(folder)
    assert data.items.tolist() == [5, 7, 9]
    assert data.features["visual"].present.tolist() == [False, True, True]


def test_nulls_are_missing_but_nan_is_an_error_or_masked(tmp_path: Path) -> None:
    folder = write(tmp_path, LOG + "1,5,40,1\n", features="none")
    path = folder / "features" / "textual.parquet"
    pd.DataFrame({"item_id": [5, 7, 9], "vector": [None, [1.0, 2.0], [3.0, 4.0]]}).to_parquet(path)
    assert load(folder).features["textual"].present.tolist() == [False, True, True]
    pd.DataFrame({"item_id": [5, 7, 9], "a": [1.0, np.nan, 2.0]}).to_parquet(path)
    with pytest.raises(DataError, match="textual.parquet: modality 'textual', item 7, column 0 .* is nan"):
        load(folder)
    assert load(folder, on_bad="mask").features["textual"].present.tolist() == [True, False, True]


def test_mistakes_in_the_features(tmp_path: Path) -> None:
    folder = write(tmp_path, features="none")
    with pytest.raises(DataError, match="features: holds no features; at least one modality is needed"):
        load(folder)
    npz, parquet = folder / "features" / "visual.npz", folder / "features" / "visual.parquet"
    np.savez(npz, item_id=np.array(["a", None], dtype=object), values=np.ones((2, 2)))
    with pytest.raises(DataError, match="visual.npz: holds pickled objects, which are never loaded"):
        load(folder)
    np.savez(npz, ids=np.array([1]), values=np.ones((1, 2)))
    with pytest.raises(DataError, match=r"needs the arrays 'item_id' and 'values' .*holds \['ids', 'values'\]"):
        load(folder)
    np.savez(npz, item_id=np.array([7, 9]), values=np.ones((3, 2)))
    with pytest.raises(DataError, match="has 2 item ids for 3 vectors"):
        load(folder)
    npz.write_bytes(npz.read_bytes()[:100])
    with pytest.raises(DataError, match="is not a readable .npz file"):
        load(folder)
    npz.unlink()
    pd.DataFrame({"item_id": [7, 9], "vector": [[1.0], [1.0, 2.0]]}).to_parquet(parquet)
    with pytest.raises(DataError, match="item 9 has 2 numbers, the first item 1"):
        load(folder)
    pd.DataFrame({"item_id": [7, 9], "v": [1.0, 2.0], "title": ["a", "b"]}).to_parquet(parquet)
    with pytest.raises(DataError, match=r"column 'title' is of type .*titles belong in items.csv"):
        load(folder)
    pd.DataFrame({"itemid": [7, 9], "v": [1.0, 2.0]}).to_parquet(parquet)
    with pytest.raises(DataError, match="column 'item_id' is missing.*did you mean 'itemid'"):
        load(folder)
    parquet.write_bytes(b"PAR1 no")
    with pytest.raises(DataError, match="visual.parquet: is not a readable parquet file"):
        load(folder)
    np.savez(npz, item_id=np.array([7, 9]), values=np.ones((2, 2)))
    with pytest.raises(DataError, match="holds both visual.parquet and visual.npz"):
        load(folder)
    parquet.unlink()
    (folder / "features" / "text.csv").write_text("")
    with pytest.warns(DataWarning, match="text.csv: was ignored"):
        load(folder)
    (folder / "interactions.csv").rename(folder / "interaction.csv")
    with pytest.raises(
        DataError,
        match="has no interactions.parquet or interactions.csv or .* read under that name: mv .*interaction.csv ",
    ):
        load(folder)


@pytest.mark.parametrize(("place", "value", "said"), [(8, 99, "compression method"), (4, 95, "zip file version 9.5")])
def test_an_archive_whose_numbers_are_damaged_is_refused(place: int, value: int, said: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "visual.npz", item_id=np.arange(3), values=np.eye(3))
    content = bytearray((tmp_path / "visual.npz").read_bytes())
    entry = content.rindex(b"PK\x01\x02")  # of the last member in the archive's directory
    content[entry + place + 2] = value
    (tmp_path / "visual.npz").write_bytes(content)
    with pytest.raises(DataError, match=rf"visual.npz: is not a readable .npz file \(.*{said}.*\); write it with"):
        read_arrays(tmp_path / "visual.npz")
