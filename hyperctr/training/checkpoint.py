"""Checkpoints: tensors and JSON in safetensors files, no pickle, replaced atomically.

A run's state is where it stands, written at every validation point, and its best parameters, written when they change,
in a file named by their step. The best is written before the state that names it, and the one before goes after that:
whenever a process is killed, the state on disk finds its best.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from hyperctr.errors import RunError
from hyperctr.runtime import atomic_path

METADATA = "facts"  # its key in the file's header, which older checkpoints have too


def save_tensors(path: str | Path, tensors: dict[str, Tensor], metadata: dict[str, Any] | None = None) -> None:
    """Write named tensors and a JSON-able dict of metadata; a process killed half-way leaves the old file.

    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "a.safetensors"
    >>> save_tensors(path, {"w": torch.ones(2)}, {"step": 3})
    >>> load_tensors(path)[1]["step"]
    3
    """
    ready = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    with atomic_path(path) as aside:
        save_file(ready, str(aside), metadata={METADATA: json.dumps(metadata or {}, sort_keys=True)})


def load_tensors(path: str | Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read what :func:`save_tensors` wrote.

    Raises:
        RunError: the file is missing or damaged; the message names it.
    """
    try:
        with safe_open(str(path), framework="pt") as file:
            metadata = json.loads((file.metadata() or {}).get(METADATA, "{}"))
            return {name: file.get_tensor(name) for name in file.keys()}, metadata  # noqa: SIM118
    except FileNotFoundError as error:
        raise RunError(f"{path}: no such file; the run was not finished or the folder was moved") from error
    except (SafetensorError, json.JSONDecodeError, OSError) as error:
        raise RunError(f"{path}: damaged ({error}); delete the run's folder and train it again") from error


def best_file(state: str | Path, step: int) -> Path:
    """Return where the best parameters are kept, those of so many steps, beside the file of the state.

    >>> best_file("state/latest.safetensors", 120).as_posix()
    'state/best-120.safetensors'
    """
    return Path(state).with_name(f"best-{step}.safetensors")


def drop_other_bests(state: Path, step: int) -> None:
    """Delete all best parameters that the state on disk does not name."""
    for path in state.parent.glob("best-*.safetensors"):
        if path != best_file(state, step):
            path.unlink()


def save_state(path: Path, tensors: dict[str, Tensor], better: dict[str, Tensor], progress: dict[str, Any]) -> None:
    """Write where a run stands, and its best parameters, if they are ``better`` than those before."""
    if better:
        save_tensors(best_file(path, progress["best_step"]), better)
    save_tensors(path, tensors, progress)
    drop_other_bests(path, progress["best_step"])


def load_parameters(model: torch.nn.Module, tensors: dict[str, Tensor], path: str | Path) -> None:
    """Put tensors read from ``path`` into ``model``, all of them and nothing else.

    Raises:
        RunError: names or shapes differ, as after a change of the library or of the settings.
    """
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        raise RunError(f"{path}: does not fit the model ({error}); delete the run's folder, train it again") from error


def pack(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Put ``prefix/`` before every name."""
    return {f"{prefix}/{name}": value for name, value in tensors.items()}


def unpack(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors whose name starts with ``prefix/``, without it."""
    cut = len(prefix) + 1
    return {name[cut:]: value for name, value in tensors.items() if name.startswith(prefix + "/")}


def optimiser_tensors(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return an optimiser's state as named tensors, ``<parameter number>/<quantity>``."""
    state = optimiser.state_dict()["state"]
    return {f"{n}/{name}": torch.as_tensor(value) for n, values in state.items() for name, value in values.items()}


def restore_optimiser(optimiser: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Put back what :func:`optimiser_tensors` gave."""
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        number, quantity = name.split("/")
        state.setdefault(int(number), {})[quantity] = value
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})


def pack_optimisers(optimisers: Mapping[str, Sequence[torch.optim.Optimizer]]) -> dict[str, Tensor]:
    """Return the states of the optimisers of all stages, ``optimiser/<stage>/<number>/...``."""
    packed: dict[str, Tensor] = {}
    for name, of_stage in optimisers.items():
        for k, optimiser in enumerate(of_stage):
            packed |= pack(f"optimiser/{name}/{k}", optimiser_tensors(optimiser))
    return packed


def restore_optimisers(optimisers: Mapping[str, Sequence[torch.optim.Optimizer]], tensors: dict[str, Tensor]) -> None:
    """Put back what :func:`pack_optimisers` gave."""
    for name, of_stage in optimisers.items():
        for k, optimiser in enumerate(of_stage):
            restore_optimiser(optimiser, unpack(f"optimiser/{name}/{k}", tensors))
