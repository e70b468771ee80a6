"""The runs behind a report: training what is missing beforehand, and the rows of the page that shows them all."""

from __future__ import annotations

import hashlib
import logging
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from hyperctr.display.table import value_cell
from hyperctr.errors import HyperCTRError
from hyperctr.report.notebooks import PlanUse
from hyperctr.runs.states import read_status
from hyperctr.runs.store import runs_folder
from hyperctr.runtime import duration
from hyperctr.sweeps.results import results, scored_elsewhere
from hyperctr.sweeps.sweep import Sweep, asked_for
from hyperctr.training.events import read_events
from hyperctr.written import EMPTY

if TYPE_CHECKING:
    from hyperctr.data.dataset import Dataset
    from hyperctr.sweeps.plan import Plan

log = logging.getLogger(__name__)
Curve = Sequence[tuple[float, float]]  # (epoch, validation AUC)
RUN_COLUMNS = (
    *("dataset", "model", "protocol", "split", "seed", "run", "state", "error", "auc", "auc_low", "auc_high", "gauc"),
    *(
        "auc_centred",
        "logloss",
        "logloss_calibrated",
        "best_validation_auc",
        "epochs",
        "best_epoch",
        "parameters",
        "seconds",
        "peak_memory_mib",
    ),
    *("test_clicks", "device", "deterministic", "data_fingerprint", "split_checksum", "code_fingerprint"),
    *("torch", "python", "convolution"),
)
WIDTH, HEIGHT, EDGE = 120.0, 26.0, 3.0  # of a sparkline


@dataclass
class ReportRuns:
    """All plans of a report, opened.

    Of a plan that runs on request, what is trained is shown, and nothing is trained.

    Attributes:
        plans: by their use.
        problems: lines about plans that cannot be opened, and a sweep that could not go on.
    """

    plans: dict[PlanUse, Plan] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @classmethod
    def open(
        cls, data: Dataset, uses: Iterable[PlanUse], dataset: str, budget: str, seeds: int, data_dir: str
    ) -> ReportRuns:
        """Open plans; one that cannot be is a problem, and the notebook that needs it will say more."""
        opened = cls()
        for use in dict.fromkeys(uses):
            count = seeds if use.seeds is None else use.seeds
            try:
                sweep = Sweep(use.name, dataset, budget, seeds=count, data_dir=data_dir, labels=use.labels, data=data)
            except HyperCTRError as error:
                opened.problems.append(f"plan {use.name}: {error}")
            else:
                opened.plans[use] = sweep.plans[0]
        return opened

    def train(self, uses: Iterable[PlanUse], workers: int | None = None) -> None:
        """Train what is missing of some plans together; whatever goes wrong, the notebooks still run."""
        from hyperctr.sweeps.local import run_plans

        opened = [self.plans[use] for use in dict.fromkeys(uses) if use in self.plans]
        chosen = [plan for plan in opened if not plan.file.on_request]
        if not chosen:
            return
        try:
            outcome = run_plans(chosen, workers=workers)
        except (HyperCTRError, OSError) as error:  # no processes to be had, no room on the disk ...
            self.problems.append(f"the runs were not trained: {error}")
        else:
            log.info("%s", str(outcome).splitlines()[0])

    def states(self, uses: Iterable[PlanUse]) -> dict[str, str]:
        """Return run id -> state, error and a hash of the results, of some plans and of what is shown beside them."""
        plans = [self.plans[use] for use in uses if use in self.plans]
        ids = {run.run_id for plan in plans for run in plan.runs}
        for plan in plans:
            with suppress(HyperCTRError, OSError, ValueError, KeyError):  # a damaged run folder, which frame() tells of
                ids.update(scored_elsewhere(results(plan))["run"])
        return {name: _state(name) for name in sorted(ids)}

    def frame(self) -> pd.DataFrame:
        """Return one row per run, those that are not done first: what varies, and :data:`RUN_COLUMNS`."""
        tables = []
        for use, plan in self.plans.items():
            try:
                tables.append(asked_for(plan, results(plan)))
            except (HyperCTRError, OSError, ValueError, KeyError) as error:  # a damaged run folder
                self.problems.append(f"plan {use.name}: its results cannot be read: {error}")
        if not tables:
            return pd.DataFrame(columns=["what", *RUN_COLUMNS])
        rows = pd.concat([table.astype(object) for table in tables], ignore_index=True)
        rows["what"] = [
            f"{plan}: {label}" if setting == "case" else f"{setting.replace('_', ' ')} {label}"
            for plan, setting, label in zip(rows["plan"], rows["setting"], rows["label"], strict=True)
        ]
        what = rows.groupby("run", sort=False)["what"].agg(lambda all_: "; ".join(dict.fromkeys(all_)))
        runs = rows.drop_duplicates("run").assign(what=lambda frame: frame["run"].map(what))
        failures_first = runs.sort_values("state", key=lambda state: state == "done", kind="stable", ignore_index=True)
        return failures_first.reindex(columns=["what", *RUN_COLUMNS])

    def curves(self) -> dict[str, Curve]:
        """Return run id -> validation curve, of all runs that have any point."""
        ids = {run.run_id for plan in self.plans.values() for run in plan.runs}
        return {name: points for name in sorted(ids) if (points := _curve(name))}


