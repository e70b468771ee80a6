"""THE leakage test: what may not be looked at can change in any way without moving anything by one bit.

Of a prediction: parameters are held fixed (the degrees of interest of clicks that stay are parameters too), everything
else is built anew from the changed data: split, slots, interest matrix, hypergraphs, histories, counts.

Of training, interest and search stages included: whatever test clicks are, all weights after every step, all validation
points and the chosen step stay; whatever validation clicks are, all weights after every step stay.

Everything is compared with ``==``, never within a tolerance. Every model of the harness runs under both protocols; a
new model is covered as soon as it stands in ``MODELS`` or ``HYPERCTR_MODELS``. What is declared and no label stays: who
is a user, what is an item, and from when to when the data set's clock runs, which is what slots are cut from.
"""

from __future__ import annotations

import warnings
from copy import deepcopy
from dataclasses import astuple, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hyperctr.baselines.popularity import BASELINE_ROWS
from hyperctr.config import REFERENCE_MODEL, Config
from hyperctr.data.registry import load_dataset
from hyperctr.data.splits import split
from hyperctr.evaluation import calibrated_on
from hyperctr.hypergraph.interest import Interest
from hyperctr.metrics.platt import Calibration
from hyperctr.model.base import ClickModel, Stage
from hyperctr.model.context import Context
from hyperctr.model.history import Targets
from hyperctr.model.hyperctr import HyperCTR
from hyperctr.models import MODELS, model_class, model_spec, own_models
from hyperctr.runs.experiment import train
from hyperctr.runs.scoring import interest_of, pool_of_calibration
from hyperctr.runtime import rng
from hyperctr.slots import make_slots
from hyperctr.training.checkpoint import load_tensors
from hyperctr.training.loop import Trainer
from hyperctr.training.schedule import Progress
from hyperctr.training.scoring import item_scores, score_candidates, score_pool
from tests.test_own_model import EXAMPLE
from tests.world import DEGREES, DIMS, EVENT, World, shaken, with_other_clicks

pytestmark = pytest.mark.filterwarnings("ignore::hyperctr.errors.DataWarning")
CPU = torch.device("cpu")
WEEK = 7 * 86_400
TINY: dict[str, Any] = {
    "embedding_size": 8,
    "layers": 2,
    "history_length": 5,
    "hidden": (8, 6),
    "epochs": 2,
    "points_per_epoch": 4,
    "batch_size": 32,
    "interest_epochs": 2,
    "slot_months": 3,
    "validation_clicks": 40,
    "validation_candidates": 10,
    "test_candidates": 20,
    "patience": 99,
}
MORE: dict[str, dict[str, Any]] = {"ubr4ctr": {"epochs": 3, "options": {"rounds": 1}}}  # its selector learns, too
VARIANTS = {
    "bipartite": {"graph": "bipartite"},
    "edge information": {"edge_information": True},
    "no graph": {"graph": "none"},
    "sampled neighbours": {"max_neighbours": 3, "interest_threshold": 0.4},
    "quantile": {"threshold_is_quantile": True, "weighted": False},
    "non-clicks as negatives": {"non_click_negatives": 0.7},
}
NAMES = list(dict.fromkeys([*MODELS, EXAMPLE, *own_models()]))
CONFIGS: dict[str, dict[str, Any]] = {name: {**model_spec(name).settings, "model": name} for name in NAMES}
CONFIGS |= {name: {**CONFIGS["hyperctr+"], **changes} for name, changes in VARIANTS.items()}


class WatchedTrainer(Trainer):
    """Keeps what it validated, and all that the model holds at the start and after every step."""

    validated: list[float]
    states: list[dict[str, torch.Tensor]]

    def train_step(self, step: int, stage: Stage | None = None) -> torch.Tensor:
        if step == 0:
            self.validated, self.states = [], [self.all_tensors()]
        loss = super().train_step(step, stage)
        self.states.append(self.all_tensors())
        return loss

    def validate(self) -> float:
        self.validated.append(super().validate())
        return self.validated[-1]

    def all_tensors(self) -> dict[str, torch.Tensor]:
        """Parameters and buffers, statistics of features and graphs among them."""
        parts = [*self.model.named_parameters(), *self.model.named_buffers()]
        return {name: value.detach().clone() for name, value in parts}


