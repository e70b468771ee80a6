"""What the inspector tells a live browser: one function a message, each a JSON content and, for a scene, buffers."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hyperctr.display.colours import MODALITY_COLOURS, TINTS, tint
from hyperctr.widgets.contrast import NAMES, Contrast
from hyperctr.widgets.export import save_selection
from hyperctr.widgets.multiples import Multiples
from hyperctr.widgets.panels import numbers_panel, user_panel
from hyperctr.widgets.scene import Scene
from hyperctr.widgets.views import AUTOMATIC

if TYPE_CHECKING:
    from hyperctr.widgets.scene import Query
    from hyperctr.widgets.scene_source import SceneSource

Message = dict[str, Any]
LISTED = 200  # rows of the table of selected things; the widget says how many there are
FRONT_ENDS = ("JPY_SESSION_NAME", "VSCODE_PID", "VSCODE_CWD", "COLAB_RELEASE_TAG")  # set by those that show widgets
FILES = {"csv": ("selection.csv", "text/csv"), "hif": ("selection.json", "application/json")}
WORDS = {  # what the picture itself says, by view and occasion
    "hint": "Drag moves, wheel zooms, shift-drag selects; double click focuses.",
    "matrix": "Rows are nodes, columns hyperedges. Drag moves, wheel zooms, shift-drag selects; double click focuses.",
    "density": "Discs are clusters, lines what they share. A click goes into a cluster, shift-click selects it.",
    "auto_view": "Let the number of hyperedges choose",
    "panels_view": "Regions, a panel for each modality",
    "trees_view": "All modalities in one picture, hyperedges along the tree of their members",
    "matrix_view": "Rows are nodes, columns hyperedges",
    "density_view": "Clusters of nodes, for thousands",
    "bipartite_view": "Nodes and hyperedges in two columns",
    "overlap_view": "Which modalities have pairs in common",
    "difference_view": "What two slots or thresholds do not share",
    "slots_view": "Several slots side by side: all, or those chosen on the timeline",
    "slots": "A drag over the timeline chooses slots; a click beside nodes and hyperedges goes to a slot.",
    "overlap": "Click a bar to select the nodes behind it.",
    "overlap_head": "pairs that lie on a hyperedge in exactly these modalities",
    "overlap_bars": "pale: the whole hypergraph; full: the hyperedges shown; outlined: selected",
    "overlap_inset": "pairs in exactly these modalities, pale those not shown",
    "partly": "of large hyperedges that stand together; point at a node to see all of its own",
    "lines": "hyperedges has its lines; point at a node to see all of its own",
    "regions": "choose Panels to see the largest as regions",
    "difference": "Filled: only here. Hollow: only there. Grey: in both.",
    "keys": "Hypergraph. N and P step through nodes or bars, E and R through hyperedges, Enter selects, F focuses, "
    "arrows move, + and - zoom, 0 fits, Escape clears. On the timeline, arrows go to a slot; with Shift they choose "
    "several.",
    "min_size": "Members, at least",
    "max_size": "Members, at most",
    "min_degree": "Hyperedges of a node, at least",
    "min_modalities": "Modalities of a hyperedge's label, at least",
    "swap": "Nodes become hyperedges and hyperedges nodes",
    "lasso": "Lasso: drag round what to select (or hold Shift)",
    "timeline": "click for one slot, drag for several",
    "one_slot": "Back to one slot (Escape)",
    "everything": "Show everything again",
    "clusters": "Back to all clusters",
    "png": "Save this picture as an image",
    "svg": "Save this picture as lines, for a paper",
    "csv": "Save the selection",
    "hif": "Save the selection as a HIF hypergraph",
    "lost": "The kernel does not answer, so the picture stays as it is. It may be busy with other cells; if it was "
    "restarted or shut down, run this cell again.",
    "empty": "No hyperedge has two members here: lower \N{GREEK SMALL LETTER DELTA}, choose another slot or switch "
    "more modalities on.",
}
OWN_WORDS = {"empty": "There is no hyperedge here: choose another slot, loosen a filter or switch more groups on."}


def live() -> bool:
    """Whether a front end can show widgets: a kernel, and no batch run (``HYPERCTR_BATCH=1``, plain papermill).

    >>> live()
    False
    """
    if os.environ.get("HYPERCTR_BATCH"):
        return False
    try:
        from IPython import get_ipython
    except ImportError:
        return False
    shell = get_ipython()
    return getattr(shell, "kernel", None) is not None and any(name in os.environ for name in FRONT_ENDS)


def about(scenes: SceneSource, colours: Mapping[str, str]) -> dict[str, Any]:
    """Return what never changes while a widget lives: slots, modalities, colours, what can colour, the words."""
    known: Message = {
        "own": scenes.own,
        "kinds": list(scenes.kinds),
        "slots": scenes.slots,
        "slot_ends": scenes.slot_ends,
        "modalities": list(scenes.modalities),
        "colours": list(colours.values()),
    }
    colourings = {kind: list(names) for kind, names in scenes.colourings.items()}
    counts, unit = scenes.slot_counts
    known |= {"slot_counts": counts, "slot_unit": unit, "automatic": AUTOMATIC}
    known["tints"] = [[tint(colour, rank) for rank in range(TINTS)] for colour in colours.values()]
    words = WORDS | (OWN_WORDS if scenes.own else {})
    return known | {"colourings": colourings, "joint": MODALITY_COLOURS["multi-modal"], "words": words}


def scene_message(
    scenes: SceneSource, shown: Scene | Contrast | Multiples, colours: Mapping[str, str]
) -> tuple[Message, list[memoryview]]:
    """Return the picture and the panel of sizes; of a comparison also the marks, of several slots their panels."""
    scene = shown if isinstance(shown, Scene) else shown.picture
    header, buffers = scene.pack()
    stats = scenes.stats(scene)
    message: Message = {"type": "scene", "scene": header, "stats": stats}
    if isinstance(shown, Contrast):
        _attach("marks", shown.marks, header, buffers)
        header["against"] = [shown.there.slot, shown.there.query.delta]
        message["difference"] = [shown.counts[name] for name in NAMES]
    elif isinstance(shown, Multiples):
        _attach("part", shown.part, header, buffers)
        header["panels"] = shown.panels
    message["numbers"] = numbers_panel(stats, message.get("difference"), scene.node_kind, colours)
    return message, buffers


def _attach(name: str, values: NDArray[np.uint8], header: Message, buffers: list[memoryview]) -> None:
    """Add a number for each hyperedge to a packed scene."""
    header["buffers"].append({"name": name, "dtype": "u1"})
    buffers.append(memoryview(values.tobytes()))


def working_message(scenes: SceneSource, query: Query, *, first: bool) -> Message:
    """Return what Python is at before it computes a scene, so that nobody takes it for dead."""
    what = f"the hypergraph over {query.node_kind}s, {scenes.when(*query.span)}"
    nodes = " and ".join(f"{len(scenes.ids[kind]):,} {kind}s" for kind in scenes.kinds)
    return {
        "type": "working",
        "text": f"building {what}, placing {nodes} \N{HORIZONTAL ELLIPSIS}" if first else f"building {what}",
    }


def selection_message(scenes: SceneSource, selection: Sequence[Any], kind: str, colours: Mapping[str, str]) -> Message:
    """Return the table of selected things."""
    listed = list(selection[:LISTED])
    return {"type": "table", "ids": listed, "html": scenes.panel(listed, kind, len(selection), colours)}


def user_message(scenes: SceneSource, user: Any, slot: int, colours: Mapping[str, str]) -> Message:
    """Return the panel of a user, or of nobody (None)."""
    rows = [] if user is None else scenes.timeline(user)
    return {"type": "user", "html": user_panel(user, rows, slot, colours)}


def file_message(scene: Scene, selection: Sequence[Any], kind: str) -> tuple[Message, str]:
    """Return the selection as a file, ``csv`` or ``hif``, and what was left out of it, "" if nothing.

    Raises:
        DataError: nothing that is selected is in the scene.
    """
    name, mime = FILES[kind]
    with tempfile.TemporaryDirectory() as folder:
        left_out = save_selection(scene, selection, Path(folder) / name)
        text = (Path(folder) / name).read_text(encoding="utf-8")
    return {"type": "file", "name": name, "mime": mime, "text": text}, left_out
