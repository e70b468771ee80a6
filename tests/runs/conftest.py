"""The tiny run's pairs, and a store to write to."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

import hyperctr as hc
from tests.conftest import Tiny


@pytest.fixture(scope="module")
def pairs(tiny: Tiny) -> pd.DataFrame:
    return hc.Session(tiny.data, tiny.run.config).pairs


@pytest.fixture
def store(tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the store of the tiny run, to write to."""
    copy = shutil.copytree(tiny.store, tmp_path / "runs")
    monkeypatch.setenv("HYPERCTR_RUNS", str(copy))
    return copy
