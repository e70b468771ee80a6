"""Temporal user behaviour: a transformer over the visible clicks, which the candidate attends over (section 2.2.1)."""

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
    """Encode a user's visible clicks into tokens, for a candidate to attend over (:func:`attention_weights`).

    A token is ``user + item + position``, plus a learned tag that tells the target's slot (short-term) from earlier
    slots (long-term). A user without history has one token, a learned vector. Dropout falls on the tokens, not on
    attention weights, where it would cost more time than all projections together.

    Shapes:
        - user: ``[B, d]``; the window's item vectors ``[B, L, d]``; window ``[B, L]``.
        - Output: tokens ``[B, L, d]``, and which of them are there, bool ``[B, L]``: one at least.

    Paper: section 2.2.1, Eq. 1-4.
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

    def forward(self, user: Tensor, items: Tensor, window: Window) -> tuple[Tensor, Tensor]:
        """Return the encoded tokens ``[B, L, d]`` and which are there, bool ``[B, L]``."""
        columns, length = (user, items, window.valid, window.short, window.position), window.valid.shape[1]
        if user.is_cuda:  # there, small steps cost more than padding
            return self._encode(length, *columns)
        # Targets of similar length at a time, each padded to what its own length asks for: how a target is encoded
        # does not depend on the others.
        width = -(-length // LENGTHS)
        last = (window.valid * torch.arange(length, device=window.valid.device)).amax(1)
        kind = last // width
        sizes = torch.bincount(kind, minlength=1).tolist()
        order = kind.argsort(stable=True)
        parts = zip(*(column.index_select(0, order).split(sizes) for column in columns), strict=True)
        made = [
            self._encode(length, user, *(column[:, : (number + 1) * width] for column in rest))
            for number, (user, *rest) in enumerate(parts)
            if len(user)
        ]
        back = order.argsort()
        tokens, there = (torch.cat(part).index_select(0, back) for part in zip(*made, strict=True))
        return tokens, there

    def _encode(
        self, length: int, user: Tensor, items: Tensor, valid: Tensor, short: Tensor, position: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Encode windows of any width up to ``length``, to which the result is padded."""
        # Step 1: tokens. -> [B, W, d]
        tokens = items + user[:, None]
        tokens = tokens + functional.embedding(position, self.position) + functional.embedding(short.long(), self.tag)
        tokens = functional.dropout(self.norm(tokens), self.dropout, self.training)
        # Step 2: self-attention layers. -> [B, W, d]
        for layer in self.layers:
            tokens = layer(tokens, valid)
        # Step 3: the token of an empty history, and padding. -> [B, L, d]
        empty = ~valid.any(1, keepdim=True) & (torch.arange(valid.shape[1], device=valid.device) == 0)
        tokens = torch.where(empty[..., None], self.empty.to(tokens.dtype), tokens)
        more = length - valid.shape[1]
        return functional.pad(tokens, (0, 0, 0, more)), functional.pad(valid | empty, (0, more))


def attention_weights(query: Tensor, tokens: Tensor, there: Tensor) -> Tensor:
    """Return how much each candidate attends to each token, ``[B, n, L]``; each row adds up to 1.

    Args:
        query: of the candidates, ``[B, n, d]``.
        tokens: ``[B, L, d]``.
        there: bool ``[B, L]``, one at least of each target.

    Paper: section 2.2, "all the short and long-term user intent and item embedding are fed into attention layer".
    """
    likeness = torch.bmm(query.to(tokens.dtype), tokens.transpose(1, 2)) * tokens.shape[2] ** -0.5
    weights: Tensor = likeness.masked_fill_(~there[:, None], -torch.inf).softmax(-1)
    return weights
