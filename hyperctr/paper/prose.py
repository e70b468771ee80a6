"""Paragraphs of Markdown from templates: ``templates/<name>.md.j2`` holds the sentences, the caller the numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from hyperctr.written import show_interval, show_number

if TYPE_CHECKING:
    from jinja2 import Environment


def prose(template_name: str, **values: Any) -> str:
    """Render a template; lines within a paragraph are joined, paragraphs are kept apart.

    A value that the template asks for and does not get is an error of jinja2, not a gap in the text.

    >>> prose("on_the_paper", notes=["MIMN has a misprint."])
    '*On the paper*: MIMN has a misprint.'
    """
    text = _templates().get_template(f"{template_name}.md.j2").render(values)
    paragraphs = (re.sub(r"[ \n]+", " ", paragraph).strip() for paragraph in re.split(r"\n[ \n]*\n", text))
    return "\n\n".join(filter(None, paragraphs))


def listed(words: Sequence[str]) -> str:
    """Write a list as text.

    >>> listed(["a"]), listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


@cache
def _templates() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    templates = Environment(
        loader=PackageLoader("hyperctr.paper"), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    templates.filters |= {"listed": listed, "number": show_number}
    templates.globals["interval"] = show_interval
    return templates
