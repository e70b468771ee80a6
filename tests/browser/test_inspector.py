"""The inspector as a user meets it: notebook 21 in JupyterLab, driven by a real Chromium; waits are for states."""

from __future__ import annotations

import csv
import json
import time
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
        "inspector.swap = False; inspector.pair = []; inspector.compare_slot = inspector.compare_delta = None;"
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


def until(lab: Lab, code: str, expected: str) -> None:
    """Ask the kernel until it prints what is expected: it hears of a click after the page has drawn it."""
    end = time.monotonic() + 20
    while (found := lab.python(f"print({code})")) != expected and time.monotonic() < end:
        pass
    assert found == expected


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
    until(lab, "inspector.selection", f"[{node}]")
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
    until(lab, "inspector.selection", f"[{second}]")
    page.keyboard.press("Escape")
    page.wait_for_selector(".hctr[data-selected='0']")


def test_search_focuses_on_a_neighbourhood(lab: Lab, page: Any) -> None:
    user = lab.python("print(inspector.scene.nodes[0])")
    page.fill("input[data-key=query]", user)
    page.click(".hc-found li:first-child button")
    page.wait_for_selector(".hc-focus:not([hidden])")
    until(lab, "inspector.focus", f"['node', {user}]")
    members = "s.edge_nodes.subarray(s.edge_offsets[k], s.edge_offsets[k + 1])"
    every = f"[...Array(s.e).keys()].every(k => {members}.includes(s.index.get({user})))"
    after_scene(page, lambda: None, f"s.e > 0 && {every}")


def matrix(page: Any) -> tuple[float, float, float, float]:
    """Where the cells of the incidence matrix begin, and how wide and high they are, pixels of the canvas."""
    wide, high, n, e = page.evaluate(
        "(() => { const c = document.querySelector('.hc-over');"
        " const s = document.querySelector('.hctr').inspector.state.scene;"
        " return [c.clientWidth, c.clientHeight, s.n, s.e]; })()"
    )
    left = 238 if wide > 700 else 190 if wide > 520 else 90
    return left, 34, min((wide - left - 14) / n, 26), min((high - 64) / e, 26)


def drag(page: Any, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*over(page, start))
    page.mouse.down()
    page.mouse.move(*over(page, ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)))
    page.mouse.move(*over(page, end))
    page.mouse.up()


def test_brushing_the_incidence_matrix_selects_the_members_under_it(lab: Lab, page: Any) -> None:
    page.click("[data-key=incidence]")
    page.wait_for_selector(".hctr[data-view=incidence]")
    left, top, wide, high = matrix(page)
    expected = lab.python(
        "s = inspector.scene; rows = int((s.edge_modality == 0).sum())\n"
        "columns = sorted(range(len(s.nodes)), key=lambda i: (-s.degree[i], s.x[i], i))[:6]\n"
        "visual = {i for k in range(len(s)) if s.edge_modality[k] == 0 for i in s.member_positions(k)}\n"
        "print(rows, sorted(s.nodes[i] for i in columns if i in visual), sorted(s.nodes[i] for i in columns), sep='|')"
    )
    rows, inside, every = expected.split("|")
    drag(page, (left + 0.5 * wide, top + 0.5 * high), (left + 5.5 * wide, top + (int(rows) - 0.5) * high))
    page.wait_for_selector(f".hctr[data-selected='{len(json.loads(inside))}']")
    until(lab, "sorted(inspector.selection)", inside)
    drag(page, (left + 0.5 * wide, top + 0.5 * high), (left + 5.5 * wide, top + 14.5 * high))
    page.wait_for_selector(".hctr[data-selected='6']")
    until(lab, "sorted(inspector.selection)", every)
    page.click("[data-key=hulls]")
    page.wait_for_selector(f"{HULLS}[data-selected='6']")  # what was brushed is selected in every view


