"""UBR4CTR: against search and attention written out, an exact policy gradient, and ahead where old clicks decide."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from hyperctr.baselines.ubr4ctr.network import UBR4CTR
from hyperctr.baselines.ubr4ctr.retrieval import item_codes
from hyperctr.config import Config
from hyperctr.data.dataset import Dataset
from hyperctr.model.context import Context
from hyperctr.model.history import Targets
from hyperctr.training.loop import Trainer
from tests.baselines.signals import CPU, SETTINGS, Events, PlainMLP, auc
from tests.small import Small, small, targets_of, visible, with_drawn_weights

pytestmark = pytest.mark.filterwarnings("ignore::hyperctr.errors.DataWarning")
SIZES: dict[str, Any] = {"embedding_size": 4, "hidden": (6, 5), "history_length": 9, "dropout": 0.0}


def build(study: Small, records: int = 2, **changes: Any) -> UBR4CTR:
    options = {"records": records, **changes.pop("options", {})}
    config = Config.for_model("ubr4ctr", **{**SIZES, **changes, "options": options})
    model = with_drawn_weights(UBR4CTR(Context.build(study, None, config), config))
    nn.init.constant_(model.selector.network.layers[-1].bias, 1.8)  # type: ignore[arg-type]  # some are chosen, some not
    return model


def chosen_by_hand(model: UBR4CTR, x: Tensor) -> Tensor:
    """Features [F] to search by, from x [F, k] and the formulas."""
    s = model.selector
    x = x + s.feature
    query = (x - x.mean(1, keepdim=True)) / (x.var(1, unbiased=False, keepdim=True) + 1e-5).sqrt()
    query = query * s.norm.weight + s.norm.bias
    half = x.shape[1] // 2
    heard = []
    for h in (slice(0, half), slice(half, None)):
        q, k, v = ((y @ part.weight.T)[:, h] for y, part in ((query, s.of_query), (x, s.of_key), (x, s.of_value)))
        heard.append((q @ k.T / half**0.5).softmax(1) @ v)
    one, _, _, two, _, _, last = s.network.layers
    p = torch.sigmoid(last(torch.relu(two(torch.relu(one(torch.cat(heard, 1) + query))))))[:, 0]
    return p >= 0.5 if (p >= 0.5).any() else p == p.max()


@pytest.mark.parametrize("retrieve", ["relevant", "recent"])
@pytest.mark.parametrize("protocol", ["as-published", "causal"])
def test_scores_equal_search_and_attention_written_out(protocol: str, retrieve: str) -> None:
    study = small(0, items=8)
    model, (rows, targets) = build(study, protocol=protocol, options={"retrieve": retrieve}), targets_of(study)
    codes, idf, kinds = item_codes(study.data), model.index.idf, set()
    with torch.no_grad():
        fields = model.items()
        found = model(targets, torch.arange(8).expand(len(rows), -1))
        for b, (user, slot, timestamp, hidden) in enumerate(rows):
            past = visible(study, protocol, user, slot, timestamp, hidden, most=9)
            for item in range(8):
                chosen = chosen_by_hand(model, torch.cat([fields[item], model.slot[slot][None]]))
                scores = []
                for _, _, other, other_slot in past:
                    same = [bool(own == its) and own >= 0 for own, its in codes[:, [item, other]]]
                    match = torch.tensor([*same, other_slot == slot])
                    scores.append(float((match * chosen * idf[item]).sum()))
                best = sorted((t for t in range(len(past)) if scores[t] > 0), key=lambda t: (-round(scores[t], 9), t))
                best = best[:2] if retrieve == "relevant" else list(range(min(2, len(past))))
                kinds.add((len(best), int(chosen.sum()) > 1))
                q = torch.cat([model.user[user], model.slot[slot], fields[item].flatten()])
                layers = [
                    torch.cat([a.weight, c.weight], 1) @ q + a.bias
                    for a, c in ((model.query_known, model.query_item), (model.from_known, model.from_item))
                ]
                first = layers[1]
                if best:
                    keys = torch.stack(
                        [torch.cat([fields[past[t][2]].flatten(), model.slot[past[t][3]]]) for t in best]
                    )
                    first = first + model.from_records.weight @ ((keys @ layers[0]).softmax(0) @ keys)
                one, _, _, last = model.head[2].layers  # type: ignore[misc]
                expected = last(torch.relu(one(torch.relu(first))))[0]
                assert found[b, item] == pytest.approx(float(expected), abs=1e-9)
    assert {length for length, _ in kinds} == {0, 1, 2} and len({many for _, many in kinds}) == 2


def test_padding_and_clicks_not_found_are_never_read() -> None:
    study = small(1, rows=80)
    model, (_, targets) = build(study), targets_of(study)
    state = model.refresh()
    encoded, items = model.encode(state, targets), torch.arange(6).expand(len(targets), -1)
    assert state.weights is not None
    weight = state.weights[targets.slot[:, None] * 6 + items]
    before = model.score(state, encoded, targets, items)
    found = model.retrieve(encoded, items, weight)
    unread = ~found.any(1)
    assert (~encoded.valid).any() and (unread & encoded.valid).any() and not (found & ~encoded.valid[:, None]).any()
    dirty = encoded._replace(keys=torch.where(unread[..., None], 1e3, encoded.keys))
    assert torch.equal(model.score(state, dirty, targets, items), before)
    alone = targets[slice(0, 1)]  # a shorter archive beside it, and so a shorter tensor
    torch.testing.assert_close(model(alone, items[:1]), before[:1], rtol=0, atol=1e-12)


def drawing(monkeypatch: pytest.MonkeyPatch, action: Tensor) -> list[Tensor]:
    """Let the next draws be ``action``; return the probabilities they were asked for."""
    asked: list[Tensor] = []

    def draw(p: Tensor) -> Tensor:
        asked.append(p.detach().clone())
        return action.to(p.dtype).expand_as(p)

    monkeypatch.setattr(torch, "bernoulli", draw)
    return asked


def test_the_selectors_gradient_is_that_of_the_expected_reward(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over all 32 actions, each as likely as it is: the mean of the estimates against the exact gradient."""
    study = small(3, rows=80)
    model, (_, targets) = build(study), targets_of(study)
    with torch.no_grad():
        model.head[2].layers[-1].weight.mul_(4)  # type: ignore[index, union-attr]  # some predictions are far off
    names, parameters = zip(*model.selector.named_parameters(), strict=True)
    largest, rewards = 0.0, []
    for b, label in ((4, 0.0), (4, 1.0), (20, 0.0), (60, 1.0)):
        one, item, labels = targets[slice(b, b + 1)], torch.tensor([[5]]), torch.tensor([[label]])
        state = model.refresh()
        encoded = model.encode(state, one)
        p = model.wishes(state.fields[item], one.slot[:, None]).sigmoid()
        expected, mean = torch.zeros((), dtype=torch.float64), [torch.zeros_like(p) for p in parameters]
        for action in torch.tensor(list(product((0.0, 1.0), repeat=5))):
            likely = (action * p + (1 - action) * (1 - p)).prod()
            with torch.no_grad():
                click = float(model.predict(state, encoded, item, action * model.index.idf[item]).sigmoid())
            rewards.append(max(-1.0, 1 + math.log(click if label else 1 - click) / math.log(2)))
            expected = expected + likely * rewards[-1]
            asked = drawing(monkeypatch, action)
            estimates = torch.autograd.grad(model.training_loss("select", one, item, labels), parameters)
            torch.testing.assert_close(asked, [p.detach()], rtol=0, atol=1e-12)
            for total, estimate in zip(mean, estimates, strict=True):
                total -= likely.detach() * estimate
        for name, total, gradient in zip(names, mean, torch.autograd.grad(expected, parameters), strict=True):
            torch.testing.assert_close(total, gradient, rtol=1e-4, atol=1e-6, msg=name)
            largest = max(largest, float(gradient.abs().max()))
    assert largest > 1e-2 and min(rewards) == -1 < max(rewards)


