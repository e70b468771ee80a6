"""Table 1: the paper's data sets as printed, and ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from hyperctr.display.print_table import PrintTable
from hyperctr.display.table import show_number
from hyperctr.paper.numbers import paper_numbers

if TYPE_CHECKING:
    from hyperctr.data.dataset import Dataset


def table1(data: Dataset) -> pd.DataFrame:
    """Return Table 1: the paper's three data sets as printed, then ours, all with the sparsity recomputed.

    Returns:
        columns ``dataset, source, items, users, interactions, clicks, sparsity_printed, sparsity`` (%), a
        dimension column per modality, ``note``; missing where nothing is printed or nothing there.
    """
    modalities = list(dict.fromkeys(["visual", "acoustic", "textual", *data.modalities]))
    rows = []
    for printed in paper_numbers()["table1"]["rows"]:
        rows.append({"source": "paper", "sparsity_printed": printed.get("sparsity_percent"), **printed})
    own = data.table1_row()
    dims = {name: own[f"{name}_dim"] for name in data.modalities}
    rows.append({"source": "ours", **own, **dims})
    frame = pd.DataFrame(rows)
    frame["sparsity"] = 100 * (1 - frame["interactions"] / (frame["users"] * frame["items"]))
    counts = ["items", "users", "interactions", "clicks"]
    frame = frame.reindex(columns=["dataset", "source", *counts, "sparsity_printed", "sparsity", *modalities, "note"])
    whole = [*counts, *modalities]
    return frame.astype(dict.fromkeys(whole, "Int64"))


def table1_layout(frame: pd.DataFrame) -> PrintTable:
    """Lay Table 1 out, our row in bold, with the note on the printed sparsity."""
    head = ["data set", "source", *frame.columns[2:6], "sparsity printed", "sparsity from counts"]
    modalities = [name for name in frame.columns[8:] if name != "note"]
    rows = []
    for row in frame.to_dict("records"):
        cells = [str(row["dataset"]), str(row["source"])]
        cells += [_count(row[name]) for name in frame.columns[2:6]]
        for name in ("sparsity_printed", "sparsity"):
            cells.append(f"{row[name]:.2f} %" if pd.notna(row[name]) else show_number(None))
        rows.append(cells + [_count(row[name]) for name in modalities])
    own = frozenset(place for place, source in enumerate(frame["source"]) if source != "paper")
    head += [f"{name} dims" for name in modalities]
    caption = paper_numbers()["table1"]["note"]
    return PrintTable(head, rows, caption, "table1", strong=own, rules_before=own, text_columns=frozenset({0, 1}))


def _count(value: object) -> str:
    return show_number(int(value) if pd.notna(value) else None)  # type: ignore[call-overload]
