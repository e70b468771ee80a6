"""Content matrix factorisation against its formula, target by target."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from hyperctr.baselines.matrix_factorisation.network import ContentMF
from hyperctr.config import REFERENCE_MODEL, Config
from hyperctr.model.context import Context
from tests.small import Small, small, targets_of, visible

pytestmark = pytest.mark.filterwarnings("ignore::hyperctr.errors.DataWarning")


def build(study: Small, protocol: str = "as-published", dropout: float = 0.0) -> ContentMF:
    config = Config.for_model(REFERENCE_MODEL, embedding_size=6, history_length=3, protocol=protocol, dropout=dropout)
    model = ContentMF(Context.build(study, None, config), config)
    for k, parameter in enumerate(model.parameters()):
        nn.init.normal_(parameter, generator=torch.Generator().manual_seed(k))
    return model.double().eval()


@pytest.mark.parametrize("protocol", ["as-published", "causal"])
def test_scores_equal_the_formula(protocol):
    study = small(0)
    model, (rows, targets) = build(study, protocol), targets_of(study)
    p = {name: value.numpy() for name, value in model.state_dict().items()}
    items = p["item"].copy()
    for name, table in study.data.features.items():
        seen = table.values[table.present].astype(float)
        scaled = (table.values - seen.mean(0)) / seen.std(0) / table.dim**0.5
        items += np.where(table.present[:, None], scaled @ p[f"projection.{name}"], 0.0)  # absent adds nothing
    expected = np.empty((len(rows), 6))
    for b, (user, slot, timestamp, hidden) in enumerate(rows):
        past = [item for _, _, item, _ in visible(study, protocol, user, slot, timestamp, hidden, most=3)]
        vector = p["user"][user] + items[past].sum(0) / max(len(past), 1) ** 0.5
        expected[b] = items @ vector + p["bias"]
    with torch.no_grad():
        found = model(targets, torch.arange(6).expand(len(rows), -1))
    torch.testing.assert_close(found, torch.from_numpy(expected), rtol=0, atol=1e-5)


def test_gradients_and_dropout():
    study = small(1)
    model, (_, targets) = build(study, dropout=0.5), targets_of(study)
    items = torch.arange(6).expand(len(targets), -1)
    assert torch.equal(model(targets, items), model(targets, items))
    model.train()
    assert not torch.equal(model(targets, items), model(targets, items))
    model(targets, items).square().sum().backward()
    assert all(p.grad is not None and p.grad.any() for p in model.parameters())
    assert {name for name, _ in model.named_parameters()} == set(model.state_dict())  # features stay outside
