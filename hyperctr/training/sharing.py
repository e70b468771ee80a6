"""Scoring a pool in several processes, each of which takes a share of its rows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from hyperctr import distributed
from hyperctr.data.negatives import CandidatePool
from hyperctr.model.base import ClickModel
from hyperctr.training.scoring import BATCH, PoolScores, score_pool

if TYPE_CHECKING:
    from hyperctr.split_data import SplitData


def score_together(model: ClickModel, split_data: SplitData, pool: CandidatePool) -> PoolScores | None:
    """Score every row and candidate of a pool; the first process gets all scores, the others None.

    All processes must ask for the same pool at the same time, with the same parameters. A process on its own scores
    everything.
    """
    group = distributed.current()
    if group.size == 1:
        return score_pool(model, split_data, pool)
    own = group.share(len(pool), BATCH)
    per_row = ("rows", "labels", "users", "items", "timestamps", "negatives")
    scores = score_pool(model, split_data, replace(pool, **{name: getattr(pool, name)[own] for name in per_row}))
    rows, negatives = (
        group.collected(torch.from_numpy(part), len(pool), BATCH) for part in (scores.rows, scores.negatives)
    )
    return None if rows is None or negatives is None else PoolScores(pool, rows.numpy(), negatives.numpy())
