"""Tables 3 and 4 as pictures: a row per model with its interval, the best on top."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from hyperctr.display.figure import Figure
from hyperctr.display.forest import forest_chart
from hyperctr.paper.checks.findings import BEYOND
from hyperctr.paper.checks.tables3and4 import ALL, GRAPHLESS, MODEL, SINGLE
from hyperctr.paper.tables.rows import measured_rows
from hyperctr.paper.tables.table3_overall import BASELINES, method_names, table3_frame
from hyperctr.paper.tables.table4_modalities import table4_frame
from hyperctr.sweeps.results import DEFICIT

if TYPE_CHECKING:
    from hyperctr.sweeps.sweep import Sweep

CONSTANT = "constant"  # its AUC is a half, whatever the data
KINDS = "blue: HyperCTR; grey: other systems; orange: baselines"


def overall(sweep: Sweep) -> Figure:
    """Return the test AUC of all models of Table 3 with its interval, for the first page of a report, too."""
    frame = overall_frame(table3_frame(sweep))
    title = f"Test AUC of all models on {sweep.dataset}"
    bars = f"bars: 95 % intervals, {_over(frame['seeds'])}"
    chart = forest_chart(frame, title, f"{sweep.measured_under(frame['protocol'])}; {bars}; {KINDS}", "test AUC")
    return Figure(chart, "overall", frame, front=True)


def overall_frame(table: pd.DataFrame) -> pd.DataFrame:
    """Take the rows of a :func:`~hyperctr.paper.tables.table3_overall.table3_frame` that have a result.

    Returns:
        under the first protocol, the best first: ``name``, ``model``, ``protocol``, ``value`` (test AUC), ``low``,
        ``high``, ``kind`` (model, system, baseline), ``seeds``.
    """
    rows = measured_rows(table).dropna(subset=["auc"])
    rows = rows[(rows["protocol"] == next(iter(rows["protocol"]), "")) & (rows["model"] != CONSTANT)]
    kinds = {MODEL: "model", BEYOND: "model", **dict.fromkeys(BASELINES, "baseline")}
    named = {"name": rows["model"].replace(method_names()), "kind": rows["model"].map(lambda m: kinds.get(m, "system"))}
    frame = rows.assign(**named).rename(columns={"auc": "value", "auc_low": "low", "auc_high": "high"})
    frame = frame.sort_values("value", ascending=False, kind="stable", ignore_index=True)
    return frame[["name", "model", "protocol", "value", "low", "high", "kind", "seeds"]]


def ablation(sweep: Sweep) -> Figure:
    """Return how far each row of Table 4 is from the full model, with its paired interval."""
    frame = ablation_frame(table4_frame(sweep))
    bars = f"paired on the same test clicks; bars: 95 % intervals, {_over(frame['seeds'])}"
    title = f"Each part alone, or taken away, on {sweep.dataset}"
    x = "test AUC minus that of the full model"
    return Figure(forest_chart(frame, title, f"{sweep.measured}; {bars}", x, zero=0.0), "ablation", frame)


def ablation_frame(table: pd.DataFrame) -> pd.DataFrame:
    """Take the differences to the full model out of a :func:`~hyperctr.paper.tables.table4_modalities.table4_frame`.

    Returns:
        the best first: ``name``, ``value`` (test AUC minus that of the full model), ``low``, ``high``, ``kind``,
        ``seeds``.
    """
    rows = measured_rows(table)
    rows = rows[(rows["model"] != ALL) & rows[DEFICIT[0]].notna()]
    ahead = {"value": -rows[DEFICIT[0]], "low": -rows[DEFICIT[2]], "high": -rows[DEFICIT[1]]}
    frame = rows.assign(name=rows["model"].map(_part), kind="model", **ahead)
    frame = frame.sort_values("value", ascending=False, kind="stable", ignore_index=True)
    return frame[["name", "value", "low", "high", "kind", "seeds"]]


def _part(row: str) -> str:
    """Name a row of Table 4 by what is left of the model."""
    return "without hyperedges" if row == GRAPHLESS else row.replace(SINGLE, " alone")


def _over(seeds: pd.Series) -> str:
    most = int(seeds.max()) if len(seeds) else 0
    return f"of the mean over {most} seeds" if most > 1 else "over test users, one seed"
