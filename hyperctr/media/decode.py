"""Key frames and sound of a file by ffmpeg, which runs as a process of its own and hands over raw numbers.

ffmpeg gets an open file, not its name, may open no other, and knows only the containers in :data:`CONTAINERS`: a
playlist that calls itself a video makes it read nothing else.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hyperctr.errors import DataError, HyperCTRError

FRAMES = 8  # of a video, evenly spread over its key frames
SECONDS = 180  # of sound that are listened to, from the beginning
DECODING = ["-skip_frame", "nokey", "-max_pixels", str(1 << 26)]  # a damaged header may promise terabytes
SILENCE = 2.0**-15  # a peak below this is less than one step of 16-bit sound
CONTAINERS = (
    *("mov", "matroska", "avi", "flv", "asf", "mpeg", "mpegts", "mpegvideo", "ogg", "rm", "gif", "apng"),
    *("wav", "w64", "mp3", "aac", "flac", "aiff", "caf", "amr", "ac3"),
    *("png_pipe", "jpeg_pipe", "webp_pipe", "bmp_pipe", "tiff_pipe"),
)


class UnreadableMedia(HyperCTRError):
    """A file gives nothing to compute a vector from; the item is left out of the modality."""


@cache
def ffmpeg() -> str:
    """Return the ffmpeg to run: that of the package imageio-ffmpeg (or ``IMAGEIO_FFMPEG_EXE``), else the machine's.

    Raises:
        DataError: there is none.
    """
    try:
        from imageio_ffmpeg import get_ffmpeg_exe

        return str(get_ffmpeg_exe())
    except (ImportError, RuntimeError) as error:
        if path := shutil.which("ffmpeg"):
            return path
        raise DataError("videos, images and sounds are read by ffmpeg: pip install 'hyperctr[media]'") from error


@cache
def ffmpeg_version() -> str:
    """Return the version of :func:`ffmpeg`, which decides about the last bits of a feature.

    Raises:
        DataError: there is none, or it cannot be run.
    """
    try:
        said = subprocess.run([ffmpeg(), "-version"], capture_output=True, text=True).stdout
    except OSError as error:
        raise DataError(f"{ffmpeg()}: cannot be run ({error.strerror}); pip install 'hyperctr[media]'") from error
    match = re.match(r"ffmpeg version (\S+)", said)
    return match[1] if match else "unknown"


def read_frames(path: Path, shorter: int, side: int, count: int = FRAMES) -> npt.NDArray[np.uint8]:
    """Return up to ``count`` key frames, evenly spread; an image is one frame.

    Args:
        path: a video or an image.
        shorter: the shorter side, in pixels, to which frames are scaled.
        side: of the square that is then cut out of the middle.
        count: how many frames at most.

    Returns:
        RGB, uint8 ``[F, side, side, 3]`` with ``1 <= F <= count``.

    Raises:
        UnreadableMedia: empty or damaged file, or one without a picture.
    """
    scaled = f"scale={shorter}:{shorter}:force_original_aspect_ratio=increase:flags=bilinear+accurate_rnd+bitexact"
    command = ["-map", "0:v:0", "-vf", f"select=key,{scaled},crop={side}:{side}", "-fps_mode", "passthrough"]
    kept, stride, size = list[bytes](), 1, side * side * 3
    with _Decoder(path, [*command, "-f", "rawvideo", "-pix_fmt", "rgb24"], DECODING) as decoder:
        for number, frame in enumerate(iter(lambda: decoder.read(size), b"")):
            if number % stride == 0 and len(frame) == size:
                kept.append(frame)
            if len(kept) == 4 * count:  # never more than these in memory, however long the video
                kept, stride = kept[::2], stride * 2
    if not kept:
        raise UnreadableMedia("has no frame")
    chosen = np.unique(np.linspace(0, len(kept) - 1, count).round().astype(int))
    frames = b"".join(kept[place] for place in chosen)
    return np.frombuffer(frames, dtype=np.uint8).reshape(len(chosen), side, side, 3)


def read_sound(path: Path, rate: int, seconds: int = SECONDS) -> npt.NDArray[np.float32]:
    """Return the sound of a file, all channels mixed, at most its first ``seconds``.

    Args:
        path: a video or a sound.
        rate: samples a second to which it is resampled.
        seconds: how much of it is read at most.

    Returns:
        float32 ``[N]``, full scale is -1 to 1.

    Raises:
        UnreadableMedia: empty or damaged file, one without sound, or a silent one.
    """
    command = ["-map", "0:a:0", "-t", str(seconds), "-ac", "1", "-ar", str(rate), "-flags", "bitexact", "-f", "f32le"]
    with _Decoder(path, command) as decoder:
        sound = decoder.read(4 * rate * (seconds + 1))
    samples = np.frombuffer(sound, dtype="<f4")
    if not len(samples):
        raise UnreadableMedia("has no sound")
    if not np.isfinite(samples).all():
        raise UnreadableMedia("is damaged: its sound is no finite number")
    if np.abs(samples).max() < SILENCE:
        raise UnreadableMedia("is silent")
    return samples


class _Decoder:
    """A running ffmpeg, read from piece by piece; on leaving it says what was wrong with the file."""

    def __init__(self, path: Path, output: list[str], options: list[str] | None = None) -> None:
        if not path.stat().st_size:
            raise UnreadableMedia("is empty (0 bytes)")
        self.path = path
        guard = ["-format_whitelist", ",".join(CONTAINERS), "-protocol_whitelist", "fd"]
        before = [ffmpeg(), "-nostdin", "-v", "error", "-xerror", "-threads", "1", *guard, *(options or ())]
        self.command = [*before, "-i", "fd:", *output, "-"]

    def __enter__(self) -> _Decoder:
        self.errors = tempfile.TemporaryFile()
        # in a session of its own, or Ctrl-C would end it, too, and the file would pass for damaged
        given: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": self.errors, "start_new_session": True}
        with open(self.path, "rb") as media:
            self.process = subprocess.Popen(self.command, stdin=media, **given)
        return self

    def read(self, size: int) -> bytes:
        assert self.process.stdout
        piece: bytes = self.process.stdout.read(size)
        return piece

    def __exit__(self, kind: object, *_: object) -> None:
        if kind:
            self.process.kill()
        self.process.communicate()
        self.errors.seek(0)
        said = self.errors.read(1 << 16).decode("utf-8", errors="replace")
        self.errors.close()
        if kind is None and self.process.returncode < 0:
            raise DataError(f"{self.path}: ffmpeg was ended by signal {-self.process.returncode}; run the same again")
        if kind is None and (fault := _fault(said, self.process.returncode)):
            raise UnreadableMedia(fault)


def _fault(said: str, code: int) -> str:
    """Word what ffmpeg found wrong with a file; nothing if it was read to its end."""
    if "Protocol not found" in said:
        raise DataError(f"{ffmpeg()} is older than ffmpeg 6; pip install 'hyperctr[media]'")
    if "skip_frame" in said or "0:v:0" in said:
        return "has no picture"
    if "0:a:0" in said:
        return "has no sound"
    if "moov atom not found" in said or "Error opening input" in said:
        return "is no video, image or sound that ffmpeg can open, or it is damaged"
    if "partial file" in said:
        return "is cut off"
    lines = [re.sub(r"^(\[[^]]*\] ?)+", "", line) for line in said.splitlines()]
    return f"is damaged ({lines[0][:120] if lines else f'ffmpeg ended with {code}'})" if code else ""
