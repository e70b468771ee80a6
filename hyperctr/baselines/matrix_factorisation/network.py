"""Content matrix factorisation: the baseline a user would try first, and the row every table carries.

``score(u, i) = <p_u + sum_j x_j / sqrt(n), x_i> + b_i`` with item vectors ``x_i = q_i + sum_m P_m a_{i,m}`` and the sum
over the user's n visible clicks. It follows the same protocol, histories, candidates and training loop as HyperCTR.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from hyperctr.config import Config
from hyperctr.model.base import ClickModel
from hyperctr.model.context import Context
from hyperctr.model.history import Targets
from hyperctr.runtime import shared_tensor


class ContentMF(ClickModel):
    """Factorise clicks with item vectors that are embeddings plus projected features.

    Reads ``embedding_size``, ``history_length``, ``dropout``.
    """

    def __init__(self, context: Context, config: Config, interest: object = None) -> None:
        super().__init__()
        data, size = context.data, config.embedding_size
        self.context, self.config = context, config
        self.user = nn.Parameter(torch.randn(data.num_users, size) * 0.05)
        self.item = nn.Parameter(torch.randn(data.num_items, size) * 0.05)
        self.bias = nn.Parameter(torch.zeros(data.num_items))
        self.projection = nn.ParameterDict()
        for name in data.modalities:
            table = data.features[name]
            self.register_buffer(f"values_{name}", shared_tensor(table.standardised().values), persistent=False)
            self.projection[name] = nn.Parameter(torch.randn(table.dim, size) * 0.05)

    def refresh(self, dropped: Tensor | None = None) -> Tensor:
        """Return the item vectors ``[I, d]``; no graph, so nothing is dropped."""
        items: Tensor = self.item
        for name, weight in self.projection.items():
            items = items + getattr(self, f"values_{name}") @ (weight * len(weight) ** -0.5)
        return items

    def encode(self, state: Tensor, targets: Targets) -> Tensor:
        """Return user vectors ``[B, d]``."""
        window = self.context.history.window(targets, self.config.history_length)
        user = functional.embedding(targets.user, self.user) + window.summed(state)
        return functional.dropout(user, self.config.dropout, self.training)

    def score(self, state: Tensor, encoded: Tensor, targets: Targets, items: Tensor) -> Tensor:
        """Return logits ``[B, n]``."""
        return torch.bmm(functional.embedding(items, state), encoded[:, :, None]).squeeze(2) + self.bias[items]
