"""The sums of Eq 5 for float32 on the CPU, compiled by numba; the functions of :mod:`row_sums`.

Each function makes one pass over the larger side, row by row, and keeps a table of the smaller side in the cache:
:func:`propagate` adds up a hyperedge's members and adds the sum to each of them at once, so no hyperedge's vector is
ever stored; :func:`up` and :func:`down`, for many more nodes than hyperedges, touch each row of nodes once. What
several rows add to is one table per thread, added up at the end in the order of the threads.

The kernels run in plain threads, as many as torch has. numba's own would not survive a fork, nor two callers at once.
"""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from threading import Thread
from typing import Any, NamedTuple

import numba
import numpy as np
import torch
import torch.nn.functional as F
from numba import types
from numpy.typing import NDArray
from torch import Tensor

from hyperctr.hypergraph.propagation import Propagation
from hyperctr.model.vectors import LINE, load, plus, store, stream, times, zeros

NAME = "fast"  # of the backend
# Rows go to threads in blocks, by number alone: equal shares, and what a row is added to never depends on other rows.
NODES_AT_ONCE, HYPEREDGES_AT_ONCE = 256, 64
LANES = 16  # rows are padded to a multiple of this many columns
KEPT_FROM = 1 << 24  # numbers in an output whose memory is kept

_left: deque[NDArray[np.float32]] = deque(maxlen=2)  # an output and a gradient

FLOATS, INTS, COUNT = types.float32[::1], types.int32[::1], types.intp


class Kernels(NamedTuple):
    """Compiled for one width of tiles. Tables are flat: tile after tile, in each row after row."""

    both: Callable[..., None]
    up: Callable[..., None]
    down: Callable[..., None]


@lru_cache
def _kernels(width: int) -> Kernels:
    def compiled(*arguments: Any) -> Callable[[Callable[..., None]], Any]:
        options = {"nogil": True, "error_model": "numpy", "boundscheck": False}
        signature = types.void(INTS, INTS, FLOATS, *arguments, COUNT, COUNT, COUNT, COUNT)

        def compile_one(kernel: Callable[..., None]) -> Any:
            try:
                return numba.njit(signature, cache=True, **options)(kernel)
            except RuntimeError:  # no folder to write to: compiled anew in each process
                return numba.njit(signature, **options)(kernel)

        return compile_one

    @compiled(FLOATS, FLOATS)
    def both(offsets, nodes, scale, table, total, rows, tiles, worker, workers):  # type: ignore[no-untyped-def]
        hyperedges = len(offsets) - 1
        for tile in range(tiles):
            base = tile * rows * width
            for first in range(worker * HYPEREDGES_AT_ONCE, hyperedges, workers * HYPEREDGES_AT_ONCE):
                for e in range(first, min(first + HYPEREDGES_AT_ONCE, hyperedges)):
                    gathered = zeros(width)
                    for k in range(offsets[e], offsets[e + 1]):
                        gathered = plus(gathered, load(table, base + types.intp(nodes[k]) * width, width))
                    gathered = times(gathered, scale[e])
                    for k in range(offsets[e], offsets[e + 1]):
                        place = base + types.intp(nodes[k]) * width
                        store(total, place, plus(load(total, place, width), gathered))

    @compiled(FLOATS, FLOATS, FLOATS)
    def up(offsets, edges, scale, x, total, sums, rows, tiles, worker, workers):  # type: ignore[no-untyped-def]
        nodes = len(offsets) - 1
        for tile in range(tiles):
            base = tile * rows * width
            for first in range(worker * NODES_AT_ONCE, nodes, workers * NODES_AT_ONCE):
                plain = zeros(width)
                for v in range(first, min(first + NODES_AT_ONCE, nodes)):
                    vector = load(x, (v * tiles + tile) * width, width)
                    plain = plus(plain, vector)
                    vector = times(vector, scale[v])
                    for k in range(offsets[v], offsets[v + 1]):
                        place = base + types.intp(edges[k]) * width
                        store(total, place, plus(load(total, place, width), vector))
                store(sums, tile * width, plus(load(sums, tile * width, width), plain))

    @compiled(FLOATS, FLOATS, FLOATS)
    def down(offsets, edges, scale, table, bias, out, rows, tiles, worker, workers):  # type: ignore[no-untyped-def]
        nodes = len(offsets) - 1
        for tile in range(tiles):
            base = tile * rows * width
            shift = load(bias, tile * width, width)
            for first in range(worker * NODES_AT_ONCE, nodes, workers * NODES_AT_ONCE):
                for v in range(first, min(first + NODES_AT_ONCE, nodes)):
                    gathered = zeros(width)
                    for k in range(offsets[v], offsets[v + 1]):
                        gathered = plus(gathered, load(table, base + types.intp(edges[k]) * width, width))
                    stream(out, (v * tiles + tile) * width, plus(times(gathered, scale[v]), shift))

    return Kernels(both, up, down)


