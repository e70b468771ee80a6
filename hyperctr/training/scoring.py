"""What a model is asked, and the logits it gives: targets of interaction rows, scores of candidates."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hyperctr.data.negatives import CandidatePool
from hyperctr.errors import ShapeError
from hyperctr.metrics import auc_centred
from hyperctr.metrics.user_wins import CHUNK, UserWins
from hyperctr.model.base import ClickModel
from hyperctr.model.history import Targets

if TYPE_CHECKING:
    from hyperctr.split_data import SplitData

BATCH = 256  # targets scored at a time; several processes cut a pool between batches, so that no bit changes


@dataclass(frozen=True)
class PoolScores:
    """Logits of one model on one pool: what is kept of an evaluation, 4 bytes a score.

    Attributes:
        pool: what was scored.
        rows: float32 or float64 ``[P]``, logits of the rows' own items.
        negatives: ``[P, n]``, logits of the candidates, of the same type; not read where the pool has none.

    Raises:
        ShapeError: the shapes are not those of the pool.
    """

    pool: CandidatePool
    rows: NDArray[np.floating[Any]]
    negatives: NDArray[np.floating[Any]]

    def __post_init__(self) -> None:
        """Check the shapes."""
        given, needed = (self.rows.shape, self.negatives.shape), (self.pool.rows.shape, self.pool.negatives.shape)
        if given != needed:
            raise ShapeError(f"scores {given[0]} and {given[1]}: {needed[0]} and {needed[1]} are needed")

    @cached_property
    def wins(self) -> UserWins:
        """Who outscores whom, by user: counted in pieces, once; every number about AUC follows from it."""
        known, user = np.unique(self.pool.users, return_inverse=True)
        wins = UserWins(self.rows[self.pool.labels], user[self.pool.labels], len(known))
        for scores, owners in self._negatives(user):
            wins.add(scores, owners)
        return wins

    @cached_property
    def auc_centred(self) -> float:
        """Pooled AUC after each user's mean score in this pool was subtracted."""
        known, user = np.unique(self.pool.users, return_inverse=True)
        clicks = self.pool.labels
        return auc_centred(self.rows[clicks], user[clicks], len(known), lambda: self._negatives(user))

    def _negatives(self, users: NDArray[np.int64]) -> Iterator[tuple[NDArray[Any], NDArray[np.int64]]]:
        """Yield scores of negatives with the ``users`` [P] of their rows, flat, about ``CHUNK`` at a time."""
        shown = ~self.pool.labels
        yield self.rows[shown], users[shown]
        for part in _parts(self.pool):
            yield self.negatives[part][self.pool.pairs_mask(part)], np.repeat(users[part], self.pool.sizes[part])


def _parts(pool: CandidatePool) -> Iterator[slice]:
    """Yield slices of the rows of a pool with about ``CHUNK`` candidates each."""
    step = max(1, CHUNK // max(1, pool.negatives.shape[1]))
    yield from (slice(first, first + step) for first in range(0, len(pool), step))


def targets_of(split_data: SplitData, rows: np.ndarray, clicks: np.ndarray | None = None) -> Targets:
    """Return the targets of interaction rows; ``clicks`` are their training click numbers, if they are any."""
    numbers = np.full(len(rows), -1) if clicks is None else clicks
    data, slot = split_data.data, split_data.slots.index[rows]
    parts = (data.user_index[rows], slot, data.timestamp[rows], numbers)
    return Targets(*(torch.from_numpy(np.ascontiguousarray(part, dtype=np.int64)) for part in parts))


def score_candidates(
    model: ClickModel, targets: Targets, items: np.ndarray, *, batch: int = BATCH, dropped: Tensor | None = None
) -> np.ndarray:
    """Return the logits of candidates, float32 ``[P, n]``.

    Args:
        model: on any device; it is put into evaluation mode.
        targets: ``[P]``.
        items: int ``[P, n]``; negative numbers give -inf.
        batch: targets scored at a time.
        dropped: int64, training clicks hidden from all targets.
    """
    scores = np.empty(items.shape, dtype=np.float32)
    for part, logits in _logits(model, targets, items.__getitem__, batch, dropped):
        scores[part] = logits
    return scores


@torch.no_grad()
def _logits(
    model: ClickModel,
    targets: Targets,
    items: Callable[[slice], np.ndarray],
    batch: int = BATCH,
    dropped: Tensor | None = None,
) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield the logits of ``items(part)`` for every part of the targets in turn."""
    model.eval()
    device = next(model.parameters()).device
    targets = targets.to(device)
    state = model.refresh(None if dropped is None else dropped.to(device))
    for first in range(0, len(targets), batch):
        part = slice(first, first + batch)
        some, chosen = targets[part], torch.from_numpy(items(part))
        if device.type == "cuda":  # from page-locked memory, so that nothing waits for the copy
            chosen = chosen.pin_memory()
        candidates = chosen.to(device, non_blocking=True).long()
        logits = model.score(state, model.encode(state, some), some, candidates.clamp(min=0))
        yield part, torch.where(candidates >= 0, logits.float(), -torch.inf).cpu().numpy()


def score_pool(model: ClickModel, split_data: SplitData, pool: CandidatePool) -> PoolScores:
    """Score every row and candidate of a pool."""
    scores = PoolScores(pool, np.empty(len(pool), np.float32), np.empty(pool.negatives.shape, np.float32))

    def items(part: slice) -> np.ndarray:
        return np.concatenate([pool.items[part, None], pool.negatives[part]], axis=1)

    for part, logits in _logits(model, targets_of(split_data, pool.rows), items):
        scores.rows[part], scores.negatives[part] = logits[:, 0], logits[:, 1:]
    return scores


def item_scores(pool: CandidatePool, logits: NDArray[np.float64]) -> PoolScores:
    """Score a pool with one logit per item, ``[I]``: how the baseline rows are made.

    Scores are float32, as those of models, unless that would tie items whose logits differ.
    """
    short: NDArray[np.floating[Any]] = logits.astype(np.float32)
    if len(np.unique(short)) < len(np.unique(logits)):
        short = logits
    negatives = np.empty(pool.negatives.shape, dtype=short.dtype)
    for part in _parts(pool):
        np.take(short, pool.negatives[part], out=negatives[part], mode="wrap")
    return PoolScores(pool, short[pool.items], negatives)
