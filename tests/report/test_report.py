"""Notebooks that end in every way a notebook can: each is told as what it is, and the others are done."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import nbformat
import pytest

from hyperctr.errors import ConfigError, DataError
from hyperctr.report import build as module
from hyperctr.report import cache as report_cache
from hyperctr.report.build import Report, build_report
from hyperctr.report.execute import Job, NotebookResult
from tests.report.books import PARAMETERS, Page, write_book

GOOD = """import hyperctr as hc
from hyperctr.display.figure import Figure
from hyperctr.display.theme import figure
from hyperctr.display.table import Table
import pandas as pd, os
frame = pd.DataFrame({"x": [1, 2], "y": [0.25, 0.75]})
chart = figure("Two points", "both of them", x="x", y="y").add_scatter(x=frame["x"], y=frame["y"])
hc.show(Figure(chart, "points", frame, note="So *it* is.", headline={"best y": 0.75}, front=True))
hc.show(Figure(chart, "told", frame, note="Two points make no curve.", said=True))
hc.show(frame, name="points_table")
hc.show(Table(["a"], [["1"]], name="few", finding="A is **behind** B <by 0.01>.\\n\\nTwo."))
hc.publish("Answer", zulu=42, alpha=[0.5, 1], note="<i>")
hc.publish("reproduction", seeds=[3], split="abc")
print("batch", os.environ["HYPERCTR_BATCH"], os.environ["HYPERCTR_NOTEBOOK"])"""
ROOT = Path(__file__).parents[2]
FULL = """import errno, os
import hyperctr as hc
import pandas as pd
def fsync(_):
    raise OSError(errno.ENOSPC, "No space left on device")
