"""Every mistake of a table is refused or told with what to do about it; done to the letter, it reads, and rightly."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hyperctr.cli import main
from hyperctr.data.dataset import Dataset
from hyperctr.data.pairs import read_history, read_pairs
from hyperctr.data.registry import load_dataset
from hyperctr.errors import DataError, DataWarning
from tests.data.releases import mmrec

pytestmark = pytest.mark.filterwarnings("ignore::hyperctr.errors.DataWarning")

USERS, ITEMS = ["1", "1", "2", "2", "3", "3"], ["7", "8", "7", "9", "8", "9"]
TIMES = [1_600_000_000 + 86_400 * day for day in range(6)]
DAYS = ["2020-09-13", "2020-09-14", "2020-09-15", "2020-09-16", "2020-09-17", "2020-09-18"]
MIDNIGHT = [second - second % 86_400 for second in TIMES]
NAMES = ("user_id", "item_id", "timestamp")
Fix = Callable[[Path, str], None]


def csv(*columns: tuple[str, list[Any]], separator: str = ",", end: str = "\n") -> str:
    rows = [separator.join(name for name, _ in columns)]
    rows += [separator.join(map(str, row)) for row in zip(*(values for _, values in columns), strict=True)]
    return end.join(rows) + end


def log(users: list[Any] = USERS, items: list[Any] = ITEMS, times: list[Any] = TIMES, **more: list[Any]) -> str:
    return csv(("user_id", users), ("item_id", items), ("timestamp", times), *more.items())


def write(folder: Path, text: str | pd.DataFrame, ids: list[Any] | None = None) -> Path:
    (folder / "features").mkdir(parents=True, exist_ok=True)
    if isinstance(text, str):
        (folder / "interactions.csv").write_text(text, newline="")
    else:
        text.to_parquet(folder / "interactions.parquet")
    ids = [7, 8, 9] if ids is None else ids
    np.savez(folder / "features" / "visual.npz", item_id=np.array(ids), values=np.arange(len(ids) * 2.0).reshape(-1, 2))
    return folder


def advised(message: str, number: int = 0) -> str:
    """The text after ``--option`` as a shell would pass it on: the first one, or another."""
    return shlex.split(re.findall(r"--option ('(?:[^']|'\\'')*'|[^ )]+)\)", message)[number])[0]


def load(folder: Path, *options: str) -> Dataset:
    from hyperctr.data.options import parse_options

    return load_dataset("table", data_dir=folder, **parse_options(list(options)))


def rows(data: Dataset) -> list[list[Any]]:
    return data.interactions.to_numpy().tolist()


def expected(times: list[int] = TIMES, clicked: list[int] | None = None) -> list[list[Any]]:
    clicks = [True] * 6 if clicked is None else [bool(value) for value in clicked]
    return [[int(u), int(i), t, c] for u, i, t, c in zip(USERS, ITEMS, times, clicks, strict=True)]


RATED = expected(clicked=[1, 0, 1, 0, 0, 1])
BY_OPTION: list[tuple[str, str, str, list[list[Any]]]] = [
    # input, what the message says, the option it advises, the rows read with it
    (log(rating=[5, 1, 4, 3, 2, 5]), "column 'rating' looks like a label", "click=rating >= 4", RATED),
    (log(is_click=[1, 0, 1, 0, 0, 1]), "column 'is_click' looks like a label", "click=is_click", RATED),
    (
        log(Liked=["True", "False", "True", "False", "False", "True"]),
        "'Liked' looks like a label",
        "click=Liked",
        RATED,
    ),
    (log(watch_ratio=[1.5, 0.1, 2, 0.3, 0.2, 1.7]), "'watch_ratio' looks", "click=watch_ratio >= 0.9", RATED),
    (log(score=[0.9, 0.1, 0.7, 0.3, 0.2, 0.6]), "'score' looks like a label", "click=score >= 0.5", RATED),
    (log(event=["click", "show", "click", "show", "show", "click"]), "'event' looks", "click=event == click", RATED),
    (
        log(is_like=[0, 0, 0, 0, 0, 1], is_click=[1, 0, 1, 0, 0, 1]),
        "'is_click', 'is_like' look like labels",
        "click=is_click",
        RATED,
    ),
    (log(z=[1, 0, 1, 0, 0, 1]), "column 'z' looks like a label", "click=z", RATED),
    (log(feedback=[1, -1, 1, -1, 0, 1]), "'feedback' looks like a label", "click=feedback > 0", RATED),
    (log().replace(",", ";"), "separated by semicolons", "separator=;", expected()),
    (log().replace(",", "\t"), "separated by tabs", "separator=tab", expected()),
    (log().replace(",", "|"), "separated by bars", "separator=|", expected()),
    (log().replace(",", "::"), "separated by '::'", "separator=::", expected()),
    (log().replace(",", " "), "separated by blanks", "separator=space", expected()),
    (log().replace("user_id", "user"), "'user_id' .did you mean 'user'", "columns.user_id=user", expected()),
    (log().replace("item_id", "movieId"), "did you mean 'movieId'", "columns.item_id=movieId", expected()),
    (log().replace("timestamp", "ts"), "did you mean 'ts'", "columns.timestamp=ts", expected()),
    (log(times=[t * 1000 for t in TIMES]), "looks like milliseconds", "time=ms", expected()),
    (log(times=[t * 10**6 for t in TIMES]), "looks like microseconds", "time=us", expected()),
    (log(times=[t * 10**9 for t in TIMES]), "looks like nanoseconds", "time=ns", expected()),
    (log(times=[t // 86_400 for t in TIMES]), "looks like days", "time=days", expected(MIDNIGHT)),
    (
        log(times=[d.replace("-", "") for d in DAYS]),
        "looks like a date written as a number",
        "time=%Y%m%d",
        expected(MIDNIGHT),
    ),
    (
        log(times=[d.replace("-", "") + "0930" for d in DAYS]),
        "looks like a date",
        "time=%Y%m%d%H%M",
        expected([t + 34_200 for t in MIDNIGHT]),
    ),
    (log(times=DAYS), "dates are read by their format", "time=%Y-%m-%d", expected(MIDNIGHT)),
    (
        log(times=[d + " 00:00:05" for d in DAYS]),
        "by their format",
        "time=%Y-%m-%d %H:%M:%S",
        expected([t + 5 for t in MIDNIGHT]),
    ),
    (log(times=["/".join(d.split("-")[::-1]) for d in DAYS]), "by their format", "time=%d/%m/%Y", expected(MIDNIGHT)),
]


@pytest.mark.parametrize(("text", "message", "option", "read"), BY_OPTION, ids=[case[1] for case in BY_OPTION])
def test_the_option_that_is_advised_reads_it(
    tmp_path: Path, text: str, message: str, option: str, read: list[list[Any]]
) -> None:
    folder = write(tmp_path, text)
    with pytest.raises(DataError, match=message) as caught:
        load(folder)
    assert advised(str(caught.value)) == option
    assert str(folder / "interactions.csv") in str(caught.value)
    data = load(folder, option)
    assert rows(data) == read
    (folder / "table.toml").write_text(data.options.to_toml())  # the second call needs nothing
    assert (rows(load(folder)), load(folder).fingerprint) == (read, data.fingerprint)


TOLD: list[tuple[str, str, list[list[Any]]]] = [
    (log().replace("\n", "\r"), "", expected()),
    (log().replace("\n", "\r\n"), "", expected()),
    ("sep=;\n" + log().replace(",", ";"), r"separated by semicolons \(';'\), as its first line says", expected()),
    (log().replace("user_id,item_id", "User_ID,itemId"), "column 'itemId' was read as item_id", expected()),
    (log(times=[d + "T02:00:00+02:00" for d in DAYS]), "dates with an offset from UTC", expected(MIDNIGHT)),
    (log(times=[d + "T00:00:00Z" for d in DAYS]), "dates with an offset from UTC", expected(MIDNIGHT)),
    (log(cate_id=[1, 2, 3, 4, 5, 6]), "column 'cate_id' is not used", expected()),
    (
        csv(("", [0, 1, 2, 3, 4, 5]), *zip(NAMES, (USERS, ITEMS, TIMES), strict=True)),
        "column '' is not used",
        expected(),
    ),
    (log(label=[1] * 6), "column 'label' is not used", expected()),  # says nothing
    (log(Clicked=[1, 0, 1, 0, 0, 1]), "column 'Clicked' was read as clicked", RATED),
    (log(clicked=[1, 0, 1, 0, 0, 1], rating=[5, 1, 4, 3, 2, 5]), "column 'rating' is not used", RATED),
]


@pytest.mark.parametrize(("text", "words", "read"), TOLD, ids=[case[1] or "nothing" for case in TOLD])
def test_what_can_be_read_in_one_way_is_read_and_told(
    tmp_path: Path, text: str, words: str, read: list[list[Any]]
) -> None:
    data = load(write(tmp_path, text))
    assert rows(data) == read
    about = [note for note in data.warnings if "users have" not in note]
    assert len(about) <= 2
    assert re.search(words, " ".join(about)) if words else not about
    if "is not used" in words:
        quiet = load(tmp_path, advised(" ".join(about)))
        assert (rows(quiet), [n for n in quiet.warnings if "users have" not in n]) == (read, [])


def rewrite(old: str, new: str) -> Fix:
    def fix(folder: Path, message: str) -> None:
        path = folder / "interactions.csv"
        path.write_text(path.read_text().replace(old, new))

    return fix


def run_line(folder: Path, message: str) -> None:
    """Type the command of the message."""
    line = message.split("for example: ")[1]
    subprocess.run(line, shell=True, check=True, cwd=folder)


def write_order(folder: Path, message: str) -> None:
    (Path(re.search(r"write (\S+\.ids\.csv): a line item_id", message)[1])).write_text("item_id\n9\n7\n8\n4\n")  # type: ignore[index]


def pad(folder: Path, message: str) -> None:
    """Write the first id as the second, and the others so."""
    here, there = re.search(r"for example '(\S+)' as '(\S+)'", message).groups()  # type: ignore[union-attr]
    assert here.zfill(len(there)) == there
    write(folder, (folder / "interactions.csv").read_text(), ["0" + str(i) for i in (7, 8, 9)])


REPAIRED: list[tuple[str, str, Fix]] = [
    (
        log(users=["1", "1", "2", "2", "NULL", "3"]),
        "line 6: user_id 'NULL' stands for a missing value.*fill it in",
        rewrite("NULL", "3"),
    ),
    (log(users=["1", "1", "2", "2", "", "3"]), "line 6: user_id '' is empty.*fill it in", rewrite("\n,8", "\n3,8")),
    (log(items=["7", "8", "nan", "9", "8", "9"]), "line 4: item_id 'nan' stands for", rewrite("nan", "7")),
    (
        log(times=[*TIMES[:5], ""]),
        "line 7: timestamp '' is missing or no number.*fill it in",
        rewrite("9,\n", f"9,{TIMES[5]}\n"),
    ),
    (
        log(times=[*TIMES[:5], f"{TIMES[5]}.5"]),
        r"timestamp '\S+\.5' is not a whole number.*round to seconds",
        rewrite(".5", ""),
    ),
    (
        log(times=[f'"{t:,}"' for t in TIMES]),
        "timestamp '1,600,000,000'.*write numbers without thousands",
        lambda f, m: write(f, log()) and None,
    ),
    (
        log(times=["1.6E+09", *TIMES[1:]]),
        "is written with an exponent.*write all its digits",
        rewrite("1.6E+09", str(TIMES[0])),
    ),
    (
        log(users=["1E+00", "1E+00", "2", "2", "3", "3"]),
        "user_id '1E.00' is written with an exponent.*all their digits",
        rewrite("1E+00", "1"),
    ),
    (
        log(items=["7,000", "8", "7,000", "9", "8", "9"]).replace("7,000", '"7,000"'),
        "item_id '7,000' is written with thousands.*as plain digits",
        rewrite('"7,000"', "7"),
    ),
    (log(times=[-1, *TIMES[1:]]), "timestamp '-1' is negative.*shift or remove", rewrite(",-1\n", f",{TIMES[0]}\n")),
    (
        log().split("\n", 1)[1],
        "expected a header .*add a header line",
        lambda f, m: write(f, "user_id,item_id,timestamp\n" + (f / "interactions.csv").read_text()) and None,
    ),
    (
        log().replace("2,7", "2;7", 1).replace(f"7,{TIMES[2]}", f"7;{TIMES[2]}", 1),
        "line 4: fields are separated by semicolons.*write the file with one delimiter: commas",
        rewrite(";", ","),
    ),
]


@pytest.mark.parametrize(("text", "message", "fix"), REPAIRED, ids=[case[1] for case in REPAIRED])
def test_a_file_that_is_repaired_as_advised_reads(tmp_path: Path, text: str, message: str, fix: Fix) -> None:
    folder = write(tmp_path, text)
    with pytest.raises(DataError, match=message) as caught:
        load(folder)
    fix(folder, str(caught.value))
    assert rows(load(folder)) == expected()


def test_a_file_of_another_encoding_is_converted_by_the_line_of_the_message(tmp_path: Path) -> None:
    folder, text = write(tmp_path, log()), log(users=["é", "é", "2", "2", "3", "3"])
    for code in ("latin-1", "utf-16"):
        (folder / "interactions.csv").write_bytes(text.encode(code))
        with pytest.raises(DataError, match="not UTF-8; convert the file first") as caught:
            load(folder)
        run_line(folder, str(caught.value))
        assert load(folder).users.tolist() == ["2", "3", "é"]


def test_bad_rows_are_left_out_if_asked_counted_and_told(tmp_path: Path) -> None:
    bad = ["NULL", "", "nan", "4", "5", "None"]
    folder = write(
        tmp_path, log(users=[*USERS, *bad], items=[*ITEMS, *"777", "", "8", "9"], times=[*TIMES, *TIMES[:4], "", 5])
    )
    with pytest.raises(DataError, match="say on_bad_rows='skip'") as caught:
        load(folder)
    with pytest.warns(DataWarning, match=r"line 8: lacks an id or a time; 6 of 12 rows were left out"):
        data = load(folder, advised(str(caught.value)))
    assert rows(data) == expected()


def test_all_faults_are_told_at_once_with_counts(tmp_path: Path) -> None:
    text = log(
        users=["", "NULL", "2", "2", "3", "3"],
        items=["x" * 300, *ITEMS[1:]],
        times=[-1, -2, "soon", *TIMES[3:]],
        rating=[1, 5, 3, 4, 2, 5],
    )
    folder = write(tmp_path, text)
    (folder / "features" / "acoustic.npz").write_bytes(b"PK")
    (folder / "items.csv").write_text("item_id\n7\n7\n")
    with pytest.raises(DataError) as caught:
        load(folder)
    words = [
        "'rating' looks like a label",
        r"user_id '' is empty.*\(2 such rows\)",
        "is longer than 256",
        "timestamp 'soon' is missing",
    ]
    words += [
        r"timestamp '-1' is negative.*\(2 such rows\)",
        "acoustic.npz: is not a readable",
        "items.csv, line 3: item_id 7 stands twice",
    ]
    assert len(caught.value.faults) == len(words)
    for word in words:
        assert sum(bool(re.search(word, fault)) for fault in caught.value.faults) == 1, word


def test_ids_that_nearly_match_are_refused_with_a_pair(tmp_path: Path) -> None:
    folder = write(tmp_path, log(items=["0" + i for i in ITEMS]), [7, 8, 9])
    with pytest.raises(
        DataError, match=r"nearly match: '7' and '07' differ only in leading zeros \(3 such pairs\)"
    ) as caught:
        load(folder)
    pad(folder, str(caught.value))
    assert load(folder).features["visual"].present.tolist() == [True] * 3
    write(folder, log(items=["a7", "a8", "a7", "a9", "a8", "a9"]), ["A7", "a8", "A9"])
    with pytest.raises(DataError, match="'A7' and 'a7' differ only in upper and lower case"):
        load(folder)
    write(folder, log(items=["a7", "a8", "a7", "a9", "a8", "a9"]), ["a7", "a8", "a9", "A9"])  # nobody misses A9
    assert load(folder).features["visual"].present.all()
    with pytest.raises(DataError, match="item id 'A7' is unknown.*'A7' and 'a7' differ only in upper and lower case"):
        load(folder).items_to_index(["A7"])


def test_floats_that_have_rounded_are_refused(tmp_path: Path) -> None:
    frame = pd.DataFrame({"user_id": USERS, "item_id": [7, 8, 7, 9, 8, 9], "timestamp": TIMES})
    for column, words in (("timestamp", "store timestamps as integers"), ("item_id", "store such ids as integers")):
        folder = write(tmp_path / column, frame.assign(**{column: (frame[column] + 2**25).astype("float32")}))
        with pytest.raises(DataError, match=f"too large to be exact as a float32.*{words}"):
            load(folder)
    assert rows(load(write(tmp_path / "item_id", frame.assign(item_id=frame["item_id"].astype("float32"))))) == [
        [u, i, t, c] for (_, i, t, c), u in zip(expected(), USERS, strict=True)
    ]


def test_dates_of_parquet_are_read_in_utc_and_told(tmp_path: Path) -> None:
    frame = pd.DataFrame({"user_id": [int(u) for u in USERS], "item_id": [int(i) for i in ITEMS]})
    for place, zone in enumerate((None, "Asia/Shanghai")):
        days = pd.Series(pd.to_datetime(DAYS)).dt.tz_localize(zone)
        data = load(write(tmp_path / str(place), frame.assign(timestamp=days)))
        assert rows(data) == expected([t - 8 * 3600 * place for t in MIDNIGHT])
        assert any("are dates, and were read as seconds (UTC)" in note for note in data.warnings)


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


def test_an_ordinal_clock_keeps_its_numbers(tmp_path: Path) -> None:
    counters = [int(d.replace("-", "")) for d in DAYS]
    folder = write(tmp_path, log(times=counters))
    with pytest.raises(DataError, match="looks like a date") as caught:
        load(folder)
    data = load(folder, advised(str(caught.value), 1))
    assert (rows(data), data.clock) == (expected(counters), "ordinal")


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


def test_the_only_column_left_is_named(tmp_path: Path) -> None:
    text = csv(("viewer", USERS), ("video", ITEMS), ("when", TIMES))
    with pytest.raises(DataError, match="--option columns.timestamp=when") as caught:
        load(write(tmp_path, text))
    assert rows(load(tmp_path, *(advised(str(caught.value), number) for number in range(3)))) == expected()
    with pytest.raises(DataError, match="columns.timestamp=THEIR_NAME"):  # a label is no time
        load(write(tmp_path, csv(("user_id", USERS), ("item_id", ITEMS), ("rating", [5] * 6))))


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


def test_semicolons_and_other_names_of_columns_are_told_together(tmp_path: Path) -> None:
    text = log().replace("user_id,item_id", "viewer,video").replace(",", ";")
    folder = write(tmp_path, text)
    with pytest.raises(DataError, match=r"'user_id' .* is missing; .* separated by semicolons") as caught:
        load(folder)
    options = [advised(f"{caught.value})", number) for number in range(3)]
    assert sorted(options)[2] == "separator=;"
    assert rows(load(folder, *options)) == expected()
    pairs = tmp_path / "pairs.csv"
    pairs.write_text("viewer;video\n1;7\n")
    with pytest.raises(DataError, match="expected user_id, item_id and perhaps timestamp: .* separated by semicolons"):
        read_pairs(pairs)
    assert read_pairs(pairs, load(folder, *options).options).to_numpy().tolist() == [[1, 7]]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_ids_with_decimals_are_told(kind: str, tmp_path: Path) -> None:
    users = [float(user) for user in USERS]
    frame = pd.DataFrame({"user_id": users, "item_id": [int(item) for item in ITEMS], "timestamp": TIMES})
    data = load(write(tmp_path, log(users=users) if kind == "csv" else frame))
    assert rows(data) == expected()
    told = "user_id is written with decimals, such as '?1.0'? in 6 of 6 rows, and was read as the whole number 1"
    assert sum(bool(re.search(told, note)) for note in data.warnings) == 1
    assert not any("item_id is written" in note for note in data.warnings)


def test_a_column_that_is_ignored_in_vain_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path, log(tab=list("abcabc")))
    with pytest.raises(DataError, match="'tabs', named by the option ignore, is missing; did you mean 'tab'?"):
        load(folder, "ignore=tabs")
    data = load(folder, "ignore=tab")
    assert not data.warnings and rows(data) == expected()
    newer = tmp_path / "new.csv"  # which need not have it
    newer.write_text("user_id,item_id,timestamp\n1,7,1600000000\n")
    assert read_history(newer, data.options)["user_id"].tolist() == [1]


def test_newer_clicks_without_the_column_of_the_rule_can_all_be_clicks(tmp_path: Path) -> None:
    data = load(write(tmp_path, log(rating=[5, 1, 4, 3, 5, 5])), "click=rating >= 4")
    newer = tmp_path / "new.csv"
    newer.write_text("user_id,item_id,timestamp\n1,7,1600000000\n")
    with pytest.raises(DataError, match="column 'rating', .* is missing; .* if every row is a click, say") as caught:
        read_history(newer, data.options)
    assert advised(str(caught.value) + ")") == "click=all"
    assert read_history(newer, data.options.with_overrides(["click=all"]))["clicked"].tolist() == [True]


def test_ids_that_look_like_one_and_times_of_no_log_are_told(tmp_path: Path) -> None:
    folder = write(tmp_path, log(users=["7", "07", "a", "A", "b", "c"], times=list(range(6))))
    notes = load(folder).warnings
    assert any(
        "user ids '07' and '7' differ only in leading zeros (2 such pairs); they were kept apart" in n for n in notes
    )
    far = next(note for note in notes if "times run from 1970-01-01 to 1970-01-01" in note)
    assert not any("times run" in note for note in load(folder, advised(far)).warnings)
    write(folder, log(times=[*TIMES[:5], TIMES[5] * 1000]))
    with pytest.raises(
        DataError, match="line 7: timestamp .* lies after the year 5138, others do not; write all times in one"
    ):
        load(folder)
    write(folder, log().replace(",", ";"))
    (folder / "items.csv").write_text("item_id,title\n7,a;b\n8,c\n9,d\n")  # of another separator
    assert load(folder, "separator=;").item_table["title"].tolist() == ["a;b", "c", "d"]


def test_decimal_commas_do_not_hide_a_label(tmp_path: Path) -> None:
    ratios = ["1,93", "0,2", "0,4", "1,5", "0,7", "2,25"]
    text = csv(*zip(NAMES, (USERS, ITEMS, TIMES), strict=True), ("watch_ratio", ratios), separator=";")
    folder = write(tmp_path, text)
    with pytest.raises(DataError, match="'watch_ratio' looks like a label and is not used") as caught:
        load(folder, "separator=;")
    rule = advised(str(caught.value))
    with pytest.raises(DataError, match="line 2: watch_ratio '1,93' .* write numbers with a decimal point"):
        load(folder, "separator=;", rule)
    write(folder, text.replace(",", "."))
    clicked = load(folder, "separator=;", rule).clicked
    assert (rule, clicked.tolist()) == ("click=watch_ratio >= 1.1", [True, False, False, True, False, True])
    write(folder, csv(*zip(NAMES, (USERS, ITEMS, [f"{t},5" for t in TIMES]), strict=True), separator=";"))
    with pytest.raises(DataError, match="line 2: timestamp '1600000000,5' .* round to seconds"):
        load(folder, "separator=;")


@pytest.mark.parametrize(
    ("values", "rule"),
    [(["yes", "no", "yes", "no", "no", "yes"], "click=clicked == yes"), ([1, 5, 3, 5, 0, 1], "click=clicked >= 5")],
)
def test_clicked_that_is_no_truth_value_can_be_compared(tmp_path: Path, values: list[Any], rule: str) -> None:
    folder = write(tmp_path, log(clicked=values))
    with pytest.raises(DataError, match="allowed are 1, 0, true, false") as caught:
        load(folder)
    assert advised(str(caught.value)) == rule
    assert load(folder, rule).clicked.tolist() == [value in ("yes", 5) for value in values]


def test_vectors_in_a_file_that_is_not_read_are_named(tmp_path: Path) -> None:
    folder = write(tmp_path, log())
    (folder / "features" / "visual.npz").rename(folder / "features" / "visual.csv")
    with pytest.raises(DataError, match=r"holds no file of features that is read \(found visual.csv\)"):
        load(folder)


def test_a_column_that_an_option_names_in_vain_is_told(tmp_path: Path) -> None:
    data = load(write(tmp_path, log()), "columns.user_id=viewer")
    assert any(
        "column 'viewer', named by the option columns.user_id, is missing; 'user_id' was read" in w
        for w in data.warnings
    )
    assert rows(data) == expected()
