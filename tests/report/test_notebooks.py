"""The notebooks of the project: stripped, thin, documented; and they run, draw and open offline."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hyperctr.report.build import Report, build_report
from hyperctr.report.parameters import check_parameters, notebook_parameters
from hyperctr.report.runs import PlanUse, book_facts
from tests.report.books import Page

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
COMMON = {"dataset": "str", "preset": "str", "data_dir": "str", "report_dir": "str"}
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def path(request: pytest.FixtureRequest) -> Path:
    """Each notebook in turn."""
    return Path(request.param)


def cells(path: Path, kind: str = "code") -> list[dict[str, Any]]:
    """Cells of one kind, as stored."""
    return [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == kind]


def test_the_report_has_its_notebooks() -> None:
    assert [path.stem for path in NOTEBOOKS][:4] == ["00_start_here", "01_datasets", "02_hypergraphs", "03_train"]


def test_stripped_with_fixed_cell_ids(path: Path) -> None:
    book = json.loads(path.read_text())
    assert [cell["id"] for cell in book["cells"]] == [f"c{place:03d}" for place in range(len(book["cells"]))]
    for cell in cells(path):
        assert cell["outputs"] == []
        assert cell["execution_count"] is None
    for cell in book["cells"]:
        assert set(cell["metadata"]) <= {"tags"}
    assert {name: value for name, value in book["metadata"].items() if name != "hyperctr"} == {
        "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }


def test_one_tagged_typed_and_commented_parameters_cell(path: Path) -> None:
    tagged = [cell for cell in cells(path) if "parameters" in cell["metadata"].get("tags", [])]
    assert len(tagged) == 1
    known = notebook_parameters(path)
    written = [one for one in ast.parse("".join(tagged[0]["source"])).body if isinstance(one, ast.AnnAssign)]
    assert [one.target.id for one in written if isinstance(one.target, ast.Name)] == list(known), "papermill reads all"
    assert {name: known[name][0] for name in COMMON} == COMMON
    swept = path.stem[:2] in {str(number) for number in range(10, 21)}  # those read many runs
    assert known["seeds" if swept else "seed"][0] == "int"
    for name, (kind, default, comment) in known.items():
        assert comment, f"{name} has no comment"
        check_parameters(path, {name: ast.literal_eval(default)})
        assert kind in {"str", "int", "float", "bool"}


def test_thin_cells_that_hold_calls_and_no_logic(path: Path) -> None:
    for cell in cells(path):
        if cell["metadata"].get("tags"):
            continue
        source = "".join(cell["source"])
        assert len([line for line in source.splitlines() if line.strip()]) <= 6, source
        for node in ast.walk(ast.parse(source)):
            logic = (ast.If, ast.For, ast.While, ast.FunctionDef, ast.ClassDef, ast.Try, ast.Lambda)
            assert not isinstance(node, logic), source


def test_prose_before_anything_else(path: Path) -> None:
    first = "".join(json.loads(path.read_text())["cells"][0]["source"])
    assert re.match(r"# \w.*\n\S.*\.", first), "a title, then a sentence that the index repeats"
    assert "$" not in "".join("".join(cell["source"]) for cell in cells(path, "markdown")), "no MathJax offline"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """The real report at preset smoke, with a run store of its own."""
    folder = tmp_path_factory.mktemp("report")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HYPERCTR_RUNS", str(folder / "runs"))
        patch.setattr("hyperctr.report.build.write_images", lambda _: "")
        return build_report("planted", "smoke", out=folder / "smoke")


def test_all_notebooks_run_on_planted_data(made: Report) -> None:
    assert {one.name: one.error for one in made.results if not one.ok} == {}
    assert made.exit_code == 0
    assert f"All {len(NOTEBOOKS)} notebooks ran." in Page(made.index).text
    folder = made.index.parent
    assert (folder / "tables" / "table1.csv").read_text().count("\n") == 5
    for page in folder.glob("*.html"):
        assert page.stat().st_size < 1_000_000
        assert "Warning" not in Page(page).text, f"{page.name} shows a warning"
        for target in Page(page).loads:
            assert target == "data:," or (folder / target).is_file()


@pytest.mark.browser
def test_a_browser_draws_every_figure_offline(made: Report, tmp_path: Path) -> None:
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip("no Chromium or Chrome found")
    for page in sorted(made.index.parent.glob("0*.html")):
        switches = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--proxy-server=127.0.0.1:9",
            f"--user-data-dir={tmp_path}",
            "--virtual-time-budget=8000",
            "--dump-dom",
        ]
        dom = subprocess.run([browser, *switches, page.as_uri()], capture_output=True, text=True, timeout=90).stdout
        charts = dom.count('<figure class="chart"')
        assert charts == page.read_text().count('<figure class="chart"')
        assert len(re.findall(r'<div class="[^"]*js-plotly-plot', dom)) == charts, f"{page.name}: a figure is blank"
        assert "sendChartToCloud" not in re.sub(r"<script.*?</script>", "", dom, flags=re.DOTALL)


def test_plain_papermill_runs_a_notebook(tmp_path: Path) -> None:
    source, target = ROOT / "notebooks" / "01_datasets.ipynb", tmp_path / "out.ipynb"
    line = [
        sys.executable,
        "-m",
        "papermill",
        str(source),
        str(target),
        "-p",
        "dataset",
        "planted",
        "-p",
        "preset",
        "smoke",
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(line, capture_output=True, text=True, env=environment, timeout=300, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "application/vnd.plotly.v1+json" in target.read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.ipynb"], "by hand, nothing else is written"


def test_a_notebook_declares_the_plans_that_it_opens(path: Path) -> None:
    """The report trains the runs of declared plans beforehand, and shows the page anew when one of them changes."""
    declared = {use.name: use for use in book_facts(path).plans}
    opened: set[str] = set()
    named: list[str] = []
    timed = False
    for cell in cells(path):
        for node in ast.walk(ast.parse("".join(cell["source"]))):
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "plans":
                named = ast.literal_eval(node.value)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                timed |= node.func.attr == "scaling"
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                continue
            given = {one.arg: one.value for one in node.keywords}
            if node.func.id == "open_sweeps":
                opened |= set(named if isinstance(node.args[0], ast.Name) else ast.literal_eval(node.args[0]))
            if node.func.id == "open_sweep":
                name = ast.literal_eval(node.args[0])
                opened.add(name)
                labels = ast.literal_eval(given["labels"]) if "labels" in given else []
                seeds = given["seeds"].value if isinstance(given["seeds"], ast.Constant) else None
                assert declared[name] == PlanUse(name, tuple(labels), seeds)
    assert set(declared) == opened
    assert book_facts(path).alone == timed
