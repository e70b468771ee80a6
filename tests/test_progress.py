"""What somebody who waits sees: bars that end green or red, words, a panel, and nothing where nobody watches."""

from __future__ import annotations

import io
import sys
import time
from typing import Any

import pytest
import tqdm as tqdm_module

from hyperctr import progress
from hyperctr.config import Config
from hyperctr.display import live
from hyperctr.display.live import Panel
from hyperctr.progress import Stage, begin_stage, shown_together, track
from hyperctr.split_data import SplitData
from tests.conftest import Tiny
from tests.training.test_loop import scripted, trainer


class Screen:
    """A front end that keeps what it is given: what the first display showed, then each update."""

    def __init__(self) -> None:
        self.pages: list[str] = []

    def display(self, bundle: dict[str, str], *, raw: bool, display_id: bool) -> Screen:
        assert raw and display_id and not self.pages, "one panel, updated in place"
        self.pages.append(bundle["text/html"])
        return self

    def update(self, bundle: dict[str, str], *, raw: bool) -> None:
        self.pages.append(bundle["text/html"])


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> Screen:
    """Pretend that a kernel runs us and somebody looks."""
    screen = Screen()
    monkeypatch.delenv("HYPERCTR_BATCH", raising=False)
    monkeypatch.setattr(progress, "in_notebook", lambda: True)
    monkeypatch.setattr("IPython.display.display", screen.display)
    return screen


@pytest.fixture
def bars(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Pretend that a terminal shows us; all bars that are made."""
    made: list[Any] = []

    class Bar(tqdm_module.tqdm):  # type: ignore[type-arg]
        def __init__(self, *values: Any, **settings: Any) -> None:
            super().__init__(*values, **settings, file=io.StringIO())
            made.append(self)

    monkeypatch.delenv("HYPERCTR_BATCH", raising=False)
    monkeypatch.setattr(progress, "watched", lambda: True)
    monkeypatch.setattr(tqdm_module, "tqdm", Bar)
    return made


@pytest.fixture(scope="module")
def split_data(tiny: Tiny) -> SplitData:
    return SplitData.open(tiny.data, Config())


EARLY = [0.5, 0.6, 0.55, 0.59, 0.9]  # with patience 2 the fifth is never reached
WHOLE = [0.1, 0.2, 0.3]


def fit(split_data: SplitData, values: list[float]) -> Any:
    made = trainer(split_data, points_per_epoch=1, patience=2, epochs=len(values))
    scripted(made, values)
    with shown_together("tried"):
        made.fit()
    return made


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (EARLY, "stopped early at epoch 4.0, best validation AUC 0.6000 at epoch 2.0"),
        (WHOLE, "all epochs, best validation AUC 0.3000 at epoch 3.0"),
    ],
)
def test_a_good_run_ends_green_however_it_ends(
    split_data: SplitData, bars: list[Any], values: list[float], words: str
) -> None:
    fit(split_data, values)
    (bar,) = bars
    assert (bar.colour, bar.n, bar.total, bar.leave, bar.desc.strip()) == ("green", 1, 1, True, "training")
    assert words in bar.bar_format and bar.disable  # closed


@pytest.mark.parametrize("values", [EARLY, WHOLE], ids=["early", "whole"])
def test_the_panel_of_a_notebook_ends_green_with_the_curve(
    split_data: SplitData, notebook: Screen, values: list[float]
) -> None:
    fit(split_data, values)
    first, last = notebook.pages[0], notebook.pages[-1]
    assert 'data-state="running"' in first and "epoch 0.0 of at most" in first
    assert 'data-state="done"' in last and "running" not in last and "--hc-bad)" not in last.split("</style>")[-1]
    best = max(values[:4])
    assert f"best validation AUC {best:.4f}" in last and f"best {best:.4f} at epoch" in last
    assert ("stopped early at epoch 4.0" in last) == (values is EARLY)
    assert last.count("<polyline") == 2 and "<script" not in last


def test_loss_and_validation_auc_stand_in_the_bar(split_data: SplitData, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr(Stage, "step", lambda stage, done: shown.append(stage.text()))
    fit(split_data, WHOLE)
    assert shown[-1].endswith("validation AUC 0.2000") and ", loss 0." in shown[-1]


def fail(error: type[BaseException]) -> None:
    with begin_stage("counting", 4) as stage:
        stage.step(2)
        raise error


def test_what_fails_ends_red_and_says_where(bars: list[Any]) -> None:
    for error, words in (
        (KeyboardInterrupt, "stopped by hand at 2 of 4"),
        (ValueError, "failed: ValueError at 2 of 4"),
    ):
        with pytest.raises(error):
            fail(error)
        assert bars[-1].colour == "red" and bars[-1].n == 0.5 and words in bars[-1].bar_format


def test_stages_of_a_run_stand_in_one_panel_and_the_reference_says_so(notebook: Screen) -> None:
    with shown_together("a run"):
        with begin_stage("pre-training", 2, "epoch"):
            pass
        with shown_together(before="reference model: "), shown_together("not shown"):
            progress.show_curve([{"epoch": 1, "loss": 1, "validation_auc": 0.5}] * 2)
            with begin_stage("training", 2, "epoch"), begin_stage("building <b>", kept=False):
                assert "building &lt;b&gt;" in notebook.pages[-1]
    last = notebook.pages[-1]
    assert last.index("pre-training") < last.index("reference model: training") and "building" not in last
    assert "<polyline" not in last, "the curve is that of the run, not of the reference"


def test_it_is_drawn_twice_a_second_at_most_and_costs_nothing_between(notebook: Screen) -> None:
    panel = Panel("fast")
    with Stage("training", 1e6, "epoch", view=panel) as stage:
        steps, started = 20_000, time.perf_counter()
        for step in range(steps):
            stage.step(step)
        took = time.perf_counter() - started
        assert len(notebook.pages) <= 2 + took / progress.REFRESH
    assert took / steps < 2e-5, "seconds a step: a step of training takes a thousand times as long"
    assert live.REFRESH >= 0.3


def test_a_stage_stops_counting_time_when_it_ends() -> None:
    with Stage("short") as stage:
        pass
    took = stage.seconds
    time.sleep(0.01)
    assert stage.seconds == took < 0.01


def test_nothing_is_shown_in_batch(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("HYPERCTR_BATCH", "1")
    monkeypatch.setattr(progress, "in_notebook", lambda: True)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with shown_together("batch"), begin_stage("training", 3) as stage:
        stage.step(1)
    assert list(track([1, 2], label="files")) == [1, 2]
    assert progress.view() is None and capsys.readouterr() == ("", "")


def test_elements_are_counted_and_a_loop_that_is_left_is_not_red(bars: list[Any]) -> None:
    assert sum(track([1, 2, 3], label="files")) == 6
    assert "3 of 3" in bars[0].bar_format and bars[0].colour == "green" and not bars[0].leave
    for element in track(iter(range(9)), label="rows"):
        if element == 4:
            break
    assert bars[1].colour == "green" and ": 4" not in bars[1].bar_format  # nobody knows the total
