"""Rounds of steps that share a convolution: where they lie, that their gradients are those of the formulas."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from hyperctr import sparse_adam
from hyperctr.config import Config
from hyperctr.hypergraph import stack
from hyperctr.model.context import Context
from hyperctr.model.history import Targets
from hyperctr.model.hyperctr import HyperCTR
from hyperctr.runs.scoring import build_model, interest_of
from hyperctr.split_data import SplitData
from hyperctr.training.loop import Trainer
from hyperctr.training.schedule import Schedule
from tests.conftest import Tiny
from tests.small import Small, small

pytestmark = pytest.mark.filterwarnings("ignore::hyperctr.errors.DataWarning")
CPU = torch.device("cpu")
TINY = Config(embedding_size=8, layers=2, attention_heads=2, history_length=4, hidden=(7, 5), dropout=0.0)
KINDS: list[dict[str, Any]] = [
    {},
    {"protocol": "causal"},
    {"graph": "bipartite"},
    {"edge_information": True},
    {"graph": "none"},
]


@given(steps=st.integers(1, 300), rounds=st.integers(1, 80), points=st.integers(1, 30))
def test_rounds_divide_an_epoch_and_none_reaches_over_a_validation_point(steps: int, rounds: int, points: int) -> None:
    schedule = Schedule(clicks=3 * steps - 1, batch_size=3, points=points, rounds=rounds)
    assert schedule.steps_per_epoch == steps
    stretches = [schedule.round(step) for step in range(steps)]
    for step, (start, end) in enumerate(stretches):
        assert start <= step < end <= steps and stretches[start] == (start, end)
        if schedule.is_point(step) and schedule.is_point(step + steps):
            assert end == step + 1
    assert [schedule.is_point(step) for step in range(steps)].count(True) == min(points, steps)
    assert (schedule.examples(steps - 1), schedule.examples(steps)) == (3 * (steps - 1), 3 * steps - 1)
    assert rounds <= len(set(stretches)) < rounds + points or len(set(stretches)) == steps
    lengths = {end - start for start, end in stretches}
    assert max(lengths) - min(lengths) <= 1


def build(study: Small, config: Config) -> HyperCTR:
    model = HyperCTR(Context.build(study, None if config.graph == "none" else study.interest, config), config)
    for k, parameter in enumerate(model.parameters()):
        nn.init.normal_(parameter, std=0.4, generator=torch.Generator().manual_seed(k))
    return model.double()


def batches(study: Small, clicks: list[int], size: int = 3) -> list[tuple[Targets, Tensor, Tensor]]:
    """Some training clicks as targets, each with its item, another one, and the labels."""
    rows = torch.tensor([[study.clicks[c][k] for k in (0, 2, 3)] + [c] for c in clicks])
    items = torch.tensor([[study.clicks[c][1], (study.clicks[c][1] + 1) % study.data.num_items] for c in clicks])
    labels = torch.tensor([[1.0, 0.0]]).expand(len(clicks), -1)
    return [
        (Targets(*rows[k : k + size].T.contiguous()), items[k : k + size], labels[k : k + size])
        for k in range(0, len(clicks), size)
    ]


@pytest.mark.parametrize("at_a_time", [10**6, 1], ids=["in one stretch", "slot by slot"])
@pytest.mark.parametrize("changes", KINDS, ids=str)
def test_a_rounds_gradients_are_those_of_its_losses_added_up(
    changes: dict[str, Any], at_a_time: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With parameters held still: autograd through one convolution without all of the round's clicks."""
    monkeypatch.setattr(stack, "PAIRS_AT_A_TIME", at_a_time)
    study, clicks = small(11, rows=70), [1, 4, 7, 20, 21, 30, 33]
    model = build(study, TINY.replace(**changes)).train()
    if changes.get("graph") != "none":
        assert (len(model.convolution.graphs.stretches) > 1) == (at_a_time == 1)  # type: ignore[union-attr]
    model.begin_round(torch.tensor(clicks), steps=3)
    losses = []
    for batch in batches(study, clicks):
        losses.append(model.training_loss("train", *batch))
        losses[-1].backward()  # type: ignore[no-untyped-call]
    model.end_round()
    found = {name: parameter.grad.clone() for name, parameter in model.named_parameters() if parameter.grad is not None}

    model.zero_grad()
    state = model.refresh(None if changes.get("protocol") == "causal" else torch.tensor(clicks))
    for (targets, items, labels), loss in zip(batches(study, clicks), losses, strict=True):
        logits = model.score(state, model.encode(state, targets), targets, items)
        expected = nn.functional.binary_cross_entropy_with_logits(logits.float(), labels)
        torch.testing.assert_close(loss, expected, rtol=0, atol=1e-6)
        expected.backward(retain_graph=True)  # type: ignore[no-untyped-call]
    gradients = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
    assert found.keys() == gradients.keys()
    for name, gradient in gradients.items():
        torch.testing.assert_close(found[name], gradient, rtol=1e-5, atol=1e-7, msg=name)
    if changes.get("graph") != "none":
        assert any(gradient.abs().max() > 1e-6 for name, gradient in found.items() if name.startswith("convolution"))


