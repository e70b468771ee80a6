"""A world in which only what a user was shown and did not click tells what the user clicks next."""

from __future__ import annotations

import numpy as np

from hyperctr.data.dataset import Dataset
from tests.baselines.signals import Events


def refusals(
    seed: int = 0, users: int = 60, clicks: int = 30, shown: int = 3, groups: int = 4, items: int = 160
) -> Dataset:
    """Before every click a user refuses items of one group, drawn anew, and then clicks one of the group after it.

    Clicks alone take all groups in equal shares and tell nothing of the next. One of ten clicks is of any group.
    """
    draw = np.random.default_rng(seed)
    group, events = np.arange(items) % groups, Events([], [], [])
    for _ in range(clicks):
        refused = draw.integers(groups, size=users)
        liked = np.where(draw.random(users) < 0.9, (refused + 1) % groups, draw.integers(groups, size=users))
        for now, clicked in [(refused, False)] * shown + [(liked, True)]:
            events.user.extend(range(users))
            events.item.extend((draw.integers(items // groups, size=users) * groups + now).tolist())
            events.clicked.extend([clicked] * users)
    return events.dataset(group)
