"""HTML of the inspector's panels from the templates beside this file; what a template is given is escaped."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

FILTERS = {
    "number": lambda value: f"{value:,}",
    "px": lambda value: f"{value:.1f}",
    "signed": lambda value: f"{value:+.4f}".replace("-", "\N{MINUS SIGN}"),
}


def render(panel: str, **values: Any) -> str:
    """Fill the template of a panel: ``selection``, ``explanation``, ``user`` or ``numbers``.

    What can be clicked carries ``data-act`` (what to do) and ``data-key`` (with what); the browser's module does it.
    Colours of text and lines come from the inspector's stylesheet, so they follow JupyterLab's theme.

    >>> "Nothing is selected" in render("selection", total=0)
    True
    """
    return _environment().get_template(f"{panel}.html.j2").render(values)


@cache
def _environment() -> Environment:
    folder = Path(__file__).parent / "templates"
    made = Environment(loader=FileSystemLoader(folder), autoescape=True, undefined=StrictUndefined)
    made.trim_blocks = made.lstrip_blocks = True
    made.filters.update(FILTERS)
    return made
