"""What the models of Table 3 cost, preset by preset, and which preset validation chose."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from hyperctr.display.print_table import Cell, PrintTable, value_cell
from hyperctr.display.table import EMPTY, show_number
from hyperctr.paper.tables.rows import preset_of, records, sum_up
from hyperctr.paper.tables.table3_overall import chosen_variant, method_names

COLUMNS = (
    "protocol",
    "model",
    "preset",
    "reported",
    "seeds",
    "best_validation_auc",
    "auc",
    "parameters",
    "best_epoch",
    "epochs",
    "seconds_per_epoch",
    "times_hyperctr",
    "minutes",
    "peak_memory_mib",
    "state",
    "error",
)


def costs(results: pd.DataFrame) -> pd.DataFrame:
    """Return one row per protocol, model and preset of the runs behind Table 3.

    Args:
        results: rows of ``Plan.results()``.

    Returns:
        ``preset`` is empty where a model has one only, ``reported`` tells which is in Table 3. Means over the finished
        seeds: validation and test AUC, parameters, epochs, seconds an epoch, and these over those of ``hyperctr``
        (``times_hyperctr``). ``best_epoch``: of the best validation AUC, of ``epochs`` trained. ``minutes``: training
        and testing, all seeds together. ``peak_memory_mib``: the most.
    """
    rows: list[dict[str, Any]] = []
    known = [name for name in (*method_names(), *results["model"]) if name in set(results["model"])]
    order = {str(name): place for place, name in enumerate(dict.fromkeys(known))}
    for (protocol, model), every in results.groupby(["protocol", "model"], sort=False):
        presets = {
            run: " = ".join(preset_of(str(label), str(model)) for label in dict.fromkeys(runs["label"]))
            for run, runs in every.groupby("run")
        }
        runs = every.drop_duplicates("run")  # presets that do not differ are the same runs
        reported = chosen_variant(runs)["label"].iloc[0]
        for label, own in runs.groupby("label", sort=False):
            done = own[own["state"] == "done"]
            row = {
                "protocol": protocol,
                "model": model,
                "preset": presets[next(iter(own["run"]))],
                "reported": label == reported,
            }
            row |= {name: done[name].astype(float).mean() for name in ("best_validation_auc", "best_epoch", "epochs")}
            rows.append({**sum_up(own), **row, "minutes": done["seconds"].astype(float).sum() / 60})
    rows.sort(key=lambda row: order[str(row["model"])])
    frame = pd.DataFrame(rows)
    seconds = frame[frame["model"] == "hyperctr"].groupby("protocol")["seconds_per_epoch"].first()
    frame["times_hyperctr"] = frame["seconds_per_epoch"] / seconds.reindex(frame["protocol"]).to_numpy(float)
    return frame.reindex(columns=list(COLUMNS))


def costs_layout(frame: pd.DataFrame) -> PrintTable:
    """Lay :func:`costs` out; presets that Table 3 reports are bold."""
    names, several = method_names(), frame["protocol"].nunique() > 1
    lines: list[list[Cell | str]] = [
        [
            Cell(names.get(row["model"], row["model"]), _words(row, several)),
            show_number(int(row["seeds"])),
            value_cell(row["best_validation_auc"]),
            value_cell(row["auc"]),
            _whole(row["parameters"]),
            Cell(value_cell(row["best_epoch"], digits=1).text, f"of {row['epochs']:.1f}" if row["seeds"] else ""),
            value_cell(row["seconds_per_epoch"], digits=2),
            value_cell(row["times_hyperctr"], digits=2),
            value_cell(row["minutes"], digits=1),
            _whole(row["peak_memory_mib"]),
        ]
        for row in records(frame)
    ]
    caption = (
        f"All together: {frame['minutes'].sum():.0f} minutes of runs, some of them side by side. Bold: in Table 3; of "
        "two presets, the one better on validation. Means over the finished seeds; minutes: their sum; memory: the "
        "most of any. An epoch holds its validation points. What is not trained has no parameters."
    )
    head = [
        "model",
        "seeds",
        "validation AUC",
        "test AUC",
        "parameters",
        "best epoch",
        "seconds an epoch",
        "times HyperCTR",
        "minutes",
        "peak memory (MiB)",
    ]
    count = frame.groupby(["protocol", "model"])["preset"].transform("size")
    strong = frozenset(place for place, bold in enumerate(frame["reported"] & (count > 1)) if bold)
    return PrintTable(head, lines, caption, "costs", strong=strong)


def _words(row: dict[str, Any], several: bool) -> str:
    """Say which preset and protocol a row is, and what became of it if it is not done; an error by its first line."""
    words = [row["preset"], row["protocol"] if several else "", "" if row["state"] == "done" else row["state"]]
    return "; ".join(word for word in (*words, *str(row["error"] or "").splitlines()[:1]) if word)


def _whole(value: float) -> Cell:
    return Cell(show_number(round(value)) if math.isfinite(value) else EMPTY)
