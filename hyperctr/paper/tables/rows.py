"""What Tables 3 and 4 have in common: measured rows with the published numbers beside them, and their cells."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from hyperctr.display.table import Cell, Table, value_cell
from hyperctr.paper.numbers import METRICS, beside, counterpart, published_cell, published_columns, published_table
from hyperctr.sweeps.seeds import records
from hyperctr.written import EMPTY, show_number

NO_RUN, PUBLISHED = "no run", "published"  # states of rows without a run
MEASURED = ("auc", "auc_low", "auc_high", "gauc", "logloss")
EXTRA = (
    *("logloss_low", "logloss_high", "parameters", "seconds_per_epoch", "peak_memory_mib", "state", "error", "label"),
    *("auc_centred", "logloss_calibrated", "logloss_calibrated_low", "logloss_calibrated_high"),
)
LOSS = "logloss_calibrated"  # what is held against the published log loss
BEST = {"auc": "max", "auc_centred": "max", "gauc": "max", "logloss": "min", LOSS: "min"}
COLUMNS = ("model", "dataset", "protocol", "seeds", *MEASURED, "paper_auc", "paper_logloss", *EXTRA)
MARKS = (
    "▲ and ▼ (on the page green where the measured value is better, red where worse): its 95 % interval leaves the "
    "published value out; a difference without them lies within it, or has no interval."
)


def empty_row(model: str, dataset: str, state: str) -> dict[str, Any]:
    """Return a row without a measured result; the columns left out are nan in the table."""
    texts = {"model": model, "dataset": dataset, "protocol": "", "state": state, "error": "", "label": ""}
    return {**texts, "seeds": 0}


def with_published(
    rows: Sequence[Mapping[str, Any]], table: str, dataset: str, columns: Sequence[str] = COLUMNS
) -> pd.DataFrame:
    """Put the published numbers beside measured rows, and the published table as rows of its own below.

    A measured row has the published cell of the column nearest to its data set, nan if there is none; in Table 4 its
    ``model`` is the label.
    """
    every = [{**row, **_paper(published_cell(table, row["model"], counterpart(dataset)))} for row in rows]
    for cell in records(published_table(table)):
        row = empty_row(cell["model"] or cell["name"], cell["dataset"], PUBLISHED)
        every.append({**row, **_paper(cell)})
    return pd.DataFrame(every).reindex(columns=list(columns))


def _paper(cell: Mapping[str, Any]) -> dict[str, float]:
    return {f"paper_{metric}": cell[metric] for metric in METRICS}


def measured_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a table that are not merely published."""
    rows: pd.DataFrame = frame[frame["state"] != PUBLISHED].reset_index(drop=True)
    return rows


def headline(frame: pd.DataFrame, count: int = 6) -> dict[str, float]:
    """Return the best measured AUCs under the first protocol, for the index page."""
    rows = measured_rows(frame).dropna(subset=["auc"])
    rows = rows[rows["protocol"] == next(iter(rows["protocol"]), "")].sort_values("auc", ascending=False)
    return {f"AUC of {row['model']}": float(row["auc"]) for row in records(rows.head(count))}


def best_values(rows: pd.DataFrame) -> dict[str, float]:
    """Return the best AUC, centred AUC, GAUC, log loss and calibrated log loss of some rows."""
    return {name: float(rows[name].agg(best)) for name, best in BEST.items()}


def measured_cells(row: Mapping[str, Any], best: Mapping[str, float], *, compared: bool) -> list[Cell]:
    """Return a cell per metric of ``best``, and, where there is a published column, the two differences to it.

    The published log loss is held against the calibrated one.
    """
    bounds = {name: (row.get(f"{name}_low", math.nan), row.get(f"{name}_high", math.nan)) for name in best}
    shown = {name: bounds[name] for name in best if name == "auc"}  # those of the losses are in the CSV: no room
    cells = [value_cell(row[name], *shown.get(name, ()), bold=bool(row[name] == best[name])) for name in best]
    if compared:
        cells.append(difference_to_published(row["auc"], *bounds["auc"], row["paper_auc"], lower_is_better=False))
        cells.append(difference_to_published(row[LOSS], *bounds[LOSS], row["paper_logloss"], lower_is_better=True))
    return cells


def difference_to_published(value: float, low: float, high: float, stated: float, lower_is_better: bool) -> Cell:
    r"""Return measured minus published; coloured, with an arrow, only if the interval leaves the published value out.

    >>> difference_to_published(0.85, 0.84, 0.86, 0.836, lower_is_better=False)
    Cell(text='▲\xa0+0.0140', small='', tone='good', bold=False, mark=None, hover='')
    """
    if not (math.isfinite(value) and math.isfinite(stated)):
        return Cell(EMPTY)
    difference = value - stated
    text = show_number(difference, sign=True)
    if not (math.isfinite(low) and math.isfinite(high)) or low <= stated <= high:
        return Cell(text)
    better = (difference < 0) == lower_is_better
    return Cell(f"{'▲' if difference > 0 else '▼'}\u00a0{text}", tone="good" if better else "bad")


def published_cells(frame: pd.DataFrame, name: str) -> list[Cell]:
    """Return the published cells of a row, one per data set; dashes where the paper has no such row."""
    rows = frame[(frame["state"] == PUBLISHED) & (frame["model"] == name)].set_index("dataset")
    rows = rows.reindex(published_columns())
    return [pair_cell(auc, logloss) for auc, logloss in zip(rows["paper_auc"], rows["paper_logloss"], strict=True)]


def pair_cell(auc: float, logloss: float, digits: int = 4) -> Cell:
    """Return published AUC and log loss as one cell, the latter small, so that three data sets fit on a page.

    >>> pair_cell(0.812, 0.5548)
    Cell(text='0.8120', small='0.5548', tone='', bold=False, mark=None, hover='')
    """
    missing = math.isnan(auc) or math.isnan(logloss)
    return Cell(EMPTY) if missing else Cell(show_number(auc, digits), show_number(logloss, digits))


def layout(
    name: str,
    head: Sequence[str],
    lines: Sequence[Sequence[Cell | str]],
    about: Sequence[str],
    dataset: str,
    **more: Any,
) -> Table:
    """Return Table 3 or 4 of cells: what is measured, the difference to the published column if any, the published.

    ``head`` titles the first column and the measured ones; ``about`` says what they are measured on, and more.
    """
    near, columns = counterpart(dataset), published_columns()
    difference = ("AUC", "log loss") if near else ()
    groups = [("", 1), (f"measured, {dataset}", len(head) - 1), (f"measured \u2212 {near}", len(difference))]
    groups = [(text, width) for text, width in groups if width] + [("published: AUC, small: log loss", len(columns))]
    measured = about[0].removesuffix(".") + "." if about[0] else ""
    caption = " ".join(filter(None, [measured, beside(dataset), *about[1:]]))
    titles = [*head, *difference, *columns]
    return Table(titles, lines, caption, name, groups, headline=headline(more["frame"]), **more)


def variant_of(label: str, model: str) -> str:
    """Return the variant that a row's label names, nothing where a model has one only.

    >>> variant_of("dstn, author", "dstn"), variant_of("dstn", "dstn")
    ('author', '')
    """
    return "" if label == model else label.removeprefix(f"{model}, ")
