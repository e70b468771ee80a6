"""GRU4Rec as a click model: a GRU over the visible clicks, then a network on its state, the user and the candidate.

Source: Hidasi et al., Session-based recommendations with recurrent neural networks; the paper's Table 2 and section
3.2 ("applies GRU to model user click sequence", embeddings instead of one-hot).

Deviations from the original, which ranks the next item of a session: a binary cross-entropy on (user, item) pairs
instead of a ranking loss over a mini-batch's items, the whole visible history instead of one session, gradients
through time, several fields per item instead of one id.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence

from hyperctr.baselines.common import PairMLP, masked_mean
from hyperctr.baselines.gru4rec import GRU4RecOptions
from hyperctr.baselines.items import FieldModel
from hyperctr.config import Config
from hyperctr.model.context import Context
from hyperctr.model.history import Targets, Window


class GRU4Rec(FieldModel):
    """Score a candidate by ``MLP([h_T ; e_user ; e_item])`` with ``h_T`` the GRU's state after the newest click.

    Reads ``embedding_size`` (width of a field), ``history_length``, ``hidden``, ``dropout`` and its options.
    """

    def __init__(self, context: Context, config: Config, interest: object = None) -> None:
        super().__init__(context, config)
        options, size = GRU4RecOptions.of(config), config.embedding_size
        self.mean = None if options.recurrent else nn.Linear(self.items.width, options.units)
        if options.recurrent:
            self.gru = nn.GRU(self.items.width, options.units, batch_first=True)
        self.head = PairMLP(options.units + size, self.items.width, config.hidden, dropout=config.dropout)

    def encode(self, state: Tensor, targets: Targets) -> Tensor:
        """Return the recurrent state and the user's vector, ``[B, units + k]``."""
        return torch.cat([self.summary(state, self.window(targets)), functional.embedding(targets.user, self.user)], 1)

    def summary(self, state: Tensor, window: Window) -> Tensor:
        """Return the state after the newest click ``[B, units]``, zeros without clicks; padding is never read."""
        window = window.oldest_first()
        clicks = functional.embedding(window.items, state)
        if self.mean is not None:
            last = torch.tanh(self.mean(masked_mean(clicks, window.valid)))
        else:
            clicks = functional.dropout(clicks, self.config.dropout, self.training)
            lengths = window.lengths.clamp(min=1).cpu()
            last = self.gru(pack_padded_sequence(clicks, lengths, batch_first=True, enforce_sorted=False))[1][0]
        return torch.where(window.valid.any(1, keepdim=True), last, 0.0)

    def score(self, state: Tensor, encoded: Tensor, targets: Targets, items: Tensor) -> Tensor:
        """Return logits ``[B, n]``."""
        return self.head(encoded, state, items)
