"""Statistics of hypergraphs, all through one interface: every function gives a :class:`Statistic`.

===================== ================= ==============================================================
function              one row is        columns
===================== ================= ==============================================================
:func:`nodes`         a node            hyperedges, degree (summed weight, D_v)
:func:`hyperedges`    a hyperedge       size (D_e), weight, modality, label
:func:`modalities`    a modality        hyperedges, incidences, mean_size, max_size, mean_weight, covered
:func:`overlap`       a modality        a modality: Jaccard index of the two sets of (node, label) pairs
===================== ================= ==============================================================
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from hyperctr.hypergraph.arrays import BITS

if TYPE_CHECKING:
    import pandas as pd

    from hyperctr.hypergraph.incidence import Hypergraph


@dataclass(frozen=True)
class Statistic:
    """A table of numbers that knows what its rows are.

    Attributes:
        row: what one row is, the name of the index.
        columns: equally long arrays by name.
        labels: names of the rows; empty numbers them.
        names: for columns that hold codes, the text each code stands for in a frame.
    """

    row: str
    columns: dict[str, np.ndarray]
    labels: tuple[str, ...] = ()
    names: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def as_frame(self) -> pd.DataFrame:
        """Return a pandas frame; codes become text."""
        import pandas as pd

        frame = pd.DataFrame(self.columns)
        for name, texts in self.names.items():
            frame[name] = [texts[code] for code in self.columns[name]]
        frame.index = pd.Index(list(self.labels) if self.labels else range(len(frame)), name=self.row)
        return frame


def nodes(H: Hypergraph) -> Statistic:
    """Count and weigh the hyperedges of every node.

    >>> import hyperctr as hc
    >>> nodes(hc.Hypergraph([[0, 1, 1], [0, 0, 1]], 3, 2, weight=[1.0, 0.5])).as_frame().to_numpy().tolist()
    [[1.0, 1.0], [2.0, 1.5], [0.0, 0.0]]
    """
    counts = H.by_node[0].diff().cpu().numpy().astype(np.int64)
    return Statistic(H.node_kind, {"hyperedges": counts, "degree": H.node_degree.cpu().numpy()})


def hyperedges(H: Hypergraph) -> Statistic:
    """Size, weight, modality and label of every hyperedge.

    >>> import hyperctr as hc
    >>> hyperedges(hc.Hypergraph([[0, 1, 1], [0, 0, 1]], 3, 2, weight=[1.0, 0.5])).as_frame()["size"].tolist()
    [2, 1]
    """
    columns = {"size": H.hyperedge_size, "weight": H.weight, "modality": H.group, "label": H.label}
    arrays = {name: values.cpu().numpy() for name, values in columns.items()}
    return Statistic("hyperedge", arrays, names={"modality": H.group_names})


def modalities(H: Hypergraph) -> Statistic:
    """Describe each modality group; empty hyperedges do not count, ``covered`` is a share of all nodes.

    >>> import hyperctr as hc
    >>> names = ("visual", "acoustic")
    >>> H = hc.Hypergraph([[0, 1, 1, 2, 3], [0, 0, 1, 1, 1]], 5, 2, group=[0, 1], group_names=names)
    >>> modalities(H).as_frame()[["hyperedges", "incidences", "mean_size", "covered"]]
              hyperedges  incidences  mean_size  covered
    modality
    visual             1           2        2.0      0.4
    acoustic           1           3        3.0      0.6
    """
    size, group, weight = (t.cpu().numpy() for t in (H.hyperedge_size, H.group, H.weight))
    node, edge = H.incidence.cpu().numpy()
    filled, groups = size > 0, H.num_groups
    number = np.bincount(group[filled], minlength=groups)
    incidences = np.bincount(group[edge], minlength=groups)
    largest = np.zeros(groups, dtype=np.int64)
    np.maximum.at(largest, group, size)
    covered = np.bincount(np.unique(group[edge] << BITS | node) >> BITS, minlength=groups)
    weights = np.bincount(group[filled], weights=weight[filled], minlength=groups)
    columns = {
        "hyperedges": number,
        "incidences": incidences,
        "mean_size": _share(incidences, number),
        "max_size": largest,
        "mean_weight": _share(weights, number),
        "covered": covered / max(H.num_nodes, 1),
    }
    return Statistic("modality", columns, labels=H.group_names)


def overlap(H: Hypergraph) -> Statistic:
    """Compare the modality groups: shared over united (node, label) pairs, nan where both are empty.

    >>> import hyperctr as hc
    >>> H = hc.Hypergraph([[0, 1, 1, 2], [0, 0, 1, 1]], 3, 2, group=[0, 1], label=[7, 7])
    >>> overlap(H).as_frame().to_numpy().round(3).tolist()
    [[1.0, 0.333], [0.333, 1.0]]
    """
    node, edge = H.incidence.cpu().numpy()
    keys, group = H.label.cpu().numpy()[edge] << BITS | node, H.group.cpu().numpy()[edge]
    sets = [np.unique(keys[group == m]) for m in range(H.num_groups)]
    shared = np.array([[len(np.intersect1d(a, b, assume_unique=True)) for b in sets] for a in sets], dtype=float)
    sizes = np.array([len(s) for s in sets], dtype=float)
    jaccard = _share(shared, sizes[:, None] + sizes - shared)
    columns = {name: jaccard[:, m] for m, name in enumerate(H.group_names)}
    return Statistic("modality", columns, labels=H.group_names)


def summary(hypergraphs: Sequence[Hypergraph]) -> pd.DataFrame:
    """Return one row per slot and modality with the columns of :func:`modalities`, for a list of slots.

    A hypergraph without a slot is numbered by its place in the list.
    """
    import pandas as pd

    frames = [modalities(H).as_frame().reset_index() for H in hypergraphs]
    for place, (frame, H) in enumerate(zip(frames, hypergraphs, strict=True)):
        frame.insert(0, "slot", place if H.slot is None else H.slot)
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Divide, with nan where there is nothing to divide by."""
    share: np.ndarray = np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole > 0)
    return share
