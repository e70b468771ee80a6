"""One run from data to a finished folder: split, slots, interest, training, test, rows beside it."""

from __future__ import annotations

import json
import platform
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from hyperctr.baselines.matrix_factorisation import ContentMF
from hyperctr.baselines.trivial import TRIVIAL_ROWS
from hyperctr.config import REFERENCE_MODEL, Config
from hyperctr.data.negatives import CandidatePool, candidate_pool, exposed_pool
from hyperctr.errors import ConfigError, RunError, did_you_mean
from hyperctr.evaluation import PoolScores, compare, evaluate, item_scores, preflight
from hyperctr.hypergraph.interest import Interest, pretrain_interest
from hyperctr.model.base import ClickModel
from hyperctr.model.history import Targets
from hyperctr.model.hyperctr import Context, HyperCTR
from hyperctr.runs.run import Run, Study
from hyperctr.runs.store import code_fingerprint, run_id, runs_folder
from hyperctr.runtime import choose_device, derive_seed, write_atomic
from hyperctr.training.checkpoint import load_tensors, save_tensors
from hyperctr.training.loop import Trainer, score_candidates, score_pool

if TYPE_CHECKING:
    from hyperctr.data.dataset import Dataset
    from hyperctr.statistics import Interval

INTEREST_ARRAYS = ("degree", "matrix", "user_embedding", "item_embedding")
MODELS: dict[str, Any] = {"hyperctr": HyperCTR, "hyperctr+": HyperCTR, REFERENCE_MODEL: ContentMF}


def train(data: Dataset, config: Config | None = None, *, device: str | None = None, resume: bool = False,
          dry_run: bool = False) -> Run:  # fmt: skip
    """Train and test one model; a finished run with the same id is loaded instead of trained again.

    Args:
        data: the data set.
        config: settings; None takes the paper's model at its defaults.
        device: ``cpu``, ``cuda``, ``cuda:N``, ``mps``; see :func:`hyperctr.runtime.choose_device`.
        resume: go on from the last checkpoint of an interrupted run; without it such a run starts afresh.
        dry_run: one step of everything (train, validate, test, save) under its own id, in seconds.

    Returns:
        The finished :class:`~hyperctr.runs.run.Run`.

    Raises:
        ConfigError: unknown model, or a device that is not there.
        DataError: the data set lacks what the settings ask for.

    >>> import hyperctr as hc
    >>> data = hc.load_dataset("planted", num_users=60, num_items=90, num_interactions=1200, months=12)
    >>> run = hc.train(data, hc.Config.preset("hyperctr", "smoke"))  # doctest: +SKIP
    """
    config = config or Config()
    if config.model not in MODELS:
        raise ConfigError(f"model {config.model!r} is not known; {did_you_mean(config.model, MODELS)}")
    if dry_run:
        config = config.replace(epochs=1, interest_epochs=min(config.interest_epochs, 1), test_candidates=10,
                                validation_clicks=50, validation_candidates=10)  # fmt: skip
    where = choose_device(device)
    folder = runs_folder() / run_id(data, config) if not dry_run else runs_folder() / f"dry-{run_id(data, config)}"
    if (folder / "DONE").exists():
        return Run(folder, data)
    if folder.exists() and not resume:
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for torn in folder.glob(".*"):  # files that a killed process was writing aside
        torn.unlink()
    started = time.perf_counter()
    study = Study.open(data, config)
    write_atomic(folder / "config.toml", config.to_toml())
    origin = data.origin or {"name": None, "data_dir": None, "seed": 0, "options": {}}
    facts = {**origin, "fingerprint": data.fingerprint, "split": study.split.checksum}
    write_atomic(folder / "data.json", json.dumps(facts, indent=1, default=str))

    interest = _interest(study, config, folder, str(where))
    model = build_model(study, config, interest, where)
    trainer = Trainer(model, study.data, study.split, study.slots, config, where, folder)
    progress = trainer.fit(resume=resume, dry_run=dry_run)
    save_tensors(folder / "model.safetensors", dict(model.state_dict()))

    metrics, rows = _test(model, study, config, data, device, dry_run)
    metrics |= {
        "dataset": data.name, "model": config.model, "protocol": config.protocol, "split": config.split,
        "seed": config.seed, "modalities": list(study.data.modalities), "slots": study.slots.count,
        "best_validation_auc": progress.best_auc, "best_step": progress.best_step, "steps": progress.step,
        "epochs": progress.step / trainer.steps_per_epoch, "best_epoch": progress.best_step / trainer.steps_per_epoch,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "seconds": round(time.perf_counter() - started, 1), "device": str(where),
        "deterministic": where.type == "cpu", "data_fingerprint": data.fingerprint,
        "split_checksum": study.split.checksum, "code_fingerprint": code_fingerprint(),
        "python": platform.python_version(), "torch": torch.__version__, "threads": torch.get_num_threads(),
    }  # fmt: skip
    write_atomic(folder / "rows.csv", rows.to_csv(index=False))
    # JSON has no nan: what could not be measured is null there, and nan again in Run.metrics.
    written = {name: None if value != value else value for name, value in metrics.items()}
    write_atomic(folder / "metrics.json", json.dumps(written, indent=1, allow_nan=False))
    write_atomic(folder / "DONE", "")
    shutil.rmtree(folder / "state", ignore_errors=True)
    return Run(folder, data)


