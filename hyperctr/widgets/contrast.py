"""Two scenes side by side: the hyperedges that only one of two slots or thresholds has, and some that both have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hyperctr.display.hypergraph import largest_hyperedges
from hyperctr.widgets.edges import Edges
from hyperctr.widgets.picture import Query, Scene

if TYPE_CHECKING:
    from hyperctr.widgets.scene import Scenes

NAMES = ("only_a", "only_b", "both", "changed")


@dataclass(frozen=True, eq=False)
class Contrast:
    """What differs between two hypergraphs over the same kind of node.

    Attributes:
        here: the largest hyperedges that only the first has, then the largest of those that both have, as they are
            in the first. there: the largest that only the second has.
        picture: the hyperedges of ``here`` and then of ``there``, over the nodes of both.
        marks: uint8 [len(picture)]: 0 in both, 1 only here, 2 only there.
        counts: hyperedges ``only_a``, ``only_b``, in ``both``, and of these the ``changed`` (other members), before
            any limit.
    """

    here: Scene
    there: Scene
    picture: Scene
    marks: NDArray[np.uint8]
    counts: dict[str, int]

    @property
    def only_here(self) -> NDArray[np.bool_]:
        """True for what the second lacks, bool [len(here)]."""
        return np.equal(self.marks[: len(self.here)], 1)


def contrast(scenes: Scenes, a: Query, b: Query) -> Contrast:
    """Compare two hypergraphs and cut what there is to see from both; ``a.limit`` hyperedges in all.

    Raises:
        ConfigError: their hyperedges come from different kinds of things. DataError: an unknown focus.

    >>> import hyperctr as hc
    >>> from dataclasses import replace
    >>> from hyperctr.widgets.scene import Scenes
    >>> data = hc.load_dataset("planted", num_users=50, num_items=80, num_interactions=900, months=12)
    >>> scenes = Scenes(data)
    >>> query = scenes.build(delta=0.5, limit=9).query
    >>> found = contrast(scenes, query, replace(query, delta=0.3))
    >>> found.counts["only_a"], len(found.here) + len(found.there), set(found.only_here.tolist())
    (0, 9, {False})
    """
    counts = {name: len(found) for name, found in scenes.difference(a, b).items()}
    whole_a, whole_b = scenes.whole(a), scenes.whole(b)
    only_a, only_b = ~np.isin(whole_a.number, whole_b.number), ~np.isin(whole_b.number, whole_a.number)
    share = shares(a.limit, [counts[name] for name in NAMES[:3]])
    mine, theirs, common = (
        _largest(edges, chosen, most)
        for edges, chosen, most in zip((whole_a, whole_b, whole_a), (only_a, only_b, ~only_a), share, strict=True)
    )
    parts = zip(share, (counts[name] for name in NAMES), ("only here", "only there", "in both"), strict=False)
    rule = "showing " + ", ".join(f"{shown:,} of {total:,} hyperedges {where}" for shown, total, where in parts)
    rule += ": the largest of each modality in turn"
    own = np.concatenate([mine, common])
    both = whole_a.take(own).joined(whole_b.take(theirs))
    picture = scenes.draw(a, both, np.arange(len(both)), rule)
    marks = np.repeat(np.array([1, 0, 2], dtype=np.uint8), [len(mine), len(common), len(theirs)])
    return Contrast(scenes.draw(a, whole_a, own, rule), scenes.draw(b, whole_b, theirs, rule), picture, marks, counts)


def shares(limit: int, counts: list[int]) -> list[int]:
    """Divide a limit evenly; what one part cannot use goes to the others, the first before the last.

    >>> shares(15, [149, 2, 268]), shares(7, [9, 9, 9]), shares(9, [0, 3, 0])
    ([7, 2, 6], [3, 2, 2], [0, 3, 0])
    """
    given = [0] * len(counts)
    while sum(given) < min(limit, sum(counts)):
        for part, count in enumerate(counts):
            given[part] += int(given[part] < count and sum(given) < limit)
    return given


def _largest(edges: Edges, chosen: NDArray[np.bool_], most: int) -> NDArray[Any]:
    """Return the numbers of the largest chosen hyperedges, each modality in turn."""
    own = np.flatnonzero(chosen)
    part = edges.take(own)
    return own[largest_hyperedges(np.stack([part.nodes, part.edge]), part.modality, most)]
