"""Table 3: how well all systems do, beside the published numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pandas as pd

from hyperctr.config import REFERENCE_MODEL
from hyperctr.display.table import Cell, Table, Tone
from hyperctr.paper.checks.findings import overall_finding
from hyperctr.paper.checks.results import RunResults
from hyperctr.paper.numbers import counterpart, notes, paper_numbers, published_columns
from hyperctr.paper.prose import prose
from hyperctr.paper.tables import rows as common
from hyperctr.sweeps.results import DEFICIT
from hyperctr.sweeps.seeds import chosen_variant, paired, records, sum_up
from hyperctr.sweeps.sweep import paired_runs
from hyperctr.written import EMPTY, show_number

if TYPE_CHECKING:
    from hyperctr.sweeps.sweep import Sweep

POPULARITY = "popularity"
COUNTING = (POPULARITY, "item mean", "constant")
BASELINES = (REFERENCE_MODEL, *COUNTING)
_ABOUT = (
    "Bold: best measured, protocol by protocol. A dash: no run, or nothing published. Improv.: HyperCTR over the best "
    "of the paper's other systems, in percent of it; measured, over those with a run, under the first protocol. Of a "
    "system with two variants, the one better on validation. Centred: the AUC after each user's mean score was "
    "subtracted. Calibrated: slope and shift of the logit fitted on validation clicks; it is the log loss that is held "
    "against the published one."
)


def table3(sweep: Sweep) -> Table:
    """Return Table 3 of a sweep over the plan ``overall``, and others: all systems, beside the published numbers."""
    frame = table3_frame(sweep)
    compared = bool(counterpart(sweep.dataset))
    rows, names = common.measured_rows(frame), method_names()
    rows["below"] = below_popularity(rows)
    best = {str(name): common.best_values(group) for name, group in rows.groupby("protocol")}
    several, elsewhere = (
        rows.loc[rows["protocol"] != "", "protocol"].nunique() > 1,
        set(sweep.scored_elsewhere["model"]),
    )
    lines: list[list[Cell | str]] = []
    for row in records(rows):
        model, state, variant = row["model"], row["state"], common.variant_of(row["label"], row["model"])
        words = [row["protocol"] if several else "", "" if state == "done" else state]
        words += ["below popularity" if row["below"] else "", f"variant {variant}" if variant else ""]
        words += ["scored elsewhere" if model in elsewhere else ""]
        tone: Tone = "bad" if row["below"] or state not in ("done", common.NO_RUN) else ""
        cells = common.measured_cells(row, best[row["protocol"]], compared=compared)
        name = Cell(names.get(model, model), "; ".join(filter(None, words)), tone)
        lines.append([name, *cells, *common.published_cells(frame, model)])
    first = next((model for model in rows["model"] if model in BASELINES), None)
    protocol = rows["protocol"].replace("", None).ffill().bfill()
    starts = (rows["model"] == first) | (protocol != protocol.shift())
    rules = frozenset([*starts.index[starts & (starts.index > 0)].tolist(), len(rows)])
    lines.append(_improvement_row(frame, compared))
    about = [sweep.measured, common.MARKS if compared else "", _ABOUT]
    finding = overall_finding(RunResults(sweep.dataset, sweep.results, paired_runs), method_names())
    more: dict[str, Any] = {"rules_before": rules, "frame": frame, "note": table3_note(frame), "finding": finding}
    return common.layout(
        "table3", ["model", "AUC", "centred", "GAUC", "log loss", "calibrated"], lines, about, sweep.dataset, **more
    )


def method_names() -> dict[str, str]:
    """Return model -> published name, in the order of Table 3.

    >>> list(method_names().items())[-1]
    ('hyperctr', 'HyperCTR')
    """
    return {row["model"]: row["method"] for row in paper_numbers()["table3"]["rows"]}


def table3_frame(sweep: Sweep) -> pd.DataFrame:
    """Return the numbers of Table 3: the measured beside the published ones, then the published table.

    Of a model with several variants, the one that did best on validation is reported. Models that were scored elsewhere
    on the same pairs (:func:`hyperctr.evaluate_scores`) have their rows. A system without a run is a row
    without numbers, a failed one a row that says so. The columns are :data:`~hyperctr.paper.tables.rows.COLUMNS`, and
    ``auc_deficit``, the highest AUC under the protocol minus this row's, over the seeds that both have.
    """
    results, baselines, dataset = sweep.results, sweep.baselines, sweep.dataset
    if len(elsewhere := sweep.scored_elsewhere):
        results = pd.concat([results, elsewhere], ignore_index=True)
    rows: list[dict[str, Any]] = []
    protocols = list(dict.fromkeys(results["protocol"]))
    for protocol in protocols:
        systems = results[results["protocol"] == protocol]
        others = baselines[(baselines["protocol"] == protocol) & ~baselines["model"].isin(systems["model"])]
        others = others.assign(label=others["model"])
        known = dict.fromkeys([*method_names(), *systems["model"], *others["model"]])
        shown: dict[str, pd.DataFrame] = {}
        block: list[dict[str, Any]] = []
        for model in [name for name in known if name not in BASELINES] + list(BASELINES):
            runs = systems[systems["model"] == model]
            runs = chosen_variant(runs) if len(runs) else others[others["model"] == model]
            if len(runs):
                shown[model] = runs
                block.append({"model": model, "dataset": dataset, "protocol": protocol, **sum_up(runs)})
            elif model in method_names() and protocol == protocols[0]:
                block.append(common.empty_row(model, dataset, common.NO_RUN))
        _add_deficits(block, shown, set(systems["model"]))
        rows += block
    return common.with_published(rows, "table3", dataset, [*common.COLUMNS, *DEFICIT])


def _add_deficits(rows: list[dict[str, Any]], runs: dict[str, pd.DataFrame], trained: set[str]) -> None:
    """Note in rows of one protocol how far each is behind the one with the highest AUC, paired by seed."""
    measured = {row["model"]: row for row in rows if math.isfinite(row.get("auc", math.nan))}
    if not measured:
        return
    first = max(measured, key=lambda model: measured[model]["auc"])
    for model in [name for name in measured if name != first]:
        both = pd.concat([runs[name].assign(row=name) for name in (first, model)], ignore_index=True)
        behind = paired(both, "row", first, model, paired_runs if {first, model} <= trained else None)
        if behind is not None:
            measured[model] |= dict(zip(DEFICIT, (behind.value, behind.low, behind.high), strict=True))
        elif set(runs[first]["seed"]) == set(runs[model]["seed"]):  # one seed, of what cannot be paired user by user
            measured[model][DEFICIT[0]] = measured[first]["auc"] - measured[model]["auc"]


def below_popularity(frame: pd.DataFrame) -> pd.Series:
    """Tell for each row whether its AUC is below that of popularity, under the same protocol."""
    popular = frame[frame["model"] == POPULARITY].groupby("protocol")["auc"].first()
    below: pd.Series = ~frame["model"].isin(COUNTING) & (frame["auc"] < frame["protocol"].map(popular))
    return below


def improvement(frame: pd.DataFrame) -> dict[str, float]:
    """Return HyperCTR over the best of the seven other systems in the measured runs, percent.

    ``auc``, and ``logloss`` of the calibrated log loss. nan where none of them, or not HyperCTR, has a result.
    """
    rows = common.measured_rows(frame).drop_duplicates("model").set_index("model").reindex(list(method_names()))
    others = rows.drop("hyperctr")
    best = {"auc": others["auc"].max(), common.LOSS: others[common.LOSS].min()}
    gains = {metric: 100 * (rows.at["hyperctr", metric] / value - 1) for metric, value in best.items()}
    return {"auc": gains["auc"], "logloss": -gains[common.LOSS]}


def _improvement_row(frame: pd.DataFrame, compared: bool) -> list[Cell | str]:
    gained, stated = improvement(frame), paper_numbers()["table3"]["improvement_percent"]
    row = [Cell("Improv. (%)"), _percent(gained["auc"]), *[Cell(EMPTY)] * 3, _percent(gained["logloss"])]
    row += [Cell(EMPTY)] * (2 if compared else 0)
    return [*row, *(common.pair_cell(stated[name]["auc"], stated[name]["logloss"], 2) for name in published_columns())]


def _percent(value: float) -> Cell:
    return Cell(show_number(value, 2))


def table3_note(frame: pd.DataFrame) -> str:
    """Say what Table 3 shows: HyperCTR, the best model, how many systems have a result, who is below popularity."""
    names = method_names()
    rows = common.measured_rows(frame)
    rows = rows.assign(title=rows["model"].replace(names), below=below_popularity(rows))
    rows = rows.sort_values("auc", ascending=False, kind="stable")
    protocols = [name for name in frame["protocol"].unique() if name] or [""]
    blocks = []
    for place, protocol in enumerate(protocols):
        block = rows[rows["protocol"].isin([protocol, ""] if place == 0 else [protocol])]
        lost = block[(block["seeds"] == 0) & (block["state"] != common.NO_RUN)].sort_index()
        done = block[block["auc"].notna()].assign(gain=lambda rows: rows["auc_centred"] - rows["auc"])
        learned = done[done["gain"].notna() & ~done["model"].isin(COUNTING)]
        gains = records(learned.sort_values("gain", ascending=False, kind="stable"))
        centred = records(learned.sort_values("auc_centred", ascending=False, kind="stable"))
        found = {"done": records(done), "lost": records(lost), "gains": gains, "centred": centred}
        blocks.append({"protocol": protocol, **found})
    systems = [name for name in names if name != "hyperctr"]
    return prose("table3", blocks=blocks, systems=systems, popularity=POPULARITY, notes=notes("table3"))
