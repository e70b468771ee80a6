"""No step waits for the device: nothing in it may ask the device for a number, or for how many there are of something.

With CUDA, torch itself raises at each synchronisation. Elsewhere every operation of a step is looked at while the
branches for a GPU are taken: those whose result is a number on the host, or has a shape that depends on values, wait.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from hyperctr.config import Config
from hyperctr.model.context import Context
from hyperctr.model.history import Targets
from hyperctr.model.hyperctr import HyperCTR
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
)


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
        yield watch.waits


@pytest.mark.parametrize("length", [4, 1], ids=["all items projected", "items looked up"])
@pytest.mark.parametrize("changes", [{}, {"protocol": "causal"}, {"matching": True}, {"graph": "bipartite"}], ids=str)
def test_a_step_within_a_round_never_waits_for_the_device(
    changes: dict[str, Any], length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    study, device = small(11, rows=70), torch.device("cuda" if GPU else "cpu")
    config = TINY.replace(history_length=length, **changes)
    model = HyperCTR(Context.build(study, study.interest, config).to(device), config).to(device).train()
    clicks = list(range(3))
    model.begin_round(torch.tensor(clicks, device=device), steps=2)
    columns = torch.tensor([[study.clicks[c][k] for k in (0, 2, 3)] + [c] for c in clicks]).T.contiguous()
    items = torch.tensor([[study.clicks[c][1], 0, 1] for c in clicks]).to(device)
    labels = torch.tensor([[1.0, 0.0, 0.0]]).repeat(3, 1).to(device)
    targets = Targets(*columns).to(device)
    model.training_loss("train", targets, items, labels).backward()  # type: ignore[no-untyped-call]  # fills caches
    with watched(monkeypatch) as waits:
        loss = model.training_loss("train", targets, items, labels)
        loss.backward()  # type: ignore[no-untyped-call]
    assert waits == []


def test_the_watch_sees_what_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    x = torch.arange(4.0, device="cuda" if GPU else "cpu")
    for wait in (lambda: float(x.sum()), lambda: x[x > 1], lambda: torch.unique(x), lambda: (x > 1).nonzero()):
        if GPU:
            with pytest.raises(RuntimeError), watched(monkeypatch):
                wait()
        else:
            with watched(monkeypatch) as waits:
                wait()
            assert waits
