"""The part of the inspector that outlives its kernel: what a notebook stores of it, and pages to mail."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hyperctr.errors import HyperCTRError
from hyperctr.widgets import saved
from hyperctr.widgets.messages import live

if TYPE_CHECKING:
    from hyperctr.widgets.inspector import Inspector

PATIENCE = 2.0  # seconds after the first picture that a live kernel goes on for those who have none


class Saving:
    """What :class:`hyperctr.widgets.inspector.Inspector` leaves behind.

    A live front end gets two outputs, the widget and, hidden behind it, the page part that shows the same without
    Python: of one output with both, JupyterLab shows the widget only, even where its kernel is gone. The page part
    follows when the first picture is on its way, so that nobody waits for it. Elsewhere it is all there is.
    """

    def export_html(self: Inspector, path: str | Path) -> Path:  # type: ignore[misc]
        """Write the inspector as a page that needs neither Python nor a network, with the scenes of all slots.

        Raises:
            ConfigError: another ending than ``.html``.
            DataError: the picture alone takes more than 20 MB.
        """
        return saved.write_page(self, path)

    def _ipython_display_(self: Inspector) -> None:  # type: ignore[misc]
        from IPython.display import display

        if not live():
            display(self._saved(), raw=True)  # type: ignore[no-untyped-call]
            return
        bundle = self._repr_mimebundle_()
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        widget = {mime: value for mime, value in data.items() if mime != "text/plain"}  # a saved page needs no line
        display(widget, metadata=metadata, raw=True)  # type: ignore[no-untyped-call]
        behind = {"text/html": "", "text/plain": repr(self)}
        self._pages.append(display(behind, raw=True, display_id=True))  # type: ignore[no-untyped-call]
        self._paged.clear()

    def _saved(self: Inspector, **options: Any) -> dict[str, str]:  # type: ignore[misc]
        try:
            page = saved.page_part(self, **options)
        except HyperCTRError as error:  # too large: the notebook says so, and the widget works all the same
            page = f"<p>{escape(str(error))}</p>"
        return {"text/html": page, "text/plain": repr(self)}

    def _save(self: Inspector) -> None:  # type: ignore[misc]
        """Keep the scenes of each side once it was looked at: places of the other would take long."""
        if self._pages and self.side not in self._paged:
            self._paged.add(self.side)
            kept = self._saved(sides=sorted(self._paged), seconds=PATIENCE)
            for page in self._pages:
                page.update(kept, raw=True)
