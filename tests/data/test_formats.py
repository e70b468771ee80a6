"""What each public layout gives: users, items, clicks, clock and vectors; and what of it is refused, and where."""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hyperctr.data.dataset import Dataset
from hyperctr.data.formats.plain_pickle import PlainArray, load_plain
from hyperctr.data.importing import import_folder
from hyperctr.data.table import load_table
from hyperctr.errors import DataError
from tests.data import releases, trailers
from tests.data.releases import RATED, RELEASES
from tests.data.writers import save, vectors, write

pytestmark = pytest.mark.filterwarnings("ignore::hyperctr.errors.DataWarning")


def imported(folder: Path, **options: Any) -> Dataset:
    done = import_folder(folder, folder / "out", **options)
    return load_table(folder / "out", clock=done.clock, on_bad="mask")


@pytest.mark.parametrize("name", ["movielens-100k", "movielens-1m", "movielens-10m", "movielens-csv"])
def test_movielens(name: str, tmp_path: Path) -> None:
    RELEASES[name](tmp_path)
    data = imported(tmp_path)
    half = 0.0 if name in ("movielens-100k", "movielens-1m") else 0.5
    rows = sorted(RATED, key=lambda row: row[3])
    assert [tuple(row) for row in data.interactions.itertuples(index=False)] == [
        (user, item, time, rating - half >= 4) for user, item, rating, time in rows
    ]
    assert data.clock == "calendar" and data.items.tolist() == [7, 9, 12]
    assert data.item_table["title"].tolist()[::2] == ["Café Noir (1995)", "War (1996)"]
    assert data.item_table["genres"].tolist()[::2] in (["Drama|War", "Drama|War"], ["Drama|War", "War|Drama"])
    assert data.features["textual"].present.tolist() == [True, False, True]


@pytest.mark.parametrize(
    "head", ["", "\n", "user_id,movie_id,rating,timestamp\n", "userId,movieId,rating,timestamp\r\n"]
)
def test_copies_of_the_csv_family_rename_the_header_or_drop_it(head: str, tmp_path: Path) -> None:
    releases.movielens_csv(tmp_path)
    path = tmp_path / "ml-25m" / "ratings.csv"
    rows = path.read_text().partition("\n")[2]
    write(path, head + (rows.replace("\n", "\r\n") if "\r" in head else rows))
    assert imported(tmp_path).interactions["item_id"].tolist() == [9, 7, 7, 12, 12]


def test_mixed_line_ends_are_named(tmp_path: Path) -> None:
    releases.movielens_csv(tmp_path)
    path = tmp_path / "ml-25m" / "ratings.csv"
    write(path, path.read_text().replace("\n", "\r\n", 1))
    with pytest.raises(
        DataError, match=r"ratings\.csv: 1 of 6 lines end in CR LF, the others in LF; convert them: sed"
    ):
        imported(tmp_path)


def test_quotes_and_commas_in_titles(tmp_path: Path) -> None:
    releases.movielens_csv(tmp_path)
    assert imported(tmp_path).item_table["title"].tolist()[1] == 'Nought, a "Story"'


def test_mmtf_and_m3l(tmp_path: Path) -> None:
    releases.movielens_10m(tmp_path)
    trailers.mmtf_original(tmp_path)
    trailers.m3l(tmp_path)
    data = imported(tmp_path)
    assert data.features["visual"].values[0].tolist() == [1.5, -2.0]
    assert data.features["visual"].present.tolist() == [True, False, False]  # item 12 has an infinity
    assert data.features["acoustic"].values[:2].tolist() == [[0.25, np.float32(1e-3)], [3.0, 4.0]]
    assert data.features["textual"].values.tolist() == [[7.0, 7.125, 7.25], [0, 0, 0], [12.0, 12.125, 12.25]]


def test_one_of_several_feature_files_is_chosen_by_a_part_of_its_name(tmp_path: Path) -> None:
    releases.movielens_10m(tmp_path)
    trailers.mmtf_original(tmp_path)
    trailers.m3l(tmp_path)
    data = imported(tmp_path, visual="vit", acoustic="gmm_64")
    assert data.features["visual"].values[2].tolist() == [12.0, 12.125]
    assert data.features["acoustic"].values[0].tolist() == [9.0, 9.0]
    with pytest.raises(DataError, match=r"no acoustic features have 'gmm_512' in their name; found: IVec_"):
        import_folder(tmp_path, tmp_path / "other", acoustic="gmm_512")


def test_kuaishou_challenge(tmp_path: Path) -> None:
    releases.kuaishou_challenge(tmp_path)
    data = imported(tmp_path)
    assert (data.users.tolist(), data.items.tolist(), data.clock) == ([5, 6], [30, 31, 32], "ordinal")
    assert data.timestamp.tolist() == [760995159683, 761036604603, 761036604700, 761036604700]
    assert data.clicked.tolist() == [True, False, True, False]
    assert data.features["visual"].values[:, 0].tolist() == [30.0, 0.0, 32.0]
    assert data.features["face"].values.tolist() == [[2, 0.75, 0.5, 30, 50], [0] * 5, [1, 0.125, 1, 33, 50]]
    assert data.features["textual"].present.tolist() == [True, True, False]
    assert data.features["textual"].dim == 128


