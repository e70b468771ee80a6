"""What a notebook shows while something runs: a panel with a line for each stage, and the learning curve.

It is HTML that takes the place of what was there before, by its display id. No widget: a saved notebook keeps how it
ended, also where no kernel is left.
"""

from __future__ import annotations

import html
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hyperctr.display.card import card, learning_curve
from hyperctr.display.colours import MODALITY_COLOURS

if TYPE_CHECKING:
    from hyperctr.progress import Stage

REFRESH = 0.5  # seconds between two drawings at the least, whichever stages move
SIGNS = {"running": "▸", "done": "✓", "failed": "✗"}
RUNNING = MODALITY_COLOURS["visual"]
STYLE = """<style>
.hctr-card table.hc-stages td{text-align:left;padding:1px 12px 1px 0;white-space:normal}
.hctr-card table.hc-stages :is(td:first-child,.hc-soft){white-space:nowrap}
.hctr-card .hc-done{width:120px;height:8px;border-radius:3px;background:var(--hc-line);overflow:hidden}
.hctr-card .hc-done div{height:100%;border-radius:3px}
.hctr-card .hc-done .hc-open{width:30%;animation:hc-open 1.6s ease-in-out infinite alternate}
@keyframes hc-open{to{margin-left:70%}}
</style>"""


class Panel:
    """A panel in the output of a cell; it appears with its first stage.

    Attributes:
        stages: those that are shown, in the order in which they began.
        points: the learning curve, which whoever trains goes on writing to.
    """

    def __init__(self, title: str = "") -> None:
        self.title = title
        self.stages: list[Stage] = []
        self.points: Sequence[Mapping[str, Any]] = ()
        self._handle: Any = None
        self._next = 0.0

    def draw(self, stage: Stage) -> None:
        """Show how a stage stands; its beginning and end at once, all else as often as is cheap."""
        new = stage not in self.stages
        if new:
            self.stages.append(stage)
        ended = stage.state != "running"
        if stage.state == "done" and not stage.kept:
            self.stages.remove(stage)
        now = time.monotonic()
        if new or ended or now >= self._next:
            self._next = now + REFRESH
            self._show({"text/html": self.html(), "text/plain": self.text()})

    def curve(self, points: Sequence[Mapping[str, Any]]) -> None:
        """Show a learning curve from the next drawing on."""
        self.points = points

    def text(self) -> str:
        """Return the panel for a front end without HTML."""
        lines = [f"{SIGNS[stage.state]} {stage.name}: {stage.text()}, {stage.time()}" for stage in self.stages]
        return "\n".join(filter(None, [self.title, *lines]))

    def html(self) -> str:
        """Return the panel."""
        rows = "".join(map(_row, self.stages))
        lines = f'<table class="hc-stages"><tbody>{rows}</tbody></table>' if rows else ""
        state = "failed" if any(stage.state == "failed" for stage in self.stages) else ""
        running = any(stage.state == "running" for stage in self.stages)
        about = state or ("running" if running else "done")
        return card(self.title or "Progress", about, f"{STYLE}{lines}", learning_curve(self.points))

    def _show(self, bundle: dict[str, str]) -> None:
        if self._handle is None:
            from IPython.display import display

            self._handle = display(bundle, raw=True, display_id=True)  # type: ignore[no-untyped-call]
        else:
            self._handle.update(bundle, raw=True)


def _row(stage: Stage) -> str:
    """Return the line of one stage: its bar is green once it is done, also where it stopped early, red if it failed."""
    colour = {"running": RUNNING, "done": "var(--hc-good)", "failed": "var(--hc-bad)"}[stage.state]
    share = stage.share
    if share is None and stage.state == "running":
        filled = f'<div class="hc-open" style="background:{colour}"></div>'
    else:
        filled = f'<div style="width:{100 * (share or 0):.1f}%;background:{colour}"></div>'
    sign = f'<span style="color:{colour}">{SIGNS[stage.state]}</span>'
    bar = f'<div class="hc-done" data-state="{stage.state}">{filled}</div>'
    words = f'{html.escape(stage.text())} <span class="hc-soft">{html.escape(stage.time())}</span>'
    return f"<tr><td>{sign} {html.escape(stage.name)}</td><td>{bar}</td><td>{words}</td></tr>"
