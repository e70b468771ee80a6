"""What moves the picture: slots, modalities, thresholds, keys, width and theme; a real Chromium, waits for states."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.browser.lab import CONTRAST, Lab, after_scene, drag, menu, over, placed, until

pytestmark = pytest.mark.browser
PIXELS = "document.querySelector('.hc-base').toDataURL()"
REGIONS = """() => {
  const i = document.querySelector('.hctr').inspector, s = i.state.scene, { panels } = i.placed();
  const mean = (list) => list.reduce((sum, v) => sum + v, 0) / list.length;
  const spread = (m, e) => { const own = [...s.edge_nodes.subarray(s.edge_offsets[e], s.edge_offsets[e + 1])];
    const [x, y] = [s.px, s.py].map((v) => own.map((k) => v[m * s.n + k])), [mx, my] = [mean(x), mean(y)];
    return mean(x.map((v, k) => (v - mx) ** 2 + (y[k] - my) ** 2)); };
  const all = [...s.edge_modality.keys()].filter((e) => s.edge_modality[e] === 0);
  return [+document.querySelector('[data-key=how]').textContent.match(/^(\\d+) regions a panel, of large/)[1],
    panels.map(({ edges }) => edges.length),
    [panels[0].edges, all].map((some) => mean([...some].map((e) => spread(0, e))))];
}"""


def test_sides_roles_and_neighbours(lab: Lab, page: Any) -> None:
    after_scene(page, lambda: page.click(".hc-bar [data-key=item]"), "s.node_kind === 'item' && s.edge_kind === 'user'")
    menu(page, "options")
    after_scene(page, lambda: page.click("[data-key=swap]"), "s.node_kind === 'user' && s.edge_kind === 'item'")
    until(lab, "inspector.side, inspector.swap", "item True")
    after_scene(page, lambda: page.click(".hc-bar [data-key=user]"), "s.side === 'user'")
    menu(page, "options")
    after_scene(page, lambda: page.click("[data-key=swap]"), "s.node_kind === 'user'")
    sizes = "[...s.edge_offsets].slice(1).map((end, k) => end - s.edge_offsets[k])"
    script = "(() => { const s = document.querySelector('.hctr').inspector.state.scene; return %s; })()"
    assert page.evaluate(script % sizes)[0] > 2
    menu(page, "options")
    after_scene(page, lambda: page.select_option("select[data-key=neighbours]", "2"), f"Math.max(...{sizes}) === 2")
    until(lab, "inspector.neighbours", "2")


def test_hover_names_what_is_under_the_pointer(lab: Lab, page: Any) -> None:
    node, title, degree = json.loads(
        lab.python(
            "import json; k = int(inspector.scene.degree.argmax());"
            "print(json.dumps([inspector.scene.nodes[k], inspector.scene.titles[k], int(inspector.scene.degree[k])]))"
        )
    )
    for view in ("panels", "trees", "matrix", "bipartite"):
        page.click(f"[data-key={view}]")
        page.wait_for_selector(f".hctr[data-view={view}]")
        page.mouse.move(*over(page, page.evaluate("id => document.querySelector('.hctr').inspector.at(id)", node)))
        page.wait_for_selector(".hc-tip:not([hidden])")
        assert page.text_content(".hc-tip b") == title
        assert f"on {degree} hyperedge" in page.text_content(".hc-tip")


def test_text_is_readable_in_both_themes_and_the_widget_follows_its_width(lab: Lab, page: Any) -> None:
    grounds = []
    for theme, light in (("JupyterLab Dark", "false"), ("JupyterLab Light", "true")):
        page.evaluate("t => { jupyterapp.commands.execute('apputils:change-theme', { theme: t }); }", theme)
        page.wait_for_selector(f"body[data-jp-theme-light={light}]", state="attached")
        page.wait_for_function(f"({CONTRAST})() >= 4.5")  # what the guidelines for accessible pages ask for
        grounds.append(page.evaluate("getComputedStyle(document.querySelector('.hc-stage')).backgroundColor"))
    assert len(set(grounds)) == 2
    size = page.viewport_size
    page.set_viewport_size({"width": 900, "height": size["height"]})
    page.wait_for_selector(".hctr.hc-narrow")
    drawn = (
        "(() => { const c = document.querySelector('.hc-base');"
        " return c.width === c.clientWidth * devicePixelRatio; })()"
    )
    page.wait_for_function(drawn)
    page.set_viewport_size(size)
    page.wait_for_selector(".hctr:not(.hc-narrow)")
    page.wait_for_function(drawn)


def test_the_slot_slider_moves_slot_and_scene(lab: Lab, page: Any) -> None:
    before = int(lab.python("print(inspector.slot)"))
    key, slot = ("ArrowLeft", before - 1) if before else ("ArrowRight", 1)
    page.focus("input[data-key=slot]")
    after_scene(page, lambda: page.keyboard.press(key), f"s.slot === {slot}")
    assert int(lab.python("print(inspector.slot)")) == slot
    assert page.text_content(".hc-rule").startswith(lab.python("print(inspector.scene.rule)"))


def test_slots_chosen_on_the_timeline_are_shown_together_and_side_by_side(lab: Lab, page: Any) -> None:
    lab.python("inspector.slot = 0")
    bars = page.locator(".hc-bars-of-slots").bounding_box()
    places = [(bars["x"] + part * bars["width"], bars["y"] + 12) for part in (0.25, 0.6, 0.75)]
    page.mouse.move(*places[0])
    page.mouse.down()
    page.mouse.move(*places[1])
    page.mouse.move(*places[2])
    page.mouse.up()
    until(lab, "inspector.slots, inspector.slot", "[0, 1] 1")
    when = lab.python("print(inspector.scene.slot_label)")
    after_scene(page, lambda: None, f"s.slot_label === '{when}'")
    assert page.text_content(".hc-timeline + output") == when
    after_scene(page, lambda: page.click("[data-key=slots]"), "s.panels?.length === 2")
    lit = (  # a node with a hyperedge in each panel, and where the view put it: the same place in both
        "(() => { const i = document.querySelector('.hctr').inspector, s = i.state.scene, { panels } = i.placed();"
        " const on = (n, p) => [...s.part].some((q, k) => q === p &&"
        " s.edge_nodes.subarray(s.edge_offsets[k], s.edge_offsets[k + 1]).includes(n));"
        " const n = [...s.degreeOrder].find((n) => on(n, 0) && on(n, 1));"
        " return [s.nodes[n], panels.map(({ frame, X, Y }) => [X[n] - frame.x, Y[n] - frame.y, X[n], Y[n]])]; })()"
    )
    node, ((x, y, *first), (right, below, *second)) = page.evaluate(lit)
    assert (x, y) == pytest.approx((right, below), abs=0.6)
    page.mouse.click(*over(page, second))
    until(lab, "inspector.selection", f"[{node}]")
    assert page.evaluate("document.querySelector('.hctr').inspector.state.hover.node") >= 0
    page.mouse.move(*over(page, first))
    frame = placed(page)["panels"][0]["frame"]
    page.mouse.click(*over(page, (frame["x"] + frame["w"] - 4, frame["y"] + 4)))
    after_scene(page, lambda: None, "s.slot === 0 && !s.panels")
    until(lab, "inspector.slot, inspector.slots, inspector.view", "0 None None")
    page.focus("input[data-key=slot]")
    page.keyboard.press("Shift+ArrowRight")
    until(lab, "inspector.slots, inspector.slot", "[0, 1] 1")
    page.keyboard.press("Escape")
    until(lab, "inspector.slots, inspector.slot", "None 1")
    assert page.errors == []


def test_a_modality_is_switched_off_and_the_threshold_moved(lab: Lab, page: Any) -> None:
    after_scene(page, lambda: page.click(".hc-controls [data-key=visual]"), "s.edge_modality.every(m => m > 0)")
    assert lab.python("print(inspector.modalities)") == str(list(lab.session.data.modalities[1:]))
    total = int(lab.python("print(inspector.scene.total_edges)"))
    page.focus("input[data-key=delta]")
    after_scene(page, lambda: page.keyboard.press("Home"), "s.delta === 0")
    assert int(lab.python("print(inspector.scene.total_edges)")) > total, "no threshold lets everything in"


def test_play_goes_through_the_slots_and_stops_at_the_last(lab: Lab, page: Any) -> None:
    lab.python("inspector.slot = 0")
    after_scene(page, lambda: None, "s.slot === 0")
    last = len(lab.session.slots.labels) - 1
    after_scene(page, lambda: page.click(".hc-play"), f"s.slot === {last}")
    page.wait_for_selector(".hc-play[aria-label='play the slots']")
    until(lab, "inspector.slot", str(last))
    after_scene(page, lambda: page.click(".hc-play"), "s.slot === 0")  # from the end it begins anew
    assert page.get_attribute(".hc-play", "aria-label") == "pause"
    after_scene(page, lambda: page.click(".hc-play"), "s.slot === 0")
    page.wait_for_selector(".hc-play[aria-label='play the slots']")
    until(lab, "inspector.slot", "0")  # paused where it was


def test_the_keyboard_alone_steps_selects_and_clears(lab: Lab, page: Any) -> None:
    page.focus(".hc-over")
    for key in ("n", "n", "Enter"):
        page.keyboard.press(key)
    page.wait_for_selector(".hctr[data-selected='1']")
    second = page.evaluate(
        "(() => { const s = document.querySelector('.hctr').inspector.state.scene;"
        " return s.nodes[s.degreeOrder[1]]; })()"
    )
    until(lab, "inspector.selection", f"[{second}]")
    page.keyboard.press("Escape")
    page.wait_for_selector(".hctr[data-selected='0']")


def test_tab_reaches_every_control_and_keys_work_them(lab: Lab, page: Any) -> None:
    page.evaluate("document.querySelectorAll('.hctr details').forEach(menu => { menu.open = true; })")
    page.focus("[data-key=auto]")
    reached = []
    for _ in range(60):
        reached.append(
            page.evaluate(
                "(() => { const a = document.activeElement; return !a.closest('.hctr') ? null :"
                " a.dataset.key || a.getAttribute('aria-label') || a.className; })()"
            )
        )
        if reached[-1] is None:
            break
        page.keyboard.press("Tab")
    wanted = [
        *("auto", "panels", "trees", "matrix", "density", "bipartite", "overlap", "difference", "slots"),
        "user",
        "item",
        *("options_menu", "colour_by", "size_by", "neighbours", "min_size", "max_size", "min_degree", "min_modalities"),
        *("save_menu", "png", "svg", "csv", "hif"),
        "slot",
        "play the slots",
        *lab.session.data.modalities,
        "delta",
        "limit",
        "query",
        "lasso",
        "zoom in",
        "fit",
        "selection",
    ]
    assert [name for name in wanted if name not in reached] == []
    assert any(str(name).startswith("Hypergraph.") for name in reached), "the picture itself"

    page.evaluate("document.querySelectorAll('.hctr details').forEach(menu => { menu.open = false; })")
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
    node = page.evaluate(
        "(() => { const s = document.querySelector('.hctr').inspector.state.scene;"
        " return s.nodes[s.degreeOrder[0]]; })()"
    )
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


def test_an_empty_picture_says_why_and_keeps_saying_it(lab: Lab, page: Any) -> None:
    lab.python("inspector.modalities = []")
    after_scene(page, lambda: None, "s.e === 0")
    lab.python("inspector.pair = []; inspector.query = 'user'")  # answers that are no scenes
    page.wait_for_selector(".hc-found li", state="attached")
    assert "No hyperedge has two members" in page.text_content(".hc-banner:not([hidden])")
    lab.python("inspector.modalities = list(session.data.modalities)")
    page.wait_for_selector(".hc-banner", state="hidden")


def test_what_the_slot_lacks_is_told_and_playing_goes_on(lab: Lab, page: Any) -> None:
    lab.python(
        "a, b = (set(inspector.scenes.build(slot=k, limit=10**6, delta=0.5).edges.number.tolist()) for k in (0, 1));"
        "inspector.slot = 0; inspector.selection = inspector.scene.nodes; inspector.focus = ['hyperedge', min(a - b)]"
    )
    after_scene(page, lambda: None, "s.e > 0 && s.around !== '' && s.slot === 0")
    page.click(".hc-play")
    after_scene(page, lambda: None, "s.slot === 1 && s.e === 0")
    assert "not in this slot" in page.text_content(".hc-banner:not([hidden])")
    many = int(lab.python("print(len(inspector.selection))"))
    assert page.text_content("[data-key=away]") == f"{many} of {many} not in this picture"
    page.wait_for_selector(".hc-play[aria-label='play the slots']")  # the last slot ends it


def test_bars_of_the_overlap_answer_the_keyboard(lab: Lab, page: Any) -> None:
    page.click("[data-key=overlap]")
    page.wait_for_selector(".hctr[data-view=overlap]")
    page.focus(".hc-over")
    page.keyboard.press("n")
    page.keyboard.press("n")
    rows = json.loads(lab.python("import json; print(json.dumps(inspector.scenes.stats(inspector.scene)['overlap']))"))
    assert page.text_content(".hc-tip b") == " + ".join(rows[1]["modalities"])
    page.keyboard.press("Enter")
    page.wait_for_selector(".hctr:not([data-selected='0'])")


def test_a_busy_kernel_is_told_after_a_slider_move(lab: Lab, page: Any, tmp_path: Path) -> None:
    page.evaluate("document.querySelector('.hctr').inspector.state.quiet = 200")
    # a sleep that keeps the interpreter's lock: JupyterLab may send what widgets say to a thread beside the busy one
    held = tmp_path / "held"
    code = f"import ctypes; open({str(held)!r}, 'w').close(); ctypes.PyDLL(None).sleep(3)"
    page.evaluate(
        "code => { jupyterapp.shell.currentWidget.sessionContext.session.kernel.requestExecute({ code }); }", code
    )
    deadline = time.monotonic() + 20
    while not held.exists():
        assert time.monotonic() < deadline, "the kernel never began"
        time.sleep(0.01)
    page.focus("input[data-key=delta]")
    page.keyboard.press("Home")
    page.wait_for_selector(".hc-banner:not([hidden]):has-text('does not answer')")
    after_scene(page, lambda: None, "s.delta === 0")
    page.wait_for_selector(".hc-banner", state="hidden")
    page.evaluate("document.querySelector('.hctr').inspector.state.quiet = 9000")


def test_the_number_of_hyperedges_chooses_the_view_until_the_reader_does(lab: Lab, page: Any) -> None:
    assert page.get_attribute(".hctr", "data-view") == "panels" and page.text_content("[data-key=how]") == ""
    after_scene(page, lambda: page.select_option("select[data-key=limit]", "60"), "s.e === 60")
    page.wait_for_selector(".hctr[data-view=matrix]")
    assert (
        page.text_content("[data-key=how]")
        == "60 hyperedges: shown as a matrix; choose Panels to see the largest as regions"
    )
    assert lab.python("print(inspector.view, inspector.shown_view)") == "None matrix"
    page.click(".hc-bar [data-key=panels]")
    page.wait_for_selector(".hctr[data-view=panels]")
    after_scene(page, lambda: page.select_option("select[data-key=limit]", "150"), "s.e === 150")
    assert page.get_attribute(".hctr", "data-view") == "panels", "a view that was chosen stays"
    regions, drawn, spread = page.evaluate(REGIONS)
    assert max(drawn) == regions < 150 / 3 and spread[0] < 0.5 * spread[1], "compact ones are drawn, the others said"
    spare = placed(page)["spare"]
    page.mouse.click(*over(page, (spare["x"] + spare["w"] / 2, spare["y"] + spare["h"] / 2)))
    page.wait_for_selector(".hctr[data-view=overlap]")
    page.click("[data-key=auto]")
    page.wait_for_selector(".hctr[data-view=matrix]")
    until(lab, "inspector.view", "None")


def test_options_colour_size_and_filter(lab: Lab, page: Any) -> None:
    menu(page, "options")
    after_scene(
        page,
        lambda: page.select_option("select[data-key=colour_by]", "true group"),
        "s.colouring?.labels.length > 1 && s.tones.tone.every(k => k >= 0)",
    )
    page.select_option("select[data-key=size_by]", "equal")
    assert page.evaluate("new Set(document.querySelector('.hctr').inspector.state.scene.weight).size") == 1
    sizes = "[...s.edge_offsets].slice(1).map((end, k) => end - s.edge_offsets[k])"
    after_scene(page, lambda: page.fill("input[data-key=max_size]", "4"), f"s.e > 0 && Math.max(...{sizes}) <= 4")
    assert page.text_content("[data-key=options_menu]") == "Options (1)"
    page.click(".hc-bar [data-key=matrix]")
    page.wait_for_selector(".hctr[data-view=matrix]")
    low = placed(page)["bottom"]
    page.evaluate(
        "document.querySelector('.hctr').inspector.state.scene.colouring.labels = Array(12).fill('a long name')"
    )
    page.click("[aria-label=fit]")
    assert low - placed(page)["bottom"] in (19, 38), "names that take two or three rows get them"
    menu(page, "options")
    page.mouse.click(*over(page, (5, 5)))
    page.wait_for_selector("details[data-key=options]:not([open])")
    page.evaluate("document.querySelector('[data-key=size_by]').value = 'degree'")
    page.evaluate("document.querySelector('[data-key=size_by]').dispatchEvent(new Event('change'))")


def test_the_wheel_zooms_panels_and_matrix_where_the_pointer_is(lab: Lab, page: Any) -> None:
    node = page.evaluate(
        "(() => { const s = document.querySelector('.hctr').inspector.state.scene;"
        " return s.nodes[s.degreeOrder[0]]; })()"
    )
    at = "id => document.querySelector('.hctr').inspector.at(id)"
    for view in ("panels", "matrix"):
        page.click(f".hc-bar [data-key={view}]")
        page.wait_for_selector(f".hctr[data-view={view}]")
        before = page.evaluate(at, node)
        page.mouse.move(*over(page, before))
        page.mouse.wheel(0, -300)
        page.wait_for_function(
            "view => document.querySelector('.hctr').inspector.state.cameras[view].k > 1.1", arg=view
        )
        page.wait_for_function(f"([id, y]) => Math.abs(({at})(id)[1] - y) < 2", arg=[node, before[1]])
        if view == "matrix":
            moved, anew = dragged_while_slow(page)
            assert moved.startswith("translate(-30px, 20px)"), "a slow picture is moved as a whole"
            assert anew["after"] == anew["again"] != anew["before"], "and then drawn where it stands"
        page.click("[aria-label=fit]")


def dragged_while_slow(page: Any) -> tuple[str, dict[str, str]]:
    """Drag a picture that takes long to draw: its transform meanwhile, and its pixels before, after and drawn anew."""
    pixels = {"before": page.evaluate(PIXELS)}
    page.evaluate("document.querySelector('.hctr').inspector.state.times.draw = 99")
    page.mouse.move(*over(page, (300, 200)))
    page.mouse.down()
    page.mouse.move(*over(page, (270, 220)), steps=3)
    page.wait_for_function("document.querySelector('.hc-base').style.transform.includes('-30px')")
    moved = page.evaluate("document.querySelector('.hc-base').style.transform")
    page.mouse.up()
    pixels["after"] = page.evaluate(PIXELS)
    page.evaluate("document.querySelector('.hctr').inspector.state.times.draw = 99")
    page.evaluate("document.body.classList.toggle('drawn-anew')")
    page.wait_for_function("document.querySelector('.hctr').inspector.state.times.draw !== 99")
    page.evaluate("document.body.classList.toggle('drawn-anew')")
    return moved, pixels | {"again": page.evaluate(PIXELS)}


def test_a_lasso_selects_what_it_goes_round(lab: Lab, page: Any) -> None:
    page.click(".hc-bar [data-key=trees]")
    page.wait_for_selector(".hctr[data-view=trees]")
    places = placed(page)
    x, y = places["X"]["0"], places["Y"]["0"]
    inside = [k for k in places["X"] if abs(places["X"][k] - x) + abs(places["Y"][k] - y) < 40]
    page.click("[aria-label=lasso]")
    drag(page, (x - 40, y), (x, y - 40), (x + 40, y), (x, y + 40))
    page.wait_for_selector(f".hctr[data-selected='{len(inside)}']")
    until(lab, f"sorted(inspector.selection) == sorted(inspector.scene.nodes[int(k)] for k in {inside})", "True")
    page.click("[aria-label=lasso]")


def test_a_click_goes_into_a_cluster_and_back(lab: Lab, page: Any) -> None:
    lab.python("inspector.limit = 300")
    after_scene(page, lambda: page.click(".hc-bar [data-key=density]"), "s.e === 300")
    page.wait_for_selector(".hctr[data-view=density]")
    places, whole = placed(page), page.evaluate("document.querySelector('.hctr').inspector.state.scene.n")
    assert sum(len(cluster["nodes"]) for cluster in places["list"]) == whole
    largest = max(range(len(places["list"])), key=lambda k: len(places["list"][k]["nodes"]))
    many = len(places["list"][largest]["nodes"])
    page.mouse.click(*over(page, (places["CX"][str(largest)], places["CY"][str(largest)])))
    page.wait_for_function("n => document.querySelector('.hctr').inspector.state.scene.n === n", arg=many)
    assert f"{many:,} users" in page.text_content(".hc-rule")
    page.click("[data-key=part]")
    page.wait_for_function("n => document.querySelector('.hctr').inspector.state.scene.n === n", arg=whole)
