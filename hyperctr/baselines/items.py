"""Items as fields, for all systems alike: id, category, and one vector per modality from the same frozen features."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from hyperctr.baselines.common import masked_mean
from hyperctr.model.base import ClickModel
from hyperctr.model.embedding import ItemEncoder
from hyperctr.model.history import Targets, Window
from hyperctr.runtime import rng

if TYPE_CHECKING:
    from hyperctr.config import Config
    from hyperctr.data.dataset import Dataset
    from hyperctr.model.context import Context

MOST_CATEGORIES = 512
MOST_ROUNDS = 20  # of updates of the clusters' centres
MOST_ROWS = 1 << 17  # that decide about the centres


class ItemFields(ItemEncoder):
    """One vector of width k per field of every item: id, category, then the modalities.

    A modality's vector is ``LayerNorm(Linear(features))``; an item without the modality has a learned vector instead.
    Features are the same frozen buffers as HyperCTR's.

    Attributes:
        names: the F fields in order, such as ``("id", "category", "visual")``.
        width: F k.

    Shapes:
        - items: int64 ``[n]``, all by default; output: ``[n, F, k]``, ``[I, F, k]``.
    """

    __call__: Callable[..., Tensor]

    def __init__(self, data: Dataset, size: int) -> None:
        super().__init__(data, size)
        self.names = ("id", "category", *self.modalities)
        self.width = len(self.names) * size
        self.category = nn.Buffer(torch.from_numpy(item_categories(data)), persistent=False)
        self.category_embedding = nn.Parameter(torch.randn(int(self.category.max()) + 1, size) * 0.1)
        self.norm = nn.ModuleDict({name: nn.LayerNorm(size) for name in self.modalities})

    def modality(self, name: str, items: Tensor | None = None) -> Tensor:
        """Return the normalised projection of one modality, ``[n, k]``."""
        return self.or_absent(name, self.norm[name](self.project(name, self.projection[name], items)), items)

    def forward(self, items: Tensor | None = None) -> Tensor:
        """Return the field vectors of the items, ``[n, F, k]``."""
        category = self.category if items is None else self.category[items]
        fields = [self.embedding if items is None else functional.embedding(items, self.embedding)]
        fields.append(functional.embedding(category, self.category_embedding))
        return torch.stack([*fields, *(self.modality(name, items) for name in self.modalities)], dim=1)


class FieldModel(ClickModel):
    """What models on fields have in common: ``items``, the fields of all items, and what is read of a target's clicks.

    Reads ``embedding_size``, the width k of a field, and ``history_length``. With ``users`` every user has a vector of
    that width, too: ``self.user``.
    """

    user: nn.Parameter

    def __init__(self, context: Context, config: Config, *, users: bool = True) -> None:
        super().__init__()
        self.context, self.config = context, config
        self.items = ItemFields(context.data, config.embedding_size)
        if users:
            self.user = nn.Parameter(torch.randn(context.data.num_users, config.embedding_size) * 0.1)

    def refresh(self, dropped: Tensor | None = None) -> Any:
        """Return the items' fields side by side, ``[I, F k]``; no graph, so nothing is dropped."""
        return self.items().flatten(1)

    def window(self, targets: Targets) -> Window:
        """Return the ``history_length`` visible clicks nearest in time to the targets."""
        return self.context.history.window(targets, self.config.history_length)

    def mean_click(self, items: Tensor, targets: Targets) -> Tensor:
        """Return the mean of item vectors ``[I, d]`` over the clicks that each target sees, ``[B, d]``."""
        window = self.window(targets)
        return masked_mean(functional.embedding(window.items, items), window.valid)


def item_categories(data: Dataset) -> NDArray[np.int64]:
    """Return a category number per item, int64 ``[I]``; 0 is "none".

    The data set's own where its item table has a column ``category``, or the first of its ``genres``; otherwise
    clusters of the first modality, at most 512. The catalogue decides, never a click: which items were clicked is what
    predictions must not learn from here.
    """
    for column in ("category", "genres"):
        if column in data.item_table.columns:
            named = [str(value).partition("|")[0] if pd.notna(value) else "" for value in data.item_table[column]]
            first = [name if name[:1] not in ("", "(") else None for name in named]  # "(no genres listed)"
            return (pd.factorize(np.array(first, dtype=object), sort=True)[0] + 1).astype(np.int64)
    for table in data.features.values():
        return cluster(table.standardised().values, table.present, MOST_CATEGORIES) + 1
    return np.zeros(data.num_items, dtype=np.int64)


def cluster(values: NDArray[np.float32], present: NDArray[np.bool_], most: int, seed: int = 0) -> NDArray[np.int64]:
    """Return the k-means cluster of each row by direction (rows of length 1), int64 ``[I]``; -1 where not present.

    Where there are more than 131,072 rows, as many of them, drawn at random, decide about the clusters.

    Args:
        values: ``[I, d]``.
        present: bool ``[I]``.
        most: number of clusters; fewer where there are fewer present rows, or fewer than 16 rows each on average.
        seed: of the rows that the clusters start from.

    >>> cluster(np.array([[1, 0], [2, 0.1], [0, 3], [0, 0]], np.float32), np.array([True, True, True, False]), 2)
    array([ 0,  0,  1, -1])
    """
    codes = np.full(len(values), -1, dtype=np.int64)
    where = np.flatnonzero(present)
    if not len(where):
        return codes
    count = min(most, max(2, len(values) // 16))
    draw = rng(seed, "cluster", count)
    some = where if len(where) <= MOST_ROWS else np.sort(draw.choice(where, MOST_ROWS, replace=False))
    rows = _directions(values, some)
    start = draw.choice(len(rows), min(count, len(rows)), replace=False)
    centres, label = rows[np.sort(start)], np.full(len(rows), -1)
    for _ in range(MOST_ROUNDS):
        likeness = _likeness(rows, centres)
        before, label = label, likeness.argmax(1)
        empty = np.setdiff1d(np.arange(len(centres)), label)
        if len(empty):  # an empty cluster starts again at a row that fits badly where it is
            label[np.argsort(likeness.max(1), kind="stable")[: len(empty)]] = empty
        if (label == before).all():
            break
        sums = np.zeros_like(centres)
        np.add.at(sums, label, rows)
        members = np.maximum(np.bincount(label, minlength=len(centres)), 1)
        centres = np.asarray(sums / members[:, None], dtype=np.float32)
    if len(some) < len(where):
        parts = np.array_split(where, -(-len(where) // MOST_ROWS))
        label = np.concatenate([_likeness(_directions(values, part), centres).argmax(1) for part in parts])
    codes[where] = pd.factorize(label)[0]
    return codes


def _directions(values: NDArray[Any], rows: NDArray[np.int64]) -> NDArray[np.float32]:
    chosen = values[rows].astype(np.float32, copy=False)
    chosen /= np.maximum(np.linalg.norm(chosen, axis=1, keepdims=True), 1e-12)
    return chosen


def _likeness(rows: NDArray[np.float32], centres: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what is largest for the centre that is nearest, ``[rows, centres]``."""
    likeness: NDArray[np.float32] = rows @ centres.T - 0.5 * (centres**2).sum(1)
    return likeness
