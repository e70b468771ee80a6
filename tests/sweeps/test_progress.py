"""Progress counts epochs, and says nothing where nobody watches."""

from __future__ import annotations

import io
import json
import logging
import sys
from pathlib import Path

import pytest

from hyperctr.config import Config
from hyperctr.display.live import Panel
from hyperctr.sweeps.jobs import Job, SweepResult
from hyperctr.sweeps.progress import Board


def job(name: str, label: str) -> Job:
    return Job(name, label, {}, Config(epochs=8))


def curve(runs: Path, name: str, epoch: float) -> None:
    (runs / name).mkdir(parents=True)
    (runs / name / "events.jsonl").write_text(json.dumps({"step": 1, "epoch": epoch}) + "\n")


def test_a_terminal_shows_epochs_of_each_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(screen, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.delenv("HYPERCTR_BATCH", raising=False)
    curve(tmp_path / "runs", "aaa", 2.0)
    with Board([job("aaa", "layers 3, seed 0"), job("bbb", "layers 4, seed 0")]) as board:
        board.start("aaa")
        board.update()
        shown = screen.getvalue()
        assert "layers 3, seed 0" in shown and "25%" in shown and "epoch 2.0 of at most 8" in shown
        board.end("aaa", "failed", "no memory")
    last = screen.getvalue()
    assert "failed: no memory at epoch 2.0 of at most 8" in last and "1 of 2" in last


def test_a_run_that_stops_early_leaves_no_red_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its bar is not full, for its epochs were a bound."""
    panel = Panel("Sweep")
    monkeypatch.setattr(panel, "_show", lambda bundle: None)
    monkeypatch.setattr("hyperctr.sweeps.progress.view", lambda title: panel)
    curve(tmp_path / "runs", "aaa", 2.0)
    with Board([job("aaa", "layers 3, seed 0"), job("bbb", "layers 4, seed 0")]) as board:
        for name, state in (("aaa", "done"), ("bbb", "failed")):
            board.start(name)
            board.end(name, state, "no memory")
    page = panel.html()
    assert "layers 3" not in page and "layers 4, seed 0" in page and page.count('data-state="failed"') == 1
    assert "runs done" in page and "2 of 2" in page


def test_a_pipe_gets_a_line_per_run(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "hyperctr.sweeps"), Board([job("aaa", "layers 3, seed 0")]) as board:
        board.start("aaa")
        board.update()
        board.end("aaa", "done")
    assert caplog.messages == ["1/1 layers 3, seed 0: done in 0 s"]
    assert capsys.readouterr() == ("", "")


def test_an_outcome_names_what_is_not_done() -> None:
    outcome = SweepResult({"a": "done", "b": "failed", "c": "planned"}, {"b": "no memory"}, ("a",), 3.2, stopped=True)
    assert str(outcome).splitlines() == [
        "3 runs: 1 done, 1 failed, 1 planned (3 s)",
        "  b: no memory",
        "  the time was up: start the sweep again, it goes on where it stopped",
    ]
    assert outcome.exit_code == 1 and SweepResult({"a": "done"}).exit_code == 0
