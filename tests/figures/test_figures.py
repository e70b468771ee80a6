"""Every figure draws the numbers it is given, survives JSON, and keeps the colours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import plotly.io as pio
import pytest

import hyperctr as hc
from hyperctr.display.theme import CONFIG, PLOTLY_MIME, mime_bundle, modality_colour
from hyperctr.errors import ShapeError
from hyperctr.figures.data import draw_activity, draw_popularity
from hyperctr.figures.hypergraphs import degree_frame, draw_degrees, draw_sizes
from hyperctr.figures.interest import (
    draw_interest,
    draw_interest_over_slots,
    draw_recovery,
    interest_frame,
    recovery_frame,
    user_interest_frame,
)
from hyperctr.figures.training import draw_learning_curve
from hyperctr.figures.why import draw_effects
from hyperctr.hypergraph.incidence import Hypergraph

MODALITIES = ("visual", "acoustic")
LABELS = ["2018-01 to 2018-06", "2018-07 to 2018-12"]


def hypergraph() -> Hypergraph:
    """Five users; visual: {0, 1, 2} and {3, 4}; acoustic: {1, 2, 3, 4} and {0, 4}."""
    node = [0, 1, 2, 3, 4, 1, 2, 3, 4, 0, 4]
    edge = [0, 0, 0, 1, 1, 2, 2, 2, 2, 3, 3]
    return Hypergraph([node, edge], 6, 4, group=[0, 0, 1, 1], group_names=MODALITIES, node_kind="user")


def interest() -> np.ndarray[Any, Any]:
    """[2 slots, 3 users, 2 modalities]; user 2 is not seen in the second slot, user 1 in neither."""
    matrix = np.full((2, 3, 2), np.nan, np.float32)
    matrix[0, 0], matrix[1, 0], matrix[0, 2] = (0.6, 0.4), (0.8, 0.2), (0.1, 0.9)
    return matrix


def subtitle(chart: go.Figure) -> str:
    """The line under the title, unbroken."""
    return str(chart.layout.title.subtitle.text.replace("<br>", " "))


def frames() -> dict[str, go.Figure]:
    """One of each figure, from small plain data."""
    sizes = pd.DataFrame(
        {"slot": LABELS, "modality": "visual", "hyperedges": [4, 6], "mean_size": [2.5, 3.0], "covered": [0.5, 0.75]}
    )
    events = pd.DataFrame({"examples": [100, 200, 300], "loss": [0.7, 0.5, 0.4], "validation_auc": [0.6, 0.8, 0.7]})
    true = np.stack([np.linspace(0, 1, 40), np.linspace(1, 0, 40)], 1)[None]
    activity = pd.DataFrame({"period": ["2018-01", "2018-02"], "clicks": [3, 5], "non_clicks": [1, 0]})
    popularity = pd.DataFrame({"rank": np.arange(1, 41), "clicks": 1000 // np.arange(1, 41)})
    return {
        "heatmap": draw_interest(user_interest_frame(interest(), MODALITIES, LABELS, np.array([7, 8, 9]))),
        "over slots": draw_interest_over_slots(interest_frame(interest(), MODALITIES, LABELS)),
        "recovery": draw_recovery(recovery_frame(true, true, {"visual": 0.9, "acoustic": 0.8}, bins=4)),
        "sizes": draw_sizes(sizes),
        "degrees": draw_degrees(degree_frame([hypergraph()])),
        "curve": draw_learning_curve(events, epoch_examples=100),
        "activity": draw_activity(activity),
        "popularity": draw_popularity(popularity),
    }


@pytest.mark.parametrize("name", list(frames()))
def test_every_figure_survives_json_and_says_what_it_shows(name: str) -> None:
    chart = frames()[name]
    again = pio.from_json(chart.to_json())
    assert json.loads(again.to_json()) == json.loads(chart.to_json())
    assert chart.layout.title.text
    assert chart.layout.title.subtitle.text
    assert len(chart.data) > 0
    for axis in chart.select_yaxes():
        assert axis.visible is False or axis.title.text or chart.layout.annotations, "an axis without a title"
    bundle = mime_bundle(chart)[PLOTLY_MIME]
    assert bundle["config"]["modeBarButtonsToRemove"] == CONFIG["modeBarButtonsToRemove"]
    assert "sendChartToCloud" in CONFIG["modeBarButtonsToRemove"]


def test_no_figure_hands_float64_arrays_to_plotly() -> None:
    for name, chart in frames().items():
        for trace in chart.to_plotly_json()["data"]:
            for key in ("y", "z"):
                values = trace.get(key)
                small = isinstance(values, np.ndarray) and values.size < 3
                assert small or not isinstance(values, np.ndarray) or values.dtype != np.float64, (name, key)


def test_a_modality_has_one_colour_everywhere() -> None:
    assert modality_colour("visual") == "#0072B2"
    assert modality_colour("motion", ["visual", "depth", "motion"]) != modality_colour("depth", ["visual", "depth"])
    made = frames()
    for name in ("over slots", "recovery", "degrees", "sizes"):
        lines = {trace.name: trace.line.color for trace in made[name].data if trace.mode == "lines+markers"}
        assert lines["visual"] == "#0072B2", name


def test_interest_frames_keep_the_numbers_and_the_gaps() -> None:
    some = user_interest_frame(interest(), MODALITIES, LABELS, np.array([7, 8, 9]))
    assert sorted(set(some["user"])) == [7, 9], "user 8 was never seen"
    assert list(dict.fromkeys(some["user"])) == [7, 9], "visual leads user 7, acoustic user 9"
    seven = some[(some["user"] == 7) & (some["modality"] == "visual")]["interest"].tolist()
    assert np.allclose(seven, [0.6, 0.8])
    panel = draw_interest(some, total_users=3).data[1]
    assert np.allclose(panel.z, [[0.4, 0.2], [0.9, np.nan]], equal_nan=True)
    summed = interest_frame(interest(), MODALITIES, LABELS)
    assert np.allclose(summed["median"], [0.35, 0.65, 0.8, 0.2])
    assert summed["users"].tolist() == [2, 2, 1, 1]
    with pytest.raises(ShapeError, match=r"\[2, U, 2\], got \[3, 2, 2\]"):
        interest_frame(interest().transpose(1, 0, 2), MODALITIES, LABELS)


def test_recovery_bins_the_pairs_that_are_known() -> None:
    true = np.linspace(0.0, 1.0, 10).reshape(1, 10, 1)
    recovered = true * 2
    recovered[0, 3] = np.nan
    frame = recovery_frame(true, recovered, {"visual": 0.9}, bins=3)
    assert frame["pairs"].tolist() == [9, 9, 9]
    kept = np.delete(true.ravel(), 3).reshape(3, 3)
    assert np.allclose(frame["true"], kept.mean(1))
    assert np.allclose(frame["median"], 2 * kept[:, 1])


def test_degrees_count_every_node_and_slot() -> None:
    frame = degree_frame([hypergraph(), hypergraph()])
    visual = frame[frame["modality"] == "visual"].set_index("degree")["nodes"]
    assert visual.to_dict() == {0: 2, 1: 10}
    acoustic = frame[frame["modality"] == "acoustic"].set_index("degree")["nodes"]
    assert acoustic.to_dict() == {0: 2, 1: 8, 2: 2}
    chart = draw_degrees(frame)
    assert np.allclose(chart.data[1].y, [1.0, 0.2])
    assert "17% of" in subtitle(chart)  # 4 of 24


def test_a_learning_curve_marks_the_best_point() -> None:
    chart = frames()["curve"]
    assert subtitle(chart).startswith("best: 0.8000 after 2.00 epochs")
    assert chart.data[2].x == (2.0,)
    assert np.allclose(chart.data[1].y, [0.7, 0.5, 0.4])
    with pytest.raises(ShapeError, match=r"lacks the columns \['validation_auc'\]"):
        draw_learning_curve(pd.DataFrame({"examples": [1], "loss": [1.0]}))
    with pytest.raises(ShapeError, match="at least one point"):
        draw_learning_curve(pd.DataFrame(columns=["examples", "loss", "validation_auc"]))


def test_the_popularity_slope_is_that_of_the_power_law() -> None:
    rank = np.arange(1, 501)
    frame = pd.DataFrame({"rank": np.r_[rank, 501], "clicks": np.r_[100_000.0 * rank**-0.8, 0]})
    chart = draw_popularity(frame)
    assert chart.layout.annotations[0].text.startswith("slope -0.80")
    assert "1 of 501 items were never clicked" in subtitle(chart)


def test_the_figures_of_a_session_hold_its_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYPERCTR_RUNS", str(tmp_path))
    session = hc.Session("planted", budget="smoke")
    data, graphs = session.data, session.hypergraphs["item"]
    activity, popularity = hc.figures.activity(session), hc.figures.popularity(session)
    assert activity.frame[["clicks", "non_clicks"]].sum().tolist() == [data.clicked.sum(), (~data.clicked).sum()]
    assert activity.headline["users"] == 150
    assert popularity.frame["clicks"].iloc[0] == np.bincount(data.item_index[data.clicked]).max()
    sizes, degrees = hc.figures.sizes(session, "item"), hc.figures.degrees(session, "item")
    assert sizes.headline["item hyperedges"] == sum(H.num_hyperedges for H in graphs)
    assert sizes.name == "item_sizes" and sizes.frame["slot"].unique().tolist() == list(session.slots.labels)
    assert degrees.frame["nodes"].sum() == session.slots.count * data.num_items * len(data.modalities)
    drawn = hc.figures.hypergraph(session, "user", limit=5)
    assert drawn.chart.layout.title.text == f"User hypergraph, {session.slots.labels[session.busiest_slot]}"
    names = {text for trace in drawn.chart.data if trace.mode == "text" for text in trace.text}
    titles = data.item_table["title"]
    assert names and all(titles.str.startswith(name.rstrip("…")).any() for name in names), "as in the inspector"
    drawn = hc.figures.hypergraph(session, "item", limit=5)
    names = {text for trace in drawn.chart.data if trace.mode == "text" for text in trace.text}
    assert names and all(name.startswith("user ") for name in names)
    with pytest.raises(hc.ConfigError, match="slot 9 does not exist"):
        hc.figures.hypergraph(session, "user", 9)
    matrix = session.interest.matrix
    assert hc.figures.interest_over_slots(session).frame["users"].iloc[0] == np.isfinite(matrix[0, :, 0]).sum()
    assert hc.figures.interest(session).frame["user"].nunique() == 30
    curve = hc.figures.learning_curve(session)
    assert curve.frame["examples"].iloc[-1] == len(session.split.train)
    recovery = hc.figures.recovery(session)
    assert list(recovery.headline) == ["mean AUC", *data.modalities]
    data.truth = None
    assert hc.figures.recovery(session) == "The data set `planted` has no planted truth: nothing to compare."


def test_the_legend_of_effects_lies_below_the_titles_of_axes() -> None:
    columns = ["by", "group", "kind", "mean", "low", "high", "effects"]
    layout = draw_effects(pd.DataFrame([("source", "history", "clicked", 0.1, 0.0, 0.2, 9)], columns=columns)).layout
    assert (layout.legend.yref, layout.legend.yanchor) == ("container", "bottom")
    legend = layout.legend.y * layout.height + 30  # pixels above the lower edge: a line of text and its padding
    assert layout.margin.b - legend >= 50, "room for ticks and titles between"
