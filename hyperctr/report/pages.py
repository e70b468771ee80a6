"""Executed notebooks as pages that open from a folder without a network: one shared plotly.min.js, own style.

nbconvert's stock template loads six addresses and shows no figure offline; plotly's own renderers put 5 MB
into every page. Here a page holds the figures' data only (some tens of kB each).
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from hyperctr.display.publish import CARD, FINDING, FRONT, RESERVED, published
from hyperctr.display.theme import PLOTLY_MIME
from hyperctr.report.cards import index_card, page_card
from hyperctr.report.execute import NotebookResult, load_book
from hyperctr.report.runs import Curve, run_rows
from hyperctr.runtime import duration, write_atomic
from hyperctr.written import show_number

TEMPLATES = Path(__file__).parent / "templates"
SCRIPTS = ("page.js", "sort.js")
ENDINGS = {"csv": "CSV", "tex": "LaTeX", "json": "plotly JSON", "png": "PNG"}  # in the order in which they are linked


@dataclass(frozen=True)
class About:
    """What a site is about.

    Attributes:
        dataset, budget: as given to the command.
        when: date and time, for people.
        card: what it takes to repeat the report; notebooks add to it what they show (:func:`hyperctr.show`).
        problems: what went wrong outside of notebooks and runs, a line each.
    """

    dataset: str
    budget: str
    when: str
    card: dict[str, Any]
    problems: tuple[str, ...]


def write_site(
    folder: Path, about: About, results: Sequence[NotebookResult], runs: pd.DataFrame, curves: Mapping[str, Curve]
) -> None:
    """Write ``index.html``, a page per notebook, one of all runs, and ``assets/`` into a folder.

    Args:
        folder: holds, where notebooks left some, ``tables/`` and ``figures/``.
        about: what the report is about.
        results: how each notebook ended; those that failed are put first.
        runs: the runs behind the report, see :meth:`hyperctr.report.runs.ReportRuns.frame`.
        curves: of :meth:`hyperctr.report.runs.ReportRuns.curves`.
    """
    results = sorted(results, key=lambda result: (result.ok, result.name))
    books = {result.name: load_book(result.path) for result in results}
    heads = {name: _head(name, book) for name, book in books.items()}
    published_values = [(page, name, values) for page, book in books.items() for name, values in published(book)]
    pages = [{"name": name, "title": heads[name][0]} for name in sorted(heads)]
    shared = {**vars(about), "pages": pages, "runs": run_rows(runs, curves), "files": _files(folder)}
    shared["reserved"] = RESERVED

    _write_assets(folder / "assets")
    for result in results:
        cards = [values for page, name, values in published_values if (page, name) == (result.name, CARD)]
        card = page_card(about.card, cards, duration(result.seconds)) if cards else {}
        site = {**shared, "result": result, "title": heads[result.name][0], "card": card, "book": result.path.is_file()}
        body, _ = _exporter().from_notebook_node(books[result.name], resources={"site": site})
        write_atomic(folder / f"{result.name}.html", _linked(body, books))
    if len(runs):
        write_atomic(folder / "runs.csv", runs.to_csv(index=False))
        write_atomic(folder / "runs.html", _jinja().get_template("runs.html.j2").render(shared))
    shared["card"] = index_card(about.card, [values for _, name, values in published_values if name == CARD])
    write_atomic(folder / "card.json", json.dumps(shared["card"], indent=1, default=str))
    shared["key_numbers"] = [entry for entry in published_values if entry[1] not in RESERVED]
    found = sorted((page, name, values) for page, name, values in published_values if name in (FINDING, FRONT))
    shared["findings"] = [(page, line) for page, name, values in found if name == FINDING for line in _lines(values)]
    charts = {page: list(_charts(book)) for page, book in sorted(books.items())}
    shared["mains"] = {page: drawn[0][1] for page, drawn in charts.items() if drawn}
    fronts = {(page, values["figure"]) for page, name, values in found if name == FRONT}
    shared["fronts"] = [(page, chart) for page in charts for file, chart in charts[page] if (page, file) in fronts]
    index = _jinja().get_template("index.html.j2")
    write_atomic(folder / "index.html", index.render(shared, results=results, heads=heads))


def number(value: Any) -> str:
    """Write a published value as markup: numbers rounded, lists joined, by semicolons if a part has a comma itself.

    >>> str(number([1, 0.51234])), str(number("a<b"))
    ('1, 0.5123', 'a&lt;b')
    """
    from markupsafe import escape

    parts = value if isinstance(value, list) else [value]
    joint = "; " if any(", " in str(part) for part in parts) else ", "
    return escape(joint.join(show_number(part) for part in parts))


def _linked(body: str, pages: Container[str]) -> str:
    """Let links to notebooks lead to their pages; of those that this report does not have, only the text stays.

    >>> _linked('<a href="10_a.ipynb">a</a>, <a href="11_b.ipynb">b</a>', {"10_a"})
    '<a href="10_a.html">a</a>, b'
    """
    link = re.compile(r'<a href="(\d\d_\w+)\.ipynb"[^>]*>(.*?)</a>')
    return link.sub(lambda found: f'<a href="{found[1]}.html">{found[2]}</a>' if found[1] in pages else found[2], body)


def _lines(values: Mapping[str, Any]) -> Iterator[Any]:
    """The paragraphs of a finding as markup."""
    from markupsafe import Markup
    from nbconvert.filters import markdown2html

    for paragraph in values["text"].split("\n\n"):
        yield Markup(markdown2html(paragraph).strip().removeprefix("<p>").removesuffix("</p>"))


def _charts(book: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """The figures of an executed notebook: their files ("" for none), and what plotly draws."""
    for cell in book.cells:
        for output in cell.get("outputs", []):
            if PLOTLY_MIME in output.get("data", {}):
                yield output.metadata.get("hyperctr", {}).get("file", ""), output.data[PLOTLY_MIME]


def _script_json(content: Any) -> Any:
    """Write JSON into a script element, which no text of it can close."""
    from markupsafe import Markup

    return Markup(json.dumps(content).replace("<", "\\u003c"))


def _chart_height(figure: Mapping[str, Any]) -> int:
    layout = figure["layout"]
    return int(layout.get("height", layout.get("template", {}).get("layout", {}).get("height", 420)))


FILTERS = {"number": number, "script_json": _script_json, "chart_height": _chart_height}


@cache
def _exporter() -> Any:
    from nbconvert import HTMLExporter

    exporter: Any = HTMLExporter(  # type: ignore[no-untyped-call]
        template_name="notebook", extra_template_basedirs=[str(TEMPLATES)], extra_template_paths=[str(TEMPLATES)]
    )
    for name, write in FILTERS.items():
        exporter.register_filter(name, write)
    return exporter


@cache
def _jinja() -> Any:
    from jinja2 import Environment, FileSystemLoader

    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True)
    environment.filters |= FILTERS
    return environment


def _write_assets(folder: Path) -> None:
    import plotly
    from pygments.formatters import HtmlFormatter

    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(Path(plotly.__file__).parent / "package_data" / "plotly.min.js", folder / "plotly.min.js")
    for name in SCRIPTS:
        shutil.copyfile(TEMPLATES / name, folder / name)
    light = HtmlFormatter(style="friendly").get_style_defs(".highlight")
    dark = HtmlFormatter(style="github-dark").get_style_defs(".highlight")
    colours = f"{light}\n@media screen and (prefers-color-scheme: dark) {{\n{dark}\n}}\n"
    write_atomic(folder / "style.css", colours + (TEMPLATES / "style.css").read_text(encoding="utf-8"))


def _head(name: str, book: Any) -> tuple[str, str]:
    """Title and first sentence of a notebook, from its first markdown cells."""
    title = name
    for cell in book.cells:
        if cell.cell_type != "markdown" or "papermill-error-cell-tag" in cell.metadata.get("tags", []):
            continue
        for line in filter(None, map(str.strip, cell.source.splitlines())):
            if line.startswith("# "):
                title = line[2:]
            elif not line.startswith("#"):
                return title, line.split(". ")[0].rstrip(".") + "."
    return title, ""


def _files(folder: Path) -> dict[str, list[tuple[str, str]]]:
    """Return ``tables/name`` or ``figures/name`` -> (kind of file, link) of what notebooks left."""
    files: dict[str, list[tuple[str, str]]] = {}
    for kind in ("tables", "figures"):
        paths = [path for path in (folder / kind).glob("*.*") if path.suffix[1:] in ENDINGS]
        for path in sorted(paths, key=lambda path: (path.stem, list(ENDINGS).index(path.suffix[1:]))):
            files.setdefault(f"{kind}/{path.stem}", []).append((ENDINGS[path.suffix[1:]], f"{kind}/{path.name}"))
    return files
