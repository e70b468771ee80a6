"""Columns and ids of a table that look like something else are told with what to do; done to the letter, it reads."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from hyperctr.data.pairs import read_history, read_pairs
from hyperctr.errors import DataError
from tests.data.own_table import (
    DAYS,
    ITEMS,
    MIDNIGHT,
    NAMES,
    TIMES,
    USERS,
    advised,
    csv,
    expected,
    load,
    log,
    pad,
    rows,
    write,
)

pytestmark = pytest.mark.filterwarnings("ignore::hyperctr.errors.DataWarning")


def test_the_only_column_left_is_named(tmp_path: Path) -> None:
    text = csv(("viewer", USERS), ("video", ITEMS), ("when", TIMES))
    with pytest.raises(DataError, match="--option columns.timestamp=when") as caught:
        load(write(tmp_path, text))
    assert rows(load(tmp_path, *(advised(str(caught.value), number) for number in range(3)))) == expected()
    with pytest.raises(DataError, match="columns.timestamp=THEIR_NAME"):  # a label is no time
        load(write(tmp_path, csv(("user_id", USERS), ("item_id", ITEMS), ("rating", [5] * 6))))


def test_a_column_that_an_option_names_in_vain_is_told(tmp_path: Path) -> None:
    data = load(write(tmp_path, log()), "columns.user_id=viewer")
    assert any(
        "column 'viewer', named by the option columns.user_id, is missing; 'user_id' was read" in w
        for w in data.warnings
    )
    assert rows(data) == expected()


def test_a_column_that_is_ignored_in_vain_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path, log(tab=list("abcabc")))
    with pytest.raises(DataError, match="'tabs', named by the option ignore, is missing; did you mean 'tab'?"):
        load(folder, "ignore=tabs")
    data = load(folder, "ignore=tab")
    assert not data.warnings and rows(data) == expected()
    newer = tmp_path / "new.csv"  # which need not have it
    newer.write_text("user_id,item_id,timestamp\n1,7,1600000000\n")
    assert read_history(newer, data.options)["user_id"].tolist() == [1]


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


def test_newer_clicks_without_the_column_of_the_rule_can_all_be_clicks(tmp_path: Path) -> None:
    data = load(write(tmp_path, log(rating=[5, 1, 4, 3, 5, 5])), "click=rating >= 4")
    newer = tmp_path / "new.csv"
    newer.write_text("user_id,item_id,timestamp\n1,7,1600000000\n")
    with pytest.raises(DataError, match="column 'rating', .* is missing; .* if every row is a click, say") as caught:
        read_history(newer, data.options)
    assert advised(str(caught.value) + ")") == "click=all"
    assert read_history(newer, data.options.with_overrides(["click=all"]))["clicked"].tolist() == [True]


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


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_ids_with_decimals_are_told(kind: str, tmp_path: Path) -> None:
    users = [float(user) for user in USERS]
    frame = pd.DataFrame({"user_id": users, "item_id": [int(item) for item in ITEMS], "timestamp": TIMES})
    data = load(write(tmp_path, log(users=users) if kind == "csv" else frame))
    assert rows(data) == expected()
    told = "user_id is written with decimals, such as '?1.0'? in 6 of 6 rows, and was read as the whole number 1"
    assert sum(bool(re.search(told, note)) for note in data.warnings) == 1
    assert not any("item_id is written" in note for note in data.warnings)


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
