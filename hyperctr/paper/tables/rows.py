"""What the rows of Tables 3 and 4 have in common: runs of one variant summed up, and the printed cells beside them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from hyperctr.display.print_table import Cell, against_print, value_cell
from hyperctr.display.table import EMPTY
from hyperctr.paper.figures.settings_frame import over_seeds
from hyperctr.paper.numbers import METRICS, counterpart, printed, printed_cell, printed_columns

NO_RUN = "no run"
PRINTED = "printed"
MEASURED = ("auc", "auc_low", "auc_high", "gauc", "logloss")
EXTRA = ("logloss_low", "logloss_high", "parameters", "seconds_per_epoch", "peak_memory_mib", "state", "error", "label")
COLUMNS = ("model", "dataset", "protocol", "seeds", *MEASURED, "paper_auc", "paper_logloss", *EXTRA)


def sum_up(runs: pd.DataFrame) -> dict[str, Any]:
    """Sum up the runs of one variant, one per seed: means over the finished ones, with intervals, and what is missing.

    Returns:
        ``seeds`` (finished), :data:`MEASURED` and :data:`EXTRA`; nan where nothing was measured. ``state`` is ``done``
        or says how many are not, ``error`` is the first error.
    """
    done = runs[runs["state"] == "done"]
    row: dict[str, Any] = {"seeds": len(done), "state": state_of(runs["state"]), "label": str(runs["label"].iloc[0])}
    row["error"] = next((str(error) for error in runs["error"] if isinstance(error, str) and error), "")
    for metric in METRICS:
        row |= dict(zip((metric, f"{metric}_low", f"{metric}_high"), over_seeds(done, metric), strict=True))
    for name in ("gauc", "parameters", "seconds_per_epoch"):
        row[name] = _finite(done, name, np.mean)
    row["peak_memory_mib"] = _finite(done, "peak_memory_mib", np.max)
    return row


def state_of(states: Iterable[str]) -> str:
    """Say what became of the runs of a variant.

    >>> state_of(["done", "done"]), state_of(["failed"]), state_of(["done", "failed", "killed"])
    ('done', 'failed', '1 of 3 done, 1 failed, 1 killed')
    """
    all_states = list(states)
    kinds = list(dict.fromkeys(all_states))
    if len(kinds) == 1:
        return kinds[0]
    counts = {kind: all_states.count(kind) for kind in kinds if kind != "done"}
    others = ", ".join(f"{count} {kind}" for kind, count in counts.items())
    return f"{all_states.count('done')} of {len(all_states)} done, {others}"


def _finite(runs: pd.DataFrame, name: str, combine: Any) -> float:
    values = pd.to_numeric(runs[name], errors="coerce").dropna() if name in runs else pd.Series(dtype=float)
    return float(combine(values)) if len(values) else math.nan


def empty_row(model: str, dataset: str, state: str) -> dict[str, Any]:
    """Return a row without a result of ours."""
    numbers = dict.fromkeys((*MEASURED, *EXTRA), math.nan)
    return {
        **numbers,
        "model": model,
        "dataset": dataset,
        "protocol": "",
        "seeds": 0,
        "state": state,
        "error": "",
        "label": "",
    }


def with_print(rows: Sequence[Mapping[str, Any]], table: str, dataset: str) -> pd.DataFrame:
    """Put the printed numbers beside rows of ours, and the printed table as rows of its own below.

    A row of ours has the printed cell of the column nearest to its data set, nan if there is none.

    Args:
        rows: of ours, with ``model`` (Table 4: the label).
        table: ``table3`` or ``table4``.
        dataset: of ours.
    """
    column = counterpart(dataset)
    found = []
    for row in rows:
        cell = printed_cell(table, str(row["model"]), column)
        found.append({**row, "paper_auc": cell["auc"], "paper_logloss": cell["logloss"]})
    as_printed = printed(table)
    as_printed["name"] = as_printed["model"].where(as_printed["model"] != "", as_printed["name"])
    for one in records(as_printed):
        row = empty_row(one["name"], one["dataset"], PRINTED)
        found.append({**row, "paper_auc": one["auc"], "paper_logloss": one["logloss"]})
    return pd.DataFrame(found)


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a frame."""
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def ours(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a table that are not merely printed."""
    rows: pd.DataFrame = frame[frame["state"] != PRINTED].reset_index(drop=True)
    return rows


def our_cells(row: Mapping[str, Any], best: Mapping[str, float], *, held: bool) -> list[Cell]:
    """Return AUC, GAUC and log loss, and, where they are held against a printed column, the two differences."""
    cells = [
        value_cell(
            row[name],
            row.get(f"{name}_low", math.nan),
            row.get(f"{name}_high", math.nan),
            bold=bool(row[name] == best.get(name)),
        )
        for name in ("auc", "gauc", "logloss")
    ]
    if held:
        for metric in METRICS:
            bounds = row[f"{metric}_low"], row[f"{metric}_high"]
            lower = metric == "logloss"
            cells.append(against_print(row[metric], *bounds, row[f"paper_{metric}"], lower_is_better=lower))
    return cells


def headline(frame: pd.DataFrame, count: int = 6) -> dict[str, float]:
    """Return the AUCs of the best rows of ours under the first protocol, for the index page."""
    rows = ours(frame).dropna(subset=["auc"])
    rows = rows[rows["protocol"] == next(iter(rows["protocol"]), "")].sort_values("auc", ascending=False)
    return {f"AUC of {row['model']}": float(row["auc"]) for row in records(rows.head(count))}


def best_values(rows: pd.DataFrame) -> dict[str, float]:
    """Return the best AUC, GAUC and log loss of some rows."""
    return {"auc": rows["auc"].max(), "gauc": rows["gauc"].max(), "logloss": rows["logloss"].min()}


def printed_cells(frame: pd.DataFrame, name: str) -> list[Cell]:
    """Return the printed cells of a row, AUC and log loss of each data set; dashes where the paper has no such row."""
    found = {row["dataset"]: row for row in records(frame) if row["state"] == PRINTED and row["model"] == name}
    cells = (
        {metric: found.get(column, {}).get(f"paper_{metric}", math.nan) for metric in METRICS}
        for column in printed_columns()
    )
    return [pair_cell(one, 4) for one in cells]


def pair_cell(pair: Mapping[str, float], digits: int) -> Cell:
    """Return printed AUC and log loss as one cell, the latter small, so that three data sets fit on a page.

    >>> pair_cell({"auc": 0.812, "logloss": 0.5548}, 4)
    Cell(text='0.8120', small='0.5548', tone='', bold=False)
    """
    if not all(math.isfinite(pair[metric]) for metric in METRICS):
        return Cell(EMPTY)
    return Cell(f"{pair['auc']:.{digits}f}", f"{pair['logloss']:.{digits}f}")


def layout(
    first: str, dataset: str, shown: Sequence[str] = ("AUC", "GAUC", "log loss"), *, held: bool
) -> tuple[list[str], list[tuple[str, int]]]:
    """Return the titles and the line above them: ours, against print, printed."""
    head = [first, *shown]
    groups = [("", 1), (f"ours, {dataset}", len(shown))]
    if held:
        head += ["AUC", "log loss"]
        groups.append((f"ours \u2212 {counterpart(dataset)}", 2))
    head += printed_columns()
    return head, [*groups, ("printed: AUC, small: log loss", len(printed_columns()))]


def sentence(words: str) -> str:
    """End some words with a full stop; nothing stays nothing.

    >>> sentence("planted, one seed"), sentence("Done."), sentence("")
    ('planted, one seed.', 'Done.', '')
    """
    return words if not words or words.endswith(".") else f"{words}."


def preset_of(label: str, model: str) -> str:
    """Return the preset that a row's label names, nothing where a model has one only.

    >>> preset_of("dstn, author", "dstn"), preset_of("dstn", "dstn")
    ('author', '')
    """
    return "" if label == model else label.removeprefix(f"{model}, ")


def remark(row: Mapping[str, Any], below: bool = False) -> str:
    """Say what a reader must know of a row before its numbers: a state other than done, or that it lost to counting."""
    words = [] if row["state"] == "done" else [str(row["state"])]
    return "; ".join(words + (["below popularity"] if below else []))
