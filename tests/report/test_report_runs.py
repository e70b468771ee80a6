"""The runs behind a report: trained before the notebooks, failures first on a page that needs no network."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import pandas as pd
import plotly.graph_objects as go
import pytest
from plotly.subplots import make_subplots

from hyperctr.data.registry import open_data
from hyperctr.display.theme import figure, style
from hyperctr.errors import ConfigError, RunError, did_you_mean
from hyperctr.report import build as module
from hyperctr.report.build import Report, build_report
from hyperctr.report.notebooks import PlanUse, read_notebook
from hyperctr.report.runs import ReportRuns
from hyperctr.runs.states import write_status
from hyperctr.sweeps.jobs import SweepResult
from hyperctr.sweeps.plan import Plan, known_plans, open_plan
from hyperctr.sweeps.sweep import Sweep
from tests.browser.lab import SWITCHES, find_browser
from tests.report.books import PARAMETERS, Page, write_book
from tests.sweeps.plans import EPOCHS, write_plan

ROWS = """
[[rows]]
label = "fine"
[[rows]]
label = "corrupt"
layers = 0
"""
SHOW = """import hyperctr as hc
from hyperctr.display.figure import Figure
from hyperctr.display.theme import figure
sweep = hc.Sweep({plan!r}, dataset, budget, data_dir=data_dir)
print(sweep.run())
frame = sweep.results[["label", "state", "auc"]]
chart = figure("AUC", "of each", x="label", y="AUC").add_scatter(x=frame["label"], y=frame["auc"])
hc.show(frame, name="kinds")
hc.show(Figure(chart, "kinds", frame), sweep)"""


@dataclass
class Made:
    """A report, and where everything lies."""

    folder: Path
    table: Path
    ids: dict[str, str]
    kept: dict[str, str] = field(default_factory=dict)

    def build(self) -> Report:
        return build_report(
            "table", "smoke", out=self.folder / "out", notebooks=self.folder / "books", data_dir=self.table, workers=2
        )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, tiny_table: Path) -> Iterator[Made]:
    """Two notebooks, one of which shows a run that is done and one that cannot be resumed."""
    folder = tmp_path_factory.mktemp("report")
    plan = write_plan(folder / "kinds.toml", ROWS)
    write_book(folder / "books" / "00_uses.ipynb", SHOW.format(plan=str(plan)))
    write_book(folder / "books" / "01_other.ipynb", "print('no runs')")
    book = json.loads((folder / "books" / "00_uses.ipynb").read_text())
    book["metadata"]["hyperctr"] = {"plans": [str(plan)]}
    (folder / "books" / "00_uses.ipynb").write_text(json.dumps(book))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HYPERCTR_RUNS", str(folder / "runs"))
        patch.setenv("HYPERCTR_DEVICE", "cpu")
        patch.setattr(module, "write_images", lambda _: "")
        runs = open_plan(plan, "table", "smoke", data_dir=tiny_table).runs
        yield Made(folder, tiny_table, {run.label: run.run_id for run in runs})


@pytest.fixture(scope="module")
def first(made: Made) -> Report:
    """The report while one run is corrupt."""
    state = made.folder / "runs" / made.ids["corrupt"] / "state"
    state.mkdir(parents=True)
    (state / "latest.safetensors").write_bytes(b"not tensors")
    return made.build()


def test_a_run_that_fails_stops_nothing_and_is_told_as_what_it_is(made: Made, first: Report) -> None:
    assert [result.status for result in first.results] == ["done", "done"]
    assert first.exit_code == 1
    assert first.runs["run"].tolist() == [made.ids["corrupt"], made.ids["fine"]], "failures first"
    assert first.runs["state"].tolist() == ["failed", "done"]
    line = f"run {made.ids['corrupt']} (kinds: corrupt): failed: "
    assert any(text.startswith(line) and "latest.safetensors" in text for text in str(first).splitlines())
    book = nbformat.read(first.index.parent / "notebooks" / "00_uses.ipynb", as_version=4)
    assert "2 runs: 1 done, 1 failed (0 s)" in str(book.cells), "the notebook has not tried again"
    assert (first.index.parent / "tables" / "kinds.csv").read_text().splitlines()[2] == "corrupt,failed,"
    index = " ".join(Page(first.index).text.split())
    assert f"1 of 2 runs is not done: 1 failed, 1 done; see all runs. Run {made.ids['corrupt']}" in index


def test_the_page_of_runs(made: Made, first: Report) -> None:
    folder = first.index.parent
    page = (folder / "runs.html").read_text()
    assert page.index(made.ids["corrupt"]) < page.index(made.ids["fine"])
    assert "latest.safetensors" in Page(folder / "runs.html").text
    written = json.loads((made.folder / "runs" / made.ids["fine"] / "metrics.json").read_text())
    assert f"{written['auc']:.4f} [{written['auc_low']:.4f}, {written['auc_high']:.4f}]" in page
    events = (made.folder / "runs" / made.ids["fine"] / "events.jsonl").read_text().splitlines()
    assert page.count("<polyline") == 1
    points = page.partition('<polyline points="')[2].partition('"')[0].split()
    assert len(points) == len(events) == EPOCHS
    best = max(range(EPOCHS), key=lambda place: json.loads(events[place])["validation_auc"])
    x, y = points[best].split(",")
    assert f'<circle cx="{x}" cy="{y}"' in page and y == "3.0"
    row = pd.read_csv(folder / "runs.csv").set_index("what").loc["kinds: fine"]
    assert row["auc"] == pytest.approx(written["auc"]) and row["split_checksum"] == written["split_checksum"]


def test_the_card_under_a_table_says_how_to_repeat_it(made: Made, first: Report) -> None:
    text = Page(first.index.parent / "00_uses.html").text
    card = text[text.index("tables/kinds: ") : text.index("figures/kinds: ")]
    written = json.loads((made.folder / "runs" / made.ids["fine"] / "metrics.json").read_text())
    assert written["data_fingerprint"][:16] in card and written["split_checksum"][:16] in card
    for entry in ("seeds0", "devicecpu", "deterministicyes", "hyperctr sweep run", "papermill notebooks/00_uses.ipynb"):
        assert entry in card, entry
    assert json.loads((first.index.parent / "card.json").read_text())["device"] == ["cpu"]


DRAWN = """() => [...document.querySelectorAll("figure.chart")].map((box) => {
  const all = (what) => [...box.querySelectorAll(what)].map((e) => e.getBoundingClientRect());
  const most = (what, side) => Math.max(0, ...all(what).map((place) => place[side]));
  const legend = box.querySelector(".legend");
  return { across: box.scrollWidth, seen: box.getBoundingClientRect().right,
    titles: most(".gtitle, .gtitle-subtitle", "right"), buttons: box.querySelectorAll(".modebar-btn").length,
    plot: most(".bglayer .bg, .cartesianlayer .plot", "width"), axis: most(".xtitle", "bottom"),
    legend: most(".legend", "right"), legend_top: legend && legend.getBoundingClientRect().top };
})"""


def write_figures(path: Path, assets: Path) -> str:
    """Write a page of three panels in a row, lines with a legend, and bars that need their width."""
    several, lines, bars = make_subplots(1, 3), figure("Lines", x="a title of an axis that has many words"), go.Figure()
    for column, name in enumerate(("the first of all models", "the second of all models", "a third"), 1):
        several.add_scatter(x=[0, 1], y=[0, 1], name=name, row=1, col=column)
        lines.add_scatter(x=[0, 1], y=[0, column], name=name)
    style(several, "A title that is too long for a line of a telephone", "words " * 30)
    style(bars.add_bar(x=[1], y=["a"], orientation="h"), "Bars", meta={"least_width": 560})
    scripts = [f'<script src="{(assets / name).as_uri()}"></script>' for name in ("plotly.min.js", "page.js")]
    parts = [
        f'<figure class="chart"><script type="application/json">{chart.to_json()}</script></figure>'
        for chart in (several, lines, bars)
    ]
    head = f'<!doctype html><link rel="stylesheet" href="{(assets / "style.css").as_uri()}">'
    path.write_text("".join([head, *parts, *scripts]), encoding="utf-8")
    return path.as_uri()


@pytest.mark.browser
def test_no_page_asks_a_network_for_anything_and_all_fit_a_telephone(first: Report, tmp_path: Path) -> None:
    sync_api = pytest.importorskip("playwright.sync_api")
    browser_path = find_browser()
    if browser_path is None:
        pytest.skip("no Chromium or Chrome found")
    wrong: list[str] = []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=SWITCHES)
        page = browser.new_page(viewport={"width": 390, "height": 844})
        page.on(
            "request",
            lambda request: wrong.append(request.url) if not request.url.startswith(("file:", "data:")) else None,
        )
        page.on("requestfailed", lambda request: wrong.append(f"failed: {request.url}"))
        page.on("console", lambda message: wrong.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        for path in sorted(first.index.parent.glob("*.html")):
            page.goto(path.as_uri())
            for chart in page.locator("figure.chart").all():
                chart.locator(".js-plotly-plot .scatterlayer").first.wait_for(state="attached")
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path.name} is too wide"
            assert path.stat().st_size < 1_000_000
        page.goto(write_figures(tmp_path / "figures.html", first.index.parent / "assets"))
        page.locator(".barlayer").first.wait_for(state="attached")
        several, lines, bars = page.evaluate(DRAWN)
        assert [several["across"], bars["across"]] == [900, 560], "they keep their width, and are scrolled"
        assert lines["across"] <= lines["seen"] and lines["plot"] > 200, "the legend takes nothing of the plot's width"
        assert lines["legend"] <= lines["seen"] and lines["legend_top"] >= lines["axis"] > 0, "nor lies on its axis"
        for drawn in (several, lines, bars):
            assert drawn["titles"] <= drawn["seen"], "a title is read without scrolling"
            assert drawn["buttons"] == 0, "none lies over a title"
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.goto((first.index.parent / "runs.html").as_uri())
        states = "Array.from(document.querySelectorAll('.runs tbody tr td:first-child span.good, .runs span.bad'), "
        states += "cell => cell.textContent)"
        assert page.evaluate(states) == ["failed", "done"]
        title = page.locator("th", has_text="test AUC")
        title.locator("button").click()
        assert title.get_attribute("aria-sort") == "ascending"
        assert page.evaluate(states) == ["done", "failed"], "what has no AUC stands last"
        page.locator("th button", has_text="state").click()
        assert page.evaluate(states) == ["failed", "done"]
        browser.close()
    assert not wrong


def test_a_page_is_made_again_when_a_run_behind_it_has_changed(made: Made, first: Report) -> None:
    (made.folder / "runs" / made.ids["corrupt"] / "state" / "latest.safetensors").unlink()
    again = made.build()
    assert again.executed == ("00_uses",), "only the page that shows the run"
    assert again.exit_code == 0
    damaged = made.folder / "runs" / made.ids["fine"] / "metrics.json"
    whole = damaged.read_text()
    damaged.write_text(whole[:100])
    again = made.build()
    assert again.exit_code == 1 and [result.status for result in again.results] == ["done", "done"]
    assert "metrics.json: not valid JSON" in str(again) and "the run is damaged: delete" in str(again)


def test_a_plan_that_cannot_be_opened_is_said(made: Made) -> None:
    data = open_data("planted", "smoke")
    runs = ReportRuns.open(data, [PlanUse("nosuch"), PlanUse("layers")], "planted", "smoke", 0, "")
    assert [use.name for use in runs.plans] == ["layers"]
    assert runs.problems == ["plan nosuch: there is no plan 'nosuch': " + did_you_mean("nosuch", known_plans())]


def test_a_plan_on_request_is_shown_and_not_trained(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HYPERCTR_RUNS", str(tmp_path))
    uses = [PlanUse("layers"), PlanUse("systems")]
    runs = ReportRuns.open(open_data("planted", "smoke"), uses, "planted", "smoke", 1, "")
    trained: list[str] = []

    def run_plans(plans: list[Plan], workers: int | None = None, only: str | None = None) -> SweepResult:
        trained.extend(plan.name for plan in plans)
        return SweepResult({}, {})

    monkeypatch.setattr("hyperctr.sweeps.local.run_plans", run_plans)
    runs.train(uses)
    assert trained == ["layers"]
    assert set(runs.frame()["what"].str.partition(" ")[0]) == {"layers"}
    systems = {run.label: run.run_id for run in runs.plans[uses[1]].runs}
    write_status(systems["dstn, author"], "failed", error="no memory")
    assert runs.frame().loc[lambda frame: frame["state"] == "failed", "what"].tolist() == ["systems: dstn, author"]

    sweep = Sweep(["overall", "systems", "causal"], "planted", "smoke", seeds=1)
    sweep.run()
    assert trained == ["layers", "overall"]
    assert sweep.results[["plan", "state"]].value_counts().to_dict() == {
        ("overall", "planned"): 3,
        ("systems", "failed"): 1,
    }
    assert sweep.measured.startswith("planted, protocol as-published, random split")
    assert "hyperctr sweep run systems" in sweep.card()["repeat the runs"]
    assert "causal" not in sweep.card()["repeat the runs"] and len(sweep.runs) > 40
    Sweep("systems", "planted", "smoke", seeds=1).run()
    assert trained == ["layers", "overall", "systems"], "opened alone, it is asked for"


def test_metadata_of_a_notebook(tmp_path: Path) -> None:
    path = write_book(tmp_path / "00_book.ipynb", parameters=PARAMETERS)
    assert read_notebook(path).plans == () and not read_notebook(path).alone
    book = json.loads(path.read_text())
    book["metadata"]["hyperctr"] = {
        "plans": ["layers", {"name": "overall", "seeds": 1, "labels": ["a"]}],
        "alone": True,
    }
    path.write_text(json.dumps(book))
    assert read_notebook(path).plans == (PlanUse("layers"), PlanUse("overall", ("a",), 1))
    book["metadata"]["hyperctr"] = {"plans": [{"plan": "layers"}]}
    path.write_text(json.dumps(book))
    with pytest.raises(ConfigError, match=r'00_book\.ipynb: metadata\.hyperctr must be written as {"plans": '):
        read_notebook(path)


def test_a_page_depends_on_what_was_scored_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HYPERCTR_RUNS", str(tmp_path))
    use = PlanUse("layers")
    runs = ReportRuns({use: open_plan("layers", "planted", "smoke")})
    planned = {run.run_id for run in runs.plans[use].runs}
    assert set(runs.states([use])) == planned
    found = pd.DataFrame({"run": ["a" * 12]})
    monkeypatch.setattr("hyperctr.report.runs.scored_elsewhere", lambda results: found)
    assert set(runs.states([use])) == planned | {"a" * 12}

    def damaged(plan: Plan) -> pd.DataFrame:
        raise RunError("metrics.json: not valid JSON")

    monkeypatch.setattr("hyperctr.report.runs.results", damaged)
    assert set(runs.states([use])) == planned