@dataclass(frozen=True)
class Fitted:
    """All that came of a training run; ``model`` has the parameters of the chosen step."""

    interest: Interest
    model: ClickModel
    states: list[dict[str, torch.Tensor]]
    validated: list[float]
    progress: Progress
    calibration: Calibration


@dataclass(frozen=True)
class Trained:
    config: Config
    world: World
    interest: Interest
    model: ClickModel
    fitted: Fitted

    def in_(self, world: World) -> ClickModel:
        """The same parameters in another world."""
        other: ClickModel = model_class(self.config.model)(world.context(self.config, self.interest), self.config, None)
        other.load_state_dict(self.model.state_dict())
        return other.eval()


@pytest.fixture(scope="module")
def world() -> World:
    """A small planted world with weekly timestamps, so that many clicks share a moment."""
    base = load_dataset("planted", num_users=24, num_items=60, num_interactions=350, months=12, groups=3, dims=DIMS)
    weekly = base.timestamp - (base.timestamp - base.timestamp[0]) % WEEK
    rows = (
        pd.DataFrame({"user": base.user_index, "item": base.item_index, "timestamp": weekly, "clicked": base.clicked})
        .sort_values("clicked", ascending=False, kind="stable")
        .drop_duplicates(EVENT)
    )
    rows = rows.sort_values("timestamp", kind="stable", ignore_index=True)
    first = World(rows.assign(part=0, **dict.fromkeys(DEGREES, 0.0)), base, make_slots(base, count=1))
    slots = make_slots(first.split_data().data, months=3)
    assert slots.count == 4
    return World(first.rows.assign(part=split(first.split_data().data).part), base, slots)


@pytest.fixture(scope="module", params=["as-published", "causal"])
def protocol(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module", params=CONFIGS)
def trained(request: pytest.FixtureRequest, protocol: str, world: World) -> Trained:
    """Interest and model, trained for a moment; parameters then made large enough for every input to show."""
    config = Config(**{**CONFIGS[request.param], **TINY, **MORE.get(request.param, {}), "protocol": protocol})
    fitted = fit(world, config)
    rows = world.rows.copy()
    rows.loc[world.training, DEGREES] = fitted.interest.degree
    model = deepcopy(fitted.model)
    with torch.no_grad():
        for k, parameter in enumerate(model.parameters()):
            parameter.add_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(k)) * 0.3)
    return Trained(config, replace(world, rows=rows), fitted.interest, model, fitted)


def fit(world: World, config: Config) -> Fitted:
    """Pre-train and train as a run does."""
    split_data = world.split_data()
    interest = interest_of(split_data, config.replace(interest_epochs=2), "cpu")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        context = Context.build(split_data, interest, config)
        model: ClickModel = model_class(config.model)(context, config, interest)
        trainer = WatchedTrainer(model, split_data, config, CPU)
        progress = trainer.fit()
    calibration = calibrated_on(score_pool(model, split_data, pool_of_calibration(split_data, config)))
    return Fitted(interest, model, trainer.states, trainer.validated, progress, calibration)


def some_targets(world: World, user: np.ndarray, timestamp: np.ndarray) -> Targets:
    parts = (user, world.clock.of(timestamp), timestamp, np.full(len(user), -1))
    return Targets(*(torch.tensor(np.asarray(part, dtype=np.int64)) for part in parts))


def scores(model: ClickModel, targets: Targets, seed: int = 0) -> np.ndarray:
    items = np.random.default_rng(seed).integers(model.context.data.num_items, size=(len(targets), 30))  # type: ignore[union-attr]
    found = score_candidates(model, targets, items)
    assert np.isfinite(found).all()
    return found


FEW = settings(max_examples=6, deadline=None)
DRAWS = {"seed": st.integers(0, 2**32 - 1), "slot": st.integers(0, 3), "deleted": st.sampled_from([0.0, 0.3, 1.0])}


