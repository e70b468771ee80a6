"""FREEDOM: against dense graphs, which edges training keeps, ahead where few clicks need items that look alike."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from hyperctr.baselines.freedom.network import Freedom, kept_edges
from hyperctr.config import Config
from hyperctr.model.context import Context
from hyperctr.model.history import Targets
from tests.baselines.dense_graphs import dense_alike, dense_clicks
from tests.baselines.signals import SETTINGS, auc
from tests.baselines.test_vbpr import rare_items
from tests.small import Small, small, with_drawn_weights

pytestmark = pytest.mark.filterwarnings("ignore::hyperctr.errors.DataWarning")


def build(study: Small, options: dict[str, Any] | None = None, **changes: Any) -> Freedom:
    settings = {"embedding_size": 4, "layers": 2, "options": {"neighbours": 3, **(options or {})}, **changes}
    config = Config.for_model("freedom", **settings)
    return with_drawn_weights(Freedom(Context.build(study, None, config), config))


@pytest.mark.parametrize("protocol", ["as-published", "causal"])
@pytest.mark.parametrize(("weighted", "item_layers", "layers"), [(False, 1, 2), (True, 2, 1), (False, 1, 0)])
def test_scores_equal_the_dense_graphs(protocol: str, weighted: bool, item_layers: int, layers: int) -> None:
    study = small(0, rows=70)
    options = {"weighted": weighted, "item_layers": item_layers}
    model = build(study, options, protocol=protocol, layers=layers)
    users = study.data.num_users
    alike = np.mean([dense_alike(t, 3, weighted=weighted) for t in study.data.features.values()], axis=0)
    item = model.items.embedding.detach().numpy()
    start = np.concatenate([model.user.detach().numpy(), item])
    for dropped in ([], [3, 4, 11, 30]):
        for slot in range(3):
            normal = dense_clicks(study, protocol, slot, dropped)
            x = np.mean([np.linalg.matrix_power(normal, k) @ start for k in range(layers + 1)], axis=0)
            h = np.linalg.matrix_power(alike, item_layers) @ item
            expected = x[:users] @ (x[users:] + h).T + model.shift.detach().numpy()
            targets = Targets(*torch.tensor([(u, slot, 0, -1) for u in range(users)]).T.contiguous())
            with torch.no_grad():
                found = model(targets, torch.arange(6).expand(users, -1), torch.tensor(dropped, dtype=torch.int64))
            np.testing.assert_allclose(found.numpy(), expected, rtol=0, atol=1e-6)


def test_edges_are_kept_by_the_degrees_of_their_ends() -> None:
    """Two graphs; how often the first edge drawn is which one, against the probabilities of the definition."""
    edges = torch.tensor([[0, 0, 0, 1, 10, 11], [5, 6, 7, 5, 15, 15]])
    graph = torch.tensor([0, 0, 0, 0, 1, 1])
    counts = np.zeros(6)
    for seed in range(4000):
        kept = kept_edges(edges, graph, 20, 0.25, seed)
        assert kept.shape == (2, 2) and (kept[0] < 10).tolist() == [True, False]  # one of each graph, rounded up
        for edge in kept.T.tolist():
            counts[edges.T.tolist().index(edge)] += 1
    weight = np.array([(3 * 2) ** -0.5, 3**-0.5, 3**-0.5, 2**-0.5])
    np.testing.assert_allclose(counts[:4] / 4000, weight / weight.sum(), atol=0.03)
    np.testing.assert_allclose(counts[4:] / 4000, 0.5, atol=0.03)
    assert torch.equal(kept_edges(edges, graph, 20, 1.0, 0), edges)
    assert torch.equal(kept_edges(edges, graph, 20, 0.5, 7), kept_edges(edges, graph, 20, 0.5, 7))


def test_training_rounds_prune_by_their_clicks_and_predictions_use_all_edges() -> None:
    study = small(0, rows=70)
    model = build(study, {"pruned": 0.6}).train()
    dropped = torch.tensor([1, 2])
    every = model.graphs.edges(dropped)
    in_slot = torch.bincount(every[0] // model.graphs.nodes, minlength=3)
    kept = model.matrices(dropped)[0]
    assert kept._nnz() == 2 * int((in_slot * 0.4).ceil().sum())
    assert torch.equal(kept.to_dense(), model.matrices(dropped)[0].to_dense())
    assert not torch.equal(kept.to_dense(), model.matrices(torch.tensor([1, 3]))[0].to_dense())
    assert model.eval().matrices(dropped)[0]._nnz() == 2 * every.shape[1]


def test_modal_losses_and_penalty_equal_the_formula_and_every_parameter_learns() -> None:
    study = small(2, rows=70)
    model = build(study, {"modal_loss": 0.2, "l2": 0.01, "pruned": 0.0, "loss": "pairwise"}).train()
    targets = Targets(*torch.tensor([(u, s, t, c) for c, (u, _, s, t) in enumerate(study.clicks)]).T.contiguous())[:9]
    items = torch.stack([torch.arange(6).roll(k) for k in range(9)])
    state = model.training_state(targets)
    user = model.encode(state, targets)
    expected = 0.01 / 9 / 2 * (model.user[targets.user].square().sum() + model.items.embedding[items].square().sum())
    for name in study.data.modalities:
        scores = model.items.modality(name)[items] @ user[:, :, None]
        expected = expected - 0.2 * torch.sigmoid(scores[:, :1, 0] - scores[:, 1:, 0]).log().mean()
    found = model.auxiliary_loss(state, user, targets, items)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-7)
    model.training_loss("train", targets, items, torch.ones(9, 6)).backward()
    idle = {name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()}
    absent = {f"items.absent.{name}" for name, table in study.data.features.items() if table.present.all()}
    assert idle - {"shift"} == absent  # differences of scores have no shift, up to rounding


def test_only_items_that_look_alike_tell_of_items_that_few_clicked() -> None:
    """Switched off, the system is LightGCN by ids alone."""
    settings = {**SETTINGS, "protocol": "as-published", "slot_count": 1, "embedding_size": 16}
    config = Config.for_model("freedom", **{**settings, "learning_rate": 1e-2, "epochs": 6, "batch_size": 50})
    on, off = (auc(rare_items(), config.replace(**{"options.neighbours": count})) for count in (10, 0))
    assert on > off + 0.05, (on, off)
