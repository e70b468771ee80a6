"""The user and item hypergraph of every slot, to look at (Definitions 2 and 3, Eq. 11)."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import torch

from hyperctr.hypergraph.incidence import Hypergraph
from hyperctr.hypergraph.rows import Rows
from hyperctr.hypergraph.settings import GraphSettings
from hyperctr.hypergraph.stack import SlotHypergraphs
from hyperctr.split_data import SplitData

if TYPE_CHECKING:
    from hyperctr.data.dataset import Dataset
    from hyperctr.data.splits import Split
    from hyperctr.hypergraph.interest import Interest
    from hyperctr.slots import Slots


def build_hypergraphs(
    data: Dataset,
    split: Split,
    slots: Slots,
    interest: Interest,
    interest_threshold: float = 0.5,
    *,
    quantile: bool = False,
    max_neighbours: int | None = None,
    weighted: bool = True,
    seed: int = 0,
    delta: float | None = None,
) -> tuple[list[Hypergraph], list[Hypergraph]]:
    """Build the user and the item hypergraph of every slot from the training clicks.

    User hypergraph of slot t, modality m: one hyperedge per item = the users who clicked it in t and whose interest
    ``F^t[u, m]`` reaches the threshold. Item hypergraph: one hyperedge per user = the items the user clicked in t with
    a degree of interest that reaches it. An item without modality m lies on no hyperedge of m and gives none.
    Hyperedges under two members are dropped, the modality groups concatenated.

    The settings are those of :class:`~hyperctr.hypergraph.settings.GraphSettings`; ``interest`` comes from
    :func:`hyperctr.pretrain_interest`, and ``delta`` is the former name of ``interest_threshold``.

    Returns:
        Two lists of T hypergraphs over all U users and all I items: ``group`` is a hyperedge's modality, ``label`` the
        index of the item (user hypergraph) or user (item hypergraph) it comes from.

    Raises:
        ConfigError: ``interest_threshold`` or ``max_neighbours`` is out of bounds.
        ShapeError: the interest was learned on another split.

    Paper: Definitions 2 and 3, section 2.3, Eq. 11.

    >>> import hyperctr as hc
    >>> data = hc.load_dataset("planted", num_users=50, num_items=80, num_interactions=900, months=12)
    >>> split, slots = hc.split(data), hc.make_slots(data, months=6)
    >>> interest = hc.pretrain_interest(data, split, slots, epochs=1)
    >>> users, items = hc.build_hypergraphs(data, split, slots, interest)
    >>> len(users) == slots.count and users[0].num_nodes == data.num_users
    True
    """
    if delta is not None:
        warnings.warn("delta is called interest_threshold now", FutureWarning, stacklevel=2)
        interest_threshold = delta
    settings = GraphSettings(interest_threshold, quantile, max_neighbours, weighted, seed)
    return hypergraphs_of(SplitData(data, split, slots), interest, settings)


def hypergraphs_of(
    split_data: SplitData, interest: Interest, settings: GraphSettings
) -> tuple[list[Hypergraph], list[Hypergraph]]:
    """Build the same from a split data set and the graph settings of a run; see :func:`build_hypergraphs`."""
    graphs = SlotHypergraphs(split_data, interest, settings)
    pairs = [hypergraphs_of_slot(split_data.data, graphs, slot) for slot in range(split_data.slots.count)]
    return [users for users, _ in pairs], [items for _, items in pairs]


def hypergraphs_of_slot(data: Dataset, graphs: SlotHypergraphs, slot: int) -> tuple[Hypergraph, Hypergraph]:
    """Build the user and the item hypergraph of one slot."""
    users, items = graphs.assemble(slots=(slot, slot + 1))
    of_users, of_items = (graphs.user_rows, data.num_users, "user"), (graphs.item_rows, data.num_items, "item")
    return (
        _of_data_set(users, slot, data.modalities, *of_users, graphs.item_rows),
        _of_data_set(items, slot, data.modalities, *of_items, graphs.user_rows),
    )


def _of_data_set(
    H: Hypergraph, slot: int, modalities: tuple[str, ...], nodes: Rows, num_nodes: int, kind: str, edges: Rows
) -> Hypergraph:
    """Number nodes and labels of a slot's hypergraph as in the data set, and leave out its empty hyperedges."""
    filled = H.select(H.hyperedge_size > 0)
    node, edge = filled.incidence
    return Hypergraph(
        torch.stack([nodes.node[nodes.starts[slot] + node], edge]),
        num_nodes,
        filled.num_hyperedges,
        weight=filled.weight,
        group=filled.group,
        label=edges.node[edges.starts[slot] + filled.label],
        group_names=modalities,
        node_kind=kind,
        slot=slot,
    )
