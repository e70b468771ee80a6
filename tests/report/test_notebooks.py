"""The notebooks of the project: stripped, thin, documented; and they run, draw and open offline."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import papermill
import pytest

from hyperctr.report.build import Report, build_report
from hyperctr.report.notebooks import PlanUse, read_notebook
from tests.browser.lab import SWITCHES, find_browser
from tests.report.books import Page

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
COMMON = {"dataset": "str", "budget": "str", "data_dir": "str"}
SWEPT = {str(number) for number in range(10, 21)}  # notebooks that read many runs


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def path(request: pytest.FixtureRequest) -> Path:
    """Each notebook in turn."""
    return Path(request.param)


def cells(path: Path, kind: str = "code") -> list[dict[str, Any]]:
    """Cells of one kind, as stored."""
    return [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == kind]


def test_the_report_has_its_notebooks() -> None:
    assert [path.stem for path in NOTEBOOKS][:4] == ["00_start_here", "01_datasets", "02_hypergraphs", "03_train"]


def test_the_first_links_to_every_other_with_a_line_about_it() -> None:
    text = "\n".join("".join(cell["source"]) for cell in cells(NOTEBOOKS[0], "markdown"))
    about = dict(re.findall(r"^- \[(\w+)\]\(\1\.ipynb\): (\S.*\.)$", text, re.MULTILINE))
    assert set(about) == {path.stem for path in NOTEBOOKS[1:]} and len(set(about.values())) == len(about)


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
    notebook = read_notebook(path)
    known = notebook.parameters
    written = [node for node in ast.parse("".join(tagged[0]["source"])).body if isinstance(node, ast.AnnAssign)]
    assert [node.target.id for node in written if isinstance(node.target, ast.Name)] == list(known), "each has a type"
    read = papermill.inspect_notebook(str(path))
    assert {name: (parameter["inferred_type_name"], parameter["help"]) for name, parameter in read.items()} == {
        name: (kind, comment) for name, (kind, _, comment) in known.items()
    }, "papermill reads the same"
    assert {name: known[name][0] for name in COMMON} == COMMON
    assert known["seeds" if path.stem[:2] in SWEPT else "seed"][0] == "int"
    for name, (kind, default, comment) in known.items():
        assert comment, f"{name} has no comment"
        notebook.check({name: ast.literal_eval(default)})
        assert kind in {"str", "int", "float", "bool"} or (name, kind) == ("data_options", "object")


def test_thin_cells_that_hold_calls_and_no_logic(path: Path) -> None:
    for cell in cells(path):
        if cell["metadata"].get("tags"):
            continue
        source = "".join(cell["source"])
        assert len([line for line in source.splitlines() if line.strip()]) <= 6, source
        for node in ast.walk(ast.parse(source)):
            logic = (ast.If, ast.For, ast.While, ast.FunctionDef, ast.ClassDef, ast.Try, ast.Lambda)
            assert not isinstance(node, logic), source


def test_one_front_door(path: Path) -> None:
    """A notebook imports `hyperctr as hc` and at most one more module, and leaves the plumbing to the runner."""
    source = "\n".join("".join(cell["source"]) for cell in cells(path))
    modules = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert ast.unparse(modules[0]) == "import hyperctr as hc"
    assert len(modules) <= 2 and all(len(node.names) == 1 for node in modules)
    assert not re.search(r"report_dir|reproduction|\.ipynb|_repr|display\(", source)


def test_twin_notebooks_share_their_calls() -> None:
    """12 and 13 ask the same of two settings: their cells differ in the plan and the figure, and nothing else."""
    first, second = (
        ["".join(cell["source"]) for cell in cells(ROOT / "notebooks" / f"{name}.ipynb")]
        for name in ("12_layers", "13_granularity")
    )
    assert [cell.replace("layers", "granularity").replace("figure4", "figure5") for cell in first] == second


def test_prose_before_anything_else(path: Path) -> None:
    first = "".join(json.loads(path.read_text())["cells"][0]["source"])
    assert re.match(r"# \w.*\n\S.*\.", first), "a title, then a sentence that the index repeats"
    if path.stem[:2] in SWEPT:
        assert len(re.findall(r"[a-z0-9)]\.(?= |$)", first)) >= 2, "what a reader will see and learn"
    assert "$" not in "".join("".join(cell["source"]) for cell in cells(path, "markdown")), "no MathJax offline"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """The real report at budget smoke, with a run store of its own."""
    folder = tmp_path_factory.mktemp("report")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HYPERCTR_RUNS", str(folder / "runs"))
        patch.setattr("hyperctr.report.build.write_images", lambda _: "")
        return build_report("planted", "smoke", out=folder / "smoke")


def test_all_notebooks_run_on_planted_data(made: Report) -> None:
    assert {result.name: result.error for result in made.results if not result.ok} == {}
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
    browser = find_browser()
    if browser is None:
        pytest.skip("no Chromium or Chrome found")
    for page in sorted(made.index.parent.glob("0*.html")):
        switches = [
            "--headless",
            *SWITCHES,
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


def test_plain_papermill_runs_a_notebook_by_its_parameters_former_name(tmp_path: Path) -> None:
    source, target = ROOT / "notebooks" / "01_datasets.ipynb", tmp_path / "out.ipynb"
    given = ["-p", "dataset", "planted", "-p", "preset", "smoke"]
    done = subprocess.run(
        [sys.executable, "-m", "papermill", str(source), str(target), *given],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=300,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    text = target.read_text()
    assert "application/vnd.plotly.v1+json" in text
    assert text.count("FutureWarning: the parameter 'preset' of notebooks is called 'budget' now") == 1
    assert "150 users" in text, "the small data of smoke, not those of quick"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.ipynb"], "by hand, nothing else is written"


def test_a_notebook_declares_the_plans_that_it_opens(path: Path) -> None:
    """The report trains the runs of declared plans beforehand, and shows the page anew when one of them changes."""
    notebook = read_notebook(path)
    declared = {use.name: use for use in notebook.plans}
    tree = ast.parse("\n".join("".join(cell["source"]) for cell in cells(path)))
    calls = {ast.unparse(node.func): node for node in ast.walk(tree) if isinstance(node, ast.Call)}
    opened: set[str] = set()
    if sweep := calls.get("hc.Sweep"):
        given = {word.arg: word.value for word in sweep.keywords}
        named = {ast.unparse(node.targets[0]): node.value for node in ast.walk(tree) if isinstance(node, ast.Assign)}
        plans = ast.literal_eval(named["plans"] if isinstance(sweep.args[0], ast.Name) else sweep.args[0])
        opened = {plans} if isinstance(plans, str) else set(plans)
        labels = ast.literal_eval(given["labels"]) if "labels" in given else []
        seeds = given["seeds"].value if isinstance(given["seeds"], ast.Constant) else None
        assert declared == {name: PlanUse(name, tuple(labels), seeds) for name in opened}
    assert set(declared) == opened
    assert notebook.alone == ("hc.paper.figure7" in calls), "it times something"
