"""Temporal user behaviour: a transformer over the visible clicks (section 2.2.1, Eq. 1-4)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from hyperctr.model.history import Window

LENGTHS = 6  # to which histories are padded on a CPU, in equal steps


class EncoderLayer(nn.Module):
    """One post-norm transformer layer, written out so that each equation can be read off; ``heads`` divides d.

    Shapes:
        - x: ``[B, L, d]``; valid: bool ``[B, L]``; output ``[B, L, d]``. Rows without any valid position attend to
          nothing and must not be read.

    Paper: Eq. 1-4. Eq. 4 is garbled in print; it is read as ``ReLU(x W1 + b1) W2 + b2``.
    """

    def __init__(self, size: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.output = (nn.Linear(size, size) for _ in range(4))
        self.first, self.second = nn.Linear(size, 2 * size), nn.Linear(2 * size, size)
        self.norm_attention, self.norm_feedforward = nn.LayerNorm(size), nn.LayerNorm(size)

    def forward(self, x: Tensor, valid: Tensor) -> Tensor:
        """Return the tokens after attention and feed-forward network, ``[B, L, d]``."""
        batch, length, size = x.shape
        # Step 1: heads. [B, L, d] -> [B, h, L, d/h]   (Eq. 2)
        split = (batch, length, self.heads, size // self.heads)
        query, key, value = (part(x).view(split).transpose(1, 2) for part in (self.query, self.key, self.value))
        # Step 2: scaled dot products with padded keys shut out. -> [B, h, L, d/h]   (Eq. 3)
        # A row without history may look at its padding: it is replaced later, and this keeps it finite.
        mask = (valid | ~valid.any(1, keepdim=True))[:, None, None, :]
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        # Step 3: concatenate heads, project, residual, norm. -> [B, L, d]   (Eq. 1)
        mixed = self.output(mixed.transpose(1, 2).reshape(batch, length, size))
        x = self.norm_attention(x + mixed)
        # Step 4: feed-forward network, residual, norm. -> [B, L, d]   (Eq. 4)
        out: Tensor = self.norm_feedforward(x + self.second(torch.relu(self.first(x))))
        return out


class SequenceEncoder(nn.Module):
    """Encode a user's visible clicks into one vector, the sequential user embedding ``E^{t_n}``.

    A token is ``user + item + position``, plus a learned tag that tells the target's slot (short-term) from earlier
    slots (long-term). The encoded tokens are averaged; a user without history gets a learned vector. Dropout falls on
    the tokens, not on attention weights, where it would cost more time than all projections together.

    Shapes:
        - user: ``[B, d]``; the window's item vectors ``[B, L, d]``; window ``[B, L]``; output ``[B, d]``.

    Paper: section 2.2.1. How tokens become one vector is not said there; the mean is ours.
    """

    def __init__(self, size: int, heads: int, layers: int, length: int, dropout: float) -> None:
        super().__init__()
        self.dropout = dropout
        self.position = nn.Parameter(torch.empty(length, size))
        self.tag = nn.Parameter(torch.empty(2, size))
        self.empty = nn.Parameter(torch.empty(size))
        self.norm = nn.LayerNorm(size)
        self.layers = nn.ModuleList(EncoderLayer(size, heads) for _ in range(layers))
        for parameter in (self.position, self.tag, self.empty):
            nn.init.normal_(parameter, std=0.1)

    def forward(self, user: Tensor, items: Tensor, window: Window) -> Tensor:
        """Return one vector per target, ``[B, d]``."""
        columns, length = (user, items, window.valid, window.short, window.position), window.valid.shape[1]
        if user.is_cuda or not length:  # on a GPU, small steps cost more than padding
            return self._encode(*columns)
        # Targets of similar length at a time, each padded to what its own length asks for: how a target is encoded
        # does not depend on the others.
        width = -(-length // LENGTHS)
        last = (window.valid * torch.arange(length, device=window.valid.device)).amax(1)
        kind = last // width
        sizes = torch.bincount(kind, minlength=1).tolist()
        if sizes[-1] == len(user):  # all of one length, as where histories are full
            return self._encode(user, *(column[:, : len(sizes) * width] for column in columns[1:]))
        order = kind.argsort(stable=True)
        parts = zip(*(column.index_select(0, order).split(sizes) for column in columns), strict=True)
        made = [
            self._encode(user, *(column[:, : (number + 1) * width] for column in rest))
            for number, (user, *rest) in enumerate(parts)
            if len(user)
        ]
        return torch.cat(made).index_select(0, order.argsort())

    def _encode(self, user: Tensor, items: Tensor, valid: Tensor, short: Tensor, position: Tensor) -> Tensor:
        # Step 1: tokens. -> [B, L, d]
        tokens = items + user[:, None]
        tokens = tokens + functional.embedding(position, self.position) + functional.embedding(short.long(), self.tag)
        tokens = functional.dropout(self.norm(tokens), self.dropout, self.training)
        # Step 2: self-attention layers. -> [B, L, d]
        for layer in self.layers:
            tokens = layer(tokens, valid)
        # Step 3: mean over the valid tokens. -> [B, d]
        weight = valid.to(tokens.dtype)[..., None]
        mean = (tokens * weight).sum(1) / weight.sum(1).clamp(min=1)
        return torch.where(valid.any(1, keepdim=True), mean, self.empty.to(mean.dtype))
