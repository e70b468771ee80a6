"""Tables 2-4 by value: measured beside published, marks only where the interval says so, lost runs as rows."""

from __future__ import annotations

import io
import math
import re
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from jinja2 import UndefinedError

import hyperctr.paper
from hyperctr.config import Config
from hyperctr.display.latex import escape
from hyperctr.display.table import Table
from hyperctr.paper.prose import prose
from hyperctr.paper.tables.costs import costs, costs_frame
from hyperctr.paper.tables.rows import PUBLISHED, difference_to_published, headline, measured_rows
from hyperctr.paper.tables.table3_overall import below_popularity, improvement, table3, table3_frame, table3_note
from hyperctr.paper.tables.table4_modalities import table4, table4_frame, table4_note
from hyperctr.paper.tables.tables1and2 import table2, table2_frame
from hyperctr.settings import VARIANTS
from tests.paper.frames import baselines_frame, results_frame, sweep_of

CONTRACT = [
    "model",
    "dataset",
    "protocol",
    "seeds",
    "auc",
    "auc_low",
    "auc_high",
    "gauc",
    "logloss",
    "paper_auc",
    "paper_logloss",
]


def overall(dataset: str = "ml-trailers", popularity: float = 0.7) -> Any:
    """A sweep of three models over three seeds, one that fails, baselines beside them."""
    runs = results_frame(
        {"hyperctr": [0.85, 0.852, 0.848], "gru4rec": [0.6, 0.61, 0.59]},
        failed={"thacil": "out of memory"},
        dataset=dataset,
    )
    runs["model"] = runs["label"]
    return sweep_of(runs, baselines_frame(3, popularity=popularity, reference=0.8), dataset=dataset)


def well_formed(table: Table) -> str:
    """The LaTeX of a table, checked: balanced, every row as wide as the columns, nothing left to escape."""
    text = table.latex()
    assert text.count("{") - text.count(r"\{") == text.count("}") - text.count(r"\}")
    for name in ("table", "tabular"):
        assert text.count(rf"\begin{{{name}}}") == text.count(rf"\end{{{name}}}") == 1
    assert re.findall(r"\\(?:top|bottom)rule", text) == [r"\toprule", r"\bottomrule"]
    body = text.split(r"\toprule")[1].split(r"\bottomrule")[0]
    lines = [line for line in body.splitlines() if line.endswith(r"\\")]
    widths = [len(re.findall(r"(?<!\\)&", line)) + 1 for line in lines]
    spans = sum(int(count) - 1 for count in re.findall(r"\\multicolumn{(\d+)}", lines[0]))
    assert widths[0] + spans == len(table.head)
    assert set(widths[1:]) == {len(table.head)}
    assert not re.search(r"(?<!\\)[%#_$](?!-\$|\\)", re.sub(r"\$[^$]*\$", "", text.replace(r"\label{tab:table", "")))
    return text


def test_table3_has_the_columns_that_others_rely_on() -> None:
    frame = table3_frame(overall())
    assert frame.columns.tolist()[: len(CONTRACT)] == CONTRACT
    own = measured_rows(frame).set_index("model")
    row = own.loc["hyperctr"]
    assert (row["seeds"], row["protocol"], row["state"]) == (3, "as-published", "done")
    assert (row["auc"], row["auc_low"], row["auc_high"]) == pytest.approx((0.85, 0.8450317, 0.8549683))  # t(2) 4.302653
    assert (row["paper_auc"], row["paper_logloss"]) == (0.836, 0.538)
    assert (row["gauc"], row["logloss"]) == pytest.approx((0.83, 0.575))
    assert own.loc["thacil", ["seeds", "state", "error"]].tolist() == [0, "failed", "out of memory"]
    assert own.loc["dstn", ["seeds", "state"]].tolist() == [0, "no run"]
    assert math.isnan(own.loc["popularity", "paper_auc"])
    gains = [0.25 if name == "gru4rec" else 0.05 for name in ("gru4rec", "content matrix factorisation")]
    behind = own.loc[["gru4rec", "content matrix factorisation"], "auc_deficit"]
    assert behind.tolist() == pytest.approx(gains) and math.isnan(row["auc_deficit"])  # the first is behind none
    assert own.index.tolist()[:8] == ["gru4rec", "thacil", "dstn", "mimn", "alpine", "autofis", "ubr4ctr", "hyperctr"]


