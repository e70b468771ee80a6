"""The paragraphs say what the numbers say: ties, one seed, failed runs, no interval, agreement with the paper."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from hyperctr.display.table import Cell, Table
from hyperctr.paper.figures import protocols
from hyperctr.paper.figures.figure7_scaling import speedup_frame, speedup_note
from hyperctr.paper.figures.figure8_curves import curves_frame as mark_best
from hyperctr.paper.figures.figure8_curves import curves_note
from hyperctr.paper.figures.figures4to6_settings import settings_frame, settings_note
from hyperctr.statistics import Interval
from tests.paper.frames import baselines_frame, curves_frame, results_frame, sweep_of

STATED: list[dict[str, Any]] = [
    {"setting": "layers", "dataset": "Kuaishou", "low": 3},
    {"setting": "layers", "dataset": "MovieLens", "low": 4, "high": math.inf},
]


def paragraph(
    auc: Any, *, setting: str = "layers", pair: Any = None, stated: Any = (), default: float = 3, **changes: Any
) -> str:
    """The paragraph about runs over one setting."""
    runs = results_frame(auc, setting=setting, **changes)
    return settings_note(settings_frame(runs, baselines_frame(1, 0.6, 0.72), stated, pair, {setting: default}), "")


def test_three_seeds_tell_what_differs_and_what_does_not() -> None:
    auc = {1: [0.70, 0.71, 0.72], 3: [0.80, 0.79, 0.81], 5: [0.79, 0.80, 0.80]}
    text = paragraph(auc, validation={1: 0.7, 3: 0.82, 5: 0.81}, stated=STATED)
    assert "Validation chooses 3 layers (0.8200); test AUC 0.8000 [0.7752, 0.8248]." in text
    assert "Test AUC runs from 0.7100 (1 layer) to 0.8000 (3 layers)." in text
    gaps = "lower with 1 layer (−0.0900 [−0.1148, −0.0652]); not told apart from 5 layers."
    assert f"Compared with 3 layers, the default: {gaps}" in text
    assert "The value chosen is above the strongest baseline, content MF (0.7200)." in text
    assert (
        "It is what the paper finds best for Kuaishou (3 layers), and not what the paper finds best for MovieLens"
        in text
    )
    assert "end of the range" not in text
    assert "On the test clicks" not in text


def test_what_is_better_on_test_only_is_not_chosen() -> None:
    text = paragraph({1: 0.70, 3: 0.74}, validation={1: 0.8, 3: 0.7}, stated=STATED)
    assert "Validation chooses 1 layer (0.8000)" in text
    assert "On the test clicks 3 layers is higher (0.7400), but is not chosen by them." in text
    assert "The value chosen lies at the end of the range: the best may lie beyond it." in text
    assert "The value chosen is below the strongest baseline, content MF (0.7200)." in text
    assert "It is not what the paper finds best for Kuaishou (3 layers) and MovieLens (4 layers or more, not t" in text


def test_one_seed_claims_no_difference_unless_its_runs_can_be_paired() -> None:
    assert "One seed gives no interval for the difference between two values." in paragraph({1: 0.7, 3: 0.8})

    def pair(low: float, high: float) -> str:
        return paragraph({1: 0.7, 3: 0.8}, pair=lambda a, b: Interval(0.1, low, high, 0.95, 50, 1000), default=1)

    sure, unsure = pair(0.05, 0.15), pair(-0.01, 0.21)
    assert "Compared with 1 layer, the default: higher with 3 layers (+0.1000 [+0.0500, +0.1500])." in sure
    assert "higher with" not in unsure
    assert "Compared with 1 layer, the default: not told apart from 3 layers." in unsure


def test_without_the_default_values_are_compared_with_the_one_chosen() -> None:
    text = paragraph({1: [0.7, 0.7], 3: [0.8, 0.8]}, validation={1: 0.9, 3: 0.8}, default=7)
    assert "Compared with 1 layer: higher with 3 layers (+0.1000 [+0.1000, +0.1000])." in text


def test_a_tie_on_validation_is_told() -> None:
    text = paragraph({6: 0.8, 12: 0.8, 1: 0.7}, setting="slot_months", validation={6: 0.9, 12: 0.9, 1: 0.7})
    assert "Validation chooses 6 months (0.9000), the smallest of equals (12 months); test AUC" in text


def test_failed_runs_are_named_and_nothing_is_said_without_a_result() -> None:
    text = paragraph({1: 0.7}, failed={3: "boom"})
    assert "No other value has a result to compare it with." in text
    assert text.endswith("Without a result: 3, seed 0: failed.")
    none = paragraph({}, failed={3: "boom"})
    assert none == "**Convolution layers.** No run has a result yet. Without a result: 3, seed 0: failed."


def test_runs_without_validation_are_not_chosen_from() -> None:
    text = paragraph({1: 0.7, 3: 0.8}, validation={1: np.nan, 3: np.nan}, stated=STATED)
    assert "No validation AUC was recorded, so no value is chosen." in text
    assert "paper" not in text
    assert "nan" not in text


def test_our_data_set_is_set_beside_the_papers_neutrally() -> None:
    frame = settings_frame(results_frame({1: 0.7, 3: 0.8}, setting="layers"))
    assert settings_note(frame, "ml-trailers").endswith(
        "ml-trailers is none of the paper's data sets; MovieLens is the nearest."
    )
    assert settings_note(frame, "planted").endswith("planted is none of the paper's data sets.")


def speedups(rates: dict[int, list[float]]) -> pd.DataFrame:
    """Speed-ups of a training step."""
    rows = [
        {"what": "training step", "threads": count, "round": turn, "per_second": rate}
        for count, several in rates.items()
        for turn, rate in enumerate(several)
    ]
    return speedup_frame(pd.DataFrame(rows))


def test_scaling_is_told_with_its_spread_and_the_load() -> None:
    frame = speedups({1: [10.0, 10.0], 2: [15.0, 16.0]})
    text = speedup_note(frame, {"processor": "P", "cores": 2}, 1.5)
    assert text.startswith(
        "With 2 threads (P, 2 cores) a training step is 1.55 times as fast as with one [1.50, 1.60], 78%"
    )
    assert "Brackets: the slowest and the fastest of 2 rounds." in text
    assert "The paper's machine had 24 cores and ran 1 to 24 threads." in text
    assert "Other programs kept 1.5 cores busy when it began: on an idle machine the speed-up is higher." in text
    assert "more threads than cores" not in text
    assert "busy" not in speedup_note(frame, {"processor": "P", "cores": 2}, math.nan)
    assert "There are more threads than cores" in speedup_note(frame, {"processor": "P", "cores": 1}, 0.0)


def test_one_core_has_no_speed_up() -> None:
    text = speedup_note(speedups({1: [12.0]}), {"processor": "P", "cores": 1}, 0.0)
    assert text == "With one thread (P, 1 core) there is no speed-up to show: 12.0 training steps a second."


def test_curves_tell_the_best_point_and_whether_training_was_still_improving() -> None:
    text = curves_note(mark_best(curves_frame({"a": [0.5, 0.7, 0.6], "b": [0.5, 0.6, 0.7], "c": [np.nan]})))
    assert "**a**: best validation AUC 0.7000 after 0.50 of 0.75 passes." in text
    assert (
        "**b**: best validation AUC 0.7000 after 0.75 of 0.75 passes; its last point is the best, so longer training"
        in text
    )
    assert "**c**: no validation AUC was recorded." in text
    none, on_the_paper = curves_note(pd.DataFrame()).split("\n\n")
    assert none == "No run has finished, so there is no curve."
    assert on_the_paper.startswith("*On the paper*: The text calls a point of the x axis an epoch")


def test_protocols_tell_each_change_and_the_lead() -> None:
    results = pd.concat([results_frame({"a": [0.80, 0.81]}), results_frame({"b": [0.70, 0.71]}, protocol="causal")])
    simple = pd.concat([baselines_frame(2, 0.6, 0.75, protocol=name) for name in ("as-published", "causal")])
    leak = {"negatives_avoid": "all"}
    results = pd.concat([results, results_frame({"c": [0.82, 0.83]}, **leak)])
    simple = pd.concat([simple, baselines_frame(2, 0.6, 0.75, **leak)])
    shown, table = protocols.protocols(sweep_of(results, simple))
    assert isinstance(table, Table)
    effects = {(row[0], row[1], row[2], row[3]): row[-1] for row in table.rows}
    assert effects["protocol", "as-published", "causal", "hyperctr"] == Cell("−0.1000", "[−0.1000, −0.1000]")
    assert effects["negatives avoid", "training", "all", "hyperctr"] == Cell("+0.0200", "[+0.0200, +0.0200]")
    assert "one seed only" not in table.caption
    assert "+0.0550 (as-published, random, sampled); −0.0450 (causal, random, sampled)" in shown.note
    assert "+0.0750 (as-published, random, sampled, leak)" in shown.note
