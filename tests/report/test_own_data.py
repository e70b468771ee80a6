"""The notebook about one's own data: its example, what it shows, and a newcomer's mistakes, mended as they are told."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import hyperctr as hc
from hyperctr.data.example import NEW_ITEMS, write_example
from hyperctr.data.options import parse_options
from hyperctr.data.registry import load_dataset
from hyperctr.data.table import new_items
from hyperctr.errors import DataError
from hyperctr.figures import own_data
from hyperctr.figures.own_data import OwnFiles

pytestmark = pytest.mark.filterwarnings("ignore::hyperctr.errors.DataWarning")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_example(tmp_path / "my-videos")


def log(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "interactions.csv")


def save(folder: Path, frame: pd.DataFrame, **how: str) -> None:
    frame.to_csv(folder / "interactions.csv", index=False, **how)  # type: ignore[call-overload]


def told(folder: str | Path, *options: str) -> str:
    """The faults that the notebook shows of a folder."""
    return "\n".join(
        row[1] for row in own_data.findings(OwnFiles(str(folder), options, False))[0].rows if row[0] == "fault"
    )


def test_the_example_is_the_clicks_and_vectors_of_planted(folder: Path) -> None:
    data, made = hc.Session("planted", budget="smoke").data, load_dataset("table", data_dir=folder)
    last = data.items[-NEW_ITEMS]
    rows = data.interactions
    rows = rows[rows["clicked"] & (rows["item_id"] < last)].reset_index(drop=True)
    pd.testing.assert_frame_equal(made.interactions, rows)
    place = data.items_to_index(made.items)
    for name, table in made.features.items():
        np.testing.assert_array_equal(table.values, data.features[name].values[place])
    assert set(data.items[-NEW_ITEMS:]) <= set(new_items(made)) == set(data.items) - set(made.items)
    with pytest.raises(DataError, match="is there already"):
        write_example(folder)


def test_a_folder_that_is_named_is_taken_whatever_is_in_it(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HYPERCTR_DATA", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert own_data.files("table", str(folder), ["time=s"]) == OwnFiles(str(folder), ["time=s"], False)
    assert own_data.files("table", str(tmp_path / "nothing")) == OwnFiles(str(tmp_path / "nothing"), (), False)
    monkeypatch.setenv("HYPERCTR_DATA", str(folder))
    assert own_data.files("table") == OwnFiles(str(folder), (), False)
    monkeypatch.delenv("HYPERCTR_DATA")
    for dataset, options in (
        ("table", []),
        ("planted", ["num_users=60"]),
    ):  # a report passes options of its data set on
        example = own_data.files(dataset, "", options)
        assert example.example and example.options == ()
        assert log(Path(example.folder)).equals(log(folder))


def test_the_tables_name_files_facts_and_the_newcomers(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYPERCTR_RUNS", str(tmp_path / "runs"))
    files = own_data.files("table", str(folder))
    listed = {row[0]: row[2] for row in files.table().rows}
    assert listed["interactions.csv"].startswith("user_id,item_id,timestamp / ")
    assert set(listed) == {"interactions.csv", *(f"features/{name}.npz" for name in ("visual", "acoustic", "textual"))}
    messages, facts = own_data.findings(files)
    assert [row[0] for row in messages.rows] == ["warning"] * 3
    assert ["clicks", f"{len(log(folder)):,}"] in facts.rows

    session = hc.Session("table", budget="smoke", data_dir=files.folder)
    rows = own_data.predictions(session).rows
    user, item, moment = session.test_click()
    unseen = new_items(session.data)[0]
    pairs = [(user, item), (user, unseen), (session.data.users.max() + 1, item), (session.data.users.max() + 1, unseen)]
    assert [(row[0], row[1]) for row in rows] == [(str(u), str(i)) for u, i in pairs]
    chances = session.run.predict([int(u) for u, _ in pairs], [int(i) for _, i in pairs], [moment] * 4, unknown="cold")
    assert [float(row[3]) for row in rows] == pytest.approx(chances, abs=1e-4)
    assert float(rows[0][3]) == pytest.approx(session.run.predict([user], [item], [moment])[0], abs=1e-4)
    assert rows[1][2] == "new item: has vectors, but no clicks"


def rename(folder: Path) -> None:
    save(folder, log(folder).rename(columns={"user_id": "viewer"}))


def label(folder: Path) -> None:
    save(folder, log(folder).assign(rating=lambda frame: np.arange(len(frame)) % 5 + 1))


def milliseconds(folder: Path) -> None:
    save(folder, log(folder).assign(timestamp=lambda frame: frame["timestamp"] * 1000))


def dates(folder: Path) -> None:
    moments = pd.to_datetime(log(folder)["timestamp"], unit="s")
    save(folder, log(folder).assign(timestamp=moments.dt.strftime("%d.%m.%Y %H:%M:%S")))


def semicolons(folder: Path) -> None:
    save(folder, log(folder), sep=";")


@pytest.mark.parametrize("mistake", [rename, label, milliseconds, dates, semicolons])
def test_a_mistake_in_the_log_is_read_with_the_option_that_is_told(
    mistake: Callable[[Path], None], folder: Path
) -> None:
    right = log(folder)
    mistake(folder)
    message = told(folder)
    option = shlex.split(re.findall(r"--option ('(?:[^']|'\\'')*'|[^ )]+)\)", message)[0])[0].replace(
        "THEIR_NAME", "viewer"
    )
    assert told(folder, option) == ""
    data = load_dataset("table", data_dir=folder, **parse_options([option]))
    assert data.interactions["timestamp"].tolist() == right["timestamp"].tolist()
    assert data.interactions["user_id"].tolist() == right["user_id"].tolist()


def test_a_folder_above_a_file_and_none_at_all_are_told_with_the_right_one(folder: Path) -> None:
    for wrong in (folder.parent, folder / "interactions.csv"):
        with pytest.raises(DataError) as caught:
            load_dataset("table", data_dir=wrong)
        assert str(caught.value).endswith(f"folder: {folder}") or str(caught.value).endswith(
            f"hyperctr data check {folder}"
        )
    with pytest.raises(
        DataError, match=r"nowhere: there is no such folder; give data_dir=\.\.\. with interactions\.csv and features/"
    ):
        own_data.findings(own_data.files("table", str(folder / "nowhere")))


def test_without_vectors_the_line_that_makes_them_is_told(folder: Path, tmp_path: Path) -> None:
    from hyperctr.cli import main

    for file in (folder / "features").iterdir():
        file.unlink()
    command = re.findall(r"hyperctr (data extract .*)$", told(folder))[0]
    (tmp_path / "texts").mkdir()
    for item in log(folder)["item_id"].unique()[:40]:
        (tmp_path / "texts" / f"{item}.txt").write_text(f"a video about {item % 7} and {item % 11}")
    words = shlex.split(command.replace("VIDEOS", str(tmp_path / "texts")))
    assert main([*words, "--extractor", "tfidf"]) == 0
    assert told(folder) == ""


def test_ids_of_other_files_are_told_with_an_example_of_both(folder: Path) -> None:
    for file in (folder / "features").glob("*.npz"):
        arrays = dict(np.load(file))
        np.savez(file, item_id=np.array([f"video_{item}" for item in arrays["item_id"]]), values=arrays["values"])
    message = told(folder)
    assert len(message.splitlines()) == 3
    assert re.search(
        r"ids look like '10000', here like 'video_10000'\); write the ids of one file as those of the other", message
    )
    save(folder, log(folder).assign(item_id=lambda frame: "video_" + frame["item_id"].astype(str)))
    assert told(folder) == ""
