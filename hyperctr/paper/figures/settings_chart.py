"""The drawing of Figures 4 to 6: a mark per seed, the mean with its interval, baselines, and what the paper states."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from hyperctr.display.theme import LEGEND_BELOW, NEUTRAL, error_bars, need_columns, style, translucent
from hyperctr.paper.settings import Axis, axis_of
from hyperctr.sweeps.results import DEFICIT
from hyperctr.sweeps.seeds import records

AUC = ("auc", "auc_low", "auc_high")
COLUMNS = ["kind", "setting", "value", "value_high", "label", "seed", "run", "state"]
COLUMNS += [*AUC, "validation_auc", "seeds", "chosen", *DEFICIT]
REPORTED = "its reported results"  # label of a value the paper uses without calling it best
TEST, VALIDATION = "#0072B2", "#D55E00"
_SMALL: dict[str, Any] = {"showarrow": False, "font": {"size": 11, "color": NEUTRAL}}
_BAND: dict[str, Any] = {"mode": "lines", "line_width": 0, "fill": "toself", "fillcolor": translucent(TEST, 0.14)}
_BAND |= {"hoverinfo": "skip", "showlegend": False}
NARROWEST = 0.01  # an axis never shows less than this much AUC: a flat line should look flat


def settings_chart(frame: pd.DataFrame, title: str, measured: str = "") -> go.Figure:
    """Draw a :func:`~hyperctr.paper.figures.figures4to6_settings.settings_frame`, one panel per setting.

    ``measured`` says in the subtitle what the AUC is measured on.

    Raises:
        ShapeError: a column is missing.
    """
    need_columns(frame, *COLUMNS)
    settings = list(dict.fromkeys(frame["setting"].dropna()))
    chart = make_subplots(1, len(settings), shared_yaxes=True, horizontal_spacing=0.04)
    low, high = _range(frame)
    baselines = frame[frame["kind"] == "baseline"]
    near = baselines["auc"].between(low, high)
    for column, setting in enumerate(settings, 1):
        _panel(chart, frame[frame["setting"] == setting], axis_of(setting), column)
        _baselines(chart, baselines[near], column, named=column == len(settings))
    subtitle = _subtitle(frame, measured, baselines[~near])
    style(chart, title, subtitle, height=480, legend=LEGEND_BELOW, margin={"t": 72, "b": 104})
    chart.update_yaxes(range=[low, high], tickformat=".3f")
    chart.update_yaxes(title_text="AUC", col=1)
    return chart


def missing_runs(frame: pd.DataFrame) -> list[str]:
    """Name the planned runs that have no result: "5, seed 0: failed"."""
    lost = frame[(frame["kind"] == "run") & (frame["state"] != "done")]
    return [f"{row['label']}, seed {int(row['seed'])}: {row['state']}" for row in records(lost)]


def _subtitle(frame: pd.DataFrame, measured: str, outside: pd.DataFrame) -> str:
    most = int(frame.loc[frame["kind"] == "mean", "seeds"].max())
    band = f"interval of the mean over {most} seeds" if most > 1 else "bootstrap interval over test users, one seed"
    parts = [measured, f"band: 95 % {band}"]
    names = [f"{row['label']} {row['auc']:.4f}" for row in records(outside)]
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
    return float(middle - 0.72 * span), float(middle + 0.62 * span)  # room for the paper's strip below


def _panel(chart: go.Figure, frame: pd.DataFrame, axis: Axis, column: int) -> None:
    runs, means, stated = (frame[frame["kind"] == kind] for kind in ("run", "mean", "paper"))
    means = means.assign(x=axis.places(means["value"], means["value"])).sort_values("x")
    place: dict[str, Any] = {"row": 1, "col": column}

    def add(name: str, rows: pd.DataFrame, y: str, hover: str, **look: Any) -> None:
        look |= {"name": name, "legendgroup": name, "showlegend": column == 1 and len(rows) > 0}
        look = {"mode": "lines+markers", "hovertemplate": f"{hover}<extra></extra>", **look, **place}
        chart.add_scatter(x=rows["x"], y=rows[y], **look)

    stretches = _stretches(means)
    for part in stretches:
        x = pd.concat([part["x"], part["x"][::-1]])
        y = pd.concat([part["auc_high"], part["auc_low"][::-1]])
        chart.add_scatter(x=x, y=y, **_BAND, **place)
    line, marker = {"color": VALIDATION, "dash": "dash", "width": 1.5}, {"symbol": "diamond-open", "size": 8}
    add("validation AUC", means, "validation_auc", "validation AUC %{y:.4f}", line=line, marker=marker)
    alone = ~means.index.isin([row for part in stretches for row in part.index])
    bounds = (means[name].where(alone, means["auc"]) for name in ("auc_low", "auc_high"))
    bars = {"error_y": error_bars(means["auc"], *bounds, width=3), "line": {"color": TEST, "width": 2}}
    hover = "%{customdata[0]}: test AUC %{y:.4f}<br>%{customdata[1]:.4f} to %{customdata[2]:.4f}, "
    hover += "seeds: %{customdata[3]}"
    data = means[["label", "auc_low", "auc_high", "seeds"]]
    add("test AUC, mean", means, "auc", hover, marker_size=7, customdata=data, **bars)
    done = runs[np.isfinite(runs["auc"].to_numpy(np.float64))]
    if len(done) > len(done["value"].unique()):  # one run per value is its own mean
        done = done.assign(x=axis.places(done["value"], means["value"]))
        look = {"marker": {"color": TEST, "size": 6, "symbol": "circle-open"}, "customdata": done[["seed", "run"]]}
        hover = "seed %{customdata[0]}: %{y:.4f}<br>run %{customdata[1]}"
        add("test AUC, a seed", done, "auc", hover, mode="markers", **look)
    ring = {"size": 15, "symbol": "circle-open", "color": TEST, "line": {"width": 2}}
    hover = "chosen on validation: test AUC %{y:.4f}"
    add("chosen on validation", means[means["chosen"]], "auc", hover, mode="markers", marker=ring)
    # values that only the paper has widen the axis, too
    every = {float(value) for value in (*means["value"], *stated["value"], *stated["value_high"])}
    values = sorted(value for value in every if np.isfinite(value))
    places = axis.places(values, means["value"])
    room = 0.06 * (max(places) - min(places)) or 0.5
    limits = (min(places) - room, max(places) + room)
    ticks = [axis.tick(value) for value in values]
    chart.update_xaxes(title_text=axis.title, tickvals=places, ticktext=ticks, range=limits, **place)
    _stated(chart, stated, axis, means["value"].tolist(), limits, column)


def _stretches(means: pd.DataFrame) -> list[pd.DataFrame]:
    """Cut the means where one is missing: a band is not drawn over what was not measured."""
    measured = np.isfinite(means[list(AUC)].to_numpy(np.float64)).all(axis=1)
    group = np.cumsum(~measured)
    return [part for _, part in means[measured].groupby(group[measured]) if len(part) > 1]


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
            side = ("bottom", "top")[place % 2]
            chart.add_annotation(text=f"{row['label']} {row['auc']:.4f}", yanchor=side, **at, **_SMALL)
