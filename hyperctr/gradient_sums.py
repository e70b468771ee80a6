"""Gradients added up over the processes that train one model: dense ones, and those of a few rows of a table."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.distributed as dist
from torch import Tensor

from hyperctr.distributed import Group

NO_GRADIENT, DENSE = -2, -1  # forms of a gradient; another number is how many rows a sparse one has
LARGE = 2**22  # numbers of a gradient that is sent from where it lies instead of copied beside the others


def sum_gradients(group: Group, parameters: Sequence[torch.nn.Parameter]) -> None:
    """Replace every gradient by its sum over the processes of a group.

    What no process has a gradient for keeps none. A sparse gradient stays sparse where it is so everywhere and the
    rows of all processes are fewer than the table's.
    """
    if group.size == 1:
        return
    # Step 1: the forms of all gradients in all processes. -> [N, P]
    for parameter in parameters:
        if parameter.grad is not None and parameter.grad.is_sparse:
            parameter.grad = parameter.grad.coalesce()
    mine = torch.tensor([_form(parameter.grad) for parameter in parameters])
    forms = [torch.empty_like(mine) for _ in range(group.size)]
    dist.all_gather(forms, mine)
    # Step 2: sparse ones one by one, dense ones together
    dense = []
    for parameter, column in zip(parameters, torch.stack(forms, 1).tolist(), strict=True):
        rows = [max(0, form) for form in column]
        if max(column) == NO_GRADIENT:
            continue
        if DENSE in column or sum(rows) >= len(parameter):
            dense.append(parameter)
        else:
            parameter.grad = _joined_rows(parameter, rows)
    _sum_dense(dense)


def _form(gradient: Tensor | None) -> int:
    if gradient is None:
        return NO_GRADIENT
    return gradient._nnz() if gradient.is_sparse else DENSE


def _joined_rows(table: Tensor, counts: list[int]) -> Tensor:
    """Return the sparse gradient of a table that has the rows of all processes, ``counts`` of them each."""
    gradient, most = table.grad, max(counts)
    index = torch.zeros(most, dtype=torch.int64, device=table.device)
    values = table.new_zeros(most, *table.shape[1:])
    if gradient is not None:
        index[: gradient._nnz()], values[: gradient._nnz()] = gradient.indices()[0], gradient.values()
    parts: list[Tensor] = []
    for padded in (index, values.detach()):
        gathered = [torch.empty_like(padded) for _ in counts]
        dist.all_gather(gathered, padded)
        parts.append(torch.cat([part[:count] for part, count in zip(gathered, counts, strict=True)]))
    return torch.sparse_coo_tensor(parts[0][None], parts[1], table.shape, check_invariants=False)


def _sum_dense(parameters: list[torch.nn.Parameter]) -> None:
    """Sum the gradients of parameters, absent ones as zeros: the small ones of a type in one message."""
    together: dict[torch.dtype, list[torch.nn.Parameter]] = {}
    for parameter in parameters:
        gradient = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad.to_dense()
        parameter.grad = gradient.contiguous()
        if parameter.numel() >= LARGE:
            dist.all_reduce(parameter.grad)
        else:
            together.setdefault(gradient.dtype, []).append(parameter)
    for some in together.values():
        flat = torch.cat([parameter.grad.flatten() for parameter in some if parameter.grad is not None])
        dist.all_reduce(flat)
        for parameter, part in zip(some, flat.split([parameter.numel() for parameter in some]), strict=True):
            parameter.grad = part.view_as(parameter)
