"""What a notebook shows besides the inspector: progress that ends green, cards and figures in both themes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.lab import CONTRAST, Lab, chromium, jupyterlab, need_browser, write_notebook

pytestmark = pytest.mark.browser

# nothing is learnt, so nothing gets better, and training ends long before its epochs
TRAIN = """
import hyperctr as hc
data = hc.load_dataset("planted", num_users=60, num_items=90, num_interactions=1200, months=12)
settings = {"learning_rate": 1e-8, "epochs": 9, "patience": 1, "points_per_epoch": 1, "average_epochs": 0.0}
run = hc.train(data, hc.Config.for_model("hyperctr", "smoke", **settings))
"""
SHOW = "session = hc.Session(data, run.config)\nhc.show(hc.figures.activity(session))\nrun"
TEXTS = "'button, label, output, .hc-rule, .hc-hint, .hc-none, th'"
CARD_CONTRAST = CONTRAST.replace("querySelector('.hctr')", "body").replace(TEXTS, "'.hctr-card :is(th, td, td span)'")
COLOUR = "([selector, name]) => getComputedStyle(document.querySelector(selector))[name]"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    need_browser()
    folder: Path = tmp_path_factory.mktemp("lab")
    write_notebook(folder / "run.ipynb", TRAIN, SHOW)
    with jupyterlab(folder, HYPERCTR_RUNS=str(folder / "runs")) as address, chromium() as page:
        lab = Lab(page, address)
        lab.open("run.ipynb")
        lab.command("notebook:run-all-cells")
        page.wait_for_selector(".hctr-card >> text=Run ", timeout=120_000)
        page.wait_for_selector(".jp-RenderedPlotly .main-svg")
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
