"""MIMN: against memory and channels stepped by hand, balanced writing, ahead where interests take turns."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity, softplus

from hyperctr.baselines.mimn.network import Memory, Mimn
from hyperctr.config import Config
from hyperctr.data.dataset import Dataset
from hyperctr.model.context import Context
from hyperctr.model.history import Window
from tests.baselines.signals import SETTINGS, Events, PlainMLP, auc
from tests.small import Small, small, targets_of, visible, with_drawn_weights

pytestmark = pytest.mark.filterwarnings("ignore::hyperctr.errors.DataWarning")
SIZES: dict[str, Any] = {"embedding_size": 4, "hidden": (6, 5), "history_length": 7}
D, M, T = 5, 3, 9


def build(study: Small, options: dict[str, Any] | None = None, **changes: Any) -> Mimn:
    config = Config.for_model("mimn", **{**SIZES, **changes, "options": {"units": D, "slots": M, **(options or {})}})
    return with_drawn_weights(Mimn(Context.build(study, None, config), config))


def drawn(rows: int = 4, seed: int = 0, **changes: Any) -> tuple[Memory, Tensor, Tensor]:
    """A memory, inputs and which of them are clicks."""
    draw = torch.Generator().manual_seed(seed)
    x = torch.randn(rows, T, D, generator=draw, dtype=torch.float64)
    lengths = torch.tensor([T, 0, 4, 1] + [T] * (rows - 4))
    return with_drawn_weights(Memory(D, M, **changes)), x, torch.arange(T) < lengths[:, None]


class Steps:
    """One history through the cell, click by click, from the formulas."""

    def __init__(self, memory: Memory) -> None:
        self.memory, self.cell = memory, memory.cell
        self.hidden, self.read = torch.zeros(D, dtype=torch.float64), torch.tanh(memory.start)
        self.slots, self.sums = torch.zeros(2, M, D, dtype=torch.float64)
        self.usage = torch.zeros(M, dtype=torch.float64)

    def control(self, x: Tensor) -> tuple[Tensor, ...]:
        """Move controller and read vector; return read and write weights, what to erase and what to add."""
        before, heads = self.slots, self.memory.heads
        self.hidden = self.cell(torch.cat([x, self.read])[None], self.hidden[None])[0]
        out = heads.weight @ self.hidden + heads.bias
        weights = []
        for key, strength in ((out[:D], out[-2]), (out[D : 2 * D], out[-1])):
            beta, key = 2 * (softplus(strength) + 1), torch.tanh(key).expand(M, D)
            likeness = (cosine_similarity(key, self.memory.keys) + cosine_similarity(key, before)) / 2
            weights.append((beta * likeness).softmax(0))
        reading, writing = weights
        if self.memory.balance is not None:
            writing = writing * (self.memory.balance.weight @ self.usage).softmax(0)
            writing = writing / writing.sum()
        self.read = sum(reading[i] * before[i] for i in range(M))
        return reading, writing, torch.sigmoid(out[3 * D : 4 * D]), torch.tanh(out[2 * D : 3 * D])

    def click(self, x: Tensor) -> tuple[int, Tensor]:
        """Take in a click; return the slot read most and what it then holds."""
        reading, writing, erase, add = self.control(x)
        self.slots = torch.stack([self.slots[i] * (1 - writing[i] * erase) + writing[i] * add for i in range(M)])
        self.sums = self.sums + writing[:, None] * add
        self.usage = self.usage + writing
        chosen = int(reading.argmax())
        return chosen, self.slots[chosen]


def close(found: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("balance", [True, False])
def test_the_memory_equals_steps_written_out_and_weights_add_up_to_one(balance: bool) -> None:
    memory, x, valid = drawn(balance=balance)
    with torch.no_grad():
        trace = memory(memory.gates(x), valid)
        for b in range(len(x)):
            steps = Steps(memory)
            found = [steps.click(one) for one in x[b, valid[b]]]
            for name, expected in (
                ("past", torch.cat([steps.hidden, steps.read])),
                ("slots", steps.slots),
                ("usage", steps.usage),
                ("added", M * steps.sums.mean(0)),
            ):
                close(getattr(trace, name)[b], expected)
            assert trace.channel[b, valid[b]].tolist() == [chosen for chosen, _ in found]
            for t, (_, held) in enumerate(found):
                close(trace.held[b, t], held)
        close(trace.usage.sum(1), valid.sum(1).double())


def test_a_masked_tail_leaves_every_state_unchanged_to_the_bit() -> None:
    memory, x, valid = drawn()
    x[~valid] = 1e3
    gates = memory.gates(x)
    whole = memory(gates, valid)
    for b, length in enumerate(valid.sum(1).clamp(min=1).tolist()):
        short = memory(gates[:, :length], valid[:, :length])
        for name in ("past", "slots", "usage", "added"):
            assert torch.equal(getattr(whole, name)[b], getattr(short, name)[b]), name


def test_without_erasing_and_with_constant_weights_the_memory_is_the_sum_of_what_was_added() -> None:
    memory, x, valid = drawn(balance=False)
    with torch.no_grad():
        memory.heads.weight[D : 2 * D], memory.heads.bias[D : 2 * D] = 0.0, 0.0  # a write key without a direction
        memory.heads.weight[3 * D : 4 * D], memory.heads.bias[3 * D : 4 * D] = 0.0, -1e4
        trace, before = (memory(memory.gates(x[:, :length]), valid[:, :length]) for length in (T, T - 1))
    close(trace.past[0, D:], before.slots[0, 1])  # of equal slots, weights that add up to 1 read what each holds
    close(trace.slots, trace.added[:, None].expand(-1, M, -1) / M)
    close(trace.usage, valid.sum(1, keepdim=True).double().expand(-1, M) / M)
    assert trace.slots[0].abs().max() > 0.1


def test_the_penalty_evens_out_the_use_of_the_slots_on_a_skewed_stream() -> None:
    """Trained to hold on to the last input, with and without it, from one start, where nearly all inputs are alike."""
    draw, spread = torch.Generator().manual_seed(1), []
    x = torch.randn(5, D, generator=draw)[(torch.rand(16, T, generator=draw) ** 4 * 5).long()]
    valid = torch.ones(16, T).bool()
    for weight in (0.0, 1e-1):
        torch.manual_seed(0)
        memory = Memory(D, M)
        optimiser = torch.optim.Adam(memory.parameters(), lr=0.02)
        for _ in range(30):
            trace = memory(memory.gates(x), valid)
            uneven = (trace.usage - T / M).square().sum(1).mean()
            task = (memory.recall(memory.gates(x[:, :1]), trace)[:, 0] - x[:, -1]).square().mean()
            optimiser.zero_grad()
            (task + weight * uneven).backward()
            optimiser.step()
        spread.append(float(uneven.detach()))
    assert spread[1] < 0.2 * spread[0], spread


@pytest.mark.parametrize("protocol", ["as-published", "causal"])
def test_scores_equal_the_formulas(protocol: str) -> None:
    study = small(0)
    model, (rows, targets) = build(study, protocol=protocol), targets_of(study)
    assert model.memory is not None and model.induction is not None
    cell, network, memory = nn.GRUCell(2 * D, D).double(), model.induction.attention, model.memory
    cell.load_state_dict({name.removesuffix("_l0"): value for name, value in model.induction.gru.state_dict().items()})
    one, last = (layer for layer in model.rest[2].layers if isinstance(layer, nn.Linear))  # type: ignore[union-attr]
    slopes = [layer.weight for layer in model.rest.modules() if isinstance(layer, nn.PReLU)]
    lengths, touched = set(), set()
    with torch.no_grad():
        memory.heads.weight *= 3  # so that several slots are read
        e = model.items().flatten(1) @ model.item.weight.T + model.item.bias
        found = model(targets, torch.arange(6).expand(len(rows), -1))
        few = model(targets[slice(0, 2)], torch.arange(3).expand(2, -1))
        close(few, found[:2, :3])
        for b, (user, slot, timestamp, hidden) in enumerate(rows):
            past = [item for _, _, item, _ in visible(study, protocol, user, slot, timestamp, hidden, most=7)]
            lengths.add(len(past))
            steps, channels = Steps(memory), torch.zeros(M, D, dtype=torch.float64)
            for item in reversed(past):
                chosen, held = steps.click(e[item])
                channels[chosen] = cell(torch.cat([e[item], held])[None], channels[chosen][None])[0]
                touched.add(chosen)
            state = (steps.hidden, steps.read)
            for item in range(6):
                q = e[item]
                steps.hidden, steps.read = state
                steps.control(q)
                o = memory.output(torch.cat([steps.hidden, steps.read]))
                pairs = torch.cat([q.expand(M, D), channels, q - channels, q * channels], 1)
                scores = network.rest(torch.sigmoid(pairs @ network.first.weight.T + network.first.bias))
                pooled = scores.softmax(0) @ channels
                total = e[past].sum(0)
                joint = torch.cat([model.from_candidate.weight, model.from_total.weight], 1)
                first = joint @ torch.cat([q, o, steps.sums.mean(0) * q, pooled, total]) + model.from_total.bias
                middle = one(torch.where(first > 0, first, slopes[0] * first))
                close(found[b, item], last(torch.where(middle > 0, middle, slopes[1] * middle))[0])
    assert {0, 7} <= lengths and len(touched) > 1


def test_padding_is_never_read() -> None:
    study = small(1, rows=80)
    model, (_, targets) = build(study), targets_of(study)
    items, history = torch.arange(6).expand(len(targets), -1), model.context.history
    before = model(targets, items)

    class Dirty:
        def window(self, targets: Any, length: int) -> Window:
            window = history.window(targets, length)
            return replace(window, items=torch.where(window.valid, window.items, 5))

    model.context = replace(model.context, history=Dirty())  # type: ignore[arg-type]
    assert torch.equal(model(targets, items), before)
    alone = model(targets[slice(3, 4)], items[:1])  # beside no longer history
    close(alone, before[3:4])


def test_every_parameter_learns_and_the_penalty_is_the_variance_of_the_usage() -> None:
    study = small(2)
    model, targets = build(study, dropout=0.0).train(), targets_of(study)[1]
    items = torch.arange(6).expand(len(targets), -1)
    model.training_loss("train", targets, items, torch.ones(len(targets), 6)).backward()
    idle = {
        name
        for name, p in model.named_parameters()
        if p.grad is None or not p.grad.isfinite().all() or not p.grad.any()
    }
    assert idle == {f"items.absent.{name}" for name, table in study.data.features.items() if table.present.all()}
    state = model.refresh()
    encoded = model.encode(state, targets)
    assert encoded.trace is not None
    penalty = model.auxiliary_loss(state, encoded, targets, items)
    assert penalty is not None
    close(penalty, 1e-3 * ((encoded.trace.usage - encoded.trace.usage.mean(1, keepdim=True)) ** 2).sum(1).mean())
    for options in ({"balance": False}, {"balance_weight": 0.0}, {"memory": False}):
        other = build(study, options)
        assert other.auxiliary_loss(None, other.encode(other.refresh(), targets), targets, items) is None


def interests(seed: int = 0, users: int = 60, clicks: int = 40, items: int = 160) -> Dataset:
    """Two interests of four groups each; a user stays with one for a while and takes up the other where it was left.

    Within an interest the group follows from the interest's last click, 9 times in 10, however many clicks of the other
    came between.
    """
    draw = np.random.default_rng(seed)
    group = np.arange(items) % 8
    now, which = draw.integers(4, size=(users, 2)), draw.integers(2, size=users)
    events, user = Events([], [], []), np.arange(users)
    for _ in range(clicks):
        which = np.where(draw.random(users) < 0.3, 1 - which, which)
        stage = np.where(draw.random(users) < 0.9, (now[user, which] + 1) % 4, draw.integers(4, size=users))
        now[user, which] = stage
        events.user.extend(range(users))
        events.item.extend((draw.integers(items // 8, size=users) * 8 + 4 * which + stage).tolist())
        events.clicked.extend([True] * users)
    return events.dataset(group)


def test_interests_that_take_turns_and_only_the_memory_keeps_them_apart() -> None:
    """Switched off, the system is no better than the plain network: the signal is what is measured."""
    data = interests()
    config = Config.for_model(
        "mimn",
        **{
            **SETTINGS,
            "embedding_size": 16,
            "hidden": (64, 32),
            "dropout": 0.1,
            "epochs": 7,
            "learning_rate": 5e-3,
            "batch_size": 50,
            "negatives": 4,
        },
    )
    on, off = (auc(data, config.replace(**{"options.memory": value})) for value in (True, False))
    plain = auc(data, config, PlainMLP)
    assert on > plain + 0.1, (on, plain)
    assert off < plain + 0.03, (off, plain)
