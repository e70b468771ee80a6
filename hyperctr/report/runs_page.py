"""The page of all runs of a report, and ``runs.csv``: failures first, a sparkline each, sortable by every column."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from hyperctr.display.table import EMPTY, value_cell
from hyperctr.runtime import duration

WIDTH, HEIGHT, EDGE = 120.0, 26.0, 3.0  # of a sparkline
# column of the page -> whether it is text; the curve stands last
HEAD = {
    **{"state": True, "model": True, "what varies": True, "seed": False, "test AUC": False},
    **{"epochs": False, "wall time": False, "peak memory": False},
}


@dataclass(frozen=True)
class RunRow:
    """One run as the page shows it.

    Attributes:
        id: of the run.
        state: its state.
        error: why it is not done, as kept in the run store.
        cells: (plain text, what to sort by) of each column of :data:`HEAD`.
        curve: inline SVG; empty if there is no point yet.
    """

    id: str
    state: str
    error: str
    cells: Sequence[tuple[str, Any]]
    curve: str

    @property
    def ok(self) -> bool:
        """Whether the run is done."""
        return self.state == "done"


def run_rows(frame: pd.DataFrame, curves: Mapping[str, Sequence[tuple[float, float]]]) -> list[RunRow]:
    """Return the rows of the page, in the order of the frame.

    Args:
        frame: of :meth:`hyperctr.report.runs.ReportRuns.frame`.
        curves: run id -> (epoch, validation AUC) points.
    """
    numbers = ["auc", "auc_low", "auc_high", "epochs", "seconds", "peak_memory_mib"]
    frame = frame.assign(**frame[numbers].apply(pd.to_numeric, errors="coerce"))
    rows = []
    for row in frame.to_dict("records"):
        auc = value_cell(row["auc"], row["auc_low"], row["auc_high"])
        cells = [
            (row["state"], f"{row['state'] == 'done':d} {row['state']}"),
            *((str(row[name]), row[name]) for name in ("model", "what", "seed")),
            (f"{auc.text} [{auc.small.replace(' to ', ', ')}]" if auc.small else auc.text, row["auc"]),
            (_text(row["epochs"], "{:.3g}".format), row["epochs"]),
            (_text(row["seconds"], duration), row["seconds"]),
            (_text(row["peak_memory_mib"], "{:,.0f} MiB".format), row["peak_memory_mib"]),
        ]
        error = "" if row["state"] == "done" else str(row["error"] or "")
        rows.append(RunRow(row["run"], row["state"], error, cells, sparkline(curves.get(row["run"], ()))))
    return rows


def _text(value: float, write: Callable[[float], str]) -> str:
    return write(value) if math.isfinite(value) else EMPTY


def sparkline(points: Sequence[tuple[float, float]]) -> str:
    """Return an inline SVG of (epoch, validation AUC) points, the best one as a dot; empty for no points.

    Each curve fills its own height: the words behind it, also read out by a screen reader, say from where to where.

    >>> print(sparkline([(1, 0.5), (2, 0.75), (3, 0.7)]).partition("<polyline")[2].partition("/>")[0])
     points="3.0,23.0 60.0,3.0 117.0,7.0"
    >>> sparkline([])
    ''
    """
    if not points:
        return ""
    xs, ys = [point[0] for point in points], [point[1] for point in points]
    wide, high = max(xs) - min(xs) or 1.0, max(ys) - min(ys) or 1.0
    places = [
        (EDGE + (x - min(xs)) / wide * (WIDTH - 2 * EDGE), HEIGHT - EDGE - (y - min(ys)) / high * (HEIGHT - 2 * EDGE))
        for x, y in points
    ]
    words = f"validation AUC {ys[0]:.3f} to {ys[-1]:.3f} in {xs[-1]:.3g} epochs, best {max(ys):.3f}"
    x, y = places[ys.index(max(ys))]
    line = " ".join(f"{left:.1f},{top:.1f}" for left, top in places)
    return (
        f'<svg class="sparkline" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" width="{WIDTH:g}" height="{HEIGHT:g}" role="img">'
        f'<title>{words}</title><polyline points="{line}"/><circle cx="{x:.1f}" cy="{y:.1f}" r="2.5"/></svg>'
    )
