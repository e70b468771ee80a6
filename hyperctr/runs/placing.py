"""The place of an item among the candidates of a click: those it was tested with, else a sample."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hyperctr.data.negatives import CandidatePool, streamed_pool
from hyperctr.data.splits import PARTS
from hyperctr.runtime import rng

if TYPE_CHECKING:
    from hyperctr.config import Config
    from hyperctr.model.history import Targets
    from hyperctr.model.hyperctr import HyperCTR
    from hyperctr.split_data import SplitData


class Placing:
    """Ranks a pair among other items for the same user at the same time.

    Args:
        split_data: what the model was trained on.
        config: numbers of candidates, and the seed that they are drawn with.
        model: in evaluation mode.
    """

    def __init__(self, split_data: SplitData, config: Config, model: HyperCTR) -> None:
        self.split_data, self.config, self.model = split_data, config, model
        self._pools: dict[str, CandidatePool] = {}

    def rank(self, target: Targets, user: int, item: int, time: int) -> dict[str, Any]:
        """Return ``place`` (1: no candidate scores higher), ``of`` (candidates and item) and ``among`` (in words).

        A test click is ranked among its own candidates of the test, a validation click among as many of its own; any
        other pair among as many items, drawn by the run's seed, that the user did not click in training.
        """
        import torch

        others, among = self.candidates(user, item, time)
        items = torch.from_numpy(np.concatenate([[item], others]))[None]
        with torch.no_grad():
            hidden = target.click[target.click >= 0]
            state = self.model.refresh(hidden) if len(hidden) and not self.model.convolution.causal else self._state
            scores = self.model.score(state, self.model.encode(state, target), target, items)[0]
        place = 1 + int((scores[1:] > scores[0]).sum())
        return {"place": place, "of": len(others) + 1, "among": among}

    def candidates(self, user: int, item: int, time: int) -> tuple[NDArray[np.int64], str]:
        """Return the items that a pair is ranked among, and in words who they are."""
        data, split, count = self.split_data.data, self.split_data.split, self.config.test_candidates
        for part in PARTS[1:]:
            pool = self.pool(part)
            found = (pool.users == user) & (pool.items == item) & (pool.timestamps == time)
            if found.any():
                row = int(found.argmax())
                items = pool.negatives[row : row + 1][0].astype(np.int64)
                return items[items >= 0], f"the candidates of this {part} click"
        clicked = data.item_index[split.train[data.user_index[split.train] == user]]
        free = np.setdiff1d(np.arange(data.num_items), np.append(clicked, item))
        draw = rng(self.config.seed, "explained candidates", str(user), str(item), str(time))
        items = draw.choice(free, size=min(count, len(free)), replace=False)
        return items, "items drawn by chance that the user did not click in training"

    def pool(self, part: str) -> CandidatePool:
        """Return the validation or test clicks with their candidates, which are drawn where they are read."""
        if part not in self._pools:
            count, seed = self.config.test_candidates, self.config.seed
            self._pools[part] = streamed_pool(self.split_data.data, self.split_data.split, part, count, seed)
        return self._pools[part]

    @cached_property
    def _state(self) -> Any:
        return self.model.refresh()