def build_model(
    study: Study, config: Config, interest: Interest | None, device: torch.device | None = None
) -> ClickModel:
    """Build an untrained model of ``config`` with its context, on ``device`` (default CPU)."""
    where = device or torch.device("cpu")
    context = Context.build(study.data, study.split, study.slots, interest, config).to(where)
    with torch.random.fork_rng(devices=[where] if where.type == "cuda" else []):  # the caller's draws stay as they are
        torch.manual_seed(derive_seed(config.seed, "initial weights"))
        model: ClickModel = MODELS[config.model](context, config, interest)
    return model.to(where)


def score_pairs(model: ClickModel, study: Study, user: NDArray[np.int64], item: NDArray[np.int64],
                timestamp: NDArray[np.int64], batch: int = 1024) -> NDArray[np.float64]:  # fmt: skip
    """Return the logits of (user, item, timestamp) rows given as indices, float64 ``[n]``.

    A row that is a training click has its own incidences taken out, as in training; one at a time, so that a score does
    not depend on what else is asked. That costs a convolution of all hypergraphs per such row.
    """
    click = training_click(study, user, item, timestamp)
    slot = study.slots.of(timestamp)
    targets = Targets(*(torch.from_numpy(np.ascontiguousarray(part)) for part in (user, slot, timestamp, click)))
    logits = np.empty(len(user))
    new = np.flatnonzero(click < 0)
    if len(new):
        logits[new] = score_candidates(model, targets[torch.from_numpy(new)], item[new, None], batch=batch)[:, 0]
    device = next(model.parameters()).device
    known = np.flatnonzero(click >= 0)
    with torch.no_grad():
        for one in known:
            rows = torch.tensor([one])
            part = targets[rows].to(device)
            state: Any = model.refresh(part.click)
            items = torch.from_numpy(item)[rows, None].to(device)
            scored = model.score(state, model.encode(state, part), part, items)
            logits[rows.numpy()] = scored[:, 0].double().cpu().numpy()
    return logits


def training_click(study: Study, user: NDArray[np.int64], item: NDArray[np.int64],
                    timestamp: NDArray[np.int64]) -> NDArray[np.int64]:  # fmt: skip
    """Return the number of the training click that each row repeats, -1 where it repeats none."""
    rows = study.split.train
    known = pd.MultiIndex.from_arrays(
        [study.data.user_index[rows], study.data.item_index[rows], study.data.timestamp[rows]]
    )
    first = ~known.duplicated()
    number = known[first].get_indexer(pd.MultiIndex.from_arrays([user, item, timestamp]))
    return np.where(number >= 0, np.flatnonzero(first)[np.maximum(number, 0)] if first.any() else -1, -1)


def load_interest(folder: Path) -> Interest | None:
    """Read the interest that a run kept beside its model."""
    path = folder / "interest.safetensors"
    if not path.exists():
        return None
    tensors, facts = load_tensors(path)
    arrays = {name: value.numpy() for name, value in tensors.items()}
    names = tuple(facts["modalities"])
    return Interest(
        **{name: arrays[name] for name in INTEREST_ARRAYS},
        modalities=names,
        projections={name: arrays[f"projections/{name}"] for name in names},
        weights={name: arrays[f"weights/{name}"] for name in names},
        losses=tuple(facts["losses"]),
    )


