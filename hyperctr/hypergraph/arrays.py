"""Array helpers of the hypergraph container: checks that name the offending position, and compressed columns.

A CSR pair is ``(offsets int32 [rows + 1], columns int32 [nnz])``; row ``r`` is the slice of ``columns`` from
``offsets[r]`` to ``offsets[r + 1]``. Everything is deterministic on every device: sorts of unique integer
keys and integer sums, no float atomics.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from hyperctr.errors import DataError, ShapeError

CSR = tuple[Tensor, Tensor]

BITS = 31
# Numbers of nodes, hyperedges, labels and incidences stay below 2^31: each fits an int32 column, and two
# packed into one int64 sort key (`first << 31 | second`) take 62 bits, so no key can overflow.
LIMIT = 2**BITS - 1


def checked_pairs(incidence: Any, num_nodes: int, num_hyperedges: int) -> Tensor:
    """Return the incidences int64 [2, nnz], sorted by hyperedge, then node.

    Raises:
        ShapeError: not [2, nnz], or a size that does not fit 32 bits.
        DataError: a number out of bounds, or a pair that repeats.

    >>> checked_pairs([[2, 0, 1], [1, 1, 0]], num_nodes=3, num_hyperedges=2).tolist()
    [[1, 0, 2], [0, 1, 1]]
    """
    pairs = integers("incidence", incidence, "[2, nnz]")
    if pairs.dim() != 2 or pairs.shape[0] != 2:
        raise ShapeError(f"incidence has shape {list(pairs.shape)}; expected [2, nnz]: nodes, then hyperedges")
    sizes = {"num_nodes": num_nodes, "num_hyperedges": num_hyperedges, "nnz": pairs.shape[1]}
    for name, size in sizes.items():
        if not 0 <= int(size) < LIMIT:
            raise ShapeError(f"{name} is {size}; allowed are 0..{LIMIT - 1} (columns are int32)")
    for axis, kind in enumerate(("node", "hyperedge")):
        bound, values = int(sizes[f"num_{kind}s"]), pairs[axis]
        message = f"incidence[{axis}, {{at}}] is {kind} {{value}}; allowed are 0..{bound - 1} (num_{kind}s)"
        refuse(values.lt(0) | values.ge(bound), values, message)
    keys = pairs[1] << BITS | pairs[0]
    if not bool((keys[1:] > keys[:-1]).all()):
        keys = sort_keys(keys)
        repeated = keys[1:][keys[1:] == keys[:-1]]
        if len(repeated):
            node, hyperedge = int(repeated[0] & LIMIT), int(repeated[0] >> BITS)
            raise DataError(
                f"incidence holds node {node} on hyperedge {hyperedge} more than once "
                f"({len(repeated)} repeats in all); drop repeats with torch.unique(incidence, dim=1)"
            )
    return torch.stack([keys & LIMIT, keys >> BITS])


def checked_columns(given: dict[str, Any], length: int, num_names: int, device: torch.device) -> dict[str, Tensor]:
    """Return weight float32, group and label int64, each [E], with the defaults for those given as None.

    Raises:
        ShapeError: a column is not [E].
        DataError: a value out of bounds.
    """
    columns = {"weight": torch.ones(length), "group": torch.zeros(length).long(), "label": torch.arange(length)}
    for name, values in given.items():
        if values is not None:
            convert = floats if name == "weight" else integers
            columns[name] = convert(name, values, "[E]")
        if columns[name].shape != (length,):
            raise ShapeError(f"{name} has shape {list(columns[name].shape)}; expected [{length}], one per hyperedge")
    weight, group, label = columns["weight"], columns["group"], columns["label"]
    last = (num_names or LIMIT) - 1
    refuse(~weight.isfinite() | weight.lt(0), weight, "weight[{at}] is {value}; allowed are finite numbers >= 0")
    refuse(group.lt(0) | group.gt(last), group, f"group[{{at}}] is {{value}}; allowed are 0..{last}")
    refuse(label.lt(0) | label.ge(LIMIT), label, f"label[{{at}}] is {{value}}; allowed are 0..{LIMIT - 1}")
    return {name: values.to(device) for name, values in columns.items()}


def integers(name: str, values: Any, shape: str) -> Tensor:
    """Return ``values`` (tensor, array or nested list) as int64.

    Raises:
        DataError: anything but whole numbers.
    """
    tensor = _tensor(name, values, shape)
    whole = not (tensor.is_floating_point() or tensor.is_complex() or tensor.dtype == torch.bool)
    if tensor.numel() and not whole:
        raise DataError(f"{name} holds {tensor.dtype}; expected whole numbers {shape}")
    return tensor.long()


def floats(name: str, values: Any, shape: str) -> Tensor:
    """Return ``values`` (tensor, array or list) as float32 without gradient."""
    return _tensor(name, values, shape).float()


def _tensor(name: str, values: Any, shape: str) -> Tensor:
    if isinstance(values, Tensor):
        return values.detach()
    try:
        return torch.from_numpy(np.array(values))
    except (ValueError, TypeError) as error:
        raise ShapeError(f"{name} is not an array of numbers {shape}: {error}") from error


def mask(name: str, values: Tensor, length: int, device: torch.device) -> Tensor:
    """Bring a mask to the device.

    Raises:
        ShapeError: it is not bool of the given length.
    """
    if values.dtype != torch.bool or values.shape != (length,):
        raise ShapeError(f"{name} is {values.dtype} {list(values.shape)}; expected torch.bool [{length}]")
    return values.to(device)


def refuse(bad: Tensor, values: Tensor, message: str) -> None:
    """Refuse values; the message may use {at} and {value}.

    Raises:
        DataError: for the first position where ``bad`` holds.
    """
    if bool(bad.any()):
        at = int(bad.nonzero()[0, 0])
        raise DataError(message.format(at=at, value=values[at].item()))


def sort_keys(keys: Tensor) -> Tensor:
    """Sort unique int64 keys; numpy's vectorised sort on the CPU is several times faster than torch's."""
    return torch.from_numpy(np.sort(keys.numpy())) if keys.device.type == "cpu" else keys.sort().values


def offsets(rows: Tensor, count: int) -> Tensor:
    """Return the CSR offsets int32 [count + 1] of row numbers given in any order.

    >>> offsets(torch.tensor([0, 0, 2]), 3).tolist()
    [0, 2, 2, 3]
    """
    return starts(torch.bincount(rows, minlength=count))


def starts(sizes: Tensor) -> Tensor:
    """Return the CSR offsets int32 [count + 1] of rows of the given sizes."""
    return torch.cat([sizes.new_zeros(1), sizes.cumsum(0)]).int()


def row_numbers(row_offsets: Tensor, nnz: int) -> Tensor:
    """Return the row of each entry, int32 [nnz].

    >>> row_numbers(torch.tensor([0, 2, 2, 3]), 3).tolist()
    [0, 0, 2]
    """
    rows = torch.arange(len(row_offsets) - 1, dtype=torch.int32, device=row_offsets.device)
    return rows.repeat_interleave(row_offsets.diff(), output_size=nnz)


def sums(rows: Tensor, values: Tensor, count: int) -> Tensor:
    """Add up the values of each row, [count]; ``rows`` in any order, each sum in the order of ``values`` on the CPU."""
    return torch.zeros(count, dtype=values.dtype, device=values.device).index_add_(0, rows, values)


def compact(keep: Tensor, row_offsets: Tensor) -> Tensor:
    """Return the offsets that remain when only the entries marked by ``keep`` stay.

    >>> compact(torch.tensor([True, False, True]), torch.tensor([0, 2, 3], dtype=torch.int32)).tolist()
    [0, 1, 2]
    """
    before = torch.cat([row_offsets.new_zeros(1), keep.cumsum(0, dtype=torch.int32)])
    return before[row_offsets.long()]


def row(name: str, number: int, csr: CSR) -> Tensor:
    """Return the entries of one CSR row as int64.

    Raises:
        DataError: there is no such row.
    """
    bounds, columns = csr
    if not 0 <= int(number) < len(bounds) - 1:
        raise DataError(f"{name} {number} does not exist; allowed are 0..{len(bounds) - 2}")
    return columns[int(bounds[number]) : int(bounds[number + 1])].long()
