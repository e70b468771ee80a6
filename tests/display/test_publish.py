"""What `hc.show` writes: nothing by hand; in a report, files under the names of tables and figures, and key numbers."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import hyperctr as hc
from hyperctr.display import theme
from hyperctr.display.figure import Figure
from hyperctr.display.publish import RESULT_MIME
from hyperctr.display.table import Table
from hyperctr.display.theme import PLOTLY_MIME, figure
from hyperctr.runtime import REPORT_DIR, former_parameter

FRAME = pd.DataFrame({"x": [1, 2], "y": [0.25, 0.75]})


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, dict[str, Any]]]:
    """What was displayed, with its metadata."""
    seen: list[tuple[Any, dict[str, Any]]] = []
    monkeypatch.delenv(REPORT_DIR, raising=False)
    monkeypatch.setattr("IPython.display.display", lambda thing, metadata=None, **_: seen.append((thing, metadata)))
    return seen


def things() -> list[Any]:
    """One of everything that can be shown."""
    chart = figure("Points", x="x", y="y").add_scatter(x=[1], y=[2])
    return [
        Table.from_frame(FRAME, name="some_table"),
        Figure(chart, "figure4", FRAME, note="A *note*.", headline={"best": np.float64(0.5), "values": (1, 2)}),
        "Some *words*.",
        SimpleNamespace(frame=FRAME, card=lambda: {"seeds": [0, 1]}),
    ]


def test_by_hand_everything_is_shown_and_nothing_written(shown: list[Any], tmp_path: Path) -> None:
    hc.show(*things(), FRAME, things()[1].chart)
    bundles = [bundle for bundle, _ in shown]
    kinds = ["text/html", PLOTLY_MIME, "text/markdown", "text/markdown", "text/html", "text/html", PLOTLY_MIME]
    assert [next(iter(bundle)) for bundle in bundles] == kinds, "no card, no headline: there is no first page"
    assert bundles[2]["text/markdown"] == "A *note*."
    assert all(not metadata for _, metadata in shown)
    assert not list(tmp_path.iterdir())


def test_in_a_report_files_and_key_numbers_are_kept(
    shown: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(REPORT_DIR, str(tmp_path))
    hc.show(things())
    hc.show(FRAME, name="loose")
    hc.show(FRAME)
    written = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*"))
    tables = ["tables/loose.csv", "tables/loose.tex", "tables/some_table.csv", "tables/some_table.tex"]
    assert written == ["figures/figure4.csv", "figures/figure4.json", *tables]
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "tables" / "some_table.csv"), FRAME)
    assert json.loads((tmp_path / "figures" / "figure4.json").read_text())["layout"]["title"]["text"] == "Points"
    files = [metadata["hyperctr"]["file"] for _, metadata in shown if metadata]
    assert files == ["tables/some_table", "figures/figure4", "tables/loose"]
    results = [bundle[RESULT_MIME] for bundle, _ in shown if RESULT_MIME in bundle]
    assert [(result["name"], result["values"]) for result in results] == [
        ("Figure 4", {"best": 0.5, "values": [1, 2]}),
        ("reproduction", {"seeds": [0, 1]}),
    ]


def test_a_figure_brings_its_dark_dress_to_a_live_notebook_alone(
    shown: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Figure(figure("Points"))
    for batch, in_notebook, expected in (("", True, 2), ("1", True, 1), ("", False, 1)):
        monkeypatch.setenv("HYPERCTR_BATCH", batch)
        monkeypatch.setattr(theme, "in_notebook", lambda answer=in_notebook: answer)
        for show in (hc.show, Figure._ipython_display_):
            shown.clear()
            show(made)
            assert len(shown) == expected and shown[-1][0][PLOTLY_MIME]["layout"]["height"] == 420
            assert ("text/html" in shown[0][0]) == (expected == 2)
    assert f"fill: rgb({', '.join(str(int(theme.INK[k : k + 2], 16)) for k in (1, 3, 5))})" in theme.DARK


def test_a_name_that_is_no_file_name_is_refused(
    shown: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(REPORT_DIR, str(tmp_path))
    with pytest.raises(hc.ConfigError, match=r"name '../x' must be lower-case letters, digits, '_' and '-'"):
        hc.show(FRAME, name="../x")
    assert not list(tmp_path.iterdir())


def test_what_json_cannot_hold_is_refused(shown: list[Any]) -> None:
    with pytest.raises(hc.ConfigError, match=r"publish\('Answer'\): .*; publish numbers, texts or flat lists"):
        hc.publish("Answer", value=float("nan"))
    with pytest.raises(hc.ConfigError, match="a value of type object is not JSON"):
        hc.publish("Answer", value=object())
    assert not shown


def test_a_parameter_by_its_former_name(monkeypatch: pytest.MonkeyPatch) -> None:
    assert former_parameter("preset", "quick", "budget") == "quick", "no kernel"
    variables: dict[str, Any] = {"In": ["", "# Parameters\ndataset = 'planted'\npreset = 'smoke'\n"], "preset": "smoke"}
    shell = SimpleNamespace(kernel=object(), user_ns=variables)
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)
    with pytest.warns(FutureWarning, match="the parameter 'preset' of notebooks is called 'budget' now"):
        assert former_parameter("preset", "quick", "budget") == "smoke"
    assert former_parameter("preset", "smoke", "budget") == "smoke", "nothing to tell"
    variables["In"] = ["preset = 'smoke'"]
    assert former_parameter("preset", "quick", "budget") == "quick", "a variable of the user's own"
