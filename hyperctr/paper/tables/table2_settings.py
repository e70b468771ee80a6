"""Table 2: the settings of all systems, as published and as in our runs."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from hyperctr.display.table import EMPTY, Cell, Table
from hyperctr.paper.numbers import notes, paper_numbers
from hyperctr.paper.prose import prose
from hyperctr.paper.tables.rows import NO_RUN, measured_rows
from hyperctr.paper.tables.table3_overall import table3_frame
from hyperctr.sweeps.seeds import records

if TYPE_CHECKING:
    from hyperctr.sweeps.plan import PlannedRun
    from hyperctr.sweeps.sweep import Sweep

SETTINGS = ("batch_size", "dropout", "learning_rate")
SEARCHED = ("batch_size", "embedding_size", "learning_rate", "regulariser")
ALSO = ("optimiser", "weight_decay", "embedding_size", "negatives", "epochs")


def table2(sweep: Sweep) -> Table:
    """Return Table 2 of a sweep over the plan ``overall``: the settings of the runs that Table 3 reports."""
    return table2_layout(table2_frame(sweep.runs, table3_frame(sweep)))


def table2_frame(runs: Iterable[PlannedRun], table: pd.DataFrame) -> pd.DataFrame:
    """Return the published settings beside those of the runs that Table 3 reports, one row per system.

    Args:
        runs: the planned runs of the plan ``overall``.
        table: of :func:`table3_frame`, which says which variant is reported.
    """
    content = paper_numbers()
    search = content["search"]
    grid = (f"{_words(name)} {', '.join(f'{value:g}' for value in search[name])}" for name in SEARCHED)
    hyperctr = {"method": "HyperCTR", "model": "hyperctr", "text": f"searched: {'; '.join(grid)}"}
    hyperctr["note"] = search["note"]
    # Of several protocols the first: what comes last in the dict is kept.
    labels = {row["model"]: row["label"] for row in reversed(records(measured_rows(table))) if row["state"] != NO_RUN}
    reported = [run.config for run in runs if run.label == labels.get(run.config.model)]
    configs = {config.model: config for config in reversed(reported)}
    rows = []
    for stated in [*content["table2"]["rows"], hyperctr]:
        config = configs.get(stated["model"])
        row = {"method": stated["method"], "model": stated["model"]}
        for name in SETTINGS:
            row[f"{name}_printed"], row[name] = stated.get(name, math.nan), getattr(config, name, math.nan)
        row |= {name: getattr(config, name, None) for name in ALSO}
        rows.append({**row, "text": stated.get("text", ""), "note": stated.get("note", "")})
    return pd.DataFrame(rows)


def table2_layout(frame: pd.DataFrame) -> Table:
    """Lay :func:`table2_frame` out: each setting as published and as in our runs; settings that differ are marked."""
    lines = []
    for row in records(frame):
        line = [Cell(row["method"])]
        for name in SETTINGS:
            stated, measured = row[f"{name}_printed"], row[name]
            differs = math.isfinite(stated) and math.isfinite(measured) and stated != measured
            line += [_setting(stated), replace(_setting(measured), small="differs" if differs else "")]
        optimiser = Cell(row["optimiser"] if isinstance(row["optimiser"], str) else EMPTY)
        lines.append([*line, optimiser, _setting(row["embedding_size"]), Cell(row["text"])])
    head = ["model", *["printed", "ours"] * len(SETTINGS), "optimiser (ours)", "d (ours)", "printed about it"]
    groups = [("", 1), *((_words(name), 2) for name in SETTINGS), ("", 3)]
    ours_are = "Ours: the settings of the runs in Table 3; a dash: no run, or not printed."
    caption = f"{paper_numbers()['table2']['note']} {ours_are}"
    look: dict[str, Any] = {"text_columns": frozenset({0, 7, 9}), "wide": {9: 0.35}}
    note = prose("on_the_paper", notes=notes("table2"))
    return Table(head, lines, caption, "table2", groups, frame=frame, note=note, **look)


def _words(name: str) -> str:
    return {"embedding_size": "latent dimension"}.get(name, name.replace("_", " "))


def _setting(value: float | None) -> Cell:
    return Cell(EMPTY if value is None or not math.isfinite(value) else f"{value:g}")
