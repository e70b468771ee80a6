"""What every model of the harness offers, so that one loop trains them and one evaluation tests them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from torch import Tensor, nn

from hyperctr.model.history import Targets


class ClickModel(nn.Module, ABC):
    """Score candidates in three stages, each of which shares what can be shared."""

    @abstractmethod
    def refresh(self, dropped: Tensor | None = None) -> Any:
        """Compute what all targets share, without the training clicks ``dropped`` (int64, numbers 0..C-1)."""

    @abstractmethod
    def encode(self, state: Any, targets: Targets) -> Any:
        """Compute one representation per target."""

    @abstractmethod
    def score(self, state: Any, encoded: Any, targets: Targets, items: Tensor) -> Tensor:
        """Return logits ``[B, n]`` of candidate items (int64 ``[B, n]``)."""

    def forward(self, targets: Targets, items: Tensor, dropped: Tensor | None = None) -> Tensor:
        """Run the three stages; ``dropped`` training clicks are hidden from all targets."""
        state = self.refresh(dropped)
        return self.score(state, self.encode(state, targets), targets, items)
