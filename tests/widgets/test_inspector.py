"""The widget without a browser: traits, messages, state, the static twin."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import traitlets

import hyperctr as hc
from hyperctr.errors import ConfigError, DataWarning, HyperCTRError
from hyperctr.widgets import inspector as module
from hyperctr.widgets.lookup import find, known_ids
from hyperctr.widgets.panels import numbers_panel, user_panel
from tests.widgets.conftest import Trained

PACKAGE = Path(module.__file__).parent
Sent = list[tuple[dict[str, Any], list[Any]]]
# a trait of each type, a value it cannot have, and what it can
REFUSED: dict[str, tuple[Any, str]] = {
    "side": ("users", "'user' or 'item'"),
    "swap": (2.5, "True or False"),
    "limit": (0, "a whole number from 1 up"),
    "neighbours": (1.5, "a whole number from 0 up"),
    "delta": (1.5, "a number from 0 to 1"),
    "compare_delta": (-1, "a number from 0 to 1, or None,"),
    "explained_delta": (float("nan"), "a number from 0 to 1, or None,"),
    "selection": (np.arange(2), "a list"),
    "query": (5, "a text"),
    "modalities": ([3], "a list of names"),
    "slots": ([1], "None or [first, last]"),
    "focus": ([1], "None, ['node', id] or ['hyperedge', number]"),
    "pair": ([1, 2, 3, 4], "[user, item] or [user, item, time]"),
    "removed_clicks": ([[1]], "a list of [item, time]"),
}


@pytest.fixture(scope="module")
def study() -> Any:
    return hc.Session("planted", budget="smoke")


@pytest.fixture
def seen(study: Any, monkeypatch: pytest.MonkeyPatch) -> tuple[hc.Inspector, Sent]:
    """An inspector that believes in a browser, and what it sends there."""
    monkeypatch.setattr(module, "live", lambda: True)
    inspector = hc.Inspector(study.data, delta=0.4, limit=9)
    sent: Sent = []
    inspector.send = lambda content, buffers=None: sent.append((content, buffers or []))
    return inspector, sent


def last(sent: Sent, kind: str) -> tuple[dict[str, Any], list[Any]]:
    return [message for message in sent if message[0]["type"] == kind][-1]


def away(inspector: hc.Inspector) -> list[Any]:
    """Nodes that are not in the picture."""
    return [user for user in inspector.scenes.data.users.tolist() if user not in inspector.scene.nodes]


def test_a_scene_travels_as_header_and_buffers(seen: tuple[hc.Inspector, Sent]) -> None:
    inspector, sent = seen
    inspector._receive(inspector, {"type": "hello"}, [])
    message, buffers = last(sent, "scene")
    json.dumps(message, allow_nan=False)
    offsets = np.frombuffer(buffers[3], "<i4")
    nodes = np.frombuffer(buffers[4], "<i4")
    assert len(offsets) == 10 and len(nodes) == offsets[-1]
    first = [message["scene"]["nodes"][place] for place in nodes[: offsets[1]]]
    assert first == inspector.scene.members(0)
    assert message["stats"]["hyperedges"] == inspector.scene.total_edges


def test_outside_notebooks_an_inspector_is_a_line(seen: tuple[hc.Inspector, Sent]) -> None:
    assert repr(seen[0]) == "Inspector(2 slots; visual, acoustic, textual)"


def test_a_trait_set_anywhere_sends_one_scene(seen: tuple[hc.Inspector, Sent]) -> None:
    inspector, sent = seen
    inspector._receive(inspector, {"type": "hello"}, [])
    sent.clear()
    inspector.set_state({"slot": 1, "delta": 0.3, "limit": 4})  # as one message of the browser brings them
    scenes = [message for message, _ in sent if message["type"] == "scene"]
    assert [(message["scene"]["slot"], message["scene"]["delta"]) for message in scenes] == [(1, 0.3)]
    inspector.side = "item"
    assert last(sent, "scene")[0]["scene"]["node_kind"] == "item"


def test_a_message_works_out_its_hypergraph_once(seen: tuple[hc.Inspector, Sent]) -> None:
    inspector, sent = seen
    inspector._receive(inspector, {"type": "hello"}, [])
    selected, cached = inspector.scenes._whole, inspector.scenes._pair
    before = selected.cache_info().misses, cached.cache_info().misses
    inspector.delta = 0.37
    inspector.query = "user"
    assert (selected.cache_info().misses, cached.cache_info().misses) == (before[0] + 1, before[1] + 1)
    assert last(sent, "scene")[0]["stats"]["hyperedges"] == inspector.scene.total_edges


def test_the_selection_drives_the_table_and_the_timeline(seen: tuple[hc.Inspector, Sent]) -> None:
    inspector, sent = seen
    ids = inspector.scene.nodes[:3]
    inspector.selection = list(np.array(ids))
    assert inspector.selection == ids and all(type(name) is int for name in inspector.selection)
    assert last(sent, "table")[0]["ids"] == ids
    assert f"user {ids[0]}" in last(sent, "user")[0]["html"]
    inspector.side = "item"
    assert inspector.selection == [], "users are not items"


def test_the_difference_names_what_only_one_scene_has(seen: tuple[hc.Inspector, Sent]) -> None:
    inspector, sent = seen
    inspector.set_state({"view": "difference", "slot": 1, "compare_slot": 0})
    message, buffers = last(sent, "scene")
    here, there = (set(inspector.scenes.build(slot=slot, delta=0.4, limit=10**6).edge_keys()) for slot in (1, 0))
    assert message["difference"][:3] == [len(here - there), len(there - here), len(here & there)]
    marks = np.frombuffer(buffers[-1], np.uint8).tolist()
    wanted = [1 if key not in there else 2 if key not in here else 0 for key in inspector.scene.edge_keys()]
    assert marks == wanted and {*marks} == {0, 1, 2}, "what only the other has is in the picture too"
    figure = inspector.figure()
    assert figure.layout.meta["view"] == "difference"
    assert figure.layout.meta["edge_number"] == inspector.scene.edges.number.tolist()


def test_several_slots_are_shown_together_and_side_by_side(seen: tuple[hc.Inspector, Sent]) -> None:
    inspector, sent = seen
    single = [inspector.scenes.build(slot=slot, delta=0.4, limit=10**6) for slot in (0, 1)]
    together: dict[Any, set[Any]] = {}
    for scene in single:
        for edge, key in enumerate(scene.edge_keys()):
            together[key] = together.get(key, set()) | {*scene.members(edge)}
    inspector.set_state({"slot": 1, "slots": [0, 1], "limit": 10**6})
    scene = inspector.scene
    assert {key: {*scene.members(edge)} for edge, key in enumerate(scene.edge_keys())} == together
    assert scene.slot_label == "2018-01 to 2018-12" and "hyperedges of 2018-01 to 2018-12:" in scene.rule
    inspector.set_state({"view": "slots", "limit": 7})
    message, buffers = last(sent, "scene")
    part = np.frombuffer(buffers[-1], np.uint8)
    assert [panel["total"] for panel in message["scene"]["panels"]] == list(map(len, single))
    scene, picked = inspector.scene, [inspector.scenes.build(slot=slot, delta=0.4, limit=7) for slot in (0, 1)]
    for at, alone in enumerate(picked):
        shown = {scene.edge_keys()[edge]: {*scene.members(edge)} for edge in np.flatnonzero(part == at)}
        assert shown == {key: {*alone.members(edge)} for edge, key in enumerate(alone.edge_keys())}
    assert np.ptp(scene.panel_places, axis=0).max() == 0, "one place, whatever the modality"
    meta = inspector.figure().layout.meta
    assert (meta["view"], meta["part"]) == ("slots", part.tolist())
    inspector.slot = 0
    assert inspector.slots is None, "a slot that is set is shown"
    with pytest.raises(hc.ConfigError, match=r"slots=\[1, 0\]: \[first, last\] within 0 to 1 is needed"):
        inspector.slots = [1, 0]


def test_what_cannot_be_is_refused_and_told(seen: tuple[hc.Inspector, Sent]) -> None:
    inspector, sent = seen
    with pytest.raises(traitlets.TraitError, match="slot 99: slots are 0 to 1"):
        inspector.slot = 99
    with pytest.raises(traitlets.TraitError, match="modality 'smell'"):
        inspector.modalities = ["smell"]
    with pytest.raises(traitlets.TraitError, match="at most 5,000"):
        inspector.selection = list(range(5001))
    before = {name: getattr(inspector, name) for name in REFUSED}
    for name, (value, needed) in REFUSED.items():
        with pytest.raises(hc.ConfigError, match=re.escape(f"{name}={value!r}: {needed} is needed")) as refused:
            setattr(inspector, name, value)
        assert isinstance(refused.value, traitlets.TraitError), "traitlets takes back what was set with it"
    assert {name: getattr(inspector, name) for name in REFUSED} == before
    inspector.focus = ["hyperedge", 10**6]
    assert "1000000" in last(sent, "error")[0]["text"]
    inspector.pair = ["1", "1"]
    assert "pass a run" in last(sent, "why")[0]["html"]


def test_a_pair_and_a_selection_can_be_given_at_once(trained: Trained) -> None:
    data = trained.data
    user, item = data.users[0].item(), data.items[0].item()
    inspector = hc.Inspector(data, trained.run, pair=[user, item], side="item", selection=[item])
    assert inspector.score == trained.scenes.explainer.explain(user, item)["score"] and inspector.selection == [item]
    assert len(inspector.contributions()) == len(inspector.why()["contributions"])
    with pytest.raises(hc.ConfigError, match=r"'slott': did you mean 'slot'\?"):
        hc.Inspector(data, slott=1)
    with pytest.raises(hc.ConfigError, match=r"'interest_threshold': it is 'delta' here"):
        hc.Inspector(data, interest_threshold=0.4)
    with pytest.raises(traitlets.TraitError, match="the nodes are users"):
        hc.Inspector(data, selection=["nobody"])


def test_a_selection_that_cannot_be_is_not_kept(seen: tuple[hc.Inspector, Sent]) -> None:
    inspector, _ = seen
    inspector.selection = kept = inspector.scene.nodes[:2]
    with pytest.raises(traitlets.TraitError, match="the nodes are users"):
        inspector.selection = [10**6]
    assert inspector.selection == kept and len(inspector.table()) == 2


def test_a_focus_that_the_slot_lacks_is_an_empty_scene_that_says_so(seen: tuple[hc.Inspector, Sent]) -> None:
    inspector, sent = seen
    first, second = (inspector.scenes.build(slot=slot, delta=0.4, limit=10**6) for slot in (0, 1))
    gone = {
        "hyperedge": next(n for n in first.edges.number.tolist() if n not in set(second.edges.number.tolist())),
        "node": next(n for n in first.nodes if n not in set(second.nodes)),
    }
    for kind, name in gone.items():
        inspector.slot, inspector.focus = 0, [kind, name]
        around = inspector.scene.around
        assert len(inspector.scene) and f"around {around}:" in inspector.scene.rule and str(name) != around
        inspector.slot = 1
        assert last(sent, "scene")[0]["scene"]["nodes"] == []
        assert inspector.scene.rule.startswith(around) and "not in this slot" in inspector.scene.rule
        inspector.selection = first.nodes[:1]
        assert [row["id"] for row in inspector.table()] == first.nodes[:1]


def test_another_side_or_other_roles_clear_the_focus(seen: tuple[hc.Inspector, Sent]) -> None:
    inspector, _ = seen
    for name, value in (("side", "item"), ("swap", True)):
        inspector.focus = ["node", inspector.scene.nodes[0]]
        setattr(inspector, name, value)
        assert inspector.focus is None
    inspector.set_state({"side": "user", "swap": False, "focus": ["node", inspector.scenes.data.users[0].item()]})
    assert inspector.focus is not None, "it was set together with the side"


def test_the_first_slot_differs_from_the_second(seen: tuple[hc.Inspector, Sent]) -> None:
    inspector, _ = seen
    compared = inspector.contrast()
    assert (compared.here.slot, compared.there.slot) == (0, 1) and compared.counts["only_a"] > 0


def test_an_id_typed_in_a_browser_is_the_data_sets_own(study: Any, seen: tuple[hc.Inspector, Sent]) -> None:
    user = study.data.users[3]
    assert known_ids([str(user)], "user", seen[0].scenes) == [user]
    asked = seen[0].scenes, seen[0].scene.query
    row = find(*asked, str(user))[0]
    assert (row["kind"], row["id"], row["focus"]) == ("user", user, ["node", user])
    label, number = seen[0].scene.edge_labels[0], int(seen[0].scene.edges.number[0])
    rows = find(*asked, str(label))
    assert next(row["focus"] for row in rows if row["id"] == label) == ["hyperedge", number]


def test_the_saved_state_is_small_even_with_much_selected(study: Any, seen: tuple[hc.Inspector, Sent]) -> None:
    inspector, _ = seen
    inspector.limit = 10**6
    inspector.selection = inspector.scene.nodes
    state = json.dumps(inspector.get_state())
    assert len(state) < 100_000


def test_a_batch_run_stores_a_page_part_and_no_widget(study: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYPERCTR_BATCH", "1")
    inspector = hc.Inspector(study.data, delta=0.4, limit=7)
    shown = inspector._repr_mimebundle_()
    assert {*shown} == {"text/html", "text/plain"} and 'class="hctr-saved"' in shown["text/html"]
    drawn = inspector.figure().layout.meta["edge_number"]
    assert list(drawn) == inspector.scene.edges.number.tolist(), "the still twin"
    assert inspector.comm is None, "no widget state is stored"


def test_a_live_front_end_gets_a_page_part_behind_the_widget_after_the_first_picture(
    seen: tuple[hc.Inspector, Sent], monkeypatch: pytest.MonkeyPatch
) -> None:
    inspector, sent = seen
    shown: list[dict[str, Any]] = []
    kept: list[str] = []

    class Handle:
        def update(self, data: dict[str, str], **_: Any) -> None:
            assert last(sent, "scene")[0]["scene"]["side"] == inspector.side, "nobody waits for it"
            kept.append(data["text/html"])

    monkeypatch.setattr(
        "IPython.display.display", lambda data, display_id=None, **_: shown.append(data) or (display_id and Handle())
    )
    monkeypatch.setattr("hyperctr.widgets.saving.live", lambda: True)
    inspector._ipython_display_()
    assert [[*data] for data in shown] == [["application/vnd.jupyter.widget-view+json"], ["text/html", "text/plain"]]
    assert shown[1]["text/html"] == "" and kept == []
    inspector._receive(inspector, {"type": "hello"}, [])
    inspector.slot = 1
    assert len(kept) == 1, "once, not with each change"
    inspector.side = "item"
    assert len(kept) == 2, "and once more for a side that was not looked at before"


def test_files_of_the_selection(study: Any, seen: tuple[hc.Inspector, Sent], tmp_path: Path) -> None:
    inspector, sent = seen
    inspector.selection = inspector.scene.members(0)
    inspector._receive(inspector, {"type": "export", "kind": "csv"}, [])
    message = last(sent, "file")[0]
    assert message["text"] == inspector.export_selection(tmp_path / "a.csv").read_text()
    inspector.selection = [inspector.scene.nodes[0], *(gone := away(inspector)[:2])]
    with pytest.warns(DataWarning, match="2 of 3 selected users"):
        lines = inspector.export_selection(tmp_path / "a.csv").read_text().splitlines()
    assert len(lines) == 2 and lines[1].startswith(f"{inspector.scene.nodes[0]},")
    inspector._receive(inspector, {"type": "export", "kind": "hif"}, [])
    assert "2 of 3" in last(sent, "error")[0]["text"]
    inspector.selection = gone
    with pytest.raises(hc.DataError, match="all of 2 selected users"):
        inspector.export_selection(tmp_path / "a.csv")
    with pytest.raises(hc.ConfigError, match=r"\.csv or as \.json"):
        inspector.export_selection(tmp_path / "a.xlsx")


def test_the_table_shows_features_and_says_what_is_absent(study: Any, seen: tuple[hc.Inspector, Sent]) -> None:
    inspector, sent = seen
    inspector.side, inspector.limit = "item", 10**6
    table = study.data.features["visual"]
    known = {item: bool(table.present[study.data.items_to_index([item])[0]]) for item in inspector.scene.nodes}
    absent = next(item for item, present in known.items() if not present)
    present = next(item for item, present in known.items() if present)
    inspector.selection = [absent, present]
    html = last(sent, "table")[0]["html"]
    values = table.values[study.data.items_to_index([present])[0]]
    assert html.count("no visual features") == 1
    assert f"visual: norm {np.linalg.norm(values):.2f}, first values {values[0]:.2f} {values[1]:.2f}" in html
    frame = inspector.selected()
    assert frame["visual"][0] is None and np.isnan(frame["visual norm"][0])
    np.testing.assert_allclose(frame["visual"][1], values[:3], atol=5.1e-4)


def test_panels_survive_what_is_unknown() -> None:
    colours = {"visual": "#0072B2", "acoustic": "#D55E00"}
    rows = [{"slot": 0, "label": "a", "clicks": 0, "interest": dict.fromkeys(colours)}]
    assert "unknown" in user_panel(1, rows, 0, colours)
    stats = {"modalities": [], "hyperedges": 0, "mean_size": None, "nodes": 0, "nearest_run": None, "overlap": []}
    assert "no AUC" in numbers_panel(stats, [0, 0, 0, 0], "user", colours)


def test_without_anywidget_the_error_names_the_extra() -> None:
    code = (
        "import sys; sys.modules['anywidget'] = None\nimport hyperctr as hc\n"
        "try:\n    hc.Inspector\nexcept ImportError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=PACKAGE.parents[1])
    assert "pip install 'hyperctr[report,notebook]'" in done.stdout, done.stderr


def test_a_pair_is_explained_when_it_was_clicked_and_shown_there(trained: Trained) -> None:
    data, scenes = trained.data, trained.scenes
    slots, explained = scenes.split_data.slots, 0
    for row in scenes.split_data.split.test[:40]:
        user, item = data.users[data.user_index[row]].item(), data.items[data.item_index[row]].item()
        inspector = hc.Inspector(data, trained.run)
        inspector.pair = [user, item]
        answer = inspector.why()
        own = data.timestamp[(data.user_index == data.user_index[row]) & (data.item_index == data.item_index[row])]
        assert answer is not None and answer["timestamp"] == own.max() and "when it was clicked" in answer["moment"]
        assert inspector.score == pytest.approx(trained.run.predict([user], [item], [int(own.max())])[0], abs=3e-7)
        parts = [part for part in answer["contributions"] if part["side"] == inspector.side]
        if parts:
            explained += 1
            assert inspector.slot == parts[0]["slot"] <= slots.of([own.max()])[0]
            assert inspector.focus == ["node", user if inspector.side == "user" else item]
            shown = inspector.scene.edges.number.tolist()
            assert len(shown) == min(len(parts), inspector.limit) and {*shown} <= {part["number"] for part in parts}
    assert explained > 20


def test_a_pair_without_a_click_is_explained_at_the_end_of_the_slot_shown(trained: Trained) -> None:
    data, slots = trained.data, trained.scenes.split_data.slots
    seen = set(data.item_index[data.user_index == 0].tolist())
    other = next(index for index in range(data.num_items) if index not in seen)
    inspector = hc.Inspector(data, trained.run, slot=0)
    inspector.pair = [data.users[0].item(), data.items[other].item()]
    times = []
    for slot in (1, 0):
        inspector.slot = slot
        answer = inspector.why()
        assert answer is not None and slots.labels[slot] in answer["moment"]
        times.append(answer["timestamp"])
    assert times == [min(int(slots.edges[slot + 1]) - 1, int(data.timestamp.max())) for slot in (1, 0)]
    inspector.pair = [*inspector.pair[:2], times[0]]
    answer = inspector.why()
    assert answer is not None and answer["timestamp"] == times[0] and "as asked" in answer["moment"]
    for wrong in ("noon", 1.9, float("inf"), 1_500_000_000_000, 2**70):
        with pytest.raises(hc.ConfigError, match=re.escape(f"the time {wrong!r} must be a whole number")):
            inspector.pair = [*inspector.pair[:2], wrong]


def test_showing_an_explanation_does_not_change_the_question(trained: Trained) -> None:
    """A user inactive in the slot shown is explained by an earlier one, which is shown; the time stays."""
    data, split_data = trained.data, trained.scenes.split_data
    slots, last = split_data.slots, split_data.slots.count - 1
    train = split_data.split.train
    active = np.zeros((data.num_users, slots.count), bool)
    active[data.user_index[train], slots.index[train]] = True
    moved = 0
    for user in np.flatnonzero(~active[:, last])[:20]:
        unseen = np.setdiff1d(np.arange(data.num_items), data.item_index[data.user_index == user])
        inspector = hc.Inspector(data, trained.run, side="user", slot=last)
        inspector.pair = [data.users[user].item(), data.items[unseen[0]].item()]
        answer = inspector.why()
        assert answer is not None and slots.labels[last] in answer["moment"]
        moved += inspector.slot < last
    assert moved


def test_what_changes_a_score_are_traits(trained: Trained) -> None:
    data, explainer = trained.data, trained.scenes.explainer
    first, second = (session_click(trained, number) for number in (0, 5))
    inspector = hc.Inspector(data, trained.run, pair=first)
    clicks = inspector.history()[["item", "timestamp"]].values.tolist()[:2]
    inspector.removed_clicks = clicks
    assert inspector.score == explainer.explain(*first, removed_clicks=clicks)["new_score"] != inspector.why()["score"]
    inspector.explained_delta, inspector.explained_neighbours = 0.2, 3
    asked = {"removed_clicks": clicks, "delta": 0.2, "neighbours": 3}
    assert inspector.score == explainer.explain(*first, **asked)["new_score"]
    assert inspector.sources()["value"].sum() == pytest.approx(inspector.score, abs=1e-9)
    inspector.pair = second
    assert inspector.removed_clicks == [] and inspector.explained_delta == 0.2, "clicks are of the user before"
    with pytest.raises(hc.ConfigError, match="explained_delta=1.5: a number from 0 to 1, or None, is needed"):
        inspector.explained_delta = 1.5
    with pytest.raises(hc.ConfigError, match="no such training click"):
        inspector.removed_clicks = [[clicks[0][0], 5]]


def session_click(trained: Trained, number: int) -> list[Any]:
    session = hc.Session(trained.data, trained.run.config)
    user, item, time = session.test_click(number)
    return [user.item(), item.item(), time]


def test_what_cannot_be_explained_is_taken_back(trained: Trained) -> None:
    first, second = (session_click(trained, number) for number in (0, 1))
    inspector = hc.Inspector(trained.data, trained.run, pair=first)
    kept = inspector.why()
    for name, wrong in (("removed", ["h"]), ("removed_clicks", [[first[1], 5]]), ("pair", ["nobody", first[1]])):
        before = getattr(inspector, name)
        with pytest.raises(HyperCTRError):
            setattr(inspector, name, wrong)
        assert getattr(inspector, name) == before and inspector.why() == kept
    inspector.explained_delta = 0.2  # and what can be is not hindered
    assert inspector.score != kept["score"]
    shown = hc.figures.waterfall(inspector.why()).chart.layout.title.subtitle.text
    assert "before what is changed" in shown.replace("<br>", " "), "the rank is that of the score as it is"
    key = inspector.why()["contributions"][0]["key"] if inspector.why()["contributions"] else ""
    inspector.removed = [key] if key else []
    inspector.pair = second
    assert inspector.removed == [], "hyperedges are of the pair before"
    with pytest.raises(ConfigError, match="no pair is explained"):
        hc.figures.waterfall(hc.Inspector(trained.data, trained.run).why())
    with pytest.raises(ConfigError, match="the run is a str"):
        hc.Inspector(trained.data, "0123")


def test_the_view_is_chosen_by_size_until_it_is_set_and_old_names_warn(seen: tuple[hc.Inspector, Sent]) -> None:
    inspector, _ = seen
    assert (inspector.view, inspector.shown_view) == (None, "panels")
    inspector.limit = 10**6
    assert 40 < len(inspector.scene) <= 3000 and inspector.shown_view == "matrix"
    assert inspector.figure().layout.meta["view"] == "matrix"
    inspector.view = "panels"
    assert inspector.shown_view == "panels"
    with pytest.warns(FutureWarning, match="'outlines' is called 'trees' now"):
        inspector.view = "outlines"
    assert inspector.view == "trees"
    with pytest.warns(FutureWarning, match="'incidence' is called 'matrix' now"):
        assert inspector.figure("incidence").layout.meta["view"] == "matrix"
    with pytest.raises(traitlets.TraitError, match="did you mean 'density'"):
        inspector.view = "densty"


def test_python_says_what_it_is_at_before_it_computes(seen: tuple[hc.Inspector, Sent]) -> None:
    inspector, sent = seen
    inspector._receive(inspector, {"type": "hello"}, [])
    kinds = [message["type"] for message, _ in sent]
    assert kinds.index("working") < kinds.index("scene")
    assert "users and" in next(message["text"] for message, _ in sent if message["type"] == "working")
    for took, words in ((0.0, ["scene"]), (9.0, ["working", "scene"])):  # seconds of the scene before
        del sent[:]
        inspector._took = took
        inspector.delta = 0.43 + took / 1000
        assert [message["type"] for message, _ in sent] == words, "nothing that did not change"
