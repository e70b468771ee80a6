"""The exponential moving average of a model's weights, which is smoother than the weights of any one step."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class WeightAverage:
    """Average the weights of ``model`` over about ``rounds`` rounds, the late ones counting most.

    Weights are what a checkpoint holds and is not an integer: parameters, and running statistics with them.

    A round's weights count ``exp(-1 / rounds)`` times as much as the next one's, and all weights add up to 1 from the
    first round on. Taken once a round, the average costs what an epoch's convolutions cost, not what a step costs.

    >>> layer = nn.Linear(1, 1, bias=False)
    >>> average = WeightAverage(layer, rounds=1)
    >>> for value in (1.0, 2.0):
    ...     _ = layer.weight.data.fill_(value)
    ...     average.update()
    >>> with average.in_place():
    ...     round(float(layer.weight.detach()), 4)  # (e^-1 * 1 + 2) / (e^-1 + 1)
    1.7311
    """

    def __init__(self, model: nn.Module, rounds: float) -> None:
        self.model, self.keep = model, math.exp(-1 / rounds)
        self.restart()

    def restart(self) -> None:
        """Forget all rounds so far, as where a stage of training starts from other weights."""
        self.sums = {name: torch.zeros_like(value) for name, value in self._weights().items()}
        self.mass = 0.0

    def _weights(self) -> dict[str, Tensor]:
        return {name: value for name, value in self.model.state_dict().items() if value.is_floating_point()}

    @torch.no_grad()
    def update(self) -> None:
        """Take in the weights as they are."""
        self.mass = self.keep * self.mass + 1 - self.keep
        for name, value in self._weights().items():
            self.sums[name].mul_(self.keep).add_(value, alpha=1 - self.keep)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Put the averages in the weights' place for a while; before the first round there are none."""
        if not self.mass:
            yield
            return
        latest = {name: value.clone() for name, value in self._weights().items()}
        try:
            self._put({name: total / self.mass for name, total in self.sums.items()})
            yield
        finally:
            self._put(latest)

    @torch.no_grad()
    def _put(self, values: dict[str, Tensor]) -> None:
        for name, value in self._weights().items():
            value.copy_(values[name])

    def tensors(self) -> dict[str, Tensor]:
        """Return the state, for a checkpoint."""
        return {**self.sums, "mass": torch.tensor(self.mass, dtype=torch.float64)}

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Put back what :meth:`tensors` gave."""
        self.mass = float(tensors["mass"])
        for name, total in self.sums.items():
            total.copy_(tensors[name])
