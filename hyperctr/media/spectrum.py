"""Log-mel spectra of sound, in numpy."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def mel(hertz: npt.ArrayLike) -> Array:
    """Return frequencies on the mel scale of HTK: ``2595 log10(1 + f / 700)``.

    >>> mel([0.0, 1000.0]).round(2).tolist()
    [0.0, 999.99]
    """
    scaled: Array = 2595.0 * np.log10(1.0 + np.asarray(hertz, dtype=np.float64) / 700.0)
    return scaled


@cache
def mel_filters(rate: int, window: int, bands: int, low: float, high: float) -> Array:
    """Return triangular filters, evenly spaced, overlapping by half and with straight sides on the mel scale.

    Args:
        rate: samples a second.
        window: points of the Fourier transform.
        bands: number of filters.
        low: where the first triangle begins, in Hz.
        high: where the last one ends, in Hz.

    Returns:
        float64 ``[window // 2 + 1, bands]``, each with a peak of 1.
    """
    bins = mel(np.linspace(0.0, rate / 2, window // 2 + 1))
    edges = np.linspace(mel(low), mel(high), bands + 2)
    rising = (bins[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins[:, None]) / (edges[2:] - edges[1:-1])
    filters: Array = np.maximum(0.0, np.minimum(rising, falling))
    filters[0] = 0.0  # a constant is no sound
    return filters


def spectrogram(sound: npt.NDArray[np.floating], window: int, hop: int, points: int) -> Array:
    """Return magnitudes of the short-time Fourier transform under a periodic Hann window; no padding.

    Args:
        sound: samples ``[N]``; fewer than ``window`` are filled up with zeros.
        window: samples a frame.
        hop: samples from one frame to the next.
        points: of the Fourier transform, at least ``window``.

    Returns:
        float64 ``[frames, points // 2 + 1]``.

    >>> tone = np.sin(2 * np.pi * 8 * np.arange(128) / 64)
    >>> spectrogram(tone, 64, 32, 64).argmax(axis=1).tolist()
    [8, 8, 8]
    """
    filled = np.pad(sound, (0, max(0, window - len(sound)))).astype(np.float64)
    frames = np.lib.stride_tricks.sliding_window_view(filled, window)[::hop]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
    magnitudes: Array = np.abs(np.fft.rfft(frames * hann, points))
    return magnitudes


def log_mel(sound: npt.NDArray[np.floating], rate: int, bands: int, low: float, high: float) -> Array:
    """Return the log-mel spectrum: windows of 25 ms, every 10 ms, ``ln(energy of the band's magnitudes + 0.01)``.

    Returns:
        float64 ``[frames, bands]``.
    """
    window, hop = round(0.025 * rate), round(0.010 * rate)
    points = 1 << (window - 1).bit_length()
    filters = mel_filters(rate, points, bands, low, high)
    loud: Array = np.log(spectrogram(sound, window, hop, points) @ filters + 0.01)
    return loud
