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
from collections.abc import Callable, Iterable, Iterator
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

# For the first process, which may wait for a lock; who dies is noticed at once all the same.
PATIENCE = timedelta(days=7)
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
