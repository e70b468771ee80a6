"""Negatives of training: what is avoided is never drawn, all else equally often, and a key repeats its draw."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hyperctr.config import Config
from hyperctr.data.dataset import Dataset
from hyperctr.errors import DataError, ShapeError
from hyperctr.split_data import SplitData
from hyperctr.training import negatives
from hyperctr.training.negatives import NegativeSampler, NonClickSampler
from tests.data.test_negatives import built, clicked_by, random_log

pytestmark = pytest.mark.filterwarnings("ignore::hyperctr.errors.DataWarning")
needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
DEVICES = ["cpu", pytest.param("cuda", marks=[pytest.mark.gpu, needs_gpu])]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), density=st.sampled_from([30, 400, 950]), share=st.sampled_from([0.0, 0.6, 1.0]))
def test_every_rank_is_an_item_of_its_own_and_none_that_is_avoided(seed: int, density: int, share: float) -> None:
    """Exactly: with the ranks 0 to n - 1 instead of random ones, each item left comes once, in order."""
    data = built(random_log(rows=density, seed=seed))
    draw = np.random.default_rng(seed)
    avoided = draw.permutation(data.clicks[draw.random(len(data.clicks)) < share])  # in any order
    sets = clicked_by(data, avoided)
    left = {user: sorted(set(range(data.num_items)) - sets.get(user, set())) for user in range(data.num_users)}
    users = torch.tensor([user for user, items in left.items() if items])
    with pytest.MonkeyPatch.context() as patch:
        ranks = torch.arange(data.num_items).repeat(len(users), 1)
        patch.setattr(negatives.torch, "randint", lambda *_, **__: ranks.clone())
        drawn = NegativeSampler(data, avoided, users, seed).sample(data.num_items, "epoch", 0)
    assert drawn.dtype == torch.int64
    for user, row in zip(users.tolist(), drawn.tolist(), strict=True):
        count = len(left[user])
        assert row[:count] == left[user]
        assert row[count:] == [left[user][k % count] for k in range(count, data.num_items)]
    drawn = NegativeSampler(data, avoided, users, seed).sample(7, "epoch", 0)
    for user, row in zip(users.tolist(), drawn.tolist(), strict=True):
        assert set(row) <= set(left[user])


@pytest.mark.parametrize("device", DEVICES)
def test_draws_are_uniform_and_keyed(device: str) -> None:
    data = built(random_log())
    sampler = NegativeSampler(data, data.clicks, torch.tensor([3, 4], device=device), seed=1)
    sample = sampler.sample(40_000, "epoch", 1)
    assert sample.device == sampler.users.device
    for user, drawn in zip((3, 4), sample.cpu().numpy(), strict=True):
        free = sorted(set(range(40)) - clicked_by(data)[user])
        assert set(drawn) == set(free)
        found = np.bincount(drawn, minlength=40)[free]
        expected = 40_000 / len(free)
        # Chi-square with len(free) - 1 degrees of freedom: mean k, standard deviation sqrt(2 k).
        chi = ((found - expected) ** 2 / expected).sum()
        assert chi < len(free) + 5 * np.sqrt(2 * len(free))
    users = torch.from_numpy(data.user_index[:50].copy()).to(device)
    sampler, again = (NegativeSampler(data, data.clicks, users, seed=1) for _ in range(2))
    state = torch.get_rng_state()
    again.sample(7, "something else")  # earlier draws change nothing
    assert torch.equal(sampler.sample(4, "epoch", 2), again.sample(4, "epoch", 2))
    assert not torch.equal(sampler.sample(4, "epoch", 2), sampler.sample(4, "epoch", 3))
    other = NegativeSampler(data, data.clicks, users, seed=2)
    assert not torch.equal(sampler.sample(4, "epoch", 2), other.sample(4, "epoch", 2))
    assert torch.equal(torch.get_rng_state(), state)  # nor does a draw change the caller's


def test_a_user_who_clicked_everything_and_bad_arguments() -> None:
    frame = pd.DataFrame({"user_id": ["all"] * 4 + ["one"] * 2, "item_id": [0, 1, 2, 3, 0, 1], "timestamp": 1})
    data = Dataset("tiny", frame)
    users = torch.tensor([1, 0])
    with pytest.raises(DataError, match="user 'all' clicked every item"):
        NegativeSampler(data, data.clicks, users)
    fewer = NegativeSampler(data, data.clicks[1:], users)  # without the click of item 0 by 'all', which is then drawn
    assert fewer.sample(3)[1].tolist() == [0, 0, 0]
    assert fewer.available.tolist() == [1, 2]
    for rows in (data.clicked, data.clicks[:, None], data.clicks.astype(float)):
        with pytest.raises(ShapeError, match=r"integers \[C\]"):
            NegativeSampler(data, rows, users)
    for row in (-1, 6):
        with pytest.raises(DataError, match=rf"0\.\.5; got {row}"):
            NegativeSampler(data, [row], users)
    assert set(NegativeSampler(data, data.clicks, users[:1]).sample(50)[0].tolist()) == {2, 3}
    assert NegativeSampler(data, data.clicks, users[:0]).sample(3).shape == (0, 3)
    for wrong in (users[:, None], users.float()):
        with pytest.raises(ShapeError, match=r"integers \[B\]"):
            NegativeSampler(data, data.clicks, wrong)
    for user in (-1, 2):
        with pytest.raises(DataError, match=r"0\.\.1"):
            NegativeSampler(data, data.clicks, torch.tensor([user]))
    with pytest.raises(ShapeError, match="at least 1; got 0"):
        fewer.sample(0)


def test_a_million_draws_take_less_than_a_second() -> None:
    draw = np.random.default_rng(0)
    users, items = draw.integers(5_000, size=10**6), (draw.random(10**6) ** 3 * 20_000).astype(np.int64)
    log = pd.DataFrame({"user_id": users, "item_id": items, "timestamp": 1}).drop_duplicates(ignore_index=True)
    data = Dataset("large", log)
    sampler = NegativeSampler(data, data.clicks, torch.from_numpy(data.user_index.copy()))
    count = 2 if len(data.clicks) < 10**6 else 1
    started = time.process_time()
    drawn = sampler.sample(count, "epoch", 0)
    assert time.process_time() - started < 1.0
    pairs = torch.from_numpy(data.user_index * data.num_items + data.item_index)
    assert not torch.isin(sampler.users[:1000, None] * data.num_items + drawn[:1000], pairs).any()


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), share=st.sampled_from([0.0, 0.4, 1.0]))
def test_non_clicks_are_what_was_shown_in_training_and_never_clicked_there(seed: int, share: float) -> None:
    log = random_log(rows=300, seed=seed)
    log["clicked"] = np.random.default_rng(seed).random(len(log)) < 0.5
    split_data = SplitData.open(built(log), Config(slot_count=2, seed=seed))
    data, parts = split_data.data, split_data.split
    clicked, shown = (clicked_by(data, rows) for rows in (parts.train, parts.non_clicks("train")))
    users = torch.arange(data.num_users).repeat_interleave(200)
    sampled = torch.full((len(users), 2), -1)
    drawn = NonClickSampler(split_data, users, seed).replace_first(sampled, share, "epoch", 0)
    assert (drawn[:, 1] == -1).all()
    for user, first in enumerate(drawn[:, 0].view(data.num_users, 200).tolist()):
        allowed = shown.get(user, set()) - clicked.get(user, set())
        replaced = [item for item in first if item >= 0]
        assert set(replaced) <= allowed
        assert abs(len(replaced) / 200 - share * bool(allowed)) < 0.2  # five standard deviations and more
        if len(allowed) <= 5 and share:
            assert set(replaced) == allowed


def test_non_clicks_repeat_their_draw_and_may_be_missing() -> None:
    log = random_log(rows=300, seed=1)
    log["clicked"] = np.arange(len(log)) % 2 == 0
    split_data = SplitData.open(built(log), Config(slot_count=2))
    users, sampled = torch.arange(split_data.data.num_users), torch.full((split_data.data.num_users, 1), -1)
    sampler = NonClickSampler(split_data, users, seed=3)
    first, again, other = (sampler.replace_first(sampled, 0.5, "epoch", epoch) for epoch in (0, 0, 1))
    assert torch.equal(first, again) and not torch.equal(first, other)
    clicks_only = SplitData.open(built(random_log(rows=300, seed=1).assign(clicked=True)), Config(slot_count=2))
    assert torch.equal(NonClickSampler(clicks_only, users).replace_first(sampled, 1.0, "epoch", 0), sampled)
