"""Models built for a run, and the scores they give to pairs and candidate pools."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from hyperctr.data.negatives import CandidatePool, candidate_pool, exposed_pool
from hyperctr.evaluation import PoolScores
from hyperctr.model.base import ClickModel
from hyperctr.model.context import Context
from hyperctr.model.history import Targets
from hyperctr.models import model_class
from hyperctr.runs.split_data import SplitData
from hyperctr.runtime import derive_seed
from hyperctr.training.loop import score_candidates, score_pool

if TYPE_CHECKING:
    from hyperctr.config import Config
    from hyperctr.hypergraph.interest import Interest


def build_model(
    study: SplitData, config: Config, interest: Interest | None, device: torch.device | None = None
) -> ClickModel:
    """Build an untrained model of ``config`` with its context, on ``device`` (default CPU)."""
    where = device or torch.device("cpu")
    context = Context.build(study.data, study.split, study.slots, interest, config).to(where)
    with torch.random.fork_rng(devices=[where] if where.type == "cuda" else []):  # the caller's draws stay as they are
        torch.manual_seed(derive_seed(config.seed, "initial weights"))
        model: ClickModel = model_class(config.model)(context, config, interest)
    return model.to(where)


def score_pairs(
    model: ClickModel,
    study: SplitData,
    user: NDArray[np.int64],
    item: NDArray[np.int64],
    timestamp: NDArray[np.int64],
    batch: int = 1024,
) -> NDArray[np.float64]:
    """Return the logits of (user, item, timestamp) rows given as indices, float64 ``[n]``.

    A row that is a training click has its own incidences taken out, as in training; one at a time, so that a score does
    not depend on what else is asked. That costs a convolution of all hypergraphs per such row.
    """
    click = training_click(study, user, item, timestamp)
    slot = study.slots.of(timestamp)
    targets = Targets(*(torch.from_numpy(np.ascontiguousarray(part)) for part in (user, slot, timestamp, click)))
    logits = np.empty(len(user))
    new = np.flatnonzero(click < 0)
    if len(new):
        logits[new] = score_candidates(model, targets[torch.from_numpy(new)], item[new, None], batch=batch)[:, 0]
    device = next(model.parameters()).device
    known = np.flatnonzero(click >= 0)
    with torch.no_grad():
        for one in known:
            rows = torch.tensor([one])
            part = targets[rows].to(device)
            state: Any = model.refresh(part.click)
            items = torch.from_numpy(item)[rows, None].to(device)
            scored = model.score(state, model.encode(state, part), part, items)
            logits[rows.numpy()] = scored[:, 0].double().cpu().numpy()
    return logits


def training_click(
    study: SplitData, user: NDArray[np.int64], item: NDArray[np.int64], timestamp: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the number of the training click that each row repeats, -1 where it repeats none."""
    rows = study.split.train
    known = pd.MultiIndex.from_arrays(
        [study.data.user_index[rows], study.data.item_index[rows], study.data.timestamp[rows]]
    )
    first = ~known.duplicated()
    number = known[first].get_indexer(pd.MultiIndex.from_arrays([user, item, timestamp]))
    return np.where(number >= 0, np.flatnonzero(first)[np.maximum(number, 0)] if first.any() else -1, -1)


def pools_of_test(study: SplitData, config: Config) -> tuple[CandidatePool, CandidatePool | None]:
    """Return the test clicks with their sampled candidates, and with those shown beside them, where that is known."""
    pool = candidate_pool(study.data, study.split, "test", count=config.test_candidates, seed=config.seed)
    exposed = None
    if len(study.split.unclicks("test")):
        exposed = exposed_pool(study.data, study.split, "test")
    return pool, exposed


def pool_scores(model: ClickModel, study: SplitData, pool: CandidatePool) -> PoolScores:
    """Score every click and candidate of a pool."""
    return PoolScores(pool, *score_pool(model, study.data, study.slots, pool))
