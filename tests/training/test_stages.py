"""Stages of training: order, own losses and optimisers, what is judged, and resuming inside or between them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from hyperctr.config import Config
from hyperctr.model.base import Fitting, Stage
from hyperctr.split_data import SplitData
from hyperctr.training.events import read_events
from hyperctr.training.loop import Trainer
from tests.conftest import Tiny
from tests.training.test_loop import CPU, Notebook, scripted


class Staged(Notebook):
    """Learn user weights by pulling them to 1, prune item biases, then train everything; as AutoFIS goes about it."""

    def __init__(self, split_data: SplitData) -> None:
        super().__init__(split_data)
        self.mask: Tensor
        self.register_buffer("mask", torch.ones(split_data.data.num_items))
        self.begun: list[Tensor] = []
        self.stages: list[str] = []

    def score(self, state: None, encoded: Tensor, targets: Any, items: Tensor) -> Tensor:
        return super().score(state, encoded, targets, items) * self.mask[items]

    def training_loss(self, stage: str, targets: Any, items: Tensor, labels: Tensor) -> Tensor:
        self.stages.append(stage)
        if stage == "pull":
            return (self.user[targets.user] - 1).square().mean()
        return super().training_loss(stage, targets, items, labels)

    def prune(self) -> None:
        self.begun.append(torch.rand(1))
        self.mask.copy_(torch.rand(len(self.mask)) < 0.5)

    def fit_plan(self, trainer: Fitting) -> Sequence[Stage]:
        def user_only() -> list[torch.optim.Optimizer]:
            return [trainer.optimiser([self.user], 0.05)]

        return (
            Stage("pull", epochs=1, judged=False, optimisers=user_only),
            Stage("train", epochs=1, begin=self.prune),
            Stage("pull", epochs=1, judged=False, optimisers=user_only),
            Stage("train", epochs=2),
        )


@pytest.fixture(scope="module")
def split_data(tiny: Tiny) -> SplitData:
    return SplitData.open(tiny.data, Config())


def trainer(
    split_data: SplitData, folder: Path | None = None, model: type[Notebook] = Staged, **changes: Any
) -> Trainer:
    config = Config(
        **{"average_epochs": 0.0, "batch_size": 64, "validation_candidates": 10, "points_per_epoch": 2, **changes}
    )
    return Trainer(model(split_data), split_data, config, CPU, folder)


def test_stages_come_in_order_and_learn_only_their_parameters(split_data: SplitData, tmp_path: Path) -> None:
    made = trainer(split_data, tmp_path, patience=9)
    model, per_epoch = made.model, made.steps_per_epoch
    assert isinstance(model, Staged)
    bias, user = model.bias.detach().clone(), model.user.detach().clone()
    states = scripted(made, [0.9, 0.9, 0.5, 0.6, 0.9, 0.9, 0.55, 0.58, 0.4, 0.3])
    progress = made.fit()
    order = ["pull", "train", "pull", "train", "train"]
    assert model.stages == [name for name in order for _ in range(per_epoch)]
    assert [event["stage"] for event in read_events(tmp_path / "events.jsonl")] == [n for n in order for _ in range(2)]
    pulled, after, again = states[1], states[3], states[5]
    assert torch.equal(pulled["bias"], bias) and pulled["mask"].all()
    assert ((pulled["user"] - 1).abs() < (user - 1).abs()).float().mean() > 0.9
    assert not torch.equal(after["bias"], bias) and 0.3 < after["mask"].mean() < 0.7
    assert torch.equal(again["bias"], after["bias"]) and torch.equal(again["mask"], after["mask"])
    # 0.9 in a stage that is not judged is neither the best nor a reason to stop.
    assert (progress.best_auc, progress.best_step, progress.step) == (0.6, 2 * per_epoch, 5 * per_epoch)
    assert torch.equal(model.state_dict()["bias"], after["bias"])
    assert set(made.optimisers) == {"pull", "train"} and len(model.begun) == 1


def test_an_average_begins_anew_with_a_stage_that_begins(split_data: SplitData) -> None:
    """No weight, and no mask, of before the pruning is left in it."""
    made = trainer(split_data, patience=9, average_epochs=1e6)
    masks: list[Tensor] = []
    validate = made.validate

    def witnessed() -> float:
        masks.append(made.model.state_dict()["mask"].clone())
        return validate()

    made.validate = witnessed  # type: ignore[method-assign]
    made.fit()
    assert masks[0].all() and not masks[2].all()
    torch.testing.assert_close(masks[2], made.model.state_dict()["mask"], rtol=0, atol=1e-4)


def test_only_judged_steps_count_as_waiting(split_data: SplitData) -> None:
    made = trainer(split_data, patience=1)
    scripted(made, [0.1, 0.1, 0.5, 0.6, 0.1, 0.1, 0.2, 0.2, 0.9, 0.9])
    progress = made.fit()
    assert progress.done and progress.step == 4 * made.steps_per_epoch and progress.best_auc == 0.6


@pytest.mark.parametrize("settings", [{}, {"optimiser": "adagrad", "clip_norm": 0.01}], ids=str)
@pytest.mark.parametrize("stop", range(1, 10))
def test_a_fit_killed_anywhere_goes_on_bit_by_bit(
    split_data: SplitData, tmp_path: Path, stop: int, settings: dict[str, Any]
) -> None:
    class Killed(Exception):
        pass

    whole = trainer(split_data, tmp_path / "whole", patience=9, **settings)
    expected = whole.fit()
    cut = trainer(split_data, tmp_path / "cut", patience=9, **settings)
    count, validate = iter(range(stop)), cut.validate

    def mortal() -> float:
        if next(count, None) is None:
            raise Killed
        return validate()

    cut.validate = mortal  # type: ignore[method-assign]
    with pytest.raises(Killed):
        cut.fit()
    resumed = trainer(split_data, tmp_path / "cut", patience=9, **settings)
    assert vars(resumed.fit(resume=True)) == vars(expected)
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[name])
    keys = ("step", "stage", "loss", "validation_auc", "examples")
    curves = [
        [[event[key] for key in keys] for event in read_events(tmp_path / name / "events.jsonl")]
        for name in ("whole", "cut")
    ]
    assert curves[0] == curves[1] and len(curves[0]) == 10


class Penalised(Notebook):
    def auxiliary_loss(self, state: None, encoded: Tensor, targets: Any, items: Tensor) -> Tensor:
        return 3.0 * encoded.square().mean()


def test_the_auxiliary_loss_is_added(split_data: SplitData) -> None:
    targets, items = trainer(split_data).targets[slice(0, 20)], torch.arange(20)[:, None] % 5
    labels, plain, more = torch.ones(20, 1), Notebook(split_data), Penalised(split_data)
    losses = [model.training_loss("train", targets, items, labels) for model in (more, plain)]
    torch.testing.assert_close(losses[0] - losses[1], 3.0 * plain.user[targets.user].square().mean())


def test_adagrad_and_clipping_against_the_formula(split_data: SplitData) -> None:
    """One step: g / max(1, |g| / c), then w - lr (g + decay w) / |g + decay w|, decay on matrices only."""
    made = trainer(split_data, model=Notebook, optimiser="adagrad", clip_norm=1e-3, learning_rate=0.1, weight_decay=0.5)
    bias, user = made.model.bias.detach().clone(), made.model.user.detach().clone()  # type: ignore[operator]
    norms = []
    clip = torch.nn.utils.clip_grad_norm_
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.nn.utils, "clip_grad_norm_", lambda p, c: norms.append((float(clip(p, c)), c)))
        made.fit(dry_run=True)
    gradients = [parameter.grad for parameter in (made.model.bias, made.model.user)]
    assert norms[0][0] > norms[0][1] == 1e-3
    assert sum(float(g.square().sum()) for g in gradients) ** 0.5 == pytest.approx(1e-3, rel=1e-4)
    for value, start, gradient, decay in zip(
        (made.model.bias, made.model.user), (bias, user), gradients, (0.0, 0.5), strict=True
    ):
        total = gradient + decay * start
        torch.testing.assert_close(value.detach(), start - 0.1 * total / (total.abs() + 1e-10))
