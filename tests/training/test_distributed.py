"""Two processes that train one model: the curve, parameters and scores of one; failures; a rank killed and resumed.

This file is also what torchrun runs, as a module: each function of ``TASKS`` in two processes.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from hyperctr import distributed, sparse_adam
from hyperctr.config import Config
from hyperctr.data.dataset import Dataset
from hyperctr.data.planted import planted
from hyperctr.distributed import Group
from hyperctr.gradient_sums import sum_gradients
from hyperctr.runs import experiment
from hyperctr.runs.run import Run
from hyperctr.runs.scoring import build_model, interest_of
from hyperctr.runs.states import held, read_status
from hyperctr.runs.store import run_id
from hyperctr.split_data import SplitData
from hyperctr.training.checkpoint import load_tensors, save_tensors
from hyperctr.training.events import read_events
from hyperctr.training.loop import Trainer
from hyperctr.training.sharing import score_together

ROOT = Path(__file__).parents[2]
CPU = torch.device("cpu")
SHARED: dict[str, Any] = {"dropout": 0.0, "epochs": 1, "points_per_epoch": 2, "rounds_per_epoch": 2}
SHARED |= {"interest_epochs": 1, "validation_candidates": 20, "slot_months": 2, "history_length": 5}
# What each case is for: rounds of several steps and a last batch of one click; tables with sparse gradients; a
# convolution in every step; a baseline whose graph hides the batch's clicks; batch normalisation and two stages.
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "rounds": ("hyperctr", {}),
    "sparse": ("hyperctr", {"batch_size": 8}),
    "steps": ("hyperctr", {"rounds_per_epoch": 10**6, "graph": "bipartite"}),
    "lightgcn": ("lightgcn", {}),
    "autofis": ("autofis", {"epochs": 2}),
}
EXACT = [case for case in CASES if case != "autofis"]  # its normalisation sees a share of the batch
NOTHING = "key.bias"  # the softmax ignores it: its gradient is rounding alone, which AdamW makes a step of
# A whole run, with the reference run beside it, that has some checkpoints.
RUN = Config.for_model("hyperctr", "smoke", **{**SHARED, "dropout": 0.2, "batch_size": 40, "epochs": 2})
RUN = RUN.replace(test_candidates=20, validation_clicks=60)


def data_set() -> Dataset:
    return planted(num_users=40, num_items=90, num_interactions=800, months=8)


def trainer(case: str, folder: Path) -> Trainer:
    """Build a case, for this process alone or for those it has joined."""
    data, (model, changes) = data_set(), CASES[case]
    config = Config.for_model(model, "smoke", **{**SHARED, **changes})
    split_data = SplitData.open(data, config)
    clicks = len(split_data.split.train)
    if "batch_size" not in changes:
        config = config.replace(batch_size=next(size for size in range(30, clicks) if clicks % size == 1))
    interest = interest_of(split_data, config, "cpu") if model == "hyperctr" else None
    return Trainer(build_model(split_data, config, interest), split_data, config, CPU, folder / case)


def fit(made: Trainer, case: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sparse_adam, "SPARSE_FROM", 30 if case == "sparse" else 10**9)
        made.fit()
    kinds = {type(optimiser) for optimisers in made.optimisers.values() for optimiser in optimisers}
    assert (sparse_adam.SparseAdamW in kinds) == (case == "sparse")


# ---- what torchrun runs
def train_cases(folder: Path) -> None:
    """Train all cases, of which each process keeps its parameters and the first its scores, and then a whole run."""
    with distributed.joined(CPU) as group:
        for case in CASES:
            made = trainer(case, folder)
            fit(made, case)
            save_tensors(folder / case / f"model {group.rank}.safetensors", dict(made.model.state_dict()))
            scores = score_together(made.model, made.split_data, made.pool)
            assert (scores is None) == (group.rank > 0)
            if scores is not None:
                kept = {"rows": torch.from_numpy(scores.rows), "negatives": torch.from_numpy(scores.negatives)}
                save_tensors(folder / case / "scores.safetensors", kept)
        _sum_by_hand(group, folder)
    experiment.train(data_set(), RUN, device="cpu")


# Rows that each process has a gradient of in a table of 10: none, all of them (as a dense one), or some.
GRADIENTS: dict[str, tuple[Any, Any]] = {
    "none": (None, None),
    "dense": ("all", "all"),
    "only the second's": (None, "all"),
    "sparse": ([7, 2, 7], [2, 0]),
    "sparse, only the first's": ([3], None),
    "sparse and dense": ([3], "all"),
    "sparse of too many rows": ([0, 1, 2, 3, 4, 5], [0, 5, 6, 7, 8, 9]),
}


def gradient(rows: Any, rank: int) -> torch.Tensor | None:
    if rows is None:
        return None
    if rows == "all":
        return torch.arange(20.0).view(10, 2) * (rank + 1)
    values = torch.arange(2.0 * len(rows)).view(-1, 2) + 100 * (rank + 1)
    return torch.sparse_coo_tensor(torch.tensor([rows]), values, (10, 2), check_invariants=True)


def _sum_by_hand(group: Group, folder: Path) -> None:
    tables = [torch.nn.Parameter(torch.zeros(10, 2)) for _ in GRADIENTS]
    for table, pair in zip(tables, GRADIENTS.values(), strict=True):
        table.grad = gradient(pair[group.rank], group.rank)
    sum_gradients(group, tables)
    kept = {}
    for name, table in zip(GRADIENTS, tables, strict=True):
        if table.grad is not None:
            kept[f"{name} {'sparse' if table.grad.is_sparse else 'dense'}"] = table.grad.to_dense()
    save_tensors(folder / f"gradients {group.rank}.safetensors", kept)


def _train_until(number: int, end: Callable[[], None], *, resume: bool) -> None:
    """Train the run, but let the second process call ``end`` before a step."""
    step = Trainer.train_step

    def mortal(made: Trainer, now: int, *arguments: Any) -> torch.Tensor:
        if made.group.rank == 1 and made.config.model == "hyperctr" and now == number:
            end()
        return step(made, now, *arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "train_step", mortal)
        experiment.train(data_set(), RUN, device="cpu", resume=resume)


def raise_in_the_second(folder: Path) -> None:
    def end() -> None:
        raise MemoryError("no room")

    _train_until(7, end, resume=False)


def resume_and_kill_the_second(folder: Path) -> None:
    """Kill a process without a word, the first time."""
    restarted = int(os.environ["TORCHELASTIC_RESTART_COUNT"])
    (folder / f"started {restarted}").touch()
    _train_until(-1 if restarted else 12, lambda: os.kill(os.getpid(), signal.SIGKILL), resume=not restarted)


TASKS: dict[str, Callable[[Path], None]] = {
    task.__name__: task for task in (train_cases, raise_in_the_second, resume_and_kill_the_second)
}


def torchrun(task: Callable[[Path], None], folder: Path, *options: str) -> tuple[int, str]:
    """Run a task in two processes; exit code, and what they said of errors."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), "HYPERCTR_RUNS": str(folder)}
    line = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", *options]
    line += ["-m", "tests.training.test_distributed", task.__name__, str(folder)]
    done = subprocess.run(line, cwd=ROOT, env=environment, text=True, capture_output=True, timeout=300)
    return done.returncode, done.stderr


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("together")
    code, err = torchrun(train_cases, folder)
    assert code == 0, err[-3000:]
    return folder