@pytest.mark.parametrize("number", [0, 1, 2, 3])
@pytest.mark.parametrize("changes", KINDS[:3], ids=str)
def test_a_hidden_click_does_not_show_within_a_round(changes: dict[str, Any], number: int) -> None:
    """Some steps into a round, when parameters have moved on: the row of its item, which has no other, is silent."""
    study, config = small(5, users=5, items=12, rows=25), TINY.replace(**changes)
    places = [click[1:3] for click in study.clicks]
    click = [c for c, place in enumerate(places) if places.count(place) == 1][number]
    model, never = build(study, config), build(study.without([click]), config)
    never.load_state_dict(model.state_dict())
    user, _, slot, timestamp = study.clicks[click]
    scores = []
    for world, hidden, number in ((model, [click], click), (never, [], -1)):
        world.train().begin_round(torch.tensor(hidden, dtype=torch.int64), steps=2)
        with torch.no_grad():
            world.user_embedding.mul_(1.7)
            world.items.embedding.add_(0.3)
        targets = Targets(*torch.tensor([[user], [slot], [timestamp], [number]]))
        state = world.training_state(targets)
        every = torch.arange(study.data.num_items)[None]
        scores.append(world.score(state, world.encode(state, targets), targets, every))
    torch.testing.assert_close(*scores, rtol=0, atol=1e-12)
    assert scores[0].std() > 1e-3


def test_a_round_of_one_step_is_an_ordinary_step() -> None:
    study = small(3, rows=70)
    model = build(study, TINY).train()
    (batch,) = batches(study, [2, 5, 9])
    plain = model.training_loss("train", *batch)
    model.begin_round(torch.tensor([2, 5, 9]), steps=1)
    assert torch.equal(model.training_loss("train", *batch), plain)
    model.end_round()


