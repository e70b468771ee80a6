"""Figures about the interest matrix F (section 2.3), per user, slot and modality; on planted data beside the truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import plotly.express as px
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from hyperctr.display.colours import HIGH, LOW, MIDDLE
from hyperctr.display.figure import Figure
from hyperctr.display.theme import figure, modality_colour, need_columns, slot_axis, style, translucent
from hyperctr.errors import ShapeError
from hyperctr.written import show_number

if TYPE_CHECKING:
    from hyperctr.runs.session import Session

Float = NDArray[np.floating[Any]]
QUARTILES = (0.25, 0.5, 0.75)


def interest(session: Session) -> Figure:
    """Heat maps of the session's interest matrix: some users, all slots, a panel per modality."""
    matrix, data = session.interest.matrix, session.data
    frame = user_interest_frame(matrix, data.modalities, session.slots.labels, data.users)
    threshold = session.config.interest_threshold
    return Figure(draw_interest(frame, threshold=threshold, total_users=data.num_users), "interest", frame)


def user_interest_frame(
    matrix: Float, modalities: Sequence[str], labels: Sequence[str], users: NDArray[Any], *, limit: int = 30
) -> pd.DataFrame:
    """Pick the users seen in most slots and list their interest, ordered by their strongest modality.

    Args:
        matrix: [T, U, M], NaN where the user has no training click in the slot.
        modalities: M names.
        labels: T slot labels.
        users: [U] ids.
        limit: how many users.

    Returns:
        columns ``user, slot, modality, interest`` (NaN kept), ordered as they are drawn.

    Raises:
        ShapeError: the sizes do not fit each other.
    """
    matrix = _checked(matrix, modalities, labels)
    seen = np.isfinite(matrix).any(2).sum(0)
    chosen = np.lexsort((np.arange(len(seen)), -seen))[:limit]
    chosen = chosen[seen[chosen] > 0]
    shown = matrix[:, chosen]
    mean = np.nansum(shown, 0) / np.maximum(np.isfinite(shown).sum(0), 1)
    relative = mean - mean.mean(0)  # a modality's level differs; what counts is who likes it more than others do
    chosen = chosen[np.lexsort((-relative.max(1), relative.argmax(1)))]
    index = pd.MultiIndex.from_product([users[chosen], labels, modalities], names=["user", "slot", "modality"])
    values = matrix[:, chosen].transpose(1, 0, 2).reshape(-1)
    return pd.DataFrame({"interest": values}, index=index).reset_index()


def draw_interest(interest: pd.DataFrame, *, threshold: float = 0.5, total_users: int | None = None) -> go.Figure:
    """Draw the interest matrix as heat maps, one panel per modality: a row per user, a column per slot.

    Colours part at the threshold: what lies above it puts a user into hyperedges of the modality.

    Args:
        interest: columns ``user, slot, modality, interest`` in the order to draw; NaN where nothing is known.
        threshold: δ, of Definition 2.
        total_users: how many users there are, for "n of N".

    >>> rows = [(1, "a", "visual", 0.2), (1, "b", "visual", 0.4)]
    >>> frame = pd.DataFrame(rows, columns=["user", "slot", "modality", "interest"])
    >>> draw_interest(frame).data[0].z.shape
    (1, 2)
    """
    need_columns(interest, "user", "slot", "modality", "interest")
    users, slots, names = (list(dict.fromkeys(interest[name])) for name in ("user", "slot", "modality"))
    grid = interest.pivot(index="user", columns=["modality", "slot"], values="interest").loc[users]
    cube = np.stack([grid[name][slots].to_numpy(np.float32) for name in names])
    reach = float(np.nanquantile(np.abs(cube - threshold), 0.98)) if np.isfinite(cube).any() else 0.5
    axes = {"x": slots, "y": [f"user {user}" for user in users], "facet_col": 0, "facet_col_spacing": 0.02}
    limits = {"zmin": threshold - (reach or 0.5), "zmax": threshold + (reach or 0.5)}
    colours = {**limits, "color_continuous_scale": [LOW, MIDDLE, HIGH]}
    labels = {"y": "", "color": "degree of<br>interest"}
    chart = px.imshow(cube, **axes, **colours, aspect="auto", labels=labels)
    chart.for_each_annotation(lambda title: title.update(text=names[int(title.text.partition("=")[2])], font_size=16))
    chart.update_traces(xgap=1, ygap=1, hoverongaps=False)
    ticks = [limits["zmin"], threshold, limits["zmax"]]
    texts = [show_number(ticks[0], 2), f"δ = {threshold:g}", show_number(ticks[2], 2)]
    chart.update_coloraxes(colorbar={"thickness": 12, "tickvals": ticks, "ticktext": texts, "len": 0.8})
    subtitle = (
        f"{len(users)} of {show_number(total_users or len(users))} users, those seen in most slots, by their strongest "
    )
    subtitle += "modality; orange: at or above the threshold δ; blank: no training click in the slot"
    style(chart, "Interest matrix", subtitle, height=190 + max(14 * len(users), 120), margin={"t": 104})
    chart.update_xaxes(slot_axis(slots, most=4), showgrid=False)
    chart.update_yaxes(showgrid=False, type="category", autorange="reversed", tickfont={"size": 10})
    return chart