@pytest.mark.parametrize("protocol", ["as-published", "causal"])
def test_the_selector_never_hears_of_the_click_it_learns_from(protocol: str) -> None:
    """To the bit: the loss where the click is hidden is the loss where it was never there; seen, it is another."""
    study, seen = small(0), 0
    model, items = build(study, protocol=protocol).train(), torch.arange(6)[None]
    for c, (user, _, slot, timestamp) in enumerate(study.clicks):
        losses = []
        for one, click in ((model, c), (build(study.without([c]), protocol=protocol).train(), -1), (model, -1)):
            torch.manual_seed(c)
            target = Targets(*torch.tensor([[user], [slot], [timestamp], [click]]))
            losses.append(one.training_loss("select", target, items, torch.eye(6)[:1]))
        assert torch.equal(losses[0], losses[1])
        seen += not torch.equal(losses[0], losses[2])
    assert protocol == "causal" or seen > 5  # a click is never before itself


def test_each_stage_teaches_its_part_and_searching_by_nothing_is_safe(monkeypatch: pytest.MonkeyPatch) -> None:
    study = small(2, rows=80)
    model, (_, targets) = build(study, dropout=0.3, options={"l2": 0.0}).train(), targets_of(study)
    items = torch.arange(6).expand(len(targets), -1)
    labels = (items == 0).double()
    absent = {f"items.absent.{name}" for name, table in study.data.features.items() if table.present.all()}
    selector = {name for name, _ in model.named_parameters() if name.startswith("selector")}
    network = {name for name, _ in model.named_parameters()} - selector - absent
    for stage, learns in (("predict", network), ("select", selector)):
        model.zero_grad()
        torch.manual_seed(0)
        model.training_loss(stage, targets, items, labels).backward()
        assert {name for name, p in model.named_parameters() if p.grad is not None and p.grad.any()} == learns
        assert all(part.training for part in model.modules())
        drawing(monkeypatch, torch.zeros(()))
        model.zero_grad()
        loss = model.training_loss(stage, targets, items, labels)
        loss.backward()
        assert loss.isfinite() and all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())
        monkeypatch.undo()
    # Nothing found: no record has a share.
    model.eval()
    state = model.refresh()
    encoded = model.encode(state, targets)
    nothing = model.predict(state, encoded, items, torch.zeros(*items.shape, 5, dtype=torch.float64))
    first = model.from_known(encoded.known)[:, None] + model.from_item(state.fields.flatten(1))[items]
    torch.testing.assert_close(nothing, model.head(first), rtol=0, atol=1e-12)
    weights = (model.query_known, model.query_item, model.from_known, model.from_item, model.from_records)
    matrices = [*(layer.weight for layer in weights), *(p for p in model.head.parameters() if p.dim() == 2)]
    model.options = build(study, options={"l2": 0.1}).options
    penalised = model.auxiliary_loss(state, encoded, targets, items)
    assert penalised is not None
    expected = 0.05 * sum(float(weight.detach().square().sum()) for weight in matrices)
    assert float(penalised.detach()) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("epochs", "rounds", "stages"),
    [(1, 10, [1]), (2, 10, [2]), (12, 10, [2] + 10 * [1]), (12, 1, [10, 1, 1]), (40, 10, [20] + 20 * [1])],
)
def test_the_plan_spends_all_epochs_and_ends_with_the_network(epochs: int, rounds: int, stages: list[int]) -> None:
    study = small(0, items=30, rows=80)
    model = build(study, epochs=epochs, options={"rounds": rounds}).float()
    made = Trainer(model, study, model.config, CPU).stages
    assert [stage.epochs for stage in made] == stages and sum(stages) == epochs
    names = [stage.name for stage in made]
    assert names[::2] == ["predict"] * len(names[::2]) and names[1::2] == ["select"] * len(names[1::2])
    assert all(stage.judged == (stage.name == "predict") for stage in made)
    told = model.diagnostics()["searched_by"]
    assert list(told) == ["id", "category", "visual", "textual", "time slot"] and all(0 < p < 1 for p in told.values())


