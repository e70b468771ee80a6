"""Negatives: sampled afresh for training, drawn once and shared by all models for testing (paper 3.1.3).

A label may be avoided only by what is allowed to know it, because what is never drawn is a hint of what was clicked.
Training negatives therefore avoid training clicks and no others. Candidates avoid the clicks of their own part and of
the parts before it: those of validation, which choose the step, know no test click, and those of test avoid all clicks
of the user.

Neither form rejects and draws again, so a user who clicked nearly everything costs what any other user costs. In
training, duplicates are allowed and draws go through ranks: rank r of user u is the r-th item, in index order, that u
has not clicked. Candidates are distinct and come from an order of the items that each click has for itself
(:mod:`hyperctr.data.shuffle`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from hyperctr.data.shuffle import FirstItems, Shuffles, hashed
from hyperctr.data.splits import part_number
from hyperctr.errors import ConfigError, DataError, ShapeError
from hyperctr.runtime import rng

if TYPE_CHECKING:
    from hyperctr.data.dataset import Dataset
    from hyperctr.data.splits import Split


class NegativeSampler:
    """Draws uniformly from the items that a user did not click in some rows; duplicates are possible.

    Args:
        data: the data set.
        avoided: int [C], rows of ``Dataset.interactions`` whose items are never drawn for their users: for training
            ``Split.train``, for showing what a leak is worth ``Dataset.clicks``. No other row has any influence.
        seed: with the ``draw_key`` of :meth:`sample` it decides every draw, whatever was drawn before.

    Attributes:
        available: int64 [U], number of items each user did not click in those rows.

    Raises:
        ShapeError: ``avoided`` is not a vector of integers.
        DataError: a row does not exist.

    >>> import pandas as pd
    >>> from hyperctr.data.dataset import Dataset
    >>> log = pd.DataFrame({"user_id": list("aaabb"), "item_id": [5, 6, 8, 6, 7], "timestamp": range(5)})
    >>> data = Dataset("tiny", log)
    >>> NegativeSampler(data, data.clicks, seed=0).sample(np.array([0]), 3, "epoch", 1)
    array([[2, 2, 2]])
    >>> NegativeSampler(data, np.array([0, 1])).available
    array([2, 4])
    """

    def __init__(self, data: Dataset, avoided: ArrayLike, seed: int = 0) -> None:
        self.seed = int(seed)
        self._user_ids = data.users
        rows = _indices(avoided, "avoided must be row numbers, integers [C]", "avoided rows", len(data.clicked))
        users, items, begin = _clicked(data, rows)
        # The k-th clicked item minus k = how many items not clicked stand before it; ascending for each user.
        self._stride, self._begin = data.num_items + 1, begin
        items -= np.arange(len(items))
        items += begin[users]
        users *= self._stride
        users += items
        self._keys = users
        self.available: NDArray[np.int64] = data.num_items - np.diff(begin)

    def sample(self, users: ArrayLike, count: int, *draw_key: int | str) -> NDArray[np.int64]:
        """Draw ``count`` unobserved items for each of ``users``.

        Args:
            users: int [B], user indices.
            count: draws per user, at least 1.
            draw_key: what the draw is for, for example ``("epoch", 3)``; the same key gives the same draw.

        Returns:
            int64 [B, count], item indices. Memory: about five times the result.

        Raises:
            DataError: a user clicked every item in the rows avoided, or a user index does not exist.
            ShapeError: ``users`` is not a vector of integers, or ``count`` is under 1.
        """
        if count < 1:
            raise ShapeError(f"users must be integers [B] and count >= 1; got count {count}")
        rows = _indices(users, "users must be integers [B]", "user indices", len(self.available))
        free = self.available[rows]
        if rows.size and not free.min():
            user = self._user_ids[rows[int(np.argmin(free))]]
            raise DataError(f"user {user!r} clicked every item, so no negative exists; remove the user or add items")
        ranks = rng(self.seed, "negatives", *draw_key).integers(0, free[:, None], size=(len(rows), int(count)))
        passed = np.searchsorted(self._keys, rows[:, None] * self._stride + ranks, side="right")
        items: NDArray[np.int64] = ranks + passed - self._begin[rows][:, None]
        return items


def _clicked(data: Dataset, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the distinct (user, item) pairs of some rows, by user, then item, and where each user begins, [U + 1]."""
    pairs = data.user_index[rows]
    pairs *= data.num_items
    pairs += data.item_index[rows]
    pairs.sort()
    pairs = pairs[np.diff(pairs, prepend=-1) != 0]
    users = pairs // data.num_items
    pairs -= users * data.num_items
    return users, pairs, np.searchsorted(users, np.arange(data.num_users + 1))


def _indices(values: ArrayLike, needed: str, name: str, bound: int) -> NDArray[np.int64]:
    """Return a vector of integers in 0..bound-1 as int64."""
    array = np.asarray(values)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise ShapeError(f"{needed}; got {array.dtype} {array.shape}")
    if array.size and not 0 <= array.min() <= array.max() < bound:
        raise DataError(f"{name} must lie in 0..{bound - 1}; got {array.min()}..{array.max()}")
    return array.astype(np.int64)


