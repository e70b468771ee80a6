"""Which earlier clicks a prediction may see: the one place that knows the protocols (docs/method.md, section 3)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

if TYPE_CHECKING:
    from hyperctr.split_data import SplitData


@dataclass(frozen=True)
class Targets:
    """What is to be scored: a user at a time. Candidates come beside it.

    Attributes:
        user, slot, timestamp: int64 ``[B]``.
        click: int64 ``[B]``, number of the training click (0..C-1) that the target is, which must stay hidden from
            its own prediction; -1 for validation, test and new targets.
        batch: int64, all clicks of the training step, where other processes have a part of its batch; None elsewhere.
    """

    user: Tensor
    slot: Tensor
    timestamp: Tensor
    click: Tensor
    batch: Tensor | None = None

    @property
    def hidden(self) -> Tensor:
        """The training clicks that a step with these targets hides from all of them."""
        return self.click if self.batch is None else self.batch

    def __len__(self) -> int:
        return len(self.user)

    def __getitem__(self, index: Tensor | slice) -> Targets:
        return Targets(self.user[index], self.slot[index], self.timestamp[index], self.click[index], self.batch)

    def to(self, device: torch.device) -> Targets:
        """Return the targets on ``device``."""
        moved = Targets(*(part.to(device) for part in (self.user, self.slot, self.timestamp, self.click)))
        return moved if self.batch is None else replace(moved, batch=self.batch.to(device))


@dataclass(frozen=True)
class Window:
    """The visible clicks of a user nearest in time to a target, the newest first; the valid ones stand in front.

    Attributes:
        items: int64 ``[B, L]``; 0 where invalid.
        valid: bool ``[B, L]``.
        short: bool ``[B, L]``, clicks of the target's own slot (short-term) against earlier slots (long-term).
        position: int64 ``[B, L]``: 0, 1, ... from the target back in time, L, L + 1, ... from the target on; all are
            below 2 L.
        timestamp: int64 ``[B, L]``; 0 where invalid.
    """

    items: Tensor
    valid: Tensor
    short: Tensor
    position: Tensor
    timestamp: Tensor

    @property
    def lengths(self) -> Tensor:
        """Number of visible clicks, int64 ``[B]``."""
        return self.valid.sum(1)

    def only(self, targets: Tensor) -> Window:
        """Return the window as if the other targets had no history; ``targets`` is bool ``[B]``."""
        valid = self.valid & targets[:, None]
        items, timestamp = (torch.where(valid, part, 0) for part in (self.items, self.timestamp))
        return replace(self, items=items, valid=valid, short=self.short & valid, timestamp=timestamp)

    def oldest_first(self) -> Window:
        """Return the window in the order of time; the valid clicks still stand in front, as packing wants them."""
        place = torch.arange(self.items.shape[1], device=self.items.device)
        index = torch.where(self.valid, self.lengths[:, None] - 1 - place, place)
        parts = (self.items, self.valid, self.short, self.position, self.timestamp)
        return Window(*(part.gather(1, index) for part in parts))

    def summed(self, table: Tensor, index: Tensor | None = None) -> Tensor:
        """Return the sum of the clicks' item vectors over the root of their number, ``[B, d]``.

        ``table`` is ``[I, d]``; with ``index``, int64 ``[B, L]``, its rows are those instead of the items'.
        """
        weight = self.valid.to(table.dtype) / self.valid.sum(1, keepdim=True).clamp(min=1).to(table.dtype).sqrt()
        rows = self.items if index is None else index
        total: Tensor = functional.embedding_bag(rows, table, mode="sum", per_sample_weights=weight)
        return total


class ClickHistory:
    """The training clicks of every user in time order, with the protocol's rule of what is visible.

    ``as-published``: clicks of the target's slot and of earlier slots, minus the target itself.
    ``causal``: clicks with a timestamp strictly before the target's.

    With ``non_clicks`` the training rows shown and not clicked are read instead of the clicks; the rule is the same.
    """

    def __init__(
        self, split_data: SplitData, protocol: Literal["as-published", "causal"], non_clicks: bool = False
    ) -> None:
        data, split, slots = split_data.data, split_data.split, split_data.slots
        self.protocol, self.holds_non_clicks, self._split_data = protocol, non_clicks, split_data
        rows = split.non_clicks("train") if non_clicks else split.train
        order = np.lexsort((rows, data.timestamp[rows], data.user_index[rows]))
        rows, times = rows[order], np.unique(data.timestamp[rows])
        user, slot, timestamp = data.user_index[rows], slots.index[rows], data.timestamp[rows]
        self.num_slots = slots.count
        self.user, self.item = torch.from_numpy(user), torch.from_numpy(data.item_index[rows])
        self.slot, self.timestamp = torch.from_numpy(slot), torch.from_numpy(timestamp)
        self.times = torch.from_numpy(times)
        start = np.searchsorted(user, np.arange(data.num_users + 1))
        self.start, self.halvings = torch.from_numpy(start), int(np.diff(start).max(initial=0)).bit_length()
        moment = slot if protocol == "as-published" else np.searchsorted(times, timestamp)
        self.span = slots.count + 1 if protocol == "as-published" else len(times) + 1
        self.key = torch.from_numpy(user * np.int64(self.span) + moment)
        self.place = torch.from_numpy(np.argsort(order))  # training click number -> position in time order

    def of_non_clicks(self) -> ClickHistory:
        """Return the history of what the users were shown and did not click, by the same rule, on the same device.

        It has no rows where a data set has no non-clicks. Sampled negatives are never part of it.
        """
        return ClickHistory(self._split_data, self.protocol, non_clicks=True).to(self.item.device)

    def has_clicks(self) -> Tensor:
        """Tell which users have a row at all, bool ``[U]``."""
        return self.start.diff() > 0

    def to(self, device: torch.device) -> ClickHistory:
        """Move to ``device`` and return self."""
        for name, value in vars(self).items():
            if isinstance(value, Tensor):
                setattr(self, name, value.to(device))
        return self

    def window(self, targets: Targets, length: int) -> Window:
        """Return the ``length`` visible clicks nearest in time to each target; of two equally near, the earlier one."""
        if self.protocol == "as-published":
            end = torch.searchsorted(self.key, targets.user * self.span + targets.slot, right=True)
        else:
            moment = torch.searchsorted(self.times, targets.timestamp)
            end = torch.searchsorted(self.key, targets.user * self.span + moment)
        if not len(self.item):
            empty = torch.zeros(len(targets), length, dtype=torch.int64, device=end.device)
            return Window(empty, empty.bool(), empty.bool(), empty, empty)
        start, hidden = self.start[targets.user], end
        if not self.holds_non_clicks:
            hidden = torch.where(targets.click >= 0, self.place[targets.click.clamp(min=0)].minimum(end), end)
        # The target's own click is stepped over without a gap, so that nothing tells it was ever there.
        end = end - (hidden < end).long()
        last = (self._nearest(start, end, hidden, targets.timestamp, length) + length).minimum(end)[:, None] - 1
        place = torch.arange(length, device=end.device)
        index = last - place
        valid = index >= start[:, None]
        index = (index + (index >= hidden[:, None]).long()).clamp(min=0)
        short = valid & (self.slot[index] == targets.slot[:, None])
        item, timestamp = (torch.where(valid, part[index], 0) for part in (self.item, self.timestamp))
        after = (valid & (timestamp > targets.timestamp[:, None])).sum(1, keepdim=True)
        position = torch.where(place < after, length + after - 1 - place, place - after)
        return Window(item, valid, short, position, timestamp)

    def _nearest(self, start: Tensor, end: Tensor, hidden: Tensor, time: Tensor, length: int) -> Tensor:
        """Return where the ``length`` clicks nearest to ``time`` begin among the visible ones, by binary search."""
        low, high = start, (end - length).maximum(start)
        final = len(self.item) - 1

        def at(place: Tensor) -> Tensor:
            return self.timestamp[(place + (place >= hidden).long()).clamp(max=final)]

        for _ in range(self.halvings):
            middle = (low + high) // 2
            later = (low < high) & (time - at(middle) > at(middle + length) - time)
            low, high = torch.where(later, middle + 1, low), torch.where(later, high, middle)
        return low
