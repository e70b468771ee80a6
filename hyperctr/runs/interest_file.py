"""The pre-trained interest on disk, beside the model that was built with it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from hyperctr.hypergraph.interest import Interest
from hyperctr.training.checkpoint import load_tensors, save_tensors

INTEREST_ARRAYS = ("degree", "matrix", "user_embedding", "item_embedding")


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
