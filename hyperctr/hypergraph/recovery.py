"""How well the interest matrix recovers what was planted (only for data sets that carry their truth)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hyperctr.errors import DataError
from hyperctr.hypergraph.interest import Interest, slot_means
from hyperctr.metrics import auc_from_scores

if TYPE_CHECKING:
    from hyperctr.split_data import SplitData


def true_interest(split_data: SplitData) -> NDArray[np.float64]:
    """Return the planted modality mix of each user in each slot, ``[T, U, M]``, M as in ``data.modalities``.

    The mix of a slot is the mean over the months of the user's training clicks there, which is when the user
    could be observed; nan for users without a training click in the slot.

    Raises:
        DataError: the data set carries no truth.

    >>> from hyperctr.config import Config
    >>> from hyperctr.data.planted import planted
    >>> from hyperctr.split_data import SplitData
    >>> data = planted(num_users=20, num_items=60, num_interactions=300, months=12, groups=2)
    >>> mix = true_interest(SplitData.open(data, Config(slot_months=6)))
    >>> mix.shape, bool(np.allclose(mix.sum(2)[~np.isnan(mix[..., 0])], 1))
    ((2, 20, 3), True)
    """
    data, slots, clicks = split_data.data, split_data.slots, split_data.split.train
    truth, user = data.truth, data.user_index[clicks]
    if truth is None:
        raise DataError(f"{data.name} carries no truth to compare with; use a generated data set such as 'planted'")
    mix = truth.interest[user, truth.month[clicks]][:, [truth.modalities.index(name) for name in data.modalities]]
    return slot_means(mix, user, slots.index[clicks], data.num_users, slots.count)


def interest_recovery(split_data: SplitData, interest: Interest) -> dict[str, float]:
    """Return the ROC AUC with which ``F^t[u, m]`` tells the users whom modality m leads, per modality.

    One case per (user, slot) with a training click whose item has modality m. It is positive when m has the
    largest share of the user's true interest (:func:`true_interest`); its score is ``F^t[u, m]``. Chance is
    0.5. A modality that leads nobody, or everybody, has nan.

    Raises:
        DataError: the data set carries no truth.
    """
    mix = true_interest(split_data)
    lead = np.where(np.isnan(mix[..., 0]), -1, mix.argmax(axis=2))
    recovered = {}
    for m, name in enumerate(split_data.data.modalities):
        score = interest.matrix[..., m]
        known = (lead >= 0) & ~np.isnan(score)
        recovered[name] = auc_from_scores(score[known & (lead == m)], score[known & (lead != m)])
    return recovered
