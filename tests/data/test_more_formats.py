"""What the layouts that people use today give: users, items, clicks, clock, vectors, titles; and what is refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hyperctr.data.dataset import Dataset
from hyperctr.data.formats import recognise
from hyperctr.data.importing import Imported, import_folder
from hyperctr.data.table import load_table
from hyperctr.errors import DataError
from tests.data import releases
from tests.data.writers import parquet, save, vectors, write

pytestmark = pytest.mark.filterwarnings("ignore::hyperctr.errors.DataWarning")


def imported(folder: Path, **options: Any) -> tuple[Dataset, Imported]:
    done = import_folder(folder, folder / "out", **options)
    return load_table(folder / "out"), done


def rows(data: Dataset) -> list[list[Any]]:
    """user, item, time, click."""
    return data.interactions.to_numpy().tolist()


def first_numbers(data: Dataset, modality: str) -> list[float | None]:
    """The first number of each item's vector; None where there is none."""
    table = data.features[modality]
    return [float(v[0]) if there else None for v, there in zip(table.values, table.present, strict=True)]


def test_kuairand(tmp_path: Path) -> None:
    releases.kuairand(tmp_path)
    data, done = imported(tmp_path)
    assert (data.name, data.clock) == ("kuairand-pure", "calendar")
    assert rows(data) == [
        *([0, 7425, 1649416612, True], [5, 90, 1649416613, False]),
        *([5, 11, 1650639600, False], [0, 90, 1650650400, True]),
    ]
    assert data.items.tolist() == [11, 90, 7425]
    assert data.features["tags"].values.tolist() == [[0, 0, 0], [0, 0, 1], [0, 1, 1]]  # tags 1, 12, 65
    assert data.features["tags"].present.tolist() == [False, True, True]
    assert "tags: 1 items have no vector, such as 11" in done.notes


def test_kuairand_without_what_was_shown_at_random(tmp_path: Path) -> None:
    releases.kuairand(tmp_path)
    assert imported(tmp_path, logs="standard", click="long_view")[0].clicked.tolist() == [True, False, False]
    with pytest.raises(DataError, match="logs 'rand' is not known; did you mean 'random'"):
        import_folder(tmp_path, tmp_path / "other", logs="rand")
    path = tmp_path / "KuaiRand-Pure" / "data" / "log_standard_4_08_to_4_21_pure.csv"
    write(path.with_name("log_standard_4_08_to_4_21_27k_part1.csv"), path.read_bytes())
    with pytest.raises(DataError, match="holds logs of 27k and pure, whose ids differ"):
        import_folder(tmp_path, tmp_path / "other")


def test_kuairec(tmp_path: Path) -> None:
    releases.kuairec(tmp_path)
    data, done = imported(tmp_path)
    assert (data.name, done.click) == ("kuairec", "watch_ratio >= 2")
    assert rows(data) == [*([0, 3649, 1593878903, False], [14, 9598, 1593879221, True], [14, 5262, 1593879366, False])]
    assert data.items.tolist() == [3649, 5262, 9598]
    assert data.features["textual"].present.tolist() == [True, False, True]  # of 5262 nothing is known
    (tmp_path / "again").mkdir()
    assert import_folder(tmp_path, tmp_path / "again", click="watch_ratio >= 1").clicks == 2


def test_the_small_matrix_of_kuairec_has_rows_without_a_time(tmp_path: Path) -> None:
    releases.kuairec(tmp_path)
    write(tmp_path / "KuaiRec 2.0" / "data" / "kuairec_caption_category.csv", "video_id,caption\n148,a\n183,a\n")
    with pytest.raises(DataError, match=r"small_matrix\.csv, line 3: timestamp '' is not a finite number"):
        imported(tmp_path, matrix="small")
    data, done = imported(tmp_path, matrix="small", on_bad_rows="skip")
    assert rows(data) == [[14, 148, 1593898068, False], [19, 183, 1593898080, True]]
    assert (done.skipped, data.name) == (1, "kuairec-small")


