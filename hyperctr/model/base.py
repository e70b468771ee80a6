"""What every model of the harness offers, so that one loop trains them and one evaluation tests them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from hyperctr.model.history import Targets

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch.optim import Optimizer

    from hyperctr.config import Config


class Fitting(Protocol):
    """What a model may ask of its trainer when it plans its stages."""

    config: Config
    steps_per_epoch: int

    def optimiser(self, parameters: Iterable[nn.Parameter], learning_rate: float | None = None) -> Optimizer:
        """Return the optimiser that the settings ask for, over some of the parameters."""
        ...


@dataclass(frozen=True)
class Stage:
    """A part of training with its own loss, parameters to learn, or length.

    Attributes:
        name: passed to :meth:`ClickModel.training_loss` and written into the events; stages of one name share their
            optimisers, which therefore go on where they stopped.
        epochs: how many at most; None means the settings' ``epochs``.
        judged: whether its validation points compete for the best parameters. Early stopping counts judged steps only,
            and ends the whole fit.
        optimisers: makes the stage's optimisers, which all step after each backward pass; None: one over everything.
        begin: called before the first step, under a seed of its own. A resumed run does not call it again, so it may
            change parameters and buffers and nothing else.
    """

    name: str = "train"
    epochs: int | None = None
    judged: bool = True
    optimisers: Callable[[], Sequence[Optimizer]] | None = None
    begin: Callable[[], None] | None = None

    @property
    def title(self) -> str:
        """What is shown while it runs."""
        return "training" if self.name == "train" else f"training, {self.name}"


class ClickModel(nn.Module, ABC):
    """Score candidates in three stages, each of which shares what can be shared.

    Attributes:
        needs_interest: whether the interest is pre-trained and the hypergraphs are built for it.
        sees_clicks: whether a score depends on the clicks that its protocol shows, beside what was learnt from all.
        sees_non_clicks: whether a score may depend on what the user was shown and did not click.
    """

    needs_interest: ClassVar[bool] = False
    sees_clicks: ClassVar[bool] = True
    sees_non_clicks: ClassVar[bool] = False

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

    # ---- training; the defaults are plain cross-entropy in one stage
    def training_loss(self, stage: str, targets: Targets, items: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of one step of a stage of :meth:`fit_plan`, a scalar.

        Targets are training clicks, to be hidden from their own prediction; ``items`` are int64 ``[B, n]``, the clicked
        item and its negatives, and ``labels`` float32 ``[B, n]``, 1 for the clicked item.
        """
        state = self.training_state(targets)
        encoded = self.encode(state, targets)
        logits = self.score(state, encoded, targets, items)
        loss = self.click_loss(logits.float(), labels)
        more = self.auxiliary_loss(state, encoded, targets, items)
        return loss if more is None else loss + more

    def click_loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of logits ``[B, n]``, the clicked item's first; by default cross-entropy (Eq. 8)."""
        # With its minus sign restored.
        return functional.binary_cross_entropy_with_logits(logits, labels)

    def training_state(self, targets: Targets) -> Any:
        """Return what the targets of a training step share; by default :meth:`refresh` without their own clicks."""
        return self.refresh(targets.hidden)

    def begin_round(self, clicks: Tensor, steps: int) -> None:
        """Prepare what the next ``steps`` steps share, without their training ``clicks``; by default nothing.

        An epoch has a fixed number of rounds (``Config.rounds_per_epoch``), so what is done once a round may cost
        time in proportion to the data, and what is done once a step may not.
        """

    def end_round(self) -> None:
        """Add the gradients that the round's steps left for what they shared, before the last one's optimisers step."""

    def tables(self) -> tuple[nn.Parameter, ...]:
        """Return the embedding tables that are read through :func:`hyperctr.sparse_adam.lookup` and ``settled`` only.

        Where they are large, a step then costs what the rows that it reads cost.
        """
        return ()

    def auxiliary_loss(self, state: Any, encoded: Any, targets: Targets, items: Tensor) -> Tensor | None:
        """Return a weighted scalar to add to the loss; None adds nothing."""
        return None

    def fit_plan(self, trainer: Fitting) -> Sequence[Stage]:
        """Return the stages of training, in order; the same ones each time it is asked."""
        return (Stage(),)

    def diagnostics(self) -> dict[str, Any]:
        """Return what a trained model tells of itself besides its test numbers, as JSON-able values."""
        return {}


def squared_norm(parameters: Iterable[Tensor]) -> Tensor:
    """Return half the sum of squares of some parameters: the L2 penalty of a system that names what it falls on.

    >>> squared_norm([torch.tensor([1.0, 2.0]), torch.tensor([[3.0]])])
    tensor(7.)
    """
    return 0.5 * torch.stack([parameter.square().sum() for parameter in parameters]).sum()
