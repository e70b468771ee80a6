"""A model that other software trained and scored: its scores of the exported pairs become a run of the store."""

from __future__ import annotations

import platform
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import torch

from hyperctr.baselines.popularity import BASELINE_ROWS
from hyperctr.config import Config
from hyperctr.errors import ConfigError
from hyperctr.models import ELSEWHERE, MODELS
from hyperctr.runs.pairs import JUDGED
from hyperctr.runs.run import Run
from hyperctr.runs.scored_pairs import read_scores
from hyperctr.runs.source import code_fingerprint
from hyperctr.runs.states import run_lock, write_status
from hyperctr.runs.store import run_id, runs_folder
from hyperctr.runs.testing import run_test, write_inputs, write_results
from hyperctr.split_data import SplitData
from hyperctr.training.scoring import PoolScores

if TYPE_CHECKING:
    from hyperctr.data.dataset import Dataset
    from hyperctr.data.negatives import CandidatePool

LONGEST_NAME = 60


def evaluate_scores(
    data: Dataset, config: Config, scores: pd.DataFrame | str | Path, name: str, *, keep: bool = True
) -> Run:
    """Judge the scores that any model gave to the exported pairs, as the models of the library are judged.

    They are read as logits: the higher, the likelier a click. Slope and shift are fitted on the part ``calibration``;
    AUC, centred AUC, GAUC and log loss, raw and calibrated, are those of ``test``. The run is kept like any other,
    without a model: it has its row in Table 3, and a paired difference with every run that was tested on the same
    pairs. The same name on the same pairs replaces it. Memory: some 40 bytes a pair while they are read, then 8, or 4
    where scores are float32.

    Args:
        data: what the pairs were exported from.
        config: settings they were exported with.
        scores: a frame, or a parquet file, with columns ``part, click, item_id, score``, in any order; others are not
            looked at. Every exported pair is needed once.
        name: of the model in tables.
        keep: whether the run goes to the run store; otherwise its folder lasts as long as the run that is returned.

    Returns:
        The finished run; ``run.rows`` are what it has to beat, with paired differences.

    Raises:
        ConfigError: a name that is empty, too long, or that of a model of the library.
        DataError: a missing column; a score that is missing, double, not finite or of no exported pair: names file,
            row and value.

    >>> import hyperctr as hc
    >>> session = hc.Session("planted", budget="smoke")
    >>> pairs = session.pairs
    >>> scores = pairs.assign(score=pairs["label"] * 1.0)  # of somebody who knows
    >>> run = hc.evaluate_scores(session.data, session.config, scores, "oracle", keep=False)  # doctest: +SKIP
    >>> run.metrics["auc"]  # doctest: +SKIP
    1.0
    """
    _check_name(name)
    config = Config(model=f"{ELSEWHERE}{name}", **{setting: getattr(config, setting) for setting in JUDGED})
    started, split_data = time.perf_counter(), SplitData.open(data, config)
    scored = read_scores(scores, split_data, config)
    if not keep:
        place = tempfile.TemporaryDirectory(prefix="hyperctr-scored-")
        run = _record(Path(place.name), data, split_data, config, scored, name, started)
        run.temporary = place  # removed with the run
        return run
    with run_lock(identity := run_id(data, config)):
        folder = runs_folder() / identity
        with tempfile.TemporaryDirectory(prefix=".scored-", dir=runs_folder()) as parent:
            aside = Path(parent) / identity
            aside.mkdir()
            _record(aside, data, split_data, config, scored, name, started)
            if folder.exists():  # the one of before stays until this one is whole
                shutil.rmtree(folder)
            aside.rename(folder)
        write_status(identity, "done")
    return Run(folder, data)


def _check_name(name: str) -> None:
    if not name.strip() or name != name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise ConfigError(f"name {name!r} must be 1 to {LONGEST_NAME} printable characters, no blank at either end")
    if name in MODELS or name in BASELINE_ROWS:
        raise ConfigError(f"name {name!r} is that of a model of the library; give yours another")


def _record(
    folder: Path,
    data: Dataset,
    split_data: SplitData,
    config: Config,
    scored: dict[str, PoolScores],
    name: str,
    started: float,
) -> Run:
    """Test scores and keep what was measured in ``folder``."""
    parts = {
        ("validation", "sampled"): "calibration",
        ("test", "sampled"): "test",
        ("test", "impressions"): "impressions",
    }

    def scores_of(pool: CandidatePool) -> PoolScores:
        return scored[parts[pool.part, pool.labelling]]

    write_inputs(folder, data, split_data, config)
    reference = runs_folder() / run_id(data, config.reference())
    beside = Run(reference, data) if (reference / "DONE").exists() else None
    measured = run_test(name, scores_of, split_data, config, beside)
    metrics = measured.metrics | {setting: getattr(config, setting) for setting in ("protocol", "split", "seed")}
    metrics |= {
        **{"model": name, "scored_elsewhere": True, "dataset": data.name},
        "best_validation_auc": scored["validation"].wins.value,
        "seconds": round(time.perf_counter() - started, 1),
        **{"data_fingerprint": data.fingerprint, "split_checksum": split_data.split.checksum},
        "code_fingerprint": code_fingerprint(config.model),
        **{"python": platform.python_version(), "torch": torch.__version__},
    }
    write_results(folder, metrics, measured)
    return Run(folder, data)
