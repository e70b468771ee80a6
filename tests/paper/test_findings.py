"""What the first page says was found: plainly ahead, behind or not told apart, and the pictures beside it."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from hyperctr.display.forest import Range, common_scale, forest_chart
from hyperctr.paper.checks.findings import modalities_finding, overall_finding
from hyperctr.paper.checks.results import RunResults
from hyperctr.paper.figures.forests import ablation, overall
from hyperctr.paper.tables.table3_overall import method_names, table3
from hyperctr.paper.tables.table4_modalities import table4
from hyperctr.sweeps.results import DEFICIT
from tests.paper.frames import baselines_frame, results_frame, sweep_of

NOISE = [0.0, 0.001, -0.001]
MF = "content matrix factorisation"


def runs(values: dict[str, float], plan: str = "overall") -> pd.DataFrame:
    """Three seeds of each row; the rows differ by the same in every seed but for a little."""
    noisy = {name: [value + noise for noise in NOISE] for name, value in values.items()}
    noisy = {name: [v + 0.0001 * place * s for s, v in enumerate(vs)] for place, (name, vs) in enumerate(noisy.items())}
    frame = results_frame(noisy, plan=plan)
    return frame.assign(model=frame["label"]) if plan == "overall" else frame


def found(values: dict[str, float]) -> str:
    return overall_finding(RunResults("planted", runs(values)), method_names())


def test_being_behind_is_said_as_plainly_as_being_ahead() -> None:
    assert found({"hyperctr": 0.78, MF: 0.79}) == f"HyperCTR is **behind** {MF} by 0.0101 AUC [0.0099, 0.0103]."
    ahead = found({"hyperctr": 0.80, MF: 0.79, "dstn": 0.75, "hyperctr+": 0.83})
    first, second = ahead.split(". ", 1)
    assert first.startswith(f"HyperCTR is **ahead of** {MF} (the strongest of 2 others) by 0.0099 AUC [0.0097")
    assert second.startswith("`hyperctr+` is **ahead of** HyperCTR by 0.0303 AUC [0.0296")
    assert found({"hyperctr": 0.79, MF: 0.79}).startswith(f"HyperCTR is **not told apart from** {MF}: −0.0001 AUC [−")
    assert found({"hyperctr": 0.79}) == "", "nothing to compare with"


def parts(**changes: float) -> pd.DataFrame:
    rows = {"multi-modal": 0.80, "visual-modal": 0.77, "textual-modal": 0.74, "(-) hypergraph": 0.79, **changes}
    return runs(rows, "modalities")


def test_what_hyperedges_and_modalities_are_worth_is_said_in_a_sentence_each() -> None:
    graphs, alone = modalities_finding(RunResults("planted", parts())).split("\n\n")
    assert graphs.startswith("HyperCTR with hyperedges is **ahead of** the same model without them by 0.0097 AUC [0.0")
    assert alone.startswith("All modalities together are **ahead of** the best one alone (visual) by 0.0299 AUC")
    behind = modalities_finding(RunResults("planted", parts(**{"(-) hypergraph": 0.82})))
    assert "HyperCTR with hyperedges is **behind** the same model without them by 0.0203 AUC" in behind
    assert modalities_finding(RunResults("planted", runs({"x": 0.5}, "other"))) == ""


def sweep(values: dict[str, float]) -> Any:
    return sweep_of(runs(values), baselines_frame(3, popularity=0.69, reference=0.79), curves=None)


def test_the_tables_carry_their_findings() -> None:
    assert table3(sweep({"hyperctr": 0.78, MF: 0.79})).finding.startswith("HyperCTR is **behind** content matrix")
    gaps = dict.fromkeys(DEFICIT, 0.01)
    assert "HyperCTR with hyperedges is **ahead of**" in table4(sweep_of(parts().assign(**gaps))).finding


def test_all_models_stand_in_one_picture_the_best_on_top() -> None:
    shown = sweep({"hyperctr": 0.78, "hyperctr+": 0.82, MF: 0.79, "dstn": 0.75})
    shown.results = pd.concat([shown.results, runs({"hyperctr": 0.9}).assign(protocol="causal")])  # not in the picture
    figure = overall(shown)
    frame = figure.frame
    assert frame is not None and figure.front
    assert frame[["name", "kind"]].values.tolist() == [
        ["hyperctr+", "model"],
        [MF, "baseline"],
        ["HyperCTR", "model"],
        ["DSTN", "system"],
        ["popularity", "baseline"],
        ["item mean", "baseline"],
    ]
    assert list(figure.chart.layout.yaxis.categoryarray)[::-1] == frame["name"].tolist()
    model = figure.chart.data[0]
    assert (list(model.y), list(model.text)) == (["hyperctr+", "HyperCTR"], ["0.8201", "0.7800"])
    assert list(model.error_x.array) == pytest.approx((frame["high"] - frame["value"])[[0, 2]].tolist())
    told = figure.chart.layout.title.subtitle.text.replace("<br>", " ")
    assert told.startswith("planted, protocol as-published; bars") and "of the mean over 3 seeds" in told


def test_each_part_is_drawn_by_what_the_model_loses() -> None:
    rows = results_frame({"multi-modal": 0.8, "visual-modal": 0.77, "(-) hypergraph": 0.79}, plan="modalities")
    rows = rows.assign(**dict(zip(DEFICIT, ([0, 0.03, 0.01], [0, 0.02, -0.005], [0, 0.04, 0.025]), strict=True)))
    frame = ablation(sweep_of(rows)).frame
    assert frame is not None
    assert frame["name"].tolist() == ["without hyperedges", "visual alone"]
    assert frame[["value", "low", "high"]].values.tolist() == [[-0.01, -0.025, 0.005], [-0.03, -0.04, -0.02]]


def test_a_small_picture_says_what_it_draws_and_points_beyond_its_scale() -> None:
    inside = Range(0.01, -0.01, 0.02, scale=0.02, margin=0.005).svg("by <0.01>")
    assert inside.count("<line") == 3 and inside.count("<circle") == 1 and "<polygon" not in inside
    assert "<title>by &lt;0.01&gt;</title>" in inside
    assert 'x1="36.5"' in inside, "the left end of the interval: half way from the edge at 7 to the middle at 66"
    beyond = Range(0.3, 0.2, 0.4, scale=0.02).svg("far")
    assert beyond.count("<polygon") == 1 and "<circle" not in beyond
    assert Range(float("nan"), 0, 0, 1).svg("none") == ""


def test_one_large_difference_does_not_flatten_the_others() -> None:
    assert common_scale([0.004, -0.006, 0.011, 0.013, -0.9]) == 0.02
    assert common_scale([]) == 0.01


def test_without_any_result_the_picture_says_so() -> None:
    frame = pd.DataFrame(columns=["name", "value", "low", "high", "kind"])
    assert forest_chart(frame, "Models", "", "AUC").layout.annotations[0].text == "no run has a result yet"
