"""Tables 1 and 2: the data sets and the settings of all systems, as published and as measured here."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from hyperctr.display.table import Cell, Table
from hyperctr.paper.numbers import notes, paper_numbers
from hyperctr.paper.prose import prose
from hyperctr.paper.tables.rows import NO_RUN, measured_rows
from hyperctr.paper.tables.table3_overall import table3_frame
from hyperctr.sweeps.seeds import records
from hyperctr.written import EMPTY, show_number

if TYPE_CHECKING:
    from hyperctr.runs.session import Session
    from hyperctr.sweeps.plan import PlannedRun
    from hyperctr.sweeps.sweep import Sweep

COUNTS = ("items", "users", "interactions", "clicks")
SETTINGS = ("batch_size", "dropout", "learning_rate")
SEARCHED = ("batch_size", "embedding_size", "learning_rate", "regulariser")
ALSO = ("optimiser", "weight_decay", "embedding_size", "negatives", "epochs")


def table1(session: Session) -> Table:
    """Return Table 1: the paper's three data sets as published, then the session's own, in bold."""
    data = session.data
    modalities = list(dict.fromkeys(["visual", "acoustic", "textual", *data.modalities]))
    stated = paper_numbers()["table1"]["rows"]
    rows = [{"source": "published", "sparsity_published": row.get("sparsity_percent"), **row} for row in stated]
    counted = data.table1_row()
    rows.append({"source": "measured", **counted, **{name: counted[f"{name}_dim"] for name in data.modalities}})
    frame = pd.DataFrame(rows)
    frame["sparsity"] = 100 * (1 - frame["interactions"] / (frame["users"] * frame["items"]))
    columns = ["dataset", "source", *COUNTS, "sparsity_published", "sparsity", *modalities, "note"]
    frame = frame.reindex(columns=columns).astype(dict.fromkeys([*COUNTS, *modalities], "Int64"))
    titles = {"dataset": "data set", "sparsity_published": "sparsity published", "sparsity": "sparsity from counts"}
    titles |= {name: f"{name} dims" for name in modalities}
    measured = frozenset(np.flatnonzero(frame["source"] == "measured").tolist())
    percent = dict.fromkeys(("sparsity_published", "sparsity"), _percent)
    about, numbers = paper_numbers()["table1"]["note"], frame.drop(columns="note")
    shown = Table.from_frame(numbers, titles=titles, formats=percent, caption=about, name="table1", strong=measured)
    return replace(shown, frame=frame, rules_before=measured)


def table2(sweep: Sweep) -> Table:
    """Return Table 2 of a sweep over the plan ``overall``: the settings of the runs that Table 3 reports."""
    frame = table2_frame(sweep.runs, table3_frame(sweep))
    lines = []
    for row in records(frame):
        line = [Cell(row["method"])]
        for name in SETTINGS:
            stated, used = row[f"{name}_published"], row[name]
            differs = math.isfinite(stated) and math.isfinite(used) and stated != used
            line += [_setting(stated), replace(_setting(used), small="differs" if differs else "")]
        optimiser = Cell(row["optimiser"] if isinstance(row["optimiser"], str) else EMPTY)
        lines.append([*line, optimiser, _setting(row["embedding_size"]), Cell(row["text"])])
    head = ["model", *["published", "used"] * len(SETTINGS), "optimiser (used)", "d (used)", "published about it"]
    groups = [("", 1), *((_words(name), 2) for name in SETTINGS), ("", 3)]
    explained = "Used: the settings of the runs in Table 3; a dash: no run, or not published."
    caption = f"{paper_numbers()['table2']['note']} {explained}"
    look: dict[str, Any] = {"text_columns": frozenset({0, 7, 9}), "wide": {9: 0.35}}
    note = prose("on_the_paper", notes=notes("table2"))
    return Table(head, lines, caption, "table2", groups, frame=frame, note=note, **look)


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
            row[f"{name}_published"], row[name] = stated.get(name, math.nan), getattr(config, name, math.nan)
        row |= {name: getattr(config, name, None) for name in ALSO}
        rows.append({**row, "text": stated.get("text", ""), "note": stated.get("note", "")})
    return pd.DataFrame(rows)


def _words(name: str) -> str:
    return {"embedding_size": "latent dimension"}.get(name, name.replace("_", " "))


def _setting(value: float | None) -> Cell:
    return Cell(EMPTY if value is None or not math.isfinite(value) else f"{value:g}")


def _percent(value: float) -> str:
    return f"{show_number(value, 2)} %" if math.isfinite(value) else EMPTY
