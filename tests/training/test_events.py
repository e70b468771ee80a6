"""The learning curve on disk survives crashes: torn lines are left out, a resumed run repeats no point."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from hyperctr.training import events
from hyperctr.training.events import EventLog, peak_memory_mib, read_events


def steps(path: Path) -> list[int]:
    return [line["step"] for line in read_events(path)]


def test_points_can_be_read_while_the_run_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    assert read_events(path) == []
    log = EventLog(path)
    for step in (3, 6):
        log.write(step=step, loss=1 / step)
        assert read_events(path)[-1] == {"step": step, "loss": 1 / step}
    assert [json.loads(line)["step"] for line in path.read_text().splitlines()] == [3, 6]
    EventLog(None).write(step=1)  # nothing is kept in memory runs


def test_a_torn_last_line_is_left_out_and_healed_on_resume(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    whole = '{"step": 3, "loss": 0.5}\n{"step": 6, "loss": 0.4}\n'
    for torn in ('{"step": 9, "lo', '{"step": 9', "{"):
        path.write_text(whole + torn)
        assert steps(path) == [3, 6]
        EventLog(path, after_step=6).write(step=9, loss=0.3)
        assert steps(path) == [3, 6, 9]
        assert path.read_text().startswith(whole) and path.read_text().endswith('{"step": 9, "loss": 0.3}\n')


@pytest.mark.parametrize(("after", "kept"), [(0, []), (5, [3]), (6, [3, 6]), (99, [3, 6, 9])])
def test_points_after_the_checkpoint_are_forgotten(tmp_path: Path, after: int, kept: list[int]) -> None:
    path = tmp_path / "events.jsonl"
    log = EventLog(path)
    for step in (3, 6, 9):
        log.write(step=step)
    EventLog(path, after_step=after)
    assert steps(path) == kept


def test_a_crash_while_points_are_forgotten_loses_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "events.jsonl"
    EventLog(path).write(step=3)

    def crash(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(events, "write_atomic", crash)
    with pytest.raises(KeyboardInterrupt):
        EventLog(path, after_step=3)
    assert steps(path) == [3]


def test_memory_is_the_process_own_peak() -> None:
    before = peak_memory_mib(torch.device("cpu"))
    ballast = torch.ones(64 * 2**20 // 4)
    assert 10 < before <= peak_memory_mib(torch.device("cpu")) < 2**20
    assert ballast.sum() > 0