def test_kuaishou_follow_as_the_click(tmp_path: Path) -> None:
    releases.alpine(tmp_path)
    assert imported(tmp_path, click="follow").clicked.tolist() == [False, False, False, True]


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_alpine_and_kuaivideo_x1_are_the_same_log(protocol: int, tmp_path: Path) -> None:
    releases.alpine(tmp_path / "a", protocol)
    releases.kuaivideo_x1(tmp_path / "b")
    ours, theirs = imported(tmp_path / "a"), imported(tmp_path / "b")
    assert ours.fingerprint == theirs.fingerprint
    rows = [[0, 2, 500, True], [1, 0, 501, False], [0, 1, 700, False], [1, 2, 900, True]]
    assert ours.interactions.to_numpy().tolist() == rows
    assert ours.features["visual"].values.tolist() == vectors(3, 64).tolist()


def test_alpine_with_numbers_of_numpy(tmp_path: Path) -> None:
    releases.alpine(tmp_path)
    path = tmp_path / "alpine" / "dataset.pkl"
    train = [
        ((np.int64(0), np.int64(2), np.int64(1), 0, 0, np.int64(500)), 0, 0),
        (np.array([1, 0, 0, 0, 0, 501]), 0, 0),
    ]
    write(path, pickle.dumps(train, 2) + pickle.dumps([], 2))
    with pytest.raises(DataError, match=r"dataset\.pkl: train sample 1 \(counted from 0\) is .* expected \(\(user"):
        imported(tmp_path)
    write(path, pickle.dumps(train[:1], 2) + pickle.dumps([], 2))
    assert imported(tmp_path).timestamp.tolist() == [500]


class Runs:
    """Deletes nothing, but could."""

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("owned"),)


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_a_pickle_that_would_run_code_is_refused(
    protocol: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    releases.alpine(tmp_path)
    write(tmp_path / "alpine" / "dataset.pkl", pickle.dumps([Runs()], protocol))
    with pytest.raises(DataError, match=r"dataset\.pkl: names [\w.]+, which would run code; only numbers"):
        imported(tmp_path)
    assert not (tmp_path / "owned").exists() and not (tmp_path / "out").exists()


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4])
def test_plain_pickles_hold_arrays(protocol: int, tmp_path: Path) -> None:
    arrays = [np.arange(6, dtype=">i4").reshape(2, 3), np.asfortranarray([[0.5, 1], [2, 3]]), np.array([True, False])]
    path = write(tmp_path / "x.pkl", pickle.dumps({"a": arrays}, protocol))
    with open(path, "rb") as file:
        read = load_plain(file, path)["a"]
    assert all(isinstance(array, PlainArray) for array in read)
    assert [array.values.tolist() for array in read] == [array.tolist() for array in arrays]
    write(path, pickle.dumps(np.array([print], dtype=object), protocol))
    with open(path, "rb") as file, pytest.raises(DataError, match=r"names builtins|an array of type 'O8'|__builtin__"):
        load_plain(file, path)


def test_micro_video_has_a_second_id_space(tmp_path: Path) -> None:
    releases.thacil(tmp_path)
    data = imported(tmp_path)
    assert (data.users.tolist(), data.items.tolist(), data.clock) == ([0, 1], [0, 1, 2, 3, 4], "ordinal")
    assert data.item_index.tolist() == [0, 1, 2, 3, 4] and data.clicked.tolist() == [True, False, True, False, True]
    assert data.features["visual"].values[3].tolist() == [10.0, 10.125, 10.25, 10.375]
    path = tmp_path / "mv" / "train_data.csv"
    write(path, path.read_text() + "0,3,1,1,300\n")
    with pytest.raises(DataError, match=rf"{path}: .*item_id 3 is not below 3, the rows of the matrix of cover images"):
        import_folder(tmp_path, tmp_path / "other")


def test_microvideo_x1(tmp_path: Path) -> None:
    releases.microvideo_x1(tmp_path)
    data = imported(tmp_path)
    assert (data.users.tolist(), data.items.tolist(), data.clock) == ([0, 2, 10], [0, 1, 2, 4], "ordinal")
    assert data.features["visual"].values[3].tolist() == vectors(5, 64)[4].tolist()


