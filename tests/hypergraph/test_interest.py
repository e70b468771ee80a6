"""Interest pre-training: values against explicit float64 formulas, no leakage, recovery of the planted."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from hyperctr.averaging import WeightAverage
from hyperctr.data.dataset import Dataset
from hyperctr.data.planted import planted
from hyperctr.data.splits import Split, split
from hyperctr.errors import ConfigError, DataError, ShapeError
from hyperctr.hypergraph.interest import Interest, pretrain_interest, uip_loss
from hyperctr.hypergraph.recovery import interest_recovery, true_interest
from hyperctr.slots import Slots, make_slots
from hyperctr.split_data import SplitData

FEW = {"embedding_size": 8, "epochs": 2, "batch_size": 64, "device": "cpu"}


@pytest.fixture(scope="module")
def small() -> tuple[Dataset, Split, Slots]:
    data = planted(num_users=50, num_items=100, num_interactions=1000, months=12, groups=4, missing=0.3)
    return data, split(data), make_slots(data, months=6)


@pytest.fixture(scope="module")
def learned(small: tuple[Dataset, Split, Slots]) -> Interest:
    return pretrain_interest(*small, **FEW)


def test_loss_is_info_nce_over_the_other_items_that_have_the_modality() -> None:
    draw = np.random.default_rng(0)
    logits, item = draw.normal(size=(7, 7)) * 3, np.array([5, 2, 5, 9, 2, 0, 7])
    present = np.array([1, 1, 1, 0, 1, 0, 1], bool)
    terms = []
    for b in range(7):
        if present[b]:
            rivals = [c for c in range(7) if c == b or (present[c] and item[c] != item[b])]
            terms.append(-logits[b, b] + math.log(sum(math.exp(logits[b, c]) for c in rivals)))
    loss = uip_loss(torch.from_numpy(logits), torch.from_numpy(item), torch.from_numpy(present))
    assert loss.item() == pytest.approx(sum(terms) / len(terms), rel=1e-12)
    assert uip_loss(torch.ones(2, 2), torch.tensor([0, 1]), torch.zeros(2, dtype=torch.bool)).item() == 0.0


def test_degrees_are_the_critic_of_equation_10(small: tuple[Dataset, Split, Slots], learned: Interest) -> None:
    data, parts, _ = small
    tables = {name: table.standardised() for name, table in data.features.items()}
    for click in range(0, len(parts.train), 37):
        user, item = data.user_index[parts.train[click]], data.item_index[parts.train[click]]
        logits = {}
        for name, table in tables.items():
            if table.present[item]:
                attribute = learned.projections[name].astype(float).T @ table.values[item].astype(float)
                side = (learned.weights[name].astype(float).T @ learned.item_embedding[item]) * attribute
                logits[name] = side @ learned.user_embedding[user].astype(float)
        middle = sum(logits.values()) / len(logits)
        for m, name in enumerate(data.modalities):
            if name in logits:
                expected = 1 / (1 + math.exp(middle - logits[name]))
                assert learned.degree[click, m] == pytest.approx(expected, abs=1e-6)
            else:
                assert np.isnan(learned.degree[click, m])


def test_matrix_is_the_mean_over_the_users_training_clicks_of_the_slot(
    small: tuple[Dataset, Split, Slots], learned: Interest
) -> None:
    data, parts, slots = small
    assert learned.matrix.shape == (2, 50, 3)
    assert np.isnan(learned.degree).any()
    for t in range(2):
        for u in range(50):
            mine = (data.user_index[parts.train] == u) & (slots.index[parts.train] == t)
            for m in range(3):
                degrees = [float(d) for d in learned.degree[mine, m] if not np.isnan(d)]
                found = learned.matrix[t, u, m]
                if degrees:
                    assert found == pytest.approx(math.fsum(degrees) / len(degrees), rel=1e-6)
                else:
                    assert np.isnan(found)


def test_equal_seeds_are_bit_identical(small: tuple[Dataset, Split, Slots], learned: Interest) -> None:
    again, other = pretrain_interest(*small, **FEW), pretrain_interest(*small, seed=1, **FEW)
    np.testing.assert_array_equal(learned.degree, again.degree)
    np.testing.assert_array_equal(learned.matrix, again.matrix)
    assert not np.array_equal(learned.degree, other.degree, equal_nan=True)


def test_nothing_but_training_clicks_has_any_influence(small: tuple[Dataset, Split, Slots], learned: Interest) -> None:
    data, parts, slots = small
    hidden = np.ones(len(data.clicked), dtype=bool)
    hidden[parts.train] = False
    draw = np.random.default_rng(1)
    altered = copy.copy(data)
    altered.user_index = np.where(hidden, draw.integers(50, size=len(hidden)), data.user_index)
    altered.item_index = np.where(hidden, draw.integers(100, size=len(hidden)), data.item_index)
    found = pretrain_interest(altered, parts, slots, **FEW)
    np.testing.assert_array_equal(learned.degree, found.degree)
    np.testing.assert_array_equal(learned.matrix, found.matrix)

    kept = copy.copy(data)  # and the same when all other rows are deleted
    for name in ("user_index", "item_index", "timestamp", "clicked"):
        setattr(kept, name, getattr(data, name)[parts.train])
    only = Split(parts.kind, parts.ratios, parts.seed, parts.part[parts.train], parts.clicked[parts.train])
    fewer = Slots(slots.index[parts.train], slots.labels, slots.edges, slots.clock, slots.months)
    found = pretrain_interest(kept, only, fewer, **FEW)
    np.testing.assert_array_equal(learned.degree, found.degree)


def test_values_behind_a_missing_modality_are_never_read(
    small: tuple[Dataset, Split, Slots], learned: Interest
) -> None:
    data, parts, slots = small
    altered = copy.copy(data)
    altered.features = {name: copy.copy(table) for name, table in data.features.items()}
    for table in altered.features.values():
        table.values = np.where(table.present[:, None], table.values, np.float32(77.0))
        scaled = copy.copy(table)
        scaled.values = np.where(table.present[:, None], table.standardised().values, np.float32(77.0))
        table.standardised = lambda scaled=scaled: scaled
    found = pretrain_interest(altered, parts, slots, **FEW)
    np.testing.assert_array_equal(learned.degree, found.degree)


def test_of_one_modality_alone_a_half_is_the_average_click(small: tuple[Dataset, Split, Slots]) -> None:
    data, parts, slots = small
    found = pretrain_interest(data.subset_modalities(["acoustic"]), parts, slots, **FEW)
    known = found.degree[~np.isnan(found.degree)]
    assert found.degree.shape == (len(parts.train), 1)
    assert np.log(known / (1 - known)).mean() == pytest.approx(0.0, abs=1e-6)
    assert known.std() > 0


def test_the_critic_is_the_average_of_about_two_epochs(
    small: tuple[Dataset, Split, Slots], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of n batches an epoch, eight at most, one's weights count exp(-1/2n) times as much as the next one's."""
    seen: list[list[np.ndarray]] = []
    update = WeightAverage.update

    def watched(average: WeightAverage) -> None:
        seen.append([value.detach().double().numpy().copy() for value in average.model.parameters()])
        update(average)

    monkeypatch.setattr(WeightAverage, "update", watched)
    learned = pretrain_interest(*small, **FEW | {"batch_size": 100})
    assert -(-len(small[1].train) // 100) == 5 and len(seen) == 2 * 5, "every batch of two epochs"
    shares = np.exp(-np.arange(10)[::-1] / 10)
    users, items = (sum(s * w[k] for s, w in zip(shares, seen, strict=True)) / shares.sum() for k in (0, 1))
    np.testing.assert_allclose(learned.user_embedding, users, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(learned.item_embedding, items, rtol=1e-4, atol=1e-6)
    assert np.abs(learned.user_embedding - seen[-1][0]).max() > 1e-3


@pytest.fixture
def one_thread() -> Iterator[None]:
    """A few hundred small steps: threads that wait for a busy core cost ten times what they save."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("one_thread")
def test_planted_interest_is_recovered() -> None:
    data = planted()
    parts, slots = split(data), make_slots(data, months=6)
    interest = pretrain_interest(data, parts, slots, device="cpu")
    recovered = interest_recovery(SplitData(data, parts, slots), interest)
    assert list(recovered) == ["visual", "acoustic", "textual"]
    assert np.mean(list(recovered.values())) >= 0.925
    assert interest.losses[-1] < interest.losses[0]

    # The number itself, once more by scikit-learn.
    mix = true_interest(SplitData(data, parts, slots))
    cell = ~np.isnan(mix[..., 0]) & ~np.isnan(interest.matrix[..., 1])
    leads = mix[cell].argmax(axis=1) == 1
    assert recovered["acoustic"] == pytest.approx(roc_auc_score(leads, interest.matrix[..., 1][cell]), abs=1e-9)


def test_what_cannot_work_is_refused(small: tuple[Dataset, Split, Slots]) -> None:
    data, parts, slots = small
    with pytest.raises(ConfigError, match="batch_size = 1 must be at least 2"):
        pretrain_interest(data, parts, slots, batch_size=1)
    other = planted(num_users=20, num_items=60, num_interactions=200, months=12, groups=2)
    with pytest.raises(ShapeError, match="make both from this data set"):
        pretrain_interest(other, parts, slots)
    bare = copy.copy(data)
    bare.truth = None
    with pytest.raises(DataError, match="carries no truth"):
        true_interest(SplitData(bare, parts, slots))
