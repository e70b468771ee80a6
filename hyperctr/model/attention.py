"""Temporal user behaviour: a transformer over the visible clicks, which the candidate attends over (section 2.2.1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from hyperctr.model.dropout import dropout
from hyperctr.model.history import Window

LENGTHS = 6  # to which histories are padded on a CPU, in equal steps
DOUBLINGS = 63  # distances in time that are told apart, on either side of the target: all that int64 holds


def time_distance(window: Window, time: Tensor) -> Tensor:
    """Return how far each click is from its target in time, int64 ``[B, L]``, in doublings of the clock's tick.

    That is 0 at the same time, 1 at 1 or 2 ticks (seconds, on a calendar clock), 2 at 3 to 6, and so on up to
    ``DOUBLINGS - 1``; ``DOUBLINGS`` more after the target.

    ``time`` is int64 ``[B]``, the targets' timestamps. Where a click is not valid the number means nothing.

    >>> clicks = torch.tensor([[100, 99, 90, 105]])
    >>> window = Window(clicks, clicks > 0, clicks > 0, clicks, timestamp=clicks)
    >>> time_distance(window, torch.tensor([100])).tolist()
    [[0, 1, 3, 65]]
    """
    ticks = window.timestamp - time[:, None]
    first = (1 << torch.arange(1, DOUBLINGS, device=ticks.device)) - 1  # of each distance but 0
    return torch.bucketize(ticks.abs(), first, right=True) + DOUBLINGS * (ticks > 0)


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
        three = (self.query, self.key, self.value)
        weight, bias = torch.cat([part.weight for part in three]), torch.cat([part.bias for part in three])
        projected = functional.linear(x, weight, bias).split(size, dim=2)
        query, key, value = (part.view(split).transpose(1, 2) for part in projected)
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


@dataclass(frozen=True)
class Tokens:
    """Encoded histories of targets of similar length.

    Attributes:
        target: int64 ``[b]``, which targets of the batch they are; None: all of them.
        values: ``[b, W, d]``.
        there: bool ``[b, W]``, one at least of each target.
    """

    target: Tensor | None
    values: Tensor
    there: Tensor

    def split(self, size: int) -> Iterator[Tokens]:
        """Yield ``size`` targets at a time."""
        for k in range(0, len(self.values), size):
            yield Tokens(None, self.values[k : k + size], self.there[k : k + size])

    def attended(self, query: Tensor, values: Tensor) -> Tensor:
        """Return what each candidate sees, ``[b, n, *]``: the mean of ``values`` by its attention to the tokens.

        ``query`` is ``[b, n, d]``, of the candidates; ``values`` ``[b, W, *]``, the tokens or what was made of each.

        Paper: section 2.2, "all the short and long-term user intent and item embedding are fed into attention layer".
        """
        likeness = torch.bmm(query.to(self.values.dtype), self.values.transpose(1, 2)) * query.shape[2] ** -0.5
        weight = likeness.masked_fill_(~self.there[:, None], -torch.inf).softmax(-1)
        return torch.bmm(weight, values)


class SequenceEncoder(nn.Module):
    """Encode a user's visible clicks into tokens, for a candidate to attend over (:meth:`Tokens.attended`).

    A token is ``user + item + position + distance``, plus a learned tag that tells the target's slot (short-term) from
    earlier slots (long-term); the position counts clicks from the target, the distance is that in time. A user without
    history has one token, a learned vector. Dropout falls on the tokens, not on attention weights, where it would cost
    more time than all projections together.

    Shapes:
        - user: ``[B, d]``; items: table ``[k, d]`` and int64 ``[B, L]``, the rows of the window's clicks.
        - time: int64 ``[B]``, the targets' timestamps.

    Paper: section 2.2.1, Eq. 1-4.
    """

    def __init__(self, size: int, heads: int, layers: int, length: int, dropout: float) -> None:
        super().__init__()
        self.dropout = dropout
        self.position = nn.Parameter(torch.empty(2 * length, size))  # before the target, after it
        self.tag = nn.Parameter(torch.empty(2, size))
        self.distance = nn.Parameter(torch.zeros(2 * DOUBLINGS, size))  # before the target, after it
        self.empty = nn.Parameter(torch.empty(size))
        self.norm = nn.LayerNorm(size)
        self.layers = nn.ModuleList(EncoderLayer(size, heads) for _ in range(layers))
        for parameter in (self.position, self.tag, self.empty):
            nn.init.normal_(parameter, std=0.1)

    def forward(self, user: Tensor, table: Tensor, index: Tensor, window: Window, time: Tensor) -> list[Tokens]:
        """Return the tokens of all targets, those of histories of similar length together.

        Each is padded to what its own length asks for: how a target is encoded does not depend on the others.
        """
        user = user + 0.0 * self.empty  # whose gradient is zero, not none, in a step without an empty history
        distance, length = time_distance(window, time), index.shape[1]
        columns = (user, index, window.valid, window.short, window.position, distance)
        if user.is_cuda:  # there, small steps cost more than padding
            return [self._encode(None, table, *columns)]
        width = -(-length // LENGTHS)
        kind = (window.valid * torch.arange(length, device=index.device)).amax(1) // width
        groups = kind.argsort(stable=True).split(torch.bincount(kind).tolist())
        return [
            self._encode(target, table, user[target], *(part[target, : (k + 1) * width] for part in columns[1:]))
            for k, target in enumerate(groups)
            if len(target)
        ]

    def _encode(
        self,
        target: Tensor | None,
        table: Tensor,
        user: Tensor,
        index: Tensor,
        valid: Tensor,
        short: Tensor,
        position: Tensor,
        distance: Tensor,
    ) -> Tokens:
        # Step 1: tokens. -> [b, W, d]
        places = (self.position[:, None] + self.tag).flatten(0, 1)
        tokens = functional.embedding(index, table) + user[:, None]
        tokens = tokens + functional.embedding(2 * position + short, places)
        tokens = tokens + functional.embedding(distance, self.distance)
        tokens = dropout(self.norm(tokens), self.dropout, self.training)
        # Step 2: self-attention layers. -> [b, W, d]
        for layer in self.layers:
            tokens = layer(tokens, valid)
        # Step 3: the first token of an empty history. -> [b, 1, d]
        if not valid.is_cuda and bool(valid.any(1).all()):
            return Tokens(target, tokens, valid)
        empty = ~valid.any(1)[:, None, None]
        first = torch.where(empty, self.empty.to(tokens.dtype), tokens[:, :1])
        there = torch.cat([valid[:, :1] | empty[..., 0], valid[:, 1:]], 1)
        return Tokens(target, torch.cat([first, tokens[:, 1:]], 1), there)