def test_microlens(tmp_path: Path) -> None:
    releases.microlens(tmp_path)
    data, done = imported(tmp_path)
    assert rows(data) == [[1, 3, 1675290706, True], [2, 5, 1686082380, True], [1, 1, 1686082381, True]]
    assert (data.items.tolist(), done.click) == ([1, 3, 5], "all")
    assert first_numbers(data, "visual") == [0, 2, 4] and first_numbers(data, "video") == [10, 12, 14]
    assert data.item_table["title"].tolist()[::2] == ["Tide, rising", 'Say "tide"']
    assert data.features["textual"].present.tolist() == [True, False, True]
    assert any("row r of a matrix was read as the vector of the item r + 1" in note for note in done.notes)


def test_two_sizes_of_microlens_in_one_folder(tmp_path: Path) -> None:
    for release in (releases.microlens, releases.microlens_100k):
        release(tmp_path)
    with pytest.raises(DataError, match="which is meant: --as microlens-100k or --as microlens-50k"):
        recognise(tmp_path)
    data = imported(tmp_path, format="microlens-100k")[0]
    assert data.item_table["title"].tolist() == ["Tide, slowly rising", "High tide"]  # split at the first comma
    assert first_numbers(data, "textual") == [0, 1] and list(data.features) == ["textual"]


def test_mmctr(tmp_path: Path) -> None:
    releases.mmctr(tmp_path)
    data, _ = imported(tmp_path)
    assert (rows(data), data.clock) == (
        [[4, 2, 0, True], [9, 1, 1, False], [4, 3, 2, False], [9, 3, 3, True]],
        "ordinal",
    )
    assert first_numbers(data, "multimodal") == [1, 2, 3]  # not the padding in row 0
    vision, text = vectors(3, 4).tolist(), (5 + vectors(3, 2)).tolist()
    apart = {"item_id": [1, 2, 3], "img_emb_CLIPRN50": vision, "txt_emb_BERT": text}
    parquet(tmp_path / "item_feature.parquet", **apart)
    (tmp_path / "out").rename(tmp_path / "before")
    data, _ = imported(tmp_path)
    assert first_numbers(data, "visual") == [0, 1, 2] and first_numbers(data, "textual") == [5, 6, 7]


def test_mmrec(tmp_path: Path) -> None:
    releases.mmrec(tmp_path)
    data, done = imported(tmp_path)
    assert rows(data) == [[0, 2, 1377884800, True], [0, 1, 1391708800, True], [1, 0, 1391708801, True]]
    assert (data.name, data.clock, done.click) == ("baby", "calendar", "all")
    assert first_numbers(data, "visual") == [0, None, 2]  # the picture of item 1 is missing
    assert first_numbers(data, "textual") == [0, 1, 2]
    assert import_folder(tmp_path, tmp_path / "rated", click="rating >= 4").clicks == 2


def test_mmrec_in_milliseconds(tmp_path: Path) -> None:
    releases.mmrec(tmp_path)
    path = tmp_path / "baby" / "baby.inter"
    write(path, re.sub(r"\t(13\d{8})\t", r"\g<0>".replace(r"\g<0>", r"\t\g<1>999\t"), path.read_text()))
    assert imported(tmp_path)[0].timestamp.tolist() == [1377884800, 1391708800, 1391708801]


def test_mmrec_without_times_and_ratings(tmp_path: Path) -> None:
    releases.mmrec(tmp_path)
    write(tmp_path / "baby" / "baby.inter", "userID\titemID\tx_label\n0\t2\t0\n1\t0\t2\n")
    data, _ = imported(tmp_path)
    assert (rows(data), data.clock) == ([[0, 2, 0, True], [1, 0, 1, True]], "ordinal")


def test_recbole(tmp_path: Path) -> None:
    releases.recbole(tmp_path)
    data, done = imported(tmp_path)
    assert rows(data) == [[22, 377, 878887116, False], [196, 242, 881250949, False], [186, 302, 881250950, True]]
    assert (data.name, done.click) == ("ml-toy", "rating >= 4")
    assert data.item_table["title"].tolist() == ["Kolya cat", "The cat", "Heavy"]
    assert first_numbers(data, "cover") == [0.5, 2, None]
    assert data.features["textual"].present.tolist() == [True, True, False]


