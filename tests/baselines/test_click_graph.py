"""Rounds of steps that share what is spread along the graphs: their gradients are those of the steps' losses."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from hyperctr.baselines.click_graph import ClickGraphModel
from hyperctr.config import Config
from hyperctr.model.context import Context
from hyperctr.model.history import Targets
from hyperctr.models import model_class
from tests.small import Small, small, with_drawn_weights

pytestmark = pytest.mark.filterwarnings("ignore::hyperctr.errors.DataWarning")
MODELS: dict[str, dict[str, Any]] = {
    "lightgcn": {},
    "freedom": {"options": {"modal_loss": 0.1}},
    "mgcn": {"options": {"contrast": 0.1}},
}


def build(study: Small, model: str, **changes: Any) -> ClickGraphModel:
    config = Config.for_model(model, **{"embedding_size": 4, "layers": 2, **MODELS[model], **changes})
    made: ClickGraphModel = model_class(model)(Context.build(study, None, config), config)
    return with_drawn_weights(made).train()


def batches(study: Small, clicks: list[int], size: int = 3) -> list[tuple[Targets, torch.Tensor, torch.Tensor]]:
    """Some training clicks as targets, each with its item, another one, and the labels."""
    rows = torch.tensor([[study.clicks[c][k] for k in (0, 2, 3)] + [c] for c in clicks])
    items = torch.tensor([[study.clicks[c][1], (study.clicks[c][1] + 1) % study.data.num_items] for c in clicks])
    labels = torch.tensor([[1.0, 0.0]], dtype=torch.float64).expand(len(clicks), -1)
    parts = [slice(k, k + size) for k in range(0, len(clicks), size)]
    return [(Targets(*rows[part].T.contiguous()), items[part], labels[part]) for part in parts]


def gradients(model: ClickGraphModel) -> dict[str, torch.Tensor]:
    return {name: value.grad.clone() for name, value in model.named_parameters() if value.grad is not None}


@pytest.mark.parametrize("protocol", ["as-published", "causal"])
@pytest.mark.parametrize("name", MODELS)
def test_a_rounds_gradients_are_those_of_its_losses_added_up(name: str, protocol: str) -> None:
    """With parameters held still: autograd through one propagation without all of the round's clicks."""
    study, clicks = small(11, rows=70), [1, 4, 7, 20, 21, 30, 33]
    model = build(study, name, protocol=protocol)
    model.begin_round(torch.tensor(clicks), steps=3)
    losses = []
    for batch in batches(study, clicks):
        losses.append(model.training_loss("train", *batch))
        losses[-1].backward()
    model.end_round()
    found = gradients(model)
    model.zero_grad()
    state = model.shared(torch.tensor(clicks))
    for batch, loss in zip(batches(study, clicks), losses, strict=True):
        model.training_state = lambda targets: state  # type: ignore[method-assign, assignment]
        expected = model.training_loss("train", *batch)
        torch.testing.assert_close(loss, expected, rtol=0, atol=1e-7)
        expected.backward(retain_graph=True)
    for parameter, gradient in gradients(model).items():
        torch.testing.assert_close(found[parameter], gradient, rtol=1e-5, atol=1e-7, msg=parameter)
    assert found.keys() == gradients(model).keys() and found["user"].abs().max() > 1e-4


@pytest.mark.parametrize("name", MODELS)
def test_a_step_scores_as_a_prediction_without_its_clicks_does(name: str) -> None:
    study = small(3, rows=70)
    model = build(study, name, **({"options": {"pruned": 0.0}} if name == "freedom" else {}))
    ((targets, items, _),) = batches(study, [2, 5, 9])
    in_training = model.training_state(targets)
    found = model.score(in_training, model.encode(in_training, targets), targets, items)
    torch.testing.assert_close(found, model.eval()(targets, items, targets.click), rtol=0, atol=1e-12)
    assert not torch.equal(found, model(targets, items))


@pytest.mark.parametrize("name", MODELS)
def test_a_hidden_click_does_not_show_within_a_round(name: str) -> None:
    """Some steps into a round, when parameters have moved on."""
    study = small(5, users=5, items=12, rows=25)
    scores = []
    for world, hidden in ((study, [4]), (study.without([4]), [])):
        model = build(world, name, **({"options": {"pruned": 0.0}} if name == "freedom" else {}))
        model.begin_round(torch.tensor(hidden, dtype=torch.int64), steps=2)
        with torch.no_grad():
            model.user.mul_(1.7)  # type: ignore[operator, union-attr]
        user, _, slot, timestamp = study.clicks[4]
        targets = Targets(*torch.tensor([[user], [slot], [timestamp], [4 if hidden else -1]]))
        state = model.training_state(targets)
        scores.append(model.score(state, model.encode(state, targets), targets, torch.arange(12)[None]))
    assert torch.equal(*scores) and scores[0].std() > 1e-3
