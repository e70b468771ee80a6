"""The user and item hypergraph of every slot, to look at (Definitions 2 and 3, Eq. 11)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from hyperctr.hypergraph.incidence import Hypergraph
from hyperctr.hypergraph.rows import Rows
from hyperctr.hypergraph.stack import SlotHypergraphs

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
    delta: float = 0.5,
    *,
    quantile: bool = False,
    neighbours: int | None = None,
    weighted: bool = True,
    seed: int = 0,
) -> tuple[list[Hypergraph], list[Hypergraph]]:
    """Build the user and the item hypergraph of every slot from the training clicks.

    User hypergraph of slot t, modality m: one hyperedge per item = the users who clicked it in t and whose interest
    ``F^t[u, m]`` reaches the threshold. Item hypergraph: one hyperedge per user = the items the user clicked in t with
    a degree of interest that reaches it. An item without modality m lies on no hyperedge of m and gives none.
    Hyperedges under two members are dropped, the modality groups concatenated.

    Returns:
        Two lists of T hypergraphs over all U users and all I items: ``group`` is a hyperedge's modality, ``label`` the
        index of the item (user hypergraph) or user (item hypergraph) it comes from.

    Raises:
        ConfigError: delta or neighbours out of bounds.
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
    parts = SlotHypergraphs(
        data,
        split,
        slots,
        interest,
        delta=delta,
        quantile=quantile,
        neighbours=neighbours,
        weighted=weighted,
        seed=seed,
    )
    stacks = parts.assemble()
    user_list = _by_slot(stacks[0], parts.user_rows, parts.item_rows, data.num_users, "user", data.modalities)
    item_list = _by_slot(stacks[1], parts.item_rows, parts.user_rows, data.num_items, "item", data.modalities)
    return user_list, item_list


def _by_slot(
    stack: Hypergraph, nodes: Rows, edges: Rows, num_nodes: int, kind: str, modalities: tuple[str, ...]
) -> list[Hypergraph]:
    """Cut the stacked hypergraph into one per slot, nodes and labels numbered as in the data set."""
    edge_rows = max(len(edges.node), 1)
    node_row, edge = stack.incidence
    graphs = []
    for slot in range(nodes.num_slots):
        inside = nodes.slot[node_row] == slot
        used, number = torch.unique(edge[inside], return_inverse=True)
        graphs.append(
            Hypergraph(
                torch.stack([nodes.node[node_row[inside]], number]),
                num_nodes,
                len(used),
                weight=stack.weight[used],
                group=used // edge_rows,
                label=edges.node[used % edge_rows],
                group_names=modalities,
                node_kind=kind,
                slot=slot,
            )
        )
    return graphs
