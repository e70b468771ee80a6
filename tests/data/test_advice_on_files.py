"""Files of a table that are elsewhere, or of another kind, are told with what to do; done to the letter, it reads."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import numpy as np
import pytest

from hyperctr.cli import main
from hyperctr.data.registry import load_dataset
from hyperctr.errors import DataError
from tests.data.own_table import TIMES, expected, load, log, rows, run_line, write, write_order
from tests.data.releases import mmrec

pytestmark = pytest.mark.filterwarnings("ignore::hyperctr.errors.DataWarning")


def test_a_file_of_another_encoding_is_converted_by_the_line_of_the_message(tmp_path: Path) -> None:
    folder, text = write(tmp_path, log()), log(users=["é", "é", "2", "2", "3", "3"])
    for code in ("latin-1", "utf-16"):
        (folder / "interactions.csv").write_bytes(text.encode(code))
        with pytest.raises(DataError, match="not UTF-8; convert the file first") as caught:
            load(folder)
        run_line(folder, str(caught.value))
        assert load(folder).users.tolist() == ["2", "3", "é"]


def test_a_matrix_is_read_where_the_order_of_its_rows_is_known(tmp_path: Path) -> None:
    folder = write(tmp_path, log())
    path = folder / "features" / "image_feat.npy"
    np.save(path, np.array([[1.0], [2.0], [3.0]]))
    data = load(folder)  # the ids 7, 8, 9 have no gap
    assert data.features["image_feat"].values.ravel().tolist() == [1, 2, 3]
    assert any("rows were read as those of the items 7 to 9" in note for note in data.warnings)
    np.save(path, np.array([[1.0], [2.0], [3.0], [4.0]]))
    with pytest.raises(
        DataError, match="image_feat.npy: which item each of the 4 rows belongs to is not known"
    ) as caught:
        load(folder)
    write_order(folder, str(caught.value))
    assert load(folder).features["image_feat"].values.ravel().tolist() == [2, 3, 1]
    path.with_name("image_feat.ids.csv").unlink()
    np.save(path.with_name("item_id.npy"), np.array([8, 9, 7, 1]))
    assert load(folder).features["image_feat"].values.ravel().tolist() == [3, 1, 2]
    path.with_name("item_id.npy").unlink()
    np.save(path, np.arange(10.0)[:, None])
    write(folder, log(items=["0", "8", "7", "9", "8", "9"]))  # ids are 0 to 9: row = id
    assert load(folder).features["image_feat"].values.ravel().tolist() == [0, 7, 8, 9]
    path.write_bytes(b"\x93NUMPY broken")
    with pytest.raises(DataError, match="image_feat.npy: is not a readable .npy file"):
        load(folder)
    np.save(path, np.array([{}, {}], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match="holds pickled objects, which are never loaded"):
        load(folder)


def test_files_as_released_are_sent_to_the_importer_and_those_of_ones_own_to_their_name(tmp_path: Path) -> None:
    (tmp_path / "ratings.dat").write_text("1::7::5::1600000000\n")
    with pytest.raises(DataError, match=r"brought in by: hyperctr data import \S+"):
        load(tmp_path)
    mmrec(tmp_path)
    with pytest.raises(DataError, match="holds mmrec as released; type: hyperctr data import") as caught:
        load(tmp_path)
    assert main([*shlex.split(str(caught.value).split("type: hyperctr ")[1]), "--out", str(tmp_path / "new")]) == 0
    assert load(tmp_path / "new").num_items == 3
    folder = write(tmp_path / "own", log().replace(",", ";"))
    (folder / "interactions.csv").rename(folder / "interactions.txt")
    with pytest.raises(
        DataError, match=r"\(found features, interactions.txt\); delimited text is read under"
    ) as caught:
        load(folder)
    subprocess.run(re.findall(r"mv .*$", str(caught.value))[0], shell=True, check=True)
    assert rows(load(folder, "separator=;")) == expected()
    (folder / "interactions.csv").rename(folder / "interactions.csv.gz")
    with pytest.raises(DataError, match=r"unpack interactions.csv.gz first"):
        load(folder)


@pytest.mark.parametrize("given", ["m1/interactions.csv", "m1/features", "m1/features/visual.npz"])
@pytest.mark.parametrize("absolute", [False, True])
def test_a_part_of_a_folder_is_told_with_the_command_for_the_folder(
    given: str, absolute: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "m1", log(times=[time + 86_400 * 200 * (time % 2) for time in TIMES]))
    monkeypatch.chdir(tmp_path)
    assert main(["data", "check", str(tmp_path / given) if absolute else given]) != 0
    said = re.sub(r"\nhyperctr: 1 fault.*", "", "".join(capsys.readouterr())).strip()
    command = said.split("give the folder above: hyperctr ")[1]
    assert main(shlex.split(command.splitlines()[0])) == 0
    monkeypatch.chdir(tmp_path / "m1")
    for here in ("interactions.csv", "features"):
        with pytest.raises(DataError, match=r"give the folder above: hyperctr data check \.$"):
            load_dataset(here)


def test_vectors_beside_the_log_and_several_in_one_file_are_sent_to_their_places(tmp_path: Path) -> None:
    folder = write(tmp_path, log())
    (folder / "features" / "visual.npz").rename(folder / "visual.npz")
    with pytest.raises(DataError, match=r"holds no features; .* visual\.npz would be read there: mkdir") as caught:
        load(folder)
    subprocess.run(re.findall(r"there: (mkdir .*?);", str(caught.value))[0], shell=True, check=True)
    data = load(folder)
    assert rows(data) == expected()
    values = data.features["visual"].values
    np.savez(folder / "features" / "visual.npz", item_id=data.items, image=values, sound=values + 1)
    with pytest.raises(
        DataError, match=r"holds \['image', 'item_id', 'sound'\]; give each modality a file: "
    ) as caught:
        load(folder)
    line = re.findall(r"a file: (.*), and so on, then remove visual\.npz", str(caught.value))[0]
    exec(line, {"np": np})
    (folder / "features" / "visual.npz").unlink()
    assert load(folder).features["image"].values.tolist() == values.tolist()


def test_tabs_are_read_by_the_ending_of_a_name(tmp_path: Path) -> None:
    folder = write(tmp_path, log().replace(",", "\t"))
    (folder / "interactions.csv").rename(folder / "interactions.tsv")
    assert rows(load(folder)) == expected()
    (folder / "interactions.csv").write_text(log())
    with pytest.raises(DataError, match="holds both interactions.csv and interactions.tsv; remove one"):
        load(folder)


def test_vectors_in_a_file_that_is_not_read_are_named(tmp_path: Path) -> None:
    folder = write(tmp_path, log())
    (folder / "features" / "visual.npz").rename(folder / "features" / "visual.csv")
    with pytest.raises(DataError, match=r"holds no file of features that is read \(found visual.csv\)"):
        load(folder)
