"""The paper's printed numbers, beside ours."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

import hyperctr
from hyperctr.errors import ConfigError
from hyperctr.reporting.tables import HtmlTable, show_number

if TYPE_CHECKING:
    from hyperctr.data.dataset import Dataset


@cache
def paper_numbers() -> dict[str, Any]:
    """Return ``reports/paper.toml``: every printed number, by table, with notes.

    >>> paper_numbers()["table1"]["rows"][2]["users"]
    71567
    """
    package = Path(hyperctr.__file__).parent
    for path in (package.parent / "reports" / "paper.toml", package / "_paper.toml"):
        if path.is_file():
            return tomllib.loads(path.read_text(encoding="utf-8"))
    raise ConfigError(f"reports/paper.toml is missing beside {package}; install HyperCTR again")


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


def table1_html(frame: pd.DataFrame) -> HtmlTable:
    """Lay Table 1 out for a page, our row in bold, with the note on the printed sparsity."""
    head = ["data set", "source", *frame.columns[2:6], "sparsity printed", "sparsity from counts"]
    modalities = [name for name in frame.columns[8:] if name != "note"]
    rows = []
    for row in frame.to_dict("records"):
        cells = [show_number(row[name] if pd.notna(row[name]) else None) for name in frame.columns[:6]]
        for name in ("sparsity_printed", "sparsity"):
            cells.append(f"{row[name]:.2f} %" if pd.notna(row[name]) else show_number(None))
        cells += [show_number(int(row[name]) if pd.notna(row[name]) else None) for name in modalities]
        rows.append(tuple(cells))
    own = [place for place, source in enumerate(frame["source"]) if source != "paper"]
    head += [f"{name} dims" for name in modalities]
    caption = paper_numbers()["table1"]["note"]
    return HtmlTable(head, rows, caption, strong=frozenset(own), text_columns=frozenset({0, 1}))