def test_the_parts_of_recbole_are_put_together(tmp_path: Path) -> None:
    head = "user_id:token\titem_id:token\tlabel:float\n"
    for part, row in (("valid", "b\ty\t0\n"), ("train", "a\tx\t1.0\n"), ("test", "a\ty\t1\n")):
        write(tmp_path / f"set.{part}.inter", head + row)
    write(tmp_path / "set.item", "item_id:token\tface:float_seq\nx\t1 2\ny\t3 4\n")
    data, done = imported(tmp_path)
    assert (rows(data), data.clock) == ([["a", "x", 0, True], ["b", "y", 1, False], ["a", "y", 2, True]], "ordinal")
    assert (done.click, data.name, first_numbers(data, "face")) == ("label", "set", [1, 3])
    write(tmp_path / "set.test.inter", head + "a\ty\t1\t7\n")
    with pytest.raises(DataError, match=r"set\.test\.inter, line 2: has 4 fields .* expected 3"):
        import_folder(tmp_path, tmp_path / "other")


def test_fuxictr(tmp_path: Path) -> None:
    releases.fuxictr_csv(tmp_path / "a")
    data, done = imported(tmp_path / "a")
    assert rows(data) == [["a", "x", 5, True], ["b", "y", 6, False], ["a", "z", 7, True]]
    assert (data.name, data.clock, done.click) == ("tiny", "ordinal", "label")
    assert first_numbers(data, "visual") == [0, 1, 2]
    assert "test.csv lack a column that is needed" in " ".join(done.notes)
    releases.fuxictr_parquet(tmp_path / "b")
    data, _ = imported(tmp_path / "b")
    assert rows(data) == [[3, 10, 0, True], [3, 12, 1, False], [4, 12, 2, True]]
    assert first_numbers(data, "textual") == [2, 0]
    write(tmp_path / "c" / "train.csv", "uid,item_id,clk\n1,2,1\n")
    with pytest.raises(DataError, match=r"train\.csv: has no column 'user_id'; found uid, .*--option user=COLUMN"):
        imported(tmp_path / "c", format="fuxictr-csv")
    assert import_folder(tmp_path / "c", tmp_path / "out", "fuxictr-csv", user="uid").click == "clk"
    write(tmp_path / "d" / "train.csv", "user_id,item_id,event,seconds\n1,2,view,0.5\n1,3,buy,9\n1,4,buy,2\n")
    for rule, clicks in (("event == buy", 2), ("seconds > 3", 1), ("all", 3)):
        assert import_folder(tmp_path / "d", tmp_path / rule, click=rule).clicks == clicks


def test_longctr(tmp_path: Path) -> None:
    releases.longctr(tmp_path)
    data, _ = imported(tmp_path)
    assert [row for row in rows(data) if row[0] == 0] == [[0, 1, 3, True], [0, 1, 5, True], [0, 1, 6, False]]
    assert first_numbers(data, "visual") == [1, 2]


def test_mmgcn(tmp_path: Path) -> None:
    releases.mmgcn(tmp_path)
    data, _ = imported(tmp_path)
    assert (rows(data), data.clock) == ([[0, 0, 0, True], [2, 2, 1, True], [1, 0, 2, True]], "ordinal")
    assert first_numbers(data, "visual") == [0, 2] and first_numbers(data, "acoustic") == [0, 2]
    save(tmp_path / "movielens" / "train.npy", np.array([[0, 3], [2, 2]]))  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"row 1 \(counted from 0\): user 2 and item 2 do not fit: .* from 3, "):
        import_folder(tmp_path, tmp_path / "other")


def test_lattice(tmp_path: Path) -> None:
    releases.lattice(tmp_path)
    data, _ = imported(tmp_path)
    assert rows(data) == [[0, 1, 0, True], [0, 2, 1, True], [3, 0, 2, True], [0, 0, 3, True], [3, 2, 4, True]]
    assert (data.clock, first_numbers(data, "visual"), first_numbers(data, "textual")) == ("ordinal", *[[0, 1, 2]] * 2)


