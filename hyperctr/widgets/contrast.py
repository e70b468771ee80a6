"""Two scenes side by side: the hyperedges that only one of two slots or thresholds has, and some that both have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hyperctr.display.hypergraph import largest_hyperedges
from hyperctr.errors import ConfigError
from hyperctr.widgets.edges import Edges, Ints
from hyperctr.widgets.scene import Query, Scene

if TYPE_CHECKING:
    from hyperctr.widgets.scene_source import SceneSource

NAMES = ("only_a", "only_b", "both", "changed")


@dataclass(frozen=True, eq=False)
class Contrast:
    """What differs between two hypergraphs over the same kind of node.

    Attributes:
        here: the largest hyperedges that only the first has, then the largest of those that both have, as they are
            in the first.
        there: the largest that only the second has.
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


def contrast(scenes: SceneSource, a: Query, b: Query) -> Contrast:
    """Compare two hypergraphs and cut what there is to see from both; ``a.limit`` hyperedges in all.

    Raises:
        ConfigError: their hyperedges come from different kinds of things.
        DataError: an unknown focus.

    >>> import hyperctr as hc
    >>> from dataclasses import replace
    >>> from hyperctr.widgets.scenes import Scenes
    >>> data = hc.load_dataset("planted", num_users=50, num_items=80, num_interactions=900, months=12)
    >>> scenes = Scenes(data)
    >>> query = scenes.query(delta=0.5, limit=9)
    >>> compared = contrast(scenes, query, replace(query, delta=0.3))
    >>> compared.counts["only_a"], len(compared.here) + len(compared.there), set(compared.only_here.tolist())
    (0, 9, {False})
    """
    if a.label_kind != b.label_kind:
        raise ConfigError("scenes whose hyperedges come from users and from items cannot be compared")
    whole_a, whole_b = scenes.whole(a), scenes.whole(b)
    numbers = difference(whole_a, whole_b)
    counts = {name: len(numbers[name]) for name in NAMES}
    share = dict(zip(NAMES, shares(a.limit, [counts[name] for name in NAMES[:3]]), strict=False))
    only_a, both = (_largest(whole_a, numbers[name], share[name]) for name in ("only_a", "both"))
    only_b = _largest(whole_b, numbers["only_b"], share["only_b"])
    parts = zip(share.items(), ("only here", "only there", "in both"), strict=True)
    rule = ", ".join(f"{shown:,} of {counts[name]:,} hyperedges {where}" for (name, shown), where in parts)
    rule = f"showing {rule}: the largest of each modality in turn"
    here = np.concatenate([only_a, both])
    joined = Edges.chained([whole_a.take(here), whole_b.take(only_b)])
    return Contrast(
        here=scenes.cut(a, whole_a, here, rule),
        there=scenes.cut(b, whole_b, only_b, rule),
        picture=scenes.cut(a, joined, np.arange(len(joined)), rule),
        marks=np.repeat(np.array([1, 0, 2], dtype=np.uint8), [len(only_a), len(both), len(only_b)]),
        counts=counts,
    )


def difference(a: Edges, b: Edges) -> dict[str, Ints]:
    """Return the numbers of the hyperedges in one, the other or both, and of those of both whose members differ.

    Returns:
        ``only_a``, ``only_b``, ``both`` and ``changed``, each ascending; see :attr:`Edges.number`.
    """
    both, in_a, in_b = np.intersect1d(a.number, b.number, assume_unique=True, return_indices=True)
    pairs = zip(in_a, in_b, strict=True)
    moved = [not np.array_equal(a.of_edge(left), b.of_edge(right)) for left, right in pairs]
    only = {"only_a": np.setdiff1d(a.number, b.number, True), "only_b": np.setdiff1d(b.number, a.number, True)}
    return {**only, "both": both, "changed": both[np.array(moved, dtype=bool)]}


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


def _largest(edges: Edges, numbers: Ints, most: int) -> Ints:
    """Return where the largest of some hyperedges stand, each modality in turn."""
    rows = np.flatnonzero(np.isin(edges.number, numbers))
    part = edges.take(rows)
    return rows[largest_hyperedges(np.stack([part.nodes, part.edge]), part.modality, most)]
