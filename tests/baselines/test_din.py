"""DIN: against its attention written out, blind to order and padding, and ahead where few of many clicks matter."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from hyperctr.baselines import common
from hyperctr.baselines.din.network import DIN
from hyperctr.config import Config
from hyperctr.data.dataset import Dataset
from hyperctr.errors import ConfigError
from hyperctr.model.context import Context
from hyperctr.model.history import Targets, Window
from tests.baselines.signals import SETTINGS, Events, PlainMLP, auc
from tests.small import Small, small, targets_of, visible, with_drawn_weights

pytestmark = pytest.mark.filterwarnings("ignore::hyperctr.errors.DataWarning")
SIZES: dict[str, Any] = {"embedding_size": 4, "hidden": (6, 5), "history_length": 7}
UNITS = (5, 3)


def build(study: Small, *, options: dict[str, Any] | None = None, **changes: Any) -> DIN:
    config = Config.for_model("din", **{**SIZES, **changes, "options": {"units": list(UNITS), **(options or {})}})
    return with_drawn_weights(DIN(Context.build(study, None, config), config))


@pytest.mark.parametrize("protocol", ["as-published", "causal"])
@pytest.mark.parametrize("softmax", [True, False])
def test_scores_equal_attention_written_out(protocol: str, softmax: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    study = small(0)
    model, (rows, targets) = build(study, protocol=protocol, options={"softmax": softmax}), targets_of(study)
    attention, candidates, lengths = model.attention, torch.arange(6).expand(len(rows), -1), set()
    assert attention is not None
    second = attention.rest.layers
    with torch.no_grad():
        fields = model.items().flatten(1)
        found = model(targets, candidates)
        for b, (user, slot, timestamp, hidden) in enumerate(rows):
            past = [item for _, _, item, _ in visible(study, protocol, user, slot, timestamp, hidden, most=7)]
            lengths.add(len(past))
            for i in range(6):
                q, scores = fields[i], []
                for k in fields[past]:
                    inner = torch.sigmoid(attention.first(torch.cat([q, k, q - k, q * k])))
                    scores.append(second[3](torch.sigmoid(second[0](inner)))[0])
                pooled = torch.zeros_like(q)
                if past:
                    weights = torch.stack(scores).softmax(0) if softmax else torch.stack(scores)
                    pooled = weights @ fields[past]
                expected = model.head(torch.cat([model.user[user], pooled, q]))
                assert found[b, i] == pytest.approx(float(expected), abs=1e-9)
        monkeypatch.setattr(common, "IN_CACHE", 1)
        torch.testing.assert_close(model(targets, candidates), found, rtol=0, atol=1e-12)
    assert {0, 7} <= lengths


def test_neither_order_nor_padding_is_read_but_each_click_is() -> None:
    study = small(1, rows=80)
    candidates = torch.arange(6)
    for options in ({}, {"softmax": False}, {"attention": False}):
        model, (_, targets) = build(study, protocol="causal", options=options), targets_of(study)
        state, window = model.refresh(), model.context.history.window
        before = model(targets, candidates.expand(len(targets), -1))

        def shuffled(targets: Targets, length: int, window: Any = window) -> Window:
            seen = window(targets, length)
            order = torch.rand(seen.items.shape, generator=torch.Generator().manual_seed(0)).argsort(1)
            items = torch.where(seen.valid, seen.items, 5)
            return Window(*(part.gather(1, order) for part in (items, *list(vars(seen).values())[1:])))

        model.context.history.window = shuffled  # type: ignore[method-assign]
        after = model(targets, candidates.expand(len(targets), -1))
        torch.testing.assert_close(after, before, rtol=0, atol=1e-12)
        user, clicks, valid = model.encode(state, targets)
        seen = valid.any(1)
        other = clicks.clone()
        other[torch.arange(len(other)), valid.long().argmax(1)] += 1.0
        moved = model.score(state, (user, other, valid), targets, candidates.expand(len(targets), -1)) != after
        assert torch.equal(moved.any(1), seen) and not seen.all()


def test_every_parameter_learns() -> None:
    study = small(2)
    # Unnormalised: a softmax does not feel the last bias, which adds the same to all scores.
    model, (_, targets) = build(study, dropout=0.0, options={"softmax": False}).train(), targets_of(study)
    items = torch.arange(6).expand(len(targets), -1)
    model.training_loss("train", targets, items, torch.ones(len(targets), 6)).backward()
    for name, p in model.named_parameters():
        assert p.grad is not None and p.grad.isfinite().all()
        assert p.grad.any() or name.startswith("items.absent")  # every item may have the modality
    with pytest.raises(ConfigError, match="option units = \\(\\) must name at least one width"):
        build(study, options={"units": []})


def favourites(seed: int = 0, users: int = 150, clicks: int = 40, kinds: int = 60, liked: int = 8) -> Dataset:
    """Every user clicks on a few kinds of items, all alike: a kind is clicked again or never, among many others."""
    draw = np.random.default_rng(seed)
    kind, events = np.arange(kinds * 6) % kinds, Events([], [], [])
    mine = draw.random((users, kinds)).argsort(1)[:, :liked]
    for _ in range(clicks):
        now = mine[np.arange(users), draw.integers(liked, size=users)]
        events.user.extend(range(users))
        events.item.extend((draw.integers(6, size=users) * kinds + now).tolist())
        events.clicked.extend([True] * users)
    return events.dataset(kind)


def test_few_clicks_resemble_the_candidate_and_only_attention_finds_them() -> None:
    """Switched off it is a wider plain network, well short of the margin: attention is what is measured."""
    data = favourites()
    config = Config.for_model(
        "din", **{**SETTINGS, "history_length": 30, "learning_rate": 5e-3, "epochs": 8, "options": {"units": [32]}}
    )
    on, off = (auc(data, config.replace(**{"options.attention": value})) for value in (True, False))
    plain = auc(data, config, PlainMLP)
    assert on > plain + 0.15, (on, plain)
    assert off < plain + 0.12 and on > off + 0.05, (on, off, plain)
