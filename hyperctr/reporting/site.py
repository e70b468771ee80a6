"""Executed notebooks as pages that open from a folder without a network: one shared plotly.min.js, own style.

nbconvert's stock template loads six addresses and shows no figure offline; plotly's own renderers put 5 MB
into every page. Here a page holds the figures' data only (some tens of kB each).
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from hyperctr.reporting.notebook import NotebookResult, load_book
from hyperctr.reporting.publish import published
from hyperctr.reporting.tables import duration, show_number
from hyperctr.runtime import write_atomic

TEMPLATES = Path(__file__).parent / "templates"
CARD = "reproduction"  # the name under which notebooks publish what goes on the card


@dataclass(frozen=True)
class About:
    """What a site is about.

    Attributes:
        dataset, preset: as given to the command.
        when: date and time, for people.
        seconds: wall time of all notebooks.
        card: what it takes to repeat the report; notebooks add to it by ``publish("reproduction", ...)``.
    """

    dataset: str
    preset: str
    when: str
    seconds: float
    card: dict[str, Any]


def write_site(folder: str | Path, about: About, results: Sequence[NotebookResult]) -> Path:
    """Write ``index.html``, one page per notebook and ``assets/`` into the report folder; return the index.

    Args:
        folder: holds ``notebooks/`` (executed) and, where notebooks left some, ``tables/`` and ``figures/``.
        about: what the report is about.
        results: how each notebook ended; those that failed are put first.
    """
    folder = Path(folder)
    results = sorted(results, key=lambda one: (one.ok, one.name))
    books = {one.name: load_book(one.path) for one in results}
    heads = {one.name: _head(one.name, books[one.name]) for one in results}
    pages = [{"name": name, "title": heads[name][0]} for name in sorted(heads)]
    _write_assets(folder / "assets")
    for one in results:
        site = {
            **{name: getattr(one, name) for name in ("name", "status", "seconds", "error")},
            **{name: getattr(about, name) for name in ("dataset", "preset", "when")},
            "title": heads[one.name][0],
            "pages": pages,
        }
        write_atomic(folder / f"{one.name}.html", _page(books[one.name], site))
    facts = [(one.name, name, values) for one in results for name, values in published(books[one.name])]
    index = folder / "index.html"
    content = _jinja().get_template("index.html.j2").render(
        dataset=about.dataset,
        preset=about.preset,
        when=about.when,
        minutes=duration(about.seconds),
        results=results,
        failed=[one for one in results if not one.ok],
        pages=pages,
        titles={name: head[0] for name, head in heads.items()},
        leads={name: head[1] for name, head in heads.items()},
        facts=[fact for fact in facts if fact[1] != CARD],
        card={**about.card, **_merged([values for _, name, values in facts if name == CARD])},
        files=_files(folder),
    )  # fmt: skip
    write_atomic(index, content)
    return index


def number(value: Any) -> str:
    """Write a published value: numbers rounded, lists joined.

    >>> str(number([1, 0.51234])), str(number("a<b"))
    ('1, 0.5123', 'a&lt;b')
    """
    from markupsafe import Markup

    parts = value if isinstance(value, list) else [value]
    return Markup(", ".join(show_number(part) for part in parts))


def _page(book: Any, site: dict[str, Any]) -> str:
    """One notebook as HTML."""
    body, _ = _exporter().from_notebook_node(book, resources={"site": site})
    return str(body)


@cache
def _exporter() -> Any:
    from nbconvert import HTMLExporter

    exporter: Any = HTMLExporter(  # type: ignore[no-untyped-call]
        template_name="notebook", extra_template_basedirs=[str(TEMPLATES)]
    )
    exporter.register_filter("number", number)
    return exporter


@cache
def _jinja() -> Any:
    from jinja2 import Environment, FileSystemLoader

    made = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True)
    made.filters["number"] = number
    return made


def _write_assets(folder: Path) -> None:
    import plotly
    from pygments.formatters import HtmlFormatter

    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(Path(plotly.__file__).parent / "package_data" / "plotly.min.js", folder / "plotly.min.js")
    shutil.copyfile(TEMPLATES / "page.js", folder / "page.js")
    light = HtmlFormatter(style="friendly").get_style_defs(".highlight")
    dark = HtmlFormatter(style="github-dark").get_style_defs(".highlight")
    colours = f"{light}\n@media screen and (prefers-color-scheme: dark) {{\n{dark}\n}}\n"
    write_atomic(folder / "style.css", colours + (TEMPLATES / "style.css").read_text(encoding="utf-8"))


def _head(name: str, book: Any) -> tuple[str, str]:
    """Title and first sentence of a notebook, from its first markdown cells."""
    title, lead = name, ""
    for cell in book.cells:
        if cell.cell_type != "markdown" or "papermill-error-cell-tag" in cell.metadata.get("tags", []):
            continue
        for line in filter(None, map(str.strip, cell.source.splitlines())):
            if line.startswith("# "):
                title = line[2:]
            elif not line.startswith("#"):
                lead = line.split(". ")[0].rstrip(".") + "."
                return title, lead
    return title, lead


def _merged(cards: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One card of all notebooks; where they differ (two splits, two seeds), every value is shown."""
    merged: dict[str, Any] = {}
    for card in cards:
        for key, value in card.items():
            seen = merged.setdefault(key, [])
            seen += [one for one in (value if isinstance(value, list) else [value]) if one not in seen]
    return merged


def _files(folder: Path) -> dict[str, list[tuple[str, str]]]:
    """Files that notebooks left, by name: what the index links to."""
    found: dict[str, list[tuple[str, str]]] = {}
    for kind in ("tables", "figures"):
        for path in sorted((folder / kind).glob("*.*")):
            found.setdefault(path.stem, []).append((path.suffix[1:], f"{kind}/{path.name}"))
    return found
