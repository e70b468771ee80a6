"""A map of points with many coordinates, on which near points stay near: t-SNE, in numpy, in a fraction of a second.

Each point is drawn to its nearest neighbours and pushed off all others, after van der Maaten & Hinton (2008). The push
is a convolution, so it is worked out on a grid by Fourier transforms, as Linderman et al. (2019) do, here with linear
interpolation: its time grows with the points, not with their square. No chance is in it: the same points give the same
map. The benchmark ``bench_purity.py`` compares it with scikit-learn's t-SNE and with UMAP.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.sparse import csr_array
from scipy.spatial import cKDTree

Float32 = NDArray[np.float32]
NEIGHBOURS = 15
STEPS, GATHERING = 100, 50  # of a map; in the first of them neighbours draw harder, so that groups form
HARDER = 8.0
STRIDE = 10.0  # longest step; only a handful of points would take longer ones, to and fro
CELLS, CELL = 64, 0.4  # of the grid along a side, at most; width of one, at least
SEARCHED = 10  # coordinates by which neighbours are looked for
MAPPED = 6000  # points that are mapped, in a second; of more, the others are placed among these


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
    some = np.linspace(0, count - 1, min(count, MAPPED)).astype(np.int64)
    mapped = _settled(_neighbours(vectors[some], min(NEIGHBOURS, len(some) - 1)), places[some])
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
    distance, near = cKDTree(known).query(vectors, 3)
    weight = 1 / (distance + 1e-6) ** 2
    middle = (places[near] * (weight / weight.sum(1, keepdims=True))[..., None]).sum(1)
    return np.asarray(middle, dtype=np.float32)


def _neighbours(vectors: Float32, most: int) -> csr_array:
    """How much points draw each other, symmetric [N, N], 1 in all: Gaussians as wide as neighbours are far."""
    count = len(vectors)
    distance, near = cKDTree(vectors).query(vectors, most + 1)
    distance, near = distance[:, 1:], near[:, 1:]  # the first is the point itself, or one on top of it
    width = distance[:, most // 2, None] + 1e-9
    weight = np.exp(-((distance / width) ** 2))
    weight /= weight.sum(1, keepdims=True)
    pointers = np.arange(0, count * most + 1, most)
    one_way = csr_array((weight.ravel(), near.ravel().astype(np.int32), pointers), shape=(count, count))
    both = csr_array(one_way + one_way.T)
    both.data = (both.data / both.data.sum()).astype(np.float32)
    return both


def _settled(weights: csr_array, places: Float32) -> Float32:
    """Move places down the gradient of t-SNE, with momentum and a gain for each coordinate."""
    count = len(places)
    degree, near = np.diff(weights.indptr), weights.indices
    moved, gain = np.zeros_like(places), np.ones_like(places)
    for step in range(STEPS):
        harder, momentum = (HARDER, 0.5) if step < GATHERING else (1.0, 0.8)
        apart = [places[near, axis] - np.repeat(places[:, axis], degree) for axis in (0, 1)]
        pull = np.float32(harder) * weights.data / (1 + apart[0] ** 2 + apart[1] ** 2)
        drawn = csr_array((pull, near, weights.indptr), shape=(count, count))
        gradient = drawn.sum(1)[:, None] * places - drawn @ places - _push(places)
        gain = np.maximum(np.where(gradient * moved < 0, gain + 0.2, gain * 0.8), 0.01).astype(np.float32)
        moved = (momentum * moved - 4 * count / HARDER * gain * gradient).astype(np.float32)
        moved = np.clip(moved, -STRIDE, STRIDE)
        places = places + moved
        places -= places.mean(0)
    return places


def _push(places: Float32) -> Float32:
    """Sum over all others j of (y_i - y_j) / (1 + |y_i - y_j|^2)^2, over the sum of 1 / (1 + |y_i - y_j|^2), [N, 2]."""
    low = places.min(0)
    extent = max(float((places.max(0) - low).max()), 1e-6)
    side = int(np.clip(np.ceil(extent / CELL), 24, CELLS))
    width = np.float32(extent / (side - 1) * 1.0001)
    inside = (places - low) / width
    cell = np.minimum(inside.astype(np.int32), side - 2)
    right, up = (inside - cell).T
    corner = cell[:, 0] * side + cell[:, 1]
    at = np.concatenate([corner, corner + 1, corner + side, corner + side + 1])
    share = np.concatenate([(1 - right) * (1 - up), (1 - right) * up, right * (1 - up), right * up])
    charges = [share, share * np.tile(places[:, 0], 4), share * np.tile(places[:, 1], 4)]
    grid = np.stack([np.bincount(at, charge, side * side) for charge in charges]).astype(np.float32)
    size = fft.next_fast_len(2 * side, real=True)
    far = np.arange(size, dtype=np.float32)
    far = (np.minimum(far, size - far) * width) ** 2
    kernel = 1 / (1 + far[:, None] + far[None])
    spectrum = fft.rfft2(grid.reshape(3, side, side), (size, size))
    squared, plain = fft.rfft2(np.stack([kernel * kernel, kernel]))
    field = fft.irfft2(np.concatenate([spectrum * squared, spectrum[:1] * plain]), (size, size))[:, :side, :side]
    felt = (field.reshape(4, -1)[:, at] * share).reshape(4, 4, len(places)).sum(1)
    total = max(float(felt[3].sum()) - len(places), 1e-6)
    push: Float32 = ((places * felt[0, :, None] - felt[1:3].T) / np.float32(total)).astype(np.float32)
    return push
