"""MGCN: against its formulas with dense graphs, its contrastive loss, ahead where clicks need what items look like."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from hyperctr.baselines.mgcn.network import MGCN, contrastive_loss
from hyperctr.config import Config
from hyperctr.model.context import Context
from hyperctr.model.history import Targets
from tests.baselines.dense_graphs import dense_alike, dense_clicks
from tests.baselines.signals import SETTINGS, auc
from tests.baselines.test_vbpr import rare_items
from tests.small import Small, small, with_drawn_weights

pytestmark = pytest.mark.filterwarnings("ignore::hyperctr.errors.DataWarning")


def build(study: Small, options: dict[str, Any] | None = None, **changes: Any) -> MGCN:
    settings = {"embedding_size": 4, "layers": 2, "options": {"neighbours": 3, **(options or {})}, **changes}
    config = Config.for_model("mgcn", **settings)
    return with_drawn_weights(MGCN(Context.build(study, None, config), config))


def sigmoid(x: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-x)))


def dense_views(
    study: Small, model: MGCN, slot: int, dropped: list[int], layers: int = 2
) -> tuple[np.ndarray, np.ndarray]:
    """The view of clicks and the fused one [U + I, 4] as a target in a slot sees them, node by node."""
    p = {name: value.numpy() for name, value in model.state_dict().items()}
    users, e = study.data.num_users, p["items.embedding"]
    normal = dense_clicks(study, model.config.protocol, slot, dropped)
    start = np.concatenate([p["user"], e])
    x = np.mean([np.linalg.matrix_power(normal, k) @ start for k in range(layers + 1)], axis=0)
    views = []
    for name, table in study.data.features.items():
        seen = table.values[table.present].astype(float)
        scaled = (table.values - seen.mean(0)) / seen.std(0) / table.dim**0.5
        f = scaled @ p[f"items.projection.{name}.weight"].T + p[f"items.projection.{name}.bias"]
        f[~table.present] = p[f"items.absent.{name}"]
        if model.options.purified:
            f = e * sigmoid(f @ p[f"gate.{name}.weight"].T + p[f"gate.{name}.bias"])
        item = dense_alike(table, 3, weighted=True) @ f
        views.append(np.concatenate([normal[:users, users:] @ item, item]))
    fused = np.empty_like(x)
    for node in range(len(x)):
        modal = [view[node] for view in views]
        hidden = [np.tanh(p["fuse.query.0.weight"] @ v + p["fuse.query.0.bias"]) for v in modal]
        weight = np.exp([float(p["fuse.query.2.weight"][0] @ h) for h in hidden])
        common = sum(w * v for w, v in zip(weight / weight.sum(), modal, strict=True))
        total = common.copy()
        for m, view in enumerate(modal):
            rows = slice(4 * m, 4 * m + 4)
            preference = p["fuse.preference.weight"][rows] @ x[node] + p["fuse.preference.bias"][rows]
            total += sigmoid(preference) * (view - common)
        fused[node] = total / (len(modal) + 1)
    return x, fused


@pytest.mark.parametrize("protocol", ["as-published", "causal"])
@pytest.mark.parametrize("purified", [True, False])
def test_scores_equal_the_dense_graphs(protocol: str, purified: bool) -> None:
    study = small(0, rows=70)
    model, users = build(study, {"purified": purified}, protocol=protocol), study.data.num_users
    for dropped in ([], [3, 4, 11, 30]):
        for slot in range(3):
            vectors = sum(dense_views(study, model, slot, dropped))
            expected = vectors[:users] @ vectors[users:].T + model.shift.detach().numpy()  # type: ignore[index]
            targets = Targets(*torch.tensor([(u, slot, 0, -1) for u in range(users)]).T.contiguous())
            with torch.no_grad():
                found = model(targets, torch.arange(6).expand(users, -1), torch.tensor(dropped, dtype=torch.int64))
            np.testing.assert_allclose(found.numpy(), expected, rtol=0, atol=1e-6)


def test_contrastive_loss_and_penalty_equal_the_formula_and_every_parameter_learns() -> None:
    study = small(2, rows=70)
    model = build(study, {"contrast": 0.2, "temperature": 0.5, "l2": 0.01}).train()
    rows = [(u, s, t, c) for c, (u, _, s, t) in enumerate(study.clicks)][:9]
    targets = Targets(*torch.tensor(rows).T.contiguous())
    items = torch.stack([torch.arange(6).roll(k) for k in range(9)])
    expected = model.user[targets.user].square().sum() + model.items.embedding[items].square().sum()
    expected = float(expected) * 0.01 / 9 / 2
    views = [dense_views(study, model, row[1], list(range(9))) for row in rows]
    for nodes in ([row[0] for row in rows], (study.data.num_users + items[:, 0]).tolist()):
        x, fused = (np.array([views[b][k][node] for b, node in enumerate(nodes)]) for k in (0, 1))
        for n in range(9):
            length = np.linalg.norm(x, axis=1) * np.linalg.norm(fused[n])  # 0 of a user without other clicks
            cosines = x @ fused[n] / np.maximum(length, 1e-12) / 0.5
            expected -= 0.2 / 9 * (cosines[n] - np.log(np.exp(cosines).sum()))
    state = model.training_state(targets)
    found = model.auxiliary_loss(state, model.encode(state, targets), targets, items)
    assert float(found) == pytest.approx(expected, abs=1e-5)  # type: ignore[arg-type]
    model.training_loss("train", targets, items, torch.ones(9, 6)).backward()
    idle = {name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()}
    assert idle <= {f"items.absent.{name}" for name in study.data.features}


def test_contrast_is_least_where_views_agree() -> None:
    views = torch.eye(4)
    assert contrastive_loss(views, 5 * views, 0.1) < 1e-3
    assert contrastive_loss(views, views.roll(1, 0), 0.1) > 9


def test_only_items_that_look_alike_tell_of_items_that_few_clicked() -> None:
    """Switched off, an item's only neighbour is itself."""
    settings = {**SETTINGS, "protocol": "as-published", "slot_count": 1, "embedding_size": 16}
    config = Config.for_model("mgcn", **{**settings, "learning_rate": 1e-2, "epochs": 6, "batch_size": 50})
    on, off = (auc(rare_items(), config.replace(**{"options.neighbours": count})) for count in (10, 1))
    assert on > off + 0.05, (on, off)