def run_rows(frame: pd.DataFrame, curves: Mapping[str, Curve]) -> list[dict[str, Any]]:
    """Return the rows of the page of all runs, in the order of the frame.

    Args:
        frame: of :meth:`ReportRuns.frame`.
        curves: of :meth:`ReportRuns.curves`.

    Returns:
        of each run its ``id``, ``state``, ``error``, whether it is ``ok``, ``cells`` (plain text, what to sort by) and
        ``curve``, see :func:`sparkline`.
    """
    numbers = ["auc", "auc_low", "auc_high", "epochs", "seconds", "peak_memory_mib"]
    rows = []
    for row in frame.assign(**frame[numbers].apply(pd.to_numeric, errors="coerce")).to_dict("records"):
        name, state, ok = row["run"], row["state"], row["state"] == "done"
        auc = value_cell(row["auc"], row["auc_low"], row["auc_high"])
        cells = [
            (state, f"{ok:d} {state}"),
            *((str(row[column]), row[column]) for column in ("model", "what", "seed")),
            (auc.plain(), row["auc"]),
            (_text(row["epochs"], "{:.3g}".format), row["epochs"]),
            (_text(row["seconds"], duration), row["seconds"]),
            (_text(row["peak_memory_mib"], "{:,.0f} MiB".format), row["peak_memory_mib"]),
        ]
        error = "" if ok else str(row["error"] or "")
        status = {"id": name, "state": state, "ok": ok, "error": error, "cells": cells}
        rows.append({**status, "curve": sparkline(curves.get(name, ()))})
    return rows


def sparkline(points: Curve) -> dict[str, Any]:
    """Place a curve in a small picture that it fills from top to bottom; empty for no points.

    Returns:
        ``line`` (the points of a polyline), ``best`` (x and y of the highest) and ``words`` for a screen reader.

    >>> sparkline([(1, 0.5), (2, 0.75), (3, 0.7)])["line"], sparkline([])
    ('3.0,23.0 60.0,3.0 117.0,7.0', {})
    """
    if not points:
        return {}
    xs, ys = [point[0] for point in points], [point[1] for point in points]
    across, up = (WIDTH - 2 * EDGE) / (max(xs) - min(xs) or 1.0), (HEIGHT - 2 * EDGE) / (max(ys) - min(ys) or 1.0)
    places = [(f"{EDGE + (x - min(xs)) * across:.1f}", f"{HEIGHT - EDGE - (y - min(ys)) * up:.1f}") for x, y in points]
    words = f"validation AUC {ys[0]:.3f} to {ys[-1]:.3f} in {xs[-1]:.3g} epochs, best {max(ys):.3f}"
    return {"line": " ".join(map(",".join, places)), "best": places[ys.index(max(ys))], "words": words}


def _text(value: float, write: Callable[[float], str]) -> str:
    return write(value) if math.isfinite(value) else EMPTY


def _state(name: str) -> str:
    status = read_status(name)
    try:
        results = hashlib.sha256((runs_folder() / name / "metrics.json").read_bytes()).hexdigest()
    except OSError:
        results = ""
    return f"{status.state} {status.error or ''} {results}"


def _curve(name: str) -> Curve:
    points = read_events(runs_folder() / name / "events.jsonl")
    try:
        return [(float(point["epoch"]), float(point["validation_auc"])) for point in points]
    except (KeyError, TypeError, ValueError):
        return []
