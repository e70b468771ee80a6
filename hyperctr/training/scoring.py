"""What a model is asked, and the logits it gives: targets of interaction rows, scores of candidates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from hyperctr.data.negatives import CandidatePool
from hyperctr.model.base import ClickModel
from hyperctr.model.history import Targets

if TYPE_CHECKING:
    from hyperctr.split_data import SplitData


def targets_of(split_data: SplitData, rows: np.ndarray, clicks: np.ndarray | None = None) -> Targets:
    """Return the targets of interaction rows; ``clicks`` are their training click numbers, if they are any."""
    numbers = np.full(len(rows), -1) if clicks is None else clicks
    data, slot = split_data.data, split_data.slots.index[rows]
    parts = (data.user_index[rows], slot, data.timestamp[rows], numbers)
    return Targets(*(torch.from_numpy(np.ascontiguousarray(part, dtype=np.int64)) for part in parts))


@torch.no_grad()
def score_candidates(
    model: ClickModel, targets: Targets, items: np.ndarray, *, batch: int = 256, dropped: Tensor | None = None
) -> np.ndarray:
    """Return the logits of candidates.

    Args:
        model: on any device; it is put into evaluation mode.
        targets: ``[P]``.
        items: int ``[P, n]``; negative numbers give -inf.
        batch: targets scored at a time.
        dropped: int64, training clicks hidden from all targets.

    Returns:
        float64 ``[P, n]``.
    """
    model.eval()
    device = next(model.parameters()).device
    state = model.refresh(None if dropped is None else dropped.to(device))
    scores = np.empty(items.shape)
    for first in range(0, len(targets), batch):
        part = targets[slice(first, first + batch)].to(device)
        candidates = torch.from_numpy(items[first : first + batch].astype(np.int64)).to(device)
        logits = model.score(state, model.encode(state, part), part, candidates.clamp(min=0))
        scores[first : first + batch] = torch.where(candidates >= 0, logits.double(), -torch.inf).cpu().numpy()
    return scores


def score_pool(model: ClickModel, split_data: SplitData, pool: CandidatePool) -> tuple[np.ndarray, np.ndarray]:
    """Return logits of the pool's clicks ``[P]`` and of their candidates ``[P, n]`` (-inf where there is none)."""
    items = np.concatenate([split_data.data.item_index[pool.rows][:, None], pool.negatives], axis=1)
    scores = score_candidates(model, targets_of(split_data, pool.rows), items)
    return scores[:, 0], scores[:, 1:]
