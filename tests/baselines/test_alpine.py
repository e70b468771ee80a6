"""ALPINE: against torch's LSTM and steps written out; links only look back; ahead where what was refused decides."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from hyperctr.baselines.alpine.network import Alpine, GraphLSTM, nearest_earlier, principal_components
from hyperctr.config import Config
from hyperctr.model.context import Context
from tests.baselines.refusals import refusals
from tests.baselines.signals import SETTINGS, PlainMLP, auc
from tests.small import Small, small, targets_of, with_drawn_weights

pytestmark = pytest.mark.filterwarnings("ignore::hyperctr.errors.DataWarning")
SIZES: dict[str, Any] = {"embedding_size": 4, "hidden": (6,), "history_length": 5}
B, T, D = 3, 6, 4


def build(study: Small, non_clicks: int = 4, **changes: Any) -> Alpine:
    options = {"non_clicks": non_clicks, **changes.pop("options", {})}
    config = Config.for_model("alpine", **{**SIZES, **changes, "options": options})
    return with_drawn_weights(Alpine(Context.build(study, None, config), config))


def drawn(seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Item vectors, items and links of a few histories."""
    draw = torch.Generator().manual_seed(seed)
    table = torch.randn(25, D, generator=draw, dtype=torch.float64)
    items = torch.randint(25, (B, T), generator=draw)
    link = nearest_earlier(torch.randn(B, T, 2, generator=draw)) + 1
    link[:, 0] = 0
    return table, items, link


def layer_of(linked_cell: bool) -> GraphLSTM:
    torch.manual_seed(0)
    return GraphLSTM(D, linked_cell).double()


def stepped(layer: GraphLSTM, inputs: list[Tensor], link: list[int]) -> list[Tensor]:
    """States of one history [T], from the formulas; link counts from 1, 0 is the start."""
    zero = torch.zeros(D, dtype=torch.float64)
    states, cells = [zero], [(zero, zero)]
    for x, other in zip(inputs, link, strict=True):
        made, summed = [], zero
        for k, past in enumerate((states[-1], states[other])):
            rows = slice(4 * D * k, 4 * D * (k + 1))
            i, f, g, o = (layer.of_input.weight[rows] @ x + layer.of_input.bias[rows] + past @ layer.of_state[k]).chunk(
                4
            )
            before = cells[other][1] if k == 1 and layer.linked_cell else cells[-1][k]
            made.append(torch.sigmoid(i) * torch.tanh(g) + torch.sigmoid(f) * before)
            summed = summed + torch.sigmoid(o) * torch.tanh(made[-1])
        states.append(summed)
        cells.append((made[0], made[1]))
    return states[1:]


