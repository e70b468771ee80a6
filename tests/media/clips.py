"""What ffmpeg makes clips of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

Make = Callable[..., Path]  # name of a file and arguments of ffmpeg to the file
RED = ("-f", "lavfi", "-i", "color=red:size=96x64:rate=10:duration=2")
BARS = ("-f", "lavfi", "-i", "smptebars=size=160x120:rate=25:duration=4")
TONE = ("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100:duration=4")
SILENCE = ("-f", "lavfi", "-t", "2", "-i", "anullsrc=channel_layout=mono:sample_rate=16000")
H264 = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-g", "10", "-threads", "1")
