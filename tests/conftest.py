"""Fixtures shared by all tests."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from hyperctr.data.dataset import Dataset
    from hyperctr.runs.run import Run

TINY_SIZES = {"num_users": 60, "num_items": 90, "num_interactions": 1200, "months": 12}


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The folder of genuine development data: ``HYPERCTR_SHARED``, else ``shared`` beside the checkout."""
    named = os.environ.get("HYPERCTR_SHARED")
    folder = Path(named) if named else Path(__file__).resolve().parents[2] / "shared"
    if not (folder / "data").is_dir():
        pytest.skip(f"no shared data in {folder}; set HYPERCTR_SHARED to the folder that holds them")
    return folder


@dataclass(frozen=True)
class Tiny:
    """A tiny planted data set, a run of HyperCTR on it, and the store the run lies in."""

    data: Dataset
    run: Run
    store: Path


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """Trained once for all tests; nobody changes its store."""
    import hyperctr as hc

    store = tmp_path_factory.mktemp("runs")
    data = hc.load_dataset("planted", **TINY_SIZES)
    config = hc.Config.for_model("hyperctr", "smoke", epochs=2, batch_size=64, test_candidates=30)
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it has not learned, and says so
        patch.setenv("HYPERCTR_RUNS", str(store))
        run = hc.train(data, config, device="cpu")
    return Tiny(data, run, store)


@pytest.fixture
def tiny_store(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make the tiny run's store the one that runs are looked up in."""
    monkeypatch.setenv("HYPERCTR_RUNS", str(tiny.store))
    return tiny.store


@pytest.fixture(scope="session")
def tiny_table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny data set as a user's own files, for the command line."""
    import hyperctr as hc

    data = hc.load_dataset("planted", **TINY_SIZES)
    folder = tmp_path_factory.mktemp("table")
    (folder / "features").mkdir()
    data.interactions.to_csv(folder / "interactions.csv", index=False)
    for name, table in data.features.items():
        kept = table.present
        np.savez(folder / "features" / f"{name}.npz", item_id=data.items[kept], vector=table.values[kept])
    return folder
