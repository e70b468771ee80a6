"""VBPR: matrix factorisation with factors of what an item looks like beside those of who clicked it.

Source: He and McAuley, VBPR: visual Bayesian personalized ranking from implicit feedback (AAAI 2016), Eq. 4:
``x_ui = alpha + beta_u + beta_i + <gamma_u, gamma_i> + <theta_u, E f_i> + <beta', f_i>`` with content features f,
learnt by ``-log sigmoid(x_ui - x_uj)`` over a clicked item i and a sampled j (Eq. 6-7).

Deviations from the original: f are all modalities that the data set has, not pictures alone. Each is standardised,
projected by a matrix of its own and divided by the root of its width, ``E f_i`` is the projections one after another,
and an item without a modality has a learnt vector in its place. The default loss is the harness's cross-entropy, in
which alpha and beta_u count, too; ``loss = pairwise`` is the authors'. Adam instead of plain gradient steps.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from hyperctr.baselines.common import in_pieces, pairwise_loss
from hyperctr.baselines.vbpr import VBPROptions
from hyperctr.config import Config
from hyperctr.model.base import ClickModel, squared_norm
from hyperctr.model.context import Context
from hyperctr.model.embedding import ItemEncoder
from hyperctr.model.history import Targets
from hyperctr.sparse_adam import lookup


class VBPR(ClickModel):
    """Score a candidate by biases and a dot product of factors ``[gamma ; theta]``.

    Reads ``embedding_size``, the number of latent factors and of content factors per modality, ``dropout``, which falls
    on the user's, and its options.
    """

    sees_clicks = False

    def __init__(self, context: Context, config: Config, interest: object = None) -> None:
        super().__init__()
        data, size = context.data, config.embedding_size
        self.context, self.config, self.options = context, config, VBPROptions.of(config)
        self.items = ItemEncoder(data, size)
        self.content = self.items.modalities if self.options.content else ()
        self.user = nn.Parameter(torch.randn(data.num_users, size * (1 + len(self.content))) * 0.1)
        self.user_bias = nn.Parameter(torch.zeros(data.num_users, 1))
        self.item_bias = nn.Parameter(torch.zeros(data.num_items, 1))
        self.content_bias = nn.ModuleDict(
            {name: nn.Linear(data.features[name].dim, 1, bias=False) for name in self.content}
        )
        for weight in self.content_bias.parameters():
            nn.init.zeros_(weight)
        self.shift = nn.Parameter(torch.zeros(1))

    def tables(self) -> tuple[nn.Parameter, ...]:
        """Return the factors and biases of users and items."""
        return self.user, self.user_bias, self.items.embedding, self.item_bias

    def item_parts(self, items: Tensor) -> tuple[Tensor, Tensor]:
        """Return factors and biases of items ``[k]``, ``[k, (1 + M) d]`` and ``[k, 1]``."""
        factors, bias = [lookup(self.items.embedding, items)], lookup(self.item_bias, items)
        for name, layer in self.content_bias.items():
            factors.append(self.items.modality(name, items))
            bias = bias + self.items.project(name, layer, items)  # 0 where absent, as the standardised features are
        return torch.cat(factors, 1), bias

    def refresh(self, dropped: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return factors and biases of all items; no click is looked at, so nothing is dropped."""
        return self.item_parts(torch.arange(len(self.item_bias), device=self.item_bias.device))

    def training_state(self, targets: Targets) -> None:
        """Return nothing: a step computes its own items' parts."""

    def encode(self, state: object, targets: Targets) -> tuple[Tensor, Tensor]:
        """Return the users' factors and biases, ``[B, (1 + M) d]`` and ``[B, 1]``."""
        user = functional.dropout(lookup(self.user, targets.user), self.config.dropout, self.training)
        return user, lookup(self.user_bias, targets.user)

    def score(
        self, state: tuple[Tensor, Tensor] | None, encoded: tuple[Tensor, Tensor], targets: Targets, items: Tensor
    ) -> Tensor:
        """Return logits ``[B, n]``."""
        user, user_bias = encoded
        factors, bias = self.item_parts(items.flatten()) if state is None else state
        rows = torch.arange(items.numel(), device=items.device).view_as(items) if state is None else items

        def score(some: Tensor) -> Tensor:
            match = torch.bmm(functional.embedding(some, factors), user[:, :, None].to(factors.dtype)).squeeze(2)
            return match + functional.embedding(some, bias).squeeze(2)

        return in_pieces(score, rows, factors.shape[1]) + user_bias + self.shift

    def click_loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss that the options name."""
        return pairwise_loss(logits) if self.options.loss == "pairwise" else super().click_loss(logits, labels)

    def auxiliary_loss(self, state: object, encoded: object, targets: Targets, items: Tensor) -> Tensor | None:
        """Return the L2 penalty on the vectors and biases of the batch, projections left out."""
        if not self.options.l2:
            return None
        users = lookup(self.user, targets.user), lookup(self.user_bias, targets.user)
        used = *users, lookup(self.items.embedding, items), lookup(self.item_bias, items)
        return self.options.l2 * squared_norm(used) / max(1, len(targets))
