"""What the users of the data set ``planted`` are shown: exact draws at a cost that grows with the rows drawn.

Who is shown what in a month follows weights ``w_i = exp(popularity + trend + taste + hidden)``, see
:meth:`hyperctr.data.planted_world.PlantedTruth.score`. Computing them for all items, users and months would cost far
more than the rows are, so items are drawn by rejection. With the mix ``c`` and what modality m adds, ``a_im``:

    w_i = exp(p_i + h_ui + sum_m c_m a_im)  <=  exp(p_i + h_gi + r_u) * sum_m c_m exp(a_im)

by convexity, and because a user's hidden taste is close to that of the group g (``h_ui - h_gi <= r_u``). The right side
is a mixture that is drawn from in tables: a modality, some of its looks, one of them (a user's taste depends on
the item's look alone), then an item of that look (by popularity and the trend in the group). It is kept with a chance
of left over right, about a quarter on average. Whoever was shown the item already draws again: no replacement. Where
that takes longer than all weights would, as for users who were shown a large part of a small catalogue, the rest is
drawn from all weights.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hyperctr.runtime import rng

if TYPE_CHECKING:
    from hyperctr.data.planted_world import PlantedTruth

Float = NDArray[np.float64]
Float32 = NDArray[np.float32]
Int = NDArray[np.int64]

TREND, SHOWN_TASTE, SHOWN_HIDDEN = 6.5, 2.3, 0.8  # strengths in logits, chosen with those of planted_world
MOST_SUMS, MOST_CELLS = 3_000_000, 2_000_000  # numbers in tables of items and of cells; they bound memory
FEW_ROWS = 2048  # where fewer rows are open, each draws several times a round
LOOKS = 16  # in a cell
DEAR = 8  # a draw costs as much as that many of the weights
THREADS = 2  # blocks of users at once; each needs memory of its own


@dataclass(frozen=True)
class _Fixed:
    """What does not change with the month.

    Attributes:
        order, begin: ``[M, I]`` items sorted by look and ``[M, L + 1]``, where each look begins among them.
        style: ``[I, M]`` look of each item. cells: how many cells of looks there are.
        base: ``[G, I]``, exp of popularity and the group's hidden taste.
        apart, hidden: ``[U, K]``, a user's hidden taste less the group's, and ``[I, K]``, the items' hidden character.
        most: ``[U]``, no less than their product for any item.
    """

    order: Int
    begin: Int
    style: Int
    cells: int
    base: Float
    apart: Float32
    hidden: Float32
    most: Float32

    @classmethod
    def of(cls, world: PlantedTruth) -> _Fixed:
        style = np.stack([world.styles[name] for name in world.modalities])
        order = np.argsort(style, axis=1, kind="stable")
        looks = np.arange(len(world.looks[world.modalities[0]]) + 1)
        begin = np.stack([np.searchsorted(column[rows], looks) for column, rows in zip(style, order, strict=True)])
        centre = np.zeros((len(world.catches), world.hidden_user.shape[1]))
        np.add.at(centre, world.groups, world.hidden_user)
        centre /= np.linalg.norm(centre, axis=1, keepdims=True)
        apart = (SHOWN_HIDDEN * (world.hidden_user - centre[world.groups])).astype(np.float32)
        hidden = world.hidden_item.astype(np.float32)
        longest = np.linalg.norm(hidden, axis=1).max() * np.float32(1.000001)  # above it in spite of rounding
        base = np.exp(world.popularity + SHOWN_HIDDEN * centre @ world.hidden_item.T)
        return cls(
            order,
            begin,
            style.T.copy(),
            len(looks) // LOOKS,
            base,
            apart,
            hidden,
            longest * np.linalg.norm(apart, axis=1),
        )


def draw_items(seed: int, world: PlantedTruth, need: Int) -> tuple[Int, Int, Int]:
    """Draw the rows of all users, ``need [U, months]``; return users, items and months, no (user, item) pair twice."""
    months, (groups, num_items), size = need.shape[1], world.catches.shape, len(world.modalities)
    fixed, shown = _Fixed.of(world), []
    by_group = np.argsort(world.groups, kind="stable")
    at_once = max(1, MOST_SUMS // (months * size * num_items))
    some = max(1, MOST_CELLS // (months * size * fixed.cells))
    for group in range(0, groups, at_once):
        tables = _Tables(world, fixed, np.arange(group, min(group + at_once, groups)), months)
        first, last = np.searchsorted(world.groups[by_group], [group, group + at_once])

        def block(begin: int, tables: _Tables = tables, last: int = last) -> list[tuple[Int, Int, Int]]:
            users = by_group[begin : min(begin + some, last)]
            return _draw(rng(seed, "planted", "shown", begin), world, tables, users, need[users])

        # numpy lets go of the interpreter; each block has draws of its own, so who computes it changes nothing
        with ThreadPoolExecutor(THREADS) as pool:
            for part in pool.map(block, range(first, last, some)):
                shown += part
    users, items, month = (np.concatenate(part) for part in zip(*shown, strict=True))
    return users, items, month


class _Tables:
    """Sums over the items of some groups, of each item, ``[g, t, m, item by look]``, and of each look.

    ``until`` is the running sum of the proposals' weights with a 0 in front, ``start`` where a row of it begins, and
    ``looks``, ``[g, m, cell, t, LOOKS]``, the sums of looks, so many in a cell.
    """

    def __init__(self, world: PlantedTruth, fixed: _Fixed, groups: Int, months: int) -> None:
        self.fixed, self.first = fixed, groups[0]
        num_items, size = world.catches.shape[1], len(world.modalities)
        self.until = np.zeros(len(groups) * months * size * num_items + 1)
        weight = self.until[1:].reshape(len(groups), months, size, num_items)
        for g, group in enumerate(groups):
            trending = fixed.base[group] * np.exp(TREND * world.trend * world.catches[group])
            for m in range(size):
                of_modality = np.where(world.trend_modality == m, trending, fixed.base[group])
                weight[g, :, m] = of_modality[:, fixed.order[m]]
        np.cumsum(self.until, out=self.until)
        self.start = np.arange(len(groups) * months * size).reshape(len(groups), months, size) * num_items
        bounds = self.until[self.start[..., None] + fixed.begin]
        looks = (bounds[..., 1:] - bounds[..., :-1]).astype(np.float32)
        looks = looks.reshape(*looks.shape[:3], fixed.cells, LOOKS)
        self.looks = np.ascontiguousarray(looks.transpose(0, 2, 3, 1, 4))


def _draw(
    draw: np.random.Generator, world: PlantedTruth, tables: _Tables, users: Int, need: Int
) -> list[tuple[Int, Int, Int]]:
    """Draw ``need [users, months]`` items of some users."""
    fixed, num_items, names = tables.fixed, world.catches.shape[1], world.modalities
    match = [SHOWN_TASTE * world.taste[name][users] @ world.looks[name].T for name in names]
    taste = np.stack(match, axis=1, dtype=np.float32)  # [users, M, looks]
    chance = np.exp(taste).reshape(len(users), len(names), fixed.cells, LOOKS)

    # The running sum of the proposals' weights for each pair of a month and a user, [P, M, cells].
    month, row = np.nonzero(need.T)
    user, group = users[row], world.groups[users[row]] - tables.first
    mix = world.interest[user, month]
    until = np.zeros(len(user) * len(names) * fixed.cells + 1)
    weight = until[1:].reshape(len(user), len(names), fixed.cells)
    for g in np.unique(group):
        mine = np.flatnonzero(group == g)
        low, high = row[mine].min(), row[mine].max() + 1
        sums = chance[low:high].transpose(1, 2, 0, 3) @ tables.looks[g].transpose(0, 1, 3, 2)  # [M, cells, users, t]
        weight[mine] = np.ascontiguousarray(sums.transpose(2, 3, 0, 1))[row[mine] - low, month[mine]]
    weight *= mix[:, :, None]
    np.cumsum(until, out=until)
    width = weight[0].size if len(user) else 0

    fresh, kept, tried = np.zeros(0, dtype=np.int64), [], 0
    rows = np.repeat(np.arange(len(user)), need.T[month, row])  # still open: the pair of each row to be drawn
    while len(rows):
        if tried > num_items / DEAR:
            pair, rest = np.unique(rows, return_counts=True)
            kept += _race(draw, world, user[pair], month[pair], rest, fresh)
            break
        draws = min(max(1, FEW_ROWS // len(rows)), 4 + tried)
        tried += draws
        p = np.repeat(rows, draws)
        low, high = until[p * width], until[(p + 1) * width]
        cell = np.searchsorted(until, low + draw.random(len(p)) * (high - low), side="right") - 1 - p * width
        m, cell = np.divmod(np.clip(cell, 0, width - 1), fixed.cells)
        of_looks = np.cumsum(chance[row[p], m, cell] * tables.looks[group[p], m, cell, month[p]], axis=1)
        beyond = of_looks <= (draw.random(len(p), dtype=np.float32) * of_looks[:, -1])[:, None]
        look = cell * LOOKS + np.minimum(beyond.sum(axis=1), LOOKS - 1)
        start = tables.start[group[p], month[p], m]
        first, last = start + fixed.begin[m, look], start + fixed.begin[m, look + 1]
        low, high = tables.until[first], tables.until[last]
        place = np.searchsorted(tables.until, low + draw.random(len(p)) * (high - low), side="right") - 1
        item = fixed.order[m, np.clip(place - start, 0, num_items - 1)]

        adds = taste[row[p][:, None], np.arange(len(names)), fixed.style[item]]  # a_im, [draws, M]
        of_trend = TREND * world.trend[month[p], item] * world.catches[world.groups[user[p]], item]
        adds[np.arange(len(p)), world.trend_modality[item]] += of_trend
        c = mix[p]
        ratio = (c * adds).sum(1) - np.log((c * np.exp(adds)).sum(1))
        ratio += np.einsum("pk,pk->p", fixed.apart[user[p]], fixed.hidden[item]) - fixed.most[user[p]]
        # An item of another look is what rounding has missed.
        good = (draw.random(len(p)) < np.exp(ratio)) & (fixed.style[item, m] == look)
        key = user[p] * num_items + item
        good[good] = ~_among(key[good], fresh)

        # The first good draw of each row counts, and the first row that wants an item gets it.
        good = good.reshape(len(rows), -1)
        won = np.flatnonzero(good.any(axis=1))
        taken = won * good.shape[1] + good[won].argmax(axis=1)
        _, winner = np.unique(key[taken], return_index=True)
        won, taken = won[winner], taken[winner]
        kept.append((user[p[taken]], item[taken], month[p[taken]]))
        fresh = np.sort(np.concatenate([fresh, key[taken]]), kind="stable")
        rows = np.delete(rows, won)
    return kept


def _race(
    draw: np.random.Generator, world: PlantedTruth, user: Int, month: Int, need: Int, known: Int
) -> list[tuple[Int, Int, Int]]:
    """Draw rows for which proposals are kept too seldom, from the weights of all items.

    An exponential race draws without replacement in proportion to the weights: the earliest arrivals win.
    """
    num_items, kept = world.catches.shape[1], []
    size = max(1, MOST_CELLS // (8 * num_items))
    for t in np.unique(month):
        of_month = np.flatnonzero(month == t)  # each user once
        for some in np.split(of_month, range(size, len(of_month), size)):
            known = np.sort(known, kind="stable")
            who, item = np.divmod(np.arange(len(some) * num_items), num_items)
            arrival = np.log(draw.standard_exponential(len(who)))
            arrival -= world.exposure(user[some][who], item, month[some][who])
            arrival[_among(user[some][who] * num_items + item, known)] = np.inf
            first = np.argsort(arrival.reshape(len(some), -1), axis=1, kind="stable")[:, : need[some].max()]
            row, rank = np.nonzero(np.arange(first.shape[1]) < need[some][:, None])
            kept.append((user[some][row], first[row, rank], month[some][row]))
            known = np.r_[known, user[some][row] * num_items + first[row, rank]]
    return kept


def _among(keys: Int, known: Int) -> NDArray[np.bool_]:
    """Tell which keys are among the sorted ``known``."""
    if not len(known):
        return np.zeros(len(keys), dtype=bool)
    among: NDArray[np.bool_] = known[np.searchsorted(known, keys).clip(max=len(known) - 1)] == keys
    return among
