"""Neighbour sampling: the paper's "size of the sampled neighbours" (Figure 6)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hyperctr.runtime import derive_seed


def sampling_priority(seed: int, num_modalities: int, *names: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return a pseudo-random priority per modality and pair, ``[M, P]``, from what the pair is: user, item and slot.

    A hash (splitmix64) and not a sequence of draws, so that neither later slots nor hidden clicks move the sample.

    >>> a, b = np.array([3, 5]), np.array([7, 9])
    >>> bool((sampling_priority(0, 2, a, b)[:, 1:] == sampling_priority(0, 2, a[1:], b[1:])).all())
    True
    """
    state = np.full((num_modalities, 1), derive_seed(seed, "neighbours"), dtype=np.uint64)
    for name in (np.arange(num_modalities)[:, None], *names):
        state = (state ^ name.astype(np.uint64)) + np.uint64(0x9E3779B97F4A7C15)
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        state = state ^ (state >> np.uint64(31))
    return state
