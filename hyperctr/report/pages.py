"""Executed notebooks as pages that open from a folder without a network: one shared plotly.min.js, own style.

nbconvert's stock template loads six addresses and shows no figure offline; plotly's own renderers put 5 MB
into every page. Here a page holds the figures' data only (some tens of kB each).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from hyperctr.display.publish import published
from hyperctr.display.table import show_number
from hyperctr.report.cards import CARD, index_card, page_card
from hyperctr.report.execute import NotebookResult, load_book, new_book
from hyperctr.report.runs_page import HEAD, RunRow, run_rows
from hyperctr.runtime import duration, write_atomic

TEMPLATES = Path(__file__).parent / "templates"
SCRIPTS = ("page.js", "sort.js")
ENDINGS = {"csv": "CSV", "tex": "LaTeX", "json": "plotly JSON", "png": "PNG"}  # in the order in which they are linked


@dataclass(frozen=True)
class About:
    """What a site is about.

    Attributes:
        dataset, preset: as given to the command.
        when: date and time, for people.
        seconds: wall time of the report.
        card: what it takes to repeat the report; notebooks add to it by ``publish("reproduction", ...)``.
        problems: what went wrong outside of notebooks and runs, a line each.
    """

    dataset: str
    preset: str
    when: str
    seconds: float
    card: dict[str, Any]
    problems: tuple[str, ...] = ()


def write_site(
    folder: str | Path,
    about: About,
    results: Sequence[NotebookResult],
    runs: pd.DataFrame | None = None,
    curves: Mapping[str, Sequence[tuple[float, float]]] | None = None,
) -> Path:
    """Write ``index.html``, a page per notebook, one of all runs, and ``assets/`` into a folder; return the index.

    Args:
        folder: holds, where notebooks left some, ``tables/`` and ``figures/``.
        about: what the report is about.
        results: how each notebook ended; those that failed are put first.
        runs: the runs behind the report, see :meth:`hyperctr.report.runs.ReportRuns.frame`.
        curves: run id -> (epoch, validation AUC) of its validation points.
    """
    folder = Path(folder)
    results = sorted(results, key=lambda one: (one.ok, one.name))
    books = {one.name: load_book(one.path) if one.path.is_file() else new_book() for one in results}
    heads = {one.name: _head(one.name, books[one.name]) for one in results}
    pages = [{"name": name, "title": heads[name][0]} for name in sorted(heads)]
    facts = [(one.name, name, values) for one in results for name, values in published(books[one.name])]
    cards = [values for _, name, values in facts if name == CARD]
    rows = run_rows(runs, curves or {}) if runs is not None else []
    files = _files(folder)
    shared = {"dataset": about.dataset, "preset": about.preset, "when": about.when, "pages": pages, "runs": rows}

    _write_assets(folder / "assets")
    for one in results:
        own = [values for page, name, values in facts if (page, name) == (one.name, CARD)]
        site = {
            **shared,
            **{name: getattr(one, name) for name in ("name", "status", "seconds", "error")},
            "title": heads[one.name][0],
            "files": files,
            "card": page_card(about.card, own, duration(one.seconds)) if own else {},
            "book": one.path.is_file(),
        }
        write_atomic(folder / f"{one.name}.html", _page(books[one.name], site))
    if rows and runs is not None:
        write_atomic(folder / "runs.csv", runs.to_csv(index=False))
        write_atomic(folder / "runs.html", _jinja().get_template("runs.html.j2").render(**shared, head=HEAD))
    card = index_card(about.card, cards)
    write_atomic(folder / "card.json", json.dumps(card, indent=1, default=str))
    index = folder / "index.html"
    content = (
        _jinja()
        .get_template("index.html.j2")
        .render(
            **shared,
            problems=about.problems,
            took=duration(about.seconds),
            results=results,
            failed=[one for one in results if not one.ok],
            bad_runs=[row for row in rows if not row.ok],
            titles={name: head[0] for name, head in heads.items()},
            leads={name: head[1] for name, head in heads.items()},
            counts=_counts(rows),
            facts=[fact for fact in facts if fact[1] != CARD],
            card=card,
            files=files,
        )
    )
    write_atomic(index, content)
    return index


def _counts(rows: Sequence[RunRow]) -> str:
    """How many runs are in which state, in words."""
    states = [row.state for row in rows]
    return ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))


def number(value: Any) -> str:
    """Write a published value: numbers rounded, lists joined, by semicolons if a part has a comma itself.

    >>> str(number([1, 0.51234])), str(number("a<b"))
    ('1, 0.5123', 'a&lt;b')
    """
    from markupsafe import Markup

    parts = value if isinstance(value, list) else [value]
    joint = "; " if any(", " in str(part) for part in parts) else ", "
    return Markup(joint).join(show_number(part) for part in parts)


def _page(book: Any, site: dict[str, Any]) -> str:
    """One notebook as HTML."""
    body, _ = _exporter().from_notebook_node(book, resources={"site": site})
    return str(body)


@cache
def _exporter() -> Any:
    from nbconvert import HTMLExporter

    exporter: Any = HTMLExporter(  # type: ignore[no-untyped-call]
        template_name="notebook", extra_template_basedirs=[str(TEMPLATES)], extra_template_paths=[str(TEMPLATES)]
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
    for name in SCRIPTS:
        shutil.copyfile(TEMPLATES / name, folder / name)
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


def _files(folder: Path) -> dict[str, list[tuple[str, str]]]:
    """Return ``tables/name`` or ``figures/name`` -> (kind of file, link) of what notebooks left."""
    found: dict[str, list[tuple[str, str]]] = {}
    for kind in ("tables", "figures"):
        paths = [path for path in sorted((folder / kind).glob("*.*")) if path.suffix[1:] in ENDINGS]
        for path in sorted(paths, key=lambda one: (one.stem, list(ENDINGS).index(one.suffix[1:]))):
            found.setdefault(f"{kind}/{path.stem}", []).append((ENDINGS[path.suffix[1:]], f"{kind}/{path.name}"))
    return found