def test_the_published_table_stands_below_whatever_the_data() -> None:
    frame = table3_frame(overall("planted"))
    stated = frame[frame["state"] == PUBLISHED]
    assert len(stated) == 24
    assert stated["auc"].isna().all()
    cell = stated[(stated["model"] == "ubr4ctr") & (stated["dataset"] == "MV1.7M")]
    assert cell[["paper_auc", "paper_logloss"]].values.tolist() == [[0.807, 0.5605]]
    assert measured_rows(frame)["paper_auc"].isna().all(), "planted data have no published counterpart"


def test_one_seed_keeps_its_own_interval_and_several_get_one_over_seeds() -> None:
    one = table3_frame(sweep_of(results_frame({"hyperctr": 0.8}), baselines_frame()))
    row = measured_rows(one).set_index("model").loc["hyperctr"]
    assert (row["auc_low"], row["auc_high"]) == pytest.approx((0.79, 0.81))
    assert math.isnan(row["logloss_low"])
    assert measured_rows(table3_frame(overall())).set_index("model").loc["hyperctr", "logloss_low"] == pytest.approx(
        0.5725158
    )


def test_of_two_variants_the_one_better_on_validation_is_reported() -> None:
    runs = results_frame({"table2": 0.7, "author": 0.69}, validation={"table2": 0.6, "author": 0.65}, model="gru4rec")
    row = measured_rows(table3_frame(sweep_of(runs, baselines_frame()))).set_index("model").loc["gru4rec"]
    assert (row["label"], row["auc"]) == ("author", 0.69)
    more = pd.concat([runs, results_frame({"table2": [0.7, 0.7]}, model="gru4rec").tail(1)])
    assert (
        measured_rows(table3_frame(sweep_of(more, baselines_frame()))).set_index("model").loc["gru4rec", "label"]
        == "table2"
    )


def test_a_second_protocol_is_a_block_of_its_own() -> None:
    runs = [
        results_frame({"hyperctr": high, "gru4rec": low}, protocol=name, dataset="ml-trailers")
        for name, high, low in (("as-published", 0.8, 0.7), ("causal", 0.9, 0.65))
    ]
    both = pd.concat(runs).assign(model=lambda frame: frame["label"])
    simple = pd.concat(
        [baselines_frame(popularity=0.6, protocol="as-published"), baselines_frame(popularity=0.68, protocol="causal")]
    )
    both.loc[both["model"] == "gru4rec", "label"] = "gru4rec, author"
    frame = table3_frame(sweep := sweep_of(both, simple, dataset="ml-trailers"))
    assert frame.loc[frame["state"] == "done", "protocol"].value_counts().to_dict() == {"as-published": 6, "causal": 6}
    table = table3(sweep)
    titles = [(row[0].text, row[0].small) for row in table.rows if not isinstance(row[0], str)]
    first = titles.index(("GRU4Rec", "causal; below popularity; variant author"))
    assert ("GRU4Rec", "as-published; variant author") in titles[:first]
    assert first in table.rules_before
    bold = {titles[place] for place, row in enumerate(table.rows) if not isinstance(row[1], str) and row[1].bold}
    assert bold == {("HyperCTR", "as-published"), ("HyperCTR", "causal")}
    assert improvement(frame)["auc"] == pytest.approx(100 * (0.8 / 0.7 - 1))
    assert headline(frame, 3) == {
        "AUC of hyperctr": 0.8,
        "AUC of gru4rec": 0.7,
        "AUC of content matrix factorisation": 0.7,
    }
    runs = [
        SimpleNamespace(label=f"gru4rec, {variant}", config=Config.for_model("gru4rec", variant=variant))
        for variant in VARIANTS
    ]
    frame.loc[(frame["model"] == "gru4rec") & (frame["protocol"] == "causal"), "label"] = "gru4rec, table2"
    found = table2_frame(runs, frame).set_index("model").loc["gru4rec"]  # type: ignore[arg-type]
    assert found["batch_size"] == Config.for_model("gru4rec", variant="author").batch_size != 200, (
        "of the first protocol"
    )
    first, second, *stated = table3_note(frame).split("\n\n")
    assert stated and all(note.startswith("*On the paper*: ") for note in stated)
    assert "Of the paper's 7 other systems 1 has a result" in first and "No model is below popularity." in first
    assert second.startswith("Under protocol causal: HyperCTR has a test AUC of 0.9000")
    assert "Below popularity: GRU4Rec." in second
    well_formed(table)


