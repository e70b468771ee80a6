"""AutoFIS: GRDA and the score against their formulas, what a search keeps, and ahead where one pair decides."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from hyperctr.baselines import common
from hyperctr.baselines.autofis.network import GRDA, AutoFIS
from hyperctr.baselines.autofis.pairs import PairProducts
from hyperctr.config import Config
from hyperctr.data.dataset import Dataset
from hyperctr.data.features import FeatureTable
from hyperctr.data.interactions import Interactions
from hyperctr.errors import DataWarning
from hyperctr.model.context import Context
from hyperctr.model.history import Window
from hyperctr.split_data import SplitData
from hyperctr.training.loop import Trainer
from tests.baselines.signals import CPU, SETTINGS, PlainMLP, auc
from tests.small import Small, small, targets_of, visible, with_drawn_weights

pytestmark = pytest.mark.filterwarnings("ignore::hyperctr.errors.DataWarning")
SIZES: dict[str, Any] = {"embedding_size": 4, "hidden": (6, 5), "history_length": 7, "dropout": 0.0}


def build(study: Small, **changes: Any) -> AutoFIS:
    """A model with drawn weights, drawn statistics, and some pairs pruned."""
    config = Config.for_model("autofis", **{**SIZES, **changes})
    model = with_drawn_weights(AutoFIS(Context.build(study, None, config), config))
    draw = torch.Generator().manual_seed(9)
    for norm in model.modules():
        if isinstance(norm, nn.BatchNorm1d):
            norm.get_buffer("running_mean").normal_(generator=draw)
            norm.get_buffer("running_var").uniform_(0.2, 1.2, generator=draw)
    if model.options.select != "none":
        model.pairs.kept[::3] = False
    return model


@pytest.mark.parametrize("mu", [0.6, 0.8])
def test_grda_is_its_closed_form_and_adds_up_increments(mu: float) -> None:
    start, gradient = torch.tensor([[0.6, -0.6, 0.6], [0.01, 0.3, -0.9]], dtype=torch.float64)
    c, constant, drawn = 0.05, nn.Parameter(start.clone()), nn.Parameter(start.clone())
    one, two, total, threshold, zeros = GRDA([constant], 0.1, c, mu), GRDA([drawn], 1.0, c, mu), start.clone(), 0.0, 0
    for t in range(1, 61):
        constant.grad = gradient.clone()
        one.step()
        past = start - t * 0.1 * gradient
        expected = past.sign() * (past.abs() - c * 0.1 ** (0.5 + mu) * t**mu).clamp(min=0)
        torch.testing.assert_close(constant.detach(), expected, rtol=0, atol=1e-12)
        step = two.param_groups[0]["lr"] = 1.0 if t <= 30 else 0.3
        drawn.grad = torch.randn(3, dtype=torch.float64, generator=torch.Generator().manual_seed(t)) * 0.2
        two.step()
        total -= step * drawn.grad
        threshold += c * step ** (0.5 + mu) * (t**mu - (t - 1) ** mu)
        expected = torch.where(total.abs() <= threshold, 0.0, total - threshold * total.sign())
        torch.testing.assert_close(drawn.detach(), expected, rtol=0, atol=1e-12)
        zeros += int((drawn == 0).sum())
    assert 0 < zeros < 180


def test_a_search_drops_noise_to_exactly_zero_and_keeps_the_planted_pair() -> None:
    torch.manual_seed(0)
    pairs, steps = PairProducts("abcde", 2), 300
    assert not list(pairs.norm.parameters()) and {"norm.running_mean", "norm.running_var"} <= set(pairs.state_dict())
    optimiser = GRDA(pairs.parameters(), 1.0, 1.9 * 0.6 / steps**0.8, 0.8)
    for _ in range(steps):
        users, table = torch.randn(256, 2, 4), torch.randn(256, 3, 4)
        items = torch.arange(256)[:, None]
        labels = torch.bernoulli((users[:, 1] * table[:, 0]).sum(1, keepdim=True).sigmoid())  # b x c
        pairs.zero_grad()
        functional.binary_cross_entropy_with_logits(pairs(users, table, items), labels).backward()
        optimiser.step()
    kept = {name: alpha for name, alpha in zip(pairs.names, pairs.alpha.tolist(), strict=True) if alpha != 0}
    assert list(kept) == ["b x c"] and kept["b x c"] > 0.6
    assert float(optimiser.state[pairs.alpha]["threshold"]) == pytest.approx(1.9 * 0.6, rel=1e-5)


def rows_of(model: AutoFIS, study: Small) -> tuple[Tensor, Tensor]:
    """Fields [B * 6, F, k] and first-order weights [B * 6] of every target with every item, one by one."""
    table, order, linear = model.items(), model.order, dict[str, Any](model.order_of.items())
    fields, weights = [], []
    for row in targets_of(study)[0]:
        user, slot, *_ = row
        past = [item for _, _, item, _ in visible(study, model.config.protocol, *row, most=7)]
        clicked = table[past].mean(0) if past else torch.zeros_like(table[0])
        for item in range(6):
            fields.append(torch.cat([model.user[user, None], model.slot[slot, None], clicked, table[item]]))
            weight = order["user"][user] + order["slot"][slot] + order["id"][item]
            weight = weight + order["category"][model.items.category[item]] + linear["clicked"].bias[0]
            weight = weight + linear["clicked"].weight[0] @ clicked.flatten()
            for name, features in study.data.features.items():
                values = torch.tensor(features.standardised().values[item]).double() / features.values.shape[1] ** 0.5
                weight = weight + linear[name].weight[0] @ values * bool(features.present[item])
            weights.append(weight)
    return torch.stack(fields), torch.stack(weights)


def expected_scores(model: AutoFIS, fields: Tensor, weights: Tensor, train: bool) -> Tensor:
    """The formula on rows, with the statistics of the rows or the running ones."""

    def normed(x: Tensor, norm: Any) -> Tensor:
        mean, variance = (x.mean(0), x.var(0, correction=0)) if train else (norm.running_mean, norm.running_var)
        return (x - mean) / (variance + 1e-5).sqrt()

    pairs = list(combinations(range(fields.shape[1]), 2))
    products = torch.stack([(fields[:, i] * fields[:, j]).sum(1) for i, j in pairs], 1)
    logits = weights + torch.where(model.pairs.kept, normed(products, model.pairs.norm), 0.0) @ model.pairs.alpha
    deep: Any = model.deep
    if deep is not None:
        x = fields.flatten(1)
        for layer, norm in zip((deep.first, *deep.layers), deep.norms, strict=True):
            x = torch.relu(normed(x @ layer.weight.T, norm) + norm.bias)
        logits = logits + x @ deep.last.weight[0]
    return logits


@pytest.mark.parametrize("options", [{}, {"base": "fm"}, {"select": "none"}], ids=str)
@pytest.mark.parametrize("protocol", ["as-published", "causal"])
def test_scores_equal_the_formula(protocol: str, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    study = small(0)
    model, (rows, targets) = build(study, protocol=protocol, options=options), targets_of(study)
    items = torch.arange(6).expand(len(rows), -1)
    with torch.no_grad():
        fields, weights = rows_of(model, study)
        assert (fields[:, 2:6] == 0).all((1, 2)).any()  # someone has no visible click
        expected = expected_scores(model, fields, weights, train=False).view(-1, 6)
        found = model(targets, items)
        torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-9)
        few = model(targets[slice(0, 2)], items[:2, :3])  # no more candidates than items
        torch.testing.assert_close(few, expected[:2, :3], rtol=1e-10, atol=1e-9)
        pieces = lambda score, items, numbers: common.in_pieces(score, items, numbers, most=1)  # noqa: E731
        monkeypatch.setattr("hyperctr.baselines.autofis.pairs.in_pieces", pieces)
        torch.testing.assert_close(model(targets, items), expected, rtol=1e-10, atol=1e-9)
        expected = expected_scores(model, fields, weights, train=True).view(-1, 6)
        torch.testing.assert_close(model.train()(targets, items), expected, rtol=1e-9, atol=1e-8)


def test_padding_is_never_read() -> None:
    study = small(2)
    model, (_, targets) = build(study), targets_of(study)
    state, window = model.refresh(), model.context.history.window
    before, seen = model.encode(state, targets), window(targets, 7)
    dirty = Window(torch.where(seen.valid, seen.items, 5), *list(vars(seen).values())[1:])
    model.context.history.window = lambda *_: dirty  # type: ignore[method-assign]
    assert all(map(torch.equal, model.encode(state, targets), before)) and not seen.valid.all()


@pytest.mark.parametrize("base", ["deepfm", "fm"])
def test_every_parameter_learns_but_the_weights_of_pruned_pairs(base: str) -> None:
    study = small(2)
    model, targets = build(study, options={"base": base}).train(), targets_of(study)[1]
    items = torch.arange(6).expand(len(targets), -1)
    model.training_loss("train", targets, items, torch.ones(len(targets), 6)).backward()
    for name, p in model.named_parameters():
        assert p.grad is not None and p.grad.isfinite().all()
        assert p.grad.any() or name.startswith("items.absent")  # every item may have the modality
        assert p is not model.pairs.alpha or torch.equal(p.grad != 0, model.pairs.kept)


def test_pruning_starts_everything_anew_but_keeps_the_choice() -> None:
    study = small(1)
    model, targets = build(study), targets_of(study)[1]
    with torch.no_grad():
        model.pairs.alpha[5:] = 0.0
    torch.manual_seed(3)
    model.prune()
    torch.manual_seed(3)
    fresh = AutoFIS(model.context, model.config).double()
    differ = {name for name, value in fresh.state_dict().items() if not torch.equal(value, model.state_dict()[name])}
    assert differ == {"pairs.alpha", "pairs.kept"}
    assert model.pairs.kept.tolist() == [True] * 5 + [False] * (len(model.pairs.names) - 5)
    told = model.diagnostics()
    assert set(told["kept"]) == {f"user x {name}" for name in ("slot", *(f"clicked {x}" for x in model.items.names))}
    assert told["kept"]["user x slot"] == pytest.approx(0.6, abs=1e-3)
    assert told["share_kept"] == 5 / told["pairs"] == 5 / 45
    with pytest.warns(DataWarning, match="pruned no pair"):
        fresh.prune()
    with torch.no_grad():
        model.pairs.alpha.zero_()
    with pytest.warns(DataWarning, match="pruned every pair"):
        model.prune()
    # Without a pair the rest still tells items apart.
    scores = model.train()(targets, torch.arange(6).expand(len(targets), -1))
    assert scores.isfinite().all() and scores.std(1).min().item() > 1e-3 and model.diagnostics()["kept"] == {}


def one_pair(users: int = 60, clicks: int = 80, items: int = 200, size: int = 16) -> Dataset:
    """A click's log odds are the products of the user's tastes and the item's visual traits; all else is noise."""
    draw = np.random.default_rng(0)
    taste, trait, noise = (draw.standard_normal((n, size)) for n in (users, items, items))
    odds = np.exp(0.6 * taste @ trait.T)
    chosen = np.stack([draw.choice(items, clicks, p=row / row.sum()) for row in odds])
    frame = pd.DataFrame(
        {
            "user_id": np.tile(np.arange(users), clicks),
            "item_id": chosen.T.ravel(),
            "timestamp": np.arange(users * clicks),
            "clicked": True,
        }
    )
    features = [FeatureTable("noise", noise), FeatureTable("visual", trait)]  # categories are made of the first
    return Dataset("signal", Interactions(frame, clock="ordinal"), features, items=np.arange(items))


