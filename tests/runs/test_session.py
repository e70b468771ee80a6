"""What a notebook opens: the same data whatever the seed of the run, as on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

import hyperctr as hc
from hyperctr.runs.session import SMOKE_PLANTED, open_study


def test_a_seed_redraws_the_run_and_not_the_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYPERCTR_RUNS", str(tmp_path))
    first, second = open_study("planted", "smoke"), open_study("planted", "smoke", seed=1)
    assert first.data.fingerprint == second.data.fingerprint == hc.load_dataset("planted", **SMOKE_PLANTED).fingerprint
    assert first.split.checksum != second.split.checksum
    assert (first.config.replace(seed=1), second.config.seed) == (second.config, 1)
