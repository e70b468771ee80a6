"""What a run is built of, interest and model, and the candidates it is tested on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from hyperctr.data.negatives import CandidatePool, candidate_pool, impression_pool
from hyperctr.hypergraph.interest import Interest, pretrain_interest
from hyperctr.model.base import ClickModel
from hyperctr.model.context import Context
from hyperctr.models import model_class
from hyperctr.runtime import derive_seed
from hyperctr.split_data import SplitData
from hyperctr.training.checkpoint import load_tensors, save_tensors

if TYPE_CHECKING:
    from hyperctr.config import Config

INTEREST_ARRAYS = ("degree", "matrix", "user_embedding", "item_embedding")


def run_interest(split_data: SplitData, config: Config, folder: Path, device: str | None = None) -> Interest | None:
    """Return the interest a run of ``config`` starts from: kept in ``folder`` already, or pre-trained and kept there.

    None where the model reads no hypergraphs, or the data have no modality. Predictions need its degrees to rebuild
    the hypergraphs, so it stays there.
    """
    if not model_class(config.model).needs_interest or config.graph == "none" or not split_data.data.modalities:
        return None
    interest = load_interest(folder)
    if interest is None:
        interest = interest_of(split_data, config, device)
        arrays = {name: getattr(interest, name) for name in INTEREST_ARRAYS}
        for name in interest.modalities:
            arrays |= {f"projections/{name}": interest.projections[name], f"weights/{name}": interest.weights[name]}
        tensors = {name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in arrays.items()}
        metadata = {"modalities": list(interest.modalities), "losses": list(interest.losses)}
        save_tensors(folder / "interest.safetensors", tensors, metadata)
    return interest


def interest_of(split_data: SplitData, config: Config, device: str | None = None) -> Interest:
    """Pre-train the interest with the settings of a run; see :func:`hyperctr.pretrain_interest`."""
    settings = {"embedding_size": config.embedding_size, "epochs": config.interest_epochs, "seed": config.seed}
    return pretrain_interest(split_data.data, split_data.split, split_data.slots, **settings, device=device)


def load_interest(folder: Path) -> Interest | None:
    """Read the interest that a run kept beside its model."""
    path = folder / "interest.safetensors"
    if not path.exists():
        return None
    tensors, metadata = load_tensors(path)
    arrays = {name: value.numpy() for name, value in tensors.items()}
    modalities = tuple(metadata["modalities"])
    kinds = ("projections", "weights")
    per_modality: dict[str, Any] = {kind: {name: arrays[f"{kind}/{name}"] for name in modalities} for kind in kinds}
    shared: dict[str, Any] = {name: arrays[name] for name in INTEREST_ARRAYS}
    return Interest(**shared, **per_modality, modalities=modalities, losses=tuple(metadata["losses"]))


def build_model(
    split_data: SplitData, config: Config, interest: Interest | None, device: torch.device | None = None
) -> ClickModel:
    """Build an untrained model of ``config`` with its context, on ``device`` (default CPU)."""
    where = device or torch.device("cpu")
    context = Context.build(split_data, interest, config).to(where)
    with torch.random.fork_rng(devices=[where] if where.type == "cuda" else []):  # the caller's draws stay as they are
        torch.manual_seed(derive_seed(config.seed, "initial weights"))
        model: ClickModel = model_class(config.model)(context, config, interest)
    return model.to(where)


def pools_of_test(split_data: SplitData, config: Config) -> tuple[CandidatePool, CandidatePool | None]:
    """Return the test clicks with their sampled candidates, and with those shown beside them, where that is known."""
    pool = candidate_pool(split_data.data, split_data.split, "test", count=config.test_candidates, seed=config.seed)
    shown = len(split_data.split.non_clicks("test")) > 0
    return pool, impression_pool(split_data.data, split_data.split, "test") if shown else None