def _width(columns: int, most: int) -> int:
    """Return the widest tile that divides the columns."""
    return next(width for width in (64, 32, 16) if width <= most and columns % width == 0)


def _whole_lanes(x: Tensor) -> Tensor:
    return F.pad(x, (0, -x.shape[1] % LANES)) if x.shape[1] % LANES else x


def _table(x: Tensor, width: int) -> Tensor:
    """Lay [rows, d] out as [d / width, rows + 1, width], with a row of zeros for what is hidden."""
    tiles = x.shape[1] // width
    table = x.new_zeros(tiles, len(x) + 1, width)
    table[:, :-1] = x.view(-1, tiles, width).transpose(0, 1)
    return table


def _in_threads(kernel: Callable[..., None], rows: int, columns: int, width: int, read: Any, written: Any) -> None:
    """Run the kernel in all threads; ``written`` gives the flat arrays that a thread writes to."""
    workers = torch.get_num_threads()
    read = [tensor.detach().reshape(-1).numpy() for tensor in read]

    def start(worker: int) -> None:
        kernel(*read, *written(worker), rows, columns // width, worker, workers)

    threads = [Thread(target=start, args=(worker,)) for worker in range(1, workers)]
    for thread in threads:
        thread.start()
    start(0)
    for thread in threads:
        thread.join()


def _added_up(kernel: Callable[..., None], rows: int, columns: int, width: int, read: Any, *also: Tensor) -> Tensor:
    """Run a kernel that adds to a table, one of them per thread, and return their sum [rows, columns]."""
    tiles = columns // width
    totals = torch.zeros(torch.get_num_threads(), tiles, rows + 1, width)
    tables = (totals, *also)
    _in_threads(kernel, rows + 1, columns, width, read, lambda worker: [t[worker].view(-1).numpy() for t in tables])
    return totals.sum(0)[:, :rows].transpose(0, 1).reshape(rows, columns)


def propagate(x: Tensor, P: Propagation, bias: Tensor | None = None) -> Tensor:
    """Return P x + b, [N, d] -> [N, d]; for a table of nodes that fits the cache."""
    node, edge = P.scales()
    rows = _whole_lanes(x * node)
    width = _width(rows.shape[1], most=32)
    read = (*P.by_hyperedge, edge, _table(rows, width))
    total = _added_up(_kernels(width).both, P.num_nodes, rows.shape[1], width, read)[:, : x.shape[1]]
    return total * node if bias is None else torch.addcmul(bias, total, node)


def up(x: Tensor, P: Propagation) -> Tensor:
    """Return H^T D_v^-1/2 x, [N, d] -> [E, d]; for a table of hyperedges that fits the cache."""
    return up_and_sum(x, P)[0]


def up_and_sum(x: Tensor, P: Propagation) -> tuple[Tensor, Tensor]:
    """Return H^T D_v^-1/2 x [E, d] and the sum of all rows of x [d], which costs nothing beside it."""
    rows = _whole_lanes(x)
    columns = rows.shape[1]
    width = _width(columns, most=64)
    sums = torch.zeros(torch.get_num_threads(), columns)
    read = (*P.by_node, P.scales()[0], rows)
    total = _added_up(_kernels(width).up, P.num_hyperedges, columns, width, read, sums)
    return total[:, : x.shape[1]], sums.sum(0)[: x.shape[1]]


def down(y: Tensor, P: Propagation, bias: Tensor | None = None) -> Tensor:
    """Return D_v^-1/2 H y + b, [E, d] -> [N, d]; for a table of hyperedges that fits the cache."""
    rows = _whole_lanes(y)
    width = _width(rows.shape[1], most=64)
    shift = _whole_lanes((y.new_zeros(y.shape[1]) if bias is None else bias)[None])
    out = _output(P.num_nodes, rows.shape[1])
    read = (*P.by_node, P.scales()[0], _table(rows, width), shift)
    _in_threads(_kernels(width).down, len(y) + 1, rows.shape[1], width, read, lambda worker: [out.view(-1).numpy()])
    return out if rows is y else out[:, : y.shape[1]].contiguous()


def _output(rows: int, columns: int) -> Tensor:
    """Return an uninitialised tensor on whole cache lines; a large one in memory that an earlier one has left.

    Fresh memory costs several times what it takes to write it: the system hands it out page by page.
    """
    length = rows * columns
    if length < KEPT_FROM:
        return torch.from_numpy(_memory(length)).view(rows, columns)
    memory = None
    with suppress(IndexError):  # none is left; popleft, so that two callers never get the same
        while memory is None or len(memory) != length:
            memory = _left.popleft()
    if memory is None or len(memory) != length:
        memory = _memory(length)
    lent = memory[:]  # lives as long as the tensor and all that share its memory
    weakref.finalize(lent, _left.append, memory).atexit = False
    return torch.from_numpy(lent).view(rows, columns)


def _memory(length: int) -> NDArray[np.float32]:
    numbers = np.empty(length + LINE // 4, np.float32)
    start = -numbers.ctypes.data % LINE // 4
    return numbers[start : start + length]
