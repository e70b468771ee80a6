"""From data to a finished run: every kind of study runs, equal runs are equal bit by bit, nothing is trained twice."""

from __future__ import annotations

import json
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import hyperctr as hc
from hyperctr.config import Config
from hyperctr.data.dataset import Dataset
from hyperctr.data.interactions import Interactions
from hyperctr.errors import ConfigError, DataError, RunError
from hyperctr.model.base import ClickModel
from hyperctr.models import MODELS, model_class
from hyperctr.runs import experiment
from hyperctr.runs.experiment import train
from hyperctr.runs.run import load_run
from hyperctr.runs.store import run_id, run_names
from hyperctr.split_data import SplitData
from tests.conftest import Tiny

pytestmark = pytest.mark.filterwarnings("ignore::hyperctr.errors.DataWarning")
DRY = {"validation_clicks": 50, "validation_candidates": 10, "rounds_per_epoch": 1, "points_per_epoch": 1}


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HYPERCTR_RUNS", str(tmp_path))
    return tmp_path


def dry(tiny: Tiny, data: Dataset | None = None, **changes: Any) -> hc.runs.run.Run:
    config = Config.for_model(changes.pop("model", "hyperctr"), "smoke", **changes)
    return train(data or tiny.data, config, device="cpu", dry_run=True)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        *[({"model": name}, {"model": name}) for name in MODELS],
        ({"protocol": "causal"}, {"protocol": "causal"}),
        ({"split": "temporal"}, {"split": "temporal"}),
        ({"graph": "bipartite"}, {}),
        ({"graph": "none"}, {}),
        ({"modalities": ("textual", "visual")}, {"modalities": ["visual", "textual"]}),
        ({"slot_months": 2}, {"slots": 6}),
        ({"slot_count": 5}, {"slots": 5}),
        ({"max_neighbours": 3, "threshold_is_quantile": True, "seed": 3}, {"seed": 3}),
    ],
    ids=lambda value: " ".join(map(str, value.values())) or "-",
)
def test_every_kind_of_study_runs_dry(
    tiny: Tiny, store: Path, changes: dict[str, Any], expected: dict[str, Any]
) -> None:
    started = time.perf_counter()
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*popularity")
        run = dry(tiny, **changes)
    assert run.metrics["warnings"] == [], "a dry run cannot have learned"
    assert time.perf_counter() - started < 20  # a second or two; this machine may be busy
    assert {name: run.metrics[name] for name in expected} == expected
    assert run.id.startswith("dry-") and (run.folder / "DONE").exists()
    assert run.metrics["epochs"] in (1, 2)  # one of each stage
    assert len(run.events) == run.metrics["epochs"] and list(run.rows["model"])[1:] == [
        "constant",
        "popularity",
        "item mean",
    ]
    reads_interest = run.config.model.startswith("hyperctr") and run.config.graph != "none"
    assert (run.interest is not None) == reads_interest
    written = json.loads((run.folder / "metrics.json").read_text())["convolution"]
    assert written == ("torch" if run.config.model.startswith("hyperctr") and run.config.graph != "none" else None)
    score = run.predict([tiny.data.users[0]], [tiny.data.items[0]])[0]
    assert 0 < score < 1
    assert run_names() == [run.id]


