"""A sample of a split data set: whole users, the same in all parts, within its limit."""

from __future__ import annotations

import numpy as np

from hyperctr.config import Config
from hyperctr.split_data import SplitData
from tests.conftest import Tiny


def test_a_sample_is_of_whole_users_and_within_its_limit(tiny: Tiny) -> None:
    whole = SplitData.open(tiny.data, Config())
    few = whole.sample(60)
    assert few.data is whole.data and few.slots is whole.slots
    kept = {}
    for name in ("train", "validation", "test"):
        for kind in ("rows", "non_clicks"):
            rows, sampled = getattr(whole.split, kind)(name), getattr(few.split, kind)(name)
            assert len(sampled) == min(60, len(rows)) and np.isin(sampled, rows).all()
            counts, sizes = (
                np.bincount(tiny.data.user_index[r], minlength=tiny.data.num_users) for r in (sampled, rows)
            )
            assert (np.flatnonzero((counts > 0) & (counts < sizes))).size <= 1  # the last user is cut short
            kept[name, kind] = set(np.flatnonzero(counts))
    scarce = kept["train", "rows"]  # of which there are most a user, so that fewest users fill the limit
    assert len(scarce) < 20 and scarce <= kept["test", "rows"] | set(
        np.flatnonzero(np.bincount(tiny.data.user_index[whole.split.test], minlength=tiny.data.num_users) == 0)
    )


def test_a_sample_follows_its_seed_and_leaves_alone_what_is_within_the_limit(tiny: Tiny) -> None:
    whole = SplitData.open(tiny.data, Config())
    assert whole.sample(60).split.checksum == whole.sample(60).split.checksum != whole.sample(60, seed=1).split.checksum
    assert whole.sample(10_000).split.checksum == whole.split.checksum
