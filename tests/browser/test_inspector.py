"""The inspector as a user meets it: notebook 21 in JupyterLab, driven by a real Chromium; waits are for states."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hyperctr.hypergraph.incidence import Hypergraph
from hyperctr.reporting.study import open_study
from tests.browser.lab import ROOT, Lab, chromium, find_browser, jupyterlab

pytestmark = pytest.mark.browser
HULLS = ".hctr[data-view=hulls]"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One JupyterLab, one page, notebook 21 run to its end at preset smoke."""
    pytest.importorskip("playwright", reason="no playwright: pip install 'hyperctr[dev]'")
    pytest.importorskip("jupyterlab", reason="no JupyterLab: pip install 'hyperctr[notebook]'")
    if find_browser() is None:
        pytest.skip("no Chromium or Chrome found")
    folder = tmp_path_factory.mktemp("lab")
    book = json.loads((ROOT / "notebooks" / "21_inspect_prediction.ipynb").read_text(encoding="utf-8"))
    cells = [cell for cell in book["cells"] if "parameters" in cell["metadata"].get("tags", [])]
    cells[0]["source"] = "".join(cells[0]["source"]).replace('"quick"', '"smoke"')
    (folder / "21.ipynb").write_text(json.dumps(book))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HYPERCTR_RUNS", str(folder / "runs"))
        study = open_study("planted", "smoke")
        _ = study.run  # trained once, here; the notebook finds it in the store
        with jupyterlab(folder) as address, chromium() as page:
            lab = Lab(page, address)
            lab.open("21.ipynb")
            lab.command("notebook:run-all-cells")
            page.wait_for_selector(".hctr [data-key=new_score]", state="attached", timeout=60_000)  # the last cell's
            lab.folder, lab.study = folder, study
            yield lab


@pytest.fixture
def page(lab: Lab) -> Any:
    """The page, with the inspector as it was at first."""
    lab.python(
        "inspector.set_trait('view', 'hulls'); inspector.focus = None; inspector.selection = []; inspector.struck = [];"
        "inspector.struck_modalities = []; inspector.query = ''; inspector.side = 'user'; inspector.delta = 0.5;"
        "inspector.modalities = list(study.data.modalities); inspector.slot = study.busiest_slot; inspector.limit = 15"
    )
    lab.page.wait_for_selector(f"{HULLS}[data-selected='0']")
    lab.page.locator(".hctr").first.scroll_into_view_if_needed()
    return lab.page


def after_scene(page: Any, act: Any, test: str) -> None:
    """Do something, then wait until the scene that came of it is drawn: ``test`` is JavaScript over it, as ``s``."""
    act()
    page.wait_for_function(
        "test => { const s = document.querySelector('.hctr').inspector.state.scene;"
        " return new Function('s', 'return ' + test)(s); }",
        arg=test,
    )


def over(page: Any, place: tuple[float, float]) -> tuple[float, float]:
    """Place on the page of a place on the canvas."""
    box = page.locator(".hc-over").bounding_box()
    return box["x"] + place[0], box["y"] + place[1]


def test_it_shows_the_scene_that_python_has(lab: Lab, page: Any) -> None:
    shown, rule = lab.python("print(len(inspector.scene), inspector.scene.rule, sep='|')").split("|")
    assert page.evaluate("document.querySelector('.hctr').inspector.state.scene.e") == int(shown)
    assert page.text_content(".hc-rule").startswith(rule)
    assert page.errors == []


def test_the_slot_slider_moves_slot_and_scene(lab: Lab, page: Any) -> None:
    before = int(lab.python("print(inspector.slot)"))
    key, slot = ("ArrowLeft", before - 1) if before else ("ArrowRight", 1)
    page.focus("input[data-key=slot]")
    after_scene(page, lambda: page.keyboard.press(key), f"s.slot === {slot}")
    assert int(lab.python("print(inspector.slot)")) == slot
    assert page.text_content(".hc-rule").startswith(lab.python("print(inspector.scene.rule)"))