@pytest.mark.parametrize("rounds", [1, 3])
def test_large_tables_learn_what_small_ones_do(rounds: int, tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same steps with sparse gradients: losses and parameters agree.

    Where a ReLU meets zero, a rounding turns into a difference that training enlarges; it happens to some seeds, and
    what is wrong happens to all.
    """
    differences = []
    for seed in (1, 2, 3):
        changes: dict[str, Any] = {"rounds_per_epoch": rounds, "points_per_epoch": 1, "history_length": 2, "seed": seed}
        config = tiny.run.config.replace(batch_size=32, **changes)
        split_data = SplitData.open(tiny.data, config)
        interest = interest_of(split_data, config)
        trained = []
        for least in (10**9, 1):
            monkeypatch.setattr(sparse_adam, "SPARSE_FROM", least)
            trainer = Trainer(build_model(split_data, config, interest), split_data, config, CPU)
            losses = torch.stack([trainer.train_step(step) for step in range(2 * trainer.steps_per_epoch)])
            trainer.validate()
            assert len(trainer._optimisers(trainer.stages[-1])) == (2 if least == 1 else 1)
            trained.append((losses, trainer.model.state_dict()))
        (losses, parameters), (other_losses, others) = trained
        torch.testing.assert_close(other_losses, losses, rtol=0, atol=2e-3)
        apart = [(others[name] - value).abs().mean() for name, value in parameters.items()]
        # Adam makes a step of noise where a gradient is nothing but that.
        differences.append((float((other_losses - losses).abs().max()), float(torch.stack(apart).max())))
    loss, parameter = min(differences)
    assert loss < 2e-5 and parameter < 1e-4, differences


def test_a_run_with_large_tables_is_resumed_to_the_bit(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A checkpoint holds the moments of rows that wait as they are at its step."""
    monkeypatch.setattr(sparse_adam, "SPARSE_FROM", 1)
    changes: dict[str, Any] = {
        "epochs": 3,
        "points_per_epoch": 2,
        "patience": 99,
        "history_length": 2,
        "batch_size": 32,
    }
    config = tiny.run.config.replace(graph="none", average_epochs=0.0, **changes)
    split_data = SplitData.open(tiny.data, config)
    interest = interest_of(split_data, config)

    def trainer(state: Path | None) -> Trainer:
        return Trainer(build_model(split_data, config, interest), split_data, config, CPU, state)

    whole, stopped, resumed = trainer(None), trainer(tmp_path), trainer(tmp_path)
    torch.manual_seed(0)
    whole.fit()
    points, is_over = iter(range(10)), Trainer._is_over

    def stop_at_the_third(self: Trainer, *args: Any, **named: Any) -> bool:
        over = is_over(self, *args, **named)
        if next(points) == 2:
            raise KeyboardInterrupt
        return over

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_is_over", stop_at_the_third)
        with pytest.raises(KeyboardInterrupt):
            stopped.fit()
    resumed.fit(resume=True)
    for name, value in whole.model.state_dict().items():
        assert torch.equal(resumed.model.state_dict()[name], value), name


def test_interest_of_many_users_is_learnt_as_that_of_few(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    split_data, degrees = SplitData.open(tiny.data, tiny.run.config), []
    for least in (10**9, 1):
        monkeypatch.setattr(sparse_adam, "SPARSE_FROM", least)
        interest = interest_of(split_data, tiny.run.config.replace(interest_epochs=2))
        degrees.append(torch.from_numpy(interest.degree))
    torch.testing.assert_close(*degrees, rtol=0, atol=1e-4, equal_nan=True)


@settings(deadline=None, max_examples=30)
@given(
    seed=st.integers(0, 2**32 - 1),
    decay=st.sampled_from([0.0, 0.1, 1.0]),
    steps=st.integers(1, 120),
    dense_every=st.integers(2, 40),
)
def test_sparse_steps_equal_dense_adamw(seed: int, decay: float, steps: int, dense_every: int) -> None:
    draw = torch.Generator().manual_seed(seed)
    start = torch.randn(30, 3, generator=draw, dtype=torch.float64)
    table, twin = (nn.Parameter(start.clone()) for _ in range(2))
    ours = sparse_adam.SparseAdamW([table], lr=0.02, weight_decay=decay)
    theirs = torch.optim.AdamW([twin], lr=0.02, weight_decay=decay)
    for step in range(1, steps + 1):
        rows = torch.randint(30, (4,), generator=draw)
        # No gradient is near epsilon, which a row that waits does not rescale.
        factor = 0.5 + torch.rand(30, 3, generator=draw, dtype=torch.float64)
        factor *= torch.randint(2, (30, 3), generator=draw) * 2 - 1
        table.grad = twin.grad = None
        if step % dense_every == 0:  # as when a convolution reads all of them
            (sparse_adam.settled(table) * factor).sum().backward()
            (twin * factor).sum().backward()
        else:
            (sparse_adam.lookup(table, rows) * factor[:4]).sum().backward()
            (twin[rows] * factor[:4]).sum().backward()
        ours.step()
        theirs.step()
        if step == steps // 2:  # saved and restored
            ours.settle()
            state = ours.state_dict()
            ours = sparse_adam.SparseAdamW([table], lr=0.02, weight_decay=decay)
            ours.load_state_dict(state)
    torch.testing.assert_close(sparse_adam.settled(table), twin, rtol=0, atol=1e-4)
