"""The pre-trained interest of a run, kept on disk beside the model that was built with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from hyperctr.hypergraph.interest import Interest, pretrain_interest
from hyperctr.models import model_class
from hyperctr.training.checkpoint import load_tensors, save_tensors

if TYPE_CHECKING:
    from hyperctr.config import Config
    from hyperctr.split_data import SplitData

INTEREST_ARRAYS = ("degree", "matrix", "user_embedding", "item_embedding")


def run_interest(split_data: SplitData, config: Config, folder: Path, device: str | None = None) -> Interest | None:
    """Return the interest a run of ``config`` starts from: kept in ``folder`` already, or pre-trained and kept there.

    Args:
        split_data: what the run trains on.
        config: its settings.
        folder: its folder.
        device: where to pre-train; see :func:`hyperctr.runtime.choose_device`.

    Returns:
        None where the model reads no hypergraphs, or the data have no modality.
    """
    if not model_class(config.model).needs_interest or config.graph == "none" or not split_data.data.modalities:
        return None
    interest = load_interest(folder)
    if interest is None:
        interest = interest_of(split_data, config, device)
        save_interest(folder, interest)
    return interest


def interest_of(split_data: SplitData, config: Config, device: str | None = None) -> Interest:
    """Pre-train the interest with the settings of a run; see :func:`hyperctr.pretrain_interest`."""
    return pretrain_interest(
        split_data.data,
        split_data.split,
        split_data.slots,
        embedding_size=config.embedding_size,
        epochs=config.interest_epochs,
        seed=config.seed,
        device=device,
    )


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
        arrays |= {f"projections/{name}": interest.projections[name], f"weights/{name}": interest.weights[name]}
    tensors = {name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in arrays.items()}
    facts = {"modalities": list(interest.modalities), "losses": list(interest.losses)}
    save_tensors(folder / "interest.safetensors", tensors, facts)
