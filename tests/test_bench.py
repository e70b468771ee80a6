"""The benchmarks: what an epoch costs, ratios within rounds, where a table was measured, the figure, gates, scripts."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, cast

import pandas as pd
import pytest

from hyperctr.config import Config
from hyperctr.errors import ShapeError
from hyperctr.training.loop import Trainer
from tests.benchmarks import bench_scale
from tests.benchmarks.bench_report import bare_environment, timed, what_was_made
from tests.benchmarks.bench_training import summary
from tests.benchmarks.training_turns import EpochTimer, measure

ROOT = Path(__file__).parent.parent


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """tools/bench.py, which writes to a temporary folder."""
    monkeypatch.setattr(sys, "path", [str(ROOT / "tools"), *sys.path])
    module = importlib.import_module("bench")
    monkeypatch.setattr(module, "RESULTS", tmp_path / "benchmarks")
    return module


class Counted:
    """A trainer whose steps take a second each, 10 more at a round's beginning and 100 more at an epoch's."""

    def __init__(self, steps_per_epoch: int, steps_per_round: int) -> None:
        self.steps_per_epoch, self.rounds_per_epoch = steps_per_epoch, steps_per_epoch // steps_per_round
        self.now, self.steps_per_round = 0.0, steps_per_round
        self.rows, self.config = range(50), SimpleNamespace(negatives=3)

    def train_step(self, step: int) -> None:
        self.now += 1 + 10 * (step % self.steps_per_round == 0) + 100 * (step % self.steps_per_epoch == 0)


@pytest.mark.parametrize(("steps", "size", "least"), [(12, 3, 0), (12, 3, 500), (12, 12, 0), (12, 1, 30)])
def test_an_epoch_is_what_its_rounds_and_its_beginning_cost(steps: int, size: int, least: float) -> None:
    trainer = Counted(steps, size)
    timer = EpochTimer(cast(Trainer, trainer), clock=lambda: trainer.now)
    assert timer.seconds_per_epoch(least) == 100 + 10 * steps / size + steps
    assert timer.steps % size == 0 and timer.spent >= least
    assert measure(timer, least) == 50 * 4 / (100 + 10 * steps / size + steps)


def turns(rates: dict[tuple[str, str, int], list[float]]) -> pd.DataFrame:
    rows = []
    for (system, loader, size), values in rates.items():
        base = {"system": system, "loader": loader, "interactions": size, "seconds_per_step": 0.1}
        base |= {"peak_memory_mib": size / 10}
        rows += [{**base, "round": number, "examples_per_second": value} for number, value in enumerate(values)]
    return pd.DataFrame(rows)


RATES = {
    ("HyperCTR", "", 100): [80.0, 40.0, 60.0],
    ("HyperCTR", "", 1000): [40.0, 20.0, 50.0],
    ("FuxiCTR DIN", "0 workers", 100): [20.0, 10.0, 20.0],
    ("FuxiCTR DIN", "1 worker", 100): [10.0, 10.0, 10.0],
    ("FuxiCTR DIN", "batches ready", 100): [40.0, 20.0, 30.0],
}


def summarised() -> pd.DataFrame:
    facts = [("HyperCTR", 100, 60), ("HyperCTR", 1000, 600), ("FuxiCTR DIN", 100, 60)]
    columns = ["system", "interactions", "train_clicks"]
    return summary(turns(RATES), pd.DataFrame(facts, columns=columns), negatives=1)


def test_ratios_are_taken_within_a_round_and_to_the_faster_loader() -> None:
    ours, larger = summarised().iloc[0], summarised().iloc[1]
    assert (ours.examples_per_second, ours.low, ours.high, ours.clicks_per_second) == (60, 40, 80, 30)
    assert ours.epoch_seconds == 2 and ours.times_smallest == 1
    assert (ours.times_peer, ours.times_peer_without_loader) == (4, 2)
    assert larger.times_smallest == 2 and larger.peak_memory_mib == 100
    assert pd.isna(larger.times_peer)


def test_a_table_tells_where_and_how_it_was_measured(bench: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import sys; from pathlib import Path; Path(sys.argv[-1]).write_text('seconds,n\\n0.5,'+sys.argv[1]+'\\n')"
    monkeypatch.setattr(bench, "BENCHMARKS", {"own": f'-c "{code}" {{sizes}}', "broken": "-c raise(SystemExit(3))"})
    assert bench.run("own", {"sizes": "7", "peers": ""}) and not bench.run("broken", {"sizes": "", "peers": ""})
    (row,) = pd.read_csv(bench.RESULTS / "own.csv").to_dict("records")
    assert (row["seconds"], row["n"]) == (0.5, 7)
    assert row["command"].startswith("python -c") and row["cores"] >= 1
    assert all(row[name] for name in ("processor", "torch", "python", "hyperctr", "code", "date"))
    assert not (bench.RESULTS / "broken.csv").exists()
    text = importlib.import_module("benchmark_tables").benchmark_text(bench.RESULTS / "own.csv")
    assert text.startswith(f"**own**, {row['processor']}, {row['cores']} cores, ")
    assert text.endswith("`):\n\n| seconds | n |\n| --- | --- |\n| 0.5000 | 7 |")


def test_the_figure_shows_time_and_memory_and_the_faster_loader(bench: ModuleType) -> None:
    shape: dict[str, Any] = {"processor": "a CPU", "threads": 2, "busy_cores": 0.1, "batch_clicks": 5, "d": 8}
    frame = summarised().assign(history=3, **shape)
    chart = bench.cost_figure(frame).chart
    drawn = {(trace.name, trace.yaxis): list(trace.y) for trace in chart.data}
    assert drawn["HyperCTR", "y"] == [1e6 / 60, 1e6 / 40] and drawn["HyperCTR", "y2"] == [10, 100]
    assert drawn["FuxiCTR DIN, its loader", "y"] == [1e6 / 20]
    assert {
        axis.type for axis in (chart.layout.xaxis, chart.layout.xaxis2, chart.layout.yaxis, chart.layout.yaxis2)
    } == {"log"}
    assert chart.layout.yaxis.title.text == "time of an example, µs"
    with pytest.raises(ShapeError, match="busy_cores"):
        bench.cost_figure(frame.drop(columns="busy_cores"))


def gates_of(folder: Path, text: str) -> dict[str, list[str]]:
    """What the page of gates says of a folder with one row of training.csv: wanted, reached, met by what."""
    folder.mkdir(exist_ok=True)
    columns = "system,loader,interactions,times_smallest,times_peer,examples_per_second,low,high"
    (folder / "training.csv").write_text(f"{columns}\n{text}\n")
    lines = importlib.import_module("gates").gates_text(folder).splitlines()
    return {line.split(" | ")[0]: line.rstrip(" |").split(" | ")[1:] for line in lines if line.startswith("| ")}


def test_gates_are_met_missed_or_within_noise_and_what_is_not_recorded_says_so(
    bench: ModuleType, tmp_path: Path
) -> None:
    ours = "HyperCTR,,100000,1.0,0.9,90,80,101\nHyperCTR,,10000000,1.31,1.0,90,80,99"
    peers = "FuxiCTR DIN,0 workers,{size},1,,100,100,110\nFuxiCTR DIN,batches ready,{size},1,,500,400,600"
    rows = "\n".join([ours, peers.format(size=10**5), peers.format(size=10**7)])
    table = gates_of(tmp_path / "tables", rows)
    cost = "| cost of an example at 10^{} interactions over that at 10^5"
    pace = "| examples a second over FuxiCTR DIN's, 10^{} interactions"
    assert table[cost.format(7)] == ["at most 1.3", "1.31", "no"]
    assert table[cost.format(6)] == ["at most 1.3", "not recorded", "–"]
    assert table[pace.format(5)] == ["at least 1", "0.900", "within noise"]
    assert table[pace.format(7)] == ["at least 1", "1.00", "yes"]  # no round of the two overlaps
    assert table["| peak memory at 10^7"][1] == "not recorded"  # the column is missing
    assert table["| `make report`, wall time"] == ["at most 6 min", "not recorded", "–"]  # the table is
    text = importlib.import_module("gates").gates_text(tmp_path / "tables")
    assert "- **cost of an example at 10^7 interactions over that at 10^5**: More users" in text


def test_each_gate_that_the_recorded_tables_miss_is_explained(bench: ModuleType) -> None:
    gates = importlib.import_module("gates")
    tables = gates.Tables(ROOT / "reports" / "results" / "benchmarks")
    assert [gate.what for gate in gates.GATES if gate.met(tables) == "no" and not gate.why] == []
    assert {gate.met(tables) for gate in gates.GATES} <= {"yes", "no", "within noise", ""}


def test_the_report_is_timed_in_an_environment_that_says_nothing_of_this_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ONLY", "MAKEFLAGS", "PYTHONPATH", "OMP_NUM_THREADS", "HYPERCTR_NO_VENV", "HYPERCTR_TORCH"):
        monkeypatch.setenv(name, "report")
    environment = bare_environment(tmp_path)
    kept = {name for name, value in environment.items() if value == "report"}
    assert kept == {"HYPERCTR_TORCH"} and environment["HYPERCTR_RUNS"] == str(tmp_path)
    code = "import time; begun = time.process_time()\nwhile time.process_time() < begun + 0.3: pass"
    began = time.perf_counter()
    took = timed([sys.executable, "-c", code], tmp_path, environment)
    assert 0.3 <= took["wall_seconds"] <= time.perf_counter() - began
    assert took["cpu_seconds"] >= 0.25  # the clock ticks a hundred times a second
    for name in ("10_overall.html", "11_modalities.html", "index.html"):
        (tmp_path / name).touch()
    (tmp_path / "runs.csv").write_text("state,seconds\ndone,2\ndone,3\nfailed,1\n")
    assert what_was_made(tmp_path) == {"notebooks": 2, "runs": 2, "training_seconds": 6}


@pytest.mark.parametrize(
    ("measured", "tested", "ends"), [(0, 0, 0), (0, 5, 0), (0, 1, 1), (0, 2, 1), (0, 124, 1), (3, 0, 1)]
)
def test_the_gpu_script_measures_and_tests_whatever_becomes_of_either(
    tmp_path: Path, measured: int, tested: int, ends: int
) -> None:
    stub = tmp_path / "python"
    cases = f'*bench_gpu.py*) echo measured; exit {measured};; *" -m gpu "*) echo tested; exit {tested};;'
    stub.write_text(f'#!/bin/sh\ncase "$*" in {cases} esac\n')
    stub.chmod(0o755)
    environment = {**os.environ, "PYTHON": str(stub)}
    script = ["sh", "tests/benchmarks/gpu.sh", str(tmp_path)]
    done = subprocess.run(script, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    assert (done.returncode, done.stdout.split()) == (ends, ["measured", "tested"])


def test_the_gpu_script_runs_on_a_cpu_at_toy_sizes(tmp_path: Path) -> None:
    """Three sizes trained, timed and profiled, and one traced; on a GPU the same script is the measurement."""
    table, profile, compiled = tmp_path / "gpu.csv", tmp_path / "gpu_profile.txt", tmp_path / "gpu_compiled.csv"
    script = ["sh", "tests/benchmarks/gpu.sh", str(tmp_path), "--device", "cpu", "--rounds", "1"]
    (tmp_path / "tests").mkdir()  # whose gpu tests are none: they run here as everywhere
    environment = {**os.environ, "PYTHON": sys.executable, "OMP_NUM_THREADS": "1", "TESTS": str(tmp_path / "tests")}
    subprocess.run(script, cwd=ROOT, env=environment, check=True)
    frame = pd.read_csv(table)
    assert list(frame["data"]) == ["MovieLens-10M", "MV1.7M", "Kuaishou"]
    measured = ["milliseconds_per_step", "epoch_seconds", "convolution_milliseconds", "share_of_copy_bandwidth"]
    assert (frame[[*measured, "peak_memory_mib"]] > 0).all(axis=None)
    assert all(name in profile.read_text() for name in frame["data"])
    compared = pd.read_csv(compiled)
    assert list(compared["compiled"]) == ["plain", "eager"] and compared["note"].isna().all()
    assert list(compared["turns"]) == [1, 1]
    assert (compared[["milliseconds_per_step", "first_step_seconds"]] > 0).all(axis=None)


def test_scale_changes_one_thing_at_a_time_and_compares_medians_with_the_base() -> None:
    base, config = bench_scale.Case("base", 40, 60, 400), Config(embedding_size=8, slot_months=6)
    known = bench_scale.cases(base, config)
    changed = {
        name: {field for field, value in vars(case).items() if field != "what" and value != getattr(base, field)}
        for name, case in known.items()
    }
    assert all(len(fields) == (name != "base") for name, fields in changed.items())
    assert known["slots"].settings == {"slot_months": 3} and known["d"].settings == {"embedding_size": 16}
    costs = {"peak_memory_mib": 10, "hypergraph_seconds": 2, "traffic_gib": 4}
    rows = [{"what": "base", "epoch_seconds": seconds, **costs} for seconds in (1.0, 3.0, 2.0)]
    rows += [{"what": "d", "epoch_seconds": seconds, **costs, "traffic_gib": 8} for seconds in (5.0, 6.0, 9.0)]
    second = bench_scale.summary(rows).iloc[1]
    assert (second.what, second.epoch_seconds, second.low, second.high, second.turns) == ("d", 6, 5, 9, 3)
    assert (second.epoch_seconds_times_base, second.traffic_gib_times_base) == (3, 2)
    assert (second.peak_memory_mib_times_base, second.hypergraph_seconds_times_base) == (1, 1)


def test_scale_measures_two_processes_and_counts_what_they_send(tmp_path: Path) -> None:
    out = tmp_path / "scale.csv"
    size = ["--users", "40", "--items", "60", "--interactions", "400", "--turns", "1", "--seconds", "0.1"]
    settings = ["--settings", "embedding_size=8", "hidden=[8, 4]", "batch_size=4", "history_length=5"]
    script = [sys.executable, "-m", "tests.benchmarks.bench_scale", *size, *settings, "--only", "processes"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([*script, "--out", str(out)], cwd=ROOT, env=environment, check=True)
    alone, two = pd.read_csv(out).to_dict("records")
    assert (alone["processes"], two["processes"], two["threads"]) == (1, 2, 1)
    assert all(row[cost] > 0 for row in (alone, two) for cost in bench_scale.COSTS)
    # d numbers a row there and back, eight rounds an epoch; and on the way there a byte that says whether it is active.
    rows = two["convolved_rows"]
    assert rows == alone["convolved_rows"] and two["rounds_per_epoch"] == 8
    assert two["traffic_gib"] * 2**30 == pytest.approx(8 * rows * 2 * 8 * 4, rel=1e-4)
    assert two["sent_rows_gib"] * 2**30 == pytest.approx(8 * rows * (2 * 8 * 4 + 1), rel=1e-4)
    assert two["sent_gradients_gib"] > 0 and pd.isna(alone["sent_rows_gib"])
