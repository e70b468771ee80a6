"""Negatives of training, drawn afresh each epoch on the device that trains.

What is never drawn is a hint of what was clicked, so training negatives avoid training clicks and no others.
Duplicates are allowed, and nothing is rejected and drawn again: draws are ranks, and rank r of user u is the r-th item,
in index order, that u has not clicked. A user who clicked nearly everything costs what any other user costs, shapes do
not depend on values, and a GPU is never waited for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from hyperctr.data.negatives import distinct_clicks
from hyperctr.errors import DataError, ShapeError
from hyperctr.runtime import generator

if TYPE_CHECKING:
    from hyperctr.data.dataset import Dataset
    from hyperctr.split_data import SplitData

WORDS = 2**62  # possible values of a random integer; modulo n items, no item is likelier by more than n / 2^62


class NegativeSampler:
    """Draws uniformly from the items that users did not click in some rows; duplicates are possible.

    Args:
        data: the data set.
        avoided: int [C], rows of ``Dataset.interactions`` whose items are never drawn for their users: for training
            ``Split.train``, for showing what a leak is worth ``Dataset.clicks``. No other row has any influence.
        users: int64 [B], the user of each draw, on the device to draw on.
        seed: with the ``draw_key`` of :meth:`sample` it decides every draw, whatever was drawn before.

    Attributes:
        available: int64 [U], number of items each user did not click in those rows.

    Raises:
        ShapeError: ``avoided`` or ``users`` is not a vector of integers.
        DataError: a row or user does not exist, or one of ``users`` clicked every item in the rows avoided.

    >>> import pandas as pd
    >>> from hyperctr.data.dataset import Dataset
    >>> log = pd.DataFrame({"user_id": list("aaabb"), "item_id": [5, 6, 8, 6, 7], "timestamp": range(5)})
    >>> data = Dataset("tiny", log)
    >>> sampler = NegativeSampler(data, data.clicks, torch.tensor([0, 0]), seed=0)
    >>> sampler.sample(3, "epoch", 1), sampler.available
    (tensor([[2, 2, 2], [2, 2, 2]]), tensor([1, 2]))
    """

    def __init__(self, data: Dataset, avoided: ArrayLike, users: Tensor, seed: int = 0) -> None:
        self.users, self.seed = users, int(seed)
        rows = _indices(avoided, "avoided must be row numbers, integers [C]", "avoided rows", len(data.clicked))
        drawn_for = _indices(users.cpu().numpy(), "users must be integers [B]", "user indices", data.num_users)
        owners, items, begin = distinct_clicks(data, rows)
        available = data.num_items - np.diff(begin)
        if len(drawn_for) and not available[drawn_for].min():
            user = data.users[drawn_for[int(np.argmin(available[drawn_for]))]]
            raise DataError(f"user {user!r} clicked every item, so no negative exists; remove the user or add items")
        # The k-th clicked item minus k = how many items not clicked stand before it; ascending for each user.
        self._stride = data.num_items + 1
        items -= np.arange(len(items))
        items += begin[owners]
        owners *= self._stride
        owners += items
        self._keys, self._begin, self.available = (
            torch.from_numpy(column).to(users.device) for column in (owners, begin[:-1].copy(), available)
        )

    def sample(self, count: int, *draw_key: int | str) -> Tensor:
        """Draw ``count`` items for each of the users.

        Args:
            count: draws per user, at least 1.
            draw_key: what the draw is for, for example ``("epoch", 3)``; the same key gives the same draw on a kind of
                device. A GPU draws other items than a CPU.

        Returns:
            int64 [B, count], item indices. Memory: about four times the result.

        Raises:
            ShapeError: ``count`` is under 1.
        """
        if count < 1:
            raise ShapeError(f"count must be at least 1; got {count}")
        device = self.users.device
        draw = generator(device, self.seed, "negatives", *draw_key)
        ranks = torch.randint(WORDS, (len(self.users), count), generator=draw, device=device)
        ranks %= self.available[self.users, None]
        passed = torch.searchsorted(self._keys, ranks + (self.users * self._stride)[:, None], right=True)
        return ranks.add_(passed).sub_(self._begin[self.users, None])


class NonClickSampler:
    """Draws items that users were shown in training and did not click, then or at another time of training.

    Args:
        split_data: of which the rows of the training part are read and no others.
        users: int64 [B], the user of each draw, on the device to draw on.
        seed: with the ``draw_key`` of :meth:`replace_first` it decides every draw.

    >>> import pandas as pd
    >>> from hyperctr.config import Config
    >>> from hyperctr.data.dataset import Dataset
    >>> from hyperctr.split_data import SplitData
    >>> log = pd.DataFrame({"user_id": 1, "item_id": range(40), "timestamp": range(40), "clicked": [True, False] * 20})
    >>> split_data = SplitData.open(Dataset("tiny", log), Config(slot_count=1))
    >>> sampler = NonClickSampler(split_data, torch.zeros(3, dtype=torch.int64))
    >>> drawn = sampler.replace_first(torch.zeros(3, 2, dtype=torch.int64), 1.0, "epoch", 0)
    >>> (drawn % 2).tolist()  # the odd items were shown and not clicked
    [[1, 0], [1, 0], [1, 0]]
    """

    def __init__(self, split_data: SplitData, users: Tensor, seed: int = 0) -> None:
        self.users, self.seed = users, int(seed)
        data, split = split_data.data, split_data.split
        owners, items, _ = distinct_clicks(data, split.non_clicks("train"))
        clicked_by, clicked, _ = distinct_clicks(data, split.train)
        pairs, clicks = (u * data.num_items + i for u, i in ((owners, items), (clicked_by, clicked)))
        place = np.searchsorted(clicks, pairs)
        left = clicks[np.minimum(place, len(clicks) - 1)] != pairs
        begin = np.searchsorted(owners[left], np.arange(data.num_users + 1))
        self._items, self._begin = (torch.from_numpy(column).to(users.device) for column in (items[left], begin))

    def replace_first(self, negatives: Tensor, share: float, *draw_key: int | str) -> Tensor:
        """Put such an item in place of the first of the ``negatives`` [B, n] of a ``share`` of the rows.

        Rows whose user has none stay as they are. Returns int64 [B, n].
        """
        if not len(self._items):
            return negatives
        device, first = self.users.device, self._begin[self.users]
        count = self._begin[self.users + 1] - first
        draw = generator(device, self.seed, "non-clicks", *draw_key)
        ranks = torch.randint(WORDS, (len(self.users),), generator=draw, device=device) % count.clamp(min=1)
        chosen = torch.rand(len(self.users), generator=draw, device=device) < share
        items = self._items[(first + ranks).clamp(max=len(self._items) - 1)]
        replaced = torch.where(chosen & (count > 0), items, negatives[:, 0])
        return torch.cat([replaced[:, None], negatives[:, 1:]], 1)


def _indices(values: ArrayLike, needed: str, name: str, bound: int) -> NDArray[np.int64]:
    """Return a vector of integers in 0..bound-1 as int64."""
    array = np.asarray(values)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise ShapeError(f"{needed}; got {array.dtype} {array.shape}")
    if array.size and not 0 <= array.min() <= array.max() < bound:
        raise DataError(f"{name} must lie in 0..{bound - 1}; got {array.min()}..{array.max()}")
    return array.astype(np.int64)
