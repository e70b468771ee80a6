"""The inspector as a user meets it: notebook 21 in JupyterLab, driven by a real Chromium; waits are for states."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from hyperctr.hypergraph.incidence import Hypergraph
from tests.browser.lab import PANELS, Lab, after_scene, drag, menu, over, placed, show_below, until

pytestmark = pytest.mark.browser


def test_it_shows_the_scene_that_python_has(lab: Lab, page: Any) -> None:
    shown, rule = lab.python("print(len(inspector.scene), inspector.scene.rule, sep='|')").split("|")
    assert page.evaluate("document.querySelector('.hctr').inspector.state.scene.e") == int(shown)
    assert page.text_content(".hc-rule").startswith(rule)
    assert page.errors == []


def test_the_auc_of_the_nearest_run_stands_by_the_threshold(lab: Lab, page: Any) -> None:
    auc = f"test AUC {lab.session.run.metrics['auc']:.4f}"
    assert auc in page.text_content(".hc-rule") and auc in page.text_content("[data-key=auc]")


@pytest.mark.parametrize("view", ["panels", "trees", "bipartite", "matrix"])
def test_a_click_selects_and_python_reads_it_back(lab: Lab, page: Any, view: str) -> None:
    lab.python(f"inspector.view = '{view}'")
    page.wait_for_selector(f".hctr[data-view={view}]")
    node = page.evaluate(
        "(() => { const s = document.querySelector('.hctr').inspector.state.scene;"
        " return s.nodes[s.degreeOrder[0]]; })()"
    )
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


def test_search_focuses_on_a_neighbourhood(lab: Lab, page: Any) -> None:
    user = lab.python("print(inspector.scene.nodes[0])")
    page.fill("input[data-key=query]", user)
    page.click(".hc-found li:first-child button")
    page.wait_for_selector(".hc-focus:not([hidden])")
    until(lab, "inspector.focus", f"['node', {user}]")
    members = "s.edge_nodes.subarray(s.edge_offsets[k], s.edge_offsets[k + 1])"
    every = f"[...Array(s.e).keys()].every(k => {members}.includes(s.index.get({user})))"
    after_scene(page, lambda: None, f"s.e > 0 && {every}")


def test_a_lasso_in_the_matrix_selects_the_members_in_it(lab: Lab, page: Any) -> None:
    page.click("[data-key=matrix]")
    page.wait_for_selector(".hctr[data-view=matrix]")
    there = placed(page)
    rows, columns = there["order"]["rows"][:40], there["order"]["cols"][:5]
    expected = lab.python(
        f"s = inspector.scene; rows, columns = {rows}, {columns}\n"
        "assert {s.edges.modality[k] for k in columns} == {0}, 'columns stand in groups'\n"
        "print(sorted({s.nodes[i] for k in columns for i in s.edges.of_edge(k).tolist() if i in rows}))"
    )
    page.keyboard.down("Shift")
    first, last = there["X"][str(columns[0])], there["X"][str(columns[-1])]
    top, bottom = there["Y"][str(rows[0])] - 1, there["Y"][str(rows[-1])] + 1
    drag(page, (first - 2, top), (last + 2, top), (last + 2, bottom), (first - 2, bottom))
    page.keyboard.up("Shift")
    page.wait_for_selector(f".hctr[data-selected='{len(json.loads(expected))}']")
    until(lab, "sorted(inspector.selection)", expected)
    assert expected != "[]"
    page.click("[data-key=panels]")
    page.wait_for_selector(f"{PANELS}[data-selected='{len(json.loads(expected))}']")  # selected in every view


def test_a_bar_of_the_overlap_selects_the_nodes_behind_it(lab: Lab, page: Any) -> None:
    page.click("[data-key=overlap]")
    page.wait_for_selector(".hctr[data-view=overlap]")
    expected = lab.python(
        "s = inspector.scene; rows = inspector.scenes.stats(s)['overlap']; pairs = {}\n"
        "for k, (modality, label) in enumerate(s.edge_keys()):\n"
        "    for node in s.members(k): pairs.setdefault((node, label), set()).add(modality)\n"
        "behind = [sorted({n for (n, _), names in pairs.items() if names == set(row['modalities'])}) for row in rows]\n"
        "print(len(rows), behind[1], sep='|')"
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


def test_the_difference_between_two_slots_and_two_thresholds(lab: Lab, page: Any) -> None:
    lab.python("inspector.slot = 1")
    after_scene(page, lambda: None, "s.slot === 1")
    after_scene(page, lambda: page.click("[data-key=difference]"), "!!s.marks")
    page.click("[role=tab][data-key=numbers]")

    def compared() -> tuple[list[int], list[int]]:
        drawn = page.evaluate(
            "(() => { const marks = [...document.querySelector('.hctr').inspector.state.scene.marks];"
            " return [1, 2, 0].map(mark => marks.filter(x => x === mark).length); })()"
        )
        cells = page.locator(".hc-panel table[data-key=difference] td:last-child").all_text_contents()
        return drawn, [int(cell.replace(",", "")) for cell in cells]

    def expected() -> tuple[list[int], list[int]]:
        return tuple(
            json.loads(
                lab.python(
                    "c = inspector.contrast(); print([[int(c.only_here.sum()), len(c.there),"
                    " int((~c.only_here).sum())],"
                    " list(c.counts.values())])"
                )
            )
        )

    assert compared() == expected() and min(compared()[0]) > 0
    there = page.evaluate(  # what only the other has is selected from the keyboard
        "(() => { const s = document.querySelector('.hctr').inspector.state.scene;"
        " return [...s.sizeOrder].findIndex(k => s.marks[k] === 2); })()"
    )
    page.focus(".hc-over")
    for _ in range(there + 1):
        page.keyboard.press("e")
    page.wait_for_selector(".hc-tip:has-text('only there')")
    page.keyboard.press("Enter")
    until(
        lab, "bool(inspector.selection) and set(inspector.selection) <= set(inspector.contrast().there.nodes)", "True"
    )
    page.select_option("select[data-key=compare_slot]", "1")
    page.wait_for_function("document.querySelector('.hctr').inspector.state.scene.against[0] === 1")
    page.focus("input[data-key=compare_delta]")
    page.keyboard.press("Home")
    page.wait_for_function("document.querySelector('.hctr').inspector.state.scene.against[1] === 0")
    assert compared() == expected()
    assert compared()[0][0] == 0 < compared()[0][1], "no threshold lets everything in"
    assert page.text_content(".hc-rule").startswith(lab.python("print(inspector.scene.rule)"))
    page.click("[role=tab][data-key=selection]")


def test_removing_a_hyperedge_changes_the_score_as_python_says(lab: Lab, page: Any) -> None:
    user, item = lab.python("print(*session.test_click(0)[:2])").split()
    page.click("[role=tab][data-key=why]")
    assert page.input_value("input[data-key=user]") != "undefined"
    page.fill("input[data-key=user]", user)
    page.fill("input[data-key=item]", item)
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-key=score]")
    page.wait_for_function("!document.querySelector('[data-key=new_score]')")
    score = float(page.text_content("[data-key=score]"))
    bar = page.locator("[data-key=hyperedges] button").first
    bar.click()
    page.wait_for_selector("[data-key=new_score]")
    new = float(page.text_content("[data-key=new_score]"))
    key = lab.python("print(inspector.removed[0])")
    value = float(lab.python("print(inspector.why()['contributions'][0]['value'])"))
    assert key == page.get_attribute(".hc-bars button >> nth=0", "data-key")
    np.testing.assert_allclose(score - new, value, atol=1.1e-4)  # both numbers are shown to four places
    np.testing.assert_allclose(new, float(lab.python("print(inspector.score)")), atol=5.1e-5)
    page.fill("input[data-key=item]", "another")  # the score is not of what is typed
    page.wait_for_selector(".hc-old [data-key=score]")
    page.fill("input[data-key=item]", item)
    page.wait_for_selector(".hc-why:not(.hc-old) [data-key=score]")
    assert f"user {user}" in page.text_content(".hc-score")
    page.click(".hc-bars summary >> nth=0")
    page.click(".hc-bars [data-act=show] >> nth=0")
    side, slot, number = page.get_attribute(".hc-bars li >> nth=0", "data-edge").split(":")
    until(lab, "inspector.side, inspector.slot, inspector.focus", f"{side} {slot} ['hyperedge', {number}]")
    after_scene(page, lambda: None, f"s.side === '{side}' && s.slot === {slot} && s.around !== ''")
    page.mouse.move(0, 0)
    page.hover(".hc-bars button >> nth=0")
    lit = page.evaluate(
        "(() => { const t = document.querySelector('.hctr').inspector.state;"
        " return t.scene.edge_number[t.hover.edge] ?? -1; })()"
    )
    inside = lab.python(f"print({number} in inspector.scene.edges.number)") == "True"
    assert lit == (int(number) if inside else -1)
    page.click("[data-act=restore]")
    page.wait_for_function("!document.querySelector('[data-key=new_score]')")
    page.click("[role=tab][data-key=selection]")


def test_a_score_shows_its_sources_and_clicks_are_struck_out(lab: Lab, page: Any) -> None:
    lab.python("inspector.pair = list(session.test_click(0))")
    page.click("[role=tab][data-key=why]")
    page.wait_for_selector("[data-key=waterfall]")
    shown = page.eval_on_selector_all("[data-key=waterfall] .hc-value", "all => all.map(one => one.textContent)")
    values = json.loads(lab.python("print(inspector.sources()['value'].tolist())"))
    assert [float(text.replace("\N{MINUS SIGN}", "-")) for text in shown] == pytest.approx(values, abs=5.1e-5)
    assert page.text_content("[data-key=rank]") == lab.python(
        "rank = inspector.why()['rank']; print('place', rank['place'], 'of', rank['of'])"
    )
    strike = page.locator("[data-key=history] [data-act=strike]").first
    strike.click()
    page.wait_for_selector("[data-act=strike][aria-pressed=true]")
    until(lab, "inspector.removed_clicks == inspector.history()[['item', 'timestamp']].head(1).values.tolist()", "True")
    assert "without 1 click" in page.text_content(".hc-score")
    strike.click()
    until(lab, "inspector.removed_clicks", "[]")
    page.wait_for_function("!document.querySelector('[data-key=new_score]')")


def test_a_score_on_other_hypergraphs_and_its_table(lab: Lab, page: Any, tmp_path: Path) -> None:
    lab.python("inspector.pair = list(session.test_click(0))")
    page.click("[role=tab][data-key=why]")
    for key, value in (("explained_delta", "0.3"), ("explained_neighbours", "2")):
        box = page.locator(f".hc-what [data-key={key}]")
        box.fill(value) if key == "explained_delta" else box.select_option(value)
        until(lab, f"inspector.{key}", value)
    score = float(lab.python("print(inspector.score)"))
    page.wait_for_function(
        "score => document.querySelector('[data-key=new_score]')?.textContent === score", arg=f"{score:.4f}"
    )
    with page.expect_download() as waiting:
        page.click(".hc-what [data-act=save]")
    waiting.value.save_as(tmp_path / "explanation.csv")
    with (tmp_path / "explanation.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == int(lab.python("print(len(inspector.explanation()))")) > 5
    page.click(".hc-what [data-act=restore]")
    until(lab, "inspector.explained_delta, inspector.explained_neighbours", "None None")


def test_exported_files_hold_what_is_selected(lab: Lab, page: Any, tmp_path: Path) -> None:
    lab.python("inspector.selection = inspector.scene.members(0)")
    members = json.loads(lab.python("print(inspector.selection)"))
    page.wait_for_selector(f".hctr[data-selected='{len(members)}']")
    files = {}
    for kind in ("png", "svg", "csv", "hif"):
        menu(page, "save")
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
    drawing = ElementTree.parse(files["svg"])
    words = "".join(drawing.getroot().itertext())
    scene = json.loads(lab.python("import json; s = inspector.scene; print(json.dumps([s.rule, s.slot_label]))"))
    assert scene[0][:40] in words and scene[1] in words and "δ = 0.5" in words
    assert len(drawing.findall(".//{http://www.w3.org/2000/svg}path")) > 15


def test_two_inspectors_on_a_page_do_not_disturb_each_other(lab: Lab, page: Any) -> None:
    lab.python("second = hc.Inspector(session.data, run, slot=0, view='overlap', limit=6)")
    before = page.evaluate("document.querySelector('.hctr').dataset.scenes")
    show_below(page, "second")
    page.wait_for_function("document.querySelectorAll('.hctr[data-scenes]').length === 2")
    states = page.evaluate(
        "[...document.querySelectorAll('.hctr')].map(r => [r.dataset.view, r.inspector.state.scene.e])"
    )
    assert ["overlap", 6] in states
    assert page.evaluate("document.querySelector('.hctr').dataset.scenes") == before
    ids = page.evaluate("[...document.querySelectorAll('.hctr [id]')].map(e => e.id)")
    assert len(set(ids)) == len(ids)
    first = lab.python("print(inspector.get_state())")
    second = page.locator(".hctr[data-view=overlap]")
    second.locator("[data-key=options_menu]").click()
    second.get_by_role("button", name="Swap roles").click()
    second.locator("[data-key=options_menu]").click()
    second.locator(".hc-controls [data-key=visual]").click()
    page.wait_for_function(
        "(() => { const s = document.querySelector('.hctr[data-view=overlap]').inspector.state.scene;"
        " return s.node_kind === 'item' && s.edge_modality.every(m => m > 0); })()"
    )
    lab.python("second.selection = second.scene.nodes[:2]")
    page.wait_for_selector(".hctr[data-view=overlap][data-selected='2']")
    assert lab.python("print(inspector.get_state())") == first
    assert page.evaluate("document.querySelector('.hctr').dataset.scenes") == before
    assert page.get_attribute(".hctr >> nth=0", "data-selected") == "0"

    lab.python("own = hc.Inspector([{'cats': ['ann', 'bob'], 'dogs': ['bob', 'cid']}, {'dogs': ['ann', 'cid']}])")
    show_below(page, "own")
    page.wait_for_function("document.querySelectorAll('.hctr[data-scenes]').length === 3")
    mine = page.locator(".hctr", has=page.get_by_role("button", name="Nodes", exact=True))
    assert "showing 2 of 2 hyperedges" in mine.locator(".hc-rule").text_content()
    shown = mine.locator("[data-key=delta], [role=tab]").evaluate_all(
        "all => all.filter(e => e.offsetParent).map(e => e.dataset.key)"
    )
    assert shown == ["selection", "numbers"], "no threshold, no users' clicks, no scores"
    mine.locator("[data-key=difference]").click()
    mine.locator("[data-key=compare_slot]").wait_for()
    assert mine.locator("[data-key=compare_delta]").count() == 0
    mine.locator("[data-key=slots]").click()
    page.wait_for_function(
        "[...document.querySelectorAll('.hctr')].some(r => r.inspector.state.scene.panels?.length === 2"
        " && r.inspector.state.scene.e === 3)"
    )
    assert "in 2 slots, hypergraph 0 to hypergraph 1: all of them" in mine.locator(".hc-rule").text_content()


def test_a_restarted_kernel_is_told_and_the_notebook_stays_small(lab: Lab, page: Any) -> None:
    page.evaluate("async () => { await jupyterapp.shell.currentWidget.context.save(); }")
    saved = json.loads((lab.folder / "21.ipynb").read_text())
    states = saved["metadata"].get("widgets", {}).get("application/vnd.jupyter.widget-state+json", {}).get("state", {})
    inspectors = [s for s in states.values() if s["state"].get("_anywidget_id", "").endswith("Inspector")]
    assert inspectors, "the state was saved"
    assert all(10_000 < len(json.dumps(state)) < 300_000 for state in inspectors)
    page.evaluate("async () => { await jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart(); }")
    page.wait_for_selector(".hc-banner:not([hidden])", timeout=20_000)
    assert "run this cell again" in page.text_content(".hc-banner:not([hidden])")
    assert page.evaluate("document.querySelector('.hctr').inspector.state.scene.e") > 0, "the picture stays"
    assert page.errors == []