@dataclass(frozen=True, eq=False)
class CandidatePool:
    """What is scored in an evaluation: interaction rows, and for each of them sampled candidates.

    Both labellings have this form. ``sampled``: every row is a click (``labels`` all True) and has ``n``
    unobserved items, which inherit its user, timestamp, slot and history. ``impressions``: the rows are the
    clicks AND the shown-and-not-clicked rows of the part, each with its own timestamp, and ``n`` is 0.

    Attributes:
        rows: int64 [P], row numbers of ``Dataset.interactions``, ascending.
        labels: bool [P], whether the row is a click.
        users, items, timestamps: int64 [P], user and item index of each row, and its timestamp.
        negatives: int32 [P, n], item indices in random order, distinct within a row; at its end -1
            where the user has fewer unobserved items than asked for. Either an array of P * n * 4 bytes, or drawn
            wherever rows are read.
        labelling: "sampled" or "impressions". Always print it beside a number.
        part: "train", "validation" or "test".
    """

    rows: NDArray[np.int64]
    labels: NDArray[np.bool_]
    users: NDArray[np.int64]
    items: NDArray[np.int64]
    timestamps: NDArray[np.int64]
    negatives: NDArray[np.int32] | FirstItems
    labelling: Literal["sampled", "impressions"]
    part: str

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def sizes(self) -> NDArray[np.int64]:
        """How many negatives each row has, int64 [P]; they come first."""
        negatives = self.negatives
        return negatives.sizes if isinstance(negatives, FirstItems) else np.asarray((negatives >= 0).sum(axis=1))

    def pairs_mask(self, rows: slice = slice(None)) -> NDArray[np.bool_]:
        """Return which cells of ``negatives`` hold an item, in some rows, bool [rows, n]."""
        return np.arange(self.negatives.shape[1]) < self.sizes[rows, None]


def candidate_pool(
    data: Dataset, split: Split, part: str = "test", count: int = 1000, seed: int = 0, max_rows: int | None = None
) -> CandidatePool:
    """Draw ``count`` distinct unobserved items for every click of ``part`` (paper 3.1.3: 1000 each).

    "Unobserved" means: not clicked by that user in the part or in one before it (see the module). The candidates of
    a click depend on the seed, the catalogue, on the ids of its user and item, on its timestamp and on what that user
    clicked in those parts; not on other users, nor on the order of anything, nor on the model: comparisons are paired.
    ``max_rows`` keeps a seeded subsample of that many clicks, with the candidates of the full pool. Time: some 5
    nanoseconds a candidate; memory: 4 bytes a candidate, 40 for each click in those parts, and a bounded block.

    Raises:
        ConfigError: ``count`` or ``max_rows`` under 1, or an unknown part.

    >>> import pandas as pd
    >>> from hyperctr.data.dataset import Dataset
    >>> from hyperctr.data.splits import split
    >>> clicks = {"user_id": list("aaaaabbbbb"), "item_id": [1, 2, 3, 4, 5] * 2, "timestamp": range(10)}
    >>> data = Dataset("tiny", pd.DataFrame(clicks), items=np.arange(1, 10))
    >>> pool = candidate_pool(data, split(data, "temporal"), count=6)
    >>> pool.users, pool.items, np.sort(pool.negatives)
    (array([1, 1]), array([3, 4]), array([[-1, -1,  5,  6,  7,  8], [-1, -1,  5,  6,  7,  8]], dtype=int32))
    """
    pool = streamed_pool(data, split, part, count, seed, max_rows)
    return replace(pool, negatives=pool.negatives[:])


def streamed_pool(
    data: Dataset, split: Split, part: str = "test", count: int = 1000, seed: int = 0, max_rows: int | None = None
) -> CandidatePool:
    """Return :func:`candidate_pool` without holding a candidate: the same ones are drawn wherever they are read.

    Raises:
        ConfigError: ``count`` or ``max_rows`` under 1, or an unknown part.
    """
    rows = split.rows(part)
    if count < 1 or (max_rows is not None and max_rows < 1):
        raise ConfigError(f"count={count} and max_rows={max_rows} must be at least 1")
    if max_rows is not None and max_rows < len(rows):
        rows = np.sort(rng(seed, "candidate rows", part).choice(rows, size=max_rows, replace=False))
    users, items, moments = data.user_index[rows], data.item_index[rows], data.timestamp[rows]
    names = [pd.util.hash_array(ids)[index] for ids, index in ((data.users, users), (data.items, items))]
    keys = hashed(seed, "candidates", *names, moments)
    _, clicked, begin = _clicked(data, np.flatnonzero(split.clicked & (split.part <= part_number(part))))
    shuffles = Shuffles(data.num_items, keys, seed)
    negatives = shuffles.first(int(count), clicked, begin[users], begin[users + 1])
    return CandidatePool(rows, np.ones(len(rows), dtype=bool), users, items, moments, negatives, "sampled", part)


def impression_pool(data: Dataset, split: Split, part: str = "test") -> CandidatePool:
    """Return the rows shown in a part, clicked or not: the ``impressions`` labelling (``negatives`` is [P, 0]).

    AUC on it is far lower than on sampled candidates (public leaderboards of micro-video sets end at 0.72-0.75), since
    what was shown had already been chosen to please. Never compare numbers across labellings.

    Raises:
        DataError: the data set records no non-clicks, or none fall in this part.
    """
    if not len(split.non_clicks(part)):
        fix = "use candidate_pool, or give the interactions a column 'clicked'"
        raise DataError(f"data set {data.name!r} has no shown-and-not-clicked rows in {part!r} to test on; {fix}")
    rows = np.flatnonzero(split.part == part_number(part))
    users, items = data.user_index[rows], data.item_index[rows]
    none = np.empty((len(rows), 0), dtype=np.int32)
    return CandidatePool(rows, data.clicked[rows], users, items, data.timestamp[rows], none, "impressions", part)