@pytest.mark.parametrize("model", ["hyperctr", "lightgcn"])
def test_a_dry_run_looks_at_a_sample_with_all_parameters(
    tiny: Tiny, store: Path, monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    whole = dry(tiny, model=model, batch_size=64)
    monkeypatch.setattr(experiment, "DRY_RUN_ROWS", 100)
    rounds, begin = [], model_class(model).begin_round

    def begun(self: ClickModel, clicks: torch.Tensor, steps: int) -> None:
        rounds.append((len(clicks), steps))
        begin(self, clicks, steps)

    monkeypatch.setattr(model_class(model), "begin_round", begun)
    run = dry(tiny, model=model, batch_size=64, seed=1)
    assert rounds == [(100, 2)] and run.metrics["steps"] == 2  # all steps share one round
    split_data = load_run(run.id, tiny.data).split_data
    sizes = [len(split_data.split.train), len(split_data.split.test), run.metrics["test_clicks"]]
    assert sizes == [100, whole.metrics["test_clicks"], whole.metrics["test_clicks"]]
    assert len(split_data.split.non_clicks("train")) == 100
    assert run.metrics["parameters"] == whole.metrics["parameters"]
    assert run.metrics["split_checksum"] == split_data.split.checksum
    if run.interest is not None:
        assert len(run.interest.degree) == 100
    row = split_data.split.train[7]
    asked = (tiny.data.users[tiny.data.user_index[row]], tiny.data.items[tiny.data.item_index[row]])
    assert 0 < load_run(run.id, tiny.data).predict(*([name] for name in asked), [int(tiny.data.timestamp[row])])[0] < 1


def test_uni_modal_runs_use_one_modality_everywhere(tiny: Tiny, store: Path) -> None:
    run = dry(tiny, modalities=("acoustic",))
    assert run.interest is not None and run.interest.modalities == ("acoustic",)
    assert [graph.num_groups for graph in run.model.context.graphs.assemble()] == [1, 1]
    names = [name for name, _ in [*run.model.named_parameters(), *run.model.named_buffers()]]
    assert any("acoustic" in name for name in names)
    assert not any(other in name for name in names for other in ("visual", "textual"))


def test_an_ordinal_clock_is_cut_in_slots_of_equal_width(tiny: Tiny, store: Path) -> None:
    frame = tiny.data.interactions.assign(timestamp=np.arange(len(tiny.data.timestamp)))
    data = Dataset("ticks", Interactions(frame, clock="ordinal"), tiny.data.features.values(), items=tiny.data.items)
    run = dry(tiny, data)
    assert run.metrics["slots"] == 12
    assert np.bincount(run.split_data.slots.index).tolist() == [len(frame) // 12] * 12


def test_a_split_kind_has_its_own_ratios(tiny: Tiny) -> None:
    clicks = int(tiny.data.clicked.sum())
    for kind, shares in (("random", (0.7, 0.2, 0.1)), ("temporal", (0.7, 0.1, 0.2))):
        parts = SplitData.open(tiny.data, Config(split=kind)).split  # type: ignore[arg-type]
        sizes = [len(parts.rows(name)) / clicks for name in ("train", "validation", "test")]
        assert sizes == pytest.approx(shares, abs=0.01)
        asked = SplitData.open(tiny.data, Config(split=kind, ratios=(0.5, 0.25, 0.25))).split  # type: ignore[arg-type]
        assert len(asked.train) / clicks == pytest.approx(0.5, abs=0.01)
    last = [tiny.data.timestamp[parts.rows(name)] for name in ("train", "validation", "test")]
    assert last[0].max() < last[1].min() and last[1].max() < last[2].min()


def test_equal_runs_are_equal_bit_by_bit(tiny: Tiny, store: Path) -> None:
    state = torch.get_rng_state()
    again = train(tiny.data, tiny.run.config, device="cpu")
    assert torch.equal(torch.get_rng_state(), state)  # training leaves the caller's random draws alone
    assert again.id == tiny.run.id and again.folder != tiny.run.folder
    for name in ("model.safetensors", "interest.safetensors", "rows.csv", "config.toml", "data.json"):
        assert (again.folder / name).read_bytes() == (tiny.run.folder / name).read_bytes(), name
    first, second = ({k: v for k, v in run.metrics.items() if k != "seconds"} for run in (tiny.run, again))
    assert first == second
    timed = ["seconds", "memory_mib"]
    assert again.events.drop(columns=timed).equals(tiny.run.events.drop(columns=timed))
    other = train(tiny.data, tiny.run.config.replace(seed=1), device="cpu")
    assert other.metrics["auc"] != again.metrics["auc"]
    assert other.metrics["split_checksum"] != again.metrics["split_checksum"]


def test_a_finished_run_is_loaded_and_an_interrupted_one_starts_afresh(
    tiny: Tiny, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = Config.for_model("hyperctr", "smoke", graph="none")
    folder = store / f"dry-{run_id(tiny.data, config.replace(interest_epochs=1, test_candidates=10, **DRY))}"
    state = folder / "state" / "latest.safetensors"
    state.parent.mkdir(parents=True)
    state.write_text("damaged by a crash")
    (folder / "left.txt").write_text("by an older one")
    with pytest.raises(RunError, match=f"{state}: damaged .*; delete the run's folder and train it again"):
        train(tiny.data, config, device="cpu", dry_run=True, resume=True)
    with pytest.raises(RunError, match="was not finished.*`--resume` goes on where it stopped"):
        load_run(folder.name)
    run = train(tiny.data, config, device="cpu", dry_run=True)
    assert run.folder == folder and not (folder / "left.txt").exists() and not state.parent.exists()

    def refuse(*arguments: Any) -> None:
        raise AssertionError("trained twice")

    monkeypatch.setattr(experiment, "Trainer", refuse)
    for resume in (False, True):
        assert train(tiny.data, config, device="cpu", dry_run=True, resume=resume).metrics == run.metrics


def test_what_cannot_work_is_refused_before_anything_is_written(tiny: Tiny, store: Path) -> None:
    for config, device, message in (
        (Config(model="hyperctrr"), "cpu", r"model 'hyperctrr' is not known; did you mean 'hyperctr'\?"),
        (Config(), "tpu", "device 'tpu' is not known"),
        (Config(), "cuda:99", "cuda:99"),
    ):
        with pytest.raises(ConfigError, match=message):
            train(tiny.data, config, device=device)
    assert not list(store.iterdir())
    with pytest.raises(DataError, match="modality 'smell' is not known"):
        train(tiny.data, Config(modalities=("smell",)), device="cpu")


def test_how_to_load_the_data_again_is_noted(tiny: Tiny) -> None:
    noted = json.loads((tiny.run.folder / "data.json").read_text())
    again = hc.load_dataset(noted["name"], seed=noted["seed"], **noted["options"])
    assert again.fingerprint == noted["fingerprint"] == tiny.data.fingerprint
