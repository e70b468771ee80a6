"""What is running and how far it is, for whoever watches: bars in a terminal, a panel in a notebook, nothing in batch.

A stage is told where it stands as often as one likes; it looks at the clock, and is drawn twice a second at most.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Literal, Protocol, TypeVar

from hyperctr.lazy import lazy_function
from hyperctr.runtime import duration, first_process, in_notebook

Element = TypeVar("Element")
REFRESH = 0.5  # seconds between two drawings at the least
Point = Mapping[str, Any]  # epoch, loss and validation_auc, and what else a line of events.jsonl holds


class View(Protocol):
    """Where stages are shown."""

    def draw(self, stage: Stage) -> None:
        """Show how a stage stands: when it begins, while it runs, and once more when it has ended."""
        ...

    def curve(self, points: Sequence[Point]) -> None:
        """Show a learning curve, where there is room for one; it is read again at each drawing."""
        ...


class Stage:
    """Something that takes a while, with a name: one line of what is shown. It begins and ends with a ``with`` block.

    Attributes:
        name: what is running.
        total: how many units at most; 0: not known.
        unit: "epoch" writes "epoch 2.5 of at most 40", an empty one "3 of 12".
        done: units done.
        state: how it stands; what ends early because it is good enough is done.
        note: numbers of the moment, such as the loss, and after the end what came of it.
        kept: whether the line stays when the stage is done.

    >>> stage = Stage("training", 40, "epoch")
    >>> stage.done, stage.note = 2.5, "loss 0.4120"
    >>> stage.text()
    'epoch 2.5 of at most 40, loss 0.4120'
    """

    def __init__(
        self,
        name: str,
        total: float = 0,
        unit: str = "",
        *,
        done: float = 0,
        kept: bool = True,
        view: View | None = None,
    ) -> None:
        self.name, self.total, self.unit, self.done, self.kept = name, total, unit, float(done), kept
        self.state: Literal["running", "done", "failed"] = "running"
        self.note = ""
        self._view, self._first, self._next = view, self.done, 0.0
        self._started, self._ended = time.monotonic(), 0.0

    def step(self, done: float) -> None:
        """Say how many units are done."""
        self.done = done
        if self._view is not None and (now := time.monotonic()) >= self._next:
            self._next = now + REFRESH
            self._view.draw(self)

    def end(self, note: str) -> None:
        """Say what came of it, in place of how far it is; what is left of the total was not needed."""
        self.note, self.total = note, self.done

    @property
    def share(self) -> float | None:
        """How much is done, 0 to 1; None if nobody knows."""
        if self.state == "done":
            return 1.0
        return min(self.done / self.total, 1.0) if self.total else None

    @property
    def seconds(self) -> float:
        """How long it has run, or ran."""
        return (self._ended or time.monotonic()) - self._started

    def text(self) -> str:
        """Return how far it is and its note, in words."""
        far = ""
        if self.state == "running" or not self.note:
            far = f"{self.done:.1f}" if self.unit else f"{self.done:,.0f}" if self.done or self.total else ""
            far += f" of {'at most ' if self.unit else ''}{self.total:,.0f}" if self.total else ""
            far = f"{self.unit} {far}" if self.unit and far else far
        return ", ".join(filter(None, [far, self.note]))

    def time(self) -> str:
        """Return how long it has run, and how long it will run at most."""
        took, gained = self.seconds, self.done - self._first
        if self.state != "running" or not self.total or gained <= 0 or took < 1:
            return duration(took)
        return f"{duration(took)}, at most {duration(took * (self.total - self.done) / gained)} left"

    def __enter__(self) -> Stage:
        if self._view is not None:
            self._view.draw(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        if kind is None or kind is GeneratorExit:
            self.close()
        else:
            self.close("stopped by hand" if kind is KeyboardInterrupt else f"failed: {kind.__name__}")

    def close(self, failed: str = "") -> None:
        """End the stage, well or with words on how it failed."""
        self._ended = time.monotonic()
        if failed:
            self.note = f"{failed} at {text}" if (text := self.text()) else failed
        self.state = "failed" if failed else "done"
        if self._view is not None:
            self._view.draw(self)


_shown: ContextVar[tuple[View | None, str] | None] = ContextVar("shown", default=None)
_panel = lazy_function("display.live:Panel")


@contextmanager
def shown_together(title: str = "", before: str = "") -> Iterator[None]:
    """Show the stages that begin inside together; inside another such block, among those of that one.

    Args:
        title: what they are stages of.
        before: what their names begin with.
    """
    outer = _shown.get()
    shown, already = (view(title), "") if outer is None else outer
    token = _shown.set((shown, already + before))
    try:
        yield
    finally:
        _shown.reset(token)


def begin_stage(name: str, total: float = 0, unit: str = "", *, done: float = 0, kept: bool = True) -> Stage:
    """Return a stage to be shown where the others of this run are, or by itself.

    >>> with begin_stage("counting", 3) as counting:
    ...     counting.step(3)
    >>> counting.text(), counting.state
    ('3 of 3', 'done')
    """
    shown, before = _shown.get() or (view(), "")
    return Stage(f"{before}{name}", total, unit, done=done, kept=kept, view=shown)


def show_curve(points: Sequence[Point]) -> None:
    """Show the learning curve of the stages that are shown together; not that of a reference model beside them."""
    shown = _shown.get()
    if shown is not None and shown[0] is not None and not shown[1]:
        shown[0].curve(points)


def track(elements: Iterable[Element], *, total: int | None = None, label: str = "") -> Iterable[Element]:
    """Show progress over ``elements``, if anybody watches."""
    if not watched():
        return elements
    return _tracked(elements, begin_stage(label, total or getattr(elements, "__len__", int)(), kept=False))


def _tracked(elements: Iterable[Element], shown: Stage) -> Iterator[Element]:
    with shown:
        for number, element in enumerate(elements, 1):
            yield element
            shown.step(number)


def watched() -> bool:
    """Tell whether anybody sees progress: papermill and CI have a kernel or a pipe, but nobody watching."""
    return not os.environ.get("HYPERCTR_BATCH") and first_process() and (in_notebook() or sys.stderr.isatty())


def view(title: str = "") -> View | None:
    """Return where stages are shown: a panel of a notebook, a terminal, None if nobody watches."""
    if not watched():
        return None
    panel: View = _panel(title) if in_notebook() else Terminal()
    return panel


class Terminal:
    """A bar a stage, one below the other."""

    def __init__(self) -> None:
        self.bars: dict[Stage, Any] = {}

    def draw(self, stage: Stage) -> None:
        """Draw the bar of a stage: green at the end if it went well, also where it stopped early, else red."""
        from tqdm import tqdm

        if stage not in self.bars:
            self.bars[stage] = tqdm(total=1.0, dynamic_ncols=True, desc=f"{stage.name:<26}", bar_format="{desc}")
        bar, share = self.bars[stage], stage.share
        if stage.state != "running":
            bar.colour = "green" if stage.state == "done" else "red"
            bar.leave = stage.kept or stage.state == "failed"
        bar.n = share or 0.0
        far = "     " if share is None else "{percentage:4.0f}%"
        words = ", ".join(filter(None, [stage.text(), stage.time()])).replace("{", "{{").replace("}", "}}")
        bar.bar_format = f"{{desc}} {far} |{{bar:20}}| {words}"
        bar.refresh()
        if stage.state != "running":
            self.bars.pop(stage).close()

    def curve(self, points: Sequence[Point]) -> None:
        """Show no curve."""