def test_a_fit_killed_while_it_retrains_goes_on_bit_by_bit(tmp_path: Path) -> None:
    data = one_pair(users=20, clicks=15, items=40)
    config = Config.for_model(
        "autofis",
        **{
            **SETTINGS,
            **SIZES,
            "epochs": 4,
            "batch_size": 32,
            "dropout": 0.3,
            "learning_rate": 0.01,
            "options": {"search_epochs": 2},
        },
    )

    def trainer(name: str) -> Trainer:
        study = SplitData.open(data, config)
        with torch.random.fork_rng():
            torch.manual_seed(0)
            model = AutoFIS(Context.build(study, None, config), config)
        return Trainer(model, study, config, CPU, tmp_path / name)

    whole, cut, resumed = trainer("whole"), trainer("cut"), trainer("cut")
    expected = whole.fit()
    assert expected.step == 4 * whole.steps_per_epoch and [stage.epochs for stage in whole.stages] == [2, 2]
    pairs = whole.model.get_submodule("pairs")
    assert isinstance(pairs, PairProducts) and torch.equal(pairs.alpha != 0, pairs.kept)
    assert 0 < pairs.kept.sum() < len(pairs.kept)
    (grda,) = whole.optimisers["search"][1].state.values()
    assert float(grda["threshold"]) == pytest.approx(1.9 * 0.6, rel=1e-5)

    points = iter([cut.validate] * 3)  # killed at the last point, which is of the second epoch of retraining
    cut.validate = lambda: next(points)()  # type: ignore[method-assign]
    with pytest.raises(StopIteration):
        cut.fit()
    assert vars(resumed.fit(resume=True)) == vars(expected)
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[name])


def test_one_pair_decides_and_without_pairs_the_system_is_the_plain_network() -> None:
    """Without pairs it is level with the plain network, and with all of them behind what the search keeps."""
    data = one_pair()  # tastes show in a user's many clicks together, hardly in the last one
    config = Config.for_model(
        "autofis",
        **{
            **SETTINGS,
            "embedding_size": 16,
            "hidden": (64, 32),
            "dropout": 0.2,
            "learning_rate": 3e-3,
            "epochs": 6,
            "batch_size": 64,
            "history_length": 1,
            "validation_clicks": 500,
            "options": {"search_epochs": 2},
        },
    )
    on, off, every = (auc(data, config.replace(**{"options.select": value})) for value in ("search", "none", "all"))
    plain = auc(data, config, PlainMLP)
    assert on > max(plain + 0.04, every + 0.01), (on, plain, every)
    assert off < plain + 0.02, (off, plain)
