"""The paper's published numbers, read from ``reports/paper.toml``."""

from __future__ import annotations

import math
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

import hyperctr
from hyperctr.errors import ConfigError, did_you_mean

METRICS = ("auc", "logloss")


@cache
def paper_numbers() -> dict[str, Any]:
    """Return ``reports/paper.toml``: every published number, by table, with notes.

    >>> paper_numbers()["table1"]["rows"][2]["users"]
    71567
    """
    package = Path(hyperctr.__file__).parent
    for path in (package.parent / "reports" / "paper.toml", package / "_paper.toml"):
        if path.is_file():
            return tomllib.loads(path.read_text(encoding="utf-8"))
    raise ConfigError(f"reports/paper.toml is missing beside {package}; install HyperCTR again")


def published_columns() -> list[str]:
    """Return the data sets of Tables 3 and 4, as published.

    >>> published_columns()
    ['Kuaishou', 'MV1.7M', 'MovieLens']
    """
    return list(paper_numbers()["table3"]["datasets"])


def counterpart(dataset: str) -> str:
    """Return the published column that stands nearest to a data set of ours; empty if there is none.

    >>> counterpart("ml-trailers"), counterpart("planted")
    ('MovieLens', '')
    """
    columns: dict[str, list[str]] = paper_numbers()["table3"]["datasets"]
    return next((name for name, counterparts in columns.items() if dataset in counterparts), "")


def is_published(dataset: str) -> bool:
    """Tell whether a data set of ours is one of the paper's, not only the nearest to it."""
    return dataset in {counterparts[0] for counterparts in paper_numbers()["table3"]["datasets"].values()}


def published_statistics(dataset: str) -> dict[str, Any]:
    """Return the row of Table 1 of one of the paper's data sets: ``users``, ``items``, ...; empty of any other.

    >>> published_statistics("movielens-10m")["users"], published_statistics("planted")
    (71567, {})
    """
    if not is_published(dataset):
        return {}
    rows: list[dict[str, Any]] = paper_numbers()["table1"]["rows"]
    return next((row for row in rows if row["dataset"].startswith(counterpart(dataset))), {})


def beside(dataset: str) -> str:
    """Say in one sentence how the published columns relate to a data set of ours.

    >>> beside("planted").split(":")[0]
    'The paper has no counterpart of planted'
    """
    column = counterpart(dataset)
    if not column:
        return f"The paper has no counterpart of {dataset}: its columns are as published, nothing is held against them."
    if is_published(dataset):
        return f"The measured numbers are held against the published column {column}."
    return (
        f"{dataset} is not the paper's data; the measured numbers are held against the published column nearest to it, "
        f"{column}."
    )


def published_table(table: str) -> pd.DataFrame:
    """Return Table 3 or 4 as published: ``name``, ``model`` (ours, empty in Table 4), ``dataset, auc, logloss``.

    A dash is nan.

    >>> published_table("table4").set_index(["name", "dataset"]).loc[("textual-modal", "Kuaishou"), "auc"].item()
    0.772
    """
    known = ("table3", "table4")
    if table not in known:
        raise ConfigError(f"{table!r} is no table of results; {did_you_mean(table, known)}")
    rows = [
        (_name(row), row.get("model", ""), dataset, *(row.get(dataset, {}).get(metric, math.nan) for metric in METRICS))
        for row in paper_numbers()[table]["rows"]
        for dataset in published_columns()
    ]
    return pd.DataFrame(rows, columns=["name", "model", "dataset", *METRICS])


def published_cell(table: str, name: str, dataset: str) -> dict[str, float]:
    """Return one published pair of AUC and log loss; nan for a dash, a row or a column that is not there.

    Rows are named by our model in Table 3, by the label in Table 4.
    """
    frame = published_table(table)
    key = "model" if table == "table3" else "name"
    cells = frame[(frame[key] == name) & (frame["dataset"] == dataset)]
    return {metric: float(cells[metric].iloc[0]) if len(cells) else math.nan for metric in METRICS}


def stated_best(setting: str) -> list[dict[str, Any]]:
    """Return what the text states as best of a setting: ``setting, dataset, low`` and perhaps ``high`` (inf: beyond).

    >>> stated_best("slot_months")[0]["low"]
    6
    """
    figures = (paper_numbers()[name] for name in ("figure4", "figure5", "figure6"))
    return [best for figure in figures for best in figure["best"] if best["setting"] == setting]


def notes(table: str) -> list[str]:
    """Return the notes of a table or figure, its own and those of its rows: "MIMN: ..."."""
    content = paper_numbers()[table]
    listed = [content["note"]] if "note" in content else []
    listed += [f"{_name(row)}: {row['note']}" for row in content.get("rows", []) if row.get("note")]
    improvement = content.get("improvement_percent", {}).get("note")
    return [*listed, f"Improvement: {improvement}"] if improvement else listed


def _name(row: dict[str, Any]) -> Any:
    return row.get("method", row.get("label", row.get("dataset")))
