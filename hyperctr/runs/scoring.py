"""What a run is built of, interest and model, and the scores it gives to pairs and candidate pools."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from hyperctr.data.negatives import CandidatePool, candidate_pool, impression_pool
from hyperctr.hypergraph.interest import Interest, pretrain_interest
from hyperctr.model.base import ClickModel
from hyperctr.model.context import Context
from hyperctr.model.history import Targets
from hyperctr.model.hyperctr import HyperCTR
from hyperctr.model.neighbourhood import Neighbourhood
from hyperctr.models import model_class
from hyperctr.runtime import derive_seed
from hyperctr.split_data import SplitData
from hyperctr.training.checkpoint import load_tensors, save_tensors
from hyperctr.training.scoring import score_candidates

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


def score_pairs(
    model: ClickModel,
    split_data: SplitData,
    user: NDArray[np.int64],
    item: NDArray[np.int64],
    timestamp: NDArray[np.int64],
    batch: int = 1024,
) -> NDArray[np.float64]:
    """Return the logits of (user, item, timestamp) rows given as indices, float64 ``[n]``.

    Rows share one convolution of all hypergraphs. One that is a training click has its own incidences taken out, as in
    training, and is scored by itself, so that a score does not depend on what else is asked. It costs assembling its
    slot and convolving what lies around its user and item, for a baseline with graphs a pass over all of them. Under
    ``causal`` HyperCTR looks at no slot that holds the click, so that all rows are scored together.
    """
    targets = pair_targets(split_data, user, item, timestamp)
    logits = np.empty(len(user))
    hides = not isinstance(model, HyperCTR) or not (model.convolution.graphs is None or model.convolution.causal)
    alone = (targets.click >= 0).numpy() & hides
    together = np.flatnonzero(~alone)
    if len(together):
        part = targets[torch.from_numpy(together)]
        logits[together] = score_candidates(model, part, item[together, None], batch=batch)[:, 0]
    for row in np.flatnonzero(alone):
        logits[row] = _without_itself(model, targets[slice(row, row + 1)], int(item[row]))
    return logits


@torch.no_grad()
def _without_itself(model: ClickModel, click: Targets, item: int) -> float:
    """Return the logit of a training click that is taken out of the hypergraphs."""
    if not isinstance(model, HyperCTR):
        return float(score_candidates(model, click, np.array([[item]]), dropped=click.click)[0, 0])
    around = Neighbourhood(model.eval(), click.to(model.user_embedding.device), item)
    return around.logit(around.vectors())


def pair_targets(
    split_data: SplitData, user: NDArray[np.int64], item: NDArray[np.int64], timestamp: NDArray[np.int64]
) -> Targets:
    """Return the targets of (user, item, timestamp) rows ``[n]``; a row that repeats a training click is that click.

    Of clicks that are alike it is the first. Nothing is kept or sorted but what is asked for: time and memory are those
    of a pass over the training clicks.
    """
    data, rows = split_data.data, split_data.split.train
    # Step 1: the training clicks of a user and item that are asked for, by a key of both
    pairs, pair_asked = np.unique(user * data.num_items + item, return_inverse=True)
    pair = data.user_index[rows] * data.num_items
    pair += data.item_index[rows]
    clicks = np.flatnonzero(_place(pairs, pair) >= 0)
    # Step 2: those of them at a moment that is asked for with the pair
    moments, moment_asked = np.unique(timestamp, return_inverse=True)
    moment = _place(moments, data.timestamp[rows[clicks]])
    clicks, moment = clicks[moment >= 0], moment[moment >= 0]
    known, first = np.unique(_place(pairs, pair[clicks]) * len(moments) + moment, return_index=True)
    place = _place(known, pair_asked * len(moments) + moment_asked)
    number = np.full(len(user), -1)
    number[place >= 0] = clicks[first[place[place >= 0]]]
    columns = (user, split_data.slots.of(timestamp), timestamp, number)
    return Targets(*(torch.from_numpy(np.ascontiguousarray(column)) for column in columns))


def _place(ascending: NDArray[np.int64], values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the place of each value among the ascending ones; -1: it is none of them.

    >>> _place(np.array([3, 5, 9]), np.array([9, 4, 3]))
    array([ 2, -1,  0])
    """
    if not len(ascending):
        return np.full(len(values), -1)
    place = np.searchsorted(ascending, values)
    np.minimum(place, len(ascending) - 1, out=place)
    place[ascending[place] != values] = -1
    return place


def pools_of_test(split_data: SplitData, config: Config) -> tuple[CandidatePool, CandidatePool | None]:
    """Return the test clicks with their sampled candidates, and with those shown beside them, where that is known."""
    pool = candidate_pool(split_data.data, split_data.split, "test", count=config.test_candidates, seed=config.seed)
    shown = len(split_data.split.non_clicks("test")) > 0
    return pool, impression_pool(split_data.data, split_data.split, "test") if shown else None
