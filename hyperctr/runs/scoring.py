"""Models built for a run, and the scores they give to pairs and candidate pools."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from hyperctr.data.negatives import CandidatePool, candidate_pool, impression_pool
from hyperctr.model.base import ClickModel
from hyperctr.model.context import Context
from hyperctr.model.history import Targets
from hyperctr.models import model_class
from hyperctr.runtime import derive_seed
from hyperctr.split_data import SplitData
from hyperctr.training.scoring import score_candidates

if TYPE_CHECKING:
    from hyperctr.config import Config
    from hyperctr.hypergraph.interest import Interest


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


def score_pairs(
    model: ClickModel,
    split_data: SplitData,
    user: NDArray[np.int64],
    item: NDArray[np.int64],
    timestamp: NDArray[np.int64],
    batch: int = 1024,
) -> NDArray[np.float64]:
    """Return the logits of (user, item, timestamp) rows given as indices, float64 ``[n]``.

    A row that is a training click has its own incidences taken out, as in training; one at a time, so that a score does
    not depend on what else is asked. That costs a convolution of all hypergraphs per such row.
    """
    targets = pair_targets(split_data, user, item, timestamp)
    logits = np.empty(len(user))
    new, known = (np.flatnonzero(mask) for mask in (targets.click < 0, targets.click >= 0))
    if len(new):
        logits[new] = score_candidates(model, targets[torch.from_numpy(new)], item[new, None], batch=batch)[:, 0]
    for row in known:
        target = targets[torch.tensor([row])]
        logits[row] = score_candidates(model, target, item[[row], None], dropped=target.click)[0, 0]
    return logits


def pair_targets(
    split_data: SplitData, user: NDArray[np.int64], item: NDArray[np.int64], timestamp: NDArray[np.int64]
) -> Targets:
    """Return the targets of (user, item, timestamp) rows ``[n]``; a row that repeats a training click is that click."""
    data, rows = split_data.data, split_data.split.train
    clicks = pd.MultiIndex.from_arrays([data.user_index[rows], data.item_index[rows], data.timestamp[rows]])
    first = ~clicks.duplicated()
    place = clicks[first].get_indexer(pd.MultiIndex.from_arrays([user, item, timestamp]))
    number = np.where(place >= 0, np.flatnonzero(first)[np.maximum(place, 0)] if first.any() else -1, -1)
    columns = (user, split_data.slots.of(timestamp), timestamp, number)
    return Targets(*(torch.from_numpy(np.ascontiguousarray(column)) for column in columns))


def pools_of_test(split_data: SplitData, config: Config) -> tuple[CandidatePool, CandidatePool | None]:
    """Return the test clicks with their sampled candidates, and with those shown beside them, where that is known."""
    pool = candidate_pool(split_data.data, split_data.split, "test", count=config.test_candidates, seed=config.seed)
    impressions = None
    if len(split_data.split.non_clicks("test")):
        impressions = impression_pool(split_data.data, split_data.split, "test")
    return pool, impressions
