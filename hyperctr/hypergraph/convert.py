"""Hypergraphs for other libraries: networkx and PyG; the module ``hif`` has files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hyperctr.hypergraph.annotations import Record

if TYPE_CHECKING:
    import networkx
    from torch_geometric.data.hypergraph_data import HyperGraphData

    from hyperctr.hypergraph.incidence import Hypergraph


def to_networkx(H: Hypergraph) -> networkx.Graph:
    """Return the bipartite graph of members: node v is ``v``, hyperedge e is ``num_nodes + e``.

    Nodes carry ``bipartite=0`` and ``kind``; hyperedges ``bipartite=1``, ``modality``, ``weight``, ``label``
    and, if there is one, ``slot``. Isolated nodes and empty hyperedges are kept.

    >>> import hyperctr as hc
    >>> graph = to_networkx(hc.Hypergraph([[0, 2], [0, 0]], 3, 1, weight=[0.5]))
    >>> sorted(graph[3]), graph.nodes[3]["weight"]
    ([0, 2], 0.5)
    """
    import networkx

    graph = networkx.Graph(node_kind=H.node_kind, **({} if H.slot is None else {"slot": H.slot}))
    graph.add_nodes_from(range(H.num_nodes), bipartite=0, kind=H.node_kind)
    for e, attributes in enumerate(hyperedge_attributes(H)):
        graph.add_node(H.num_nodes + e, bipartite=1, kind="hyperedge", **attributes)
    nodes, edges = H.incidence.cpu().tolist()
    graph.add_edges_from(zip(nodes, (H.num_nodes + e for e in edges), strict=True))
    return graph


def to_pyg(H: Hypergraph) -> HyperGraphData:
    """Return PyG's hypergraph: ``edge_index`` [2, nnz], ``num_nodes`` and three tensors [E].

    These are ``hyperedge_weight`` (W), ``hyperedge_group`` and ``hyperedge_label``. PyG's own ``num_edges``
    forgets empty hyperedges at the end and fails without incidences, so hand its layers
    ``num_edges=len(data.hyperedge_weight)``, and mind that its HypergraphConv is not Eq 5.

    >>> import hyperctr as hc
    >>> to_pyg(hc.Hypergraph([[0, 2], [0, 0]], 3, 1)).edge_index.tolist()
    [[0, 2], [0, 0]]
    """
    from torch_geometric.data.hypergraph_data import HyperGraphData

    columns = {"hyperedge_weight": H.weight, "hyperedge_group": H.group, "hyperedge_label": H.label}
    return HyperGraphData(edge_index=H.incidence, num_nodes=H.num_nodes, **columns)


def hyperedge_attributes(H: Hypergraph) -> list[Record]:
    """Return modality, weight, label and, if there is one, slot of each hyperedge."""
    slot = {} if H.slot is None else {"slot": H.slot}
    columns = (H.group.tolist(), H.weight.tolist(), H.label.tolist())
    return [{"modality": H.group_names[m], "weight": w, "label": k} | slot for m, w, k in zip(*columns, strict=True)]
