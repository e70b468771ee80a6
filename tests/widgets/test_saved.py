"""What a saved notebook holds of an inspector: which scenes, within what room, and nothing from elsewhere."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hyperctr as hc
from hyperctr.errors import ConfigError, DataError
from hyperctr.widgets.front_end import joined
from hyperctr.widgets.saved import page_part
from tests.widgets.conftest import Trained


def opened(html: str) -> tuple[dict[str, Any], list[list[bytes]]]:
    """What the page holds: its JSON, and the arrays of each scene."""
    data = html.partition('<script type="text/plain">')[2].partition("</script>")[0]
    packed = gzip.decompress(base64.b64decode(data))
    start = 4 + int.from_bytes(packed[:4], "little")
    content: dict[str, Any] = json.loads(packed[4:start])
    arrays = []
    for scene in content["scenes"]:
        ends = np.cumsum(scene["sizes"]).tolist()
        arrays.append(
            [packed[start + end - size : start + end] for size, end in zip(scene["sizes"], ends, strict=True)]
        )
        start += ends[-1]
    assert start == len(packed)
    return content, arrays


def test_a_page_holds_the_scenes_of_all_slots_and_both_sides_as_python_cuts_them(trained: Trained) -> None:
    pair = hc.Session(trained.data, trained.run.config).test_click(0)
    inspector = hc.Inspector(trained.data, trained.run, pair=pair)
    inspector.limit = 12
    assert inspector.focus, "an explained pair is looked at"
    html = page_part(inspector)
    content, arrays = opened(html)
    slots = range(len(inspector.scenes.slots))
    assert [one["slots"] for one in content["scenes"] if one["view"] == "slots"] == [None], "and all slots side by side"
    kept = {(one["side"], one["slot"], bool(one["focus"])) for one in content["scenes"] if not one["view"]}
    both = {(side, slot, False) for side in ("user", "item") for slot in slots}
    assert kept == both | {(inspector.side, slot, True) for slot in slots}
    first = content["scenes"][0]
    assert (first["slot"], first["focus"]) == (inspector.slot, inspector.focus)
    for one, parts in zip(content["scenes"], arrays, strict=True):
        if one["view"]:
            continue
        focus = tuple(one["focus"]) if one["focus"] else None
        scene = inspector.scenes.build(side=one["side"], slot=one["slot"], focus=focus, delta=inspector.delta,
                                       neighbours=inspector.neighbours, limit=12)  # fmt: skip
        assert one["message"]["scene"]["nodes"] == scene.nodes and one["message"]["scene"]["rule"] == scene.rule
        assert np.frombuffer(parts[4], "<i4").tolist() == scene.edges.nodes.tolist()
        assert np.frombuffer(parts[7], "<i4").tolist() == scene.edges.number.tolist()
    assert f"{inspector.score:.4f}" in content["why"] and f"user {pair[0]}" in content["user"]["0"]
    assert content["traits"]["pair"] == inspector.pair and "_esm" not in content["traits"]
    assert joined().removesuffix("export default{render};") in html, "the very front end that JupyterLab runs"
    assert "http" not in html.replace("http://www.w3.org/2000/svg", "") and "import(" not in html
    assert html == page_part(inspector), "the same inspector, the same bytes"


def test_scenes_without_room_are_left_out_and_the_page_says_so(trained: Trained, tmp_path: Path) -> None:
    inspector = hc.Inspector(trained.data, trained.run, slot=1, limit=500)
    whole, arrays = opened(page_part(inspector))
    packed = [
        json.dumps(one["message"]).encode() + b"".join(own) for one, own in zip(whole["scenes"], arrays, strict=True)
    ]
    some, _ = opened(page_part(inspector, room=sum(len(zlib.compress(scene)) * 4 // 3 for scene in packed[:2]) + 9))
    assert [one["slot"] for one in some["scenes"]] == [1, 0] and "Saved here: 2 of 3 slots" in some["note"]
    assert "Saved here" not in whole["note"]
    with pytest.raises(DataError, match=r"takes 0\.\d\d MB of the 0\.00 MB .*limit=.*export_html"):
        page_part(inspector, room=1000)
    name = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"
    hostile = page_part(hc.Inspector({name: [name, "b"], "dogs": ["b", 2**62, 2**62 + 1]}))
    assert "alert(1)" not in hostile
    nodes = opened(hostile)[0]["scenes"][0]["message"]["scene"]["nodes"]
    assert set(nodes) == {name, "b", str(2**62), str(2**62 + 1)}, "and no id is rounded"
    path = inspector.export_html(tmp_path / "picture.html")
    assert opened(path.read_text(encoding="utf-8"))[0]["scenes"] == whole["scenes"]
    with pytest.raises(ConfigError, match=r"picture\.pdf: an inspector is written as \.html"):
        inspector.export_html(tmp_path / "picture.pdf")
