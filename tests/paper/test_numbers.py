"""The paper's numbers: complete, and the notes on them are what recomputing the print gives."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from hyperctr.errors import ConfigError
from hyperctr.paper.numbers import (
    METRICS,
    beside,
    counterpart,
    improvements,
    notes,
    paper_numbers,
    printed,
    printed_cell,
    printed_columns,
    stated_best,
)


def test_improvements_follow_from_the_printed_cells() -> None:
    found = improvements().set_index(["dataset", "metric"])
    assert found["best"].tolist() == ["AutoFIS", "ALPINE", "UBR4CTR", "AutoFIS", "UBR4CTR", "AutoFIS"]
    off = found[(found["recomputed"].round(2) != found["printed"])]
    assert off.index.tolist() == [("MV1.7M", "logloss")]
    assert off["recomputed"].round(3).item() == 4.515
    assert any("4.515 % for the log loss on MV1.7M, printed 4.51 %" in note for note in notes("table3"))
    assert (found["recomputed"] - found["printed"]).abs().max() < 0.01


def test_the_note_on_sparsity_is_what_the_counts_give() -> None:
    for row in paper_numbers()["table1"]["rows"]:
        sparsity = 100 * (1 - row["interactions"] / (row["users"] * row["items"]))
        assert f"from the printed counts {sparsity:.2f} %" in row["note"]
        assert abs(sparsity - row.get("sparsity_percent", math.inf)) > 0.01


def test_the_note_on_movielens_log_loss_is_what_the_cells_say() -> None:
    cells = printed("table4").query("dataset == 'MovieLens'").set_index("name")["logloss"]
    assert cells["multi-modal"] > cells[["visual-modal", "acoustic-modal", "textual-modal"]].max()
    assert any("0.5380, is above those of the three single modalities" in note for note in notes("table4"))


def test_equal_cells_that_the_notes_name_are_equal() -> None:
    cells = {
        name: printed_cell("table3", name, column)["auc"]
        for name, column in (("gru4rec", "MV1.7M"), ("mimn", "MovieLens"))
    }
    assert cells["gru4rec"] == cells["mimn"] == 0.7522
    assert printed_cell("table3", "gru4rec", "MovieLens")["auc"] == printed_cell("table3", "mimn", "MV1.7M")["auc"]
    own = [printed_cell("table3", "hyperctr", column) for column in printed_columns()]
    assert own == [printed_cell("table4", "multi-modal", column) for column in printed_columns()]


def test_tables_are_complete() -> None:
    assert len(printed("table3")) == 8 * 3
    assert printed("table3")[list(METRICS)].notna().all(axis=None)
    table4 = printed("table4")
    missing = table4[table4["auc"].isna()]
    assert missing[["name", "dataset"]].values.tolist() == [["acoustic-modal", "Kuaishou"]]
    assert [row["model"] for row in paper_numbers()["table2"]["rows"]] == printed("table3")["model"].unique().tolist()[
        :-1
    ]
    assert math.isnan(printed_cell("table3", "popularity", "MovieLens")["auc"])
    assert [(one["dataset"], one["low"]) for one in stated_best("slot_months")] == [
        ("Kuaishou", 6),
        ("MV1.7M", 3),
        ("MovieLens", 12),
    ]


@pytest.mark.parametrize("table", ["table3", "table4"])
def test_every_cell_stands_in_the_paper(table: str, shared_dir: Path) -> None:
    paper = shared_dir / "paper" / "hyperctr-paper.md"
    if not paper.exists():
        pytest.skip(f"no {paper}")
    text = paper.read_text(encoding="utf-8")
    rows = [line.replace("<b>", "").replace("</b>", "").split("\t") for line in text.splitlines() if "\t" in line]
    cells = {row[0].strip().lower(): row[1:] for row in rows}
    if table == "table4":
        cells = {name: row for name, row in cells.items() if re.search("modal|hypergraph", name)}
    frame = printed(table)
    for name, own in frame.groupby("name", sort=False):
        numbers = [value for pair in own[list(METRICS)].to_numpy() for value in pair]
        wanted = ["-" if math.isnan(value) else f"{value:.4f}" for value in numbers]
        assert cells[str(name).lower()][:6] == wanted


def test_ours_are_held_against_the_nearest_column_only() -> None:
    assert [counterpart(name) for name in ("kuaishou", "ml-trailers", "planted")] == ["Kuaishou", "MovieLens", ""]
    assert "nothing is held against" in beside("planted")
    assert "not the paper's data" in beside("ml-trailers")
    assert beside("kuaishou") == "Ours is held against the printed column Kuaishou."
    with pytest.raises(ConfigError, match="table5"):
        printed("table5")
