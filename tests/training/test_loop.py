"""The training loop with a model that writes down what it is asked: batches, negatives, losses, points, stopping."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss, roc_auc_score
from torch import Tensor, nn

from hyperctr.config import Config
from hyperctr.model.base import ClickModel, Stage
from hyperctr.model.history import Targets
from hyperctr.split_data import SplitData
from hyperctr.training import checkpoint
from hyperctr.training.events import read_events
from hyperctr.training.loop import Trainer
from hyperctr.training.scoring import score_candidates, score_pool
from tests.conftest import Tiny

CPU = torch.device("cpu")


class Notebook(ClickModel):
    """Score = learned bias of the item + learned weight of the user; every call in training is written down."""

    def __init__(self, split_data: SplitData) -> None:
        super().__init__()
        draw = torch.Generator().manual_seed(0)
        self.bias = nn.Parameter(torch.randn(split_data.data.num_items, generator=draw))
        self.user = nn.Parameter(torch.randn(split_data.data.num_users, 1, generator=draw))
        self.steps: list[tuple[Targets, Tensor, Tensor]] = []
        self.dropped: list[Tensor | None] = []

    def refresh(self, dropped: Tensor | None = None) -> None:
        if self.training:
            self.dropped.append(dropped)

    def encode(self, state: None, targets: Targets) -> Tensor:
        return self.user[targets.user]

    def score(self, state: None, encoded: Tensor, targets: Targets, items: Tensor) -> Tensor:
        logits = self.bias[items] + encoded
        if self.training:
            self.steps.append((targets, items, logits.detach()))
        return logits


@pytest.fixture(scope="module")
def split_data(tiny: Tiny) -> SplitData:
    return SplitData.open(tiny.data, Config())


def trainer(split_data: SplitData, folder: Path | None = None, **changes: Any) -> Trainer:
    config = Config(**{"average_epochs": 0.0, "batch_size": 64, "epochs": 2, "validation_candidates": 10, **changes})
    return Trainer(Notebook(split_data), split_data, config, CPU, folder)


def model_of(made: Trainer) -> Notebook:
    assert isinstance(made.model, Notebook)
    return made.model


def test_every_click_is_learnt_once_an_epoch_and_hidden_from_itself(split_data: SplitData) -> None:
    made = trainer(split_data)
    made.fit()
    model, clicks = model_of(made), len(split_data.split.train)
    steps = -(-clicks // 64)
    assert len(model.steps) == 2 * steps == made.progress.step
    orders = []
    for epoch in range(2):
        part = slice(epoch * steps, (epoch + 1) * steps)
        seen = torch.cat([targets.click for targets, _, _ in model.steps[part]])
        assert sorted(seen.tolist()) == list(range(clicks))
        orders.append(seen.tolist())
    assert orders[0] != orders[1] != list(range(clicks))
    for (targets, items, _), dropped in zip(model.steps, model.dropped, strict=True):
        rows = split_data.split.train[targets.click.numpy()]
        assert dropped is not None and torch.equal(dropped, targets.click)
        np.testing.assert_array_equal(targets.user, split_data.data.user_index[rows])
        np.testing.assert_array_equal(targets.timestamp, split_data.data.timestamp[rows])
        np.testing.assert_array_equal(targets.slot, split_data.slots.index[rows])
        np.testing.assert_array_equal(items[:, 0], split_data.data.item_index[rows])


def negatives(model: Notebook) -> dict[tuple[int, int], list[int]]:
    """(epoch, click) -> its negatives."""
    found: dict[tuple[int, int], list[int]] = {}
    for targets, items, _ in model.steps:
        for click, drawn in zip(targets.click.tolist(), items[:, 1:].tolist(), strict=True):
            found[int((0, click) in found), click] = drawn
    return found


@pytest.mark.parametrize("avoided", ["training", "all"])
def test_negatives_are_unobserved_and_drawn_anew_every_epoch(split_data: SplitData, avoided: str) -> None:
    made = trainer(split_data, negatives=20, negatives_avoid=avoided)
    made.fit()
    found = negatives(model_of(made))
    data, split = split_data.data, split_data.split
    user = data.user_index[split.train]
    drawn = {(int(user[click]), item) for (_, click), items in found.items() for item in items}
    clicked = {
        part: set(zip(data.user_index[rows].tolist(), data.item_index[rows].tolist(), strict=True))
        for part, rows in (("train", split.train), ("validation", split.validation), ("test", split.test))
    }
    assert all(len(items) == 20 for items in found.values())
    assert not drawn & clicked["train"]
    for part in ("validation", "test"):  # drawn like everything else that training does not know, or never
        shared = len(drawn & clicked[part]) / len(clicked[part] - clicked["train"])
        assert shared == 0 if avoided == "all" else shared > 0.3
    same = [found[0, click] == found[1, click] for click in range(len(user))]
    assert np.mean(same) < 0.01
    again = trainer(split_data, negatives=20, negatives_avoid=avoided)
    again.fit()
    assert negatives(model_of(again)) == found
    other = trainer(split_data, negatives=20, negatives_avoid=avoided, seed=1)
    other.fit()
    assert negatives(model_of(other)) != found


@pytest.mark.parametrize("count", [1, 3])
def test_the_loss_is_the_cross_entropy_of_clicks_against_negatives(
    split_data: SplitData, tmp_path: Path, count: int
) -> None:
    """Eq. 8 with its sign restored, mean over all pairs; an event tells the mean over the steps since the last one."""
    made = trainer(split_data, tmp_path, negatives=count, points_per_epoch=4, epochs=1)
    made.fit()
    each = []
    for _, _, logits in model_of(made).steps:
        labels = np.zeros(logits.shape, dtype=int)
        labels[:, 0] = 1
        each.append(log_loss(labels.ravel(), torch.sigmoid(logits.double()).numpy().ravel()))
    last = 0
    for event in read_events(tmp_path / "events.jsonl"):
        assert event["loss"] == pytest.approx(np.mean(each[last : event["step"]]), rel=1e-5)
        last = event["step"]
    assert last == len(each)


@pytest.mark.parametrize(("batch", "points"), [(8, 20), (64, 20), (64, 3), (8, 1), (1024, 20)])
def test_points_come_every_twentieth_of_the_training_set(
    split_data: SplitData, tmp_path: Path, batch: int, points: int
) -> None:
    clicks = len(split_data.split.train)
    trainer(split_data, tmp_path, batch_size=batch, points_per_epoch=points, epochs=2).fit()
    events = read_events(tmp_path / "events.jsonl")
    steps = -(-clicks // batch)
    # The k-th point of an epoch is the first step at which k/points of the steps are done.
    within = sorted({-(-k * steps // points) for k in range(1, points + 1)})
    assert [event["step"] for event in events] == within + [steps + k for k in within]
    for event in events:
        epoch, rest = divmod(event["step"], steps)
        assert event["epoch"] == pytest.approx(event["step"] / steps)
        assert event["examples"] == epoch * clicks + min(rest * batch, clicks)


def test_validation_is_the_pooled_auc_of_the_fixed_pool(split_data: SplitData, tmp_path: Path) -> None:
    made = trainer(split_data, tmp_path)
    bias, user = (parameter.detach().double().numpy() for parameter in (model_of(made).bias, model_of(made).user))
    rows = made.pool.rows
    own = bias[split_data.data.item_index[rows]] + user[split_data.data.user_index[rows], 0]
    drawn = bias[made.pool.negatives] + user[split_data.data.user_index[rows]]
    kept = drawn[made.pool.negatives >= 0]
    labels = np.repeat([1, 0], [len(own), len(kept)])
    assert made.validate() == pytest.approx(roc_auc_score(labels, np.append(own, kept)), abs=1e-6)
    assert set(rows) <= set(split_data.split.validation)
    scores = score_pool(made.model, split_data, made.pool)
    np.testing.assert_allclose(scores.rows, own, atol=1e-5)
    np.testing.assert_allclose(scores.negatives, np.where(made.pool.negatives >= 0, drawn, -np.inf), atol=1e-5)
    one = score_candidates(made.model, made.targets, made.items[:, None].numpy(), batch=7)
    np.testing.assert_array_equal(one, score_candidates(made.model, made.targets, made.items[:, None].numpy()))


def scripted(made: Trainer, values: list[float]) -> list[dict[str, Tensor]]:
    """Let validation answer ``values`` in turn; returns the parameters at each point, as it goes."""
    left: Iterator[float] = iter(values)
    states: list[dict[str, Tensor]] = []

    def validate() -> float:
        states.append({name: value.clone() for name, value in made.model.state_dict().items()})
        return next(left)

    made.validate = validate  # type: ignore[method-assign]
    return states


@pytest.mark.parametrize(
    ("values", "patience", "points", "best"),
    [
        ([0.5, 0.6, 0.55, 0.59, 0.9], 2, 4, 1),  # the 5th point is never reached
        ([0.5, 0.6, 0.6, 0.6, 0.9], 2, 4, 1),  # no better is not better
        ([0.5, 0.6, 0.55, 0.7, 0.65, 0.6, 0.9], 2, 6, 3),
        ([0.9] + [0.1] * 9, 9, 10, 0),
        ([0.1, 0.2, 0.3], 2, 3, 2),  # the last of 3 epochs
    ],
)
def test_it_stops_after_patience_and_restores_the_best_parameters(
    split_data: SplitData, values: list[float], patience: int, points: int, best: int
) -> None:
    made = trainer(split_data, points_per_epoch=1, patience=patience, epochs=len(values))
    states = scripted(made, values)
    progress = made.fit()
    assert len(states) == points
    assert (progress.best_auc, progress.done) == (values[best], True)
    assert progress.best_step == (best + 1) * made.steps_per_epoch
    assert progress.step == points * made.steps_per_epoch
    for name, value in made.model.state_dict().items():
        assert torch.equal(value, states[best][name])
        assert points - 1 == best or not torch.equal(value, states[-1][name])
    assert not made.model.training


def test_patience_counts_epochs_not_points(split_data: SplitData) -> None:
    made = trainer(split_data, points_per_epoch=3, patience=1, epochs=9)
    states = scripted(made, [0.5, 0.6, *[0.1] * 30])
    progress = made.fit()
    assert progress.step - progress.best_step >= made.steps_per_epoch and len(states) == 5


def test_dry_run_is_one_step(split_data: SplitData, tmp_path: Path) -> None:
    made = trainer(split_data, tmp_path)
    assert made.fit(dry_run=True).step == 1
    assert [event["step"] for event in read_events(tmp_path / "events.jsonl")] == [1]


def test_weight_decay_falls_on_matrices_only(split_data: SplitData) -> None:
    made = trainer(split_data, weight_decay=10.0, learning_rate=0.01, epochs=1)
    still = [parameter.detach().clone() for parameter in (model_of(made).bias, model_of(made).user)]
    optimiser = made.optimiser(made.model.parameters())
    for group in optimiser.param_groups:
        for parameter in group["params"]:
            parameter.grad = torch.zeros_like(parameter)
    optimiser.step()
    assert torch.equal(model_of(made).bias, still[0])
    torch.testing.assert_close(model_of(made).user.detach(), still[1] * (1 - 0.01 * 10.0))


@pytest.mark.parametrize("stop", [1, 4, 7, 11])
def test_a_resumed_fit_equals_an_uninterrupted_one(split_data: SplitData, tmp_path: Path, stop: int) -> None:
    """Killed after any checkpoint, with steps done since: the same batches, negatives, parameters and points."""
    settings: dict[str, Any] = {"points_per_epoch": 4, "epochs": 4, "patience": 9, "average_epochs": 0.7}
    whole = trainer(split_data, tmp_path / "whole", **settings)
    whole_progress = whole.fit()

    class Killed(Exception):
        pass

    cut = trainer(split_data, tmp_path / "cut", **settings)
    count = iter(range(stop))
    validate = cut.validate

    def mortal() -> float:
        if next(count, None) is None:
            raise Killed
        return validate()

    cut.validate = mortal  # type: ignore[method-assign]
    with pytest.raises(Killed):
        cut.fit()
    resumed = trainer(split_data, tmp_path / "cut", **settings)
    assert vars(resumed.fit(resume=True)) == vars(whole_progress)
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[name])
    points = [
        [{k: v for k, v in event.items() if k not in ("seconds", "memory_mib")} for event in read_events(path)]
        for path in (tmp_path / "whole" / "events.jsonl", tmp_path / "cut" / "events.jsonl")
    ]
    assert points[0] == points[1] and len(points[0]) == 16
    first = len(model_of(whole).steps) - len(model_of(resumed).steps)
    assert first > 0
    for (_, items, _), (_, expected, _) in zip(model_of(resumed).steps, model_of(whole).steps[first:], strict=True):
        assert torch.equal(items, expected)
    again = trainer(split_data, tmp_path / "cut", **settings)  # finished: nothing is left to do
    again.fit(resume=True)
    assert not model_of(again).steps and torch.equal(model_of(again).bias, model_of(whole).bias)


@pytest.mark.parametrize("before", range(13))
def test_killed_between_any_two_files_of_a_checkpoint_a_fit_goes_on_from_one_that_is_whole(
    split_data: SplitData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: int
) -> None:
    """The best parameters are written when they change only, and there is always the one that the state names."""
    values, written = [0.5, 0.6, 0.55, 0.7, 0.65], []

    class Killed(Exception):
        pass

    def mortal(name: str) -> Callable[..., None]:
        work = getattr(checkpoint, name)

        def do(path: Path, *arguments: Any) -> None:
            if len(written) == before:
                raise Killed
            written.append(path.name if name == "save_tensors" else "drop")
            work(path, *arguments)

        return do

    def fit(folder: Path, *, resume: bool = False) -> Trainer:
        made = trainer(split_data, folder, points_per_epoch=1, patience=9, epochs=len(values))
        made.validate = lambda: values[made.progress.step // made.steps_per_epoch - 1]  # type: ignore[method-assign]
        made.fit(resume=resume)
        return made

    with monkeypatch.context() as patch:
        for name in ("save_tensors", "drop_other_bests"):
            patch.setattr(checkpoint, name, mortal(name))
        with pytest.raises(Killed):
            fit(tmp_path / "cut")
    steps = [-(-len(split_data.split.train) // 64) * point for point in range(6)]
    latest, drop = "latest.safetensors", "drop"
    best = [f"best-{step}.safetensors" for step in steps]
    expected = [best[1], latest, drop, best[2], latest, drop, latest, drop, best[4], latest, drop, latest, drop]
    assert written == expected[:before]
    resumed, whole = fit(tmp_path / "cut", resume=True), fit(tmp_path / "whole")
    assert resumed.progress == whole.progress and whole.progress.best_step == steps[4]
    for made in (resumed, whole):
        assert torch.equal(model_of(made).bias, made.best["bias"])
    assert torch.equal(model_of(resumed).bias, model_of(whole).bias)
    for folder in ("cut", "whole"):
        kept = {path.name for path in (tmp_path / folder / "state").iterdir()}
        assert kept == {latest, best[4]}


def test_averaged_weights_are_judged_and_kept_while_training_goes_on_with_the_last(split_data: SplitData) -> None:
    settings: dict[str, Any] = {"points_per_epoch": 2, "rounds_per_epoch": 4, "epochs": 2, "weight_decay": 0.0}
    plain, averaged = trainer(split_data, **settings), trainer(split_data, **settings, average_epochs=1.5)
    seen: list[dict[str, Tensor]] = []
    judged: list[tuple[float, dict[str, Tensor]]] = []
    usual, validate = plain.train_step, averaged.validate

    def noted(step: int, stage: Stage | None = None) -> Tensor:
        loss = usual(step, stage)
        if plain.schedule.round(step % plain.steps_per_epoch)[1] == step % plain.steps_per_epoch + 1:
            seen.append({name: value.detach().double().clone() for name, value in plain.model.named_parameters()})
        return loss

    def witnessed() -> float:
        value = validate()
        judged.append((value, {name: part.detach().clone() for name, part in averaged.model.named_parameters()}))
        return value

    plain.train_step, averaged.validate = noted, witnessed  # type: ignore[method-assign]
    plain.fit()
    averaged.fit()
    assert len(seen) == 8 and len(judged) == 4
    for point, (_, parameters) in enumerate(judged, start=1):
        weight = np.exp(-(np.arange(2 * point)[::-1]) / (1.5 * 4))  # of the rounds so far
        for name, value in parameters.items():
            rounds = torch.stack([state[name] for state in seen[: 2 * point]])
            expected = torch.tensordot(torch.from_numpy(weight / weight.sum()), rounds, 1)
            torch.testing.assert_close(value.double(), expected, rtol=0, atol=1e-5)
    best = max(range(4), key=lambda k: judged[k][0])
    for name, value in averaged.model.named_parameters():
        assert torch.equal(value, judged[best][1][name])