@FEW
@given(**DRAWS)
def test_a_score_is_blind_to_what_it_may_not_see(trained: Trained, seed: int, slot: int, deleted: float) -> None:
    draw, world, clock = np.random.default_rng(seed), trained.world, trained.world.clock
    non_clicks = trained.model.sees_non_clicks
    readable = world.readable(non_clicks)
    if trained.config.protocol == "as-published":
        # Hidden from targets up to this slot: training rows of later ones.
        moments = [
            int(clock.edges[slot]),
            int(clock.edges[slot + 1]) - 1,
            *draw.integers(*clock.edges[[0, slot + 1]], 6),
        ]
        user, timestamp = draw.integers(world.base.num_users, size=60), draw.choice(moments, size=60)
        hidden = readable & (world.slot > slot)

        def allowed(rows: pd.DataFrame) -> pd.Series:
            return pd.Series(clock.of(rows["timestamp"].to_numpy()) > slot, rows.index)
    else:
        # Hidden from these users' targets up to this moment: their own clicks from it on, everybody's of the slot on.
        inside = world.rows["timestamp"][world.slot == slot]
        moment = int(draw.choice(inside))
        who = draw.permutation(world.base.num_users)[: draw.integers(1, world.base.num_users)]
        user = draw.choice(who, size=60)
        timestamp = draw.choice([moment, int(clock.edges[slot]), *inside[inside <= moment]], size=60)

        def allowed(rows: pd.DataFrame) -> pd.Series:
            own = rows["user"].isin(who)
            return (own & (rows["timestamp"] >= moment)) | (~own & (clock.of(rows["timestamp"].to_numpy()) >= slot))

        hidden = readable & allowed(world.rows).to_numpy()
    targets = some_targets(world, user, timestamp)
    other = shaken(world, hidden, allowed, deleted, draw, non_clicks)
    if trained.config.protocol == "causal":  # what the slot's clicks contribute to hypergraphs, and only that
        rows = other.rows.copy()
        late = other.slot >= slot
        rows.loc[late, DEGREES] = draw.permutation(rows.loc[late, DEGREES].to_numpy(), axis=1) * np.float32(0.9)
        other = replace(other, rows=rows)
    np.testing.assert_array_equal(scores(trained.in_(other), targets), scores(trained.model, targets))


@FEW
@given(seed=st.integers(0, 2**32 - 1))
def test_a_training_click_is_blind_to_itself(trained: Trained, seed: int) -> None:
    """Dropped from its own prediction, a click leaves the score of a world in which it never happened."""
    draw, world = np.random.default_rng(seed), trained.world
    number = int(draw.integers(world.training.sum()))
    row = np.flatnonzero(world.training)[number]
    without = world.with_rows(world.rows.drop(index=row), world.rows.loc[[row]].assign(clicked=False, part=1))
    there = some_targets(world, *world.rows.loc[[row], ["user", "timestamp"]].to_numpy().T)
    itself = replace(there, click=torch.tensor([number]))
    items = torch.from_numpy(np.append(world.rows["item"][row], draw.permutation(world.base.num_items)))[None]
    with torch.no_grad():
        dropped = trained.model(itself, items, itself.click)
        never = trained.in_(without)(there, items)
    assert torch.equal(dropped, never)


def test_a_score_does_see_what_it_may(trained: Trained) -> None:
    """The positive control: without their visible clicks, or without those of others, users score differently."""
    world, edges = trained.world, trained.world.clock.edges
    users = np.arange(world.base.num_users)
    targets = some_targets(world, users, np.full(len(users), edges[-1] - 1))
    now = scores(trained.model, targets)
    seen = world.training & ((world.slot < world.clock.count - 1) | (trained.config.protocol == "as-published"))
    graphs = isinstance(trained.model, HyperCTR) and trained.config.graph != "none"
    for others in (False, True) if graphs else (False,):
        rows = world.rows.assign(clicked=world.rows["clicked"] & ~(seen & ((world.rows["user"] < 12) != others)))
        changed = (scores(trained.in_(replace(world, rows=rows)), targets) != now).any(1)[:12].mean()
        assert changed > 0.7 if trained.model.sees_clicks else changed == 0
    if trained.model.sees_non_clicks:
        rows = world.rows[world.rows["clicked"]].reset_index(drop=True)
        assert (scores(trained.in_(replace(world, rows=rows)), targets) != now).any(1).mean() > 0.7


