"""DSTN: against its three poolings written out item by item, and ahead where what was refused decides."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from hyperctr.baselines.dstn.network import DSTN, Auxiliary
from hyperctr.config import Config
from hyperctr.model.context import Context
from hyperctr.model.history import Window
from tests.baselines.refusals import refusals
from tests.baselines.signals import SETTINGS, PlainMLP, auc
from tests.small import Small, small, targets_of

pytestmark = pytest.mark.filterwarnings("ignore::hyperctr.errors.DataWarning")
SIZES: dict[str, Any] = {"embedding_size": 4, "hidden": (6, 5), "history_length": 4}


def build(study: Small, variant: str = "I", non_clicks: int = 3, **changes: Any) -> DSTN:
    options = {"variant": variant, "attention": 5, "non_clicks": non_clicks}
    config = Config.for_model("dstn", **{**SIZES, **changes, "options": options})
    model = DSTN(Context.build(study, None, config), config)
    for k, (name, parameter) in enumerate(model.named_parameters()):
        spread = 0.1 if name.startswith("weigh") else 0.5
        nn.init.normal_(parameter, std=spread, generator=torch.Generator().manual_seed(k))
    return model.double().eval()


def many(seed: int) -> Small:
    """A study with enough refusals in training to tell by."""
    study = small(seed, rows=80)
    assert len(study.split.non_clicks("train")) >= 4
    return study


def weights(layer: Auxiliary, target: Tensor, others: Tensor) -> Tensor:
    """Weights [T] of items [T, F k] for one target, from the formulas."""
    if layer.variant == "P":
        return torch.ones(len(others), dtype=others.dtype)
    if layer.variant == "S":
        return layer.last(torch.relu(layer.of_other(others)))[:, 0].softmax(0)
    joint = torch.cat([layer.of_user.weight, layer.of_candidate.weight, layer.of_other.weight], 1)
    pairs = torch.cat([target.expand(len(others), -1), others], 1)
    return layer.last(torch.relu(pairs @ joint.T + layer.of_other.bias))[:, 0].clamp(max=10).exp()


@pytest.mark.parametrize("variant", ["P", "S", "I"])
@pytest.mark.parametrize("protocol", ["as-published", "causal"])
def test_scores_equal_the_pooling_written_out(variant: str, protocol: str) -> None:
    study = many(0)
    model, targets = build(study, variant, protocol=protocol), targets_of(study)[1]
    data, rows = study.data, study.split.non_clicks("train")
    lengths = set()
    with torch.no_grad():
        fields = model.items().flatten(1)
        found = model(targets, torch.arange(6).expand(len(targets), -1))
        few = model(targets[slice(0, 2)], torch.arange(3).expand(2, -1))  # no more candidates than items
        torch.testing.assert_close(few, found[:2, :3], rtol=0, atol=1e-12)
        clicks = model.context.history.window(targets, 4)
        for b in range(len(targets)):
            user, slot, timestamp = (int(part[b]) for part in (targets.user, targets.slot, targets.timestamp))
            early = study.slots.index[rows] <= slot if protocol == "as-published" else data.timestamp[rows] < timestamp
            seen = rows[early & (data.user_index[rows] == user)]
            seen = sorted(seen, key=lambda row: (data.timestamp[row], row))[-3:]
            lengths.add(len(seen))
            types = [clicks.items[b][clicks.valid[b]], torch.from_numpy(data.item_index[seen])]
            for item in range(6):
                x = torch.cat([model.user[user], fields[item]])
                pooled = [
                    (weights(layer, x, fields[of])[:, None] * fields[of]).sum(0)  # type: ignore[arg-type]
                    for layer, of in zip(model.weigh, types, strict=True)
                ]
                parts = (model.from_user, model.from_candidate, *model.from_others)
                first = torch.cat([part.weight for part in parts], 1) @ torch.cat([x, *pooled])  # type: ignore[arg-type]
                expected = model.rest(torch.relu(first + model.from_user.bias))
                assert found[b, item] == pytest.approx(float(expected), abs=1e-9)
    assert len(lengths) >= 3 and 0 in lengths


def test_without_attention_weights_the_interactive_variant_is_pooling() -> None:
    study = many(1)
    model, pooling, targets = build(study), build(study, "P"), targets_of(study)[1]
    pooling.load_state_dict({name: value for name, value in model.state_dict().items() if not name.startswith("weigh")})
    items = torch.arange(6).expand(len(targets), -1)
    assert not torch.allclose(model(targets, items), pooling(targets, items), atol=1e-3)
    for parameter in model.weigh.parameters():
        nn.init.zeros_(parameter)
    torch.testing.assert_close(model(targets, items), pooling(targets, items), rtol=0, atol=1e-12)


@pytest.mark.parametrize("variant", ["P", "S", "I"])
def test_order_and_padding_do_not_count_and_no_items_leave_a_finite_score(variant: str) -> None:
    study = many(2)
    model, targets = build(study, variant), targets_of(study)[1]
    state = model.refresh()
    items = torch.arange(6).expand(len(targets), -1)

    def scores(change: Any) -> Tensor:
        encoded = model.encode(state, targets)
        others = tuple(change(fields, valid) for fields, valid in encoded.others)
        return model.score(state, encoded._replace(others=others), targets, items)

    before = scores(lambda fields, valid: (fields, valid))
    turned = scores(lambda fields, valid: (fields.flip(1), valid.flip(1)))
    torch.testing.assert_close(turned, before, rtol=0, atol=1e-12)
    dirty = scores(lambda fields, valid: (torch.where(valid[..., None], fields, 1e3), valid))
    assert torch.equal(dirty, before)
    nothing = scores(lambda fields, valid: (fields, torch.zeros_like(valid)))
    user = model.from_user(model.user[targets.user])[:, None]
    expected = model.rest(torch.relu(user + model.from_candidate(state)[items]))
    torch.testing.assert_close(nothing, expected, rtol=0, atol=1e-12)


def test_a_large_exponent_stays_finite_and_every_parameter_learns() -> None:
    study = many(2)
    model, targets = build(study, dropout=0.0).train(), targets_of(study)[1]
    items = torch.arange(6).expand(len(targets), -1)
    model.training_loss("train", targets, items, torch.ones(len(targets), 6)).backward()
    idle = {name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()}
    assert idle == {f"items.absent.{name}" for name, table in study.data.features.items() if table.present.all()}
    with torch.no_grad():
        for layer in model.weigh:
            layer.last.bias.fill_(1e4)
    assert model(targets, items).isfinite().all()
    assert model.diagnostics() == {"auxiliary": ["clicked", "not clicked"]}
    assert build(study, non_clicks=0).diagnostics() == {"auxiliary": ["clicked"]}
    assert isinstance(model.histories[1][0].window(targets, 3), Window)


def test_what_was_refused_decides_and_without_it_the_system_is_the_plain_network() -> None:
    """Switched off, the system is no better than the plain network: the signal is what is measured."""
    data = refusals()
    config = Config.for_model(
        "dstn",
        **{
            **SETTINGS,
            "history_length": 5,
            "embedding_size": 16,
            "hidden": (64, 32),
            "dropout": 0.2,
            "epochs": 12,
            "learning_rate": 5e-3,
            "batch_size": 50,
            "options": {"non_clicks": 3, "attention": 32},
        },
    )
    on, off = (auc(data, config.replace(**{"options.non_clicks": count})) for count in (3, 0))
    plain = auc(data, config, PlainMLP)
    assert on > plain + 0.1, (on, plain)
    assert off < plain + 0.03, (off, plain)
