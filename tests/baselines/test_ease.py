"""EASE: the regression solved column by column, distinct visible clicks summed, ahead where clicks exclude others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from hyperctr.baselines.ease import network as ease
from hyperctr.baselines.ease.network import Ease, cosine_weights, ease_weights, item_products
from hyperctr.config import Config
from hyperctr.data.dataset import Dataset
from hyperctr.errors import ConfigError
from hyperctr.model.context import Context
from hyperctr.model.history import Targets
from tests.baselines.signals import SETTINGS, Events, PlainMLP, auc
from tests.small import Small, small, visible

pytestmark = pytest.mark.filterwarnings("ignore::hyperctr.errors.DataWarning")


def build(study: Small, **changes: Any) -> Ease:
    config = Config.for_model("ease", **changes)
    model = Ease(Context.build(study, None, config), config)
    model.double().solve()
    return model.eval()


def clicked(study: Small) -> np.ndarray:
    """X, from the list of clicks."""
    matrix = np.zeros((study.data.num_users, study.data.num_items))
    for user, item, _, _ in study.clicks:
        matrix[user, item] = 1
    return matrix


def test_weights_are_the_best_prediction_of_each_item_by_the_others() -> None:
    """Each column is a ridge regression of its own, solved without the item itself."""
    study = small(0, users=12, items=9, rows=90)
    matrix, l2 = clicked(study), 1.7
    clicks = np.array([(user, item) for user, item, _, _ in study.clicks])
    assert len(np.unique(clicks, axis=0)) < len(clicks)  # someone clicked something twice
    products = item_products(clicks[:, 0], clicks[:, 1], 9)
    np.testing.assert_array_equal(products, matrix.T @ matrix)
    found = ease_weights(products, l2)
    for j in range(9):
        others = np.delete(np.arange(9), j)
        part = matrix[:, others]
        best = np.linalg.solve(part.T @ part + l2 * np.eye(8), part.T @ matrix[:, j])
        np.testing.assert_allclose(found[others, j], best, atol=1e-12)
        assert found[j, j] == 0
    model = build(study, options={"l2": l2})
    np.testing.assert_allclose(model.weights.numpy(), found, rtol=0, atol=1e-14)


def test_items_that_nobody_clicked_need_no_inverse(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is solved is of the size of the items clicked, so a dry run's sample is soon done; nothing else changes."""
    study, sizes = small(3, users=6, items=60, rows=25), []
    matrix = clicked(study)
    none = np.flatnonzero(matrix.sum(0) == 0)
    whole = ease_weights(matrix.T @ matrix, 2.5)
    np.testing.assert_allclose(whole, by_inverse(matrix.T @ matrix, 2.5), rtol=0, atol=1e-14)

    def solved(products: np.ndarray, l2: float) -> np.ndarray:
        sizes.append(len(products))
        return ease_weights(products, l2)

    monkeypatch.setattr(ease, "ease_weights", solved)
    found = build(study, options={"l2": 2.5}).weights.numpy()
    assert sizes == [60 - len(none)] and len(none) > 20
    assert not found[none].any() and not found[:, none].any()
    np.testing.assert_allclose(found, whole, rtol=0, atol=1e-14)


def by_inverse(products: np.ndarray, l2: float) -> np.ndarray:
    """The formula as it is written: the inverse of the whole matrix."""
    inverse = np.linalg.inv(products + l2 * np.eye(len(products)))
    weights: np.ndarray = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    return weights


def test_cosine_of_items_that_nobody_clicked_is_zero() -> None:
    matrix = np.array([[1.0, 1, 0, 0], [0, 1, 1, 0], [1, 1, 0, 0]])
    root = 2 / 6**0.5
    expected = np.array([[0, root, 0, 0], [root, 0, 1 / 3**0.5, 0], [0, 1 / 3**0.5, 0, 0], [0, 0, 0, 0]])
    np.testing.assert_allclose(cosine_weights(matrix.T @ matrix), expected, atol=1e-15)


@pytest.mark.parametrize("protocol", ["as-published", "causal"])
def test_scores_sum_the_weights_of_distinct_visible_items(protocol: str, monkeypatch: pytest.MonkeyPatch) -> None:
    study = small(1, rows=80)
    model = build(study, protocol=protocol, history_length=6)
    with torch.no_grad():
        model.log_scale.fill_(0.7)
        model.shift.fill_(-0.3)
    rows = [(u, s, t, c) for c, (u, _, s, t) in enumerate(study.clicks)]
    rows += [(u, int(study.slots.of([t])[0]), t, -1) for u in range(5) for t in (0, 15, 29)]
    targets = Targets(*torch.tensor(rows).T.contiguous())
    items = torch.arange(6).expand(len(rows), -1)
    found = model(targets, items)
    repeats = 0
    for b, (user, slot, timestamp, hidden) in enumerate(rows):
        past = [item for _, _, item, _ in visible(study, protocol, user, slot, timestamp, hidden, most=6)]
        repeats += len(set(past)) < len(past)
        for item in range(6):
            total = sum(float(model.weights[j, item]) for j in set(past))
            assert float(found[b, item]) == pytest.approx(np.exp(0.7) * total - 0.3, abs=1e-12)
    assert repeats > 5
    monkeypatch.setattr(
        ease, "in_pieces", lambda score, some, n: torch.cat([score(some[:, :4]), score(some[:, 4:])], 1)
    )
    torch.testing.assert_close(model(targets, items), found, rtol=0, atol=1e-12)


def test_only_scale_and_shift_are_learnt_and_a_large_catalogue_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    study = small(2)
    assert {name for name, _ in build(study).named_parameters()} == {"log_scale", "shift"}
    monkeypatch.setattr(ease, "MOST_ITEMS", 5)
    with pytest.raises(ConfigError, match="6 items are more than the 5 that fit"):
        build(study)


def substitutes(seed: int = 0, users: int = 300, pairs: int = 20) -> Dataset:
    """Items come in pairs that serve the same end: who clicks one never clicks the other; all else is chance.

    Users differ in how much they click, so that a sum over their clicks says more of the user than of the candidate.
    Features tell nothing.
    """
    draw = np.random.default_rng(seed)
    rows = [
        (user, 2 * pair + draw.integers(2))
        for user in range(users)
        for pair in draw.permutation(pairs)[: draw.integers(8, pairs - 1)]
    ]
    order = draw.permutation(len(rows))
    events = Events([int(rows[k][0]) for k in order], [int(rows[k][1]) for k in order], [True] * len(rows))
    return events.dataset(np.zeros(2 * pairs, dtype=np.int64))


def test_clicks_exclude_others_and_only_the_regression_sees_it() -> None:
    """Switched off, as a cosine, the system is no better than the plain network: the signal is what is measured."""
    data = substitutes()
    config = Config.for_model(
        "ease", **{**SETTINGS, "protocol": "as-published", "slot_count": 1, "options": {"l2": 20.0}}
    )
    on, off = (auc(data, config.replace(**{"options.weights": kind})) for kind in ("ease", "cosine"))
    plain = auc(data, config.replace(epochs=8, learning_rate=3e-3), PlainMLP)
    assert on > plain + 0.1, (on, plain)
    assert off < plain + 0.05, (off, plain)
