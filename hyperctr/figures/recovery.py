"""The interest that a run recovered against the true one, which planted data know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from hyperctr.display.figure import Figure
from hyperctr.display.theme import modality_colour, need_columns, style
from hyperctr.figures.interest import QUARTILES, Float, checked_matrix, line_and_band

if TYPE_CHECKING:
    from hyperctr.runs.session import Session


def recovery(session: Session) -> Figure | str:
    """The interest that the session's run recovered against the planted truth, or why there is nothing to compare."""
    from hyperctr.hypergraph.recovery import interest_recovery, true_interest

    data, learned = session.data, session.run.interest
    if data.truth is None or learned is None:
        why = "has no planted truth" if data.truth is None else "was predicted without interest"
        return f"The data set `{data.name}` {why}: nothing to compare."
    scores = interest_recovery(session.split_data, learned)
    frame = recovery_frame(true_interest(session.split_data), learned.matrix, scores)
    by_modality = {str(name): float(score) for name, score in scores.items()}
    headline = {"mean AUC": float(np.mean(list(by_modality.values()))), **by_modality}
    return Figure(draw_recovery(frame), "recovery", frame, headline=headline)


def recovery_frame(true: Float, matrix: Float, scores: Mapping[str, float], *, bins: int = 10) -> pd.DataFrame:
    """Hold a recovered interest matrix against the planted one, in bins of equal size by the true interest.

    Args:
        true: [T, U, M] planted interest, see :func:`hyperctr.hypergraph.recovery.true_interest`.
        matrix: [T, U, M] recovered interest; pairs of user and slot where either is NaN are left out.
        scores: ROC AUC of the recovery by modality, in the order of M.
        bins: how many.

    Returns:
        columns ``modality, auc, pairs, true, low, median, high``: a row per bin.

    Raises:
        ShapeError: the sizes do not fit each other.
    """
    matrix = checked_matrix(matrix, list(scores), range(len(true)))
    rows = []
    for m, (name, score) in enumerate(scores.items()):
        x, y = true[..., m].ravel(), matrix[..., m].ravel()
        usable = np.isfinite(x) & np.isfinite(y)
        x, y = x[usable], y[usable]
        for part in np.array_split(np.argsort(x, kind="stable"), bins):
            if len(part):
                rows.append((name, score, len(x), x[part].mean(), *np.quantile(y[part], QUARTILES)))
    return pd.DataFrame(rows, columns=["modality", "auc", "pairs", "true", "low", "median", "high"])


def draw_recovery(recovery: pd.DataFrame) -> go.Figure:
    """Draw recovered against true interest, one panel per modality; pairs of user and slot are binned.

    Args:
        recovery: columns ``modality, auc, pairs, true, low, median, high``, a row per bin.

    >>> columns = ["modality", "auc", "pairs", "true", "low", "median", "high"]
    >>> frame = pd.DataFrame([("visual", 0.9, 7, 0.5, 0.4, 0.5, 0.6)], columns=columns)
    >>> draw_recovery(frame).layout.annotations[0].text
    'visual: AUC 0.900'
    """
    need_columns(recovery, "modality", "auc", "pairs", "true", "low", "median", "high")
    names = list(dict.fromkeys(recovery["modality"]))
    parts = {name: recovery[recovery["modality"] == name] for name in names}
    heads = [f"{name}: AUC {part['auc'].iloc[0]:.3f}" for name, part in parts.items()]
    made = make_subplots(1, len(names), subplot_titles=heads, shared_yaxes=True, horizontal_spacing=0.03)
    for place, (name, part) in enumerate(parts.items()):
        for trace in line_and_band(part, part["true"].tolist(), name, modality_colour(name, names)):
            made.add_trace(trace, 1, place + 1)
    style(
        made,
        "Recovered against true interest",
        f"{int(recovery['pairs'].max()):,} (user, slot) pairs in bins; line: median, band: middle half; "
        "AUC: is the degree higher where the modality truly leads?",
        showlegend=False,
        height=400,
        margin={"t": 104},
    )
    made.update_xaxes(title_text="true (planted) interest")
    made.update_yaxes(title_text="recovered degree of interest", col=1)
    return made
