"""What the models of Table 3 cost, variant by variant, and which variant validation chose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from hyperctr.display.table import Cell, Table, value_cell
from hyperctr.paper.tables.rows import variant_of
from hyperctr.paper.tables.table3_overall import method_names
from hyperctr.sweeps.seeds import chosen_variant, records, sum_up
from hyperctr.written import show_number

if TYPE_CHECKING:
    from hyperctr.sweeps.sweep import Sweep

# column -> digits after the point, in the order shown
_SHOWN = {"best_validation_auc": 4, "auc": 4, "parameters": 0, "best_epoch": 1, "seconds_per_epoch": 2}
_SHOWN |= {"times_hyperctr": 2, "minutes": 1, "peak_memory_mib": 0}
COLUMNS = ["protocol", "model", "variant", "reported", "seeds", "best_validation_auc", "auc", "parameters"]
COLUMNS += [
    "best_epoch",
    "epochs",
    "seconds_per_epoch",
    "times_hyperctr",
    "minutes",
    "peak_memory_mib",
    "state",
    "error",
]


def costs(sweep: Sweep) -> Table:
    """Return what every variant of every model of a sweep cost; those that Table 3 reports are bold."""
    frame = costs_frame(sweep.results)
    names, several = method_names(), frame["protocol"].nunique() > 1
    lines: list[list[Cell | str]] = []
    for row in records(frame):
        words = [row["variant"], row["protocol"] if several else "", "" if row["state"] == "done" else row["state"]]
        words += str(row["error"] or "").splitlines()[:1]
        name = Cell(names.get(row["model"], row["model"]), "; ".join(filter(None, words)))
        numbers = {column: value_cell(row[column], digits=digits) for column, digits in _SHOWN.items()}
        if row["seeds"]:
            numbers["best_epoch"] = Cell(show_number(row["best_epoch"], 1), f"of {show_number(row['epochs'], 1)}")
        lines.append([name, str(row["seeds"]), *numbers.values()])
    caption = (
        f"All together: {frame['minutes'].sum():.0f} minutes of runs, some of them side by side. Bold: in Table 3; of "
        "two variants, the one better on validation. Means over the finished seeds; minutes: their sum; memory: the "
        "most of any. An epoch holds its validation points. What is not trained has no parameters."
    )
    head = ["model", "seeds", "validation AUC", "test AUC", "parameters", "best epoch", "seconds an epoch"]
    head += ["times HyperCTR", "minutes", "peak memory (MiB)"]
    several_variants = frame.groupby(["protocol", "model"])["variant"].transform("size") > 1
    strong = frozenset(frame.index[frame["reported"] & several_variants].tolist())
    return Table(head, lines, caption, "costs", strong=strong, frame=frame)


def costs_frame(results: pd.DataFrame) -> pd.DataFrame:
    """Return one row per protocol, model and variant of a sweep's results, with means over the finished seeds.

    ``variant`` is empty where a model has one only, ``reported`` tells which is in Table 3. ``best_epoch`` is that of
    the best validation AUC, of ``epochs`` trained; ``minutes`` are of training and testing, all seeds together.
    """
    rows: list[dict[str, Any]] = []
    names = list(dict.fromkeys([*method_names(), *results["model"]]))
    for (protocol, model), every in results.groupby(["protocol", "model"], sort=False):
        labels = every.groupby("run")["label"].unique()
        variants = {run: " = ".join(variant_of(label, str(model)) for label in same) for run, same in labels.items()}
        runs = every.drop_duplicates("run")  # variants that do not differ are the same runs
        reported = chosen_variant(runs)["label"].iloc[0]
        for label, variant in runs.groupby("label", sort=False):
            done = variant[variant["state"] == "done"]
            named = {"protocol": protocol, "model": model, "variant": variants[variant["run"].iloc[0]]}
            means = {name: done[name].astype(float).mean() for name in ("best_validation_auc", "best_epoch", "epochs")}
            minutes = done["seconds"].astype(float).sum() / 60
            rows.append({**sum_up(variant), **named, **means, "reported": label == reported, "minutes": minutes})
    rows.sort(key=lambda row: names.index(row["model"]))
    frame = pd.DataFrame(rows)
    seconds = frame[frame["model"] == "hyperctr"].groupby("protocol")["seconds_per_epoch"].first()
    frame["times_hyperctr"] = frame["seconds_per_epoch"] / seconds.reindex(frame["protocol"]).to_numpy(float)
    return frame.reindex(columns=COLUMNS)
