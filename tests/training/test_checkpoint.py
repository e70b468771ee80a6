"""Checkpoints: exact, atomic, without pickle, and clear about damage."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from hyperctr.errors import RunError
from hyperctr.training import checkpoint
from hyperctr.training.checkpoint import (
    load_parameters,
    load_tensors,
    optimiser_tensors,
    pack,
    restore_optimiser,
    save_tensors,
    unpack,
)

TENSORS = {
    "a/weight": torch.tensor([[0.1, -0.0], [torch.inf, 1e-45]]),
    "a/step": torch.tensor(7.0),
    "b/half": torch.tensor([1.5], dtype=torch.bfloat16),
    "b/count": torch.tensor([2**62], dtype=torch.int64),
    "b/none": torch.zeros(0, 3),
    "b/turned": torch.arange(6.0).view(2, 3).T,
}


@settings(deadline=None, max_examples=30)
@given(auc=st.floats(allow_nan=False), step=st.integers(0, 2**53), name=st.text())
def test_facts_come_back_exactly(tmp_path_factory: pytest.TempPathFactory, auc: float, step: int, name: str) -> None:
    path = tmp_path_factory.mktemp("metadata") / "a.safetensors"
    metadata = {"best_auc": auc, "step": step, "done": False, "name": name}
    save_tensors(path, {}, metadata)
    assert load_tensors(path)[1] == metadata


def test_tensors_come_back_bit_by_bit_and_without_pickle(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_tensors(path, TENSORS)
    loaded, metadata = load_tensors(path)
    assert metadata == {} and loaded.keys() == TENSORS.keys()
    for name, value in TENSORS.items():
        assert loaded[name].dtype == value.dtype and loaded[name].shape == value.shape
        assert loaded[name].contiguous().view(-1).tolist() == value.contiguous().view(-1).tolist()
    assert torch.signbit(loaded["a/weight"][0, 1])
    content = path.read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    assert header.keys() == {*TENSORS, "__metadata__"}
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.safetensors"]


def test_a_crash_while_saving_leaves_the_old_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.safetensors"
    save_tensors(path, TENSORS, {"step": 1})

    def crash(tensors: object, name: str, metadata: object) -> None:
        Path(name).write_text("half of it")
        raise KeyboardInterrupt

    monkeypatch.setattr(checkpoint, "save_file", crash)
    with pytest.raises(KeyboardInterrupt):
        save_tensors(path, {}, {"step": 2})
    assert load_tensors(path)[1] == {"step": 1}
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.safetensors"]


def test_damage_is_named_with_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    with pytest.raises(RunError, match=r"a.safetensors: no such file; the run was not finished"):
        load_tensors(path)
    save_tensors(path, TENSORS, {"step": 1})
    whole = path.read_bytes()
    for content in (b"", whole[:5], whole[:40], whole[:-1], whole + b"more", b"\xff" * 200, b"x" + whole[1:]):
        path.write_bytes(content)
        with pytest.raises(RunError, match=r"a.safetensors: damaged .*; delete the run's folder and train it again"):
            load_tensors(path)


def test_parameters_fit_exactly_or_not_at_all() -> None:
    model = nn.Linear(3, 2)
    good = {"weight": torch.ones(2, 3), "bias": torch.zeros(2)}
    load_parameters(model, good, "x")
    assert model(torch.ones(1, 3)).tolist() == [[3.0, 3.0]]
    for bad in ({"weight": good["weight"]}, {**good, "other": torch.ones(1)}, {**good, "bias": torch.zeros(3)}):
        with pytest.raises(RunError, match=r"runs/a: does not fit the model(.|\n)*train it again"):
            load_parameters(model, bad, "runs/a")


def test_names_are_packed_and_unpacked() -> None:
    packed = pack("best", {"a": torch.ones(1)}) | pack("best2", {"b": torch.ones(2)})
    assert packed.keys() == {"best/a", "best2/b"}
    assert unpack("best", packed).keys() == {"a"}


@pytest.mark.parametrize("fused", [True, False])
def test_a_restored_optimiser_goes_on_as_if_nothing_had_happened(tmp_path: Path, fused: bool) -> None:
    def start() -> tuple[nn.Linear, torch.optim.Optimizer]:
        model = nn.Linear(3, 2)
        with torch.no_grad():
            model.weight.fill_(0.3)
            model.bias.zero_()
        groups = [{"params": [model.weight], "weight_decay": 0.1}, {"params": [model.bias], "weight_decay": 0.0}]
        return model, torch.optim.AdamW(groups, lr=0.01, fused=fused)

    def steps(model: nn.Linear, optimiser: torch.optim.Optimizer, first: int, last: int) -> None:
        for step in range(first, last):
            optimiser.zero_grad()
            model(torch.full((4, 3), 0.1 * step)).square().sum().backward()
            optimiser.step()

    whole, optimiser = start()
    steps(whole, optimiser, 0, 9)
    cut, optimiser = start()
    steps(cut, optimiser, 0, 5)
    path = tmp_path / "a.safetensors"
    save_tensors(path, pack("model", cut.state_dict()) | pack("adam", optimiser_tensors(optimiser)))
    tensors, _ = load_tensors(path)
    resumed, optimiser = start()
    load_parameters(resumed, unpack("model", tensors), path)
    restore_optimiser(optimiser, unpack("adam", tensors))
    steps(resumed, optimiser, 5, 9)
    assert torch.equal(resumed.weight, whole.weight) and torch.equal(resumed.bias, whole.bias)
