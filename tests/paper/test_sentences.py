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


def paragraph(auc: Any, *, setting: str = "layers", pair: Any = None, stated: Any = (), **changes: Any) -> str:
    """The paragraph about runs over one setting."""
    runs = results_frame(auc, setting=setting, **changes)
    return settings_note(settings_frame(runs, baselines_frame(1, 0.6, 0.72), stated, pair), "")


def test_three_seeds_tell_what_differs_and_what_does_not() -> None:
    auc = {1: [0.70, 0.71, 0.72], 3: [0.80, 0.79, 0.81], 5: [0.79, 0.80, 0.80]}
    text = paragraph(auc, validation={1: 0.7, 3: 0.82, 5: 0.81}, stated=STATED)
    assert "Best on validation: 3 layers (0.8200); its test AUC is 0.8000 (0.7752 to 0.8248)." in text
    assert "Between 1 layer and 5 layers test AUC moves by 0.0900, from 0.7100 (1 layer) to 0.8000 (3 layers)." in text
    assert "Over 3 seeds, test AUC with 3 layers is higher than with 1 layer (by 0.0900, 0.0652 to 0.1148)." in text
    assert "The interval of its difference to 5 layers includes zero." in text
    assert "The chosen value is above the strongest baseline, content MF (0.7200)." in text
    assert (
        "agrees with the value chosen here for Kuaishou (3 layers), differs from it for MovieLens (4 layers or mo"
        in text
    )
    assert "end of the range" not in text
    assert "On test" not in text


def test_what_is_better_on_test_only_is_not_chosen() -> None:
    text = paragraph({1: 0.70, 3: 0.74}, validation={1: 0.8, 3: 0.7}, stated=STATED)
    assert "Best on validation: 1 layer (0.8000)" in text
    assert "On test 3 layers would be higher (0.7400); it is not chosen by that." in text
    assert "That is the end of the range tried" in text
    assert "The chosen value is below the strongest baseline, content MF (0.7200)." in text
    assert "differs from it for Kuaishou (3 layers) and MovieLens (4 layers or more, not tried here)." in text


def test_one_seed_claims_no_difference_unless_its_runs_can_be_paired() -> None:
    assert "With one seed there is no interval for the difference between two values." in paragraph({1: 0.7, 3: 0.8})

    def pair(low: float, high: float) -> str:
        return paragraph({1: 0.7, 3: 0.8}, pair=lambda a, b: Interval(0.1, low, high, 0.95, 50, 1000))

    sure, unsure = pair(0.05, 0.15), pair(-0.01, 0.21)
    assert "Paired over the test users of one seed, test AUC with 3 layers is higher than with 1 layer " in sure
    assert "(by 0.1000, 0.0500 to 0.1500)" in sure
    assert "higher than" not in unsure
    assert "the interval of the difference of 3 layers to 1 layer includes zero." in unsure


def test_a_difference_downwards_is_called_lower() -> None:
    text = paragraph({1: [0.7, 0.7], 3: [0.8, 0.8]}, validation={1: 0.9, 3: 0.8})
    assert "test AUC with 1 layer is lower than with 3 layers (by 0.1000, 0.1000 to 0.1000)" in text


def test_a_tie_on_validation_is_told() -> None:
    text = paragraph({6: 0.8, 12: 0.8, 1: 0.7}, setting="slot_months", validation={6: 0.9, 12: 0.9, 1: 0.7})
    assert "Best on validation: 6 months (0.9000), tied with 12 months, of which the smallest is taken;" in text


def test_failed_runs_are_named_and_nothing_is_said_without_a_result() -> None:
    text = paragraph({1: 0.7}, failed={3: "boom"})
    assert "There is no other value with a result to compare it with." in text
    assert text.endswith("Without a result: 3, seed 0: failed.")
    none = paragraph({}, failed={3: "boom"})
    assert (
        none
        == "**Convolution layers.** No run has a result, so nothing can be said. Without a result: 3, seed 0: failed."
    )


def test_runs_without_validation_are_not_chosen_from() -> None:
    text = paragraph({1: 0.7, 3: 0.8}, validation={1: np.nan, 3: np.nan}, stated=STATED)
    assert "No validation AUC was recorded, so no value is chosen." in text
    assert "paper" not in text
    assert "nan" not in text


def test_our_data_set_is_set_beside_the_papers_neutrally() -> None:
    frame = settings_frame(results_frame({1: 0.7, 3: 0.8}, setting="layers"))
    assert settings_note(frame, "ml-trailers").endswith(
        "None of the paper's data sets is ml-trailers; MovieLens is the nearest."
    )
    assert settings_note(frame, "planted").endswith("None of the paper's data sets is planted.")


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
    assert "a training step is 1.55 times as fast as with one (1.50 to 1.60 over 2 rounds), 78% of a linear" in text
    assert "This machine has 2 cores (P); the paper's had 24, with 1 to 24 threads." in text
    assert "1.5 cores were busy: the speed-ups are lower than on an idle machine." in text
    assert "More threads than cores" not in text
    assert "busy" not in speedup_note(frame, {"processor": "P", "cores": 2}, math.nan)
    assert "More threads than cores" in speedup_note(frame, {"processor": "P", "cores": 1}, 0.0)


def test_one_core_has_no_speed_up() -> None:
    text = speedup_note(speedups({1: [12.0]}), {"processor": "P", "cores": 1}, 0.0)
    assert text == "Measured with one core only (P), so there is no speed-up to show: 12.0 training steps a second."


def test_curves_tell_the_best_point_and_whether_training_was_still_improving() -> None:
    text = curves_note(mark_best(curves_frame({"a": [0.5, 0.7, 0.6], "b": [0.5, 0.6, 0.7], "c": [np.nan]})))
    assert "**a**: best validation AUC 0.7000 after 0.50 passes over the training set, of 0.75 trained." in text
    assert "of 0.75 trained; the best is its last point, so longer training might help." in text
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
    assert effects["protocol", "as-published", "causal", "hyperctr"] == Cell("-0.1000", "-0.1000 to -0.1000")
    assert effects["negatives avoid", "training", "all", "hyperctr"] == Cell("+0.0200", "+0.0200 to +0.0200")
    assert "one seed only" not in table.caption
    assert "+0.0550 (as-published, random, sampled); -0.0450 (causal, random, sampled)" in shown.note
    assert "+0.0750 (as-published, random, sampled, leak)" in shown.note
