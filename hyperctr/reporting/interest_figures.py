"""Figures about the interest matrix F (section 2.3): per user, slot and modality; against a planted truth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from hyperctr.errors import ShapeError
from hyperctr.reporting.theme import SEQUENTIAL, figure, modality_colour, style, translucent

Float = NDArray[np.floating[Any]]


def _checked(matrix: Float, modalities: Sequence[str], labels: Sequence[str]) -> Float:
    if matrix.ndim != 3 or matrix.shape[0] != len(labels) or matrix.shape[2] != len(modalities):
        raise ShapeError(
            f"the interest matrix must be [slots, users, modalities] = [{len(labels)}, U, {len(modalities)}]"
            f", got {list(matrix.shape)}"
        )
    return matrix


def interest_heatmap(
    matrix: Float,
    modalities: Sequence[str],
    labels: Sequence[str],
    *,
    users: NDArray[Any] | None = None,
    limit: int = 30,
) -> go.Figure:
    """Draw the interest matrix as heat maps, one panel per modality: a row per user, a column per slot.

    Args:
        matrix: [T, U, M] mean degree of interest, NaN where the user has no training click in the slot.
        modalities: M names.
        labels: T slot labels.
        users: [U] ids shown on the axis; the row number by default.
        limit: how many users, those seen in most slots first; drawn in order of their strongest modality.

    Raises:
        ShapeError: the sizes do not fit each other.

    >>> interest_heatmap(np.full((2, 3, 1), 0.5, np.float32), ["visual"], ["a", "b"]).data[0].z.shape
    (3, 2)
    """
    matrix = _checked(matrix, modalities, labels)
    seen = np.isfinite(matrix[:, :, 0]).sum(0)
    chosen = np.lexsort((np.arange(len(seen)), -seen))[:limit]
    chosen = chosen[seen[chosen] > 0]
    with np.errstate(invalid="ignore"):
        mean = np.nanmean(matrix[:, chosen], axis=0) if len(chosen) else np.zeros((0, len(modalities)))
    relative = mean - mean.mean(0, keepdims=True) if len(mean) else mean
    order = np.lexsort((relative.max(1), -relative.argmax(1))) if len(mean) else np.arange(0)
    chosen = chosen[order]
    ids = chosen if users is None else users[chosen]
    shown = matrix[:, chosen].astype(np.float32)
    low, high = np.nanquantile(shown, [0.02, 0.98]) if np.isfinite(shown).any() else (0.0, 1.0)
    made = make_subplots(
        1, len(modalities), subplot_titles=list(modalities), shared_yaxes=True, horizontal_spacing=0.02
    )
    for index, name in enumerate(modalities):
        panel = go.Heatmap(
            z=shown[:, :, index].T,
            x=list(labels),
            y=[f"user {one}" for one in ids],
            zmin=float(low),
            zmax=float(high),
            colorscale=SEQUENTIAL,
            showscale=index == 0,
            hoverongaps=False,
            xgap=1,
            ygap=1,
            name=name,
            colorbar={"title": {"text": "degree of<br>interest"}, "thickness": 12},
            hovertemplate="%{y}<br>%{x}<br>degree of interest %{z:.3f}<extra>" + name + "</extra>",
        )
        made.add_trace(panel, 1, index + 1)
    style(
        made,
        "Interest matrix",
        f"{len(chosen)} of {matrix.shape[1]:,} users (seen in most slots), by their strongest modality; "
        "blank: no training click in the slot",
        height=170 + max(14 * len(chosen), 120),
        margin={"t": 104},
    )
    made.update_xaxes(tickangle=-45, showgrid=False, type="category", nticks=min(12, len(labels)))
    made.update_yaxes(showgrid=False, type="category", tickfont={"size": 10})
    made.update_xaxes(title_text="time slot", col=len(modalities) // 2 + 1)
    return made


def interest_over_slots(matrix: Float, modalities: Sequence[str], labels: Sequence[str]) -> go.Figure:
    """Draw the median user's degree of interest per slot and modality, the middle half of users as a band.

    Args:
        matrix: [T, U, M], NaN where the user has no training click in the slot.
        modalities: M names.
        labels: T slot labels.

    >>> made = interest_over_slots(np.full((2, 3, 1), 0.5, np.float32), ["visual"], ["a", "b"])
    >>> made.data[1].y.tolist()
    [0.5, 0.5]
    """
    matrix = _checked(matrix, modalities, labels)
    made = figure(
        "Interest over time",
        "line: the median user; band: the middle half of the users with a training click in the slot",
        x="time slot",
        y="degree of interest (0 to 1)",
    )
    for index, name in enumerate(modalities):
        slots = [t for t in range(len(labels)) if np.isfinite(matrix[t, :, index]).any()]
        low, middle, high = np.array(
            [np.nanquantile(matrix[t, :, index], [0.25, 0.5, 0.75]) for t in slots], dtype=np.float32
        ).reshape(-1, 3).T  # fmt: skip
        x = [labels[t] for t in slots]
        colour = modality_colour(name, modalities)
        band: dict[str, Any] = {"mode": "lines", "line_width": 0, "hoverinfo": "skip", "showlegend": False}
        made.add_scatter(
            x=[*x, *x[::-1]], y=np.concatenate([low, high[::-1]]), fill="toself", legendgroup=name,
            fillcolor=translucent(colour, 0.15), **band,
        )  # fmt: skip
        made.add_scatter(x=x, y=middle, name=name, legendgroup=name, mode="lines+markers", line_color=colour)
    made.update_xaxes(type="category", categoryorder="array", categoryarray=list(labels))
    return made


def recovery_figure(
    true: Float,
    recovered: Float,
    modalities: Sequence[str],
    *,
    scores: Sequence[float] | None = None,
    bins: int = 10,
) -> go.Figure:
    """Draw recovered against true interest, one panel per modality: users binned by their true interest.

    Args:
        true: [P, M] planted interest of P (user, slot) pairs.
        recovered: [P, M] what the pre-training found for them; NaN pairs are left out.
        modalities: M names.
        scores: [M] ROC AUC of the recovery, written over each panel.
        bins: quantile bins of the true interest.

    >>> true = np.linspace(0, 1, 50)[:, None]
    >>> recovery_figure(true, true, ["visual"], bins=5).data[1].y.astype(float).round(2).tolist()
    [0.09, 0.3, 0.5, 0.7, 0.91]
    """
    if true.shape != recovered.shape or true.ndim != 2 or true.shape[1] != len(modalities):
        raise ShapeError(
            f"true {true.shape} and recovered {recovered.shape} must both be [pairs, {len(modalities)}]"
        )
    heads = [name if scores is None else f"{name}: AUC {scores[i]:.3f}" for i, name in enumerate(modalities)]
    made = make_subplots(1, len(modalities), subplot_titles=heads, shared_yaxes=True, horizontal_spacing=0.03)
    for index, name in enumerate(modalities):
        usable = np.isfinite(true[:, index]) & np.isfinite(recovered[:, index])
        x, y = true[usable, index], recovered[usable, index]
        edges = np.unique(np.quantile(x, np.linspace(0, 1, bins + 1))) if len(x) else np.zeros(0)
        place = np.clip(np.searchsorted(edges, x, "right") - 1, 0, max(len(edges) - 2, 0))
        filled = np.unique(place)
        centre = np.array([x[place == b].mean() for b in filled])
        low, middle, high = (
            np.array([np.quantile(y[place == b], [0.25, 0.5, 0.75]) for b in filled]).reshape(-1, 3).T
        )
        colour = modality_colour(name, modalities)
        band = go.Scatter(
            x=np.concatenate([centre, centre[::-1]]).astype(np.float32),
            y=np.concatenate([low, high[::-1]]).astype(np.float32),
            fill="toself", fillcolor=translucent(colour, 0.18), mode="lines", line_width=0, hoverinfo="skip",
        )  # fmt: skip
        line = go.Scatter(
            x=centre.astype(np.float32),
            y=middle.astype(np.float32),
            mode="lines+markers",
            line_color=colour,
            name=name,
        )
        made.add_trace(band, 1, index + 1)
        made.add_trace(line, 1, index + 1)
    style(
        made,
        "Recovered against true interest",
        f"{len(true):,} (user, slot) pairs in {bins} bins of equal size; line: median, band: middle half",
        showlegend=False,
        height=400,
        margin={"t": 104},
    )
    made.update_xaxes(title_text="true (planted) interest")
    made.update_yaxes(title_text="recovered degree of interest", col=1)
    return made
