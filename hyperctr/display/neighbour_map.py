"""A map of points with many coordinates, on which near points stay near: t-SNE, in numpy, in a fraction of a second.

Each point is drawn to its nearest neighbours and pushed off all others, after van der Maaten & Hinton (2008). The push
is a convolution, so it is worked out on a grid by Fourier transforms, as Linderman et al. (2019) do, here with linear
interpolation: its time grows with the points, not with their square. No chance is in it: the same points give the same
map. The benchmark ``bench_purity.py`` compares it with scikit-learn's t-SNE and with UMAP.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.sparse import csr_array
from scipy.spatial import cKDTree

Float32 = NDArray[np.float32]
NEIGHBOURS = 15
GATHERING, STEPS = 50, 40  # at first neighbours draw harder, so that groups form
HARDER = 8.0
STRIDE = 10.0  # longest step; only a handful of points would take longer ones, to and fro
CELLS, CELL = 64, 0.4  # of the grid along a side, at most; width of one, at least
WIDER = 1.15  # between two widths of a cell, so that what depends on it is seldom worked out anew
SEARCHED = 10  # coordinates by which neighbours are looked for
NEARLY = 0.5  # how much farther than the true neighbours those may be that are found, in half the time
GATHERED, MAPPED = 700, 4000  # points that form groups, and that are mapped; the others are placed among these


def neighbour_map(vectors: NDArray[np.floating], start: NDArray[np.floating] | None = None) -> Float32:
    """Place points [N, k] on a map [N, 2] on which neighbours stay neighbours; its middle is 0.

    Args:
        vectors: one row a point; equal rows get places next to each other.
        start: [N, 2], a map to begin with, whose arrangement is kept as far as it can be; None begins with the first
            two coordinates.

    >>> points = np.repeat(np.eye(3), 20, axis=0) + np.random.default_rng(0).normal(0, 0.1, (60, 3))
    >>> places = neighbour_map(points)
    >>> groups = places.reshape(3, 20, 2)
    >>> bool(groups.std(1).max() < groups.mean(1).std(0).min())
    True
    """
    count = len(vectors)
    if count < 3:
        return np.stack([np.arange(count) - (count - 1) / 2, np.zeros(count)], 1).astype(np.float32)
    vectors = _narrowed(np.asarray(vectors, dtype=np.float32))
    places = np.array(vectors[:, :2] if start is None else start, dtype=np.float32)
    if places.shape[1] < 2:
        places = np.pad(places, ((0, 0), (0, 1)))
    scale = max(float(places.std()), 1e-9)
    places = (places - places.mean(0)) * np.float32(0.1 / scale if start is None else 1.0)
    aside = np.random.default_rng(0).standard_normal(places.shape, dtype=np.float32)  # equal points begin and end apart
    places += max(float(places.std()), 0.1) * 1e-3 * aside
    few, some = (np.linspace(0, count - 1, min(count, most)).astype(np.int64) for most in (GATHERED, MAPPED))
    gathered = _settled(_neighbours(vectors[few]), places[few], GATHERING, HARDER)
    if len(some) > len(few):  # as dense as before: a map grows with the root of the points
        gathered = np.sqrt(np.float32(len(some) / len(few))) * _between(vectors[some], vectors[few], gathered)
        gathered += np.float32(0.25 * CELL) * aside[some]
    mapped = _settled(_neighbours(vectors[some]), gathered, STEPS)
    mapped = mapped if len(some) == count else _between(vectors, vectors[some], mapped)
    return np.asarray(mapped + 0.25 * CELL * aside, dtype=np.float32)


def _narrowed(vectors: Float32) -> Float32:
    """Turn points so that most of their spread lies in the first coordinates, and keep those."""
    centred = vectors - vectors.mean(0)
    axes = np.linalg.eigh(centred.T @ centred)[1][:, ::-1][:, :SEARCHED]
    turned: Float32 = centred @ axes
    strongest = turned[np.abs(turned).argmax(0), np.arange(turned.shape[1])]
    turned *= np.where(strongest < 0, -1, 1).astype(np.float32)  # an axis has no sign: two machines draw the same
    return turned


def _between(vectors: Float32, known: Float32, places: Float32) -> Float32:
    """Place points among the nearest of those that have places, in the middle of these."""
    distance, near = cKDTree(known).query(vectors, 3, eps=2 * NEARLY)
    weight = 1 / (distance + 1e-6) ** 2
    middle = (places[near] * (weight / weight.sum(1, keepdims=True))[..., None]).sum(1)
    return np.asarray(middle, dtype=np.float32)


def _neighbours(vectors: Float32) -> csr_array:
    """How much points draw each other, symmetric [N, N], 1 in all: Gaussians as wide as neighbours are far."""
    count, most = len(vectors), min(NEIGHBOURS, len(vectors) - 1)
    distance, near = cKDTree(vectors).query(vectors, most + 1, eps=NEARLY)
    distance, near = distance[:, 1:], near[:, 1:]  # the first is the point itself, or one on top of it
    width = distance[:, most // 2, None] + 1e-9
    weight = np.exp(-((distance / width) ** 2))
    weight /= weight.sum(1, keepdims=True)
    pointers = np.arange(0, count * most + 1, most)
    one_way = csr_array((weight.ravel(), near.ravel().astype(np.int32), pointers), shape=(count, count))
    both = csr_array(one_way + one_way.T)
    both.data = (both.data / both.data.sum()).astype(np.float32)
    return both


def _settled(weights: csr_array, places: Float32, steps: int, harder: float = 1.0) -> Float32:
    """Move places down the gradient of t-SNE, with momentum and a gain for each coordinate."""
    count, begins, near = len(places), weights.indptr[:-1], weights.indices
    point = np.repeat(np.arange(count, dtype=np.int32), np.diff(weights.indptr))
    weight, momentum = np.float32(harder) * weights.data, np.float32(0.5 if harder > 1 else 0.8)
    now = np.ascontiguousarray(places.T)
    moved, gain, rate = np.zeros_like(now), np.ones_like(now), np.float32(4 * count / HARDER)
    for _ in range(steps):
        apart = [along[point] - along[near] for along in now]
        pull = weight / (1 + apart[0] ** 2 + apart[1] ** 2)
        gradient = np.stack([np.add.reduceat(pull * along, begins) for along in apart]) - _push(now)
        gain = np.maximum(np.where(gradient * moved < 0, gain + np.float32(0.2), gain * np.float32(0.8)), 0.01)
        moved = np.clip(momentum * moved - rate * gain * gradient, -STRIDE, STRIDE)
        now = now + moved
        now -= now.mean(1, keepdims=True)
    return np.ascontiguousarray(now.T)


def _push(places: Float32) -> Float32:
    """Sum over all others j of (y_i - y_j) / (1 + |y_i - y_j|^2)^2, over the sum of 1 / (1 + |y_i - y_j|^2), [2, N]."""
    low = places.min(1, keepdims=True)
    extent = max(float((places - low).max()), 1e-6)
    side = int(np.clip(-(-extent / CELL // 8) * 8, 24, CELLS))
    width = WIDER ** np.ceil(np.log(extent / (side - 1.001)) / np.log(WIDER))
    inside = (places - low) / np.float32(width)
    cell = inside.astype(np.int32)
    right, up = inside - cell
    corner = cell[0] * side + cell[1]
    at = np.concatenate([corner, corner + 1, corner + side, corner + side + 1])
    share = np.concatenate([(1 - right) * (1 - up), (1 - right) * up, right * (1 - up), right * up])
    charge = np.bincount(at, share, side * side).reshape(side, side).astype(np.float32)
    kernels = _kernels(side, float(width))
    size = kernels.shape[1]
    spectrum = fft.fft(fft.rfft(charge, size, axis=1), size, axis=0)
    field = fft.irfft(fft.ifft(spectrum * kernels, axis=1)[:, :side], size, axis=2)[..., :side]
    felt = (field.reshape(3, -1)[:, at] * share).reshape(3, 4, -1).sum(1)
    total = max(float(felt[0].sum()) - places.shape[1], 1e-6)
    return np.asarray(felt[1:] / np.float32(total), dtype=np.float32)


@lru_cache(64)
def _kernels(side: int, width: float) -> NDArray[np.complex64]:
    """Fourier transforms of 1 / (1 + |d|^2) and of d / (1 + |d|^2)^2 along both axes, on a grid of twice the side."""
    size = fft.next_fast_len(2 * side, real=True)
    step = np.arange(size, dtype=np.float32)
    far = np.where(step < size / 2, step, step - size) * np.float32(width)
    near = 1 / (1 + far[:, None] ** 2 + far[None] ** 2)
    return np.asarray(fft.rfft2(np.stack([near, far[:, None] * near**2, far[None] * near**2])), dtype=np.complex64)
