"""What a run is built of, interest and model, and the candidates it is tested on."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from hyperctr.data.negatives import CandidatePool, impression_pool, streamed_pool
from hyperctr.hypergraph.interest import Interest, interest_matrix, pretrain_interest
from hyperctr.model.base import ClickModel
from hyperctr.model.context import Context
from hyperctr.model.history import ClickHistory
from hyperctr.models import model_class
from hyperctr.runs.source import code_fingerprint
from hyperctr.runs.store import runs_folder
from hyperctr.runtime import atomic_path, choose_device, derive_seed
from hyperctr.split_data import SplitData
from hyperctr.training.checkpoint import load_tensors, save_tensors

if TYPE_CHECKING:
    from hyperctr.config import Config

INTEREST_ARRAYS = ("degree", "user_embedding", "item_embedding")
INTEREST_FILE = "interest.safetensors"


def run_interest(split_data: SplitData, config: Config, folder: Path, device: str | None = None) -> Interest | None:
    """Return the interest a run of ``config`` starts from: kept in ``folder``, or by a like run, or pre-trained now.

    None where the model reads no hypergraphs, or the data have no modality. Predictions need its degrees to rebuild
    the hypergraphs, so it stays in the folder. Runs that differ in other settings share it: one file with a name in
    each run's folder and one in the store's ``.interest``, which goes when no run has the file any more.
    """
    if not reads_interest(split_data, config):
        return None
    path, kept = folder / INTEREST_FILE, runs_folder() / ".interest"
    if not path.exists():
        shared = kept / f"{_interest_name(split_data, config, device)}.safetensors"
        try:
            with atomic_path(path) as aside:
                aside.unlink()
                os.link(shared, aside)
        except OSError:  # there is none yet, or no links on this file system
            _save_interest(path, interest_of(split_data, config, device))
            _share(path, shared)
    return load_interest(folder, split_data, config)


def _share(path: Path, shared: Path) -> None:
    """Give a run's interest a second name, ``shared``, for the next run; drop those whose runs have gone.

    Another process may do the same at any moment. Without hard links nothing is shared.
    """
    shared.parent.mkdir(parents=True, exist_ok=True)
    with suppress(OSError):
        os.link(path, shared)
    for file in shared.parent.glob("*.safetensors"):
        with suppress(FileNotFoundError):
            if file.stat().st_nlink == 1:
                file.unlink()


def reads_interest(split_data: SplitData, config: Config) -> bool:
    """Tell whether a run of ``config`` pre-trains interest: its model has hypergraphs, and the data a modality."""
    return model_class(config.model).needs_interest and config.graph != "none" and bool(split_data.data.modalities)


def _interest_name(split_data: SplitData, config: Config, device: str | None) -> str:
    """Name all that decides an interest: the training clicks, their features, the settings, the code, the device."""
    data = split_data.data
    settings = (config.embedding_size, config.interest_epochs, config.seed, config.deterministic)
    inputs = (data.fingerprint, split_data.split.checksum, data.modalities, settings, code_fingerprint(config.model))
    return hashlib.sha256(repr((*inputs, str(choose_device(device)).split(":")[0])).encode()).hexdigest()[:16]


def _save_interest(path: Path, interest: Interest) -> None:
    arrays = {name: getattr(interest, name) for name in INTEREST_ARRAYS}
    for name in interest.modalities:
        arrays |= {f"projections/{name}": interest.projections[name], f"weights/{name}": interest.weights[name]}
    tensors = {name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in arrays.items()}
    save_tensors(path, tensors, {"modalities": list(interest.modalities), "losses": list(interest.losses)})


def interest_of(split_data: SplitData, config: Config, device: str | None = None) -> Interest:
    """Pre-train the interest with the settings of a run; see :func:`hyperctr.pretrain_interest`."""
    settings = {"embedding_size": config.embedding_size, "epochs": config.interest_epochs, "seed": config.seed}
    learnt = pretrain_interest(split_data.data, split_data.split, split_data.slots, **settings, device=device)
    return replace(learnt, threshold=_shown_threshold(config))


def _shown_threshold(config: Config) -> float:
    """Return delta; as a quantile it differs by slot and modality, and the middle of all degrees stands for it."""
    return 0.5 if config.threshold_is_quantile else config.interest_threshold


def load_interest(folder: Path, split_data: SplitData, config: Config) -> Interest | None:
    """Read the interest that a run kept beside its model; its matrix follows from the degrees and the slots."""
    path = folder / INTEREST_FILE
    if not path.exists():
        return None
    tensors, metadata = load_tensors(path)
    arrays = {name: value.numpy() for name, value in tensors.items()}
    modalities = tuple(metadata["modalities"])
    kinds = ("projections", "weights")
    per_modality: dict[str, Any] = {kind: {name: arrays[f"{kind}/{name}"] for name in modalities} for kind in kinds}
    shared: dict[str, Any] = {name: arrays[name] for name in INTEREST_ARRAYS}
    data, slots, clicks = split_data.data, split_data.slots, split_data.split.train
    matrix = interest_matrix(
        shared["degree"], data.user_index[clicks], slots.index[clicks], data.num_users, slots.count
    )
    shared |= {"losses": tuple(metadata["losses"]), "threshold": _shown_threshold(config)}
    return Interest(**shared, matrix=matrix, **per_modality, modalities=modalities)


def build_model(
    split_data: SplitData,
    config: Config,
    interest: Interest | None,
    device: torch.device | None = None,
    history: SplitData | None = None,
) -> ClickModel:
    """Build an untrained model of ``config`` with its context, on ``device`` (default CPU).

    ``history`` has the clicks that predictions may see where they are not those of training alone.
    """
    where = device or torch.device("cpu")
    context = Context.build(split_data, interest, config)
    if history is not None:
        context = replace(context, history=ClickHistory(history, config.protocol))
    context.to(where)
    with torch.random.fork_rng(devices=[where] if where.type == "cuda" else []):  # the caller's draws stay as they are
        torch.manual_seed(derive_seed(config.seed, "initial weights"))
        model: ClickModel = model_class(config.model)(context, config, interest)
    return model.to(where)


def pools_of_test(split_data: SplitData, config: Config) -> tuple[CandidatePool, CandidatePool | None]:
    """Return the test clicks with their sampled candidates, and with those shown beside them, where that is known.

    Candidates are drawn where they are read: to hold them would take as much memory as their scores.
    """
    pool = streamed_pool(split_data.data, split_data.split, "test", count=config.test_candidates, seed=config.seed)
    shown = len(split_data.split.non_clicks("test")) > 0
    return pool, impression_pool(split_data.data, split_data.split, "test") if shown else None


def pool_of_calibration(split_data: SplitData, config: Config) -> CandidatePool:
    """Return every validation click with one sampled candidate, as the log loss of the test has it."""
    return streamed_pool(split_data.data, split_data.split, "validation", count=1, seed=config.seed)
