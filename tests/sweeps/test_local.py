"""Sweeps on this machine: a run that fails or dies is reported as what it is, and an interrupted sweep goes on."""

from __future__ import annotations

import json
import math
import os
import re
import signal
import subprocess
import threading
from pathlib import Path

import pytest

from hyperctr.cli import main
from hyperctr.errors import ConfigError
from hyperctr.runs.states import held, read_status
from hyperctr.sweeps.jobs import log_path
from hyperctr.sweeps.local import choose_devices, run_plans
from hyperctr.sweeps.plan import open_plan
from hyperctr.sweeps.results import baselines, curves, results
from tests.sweeps.conftest import PLAN, Undisturbed
from tests.sweeps.plans import EPOCHS, environment, events_of, hyperctr, outcome_of, wait_for, write_plan

TABLE = ("--dataset", "table", "--budget", "smoke")
KINDS = """
compare_with = "fine"
[[rows]]
label = "fine"
[[rows]]
label = "killed"
epochs = 5000
patience = 5000
[[rows]]
label = "corrupt"
layers = 0
[[rows]]
label = "too big"
graph = "none"
embedding_size = 400000
[[rows]]
label = "also fine"
graph = "bipartite"
"""


def test_results_of_a_finished_sweep(undisturbed: Undisturbed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYPERCTR_RUNS", str(undisturbed.runs))
    plan, outcome = undisturbed.plan, undisturbed.outcome
    names = [run.run_id for run in plan.runs]
    assert outcome.states == dict.fromkeys(names, "done") and outcome.exit_code == 0
    assert sorted(outcome.trained) == sorted(names) and not outcome.errors
    frame = results(plan)
    for row, run in zip(frame.to_dict("records"), plan.runs, strict=True):
        written = json.loads((undisturbed.runs / run.run_id / "metrics.json").read_text())
        assert {name: row[name] for name in ("auc", "gauc", "logloss", "parameters", "torch", "dataset")} == {
            name: written[name] for name in ("auc", "gauc", "logloss", "parameters", "torch", "dataset")
        }
        events = events_of(undisturbed.runs, run.run_id)
        assert row["seconds_per_epoch"] == pytest.approx(events[-1]["seconds"] / EPOCHS)
        assert row["peak_memory_mib"] >= max(event["memory_mib"] for event in events)
        assert (row["setting"], row["label"], row["value"], row["epochs"]) == ("layers", run.label, run.value, EPOCHS)
    assert "auc_deficit" not in frame
    assert curves(plan).groupby("label")["step"].count().to_dict() == {"1": EPOCHS, "2": EPOCHS}
    simple = baselines(plan).set_index("model")
    assert sorted(simple.index) == ["constant", "content matrix factorisation", "item mean", "popularity"]
    assert simple.loc["constant", "auc"] == 0.5
    monkeypatch.setattr("hyperctr.sweeps.local.Executor", None)  # a second call needs none
    again = run_plans(plan)
    assert again.trained == () and again.exit_code == 0


def test_each_kind_of_failure_is_reported_as_what_it_is(tmp_path: Path, tiny_table: Path) -> None:
    runs = tmp_path / "runs"
    plan = open_plan(write_plan(tmp_path / "kinds.toml", KINDS), "table", "smoke", data_dir=tiny_table)
    ids = {run.label: run.run_id for run in plan.runs}
    broken = runs / ids["corrupt"]
    (broken / "state").mkdir(parents=True)
    (broken / "state" / "latest.safetensors").write_bytes(b"not tensors")

    def kill() -> None:
        wait_for(lambda: len(events_of(runs, ids["killed"])) > 1)
        os.kill(read_status(ids["killed"]).pid or 0, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    outcome = run_plans(plan, workers=2)
    killer.join()
    states = {label: outcome.states[name] for label, name in ids.items()}
    assert states == {"fine": "done", "killed": "killed", "corrupt": "failed", "too big": "failed", "also fine": "done"}
    assert outcome.exit_code == 1
    frame = results(plan).set_index("label")
    assert frame["state"].to_dict() == states
    assert frame.loc["killed", "error"] == "killed by SIGKILL (out of memory, or somebody's kill -9)"
    assert "latest.safetensors" in frame.loc["corrupt", "error"]
    assert re.search("alloc|memory", frame.loc["too big", "error"])
    status = read_status(ids["killed"])
    assert status.exit == -9 and (status.peak_memory_mib or 0) > 50 and (status.last_event or {})["step"] > 0
    assert read_status(ids["corrupt"]).exit == 1
    assert frame["auc"].isna().to_dict() == {label: state != "done" for label, state in states.items()}
    behind = frame.loc["also fine", "auc_deficit"]
    assert behind == pytest.approx(frame.loc["fine", "auc"] - frame.loc["also fine", "auc"])
    assert frame.loc["also fine", "auc_deficit_low"] <= behind <= frame.loc["also fine", "auc_deficit_high"]
    assert math.isnan(frame.loc["killed", "auc_deficit"])

    # only what failed is tried again: the folder was put right, the others stay as they are
    (broken / "state" / "latest.safetensors").unlink()
    write_plan(tmp_path / "kinds.toml", KINDS.replace("epochs = 5000\n", "").replace("400000", "4"))
    again = open_plan(tmp_path / "kinds.toml", "table", "smoke", data_dir=tiny_table)
    assert {run.label for run in again.runs if run.run_id in ids.values()} == {"fine", "corrupt", "also fine"}
    assert run_plans(again, only="failed").trained == (ids["corrupt"],)


def test_a_disturbed_sweep_ends_bit_identical(undisturbed: Undisturbed, tmp_path: Path, tiny_table: Path) -> None:
    """Stopped by Ctrl-C, then killed outright, then by its time: the next call goes on, and nothing shows it."""
    runs, names = tmp_path / "runs", [run.run_id for run in undisturbed.plan.runs]
    path = write_plan(tmp_path / "tiny.toml", PLAN)
    command = hyperctr("sweep", "run", path, *TABLE, "--data-dir", tiny_table, "--workers", 2)
    steps: dict[str, int] = {}

    def further() -> bool:
        now = {name: len(events_of(runs, name)) for name in names}
        return any(now[name] > steps.get(name, 0) for name in names)

    for number in (signal.SIGINT, signal.SIGKILL):
        # a shell starts what it puts into the background deaf to Ctrl-C, and children inherit that
        sweep = subprocess.Popen(
            command,
            env=environment(runs),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        wait_for(further)
        sweep.send_signal(number)
        sweep.communicate()
        assert sweep.returncode == (130 if number == signal.SIGINT else -signal.SIGKILL)
        wait_for(lambda: not any(held(name) for name in names))  # no run goes on by itself
        steps = {name: len(events_of(runs, name)) for name in names}
        states = {read_status(name).state for name in names}
        assert states <= ({"planned", "done"} if number == signal.SIGINT else {"planned", "killed", "done"})
    outcome = run_plans(open_plan(path, "table", "smoke", data_dir=tiny_table), workers=2)
    assert outcome.exit_code == 0, outcome
    starts = [log_path(runs, name).read_text().count(f" {name} starts in process ") for name in names]
    assert max(starts) > 1, "nothing was interrupted"
    for name in names:
        assert outcome_of(runs, name) == outcome_of(undisturbed.runs, name)


def test_a_sweep_stops_in_time_and_can_go_on(tmp_path: Path, tiny_table: Path) -> None:
    path = write_plan(tmp_path / "long.toml", PLAN.replace("[1, 2]", "[1, 2, 3]") + "\n[smoke.settings]\nepochs = 5000")
    plan = open_plan(path, "table", "smoke", data_dir=tiny_table)
    outcome = run_plans(plan, workers=2, max_minutes=0.06)
    assert outcome.stopped and outcome.exit_code == 1 and outcome.seconds < 90
    assert set(outcome.states.values()) == {"planned"}
    assert "start the sweep again" in str(outcome)
    assert not list((tmp_path / "runs").glob("*/.*"))  # nothing half written
    assert not any(held(run.run_id) for run in plan.runs)


def test_exit_codes_of_the_command(
    undisturbed: Undisturbed,
    tmp_path: Path,
    tiny_table: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text('title = "t"\n[settings]\nepoch = 3\n' + PLAN)
    assert main(["sweep", "run", str(wrong)]) == 2
    assert capsys.readouterr().err == f"hyperctr: {wrong}: unknown setting 'epoch': did you mean 'epochs'?\n"
    wrong.write_text('title = "t"\n' + PLAN + '\n[settings]\nepochs = "many"')
    assert main(["sweep", "run", str(wrong)]) == 2
    assert "setting epochs = 'many' must be of type int, got str" in capsys.readouterr().err
    assert main(["sweep", "run", "layers", "--dataset", "nosuch"]) == 2
    assert main(["sweep", "run", "layers", "--budget", "paper"]) == 2
    assert "holds neither kuaishou/ nor its files as released" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()
    monkeypatch.setenv("HYPERCTR_RUNS", str(undisturbed.runs))
    mine = write_plan(tmp_path / "tiny.toml", PLAN)
    data = [*TABLE, "--data-dir", str(tiny_table)]
    assert main(["sweep", "run", str(mine), *data]) == 0
    assert capsys.readouterr().out.startswith("2 runs: 2 done")
    assert main(["sweep", "status", str(mine), *data]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "tiny: table, budget smoke" and [line.split()[:2] for line in lines[1:]] == [
        [run.run_id, "done"] for run in undisturbed.plan.runs
    ]


def test_dry_run_says_what_is_left_and_what_it_takes(
    tmp_path: Path, tiny_table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = write_plan(tmp_path / "tiny.toml", PLAN)
    assert (
        main(
            [
                "sweep",
                "run",
                str(mine),
                *TABLE,
                "--data-dir",
                str(tiny_table),
                "--seeds",
                "2",
                "--dry-run",
                "--workers",
                "2",
            ]
        )
        == 0
    )
    *rows, summary = capsys.readouterr().out.splitlines()
    assert rows[0].split() == ["run", "state", "minutes", "MiB", "what"]
    assert sorted(row.split("  ")[-1] for row in rows[1:]) == [
        f"tiny: layers {layers}, seed {seed}" for layers in (1, 2) for seed in (0, 1)
    ]
    timings = [json.loads(path.read_text()) for path in (tmp_path / "runs" / ".timings").glob("*.json")]
    assert len(timings) == 2  # once for all seeds
    assert all(0 < timing["seconds"] < 600 and timing["peak_memory_mib"] > 50 for timing in timings)
    assert re.match(r"4 runs, 0 of them done; at most \d+\.\d minutes with 2 at once", summary)
    assert not list((tmp_path / "runs").glob("*/config.toml"))


def test_gpus_are_not_shared_unless_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HYPERCTR_DEVICE")
    monkeypatch.setattr("hyperctr.sweeps.local.count_gpus", lambda: 2)
    assert choose_devices(5) == ["cuda:0", "cuda:1"]
    assert choose_devices(5, share_gpu=True, workers=3) == ["cuda:0", "cuda:1", "cuda:0"]
    assert choose_devices(5, device="cuda:1") == ["cuda:1"]
    assert choose_devices(5, workers=3, device="cpu") == ["cpu", "cpu", "cpu"]
    with pytest.raises(ConfigError, match=r"^3 workers on 2 GPU\(s\): .* share_gpu=True \(--share-gpu\)$"):
        choose_devices(5, workers=3)
    monkeypatch.setattr("hyperctr.sweeps.local.count_gpus", lambda: 0)
    assert choose_devices(5, workers=3) == [None, None, None]
    with pytest.raises(ConfigError, match="there is no CUDA device"):
        choose_devices(5, device="cuda")
