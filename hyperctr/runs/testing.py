"""The test of a run, wherever its scores come from: its row, the rows it has to beat, and the files that keep them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from hyperctr.baselines.popularity import BASELINE_ROWS
from hyperctr.evaluation import calibrated_on, evaluate, pooled_draws, preflight, reliability
from hyperctr.runs.run import RELIABILITY_FILE, Run
from hyperctr.runs.scoring import pool_of_calibration, pools_of_test
from hyperctr.runs.store import naming_inputs, write_json
from hyperctr.runtime import write_atomic
from hyperctr.training.scoring import PoolScores, item_scores

if TYPE_CHECKING:
    from hyperctr.config import Config
    from hyperctr.data.dataset import Dataset
    from hyperctr.data.negatives import CandidatePool
    from hyperctr.split_data import SplitData
    from hyperctr.statistics import PooledAUCDraws


@dataclass(frozen=True)
class Measurements:
    """What a test measured.

    Attributes:
        metrics: of the run itself, with the size of the test and what is suspicious.
        rows: of the run and the rows it has to beat, with ``auc_gain`` over each and its paired interval.
        draws: the test AUC on every bootstrap draw, of the rows that were measured now.
        bins: predicted and observed clicks of all rows.
    """

    metrics: dict[str, Any]
    rows: pd.DataFrame
    draws: dict[str, PooledAUCDraws]
    bins: pd.DataFrame


def run_test(
    name: str,
    scores_of: Callable[[CandidatePool], PoolScores],
    split_data: SplitData,
    config: Config,
    reference_run: Run | None,
    *,
    replicates: int = 1000,
    judged: bool = True,
) -> Measurements:
    """Calibrate a model on validation clicks and test it, beside the rows it has to beat.

    Args:
        name: of the model's row.
        scores_of: the model's scores of the pools of :mod:`hyperctr.runs.scoring`.
        split_data: what is tested on.
        config: sizes, seed, and how many training negatives a click had.
        reference_run: the run that measured the other rows; None: the baselines that only count are measured now.
        replicates: draws of the bootstrap.
        judged: whether to point out what is suspicious; a dry run cannot have learned.
    """
    validation = pool_of_calibration(split_data, config)
    pool, impressions = pools_of_test(split_data, config)
    bins: list[pd.DataFrame] = []

    def measure(
        row: str, scores: Callable[[CandidatePool], PoolScores], train_negatives: int = 1
    ) -> tuple[dict[str, Any], PooledAUCDraws]:
        """Return metrics and draws of one row; only these outlive it, as the scores are as large as the pool."""
        calibration = calibrated_on(scores(validation))
        sampled, shown = scores(pool), scores(impressions) if impressions else None
        drawn = pooled_draws(sampled, replicates=replicates, seed=config.seed)
        bins.append(reliability(sampled, calibration).assign(model=row))
        known: dict[str, Any] = {"train_negatives": train_negatives, "draws": drawn, "calibration": calibration}
        return evaluate(sampled, shown, replicates=replicates, seed=config.seed, **known), drawn

    # Step 1: the model itself
    metrics, own = measure(name, scores_of, config.negatives)
    rows, draws = [{"model": name, **metrics}], {name: own}

    # Step 2: the rows to beat, measured once, with the reference run, on the same clicks and candidates
    if reference_run is not None:
        bins.append(reference_run.reliability)
        for row in reference_run.rows.to_dict("records"):
            difference = _auc_gain(own, reference_run.draws_of(row["model"]))
            rows.append({"model": row["model"], **{metric: row[metric] for metric in metrics}, **difference})
    else:
        for baseline, logits_of in BASELINE_ROWS.items():
            measured, draws[baseline] = measure(baseline, partial(item_scores, logits=logits_of(split_data)))
            rows.append({"model": baseline, **measured, **_auc_gain(own, draws[baseline])})

    # Step 3: what is suspicious
    table = pd.DataFrame(rows)
    popularity = table.loc[table["model"] == "popularity", "auc"].iloc[0]
    metrics["warnings"] = preflight(name, metrics["auc"], float(popularity)) if judged else []
    metrics |= {"test_clicks": len(pool), "test_candidates": int(pool.sizes.sum())}
    return Measurements(metrics, table, draws, pd.concat(bins, ignore_index=True))


def _auc_gain(draws: PooledAUCDraws, other: PooledAUCDraws) -> dict[str, float]:
    difference = draws.minus(other)
    return {"auc_gain": difference.value, "auc_gain_low": difference.low, "auc_gain_high": difference.high}


def write_inputs(
    folder: Path, data: Dataset, split_data: SplitData, config: Config, sampled: int | None = None
) -> None:
    """Note in the folder of a run what it is made of: settings, data (``sampled`` clicks of each part), and code."""
    origin = data.origin or {"name": None, "data_dir": None, "seed": 0, "options": {}}
    known = {"fingerprint": data.fingerprint, "split": split_data.split.checksum, "sampled": sampled}
    write_atomic(folder / "config.toml", config.to_toml())
    write_json(folder / "data.json", {**origin, **known})
    write_json(folder / "code.json", naming_inputs(config))


def write_results(folder: Path, metrics: dict[str, Any], test: Measurements) -> None:
    """Keep what a run has measured; ``DONE`` is the last thing written."""
    write_atomic(folder / "rows.csv", test.rows.to_csv(index=False))
    draws = test.draws.items()
    write_json(
        folder / "draws.json",
        {row: {"value": auc.value, "users": auc.users, "draws": auc.draws.tolist()} for row, auc in draws},
    )
    write_atomic(folder / RELIABILITY_FILE, test.bins.to_csv(index=False))
    write_json(folder / "metrics.json", metrics)
    write_atomic(folder / "DONE", "")
