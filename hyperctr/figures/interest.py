"""Figures about the interest matrix F (section 2.3): per user, slot and modality."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import plotly.express as px
import plotly.graph_objects as go
from numpy.typing import NDArray

from hyperctr.display.figure import Figure
from hyperctr.display.theme import SEQUENTIAL, figure, modality_colour, need_columns, style, translucent
from hyperctr.errors import ShapeError

if TYPE_CHECKING:
    from hyperctr.runs.session import Session

Float = NDArray[np.floating[Any]]
QUARTILES = (0.25, 0.5, 0.75)


def interest(session: Session) -> Figure:
    """Heat maps of the session's interest matrix: some users, all slots, a panel per modality."""
    matrix, data = session.interest.matrix, session.data
    frame = user_interest_frame(matrix, data.modalities, session.slots.labels, data.users)
    return Figure(draw_interest(frame, total_users=data.num_users), "interest", frame)


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
    """
    matrix = checked_matrix(matrix, modalities, labels)
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


def draw_interest(interest: pd.DataFrame, *, total_users: int | None = None) -> go.Figure:
    """Draw the interest matrix as heat maps, one panel per modality: a row per user, a column per slot.

    Args:
        interest: columns ``user, slot, modality, interest`` in the order to draw; NaN where nothing is known.
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
    low, high = np.nanquantile(cube, [0.02, 0.98]) if np.isfinite(cube).any() else (0.0, 1.0)
    made = px.imshow(
        cube,
        x=slots,
        y=[f"user {user}" for user in users],
        facet_col=0,
        facet_col_spacing=0.02,
        aspect="auto",
        zmin=float(low),
        zmax=float(high),
        color_continuous_scale=SEQUENTIAL,
        labels={"x": "time slot", "y": "", "color": "degree of<br>interest"},
    )
    made.for_each_annotation(lambda title: title.update(text=names[int(title.text.partition("=")[2])], font_size=16))
    made.update_traces(xgap=1, ygap=1, hoverongaps=False)
    made.update_coloraxes(colorbar_thickness=12)
    style(
        made,
        "Interest matrix",
        f"{len(users)} of {total_users or len(users):,} users (those seen in most slots), by their strongest "
        "modality; blank: no training click in the slot",
        height=190 + max(14 * len(users), 120),
        margin={"t": 104},
    )
    made.update_xaxes(tickangle=-45, showgrid=False, type="category", nticks=min(12, len(slots)))
    made.update_yaxes(showgrid=False, type="category", autorange="reversed", tickfont={"size": 10})
    return made


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
    values = checked_matrix(matrix, modalities, labels).transpose(0, 2, 1).reshape(-1)
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
    made = figure(
        "Interest over time",
        "line: the median user; band: the middle half of the users with a training click in the slot",
        x="time slot",
        y="degree of interest (0 to 1)",
    )
    for name in names:
        rows = interest[interest["modality"] == name]
        made.add_traces(line_and_band(rows, rows["slot"].tolist(), name, modality_colour(name, names)))
    made.update_xaxes(type="category", categoryorder="array", categoryarray=slots, nticks=8)
    return made


def line_and_band(rows: pd.DataFrame, x: list[Any], name: str, colour: str) -> list[go.Scatter]:
    """Median line over a band from ``low`` to ``high``."""
    outline = np.concatenate([rows["low"], rows["high"][::-1]]).astype(np.float32)
    band = go.Scatter(x=[*x, *x[::-1]], y=outline, fill="toself", fillcolor=translucent(colour, 0.15), legendgroup=name)
    band.update(mode="lines", line_width=0, hoverinfo="skip", showlegend=False)
    middle = rows["median"].to_numpy(np.float32)
    line = go.Scatter(x=x, y=middle, name=name, legendgroup=name, mode="lines+markers", line_color=colour)
    return [band, line]


def checked_matrix(matrix: Float, modalities: Sequence[str], labels: Sequence[Any]) -> Float:
    """Return an interest matrix if it is [T, U, M]; else a ShapeError says what was needed."""
    if matrix.ndim != 3 or matrix.shape[0] != len(labels) or matrix.shape[2] != len(modalities):
        raise ShapeError(
            f"the interest matrix must be [slots, users, modalities] = "
            f"[{len(labels)}, U, {len(modalities)}], got {list(matrix.shape)}"
        )
    return matrix
