"""Table 1: the paper's data sets as published, and ours."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from hyperctr.display.table import EMPTY, Table
from hyperctr.paper.numbers import paper_numbers

if TYPE_CHECKING:
    from hyperctr.runs.session import Session

COUNTS = ("items", "users", "interactions", "clicks")


def table1(session: Session) -> Table:
    """Return Table 1: the paper's three data sets as published, then the session's own, in bold."""
    data = session.data
    modalities = list(dict.fromkeys(["visual", "acoustic", "textual", *data.modalities]))
    stated = paper_numbers()["table1"]["rows"]
    rows = [{"source": "paper", "sparsity_printed": row.get("sparsity_percent"), **row} for row in stated]
    counted = data.table1_row()
    rows.append({"source": "ours", **counted, **{name: counted[f"{name}_dim"] for name in data.modalities}})
    frame = pd.DataFrame(rows)
    frame["sparsity"] = 100 * (1 - frame["interactions"] / (frame["users"] * frame["items"]))
    columns = ["dataset", "source", *COUNTS, "sparsity_printed", "sparsity", *modalities, "note"]
    frame = frame.reindex(columns=columns).astype(dict.fromkeys([*COUNTS, *modalities], "Int64"))
    titles = {"dataset": "data set", "sparsity_printed": "sparsity printed", "sparsity": "sparsity from counts"}
    titles |= {name: f"{name} dims" for name in modalities}
    ours = frozenset(np.flatnonzero(frame["source"] != "paper").tolist())
    percent = dict.fromkeys(("sparsity_printed", "sparsity"), _percent)
    about, numbers = paper_numbers()["table1"]["note"], frame.drop(columns="note")
    shown = Table.from_frame(numbers, titles=titles, formats=percent, caption=about, name="table1", strong=ours)
    return replace(shown, frame=frame, rules_before=ours)


def _percent(value: float) -> str:
    return f"{value:.2f} %" if math.isfinite(value) else EMPTY