def test_a_bar_of_the_overlap_selects_the_nodes_behind_it(lab: Lab, page: Any) -> None:
    page.click("[data-key=overlap]")
    page.wait_for_selector(".hctr[data-view=overlap]")
    expected = lab.python(
        "s = inspector.scene; rows = inspector.scenes.stats(s)['overlap']; pairs = {}\n"
        "for k, (modality, label) in enumerate(s.edge_keys()):\n"
        "    for node in s.members(k): pairs.setdefault((node, label), set()).add(modality)\n"
        "found = [sorted({n for (n, _), names in pairs.items() if names == set(row['modalities'])}) for row in rows]\n"
        "print(len(rows), found[1], sep='|')"
    )
    bars, nodes = expected.split("|")
    size = page.evaluate(
        "(() => { const c = document.querySelector('.hc-over'); return [c.clientWidth, c.clientHeight]; })()"
    )
    left = 230 if size[0] > 520 else 120
    step = min(72, (size[0] - left - 24) / int(bars))
    page.mouse.click(*over(page, (left + 1.5 * step, size[1] - 40 - 31 * 3 - 4)))
    page.wait_for_selector(f".hctr[data-selected='{len(json.loads(nodes))}']")
    assert nodes != "[]"
    until(lab, "sorted(inspector.selection)", nodes)
    assert page.text_content(".hc-tip b") == " + ".join(
        json.loads(lab.python("import json; print(json.dumps(rows[1]['modalities']))"))
    )


def test_play_goes_through_the_slots_and_stops_at_the_last(lab: Lab, page: Any) -> None:
    lab.python("inspector.slot = 0")
    after_scene(page, lambda: None, "s.slot === 0")
    last = len(lab.study.slots.labels) - 1
    after_scene(page, lambda: page.click(".hc-play"), f"s.slot === {last}")
    page.wait_for_selector(".hc-play[aria-label='play the slots']")
    until(lab, "inspector.slot", str(last))
    after_scene(page, lambda: page.click(".hc-play"), "s.slot === 0")  # from the end it begins anew
    assert page.get_attribute(".hc-play", "aria-label") == "pause"
    after_scene(page, lambda: page.click(".hc-play"), "s.slot === 0")
    page.wait_for_selector(".hc-play[aria-label='play the slots']")
    until(lab, "inspector.slot", "0")  # paused where it was


def test_the_difference_between_two_slots_and_two_thresholds(lab: Lab, page: Any) -> None:
    lab.python("inspector.slot = 1")
    after_scene(page, lambda: None, "s.slot === 1")
    after_scene(page, lambda: page.click("[data-key=difference]"), "!!s.only")
    page.click("[role=tab][data-key=numbers]")

    def compared() -> tuple[list[int], list[int]]:
        drawn = page.evaluate(
            "(() => { const t = document.querySelector('.hctr').inspector.state, only = [...t.scene.only];"
            " return [only.filter(Boolean).length, t.other.e, only.filter((x) => !x).length]; })()"
        )
        cells = page.locator(".hc-panel table[data-key=difference] td:last-child").all_text_contents()
        return drawn, [int(cell.replace(",", "")) for cell in cells]

    def expected() -> tuple[list[int], list[int]]:
        return tuple(json.loads(lab.python(
            "c = inspector.contrast(); print([[int(c.only_here.sum()), len(c.there), int((~c.only_here).sum())],"
            " list(c.counts.values())])"
        )))  # fmt: skip

    assert compared() == expected() and min(compared()[0]) > 0
    page.select_option("select[data-key=compare_slot]", "1")
    page.wait_for_function("document.querySelector('.hctr').inspector.state.other.slot === 1")
    page.focus("input[data-key=compare_delta]")
    page.keyboard.press("Home")
    page.wait_for_function("document.querySelector('.hctr').inspector.state.other.delta === 0")
    assert compared() == expected()
    assert compared()[0][0] == 0 < compared()[0][1], "no threshold lets everything in"
    assert page.text_content(".hc-rule").startswith(lab.python("print(inspector.scene.rule)"))
    page.click("[role=tab][data-key=selection]")


