"""The panel that lists what is selected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hyperctr.widgets.render import render


def selection_panel(rows: Sequence[dict[str, Any]], kind: str, total: int, colours: Mapping[str, str]) -> str:
    """List the selected users or items: title, training clicks, and the first feature values of each modality.

    Args:
        rows: what :meth:`hyperctr.widgets.scenes.Scenes.table` returns for the first of them.
        kind: what they are, ``user`` or ``item``.
        total: how many are selected.
        colours: of each modality, in order.

    >>> row = {"id": 7, "title": "<Cats>", "popularity": 3, "features": {"visual": {"norm": 5.0, "first": [3.0, -4.0]}}}
    >>> html = selection_panel([row], "item", 1, {"visual": "#0072B2"})
    >>> "&lt;Cats&gt;" in html, "visual: norm 5.00, first values 3.00 -4.00" in html
    (True, True)
    """
    known = {name: [row["features"][name]["first"] for row in rows if row["features"][name]] for name in colours}
    most = {name: max((abs(v) for first in values for v in first), default=0.0) for name, values in known.items()}
    return render("selection", rows=rows, kind=kind, total=total, colours=colours, most=most)
