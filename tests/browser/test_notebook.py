"""What a notebook shows: progress that ends green, cards and figures in both themes, an inspector without kernel."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.lab import CONTRAST, Lab, after_scene, chromium, jupyterlab, need_browser, over, write_notebook

pytestmark = pytest.mark.browser

# nothing is learnt, so nothing gets better, and training ends long before its epochs
TRAIN = """
import hyperctr as hc
data = hc.load_dataset("planted", num_users=60, num_items=90, num_interactions=1200, months=12)
settings = {"learning_rate": 1e-8, "epochs": 9, "patience": 1, "points_per_epoch": 1, "average_epochs": 0.0}
run = hc.train(data, hc.Config.for_model("hyperctr", "smoke", **settings))
"""
SHOW = "session = hc.Session(data, run.config)\nhc.show(hc.figures.activity(session))\nrun"
LOOK = "inspector = hc.Inspector(data, run, delta=0.3, limit=9)\ninspector"
SAVED = ".hctr-saved.hc-on .hctr[data-scenes]"
# what Python has of the scene shown: numbers and members of its hyperedges
SCENE = "print(json.dumps([[int(n), scene.members(e)] for e, n in enumerate(scene.edges.number)]))"
DRAWN = """JSON.stringify((s => [...s.edge_number].map((n, k) => [n, [...s.edge_nodes.subarray(
    s.edge_offsets[k], s.edge_offsets[k + 1])].map(i => s.nodes[i])]))(
    document.querySelector('.hctr[data-scenes]').inspector.state.scene))"""
TEXTS = "'button, label, output, .hc-rule, .hc-hint, .hc-none, th'"
CARD_CONTRAST = CONTRAST.replace("querySelector('.hctr')", "body").replace(TEXTS, "'.hctr-card :is(th, td, td span)'")
COLOUR = "([selector, name]) => getComputedStyle(document.querySelector(selector))[name]"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    need_browser()
    folder: Path = tmp_path_factory.mktemp("lab")
    write_notebook(folder / "run.ipynb", TRAIN, SHOW, LOOK)
    with jupyterlab(folder, HYPERCTR_RUNS=str(folder / "runs")) as address, chromium() as page:
        lab = Lab(page, address)
        lab.open("run.ipynb")
        lab.command("notebook:run-all-cells")
        page.wait_for_selector(".hctr-card >> text=Run ", timeout=120_000)
        page.wait_for_selector(".jp-RenderedPlotly .main-svg")
        page.wait_for_selector(".hctr[data-scenes]", timeout=120_000)
        lab.folder = folder
        yield lab


def test_an_early_stop_ends_green_and_what_is_shown_can_be_read_in_both_themes(lab: Lab) -> None:
    page = lab.page
    states = page.eval_on_selector_all(".hc-done", "bars => bars.map(bar => bar.dataset.state)")
    assert len(states) >= 5 and set(states) == {"done"}
    words = page.text_content(".hctr-card .hc-stages")
    assert "stopped early at epoch 2.0, best validation AUC 0." in words
    assert lab.python("print(run.metrics['epochs'], len(run.events))") == "2.0 2"
    papers = []
    for theme, light in (("JupyterLab Dark", "false"), ("JupyterLab Light", "true")):
        page.evaluate("t => { jupyterapp.commands.execute('apputils:change-theme', { theme: t }); }", theme)
        page.wait_for_selector(f"body[data-jp-theme-light={light}]", state="attached")
        page.wait_for_function(f"({CARD_CONTRAST})() >= 4.5")
        red, green, blue = map(int, page.evaluate(COLOUR, [".hc-done div", "backgroundColor"])[4:-1].split(","))
        assert green > 1.4 * red and green > blue
        ink = page.evaluate(COLOUR, [".jp-RenderedPlotly .gtitle", "fill"])
        papers.append((page.evaluate(COLOUR, [".jp-RenderedPlotly .main-svg", "backgroundColor"]), ink))
        height = page.evaluate("() => document.querySelector('.jp-RenderedPlotly').offsetHeight")
        assert height == 420, "a figure keeps its height when the theme changes"
    assert papers == [("rgba(0, 0, 0, 0)", "rgb(213, 219, 227)"), ("rgb(255, 255, 255)", "rgb(36, 41, 47)")]
    assert page.errors == []


def test_without_a_kernel_a_saved_inspector_shows_the_scenes_that_python_had(lab: Lab) -> None:
    from nbconvert import HTMLExporter

    live, saved = lab.page, lab.folder / "run.ipynb"
    assert live.locator(".hctr[data-scenes]").count() == 1 and not live.locator(SAVED).count()
    live.evaluate("jupyterapp.commands.execute('docmanager:save')")
    live.wait_for_function("!jupyterapp.shell.currentWidget.context.model.dirty")
    shutil.copyfile(saved, lab.folder / "copy.ipynb")  # trusted as well: its content is

    page = live.context.new_page()
    page.errors = []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    html, _ = HTMLExporter().from_filename(str(saved))
    page.set_content(html)
    page.wait_for_selector(SAVED)
    assert scene_of(page) == scene_in(lab, "slot=0")
    before = page.evaluate("document.querySelector('.hc-base').toDataURL()")
    after_scene(page, lambda: page.fill("[data-key=slot]", "1"), "s.slot === 1")
    python = scene_in(lab, "slot=1")
    assert scene_of(page) == python, "another slot, as Python cuts it"
    assert page.evaluate("document.querySelector('.hc-base').toDataURL()") != before

    user = max({user for _, members in python for user in members}, key=lambda user: sum(user in m for _, m in python))
    on = [number for number, members in python if user in members]
    place = page.evaluate("id => document.querySelector('.hctr').inspector.at(id)", user)
    page.mouse.move(*over(page, place))
    assert f"on {len(on)} hyperedge" in page.text_content(".hc-tip")
    page.mouse.click(*over(page, place))
    page.wait_for_selector(f"{SAVED}[data-selected='1']")
    counts = page.locator(".hc-panel[data-key=selection] tbody td").all_text_contents()[1:]
    own = int(lab.python("print(data.num_items)"))  # a number is modality times items, plus the item
    assert counts == [str(sum(number // own == m for number in on)) for m in range(3)]

    after_scene(page, lambda: page.click(".hc-chip[data-key=visual]"), f"s.e < {len(python)}")
    assert scene_of(page) == [[number, members] for number, members in python if number >= own]
    page.click(".hc-chip[data-key=visual]")
    page.fill("[data-key=query]", str(user))
    after_scene(page, lambda: page.click(".hc-found li:first-child button"), "s.around")
    assert scene_of(page) == [[number, members] for number, members in python if number in on]
    assert f"{len(on)} of the {len(python)} hyperedges saved of this picture" in page.text_content(".hc-rule")
    assert not any(page.is_visible(f"[data-key={name}]") for name in ("delta", "limit", "difference"))
    assert page.errors == []

    again = Lab(page, lab.address)  # and in JupyterLab, with a new kernel that knows of no widget
    again.open("copy.ipynb")
    page.wait_for_selector(SAVED)
    assert scene_of(page) == scene_in(lab, "slot=0")
    page.wait_for_function("[...document.querySelectorAll('.hctr')].filter(e => e.offsetParent).length === 1")
    page.wait_for_selector(SAVED)
    assert not page.is_visible("text=Loading widget"), "nor the widget that asks a kernel in vain"
    page.close()


def scene_of(page: Any) -> list[Any]:
    return list(json.loads(page.evaluate(DRAWN)))


def scene_in(lab: Lab, query: str) -> list[Any]:
    build = f"scene = inspector.scenes.build(delta=0.3, limit=9, neighbours=inspector.neighbours, {query})"
    return list(json.loads(lab.python(f"import json; {build}; {SCENE}")))
