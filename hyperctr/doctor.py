"""What `hyperctr doctor` looks at: versions, device, kernel, browser, data. No check may crash on a broken machine."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

State = Literal["ok", "note", "broken"]
MARK: dict[State, str] = {"ok": " ", "note": "!", "broken": "X"}
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
# what the packages of an extra are for
PURPOSE = {"core": "needed"}
PURPOSE |= {"report": "for `hyperctr report`", "notebook": "for JupyterLab", "images": "for PNG figures"}


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's report.

    Attributes:
        state: ``ok``; ``note``, works but something is missing; ``broken``, the install cannot work.
        remedy: the line to type, where there is one.

    >>> print(Finding("browser", "none found", "note", "apt-get install chromium"))
    ! browser             none found
                          -> apt-get install chromium
    """

    subject: str
    value: str
    state: State = "ok"
    remedy: str = ""

    def __str__(self) -> str:
        line = f"{MARK[self.state]} {self.subject:<20}{self.value}"
        return f"{line}\n{'':22}-> {self.remedy}" if self.remedy else line


def examine(data_dir: str | Path | None = None) -> list[Finding]:
    """Look at everything, in the order in which a reader needs it; at data sets in ``data_dir``, if one is given."""
    return [*packages(), *device(), *kernel(), *browser(), *data(data_dir)]


def healthy(findings: list[Finding]) -> bool:
    """Tell whether the install can work: nothing is broken."""
    return not any(finding.state == "broken" for finding in findings)


def pip_line(*requirements: str) -> str:
    """Return the pip command that installs into this very environment."""
    return " ".join([sys.executable, "-m pip install", *(f"'{requirement}'" for requirement in requirements)])


def requirements() -> list[tuple[str, str, str]]:
    """Return (name, lowest version, extra) of what the project asks for, by its metadata or its pyproject.toml.

    >>> [requirement for requirement in requirements() if requirement[0] == "torch"]
    [('torch', '2.8', 'core')]
    """
    from packaging.requirements import Requirement

    try:
        lines = importlib.metadata.requires("hyperctr") or []
    except importlib.metadata.PackageNotFoundError:
        checkout = Path(__file__).parent.parent / "pyproject.toml"
        project = tomllib.loads(checkout.read_text(encoding="utf-8"))["project"] if checkout.exists() else {}
        extras = project.get("optional-dependencies", {}).items()
        marked = [(name.partition(";"), extra) for extra, names in extras for name in names]
        lines = [
            f"{name}; extra == '{extra}'" + (f" and ({marker})" if marker else "")
            for (name, _, marker), extra in marked
        ]
        lines += project.get("dependencies", [])
    wanted = []
    for requirement in map(Requirement, lines):
        floor = next((part.version for part in requirement.specifier if part.operator == ">="), None)
        needs = requirement.marker
        extra = next((name for name in PURPOSE if needs is None or needs.evaluate({"extra": name})), None)
        if floor and extra:
            wanted.append((requirement.name, floor, extra))
    return wanted


def packages() -> Iterator[Finding]:
    """Check Python and every package of the core and of the extras in :data:`PURPOSE`."""
    from hyperctr import __version__

    yield Finding("hyperctr", f"{__version__} in {Path(__file__).parent}")
    yield Finding("python", f"{platform.python_version()} at {sys.executable} on {platform.platform(terse=True)}")
    try:
        from packaging.version import Version
    except ImportError:
        yield Finding("packaging", f"missing ({PURPOSE['core']})", "broken", pip_line("packaging"))
        return
    for name, floor, extra in requirements():
        try:
            version = importlib.metadata.version(name)
            problem = f"{version} is older than {floor}" if Version(version) < Version(floor) else ""
        except importlib.metadata.PackageNotFoundError:
            version, problem = "", f"missing ({PURPOSE[extra]})"
        lacking = Finding(name, problem, "broken" if extra == "core" else "note", pip_line(f"{name}>={floor}"))
        yield lacking if problem else Finding(name, version)


def device() -> Iterator[Finding]:
    """Check that torch starts, which device a run would take, and whether a GPU lies idle by accident."""
    reinstall = pip_line("--force-reinstall", "torch>=2.8,<3")
    try:
        import torch

        from hyperctr.runtime import choose_device
    except Exception as error:  # a half-installed torch fails in many ways, from ImportError to OSError
        yield Finding("torch starts", f"no: {error}", "broken", reinstall)
        return
    yield Finding("torch build", f"CUDA {torch.version.cuda}" if torch.version.cuda else "CPU only")
    try:
        chosen = choose_device()
    except ValueError as error:
        yield Finding("device", str(error), "broken", "unset HYPERCTR_DEVICE")
        return
    name = torch.cuda.get_device_name(chosen) if chosen.type == "cuda" else platform.processor() or platform.machine()
    yield Finding("device", f"{chosen} ({name})")
    yield Finding("threads", f"{torch.get_num_threads()} of {os.cpu_count()} processors")
    if shutil.which("nvidia-smi") and not torch.cuda.is_available():
        built = torch.version.cuda is not None
        problem = "a driver is installed, but torch sees no GPU" if built else "there is one, but torch is a CPU build"
        yield Finding("GPU", problem, "note", "nvidia-smi" if built else reinstall)


def kernel() -> Iterator[Finding]:
    """Check that the kernel that notebooks ask for is registered and points to a Python that exists."""
    remedy = f"{sys.executable} -m ipykernel install --sys-prefix"
    try:
        from jupyter_client.kernelspec import KernelSpecManager

        program = KernelSpecManager().get_kernel_spec("python3").argv[0]
        problem = "" if shutil.which(program) else f"points to {program}, which does not exist"
    except ImportError:
        problem, remedy = "no Jupyter here", pip_line("ipykernel")
    except Exception as error:  # NoSuchKernel, or a kernel.json that is not readable
        problem = f"not registered ({error})"
    yield Finding("kernel python3", problem, "note", remedy) if problem else Finding("kernel python3", "registered")


def browser() -> Iterator[Finding]:
    """Look for the Chrome or Chromium that draws PNG figures; everything else works without one."""
    named = os.environ.get("BROWSER_PATH", "")
    program = named if named and Path(named).exists() else next(filter(None, map(shutil.which, BROWSERS)), None)
    install = "apt-get install chromium" if shutil.which("apt-get") else "install Chrome or Chromium"
    missing = Finding("browser", "none found: reports come without PNG figures", "note", install)
    yield Finding("browser", program) if program else missing


def data(data_dir: str | Path | None = None) -> Iterator[Finding]:
    """Say where data sets are looked for and which of them are there."""
    try:
        from hyperctr.data.registry import data_directory, known_datasets
    except Exception as error:  # pandas or numpy missing: said above, and this must not hide it
        yield Finding("data", f"cannot be listed: {error}", "note")
        return
    folder = data_directory(data_dir)
    yield Finding("data directory", str(folder) if folder.is_dir() else f"{folder} (not there yet)")
    for known in known_datasets(data_dir):
        ready = f"ready, in {known.folder}" if known.folder else "ready"
        yield Finding(f"data {known.name}", ready if known.ready else "not here")
