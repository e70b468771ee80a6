"""Items as a graph of nearest neighbours by their content: frozen before training, and spread along by models."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from hyperctr.data.features import FeatureTable
from hyperctr.runtime import shared_tensor

MOST_SIMILARITIES = 2**22  # at a time: 16 MiB


def nearest(values: Tensor, present: Tensor, k: int, *, weighted: bool = True) -> tuple[Tensor, Tensor]:
    """Return the k items most similar to each by cosine, itself among them, and the weights of these edges.

    With S the similarities (negative ones count 0; without ``weighted`` all are 1) and D its row sums, weights are
    those of ``D^-1/2 S D^-1/2``. An item that is not ``present`` is nobody's neighbour and has none.

    Shapes:
        - values: ``[I, F]``; present: bool ``[I]``; output: int64 and as values ``[I, min(k, I)]``; an edge that is
          missing has weight 0 and leads to the item itself.

    >>> values = torch.tensor([[1.0, 0.0], [4.0, 3.0], [0.0, 1.0]])
    >>> nearest(values, torch.ones(3, dtype=torch.bool), 2, weighted=False)
    (tensor([[0, 1],
            [1, 0],
            [2, 1]]), tensor([[0.5000, 0.5000],
            [0.5000, 0.5000],
            [0.5000, 0.5000]]))
    """
    unit, count = functional.normalize(values, dim=1), min(k, len(values))
    found, similar = [], []
    size = max(1, MOST_SIMILARITIES // max(1, len(values)))
    for block in torch.arange(len(values), device=values.device).split(size):
        similarity = (unit[block] @ unit.T).masked_fill_(~present, -torch.inf)
        similarity[torch.arange(len(block), device=block.device), block] = torch.inf  # first, whatever rounding says
        similarity, neighbours = similarity.topk(count, dim=1)
        missing = ~present[block, None] | similarity.isneginf()
        found.append(torch.where(missing, block[:, None], neighbours))
        similarity = torch.ones_like(similarity) if not weighted else similarity.clamp(min=0, max=1)
        similar.append(similarity.masked_fill(missing, 0.0))
    index, weight = torch.cat(found), torch.cat(similar)
    scale = weight.sum(1).clamp(min=torch.finfo(weight.dtype).tiny).rsqrt()
    return index, torch.where(weight > 0, weight * scale[:, None] * scale[index], 0.0)


class ContentGraph(nn.Module):
    """Propagation over the nearest neighbours in one modality.

    Shapes:
        - x: ``[I, d]``; output: ``[I, d]``.
    """

    def __init__(self, table: FeatureTable, k: int, *, weighted: bool = True) -> None:
        super().__init__()
        values, present = shared_tensor(table.standardised().values), shared_tensor(table.present)
        index, weight = nearest(values, present, k, weighted=weighted)
        self.index, self.weight = nn.Buffer(index, persistent=False), nn.Buffer(weight, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return each item's weighted sum over its neighbours."""
        with torch.autocast(x.device.type, enabled=False):
            return functional.embedding_bag(self.index, x, per_sample_weights=self.weight.to(x.dtype), mode="sum")