@pytest.mark.parametrize("linked_cell", [False, True])
def test_states_and_gradients_equal_the_steps_written_out(linked_cell: bool) -> None:
    layer, (table, items, link) = layer_of(linked_cell), drawn()
    weigh = torch.randn(B, T, D, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    table.requires_grad_()
    wanted = [table, *layer.parameters()]
    expected = torch.stack(
        [torch.stack(stepped(layer, [table[k] for k in items[b]], link[b].tolist())) for b in range(B)]
    )
    slopes = torch.autograd.grad((expected * weigh).sum(), wanted)
    for rows in (items, torch.cat([items, items])):  # few clicks, and more clicks than items
        found = layer(table, rows, link.repeat(len(rows) // B, 1))
        torch.testing.assert_close(found[:B], expected, rtol=0, atol=1e-12)
        for one, other in zip(torch.autograd.grad((found[:B] * weigh).sum(), wanted), slopes, strict=True):
            torch.testing.assert_close(one, other, rtol=0, atol=1e-10)


def test_with_graph_gates_at_zero_it_is_the_lstm_of_torch() -> None:
    layer, (table, items, link) = layer_of(False), drawn()
    lstm = nn.LSTM(D, D, batch_first=True).double()
    with torch.no_grad():
        assert not torch.allclose(layer(table, items, link), lstm(table[items])[0], atol=1e-2)
        layer.of_input.weight[4 * D :] = 0
        layer.of_input.bias[4 * D :] = 0
        layer.of_state[1] = 0
        lstm.weight_ih_l0.copy_(layer.of_input.weight[: 4 * D])
        lstm.weight_hh_l0.copy_(layer.of_state[0].T)
        lstm.bias_ih_l0.copy_(layer.of_input.bias[: 4 * D])
        lstm.bias_hh_l0.zero_()
        torch.testing.assert_close(layer(table, items, link), lstm(table[items])[0], rtol=0, atol=1e-12)


def test_weights_start_orthogonal_and_biases_at_one() -> None:
    layer = layer_of(False)
    blocks = [*layer.of_input.weight.split(D), *(part for k in range(2) for part in layer.of_state[k].split(D, dim=1))]
    assert len(blocks) == 16 and bool((layer.of_input.bias == 1).all())
    for block in blocks:
        torch.testing.assert_close(block @ block.T, torch.eye(D, dtype=torch.float64), rtol=0, atol=1e-5)


def test_links_look_back_past_the_direct_predecessor_and_a_prefix_keeps_its_links() -> None:
    points = np.random.default_rng(0).integers(3, size=(40, 9, 2)).astype(np.float32)  # many at equal distance
    found = nearest_earlier(torch.from_numpy(points))
    for row, links in zip(points.astype(int), found.tolist(), strict=True):
        for t, j in enumerate(links):
            distances = [int(((row[t] - row[k]) ** 2).sum()) for k in range(t - 1)]
            assert j == (distances.index(min(distances)) if distances else 0) and j <= max(0, t - 2)
    for length in range(1, 9):
        assert torch.equal(nearest_earlier(torch.from_numpy(points[:, :length])), found[:, :length])


def test_components_keep_the_distances_of_narrow_features_and_the_largest_spread_of_wide_ones() -> None:
    data = small(0, items=12).data

    def distances(points: np.ndarray) -> np.ndarray:
        return np.asarray(((points[:, None].astype(np.float64) - points[None]) ** 2).sum(2))

    whole = [table.standardised().values / table.values.shape[1] ** 0.5 for table in data.features.values()]
    np.testing.assert_allclose(distances(principal_components(data)), distances(np.concatenate(whole, 1)), atol=1e-5)
    kept = principal_components(data, most=1)
    for k, values in enumerate(whole):
        largest = np.linalg.svd(values.astype(np.float64), compute_uv=False)[0]
        np.testing.assert_allclose(np.linalg.norm(kept[:, k + 1]), largest, rtol=1e-5)


@pytest.mark.parametrize("protocol", ["as-published", "causal"])
@pytest.mark.parametrize("graph_cell", ["previous", "linked"])
def test_scores_equal_both_sides_written_out(protocol: str, graph_cell: str) -> None:
    study = small(0, rows=80)
    model, targets = build(study, protocol=protocol, options={"graph_cell": graph_cell}), targets_of(study)[1]
    sides = set()
    with torch.no_grad():
        state = model.item(model.items().flatten(1))
        found = model(targets, torch.arange(6).expand(len(targets), -1))
        windows = [history.window(targets, length) for history, length in model.histories]
        for b in range(len(targets)):
            past = [window.items[b][window.valid[b]].flip(0).tolist() for window in windows]
            sides.add(tuple(len(part) > 0 for part in past))
            for item in range(6):
                scores = []
                for encoder, head, part in zip(model.encoders, model.heads, past, strict=True):
                    pooled = torch.zeros(4, dtype=torch.float64)
                    if part:
                        points = model.points[part]
                        link = [0] + [
                            1 + int(((points[t] - points[: max(1, t - 1)]) ** 2).sum(1).argmin())
                            for t in range(1, len(part))
                        ]
                        steps = torch.stack(stepped(encoder, [state[k] for k in part], link))  # type: ignore[arg-type]
                        pooled = (steps @ state[item] / 2).softmax(0) @ steps
                    scores.append(float(head(torch.cat([pooled, state[item]]))))
                expected = 0.68 * scores[0] + 0.32 * scores[1] if past[1] else scores[0]
                assert found[b, item] == pytest.approx(expected, abs=1e-9)
    assert (True, True) in sides and (True, False) in sides


def test_padding_is_never_read_and_every_parameter_learns() -> None:
    study = small(2, rows=80)
    model, targets = build(study, dropout=0.0), targets_of(study)[1]
    items = torch.arange(6).expand(len(targets), -1)
    state, encoded = model.refresh(), model.encode(model.refresh(), targets)
    before = model.score(state, encoded, targets, items)
    dirty = [(torch.where(valid[..., None], states, 1e3), valid) for states, valid in encoded]
    torch.testing.assert_close(model.score(state, dirty, targets, items), before, rtol=0, atol=1e-12)
    alone = model.encode(state, targets[slice(0, 1)])
    torch.testing.assert_close(
        model.score(state, alone, targets[slice(0, 1)], items[:1]), before[:1], rtol=0, atol=1e-12
    )
    model.train().training_loss("train", targets, items, torch.ones(len(targets), 6)).backward()
    idle = {name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()}
    assert idle == {f"items.absent.{name}" for name, table in study.data.features.items() if table.present.all()}
    expected = 0.5 * sum(
        float(p.detach().square().sum()) for n, p in model.named_parameters() if "heads" in n and p.dim() > 1
    )
    assert float(model.auxiliary_loss(None, None, targets, items)) == pytest.approx(5e-5 * expected)  # type: ignore[arg-type]


def test_what_was_refused_decides_and_without_it_the_system_is_the_plain_network() -> None:
    """Switched off, the system is no better than the plain network: the signal is what is measured."""
    data = refusals()
    config = Config.for_model(
        "alpine",
        **{
            **SETTINGS,
            "history_length": 5,
            "embedding_size": 16,
            "hidden": (32,),
            "dropout": 0.1,
            "epochs": 8,
            "learning_rate": 5e-3,
            "batch_size": 50,
            "options": {"non_clicks": 6},
        },
    )
    on, off = (auc(data, config.replace(**{"options.non_clicks": count})) for count in (6, 0))
    plain = auc(data, config, PlainMLP)
    assert on > plain + 0.1, (on, plain)
    assert off < plain + 0.03, (off, plain)
