"""Figures 4-8 and the protocols draw the numbers they are given: chosen value, intervals, gaps, the paper's values."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import plotly.io as pio
import pytest

from hyperctr.display.figure import Figure
from hyperctr.display.table import Table
from hyperctr.errors import ShapeError
from hyperctr.paper.figures import protocols
from hyperctr.paper.figures.figure7_scaling import figure7, speedup_chart, speedup_frame
from hyperctr.paper.figures.figure8_curves import curves_chart, figure8, point_share
from hyperctr.paper.figures.figure8_curves import curves_frame as mark_best
from hyperctr.paper.figures.figures4to6_settings import figure4, figure5, figure6, headline, settings_frame
from hyperctr.paper.figures.settings_chart import settings_chart
from hyperctr.runs.scaling import Scaling
from hyperctr.statistics import Interval
from hyperctr.sweeps.seeds import over_seeds, paired
from tests.paper.frames import baselines_frame, curves_frame, results_frame, sweep_of

LAYERS: dict[int, float | list[float]] = {
    1: [0.70, 0.71, 0.72],
    2: [0.75, 0.76, 0.77],
    3: [0.80, 0.79, 0.81],
    5: [0.80, 0.80, 0.83],
}
VALIDATION: dict[int, float | list[float]] = {1: 0.71, 2: 0.76, 3: [0.83, 0.82, 0.84], 5: [0.81, 0.82, 0.82]}
STATED: list[dict[str, Any]] = [
    {"setting": "layers", "dataset": "Kuaishou", "low": 3},
    {"setting": "layers", "dataset": "MovieLens", "low": 4, "high": math.inf},
]


def layers(**changes: Any) -> pd.DataFrame:
    """The frame of Figure 4: three seeds; 5 layers are best on test, 3 on validation."""
    runs = results_frame(LAYERS, setting="layers", validation=VALIDATION, **changes)
    return settings_frame(runs, baselines_frame(3, popularity=0.5, reference=0.72), STATED, defaults={"layers": 2})


def mean_rows(frame: pd.DataFrame) -> dict[Any, dict[Any, Any]]:
    """The ``mean`` rows of a settings frame by value."""
    return {row["value"]: row for row in frame[frame["kind"] == "mean"].to_dict("records")}


def trace(chart: go.Figure, name: str) -> Any:
    """The first trace of a name."""
    return next(trace for trace in chart.data if trace.name == name)


def subtitle(chart: go.Figure) -> str:
    """The lines under the title, unbroken."""
    return str(chart.layout.title.subtitle.text.replace("<br>", " "))


def words(chart: go.Figure) -> list[str]:
    """All annotations."""
    return [note.text for note in chart.layout.annotations]


def test_the_value_is_chosen_on_validation_and_its_test_auc_is_reported() -> None:
    frame = layers()
    assert headline(frame) == {"layers, chosen on validation": "3", "layers, test AUC": pytest.approx(0.80)}
    means = mean_rows(frame)
    assert {value: row["auc"] for value, row in means.items()} == pytest.approx({1: 0.71, 2: 0.76, 3: 0.80, 5: 0.81})
    half = 4.302653 * 0.01 / 3**0.5  # Student with 2 degrees of freedom
    assert (means[1]["auc_low"], means[1]["auc_high"]) == pytest.approx((0.71 - half, 0.71 + half), abs=1e-6)


def test_each_value_is_compared_with_the_default_in_pairs() -> None:
    means = mean_rows(layers())
    ahead = {value: row["auc_gain"] for value, row in means.items()}
    assert ahead == pytest.approx({1: -0.05, 2: np.nan, 3: 0.04, 5: 0.05}, nan_ok=True)
    assert (means[1]["auc_gain_low"], means[1]["auc_gain_high"]) == pytest.approx((-0.05, -0.05))
    half = 4.302653 * np.std([0.05, 0.03, 0.04], ddof=1) / 3**0.5  # three layers, seed by seed
    assert (means[3]["auc_gain_low"], means[3]["auc_gain_high"]) == pytest.approx((0.04 - half, 0.04 + half), abs=1e-6)
    assert [value for value, row in means.items() if row["reference"] == "default"] == [2]
    chart = settings_chart(layers(), "Layers")
    dots = trace(chart, "difference")
    assert (dots.yaxis, list(dots.x)) == ("y2", [1, 2, 3, 5])
    assert list(dots.y) == pytest.approx([-0.05, np.nan, 0.04, 0.05], nan_ok=True)
    assert list(dots.error_y.array)[2] == pytest.approx(half, abs=1e-6)
    assert {item.mode for item in chart.data} == {"markers"}, "nothing is drawn between two values"
    assert chart.layout.yaxis2.title.text == "test AUC minus<br>that of the default"
    assert list(trace(chart, "the default").x) == [2]


def test_without_a_result_of_the_default_the_chosen_value_is_compared_with() -> None:
    frame = settings_frame(results_frame(LAYERS, setting="layers", validation=VALIDATION), defaults={"layers": 7})
    assert mean_rows(frame)[3]["reference"] == "chosen"
    assert settings_chart(frame, "t").layout.yaxis2.title.text.endswith("that of the value chosen")


def test_a_default_that_a_plan_does_not_list_is_the_base_run_of_another_setting() -> None:
    both = [
        results_frame({16: 0.7, 32: 0.8}, setting="embedding_size"),
        results_frame({5: 0.75, 15: 0.79}, setting="max_neighbours"),
    ]
    frame = settings_frame(pd.concat(both), defaults={"embedding_size": 32, "max_neighbours": 0})
    neighbours = mean_rows(frame[frame["setting"] == "max_neighbours"])
    assert {value: row["auc"] for value, row in neighbours.items()} == {5: 0.75, 15: 0.79, 0: 0.8}
    assert neighbours[0]["reference"] == "default" and neighbours[0]["label"] == "all"


def test_one_seed_has_its_bootstrap_interval_and_asks_for_paired_runs() -> None:
    asked = []

    def pair(a: str, b: str) -> Interval:
        asked.append((a, b))
        return Interval(0.1, 0.05, 0.15, 0.95, 100, 1000)

    runs = results_frame({1: 0.7, 3: 0.8}, setting="layers")
    means = mean_rows(settings_frame(runs, pair=pair, defaults={"layers": 1}))
    assert asked == [tuple(runs["run"][::-1])]
    assert [means[1][name] for name in ("auc_low", "auc_high")] == pytest.approx([0.69, 0.71])
    assert [means[3][name] for name in ("auc_gain", "auc_gain_low")] == pytest.approx([0.1, 0.05])


def test_of_equal_validation_the_smallest_is_chosen_and_all_neighbours_are_the_largest() -> None:
    tied = results_frame({0: 0.7, 40: 0.7, 5: 0.7}, setting="max_neighbours", validation=dict.fromkeys((0, 5, 40), 0.8))
    frame = settings_frame(tied)
    assert frame.loc[frame["chosen"], "value"].tolist() == [5]
    chart = settings_chart(frame, "t")
    assert dict(zip(chart.layout.xaxis.ticktext, chart.layout.xaxis.tickvals, strict=True)) == {
        "5": 5,
        "40": 40,
        "all": 48,
    }
    assert list(trace(chart, "test AUC, mean").x) == [5, 40, 48]


def test_a_value_with_fewer_finished_seeds_is_not_chosen() -> None:
    runs = results_frame({1: [0.7, 0.7], 2: [0.6, 0.9]}, setting="layers")
    runs.loc[(runs["value"] == 2) & (runs["seed"] == 0), ["auc", "best_validation_auc"]] = np.nan
    runs.loc[(runs["value"] == 2) & (runs["seed"] == 0), "state"] = "killed"
    frame = settings_frame(runs)
    assert frame.loc[frame["chosen"], "value"].tolist() == [1]
    assert mean_rows(frame)[2]["state"] == "killed"


def test_failed_runs_leave_a_gap_that_is_named() -> None:
    frame = settings_frame(results_frame({1: 0.7, 2: 0.72, 5: 0.75}, setting="layers", failed={3: "boom"}))
    chart = settings_chart(frame, "Layers")
    mean = trace(chart, "test AUC, mean")
    assert list(mean.x) == [1, 2, 3, 5]
    assert np.isnan(mean.y[2])
    assert "no result: 3, seed 0: failed" in subtitle(chart)
    assert np.nan_to_num(mean.error_y.array) == pytest.approx([0.01, 0.01, 0, 0.01])


def test_nothing_finished_still_draws_and_says_so() -> None:
    frame = settings_frame(results_frame({}, setting="layers", failed={1: "boom", 2: "boom"}))
    chart = settings_chart(frame, "Layers")
    assert not frame["chosen"].any()
    assert "1, seed 0: failed; 2, seed 0: failed" in subtitle(chart)
    assert list(chart.layout.yaxis.range) == [0, 1]


def test_near_simple_models_are_lines_and_far_ones_are_named() -> None:
    chart = settings_chart(layers(), "Layers", "planted")
    assert "content MF 0.7200" in words(chart)
    assert "not on the axis: popularity 0.5000" in subtitle(chart)
    assert [shape.y0 for shape in chart.layout.shapes if shape.line.dash] == [pytest.approx(0.72)]


def test_what_the_paper_states_is_marked_where_it_lies() -> None:
    chart = settings_chart(layers(), "Layers")
    assert {"paper's best: Kuaishou", "paper's best: MovieLens →"} <= set(words(chart))
    marks = [(shape.x0, shape.x1) for shape in chart.layout.shapes if shape.yref == "y domain"]
    assert marks == [(3, 3), (4, chart.layout.xaxis.range[1])], "4 and beyond reaches the end of the axis"
    assert list(chart.layout.xaxis2.ticktext) == ["1", "2", "3", "4", "5"]


def test_months_stand_at_equal_factors_and_two_settings_in_two_panels() -> None:
    both = pd.concat(
        [
            results_frame({3: 0.7, 6: 0.8, 12: 0.7}, setting="slot_months"),
            results_frame({5: 0.7, 15: 0.8}, setting="max_neighbours"),
        ]
    )
    chart = settings_chart(settings_frame(both), "Two")
    places = list(trace(chart, "test AUC, mean").x)
    assert np.diff(places) == pytest.approx([1, 1])
    assert chart.layout.xaxis3.title.text == "length of a time slot (months)"
    assert chart.layout.xaxis4.title.text == "sampled neighbours K"
    assert chart.layout.yaxis2.range == chart.layout.yaxis.range


def test_rows_without_a_setting_cannot_be_drawn_over_an_axis() -> None:
    with pytest.raises(ShapeError, match="none of the runs varies a setting"):
        settings_frame(results_frame({"hyperctr": 0.8}))
    with pytest.raises(ShapeError, match="best_validation_auc"):
        settings_frame(results_frame({1: 0.8}, setting="layers").drop(columns="best_validation_auc"))


def test_means_over_seeds_ignore_runs_without_a_result() -> None:
    runs = results_frame({"a": [0.7, 0.9]})
    assert over_seeds(runs, "auc")[0] == pytest.approx(0.8)
    runs.loc[1, "auc"] = np.nan
    assert over_seeds(runs, "auc") == pytest.approx((0.7, 0.69, 0.71))
    temporal = results_frame({"a": [0.7, 0.9]}).assign(split="temporal", auc_low=[0.6, 0.7], auc_high=[0.8, 1.0])
    assert over_seeds(temporal, "auc") == pytest.approx((0.8, 0.65, 0.9)), "the same clicks: the mean of their own"
    spread = over_seeds(temporal.assign(split="random"), "auc")
    assert over_seeds(temporal.assign(auc_low=np.nan), "auc") == spread and spread[1] < 0
    assert paired(runs, "label", "a", "a") is None, "one seed and nothing to pair with"


def timings(rates: dict[int, list[float]]) -> pd.DataFrame:
    """Training steps per second by threads, a number per round."""
    rows = [
        {"what": "training step", "threads": count, "round": turn, "per_second": rate}
        for count, several in rates.items()
        for turn, rate in enumerate(several)
    ]
    return pd.DataFrame(rows)


def test_a_speed_up_is_taken_within_its_round() -> None:
    # the machine was twice as slow in the second round: the ratio is the same
    frame = speedup_frame(timings({1: [10, 5, 10], 2: [18, 9, 20]}))
    assert frame["speedup"].tolist() == [1.0, 1.8]
    two = frame.to_dict("records")[1]
    assert (two["speedup_low"], two["speedup_high"], two["rounds"]) == (1.8, 2.0, 3)
    chart = speedup_chart(frame, "2 cores")
    assert list(trace(chart, "linear").y) == [1, 2]
    assert list(trace(chart, "training step").y) == [1.0, 1.8]


def test_one_thread_draws_no_line() -> None:
    chart = speedup_chart(speedup_frame(timings({1: [10.0]})))
    assert len(chart.data) == 0
    assert words(chart) == ["one thread only: no speed-up to show"]
    with pytest.raises(ShapeError, match="one thread in every round"):
        speedup_frame(timings({2: [10.0]}))


def test_all_models_share_a_picture_and_the_axis_is_zoomed_in_on_the_best_points() -> None:
    curves = pd.concat(
        [
            curves_frame({"hyperctr": [0.5, 0.7, 0.6], "b": [0.6, np.nan, 0.8]}, seed=0),
            curves_frame({"hyperctr": [0.5, 0.6, 0.65]}, seed=1),
        ]
    )
    frame = mark_best(curves)
    assert frame.loc[frame["best"], ["label", "seed", "validation_auc"]].values.tolist() == [
        ["hyperctr", 0, 0.7],
        ["b", 0, 0.8],
        ["hyperctr", 1, 0.65],
    ]
    assert point_share(frame) == "25%"
    chart = curves_chart(frame)
    rings = [ring for ring in chart.data if ring.name == "HyperCTR, best"]
    assert [(list(ring.x), list(ring.y)) for ring in rings] == [([0.5], [0.7]), ([0.75], [0.65])]
    lines = [line for line in chart.data if line.mode == "lines" and line.yaxis == "y"]
    assert [(line.name, line.showlegend) for line in lines] == [("HyperCTR", True), ("HyperCTR", False), ("b", True)]
    assert lines[0].line.color == lines[1].line.color != lines[2].line.color
    assert list(chart.layout.yaxis.range) == pytest.approx([0.65 - 0.15, 0.8 + 0.03])
    assert "curves begin further down" not in subtitle(chart), "nothing is cut off here"
    low = curves_frame({"a": [0.3, 0.80], "b": [0.5, 0.81]})
    assert "a point every 25% of a pass" in subtitle(curves_chart(mark_best(low)))
    assert "curves begin further down" in subtitle(curves_chart(mark_best(low)))
    assert words(curves_chart(frame.iloc[:0])) == ["no run has finished, so there is no curve"]


def test_of_the_other_systems_the_best_stands_out_and_the_rest_are_named_beside_the_plot() -> None:
    best = {"din, table2": 0.7, "din, author": 0.75, "dstn, table2": 0.74, "mimn, table2": 0.739, "vbpr, table2": 0.6}
    model = {label: label.partition(",")[0] for label in best} | {"hyperctr": "hyperctr"}
    tries = [{"hyperctr": [0.5, 0.8]}, {name: [value, 0.5] for name, value in best.items()}]
    curves = pd.concat([curves_frame(points, seed=seed) for points in tries for seed in (1, 0)], ignore_index=True)
    curves["run"], curves["model"] = curves["label"] + curves["seed"].astype(str), curves["label"].map(model)
    results = results_frame({"hyperctr": 0.8, **best})
    shown = figure8(sweep_of(results.assign(model=results["label"].map(model)), curves=curves))
    assert shown.frame is not None
    assert "din, table2" not in set(shown.frame["label"]), "validation chose the authors' settings"

    lines = [line for line in shown.chart.data if line.mode == "lines" and line.yaxis == "y" and line.name]
    coloured = [line for line in lines if line.legendgroup != "systems"]
    assert [line.name for line in coloured] == ["HyperCTR", "HyperCTR", "din", "din"], "both seeds of what stands out"
    grey = [line for line in lines if line.legendgroup == "systems"]
    assert [(line.hovertemplate[:20], line.showlegend) for line in grey] == [
        ("dstn, table2, seed 0", True),
        ("mimn, table2, seed 0", False),
        ("vbpr, table2, seed 0", False),
    ]
    assert len({line.line.color for line in grey} | {line.line.color for line in coloured}) == 3
    names = {note.text: note.y for note in shown.chart.layout.annotations}
    assert list(names) == ["din", "DSTN", "MIMN", "vbpr"], "from the top down"
    low, high = shown.chart.layout.yaxis.range
    pixels = 0.64 * (shown.chart.layout.height - shown.chart.layout.margin.t - shown.chart.layout.margin.b)
    apart = -np.diff(list(names.values())) * pixels / (high - low)
    assert (apart > 12.9).all() and apart[0] < 13.1, "no name lies on another, though two systems are 0.001 apart"
    assert "**din**: best validation AUC 0.7500 after 0.25 of 0.50 passes, means of 2 seeds." in shown.note
    others = "DSTN 0.7400 after 0.2 passes, MIMN 0.7390 after 0.2 passes, vbpr 0.6000 after 0.2 passes."
    assert f"The other systems, the best first: {others}" in shown.note


def experiment(seeds: int) -> pd.DataFrame:
    """HyperCTR loses 0.03 by causality and 0.1 by time and gains 0.02 by a leak; the reference -, 0.01 and 0.03."""
    step = np.arange(seeds) * 0.001
    corners = {("as-published", "random"): 0.80, ("causal", "random"): 0.77, ("as-published", "temporal"): 0.70}
    results = pd.concat(
        [
            results_frame({f"{protocol}, {split}": list(auc + step)}, protocol=protocol, split=split)
            for (protocol, split), auc in corners.items()
        ]
    )
    simple = pd.concat(
        [
            baselines_frame(seeds, 0.6, 0.72 - 0.01 * (split == "temporal"), protocol=protocol, split=split)
            for protocol, split in corners
        ]
    )
    leak = {"protocol": "as-published", "split": "random", "negatives_avoid": "all"}
    results = pd.concat([results, results_frame({"leak": list(0.82 + step)}, **leak)])
    return protocols.protocol_runs(results, pd.concat([simple, baselines_frame(seeds, 0.6, 0.75, **leak)]))


def effect(seeds: int, pair: Any = None) -> dict[tuple[str, str], dict[Any, Any]]:
    """What each choice is worth, by choice and model."""
    rows = protocols.effect_frame(experiment(seeds), pair).to_dict("records")
    return {(row["choice"], row["model"]): row for row in rows}


def test_the_worth_of_a_choice_is_the_change_with_the_others_as_in_the_paper() -> None:
    effects = effect(3)
    split = effects["split", "hyperctr"]
    assert split["change"] == pytest.approx(-0.1)
    assert math.isnan(split["change_low"]), "all seeds of a temporal split have the same test clicks"
    protocol = effects["protocol", "hyperctr"]
    assert [protocol[name] for name in ("change", "change_low", "change_high")] == pytest.approx([-0.03] * 3)
    assert effects["split", "content MF"]["change"] == pytest.approx(-0.01)
    assert effects["labels", "popularity"]["change"] == pytest.approx(-0.1)
    leak = {name: effects["negatives_avoid", name]["change"] for name in ("hyperctr", "content MF", "popularity")}
    assert leak == pytest.approx({"hyperctr": 0.02, "content MF": 0.03, "popularity": 0.0})


def test_only_runs_on_the_same_clicks_are_paired() -> None:
    effects = effect(1, lambda a, b: Interval(-0.03, -0.04, -0.02, 0.95, 9, 99))
    intervals = {key: row["change_low"] for key, row in effects.items() if np.isfinite(row["change_low"])}
    same_clicks = {("protocol", "hyperctr"): -0.04, ("negatives_avoid", "hyperctr"): -0.04}
    assert intervals == same_clicks, "not another split or labelling, not models without a run"


def test_data_without_non_clicks_have_no_impressions_rows() -> None:
    results = results_frame({"as-published, random": 0.8}, auc_impressions=np.nan)
    runs = protocols.protocol_runs(results, baselines_frame(auc_impressions=np.nan))
    assert set(runs["labels"]) == {"sampled"}
    chart = protocols.protocol_chart(protocols.protocol_frame(runs), "t")
    assert list(chart.layout.yaxis.categoryarray) == ["as-published, random, sampled"]
    assert list(trace(chart, "hyperctr").x) == [0.8]


def test_a_leak_has_a_line_of_its_own_and_is_explained() -> None:
    chart = protocols.protocol_chart(protocols.protocol_frame(experiment(2)))
    assert list(chart.layout.yaxis.categoryarray)[::-1][:4] == [
        "as-published, random, sampled",
        "causal, random, sampled",
        "as-published, temporal, sampled",
        "as-published, random, sampled, leak",
    ]
    assert "leak: training negatives avoid validation and test clicks, too" in subtitle(chart)
    mark = trace(chart, "content MF")
    assert dict(zip(mark.y, mark.x, strict=True))["as-published, random, sampled, leak"] == pytest.approx(0.75)


def test_a_choice_without_a_finished_run_is_named() -> None:
    results = results_frame({"as-published, random": 0.8}, failed={"causal, random": "boom"})
    results.loc[results["state"] == "failed", "protocol"] = "causal"
    chart = protocols.protocol_chart(protocols.protocol_frame(protocols.protocol_runs(results, baselines_frame())))
    assert "no result: causal, random, sampled (failed)" in subtitle(chart)


def test_every_figure_survives_json_and_names_its_axes() -> None:
    charts = [
        settings_chart(layers(), "Layers"),
        speedup_chart(speedup_frame(timings({1: [1.0], 2: [1.5]}))),
        curves_chart(mark_best(curves_frame({"a": [0.5, 0.6]}))),
        protocols.protocol_chart(protocols.protocol_frame(experiment(2))),
    ]
    for chart in charts:
        assert json.loads(pio.from_json(chart.to_json()).to_json()) == json.loads(chart.to_json())
        assert chart.layout.title.text
        assert any(axis.title.text for axis in chart.select_xaxes())


COLUMNS = (
    "kind,setting,value,value_high,label,seed,run,state,auc,auc_low,auc_high,validation_auc,seeds,chosen,reference,"
    "auc_gain,auc_gain_low,auc_gain_high"
)


@pytest.mark.parametrize(
    ("make", "name", "setting", "said"),
    [
        (figure4, "figure4", "layers", "The depths drawn are not named in the text"),
        (figure5, "figure5", "slot_months", "Of MovieLens the text says almost one year"),
        (figure6, "figure6", "max_neighbours", "The text says that all metrics increase in general"),
    ],
)
def test_a_figure_over_a_setting_comes_with_its_numbers_note_and_headline(
    make: Callable[[Any], Figure], name: str, setting: str, said: str
) -> None:
    shown = make(sweep_of(results_frame({3: [0.7, 0.7], 6: [0.8, 0.8]}, setting=setting), title="A title"))
    assert (shown.name, shown.chart.layout.title.text) == (name, "A title")
    assert shown.frame is not None
    assert list(shown.frame) == COLUMNS.split(",")
    assert set(shown.frame["kind"]) == {"run", "mean", "paper", "baseline"}
    assert shown.headline[f"{setting.replace('_', ' ')}, test AUC"] == pytest.approx(0.8)
    ours, data, paper = shown.note.split("\n\n")
    assert "Validation chooses" in ours
    assert data == "planted is none of the paper's data sets."
    assert paper.startswith(f"*On the paper*: {said}")


def test_a_dimension_is_set_beside_the_one_that_the_paper_reports() -> None:
    shown = figure6(sweep_of(results_frame({8: [0.7, 0.7], 64: [0.8, 0.8]}, setting="embedding_size")))
    assert "paper's results" in words(shown.chart)
    assert "The paper names no best value; its results are those of d = 64." in shown.note


def test_scaling_comes_with_its_speed_ups() -> None:
    machine = {"processor": "P", "cores": 2}
    scaling = Scaling("r", timings({1: [10.0], 2: [18.0]}), machine | {"torch": "2", "python": "3"}, 0.25, 1.0)
    shown = figure7(sweep_of(results_frame({"a": 0.8}), scaling=lambda: scaling))
    assert shown.name == "figure7"
    assert shown.headline == {"threads": 2, "training step": 1.8, "cores": 2}
    assert shown.frame is not None
    assert list(shown.frame)[-4:] == ["speedup", "speedup_low", "speedup_high", "linear"]
    assert "1.80 times as fast as with one [1.80, 1.80], 90% of a linear speed-up. " in shown.note
    assert "P, 2 cores, 0.2 busy" in subtitle(shown.chart)
    assert shown.said, "two points make no curve"
    four = Scaling("r", timings({1: [10.0], 2: [18.0], 4: [30.0]}), machine, 0.0, 1.0)
    assert not figure7(sweep_of(results_frame({"a": 0.8}), scaling=lambda: four)).said


def test_learning_curves_come_with_their_points() -> None:
    shown = figure8(sweep_of(results_frame({"a": 0.8}), curves=curves_frame({"a": [0.5, 0.6]})))
    assert shown.name == "figure8"
    assert shown.frame is not None
    assert shown.frame["seen"].tolist() == [0.25, 0.5]
    assert shown.note.startswith("**a**: best validation AUC 0.6000")
    assert subtitle(shown.chart).startswith("planted; a line a seed, a point every 25% of a pass; zoomed in")


def test_protocols_are_a_figure_and_the_table_of_changes() -> None:
    shown, table = protocols.protocols(sweep_of(results_frame({"a": 0.8}), baselines_frame()))
    assert (shown.name, table.name) == ("protocols", "protocols")
    assert table.frame is not None
    assert table.frame["change"].tolist() == pytest.approx([-0.1] * 3), "labels only"
    assert isinstance(table, Table)
    assert "a change without one was seen with one seed only" in table.caption
