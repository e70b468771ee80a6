"""Candidates: unobserved items beside each tested click, drawn once and shared by all models (paper 3.1.3).

A label may be avoided only by what is allowed to know it, because what is never drawn is a hint of what was clicked.
Candidates avoid the clicks of their own part and of the parts before it: those of validation, which choose the step,
know no test click, and those of test avoid all clicks of the user. Negatives of training are drawn where the training
runs (:mod:`hyperctr.training.negatives`).

Candidates are distinct and come from an order of the items that each click has for itself
(:mod:`hyperctr.data.shuffle`). Nothing is rejected and drawn again, so a user who clicked nearly everything costs what
any other user costs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hyperctr.data.shuffle import Shuffles, hashed
from hyperctr.data.splits import part_number
from hyperctr.errors import ConfigError, DataError
from hyperctr.runtime import rng

if TYPE_CHECKING:
    from hyperctr.data.dataset import Dataset
    from hyperctr.data.splits import Split


def distinct_clicks(data: Dataset, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], ...]:
    """Return the distinct (user, item) pairs of some rows, by user, then item, and where each user begins, [U + 1]."""
    pairs = data.user_index[rows]
    pairs *= data.num_items
    pairs += data.item_index[rows]
    pairs.sort()
    pairs = pairs[np.diff(pairs, prepend=-1) != 0]
    users = pairs // data.num_items
    pairs -= users * data.num_items
    return users, pairs, np.searchsorted(users, np.arange(data.num_users + 1))


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
            where the user has fewer unobserved items than asked for. P * n * 4 bytes.
        labelling: "sampled" or "impressions". Always print it beside a number.
        part: "train", "validation" or "test".
    """

    rows: NDArray[np.int64]
    labels: NDArray[np.bool_]
    users: NDArray[np.int64]
    items: NDArray[np.int64]
    timestamps: NDArray[np.int64]
    negatives: NDArray[np.int32]
    labelling: Literal["sampled", "impressions"]
    part: str

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def pairs_mask(self) -> NDArray[np.bool_]:
        """Which cells of ``negatives`` hold an item, bool [P, n]."""
        return self.negatives >= 0

    def log_loss_negatives(self) -> NDArray[np.int64]:
        """Return one negative per click, int64 [P]: the 1:1 pool of the log loss (-1: the user has none).

        It is the first of the row, hence a uniform draw, and the same for every model.

        Raises:
            DataError: a pool of impressions, which has real negatives and its own ratio.
        """
        if not self.negatives.shape[1]:
            raise DataError("this pool has no sampled negatives; read log loss off its rows and labels instead")
        return self.negatives[:, 0].astype(np.int64)


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
    rows = split.rows(part)
    if count < 1 or (max_rows is not None and max_rows < 1):
        raise ConfigError(f"count={count} and max_rows={max_rows} must be at least 1")
    if max_rows is not None and max_rows < len(rows):
        rows = np.sort(rng(seed, "candidate rows", part).choice(rows, size=max_rows, replace=False))
    users, items, moments = data.user_index[rows], data.item_index[rows], data.timestamp[rows]
    names = [pd.util.hash_array(ids)[index] for ids, index in ((data.users, users), (data.items, items))]
    keys = hashed(seed, "candidates", *names, moments)
    _, clicked, begin = distinct_clicks(data, np.flatnonzero(split.clicked & (split.part <= part_number(part))))
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