@pytest.mark.parametrize(
    ("low", "high", "lower_is_better", "text", "tone"),
    [
        (0.84, 0.86, False, "▲\u00a0+0.0140", "good"),
        (0.84, 0.86, True, "▲\u00a0+0.0140", "bad"),
        (0.83, 0.86, False, "+0.0140", ""),
        (math.nan, math.nan, False, "+0.0140", ""),
    ],
)
def test_a_difference_is_marked_only_if_the_interval_leaves_the_print_out(
    low: float, high: float, lower_is_better: bool, text: str, tone: str
) -> None:
    cell = difference_to_published(0.85, low, high, 0.836, lower_is_better=lower_is_better)
    assert (cell.text, cell.tone) == (text, tone)
    assert difference_to_published(math.nan, low, high, 0.836, lower_is_better=lower_is_better).text == "–"


def test_table3_on_a_page_and_in_print() -> None:
    table = table3(overall())
    frame = table3_frame(overall())
    rows = {row[0].text: row for row in table.rows if not isinstance(row[0], str)}
    assert rows["GRU4Rec"][0].small == "below popularity"
    assert rows["THACIL"][0].small == "failed"
    published = ["0.8120", "0.8670", "0.8360"]
    assert [cell.small for cell in rows["HyperCTR"][8:]] == ["0.5548", "0.5160", "0.5380"]
    measured = ["0.8500", "0.8585", "0.8300", "0.5750", "0.5250"]  # the last is held against the published 0.5380
    assert [cell.text for cell in rows["HyperCTR"][1:]] == [*measured, "▲\u00a0+0.0140", "▼\u00a0−0.0130", *published]
    assert [cell.tone for cell in rows["HyperCTR"][6:8]] == ["good", "good"]
    assert rows["Improv. (%)"][5].text == f"{100 * (1 - 0.525 / 0.65):.2f}"
    assert [(cell.text, cell.small) for cell in rows["Improv. (%)"][8:]] == [
        ("3.18", "1.49"),
        ("7.43", "4.51"),
        ("3.85", "1.03"),
    ]
    assert improvement(frame)["auc"] == pytest.approx(100 * (0.85 / 0.6 - 1))
    text = well_formed(table)
    assert r"GRU4Rec {\scriptsize below popularity} & 0.6000" in text
    assert r"\multicolumn{3}{c}{published: AUC, small: log loss}" in text
    page = table.html()
    assert page.count("<tr") == 2 + len(table.rows)
    assert '<th colspan="5" style="text-align:center">measured, ml-trailers</th>' in page
    assert len(table3(overall("planted")).head) == len(table.head) - 2


def test_a_model_below_popularity_is_marked_only_then() -> None:
    frame = table3_frame(overall(popularity=0.9))
    assert measured_rows(frame)["model"][below_popularity(measured_rows(frame))].tolist() == [
        "gru4rec",
        "hyperctr",
        "content matrix factorisation",
    ]
    assert not below_popularity(measured_rows(table3_frame(overall(popularity=0.5)))).any()


