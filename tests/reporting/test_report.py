"""Notebooks that end in every way a notebook can: each is told as what it is, and the others are done."""

from __future__ import annotations

import json
import re
from pathlib import Path

import nbformat
import pytest

from hyperctr.errors import ConfigError, DataError
from hyperctr.reporting import report as module
from hyperctr.reporting.notebook import read_result
from hyperctr.reporting.report import Report, build_report
from tests.reporting.books import Page, write_book

GOOD = """from hyperctr.reporting.publish import publish, show_figure, show_table
from hyperctr.reporting.theme import figure
import pandas as pd, os
frame = pd.DataFrame({"x": [1, 2], "y": [0.25, 0.75]})
chart = figure("Two points", "both of them", x="x", y="y").add_scatter(x=frame["x"], y=frame["y"])
show_figure(chart, "points", frame, report_dir=report_dir)
show_table(frame, "points_table", report_dir=report_dir)
publish("Answer", zulu=42, alpha=[0.5, 1], note="<i>")
publish("reproduction", seeds=[3], split="abc")
print("batch", os.environ["HYPERCTR_BATCH"], report_dir)"""
ENDINGS = {
    "00_fine": ("print('nothing to see')",),
    "01_error": ("before = 1", "raise ZeroDivisionError('by <zero>')", "print('never')"),
    "02_killed": ("import os\nos.kill(os.getpid(), 9)",),
    "03_slow": ("import time\ntime.sleep(60)",),
    "04_results": (GOOD,),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """A report with one notebook per way of ending; five kernels, so all tests share it."""
    folder = tmp_path_factory.mktemp("books")
    for name, cells in ENDINGS.items():
        write_book(folder / f"{name}.ipynb", *cells, title=f"Title of {name}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(module.CELL_TIMEOUT, "smoke", 8)
        patch.setattr(module, "write_images", lambda _: "no PNG figures: not asked for")
        out = tmp_path_factory.mktemp("site") / "smoke"
        return build_report("planted", "smoke", out=out, notebooks=folder)


def test_each_ending_is_told_as_what_it_is(made: Report) -> None:
    assert {one.name: one.status for one in made.results} == {
        "00_fine": "done",
        "01_error": "failed",
        "02_killed": "killed",
        "03_slow": "timeout",
        "04_results": "done",
    }
    errors = {one.name: one.error for one in made.results}
    assert "ZeroDivisionError: by <zero>" in errors["01_error"]
    assert "\x1b" not in errors["01_error"]
    assert "died without a Python error" in errors["02_killed"]
    assert "longer than 8 s" in errors["03_slow"]
    assert made.exit_code == 1
    assert "01_error: failed: ZeroDivisionError: by <zero>" in str(made)
    assert str(made).endswith("index.html")


def test_saved_notebooks_tell_the_truth(made: Report) -> None:
    killed = nbformat.read(made.index.parent / "notebooks" / "02_killed.ipynb", as_version=4)
    assert killed.metadata.papermill.exception is True
    assert killed.metadata.hyperctr.status == "killed"
    assert killed.cells[-1].metadata.papermill.status == "failed"
    assert read_result(made.index.parent / "notebooks" / "00_fine.ipynb").ok
    text = (made.index.parent / "notebooks" / "04_results.ipynb").read_text()
    assert str(made.index.parent) in text, "the final folder, not the temporary one"
    assert f".{made.index.parent.name}." not in text


def test_failures_stand_first_with_their_traceback(made: Report) -> None:
    text = Page(made.index).text
    assert "3 of 5 notebooks did not finish" in text
    order = [text.index(f"Title of {name}") for name in ENDINGS]
    body = text.index("they stand first")
    firsts = {name: text.index(f"Title of {name}", body) for name in ENDINGS}
    assert max(firsts[name] for name in ("01_error", "02_killed", "03_slow")) < firsts["00_fine"]
    assert "by <zero>" in text
    assert order == sorted(order), "the navigation keeps the order of the notebooks"


def test_nothing_is_loaded_from_elsewhere(made: Report) -> None:
    folder = made.index.parent
    pages = sorted(folder.glob("*.html"))
    assert len(pages) == 6
    for path in pages:
        page = Page(path)
        for target in page.loads:
            assert target == "data:," or (folder / target).is_file(), (path.name, target)
        for target in page.links:
            assert not re.match(r"[a-z]+:|//", target), (path.name, target)
            assert (folder / target.split("#")[0]).exists(), (path.name, target)
        assert path.stat().st_size < 100_000
        assert not re.search(r"@import|url\(|cdn|require\.js|mathjax", path.read_text(), re.IGNORECASE)
    for asset in ("style.css", "page.js"):
        assert not re.search(r"@import|url\(|https?:", (folder / "assets" / asset).read_text())


def test_results_reach_index_page_and_files(made: Report) -> None:
    folder = made.index.parent
    text = " ".join(Page(made.index).text.split())
    assert re.search(r"Answer from Title of 04_results zulu ?42 ?alpha ?0\.5000, 1 ?note ?<i>", text)
    assert re.search(r"seeds ?3", text)
    assert re.search(r"command ?hyperctr report planted --preset smoke", text)
    assert (folder / "tables" / "points_table.csv").read_text() == "x,y\n1,0.25\n2,0.75\n"
    assert (folder / "figures" / "points.csv").is_file()
    assert json.loads((folder / "figures" / "points.json").read_text())["layout"]["title"]["text"] == "Two points"
    page = (folder / "04_results.html").read_text()
    assert page.count('<figure class="chart"') == 1
    data = json.loads(re.search(r'<script type="application/json">(.*?)</script>', page).group(1))
    assert data["config"]["modeBarButtonsToRemove"][0] == "sendChartToCloud"
    assert data["data"][0]["type"] == "scatter"
    assert "batch 1" in Page(folder / "04_results.html").text


def test_only_some_notebooks_can_run_again(made: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = made.index.parent
    books = tmp_path / "books"
    for name in ENDINGS:
        write_book(books / f"{name}.ipynb", "print('mended')")
    monkeypatch.setattr(module, "write_images", lambda _: "")
    again = build_report("planted", "smoke", out=out, notebooks=books, only=["04"])
    assert [one.status for one in again.results] == ["done", "failed", "killed", "timeout", "done"]
    assert not list((out / "tables").glob("*")), "what the notebook had left is not kept as if it were new"
    assert "mended" in Page(out / "04_results.html").text
    assert not [path for path in out.parent.iterdir() if path.name.startswith(".")], "nothing is left beside"


def test_a_report_that_is_interrupted_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    books = tmp_path / "books"
    write_book(books / "00_fine.ipynb")
    out = tmp_path / "out" / "smoke"
    out.mkdir(parents=True)
    (out / "index.html").write_text("the old report")

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "run_notebook", stop)
    with pytest.raises(KeyboardInterrupt):
        build_report("planted", "smoke", out=out, notebooks=books)
    assert (out / "index.html").read_text() == "the old report"
    assert [path.name for path in out.parent.iterdir()] == ["smoke"]


def test_wrong_arguments_stop_before_anything_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "run_notebook", lambda *_, **__: pytest.fail("a notebook was run"))
    books = tmp_path / "books"
    write_book(books / "00_fine.ipynb")
    with pytest.raises(ConfigError, match="did you mean 'quick'"):
        build_report("planted", "quik", notebooks=books)
    with pytest.raises(ConfigError, match="unknown notebook '07': allowed: 00_fine"):
        build_report("planted", "smoke", notebooks=books, only=["07"])
    with pytest.raises(ConfigError, match="holds no notebook"):
        build_report("planted", "smoke", notebooks=tmp_path)
    with pytest.raises(DataError, match="did you mean 'planted'"):
        build_report("plantd", "smoke", notebooks=books, out=tmp_path / "out")
    write_book(books / "01_odd.ipynb", parameters="dataset: str = ''  # name")
    with pytest.raises(ConfigError, match=r"01_odd\.ipynb: unknown parameter 'preset'"):
        build_report("planted", "smoke", notebooks=books, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()
