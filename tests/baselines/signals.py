"""Planted signals: worlds in which one thing decides the next click, and a plain network that cannot see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional

from hyperctr.baselines.common import PairMLP, masked_mean
from hyperctr.baselines.items import ItemFields
from hyperctr.config import Config
from hyperctr.data.dataset import Dataset
from hyperctr.data.features import FeatureTable
from hyperctr.data.interactions import Interactions
from hyperctr.model.base import ClickModel
from hyperctr.model.context import Context
from hyperctr.model.history import Targets
from hyperctr.models import model_class
from hyperctr.split_data import SplitData
from hyperctr.training.loop import Trainer

CPU = torch.device("cpu")
SETTINGS: dict[str, Any] = {
    "protocol": "causal",
    "ratios": (0.8, 0.1, 0.1),
    "points_per_epoch": 1,
    "patience": 5,
    "validation_clicks": 2000,
    "validation_candidates": 20,
    "history_length": 20,
}


class PlainMLP(ClickModel):
    """Mean of the clicks' fields, user and candidate through one network: the yardstick of every signal."""

    def __init__(self, context: Context, config: Config, interest: None = None) -> None:
        super().__init__()
        self.context, self.config = context, config
        self.items = ItemFields(context.data, config.embedding_size)
        self.user = nn.Parameter(torch.randn(context.data.num_users, config.embedding_size) * 0.1)
        width = self.items.width
        self.head = PairMLP(width + config.embedding_size, width, (64, 32), dropout=config.dropout)

    def refresh(self, dropped: Tensor | None = None) -> Tensor:
        fields: Tensor = self.items()
        return fields.flatten(1)

    def encode(self, state: Tensor, targets: Targets) -> Tensor:
        window = self.context.history.window(targets, self.config.history_length)
        mean = masked_mean(functional.embedding(window.items, state), window.valid)
        return torch.cat([mean, functional.embedding(targets.user, self.user)], 1)

    def score(self, state: Tensor, encoded: Tensor, targets: Targets, items: Tensor) -> Tensor:
        logits: Tensor = self.head(encoded, state, items)
        return logits


@dataclass(frozen=True)
class Events:
    """Rows of a world in the making; the order of rows is the order of time."""

    user: list[int]
    item: list[int]
    clicked: list[bool]

    def dataset(self, group: np.ndarray, seed: int = 0) -> Dataset:
        """A data set whose one modality tells the group of each item, with noise."""
        frame = pd.DataFrame(
            {
                "user_id": self.user,
                "item_id": self.item,
                "timestamp": np.arange(len(self.user)),
                "clicked": self.clicked,
            }
        )
        values = np.eye(group.max() + 1)[group] + 0.1 * np.random.default_rng(seed).standard_normal((len(group), 1))
        log = Interactions(frame, clock="ordinal")
        return Dataset("signal", log, [FeatureTable("visual", values)], items=np.arange(len(group)))


def recency(seed: int = 0, users: int = 60, clicks: int = 40, groups: int = 4, items: int = 160) -> Dataset:
    """The group of a click follows from the group of the click before, 9 times in 10; groups take equal shares."""
    draw = np.random.default_rng(seed)
    group = np.arange(items) % groups
    following = np.roll(np.arange(groups), 1)
    events = Events([], [], [])
    now = draw.integers(groups, size=users)
    for _ in range(clicks):
        # A row of time per user: users' clicks interleave, as in any log.
        now = np.where(draw.random(users) < 0.9, following[now], draw.integers(groups, size=users))
        events.user.extend(range(users))
        events.item.extend((draw.integers(items // groups, size=users) * groups + now).tolist())
        events.clicked.extend([True] * users)
    return events.dataset(group)


def auc(data: Dataset, config: Config, model: type[ClickModel] | None = None) -> float:
    """Best validation AUC of the config's model, or of another, trained on the data under the same settings."""
    study = SplitData.open(data, config)
    context = Context.build(study, None, config)
    with torch.random.fork_rng():
        torch.manual_seed(config.seed)
        made: ClickModel = (model or model_class(config.model))(context, config, None)
        return Trainer(made, study, config, CPU).fit().best_auc
