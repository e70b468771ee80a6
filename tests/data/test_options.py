"""Options of a data set: one class knows keys, types and allowed values, whoever gives them."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hyperctr.data.options import TableOptions, parse_options
from hyperctr.data.rules import ClickRule, as_seconds
from hyperctr.errors import DataError, say

ALL = TableOptions(
    name='my "films"',
    clock="ordinal",
    click="watch_ratio > 2",
    separator="\t",
    on_bad="mask",
    on_bad_rows="skip",
    ignore=("cate_id", "tab"),
    slot_count=24,
    licence="CC BY 4.0",
    columns={"user_id": "userId", "timestamp": "date time"},
)


def test_toml_keeps_every_option(tmp_path: Path) -> None:
    (tmp_path / "table.toml").write_text(ALL.to_toml())
    assert TableOptions.of_folder(tmp_path) == ALL
    assert TableOptions().to_toml() == ""
    assert tomllib.loads(ALL.to_toml())["columns"] == {"user_id": "userId", "timestamp": "date time"}
    given = TableOptions.of_folder(tmp_path, ["slot_count=12", "columns.item_id=vid"])
    assert (given.slot_count, given.name) == (12, 'my "films"')
    assert given.columns == {"user_id": "userId", "timestamp": "date time", "item_id": "vid"}
    assert TableOptions.of_folder(tmp_path / "nowhere") == TableOptions()


def test_texts_are_read_as_their_option_wants_them() -> None:
    texts = ["name=2018", "separator=;", "click=is_click", "slot_months=3", "ignore=a, b", 'columns.item_id="v id"']
    options = TableOptions().with_overrides(texts)
    assert (options.name, options.separator, options.click, options.slot_months) == ("2018", ";", "is_click", 3)
    assert (options.ignore, options.columns) == (("a", "b"), {"item_id": "v id"})
    for written in ("tab", r"\t", "\t"):
        assert TableOptions().with_overrides([f"separator={written}"]).separator == "\t"
    assert parse_options(["num_users=60"]) == {"num_users": 60}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"clik": "x"}, "no option 'clik'; did you mean 'click'"),
        ({"clock": "calender"}, "option clock = 'calender': did you mean 'calendar'"),
        ({"on_bad": "drop"}, "option on_bad = 'drop'"),
        ({"slot_months": "six"}, "option slot_months = 'six' must be of type int"),
        ({"slot_months": 19}, "slot_months = 19 is out of bounds: must be between 0 and 18"),
        ({"slot_months": 3, "slot_count": 4}, "give one"),
        ({"slot_months": 3, "clock": "ordinal"}, "an ordinal clock has no months"),
        ({"time": "ms", "clock": "ordinal"}, "the numbers of an ordinal clock have no unit"),
        ({"time": "msec"}, "time = 'msec' is not known; allowed: s, ms, us, ns, days"),
        ({"time": "%H:%M"}, "time = '%H:%M' is not known"),
        ({"click": "rating >= 4 and x"}, "which is no number"),
        ({"click": "a > 1 > 2"}, "is no rule"),
        ({"click": "__import__('os').system('x') >= high"}, "which is no number"),
        ({"separator": "&"}, "separator = '&' is not known"),
        ({"ignore": "cate_id"}, "must be a list"),
        ({"columns": {"clicked": "is_click"}}, "say click='is_click'"),
        ({"columns": {"user": "userId"}}, "columns.user names no column of ours; did you mean 'user_id'"),
        ({"columns": "userId"}, "must be a table"),
        (["time"], "must be written key=value"),
    ],
)
def test_wrong_options_are_refused(given: Any, message: str) -> None:
    with pytest.raises(DataError, match=message.replace("(", r"\(").replace(")", r"\)")):
        TableOptions().with_overrides(given)


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "table.toml"
    for content in (b"clock = ordinal", b"clok = 'ordinal'", b"\xff\xfe", b"[columns]\nuser_id = 7"):
        path.write_bytes(content)
        with pytest.raises(DataError, match="table.toml: "):
            TableOptions.of_folder(tmp_path)


@pytest.mark.parametrize(
    ("rule", "values", "clicks"),
    [
        ("rating>=4", [3.5, 4, 5], [False, True, True]),
        ("rating >= 4", ["3", "4.0", " 5 "], [False, True, True]),
        ("rating = 4", ["3", "4", "5"], [False, True, False]),
        ("event == buy", ["buy", "view", None], [True, False, False]),
        ("event != 'view'", ["buy", "view", "cart"], [True, False, True]),
        ("liked > 0", [True, False, True], [True, False, True]),
        ("is_click", ["1", "false", "TRUE"], [True, False, True]),
        ("all", [0, 0, 0], [True, True, True]),
    ],
)
def test_click_rules(rule: str, values: list[Any], clicks: list[bool]) -> None:
    assert ClickRule.parse(rule).clicks(pd.Series(values), "log.csv").tolist() == clicks


def test_a_rule_needs_numbers() -> None:
    with pytest.raises(DataError, match=r"log.csv, row 1 .*rating '' is missing or no number.*'rating >= 4'"):
        ClickRule.parse("rating >= 4").clicks(pd.Series(["4", ""], name="rating"), "log.csv")


def test_units_of_time() -> None:
    assert {unit: as_seconds(np.array([86_400 * 10**9]), unit).tolist() for unit in ("s", "ms", "us", "ns")} == {
        "s": [86_400 * 10**9],
        "ms": [86_400 * 10**6],
        "us": [86_400 * 10**3],
        "ns": [86_400],
    }
    assert as_seconds(np.array([18_000]), "days").tolist() == [18_000 * 86_400]


def test_advice_can_be_typed() -> None:
    assert say("time", "%Y%m%d") == "say time='%Y%m%d' (--option time=%Y%m%d)"
    assert say("columns.user_id", "user") == "say columns={'user_id': 'user'} (--option columns.user_id=user)"
    assert say("ignore", ["a", "b c"]) == "say ignore=['a', 'b c'] (--option 'ignore=a,b c')"
