"""One run from data to a finished folder: split, slots, interest, training, test, rows beside it."""

from __future__ import annotations

import platform
import shutil
import time
import warnings
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from hyperctr.config import REFERENCE_MODEL, Config
from hyperctr.distributed import Group, device_of_process, error_words, joined
from hyperctr.errors import DataWarning, RunError
from hyperctr.model.base import ClickModel
from hyperctr.model.convolution import HypergraphConv
from hyperctr.progress import begin_stage, shown_together
from hyperctr.runs.data_report import earlier_hyperedges, slot_warnings
from hyperctr.runs.run import Run
from hyperctr.runs.scoring import build_model, pool_of_calibration, pools_of_test, run_interest
from hyperctr.runs.source import code_fingerprint
from hyperctr.runs.states import State, run_lock, write_status
from hyperctr.runs.store import run_id, runs_folder
from hyperctr.runs.testing import run_test, write_inputs, write_results
from hyperctr.runtime import choose_device, repeatable
from hyperctr.split_data import SplitData
from hyperctr.training.checkpoint import save_tensors
from hyperctr.training.events import peak_memory_mib
from hyperctr.training.loop import Trainer
from hyperctr.training.scoring import PoolScores
from hyperctr.training.sharing import score_together

if TYPE_CHECKING:
    from hyperctr.data.dataset import Dataset
    from hyperctr.data.negatives import CandidatePool

DRY_RUN_ROWS = 4_000  # clicks, and non-clicks, of each part that a dry run looks at
SEEN_WITHIN = 60.0  # seconds until a file that one machine has written must be seen by the others


def train(
    data: Dataset,
    config: Config | None = None,
    *,
    device: str | None = None,
    resume: bool = False,
    dry_run: bool = False,
) -> Run:
    """Train and test one model; a finished run with the same id is loaded instead of trained again.

    Args:
        data: what to train and test on.
        config: settings; None takes the paper's model at its defaults.
        device: ``cpu``, ``cuda``, ``cuda:N``, ``mps``; see :func:`hyperctr.runtime.choose_device`.
        resume: go on from the last checkpoint of an interrupted run; without it such a run starts afresh.
        dry_run: a few steps of everything (pre-train, train, validate, test, save) under its own id, in seconds at any
            size: the data are loaded, checked and split whole, and the model has all its parameters, but clicks are
            those of a sample of users, some thousands (``DRY_RUN_ROWS``), which each stage goes through once, in one
            round. Its numbers mean nothing; its memory is that of the whole but for what grows with the clicks, such
            as the hypergraphs. FREEDOM and MGCN still look for the neighbours of every item among all others.

    Returns:
        The finished :class:`~hyperctr.runs.run.Run`.

    Raises:
        ConfigError: unknown model, or a device that is not there.
        DataError: the data set lacks what the settings ask for.

    >>> import hyperctr as hc
    >>> data = hc.load_dataset("planted", num_users=60, num_items=90, num_interactions=1200, months=12)
    >>> run = hc.train(data, hc.Config.for_model("hyperctr", "smoke"))  # doctest: +SKIP
    """
    config = config or Config()
    if dry_run:
        few = {"test_candidates": 10, "validation_clicks": 50, "validation_candidates": 10}
        few |= {"epochs": 1, "interest_epochs": min(config.interest_epochs, 1)}
        config = config.replace(rounds_per_epoch=1, points_per_epoch=1, **few)
    where = device_of_process(choose_device(device))
    name = ("dry-" if dry_run else "") + run_id(data, config)
    folder = runs_folder() / name
    together = shown_together(f"{config.model} on {data.name}, run {name}")
    with joined(where) as group, repeatable(where, config.deterministic), together:
        if (first := group.agreed(name)) != name:
            differs = f"process {group.rank} on {platform.node()} would train run {name}, process 0 trains {first}"
            raise RunError(f"{differs}; all need the same data, settings and version of hyperctr")
        if group.first:
            _train_first(data, config, name, where, group, resume=resume, dry_run=dry_run)
        elif (resumed := group.agreed(None)) is not None:
            _see(folder, group)
            _train(data, config, folder, where, group, resume=resumed, dry_run=dry_run)
        group.agreed(None)
    return Run(folder, data)


