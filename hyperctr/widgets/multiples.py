"""Several slots side by side: the hyperedges of each, over the nodes of all, at the same places."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hyperctr.display.hypergraph import largest_hyperedges
from hyperctr.errors import counted
from hyperctr.widgets.edges import Edges
from hyperctr.widgets.scene import Query, Scene
from hyperctr.widgets.views import AUTOMATIC

if TYPE_CHECKING:
    from hyperctr.widgets.scene_source import SceneSource

MOST = 12  # panels that can be compared at a glance
READABLE = AUTOMATIC[0][1] or 0  # hyperedges of a panel


@dataclass(frozen=True, eq=False)
class Multiples:
    """Some slots side by side.

    Attributes:
        picture: the hyperedges of all panels, over the nodes of all; one that lies in several slots is there as often.
        part: uint8 [len(picture)], the panel of each hyperedge.
        panels: of each its ``slot``, ``label``, and the ``total`` of its hyperedges before the limit.
    """

    picture: Scene
    part: NDArray[np.uint8]
    panels: list[dict[str, Any]]


def multiples(scenes: SceneSource, query: Query) -> Multiples:
    """Cut a panel for each slot of a query's range, or of all slots; ``limit`` is of each panel, at most 40.

    Of more than twelve slots, those around ``query.slot`` are shown, which ``picture.rule`` says.

    Raises:
        DataError: an unknown focus.

    >>> import hyperctr as hc
    >>> from hyperctr.widgets.scenes import Scenes
    >>> data = hc.load_dataset("planted", num_users=50, num_items=80, num_interactions=900, months=12)
    >>> scenes = Scenes(data)
    >>> shown = multiples(scenes, scenes.query(delta=0.3, limit=4))
    >>> [panel["label"] for panel in shown.panels], shown.part.tolist()
    (['2018-01 to 2018-06', '2018-07 to 2018-12'], [0, 0, 0, 0, 1, 1, 1, 1])
    >>> shown.picture.rule
    'showing 8 of 289 hyperedges in 2 slots, 2018-01 to 2018-12: the largest 4 of each slot'
    """
    first, last = query.slots or (0, len(scenes.slots) - 1)
    start = max(first, min(query.slot - MOST // 2, last - MOST + 1))
    shown = range(start, min(start + MOST, last + 1))
    wholes = [scenes.whole(replace(query, slot=slot, slots=None)) for slot in shown]
    most = min(query.limit, READABLE)
    parts = [
        edges.take(largest_hyperedges(np.stack([edges.nodes, edges.edge]), edges.modality, most)) for edges in wholes
    ]
    joined, total = Edges.chained(parts), sum(map(len, wholes))
    slots = (
        counted(len(shown), "slot") if len(shown) == last - first + 1 else f"{len(shown)} of {last - first + 1} slots"
    )
    how = "all of them" if total == len(joined) else f"the largest {most} of each slot"
    rule = f"showing {len(joined):,} of {total:,} hyperedges in {slots}, {scenes.when(shown[0], shown[-1])}: {how}"
    whole = replace(query, slots=(shown[0], shown[-1]))
    part = np.repeat(np.arange(len(parts)), list(map(len, parts))).astype(np.uint8)
    picture = scenes.cut(whole, joined, np.arange(len(joined)), rule, alike=True)
    return Multiples(
        picture=replace(picture, edge_slots=[scenes.slots[shown[at]] for at in part]),
        part=part,
        panels=[
            {"slot": slot, "label": scenes.slots[slot], "total": len(edges)}
            for slot, edges in zip(shown, wholes, strict=True)
        ],
    )
