"""A figure with what belongs to it: its name, the numbers drawn, what is said of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hyperctr.display.theme import follow_theme, mime_bundle

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go


@dataclass(frozen=True, eq=False)
class Figure:
    """A figure that shows itself in a notebook.

    Attributes:
        chart: the plotly figure.
        name: file name without ending; empty: the figure is not kept as a file.
        frame: the numbers drawn, which the CSV file holds; None: none are kept.
        note: a paragraph of Markdown to stand under the figure.
        headline: key numbers for the first page of a report.
        front: whether that page shows the figure itself.
        said: whether the note alone says it all: the figure is kept as a file, and not shown.

    >>> from hyperctr.display.theme import figure
    >>> Figure(figure("Clicks over time", x="month", y="clicks"))
    Figure: Clicks over time
    """

    chart: go.Figure
    name: str = ""
    frame: pd.DataFrame | None = None
    note: str = ""
    headline: Mapping[str, Any] = field(default_factory=dict)
    front: bool = False
    said: bool = False

    def _ipython_display_(self) -> None:
        from IPython.display import display

        follow_theme()
        display(mime_bundle(self.chart), raw=True)  # type: ignore[no-untyped-call]

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return mime_bundle(self.chart)

    def __repr__(self) -> str:
        return f"Figure: {self.chart.layout.title.text}"