def far_back(seed: int = 0, users: int = 100, clicks: int = 75, back: int = 30, groups: int = 80) -> Dataset:
    """A click is of the group clicked ``back`` clicks ago, 9 times in 10; the first ones are of any group."""
    draw = np.random.default_rng(seed)
    group, events = np.arange(groups * 16) % groups, Events([], [], [])
    past = [draw.integers(groups, size=users) for _ in range(back)]
    for _ in range(clicks - back):
        past.append(np.where(draw.random(users) < 0.9, past[-back], draw.integers(groups, size=users)))
    for now in past:
        events.user.extend(range(users))
        events.item.extend((draw.integers(16, size=users) * groups + now).tolist())
        events.clicked.extend([True] * users)
    return events.dataset(group)


def test_old_clicks_decide_and_without_a_search_the_system_is_the_plain_network() -> None:
    """Switched off, it attends to as many clicks, the latest: the signal is what is measured."""
    data = far_back()
    config = Config.for_model(
        "ubr4ctr",
        **{
            **SETTINGS,
            "history_length": 80,
            "embedding_size": 8,
            "hidden": (64, 32),
            "dropout": 0.2,
            "epochs": 8,
            "learning_rate": 5e-3,
            "batch_size": 200,
            "options": {"rounds": 2},
        },
    )
    on, off = (auc(data, config.replace(**{"options.retrieve": way})) for way in ("relevant", "recent"))
    plain = auc(data, config, PlainMLP)
    assert on > off + 0.08, (on, off)
    assert off - 0.03 < plain < on - 0.06, (on, off, plain)