@pytest.mark.parametrize("rank", [0, 1])
def test_gradients_are_summed_in_the_form_they_have(rank: int, together: Path) -> None:
    summed = load_tensors(together / f"gradients {rank}.safetensors")[0]
    sparse = ("sparse", "sparse, only the first's")
    expected = {}
    for name, rows in GRADIENTS.items():
        parts = [part.to_dense() for k, some in enumerate(rows) if (part := gradient(some, k)) is not None]
        if parts:
            expected[f"{name} {'sparse' if name in sparse else 'dense'}"] = torch.stack(parts).sum(0)
    assert summed.keys() == expected.keys()
    for name, value in expected.items():
        assert torch.equal(summed[name], value), name


@pytest.mark.parametrize("case", EXACT)
def test_two_processes_learn_what_one_does(case: str, together: Path, tmp_path: Path) -> None:
    alone = trainer(case, tmp_path)
    fit(alone, case)
    first, second = (load_tensors(together / case / f"model {rank}.safetensors")[0] for rank in range(2))
    for name, value in alone.model.state_dict().items():
        assert torch.equal(first[name], second[name]), f"{name} is not the same in both processes"
        atol = 1e-3 if name.endswith(NOTHING) else 1e-5
        torch.testing.assert_close(first[name], value, rtol=0, atol=atol, msg=lambda text, name=name: f"{name}: {text}")
    curves = [read_events(path / case / "events.jsonl") for path in (tmp_path, together)]
    for measured, expected in zip(*curves, strict=True):
        assert (measured["step"], measured["examples"]) == (expected["step"], expected["examples"])
        assert measured["loss"] == pytest.approx(expected["loss"], abs=1e-5)
        assert measured["validation_auc"] == pytest.approx(expected["validation_auc"], abs=1e-5)
    assert len(curves[0]) >= 2 and len({event["loss"] for event in curves[0]}) == len(curves[0])


