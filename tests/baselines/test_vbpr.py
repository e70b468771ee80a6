"""VBPR: against its formula, its pairwise loss, ahead where only content tells what nobody clicked before."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from hyperctr.baselines.vbpr.network import VBPR
from hyperctr.config import Config
from hyperctr.data.dataset import Dataset
from hyperctr.model.context import Context
from tests.baselines.signals import SETTINGS, Events, auc
from tests.small import Small, small, targets_of, with_drawn_weights

pytestmark = pytest.mark.filterwarnings("ignore::hyperctr.errors.DataWarning")


def build(study: Small, **changes: Any) -> VBPR:
    config = Config.for_model("vbpr", **{"embedding_size": 4, **changes})
    return with_drawn_weights(VBPR(Context.build(study, None, config), config))


def expected_scores(study: Small, model: VBPR) -> np.ndarray:
    """[U, I] in float64, term by term."""
    p = {name: value.numpy() for name, value in model.state_dict().items()}
    match = p["user"][:, :4] @ p["items.embedding"].T
    bias = p["item_bias"][:, 0].copy()
    for m, (name, table) in enumerate(study.data.features.items()):
        seen = table.values[table.present].astype(float)
        scaled = (table.values - seen.mean(0)) / seen.std(0) / table.dim**0.5
        factors = scaled @ p[f"items.projection.{name}.weight"].T + p[f"items.projection.{name}.bias"]
        factors[~table.present] = p[f"items.absent.{name}"]
        match += p["user"][:, 4 + 4 * m : 8 + 4 * m] @ factors.T
        bias += np.where(table.present, scaled @ p[f"content_bias.{name}.weight"][0], 0.0)
    return np.asarray(p["shift"] + p["user_bias"] + bias + match)


def test_scores_and_losses_equal_the_formula() -> None:
    study = small(0)
    rows, targets = targets_of(study)
    items = torch.arange(6).expand(len(rows), -1)
    labels = torch.zeros(items.shape, dtype=torch.float64)
    labels[:, 0] = 1
    for loss in ("cross-entropy", "pairwise"):
        model = build(study, options={"loss": loss, "l2": 0.3})
        expected = expected_scores(study, model)[[row[0] for row in rows]]
        state = model.training_state(targets)
        for scores in (model(targets, items), model.score(state, model.encode(state, targets), targets, items)):
            np.testing.assert_allclose(scores.detach().numpy(), expected, rtol=0, atol=1e-6)
        if loss == "pairwise":
            differences = expected[:, :1] - expected[:, 1:]
            value = -np.log(1 / (1 + np.exp(-differences))).mean()
        else:
            p = 1 / (1 + np.exp(-expected))
            value = -np.where(labels.numpy() == 1, np.log(p), np.log(1 - p)).mean()
        used = [model.user[targets.user], model.user_bias[targets.user]]
        used += [model.items.embedding[items], model.item_bias[items]]
        value += 0.3 / len(rows) / 2 * sum(float(part.detach().square().sum()) for part in used)
        assert float(model.training_loss("train", targets, items, labels)) == pytest.approx(value, abs=1e-6)


def test_every_parameter_learns() -> None:
    study = small(2)
    model, (_, targets) = build(study).train(), targets_of(study)
    items = torch.arange(6).expand(len(targets), -1)
    model.training_loss("train", targets, items, torch.ones(items.shape)).backward()
    idle = {name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()}
    assert idle == {f"items.absent.{name}" for name, table in study.data.features.items() if table.present.all()}


def rare_items(seed: int = 0, users: int = 200, groups: int = 10, size: int = 100, clicks: int = 12) -> Dataset:
    """Every user clicks items of one group, 9 times in 10; an item has two clicks or three; content tells the group."""
    draw = np.random.default_rng(seed)
    taste, events = draw.integers(groups, size=users), Events([], [], [])
    for _ in range(clicks):
        now = np.where(draw.random(users) < 0.9, taste, draw.integers(groups, size=users))
        events.user.extend(range(users))
        events.item.extend((now * size + draw.integers(size, size=users)).tolist())
        events.clicked.extend([True] * users)
    return events.dataset(np.repeat(np.arange(groups), size))


def test_only_content_tells_of_items_that_few_clicked() -> None:
    """Switched off, the same factorisation by ids: the signal is what is measured."""
    settings = {**SETTINGS, "protocol": "as-published", "slot_count": 1, "embedding_size": 16}
    config = Config.for_model("vbpr", **{**settings, "learning_rate": 1e-2, "epochs": 8, "batch_size": 50})
    on, off = (auc(rare_items(), config.replace(**{"options.content": switch})) for switch in (True, False))
    assert on > off + 0.1 and on > 0.8, (on, off)
