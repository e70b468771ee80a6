"""DIN: the clicks that resemble the candidate stand for the user.

Source: Zhou et al., Deep interest network for click-through rate prediction (KDD 2018). The paper has no such row; DIN
is what a reader would try today.

Deviations from the original: PReLU in the prediction network instead of Dice, and weight decay instead of the L2
penalty on a mini-batch's embeddings (the original reports both apart from DIN itself); the attention's network gets
the product of click and candidate elementwise, as in its authors' code, instead of an outer product; weights are
normalised by default, as in their code for DIEN. An item is several fields side by side. As everywhere in the harness
a user has a vector; other profiles and contexts do not exist.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from hyperctr.baselines.common import MLP, DINAttention, by_length, in_pieces, masked_mean
from hyperctr.baselines.din import DINOptions
from hyperctr.baselines.items import FieldModel
from hyperctr.config import Config
from hyperctr.model.context import Context
from hyperctr.model.history import Targets

Encoded = tuple[Tensor, Tensor, Tensor]  # user [B, k], clicks [B, T, F k], valid [B, T]


class DIN(FieldModel):
    """Score a candidate by ``MLP([user ; sum_t a(e_t, e_i) e_t ; e_i])`` with the weights a from a small network.

    Reads ``embedding_size`` (width of a field), ``history_length``, ``hidden``, ``dropout`` and its options.
    """

    def __init__(self, context: Context, config: Config, interest: object = None) -> None:
        super().__init__(context, config)
        options, size, width = DINOptions.of(config), config.embedding_size, self.items.width
        self.attention = DINAttention(width, options.units, softmax=options.softmax) if options.attention else None
        self.numbers = max(2 * width + size, *config.hidden)
        self.head = MLP(size + 2 * width, config.hidden, dropout=config.dropout, activation="prelu")

    def encode(self, state: Tensor, targets: Targets) -> Encoded:
        """Return the user's vector and the clicks to attend to."""
        window = self.window(targets)
        return functional.embedding(targets.user, self.user), functional.embedding(window.items, state), window.valid

    def score(self, state: Tensor, encoded: Encoded, targets: Targets, items: Tensor) -> Tensor:
        """Return logits ``[B, n]``."""
        place = torch.arange(1, encoded[2].shape[1] + 1, device=items.device)

        def score_rows(rows: Tensor, longest: int) -> Tensor:
            user, clicks, valid = encoded[0][rows, None], encoded[1][rows, :longest], encoded[2][rows, :longest]

            def score(some: Tensor) -> Tensor:
                candidate, attend = functional.embedding(some, state), self.attention
                pooled = attend(candidate, clicks, valid) if attend else masked_mean(clicks, valid)[:, None]
                known = (part.expand(-1, some.shape[1], -1) for part in (user, pooled))
                return self.head(torch.cat([*known, candidate], 2))

            return in_pieces(score, items[rows], self.numbers)

        return by_length(score_rows, (encoded[2] * place).amax(1), len(place))
