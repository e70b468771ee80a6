"""A model scored elsewhere beside the finished runs of a sweep, with the paired difference to each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from hyperctr.display.table import Cell, Table, value_cell
from hyperctr.errors import RunError
from hyperctr.paper.tables.rows import BEST
from hyperctr.paper.tables.table3_overall import method_names
from hyperctr.runs.compare import compare_runs
from hyperctr.runs.run import load_run
from hyperctr.sweeps.seeds import records

if TYPE_CHECKING:
    from hyperctr.runs.run import Run
    from hyperctr.sweeps.sweep import Sweep

GAIN = ("auc_gain", "auc_gain_low", "auc_gain_high")
COLUMNS = ("model", "auc", "auc_low", "auc_high", *list(BEST)[1:], *GAIN)


def your_model(sweep: Sweep, run: Run) -> Table:
    """Return a run beside all of a sweep that were tested on the same pairs, the best first.

    Args:
        sweep: whose finished runs it is compared with.
        run: of :func:`hyperctr.evaluate_scores`, or any other.
    """
    frame, names = your_model_frame(sweep, run), method_names()
    lines: list[list[Cell | str]] = []
    for row in records(frame):
        name = Cell(names.get(row["model"], row["model"]), bold=row["model"] == run.metrics["model"])
        auc = value_cell(row["auc"], row["auc_low"], row["auc_high"])
        rest = [value_cell(row[metric]) for metric in list(BEST)[1:]]
        lines.append([name, auc, *rest, value_cell(*(row[column] for column in GAIN))])
    head = ["model", "AUC", "centred", "GAUC", "log loss", "calibrated", f"AUC of {run.metrics['model']} minus this"]
    caption = f"{sweep.measured}, seed {run.config.seed}. Differences with 95 % intervals, paired over test users."
    return Table(head, lines, caption, "your_model", frame=frame, note=_note(frame, names))


def your_model_frame(sweep: Sweep, run: Run) -> pd.DataFrame:
    """Return the run, the comparable runs of a sweep, and what the run was tested beside, by AUC.

    Columns: ``model``, metrics, and ``auc_gain`` with ``_low`` and ``_high``: the AUC of the run minus that of the row.
    """
    rows: list[dict[str, Any]] = [run.metrics]
    done = sweep.results.query("state == 'done'").drop_duplicates("run")
    for name in done.loc[done["protocol"] == run.config.protocol, "run"]:
        other = load_run(name)
        try:
            difference = compare_runs(run, other)
        except RunError:  # of another seed or split
            continue
        gain = dict(zip(GAIN, (difference.value, difference.low, difference.high), strict=True))
        rows.append({**other.metrics, **gain})
    known = {row["model"] for row in rows}
    rows += [row for row in records(run.rows) if row["model"] not in known]
    frame = pd.DataFrame(rows).reindex(columns=list(COLUMNS))
    return frame.sort_values("auc", ascending=False, kind="stable", ignore_index=True)


def _note(frame: pd.DataFrame, names: dict[str, str]) -> str:
    """Say whom the run is ahead of, whom behind, by an interval that leaves zero out."""
    title, low, high = frame["model"].replace(names), frame["auc_gain_low"], frame["auc_gain_high"]
    kinds = {"Ahead of": low > 0, "Behind": high < 0, "Not told apart from": (low <= 0) & (high >= 0)}
    return " ".join(f"{words} {', '.join(title[which])}." for words, which in kinds.items() if which.any())
