"""Table 2: the settings of all systems, as printed and as in our runs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from hyperctr.display.print_table import Cell, PrintTable
from hyperctr.display.table import EMPTY
from hyperctr.paper.numbers import paper_numbers
from hyperctr.paper.tables.rows import NO_RUN, ours, records

if TYPE_CHECKING:
    from hyperctr.sweeps.plan import PlannedRun

SETTINGS = ("batch_size", "dropout", "learning_rate")
SEARCHED = ("batch_size", "embedding_size", "learning_rate", "regulariser")
ALSO = ("optimiser", "weight_decay", "embedding_size", "negatives", "epochs")


def table2(runs: Iterable[PlannedRun], table: pd.DataFrame) -> pd.DataFrame:
    """Return Table 2: the printed settings beside those of the runs that Table 3 reports.

    Args:
        runs: the planned runs of the plan ``overall``.
        table: of :func:`table3`, which says which variant is reported.

    Returns:
        one row per system: ``method, model``, then ``batch_size_printed, batch_size, dropout_printed, ...``, further
        settings of ours, ``text`` (what the paper's bullets say) and ``note``. nan where nothing is printed or run.
    """
    content = paper_numbers()
    search = content["search"]
    grid = (f"{_words(name)} {', '.join(f'{value:g}' for value in search[name])}" for name in SEARCHED)
    text = f"searched: {'; '.join(grid)}"
    stated = [
        *content["table2"]["rows"],
        {"method": "HyperCTR", "model": "hyperctr", "text": text, "note": search["note"]},
    ]
    # Of several protocols the first: what comes last in the dict is kept.
    labels = {row["model"]: row["label"] for row in reversed(records(ours(table))) if row["state"] != NO_RUN}
    configs = {
        run.config.model: run.config for run in reversed(list(runs)) if run.label == labels.get(run.config.model)
    }
    rows = []
    for one in stated:
        config = configs.get(one["model"])
        row = {"method": one["method"], "model": one["model"]}
        for name in SETTINGS:
            row[f"{name}_printed"], row[name] = one.get(name, math.nan), getattr(config, name, math.nan)
        row |= {name: getattr(config, name, None) for name in ALSO}
        rows.append({**row, "text": one.get("text", ""), "note": one.get("note", "")})
    return pd.DataFrame(rows)


def table2_layout(frame: pd.DataFrame) -> PrintTable:
    """Lay Table 2 out: each setting as printed and as in our runs; settings that differ are marked."""
    lines: list[list[Cell | str]] = []
    for row in records(frame):
        line: list[Cell | str] = [Cell(row["method"])]
        for name in SETTINGS:
            stated, own = row[f"{name}_printed"], row[name]
            differs = math.isfinite(stated) and math.isfinite(own) and stated != own
            line += [_setting(stated), Cell(_setting(own).text, small="differs" if differs else "")]
        line += [
            Cell(row["optimiser"] if isinstance(row["optimiser"], str) else EMPTY),
            _setting(row["embedding_size"]),
            Cell(row["text"]),
        ]
        lines.append(line)
    head = ["model", *["printed", "ours"] * len(SETTINGS), "optimiser (ours)", "d (ours)", "printed about it"]
    groups: Sequence[tuple[str, int]] = [("", 1), *((_words(name), 2) for name in SETTINGS), ("", 3)]
    ours_are = "Ours: the settings of the runs in Table 3; a dash: no run, or not printed."
    caption = f"{paper_numbers()['table2']['note']} {ours_are}"
    return PrintTable(head, lines, caption, "table2", groups, text_columns=frozenset({0, 7, 9}), wide={9: 0.35})


def _words(name: str) -> str:
    return {"embedding_size": "latent dimension"}.get(name, name.replace("_", " "))


def _setting(value: Any) -> Cell:
    return Cell(EMPTY if value is None or not math.isfinite(value) else f"{value:g}")
