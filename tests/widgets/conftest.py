"""One tiny trained run for all tests of the widgets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

import hyperctr as hc
from hyperctr.runs.run import Run
from hyperctr.widgets.scenes import Scenes

Edges = dict[tuple[str, int], tuple[frozenset[object], float]]  # (modality, label id) -> member ids, weight


@dataclass(frozen=True)
class Trained:
    data: hc.Dataset
    run: Run
    scenes: Scenes
    store: Path


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    store = tmp_path_factory.mktemp("runs")
    data = hc.load_dataset("planted", num_users=80, num_items=160, num_interactions=3000, months=18, seed=1)
    config = hc.Config.for_model("hyperctr", "smoke", interest_epochs=6, interest_threshold=0.4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HYPERCTR_RUNS", str(store))
        run = hc.train(data, config)
    return Trained(data, run, Scenes(data, run), store)


@pytest.fixture(scope="session")
def scenes(trained: Trained) -> Scenes:
    return trained.scenes
