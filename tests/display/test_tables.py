"""Tables say the numbers with their intervals; Table 1 shows what the paper prints and what follows."""

from __future__ import annotations

import io
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from hyperctr.data.registry import load_dataset
from hyperctr.display.figure import Figure
from hyperctr.display.table import Cell, Table
from hyperctr.display.theme import PLOTLY_MIME, figure
from hyperctr.figures.describe import gains_table, metrics_table
from hyperctr.paper.tables.tables1and2 import table1
from hyperctr.written import show_number


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
    page = table.html()
    for cell in ("a &lt;b&gt;", "<b>0.8123</b> <small>[0.8000, 0.8200]</small>", "0.6000", "<b>0.5000</b>"):
        assert f">{cell}</td>" in page
    assert "<td>0.5000</td><td><b>0.5500</b></td><td>–</td>" in page
    assert "on x &amp; y" in page
    assert page.count("<tr") == 3


def test_frame_table_escapes_and_aligns() -> None:
    table = Table.from_frame(pd.DataFrame({"who": ["<script>"], "n": [1234567], "share": [0.5]}), strong=[0])
    assert table.rows == [["<script>", "1,234,567", "0.5000"]]
    assert table.text_columns == frozenset({0})
    row = '<tr style="font-weight:600"><td style="text-align:left">&lt;script&gt;</td><td>1,234,567</td>'
    assert row in table.html() == table._repr_html_()
    assert r"\textbf{1,234,567}" in table.latex() and "**1,234,567**" in table.markdown()
    assert show_number(True) == "yes"


def test_one_table_in_five_forms() -> None:
    rows = [["a|b", Cell("0.81", "0.80 to 0.82", tone="good", bold=True)], ["c", "0.7"]]
    table = Table(["who", "AUC"], rows, caption="On *x*.", name="few", groups=[("", 1), ("ours", 1)], note="A note.")
    assert table.markdown() == (
        "| who | AUC |\n| --- | --- |\n| a\\|b | **0.81** (0.80 to 0.82) |\n| c | 0.7 |\n\nOn *x*.\n\nA note."
    )
    assert (
        table.text()
        == repr(table)
        == "who                  AUC\na|b  0.81 (0.80 to 0.82)\nc                    0.7\nOn *x*."
    )
    assert table.csv() == "who,AUC\na|b,0.81 (0.80 to 0.82)\nc,0.7\n", "without numbers behind them the cells"
    numbers = pd.DataFrame({"who": ["a|b", "c"], "auc": [0.8123, 0.7]})
    assert replace(table, frame=numbers).csv() == "who,auc\na|b,0.8123\nc,0.7\n"
    assert r"a|b & \textbf{0.81} {\scriptsize 0.80 to 0.82} \\" in table.latex()
    assert r"\label{tab:few}" in table.latex() and r"\label" not in replace(table, name="").latex()
    assert '<span style="color:var(--good,#0a7d5a)"><b>0.81</b></span> <small>' in table.html()
    assert Table(["n"], []).text() == "n" and Table(["n"], []).csv() == "n\n"


def test_a_figure_shows_its_chart() -> None:
    shown = Figure(figure("Clicks", x="month"), name="clicks")
    assert shown._repr_mimebundle_()[PLOTLY_MIME]["layout"]["title"]["text"] == "Clicks"
    assert repr(shown) == "Figure: Clicks"


@pytest.mark.parametrize(
    ("low", "high", "verdict"), [(0.01, 0.03, "ahead"), (-0.3, -0.1, "behind"), (-1, 1, "not told")]
)
def test_a_difference_is_called_only_outside_its_interval(low: float, high: float, verdict: str) -> None:
    rows = pd.DataFrame(
        {"model": ["x", "y"], "auc_gain": [None, 0.02], "auc_gain_low": [None, low], "auc_gain_high": [None, high]}
    )
    assert gains_table(rows).rows[0][-1].startswith(verdict)


def test_table1_prints_the_paper_and_recomputes_its_sparsity() -> None:
    data = load_dataset("planted", num_users=40, num_items=90, num_interactions=500, months=3)
    shown = table1(SimpleNamespace(data=data))  # type: ignore[arg-type]
    table = shown.frame
    assert table is not None
    paper = table[table["source"] == "published"].set_index("dataset")
    assert paper.loc["MovieLens 10M", ["items", "users", "interactions"]].tolist() == [10_681, 71_567, 10_000_054]
    assert paper["sparsity"].round(2).tolist() == [99.96, 99.93, 98.69]
    assert paper["sparsity_published"].dropna().tolist() == [99.98, 99.63]
    assert paper.loc["Kuaishou", ["visual", "textual"]].tolist() == [2048, 128]
    assert pd.isna(paper.loc["Kuaishou", "acoustic"])
    own = table.iloc[-1]
    assert (own["dataset"], own["users"], own["interactions"]) == ("planted", data.num_users, 500)
    assert own["sparsity"] == pytest.approx(100 * (1 - 500 / (data.num_users * data.num_items)))
    page = shown.html()
    assert pd.read_csv(io.StringIO(shown.csv()))["source"].tolist() == ["published"] * 3 + ["measured"]
    assert "98.69 %" in page
    assert "99.63 %" in page
