"""Table 4: each modality alone and the model without hyperedges, ours beside the printed numbers."""

from __future__ import annotations

import math

import pandas as pd

from hyperctr.display.print_table import MARKS, Cell, PrintTable
from hyperctr.display.table import EMPTY
from hyperctr.paper.figures.settings_frame import over_seeds
from hyperctr.paper.numbers import beside, counterpart
from hyperctr.paper.tables.rows import (
    COLUMNS,
    best_values,
    layout,
    our_cells,
    ours,
    printed_cells,
    remark,
    sentence,
    sum_up,
    with_print,
)

BASE = "multi-modal"
BEHIND = ("behind", "behind_low", "behind_high")


def table4(results: pd.DataFrame, dataset: str) -> pd.DataFrame:
    """Return Table 4: ours beside the printed numbers, then the printed table.

    Args:
        results: rows of ``Plan.results()`` of the plan ``modalities``.
        dataset: name of the data set of ours.

    Returns:
        columns as Table 3, with ``behind, behind_low, behind_high``: the multi-modal model's test AUC minus this
        row's, on the same clicks; of one run the paired bootstrap interval over users, of several seeds that of the
        mean. ``model`` is the row's name as printed.
    """
    rows = []
    for label, runs in results.groupby("label", sort=False):
        row = {"model": str(label), "dataset": dataset, "protocol": runs["protocol"].iloc[0], **sum_up(runs)}
        done = runs[runs["state"] == "done"]
        behind = over_seeds(done, "behind") if "behind" in runs and label != BASE else (math.nan,) * 3
        rows.append({**row, **dict(zip(BEHIND, behind, strict=True))})
    frame = with_print(rows, "table4", dataset)
    columns = list(COLUMNS)
    place = columns.index("paper_auc")
    return frame.reindex(columns=[*columns[:place], *BEHIND, *columns[place:]])


def table4_layout(frame: pd.DataFrame, dataset: str, measured: str = "") -> PrintTable:
    """Lay Table 4 out: ours with how far each row is behind the multi-modal model, and the printed columns.

    Args:
        frame: of :func:`table4`.
        dataset: of ours.
        measured: what ours are measured on, one or two sentences.
    """
    held = bool(counterpart(dataset))
    own = ours(frame)
    best = best_values(own)
    names = list(dict.fromkeys([*own["model"], *frame["model"]]))
    lines: list[list[Cell | str]] = []
    for name in names:
        found = own[own["model"] == name]
        if found.empty:  # a modality that these data do not have
            blank = [Cell(EMPTY)] * (5 if held else 3)
            lines.append([Cell(name), *blank, *printed_cells(frame, name)])
            continue
        row = found.iloc[0].to_dict()
        failed = row["state"] != "done"
        cells = our_cells(row, best, held=held)
        first = Cell(name, remark(row), "bad" if failed else "")
        logloss = Cell(cells[2].text, bold=cells[2].bold)  # its interval is in the CSV; here there is no room
        lines.append([first, cells[0], logloss, behind_cell(row), *cells[3:], *printed_cells(frame, name)])
    head, groups = layout("row", dataset, ("AUC", "log loss", "behind (AUC)"), held=held)
    about = (
        "Behind: the multi-modal model's AUC minus this row's, the same test clicks, with a 95 % interval; in "
        "brackets where the interval does not leave zero out: not told apart."
    )
    caption = f"{sentence(measured)} {beside(dataset)} {about} {MARKS if held else ''} Bold: best of ours."
    return PrintTable(head, lines, " ".join(caption.split()), "table4", groups)


def behind_cell(row: dict[str, float]) -> Cell:
    """Return the distance to the multi-modal model with its interval, in brackets if it is not told apart.

    >>> behind_cell({"behind": 0.05, "behind_low": 0.04, "behind_high": 0.06})
    Cell(text='0.0500', small='0.0400 to 0.0600', tone='', bold=False)
    >>> behind_cell({"behind": 0.003, "behind_low": -0.001, "behind_high": 0.007})
    Cell(text='(0.0030)', small='−0.0010 to 0.0070', tone='', bold=False)
    """
    values = [row[name] for name in BEHIND]
    if not math.isfinite(values[0]):
        return Cell(EMPTY)
    text, low, high = (f"{value:.4f}".replace("-", "\u2212") for value in values)
    if not (math.isfinite(values[1]) and math.isfinite(values[2])):
        return Cell(text)
    told_apart = values[1] > 0 or values[2] < 0
    return Cell(text if told_apart else f"({text})", f"{low} to {high}")
