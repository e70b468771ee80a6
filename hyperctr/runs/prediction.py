"""The scores that a finished run gives to pairs of users and items, training clicks among them."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from hyperctr.model.base import ClickModel
from hyperctr.model.history import Targets
from hyperctr.model.hyperctr import HyperCTR
from hyperctr.model.neighbourhood import Neighbourhood
from hyperctr.split_data import SplitData
from hyperctr.training.scoring import score_candidates


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
    graph = isinstance(model, HyperCTR) and model.convolution.graphs is not None and not model.convolution.causal
    hides = graph or (model.sees_clicks and not isinstance(model, HyperCTR))
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
