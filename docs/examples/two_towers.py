"""Two towers: a user's clicks and a candidate, each through a layer of its own, meet in a dot product."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from hyperctr.baselines.items import FieldModel
from hyperctr.config import Config
from hyperctr.model.context import Context
from hyperctr.model.history import Targets
from hyperctr.settings import ModelSpec, Options, setting


@dataclass(frozen=True)
class TwoTowersOptions(Options):
    """What the model has beyond the settings of all models."""

    width: int = setting(32, "Width of both towers.", low=1)
    tell_users_apart: bool = setting(True, "Off: who clicked the same items gets the same scores.")


class TwoTowers(FieldModel):
    """Score a candidate by ``<U [user ; mean of the clicks], V item> + b``."""

    def __init__(self, context: Context, config: Config, interest: object = None) -> None:
        super().__init__(context, config)  # self.items, the fields of all items, and self.user, a vector per user
        self.options = TwoTowersOptions.of(config)
        self.user_tower = nn.Linear(config.embedding_size + self.items.width, self.options.width)
        self.item_tower = nn.Linear(self.items.width, self.options.width)
        self.shift = nn.Parameter(torch.zeros(1))

    def encode(self, state: Tensor, targets: Targets) -> Tensor:
        """Return one vector per target, ``[B, width]``; ``state [I, F k]`` is what ``refresh`` returned."""
        user = functional.embedding(targets.user, self.user) * self.options.tell_users_apart
        tower: Tensor = self.user_tower(torch.cat([user, self.mean_click(state, targets)], 1))
        return functional.dropout(tower, self.config.dropout, self.training)

    def score(self, state: Tensor, encoded: Tensor, targets: Targets, items: Tensor) -> Tensor:
        """Return the logits ``[B, n]`` of ``items [B, n]``."""
        candidates = functional.embedding(items, self.item_tower(state))
        return torch.bmm(candidates, encoded[:, :, None]).squeeze(2) + self.shift


MODEL = ModelSpec(
    f"{__name__}:TwoTowers",
    options=TwoTowersOptions,
    settings={"embedding_size": 16, "learning_rate": 1e-3, "history_length": 100},
    budgets={"smoke": {"embedding_size": 8, "options": {"width": 8}}},
)
