"""The world behind the data set ``planted``: who likes what, what is shown to whom, what is clicked.

Nothing here is fitted to a real data set; it is a small world in which the claims of the method can be right or wrong:

1. Every item has a latent content per modality: a topic, and one of the topic's many looks.
2. Every user has a taste per modality (shared with the user's group, plus an own part) and a modality mix:
   how much each modality decides. The mix is peaked and drifts slowly over the calendar; its value per month
   is the truth that the interest matrix ``F^t`` (section 2.3.1 of the paper) should recover.
3. Items differ in power-law popularity, and rise and fade. Such a trend is about one modality (a sound, a
   look, a story) and takes hold in some groups, among the users whom that modality leads. Items also have a
   character that no feature shows and that groups agree on. Both can only be learned from other people's
   clicks: this is where hypergraphs can earn something beyond content.
4. Users are shown items (popular, trending, roughly to their taste); a shown item is clicked when it matches.
   Rows shown and not clicked are real non-clicks. Nobody is shown the same item twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hyperctr.data.planted_feed import SHOWN_HIDDEN, SHOWN_TASTE, TREND, draw_items
from hyperctr.runtime import rng

Float = NDArray[np.float64]
Int = NDArray[np.int64]

CONTENT_DIM = 6  # latent content dimensions per modality, and topics
STYLES = 512  # looks of a topic: few of 2000 items have the same
BLOCK = 1 << 20  # rows looked at at a time

# Strengths (in logits) of what decides, chosen so that popularity alone, one modality, all modalities and the
# full truth are clearly apart; tests/data/test_planted.py bounds the AUC that each of them reaches.
POWER, PEAK, SHARED, ACTIVITY = 0.85, 3.5, 1.5, 0.8
CLICK_TASTE, CLICK_HIDDEN, CLICK_SHARE = 1.5, 0.5, 2 / 3


@dataclass(frozen=True)
class PlantedTruth:
    """What the generator knows and a model may only infer.

    ``G`` groups, ``K`` latent dimensions, ``M`` modalities; rows are those of ``Dataset.interactions``.

    Attributes:
        modalities: names, in the order of every ``M`` axis here.
        interest: ``[U, months, M]``, each user's modality mix in each month; sums to 1 over ``M``.
        groups: ``[U]``, the group of each user.
        content: per modality ``[I, K]``, latent content of each item.
        topics: per modality ``[I]``, the topic the content comes from.
        styles: per modality ``[I]``, which look the item has; the looks of topic k are those from ``k * STYLES`` on.
        looks: per modality ``[L, K]``, the content of each look.
        taste: per modality ``[U, K]``; taste times content says how well an item matches a user.
        popularity: ``[I]``, log of the power-law popularity.
        trend: ``[months, I]`` in [0, 1], how far up an item is in a month.
        catches: ``[G, I]`` in [0, 1], how much a trend takes hold in a group.
        trend_modality: ``[I]``, the modality a trend is about; it takes users as far as that one leads them.
        hidden_item, hidden_user: ``[I, K]``, ``[U, K]``, character no feature shows, and the taste for it.
        month: ``[n]``, month of each interaction row.
        click_offset: the logit that fixes which share of the shown rows is clicked.
    """

    modalities: tuple[str, ...]
    interest: NDArray[np.float32]
    groups: Int
    content: dict[str, Float]
    topics: dict[str, Int]
    styles: dict[str, Int]
    looks: dict[str, Float]
    taste: dict[str, Float]
    popularity: Float
    trend: Float
    catches: Float
    trend_modality: Int
    hidden_item: Float
    hidden_user: Float
    month: Int
    click_offset: float

    def preference(self, users: Int, items: Int, months: Int, modalities: Sequence[str] | None = None) -> Float:
        """Return the mix-weighted match of ``[P]`` (user, item, month), over all or some modalities."""
        total = np.zeros(len(users))
        for m, name in enumerate(self.modalities):
            if modalities is None or name in modalities:
                match = np.einsum("pk,pk->p", self.taste[name][users], self.content[name][items])
                total += self.interest[users, months, m] * match
        return total

    def character(self, users: Int, items: Int) -> Float:
        """Return how well what no feature shows of the items suits the users, ``[P]``."""
        match: Float = np.einsum("pk,pk->p", self.hidden_user[users], self.hidden_item[items])
        return match

    def score(self, users: Int, items: Int, months: Int, modalities: Sequence[str] | None = None) -> Float:
        """Return the log of the chance of "shown and clicked" up to a constant per user and month, ``[P]``.

        No model can rank better; with ``modalities`` the oracle is blind to the content of the others.
        """
        liked, hidden = self.preference(users, items, months, modalities), self.character(users, items)
        clicked = CLICK_TASTE * liked + CLICK_HIDDEN * hidden - self.click_offset
        score: Float = self._shown(users, items, months, liked, hidden) - np.logaddexp(0.0, -clicked)
        return score

    def exposure(self, users: Int, items: Int, months: Int) -> Float:
        """Return the log of the chance of "shown" up to a constant per user and month, ``[P]``."""
        liked, hidden = self.preference(users, items, months), self.character(users, items)
        return self._shown(users, items, months, liked, hidden)

    def _shown(self, users: Int, items: Int, months: Int, liked: Float, hidden: Float) -> Float:
        trend = self.trend[months, items] * self.catches[self.groups[users], items]
        trend *= self.interest[users, months, self.trend_modality[items]]
        shown: Float = self.popularity[items] + TREND * trend + SHOWN_TASTE * liked + SHOWN_HIDDEN * hidden
        return shown


def make_world(
    seed: int, num_users: int, num_items: int, months: int, groups: int, names: tuple[str, ...], drift: float
) -> PlantedTruth:
    """Draw users, items and the calendar; nobody has been shown anything yet."""
    draw = rng(seed, "planted", "users")
    group = draw.permutation(np.arange(num_users) % groups)

    # The mix: a softmax of a group's and a user's own leaning and a slow wave (1.5 to 5 years), so that one
    # or two modalities lead at a time and the lead changes over the calendar.
    leaning = 0.5 * draw.standard_normal((groups, len(names)))[group]
    leaning += 0.6 * draw.standard_normal((num_users, len(names)))
    period = draw.uniform(18, 60, (num_users, len(names)))
    phase = draw.uniform(0, 2 * np.pi, (num_users, len(names)))
    interest = np.empty((num_users, months, len(names)), dtype=np.float32)
    for month in range(months):
        wave = np.sin(2 * np.pi * month / period + phase)
        interest[:, month] = _softmax(PEAK * (leaning + drift * wave))

    content, topics, styles, looks, taste = {}, {}, {}, {}, {}
    for name in names:
        draw = rng(seed, "planted", "content", name)
        topics[name] = draw.integers(CONTENT_DIM, size=num_items)
        styles[name] = topics[name] * STYLES + draw.integers(STYLES, size=num_items)
        values = np.repeat(draw.standard_normal((CONTENT_DIM, CONTENT_DIM)), STYLES, axis=0)
        values += 0.6 * draw.standard_normal(values.shape)
        of_items = values[styles[name]]
        looks[name] = (values - of_items.mean(axis=0)) / of_items.std(axis=0)
        content[name] = looks[name][styles[name]]
        individual = draw.standard_normal((num_users, CONTENT_DIM))
        taste[name] = _unit(SHARED * draw.standard_normal((groups, CONTENT_DIM))[group] + individual)

    draw = rng(seed, "planted", "items")
    popularity = -POWER * np.log(1.0 + draw.permutation(num_items))
    peak, width = draw.uniform(-3, months + 3, num_items), draw.uniform(1.5, 5.0, num_items)
    trend = np.exp(-0.5 * ((np.arange(months)[:, None] - peak) / width) ** 2)
    catches = draw.beta(0.3, 0.7, (groups, num_items))
    hidden_item = CONTENT_DIM**0.5 * _unit(draw.standard_normal((num_items, CONTENT_DIM)))
    shared = 2.0 * draw.standard_normal((groups, CONTENT_DIM))[group]
    hidden_user = _unit(shared + draw.standard_normal((num_users, CONTENT_DIM)))
    trend_modality = draw.integers(len(names), size=num_items)
    mind = (names, interest, group, content, topics, styles, looks, taste)
    fashion = (popularity, trend, catches, trend_modality)
    return PlantedTruth(*mind, *fashion, hidden_item, hidden_user, month=np.zeros(0, dtype=np.int64), click_offset=0.0)


def show(seed: int, world: PlantedTruth, rows: int) -> tuple[Int, Int, Int]:
    """Draw who is shown what in which month, ``[rows]`` each, no (user, item) pair twice."""
    num_users, months, _ = world.interest.shape
    draw = rng(seed, "planted", "activity")

    # How many rows each user has (heavy tail), then how they spread over the user's stretch of the calendar.
    share = np.exp(ACTIVITY * draw.standard_normal(num_users))
    per_user = 5 + _apportion(share, rows - 5 * num_users, limit=len(world.popularity) // 4 - 5)
    length = np.maximum(1, (months * draw.uniform(0.4, 1.0, num_users)).astype(np.int64))
    begin = draw.integers(0, months - length + 1)
    ago = np.arange(months) - begin[:, None]
    weight = draw.gamma(1.0, size=(num_users, months)) * ((ago >= 0) & (ago < length[:, None]))
    weight /= weight.sum(axis=1, keepdims=True)
    return draw_items(seed, world, draw.multinomial(per_user, weight))


def click(seed: int, world: PlantedTruth, users: Int, items: Int, month: Int) -> tuple[NDArray[np.bool_], float]:
    """Decide which shown rows are clicked, ``[rows]``, and return the offset that makes them CLICK_SHARE."""
    pull = rng(seed, "planted", "clicks").logistic(size=len(users))
    for begin in range(0, len(users), BLOCK):
        rows = slice(begin, begin + BLOCK)
        pull[rows] += CLICK_TASTE * world.preference(users[rows], items[rows], month[rows])
        pull[rows] += CLICK_HIDDEN * world.character(users[rows], items[rows])
    offset = float(np.quantile(pull, 1 - CLICK_SHARE))
    clicked: NDArray[np.bool_] = pull > offset
    # Whoever clicks nothing leaves no trace in a click log: the best two rows of a user are always clicked.
    few = np.bincount(users[clicked], minlength=len(world.groups)) < 2
    rows_of_few = np.flatnonzero(few[users])
    order = rows_of_few[np.lexsort((-pull[rows_of_few], users[rows_of_few]))]
    begins = np.flatnonzero(np.diff(users[order], prepend=-1))
    clicked[order[np.r_[begins, begins + 1]]] = True
    return clicked, offset


def _apportion(share: Float, total: int, limit: int) -> Int:
    """Split ``total`` in proportion to ``share``, at most ``limit`` each, largest remainders first."""
    quota = np.zeros(len(share))
    free = np.ones(len(share), dtype=bool)
    while (rest := total - quota.sum()) > 1e-6 and free.any():
        quota[free] += rest * share[free] / share[free].sum()
        free &= quota < limit
        quota = np.minimum(quota, limit)
    whole = np.floor(quota + 1e-9).astype(np.int64)
    left = np.argsort(np.where(whole < limit, whole - quota, 1.0), kind="stable")[: total - int(whole.sum())]
    whole[left] += 1
    return whole


def _softmax(x: Float) -> Float:
    power = np.exp(x - x.max(axis=-1, keepdims=True))
    normalised: Float = power / power.sum(axis=-1, keepdims=True)
    return normalised


def _unit(x: Float) -> Float:
    normalised: Float = x / np.linalg.norm(x, axis=1, keepdims=True)
    return normalised