@pytest.mark.parametrize("case", CASES)
def test_scores_of_shares_are_those_of_one_process_to_the_bit(case: str, together: Path, tmp_path: Path) -> None:
    """So is every number made of them, the AUC among them; here even where normalisation saw shares of batches."""
    made = trainer(case, tmp_path)
    first, second = (load_tensors(together / case / f"model {rank}.safetensors")[0] for rank in range(2))
    assert all(torch.equal(value, second[name]) for name, value in first.items())
    made.model.load_state_dict(first)
    scores, kept = (
        score_together(made.model, made.split_data, made.pool),
        load_tensors(together / case / "scores.safetensors")[0],
    )
    assert scores is not None
    np.testing.assert_array_equal(scores.rows, kept["rows"])
    np.testing.assert_array_equal(scores.negatives, kept["negatives"])
    best = max(read_events(together / case / "events.jsonl"), key=lambda event: float(event["validation_auc"]))
    assert case == "autofis" or made.validate() == best["validation_auc"]


def test_a_run_that_failed_and_one_that_was_killed_end_as_if_nothing_had_happened(
    together: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = data_set()
    name = run_id(data, RUN)
    whole = Run(together / name, data)
    assert whole.metrics["processes"] == 2

    # Step 1: a process raises. It says so, and so does the run, from which the other one is gone, too.
    monkeypatch.setenv("HYPERCTR_RUNS", str(tmp_path))
    code, err = torchrun(raise_in_the_second, tmp_path)
    status = read_status(name)
    assert code != 0 and "MemoryError: no room" in err
    assert (status.state, status.error) == ("failed", "process 1 of 2 failed: MemoryError: no room")
    assert not held(name) and status.last_event is not None and status.last_event["step"] == 5

    # Step 2: it is resumed, a process is killed, and torchrun starts both again, which go on by themselves
    code, err = torchrun(resume_and_kill_the_second, tmp_path, "--max-restarts", "1")
    assert code == 0, err[-3000:]
    assert (tmp_path / "started 1").exists() and read_status(name).state == "done"
    for file in ("model.safetensors", "interest.safetensors", "rows.csv", "draws.json", "config.toml"):
        assert (tmp_path / name / file).read_bytes() == (together / name / file).read_bytes(), file
    timed = ["seconds", "memory_mib"]
    assert Run(tmp_path / name, data).events.drop(columns=timed).equals(whole.events.drop(columns=timed))

    # Step 3: a process alone names it the same, and finds it done
    assert experiment.train(data, RUN, device="cpu").metrics == Run(tmp_path / name, data).metrics


def test_shares_are_contiguous_and_differ_by_one_at_most() -> None:
    for count, size, unit in ((10, 3, 1), (2, 5, 1), (1000, 4, 256), (0, 2, 1)):
        shares = [Group(rank, size).share(count, unit) for rank in range(size)]
        assert [place for share in shares for place in range(count)[share]] == list(range(count))
        units = [-(-(share.stop - share.start) // unit) for share in shares]
        assert max(units) - min(units) <= 1
        assert all(share.start % unit == 0 or share.start == count for share in shares)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    TASKS[sys.argv[1]](Path(sys.argv[2]))
