"""Why a score, as figures and tables: one pair step by step, and what hyperedges do in general."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from hyperctr.display.colours import BLUE, ORANGE
from hyperctr.display.figure import Figure
from hyperctr.display.table import Table
from hyperctr.display.theme import NEUTRAL, error_bars, figure, need_columns, style
from hyperctr.errors import counted
from hyperctr.runs.effects import BY, CLICKS, KINDS, mean_effects
from hyperctr.runs.effects import effects as effects_of
from hyperctr.runs.explaining import explainer_of
from hyperctr.runs.explanation import contributions_frame, effect, explained, history_frame, sources_frame
from hyperctr.written import show_number

if TYPE_CHECKING:
    from hyperctr.runs.session import Session

RAISES, LOWERS = BLUE, ORANGE  # told apart by colour-blind readers; a sign and a word say it too
ROWS = 12  # hyperedges or clicks that a table lists; its CSV has all
NAMED = 6  # members that a table names
K, FEW = 5, 3  # neighbours, and nearest clicks, of changes
MOST_SLOTS = 12  # that a panel of effects shows; beyond, it shows how old the slots were


def waterfall(explanation: Mapping[str, Any] | None) -> Figure:
    """Draw where one score comes from, source by source.

    Args:
        explanation: what ``inspector.why()`` or :meth:`hyperctr.runs.explaining.ScoreExplainer.explain` returns.

    Raises:
        ConfigError: no pair is explained.
    """
    explanation = explained(explanation)
    frame, rank = sources_frame(explanation), explanation["rank"]
    pair = f"{explanation['who']} and {explanation['what']}, {explanation['moment']} (slot {explanation['slot_label']})"
    place = f"place {rank['place']:,} of {rank['of']:,} among {rank['among']}"
    place += ", before what is changed" if explanation["changes"] else ""
    chart = draw_waterfall(frame, f"{pair}; {place}")
    return Figure(chart, "waterfall", frame)


def draw_waterfall(frame: pd.DataFrame, subtitle: str = "") -> go.Figure:
    """Draw sources one below the other, each from the score before it to the score with it.

    Args:
        frame: columns ``source``, ``value`` and ``score`` (so far); the first row is where it starts.
        subtitle: which pair, when.

    >>> rows = [("base rate", 0.5, 0.5), ("content", -0.1, 0.4), ("history", 0.3, 0.7)]
    >>> chart = draw_waterfall(pd.DataFrame(rows, columns=["source", "value", "score"]))
    >>> chart.data[0].base.tolist(), chart.data[0].text[0]
    ([0.5, 0.4], '−0.1000, lowers')
    """
    need_columns(frame, "source", "value", "score")
    steps, before = frame.iloc[1:], frame["score"].iloc[:-1].to_numpy()
    words = [f"{_signed(value)}, {effect(value)}" for value in steps["value"]]
    chart = figure("Why this score", subtitle, x="probability of a click, where half of the pairs are clicks")
    colours = [RAISES if value >= 0 else LOWERS for value in steps["value"]]
    bars = {"orientation": "h", "marker_color": colours, "width": 0.55, "showlegend": False}
    hover = "%{y}: %{base:.4f} → %{customdata:.4f}<extra></extra>"
    shown = {"text": words, "textposition": "outside", "cliponaxis": False, "hovertemplate": hover}
    chart.add_bar(y=steps["source"], x=steps["value"], base=before, customdata=steps["score"], **bars, **shown)
    ends, scores = [frame["source"].iloc[0], "score"], [frame["score"].iloc[0], frame["score"].iloc[-1]]
    marker = {"symbol": "diamond", "size": 12, "color": NEUTRAL}
    text = {
        "mode": "markers+text",
        "text": [f"  {show_number(score)}" for score in scores],
        "textposition": "middle right",
    }
    chart.add_scatter(x=scores, y=ends, marker=marker, showlegend=False, hoverinfo="skip", **text)
    order = [*frame["source"], "score"]
    for k, score in enumerate(frame["score"]):
        chart.add_shape(
            type="line", x0=score, x1=score, y0=k, y1=k + 1, line={"color": NEUTRAL, "width": 1, "dash": "dot"}
        )
    low, high = frame["score"].min(), frame["score"].max()
    room = max(high - low, 0.01)
    left = 0.45 if (steps["value"] < 0).any() else 0.15  # words stand where a bar ends
    chart.update_xaxes(range=[low - left * room, high + 0.4 * room], tickformat=".3~f")
    chart.update_yaxes(categoryorder="array", categoryarray=order, autorange="reversed", showgrid=False)
    chart.update_layout(height=170 + 42 * len(order), margin_r=40, meta={"least_width": 560})  # words beside the bars
    return chart


def hyperedges(explanation: Mapping[str, Any] | None) -> Table:
    """List the hyperedges that do most to a score, with their members; where there are none, the table says so.

    Raises:
        ConfigError: no pair is explained.
    """
    explanation = explained(explanation)
    rows = explanation["contributions"]
    lines = [
        [f"{row['side']}s", row["title"], row["modality"], row["slot_label"], _signed(row["value"])]
        + [effect(row["value"]), _some(row["members"])]
        for row in rows[:ROWS]
    ]
    head = ["group of", "comes from", "modality", "slot", "effect", "", "members"]
    caption = (
        f"{min(ROWS, len(rows))} of {len(rows):,} hyperedges around the pair. Effect: the score with the hyperedge "
        "minus the score without it; hyperedges act together, so these do not add up."
    )
    if not rows:
        nothing = "No hyperedge touches this pair"
        lines = [[nothing, "", "", "", _signed(0.0), "no effect", "–"]]
        caption = f"{nothing}: its score comes from the user's history and the item alone."
    frame = contributions_frame(explanation)
    frame["members"] = [" ".join(map(str, row["members"])) for row in rows]
    return Table(head, lines, caption, "contributions", text_columns=frozenset({0, 1, 2, 3, 5, 6}), frame=frame)


def clicks(explanation: Mapping[str, Any] | None) -> Table:
    """List the clicks of the history that a score sees, the nearest in time first.

    Raises:
        ConfigError: no pair is explained.
    """
    explanation = explained(explanation)
    rows = explanation["history"]
    lines = [
        [row["title"], row["moment"], row["slot_label"], _signed(row["value"]), effect(row["value"])]
        for row in rows[:ROWS]
    ]
    seen = f"{counted(len(rows), 'click')} that the score sees"
    which = f"The {ROWS} nearest in time of {seen}" if len(rows) > ROWS else f"{seen}, the nearest in time first"
    caption = (
        f"{which}. Effect: the score with the click in the history minus the score without it; hyperedges stay as "
        "they are."
    )
    if not rows:
        nothing = "The score sees no click of this user"
        lines, caption = [[nothing, "", "", _signed(0.0), "no effect"]], f"{nothing}."
    head, text = ["click", "when", "slot", "effect", ""], frozenset({0, 1, 2, 4})
    return Table(head, lines, caption, "history", text_columns=text, frame=history_frame(explanation))


def what_if(session: Session, explanation: Mapping[str, Any]) -> Table:
    """List what the score of an explained pair would be with some change, one at a time.

    Args:
        session: its run gave the score.
        explanation: as for :func:`waterfall`.
    """
    explainer, own = explainer_of(session.run), session.config.interest_threshold
    pair = [explanation[name] for name in ("user", "item", "timestamp")]
    clicks = [[click["item"], click["timestamp"]] for click in explanation["history"]]
    names, delta = session.data.modalities, "\N{GREEK SMALL LETTER DELTA}"
    asked: dict[str, dict[str, Any]] = {f"no {name} hyperedge": {"removed_modalities": [name]} for name in names}
    asked["no hyperedge"] = {"removed_modalities": names}
    if clicks:
        asked["the nearest click had not been"] = {"removed_clicks": clicks[:1]}
    if len(clicks) > FEW:
        asked[f"the {FEW} nearest clicks had not been"] = {"removed_clicks": clicks[:FEW]}
    for step in (-0.2, 0.2):
        if 0 <= own + step <= 1:
            asked[f"{delta} were {own + step:g}, not {own:g}"] = {"delta": round(own + step, 6)}
    asked[f"hyperedges and users had {K} neighbours at most"] = {"neighbours": K}
    scores = [explainer.explain(*pair, **changes)["new_score"] for changes in asked.values()]
    columns = {"if": list(asked), "score": scores, "difference": np.array(scores) - explanation["score"]}
    caption = f"The score as the model gives it is {show_number(explanation['score'])}. With another {delta} or fewer "
    caption += "neighbours, the hypergraphs are built anew, the weights are as trained. "
    caption += "Clicks leave the history; hyperedges stay."
    signs = {"difference": lambda value: _signed(float(value))}
    return Table.from_frame(pd.DataFrame(columns), formats=signs, caption=caption, name="what_if")


def effects(session: Session, clicks: int = CLICKS, seed: int = 0) -> Figure:
    """Mean effects of sources and hyperedges on the scores of a sample of test clicks, and of items not clicked.

    Args:
        session: its run is trained if it was not yet.
        clicks: test clicks in the sample at most, some 20 ms each.
        seed: of the sample.
    """
    found = effects_of(session.run, clicks, seed)
    frame = mean_effects(found)
    subtitle = f"{found.clicks:,} of {found.of:,} test clicks (drawn by seed {seed}), beside each an item not clicked; "
    subtitle += "dots: means, bars: 95 % bootstrap intervals over users"
    return Figure(draw_effects(frame, subtitle), "effects", frame)


def draw_effects(frame: pd.DataFrame, subtitle: str = "") -> go.Figure:
    """Draw mean effects with intervals: a panel each for sources, modalities, slots and sizes of hyperedges.

    Args:
        frame: what :func:`hyperctr.runs.effects.mean_effects` returns.
        subtitle: how many clicks.

    >>> columns = ["by", "group", "kind", "mean", "low", "high", "effects"]
    >>> frame = pd.DataFrame([("source", "history", "clicked", 0.1, 0.0, 0.2, 9)], columns=columns)
    >>> draw_effects(frame).data[0].x.tolist()
    [0.1]
    """
    need_columns(frame, "by", "group", "kind", "mean", "low", "high", "effects")
    slots = frame.loc[frame["by"] == "slot", "group"].nunique()
    shown = ["source", "modality", "slot" if slots <= MOST_SLOTS else "age", "size"]
    titles = [f"{'all of a source' if by == 'source' else 'one hyperedge'}, by {BY[by]}" for by in shown]
    chart = make_subplots(2, 2, subplot_titles=titles, horizontal_spacing=0.2, vertical_spacing=0.25)
    for place, by in enumerate(shown):
        part, where = frame[frame["by"] == by], {"row": place // 2 + 1, "col": place % 2 + 1}
        groups = list(dict.fromkeys(part["group"]))
        for k, (kind, colour, symbol) in enumerate(
            zip(KINDS, (RAISES, NEUTRAL), ("circle", "circle-open"), strict=True)
        ):
            rows = part[part["kind"] == kind]
            points = {"x": rows["mean"], "y": [groups.index(group) + 0.24 * (k - 0.5) for group in rows["group"]]}
            points["error_x"] = error_bars(rows["mean"], rows["low"], rows["high"], color=colour)
            points["marker"] = {"color": colour, "symbol": symbol, "size": 8, "line": {"width": 2, "color": colour}}
            hover = "%{text}: %{x:+.5f} over %{customdata:,}<extra>" + kind + "</extra>"
            told = {"text": rows["group"], "customdata": rows["effects"], "hovertemplate": hover}
            named = {"name": kind, "legendgroup": kind, "showlegend": not place}
            chart.add_scatter(mode="markers", **points, **told, **named, **where)
        ticks = {"tickvals": list(range(len(groups))), "ticktext": groups, "range": [len(groups) - 0.5, -0.5]}
        chart.update_yaxes(**ticks, showgrid=False, **where)
    chart.update_xaxes(zeroline=True, zerolinecolor=NEUTRAL, zerolinewidth=1.5, exponentformat="none")
    chart.update_xaxes(rangemode="tozero", title_text="mean change in probability", nticks=3, tickangle=0)
    style(chart, "What sources and hyperedges do to scores", subtitle, height=660, margin={"t": 130, "b": 100})
    # measured from the chart's lower edge: below the titles of the axes at any width
    chart.update_layout(legend={"yref": "container", "y": 0.015, "yanchor": "bottom", "x": 0, "xanchor": "left"})
    return chart


def _signed(value: float) -> str:
    return show_number(float(value), sign=True)


def _some(members: list[Any]) -> str:
    """Name the first members, and say how many there are."""
    return f"{len(members):,}: {', '.join(map(str, members[:NAMED]))}{', …' if len(members) > NAMED else ''}"
