"""Tiny notebooks and a reader of pages, for the tests of the report."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import nbformat

PARAMETERS = """dataset: str = "planted"  # name of a data set
budget: str = "smoke"  # smoke, quick or paper
data_dir: str = ""  # where files lie
epochs: int = 1  # a number
rates: list[float] = []  # numbers"""


def write_book(path: Path, *cells: str, title: str = "A notebook", parameters: str = PARAMETERS) -> Path:
    """Write a stripped notebook: a heading, a tagged parameters cell, code cells."""
    new = nbformat.v4
    book = new.new_notebook(
        cells=[
            new.new_markdown_cell(f"# {title}\nOne sentence about it. And more."),
            new.new_code_cell(parameters, metadata={"tags": ["parameters"]}),
            *(new.new_code_cell(cell) for cell in cells),
        ]
    )
    book.metadata["kernelspec"] = {"name": "python3", "language": "python", "display_name": "Python 3"}
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(book, path)
    return path


class Page(HTMLParser):
    """What a page loads (``loads``), where its links go (``links``), and its ``text``."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self._quiet = ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        self._quiet = tag if tag in {"script", "style"} else ""
        if tag == "a":
            self.links.append(named.get("href", ""))
        else:
            self.loads += [named[name] for name in ("src", "href", "srcset", "data", "action") if name in named]

    def handle_endtag(self, tag: str) -> None:
        if tag == self._quiet:
            self._quiet = ""

    def handle_data(self, data: str) -> None:
        if not self._quiet:
            self.text += data
