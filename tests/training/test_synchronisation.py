"""No step waits for the device: nothing in it may ask the device for a number, or for how many there are of something.

With CUDA, torch itself raises at each synchronisation. Elsewhere every operation of a step is looked at while the
branches for a GPU are taken: those whose result is a number on the host, or has a shape that depends on values, wait,
and so do copies to the device and back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from hyperctr import gradient_sums, sparse_adam
from hyperctr.config import Config
from hyperctr.distributed import Group
from hyperctr.hypergraph import arrays
from hyperctr.model.context import Context
from hyperctr.model.hyperctr import HyperCTR
from hyperctr.training.loop import Trainer
from tests.small import small

GPU = torch.cuda.is_available()
TINY = Config(embedding_size=8, layers=2, attention_heads=2, history_length=4, hidden=(7, 5), negatives=2)
WAITING = (
    "_local_scalar_dense",
    "nonzero",
    "unique",
    "masked_select",
    "is_nonzero",
    "equal",
    "repeat_interleave.Tensor",
    "lift_fresh",  # torch.tensor and the like: a copy to the device
)
COPIES = ((Tensor, "tolist"), (Tensor, "numpy"), (Tensor, "cpu"), (Tensor, "__array__"), (torch, "from_numpy"))


class Watch(TorchDispatchMode):
    """Notes the operations for which a GPU would be waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = str(func).removeprefix("aten.")
        masks = func.overloadpacket is torch.ops.aten.index and any(
            index is not None and index.dtype == torch.bool for index in args[1]
        )
        sized = bool(kwargs) and kwargs.get("output_size") is not None
        if masks or (not sized and any(name.startswith((f"{word}.", f"_{word}", word)) for word in WAITING)):
            self.waits.append(name)
        return func(*args, **(kwargs or {}))


@contextmanager
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Yield the synchronisations within, so far; with CUDA the first one raises."""
    if GPU:
        torch.cuda.set_sync_debug_mode("error")
        try:
            yield []
        finally:
            torch.cuda.set_sync_debug_mode("default")
        return
    with monkeypatch.context() as patch, Watch() as watch:
        patch.setattr(Tensor, "is_cuda", True)
        patch.setattr(arrays, "sort_keys", lambda keys: keys.sort().values)  # its branch for a GPU
        for owner, name in COPIES:
            patch.setattr(owner, name, noting(watch.waits, name, getattr(owner, name)))
        yield watch.waits


def noting(waits: list[str], name: str, call: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that notes its name and goes on to ``call``."""

    def noted(*args: Any, **kwargs: Any) -> Any:
        waits.append(name)
        return call(*args, **kwargs)

    return noted


def apart(waits: list[str], call: Callable[..., None]) -> tuple[Callable[..., None], list[str]]:
    """Return ``call`` with what it waits for noted in a list of its own, which is returned, too."""
    its_own: list[str] = []

    def called(*args: Any) -> None:
        before = len(waits)
        if GPU:
            torch.cuda.set_sync_debug_mode("default")
        call(*args)
        if GPU:
            torch.cuda.set_sync_debug_mode("error")
        its_own.extend(waits[before:])
        del waits[before:]

    return called, its_own


