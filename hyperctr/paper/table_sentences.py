"""One paragraph under Tables 3 and 4, written from their numbers alone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from hyperctr.paper.figure_sentences import join
from hyperctr.paper.tables.rows import NO_RUN, ours, records
from hyperctr.paper.tables.table3_overall import POPULARITY, SIMPLE, below_popularity, method_names
from hyperctr.paper.tables.table4_modalities import BASE, BEHIND

GRAPHLESS = "(-) hypergraph"


def overall_paragraph(frame: pd.DataFrame) -> str:
    """Say what Table 3 shows: HyperCTR, the best model, the systems with a result, and popularity.

    Args:
        frame: of :func:`~hyperctr.paper.tables.table3_overall.table3`.
    """
    every = ours(frame)
    protocols = [str(name) for name in dict.fromkeys(every["protocol"]) if name] or [""]
    parts = [_overall(every[every["protocol"].isin([name, ""])]) for name in protocols[:1]]
    parts += [f"Under protocol {name}: {_overall(every[every['protocol'] == name])}" for name in protocols[1:]]
    return "\n\n".join(parts)


def _overall(rows_of_one: pd.DataFrame) -> str:
    own = rows_of_one.reset_index(drop=True)
    own["below"] = below_popularity(own)
    rows = [row for row in records(own) if math.isfinite(row["auc"])]
    lost = [row for row in records(own) if row["seeds"] == 0 and row["state"] != NO_RUN]
    if not rows:
        return "No run has a result yet." + _without(lost)
    names = method_names()
    best = max(rows, key=lambda row: row["auc"])
    parts = []
    mine = next((row for row in rows if row["model"] == "hyperctr"), None)
    if mine is not None:
        parts.append(f"HyperCTR has a test AUC of {_value(mine)} ({_seeds(mine)}).")
    if best is not mine:
        parts.append(f"The highest is that of {_title(best)}, {_value(best)}.")
    elif len(rows) > 1:
        parts.append("That is the highest in the table.")
    systems = [row for row in rows if row["model"] in names and row["model"] != "hyperctr"]
    parts.append(
        f"Of the paper's {len(names) - 1} other systems {len(systems) or 'none'} "
        f"{'has' if len(systems) < 2 else 'have'} a result{_range(systems)}."
    )
    simple = [row for row in rows if row["model"] in SIMPLE[:2]]
    if simple:
        listed = join([f"{row['model']} {row['auc']:.4f}" for row in simple])
        parts.append(f"Beside them: {listed}.")
    below = [_title(row) for row in rows if row["below"]]
    if any(row["model"] == POPULARITY for row in rows):
        parts.append(f"Below popularity: {join(below)}." if below else "No model is below popularity.")
    return " ".join(parts) + _without(lost)


def modalities_paragraph(frame: pd.DataFrame) -> str:
    """Say what Table 4 shows: how far each single modality, and the model without hyperedges, is behind all together.

    Args:
        frame: of :func:`~hyperctr.paper.tables.table4_modalities.table4`.
    """
    rows = {row["model"]: row for row in records(ours(frame))}
    done = {name: row for name, row in rows.items() if math.isfinite(row["auc"])}
    lost = [row for row in rows.values() if row["seeds"] == 0]
    if BASE not in done:
        return "The multi-modal model has no result yet, so nothing can be held against it." + _without(lost)
    parts = [f"With all modalities the test AUC is {_value(done[BASE])} ({_seeds(done[BASE])})."]
    single = [row for name, row in done.items() if name not in (BASE, GRAPHLESS)]
    if single:
        best = max(single, key=lambda row: row["auc"])
        parts.append(f"The best of {len(single)} modalities alone is {best['model']} with {best['auc']:.4f}.")
        parts += _sides([row for row in single if math.isfinite(row["behind"])])
    if GRAPHLESS in done and math.isfinite(done[GRAPHLESS]["behind"]):
        row = done[GRAPHLESS]
        parts.append(f"Without hyperedges it is {_distance(row)}.")
    return " ".join(parts) + _without(lost)


def _sides(rows: list[dict[str, Any]]) -> list[str]:
    """Which single modalities are behind, ahead or not told apart from all together."""
    words = []
    for what, chosen in (
        ("behind all together", [row for row in rows if row["behind_low"] > 0]),
        ("ahead of all together", [row for row in rows if row["behind_high"] < 0]),
        ("not told apart from all together", [row for row in rows if not _told_apart(row)]),
    ):
        by = [f" (by {abs(row['behind']):.4f})" if _told_apart(row) else "" for row in chosen]
        if chosen:
            listed = join([f"{row['model']}{distance}" for row, distance in zip(chosen, by, strict=True)])
            words.append(f"{listed[0].upper()}{listed[1:]} {'is' if len(chosen) == 1 else 'are'} {what}.")
    return words


def _told_apart(row: Mapping[str, Any]) -> bool:
    return bool(row["behind_low"] > 0 or row["behind_high"] < 0)


def _distance(row: Mapping[str, Any]) -> str:
    value, low, high = (row[name] for name in BEHIND)
    side = "behind" if value > 0 else "ahead"
    told = "" if _told_apart(row) else ", not told apart"
    bounds = sorted((abs(low), abs(high))) if _told_apart(row) else (low, high)
    return f"{abs(value):.4f} {side} ({_bounds(*bounds)}{told})"


def _bounds(low: float, high: float) -> str:
    return f"{low:.4f} to {high:.4f}".replace("-", "\u2212") if math.isfinite(low) else "no interval"


def _value(row: Mapping[str, Any]) -> str:
    return f"{row['auc']:.4f} [{row['auc_low']:.4f}, {row['auc_high']:.4f}]"


def _seeds(row: Mapping[str, Any]) -> str:
    return "one seed" if row["seeds"] == 1 else f"{int(row['seeds'])} seeds"


def _title(row: Mapping[str, Any]) -> str:
    return method_names().get(row["model"], str(row["model"]))


def _range(rows: list[dict[str, Any]]) -> str:
    if not rows:
        return ""
    low, high = (choose(rows, key=lambda row: row["auc"]) for choose in (min, max))
    if low is high:
        return f": {_title(low)} {low['auc']:.4f}"
    return f", from {low['auc']:.4f} ({_title(low)}) to {high['auc']:.4f} ({_title(high)})"


def _without(rows: list[dict[str, Any]]) -> str:
    listed = [f"{_title(row)} ({row['state']})" for row in rows]
    return f" Without a result: {join(listed)}." if rows else ""
