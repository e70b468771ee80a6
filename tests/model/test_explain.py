"""Sources, clicks and other hypergraphs of a score, against the formulas in float64 and against models built anew."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import expit

from hyperctr.hypergraph.settings import GraphSettings
from hyperctr.hypergraph.stack import SlotHypergraphs
from hyperctr.metrics.platt import Calibration
from hyperctr.model.context import Context
from hyperctr.model.explain import click_effects, scores_by_source, window_without, with_graphs
from hyperctr.model.history import ClickHistory, Targets, Window
from hyperctr.model.hyperctr import HyperCTR
from hyperctr.model.neighbourhood import Neighbourhood, Removed
from hyperctr.model.slot_convolution import ITEM, USER
from tests.model.dense import Dense
from tests.model.test_neighbourhood import TINY, VARIANTS, build, single
from tests.small import Small, small, targets_of

pytestmark = pytest.mark.filterwarnings("ignore::hyperctr.errors.DataWarning")
CALIBRATION = Calibration(0.7, -0.2)


@pytest.fixture(autouse=True)
def _without_gradients() -> Iterator[None]:
    with torch.no_grad():
        yield


class Sources(Dense):
    """The dense model with some sources left out."""

    history_there, sides = True, (True, True)

    def history(self, *asked: Any) -> list[tuple[int, int, int, int]]:
        return super().history(*asked) if self.history_there else []

    def seen(self, side: int, node: int, slot: int) -> Any:
        return super().seen(side, node, slot) if self.sides[side] else (self.user, self.static)[side][node]


@pytest.mark.parametrize("changes", [{}, {"protocol": "causal"}, {"matching": False, "layers": 1}], ids=str)
def test_a_score_by_source_is_the_formula_with_one_source_after_the_other(changes: dict[str, Any]) -> None:
    study = small(12, rows=90)
    model, config = build(study, **changes), TINY.replace(**changes)
    rows, targets = targets_of(study)
    steps = []
    for number in range(0, len(targets), 7):
        (user, _, slot, time), item = study.clicks[rows[number][3]], number % study.data.num_items
        target = single(targets, number)
        user, slot, time = int(target.user), int(target.slot), int(target.timestamp)
        hidden = int(target.click)
        dense = Sources(study, config, model, [hidden] if hidden >= 0 else [])
        expected = [0.5]
        for there, sides in ((False, (0, 0)), (True, (0, 0)), (True, (1, 0)), (True, (1, 1))):
            dense.history_there, dense.sides = there, (bool(sides[0]), bool(sides[1]))
            expected.append(expit(0.7 * dense.logit(user, slot, time, hidden, item) - 0.2))
        found = scores_by_source(Neighbourhood(model, target, item), CALIBRATION)
        np.testing.assert_allclose(found, expected, atol=1e-9)
        steps.append(np.abs(np.diff(found)))
    assert (np.max(steps, axis=0) > 1e-3).all(), "each source does something somewhere"


@pytest.mark.parametrize("changes", VARIANTS, ids=lambda changes: " ".join(map(str, changes.values())) or "paper")
def test_vectors_without_each_hyperedge_are_those_of_one_removed(changes: dict[str, Any]) -> None:
    study = small(12, rows=90)
    model = build(study, **changes)
    _, targets = targets_of(study)
    for number in range(0, len(targets), 6):
        around = Neighbourhood(model, single(targets, number), number % study.data.num_items)
        for side in (USER, ITEM):
            place = around.place(side)
            edges, vectors = around.without_each(side)
            assert (len(edges) > 0) == (place is not None) == (len(vectors) > 0)
            for edge, vector in zip(edges.tolist(), vectors, strict=True):
                assert place is not None
                alone = around.vector(side, Removed([(side, place[0], edge)]))
                expected = around.alone(side) if alone is None else alone
                torch.testing.assert_close(vector, expected, rtol=0, atol=1e-12)


def without_click(study: Small, model: HyperCTR, target: Targets, click: tuple[int, int]) -> ClickHistory:
    """The history of a study that never had a click (item, timestamp) of the target's user."""
    clicks = enumerate(study.clicks)
    gone = [k for k, (u, i, _, t) in clicks if (u, i, t) == (int(target.user), *click)]
    assert gone
    other = ClickHistory(study.without(gone), model.config.protocol)
    if int(target.click) >= 0:  # hidden, whatever its number is now
        left = [k for k in range(len(study.clicks)) if k not in gone]
        target.click[:] = left.index(int(target.click)) if int(target.click) in left else -1
    return other


