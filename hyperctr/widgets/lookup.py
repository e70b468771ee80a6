"""Small questions of the widget: who is meant by a text, which hyperedges only one scene has, is anyone watching."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from hyperctr.widgets.scene_stats import titles

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hyperctr.data.dataset import Dataset
    from hyperctr.widgets.edges import Edges
    from hyperctr.widgets.picture import Scene

FRONT_ENDS = ("JPY_SESSION_NAME", "VSCODE_PID", "VSCODE_CWD", "COLAB_RELEASE_TAG")  # set by those that show widgets


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


def find(data: Dataset, scene: Scene, whole: Edges, text: str, most: int = 20) -> list[dict[str, Any]]:
    """Find users and items by id or a part of the title: exact ids first, then the shortest titles.

    Args:
        data: the data set.
        scene: what is shown.
        whole: its hyperedges before the limit.
        text: what was typed.
        most: rows returned.

    Returns:
        Rows ``kind`` (user or item), ``id``, ``title`` and ``focus``: what to set the trait to, a node, or the first
        hyperedge that comes from it; None where it is in no hyperedge of this slot.
    """
    names, rows = titles(data), []
    for kind, ids in (("user", data.users), ("item", data.items)):
        for name, one in zip(names[kind], ids.tolist(), strict=True):
            exact = text.lower() in (str(one).lower(), name.lower())
            if exact or text.lower() in name.lower():
                rows.append((not exact, len(name), kind, name, one))
    node_ids, label_ids = (data.users, data.items) if scene.node_kind == "user" else (data.items, data.users)
    nodes = set(node_ids[np.unique(whole.nodes)].tolist())
    edges: dict[Any, int] = {}
    for label, edge in zip(label_ids[whole.label].tolist(), whole.number.tolist(), strict=True):
        edges.setdefault(label, edge)
    found: list[dict[str, Any]] = []
    for _, _, kind, name, one in sorted(rows, key=lambda row: row[:4])[:most]:
        if kind == scene.node_kind:
            focus = ["node", one] if one in nodes else None
        else:
            focus = ["hyperedge", edges[one]] if one in edges else None
        found.append({"kind": kind, "title": name, "id": one, "focus": focus})
    return found


def meant(typed: Any, ids: NDArray[Any]) -> Any:
    """Return the id as the data set has it, where a browser sent what was typed.

    >>> meant("7", np.array([5, 7])), meant("9", np.array([5, 7]))
    (7, '9')
    """
    known = ids.tolist()
    return typed if typed in known else next((one for one in known if str(one) == str(typed)), typed)


def frame(rows: Sequence[dict[str, Any]], modalities: Sequence[str]) -> pd.DataFrame:
    """Return the rows of a table of selected things, with the norm and the first three feature values by modality."""
    found = []
    for row in rows:
        known = {name: row["features"][name] or {"norm": None, "first": None} for name in modalities}
        parts = {f"{name} norm": one["norm"] for name, one in known.items()}
        parts |= {name: one["first"] and [round(value, 3) for value in one["first"][:3]] for name, one in known.items()}
        found.append({name: row[name] for name in ("id", "title", "popularity")} | parts)
    columns = ["id", "title", "popularity", *(part for name in modalities for part in (f"{name} norm", name))]
    return pd.DataFrame(found, columns=columns)


def contributions(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Return the contributions of an explanation as a frame, members counted."""
    columns = ["side", "slot_label", "modality", "hyperedge", "title", "members", "value", "struck"]
    found = pd.DataFrame(rows, columns=columns).rename(columns={"slot_label": "slot"})
    return found.assign(members=[len(members) for members in found["members"]])
