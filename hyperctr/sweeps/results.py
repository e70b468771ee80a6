"""The results of a plan as tables: one row per planned run, whatever its state, and the learning curves."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pandas as pd

from hyperctr.errors import RunError
from hyperctr.runs.compare import compare_cached
from hyperctr.runs.run import RELIABILITY_FILE
from hyperctr.runs.stale import why_stale
from hyperctr.runs.states import read_status
from hyperctr.runs.store import read_json, run_names, runs_folder
from hyperctr.sweeps.seeds import records
from hyperctr.training.events import read_events

if TYPE_CHECKING:
    from hyperctr.sweeps.plan import Plan, PlannedRun

METRICS = (
    *("auc", "auc_low", "auc_high", "auc_centred", "gauc", "logloss", "logloss_corrected", "logloss_calibrated"),
    *("auc_impressions", "calibration_error"),
    *("best_validation_auc", "epochs", "best_epoch", "parameters", "seconds"),
)
CASE = ("model", "protocol", "split", "negatives_avoid", "seed")  # a baseline has one row in each
RUN_COLUMNS = (
    *("test_clicks", "test_candidates", "device", "deterministic", "convolution"),
    *("data_fingerprint", "split_checksum", "code_fingerprint", "torch", "python"),
)
COLUMNS = (
    *("plan", "setting", "label", "value", "dataset"),
    *CASE,
    *("run", "state", "error"),
    *METRICS,
    *("seconds_per_epoch", "peak_memory_mib"),
    *RUN_COLUMNS,
)
SAME_PAIRS = ("data_fingerprint", "split_checksum", "protocol", "seed", "test_clicks", "test_candidates")
DEFICIT = ("auc_deficit", "auc_deficit_low", "auc_deficit_high")
CURVE = (
    *("run", "label", "model", "seed"),
    *("step", "epoch", "examples", "loss", "validation_auc", "seconds", "memory_mib"),
)

RELIABILITY = ("run", "label", "protocol", "seed", "of_run", "model", "pairs", "clicks", "raw", "calibrated")


def results(plan: Plan) -> pd.DataFrame:
    """Return one row per planned run.

    Columns: ``plan``, ``setting`` (``case`` where none is varied), ``label``, ``value`` (nan for a case), ``dataset``,
    ``model``, ``protocol``, ``split``, ``negatives_avoid``, ``seed``, ``run``, ``state`` (done, failed, killed,
    planned, running), ``error``; then, nan unless done: test metrics, ``seconds`` (wall time), ``seconds_per_epoch``,
    ``peak_memory_mib``, counts and what it takes to repeat the run. Plans with ``compare_with`` also have
    ``auc_deficit`` with ``_low`` and ``_high``: the test AUC of the base case minus this row's, the same seed and
    clicks, with the interval of a paired bootstrap over users.
    """
    columns = COLUMNS + (DEFICIT if plan.file.compare_with else ())
    base = {run: first for first, run in plan.pairs()}
    rows = []
    for run in plan.runs:
        row = {"plan": run.plan, "setting": run.setting, "label": run.label, "value": run.value, "run": run.run_id}
        row |= {"dataset": plan.data.name, **_case(run), **_outcome(run.run_id)}
        if row["state"] == "done":
            row |= _difference(base.get(run.run_id), run.run_id)
        rows.append(row)
    return pd.DataFrame(rows, columns=list(columns))


def baselines(plan: Plan) -> pd.DataFrame:
    """Return the rows that every finished run was tested beside: counting baselines and the reference run.

    One row per model, protocol, split, ``negatives_avoid`` and seed, with the same metric columns as :func:`results`;
    ``state`` is done.
    """
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for run in plan.runs:
        if read_status(run.run_id).state != "done":
            continue
        try:
            table = pd.read_csv(runs_folder() / run.run_id / "rows.csv")
        except (OSError, ValueError):  # damaged: other runs of the plan hold the same rows
            continue
        for row in records(table[table["model"] != run.config.model]):
            case = _case(run) | {"model": row["model"]}
            metrics = {name: value for name, value in row.items() if name in METRICS}
            done = {"dataset": plan.data.name, "state": "done", "error": ""}
            rows.setdefault(tuple(case.values()), metrics | case | done)
    columns = ("dataset", *CASE, "state", "error", *METRICS)
    return pd.DataFrame(list(rows.values()), columns=list(columns))


def scored_elsewhere(results: pd.DataFrame) -> pd.DataFrame:
    """Return models scored elsewhere (:func:`hyperctr.evaluate_scores`) on the same pairs as finished runs of a sweep.

    A row per model, protocol and seed, with the columns of :func:`results`; one of an older version of the code is
    ``stale``, without numbers: its pairs need not be today's.
    """
    done = results[results["state"] == "done"].drop_duplicates("run")
    tested = {tuple(row) for row in done[list(SAME_PAIRS)].itertuples(index=False)}
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for name in run_names() if tested else ():
        metrics = _metrics_elsewhere(name)
        if tuple(metrics.get(column) for column in SAME_PAIRS) not in tested:
            continue
        case = {"model": metrics["model"], "label": metrics["model"], "setting": "case", "run": name}
        case |= {column: metrics[column] for column in ("dataset", "protocol", "split", "seed")}
        key = tuple(case[column] for column in ("model", "protocol", "seed"))
        if why := why_stale(name, data=False):
            rows.setdefault(key, {**case, "state": "stale", "error": f"{why}; export and evaluate again"})
        else:
            rows[key] = {**case, **_outcome(name)}
    return pd.DataFrame(list(rows.values()), columns=list(COLUMNS))


def _metrics_elsewhere(name: str) -> dict[str, Any]:
    """Return the metrics of a finished run that was scored elsewhere, nothing of any other."""
    folder = runs_folder() / name
    try:
        metrics = read_json(folder / "metrics.json") if (folder / "DONE").exists() else {}
    except RunError:
        return {}
    return metrics if metrics.get("scored_elsewhere") else {}


def curves(plan: Plan) -> pd.DataFrame:
    """Return the validation points of every finished run: run, label, model, seed and the columns of its events."""
    rows = [
        {"run": run.run_id, "label": run.label, "model": run.config.model, "seed": run.seed, **point}
        for run in plan.runs
        if read_status(run.run_id).state == "done"
        for point in read_events(runs_folder() / run.run_id / "events.jsonl")
    ]
    return pd.DataFrame(rows, columns=list(CURVE))


def reliability(plan: Plan) -> pd.DataFrame:
    """Return predicted probabilities and observed clicks of every finished run and of the rows beside it, in bins.

    Columns: ``run, label, protocol, seed``, ``of_run`` (whether the model is the run's own, not a row beside it),
    and those of :attr:`hyperctr.runs.run.Run.reliability`. Runs recorded before bins were kept are left out.
    """
    tables = []
    for run in plan.runs:
        if read_status(run.run_id).state == "done":
            with suppress(OSError, ValueError):
                table = pd.read_csv(runs_folder() / run.run_id / RELIABILITY_FILE)
                named: dict[str, Any] = {
                    "run": run.run_id,
                    "label": run.label,
                    "protocol": run.config.protocol,
                    "seed": run.seed,
                }
                tables.append(table.assign(**named, of_run=table["model"] == run.config.model))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=list(RELIABILITY))


def _case(run: PlannedRun) -> dict[str, Any]:
    """Return the model of a run, and under what it was trained and tested."""
    return {name: getattr(run.config, name) for name in CASE}


def _outcome(run_id: str) -> dict[str, Any]:
    """Return state, error and, of a finished run, its metrics."""
    folder = runs_folder() / run_id
    status = read_status(run_id)
    if status.state != "done":
        return {"state": status.state, "error": status.error or ""}
    metrics = read_json(folder / "metrics.json")
    measured = {name: math.nan if metrics.get(name) is None else metrics[name] for name in (*METRICS, *RUN_COLUMNS)}
    points = read_events(folder / "events.jsonl")
    memory = [status.peak_memory_mib, metrics.get("peak_memory_mib"), *(point.get("memory_mib") for point in points)]
    costs = {"peak_memory_mib": max(held or 0.0 for held in memory) or math.nan}
    return {**measured, "state": "done", "error": "", **costs, "seconds_per_epoch": seconds_per_epoch(points)}


def seconds_per_epoch(points: list[dict[str, Any]]) -> float:
    """Return the seconds that training and validating one epoch took, over all sessions of a resumed run.

    >>> seconds_per_epoch([{"epoch": 1.0, "seconds": 4.0}, {"epoch": 2.0, "seconds": 3.0}])  # resumed after the first
    3.5
    """
    spent, before = 0.0, 0.0
    for point in points:
        spent += point["seconds"] - (before if point["seconds"] >= before else 0.0)
        before = point["seconds"]
    return spent / points[-1]["epoch"] if points else math.nan


def _difference(base: str | None, run_id: str) -> dict[str, Any]:
    """Return by how much the test AUC of a finished run is below that of the base run, if that is finished, too."""
    if base is None or read_status(base).state != "done":
        return {}
    try:
        interval = compare_cached(base, run_id)
    except RunError as error:
        return {"error": f"not compared: {error}"}
    return dict(zip(DEFICIT, (interval.value, interval.low, interval.high), strict=True))
