"""Which hyperedges of a query are left out, and the sentence that says which are shown."""

from __future__ import annotations

import numpy as np

from hyperctr.widgets.edges import Edges
from hyperctr.widgets.scene import Query


def filtered(edges: Edges, query: Query) -> Edges:
    """Return the hyperedges that pass the filters of a query: modalities, then degree, then size."""
    if query.min_modalities > 1:
        edges = edges.take(np.flatnonzero(edges.in_modalities() >= query.min_modalities))
    if query.min_degree > 1:
        edges = edges.of_nodes(np.bincount(edges.nodes, minlength=edges.num_nodes) >= query.min_degree)
    if query.min_size > 2 or query.max_size:
        fits = (edges.size >= query.min_size) & (edges.size <= (query.max_size or edges.size.max(initial=0)))
        edges = edges.take(np.flatnonzero(fits))
    return edges


def shown_rule(
    query: Query, shown: int, total: int, nodes: int, all_nodes: int, around: str = "", when: str = ""
) -> str:
    """Say what part of the hypergraph is shown and how it was chosen.

    >>> shown_rule(Query("user", 0, ("visual", "textual"), 0.5, 0, False, None, 300), 300, 12480, 75, 900)
    'showing 300 of 12,480 hyperedges: the largest of each modality in turn; 75 of 900 users'
    """
    how = "all of them" if shown == total else "the largest" + " of each modality in turn" * (len(query.modalities) > 1)
    if around and not total:
        at = query.threshold and f" at {query.threshold}"
        return f"{around} is on no hyperedge shown: not in {when or 'this slot'}{at}"
    about = (
        (f" of {when}" if when else "")
        + (f" around {around}" if around else "")
        + (f" {query.filters}" if query.filters else "")
    )
    return f"showing {shown:,} of {total:,} hyperedges{about}: {how}; {nodes:,} of {all_nodes:,} {query.node_kind}s"
