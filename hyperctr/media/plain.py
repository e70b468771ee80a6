"""Extractors without weights: what can be counted in a frame, in a spectrum, in a text. They always work."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hyperctr.media.decode import UnreadableMedia, read_frames, read_sound
from hyperctr.media.spectrum import log_mel

Vectors = npt.NDArray[np.float32]
LEVELS, DIRECTIONS = 4, 8  # of each colour; of edges, over half a turn
COLOURS = LEVELS**3
RATE, BANDS, LOW, HIGH = 16_000, 64, 60.0, 7_600.0
TEXT_DIM = 128
WEAK = 8.0  # steps of grey from one pixel to the next below which there is no edge


def small_frames(path: Path) -> npt.NDArray[np.uint8]:
    """Return key frames of 128 x 128 pixels."""
    return read_frames(path, 128, 128)


def sound_16k(path: Path) -> Vectors:
    """Return the sound of a file at 16 kHz."""
    return read_sound(path, RATE)


def read_text(path: Path) -> str:
    """Return the text of a UTF-8 file.

    Raises:
        UnreadableMedia: other bytes, or nothing but blanks.
    """
    try:
        text = path.read_text(encoding="utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise UnreadableMedia("is no UTF-8 text") from error
    if not text:
        raise UnreadableMedia("is empty")
    return text


def colours_and_edges(frames: npt.NDArray[np.uint8]) -> Vectors:
    """Return which colours a frame has and which way its edges run, the mean over frames.

    Args:
        frames: RGB ``[F, H, W, 3]``.

    Returns:
        float32 ``[72]``: the share of pixels in each of 4 x 4 x 4 colours (red slowest), then the share of pixels on an
        edge whose grey value rises towards each of 8 directions (from right, clockwise, opposite ones are the same).

    >>> red = np.zeros((1, 8, 8, 3), dtype=np.uint8)
    >>> red[..., 0] = 255
    >>> colours_and_edges(red).nonzero()[0].tolist(), float(colours_and_edges(red)[48])
    ([48], 1.0)
    """
    counts = np.zeros((len(frames), COLOURS + DIRECTIONS))
    for row, frame in zip(counts, frames, strict=True):
        level = frame.reshape(-1, 3) // (256 // LEVELS)
        row[:COLOURS] = np.bincount(level @ np.array([LEVELS**2, LEVELS, 1]), minlength=COLOURS) / len(level)
        grey = frame @ np.array([0.299, 0.587, 0.114])
        down, right = np.gradient(grey)
        turn = np.arctan2(down, right) / np.pi * DIRECTIONS
        edge = np.hypot(down, right) > WEAK
        direction = np.rint(turn[edge]).astype(np.int64) % DIRECTIONS
        row[COLOURS:] = np.bincount(direction, minlength=DIRECTIONS) / grey.size
    mean: Vectors = counts.mean(axis=0).astype(np.float32)
    return mean


def mel_statistics(sound: npt.NDArray[np.float32]) -> Vectors:
    """Return mean and standard deviation over time of 64 log-mel bands.

    Args:
        sound: samples at 16 kHz.

    Returns:
        float32 ``[128]``: 64 means, from the lowest band (60 Hz) to the highest (7,600 Hz), then 64 deviations.
    """
    bands = log_mel(sound, RATE, BANDS, LOW, HIGH)
    statistics: Vectors = np.concatenate([bands.mean(axis=0), bands.std(axis=0)]).astype(np.float32)
    return statistics


def words(text: str) -> list[str]:
    """Return the words of a text, in small letters.

    >>> words("Cats & dogs, 2 of each")
    ['cats', 'dogs', '2', 'of', 'each']
    """
    return re.findall(r"\w+", text.lower())


def text_vectors(texts: list[str]) -> Vectors:
    """Return TF-IDF and at most 128 singular directions of all texts together, float32 ``[R, dim]``."""
    from hyperctr.data.ml_trailers import tfidf_svd

    return tfidf_svd([words(text) for text in texts], TEXT_DIM)