@FEW
@given(seed=st.integers(0, 2**32 - 1), deleted=st.sampled_from([0.0, 1.0]))
def test_baseline_rows_are_blind_to_validation_and_test(world: World, seed: int, deleted: float) -> None:
    """They read training rows only: clicks, and for the item mean what was shown."""
    draw = np.random.default_rng(seed)
    other = shaken(world, world.training & False, lambda rows: rows["user"] < 0, deleted, draw)
    known, late = (w.rows[(w.rows["part"] == 0) == early] for w, early in ((world, True), (other, False)))
    changed = world.with_rows(known, late)
    for logits_of in BASELINE_ROWS.values():
        np.testing.assert_array_equal(logits_of(world.split_data()), logits_of(changed.split_data()))


def other_clicks(trained: Trained, part: int) -> World:
    """The world with other clicks in ``part``, and other rows wherever training reads none; seeded by the case."""
    draw = rng(part, trained.config.model, trained.config.protocol, trained.config.graph)
    non_clicks = trained.model.sees_non_clicks or trained.config.non_click_negatives > 0
    return with_other_clicks(trained.world, part, draw, non_clicks)


def same_weights(left: Fitted, right: Fitted) -> bool:
    """Whether pre-training found the same, and every step of training left the same parameters and buffers."""
    for field in fields(Interest):
        np.testing.assert_equal(getattr(left.interest, field.name), getattr(right.interest, field.name))
    assert len(left.states) == len(right.states) > 1
    for before, after in zip(left.states, right.states, strict=True):
        assert before.keys() == after.keys()
    return all(
        torch.equal(before[name], after[name])
        for before, after in zip(left.states, right.states, strict=True)
        for name in before
    )


def test_training_is_blind_to_test_clicks(trained: Trained) -> None:
    """Deleted, added and moved: all weights, all validated, the chosen step and the calibration stay. From scratch."""
    other = fit(other_clicks(trained, part=2), trained.config)
    assert same_weights(trained.fitted, other)
    assert trained.fitted.validated == other.validated
    assert astuple(trained.fitted.progress) == astuple(other.progress)
    assert trained.fitted.calibration == other.calibration
    chosen = other.model.state_dict()
    assert all(torch.equal(value, chosen[name]) for name, value in trained.fitted.model.state_dict().items())


def test_learning_is_blind_to_validation_clicks(trained: Trained) -> None:
    """Deleted, added and moved: all weights after every step stay; they only choose one of the steps. From scratch."""
    other = fit(other_clicks(trained, part=1), trained.config)
    assert same_weights(trained.fitted, other)
    assert trained.fitted.validated != other.validated
    assert trained.fitted.calibration != other.calibration


def test_baseline_rows_are_calibrated_without_test_clicks(world: World) -> None:
    config = Config(**TINY)
    others = [with_other_clicks(world, part, rng(part), non_clicks=True) for part in (2, 1)]
    for name, logits_of in BASELINE_ROWS.items():
        now, without_test, without_validation = (
            calibrated_on(item_scores(pool_of_calibration(data, config), logits_of(data)))
            for data in (world.split_data(), *(other.split_data() for other in others))
        )
        assert now == without_test
        assert name == "constant" or now != without_validation


@pytest.mark.parametrize("part", [1, 2])
@pytest.mark.parametrize("model", ["hyperctr", REFERENCE_MODEL])
def test_negatives_that_avoid_all_clicks_do_leak(world: World, protocol: str, model: str, part: int) -> None:
    """The control: with the sampler that ``negatives_avoid`` keeps for showing it, the two tests above fail."""
    config = Config(**{**CONFIGS[model], **TINY, "protocol": protocol, "negatives_avoid": "all"})
    other = with_other_clicks(world, part, rng(part, model, protocol), non_clicks=False)
    assert not same_weights(fit(world, config), fit(other, config))


def test_a_whole_run_is_blind_to_non_clicks(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYPERCTR_RUNS", str(tmp_path))
    config = Config(**{**CONFIGS["hyperctr+"], **TINY})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        runs = [
            train(replace(world, rows=rows).split_data().data, config, device="cpu")
            for rows in (world.rows, world.rows[world.rows["clicked"]].reset_index(drop=True))
        ]
    assert runs[0].id != runs[1].id
    left, right = (load_tensors(run.folder / "model.safetensors")[0] for run in runs)
    assert all(torch.equal(left[key], right[key]) for key in left)
    assert runs[0].metrics["auc"] == runs[1].metrics["auc"]
    assert not np.isnan(runs[0].metrics["auc_impressions"]) and np.isnan(runs[1].metrics["auc_impressions"])