def test_a_modality_is_switched_off_and_the_threshold_moved(lab: Lab, page: Any) -> None:
    after_scene(page, lambda: page.click(".hc-controls [data-key=visual]"), "s.edge_modality.every(m => m > 0)")
    assert lab.python("print(inspector.modalities)") == str(list(lab.study.data.modalities[1:]))
    total = int(lab.python("print(inspector.scene.total_edges)"))
    page.focus("input[data-key=delta]")
    after_scene(page, lambda: page.keyboard.press("Home"), "s.delta === 0")
    assert int(lab.python("print(inspector.scene.total_edges)")) > total, "no threshold lets everything in"


@pytest.mark.parametrize("view", ["hulls", "bipartite", "incidence"])
def test_a_click_selects_and_python_reads_it_back(lab: Lab, page: Any, view: str) -> None:
    lab.python(f"inspector.view = '{view}'")
    page.wait_for_selector(f".hctr[data-view={view}]")
    node = page.evaluate("(() => { const s = document.querySelector('.hctr').inspector.state.scene;"
                         " return s.nodes[s.degreeOrder[0]]; })()")  # fmt: skip
    if view == "incidence":  # the first column is the node on most hyperedges
        place = page.evaluate("(() => { const c = document.querySelector('.hc-over'); return [c.clientWidth]; })()")
        left = 238 if place[0] > 700 else 190 if place[0] > 520 else 90
        page.mouse.click(*over(page, (left + 1, 40)))
    else:
        page.mouse.click(*over(page, page.evaluate("id => document.querySelector('.hctr').inspector.at(id)", node)))
    page.wait_for_selector(".hctr[data-selected='1']")
    page.wait_for_selector(".hc-panel tbody tr")
    assert json.loads(lab.python("print(inspector.selection)")) == [node]
    assert page.locator(".hc-panel[data-key=selection] tbody tr").count() == 1


def test_a_selection_from_python_is_drawn_and_listed(lab: Lab, page: Any) -> None:
    lab.python("inspector.selection = inspector.scene.nodes[:3]")
    page.wait_for_selector(".hctr[data-selected='3']")
    page.wait_for_function("document.querySelectorAll('.hc-panel[data-key=selection] tbody tr').length === 3")
    page.keyboard.press("Escape")


def test_the_keyboard_alone_steps_selects_and_clears(lab: Lab, page: Any) -> None:
    page.focus(".hc-over")
    for key in ("n", "n", "Enter"):
        page.keyboard.press(key)
    page.wait_for_selector(".hctr[data-selected='1']")
    second = page.evaluate("(() => { const s = document.querySelector('.hctr').inspector.state.scene;"
                           " return s.nodes[s.degreeOrder[1]]; })()")  # fmt: skip
    assert json.loads(lab.python("print(inspector.selection)")) == [second]
    page.keyboard.press("Escape")
    page.wait_for_selector(".hctr[data-selected='0']")


def test_search_focuses_on_a_neighbourhood(lab: Lab, page: Any) -> None:
    user = lab.python("print(inspector.scene.nodes[0])")
    page.fill("input[data-key=query]", user)
    page.click(".hc-found li:first-child button")
    page.wait_for_selector(".hc-focus:not([hidden])")
    assert lab.python("print(inspector.focus)") == f"['node', {user}]"
    members = "s.edge_nodes.subarray(s.edge_offsets[k], s.edge_offsets[k + 1])"
    every = f"[...Array(s.e).keys()].every(k => {members}.includes(s.index.get({user})))"
    after_scene(page, lambda: None, f"s.e > 0 && {every}")


