"""DSTN: a candidate beside what the user clicked and what the user was shown and did not click.

Source: Ouyang et al., Deep spatio-temporal neural networks for click-through rate prediction; the paper's Table 2 and
section 3.2 (fields of 10, layers of 512 and 256). The paper does not say which variant: the authors' best is the
default, interactive attention (DSTN-I); pooling (DSTN-P) and self-attention (DSTN-S) are options.

Deviations from the original: no contextual ads, for no data set here tells what else stood on the page; an auxiliary
item is masked, instead of trusting that padding is a zero vector (in DSTN-S padding took a share of the softmax); the
exponent of DSTN-I is held at 10, beyond which it overflows; biases of the attention start as the framework's. Shown and
not clicked are real events of training only, never sampled negatives. The first layers are split by their inputs,
which changes no value: a pooled item is pooled after its layer instead of before.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from hyperctr.baselines.common import MLP, in_pieces, masked_softmax, per_item
from hyperctr.baselines.dstn import DSTNOptions
from hyperctr.baselines.items import FieldModel
from hyperctr.config import Config
from hyperctr.model.context import Context
from hyperctr.model.history import ClickHistory, Targets

MOST = 10.0  # of the exponent


class Auxiliary(nn.Module):
    """Weights of one type's items x_c (clicked, or not clicked) for every candidate; x_t is ``[user ; candidate]``.

    ``P``: 1. ``S``: ``softmax(w2 ReLU(W1 x_c))``. ``I``: ``exp(w2 ReLU(W1 [x_t ; x_c]))``, not normalised.

    Shapes:
        - user: ``[B, user_width]``; candidates: ``[B, n, item_width]``; others: ``[B, T, item_width]``; valid: bool
          ``[B, T]``; output: ``[B, n, T]``, 0 where not valid.
    """

    def __init__(self, user_width: int, item_width: int, hidden: int, variant: str) -> None:
        super().__init__()
        self.variant = variant
        if variant == "I":
            self.of_user = nn.Linear(user_width, hidden, bias=False)
            self.of_candidate = nn.Linear(item_width, hidden, bias=False)
        if variant != "P":
            self.of_other = nn.Linear(item_width, hidden)
            self.last = nn.Linear(hidden, 1)

    def forward(self, user: Tensor, candidates: Tensor, others: Tensor, valid: Tensor) -> Tensor:
        """Return the weights."""
        mask = valid[:, None].expand(-1, candidates.shape[1], -1)
        if self.variant == "P":
            return mask.to(others.dtype)
        hidden = self.of_other(others)[:, None]
        if self.variant == "I":
            hidden = (self.of_user(user)[:, None] + self.of_candidate(candidates))[:, :, None] + hidden
        scores = self.last(torch.relu(hidden)).squeeze(-1)
        if self.variant == "S":
            return masked_softmax(scores, valid[:, None]).expand(mask.shape)
        return torch.where(mask, scores.clamp(max=MOST).exp(), 0.0)


class Encoded(NamedTuple):
    """A target's side: user ``[B, k]`` and, per type, item fields ``[B, T, F k]`` and bool ``[B, T]``."""

    user: Tensor
    others: tuple[tuple[Tensor, Tensor], ...]


class DSTN(FieldModel):
    """Score a candidate by ``MLP([x_t ; sum of a_c x_c over the clicked ; the same over the not clicked])``.

    Reads ``embedding_size`` (width of a field), ``history_length``, ``hidden``, ``dropout`` and its options.
    """

    sees_non_clicks = True

    def __init__(self, context: Context, config: Config, interest: object = None) -> None:
        super().__init__(context, config)
        options, size = DSTNOptions.of(config), config.embedding_size
        self.histories: list[tuple[ClickHistory, int]] = [(context.history, config.history_length)]
        if options.non_clicks:
            self.histories.append((context.history.of_non_clicks(), options.non_clicks))
        width, first = self.items.width, config.hidden[0]
        self.attention = options.attention
        self.weigh = nn.ModuleList(Auxiliary(size, width, options.attention, options.variant) for _ in self.histories)
        self.from_user = nn.Linear(size, first)
        self.from_candidate = nn.Linear(width, first, bias=False)
        self.from_others = nn.ModuleList(nn.Linear(width, first, bias=False) for _ in self.histories)
        self.rest = MLP(first, config.hidden[1:], dropout=config.dropout)

    def encode(self, state: Tensor, targets: Targets) -> Encoded:
        """Return the user and the latest items of each type."""
        windows = [history.window(targets, length) for history, length in self.histories]
        others = tuple((functional.embedding(window.items, state), window.valid) for window in windows)
        return Encoded(functional.embedding(targets.user, self.user), others)

    def score(self, state: Tensor, encoded: Encoded, targets: Targets, items: Tensor) -> Tensor:
        """Return logits ``[B, n]``."""
        user, others = encoded
        of_user = self.from_user(user)[:, None]
        projected = [layer(fields) for layer, (fields, _) in zip(self.from_others, others, strict=True)]
        of_candidate = per_item(self.from_candidate, state, items)

        def score(some: Tensor) -> Tensor:
            candidates, first = functional.embedding(some, state), of_candidate(some) + of_user
            for weigh, (fields, valid), values in zip(self.weigh, others, projected, strict=True):
                first = first + torch.bmm(weigh(user, candidates, fields, valid).to(values.dtype), values)
            return self.rest(functional.dropout(torch.relu(first), self.config.dropout, self.training))

        longest = max(fields.shape[1] for fields, _ in others)
        return in_pieces(score, items, max(longest * self.attention, self.config.hidden[0]))

    def diagnostics(self) -> dict[str, Any]:
        """Return which types of items it looked at: a data set may have no non-clicks."""
        used = (history for history, _ in self.histories if len(history.item))
        return {"auxiliary": ["not clicked" if history.holds_non_clicks else "clicked" for history in used]}
