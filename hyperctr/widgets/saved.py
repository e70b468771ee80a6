"""An inspector where no Python runs: a part of a page that holds scenes, and the front end that draws them.

A saved notebook, a report and a file to mail show the very modules that JupyterLab runs (``inspector/``), joined with a
stand-in for Python (``inspector/saved/``) that answers from these scenes. Nothing is fetched. Where scripts are taken
out, as on GitHub, a sentence remains.
"""

from __future__ import annotations

import base64
import gzip
import json
import time
import zlib
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hyperctr.errors import ConfigError, DataError, counted
from hyperctr.runtime import write_atomic
from hyperctr.widgets.contrast import Contrast
from hyperctr.widgets.front_end import HERE, joined, stylesheet
from hyperctr.widgets.lookup import exact
from hyperctr.widgets.messages import scene_message, user_message
from hyperctr.widgets.multiples import Multiples, multiples
from hyperctr.widgets.panels import explanation_panel, render
from hyperctr.widgets.scene import Query, Scene

if TYPE_CHECKING:
    from hyperctr.widgets.inspector import Inspector

ROOM = 1_000_000  # bytes of scenes in a notebook or a report, as they stand in the page
FILE_ROOM = 20_000_000  # in a file by itself
SEVERAL = ("difference", "slots")  # views that show more than one scene
OF_WIDGETS = ("layout", "tabbable", "tooltip")  # traits that any widget has
NOWHERE = (
    "An interactive hypergraph is saved here. It shows where scripts may run: in JupyterLab once the notebook is "
    "trusted (Trust Notebook), or, for a notebook on the web, at nbviewer.org."
)
FREE = "Slots, views, groups, hover, selection and Find work without Python; all else takes a running kernel."


def page_part(
    inspector: Inspector, *, sides: Sequence[str] = ("user", "item"), room: int = ROOM, seconds: float | None = None
) -> str:
    """Return HTML that shows an inspector as it is now, with as many of its scenes as there is room for.

    First comes the scene shown, then those of other slots, the nearest first, with and without the focus, then those of
    the other side.

    Args:
        inspector: what to show.
        sides: those whose scenes are kept; the one shown is in any case.
        room: most bytes that the scenes take.
        seconds: how long to go on cutting further scenes; None: as long as it takes.

    Raises:
        DataError: not even the scene shown has room.

    >>> import hyperctr as hc
    >>> inspector = hc.Inspector({"cats": ["ann", "bob"], "dogs": ["bob", "cid", "dan"]})
    >>> html = page_part(inspector)
    >>> "render" in html, "http://" in html.replace("http://www.w3.org/2000/svg", "")
    (True, False)
    """
    kept, buffers = _kept(inspector, sides, room, seconds)
    traits = inspector.get_state()
    traits = {name: traits[name] for name in traits if not name.startswith("_") and name not in OF_WIDGETS}
    content: dict[str, Any] = {"traits": {**traits, "query": ""}, "scenes": kept, "note": _note(inspector, kept)}
    content["user"] = _users(inspector)
    why = inspector.why()
    content["why"] = explanation_panel(why, inspector._colours) if why else ""
    text = json.dumps(content, separators=(",", ":"), allow_nan=False).encode()
    packed = gzip.compress(len(text).to_bytes(4, "little") + text + b"".join(buffers), mtime=0)
    data = base64.b64encode(packed).decode()
    return render("saved", data=data, styles=_styles(), script=_script(), sentence=NOWHERE)


def write_page(inspector: Inspector, path: str | Path) -> Path:
    """Write :func:`page_part` as a page by itself, whole or not at all.

    Raises:
        ConfigError: another ending than ``.html``.
        DataError: the picture is too large.
    """
    if Path(path).suffix != ".html":
        raise ConfigError(f"{path}: an inspector is written as .html")
    part = page_part(inspector, room=FILE_ROOM)
    write_atomic(path, render("saved_page", part=part, title=_title(inspector)))
    return Path(path)


def _kept(
    inspector: Inspector, sides: Sequence[str], room: int, seconds: float | None
) -> tuple[list[dict[str, Any]], list[bytes]]:
    """Return what is told of each scene kept, and all their arrays in that order."""
    kept: list[dict[str, Any]] = []
    arrays: list[bytes] = []
    size, begin = 0, time.monotonic()
    for query, view in _wanted(inspector, sides):
        if kept and seconds is not None and time.monotonic() - begin > seconds:
            break
        message, buffers = scene_message(inspector.scenes, _shown(inspector, query, view), inspector._colours)
        own = [bytes(part) for part in buffers]
        asked = {name: getattr(query, name) for name in ("side", "slot", "slots", "modalities", "focus")}
        scene = exact({**asked, "view": view, "message": message, "sizes": [len(part) for part in own]})
        cost = len(zlib.compress(json.dumps(scene["message"]).encode() + b"".join(own))) * 4 // 3
        if size + cost > room:
            continue
        size += cost
        kept.append(scene)
        arrays += own
    if not kept:
        raise DataError(
            f"the picture alone takes {size / 1e6:.2f} MB of the {room / 1e6:.2f} MB that a saved inspector may take: "
            "show fewer hyperedges (limit=...), or write it as a file (inspector.export_html)"
        )
    return kept, arrays


def _wanted(inspector: Inspector, sides: Sequence[str]) -> list[tuple[Query, str]]:
    """What to keep, the most wanted first, each once, with the name of the view where that has a scene of its own."""
    asked = inspector._asked()
    near = sorted(range(len(inspector.scenes.slots)), key=lambda slot: (abs(slot - asked.slot), slot))
    one = replace(asked, slots=None)
    wanted = [(asked, inspector.view if inspector.view in SEVERAL else "")]
    wanted += [(replace(one, slot=slot, focus=focus), "") for slot in near for focus in (asked.focus, None)]
    wanted += [(replace(one, focus=None), "slots")] if len(near) > 1 else []
    for side in sides:
        wanted += [(replace(one, side=side, slot=slot, focus=None), "") for slot in near]  # type: ignore[arg-type]
    return list(dict.fromkeys(wanted))


def _shown(inspector: Inspector, query: Query, view: str) -> Scene | Contrast | Multiples:
    if view == "slots":
        return multiples(inspector.scenes, query)
    return inspector.contrast() if view == "difference" else inspector.scenes.scene(query)


def _users(inspector: Inspector) -> dict[int, str]:
    """The panel of the user whose timeline is shown, by the slot that is marked in it; empty where there is none."""
    user, slots = inspector.user_shown(), range(len(inspector.scenes.slots))
    if user is None:
        return {}
    return {slot: user_message(inspector.scenes, user, slot, inspector._colours)["html"] for slot in slots}


def _note(inspector: Inspector, kept: Sequence[dict[str, Any]]) -> str:
    """What a reader of the page should know of what works in it."""
    slots, count = {one["slot"] for one in kept if one["side"] == inspector.side}, len(inspector.scenes.slots)
    left = "" if len(slots) == count else f" Saved here: {len(slots)} of {counted(count, 'slot')}."
    return FREE + left


def _title(inspector: Inspector) -> str:
    """What a page is called: which hypergraphs, of when."""
    scenes = inspector.scenes
    when = scenes.when(0, len(scenes.slots) - 1)
    named = "" if when == "hypergraph" else f", {when}"  # the one name that nobody gave
    return f"Hypergraph over {inspector.node_kind}s{named}"


@cache
def _script() -> str:
    script = joined(HERE / "saved" / "page.js")
    assert "</script" not in script
    return script


@cache
def _styles() -> str:
    return stylesheet() + stylesheet(HERE / "saved" / "saved.css")
