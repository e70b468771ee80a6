"""Which clicks make a step, which steps share a round, where validation points fall, and how far a run has come."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Schedule:
    """An epoch of ``clicks`` training clicks, ``batch_size`` a step.

    Attributes:
        points: validation points an epoch.
        rounds: convolutions an epoch that were asked for; a multiple of the points is made, so that no point, and no
            checkpoint, falls within a round.

    >>> schedule = Schedule(clicks=1000, batch_size=100, points=2, rounds=3)
    >>> [schedule.round(step) for step in (0, 3, 9)]
    [(0, 3), (3, 5), (8, 10)]
    """

    clicks: int
    batch_size: int
    points: int
    rounds: int

    @property
    def steps_per_epoch(self) -> int:
        """Steps an epoch; the last may be smaller."""
        return -(-self.clicks // self.batch_size)

    @property
    def rounds_per_epoch(self) -> int:
        """Rounds an epoch, of a step each at the least."""
        return min(-(-self.rounds // self.points) * self.points, self.steps_per_epoch)

    def round(self, within: int) -> tuple[int, int]:
        """Return the first step of the round that step ``within`` of the epoch belongs to, and where it ends."""
        steps, rounds = self.steps_per_epoch, self.rounds_per_epoch
        number = within * rounds // steps
        return -(-number * steps // rounds), -(-(number + 1) * steps // rounds)

    def is_point(self, step: int) -> bool:
        """Tell whether a validation point falls after a step, counted from the first epoch's."""
        steps, within = self.steps_per_epoch, step % self.steps_per_epoch
        return (within + 1) * self.points // steps > within * self.points // steps

    def examples(self, steps: int) -> int:
        """Return the clicks that so many steps have gone through."""
        epochs, within = divmod(steps, self.steps_per_epoch)
        return epochs * self.clicks + min(within * self.batch_size, self.clicks)


@dataclass
class Progress:
    """Where a training run stands; saved with every checkpoint.

    Attributes:
        step: steps done in all stages; best_step: steps done when the best parameters were found.
        idle: steps since then that were not judged, and therefore do not count as waiting.
        stage, stage_step: number of the stage, and steps done in it.
    """

    step: int = 0
    best_auc: float = -1.0
    best_step: int = 0
    done: bool = False
    idle: int = 0
    stage: int = 0
    stage_step: int = 0

    def ending(self, steps_per_epoch: int, *, early: bool) -> str:
        """Say how a judged stage ended, in words.

        >>> Progress(step=49, best_auc=0.84752, best_step=34, stage_step=49).ending(5, early=True)
        'stopped early at epoch 9.8, best validation AUC 0.8475 at epoch 6.8'
        """
        end = f"stopped early at epoch {self.step / steps_per_epoch:.1f}" if early else "all epochs"
        return f"{end}, best validation AUC {self.best_auc:.4f} at epoch {self.best_step / steps_per_epoch:.1f}"