def test_costs_and_states() -> None:
    """Two variants of one system, of which validation chose the slower one, and one that failed."""
    runs = results_frame(
        {"hyperctr": [0.8, 0.82], "dstn, table2": 0.7, "dstn, author": 0.69},
        failed={"thacil": "x"},
        validation={"hyperctr": 0.8, "dstn, table2": 0.6, "dstn, author": 0.65},
    )
    runs["model"] = runs["label"].str.partition(",")[0]
    runs.loc[runs["label"] == "dstn, author", "seconds_per_epoch"] = 30.0
    frame = costs_frame(runs)
    assert frame[["model", "variant", "reported", "seeds", "minutes"]].to_numpy().tolist() == [
        ["thacil", "", True, 0, 0.0],
        ["dstn", "table2", False, 2, 2.0],
        ["dstn", "author", True, 2, 2.0],
        ["hyperctr", "", True, 2, 2.0],
    ]
    assert frame["times_hyperctr"].tolist()[1:] == [1.0, 2.5, 1.0]
    assert frame.loc[2, ["best_validation_auc", "auc", "epochs"]].tolist() == pytest.approx([0.65, 0.69, 4.0])
    table = costs(sweep_of(runs))
    assert table.strong == {2} and table.caption.startswith("All together: 6 minutes")
    rows = [[getattr(cell, "text", cell) for cell in row] for row in table.rows]
    words = [row[0].small for row in table.rows if not isinstance(row[0], str)]
    assert words == ["failed; x", "table2", "author", ""]
    assert rows[3][:2] + rows[3][4:] == ["HyperCTR", "2", "100,000", "3.0", "12.00", "1.00", "2.0", "800"]
    assert rows[0] == ["THACIL", "0"] + ["–"] * 6 + ["0.0", "–"]
    same = runs[runs["model"] == "dstn"].assign(run=lambda one: one["seed"].astype(str))
    assert costs_frame(same)[["variant", "minutes"]].to_numpy().tolist() == [["table2 = author", 2.0]], (
        "one variant, run once"
    )


def test_table2_prints_both_settings_and_marks_what_differs() -> None:
    runs: list[Any] = [
        SimpleNamespace(label="hyperctr", config=Config.for_model("hyperctr", "smoke")),
        SimpleNamespace(label="gru4rec", config=Config.for_model("gru4rec", batch_size=64)),
        SimpleNamespace(label="other", config=Config.for_model("gru4rec", batch_size=32)),
    ]
    sweep = overall()
    sweep.runs = runs
    table = table2(sweep)
    assert table.frame is not None
    frame = table.frame.set_index("model")
    assert frame.loc["gru4rec", ["batch_size_published", "batch_size"]].tolist() == [200, 64]
    assert frame.loc["gru4rec", ["learning_rate_published", "learning_rate", "optimiser"]].tolist() == [
        0.05,
        0.05,
        "adagrad",
    ]
    assert math.isnan(frame.loc["mimn", "batch_size"])
    assert "regulariser 0, 1e-05" in frame.loc["hyperctr", "text"]
    line: Any = next(row for row in table.rows if getattr(row[0], "text", "") == "GRU4Rec")
    assert [(cell.text, cell.small) for cell in line[1:5]] == [("200", ""), ("64", "differs"), ("0.1", ""), ("0.1", "")]
    assert "nan" not in well_formed(table)


