"""DCNv2: cross layers against their formula, the model against its parts, and ahead where products of fields decide."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

from hyperctr.baselines import common
from hyperctr.baselines.dcnv2.network import CrossLayer, DCNv2
from hyperctr.config import Config
from hyperctr.data.dataset import Dataset
from hyperctr.data.features import FeatureTable
from hyperctr.data.interactions import Interactions
from hyperctr.model.context import Context
from hyperctr.model.history import Targets, Window
from tests.baselines.signals import SETTINGS, PlainMLP, auc
from tests.small import Small, small, targets_of, visible, with_drawn_weights

pytestmark = pytest.mark.filterwarnings("ignore::hyperctr.errors.DataWarning")
SIZES: dict[str, Any] = {"embedding_size": 4, "hidden": (6, 5), "history_length": 7}


def build(study: Small, **changes: Any) -> DCNv2:
    config = Config.for_model("dcnv2", **{**SIZES, **changes})
    return with_drawn_weights(DCNv2(Context.build(study, None, config), config))


@pytest.mark.parametrize("rank", [0, 2])
def test_a_cross_layer_is_its_formula(rank: int) -> None:
    torch.manual_seed(0)
    layer = CrossLayer(5, rank).double()
    start, x = torch.randn(2, 3, 4, 5, dtype=torch.float64)
    matrix = layer.weight.weight if layer.narrow is None else layer.weight.weight @ layer.narrow.weight
    assert torch.linalg.matrix_rank(matrix) == (rank or 5) and matrix.shape == (5, 5)
    expected = start * (torch.einsum("ij,...j->...i", matrix, x) + layer.weight.bias) + x
    torch.testing.assert_close(layer(start, x), expected, rtol=0, atol=1e-12)


def test_layers_reach_one_degree_more_each() -> None:
    """Along a line through the origin, L layers are a polynomial of degree L + 1 and of no higher one."""
    torch.manual_seed(0)
    layers = [CrossLayer(3).double() for _ in range(3)]
    way = torch.randn(3, dtype=torch.float64)
    for depth in range(1, 4):
        steps = torch.arange(depth + 3, dtype=torch.float64)
        start = x = steps[:, None] * way
        for layer in layers[:depth]:
            x = layer(start, x)
        differences = x.detach().numpy()
        top = np.diff(differences, n=depth + 1, axis=0)
        np.testing.assert_allclose(np.diff(top, axis=0), 0, atol=1e-9)  # a difference per degree, then nothing
        assert (np.abs(top) > 1e-6).any()


@pytest.mark.parametrize(
    "options",
    [{}, {"rank": 2, "cross_layers": 2}, {"structure": "stacked", "cross_layers": 1}, {"cross_layers": 0}],
    ids=str,
)
@pytest.mark.parametrize("protocol", ["as-published", "causal"])
def test_scores_equal_the_parts_put_together(
    protocol: str, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    study = small(0)
    model, (rows, targets) = build(study, protocol=protocol, options=options), targets_of(study)
    candidates, lengths = torch.arange(6).expand(len(rows), -1), set()
    assert len(model.cross) == options.get("cross_layers", 3)

    def network(x: Tensor) -> Tensor:
        first, _, _, second, _, _, last = model.deep.layers
        return last(torch.relu(second(torch.relu(first(x)))))[0]

    with torch.no_grad():
        fields = model.items().flatten(1)
        found = model(targets, candidates)
        for b, (user, slot, timestamp, hidden) in enumerate(rows):
            past = [item for _, _, item, _ in visible(study, protocol, user, slot, timestamp, hidden, most=7)]
            lengths.add(len(past))
            mean = fields[past].mean(0) if past else torch.zeros_like(fields[0])
            for i in range(6):
                start = x = torch.cat([model.user[user], fields[i], mean])
                for layer in model.cross:
                    inner = x if layer.narrow is None else layer.narrow.weight @ x
                    x = start * (layer.weight.weight @ inner + layer.weight.bias) + x
                if not model.cross:
                    expected = network(start)
                elif options.get("structure") == "stacked":
                    expected = network(x)
                else:
                    assert model.last is not None
                    expected = network(start) + model.last.weight[0] @ x
                torch.testing.assert_close(found[b, i], expected, rtol=1e-10, atol=1e-9)
        pieces = lambda score, items, numbers: common.in_pieces(score, items, numbers, most=1)  # noqa: E731
        monkeypatch.setattr("hyperctr.baselines.dcnv2.network.in_pieces", pieces)
        torch.testing.assert_close(model(targets, candidates), found, rtol=1e-10, atol=1e-9)
    assert {0, 7} <= lengths


def test_padding_is_never_read() -> None:
    study = small(2)
    model, (_, targets) = build(study), targets_of(study)
    state, window = model.refresh(), model.context.history.window
    before = model.encode(state, targets)

    def dirty(targets: Targets, length: int) -> Window:
        seen = window(targets, length)
        return Window(torch.where(seen.valid, seen.items, 5), *list(vars(seen).values())[1:])

    model.context.history.window = dirty  # type: ignore[method-assign]
    assert all(map(torch.equal, model.encode(state, targets), before))
    assert not window(targets, 7).valid.all()


@pytest.mark.parametrize("structure", ["parallel", "stacked"])
def test_every_parameter_learns(structure: str) -> None:
    study = small(2)
    model = build(study, dropout=0.0, options={"rank": 2, "structure": structure}).train()
    targets = targets_of(study)[1]
    items = torch.arange(6).expand(len(targets), -1)
    model.training_loss("train", targets, items, torch.ones(len(targets), 6)).backward()
    for name, p in model.named_parameters():
        assert p.grad is not None and p.grad.isfinite().all()
        assert p.grad.any() or name.startswith("items.absent")  # every item may have the modality


def products(seed: int = 0, users: int = 200, clicks: int = 30, items: int = 300, size: int = 8) -> Dataset:
    """A click's log odds are the products of the user's tastes and the item's traits, added up; traits are seen."""
    draw = np.random.default_rng(seed)
    taste, trait = draw.standard_normal((users, size)), draw.standard_normal((items, size))
    odds = np.exp(1.5 * taste @ trait.T)
    chosen = np.stack([draw.choice(items, clicks, p=row / row.sum()) for row in odds])
    frame = pd.DataFrame(
        {
            "user_id": np.tile(np.arange(users), clicks),
            "item_id": chosen.T.ravel(),
            "timestamp": np.arange(users * clicks),
            "clicked": True,
        }
    )
    log = Interactions(frame, clock="ordinal")
    return Dataset("signal", log, [FeatureTable("visual", trait)], items=np.arange(items))


def test_products_of_fields_decide_and_only_cross_layers_make_them() -> None:
    """Switched off it is level with the plain network: the cross layers are what is measured."""
    data = products()
    config = Config.for_model("dcnv2", **{**SETTINGS, "learning_rate": 3e-3, "epochs": 6, "hidden": (64, 32)})
    on, off = (auc(data, config.replace(**{"options.cross_layers": value})) for value in (1, 0))
    plain = auc(data, config, PlainMLP)
    assert on > plain + 0.01, (on, plain)
    assert off < plain + 0.005, (off, plain)
