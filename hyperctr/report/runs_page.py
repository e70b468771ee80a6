"""The page of all runs of a report, and ``runs.csv``: failures first, a sparkline each, sortable by every column."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from hyperctr.display.table import EMPTY, show_number
from hyperctr.report.sparkline import sparkline
from hyperctr.runtime import duration


@dataclass(frozen=True)
class RunRow:
    """One run as the page shows it: cells are (text, what to sort by), text is plain.

    Attributes:
        id: of the run.
        ok: whether it is done.
        state: its state.
        error: why it is not done, as kept in the run store.
        cells: what stands in :data:`HEAD`'s columns before the curve.
        curve: inline SVG; empty if there is no point yet.
    """

    id: str
    ok: bool
    state: str
    error: str
    cells: Sequence[tuple[str, Any]]
    curve: str


# title, whether it is text
HEAD = (
    ("state", True),
    ("model", True),
    ("what varies", True),
    ("seed", False),
    ("test AUC", False),
    ("epochs", False),
    ("wall time", False),
    ("peak memory", False),
)


def run_rows(frame: pd.DataFrame, curves: Mapping[str, Sequence[tuple[float, float]]]) -> list[RunRow]:
    """Return the rows of the page, in the order of the frame.

    Args:
        frame: of :meth:`hyperctr.report.runs.ReportRuns.frame`.
        curves: run id -> (epoch, validation AUC) points.
    """
    rows = []
    for row in frame.to_dict("records"):
        auc = _number(row["auc"])
        text = show_number(auc, 4)
        low, high = _number(row["auc_low"]), _number(row["auc_high"])
        if math.isfinite(low) and math.isfinite(high):
            text += f" [{low:.4f}, {high:.4f}]"
        seconds, memory, epochs = (_number(row[name]) for name in ("seconds", "peak_memory_mib", "epochs"))
        cells = [
            (str(row["state"]), f"{row['state'] == 'done':d} {row['state']}"),
            (str(row["model"]), row["model"]),
            (str(row["what"]), row["what"]),
            (str(row["seed"]), row["seed"]),
            (text, auc),
            (f"{epochs:.3g}" if math.isfinite(epochs) else EMPTY, epochs),
            (duration(seconds) if math.isfinite(seconds) else EMPTY, seconds),
            (f"{memory:,.0f} MiB" if math.isfinite(memory) else EMPTY, memory),
        ]
        error = "" if row["state"] == "done" else str(row["error"] or "")
        curve = sparkline(curves.get(str(row["run"]), ()))
        rows.append(RunRow(str(row["run"]), row["state"] == "done", str(row["state"]), error, cells, curve))
    return rows


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan
