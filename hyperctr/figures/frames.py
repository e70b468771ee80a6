"""The numbers behind the figures: plain frames from data, interest and hypergraphs, a row per mark drawn.

A report keeps these frames as CSV, so every figure can be drawn again without the data and without a GPU.
numpy and pandas only; hypergraphs are read through their arrays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hyperctr.errors import ShapeError

if TYPE_CHECKING:
    from hyperctr.data.dataset import Dataset
    from hyperctr.hypergraph.incidence import Hypergraph

Float = NDArray[np.floating[Any]]
QUARTILES = (0.25, 0.5, 0.75)


def activity_frame(data: Dataset, *, bins: int = 36) -> pd.DataFrame:
    """Count clicks and unclicks per calendar month, or per equal-width bin of a clock without months.

    Returns:
        columns ``period`` ("2018-01", or 1..bins), ``clicks``, ``unclicks``; empty periods included.
    """
    if data.clock == "calendar":
        month = pd.Series(pd.to_datetime(data.timestamp, unit="s")).dt.to_period("M")
        periods: Sequence[Any] = [str(one) for one in pd.period_range(month.min(), month.max(), freq="M")]
        number = (month.dt.year * 12 + month.dt.month).to_numpy()
        place = number - number.min()
    else:
        since = (data.timestamp - data.timestamp.min()).astype(np.float64)
        place = np.minimum(since / max(float(since.max()), 1.0) * bins, bins - 1).astype(np.int64)
        periods = range(1, bins + 1)
    counts = [np.bincount(place[rows], minlength=len(periods)) for rows in (data.clicked, ~data.clicked)]
    return pd.DataFrame({"period": list(periods), "clicks": counts[0], "unclicks": counts[1]})


def popularity_frame(data: Dataset) -> pd.DataFrame:
    """Rank the items by clicks: columns ``rank`` (1 = most clicked) and ``clicks`` (0 included)."""
    clicks = np.bincount(data.item_index[data.clicked], minlength=data.num_items)
    return pd.DataFrame({"rank": np.arange(1, data.num_items + 1), "clicks": np.sort(clicks)[::-1]})


def interest_frame(matrix: Float, modalities: Sequence[str], labels: Sequence[str]) -> pd.DataFrame:
    """Sum up an interest matrix: quartiles over the users per slot and modality.

    Args:
        matrix: [T, U, M], NaN where the user has no training click in the slot.
        modalities: M names.
        labels: T slot labels.

    Returns:
        columns ``slot, modality, users, low, median, high``; slots nobody is seen in are left out.

    Raises:
        ShapeError: the sizes do not fit each other.

    >>> interest_frame(np.array([[[0.2], [0.4]]]), ["visual"], ["a"])["median"].round(2).tolist()
    [0.3]
    """
    rows = []
    for t, label in enumerate(labels):
        for m, name in enumerate(modalities):
            seen = _matrix(matrix, modalities, labels)[t, :, m]
            seen = seen[np.isfinite(seen)]
            if len(seen):
                low, middle, high = np.quantile(seen, QUARTILES)
                rows.append((label, name, len(seen), low, middle, high))
    return pd.DataFrame(rows, columns=["slot", "modality", "users", "low", "median", "high"])


def user_interest_frame(
    matrix: Float, modalities: Sequence[str], labels: Sequence[str], users: NDArray[Any], *, limit: int = 30
) -> pd.DataFrame:
    """Pick the users seen in most slots and list their interest, ordered by their strongest modality.

    Args:
        matrix: [T, U, M], NaN where the user has no training click in the slot.
        modalities: M names.
        labels: T slot labels.
        users: [U] ids.
        limit: how many users.

    Returns:
        columns ``user, slot, modality, interest`` (NaN kept), ordered as they are drawn.
    """
    matrix = _matrix(matrix, modalities, labels)
    seen = np.isfinite(matrix).any(2).sum(0)
    chosen = np.lexsort((np.arange(len(seen)), -seen))[:limit]
    chosen = chosen[seen[chosen] > 0]
    shown = matrix[:, chosen]
    mean = np.nansum(shown, 0) / np.maximum(np.isfinite(shown).sum(0), 1)
    relative = mean - mean.mean(0)  # a modality's level differs; what counts is who likes it more than others do
    chosen = chosen[np.lexsort((-relative.max(1), relative.argmax(1)))]
    index = pd.MultiIndex.from_product([users[chosen], labels, modalities], names=["user", "slot", "modality"])
    values = matrix[:, chosen].transpose(1, 0, 2).reshape(-1)
    return pd.DataFrame({"interest": values}, index=index).reset_index()


def degree_frame(hypergraphs: Sequence[Hypergraph]) -> pd.DataFrame:
    """Count, over all slots, the nodes that lie on k hyperedges of a modality.

    Returns:
        columns ``modality``, ``degree`` (k, 0 included) and ``nodes`` ((node, slot) pairs).
    """
    counts: dict[str, NDArray[np.int64]] = {}
    for one in hypergraphs:
        node, edge = np.asarray(one.incidence, dtype=np.int64)
        group = np.asarray(one.group, dtype=np.int64)[edge]
        for m, name in enumerate(one.group_names):
            degree = np.bincount(np.bincount(node[group == m], minlength=one.num_nodes))
            before = counts.get(name, np.zeros(0, np.int64))
            size = max(len(before), len(degree))
            counts[name] = np.pad(before, (0, size - len(before))) + np.pad(degree, (0, size - len(degree)))
    frames = [
        pd.DataFrame({"modality": name, "degree": np.flatnonzero(count), "nodes": count[count > 0]})
        for name, count in counts.items()
    ]
    return pd.concat(frames, ignore_index=True)


def recovery_frame(true: Float, matrix: Float, scores: Mapping[str, float], *, bins: int = 10) -> pd.DataFrame:
    """Hold a recovered interest matrix against the planted one, in bins of equal size by the true interest.

    Args:
        true: [T, U, M] planted interest, see :func:`hyperctr.hypergraph.recovery.true_interest`.
        matrix: [T, U, M] recovered interest; pairs of user and slot where either is NaN are left out.
        scores: ROC AUC of the recovery by modality, in the order of M.
        bins: how many.

    Returns:
        columns ``modality, auc, pairs, true, low, median, high``: a row per bin.

    Raises:
        ShapeError: the sizes do not fit each other.
    """
    matrix = _matrix(matrix, list(scores), range(len(true)))
    rows = []
    for m, (name, score) in enumerate(scores.items()):
        x, y = true[..., m].ravel(), matrix[..., m].ravel()
        usable = np.isfinite(x) & np.isfinite(y)
        x, y = x[usable], y[usable]
        for part in np.array_split(np.argsort(x, kind="stable"), bins):
            if len(part):
                rows.append((name, score, len(x), x[part].mean(), *np.quantile(y[part], QUARTILES)))
    return pd.DataFrame(rows, columns=["modality", "auc", "pairs", "true", "low", "median", "high"])


def _matrix(matrix: Float, modalities: Sequence[str], labels: Sequence[Any]) -> Float:
    if matrix.ndim != 3 or matrix.shape[0] != len(labels) or matrix.shape[2] != len(modalities):
        raise ShapeError(
            f"the interest matrix must be [slots, users, modalities] = "
            f"[{len(labels)}, U, {len(modalities)}], got {list(matrix.shape)}"
        )
    return matrix