def modalities() -> pd.DataFrame:
    """Table 4's runs, one seed."""
    frame = results_frame(
        {"multi-modal": 0.85, "visual-modal": 0.8, "(-) hypergraph": 0.848},
        plan="modalities",
        auc_deficit=0.0,
        auc_deficit_low=0.0,
        auc_deficit_high=0.0,
        failed={"textual-modal": "killed"},
    )
    for label, (value, low, high) in {
        "visual-modal": (0.05, 0.04, 0.06),
        "(-) hypergraph": (0.002, -0.001, 0.005),
    }.items():
        frame.loc[frame["label"] == label, ["auc_deficit", "auc_deficit_low", "auc_deficit_high"]] = value, low, high
    return frame


def test_table4_shows_how_far_each_row_is_behind() -> None:
    frame = table4_frame(sweep_of(modalities(), dataset="ml-trailers"))
    own = measured_rows(frame).set_index("model")
    assert own.loc["visual-modal", ["auc_deficit", "auc_deficit_low", "auc_deficit_high"]].tolist() == [
        0.05,
        0.04,
        0.06,
    ]
    assert math.isnan(own.loc["multi-modal", "auc_deficit"])
    assert own.loc["textual-modal", "state"] == "failed"
    assert own.loc["visual-modal", "paper_auc"] == 0.8259
    table = table4(sweep_of(modalities(), dataset="ml-trailers"))
    rows = {row[0].text: row for row in table.rows}
    assert [cell.text for cell in rows["(-) hypergraph"][2:5]] == ["0.5760", "0.5260", "(0.0020)"]
    assert rows["acoustic-modal"][1].text == "–"
    assert rows["acoustic-modal"][-1].small == "0.5373"
    assert rows["textual-modal"][0].small == "failed"
    well_formed(table)


def test_runs_recorded_before_there_was_a_calibration_leave_its_cells_empty() -> None:
    new = ["auc_centred", "logloss_calibrated"]
    older = sweep_of(
        overall().results.assign(**dict.fromkeys(new, math.nan)), overall().baselines, dataset="ml-trailers"
    )
    older.baselines[new] = math.nan
    rows = {row[0].text: row for row in table3(older).rows if not isinstance(row[0], str)}
    assert [cell.text for cell in rows["HyperCTR"][1:8]] == [
        "0.8500",
        "–",
        "0.8300",
        "0.5750",
        "–",
        "▲\u00a0+0.0140",
        "–",
    ]
    assert rows["Improv. (%)"][5].text == "–"
    assert "comparable" not in table3_note(table3_frame(older))
    alone = {row[0].text: row for row in table4(sweep_of(modalities().assign(**dict.fromkeys(new, math.nan)))).rows}
    assert [cell.text for cell in alone["(-) hypergraph"][1:5]] == ["0.8480", "0.5760", "–", "(0.0020)"]


def test_no_row_loses_by_the_comparison_across_users() -> None:
    runs = results_frame({"hyperctr": 0.8}).assign(auc_centred=0.79)
    words = table3_note(table3_frame(sweep_of(runs, baselines_frame().assign(auc_centred=0.4))))
    assert "mean score" not in words


def test_over_seeds_the_distance_is_the_mean_of_the_pairs() -> None:
    frame = pd.concat([modalities().assign(seed=seed) for seed in range(2)])
    frame.loc[(frame["label"] == "visual-modal") & (frame["seed"] == 1), "auc_deficit"] = 0.07
    row = measured_rows(table4_frame(sweep_of(frame))).set_index("model").loc["visual-modal"]
    assert (row["seeds"], row["auc_deficit"]) == (2, pytest.approx(0.06))
    assert (row["auc_deficit_low"], row["auc_deficit_high"]) == pytest.approx((0.06 - 0.1270620, 0.06 + 0.1270620))


