"""Where the users and items of a data set stand: one map for each modality, from training clicks and features.

A click counts in a modality by its degree of interest there. As a hyperedge holds the clicks whose degree is above
delta, that weight is the mean of the hyperedges' incidence over all thresholds: places belong to the data, not to one
threshold or slot, so whatever moves between two pictures has changed. Items stand by their features in the modality as
well: what users like there are items that are alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hyperctr.display.layout import OUTSIDE, feature_vectors, layered_maps, spectral_vectors
from hyperctr.widgets.scene import Places

if TYPE_CHECKING:
    from hyperctr.data.dataset import Dataset

Float32 = NDArray[np.float32]


def places_of(data: Dataset, clicks: NDArray[np.int64], degree: Float32, kind: str) -> Places:
    """Place all users or all items.

    Args:
        data: the data set.
        clicks: rows of the training clicks, [C].
        degree: degree of interest of each click, [C, M]; NaN where the item lacks the modality.
        kind: ``user`` or ``item``.

    Returns:
        the joint map [N, 2] and one for each modality [M, N, 2], each within [-1, 1].
    """
    return layered_maps(vectors_of(data, clicks, degree, kind))


def vectors_of(data: Dataset, clicks: NDArray[np.int64], degree: Float32, kind: str) -> list[NDArray[np.float64]]:
    """Return the coordinates that the maps are drawn from, for each modality [N, k]; arguments as above."""
    user, item = data.user_index[clicks], data.item_index[clicks]
    nodes, labels = (user, item) if kind == "user" else (item, user)
    sizes = (data.num_users, data.num_items) if kind == "user" else (data.num_items, data.num_users)
    vectors = []
    for m, table in enumerate(data.features.values()):
        liked = spectral_vectors(nodes, labels, *sizes, np.nan_to_num(degree[:, m]) + OUTSIDE)
        own = [feature_vectors(table.standardised().values, table.present)] if kind == "item" else []
        vectors.append(np.concatenate([liked, *own], axis=1))
    return vectors