@pytest.mark.parametrize("protocol", ["as-published", "causal"])
@pytest.mark.parametrize("length", [2, 4, 40])
def test_a_click_struck_out_had_never_been(protocol: str, length: int) -> None:
    study = small(13, rows=120, users=4)
    model = build(study, protocol=protocol, history_length=length)
    history = model.context.history
    _, targets = targets_of(study)
    moved = 0
    for number in range(len(targets)):
        target = single(targets, number)
        window = history.window(target, length)
        for k in range(int(window.lengths)):
            click = int(window.items[0, k]), int(window.timestamp[0, k])
            asked = Targets(*(part.clone() for part in list(vars(target).values())[:4]))
            found = window_without(history, target, length, [click])
            expected = without_click(study, model, asked, click).window(asked, length)
            for name in ("items", "valid", "short", "timestamp"):
                assert torch.equal(getattr(found, name), getattr(expected, name)), name
            assert torch.equal(found.position[found.valid], expected.position[expected.valid])
            moved += bool(found.lengths == window.lengths)  # another one has come in
    assert (moved > 0) == (length < 40)


def test_effects_of_clicks_are_differences_of_scores_without_them() -> None:
    study = small(14, rows=120, users=4)
    model = build(study)
    _, targets = targets_of(study)
    target = single(targets, 11)
    around = Neighbourhood(model, target, 2)
    effects = click_effects(around, CALIBRATION)
    full = CALIBRATION.probabilities(around.logit(around.vectors()))
    far = [abs(effect.timestamp - int(target.timestamp)) for effect in effects]
    assert len(effects) == int(around.window.lengths) > 2 and far == sorted(far)
    for effect in effects:
        gone = window_without(model.context.history, target, TINY.history_length, [(effect.item, effect.timestamp)])
        without = CALIBRATION.probabilities(around.logits(around.vectors(), gone).item())
        assert effect.value == pytest.approx(float(full - without), abs=1e-12) and abs(effect.value) > 1e-9
        assert study.slots.of(np.array([effect.timestamp]))[0] == effect.slot


def test_other_hypergraphs_leave_the_weights_as_they_are() -> None:
    study = small(15, rows=90)
    model, asked = build(study), {"interest_threshold": 0.3, "max_neighbours": 3}
    config = TINY.replace(**asked)
    expected = HyperCTR(Context.build(study, study.interest, config), config).double().eval()
    expected.load_state_dict(model.state_dict())
    graphs = SlotHypergraphs(study, study.interest, GraphSettings.of(config))
    other, (_, targets) = with_graphs(model, graphs), targets_of(study)
    scores = [[float(m(single(targets, 7), torch.tensor([[k]]))) for k in range(6)] for m in (expected, other, model)]
    np.testing.assert_allclose(scores[1], scores[0], atol=1e-12)
    assert np.abs(np.subtract(scores[1], scores[2])).max() > 1e-6 and model.context.graphs is not graphs


def test_an_empty_history_has_no_clicks_to_strike() -> None:
    study = small(16, rows=60)
    model = build(study, protocol="causal")
    nobody = Targets(*(torch.tensor([value]) for value in (0, 0, 0, -1)))
    around = Neighbourhood(model, nobody, 1)
    assert click_effects(around) == [] and isinstance(around.window, Window)
    assert len(scores_by_source(around)) == 5
