"""Table 3: how well all systems do, beside what the paper prints, and what they cost."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from hyperctr.config import REFERENCE_MODEL
from hyperctr.display.print_table import MARKS, Cell, PrintTable
from hyperctr.display.table import EMPTY
from hyperctr.paper.numbers import beside, counterpart, paper_numbers, printed_columns
from hyperctr.paper.tables.rows import (
    COLUMNS,
    NO_RUN,
    best_values,
    empty_row,
    layout,
    our_cells,
    ours,
    pair_cell,
    preset_of,
    printed_cells,
    records,
    remark,
    sentence,
    sum_up,
    with_print,
)

POPULARITY = "popularity"
SIMPLE = (REFERENCE_MODEL, POPULARITY, "item mean", "constant")


def method_names() -> dict[str, str]:
    """Return model -> name as printed, in the order of Table 3.

    >>> list(method_names().items())[-1]
    ('hyperctr', 'HyperCTR')
    """
    return {row["model"]: row["method"] for row in paper_numbers()["table3"]["rows"]}


def table3(results: pd.DataFrame, trivial: pd.DataFrame, dataset: str) -> pd.DataFrame:
    """Return Table 3: ours beside the printed numbers, then the printed table.

    Of a model with several variants (a system's two presets), the one that did best on validation is reported. A
    system without a run is a row without numbers, a failed one a row that says so.

    Args:
        results: rows of ``Plan.results()`` of the plan ``overall``.
        trivial: rows of ``Plan.trivial()``.
        dataset: name of the data set of ours.

    Returns:
        columns :data:`~hyperctr.paper.tables.rows.COLUMNS`; ``state`` of a printed row is ``printed``. AUC intervals
        are 95 %, of the mean over seeds, or of one run over test users.
    """
    rows: list[dict[str, Any]] = []
    protocols = list(dict.fromkeys(results["protocol"]))
    for protocol in protocols:
        runs = results[results["protocol"] == protocol]
        simple = trivial[(trivial["protocol"] == protocol) & ~trivial["model"].isin(runs["model"])]
        known = [*method_names(), *dict.fromkeys(runs["model"]), *dict.fromkeys(simple["model"])]
        ordered = [name for name in dict.fromkeys(known) if name not in SIMPLE] + list(SIMPLE)
        for model in ordered:
            own = runs[runs["model"] == model]
            beside_ = simple[simple["model"] == model]
            if len(own):
                row = sum_up(chosen_variant(own))
            elif len(beside_):
                row = sum_up(beside_.assign(label=model))
            elif model in method_names() and protocol == protocols[0]:
                rows.append(empty_row(model, dataset, NO_RUN))
                continue
            else:
                continue
            rows.append({"model": model, "dataset": dataset, "protocol": protocol, **row})
    return with_print(rows, "table3", dataset).reindex(columns=list(COLUMNS))


def below_popularity(frame: pd.DataFrame) -> pd.Series:
    """Tell for each row whether its AUC is below that of popularity, under the same protocol."""
    popular = frame[frame["model"] == POPULARITY].groupby("protocol")["auc"].first()
    others = ~frame["model"].isin([POPULARITY, "item mean", "constant"])
    below: pd.Series = others & (frame["auc"] < frame["protocol"].map(popular))
    return below


def improvement(frame: pd.DataFrame) -> dict[str, float]:
    """Return HyperCTR over the best of the seven other systems in our runs: ``auc`` and ``logloss``, percent.

    nan where none of them, or not HyperCTR, has a result.
    """
    rows = ours(frame).drop_duplicates("model").set_index("model")
    others = rows[rows.index.isin([name for name in method_names() if name != "hyperctr"])]
    found = {}
    for metric, sign in (("auc", 1), ("logloss", -1)):
        best = sign * (sign * others[metric]).max()
        found[metric] = 100 * sign * (rows.at["hyperctr", metric] / best - 1) if "hyperctr" in rows.index else math.nan
    return found


def table3_layout(frame: pd.DataFrame, dataset: str, measured: str = "") -> PrintTable:
    """Lay Table 3 out: ours, the difference to the nearest printed column, and the printed columns.

    Args:
        frame: of :func:`table3`.
        dataset: of ours.
        measured: what ours are measured on, one or two sentences.
    """
    held = bool(counterpart(dataset))
    own, names = ours(frame), method_names()
    below = below_popularity(own)
    best = {str(name): best_values(rows) for name, rows in own.groupby("protocol")}
    several = own.loc[own["protocol"] != "", "protocol"].nunique() > 1
    lines: list[list[Cell | str]] = []
    for place, row in enumerate(records(own)):
        model = str(row["model"])
        words = [str(row["protocol"])] if several and row["protocol"] else []
        words += [text for text in (remark(row, bool(below.iloc[place])),) if text]
        preset = preset_of(str(row["label"]), model)
        words += [f"preset {preset}"] if preset else []
        tone = "bad" if below.iloc[place] or row["state"] not in ("done", NO_RUN) else ""
        lines.append(
            [
                Cell(names.get(model, model), "; ".join(words), tone),  # type: ignore[arg-type]
                *our_cells(row, best[row["protocol"]], held=held),
                *printed_cells(frame, model),
            ]
        )
    first = next((model for model in own["model"] if model in SIMPLE), None)
    rules = [place for place, model in enumerate(own["model"]) if model == first]
    shown = own["protocol"].replace("", None).ffill()
    rules += [place for place in range(1, len(own)) if shown[place] != shown[place - 1]]
    lines.append(_improvement_row(frame, held))
    head, groups = layout("model", dataset, held=held)
    caption = f"{sentence(measured)} {beside(dataset)} {MARKS if held else ''} {_ABOUT}"
    breaks = frozenset([*rules, len(own)])
    return PrintTable(head, lines, " ".join(caption.split()), "table3", groups, rules_before=breaks)


_ABOUT = (
    "Bold: best of ours, protocol by protocol. A dash: no run, or nothing printed. Improv.: HyperCTR over the best of"
    " the paper's other systems, in percent of it; of ours, over those with a run, under the first protocol. Of a "
    "system with two presets, the one better on validation."
)


def _improvement_row(frame: pd.DataFrame, held: bool) -> list[Cell | str]:
    gained, stated = improvement(frame), paper_numbers()["table3"]["improvement_percent"]
    row = [Cell("Improv. (%)"), _percent(gained["auc"]), Cell(EMPTY), _percent(gained["logloss"])]
    row += [Cell(EMPTY)] * (2 if held else 0)
    return [*row, *(pair_cell(stated[column], 2) for column in printed_columns())]


def _percent(value: float) -> Cell:
    return Cell(f"{value:.2f}".replace("-", "\u2212") if math.isfinite(value) else EMPTY)
