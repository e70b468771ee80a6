"""Search a user's clicks by discrete features: by which, what codes, how rare they are, and the records found.

BM25 over records of one length in which every value stands at most once is, up to one constant factor, the sum of
``idf(value)`` over the values that query and record share. That sum is what is computed here, exactly and for all
candidates at once; no search engine is needed.

How rare a value is, is counted over the catalogue: ``idf = ln(1 + (N - n + 0.5) / (n + 0.5))`` for a value that n of N
items have. Counted over clicks, as a search engine would, it tells of clicks that a prediction must not know: of the
target itself, and of what others click later. A time slot is no part of the catalogue and counts as if every slot held
the same share of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from hyperctr.baselines.common import MLP, Layer
from hyperctr.baselines.items import cluster, item_categories

if TYPE_CHECKING:
    from hyperctr.data.dataset import Dataset

MOST_CODES = 256  # of a modality
PADDING = -2  # a code that no item has
DROPOUT = 0.2  # of the selector's attention
AT_FIRST = 1.0  # the selector's logits: search by everything, and try without


def item_codes(data: Dataset) -> NDArray[np.int64]:
    """Return id, category and one k-means cluster per modality of every item, int64 ``[F, I]``; -1 is "none"."""
    tables = data.features.values()
    clusters = [cluster(table.standardised().values, table.present, MOST_CODES) for table in tables]
    return np.stack([np.arange(data.num_items), item_categories(data) - 1, *clusters]).astype(np.int64)


def inverse_frequency(count: NDArray[np.float64] | float, total: int) -> NDArray[np.float64]:
    """Return ``ln(1 + (N - n + 0.5) / (n + 0.5))``.

    >>> inverse_frequency(np.array([1.0, 4.0]), 4).round(3)
    array([1.204, 0.105])
    """
    n = np.asarray(count, dtype=np.float64)
    return np.log1p((total - n + 0.5) / (n + 0.5))


def top_records(scores: Tensor, most: int) -> Tensor:
    """Return which records are returned, bool ``[..., T]``: the ``most`` best of those above 0, the first on ties.

    >>> top_records(torch.tensor([[0.0, 1.0, 2.0, 1.0]]), 2)
    tensor([[False,  True,  True, False]])
    """
    kept = scores > 0
    crowded = kept.sum(-1) > most
    if scores.shape[-1] > most and bool(crowded.any()):
        # Few queries find more than they may keep, so only they are sorted.
        best = scores[crowded].sort(dim=-1, descending=True, stable=True).indices[:, :most]
        kept[crowded] = torch.zeros_like(kept[crowded]).scatter_(1, best, True)
    return kept


class CodeIndex(nn.Module):
    """Codes and their idf, and the score of every record for every candidate. Only the catalogue is read, no click.

    Attributes:
        codes: int32 ``[F - 1, I]``, see :func:`item_codes`; the F-th feature is the time slot.
        idf: float32 ``[I, F]`` of each item's own values; 0 where it has none, so that nothing matches.
    """

    def __init__(self, data: Dataset, slots: int) -> None:
        super().__init__()
        codes, total = item_codes(data), data.num_items
        idf = [np.where(row < 0, 0.0, inverse_frequency(np.bincount(row + 1)[row + 1], total)) for row in codes]
        idf.append(np.full(total, inverse_frequency(total / slots, total)))
        self.codes = nn.Buffer(torch.from_numpy(codes.astype(np.int32)), persistent=False)
        self.idf = nn.Buffer(torch.from_numpy(np.stack(idf, 1).astype(np.float32)), persistent=False)

    def records(self, items: Tensor, valid: Tensor) -> Tensor:
        """Return the codes of records ``[B, T]``, int32 ``[F - 1, B, T]``; padding has none that matches."""
        return torch.where(valid, self.codes[:, items], PADDING)

    def forward(self, items: Tensor, weight: Tensor, records: Tensor, same_slot: Tensor) -> Tensor:
        """Return ``sum_f weight_f [record's value = candidate's value]``.

        Shapes:
            - items: int64 ``[B, n]``; weight: ``[B, n, F]``, idf of the features searched by and 0 of the others.
            - records: see :meth:`records`; same_slot: bool ``[B, T]``, records of the target's time slot.
            - output: ``[B, n, T]``, 0 for padding.
        """
        *of_items, of_slot = weight.unbind(-1)
        score = of_slot[..., None] * same_slot[:, None]
        for feature, wanted, theirs in zip(of_items, self.codes[:, items], records, strict=True):
            score += torch.where(wanted[..., None] == theirs[:, None], feature[..., None], 0.0)
        return score


class Selector(Layer):
    """How likely each feature of a candidate is searched by.

    Self-attention over the features with normalised queries, which are added to its output, then a network per
    feature with widths 20 and 10. The number of heads divides k.

    Shapes:
        - x: ``[..., F, k]``; output: logits ``[..., F]``.
    """

    def __init__(self, features: int, size: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.feature = nn.Parameter(torch.randn(features, size))
        self.norm = nn.LayerNorm(size)
        self.of_query, self.of_key, self.of_value = (nn.Linear(size, size, bias=False) for _ in range(3))
        self.network = MLP(size, (20, 10))
        nn.init.constant_(self.network.layers[-1].bias, AT_FIRST)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits."""
        x = x + self.feature
        query = self.norm(x)

        def split(part: Tensor) -> Tensor:
            return part.view(*part.shape[:-1], self.heads, -1).transpose(-2, -3)

        scores = split(self.of_query(query)) @ split(self.of_key(x)).transpose(-1, -2)
        weight = (scores / (x.shape[-1] / self.heads) ** 0.5).softmax(-1)
        weight = functional.dropout(weight, DROPOUT, self.training)
        heard = (weight @ split(self.of_value(x))).transpose(-2, -3).flatten(-2)
        return self.network(heard + query)


def thresholded(logits: Tensor) -> Tensor:
    """Return the features to search by, bool ``[..., F]``: those with p >= 0.5, or the likeliest if there is none.

    >>> thresholded(torch.tensor([[1.0, 0.0, -1.0], [-3.0, -2.0, -4.0]]))
    tensor([[ True,  True, False],
            [False,  True, False]])
    """
    likeliest = functional.one_hot(logits.argmax(-1), logits.shape[-1]).bool()
    chosen = logits >= 0
    return torch.where(chosen.any(-1, keepdim=True), chosen, likeliest)
