"""The panel that says why a pair has its score, and what the score is without what the reader removes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hyperctr.widgets.render import render

LISTED = 60  # contributions, the largest; the panel says how many there are


def explanation_panel(
    explanation: dict[str, Any] | None,
    removed: Sequence[str],
    removed_modalities: Sequence[str],
    colours: Mapping[str, str],
    problem: str = "",
) -> str:
    """Show a score, what each hyperedge adds to it, and what it is without the removed ones.

    Args:
        explanation: what :meth:`hyperctr.widgets.score.ScoreExplainer.explain` returns; None where no pair was picked.
        removed: keys of the hyperedges taken out.
        removed_modalities: names of the modalities taken out.
        colours: of each modality, in order.
        problem: why there is no explanation, where one was asked for.

    >>> "Pick a user and an item" in explanation_panel(None, [], [], {})
    True
    """
    values = [abs(row["value"]) for row in explanation["contributions"]] if explanation else []
    return render(
        "explanation",
        explanation=explanation,
        removed=removed,
        removed_modalities=removed_modalities,
        colours=colours,
        problem=problem,
        listed=LISTED,
        most=max(values, default=0.0) or 1.0,
    )