def test_tab_reaches_every_control_and_keys_work_them(lab: Lab, page: Any) -> None:
    page.focus("[data-key=hulls]")
    reached = []
    for _ in range(60):
        reached.append(page.evaluate(
            "(() => { const a = document.activeElement; return !a.closest('.hctr') ? null :"
            " a.dataset.key || a.getAttribute('aria-label') || a.className; })()"))  # fmt: skip
        if reached[-1] is None:
            break
        page.keyboard.press("Tab")
    wanted = ["hulls", "bipartite", "incidence", "overlap", "difference", "user", "item", "png", "csv", "hif", "slot",
              "play the slots", *lab.study.data.modalities, "delta", "neighbours", "limit", "query", "zoom in", "fit",
              "selection"]  # fmt: skip
    assert [name for name in wanted if name not in reached] == []
    assert any(str(name).startswith("Hypergraph.") for name in reached), "the picture itself"

    page.focus("[data-key=bipartite]")
    page.keyboard.press("Enter")
    page.wait_for_selector(".hctr[data-view=bipartite]")
    page.focus(".hc-controls [data-key=visual]")
    after_scene(page, lambda: page.keyboard.press("Space"), "s.edge_modality.every(m => m > 0)")
    page.focus("[role=tab][data-key=selection]")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("[role=tab][data-key=user][aria-selected=true]:focus")
    page.keyboard.press("ArrowLeft")

    page.focus(".hc-over")
    node = page.evaluate("(() => { const s = document.querySelector('.hctr').inspector.state.scene;"
                         " return s.nodes[s.degreeOrder[0]]; })()")  # fmt: skip
    where = "id => document.querySelector('.hctr').inspector.at(id)"
    x = page.evaluate(where, node)[0]
    page.keyboard.press("ArrowLeft")
    page.wait_for_function(f"([id, x]) => Math.abs(({where})(id)[0] - x - 40) < 1", arg=[node, x])
    page.keyboard.press("0")
    page.keyboard.press("n")
    page.keyboard.press("Enter")
    page.wait_for_selector(".hctr[data-selected='1']")
    page.wait_for_selector(".hc-panel[data-key=selection] tbody tr")
    page.focus(".hc-panel[data-key=selection] tbody tr")
    page.keyboard.press("Enter")  # a row is put into the question
    assert page.input_value("input[data-key=user]") == str(node)
    page.focus(".hc-over")
    page.keyboard.press("n")
    page.keyboard.press("f")
    page.wait_for_selector(".hc-focus:not([hidden])")
    page.keyboard.press("Escape")
    page.wait_for_selector(".hctr[data-selected='0'] .hc-focus", state="hidden")
    until(lab, "inspector.focus, inspector.selection", "None []")


def test_striking_a_hyperedge_changes_the_score_as_python_says(lab: Lab, page: Any) -> None:
    user, item = lab.python("print(*study.test_click(0)[:2])").split()
    page.click("[role=tab][data-key=why]")
    assert page.input_value("input[data-key=user]") != "undefined"
    page.fill("input[data-key=user]", user)
    page.fill("input[data-key=item]", item)
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-key=score]")
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
    first = lab.python("print(inspector.get_state())")
    own = page.locator(".hctr[data-view=overlap]")
    own.get_by_role("button", name="Swap roles").click()
    own.locator(".hc-controls [data-key=visual]").click()
    page.wait_for_function(
        "(() => { const s = document.querySelector('.hctr[data-view=overlap]').inspector.state.scene;"
        " return s.node_kind === 'item' && s.edge_modality.every(m => m > 0); })()"
    )
    lab.python("second.selection = second.scene.nodes[:2]")
    page.wait_for_selector(".hctr[data-view=overlap][data-selected='2']")
    assert lab.python("print(inspector.get_state())") == first
    assert page.evaluate("document.querySelector('.hctr').dataset.scenes") == before
    assert page.get_attribute(".hctr >> nth=0", "data-selected") == "0"


def test_a_restarted_kernel_is_told_and_the_notebook_stays_small(lab: Lab, page: Any) -> None:
    page.evaluate("async () => { await jupyterapp.shell.currentWidget.context.save(); }")
    saved = json.loads((lab.folder / "21.ipynb").read_text())
    states = saved["metadata"].get("widgets", {}).get("application/vnd.jupyter.widget-state+json", {}).get("state", {})
    inspectors = [s for s in states.values() if s["state"].get("_anywidget_id", "").endswith("Inspector")]
    assert inspectors, "the state was saved"
    assert all(10_000 < len(json.dumps(one)) < 300_000 for one in inspectors)
    page.evaluate("async () => { await jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart(); }")
    page.wait_for_selector(".hc-banner:not([hidden])", timeout=20_000)
    assert "run this cell again" in page.text_content(".hc-banner:not([hidden])")
    assert page.evaluate("document.querySelector('.hctr').inspector.state.scene.e") > 0, "the picture stays"
    assert page.errors == []