def test_striking_a_hyperedge_changes_the_score_as_python_says(lab: Lab, page: Any) -> None:
    page.click("[role=tab][data-key=why]")
    page.wait_for_function("!document.querySelector('[data-key=new_score]')")
    score = float(page.text_content("[data-key=score]"))
    bar = page.locator(".hc-bars button").first
    bar.click()
    page.wait_for_selector("[data-key=new_score]")
    new = float(page.text_content("[data-key=new_score]"))
    key = lab.python("print(inspector.struck[0])")
    value = float(lab.python("print(inspector.why()['contributions'][0]['value'])"))
    assert key == page.get_attribute(".hc-bars button >> nth=0", "data-key")
    np.testing.assert_allclose(score - new, value, atol=1.1e-4)  # both numbers are shown to four places
    np.testing.assert_allclose(new, float(lab.python("print(inspector.score)")), atol=5.1e-5)
    page.click("[data-act=restore]")
    page.wait_for_function("!document.querySelector('[data-key=new_score]')")
    page.click("[role=tab][data-key=selection]")


def test_exported_files_hold_what_is_selected(lab: Lab, page: Any, tmp_path: Path) -> None:
    lab.python("inspector.selection = inspector.scene.members(0)")
    members = json.loads(lab.python("print(inspector.selection)"))
    page.wait_for_selector(f".hctr[data-selected='{len(members)}']")
    files = {}
    for kind in ("png", "csv", "hif"):
        with page.expect_download() as waiting:
            page.click(f"[aria-label=export] [data-key={kind}]")
        files[kind] = tmp_path / waiting.value.suggested_filename
        waiting.value.save_as(files[kind])
    with files["csv"].open() as lines:
        assert [int(row["id"]) for row in csv.DictReader(lines)] == sorted(members)
    assert len(members) in Hypergraph.from_hif(files["hif"]).hyperedge_size.tolist()
    picture = files["png"].read_bytes()
    assert picture.startswith(b"\x89PNG")
    wide = page.evaluate("document.querySelector('.hc-stage').clientWidth")
    assert int.from_bytes(picture[16:20], "big") == 3 * wide, "three times as fine as the screen"


def test_two_inspectors_on_a_page_do_not_disturb_each_other(lab: Lab, page: Any) -> None:
    lab.python("second = hc.Inspector(study.data, run, slot=0, view='overlap', limit=6)")
    before = page.evaluate("document.querySelector('.hctr').dataset.scenes")
    lab.page.evaluate(
        "async () => { const s = jupyterapp.shell.currentWidget; s.content.activeCellIndex = 4;"
        " await jupyterapp.commands.execute('notebook:insert-cell-below');"
        " s.content.activeCell.model.sharedModel.setSource('second');"
        " jupyterapp.commands.execute('notebook:run-cell'); }"
    )
    page.wait_for_function("document.querySelectorAll('.hctr[data-scenes]').length === 2")
    states = page.evaluate(
        "[...document.querySelectorAll('.hctr')].map(r => [r.dataset.view, r.inspector.state.scene.e])"
    )
    assert sorted(states)[1] == ["overlap", 6]
    assert page.evaluate("document.querySelector('.hctr').dataset.scenes") == before
    ids = page.evaluate("[...document.querySelectorAll('.hctr [id]')].map(e => e.id)")
    assert len(set(ids)) == len(ids)


def test_a_restarted_kernel_is_told_and_the_notebook_stays_small(lab: Lab, page: Any) -> None:
    page.evaluate("async () => { await jupyterapp.shell.currentWidget.context.save(); }")
    saved = json.loads((lab.folder / "21.ipynb").read_text())
    states = saved["metadata"].get("widgets", {}).get("application/vnd.jupyter.widget-state+json", {}).get("state", {})
    inspectors = [s for s in states.values() if s["state"].get("_anywidget_id", "").endswith("Inspector")]
    assert all(len(json.dumps(one)) < 300_000 for one in inspectors)
    page.evaluate("async () => { await jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart(); }")
    page.wait_for_selector(".hc-banner:not([hidden])", timeout=20_000)
    assert "run this cell again" in page.text_content(".hc-banner:not([hidden])")
    assert page.errors == []
