"""The drawing of Figures 4 to 6: test AUC by value, and below it the paired difference to the default.

A setting is tried at a few values: dots with their intervals, and nothing between them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from hyperctr.display.colours import BLUE, ORANGE
from hyperctr.display.theme import LEGEND_BELOW, NEUTRAL, error_bars, need_columns, style
from hyperctr.paper.settings import Axis, axis_of
from hyperctr.sweeps.seeds import records
from hyperctr.written import show_number

AUC = ("auc", "auc_low", "auc_high")
GAIN = ("auc_gain", "auc_gain_low", "auc_gain_high")
COLUMNS = ["kind", "setting", "value", "value_high", "label", "seed", "run", "state"]
COLUMNS += [*AUC, "validation_auc", "seeds", "chosen", "reference", *GAIN]
REPORTED = "its reported results"  # label of a value the paper uses without calling it best
TEST, VALIDATION = BLUE, ORANGE
_SMALL: dict[str, Any] = {"showarrow": False, "font": {"size": 11, "color": NEUTRAL}}
NARROWEST = 0.01  # an axis never shows less than this much AUC: what is flat should look flat
HEIGHTS = (0.6, 0.4)  # shares of the two rows


def settings_chart(frame: pd.DataFrame, title: str, measured: str = "") -> go.Figure:
    """Draw a :func:`~hyperctr.paper.figures.figures4to6_settings.settings_frame`, one column per setting.

    ``measured`` says in the subtitle what the AUC is measured on.

    Raises:
        ShapeError: a column is missing.
    """
    need_columns(frame, *COLUMNS)
    settings = list(dict.fromkeys(frame["setting"].dropna()))
    look: dict[str, Any] = {"horizontal_spacing": 0.05, "vertical_spacing": 0.06, "row_heights": list(HEIGHTS)}
    chart = make_subplots(2, len(settings), shared_yaxes=True, **look)
    low, high = _range(frame)
    baselines = frame[frame["kind"] == "baseline"]
    near = baselines["auc"].between(low, high)
    for column, setting in enumerate(settings, 1):
        _panel(chart, frame[frame["setting"] == setting], axis_of(setting), column)
        _baselines(chart, baselines[near], column, named=column == len(settings))
    subtitle = _subtitle(frame, measured, baselines[~near])
    style(chart, title, subtitle, height=600, legend=LEGEND_BELOW, margin={"t": 72, "b": 104})
    chart.update_yaxes(range=[low, high], tickformat=".3f", row=1)
    chart.update_yaxes(range=_gain_range(frame), tickformat=".3f", row=2)
    chart.update_yaxes(title_text="AUC", row=1, col=1)
    chart.update_yaxes(title_text=f"test AUC minus<br>that of {_reference(frame)}", row=2, col=1)
    return chart


def missing_runs(frame: pd.DataFrame) -> list[str]:
    """Name the planned runs that have no result: "5, seed 0: failed"."""
    lost = frame[(frame["kind"] == "run") & (frame["state"] != "done")]
    return [f"{row['label']}, seed {int(row['seed'])}: {row['state']}" for row in records(lost)]


def _reference(frame: pd.DataFrame) -> str:
    return "the value chosen" if "chosen" in set(frame["reference"]) else "the default"


def _subtitle(frame: pd.DataFrame, measured: str, outside: pd.DataFrame) -> str:
    most = int(frame.loc[frame["kind"] == "mean", "seeds"].max())
    bars = f"of the mean over {most} seeds" if most > 1 else "over test users, one seed"
    parts = [measured, f"bars: 95 % intervals, {bars}; below, differences are paired by seed and test user"]
    names = [f"{row['label']} {show_number(row['auc'])}" for row in records(outside)]
    parts += [f"not on the axis: {', '.join(names)}"] if names else []
    lost = missing_runs(frame)
    if lost:
        more = f" and {len(lost) - 4} more" if len(lost) > 4 else ""
        parts.append(f"no result: {'; '.join(lost[:4])}{more}")
    return "; ".join(part for part in parts if part)


def _range(frame: pd.DataFrame) -> tuple[float, float]:
    """The y axis fits the runs; baselines are on it if they are near, else named in the subtitle."""
    values = frame.loc[frame["kind"].isin(["run", "mean"]), [*AUC, "validation_auc"]].to_numpy(np.float64)
    values = values[np.isfinite(values)]
    if not len(values):
        return 0.0, 1.0
    low, high = values.min(), values.max()
    span = max(high - low, NARROWEST)
    near = frame.loc[frame["kind"] == "baseline", "auc"].to_numpy(np.float64)
    near = near[(near > low - span) & (near < high + span)]
    low, high = min([low, *near]), max([high, *near])
    span = max(high - low, NARROWEST)
    middle = (low + high) / 2
    return float(middle - 0.78 * span), float(middle + 0.62 * span)  # room for the paper's strip below


def _gain_range(frame: pd.DataFrame) -> list[float]:
    """The axis of differences has zero on it, and fits them all."""
    drawn = frame[list(GAIN)].to_numpy(np.float64)
    values = np.append(drawn[np.isfinite(drawn)], 0.0)
    low, high = float(values.min()), float(values.max())
    room = 0.12 * max(high - low, NARROWEST) + max(NARROWEST - (high - low), 0) / 2
    return [low - room, high + room]


def _panel(chart: go.Figure, frame: pd.DataFrame, axis: Axis, column: int) -> None:
    runs, means, stated = (frame[frame["kind"] == kind] for kind in ("run", "mean", "paper"))
    means = means.assign(x=axis.places(means["value"], means["value"])).sort_values("x")
    place: dict[str, Any] = {"row": 1, "col": column}

    def add(name: str, rows: pd.DataFrame, y: str, hover: str, **look: Any) -> None:
        look |= {"name": name, "legendgroup": name, "showlegend": column == 1 and len(rows) > 0, "mode": "markers"}
        chart.add_scatter(x=rows["x"], y=rows[y], hovertemplate=f"{hover}<extra></extra>", **{**place, **look})

    done = runs[np.isfinite(runs["auc"].to_numpy(np.float64))]
    if len(done) > len(done["value"].unique()):  # one run per value is its own mean
        done = done.assign(x=axis.places(done["value"], means["value"]))
        look = {"marker": {"color": TEST, "size": 5, "symbol": "circle-open"}, "customdata": done[["seed", "run"]]}
        add(
            "test AUC, a seed",
            done,
            "auc",
            "seed %{customdata[0]}: %{y:.4f}<br>run %{customdata[1]}",
            opacity=0.6,
            **look,
        )
    marker = {"symbol": "diamond-open", "size": 9, "color": VALIDATION}
    add("validation AUC", means, "validation_auc", "validation AUC %{y:.4f}", marker=marker)
    hover = "%{customdata[0]}: test AUC %{y:.4f}<br>%{customdata[1]:.4f} to %{customdata[2]:.4f}, "
    hover += "seeds: %{customdata[3]}"
    data = means[["label", "auc_low", "auc_high", "seeds"]]
    bars = error_bars(means["auc"], means["auc_low"], means["auc_high"], width=4, color=TEST)
    dot = {"color": TEST, "size": 8}
    add("test AUC, mean", means, "auc", hover, marker=dot, customdata=data, error_y=bars)
    ring = {"size": 15, "symbol": "circle-open", "color": TEST, "line": {"width": 2}}
    add("chosen on validation", means[means["chosen"]], "auc", "chosen on validation: test AUC %{y:.4f}", marker=ring)
    bars = error_bars(means[GAIN[0]], means[GAIN[1]], means[GAIN[2]], width=4, color=TEST)
    hover = "%{customdata[0]}: %{y:+.4f}<br>%{customdata[1]:+.4f} to %{customdata[2]:+.4f}"
    below: dict[str, Any] = {"row": 2, "error_y": bars, "customdata": means[["label", *GAIN[1:]]]}
    add("difference", means, GAIN[0], hover, marker=dot, **below)
    chart.update_traces(showlegend=False, selector={"name": "difference"})
    chart.add_hline(0, line={"color": NEUTRAL, "width": 1.5}, row=2, col=column)
    marked = means[means["reference"].isin(["default", "chosen"])].assign(zero=0.0)
    square = {"symbol": "square", "size": 9, "color": NEUTRAL}
    add(_reference(frame), marked, "zero", _reference(frame), marker=square, row=2)
    # values that only the paper has widen the axis, too
    every = {float(value) for value in (*means["value"], *stated["value"], *stated["value_high"])}
    values = sorted(value for value in every if np.isfinite(value))
    places = axis.places(values, means["value"])
    room = 0.06 * (max(places) - min(places)) or 0.5
    limits = (min(places) - room, max(places) + room)
    ticks = {"tickvals": places, "ticktext": [axis.tick(value) for value in values], "range": limits}
    chart.update_xaxes(**ticks, showticklabels=False, row=1, col=column)
    chart.update_xaxes(**ticks, title_text=axis.title, row=2, col=column)
    _stated(chart, stated, axis, means["value"].tolist(), limits, column)


def _stated(
    chart: go.Figure, stated: pd.DataFrame, axis: Axis, values: list[float], limits: tuple[float, float], column: int
) -> None:
    """Mark at the foot of the panel where the paper finds the best value."""
    panel: dict[str, Any] = {"row": 1, "col": column, "yref": "y domain"}
    ranges = stated.groupby(["value", "value_high"])["label"].unique().reset_index()
    for place, row in enumerate(records(ranges)):
        low, high, names = row["value"], row["value_high"], list(row["label"])
        beyond = not np.isfinite(high)
        left, right = axis.places([low, low if beyond else high], values)
        right = limits[1] if beyond else right
        text = f"best: {'all three' if len(names) == 3 else ', '.join(names)}{' →' if beyond else ''}"
        text = "paper's results" if names == [REPORTED] else f"paper's {text}"
        if left == right:
            chart.add_shape(type="line", x0=left, x1=left, y0=0, y1=0.045, **panel, line={"color": NEUTRAL, "width": 3})
        else:
            chart.add_shape(type="rect", x0=left, x1=right, y0=0, y1=0.02, **panel, line_width=0, fillcolor=NEUTRAL)
        middle = (left + right) / 2
        share = (middle - limits[0]) / (limits[1] - limits[0])
        # near an edge the words are aligned to it, or they would be cut off
        side, x = ("left", limits[0]) if share < 0.15 else ("right", limits[1]) if share > 0.85 else ("center", middle)
        y = 0.045 + 0.05 * (place % 2)  # neighbours would run into each other
        chart.add_annotation(text=text, x=x, y=y, xanchor=side, yanchor="bottom", **panel, **_SMALL)


def _baselines(chart: go.Figure, rows: pd.DataFrame, column: int, named: bool) -> None:
    for place, row in enumerate(records(rows.sort_values("auc", ascending=False))):
        line = {"color": NEUTRAL, "width": 1.5, "dash": ("dot", "dashdot")[place % 2]}
        chart.add_hline(row["auc"], line=line, row=1, col=column)
        if named:
            at = {"x": 1, "xref": "x domain", "xanchor": "right", "y": row["auc"], "row": 1, "col": column}
            chart.add_annotation(text=f"{row['label']} {show_number(row['auc'])}", yanchor="bottom", **at, **_SMALL)