def _train_first(
    data: Dataset, config: Config, name: str, where: torch.device, group: Group, *, resume: bool, dry_run: bool
) -> None:
    """Hold the run, train it and keep its state; tell the other processes whether to join in, and whether to resume."""
    folder = runs_folder() / name
    if (folder / "DONE").exists():
        group.agreed(None)
        return
    with run_lock(name) as left_behind:
        if (folder / "DONE").exists():  # whoever held the lock has finished it
            group.agreed(None)
            return
        resume = resume or left_behind or group.restarted
        if folder.exists() and not resume:
            shutil.rmtree(folder)
        folder.mkdir(parents=True, exist_ok=True)
        for torn in folder.glob(".*"):  # files that a killed process was writing aside
            torn.unlink()
        write_status(name, "running")

        def note(state: State, words: str) -> None:
            with suppress(OSError):  # the disk may be full, and the error at hand says more
                write_status(name, state, error=words)

        try:
            with group.noting(partial(note, "failed")):
                group.agreed(resume)
                _train(data, config, folder, where, group, resume=resume, dry_run=dry_run)
        except BaseException as error:
            note("failed" if isinstance(error, Exception) else "killed", group.failed(error_words(error)))
            raise
        write_status(name, "done", peak_memory_mib=round(peak_memory_mib(where), 1))


def _see(folder: Path, group: Group) -> None:
    """Make sure that this process sees the run that the first one has begun."""
    end = time.monotonic() + SEEN_WITHIN
    while not (folder / "status.json").exists():
        if time.monotonic() > end:
            fix = "set HYPERCTR_RUNS to a folder that all machines share"
            raise RunError(f"process {group.rank} on {platform.node()} sees no {folder}, which process 0 made; {fix}")
        time.sleep(0.2)


def _train(
    data: Dataset, config: Config, folder: Path, where: torch.device, group: Group, *, resume: bool, dry_run: bool
) -> None:
    """Train and test into ``folder``, which the first process has locked; ``DONE`` is the last thing written."""
    started = time.perf_counter()
    # Step 1: note what the run is made of
    split_data, sampled = SplitData.open(data, config), None
    if dry_run:
        sampled = max(DRY_RUN_ROWS, config.batch_size)
        split_data = split_data.sample(sampled, config.seed)
    if group.first:
        earlier = earlier_hyperedges(split_data) if config.protocol == "causal" else None
        for message in slot_warnings(split_data, earlier):
            warnings.warn(message, DataWarning, stacklevel=2)
        write_inputs(folder, data, split_data, config, sampled)

    # Step 2: interest, model, training
    with group.after_first():  # which pre-trains the interest; the others read it
        interest = run_interest(split_data, config, folder, str(where))
    with begin_stage("building the model", kept=False):
        model = build_model(split_data, config, interest, where)
        trainer = Trainer(model, split_data, config, where, folder)
    progress = trainer.fit(resume=resume)
    if group.first:
        save_tensors(folder / "model.safetensors", dict(model.state_dict()))

    # Step 3: the reference run, whose time is its own, and the test
    reference_run, paused = None, time.perf_counter()
    if config.model != REFERENCE_MODEL and not dry_run:
        with shown_together(before="reference model: "):
            reference_run = train(data, config.reference(), device=str(where), resume=True)
    started += time.perf_counter() - paused
    if not group.first:  # its part of the test is its share of the scores
        for pool in (pool_of_calibration(split_data, config), *pools_of_test(split_data, config)):
            if pool is not None:
                score_together(model, split_data, pool)
        return
    with begin_stage("testing") as shown:
        test = run_test(
            config.model,
            lambda pool: _scores(model, split_data, pool),
            split_data,
            config,
            reference_run,
            replicates=20 if dry_run else 1000,
            judged=not dry_run,
        )
        shown.end("test AUC {auc:.4f}, 95 % interval {auc_low:.4f} to {auc_high:.4f}".format(**test.metrics))

    # Step 4: records
    repeats = where.type == "cpu" or (where.type == "cuda" and config.deterministic)
    metrics = test.metrics | {name: getattr(config, name) for name in ("model", "protocol", "split", "seed")}
    metrics |= {
        "dataset": data.name,
        "modalities": list(split_data.data.modalities),
        "slots": split_data.slots.count,
        "best_validation_auc": progress.best_auc,
        **{"steps": progress.step, "epochs": progress.step / trainer.steps_per_epoch},
        **{"best_step": progress.best_step, "best_epoch": progress.best_step / trainer.steps_per_epoch},
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "seconds": round(time.perf_counter() - started, 1),
        **{"device": str(where), "deterministic": repeats, "threads": torch.get_num_threads()},
        "processes": group.size,
        "convolution": ", ".join(HypergraphConv.backends_used(model)) or None,
        **{"data_fingerprint": data.fingerprint, "split_checksum": split_data.split.checksum},
        "code_fingerprint": code_fingerprint(config.model),
        **{"python": platform.python_version(), "torch": torch.__version__},
    }
    if diagnostics := model.diagnostics():
        metrics["diagnostics"] = diagnostics
    write_results(folder, metrics, test)
    shutil.rmtree(folder / "state", ignore_errors=True)


def _scores(model: ClickModel, split_data: SplitData, pool: CandidatePool) -> PoolScores:
    """Score a pool in the first process, with the help of the others."""
    scores = score_together(model, split_data, pool)
    assert scores is not None
    return scores