def trainer(**changes: Any) -> Trainer:
    """One that has trained an epoch of two rounds, so that caches and the optimiser's moments are there."""
    study, device = small(11, items=30, rows=70), torch.device("cuda" if GPU else "cpu")
    clicks = len(study.split.train)
    config = TINY.replace(batch_size=-(-clicks // 6), rounds_per_epoch=2, points_per_epoch=1, **changes)
    model = HyperCTR(Context.build(study, study.interest, config).to(device), config).to(device)
    made = Trainer(model, study, config, device)
    assert (made.steps_per_epoch, made.schedule.round(0), made.schedule.round(3)) == (6, (0, 3), (3, 6))
    for step in range(6):
        made.train_step(step)
    return made


# What the hypergraphs of a round, one stretch of slots with two modalities, are built with: their sizes are counted.
HYPERGRAPHS = {"index.Tensor": 7, "_unique2.default": 1}
KINDS: list[tuple[dict[str, Any], dict[str, int]]] = [
    ({}, HYPERGRAPHS),
    ({"protocol": "causal"}, {}),  # built once
    ({"matching": True}, HYPERGRAPHS),
    ({"graph": "bipartite"}, HYPERGRAPHS),
    ({"edge_information": True}, HYPERGRAPHS),
    ({"graph": "none"}, {}),
    ({"clip_norm": 0.1}, HYPERGRAPHS),
    ({"negatives_avoid": "all"}, HYPERGRAPHS),
]


@pytest.mark.parametrize("length", [4, 1], ids=["all items projected", "items looked up"])
@pytest.mark.parametrize(("changes", "once_a_round"), KINDS, ids=str)
def test_an_epoch_of_steps_waits_for_the_device_only_where_a_round_begins(
    changes: dict[str, Any], once_a_round: dict[str, int], length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The epoch's draws, losses, gradients, clipping and the optimiser never do, nor does the end of a round."""
    made = trainer(history_length=length, **changes)
    (optimiser,) = made._optimisers(made.stages[-1])
    assert isinstance(optimiser, torch.optim.AdamW) and optimiser.defaults["fused"]
    with watched(monkeypatch) as waits, monkeypatch.context() as patch:
        begin, at_begin = apart(waits, made.model.begin_round)
        end, at_end = apart(waits, made.model.end_round)
        patch.setattr(made.model, "begin_round", begin)
        patch.setattr(made.model, "end_round", end)
        losses = [made.train_step(step) for step in range(6, 12)]
    assert waits == []
    assert at_end == []
    assert GPU or Counter(at_begin) == {name: 2 * count for name, count in once_a_round.items()}
    assert torch.stack(losses).isfinite().all()


def test_large_tables_are_stepped_by_the_fused_optimiser_on_a_gpu() -> None:
    """SparseAdamW asks for the rows of a gradient, which waits: it steps tables on a CPU and nowhere else."""
    tables = {kind: torch.empty(sparse_adam.SPARSE_FROM, 1, device=kind) for kind in ("cpu", "meta")}
    assert sparse_adam.large_tables([tables["meta"]]) == []
    assert sparse_adam.large_tables([tables["cpu"]]) == [tables["cpu"]]


def test_sums_of_gradients_never_wait_for_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which gradients there are is agreed between the hosts, in numbers that never were on the device."""

    def gather(forms: list[Tensor], mine: Tensor) -> None:
        for form in forms:
            form.copy_(mine)

    made = trainer()
    parameters = list(made.model.parameters())
    before = [None if parameter.grad is None else parameter.grad.clone() for parameter in parameters]
    monkeypatch.setattr(gradient_sums.dist, "all_gather", gather)
    monkeypatch.setattr(gradient_sums.dist, "all_reduce", lambda summed: summed.mul_(2))
    with watched(monkeypatch) as waits:
        gradient_sums.sum_gradients(Group(0, 2), parameters)
    assert waits == ([] if GPU else ["lift_fresh.default", "tolist"])
    for parameter, gradient in zip(parameters, before, strict=True):
        assert (parameter.grad is None) == (gradient is None)
        if gradient is not None:
            assert parameter.grad is not None and torch.equal(parameter.grad, 2 * gradient)


WAITS: dict[str, Callable[[Tensor], object]] = {
    "a number": lambda x: float(x.sum()),
    "a choice": lambda x: x[x > 1],
    "distinct ones": torch.unique,
    "places": lambda x: (x > 1).nonzero(),
    "a list": lambda x: x.tolist(),
    "there": lambda x: torch.tensor([1.0], device=x.device),
    "an array there": lambda x: torch.from_numpy(np.ones(1)).to(x.device),
    "back": lambda x: x.cpu(),
}


@pytest.mark.parametrize("wait", WAITS.values(), ids=WAITS)
def test_the_watch_sees_what_waits(wait: Callable[[Tensor], object], monkeypatch: pytest.MonkeyPatch) -> None:
    x = torch.arange(4.0, device="cuda" if GPU else "cpu")
    if GPU:
        with pytest.raises(RuntimeError), watched(monkeypatch):
            wait(x)
    else:
        with watched(monkeypatch) as waits:
            wait(x)
        assert waits
