"""One way to write numbers: no minus before a zero, no commas in ids, and nobody writes his own."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hyperctr.display.table import Table, value_cell
from hyperctr.statistics import Interval
from hyperctr.written import show_interval, show_number

PACKAGE = Path(__file__).parent.parent / "hyperctr"


@pytest.mark.parametrize(
    ("value", "digits", "sign", "text"),
    [
        (-0.00004, 4, False, "0.0000"),
        (-0.00004, 4, True, "0.0000"),
        (-0.00005001, 4, False, "−0.0001"),
        (np.float32(-1e-9), 2, True, "0.00"),
        (-0.0, 0, False, "0"),
        (0, 4, True, "0"),
        (-1234567, 4, False, "−1,234,567"),
        (1234.5, 1, True, "+1,234.5"),
        (np.int64(12), 4, False, "12"),
        (np.inf, 4, True, "–"),
        (pd.NA, 4, True, "–"),
        (None, 4, False, "–"),
        (np.False_, 4, False, "no"),
        ("-0.0000", 4, False, "-0.0000"),
    ],
)
def test_a_number_is_written_as_people_write_it(value: object, digits: int, sign: bool, text: str) -> None:
    assert show_number(value, digits, sign=sign) == text


def test_every_form_of_a_table_and_an_interval_keeps_to_it() -> None:
    assert show_interval(-0.00001, 0.01234, sign=True) == "[0.0000, +0.0123]"
    assert str(Interval(-1e-6, -0.02, 1e-6, 0.95, 9, 99)) == "0.0000 [−0.0200, 0.0000]"
    frame = pd.DataFrame({"item_id": [10244], "user": [12345], "clicks": [10244], "change": [-1e-7]})
    table = Table.from_frame(frame)
    assert table.rows == [["10244", "12345", "10,244", "0.0000"]]
    shown = Table(["x"], [[value_cell(-1e-7, -0.02, 0.01, sign=True)]])
    for text in (shown.html(), shown.markdown(), shown.text()):
        assert "-0" not in text and "0.0000" in text and "−0.0200" in text
    assert "$-$0.0200" in shown.latex()


def test_nothing_shown_formats_a_difference_by_itself() -> None:
    """A sign or four digits in a format string of what is displayed would bring the minus zero back."""
    shown = [path for name in ("display", "figures", "paper", "report") for path in (PACKAGE / name).rglob("*.*")]
    for path in shown:
        if path.suffix in (".py", ".j2"):
            text = re.sub(r"%\{[^}]*\}", "", path.read_text(encoding="utf-8"))  # plotly's own, which writes zero well
            assert not re.search(r"\{[^{}]*:[^{}]*\.4f\}|:\+[^{}]*f\}|%\+?\.4f|%\+", text), path
