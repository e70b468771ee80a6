"""Two runs side by side: the kept draws give what scoring both again gives, and the command prints it."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import hyperctr as hc
from hyperctr.cli import main
from hyperctr.config import REFERENCE_MODEL
from hyperctr.errors import RunError
from hyperctr.evaluation import pooled_draws
from hyperctr.runs.compare import compare_cached, compare_runs, differing_settings, metric_differences
from hyperctr.runs.run import Run
from hyperctr.runs.scoring import pools_of_test
from hyperctr.runs.store import run_names
from hyperctr.training.scoring import score_pool
from tests.conftest import Tiny


@pytest.fixture
def pair(tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Run, Run]:
    """The shared run and the reference beside it, in a store of their own."""
    shutil.copytree(tiny.store, tmp_path / "runs")
    monkeypatch.setenv("HYPERCTR_RUNS", str(tmp_path / "runs"))
    (other,) = {*run_names()} - {tiny.run.id}
    return hc.load_run(tiny.run.id, tiny.data), hc.load_run(other, tiny.data)


def test_kept_draws_say_what_scoring_again_says(pair: tuple[Run, Run]) -> None:
    a, b = pair
    pool, _ = pools_of_test(a.split_data, a.config)
    drawn = [pooled_draws(score_pool(run.model, run.split_data, pool), seed=a.config.seed) for run in (a, b)]
    scored = drawn[0].minus(drawn[1])
    found = compare_runs(a, b)
    assert (found.value, found.users, found.replicates) == (scored.value, scored.users, scored.replicates)
    np.testing.assert_allclose([found.low, found.high], [scored.low, scored.high], rtol=1e-12)
    row = a.rows.set_index("model").loc[REFERENCE_MODEL]
    assert [found.value, found.low, found.high] == pytest.approx(
        row[["auc_gain", "auc_gain_low", "auc_gain_high"]].tolist()
    )
    assert dataclasses.astuple(compare_runs(b, a))[:3] == pytest.approx((-found.value, -found.high, -found.low))


def test_a_comparison_is_kept_beside_the_first_run(pair: tuple[Run, Run], monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = pair
    found = compare_cached(a.id, b.id)
    kept = a.folder / "compare" / f"{b.id}.json"
    assert json.loads(kept.read_text()) == dataclasses.asdict(found) == dataclasses.asdict(compare_runs(a, b))
    (b.folder / "draws.json").unlink()
    assert compare_cached(a.id, b.id) == found
    with pytest.raises(RunError, match=r"draws.json: missing; the run is damaged"):
        compare_cached(b.id, a.id)


def test_what_was_not_tested_alike_is_not_compared(pair: tuple[Run, Run]) -> None:
    a, b = pair
    for name in ("seed", "split_checksum", "test_candidates"):
        changed = {**b.metrics, name: "another"}
        b.metrics, before = changed, b.metrics
        with pytest.raises(RunError, match=f"{a.id} and {b.id} cannot be compared: their {name} differ"):
            compare_runs(a, b)
        b.metrics = before


def test_differences_are_listed(pair: tuple[Run, Run]) -> None:
    a, b = pair
    settings = differing_settings(a, b).set_index("setting")
    assert settings.loc["model"].tolist() == ["hyperctr", REFERENCE_MODEL]
    assert "seed" not in settings.index and "test_candidates" not in settings.index
    metrics = metric_differences(a, b).set_index("metric")
    assert metrics.loc["auc"].tolist() == [a.metrics["auc"], b.metrics["auc"], a.metrics["auc"] - b.metrics["auc"]]


def test_the_command_lists_compares_and_explains(pair: tuple[Run, Run], capsys: pytest.CaptureFixture[str]) -> None:
    a, b = pair
    for line in (["runs"], ["runs", "list"]):
        assert main(line) == 0
        rows = {row.split()[0]: row for row in capsys.readouterr().out.splitlines()}
        assert set(rows) == {"id", a.id, b.id}
        assert rows[a.id].split()[1:6] == ["done", "hyperctr", "planted", "0", f"{a.metrics['auc']:.4f}"]
    assert main(["runs", "compare", a.id[:8], b.id[:8]]) == 0
    *_, last = capsys.readouterr().out.splitlines()
    found = compare_runs(a, b)
    assert last == f"test AUC of {a.id} minus {b.id}: {found}, paired over {found.users} users"
    assert main(["runs", "why-stale", a.id]) == 0
    assert capsys.readouterr().out.startswith("nothing has changed")
    (a.folder / "code.json").unlink()
    assert main(["runs", "why-stale", a.id]) == 0
    assert capsys.readouterr().out.startswith("code: the run was made by a version")
    (b.folder / "metrics.json").write_text("{")
    assert main(["runs"]) == 0
    assert f"{b.folder / 'metrics.json'}: not valid JSON" in capsys.readouterr().out
    assert main(["runs", "compare", a.id, b.id]) == 2
    assert "train it again" in capsys.readouterr().err
    assert main(["runs", "why-stale", "nosuch"]) == 2
    for run in pair:
        shutil.rmtree(run.folder)
    assert main(["runs"]) == 0
    assert "no runs in" in capsys.readouterr().out
