"""THACIL: interests of temporal blocks by item- and category-level attention, linked forwards in time.

Source: Chen et al., Temporal hierarchical attention at category- and item-level for micro-video click-through
prediction; the paper's Table 2 and section 3.2 (160 videos, blocks of 20).

Deviations from the original, most of which mend its code rather than its paper: a prediction sees the newest visible
clicks instead of a random draw from all of a user's clicks, which held the target itself; the first block has no
earlier one and hears nothing, instead of averaging later ones; dropout falls on hidden activations only, never on
attention weights or logits; blocks are counted back from the newest click, so that only the oldest may be short;
the learning rate is constant and training stops on validation AUC. The item side holds an id and all modalities
instead of one visual vector, and the L2 penalty leaves the id table out, which the original does not have. How an item
is weighed in a block depends on the item alone, so it is computed once a step for all items; in training the same
hidden units of it drop wherever it was clicked.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from hyperctr.baselines.common import MLP, VectorAttention, by_length, in_pieces, masked_softmax, vector_sum
from hyperctr.baselines.items import FieldModel
from hyperctr.baselines.thacil import ThacilOptions
from hyperctr.config import Config
from hyperctr.errors import ConfigError
from hyperctr.model.base import squared_norm
from hyperctr.model.context import Context
from hyperctr.model.history import Targets

CLIP = 5.0  # of the forward attention's tanh
Pair = tuple[Tensor, Tensor]


class ForwardAttention(nn.Module):
    """Let every block attend to the blocks before it, with a weight per feature: ``W (5 tanh((q_i + k_j + b) / 5))``.

    The features are split among heads, which share W and b.

    Shapes:
        - blocks: ``[B, n, width]`` in the order of time; valid: bool ``[B, n]``; output: ``[B, n, width]``, zeros for
          a block that no valid block precedes.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value = (nn.Linear(width, width, bias=False) for _ in range(3))
        self.last = nn.Linear(width // heads, width // heads, bias=False)
        self.bias = nn.Parameter(torch.zeros(width // heads))

    def forward(self, blocks: Tensor, valid: Tensor) -> Tensor:
        """Return what each block hears of the earlier ones."""
        query, key, value = (part(blocks).unflatten(2, (self.heads, -1)) for part in (self.query, self.key, self.value))
        scores = self.last(CLIP * torch.tanh((query[:, :, None] + key[:, None] + self.bias) / CLIP))
        place = torch.arange(blocks.shape[1], device=blocks.device)
        allowed = valid[:, None] & (place < place[:, None])
        weight = masked_softmax(scores, allowed[..., None, None].expand_as(scores), dim=2)
        return torch.sum(weight * value[:, None], 2).flatten(2)


class Thacil(FieldModel):
    """Score a candidate q by ``MLP([Attention(blocks, q) ; q])``.

    An item is ``[v ; c]``: its id and modalities through one linear layer, and its category. A block is ``l = [sum of
    a_v v ; sum of a_c c]`` with weights of each from the other, and ``LayerNorm(l + g)`` with g from the blocks before.

    Reads ``embedding_size`` (width of v and of c), ``history_length``, ``hidden``, ``dropout`` and its options.

    Raises:
        ConfigError: the heads do not divide twice the embedding size.
    """

    def __init__(self, context: Context, config: Config, interest: object = None) -> None:
        super().__init__(context, config, users=False)
        size, width, dropout = config.embedding_size, 2 * config.embedding_size, config.dropout
        self.options = ThacilOptions.of(config)
        if width % self.options.heads:
            fix = "write options.heads=4 or choose another embedding_size"
            raise ConfigError(f"option heads = {self.options.heads} must divide 2 * embedding_size = {width}; {fix}")
        self.item = nn.Linear(self.items.width - size, size, bias=False)
        self.weigh_items, self.weigh_categories = (VectorAttention(size, dropout=dropout) for _ in range(2))
        self.forwards = ForwardAttention(width, self.options.heads) if self.options.forward else None
        self.norm = nn.LayerNorm(width)
        self.weigh_blocks = VectorAttention(width, dropout=dropout)
        self.head = MLP(2 * width, config.hidden, dropout=dropout)

    def refresh(self, dropped: Tensor | None = None) -> Pair:
        """Return items ``[v ; c]`` and their scores in a block, each ``[I, 2 k]``; no graph, so nothing is dropped."""
        fields, where = self.items(), self.items.names.index("category")
        category = fields[:, where]
        item = self.item(torch.cat([fields[:, :where], fields[:, where + 1 :]], 1).flatten(1))
        scores = [self.weigh_items.scores(item, category), self.weigh_categories.scores(category, item)]
        return torch.cat([item, category], 1), torch.cat(scores, 1)

    def blocks(self, items: Tensor, valid: Tensor) -> Pair:
        """Return a window's clicks cut into blocks in the order of time, items and bool ``[B, n, block_size]``."""
        size = min(self.options.block_size, items.shape[1])
        items, valid = (functional.pad(part, (0, -part.shape[1] % size)) for part in (items, valid))
        return items.unflatten(1, (-1, size)).flip(1), valid.unflatten(1, (-1, size)).flip(1)

    def encode(self, state: Pair, targets: Targets) -> Pair:
        """Return interests ``[B, n, 2 k]`` of the blocks and which of them hold a click, bool ``[B, n]``."""
        vectors, scores = state
        window = self.window(targets)
        all_filled = self.blocks(window.items, window.valid)[1].any(2)

        def make(rows: Tensor, longest: int) -> Tensor:
            items, valid = self.blocks(window.items[rows, :longest], window.valid[rows, :longest])
            block = vector_sum(functional.embedding(items, scores), functional.embedding(items, vectors), valid)
            if self.forwards is not None:
                block = block + self.forwards(block, valid.any(2))
            return functional.pad(self.norm(block), (0, 0, all_filled.shape[1] - block.shape[1], 0))

        return by_length(make, window.lengths, window.items.shape[1]), all_filled

    def score(self, state: Pair, encoded: Pair, targets: Targets, items: Tensor) -> Tensor:
        """Return logits ``[B, n]``."""
        vectors, most = state[0], encoded[1].shape[1]

        def score_rows(rows: Tensor, longest: int) -> Tensor:
            interests, filled = (part[rows, None, most - longest :] for part in encoded)

            def score(some: Tensor) -> Tensor:
                candidate = functional.embedding(some, vectors)
                return self.head(torch.cat([self.weigh_blocks(interests, candidate[:, :, None], filled), candidate], 2))

            return in_pieces(score, items[rows], max(longest, 2) * vectors.shape[1])

        return by_length(score_rows, encoded[1].sum(1), most)

    def auxiliary_loss(self, state: Any, encoded: Any, targets: Targets, items: Tensor) -> Tensor | None:
        """Return the L2 penalty."""
        matrices = [p for name, p in self.named_parameters() if p.dim() > 1 and name != "items.embedding"]
        return self.options.l2 * squared_norm(matrices) if self.options.l2 else None
