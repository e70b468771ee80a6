"""Synthetic results in the schema of a sweep (``Plan.results``, ``baselines`` and ``curves``), for tests by value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from hyperctr.config import Config

MEASURED = (
    *("auc", "auc_low", "auc_high", "auc_centred", "gauc", "logloss", "logloss_corrected", "logloss_calibrated"),
    *("auc_impressions", "calibration_error"),
    *("best_validation_auc", "epochs", "best_epoch", "parameters", "seconds", "seconds_per_epoch", "peak_memory_mib"),
    *("test_clicks", "test_candidates"),
)
FACTS = (
    *("device", "deterministic", "convolution"),
    *("data_fingerprint", "split_checksum", "code_fingerprint", "torch", "python"),
)
COLUMNS = (
    *("plan", "setting", "label", "value", "dataset", "model", "protocol", "split", "negatives_avoid", "seed", "run"),
    *("state", "error"),
    *MEASURED,
    *FACTS,
)
PAIRED = ("auc_deficit", "auc_deficit_low", "auc_deficit_high")


def run_row(auc: float = 0.8, **changes: Any) -> dict[str, Any]:
    """One finished run; a state other than ``done`` leaves what is measured empty."""
    row: dict[str, Any] = {
        "plan": "overall",
        "setting": "case",
        "label": "hyperctr",
        "value": np.nan,
        "dataset": "planted",
        "model": "hyperctr",
        "protocol": "as-published",
        "split": "random",
        "negatives_avoid": "training",
        "seed": 0,
        "run": "0" * 12,
        "state": "done",
        "error": "",
        "auc": auc,
        "auc_low": auc - 0.01,
        "auc_high": auc + 0.01,
        "auc_centred": auc + 0.01 * auc,
        "gauc": auc - 0.02,
        "logloss": 1 - auc / 2,
        "logloss_corrected": 0.9 - auc / 2,
        "logloss_calibrated": 0.95 - auc / 2,
        "auc_impressions": auc - 0.1,
        "calibration_error": 0.05,
        "best_validation_auc": auc + 0.005,
        "epochs": 4.0,
        "best_epoch": 3.0,
        "parameters": 100_000,
        "seconds": 60.0,
        "seconds_per_epoch": 12.0,
        "peak_memory_mib": 800.0,
        "test_clicks": 500,
        "test_candidates": 500_000,
        "device": "cpu",
        "deterministic": True,
        "convolution": "torch",
        "data_fingerprint": "d" * 64,
        "split_checksum": "5" * 64,
        "code_fingerprint": "c" * 64,
        "torch": "2.13.0",
        "python": "3.11.9",
        **changes,
    }
    if row["state"] != "done":
        row |= dict.fromkeys((*MEASURED, *(name for name in PAIRED if name in row)), np.nan) | dict.fromkeys(FACTS)
    return row


def results_frame(
    auc: Mapping[Any, float | Sequence[float]],
    *,
    setting: str = "case",
    validation: Mapping[Any, float | Sequence[float]] | None = None,
    failed: Mapping[Any, str] | None = None,
    **changes: Any,
) -> pd.DataFrame:
    """One row per label (or value of a setting) and seed.

    Args:
        auc: test AUC by label, a number or one number per seed.
        setting: ``case``, or the setting that is varied; the keys of ``auc`` are then its values.
        validation: validation AUC in the same shape; default: the test AUC plus 0.005.
        failed: the error text of labels whose runs all failed; a label need not be in ``auc``.
        changes: further columns, the same in every row.
    """
    failed = failed or {}
    labels = [*auc, *(label for label in failed if label not in auc)]
    seeds = max((np.size(value) for value in auc.values()), default=1)
    rows = []
    for place, label in enumerate(labels):
        named = {"setting": setting, "label": str(label), "value": np.nan if setting == "case" else float(label)}
        for seed in range(seeds):
            case: dict[str, Any] = {**named, "seed": seed, "run": f"{place:06x}{seed:06x}", **changes}
            if label in failed:
                rows.append(run_row(**{**case, "state": "failed", "error": failed[label]}))
                continue
            value = float(np.broadcast_to(auc[label], seeds)[seed])
            if validation is not None:
                case["best_validation_auc"] = float(np.broadcast_to(validation[label], seeds)[seed])
            rows.append(run_row(value, **case))
    paired = [name for name in PAIRED if name in changes]
    return pd.DataFrame(rows, columns=[*COLUMNS, *paired])


def baselines_frame(seeds: int = 1, popularity: float = 0.6, reference: float = 0.7, **changes: Any) -> pd.DataFrame:
    """The baselines, a row per model and seed."""
    models = {
        "popularity": popularity,
        "item mean": popularity - 0.05,
        "constant": 0.5,
        "content matrix factorisation": reference,
    }
    rows = [
        run_row(auc, model=model, label=model, seed=seed, **changes)
        for model, auc in models.items()
        for seed in range(seeds)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def curves_frame(validation: Mapping[str, Sequence[float]], *, seed: int = 0, model: str = "hyperctr") -> pd.DataFrame:
    """Events of finished runs: the validation AUC of every point by label, 100 clicks and 5 steps apart."""
    rows = [
        {
            "run": f"{place:06x}{seed:06x}",
            "label": label,
            "model": model,
            "seed": seed,
            "step": 5 * (point + 1),
            "epoch": (point + 1) / 4,
            "examples": 100 * (point + 1),
            "loss": 0.7 / (point + 1),
            "validation_auc": value,
            "seconds": float(point + 1),
            "memory_mib": 500.0,
        }
        for place, (label, values) in enumerate(validation.items())
        for point, value in enumerate(values)
    ]
    return pd.DataFrame(rows)


def sweep_of(results: pd.DataFrame, baselines: pd.DataFrame | None = None, **more: Any) -> Any:
    """What a figure or a table reads of a sweep, on results that were never run."""
    named: dict[str, Any] = {"dataset": "planted", "title": "A sweep", "measured": "planted, protocol as-published"}
    named["measured_under"] = lambda protocols: f"planted, protocol {' and '.join(dict.fromkeys(protocols))}"
    named["scored_elsewhere"] = pd.DataFrame(columns=list(COLUMNS))
    named["default"] = lambda setting: float(getattr(Config(), setting))
    return SimpleNamespace(
        results=results, baselines=baselines_frame() if baselines is None else baselines, **named | more
    )
