"""Figures 1 and 2 of the paper from data: how clicks of one user become interest, and hyperedges on both sides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from hyperctr.display.colours import HIGH, LOW, MIDDLE, NEUTRAL, modality_colour
from hyperctr.display.figure import Figure
from hyperctr.display.theme import need_columns, style
from hyperctr.written import show_number

if TYPE_CHECKING:
    from hyperctr.hypergraph.incidence import Hypergraph
    from hyperctr.runs.session import Session

CLICKS = 6
MEAN = "mean: the user's interest"
ROW = 44  # pixels


def six_clicks(session: Session) -> Figure:
    """Draw six training clicks of one user in one slot, the interest they show, and the hyperedges that come of it.

    Of all users and slots with six clicks (or the most there are, if none has six) it is the one whose interest differs
    most between modalities.
    """
    frame = clicks_frame(session)
    user, slot = frame.attrs["user"], frame.attrs["slot"]
    subtitle = f"user {user}, {slot}, {frame['click'].nunique()} training clicks; hyperedges with the members they have"
    chart = draw_clicks(frame, threshold=session.config.interest_threshold, subtitle=subtitle)
    return Figure(chart, "six_clicks", frame, clicks_note(frame, session.config.interest_threshold))


def clicks_frame(session: Session) -> pd.DataFrame:
    """List the clicks of :func:`six_clicks` by modality.

    Returns:
        a row per click and modality: ``click`` (1 is the first), ``item`` (its title), ``modality``, ``degree`` of
        interest, ``interest`` (the user's in the slot, their mean), ``item_members`` (items on the user's hyperedge of
        the modality if this one lies on it, else 0), ``user_members`` (users on the item's hyperedge if this user lies
        on it, else 0); ``attrs`` hold ``user`` and ``slot``.
    """
    data, train, interest = session.data, session.split.train, session.interest
    users, items, slots = data.user_index[train], data.item_index[train], session.slots.index[train]
    user, slot = _choose(users, slots, interest.matrix)
    rows = np.flatnonzero((users == user) & (slots == slot))
    rows = rows[np.argsort(data.timestamp[train[rows]], kind="stable")][:CLICKS]
    titles = session.labels("item")
    of_items, of_users = (session.hypergraphs[kind][slot] for kind in ("item", "user"))
    listed: list[dict[str, Any]] = []
    for place, row in enumerate(rows.tolist(), 1):
        for m, name in enumerate(data.modalities):
            mine = _members(of_items, label=user, group=m)
            theirs = _members(of_users, label=int(items[row]), group=m)
            numbers = {"degree": float(interest.degree[row, m]), "interest": float(interest.matrix[slot, user, m])}
            numbers["item_members"] = len(mine) if items[row] in mine else 0
            numbers["user_members"] = len(theirs) if user in theirs else 0
            listed.append({"click": place, "item": titles[items[row]], "modality": name, **numbers})
    frame = pd.DataFrame(listed)
    frame.attrs.update(user=str(data.users[user]), slot=str(session.slots.labels[slot]))
    return frame


def _choose(users: NDArray[np.int64], slots: NDArray[np.int64], matrix: NDArray[Any]) -> tuple[int, int]:
    """User and slot with six clicks, else with as many as there are, whose interest differs most by modality."""
    counts = np.zeros(matrix.shape[:2], dtype=np.int64)
    np.add.at(counts, (slots, users), 1)
    wanted = CLICKS if (counts == CLICKS).any() else int(counts.max())
    slot, user = np.nonzero(counts == wanted)
    of_each = np.nan_to_num(matrix[slot, user], nan=-1.0)
    spread = np.where((of_each >= 0).all(1), of_each.max(1) - of_each.min(1), -1.0)
    best = int(spread.argmax())
    return int(user[best]), int(slot[best])


def _members(H: Hypergraph, *, label: int, group: int) -> NDArray[np.int64]:
    """Nodes on the hyperedge of a modality that comes of an item or user; none if there is no such hyperedge."""
    edge = np.flatnonzero((H.label.cpu().numpy() == label) & (H.group.cpu().numpy() == group))
    node, of = H.incidence.cpu().numpy()
    return np.asarray(node[np.isin(of, edge)], dtype=np.int64)


def draw_clicks(clicks: pd.DataFrame, *, threshold: float = 0.5, subtitle: str = "") -> go.Figure:
    """Draw a :func:`clicks_frame`: degrees of interest, the items joined by modality, the users who clicked the same.

    Args:
        clicks: columns ``click, item, modality, degree, interest, item_members, user_members``.
        threshold: δ, of Definition 2.
        subtitle: whose clicks these are.

    >>> row = {"click": 1, "item": "a", "modality": "visual", "degree": 0.6, "interest": 0.6}
    >>> chart = draw_clicks(pd.DataFrame([row | {"item_members": 2, "user_members": 3}]))
    >>> chart.data[0].text.tolist(), chart.data[-1].text
    ([['0.600']], ('3 users',))
    """
    need_columns(clicks, "click", "item", "modality", "degree", "interest", "item_members", "user_members")
    names = list(dict.fromkeys(clicks["modality"]))
    grid = clicks.pivot(index="click", columns="modality", values="degree")[names]
    titles = clicks.drop_duplicates("click").set_index("click")["item"]
    rows = [f"{number}. {_short(str(titles[number]))}" for number in grid.index]
    mean = clicks.drop_duplicates("modality").set_index("modality").loc[names, "interest"]
    values = np.vstack([grid.to_numpy(np.float64), mean.to_numpy(np.float64)])[: None if len(rows) > 1 else 1]
    every = [*rows, *([MEAN] if len(rows) > 1 else [])]
    heads = ["degree of interest", "item hyperedges:<br>clicks joined", "user hyperedges:<br>others who clicked it"]
    chart = make_subplots(1, 3, shared_yaxes=True, subplot_titles=heads, horizontal_spacing=0.03)
    reach = max(float(np.nanmax(np.abs(values - threshold))), 0.01)
    text = np.array([["" if np.isnan(value) else show_number(float(value), 3) for value in row] for row in values])
    colours: dict[str, Any] = {
        "colorscale": [LOW, MIDDLE, HIGH],
        "zmin": threshold - 1.6 * reach,
        "zmax": threshold + 1.6 * reach,
    }
    look: dict[str, Any] = {"text": text, "texttemplate": "%{text}", "showscale": False, "xgap": 2, "ygap": 2}
    look |= {"textfont": {"color": "#1b1f24"}, "hoverongaps": False}
    hover = {"hovertemplate": "%{y}, %{x}: %{z:.4f}<extra></extra>"}
    chart.add_heatmap(x=names, y=every, z=values, **colours, **look, **hover, row=1, col=1)
    for column, members, what in ((2, "item_members", "items"), (3, "user_members", "users")):
        for name in names:
            part = clicks[clicks["modality"] == name]
            on = part[members].to_numpy() > 0
            inside = [row for row, flag in zip(rows, on, strict=True) if flag]
            counts = part.loc[on, members]
            label = [f"{count} {what}" for count in counts]
            _column(chart, name, inside, names, column, label if column == 3 else [""] * len(label))
            _column(chart, name, [row for row, flag in zip(rows, on, strict=True) if not flag], names, column, None)
    words = f"; orange: at or above the threshold δ = {threshold:g}; blank: no such features; filled: on a hyperedge"
    height = 190 + ROW * len(every)
    style(chart, "How clicks become hyperedges (Figures 1 and 2)", subtitle + words, height=height, margin={"t": 128})
    chart.update_layout(showlegend=False)
    chart.update_xaxes(showgrid=False, categoryorder="array", categoryarray=names, range=[-0.6, len(names) - 0.4])
    chart.update_yaxes(categoryorder="array", categoryarray=every[::-1], showgrid=False, zeroline=False, ticks="")
    return chart


def _column(
    chart: go.Figure, name: str, rows: list[str], names: list[str], column: int, words: list[str] | None
) -> None:
    """The dots of one modality: hollow off a hyperedge (no words); on one filled, and joined on the item side."""
    colour = modality_colour(name, names)
    marker: dict[str, Any] = {"size": 13, "color": colour}
    if words is None:
        marker = {"size": 8, "color": "white", "line": {"color": NEUTRAL, "width": 1.3}}
    look: dict[str, Any] = {"mode": "markers", "marker": marker, "hoverinfo": "skip"}
    if words:
        joined = column == 2
        look |= {"mode": "lines+markers" if joined else "markers+text", "line": {"color": colour, "width": 9}}
        look |= {"textposition": "top center", "textfont": {"size": 10}, "hoverinfo": "y+text", "text": words}
        look |= {"opacity": 0.85}
    if rows:
        chart.add_scatter(x=[name] * len(rows), y=rows, name=f"{name}, {column}", **look, row=1, col=column)


def _short(title: str, most: int = 26) -> str:
    return title if len(title) <= most else f"{title[: most - 1]}…"


def clicks_note(frame: pd.DataFrame, threshold: float) -> str:
    """Say in words what :func:`six_clicks` shows."""
    parts = []
    for name, rows in frame.groupby("modality", sort=False):
        interest, joined = float(rows["interest"].iloc[0]), int((rows["item_members"] > 0).sum())
        groups = int((rows["user_members"] > 0).sum())
        side = "reaches" if interest >= threshold else "stays below"
        mean = f"the mean, {show_number(interest, 3)}, {side} δ"
        parts.append(
            f"**{name}**: {joined or 'none'} of these clicks share a hyperedge of items; {mean}, so the user is in "
            f"{groups or 'none'} of the groups of users."
        )
    return " ".join(parts)
