"""Every mistake of a table is refused or told with what to do about it; done to the letter, it reads, and rightly."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from hyperctr.errors import DataError, DataWarning
from tests.data.own_table import (
    DAYS,
    ITEMS,
    MIDNIGHT,
    NAMES,
    TIMES,
    USERS,
    Fix,
    advised,
    csv,
    expected,
    load,
    log,
    rewrite,
    rows,
    write,
)

pytestmark = pytest.mark.filterwarnings("ignore::hyperctr.errors.DataWarning")


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


def test_an_ordinal_clock_keeps_its_numbers(tmp_path: Path) -> None:
    counters = [int(d.replace("-", "")) for d in DAYS]
    folder = write(tmp_path, log(times=counters))
    with pytest.raises(DataError, match="looks like a date") as caught:
        load(folder)
    data = load(folder, advised(str(caught.value), 1))
    assert (rows(data), data.clock) == (expected(counters), "ordinal")
