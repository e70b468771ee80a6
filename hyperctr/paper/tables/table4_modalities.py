"""Table 4: each modality alone and the model without hyperedges, beside the published numbers."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from hyperctr.display.table import Cell, Table, value_cell
from hyperctr.paper.checks.findings import modalities_finding
from hyperctr.paper.checks.results import RunResults
from hyperctr.paper.numbers import counterpart, notes
from hyperctr.paper.prose import prose
from hyperctr.paper.tables import rows as common
from hyperctr.sweeps.results import DEFICIT
from hyperctr.sweeps.seeds import over_seeds, paired, records, sum_up
from hyperctr.sweeps.sweep import paired_runs
from hyperctr.written import EMPTY

if TYPE_CHECKING:
    from hyperctr.statistics import Interval
    from hyperctr.sweeps.sweep import Sweep

BASE, EDGES, GRAPHLESS = "multi-modal", "with edge information", "(-) hypergraph"
_ABOUT = (
    "Behind: the multi-modal model's AUC minus this row's, the same test clicks, with a 95 % interval; in "
    "brackets where the interval does not leave zero out: not told apart."
)

_LOSSES = (
    "Bold: best measured. Calibrated: slope and shift of the logit fitted on validation clicks, held against the paper."
)


def table4(sweep: Sweep) -> Table:
    """Return Table 4 of a sweep over the plan ``modalities``: what each modality, and the hypergraph, is worth."""
    frame, compared = table4_frame(sweep), bool(counterpart(sweep.dataset))
    rows = common.measured_rows(frame)
    best = common.best_values(rows)
    lines: list[list[Cell | str]] = []
    for row in records(rows):
        done = row["state"] == "done"
        auc, _, _, logloss, calibrated, *differences = common.measured_cells(row, best, compared=compared)
        name = Cell(row["model"], "" if done else row["state"], "" if done else "bad")
        cells = [auc, logloss, calibrated, behind_cell(row), *differences]
        lines.append([name, *cells, *common.published_cells(frame, row["model"])])
    for name in dict.fromkeys(frame["model"]):
        if name not in set(rows["model"]):  # a modality that these data do not have
            lines.append([Cell(name), *[Cell(EMPTY)] * (6 if compared else 4), *common.published_cells(frame, name)])
    about = [sweep.measured, _ABOUT, common.MARKS if compared else "", _LOSSES]
    head = ["row", "AUC", "log loss", "calibrated", "behind (AUC)"]
    finding = modalities_finding(RunResults(sweep.dataset, sweep.results, paired_runs))
    same = paired(sweep.results, "label", EDGES, GRAPHLESS, paired_runs)
    more = {"frame": frame, "note": table4_note(frame, same), "finding": finding}
    return common.layout("table4", head, lines, about, sweep.dataset, **more)


def table4_frame(sweep: Sweep) -> pd.DataFrame:
    """Return the numbers of Table 4: columns as of Table 3, and a deficit.

    ``auc_deficit`` is the multi-modal model's test AUC minus this row's, on the same clicks; its interval (``_low``,
    ``_high``) is that of the paired bootstrap over users for one run, of the mean for several seeds. ``model`` is the
    row's published name.
    """
    rows = []
    for label, runs in sweep.results.groupby("label", sort=False):
        row = {"model": str(label), "dataset": sweep.dataset, "protocol": runs["protocol"].iloc[0], **sum_up(runs)}
        done = runs[runs["state"] == "done"]
        behind = over_seeds(done, "auc_deficit") if "auc_deficit" in runs and label != BASE else (math.nan,) * 3
        rows.append({**row, **dict(zip(DEFICIT, behind, strict=True))})
    place = common.COLUMNS.index("paper_auc")
    return common.with_published(
        rows, "table4", sweep.dataset, [*common.COLUMNS[:place], *DEFICIT, *common.COLUMNS[place:]]
    )


def behind_cell(row: dict[str, float]) -> Cell:
    """Return the distance to the multi-modal model with its interval, in brackets if it is not told apart.

    >>> str(behind_cell({"auc_deficit": 0.05, "auc_deficit_low": 0.04, "auc_deficit_high": 0.06}))
    '0.0500 [0.0400, 0.0600]'
    >>> str(behind_cell({"auc_deficit": 0.003, "auc_deficit_low": -0.001, "auc_deficit_high": 0.007}))
    '(0.0030) [−0.0010, 0.0070]'
    """
    cell = value_cell(*(row[name] for name in DEFICIT))
    open_ = row["auc_deficit_low"] <= 0 <= row["auc_deficit_high"]
    return replace(cell, text=f"({cell.text})") if open_ else cell


def table4_note(frame: pd.DataFrame, same_exchange: Interval | None = None) -> str:
    """Say what Table 4 shows: which single modalities, and whether no hyperedges, are told apart from all together.

    ``same_exchange`` is what hyperedges are worth where users and items hear of each other with them and without.
    """
    rows = common.measured_rows(frame).assign(title=lambda rows: rows["model"])
    distances = rows[rows["auc_deficit"].notna() & (rows["model"] != BASE)].set_index("model", drop=False)
    single = distances[~distances["model"].isin((EDGES, GRAPHLESS))]
    behind, ahead = single["auc_deficit_low"] > 0, single["auc_deficit_high"] < 0
    sides = {
        "behind all together": single[behind],
        "ahead of all together": single[ahead],
        "not told apart from all together": single[~behind & ~ahead],
    }
    return prose(
        "table4",
        measured=bool(rows.loc[rows["model"] == BASE, "auc"].notna().any()),
        sides={words: records(chosen) for words, chosen in sides.items() if len(chosen)},
        graphless=records(distances[distances["model"] == GRAPHLESS]),
        same=same_exchange,
        lost=records(rows[rows["seeds"] == 0]),
        notes=notes("table4"),
    )