RATINGS_1M, SHOWN = "movielens-1m ml-1m/ratings.dat", "kuaishou-challenge train/train_interaction.txt"
FAULTS = {  # release and file, what gives way to what, message
    "fraction as id": (RATINGS_1M, "2::7::4", "2::7.5::4", "line 3: movieId '7.5' is not a whole"),
    "underscore": (RATINGS_1M, "2::7::4", "2_0::7::4", "line 3: userId '2_0' is not a whole"),
    "leading zero": (RATINGS_1M, "2::7::4", "02::7::4", "line 3: userId '02' is not a whole"),
    "blank": (RATINGS_1M, "2::7::4", "2 ::7::4", "line 3: userId '2 ' is not a whole"),
    "no rating": (RATINGS_1M, "2::7::4", "2::7::", "line 3: rating '' is not a finite"),
    "infinite": (RATINGS_1M, "2::7::4", "2::7::inf", "line 3: rating 'inf' is not a finite"),
    "too few": (RATINGS_1M, "2::7::4::978301968", "2::7::4", "line 3: has 3 fields .* expected 4"),
    "too many": (RATINGS_1M, "2::7::4", "2::7::4::4", "line 3: has 5 fields .* expected 4"),
    "milliseconds": (RATINGS_1M, "978301968", "978301968000", "times run from 978300275 to 978301968000 seconds"),
    "negative": (RATINGS_1M, "978301968", "-978301968", "times run from -978301968 to 978824291 seconds"),
    "too large": (RATINGS_1M, "2::7::4", "9223372036854775808::7::4", "line 3: userId '92233"),
    "movie twice": ("movielens-1m ml-1m/movies.dat", "9::Nought", "7::Nought", "movie 7 is listed twice"),
    "csv": ("movielens-csv ml-25m/ratings.csv", "2,7,3.5", "2,7,", "line 4: rating '' is not a finite number"),
    "csv header": (
        "movielens-csv ml-25m/ratings.csv",
        "rating,",
        "stars,",
        "line 1: column 'rating' is missing; found",
    ),
    "csv header with a NUL": (
        "movielens-csv ml-25m/ratings.csv",
        "rating,",
        "rat\x00ing,",
        "line 1: .* a control character",
    ),
    "csv quote": ("movielens-csv ml-25m/movies.csv", '"Nought', 'x"Nought', "movies\\.csv, line 3: has 4 fields"),
    "genre flag": (
        "movielens-100k ml-100k/u.item",
        "9|unknown||||1",
        "9|unknown||||2",
        "line 2: is unknown '2' is not",
    ),
    "click": (SHOWN, "31\t1", "31\t2", "line 2: click '2' is not one of 0"),
    "faces": (
        "kuaishou-challenge train/train_face.txt",
        ",60.5]",
        "]",
        "train_face\\.txt, line 1: photo 30 has '\\[\\[",
    ),
    "words": ("kuaishou-challenge train/train_text.txt", "7,9", "7;9", "train_text\\.txt, line 2: photo 31 has '7;9'"),
    "photo twice": (
        "kuaishou-challenge train/train_text.txt",
        "31\t7",
        "30\t7",
        "photo 30 stands twice in \\*_text\\.txt",
    ),
    "x1": ("kuaivideo-x1 KuaiVideo_x1/test.csv", "900,1", "soon,1", "line 2: timestamp 'soon' is not a whole number"),
    "category": ("micro-video mv/test_data.csv", "1,1,7", "1,x,7", "line 3: item_id 'x' is not a whole number"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_does_not_fit_is_named_with_file_line_and_value(fault: str, tmp_path: Path) -> None:
    place, old, new, message = FAULTS[fault]
    release, file = place.split(" ", 1)
    RELEASES[release](tmp_path)
    path = tmp_path / file
    content = path.read_bytes()
    assert content.count(old.encode()) == 1
    write(path, content.replace(old.encode(), new.encode()))
    with pytest.raises(DataError, match=message) as caught:
        imported(tmp_path)
    assert re.search(re.escape(str(tmp_path)), str(caught.value))
    assert not (tmp_path / "out").exists()


def test_a_damaged_photo_is_named(tmp_path: Path) -> None:
    releases.kuaishou_challenge(tmp_path)
    photo = tmp_path / "train" / "final_visual_train" / "32"
    save(photo, vectors(1, 5))
    with pytest.raises(DataError, match=rf"{photo}: has 5 numbers, the first photo 4"):
        imported(tmp_path)
    write(photo, photo.read_bytes()[:-3])
    with pytest.raises(DataError, match=rf"{photo}: is not a readable \.npy file"):
        imported(tmp_path)


def test_genuine_kuaishou_rows(shared_dir: Path, tmp_path: Path) -> None:
    fragment = shared_dir / "data" / "kuaishou-fragment"
    if not fragment.is_dir():
        pytest.skip(f"no {fragment}")
    done = import_folder(fragment, tmp_path / "out")
    assert (done.rows, done.users, done.clicks, done.clock) == (10_000, 8, 1800, "ordinal")
    assert done.modalities == {}


def test_genuine_movielens_with_genuine_trailers(shared_dir: Path, tmp_path: Path) -> None:
    done = import_folder(shared_dir / "data" / "raw", tmp_path / "out")
    assert (done.name, done.rows, done.users, done.items, done.clicks) == (
        *("movielens-latest-small", 100_836, 610, 9742, 48_580),
    )
    assert done.modalities == {"visual": (1807, 107), "acoustic": (1807, 20), "textual": (9739, 128)}
    data = load_table(tmp_path / "out")
    from hyperctr.data.registry import load_dataset

    films = load_dataset("ml-trailers", data_dir=shared_dir / "data" / "raw")
    place = data.items_to_index(films.items)
    assert (data.features["acoustic"].values[place] == films.features["acoustic"].values).all()
