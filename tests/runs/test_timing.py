"""What a run is estimated to take: a sample is timed, and what grows with the clicks is scaled to all of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from hyperctr.config import Config
from hyperctr.data.dataset import Dataset
from hyperctr.hypergraph.interest import Interest
from hyperctr.model.hyperctr import HyperCTR
from hyperctr.runs import timing
from hyperctr.runs.scoring import interest_of
from hyperctr.runs.timing import time_run
from hyperctr.split_data import SplitData
from hyperctr.training.loop import Trainer
from tests.conftest import Tiny

pytestmark = pytest.mark.filterwarnings("ignore::hyperctr.errors.DataWarning")


def test_a_run_is_timed_on_a_sample_and_scaled_to_its_clicks(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a clock that moves by what is done, the estimate is what the whole run would take, to the second."""
    sizes: dict[str, Any] = {"validation_clicks": 40, "validation_candidates": 10, "test_candidates": 20}
    config = Config.for_model("hyperctr", "smoke", batch_size=10, epochs=3, interest_epochs=4, **sizes)
    config = config.replace(rounds_per_epoch=5, points_per_epoch=2)  # as validation falls between rounds: 6
    split_data = SplitData.open(tiny.data, config)
    clicks, now, sampled = len(split_data.split.train), [0.0], set[int]()
    opening = SplitData.open.__func__  # type: ignore[attr-defined]

    def opened(cls: type[SplitData], data: Dataset, settings: Config) -> SplitData:
        now[0] += 50
        whole: SplitData = opening(cls, data, settings)
        return whole

    def interested(sample: SplitData, settings: Config, device: str) -> Interest:
        sampled.add(len(sample.split.train))
        now[0] += 30 + 2 * settings.interest_epochs * len(sample.split.train)
        return interest_of(sample, settings, device)

    def stepped(self: Trainer, step: int, stage: Any = None) -> Tensor:
        within = step % self.steps_per_epoch
        start, end = self.schedule.round(within)
        now[0] += 7 + len(self.rows) * (3 * (within == start) + 5 * (within == end - 1))
        return torch.zeros(())

    def refreshed(self: HyperCTR, dropped: Tensor | None = None) -> None:
        now[0] += self.context.history.user.numel()

    def validated(self: Trainer) -> float:
        self.model.refresh()
        now[0] += 0.5 * len(self.pool) * (1 + self.pool.negatives.shape[1])
        return 0.5

    monkeypatch.setattr(timing, "DRY_RUN_ROWS", 100)
    monkeypatch.setattr(timing, "SCORED", 20)
    monkeypatch.setattr("time.perf_counter", lambda: now[0])
    monkeypatch.setattr(SplitData, "open", classmethod(opened))
    monkeypatch.setattr(timing, "interest_of", interested)
    monkeypatch.setattr(Trainer, "train_step", stepped)
    monkeypatch.setattr(Trainer, "validate", validated)
    monkeypatch.setattr(HyperCTR, "refresh", refreshed)
    time_run(tiny.data, config, tmp_path / "timing.json", "cpu")
    costs = json.loads((tmp_path / "timing.json").read_text())

    assert sampled == {100} and clicks == 560
    epoch = 7 * -(-clicks // 10) + 6 * 8 * clicks + 2 * (clicks + 0.5 * 40 * 11)
    assert costs["seconds_per_epoch"] == pytest.approx(epoch)
    warm_up = 7 + 3 * 100 + 100 + 0.5 * 20 * 11  # the first step of a stage, and a validation
    test = clicks + 0.5 * len(split_data.split.test) * 21
    assert costs["seconds"] == pytest.approx(50 + 30 + 4 * 2 * clicks + warm_up + 3 * epoch + test)
    assert costs["device"] == "cpu" and costs["peak_memory_mib"] > 50
