"""The site of the docs builds without a warning, renders every public name and fetches nothing when it is read."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

import hyperctr

pytest.importorskip("sphinx", reason="the extra docs is not installed")

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages without what their code gives: seconds, where `make docs` takes minutes."""
    out = tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-c", "docs/site", "-b", "html"]
    env = {**os.environ, "HYPERCTR_DOCS_RUN": "", "OMP_NUM_THREADS": "1"}
    done = subprocess.run([*build, ".", str(out)], cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return out


@pytest.fixture
def pages_tool(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """tools/site_pages.py."""
    specification = importlib.util.spec_from_file_location("site_pages", ROOT / "tools" / "site_pages.py")
    assert specification and specification.loader
    tool = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(tool)
    return tool


def text_of(site: Path, name: str) -> str:
    return (site / name).read_text(encoding="utf-8")


def test_every_public_name_is_rendered(site: Path) -> None:
    reference = "".join(path.read_text(encoding="utf-8") for path in (site / "docs" / "reference").glob("*.html"))
    rooms = {"figures": hyperctr.figures, "paper": hyperctr.paper}
    names = [name for name in hyperctr.__all__ if name not in {"__version__", *rooms}]
    names += [f"{room}.{name}" for room, module in rooms.items() for name in module.__all__]
    assert [name for name in names if f'id="hyperctr.{name}"' not in reference] == []


def test_every_page_is_in_the_side_bar(site: Path) -> None:
    home = text_of(site, "README.html")
    pages = [path.relative_to(ROOT).with_suffix(".html") for path in (ROOT / "docs").rglob("*.md")]
    assert len(pages) > 20
    assert [str(page) for page in pages if f'href="{page.as_posix()}"' not in home] == []


def test_nothing_is_fetched_when_it_is_read(site: Path) -> None:
    fetched = r"""<script[^>]*src=["']https?:|<link[^>]*href=["']https?:|<(?:img|iframe)[^>]*src=["']https?:"""
    for path in site.rglob("*.html"):
        assert not re.search(fetched, path.read_text(encoding="utf-8")), path.name
    for path in site.rglob("*.css"):
        assert not re.search(r"(?:url\(|@import)\s*[\"']?https?:", path.read_text(encoding="utf-8")), path.name


def test_the_tour_is_the_first_notebook(site: Path) -> None:
    assert '<span class="n">session</span><span class="o">.</span><span class="n">test_click</span>' in text_of(
        site, "docs/tour.html"
    )


def test_formulas_need_no_script(site: Path) -> None:
    page = text_of(site, "docs/reference/training.html")
    assert '<math xmlns="http://www.w3.org/1998/Math/MathML" display="block">' in page
    assert "mathjax" not in page.lower()


def test_what_code_gives_stands_under_it(pages_tool: ModuleType, tmp_path: Path) -> None:
    page = "# A\n\n```python\nx = 2\n```\n\ntext\n\n```python\nprint(x < 3)\nx + 40\n```\n"
    shown = pages_tool.live(page, tmp_path)
    first, second = shown.split("text\n")
    assert "live-output" not in first  # shows nothing
    assert second.startswith("\n```python\nprint(x < 3)") and "<pre>True\n</pre>\n<pre>42</pre>" in second


def test_progress_bars_warnings_and_styles_are_left_out(pages_tool: ModuleType) -> None:
    bar = {"application/vnd.jupyter.widget-view+json": {}, "text/plain": "1/15"}
    shown = [
        pages_tool.shown(new_output("display_data", data=bar)),
        pages_tool.shown(new_output("stream", name="stderr", text="a warning")),
        pages_tool.shown(new_output("display_data", data={"text/html": "<style scoped>td {}</style><b>1</b>"})),
        pages_tool.shown(new_output("display_data", data={"text/plain": "<User 1>"})),
    ]
    assert shown == ["", "", "<b>1</b>", "<pre>&lt;User 1&gt;</pre>"]


def test_a_notebook_becomes_prose_and_code(pages_tool: ModuleType, tmp_path: Path) -> None:
    import nbformat

    book = new_notebook(cells=[nbformat.v4.new_markdown_cell("# Title\nWhat, [b](b.ipynb)."), new_code_cell("1 + 1")])
    nbformat.write(book, tmp_path / "a.ipynb")
    shown = pages_tool.notebook_text(tmp_path / "a.ipynb", tmp_path / "docs")
    assert shown == "What, [b](../b.ipynb).\n\n```python\n1 + 1\n```\n"