os.fsync = fsync
hc.show(pd.DataFrame({"x": [1]}), name="never")"""
ENDINGS = {
    "00_fine": ("print('nothing to see')",),
    "01_error": ("before = 1", "raise ZeroDivisionError('by <zero>')", "print('never')"),
    "02_killed": ("import os\nos.kill(os.getpid(), 9)",),
    "03_slow": ("import time\ntime.sleep(60)",),
    "04_results": (GOOD,),
    "05_full": (FULL,),
    "06_refused": ("print('never')",),
}
ODD = {"06_refused": PARAMETERS.replace('budget: str = "smoke"', "budget: int = 1")}
NOT_DONE = ("01_error", "02_killed", "03_slow", "05_full", "06_refused")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """A report with one notebook per way of ending; so many kernels, so all tests share it."""
    folder = tmp_path_factory.mktemp("books")
    for name, cells in ENDINGS.items():
        write_book(folder / f"{name}.ipynb", *cells, title=f"Title of {name}", parameters=ODD.get(name, PARAMETERS))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(module.CELL_TIMEOUT, "smoke", 8)
        patch.setattr(module, "write_images", lambda _: "no PNG figures: not asked for")
        out = tmp_path_factory.mktemp("site") / "smoke"
        return build_report("planted", "smoke", out=out, notebooks=folder)


def test_each_ending_is_told_as_what_it_is(made: Report) -> None:
    assert {result.name: result.status for result in made.results} == {
        "00_fine": "done",
        "01_error": "failed",
        "02_killed": "killed",
        "03_slow": "timeout",
        "04_results": "done",
        "05_full": "disk full",
        "06_refused": "refused",
    }
    errors = {result.name: result.error for result in made.results}
    assert "ZeroDivisionError: by <zero>" in errors["01_error"]
    assert "\x1b" not in errors["01_error"]
    assert "died without a Python error" in errors["02_killed"]
    assert "longer than 8 s" in errors["03_slow"]
    assert "No space left on device" in errors["05_full"]
    assert "06_refused.ipynb: parameter budget = 'smoke' is of type str; allowed: int" in errors["06_refused"]
    assert not (made.index.parent / "tables" / "never.csv").exists()
    assert made.exit_code == 1
    assert "01_error: failed: ZeroDivisionError: by <zero>" in str(made)
    assert str(made).endswith("index.html")


def test_saved_notebooks_tell_the_truth(made: Report) -> None:
    killed = nbformat.read(made.index.parent / "notebooks" / "02_killed.ipynb", as_version=4)
    assert killed.metadata.papermill.exception is True
    assert killed.metadata.hyperctr.status == "killed"
    assert killed.cells[-1].metadata.papermill.status == "failed"
    fine = nbformat.read(made.index.parent / "notebooks" / "00_fine.ipynb", as_version=4)
    assert (fine.metadata.hyperctr.name, fine.metadata.hyperctr.status) == ("00_fine", "done")
    text = (made.index.parent / "notebooks" / "04_results.ipynb").read_text()
    assert str(made.index.parent.parent) not in text, "no folder of this machine"


def test_failures_stand_first_with_their_traceback(made: Report) -> None:
    text = Page(made.index).text
    assert "5 of 7 notebooks did not finish" in text
    named = [name for name in ENDINGS if name != "06_refused"]  # it has left no page of its own
    order = [text.index(f"Title of {name}") for name in named]
    body = text.index("they stand first")
    firsts = {name: text.index(f"Title of {name}" if name in named else name, body) for name in ENDINGS}
    assert max(firsts[name] for name in NOT_DONE) < firsts["00_fine"]
    assert "by <zero>" in text
    assert order == sorted(order), "the navigation keeps the order of the notebooks"


def test_nothing_is_loaded_from_elsewhere(made: Report) -> None:
    folder = made.index.parent
    pages = sorted(folder.glob("*.html"))
    assert len(pages) == 8
    for path in pages:
        page = Page(path)
        for target in page.loads:
            assert target == "data:," or (folder / target).is_file(), (path.name, target)
        for target in page.links:
            assert not re.match(r"[a-z]+:|//", target), (path.name, target)
            assert (folder / target.split("#")[0]).exists(), (path.name, target)
        assert path.stat().st_size < 100_000
        assert not re.search(r"@import|url\(|cdn|require\.js|mathjax", path.read_text(), re.IGNORECASE)
    for asset in ("style.css", "page.js", "sort.js"):
        assert not re.search(r"@import|url\(|https?:", (folder / "assets" / asset).read_text())


def test_results_reach_index_page_and_files(made: Report) -> None:
    folder = made.index.parent
    text = " ".join(Page(made.index).text.split())
    assert re.search(r"Answer from Title of 04_results zulu ?42 ?alpha ?0\.5000, 1 ?note ?<i>", text)
    assert re.search(r"Points from Title of 04_results best y ?0\.7500", text), "the headline of a figure"
    assert re.search(r"seeds ?3", text)
    assert re.search(r"command ?hyperctr report planted --budget smoke", text)
    assert (folder / "tables" / "points_table.csv").read_text() == "x,y\n1,0.25\n2,0.75\n"
    assert (folder / "figures" / "points.csv").is_file()
    assert json.loads((folder / "figures" / "points.json").read_text())["layout"]["title"]["text"] == "Two points"
    page = (folder / "04_results.html").read_text()
    assert page.count('<figure class="chart"') == 1
    data = json.loads(re.search(r'<script type="application/json">(.*?)</script>', page).group(1))
    assert data["config"]["modeBarButtonsToRemove"][0] == "sendChartToCloud"
    assert data["data"][0]["type"] == "scatter"
    assert (folder / "tables" / "points_table.tex").read_text().count("tabular") == 2
    assert "batch 1 04_results" in Page(folder / "04_results.html").text
    assert "So <em>it</em> is." in page


def test_the_first_page_says_what_was_found_and_shows_a_picture_of_each_page(made: Report) -> None:
    page = made.index.read_text()
    found = re.findall(r"<li>(.*?) <a class=\"more\" href=\"(.*?)\">", page)
    assert found == [
        ("A is <strong>behind</strong> B &lt;by 0.01&gt;.", "04_results.html"),
        ("Two.", "04_results.html"),
    ]
    assert "Budget smoke only shows that everything runs" in page
    drawn = re.findall(r'<(figure class="chart"|span class="thumbnail").*?>(\{.*?)</script>', page)
    assert [kind[:6] for kind, _ in drawn] == ["figure", "span c"], "the front figure, and one small for its page"
    assert all(json.loads(text)["layout"]["title"]["text"] == "Two points" for _, text in drawn)
    links = re.search(r'<ol class="pages">(.*?)</ol>', page, re.DOTALL)
    assert links is not None
    assert re.findall(r'<a href="(\w+)\.html">', links.group(1)) == sorted(ENDINGS)
    notebook = (made.index.parent / "04_results.html").read_text()
    assert "<b>finding</b>" not in notebook and "<b>front</b>" not in notebook


def test_a_figure_that_a_sentence_says_is_kept_as_a_file(made: Report) -> None:
    page = (made.index.parent / "04_results.html").read_text()
    assert page.count('<figure class="chart"') == 1
    after = page[page.rindex("Two points make no curve.") :]
    assert after.index('class="kept"><span>figures/told: ') < 200
    assert (made.index.parent / "figures" / "told.json").is_file()


def test_under_a_table_are_its_files_and_what_repeats_it(made: Report) -> None:
    page = (made.index.parent / "04_results.html").read_text()
    for name, links in {"tables/points_table": ["CSV", "LaTeX"], "figures/points": ["CSV", "plotly JSON"]}.items():
        kept = re.search(rf'<div class="kept"><span>{name}: (.*?)</details>', page, re.DOTALL)
        assert kept, name
        assert re.findall(r">([\w ]+)</a>", kept.group(1)) == links
        text = re.sub(r"<[^>]+>", " ", kept.group(1))
        for pattern in (
            r"split\s+abc",
            r"seeds\s+3",
            r"versions\s+hyperctr \d",
            r"hyperctr report planted --budget smoke",
        ):
            assert re.search(pattern, text), pattern
    assert 'class="kept"' not in (made.index.parent / "00_fine.html").read_text()


def test_only_some_notebooks_can_run_again(made: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = made.index.parent
    books = tmp_path / "books"
    for name in ENDINGS:
        write_book(books / f"{name}.ipynb", "print('mended')")
    monkeypatch.setattr(module, "write_images", lambda _: "")
    again = build_report("planted", "smoke", out=out, notebooks=books, only=["04"])
    assert {result.name for result in again.results if result.ok} == {"00_fine", "04_results"}
    assert again.executed == ("04_results",)
    assert not (out / "tables").exists(), "what the notebook had left is not kept as if it were new"
    assert "mended" in Page(out / "04_results.html").text
    left = {path.name for path in out.parent.iterdir()}
    assert left == {"smoke", ".smoke.lock", ".smoke.cache"}, "nothing else is left beside"


COUNTING = """import hyperctr as hc
import pandas as pd
hc.show(pd.DataFrame({"x": [epochs]}), name="NAME")"""


def test_a_notebook_runs_again_only_if_something_it_depends_on_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "write_images", lambda _: "")
    books, executed = tmp_path / "books", []

    def run(jobs: Sequence[Job], _: int) -> Iterator[NotebookResult]:
        for job in jobs:
            executed.append(job.source.stem)
            shutil.copyfile(job.source, job.target)
            failed = "broken" in job.source.read_text()
            yield NotebookResult(job.source.stem, "failed" if failed else "done", 0.0, "", job.target)

    def build(**options: Any) -> list[str]:
        executed.clear()
        build_report("planted", "smoke", out=tmp_path / "out", notebooks=books, **options)
        return sorted(executed)

    monkeypatch.setattr(module, "run_notebooks", run)
    seeded = PARAMETERS + "\nseeds: int = 0  # how many"
    write_book(books / "00_plain.ipynb", "1")
    write_book(books / "01_seeds.ipynb", "1", parameters=seeded)
    write_book(books / "02_broken.ipynb", "'broken'")
    assert build() == ["00_plain", "01_seeds", "02_broken"]
    assert build() == ["02_broken"], "one that failed always runs again"
    assert build(seeds=3) == ["01_seeds", "02_broken"], "only it has the parameter"
    assert build(seeds=3, only=["00", "01"]) == []
    assert build(seeds=3, only=["00"], force=True) == ["00_plain"]
    write_book(books / "00_plain.ipynb", "2")
    monkeypatch.setattr(report_cache, "versions_hash", lambda: "another torch")
    assert build(seeds=3, only=["01"]) == ["01_seeds"]
    assert build(seeds=3) == ["00_plain", "02_broken"]
    book = json.loads((books / "00_plain.ipynb").read_text())
    book["cells"][-1]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["run by hand"]}]
    (books / "00_plain.ipynb").write_text(json.dumps(book))
    assert build(seeds=3, only=["00"]) == [], "outputs stored by hand change nothing"


def test_after_a_kill_a_second_call_ends_as_if_undisturbed(tmp_path: Path) -> None:
    books = tmp_path / "books"
    waits = "import time; from pathlib import Path\nif not Path(data_dir, 'second').exists(): time.sleep(60)\n"
    write_book(books / "00_first.ipynb", COUNTING.replace("NAME", "first"))
    write_book(books / "01_second.ipynb", waits + COUNTING.replace("NAME", "second"))
    code = (
        "import sys; from hyperctr.report.build import build_report\n"
        "build_report('planted', 'smoke', out=sys.argv[1], notebooks=sys.argv[2], data_dir=sys.argv[3], workers=2)"
    )
    out, data = tmp_path / "out", tmp_path / "data"
    data.mkdir()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    killed = subprocess.Popen([sys.executable, "-c", code, str(out), str(books), str(data)], env=environment)
    first, second = (tmp_path / ".out.cache" / name for name in ("00_first", "01_second"))
    wait_for(lambda: (first / "result.json").exists() and second.exists())
    killed.kill()
    killed.wait()
    assert not out.exists(), "there is no half report"
    when = (first / "result.json").stat().st_mtime_ns
    (data / "second").touch()
    again = build_report("planted", "smoke", out=out, notebooks=books, data_dir=data, workers=2)
    assert again.executed == ("01_second",)
    assert (first / "result.json").stat().st_mtime_ns == when
    clean = build_report("planted", "smoke", out=tmp_path / "clean", notebooks=books, data_dir=data, workers=2)
    assert again.exit_code == clean.exit_code == 0
    tables = sorted(path.name for path in (clean.index.parent / "tables").iterdir())
    assert tables == ["first.csv", "first.tex", "second.csv", "second.tex"]
    for name in tables:
        assert (out / "tables" / name).read_bytes() == (clean.index.parent / "tables" / name).read_bytes()


def wait_for(condition: Callable[[], bool], seconds: float = 180) -> None:
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "it took too long"
        time.sleep(0.1)


def test_a_report_that_is_interrupted_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    books = tmp_path / "books"
    write_book(books / "00_fine.ipynb")
    out = tmp_path / "out" / "smoke"
    out.mkdir(parents=True)
    old = "<title>HyperCTR report – planted, smoke</title>"
    (out / "index.html").write_text(old)

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    for name in ("run_notebooks", "write_site"):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, stop)
            with pytest.raises(KeyboardInterrupt):
                build_report("planted", "smoke", out=out, notebooks=books)
        assert (out / "index.html").read_text() == old
        assert not list(out.parent.glob(".smoke.aside-*"))


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (["thesis/chapter.tex"], "thesis: is there already and is no report of HyperCTR"),
        (["thesis"], "thesis: is there already and is no report of HyperCTR"),
        (["thesis/index.html", "thesis/assets/style.css"], "thesis: is there already and is no report"),
        (["thesis/report/index.html"], "thesis: is there already and is no report"),
        (["thesis/index.html: <title>HyperCTR report – a", "thesis/notes.md"], r"thesis/notes\.md: is no part of the"),
    ],
)
def test_what_is_no_report_is_never_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: list[str], words: str
) -> None:
    for name in ("ReportRuns", "run_notebooks", "write_site"):
        monkeypatch.setattr(module, name, lambda *_, **__: pytest.fail("something was done"))
    write_book(tmp_path / "books" / "00_fine.ipynb")
    place = tmp_path / "mine"
    for text in files:
        name, _, content = text.partition(": ")
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(content or "years of work")
    before = {path: path.is_dir() or path.read_bytes() for path in place.rglob("*")}
    with pytest.raises(DataError, match=words + ".*move it away, or write elsewhere with --out FOLDER"):
        build_report("planted", "smoke", out=place / "thesis", notebooks=tmp_path / "books")
    assert {path: path.is_dir() or path.read_bytes() for path in place.rglob("*")} == before


def test_an_empty_folder_and_reports_of_any_version_are_replaced(
    made: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "write_images", lambda _: "")
    write_book(tmp_path / "books" / "00_fine.ipynb")
    out = tmp_path / "site"
    out.mkdir()
    report = build_report("planted", "smoke", out=out, notebooks=tmp_path / "books", only=["00"])
    assert str(report).splitlines()[-2].startswith("1 of 1 notebook ran; ")
    text = Page(report.index).text
    assert "The only notebook ran." in text
    assert re.search(r"command ?hyperctr report planted --budget smoke --only 00(?! --)", text)
    shutil.rmtree(out)
    shutil.copytree(made.index.parent, out)
    (out / "card.json").unlink()  # as in 0.1.0
    (out / "99_gone.html").write_text("a page of a notebook that is no more")
    again = build_report("planted", "smoke", out=out, notebooks=tmp_path / "books")
    assert again.exit_code == 0 and (out / "card.json").exists() and not (out / "99_gone.html").exists()


def test_wrong_arguments_stop_before_anything_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "run_notebooks", lambda *_: pytest.fail("a notebook was run"))
    books = tmp_path / "books"
    write_book(books / "00_fine.ipynb")
    with pytest.raises(ConfigError, match="did you mean 'quick'"):
        build_report("planted", "quik", notebooks=books)
    with pytest.raises(ConfigError, match="unknown notebook '07': allowed: 00_fine"):
        build_report("planted", "smoke", notebooks=books, only=["07"])
    with pytest.raises(ConfigError, match="holds no notebook"):
        build_report("planted", "smoke", notebooks=tmp_path)
    with pytest.raises(ConfigError, match="workers = 0 at least 1"):
        build_report("planted", "smoke", notebooks=books, workers=0)
    with pytest.raises(DataError, match="did you mean 'planted'"):
        build_report("plantd", "smoke", notebooks=books, out=tmp_path / "out")
    (books / "01_odd.ipynb").write_text("not json")
    with pytest.raises(ConfigError, match=r"01_odd\.ipynb cannot be read as a notebook"):
        build_report("planted", "smoke", notebooks=books, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()
