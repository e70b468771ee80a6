"""Several processes that train one model together, as ``torchrun`` starts them (docs/scale.md).

Every process holds the whole model and computes its share of each batch; gradients are added up before the optimisers
step, so all of them always hold the same parameters. Plain collectives, no wrapper around the model: a round's
convolution (:mod:`hyperctr.model.slot_convolution`) does not fit into a forward and a backward pass.
"""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import torch
import torch.distributed as dist
from torch import Tensor

from hyperctr.errors import ConfigError, HyperCTRError, RunError

if TYPE_CHECKING:
    from torch._C._distributed_c10d import Store

NO_GRADIENT, DENSE = -2, -1  # forms of a gradient; another number is how many rows a sparse one has
LARGE = 2**22  # numbers of a gradient that is sent from where it lies instead of copied beside the others
PATIENCE = timedelta(
    days=7
)  # for the first process, which may wait for a lock; who dies is noticed at once all the same
LAST_WORDS = 10.0  # seconds that a process which fails waits until the first has noted why


@dataclass
class Group:
    """The processes that train one model together; a process on its own is a group of one, which sends nothing.

    Attributes:
        rank: number of this process; process 0, the first, writes all files and decides.
        size: how many processes there are.
        store: where a process that fails leaves its last words.

    >>> alone = Group()
    >>> alone.first, alone.share(10), alone.agreed("yes")
    (True, slice(0, 10, None), 'yes')
    >>> [Group(rank, 3).share(10) for rank in range(3)]
    [slice(0, 3, None), slice(3, 6, None), slice(6, 10, None)]
    """

    rank: int = 0
    size: int = 1
    store: Store | None = None
    _notes: list[Callable[[str], None]] = field(default_factory=list)

    @property
    def restarted(self) -> bool:
        """Whether torchrun has started the processes again after one had died (``--max-restarts``)."""
        return self.size > 1 and _restarts() > 0

    @property
    def first(self) -> bool:
        """Whether this is the process that writes and decides."""
        return self.rank == 0

    def share(self, count: int, unit: int = 1, rank: int | None = None) -> slice:
        """Return the contiguous share of ``count`` things, cut between units, that a process (this one) has."""
        units, rank = -(-count // unit), self.rank if rank is None else rank
        first, end = (units * k // self.size * unit for k in (rank, rank + 1))
        return slice(min(first, count), min(end, count))

    # ---- values
    def agreed(self, value: Any) -> Any:
        """Return the first process's value, which is sent to the others; all wait for it."""
        if self.size == 1:
            return value
        values = [value]
        dist.broadcast_object_list(values, src=0)
        return values[0]

    @contextmanager
    def after_first(self) -> Iterator[None]:
        """Let the first process do something, such as write a file, and then the others, who find it done."""
        if not self.first:
            self.agreed(None)
        yield
        if self.first:
            self.agreed(None)

    def total(self, value: Tensor) -> Tensor:
        """Return the sum of a tensor over the processes."""
        if self.size > 1:
            value = value.clone()
            dist.all_reduce(value)
        return value

    def broadcast(self, tensors: Iterable[Tensor], source: int = 0) -> list[Any]:
        """Begin to overwrite tensors by those of one process; wait for each of what is returned."""
        if self.size == 1:
            return []
        return [dist.broadcast(x.detach(), source, async_op=True) for x in tensors if x.numel()]

    def reduce(self, tensors: Iterable[Tensor], to: int) -> list[Any]:
        """Begin to add up tensors in place, in process ``to`` alone; wait for each of what is returned."""
        if self.size == 1:
            return []
        return [dist.reduce(x, to, async_op=True) for x in tensors if x.numel()]

    def collected(self, mine: Tensor, count: int, unit: int = 1) -> Tensor | None:
        """Return all ``count`` rows, on the CPU, of which each process has its share; None but in the first."""
        if not self.first:
            if mine.numel():
                dist.send(mine.contiguous(), 0)
            return None
        rows = mine.new_empty(count, *mine.shape[1:])
        for rank in range(self.size):
            part = rows[self.share(count, unit, rank)]
            if rank == 0:
                part.copy_(mine)
            elif part.numel():
                dist.recv(part, rank)
        return rows

    # ---- gradients
    def sum_gradients(self, parameters: Sequence[torch.nn.Parameter]) -> None:
        """Replace every gradient by its sum over the processes.

        What no process has a gradient for keeps none. A sparse gradient stays sparse where it is so everywhere and the
        rows of all processes are fewer than the table's.
        """
        if self.size == 1:
            return
        # Step 1: the forms of all gradients in all processes. -> [N, P]
        for parameter in parameters:
            if parameter.grad is not None and parameter.grad.is_sparse:
                parameter.grad = parameter.grad.coalesce()
        mine = torch.tensor([_form(parameter.grad) for parameter in parameters])
        forms = [torch.empty_like(mine) for _ in range(self.size)]
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

    # ---- failures
    @contextmanager
    def noting(self, note: Callable[[str], None]) -> Iterator[None]:
        """Have ``note`` called with the words of whichever other process fails meanwhile; only the first needs it."""
        self._notes.append(note)
        try:
            yield
        finally:
            self._notes.pop()

    def failed(self, words: str) -> str:
        """Return why the group ends: this process's ``words``, or those of the process that failed before it."""
        if self.store is None:
            return words
        rank, _, first = self.store.compare_set("failed", "", f"{self.rank}:{words}").decode().partition(":")
        return words if int(rank) == self.rank or first == words else f"process {rank} of {self.size} failed: {first}"

    def _watch(self, ended: threading.Event) -> None:
        """Note the failure of another process, even where this one hangs in a collective that waits for it."""
        store = self.store
        while store is not None and not ended.wait(0.2):
            try:
                if not store.check(["failed"]):
                    continue
                words = self.failed("")
                for note in self._notes if words else ():
                    note(words)
                store.set("noted", "")
            except RuntimeError:  # the store has gone, and torchrun with it
                pass
            return

    def _last_words(self) -> None:
        """Wait until the first process has noted why this one fails: torchrun ends it as soon as this one has ended."""
        end = time.monotonic() + LAST_WORDS
        while self.store is not None and not self.first and time.monotonic() < end:
            try:
                if self.store.check(["noted"]):
                    return
            except RuntimeError:
                return
            time.sleep(0.05)


ALONE = Group()
_joined: list[Group] = []  # the group of this process, while it is in one
_joins = itertools.count()


def current() -> Group:
    """Return the group that this process trains in now."""
    if _joined:
        return _joined[-1]
    if dist.is_available() and dist.is_initialized():
        return Group(dist.get_rank(), dist.get_world_size())
    return ALONE


@contextmanager
def joined(device: torch.device) -> Iterator[Group]:
    """Join the other processes that torchrun has started with this one, if it has, and leave them at the end.

    Raises:
        ConfigError: the device is of a kind that processes cannot share, or torchrun's variables are incomplete.
        RunError: another process failed; the message has its words.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1 or current().size > 1:
        yield current()
        return
    if device.type not in ("cpu", "cuda"):
        raise ConfigError(f"several processes cannot train on {device.type}; use --device cpu")
    try:
        store, rank, size = next(dist.rendezvous("env://", timeout=timedelta(minutes=5)))  # type: ignore[attr-defined]
    except ValueError as error:
        raise ConfigError(f"WORLD_SIZE is set, but {error}; start with torchrun, or unset it") from error
    # A group must not read what one before it left there: before a restart, or in these same processes.
    store = dist.PrefixStore(f"hyperctr {_restarts()} {next(_joins)}", store)  # type: ignore[attr-defined]
    backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
    dist.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=PATIENCE)
    group, ended = Group(rank, size, store), threading.Event()
    _joined.append(group)
    if group.first:
        threading.Thread(target=group._watch, args=(ended,), daemon=True).start()
    try:
        yield group
        group.agreed(None)
        dist.destroy_process_group()
    except BaseException as error:
        words = error_words(error)
        told = group.failed(words)
        group._last_words()
        if told != words and isinstance(error, Exception):
            raise RunError(told) from error
        raise
    finally:
        ended.set()
        _joined.pop()


def device_of_process(device: torch.device) -> torch.device:
    """Return the device of this process: where several train on a machine's GPUs, each has one of its own.

    Raises:
        ConfigError: there are fewer GPUs than processes, or all processes were sent to the same one.
    """
    if device.type != "cuda" or int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return device
    number, count = int(os.environ.get("LOCAL_RANK", "0")), torch.cuda.device_count()
    if number >= count:
        raise ConfigError(f"process {number} of this machine has no GPU: it has {count}; set --nproc-per-node {count}")
    if device.index not in (None, number):
        raise ConfigError(f"each process has a GPU of its own, so leave out the number of {str(device)!r}")
    torch.cuda.set_device(number)
    return torch.device("cuda", number)


def _restarts() -> int:
    return int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0"))


def error_words(error: BaseException) -> str:
    """Return how a run's state and the other processes tell of an error: those of ours name everything themselves."""
    words = str(error) or "stopped"
    return words if isinstance(error, HyperCTRError) else f"{type(error).__name__}: {words}"


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
