"""Seeds, devices and safe writing: what every later stage needs and none owns."""

from __future__ import annotations

import hashlib
import os
import re
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hyperctr.errors import ConfigError

if TYPE_CHECKING:
    import torch

# What the report's runner tells the kernel of a notebook: the folder that takes its tables and figures, and its name.
REPORT_DIR, NOTEBOOK = "HYPERCTR_REPORT_DIR", "HYPERCTR_NOTEBOOK"
CUBLAS_WORKSPACE = "CUBLAS_WORKSPACE_CONFIG"


def derive_seed(seed: int, *purpose: str | int) -> int:
    """Return a 63-bit seed for one purpose, independent of every other purpose.

    Draws keyed by what they are for (and by user, epoch, step) do not depend on the order in which they are made,
    which is what makes a resumed run equal to an uninterrupted one.

    >>> derive_seed(0, "negatives", 3) == derive_seed(0, "negatives", 3)
    True
    >>> derive_seed(0, "negatives", 3) == derive_seed(0, "negatives", 4)
    False
    """
    text = "\x1f".join([str(int(seed)), *map(str, purpose)])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


def rng(seed: int, *purpose: str | int) -> np.random.Generator:
    """Return a numpy generator seeded by :func:`derive_seed`.

    >>> bool(rng(0, "split").integers(10) == rng(0, "split").integers(10))
    True
    """
    return np.random.default_rng(derive_seed(seed, *purpose))


def generator(device: torch.device, seed: int, *purpose: str | int) -> torch.Generator:
    """Return a torch generator on a device, seeded by :func:`derive_seed`.

    >>> import torch
    >>> cpu = torch.device("cpu")
    >>> torch.equal(*(torch.randperm(9, generator=generator(cpu, 0, "shuffle")) for _ in range(2)))
    True
    """
    import torch

    return torch.Generator(device).manual_seed(derive_seed(seed, *purpose))


def choose_device(name: str | None = None) -> torch.device:
    """Pick the device: argument, then ``HYPERCTR_DEVICE``, then cuda, mps, cpu.

    Raises:
        ConfigError: the named device does not exist on this machine.

    >>> str(choose_device("cpu"))
    'cpu'
    """
    import torch

    wanted = name or os.environ.get("HYPERCTR_DEVICE") or None
    mps = torch.backends.mps.is_available()
    if wanted is None:
        return torch.device("cuda" if torch.cuda.is_available() else "mps" if mps else "cpu")
    kind = wanted.split(":")[0]
    if not re.fullmatch(r"(cuda|mps|cpu)(:\d+)?", wanted):
        raise ConfigError(f"device {wanted!r} is not known; allowed: cpu, cuda, cuda:N, mps")
    if (kind == "cuda" and not torch.cuda.is_available()) or (kind == "mps" and not mps):
        problem = f"device {wanted!r} was asked for, but torch {torch.__version__} sees none"
        raise ConfigError(f"{problem}; run `hyperctr doctor` to see why, or use device='cpu'")
    device = torch.device(wanted)
    if kind == "cuda" and (device.index or 0) >= (count := torch.cuda.device_count()):
        raise ConfigError(f"device {wanted!r} does not exist: this machine has {count} cuda devices")
    return device


@contextmanager
def repeatable(device: torch.device, wanted: bool = True) -> Iterator[None]:
    """Let CUDA compute by kernels that repeat to the bit alone, and fail where torch has none; a CPU repeats anyway.

    cuBLAS needs CUBLAS_WORKSPACE_CONFIG for it, of which a value that is there is kept. Afterwards all is as before.

    >>> import torch
    >>> with repeatable(torch.device("cuda")):
    ...     torch.are_deterministic_algorithms_enabled()
    True
    """
    if not wanted or device.type != "cuda":
        yield
        return
    import torch

    before, warns = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    unset = CUBLAS_WORKSPACE not in os.environ
    os.environ.setdefault(CUBLAS_WORKSPACE, ":4096:8")
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before, warn_only=warns)
        if unset:
            os.environ.pop(CUBLAS_WORKSPACE, None)


def shared_tensor(array: NDArray[Any]) -> torch.Tensor:
    """Return a CPU tensor over the memory of an array, which may be read-only: nobody must write to it.

    >>> values = np.zeros((2, 3), dtype=np.float32)
    >>> shared_tensor(values).data_ptr() == values.ctypes.data
    True
    """
    import torch

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.from_numpy(array)


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a temporary sibling of ``path`` that replaces it on success and vanishes on failure.

    A reader (or a process killed half-way) sees the old file or the new one, never a torn one.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    os.close(handle)
    aside = Path(name)
    try:
        yield aside
        with open(aside, "rb") as written:
            os.fsync(written.fileno())
        os.chmod(aside, 0o644)
        os.replace(aside, target)
    finally:
        aside.unlink(missing_ok=True)


def write_atomic(path: str | Path, content: bytes | str) -> None:
    """Write ``content`` to ``path`` so that no reader ever sees half of it."""
    with atomic_path(path) as aside:
        aside.write_bytes(content.encode() if isinstance(content, str) else content)


def first_process() -> bool:
    """Tell whether this process speaks for those that torchrun started with it; one on its own does."""
    return os.environ.get("RANK", "0") == "0"


def in_notebook() -> bool:
    """Tell whether a Jupyter kernel runs this process."""
    shell = sys.modules.get("IPython")
    return shell is not None and getattr(shell.get_ipython(), "kernel", None) is not None


def former_parameter(former: str, value: str, name: str) -> str:
    """Return a notebook parameter as it was given: by its name, or by the one that it had before.

    papermill puts ``-p preset smoke`` into a cell of its own, which no other cell reads any more, and only warns that
    there is no such parameter. Until the old name goes, the library looks into that cell. ``value`` is what the
    parameter of today, ``name``, was set to.
    """
    if not in_notebook():
        return value
    variables = sys.modules["IPython"].get_ipython().user_ns
    injected = any(cell.startswith("# Parameters") and f"\n{former} = " in cell for cell in variables.get("In", []))
    if not injected or variables.get(former) in (None, value):
        return value
    warnings.warn(f"the parameter {former!r} of notebooks is called {name!r} now", FutureWarning, stacklevel=3)
    return str(variables[former])


def duration(seconds: float) -> str:
    """Write a wall time for people.

    >>> duration(42.3), duration(125)
    ('42 s', '2 min 5 s')
    """
    whole = round(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60} s"
