"""The two parts of AutoFIS: weighted products of pairs of fields, and a deep network, both batch-normalised."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from hyperctr.baselines.common import Layer, in_pieces, per_item

START = 0.6  # weight of a pair; drawn within 0.001 of it


class PairProducts(Layer):
    """``sum over pairs p = (i, j), i < j, of alpha_p BN(<e_i, e_j>)_p`` of the fields of a target and a candidate.

    BN has no scale and no shift of its own, so that alpha alone tells what a pair is worth.

    Args:
        names: of the fields, the target's before the items'.
        user_fields: number of the target's.

    Attributes:
        alpha: ``[P]``.
        kept: bool ``[P]``, pairs that count.

    Shapes:
        - users: ``[B, user_fields, k]``; table: ``[I, F - user_fields, k]``; items: int64 ``[B, n]``, rows of it;
          output: ``[B, n]``.
    """

    def __init__(self, names: Sequence[str], user_fields: int) -> None:
        super().__init__()
        self.user_fields = user_fields
        self.first, self.second = torch.triu_indices(len(names), len(names), 1).tolist()
        self.names = [f"{names[i]} x {names[j]}" for i, j in zip(self.first, self.second, strict=True)]
        self.alpha = nn.Parameter(torch.empty(len(self.names)).uniform_(START - 0.001, START + 0.001))
        self.norm = nn.BatchNorm1d(len(self.names), affine=False)
        self.kept = nn.Buffer(torch.ones(len(self.names), dtype=torch.bool))

    def forward(self, users: Tensor, table: Tensor, items: Tensor) -> Tensor:
        """Return the sums."""
        alpha, flat = self.alpha * self.kept, table.flatten(1)
        if self.training:  # a training step has few candidates, and the statistics need every product
            candidates = functional.embedding(items, flat).unflatten(2, table.shape[1:])
            fields = torch.cat([users[:, None].expand(-1, items.shape[1], -1, -1), candidates], 2)
            products = (fields @ fields.transpose(2, 3))[..., self.first, self.second].to(alpha.dtype)
            normalised: Tensor = self.norm(products.flatten(0, 1))
            return (normalised * alpha).sum(1).view_as(items)
        # With fixed statistics the sum is a bilinear form, e W e plus a constant: no product is made pair by pair.
        mean, variance = self.norm.get_buffer("running_mean"), self.norm.get_buffer("running_var")
        weight, cut = alpha * (variance + self.norm.eps).rsqrt(), self.user_fields
        form = weight.new_zeros(cut + table.shape[1], cut + table.shape[1])
        form[self.first, self.second] = weight
        of_user = _form(users, form[:cut, :cut]) - (weight * mean).sum()
        across = (form[:cut, cut:].T @ users).flatten(1)[:, :, None]
        shared = _form(table, form[cut:, cut:]) if items.numel() > len(table) else None

        def score(some: Tensor) -> Tensor:
            candidates = functional.embedding(some, flat)
            side = _form(candidates.unflatten(2, table.shape[1:]), form[cut:, cut:]) if shared is None else shared[some]
            return torch.bmm(candidates, across).squeeze(2) + side

        return in_pieces(score, items, 2 * flat.shape[1]) + of_user[:, None]


def _form(fields: Tensor, form: Tensor) -> Tensor:
    """Return ``sum_ij form_ij <e_i, e_j>`` of fields ``[..., F, k]``: ``[...]``."""
    return ((form @ fields) * fields).sum((-2, -1))


class ShiftedNorm(nn.BatchNorm1d):
    """Batch normalisation without a scale, then a bias."""

    def __init__(self, width: int) -> None:
        super().__init__(width)
        del self.weight
        self.register_buffer("weight", torch.ones(width), persistent=False)  # fixed; kernels want both or none


class DeepNetwork(Layer):
    """Layers ``dropout(ReLU(BN(W x) + b))`` on ``[user ; item]`` and a last linear one to a logit.

    Shapes:
        - user: ``[B, user_width]``; table: ``[I, item_width]``; items: int64 ``[B, n]``, its rows; output: ``[B, n]``.
    """

    def __init__(self, user_width: int, item_width: int, hidden: Sequence[int], dropout: float) -> None:
        super().__init__()
        self.cut, self.numbers = user_width, 2 * max(hidden)
        self.first = nn.Linear(user_width + item_width, hidden[0], bias=False)
        self.layers = nn.ModuleList(nn.Linear(width, after, bias=False) for width, after in pairwise(hidden))
        self.norms = nn.ModuleList(ShiftedNorm(width) for width in hidden)
        self.last = nn.Linear(hidden[-1], 1, bias=False)
        self.dropout = dropout
        for matrix in (self.first.weight, *self.layers.parameters(), self.last.weight):
            nn.init.xavier_uniform_(matrix)

    def forward(self, user: Tensor, table: Tensor, items: Tensor) -> Tensor:
        """Return logits."""
        from_user, from_item = self.first.weight.tensor_split([self.cut], 1)
        of_user = functional.linear(user, from_user)[:, None]
        of_item = per_item(lambda rows: functional.linear(rows, from_item), table, items)

        def score(some: Tensor) -> Tensor:
            x = (of_item(some) + of_user).flatten(0, 1)
            for k, norm in enumerate(self.norms):
                x = self.layers[k - 1](x) if k else x
                x = functional.dropout(torch.relu(norm(x)), self.dropout, self.training)
            return torch.reshape(self.last(x), some.shape)

        # Statistics of a training step are those of all its candidates.
        return score(items) if self.training else in_pieces(score, items, self.numbers)
