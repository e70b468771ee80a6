"""Timing by number of threads: fresh processes that take turns, kept by run and machine, honest about what fails."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from hyperctr.errors import ConfigError, RunError
from hyperctr.executor import available_cores
from hyperctr.runs import scaling
from hyperctr.runs.scaling import CONVOLUTION, STEP, measure_scaling
from hyperctr.runs.store import run_names
from tests.conftest import Tiny


@pytest.fixture
def own_store(tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store that holds a link to the tiny run, and gets the timings."""
    (tmp_path / tiny.run.id).symlink_to(tiny.run.folder)
    monkeypatch.setenv("HYPERCTR_RUNS", str(tmp_path))
    return tmp_path


def test_every_thread_count_is_measured_in_every_round_and_kept(
    tiny: Tiny, own_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = measure_scaling(tiny.run.id, threads=(2, 1), rounds=2, seconds=0.02)
    counted = found.frame.groupby(["what", "threads"])["round"].agg(list).to_dict()
    assert counted == {(what, count): [0, 1] for what in (STEP, CONVOLUTION) for count in (1, 2)}
    # a training step holds several convolutions, and more
    rate = found.frame.groupby("what")["per_second"].max()
    assert 1 < rate[STEP] < rate[CONVOLUTION] < 1e6
    assert found.machine["cores"] == available_cores()
    assert found.busy_cores >= 0
    assert run_names() == [tiny.run.id], "timings are no run"

    def refuse(*_: object) -> None:
        raise AssertionError("measured again")

    monkeypatch.setattr(scaling, "_take_turns", refuse)
    again = measure_scaling(tiny.run.id, threads=(1, 2), rounds=2, seconds=0.02)
    assert again.frame.equals(found.frame)
    assert (again.busy_cores, again.seconds, again.machine) == (found.busy_cores, found.seconds, found.machine)
    for threads, rounds, seconds in (((1,), 2, 0.02), ((1, 2), 3, 0.02), ((1, 2), 2, 0.03)):
        with pytest.raises(AssertionError, match="measured again"):
            measure_scaling(tiny.run.id, threads=threads, rounds=rounds, seconds=seconds)
    monkeypatch.setattr(scaling, "machine_facts", lambda: {**found.machine, "processor": "another"})
    with pytest.raises(AssertionError, match="measured again"):
        measure_scaling(tiny.run.id, threads=(1, 2), rounds=2, seconds=0.02)


def test_a_torn_file_is_measured_again(tiny: Tiny, own_store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"what": STEP, "threads": 1, "round": 0, "per_second": 5.0}]
    monkeypatch.setattr(scaling, "_take_turns", lambda *_: rows)
    measure_scaling(tiny.run.id, threads=(1,))
    (kept,) = (own_store / ".timings").iterdir()
    kept.write_text('{"rows": [')
    assert measure_scaling(tiny.run.id, threads=(1,)).frame.to_dict("records") == rows
    assert json.loads(kept.read_text())["rows"] == rows


def test_a_process_that_dies_is_an_error_with_its_last_words(tiny: Tiny, own_store: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    for path in tiny.run.folder.iterdir():
        if path.name != "model.safetensors":
            (broken / path.name).symlink_to(path)
    with pytest.raises(RunError, match=r"timing with 1 threads stopped \(exit 1\).*model\.safetensors"):
        measure_scaling("broken", threads=(1,), rounds=1, seconds=0.01)
    assert not (own_store / ".timings").exists()


def test_what_cannot_be_measured_is_refused(tiny: Tiny, own_store: Path) -> None:
    for threads in ((2, 4), (0, 1), (1, 10_000)):
        with pytest.raises(ConfigError, match="must hold 1"):
            measure_scaling(tiny.run.id, threads=threads)
    with pytest.raises(ConfigError, match="rounds = 0"):
        measure_scaling(tiny.run.id, rounds=0)
    (own_store / "half").mkdir()
    (own_store / "half" / "config.toml").touch()
    with pytest.raises(RunError, match="only a finished run can be timed"):
        measure_scaling("half")


def test_busy_cores_are_counted_or_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("psutil.cpu_percent", lambda seconds: 75.0)
    monkeypatch.setattr("psutil.cpu_count", lambda: 4)
    assert scaling.busy_cores(0) == pytest.approx(3.0)

    def missing(seconds: float) -> float:
        raise FileNotFoundError

    monkeypatch.setattr("psutil.cpu_percent", missing)
    assert math.isnan(scaling.busy_cores(0))
