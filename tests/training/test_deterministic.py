"""The setting `deterministic`: what is switched and switched back, and that HyperCTR has a kernel for all it does."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

import hyperctr as hc
from hyperctr.hypergraph.interest import pretrain_interest
from hyperctr.runs import experiment
from hyperctr.runtime import CUBLAS_WORKSPACE, repeatable
from tests.conftest import Tiny
from tests.small import small
from tests.training.test_synchronisation import trainer

pytestmark = pytest.mark.filterwarnings("ignore::hyperctr.errors.DataWarning")
CUDA = torch.device("cuda")
# Operations for which torch has no kernel on CUDA that repeats (torch.use_deterministic_algorithms), of those that
# have to do with anything here.
NEVER = (
    "nll_loss",
    "put_",
    "histc",
    "median",
    "_embedding_bag_per_sample_weights_backward",
    "grid_sampler",
    "_ctc_loss",
)


class Unrepeatable(TorchDispatchMode):
    """Notes the operations that would fail on CUDA."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name, kwargs = str(func).removeprefix("aten."), kwargs or {}
        floats = name.startswith("cumsum") and kwargs.get("dtype", args[0].dtype).is_floating_point
        weighted = name.startswith("bincount") and (*args[1:2], kwargs.get("weights"))[0] is not None
        product = name.startswith("scatter_reduce") and "prod" in (*args[4:5], kwargs.get("reduce"))
        if floats or weighted or product or name.startswith(NEVER):
            self.names.add(name)
        return func(*args, **kwargs)


@pytest.mark.parametrize("quantile", [False, True])
@pytest.mark.parametrize("changes", [{}, {"protocol": "causal"}, {"matching": True}, {"graph": "bipartite"}], ids=str)
def test_hyperctr_does_nothing_that_torch_cannot_repeat_on_cuda(changes: dict[str, Any], quantile: bool) -> None:
    made, study = trainer(threshold_is_quantile=quantile, **changes), small(11, items=30, rows=70)
    with Unrepeatable() as seen:
        for step in range(6, 12):
            made.train_step(step)
        made.validate()
        pretrain_interest(study.data, study.split, study.slots, embedding_size=8, epochs=1, device="cpu")
    assert seen.names == set()


def test_the_list_sees_what_cannot_be_repeated() -> None:
    x = torch.rand(4)
    with Unrepeatable() as seen:
        x.cumsum(0)
        torch.bincount(torch.tensor([1, 2]), x[:2])
        x.long().cumsum(0)
        torch.zeros(4).scatter_reduce(0, torch.zeros(4, dtype=torch.int64), x, "sum")
        torch.zeros(4).scatter_reduce(0, torch.zeros(4, dtype=torch.int64), x, "prod")
    assert seen.names == {"cumsum.default", "bincount.default", "scatter_reduce.two"}


@pytest.mark.parametrize("workspace", [None, ":16:8"])
def test_all_is_as_it_was_afterwards(workspace: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(CUBLAS_WORKSPACE, raising=False)
    if workspace:
        monkeypatch.setenv(CUBLAS_WORKSPACE, workspace)

    def state() -> tuple[bool, str | None]:
        return torch.are_deterministic_algorithms_enabled(), os.environ.get(CUBLAS_WORKSPACE)

    def fail() -> None:
        with repeatable(CUDA):
            raise KeyError

    with repeatable(CUDA):
        assert state() == (True, workspace or ":4096:8")
        with repeatable(CUDA, wanted=False):
            assert state()[0]
    assert state() == (False, workspace)
    with pytest.raises(KeyError):
        fail()
    assert state() == (False, workspace)
    for device, wanted in ((CUDA, False), (torch.device("cpu"), True)):
        with repeatable(device, wanted):
            assert state() == (False, workspace)


def test_a_run_trains_within_it_and_tells(tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked for on the device that trains; the reference run beside it is asked for it, too."""
    asked: list[tuple[str, bool]] = []

    def noting(device: torch.device, wanted: bool) -> Any:
        asked.append((device.type, wanted))
        return repeatable(device, wanted)

    monkeypatch.setattr(experiment, "repeatable", noting)
    monkeypatch.setenv("HYPERCTR_RUNS", str(tmp_path))
    config = tiny.run.config.replace(epochs=1, interest_epochs=1, deterministic=True)
    run = hc.train(tiny.data, config, device="cpu")
    assert asked == [("cpu", True), ("cpu", True)]
    assert run.metrics["deterministic"] is True and run.config.reference().deterministic
    assert run.id != hc.train(tiny.data, config.replace(deterministic=False), device="cpu", dry_run=True).id


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_deterministic_run_repeats_to_the_bit_on_cuda(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parameters = []
    for name in ("first", "second"):
        monkeypatch.setenv("HYPERCTR_RUNS", str(tmp_path / name))
        run = hc.train(tiny.data, tiny.run.config.replace(deterministic=True), device="cuda")
        parameters.append((run.folder / "model.safetensors").read_bytes())
        assert run.metrics["deterministic"] is True
    assert parameters[0] == parameters[1]