def interest_over_slots(session: Session) -> Figure:
    """The middle half of the users' interest, slot by slot."""
    frame = interest_frame(session.interest.matrix, session.data.modalities, session.slots.labels)
    return Figure(draw_interest_over_slots(frame), "interest_over_slots", frame)


def interest_frame(matrix: Float, modalities: Sequence[str], labels: Sequence[str]) -> pd.DataFrame:
    """Sum up an interest matrix: quartiles over the users per slot and modality.

    Args:
        matrix: [T, U, M], NaN where the user has no training click in the slot.
        modalities: M names.
        labels: T slot labels.

    Returns:
        columns ``slot, modality, users, low, median, high``; slots nobody is seen in are left out.

    Raises:
        ShapeError: the sizes do not fit each other.

    >>> interest_frame(np.array([[[0.2], [0.4]]]), ["visual"], ["a"])["median"].round(2).tolist()
    [0.3]
    """
    values = _checked(matrix, modalities, labels).transpose(0, 2, 1).reshape(-1)
    index = pd.MultiIndex.from_product([labels, modalities, range(matrix.shape[1])], names=["slot", "modality", "user"])
    seen = pd.Series(values, index).dropna().groupby(["slot", "modality"], sort=False)
    quartiles = {name: seen.quantile(share) for name, share in zip(("low", "median", "high"), QUARTILES, strict=True)}
    return pd.DataFrame({"users": seen.size(), **quartiles}).reset_index()


def draw_interest_over_slots(interest: pd.DataFrame) -> go.Figure:
    """Draw the median user's degree of interest per slot and modality, the middle half of users as a band.

    Args:
        interest: columns ``slot`` (label, in time order), ``modality``, ``low``, ``median``, ``high``.

    >>> row = {"slot": "a", "modality": "visual", "low": 0.25, "median": 0.5, "high": 0.75}
    >>> draw_interest_over_slots(pd.DataFrame([row])).data[1].y.tolist()
    [0.5]
    """
    need_columns(interest, "slot", "modality", "low", "median", "high")
    slots, names = (list(dict.fromkeys(interest[name])) for name in ("slot", "modality"))
    subtitle = "line: the median user; band: the middle half of the users with a training click in the slot"
    chart = figure("Interest over time", subtitle, y="degree of interest (0 to 1)")
    for name in names:
        rows = interest[interest["modality"] == name]
        chart.add_traces(_line_and_band(rows, rows["slot"].tolist(), name, modality_colour(name, names)))
    chart.update_xaxes(slot_axis(slots), categoryorder="array", categoryarray=slots)
    return chart


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
        bins: per modality.

    Returns:
        columns ``modality, auc, pairs, true, low, median, high``: a row per bin.

    Raises:
        ShapeError: the sizes do not fit each other.
    """
    matrix = _checked(matrix, list(scores), range(len(true)))
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
    chart = make_subplots(1, len(names), subplot_titles=heads, shared_yaxes=True, horizontal_spacing=0.03)
    for place, (name, part) in enumerate(parts.items()):
        for trace in _line_and_band(part, part["true"].tolist(), name, modality_colour(name, names)):
            chart.add_trace(trace, 1, place + 1)
    subtitle = f"{int(recovery['pairs'].max()):,} (user, slot) pairs in bins; line: median, band: middle half; "
    subtitle += "AUC: is the degree higher where the modality truly leads?"
    style(chart, "Recovered against true interest", subtitle, showlegend=False, height=400, margin={"t": 104})
    chart.update_xaxes(title_text="true (planted) interest")
    chart.update_yaxes(title_text="recovered degree of interest", col=1)
    return chart


def _line_and_band(rows: pd.DataFrame, x: list[Any], name: str, colour: str) -> list[go.Scatter]:
    """Median line over a band from ``low`` to ``high``."""
    outline = np.concatenate([rows["low"], rows["high"][::-1]]).astype(np.float32)
    band = go.Scatter(x=[*x, *x[::-1]], y=outline, fill="toself", fillcolor=translucent(colour, 0.15), legendgroup=name)
    band.update(mode="lines", line_width=0, hoverinfo="skip", showlegend=False)
    middle = rows["median"].to_numpy(np.float32)
    line = go.Scatter(x=x, y=middle, name=name, legendgroup=name, mode="lines+markers", line_color=colour)
    return [band, line]


def _checked(matrix: Float, modalities: Sequence[str], labels: Sequence[Any]) -> Float:
    """Return an interest matrix if it is [T, U, M]; else a ShapeError says what was needed."""
    if matrix.ndim != 3 or matrix.shape[0] != len(labels) or matrix.shape[2] != len(modalities):
        needed = f"[slots, users, modalities] = [{len(labels)}, U, {len(modalities)}]"
        raise ShapeError(f"the interest matrix must be {needed}, got {list(matrix.shape)}")
    return matrix
