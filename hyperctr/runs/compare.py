"""Two finished runs side by side: what differs in their settings, and by how much their test AUCs differ."""

from __future__ import annotations

import dataclasses
import math

import pandas as pd

from hyperctr.errors import RunError
from hyperctr.runs.run import Run, load_run
from hyperctr.runs.store import read_json, write_json
from hyperctr.statistics import Interval

SHARED = ("data_fingerprint", "split_checksum", "seed", "test_clicks", "test_candidates")
METRICS = (
    *("auc", "auc_centred", "gauc", "logloss", "logloss_corrected", "logloss_calibrated", "calibration_error"),
    "auc_impressions",
    *("best_validation_auc", "parameters", "epochs", "seconds"),
)


def compare_runs(a: Run, b: Run) -> Interval:
    """Return the test AUC of ``a`` minus that of ``b`` with a paired bootstrap interval over users.

    Both kept their AUC on the same draws of users, so nothing is scored again.

    Raises:
        RunError: the runs were not tested on the same clicks and candidates.
    """
    for name in SHARED:
        if a.metrics[name] != b.metrics[name]:
            values = f"{a.metrics[name]} and {b.metrics[name]}"
            raise RunError(f"runs {a.id} and {b.id} cannot be compared: their {name} differ, {values}")
    return a.draws.minus(b.draws)


def compare_cached(a: str, b: str) -> Interval:
    """Return :func:`compare_runs` of two runs named by id, kept as ``compare/<b>.json`` in the folder of ``a``.

    Raises:
        RunError: a run is missing, unfinished or damaged, or they cannot be compared.
    """
    first, second = load_run(a), load_run(b)
    path = first.folder / "compare" / f"{second.id}.json"
    if path.exists():
        return Interval(**read_json(path))
    interval = compare_runs(first, second)
    write_json(path, dataclasses.asdict(interval))
    return interval


def differing_settings(a: Run, b: Run) -> pd.DataFrame:
    """Return the settings in which two runs differ, a row each: setting, and the value in either run."""
    of_a, of_b = dataclasses.asdict(a.config), dataclasses.asdict(b.config)
    rows = [(name, of_a[name], of_b[name]) for name in of_a if of_a[name] != of_b[name]]
    return pd.DataFrame(rows, columns=["setting", a.id, b.id])


def metric_differences(a: Run, b: Run) -> pd.DataFrame:
    """Return the metrics of two runs, a row each: metric, its value in either run, and ``a`` minus ``b``.

    A metric that is newer than a run is nan.
    """
    of_a, of_b = ([float(run.metrics.get(name, math.nan)) for name in METRICS] for run in (a, b))
    rows = [(name, x, y, x - y) for name, x, y in zip(METRICS, of_a, of_b, strict=True)]
    return pd.DataFrame(rows, columns=["metric", a.id, b.id, "difference"])