def test_paragraphs_say_what_the_tables_say() -> None:
    words = table3_note(table3_frame(overall()))
    assert "HyperCTR has a test AUC of 0.8500 [0.8450, 0.8550] (3 seeds). That is the highest in the table." in words
    assert "Of the paper's 7 other systems 1 has a result: GRU4Rec 0.6000." in words
    assert "Below popularity: GRU4Rec. Without a result: THACIL (failed)." in words
    gains = (
        "With each user's mean score subtracted, HyperCTR gains most, from AUC 0.8500 to 0.8585: pooling "
        "penalises it for scores that cannot be compared across users."
    )
    assert f"Without a result: THACIL (failed). {gains}" in words and "centred AUC" not in words
    lightgcn = pd.concat(
        [overall().results, results_frame({"lightgcn": 0.84}).assign(model="lightgcn", auc_centred=0.86)]
    )
    words = table3_note(table3_frame(sweep_of(lightgcn, overall().baselines)))
    assert "By the centred AUC the first is lightgcn with 0.8600, before HyperCTR with 0.8585." in words
    told, *stated = table4_note(table4_frame(sweep_of(modalities()))).split("\n\n")
    assert stated[-1].startswith("*On the paper*: (-) hypergraph: what replaces the hypergraph is not said")
    assert "Visual-modal (by 0.0500) is behind all together." in told
    assert "Without hyperedges the model is 0.0020 behind [−0.0010, 0.0050], which is not told apart from no" in told
    assert told.endswith("Without a result: textual-modal (failed).")
    none = results_frame({}, failed={"hyperctr": "disk full"})
    told = table3_note(table3_frame(sweep_of(none, baselines_frame())))
    assert told.startswith(
        "The highest is that of content matrix factorisation, 0.7000 [0.6900, 0.7100]. Of the paper's"
    )
    assert "other systems none has a result. No model is below popularity. Without a result: HyperCTR (failed)." in told
    told = table3_note(table3_frame(sweep_of(none, baselines_frame().head(0))))
    assert told.startswith("No run has a result yet. Without a result: HyperCTR (failed).\n\n*On the paper*")
    lost = results_frame({}, failed={"multi-modal": "disk full"})
    assert table4_note(table4_frame(sweep_of(lost))).startswith("The full model has no result yet")


def test_a_sweep_gives_tables_that_are_complete() -> None:
    """Each has its numbers, the paragraph under it, a file name and what the index page shows."""
    sweep = sweep_of(
        results_frame({"hyperctr": 0.8, "dstn": 0.7}).assign(model=lambda frame: frame["label"]),
        dataset="ml-trailers",
        measured="ml-trailers, one seed",
        runs=[SimpleNamespace(label="hyperctr", config=Config.for_model("hyperctr", "smoke"))],
    )
    third = hyperctr.paper.table3(sweep)
    assert third.name == "table3" and third.caption.startswith("ml-trailers, one seed. ml-trailers is not the paper's")
    assert third.headline["AUC of hyperctr"] == 0.8 and third.note.startswith("HyperCTR has a test AUC of 0.8000")
    assert pd.read_csv(io.StringIO(third.csv())).columns.tolist()[: len(CONTRACT)] == CONTRACT
    assert hyperctr.paper.costs(sweep).frame["model"].tolist() == ["dstn", "hyperctr"]  # type: ignore[index]
    second = hyperctr.paper.table2(sweep)
    assert second.frame["batch_size"].notna().sum() == 1 and second.note.startswith("*On the paper*")  # type: ignore[index]
    sweep.results = modalities()
    fourth = hyperctr.paper.table4(sweep)
    assert fourth.name == "table4" and fourth.headline["AUC of multi-modal"] == 0.85


def test_a_paragraph_lacks_no_value_silently() -> None:
    with pytest.raises(UndefinedError, match="'notes' is undefined"):
        prose("on_the_paper")


def test_latex_escapes_what_it_would_read() -> None:
    assert escape(r"a_b & 5 % {x} \y ~ #1 ^ $") == (
        r"a\_b \& 5 \% \{x\} \textbackslash{}y \textasciitilde{} \#1 \textasciicircum{} \$"
    )
    assert escape("✓\u00a0holds") == "holds"
    assert escape("▲ −1 – 2") == r"$\uparrow$ $-$1 -- 2"
