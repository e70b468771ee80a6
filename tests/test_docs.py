"""The pages point to what exists, and every public name explains itself."""

from __future__ import annotations

import importlib.util
import inspect
import re
import tomllib
from pathlib import Path

import pytest
from packaging.version import Version

import hyperctr

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
EQUATION = re.compile(r"^\| (?:Def\. [\d-]+, )?Eq\. ([\d-]+) \|.*?`(hyperctr/[\w/]+\.py)`", re.MULTILINE)


def anchor(heading: str) -> str:
    """The fragment under which a heading of a page is found."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)]+)\)", text):
        if re.match(r"https?://", target):
            continue
        name, _, fragment = target.partition("#")
        other = (page.parent / name).resolve() if name else page
        assert other.exists(), f"{page.name} links to {target}"
        if fragment:
            headings = re.findall(r"^#+ (.*)$", other.read_text(encoding="utf-8"), re.MULTILINE)
            assert fragment in map(anchor, headings), f"{page.name} links to {target}"


def test_each_equation_lives_where_the_architecture_page_says() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    homes = EQUATION.findall(text)
    numbers: list[int] = []
    for span, path in homes:
        first, _, last = span.partition("-")
        numbers += range(int(first), int(last or first) + 1)
        source = (ROOT / path).read_text(encoding="utf-8")
        assert re.search(rf"Eqs?\.? ?{first}\b", source), f"{path} does not name equation {first}"
    assert sorted(numbers) == list(range(1, 12))


def test_every_module_of_the_page_exists() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ((?:`[\w/]+`(?:, )?)+) \|", text, re.MULTILINE)
    named = [name for row in rows for name in re.findall(r"`([\w/]+)`", row)]
    assert len(named) > 10
    missing = [n for n in named if not (ROOT / "hyperctr" / (n if n.endswith("/") else f"{n}.py")).exists()]
    assert not missing


@pytest.mark.parametrize("name", [name for name in hyperctr.__all__ if name != "__version__"])
def test_public_names_explain_themselves_by_an_example(name: str) -> None:
    thing = getattr(hyperctr, name)
    page = inspect.getdoc(thing) or ""
    assert page, f"{name} has no docstring"
    if not (inspect.isclass(thing) and issubclass(thing, Exception)):
        methods = vars(thing).values() if inspect.isclass(thing) else ()
        pages = [page, *(inspect.getdoc(method) or "" for method in methods if callable(method))]
        assert any(">>>" in text for text in pages), f"{name} shows no example"


def test_versions_agree() -> None:
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = re.findall(r"^## \[(.+?)\](?: - (\d{4}-\d\d-\d\d))?$", changes, re.MULTILINE)
    (_, none), (release, date) = versions[:2]
    present, released = Version(hyperctr.__version__), Version(release)
    assert versions[0][0] == "Unreleased" and not none
    assert present == released or (present > released and present.is_devrelease)
    assert f"\nversion: {released}\ndate-released: {date}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["tool"]["hatch"]["version"]["path"] == "hyperctr/__init__.py"


def test_the_citation_names_the_software_and_the_paper() -> None:
    yaml = pytest.importorskip("yaml")
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert citation.keys() >= {"cff-version", "message", "title", "authors"}  # what the format demands
    assert citation["cff-version"] == "1.2.0" and citation["type"] == "software"
    assert citation["authors"] == project["authors"] and citation["license"] == project["license"]
    assert citation["keywords"] == project["keywords"]
    (paper,) = citation["references"]
    assert f"https://doi.org/{paper['doi']}" in (ROOT / "README.md").read_text(encoding="utf-8")
    names = [author["family-names"] for author in paper["authors"]]
    method = (ROOT / "docs" / "method.md").read_text(encoding="utf-8")
    assert f"{', '.join(names[:-1])} and {names[-1]}, *{paper['title']}*" in re.sub(r"\s+", " ", method)


@pytest.mark.parametrize(("page", "marker"), [("README.md", "summary"), ("docs/results.md", "results")])
def test_pages_leave_a_place_for_generated_numbers(page: str, marker: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    assert text.count(f"<!-- {marker}:begin -->") == text.count(f"<!-- {marker}:end -->") == 1


def test_the_readme_fits_two_screens() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 100


def test_python_examples_of_the_readme_are_valid() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for block in re.findall(r"```python\n(.*?)```", readme, flags=re.DOTALL):
        compile(block, "README.md", "exec")
        for name in re.findall(r"\bhc\.(\w+)", block):
            assert name in hyperctr.__all__


def test_numbers_in_pages_are_those_of_the_recorded_results(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "tools")
    specification = importlib.util.spec_from_file_location("result_pages", ROOT / "tools" / "result_pages.py")
    assert specification and specification.loader
    tool = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(tool)
    for page, text in tool.pages().items():
        assert page.read_text() == text, f"{page.name} differs: run `python tools/results.py --pages`"
