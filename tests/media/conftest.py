"""Media made by ffmpeg for the test."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.media.clips import Make


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Make a file in the folder ``media`` from arguments of ffmpeg."""
    pytest.importorskip("imageio_ffmpeg", reason="media are made by the ffmpeg of imageio-ffmpeg (extra: media)")
    from hyperctr.media.decode import ffmpeg

    (tmp_path / "media").mkdir()

    def made(name: str, *arguments: str) -> Path:
        path = tmp_path / "media" / name
        command = [ffmpeg(), "-nostdin", "-v", "error", "-y", *arguments, "-bitexact", str(path)]
        subprocess.run(command, check=True)
        return path

    return made
