"""Pictures are an extra: whatever is missing or fails is one clear line, never an error."""

from __future__ import annotations

from pathlib import Path

import pytest

from hyperctr.display.theme import figure
from hyperctr.report import images
from hyperctr.runtime import write_atomic


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A report folder with one figure."""
    chart = figure("A line", "of two points", x="x", y="y").add_scatter(x=[1, 2], y=[1, 3])
    write_atomic(tmp_path / "figures" / "line.json", chart.to_json())
    return tmp_path


def test_what_is_missing_is_named_with_the_line_to_type(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "find_spec", lambda _: None)
    assert images.write_images(folder) == (
        'no PNG figures: kaleido is not installed (pip install "hyperctr[images]", and install Chrome or Chromium)'
    )


def test_no_browser_is_no_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chromium = pytest.importorskip("choreographer.browsers.chromium")
    monkeypatch.delenv("BROWSER_PATH", raising=False)
    monkeypatch.setattr(chromium.Chromium, "find_browser", lambda **_: None)
    assert images.write_images(folder).startswith("no PNG figures: no browser was found (pip install")


def test_a_browser_that_fails_is_no_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kaleido = pytest.importorskip("kaleido")

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the browser died\nat once")

    monkeypatch.setattr(images, "missing_for_images", lambda: "")
    monkeypatch.setattr(kaleido, "write_fig_from_object_sync", fail)
    assert images.write_images(folder) == "no PNG figures: RuntimeError: the browser died"
    assert images.write_images(folder / "nowhere") == "no figures to make PNGs of"


@pytest.mark.browser
def test_a_picture_is_made(folder: Path) -> None:
    if images.missing_for_images():
        pytest.skip(images.missing_for_images())
    assert images.write_images(folder) == "1 PNG figures"
    content = (folder / "figures" / "line.png").read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    assert int.from_bytes(content[16:20], "big") == 2000, "pixels wide: 1000 at scale 2"
