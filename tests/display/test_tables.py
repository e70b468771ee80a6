"""Tables say the numbers with their intervals; Table 1 shows what the paper prints and what follows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from hyperctr.data.registry import load_dataset
from hyperctr.display.table import frame_table, metrics_table, show_number
from hyperctr.figures.describe import ahead_table
from hyperctr.paper.tables.table1_datasets import table1, table1_layout


def test_metrics_table_marks_the_best_and_shows_intervals() -> None:
    rows = pd.DataFrame(
        {
            "model": ["a <b>", "constant"],
            "auc": [0.81234, 0.5],
            "auc_low": [0.80, np.nan],
            "auc_high": [0.82, np.nan],
            "logloss": [0.6, 0.55],
            "logloss_corrected": [0.5, np.nan],
        }
    )
    table = metrics_table(rows, caption="on x & y")
    assert table.head == ["model", "AUC", "log loss", "log loss, corrected"]
    assert table.rows[0] == ("a &lt;b&gt;", "<b>0.8123</b> <small>0.8000 to 0.8200</small>", "0.6000", "<b>0.5000</b>")
    assert table.rows[1] == ("constant", "0.5000", "<b>0.5500</b>", "–")
    page = table._repr_html_()
    assert "on x &amp; y" in page
    assert page.count("<tr") == 3


def test_frame_table_escapes_and_aligns() -> None:
    table = frame_table(pd.DataFrame({"who": ["<script>"], "n": [1234567], "share": [0.5]}), strong=[0])
    assert table.rows == [("&lt;script&gt;", "1,234,567", "0.5000")]
    assert table.text_columns == frozenset({0})
    assert '<tr style="font-weight:600">' in table._repr_html_()
    assert show_number(True) == "yes"


@pytest.mark.parametrize(
    ("low", "high", "verdict"), [(0.01, 0.03, "ahead"), (-0.3, -0.1, "behind"), (-1, 1, "not told")]
)
def test_a_difference_is_called_only_outside_its_interval(low: float, high: float, verdict: str) -> None:
    rows = pd.DataFrame(
        {"model": ["x", "y"], "ahead": [None, 0.02], "ahead_low": [None, low], "ahead_high": [None, high]}
    )
    assert ahead_table(rows).rows[0][-1].startswith(verdict)


def test_table1_prints_the_paper_and_recomputes_its_sparsity() -> None:
    data = load_dataset("planted", num_users=40, num_items=90, num_interactions=500, months=3)
    table = table1(data)
    paper = table[table["source"] == "paper"].set_index("dataset")
    assert paper.loc["MovieLens 10M", ["items", "users", "interactions"]].tolist() == [10_681, 71_567, 10_000_054]
    assert paper["sparsity"].round(2).tolist() == [99.96, 99.93, 98.69]
    assert paper["sparsity_printed"].dropna().tolist() == [99.98, 99.63]
    assert paper.loc["Kuaishou", ["visual", "textual"]].tolist() == [2048, 128]
    assert pd.isna(paper.loc["Kuaishou", "acoustic"])
    own = table.iloc[-1]
    assert (own["dataset"], own["users"], own["interactions"]) == ("planted", data.num_users, 500)
    assert own["sparsity"] == pytest.approx(100 * (1 - 500 / (data.num_users * data.num_items)))
    page = table1_layout(table).html()._repr_html_()
    assert "98.69 %" in page
    assert "99.63 %" in page