@pytest.mark.parametrize(
    ("case", "rows", "users", "modalities"),
    [
        ("layout-mmrec", 1643, 150, {"visual": (300, 32), "textual": (300, 16)}),
        ("layout-microlens", 3200, 200, {"visual": (582, 16)}),
    ],
)
def test_folders_as_people_have_them(
    case: str, rows: int, users: int, modalities: dict[str, tuple[int, int]], shared_dir: Path, tmp_path: Path
) -> None:
    folder = shared_dir / "data" / "cases" / case
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    done = import_folder(folder, tmp_path / "out")
    assert (done.rows, done.users, done.clock, done.modalities) == (rows, users, "calendar", modalities)
    data = load_table(tmp_path / "out")
    name = "image_feat.npy"
    first = 0 if case == "layout-mmrec" else 1
    matrix = np.load(folder / name)
    table = data.features["visual"]
    assert (table.values[table.present] == matrix[data.items[table.present] - first]).all()


def test_kuaisar_has_milliseconds_as_floats_and_no_vectors(tmp_path: Path) -> None:
    releases.kuaisar(tmp_path)
    done = import_folder(tmp_path, tmp_path / "out")
    assert (done.form, done.rows, done.clicks, done.modalities) == ("kuaisar", 3, 2, {})
    log = pd.read_parquet(tmp_path / "out" / "interactions.parquet")
    assert log["timestamp"].tolist() == [1684742000, 1684742000, 1684771200]
    assert log["clicked"].tolist() == [True, False, True]


def test_tiktok_vectors_are_read_line_by_line(tmp_path: Path) -> None:
    releases.tiktok(tmp_path)
    data, _ = imported(tmp_path)
    assert (data.clock, data.items.tolist(), data.clicked.tolist()) == ("ordinal", [40, 41], [True, True, False])
    assert data.timestamp.tolist() == [53_086_500_000, 53_086_500_005, 53_086_500_009]
    assert data.features["visual"].values.tolist() == [[0.5, -1], [1.5, 2.5]]
    assert "acoustic" not in data.features and data.features["textual"].present.all()
    path = tmp_path / "track2" / "track2_video_features.txt"
    for new, message in (
        (
            "[0.5, null]",
            r"track2_video_features\.txt: video_feature_dim_128 of item 40 holds something that is no number",
        ),
        ("[0.5]", r"line 2: video_feature_dim_128 \[0\.5\] is no list of 2 numbers"),
        ("[0.5", "line 2: is no JSON object"),
    ):
        broken = path.read_text()
        path.write_text(broken.replace("[0.5, -1]", new))
        with pytest.raises(DataError, match=message):
            import_folder(tmp_path, tmp_path / "other")
        path.write_text(broken)
    path.write_text(path.read_text() * 2)
    with pytest.raises(DataError, match="item 40 stands twice"):
        import_folder(tmp_path, tmp_path / "other")


def test_cornac_names_the_rows_of_its_matrix(tmp_path: Path) -> None:
    releases.cornac(tmp_path)
    data, _ = imported(tmp_path)
    assert (data.name, data.items.tolist(), data.users.tolist()) == ("clothing", [7, 9, 12], ["u1", "u2"])
    assert data.clicked.tolist() == [True, False, True] and data.clock == "calendar"
    assert data.features["visual"].values[:, 0].tolist() == [1, 2, 0]
    assert data.features["textual"].present.tolist() == [True, True, False]
    log = tmp_path / "clothing" / "rating.txt"
    log.write_text("".join(line.rpartition("\t")[0] + "\n" for line in log.read_text().splitlines()))
    assert import_folder(tmp_path, tmp_path / "untimed").clock == "ordinal"
    (tmp_path / "clothing" / "item_ids.txt").write_text("12\n7\n7\n")
    with pytest.raises(DataError, match=r"item_ids\.txt: '7' stands among its items, which have to be named once"):
        import_folder(tmp_path, tmp_path / "other")
