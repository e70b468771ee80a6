"""What a model is asked, and the logits it gives: targets of interaction rows, scores of candidates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hyperctr.data.negatives import CandidatePool
from hyperctr.model.base import ClickModel
from hyperctr.model.history import Targets

if TYPE_CHECKING:
    from hyperctr.split_data import SplitData


@dataclass(frozen=True)
class PoolScores:
    """Logits of one model on one pool.

    Attributes:
        pool: what was scored.
        rows: float64 ``[P]``, logits of the rows' own items.
        negatives: float64 ``[P, n]``, logits of the candidates; not read where the pool has none.
    """

    pool: CandidatePool
    rows: NDArray[np.float64]
    negatives: NDArray[np.float64]

    def divided(self) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.int64], NDArray[np.int64]]:
        """Return scores of positives and negatives and their users, flat."""
        return self.pool.divide(self.rows, self.negatives if self.pool.negatives.size else None)


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
    """Return the logits of candidates, float64 ``[P, n]``.

    Args:
        model: on any device; it is put into evaluation mode.
        targets: ``[P]``.
        items: int ``[P, n]``; negative numbers give -inf.
        batch: targets scored at a time.
        dropped: int64, training clicks hidden from all targets.
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


def score_pool(model: ClickModel, split_data: SplitData, pool: CandidatePool) -> PoolScores:
    """Score every row and candidate of a pool."""
    items = np.concatenate([pool.items[:, None], pool.negatives], axis=1)
    scores = score_candidates(model, targets_of(split_data, pool.rows), items)
    return PoolScores(pool, scores[:, 0], scores[:, 1:])


def item_scores(pool: CandidatePool, logits: NDArray[np.float64]) -> PoolScores:
    """Score a pool with one logit per item, ``[I]``: how the baseline rows are made."""
    return PoolScores(pool, logits[pool.items], logits[np.maximum(pool.negatives, 0)])
