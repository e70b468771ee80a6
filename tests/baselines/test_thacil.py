"""THACIL: against attention written out click by click, blind to later blocks, ahead where the newest one counts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from hyperctr.baselines import common
from hyperctr.baselines.thacil.network import ForwardAttention, Thacil
from hyperctr.config import Config
from hyperctr.data.dataset import Dataset
from hyperctr.errors import ConfigError
from hyperctr.model.context import Context
from hyperctr.model.history import Targets, Window
from tests.baselines.signals import SETTINGS, Events, PlainMLP, auc
from tests.small import Small, small, targets_of, visible, with_drawn_weights

pytestmark = pytest.mark.filterwarnings("ignore::hyperctr.errors.DataWarning")
SIZES: dict[str, Any] = {
    "embedding_size": 4,
    "hidden": (6,),
    "history_length": 8,
    "options": {"block_size": 3, "heads": 2},
}


def build(study: Small, **changes: Any) -> Thacil:
    config = Config.for_model("thacil", **{**SIZES, **changes})
    return with_drawn_weights(Thacil(Context.build(study, None, config), config))


def attend(layer: common.VectorAttention, x: Tensor, query: Tensor) -> Tensor:
    """Rows of x by a softmax per feature."""
    inner = torch.relu(x @ layer.of_x.weight.T + layer.of_x.bias + query @ layer.of_query.weight.T)
    return ((inner @ layer.last.weight.T + layer.last.bias).softmax(0) * x).sum(0)


def heard(layer: ForwardAttention, blocks: list[Tensor], i: int) -> Tensor:
    """What block i hears: g_i, head by head, from the formula."""
    parts = []
    for rows in torch.arange(len(blocks[i])).split(len(blocks[i]) // layer.heads):
        query = layer.query.weight[rows] @ blocks[i]
        scores = []
        for block in blocks[:i]:
            inner = 5 * torch.tanh((query + layer.key.weight[rows] @ block + layer.bias) / 5)
            scores.append(layer.last.weight @ inner)
        values = torch.stack([layer.value.weight[rows] @ block for block in blocks[:i]])
        parts.append((torch.stack(scores).softmax(0) * values).sum(0))
    return torch.cat(parts)


@pytest.mark.parametrize("protocol", ["as-published", "causal"])
def test_scores_equal_attention_written_out(protocol: str, monkeypatch: pytest.MonkeyPatch) -> None:
    study = small(0)
    model, (rows, targets) = build(study, protocol=protocol), targets_of(study)
    assert model.forwards is not None
    counts = set()
    candidates = torch.arange(6).expand(len(rows), -1)
    with torch.no_grad():
        fields = model.items()
        category = fields[:, 1]
        item = model.item(fields[:, [0, 2, 3]].flatten(1))
        found = model(targets, candidates)
        for b, (user, slot, timestamp, hidden) in enumerate(rows):
            past = [item for _, _, item, _ in visible(study, protocol, user, slot, timestamp, hidden, most=8)]
            cut = [past[k : k + 3] for k in range(0, len(past), 3)][::-1]  # the newest block is full, and last
            counts.add(len(cut))
            level = [
                torch.cat(
                    [
                        attend(model.weigh_items, item[part], category[part]),
                        attend(model.weigh_categories, category[part], item[part]),
                    ]
                )
                for part in cut
            ]
            interests = [
                model.norm(block + heard(model.forwards, level, i) if i else block) for i, block in enumerate(level)
            ]
            for i in range(6):
                q = torch.cat([item[i], category[i]])
                pooled = attend(model.weigh_blocks, torch.stack(interests), q) if cut else torch.zeros_like(q)
                assert found[b, i] == pytest.approx(float(model.head(torch.cat([pooled, q]))), abs=1e-9)
        monkeypatch.setattr(common, "IN_CACHE", 1)
        torch.testing.assert_close(model(targets, candidates), found, rtol=0, atol=1e-12)
    assert {0, 3} <= counts


def test_a_block_hears_of_filled_earlier_blocks_only() -> None:
    torch.manual_seed(0)
    layer, blocks = ForwardAttention(6, 3).double(), torch.randn(2, 5, 6, dtype=torch.float64)
    valid = torch.tensor([[True] * 5, [False, False, True, False, True]])
    before = layer(blocks, valid)
    for j in range(5):
        other = blocks.clone()
        other[:, j] += 1
        moved = (layer(other, valid) != before).any(2)
        assert not moved[0, :j].any() and moved[0, j + 1 :].all()
        assert moved[1].tolist() == [j == 2 and i > 2 for i in range(5)]
    assert not before[:, 0].any() and not before[1, :3].any() and before[1, 3:].any(1).all()
    torch.testing.assert_close(before[1, 4], layer.value(blocks[1, 2]), rtol=0, atol=1e-12)  # one to hear: weight 1
    single = torch.tensor([[False] * 4 + [True]] * 2)
    assert not layer(blocks, single)[:, 4].any()


def test_a_user_of_one_block_hears_nothing_and_blocks_count_back_from_the_newest_click() -> None:
    study = small(1, rows=80)
    model, (_, targets) = build(study, protocol="causal"), targets_of(study)
    alone = build(study, protocol="causal", options={**SIZES["options"], "forward": False})
    for name, value in alone.state_dict().items():
        value.copy_(model.state_dict()[name])
    window = model.context.history.window(targets, 8)
    found, filled = model.encode(model.refresh(), targets)
    same = (found == alone.encode(alone.refresh(), targets)[0]).all(2)
    first = filled & (filled.cumsum(1) == 1)
    assert torch.equal(same[filled], first[filled]) and (filled.sum(1) == 1).any() and (filled.sum(1) == 3).any()
    items, valid = model.blocks(window.items, window.valid)
    assert items.shape[1:] == (3, 3)
    for b, count in enumerate(window.lengths.tolist()):
        for position in range(8):
            block, place = 2 - position // 3, position % 3
            assert valid[b, block, place] == (position < count)
            assert not valid[b, block, place] or items[b, block, place] == window.items[b, position]
    assert not valid[:, 0, 2].any()


def test_padding_is_never_read() -> None:
    study = small(2)
    model, (_, targets) = build(study, protocol="causal"), targets_of(study)
    state, window = model.refresh(), model.context.history.window
    before, filled = model.encode(state, targets)

    def dirty(targets: Targets, length: int) -> Window:
        seen = window(targets, length)
        return Window(torch.where(seen.valid, seen.items, 5), *list(vars(seen).values())[1:])

    model.context.history.window = dirty  # type: ignore[method-assign]
    after, _ = model.encode(state, targets)
    assert torch.equal(after[filled], before[filled]) and (~filled).any()


def test_every_parameter_learns_and_the_penalty_leaves_ids_out() -> None:
    study = small(2)
    model, (_, targets) = build(study, dropout=0.0).train(), targets_of(study)
    items = torch.arange(6).expand(len(targets), -1)
    model.training_loss("train", targets, items, torch.ones(len(targets), 6)).backward()
    for name, p in model.named_parameters():
        assert p.grad is not None and p.grad.isfinite().all()
        # A softmax does not feel what a bias adds to all scores, and every item may have the modality.
        assert p.grad.any() or name.endswith(".last.bias") or name.startswith("items.absent")
    heavy = build(study, options={**SIZES["options"], "l2": 2.0})
    expected = sum(
        float(p.detach().square().sum()) for n, p in heavy.named_parameters() if n.endswith("weight") and p.dim() == 2
    )
    expected += float(heavy.items.category_embedding.detach().square().sum())
    penalty = heavy.auxiliary_loss(None, None, targets, items)
    assert penalty is not None and penalty.item() == pytest.approx(expected)
    assert build(study, options={**SIZES["options"], "l2": 0}).auxiliary_loss(None, None, targets, items) is None
    with pytest.raises(ConfigError, match="option heads = 3 must divide 2 \\* embedding_size = 8"):
        build(study, options={"heads": 3})


def sessions(seed: int = 0, users: int = 150, count: int = 8, length: int = 8, groups: int = 8) -> Dataset:
    """Users click through sessions of equal length, each of one group, drawn anew: only the newest session counts."""
    draw = np.random.default_rng(seed)
    group, events = np.arange(groups * 30) % groups, Events([], [], [])
    for step in range(count * length):
        if step % length == 0:
            now = draw.integers(groups, size=users)
        events.user.extend(range(users))
        events.item.extend((draw.integers(30, size=users) * groups + now).tolist())
        events.clicked.extend([True] * users)
    return events.dataset(group)


def test_the_newest_block_counts_and_only_attention_over_blocks_tells_which_it_is() -> None:
    """Switched off, as one block or as blocks that hear nothing, it is level with the plain network."""
    data = sessions()
    config = Config.for_model(
        "thacil",
        **{
            **SETTINGS,
            "history_length": 16,
            "embedding_size": 16,
            "hidden": (32,),
            "learning_rate": 5e-3,
            "epochs": 12,
            "options": {"block_size": 8},
        },
    )
    on, deaf, one = (
        auc(data, config.replace(**{f"options.{name}": value}))
        for name, value in (("forward", True), ("forward", False), ("block_size", 16))
    )
    plain = auc(data, config, PlainMLP)
    assert on > max(deaf, one, plain) + 0.02, (on, deaf, one, plain)
    assert max(deaf, one) < plain + 0.02, (deaf, one, plain)
