"""The table of layouts that ``hyperctr data import`` reads, from their declarations."""

from __future__ import annotations

from hyperctr.data.formats import FORMATS
from hyperctr.display.table import Table


def formats_table() -> str:
    """Return a row for each layout: its name, its files, what counts as a click, and where to get it."""
    rows = [[f"`{form.name}`", form.about, f"`{form.log.click}`", form.get] for form in FORMATS.values()]
    return Table(["name", "files", "a click is", "where from"], rows).markdown()
