"""Who or what is meant: typed ids and titles found in a data set, and answers as frames for people who read Python."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from hyperctr.widgets.scene_stats import titles

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hyperctr.data.dataset import Dataset
    from hyperctr.widgets.edges import Edges


def find(data: Dataset, node_kind: str, whole: Edges, text: str, most: int = 20) -> list[dict[str, Any]]:
    """Find users and items by id or a part of the title: exact ids first, then the shortest titles.

    Args:
        data: the data set.
        node_kind: what the nodes of the picture are.
        whole: its hyperedges before the limit.
        text: what was typed.
        most: rows returned.

    Returns:
        Rows ``kind`` (user or item), ``id``, ``title`` and ``focus``: what to set the trait to, a node, or the first
        hyperedge that comes from it; None where it is in no hyperedge of this slot.
    """
    names, matches, text = titles(data), [], text.lower()
    for kind, ids in (("user", data.users), ("item", data.items)):
        for title, name in zip(names[kind], ids.tolist(), strict=True):
            exact = text in (str(name).lower(), title.lower())
            if exact or text in title.lower():
                matches.append((not exact, len(title), kind, title, name))
    node_ids, label_ids = (data.users, data.items) if node_kind == "user" else (data.items, data.users)
    nodes = set(node_ids[whole.members].tolist())
    edges: dict[Any, int] = {}
    for label, number in zip(label_ids[whole.label].tolist(), whole.number.tolist(), strict=True):
        edges.setdefault(label, number)
    rows = []
    for _, _, kind, title, name in sorted(matches, key=lambda match: match[:4])[:most]:
        focus: list[Any] | None = None
        if kind == node_kind and name in nodes:
            focus = ["node", name]
        elif kind != node_kind and name in edges:
            focus = ["hyperedge", edges[name]]
        rows.append({"kind": kind, "title": title, "id": name, "focus": focus})
    return rows


def known_id(typed: Any, ids: NDArray[Any]) -> Any:
    """Return the id as the data set has it, where a browser sent what was typed.

    >>> import numpy as np
    >>> known_id("7", np.array([5, 7])), known_id("9", np.array([5, 7]))
    (7, '9')
    """
    known = ids.tolist()
    return typed if typed in known else next((name for name in known if str(name) == str(typed)), typed)


def selection_frame(rows: Sequence[dict[str, Any]], modalities: Sequence[str]) -> pd.DataFrame:
    """Return the rows of a table of selected things, with the norm and the first three feature values by modality."""
    lines = []
    for row in rows:
        line = {name: row[name] for name in ("id", "title", "popularity")}
        for name in modalities:
            features = row["features"][name] or {"norm": None, "first": None}
            line[f"{name} norm"] = features["norm"]
            line[name] = features["first"] and [round(value, 3) for value in features["first"][:3]]
        lines.append(line)
    columns = ["id", "title", "popularity", *(part for name in modalities for part in (f"{name} norm", name))]
    return pd.DataFrame(lines, columns=columns)


def contributions_frame(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Return the contributions of an explanation as a frame, members counted."""
    columns = ["side", "slot_label", "modality", "hyperedge", "title", "members", "value", "removed"]
    frame = pd.DataFrame(rows, columns=columns).rename(columns={"slot_label": "slot"})
    return frame.assign(members=[len(members) for members in frame["members"]])
