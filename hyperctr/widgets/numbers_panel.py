"""The panel of sizes: the whole hypergraph, its overlap, the nearest trained run, and what a difference counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hyperctr.widgets.render import render

COMPARED = ("only here", "only there", "in both", "of these with other members")


def numbers_panel(
    stats: dict[str, Any], difference: Sequence[int] | None, kind: str, colours: Mapping[str, str]
) -> str:
    """Write the sizes of the whole hypergraph, its overlap, the nearest trained run and what differs.

    Args:
        stats: what :meth:`hyperctr.widgets.scenes.Scenes.stats` returns.
        difference: hyperedges only here, only there, in both, and how many of those changed; None: not compared.
        kind: what a node is.
        colours: of each modality, in order.
    """
    overlap = [(" + ".join(row["modalities"]), f"{row['count']:,}") for row in stats["overlap"]]
    counts = [] if difference is None else [f"{count:,}" for count in difference]
    compared = list(zip(COMPARED, counts, strict=False))
    return render("numbers", stats=stats, overlap=overlap, difference=compared, kind=kind, colours=colours)
