"""Figures 4-6: AUC against a setting, a mark per seed, the mean with its interval, and what the paper states."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from hyperctr.display.theme import NEUTRAL, need_columns, style, translucent
from hyperctr.paper.figures.settings_frame import COLUMNS, REPORTED, missing_runs
from hyperctr.paper.settings import axis_of

TEST, VALIDATION = "#0072B2", "#D55E00"
# under the plot, where it meets neither a subtitle nor, on a narrow page, the title
LEGEND = {"x": 0, "xanchor": "left", "y": -0.19, "yanchor": "top"}
NARROWEST = 0.01  # an axis never shows less than this much AUC: a flat line should look flat


def axis_figure(frame: pd.DataFrame, title: str, measured: str = "") -> go.Figure:
    """Draw an :func:`~hyperctr.paper.figures.settings_frame.axis_frame`, one panel per setting.

    Args:
        frame: the frame.
        title: of the figure.
        measured: what the AUC is measured on, for the subtitle.

    >>> from hyperctr.paper.figures.settings_frame import axis_frame
    >>> runs = pd.DataFrame({"axis": "layers", "value": [1.0, 2.0], "label": ["1", "2"], "seed": 0, "run": "r",
    ...     "state": "done", "auc": [0.7, 0.8], "auc_low": 0.6, "auc_high": 0.9, "best_validation_auc": [0.7, 0.8]})
    >>> axis_figure(axis_frame(runs), "Layers").layout.xaxis.title.text
    'convolution layers'
    """
    need_columns(frame, *COLUMNS)
    settings = list(dict.fromkeys(frame["setting"].dropna()))
    chart = make_subplots(1, len(settings), shared_yaxes=True, horizontal_spacing=0.04)
    low, high = _range(frame)
    simple = frame[frame["kind"] == "reference"]
    drawn = simple["auc"].between(low, high)
    for column, setting in enumerate(settings, 1):
        _panel(chart, frame[frame["setting"] == setting], setting, column)
        _references(chart, simple[drawn], column, named=column == len(settings))
    style(
        chart, title, _subtitle(frame, measured, simple[~drawn]), height=480, legend=LEGEND, margin={"t": 72, "b": 104}
    )
    chart.update_yaxes(range=[low, high], tickformat=".3f")
    chart.update_yaxes(title_text="AUC", col=1)
    return chart


def _subtitle(frame: pd.DataFrame, measured: str, outside: pd.DataFrame) -> str:
    most = int(frame.loc[frame["kind"] == "mean", "seeds"].max())
    band = f"interval of the mean over {most} seeds" if most > 1 else "bootstrap interval over test users, one seed"
    parts = [measured, f"band: 95 % {band}"]
    names = [f"{one['label']} {one['auc']:.4f}" for one in outside.to_dict("records")]
    parts += [f"not on the axis: {', '.join(names)}"] if names else []
    lost = missing_runs(frame)
    if lost:
        more = f" and {len(lost) - 4} more" if len(lost) > 4 else ""
        parts.append(f"no result: {'; '.join(lost[:4])}{more}")
    return "; ".join(part for part in parts if part)


def _range(frame: pd.DataFrame) -> tuple[float, float]:
    """The y axis fits the runs; simple models are on it if they are near, else named in the subtitle."""
    shown = frame[frame["kind"].isin(["run", "mean"])]
    columns = ["auc", "auc_low", "auc_high", "validation_auc"]
    values = shown[columns].to_numpy(np.float64)
    values = values[np.isfinite(values)]
    if not len(values):
        return 0.0, 1.0
    low, high = values.min(), values.max()
    span = max(high - low, NARROWEST)
    near = frame.loc[frame["kind"] == "reference", "auc"].to_numpy(np.float64)
    near = near[(near > low - span) & (near < high + span)]
    low, high = min([low, *near]), max([high, *near])
    span = max(high - low, NARROWEST)
    middle = (low + high) / 2
    return float(middle - 0.72 * span), float(middle + 0.62 * span)  # room for the paper's strip below


def _panel(chart: go.Figure, frame: pd.DataFrame, setting: str, column: int) -> None:
    axis = axis_of(setting)
    runs, means = (frame[frame["kind"] == kind] for kind in ("run", "mean"))
    means = means.assign(x=axis.places(means["value"], means["value"])).sort_values("x")
    first, where = column == 1, {"row": 1, "col": column}
    stretches = _stretches(means)
    for part in stretches:
        edge = pd.concat([part["auc_high"], part["auc_low"][::-1]])
        chart.add_scatter(
            x=pd.concat([part["x"], part["x"][::-1]]),
            y=edge,
            mode="lines",
            line_width=0,
            fill="toself",
            fillcolor=translucent(TEST, 0.14),
            hoverinfo="skip",
            showlegend=False,
            **where,
        )
    chart.add_scatter(
        x=means["x"],
        y=means["validation_auc"],
        name="validation AUC",
        legendgroup="validation",
        mode="lines+markers",
        line={"color": VALIDATION, "dash": "dash", "width": 1.5},
        marker={"symbol": "diamond-open", "size": 8},
        showlegend=first,
        hovertemplate="validation AUC %{y:.4f}<extra></extra>",
        **where,
    )
    alone = ~means.index.isin([row for part in stretches for row in part.index])
    arms = {
        "array": (means["auc_high"] - means["auc"]).where(alone, 0),
        "width": 3,
        "thickness": 1.5,
        "arrayminus": (means["auc"] - means["auc_low"]).where(alone, 0),
    }
    chart.add_scatter(
        x=means["x"],
        y=means["auc"],
        name="test AUC, mean",
        legendgroup="mean",
        mode="lines+markers",
        line={"color": TEST, "width": 2},
        marker_size=7,
        error_y=arms,
        showlegend=first,
        customdata=means[["label", "auc_low", "auc_high", "seeds"]],
        hovertemplate="%{customdata[0]}: test AUC %{y:.4f}<br>%{customdata[1]:.4f} to "
        "%{customdata[2]:.4f}, seeds: %{customdata[3]}<extra></extra>",
        **where,
    )
    done = runs[np.isfinite(runs["auc"].to_numpy(np.float64))]
    if len(done) > len(done["value"].unique()):  # one run per value is its own mean
        chart.add_scatter(
            x=axis.places(done["value"], means["value"]),
            y=done["auc"],
            name="test AUC, a seed",
            legendgroup="seed",
            mode="markers",
            showlegend=first,
            marker={"color": TEST, "size": 6, "symbol": "circle-open"},
            customdata=done[["seed", "run"]],
            hovertemplate="seed %{customdata[0]}: %{y:.4f}<br>run %{customdata[1]}<extra></extra>",
            **where,
        )
    _chosen(chart, means, where, first)
    stated = frame[frame["kind"] == "paper"]
    # values that only the paper has widen the axis, too
    values = [*means["value"], *stated["value"], *stated["value_high"]]
    values = sorted({float(value) for value in values if np.isfinite(value)})
    places = axis.places(values, means["value"])
    room = 0.06 * (max(places) - min(places)) or 0.5
    limits = (min(places) - room, max(places) + room)
    ticks = [axis.tick(value) for value in values]
    chart.update_xaxes(title_text=axis.title, tickvals=places, ticktext=ticks, range=limits, **where)
    _stated(chart, stated, setting, means["value"].tolist(), limits, column)


def _stretches(means: pd.DataFrame) -> list[pd.DataFrame]:
    """Cut the means where one is missing: a band is not drawn over what was not measured."""
    there = np.isfinite(means[["auc", "auc_low", "auc_high"]].to_numpy(np.float64)).all(axis=1)
    group = np.cumsum(~there)
    return [part for _, part in means[there].groupby(group[there]) if len(part) > 1]


def _chosen(chart: go.Figure, means: pd.DataFrame, where: dict[str, int], first: bool) -> None:
    best = means[means["chosen"]]
    ring = {"size": 15, "symbol": "circle-open", "color": TEST, "line": {"width": 2}}
    chart.add_scatter(
        x=best["x"],
        y=best["auc"],
        mode="markers",
        marker=ring,
        name="chosen on validation",
        legendgroup="chosen",
        showlegend=first and len(best) > 0,
        hovertemplate="chosen on validation: test AUC %{y:.4f}<extra></extra>",
        **where,
    )


def _stated(
    chart: go.Figure, stated: pd.DataFrame, setting: str, values: list[float], limits: tuple[float, float], column: int
) -> None:
    """Mark at the foot of the panel where the paper finds the best value."""
    axis = axis_of(setting)
    line: dict[str, Any] = {"xref": f"x{_number(column)}", "yref": f"y{_number(column)} domain"}
    ranges = sorted(set(zip(stated["value"], stated["value_high"], strict=True)))
    for place, (low, high) in enumerate(ranges):
        ones = stated[(stated["value"] == low) & (stated["value_high"] == high)]
        beyond = not np.isfinite(high)
        left, right = axis.places([low, low if beyond else high], values)
        right = limits[1] if beyond else right
        names = list(dict.fromkeys(ones["label"]))
        text = f"best: {'all three' if len(names) == 3 else ', '.join(names)}{' →' if beyond else ''}"
        text = "paper's results" if names == [REPORTED] else f"paper's {text}"
        if left == right:
            chart.add_shape(type="line", x0=left, x1=left, y0=0, y1=0.045, **line, line={"color": NEUTRAL, "width": 3})
        else:
            chart.add_shape(type="rect", x0=left, x1=right, y0=0, y1=0.02, **line, line_width=0, fillcolor=NEUTRAL)
        middle = (left + right) / 2
        share = (middle - limits[0]) / (limits[1] - limits[0])
        # near an edge the words are aligned to it, or they would be cut off
        side, x = ("left", limits[0]) if share < 0.15 else ("right", limits[1]) if share > 0.85 else ("center", middle)
        height = 0.045 + 0.05 * (place % 2)  # neighbours would run into each other
        chart.add_annotation(
            x=x,
            y=height,
            xanchor=side,
            yanchor="bottom",
            showarrow=False,
            **line,
            text=text,
            font={"size": 11, "color": NEUTRAL},
        )


def _references(chart: go.Figure, rows: pd.DataFrame, column: int, named: bool) -> None:
    number = _number(column)
    for place, one in enumerate(rows.sort_values("auc", ascending=False).to_dict("records")):
        line = {"color": NEUTRAL, "width": 1.5, "dash": ("dot", "dashdot")[place % 2]}
        chart.add_hline(one["auc"], line=line, row=1, col=column)
        if named:
            chart.add_annotation(
                y=one["auc"],
                yref=f"y{number}",
                x=1,
                xref=f"x{number} domain",
                xanchor="right",
                yanchor=("bottom", "top")[place % 2],
                text=f"{one['label']} {one['auc']:.4f}",
                showarrow=False,
                font={"size": 11, "color": NEUTRAL},
            )


def _number(column: int) -> str:
    """The first axis has no number in plotly's names."""
    return "" if column == 1 else str(column)
