"""GRU4Rec: against a GRU cell stepped by hand, blind to padding, and ahead where the last click decides."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from hyperctr.baselines.gru4rec.network import GRU4Rec
from hyperctr.config import Config
from hyperctr.model.context import Context
from hyperctr.model.history import Window
from tests.baselines.signals import SETTINGS, PlainMLP, auc, recency
from tests.small import Small, small, targets_of, visible, with_drawn_weights

pytestmark = pytest.mark.filterwarnings("ignore::hyperctr.errors.DataWarning")
SIZES: dict[str, Any] = {"embedding_size": 4, "hidden": (6, 5), "history_length": 7, "options": {"units": 5}}


def build(study: Small, **changes: Any) -> GRU4Rec:
    config = Config.for_model("gru4rec", **{**SIZES, **changes})
    return with_drawn_weights(GRU4Rec(Context.build(study, None, config), config))


@pytest.mark.parametrize("protocol", ["as-published", "causal"])
def test_scores_equal_a_cell_stepped_through_the_visible_clicks(protocol: str) -> None:
    study = small(0)
    model, (rows, targets) = build(study, protocol=protocol), targets_of(study)
    assert model.gru is not None
    cell = nn.GRUCell(model.items.width, 5).double()
    cell.load_state_dict({name.removesuffix("_l0"): value for name, value in model.gru.state_dict().items()})
    head, lengths = model.head, set()
    with torch.no_grad():
        fields = model.items().flatten(1)
        found = model(targets, torch.arange(6).expand(len(rows), -1))
        for b, (user, slot, timestamp, hidden) in enumerate(rows):
            state = torch.zeros(1, 5, dtype=torch.float64)
            past = [item for _, _, item, _ in visible(study, protocol, user, slot, timestamp, hidden, most=7)]
            lengths.add(len(past))
            for item in reversed(past):
                state = cell(fields[item][None], state)
            known = torch.cat([state[0], model.user[user]])
            for item in range(6):
                first = torch.relu(head.from_user(known) + head.from_item.weight @ fields[item])
                one, _, _, last = head.rest.layers
                expected = last(torch.relu(one(first)))[0]
                assert found[b, item] == pytest.approx(float(expected), abs=1e-9)
    assert {0, 7} <= lengths


def test_padding_is_never_read_and_the_order_of_clicks_is() -> None:
    study = small(1, rows=80)
    model, (_, targets) = build(study), targets_of(study)
    state = model.refresh()
    window = model.context.history.window(targets, 7)
    longer = Window(*(functional.pad(part, (0, 12)) for part in vars(window).values()))
    longer.items[~longer.valid] = 5
    before = model.summary(state, window)
    torch.testing.assert_close(model.summary(state, longer), before, rtol=0, atol=1e-12)
    assert not before[~window.valid.any(1)].any() and before[window.valid.any(1)].any(1).all()
    full = window.lengths >= 2
    swapped = replace(window, items=window.items.clone())
    swapped.items[full, :2] = window.items[full, :2].flip(1)
    moved = (model.summary(state, swapped) != before).any(1)
    assert torch.equal(moved, full & (window.items[:, 0] != window.items[:, 1])) and moved.sum() > 10
    mean = build(study, options={"units": 5, "recurrent": False})
    torch.testing.assert_close(mean.summary(state, swapped), mean.summary(state, window), rtol=0, atol=1e-12)


def test_every_parameter_learns() -> None:
    study = small(2)
    model, (_, targets) = build(study).train(), targets_of(study)
    items = torch.arange(6).expand(len(targets), -1)
    model.training_loss("train", targets, items, torch.ones(items.shape)).backward()
    idle = {
        name
        for name, p in model.named_parameters()
        if p.grad is None or not p.grad.isfinite().all() or not p.grad.any()
    }
    assert idle == {f"items.absent.{name}" for name, table in study.data.features.items() if table.present.all()}


def test_the_last_click_decides_and_only_the_recurrent_state_sees_it() -> None:
    """Switched off, the system is no better than the plain network: the signal is what is measured."""
    data = recency()
    config = Config.for_model("gru4rec", **SETTINGS, epochs=8, batch_size=50, options={"units": 32})
    on, off = (auc(data, config.replace(**{"options.recurrent": value})) for value in (True, False))
    plain = auc(data, config, PlainMLP)
    assert on > plain + 0.1, (on, plain)
    assert off < plain + 0.03, (off, plain)
