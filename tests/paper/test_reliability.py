"""The reliability diagram: shares of clicks and their intervals by value, and what is said where nothing was kept."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hyperctr.paper.figures.reliability import distances, reliability, reliability_chart, reliability_frame
from hyperctr.runs.states import write_status
from hyperctr.sweeps import results


def bins(**changes: Any) -> pd.DataFrame:
    """Two bins of HyperCTR and of popularity beside it, too sure unless calibrated."""
    rows = [
        {"model": model, "of_run": model == "hyperctr", "pairs": 100, "clicks": clicks, "raw": raw, "calibrated": mild}
        for model, shift in (("hyperctr", 0), ("popularity", 5), ("item mean", 9))
        for clicks, raw, mild in ((20 + shift, 0.02, 0.19), (80 - shift, 0.98, 0.81))
    ]
    case = {"run": "a" * 12, "label": "hyperctr", "protocol": "as-published", "seed": 0}
    return pd.DataFrame(rows).assign(**case | changes)


def test_shares_of_clicks_have_wilson_intervals() -> None:
    every = pd.concat([bins(), bins(run="b" * 12, seed=1, clicks=0), bins(run="c" * 12, protocol="causal", clicks=0)])
    frame = reliability_frame(every)
    assert frame.groupby(["model", "probability"]).size().to_dict() == {
        (model, kind): 2 for model in ("hyperctr", "popularity") for kind in ("raw", "calibrated")
    }
    own = frame[frame["model"] == "hyperctr"].set_index("probability")
    assert own.loc["raw", "predicted"].tolist() == [0.02, 0.98]
    assert own.loc["calibrated", "predicted"].tolist() == [0.19, 0.81]
    assert own["observed"].tolist() == [0.2, 0.8] * 2
    z, n, p = 1.959964, 100, 0.2  # Wilson 1927
    middle, half = p + z * z / (2 * n), z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    low, high = own.iloc[0][["low", "high"]]
    assert (low, high) == pytest.approx(((middle - half) / scale, (middle + half) / scale), abs=1e-6)


def test_distances_are_means_over_pairs() -> None:
    rows = {row["title"]: row for row in distances(reliability_frame(bins()))}
    assert (rows["HyperCTR"]["raw"], rows["HyperCTR"]["calibrated"]) == pytest.approx((0.18, 0.01))
    assert (rows["popularity"]["raw"], rows["popularity"]["calibrated"]) == pytest.approx((0.23, 0.06))


def test_the_diagram_draws_each_model_and_says_how_far_off_it_is() -> None:
    figure = reliability(SimpleNamespace(reliability=bins(), measured_under=lambda protocols: "planted"))  # type: ignore[arg-type]
    chart = figure.chart
    assert [trace.name for trace in chart.data] == ["as predicted", "raw", "calibrated"] * 2
    assert [note.text for note in chart.layout.annotations] == ["HyperCTR", "popularity"]
    assert list(chart.data[1].x) == [0.02, 0.98] and list(chart.data[5].y) == [0.25, 0.75]
    assert chart.data[2].error_y.array[0] == pytest.approx(0.2888 - 0.2, abs=1e-4)
    assert figure.note.startswith(
        "HyperCTR (seed 0): predicted and observed shares of clicks differ by 0.180 on average over pairs, by 0.010 "
        "once calibrated. popularity: predicted and observed shares of clicks differ by 0.230 on average over pairs, "
        "by 0.060 once calibrated. Slope and"
    )


def test_runs_recorded_before_bins_were_kept_are_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYPERCTR_RUNS", str(tmp_path))
    config = SimpleNamespace(protocol="as-published", model="hyperctr")
    plan: Any = SimpleNamespace(runs=[SimpleNamespace(run_id="old", label="hyperctr", config=config, seed=0)])
    (tmp_path / "old").mkdir()
    write_status("old", "done")
    (tmp_path / "old" / "DONE").write_text("")
    (tmp_path / "old" / "metrics.json").write_text("{}")
    kept = results.reliability(plan)
    assert kept.empty
    figure = reliability(SimpleNamespace(reliability=kept, measured_under=lambda protocols: "planted"))  # type: ignore[arg-type]
    assert figure.note == "No run has kept what this figure shows; a run that is trained now does."
    assert "train them again" in figure.chart.layout.annotations[-1].text
    (tmp_path / "old" / "reliability.csv").write_text("model,pairs,clicks,raw,calibrated\nhyperctr,4,1,0.2,0.3\n")
    row = results.reliability(plan).iloc[0]
    assert (row["of_run"], row["run"], row["calibrated"]) == (True, "old", 0.3)
    assert reliability_chart(reliability_frame(results.reliability(plan))).data[2].y == (0.25,)