def save_interest(folder: Path, interest: Interest) -> None:
    """Keep the interest beside the model: predictions need its degrees to rebuild the hypergraphs."""
    arrays = {name: getattr(interest, name) for name in INTEREST_ARRAYS}
    for name in interest.modalities:
        arrays |= {
            f"projections/{name}": interest.projections[name],
            f"weights/{name}": interest.weights[name],
        }
    tensors = {name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in arrays.items()}
    facts = {"modalities": list(interest.modalities), "losses": list(interest.losses)}
    save_tensors(folder / "interest.safetensors", tensors, facts)


def _interest(study: Study, config: Config, folder: Path, device: str) -> Interest | None:
    """Pre-train the interest, or take it from the folder of the interrupted run."""
    if config.model == REFERENCE_MODEL or config.graph == "none" or not study.data.modalities:
        return None
    interest = load_interest(folder)
    if interest is None:
        interest = pretrain_interest(study.data, study.split, study.slots, embedding_size=config.embedding_size,
                                     epochs=config.interest_epochs, seed=config.seed, device=device)  # fmt: skip
        save_interest(folder, interest)
    return interest


def compare_runs(a: Run, b: Run, *, replicates: int = 1000) -> Interval:
    """Return the test AUC of ``a`` minus that of ``b`` with a paired bootstrap interval over users.

    Raises:
        RunError: the runs were not tested on the same clicks and candidates.
    """
    for fact in ("data_fingerprint", "split_checksum", "seed", "test_clicks", "test_candidates"):
        if a.metrics[fact] != b.metrics[fact]:
            values = f"{a.metrics[fact]} and {b.metrics[fact]}"
            raise RunError(f"runs {a.id} and {b.id} cannot be compared: their {fact} differ, {values}")
    pool, _ = _pools(a.study, a.config)
    scores = [_scores(run.model, run.study, pool) for run in (a, b)]
    return compare(scores[0], scores[1], replicates=replicates, seed=a.config.seed)


def _pools(study: Study, config: Config) -> tuple[CandidatePool, CandidatePool | None]:
    pool = candidate_pool(study.data, study.split, "test", count=config.test_candidates, seed=config.seed)
    exposed = None
    if len(study.split.unclicks("test")):
        exposed = exposed_pool(study.data, study.split, "test")
    return pool, exposed


def _scores(model: ClickModel, study: Study, pool: CandidatePool) -> PoolScores:
    return PoolScores(pool, *score_pool(model, study.data, study.slots, pool))


def _test(model: ClickModel, study: Study, config: Config, data: Dataset, device: str | None,
          dry_run: bool) -> tuple[dict[str, Any], pd.DataFrame]:  # fmt: skip
    """Return the model's test metrics and the table of it and the rows it has to beat."""
    replicates = 20 if dry_run else 1000
    pool, exposed = _pools(study, config)
    own = _scores(model, study, pool)
    own_exposed = _scores(model, study, exposed) if exposed else None
    settled = {"replicates": replicates, "seed": config.seed}
    metrics: dict[str, Any] = evaluate(own, own_exposed, train_negatives=config.negatives, **settled)
    rows = [{"model": config.model, **metrics}]
    references: dict[str, PoolScores] = {}
    if config.model != REFERENCE_MODEL and not dry_run:
        run = train(data, config.reference(), device=device)
        reference = run.model
        references[REFERENCE_MODEL] = _scores(reference, study, pool)
        rows.append({"model": REFERENCE_MODEL, **{name: run.metrics[name] for name in metrics}})
    for name, logits_of in TRIVIAL_ROWS.items():
        logits = logits_of(study.data, study.split)
        references[name] = item_scores(pool, logits)
        shown = item_scores(exposed, logits) if exposed else None
        rows.append({"model": name, **evaluate(references[name], shown, **settled)})
    for row in rows:
        if row["model"] in references:
            difference = compare(own, references[row["model"]], **settled)
            row |= {"ahead": difference.value, "ahead_low": difference.low, "ahead_high": difference.high}
    table = pd.DataFrame(rows)
    popularity = table.loc[table["model"] == "popularity", "auc"].iloc[0]
    metrics["warnings"] = preflight(config.model, metrics["auc"], float(popularity))
    metrics["test_clicks"], metrics["test_candidates"] = len(pool), int(pool.pairs_mask.sum())
    return metrics, table
