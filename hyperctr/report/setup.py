"""What a report starts from and says of itself: its notebooks, the command and the versions."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shlex
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import hyperctr
from hyperctr.errors import ConfigError, did_you_mean
from hyperctr.runtime import duration

SHOWN_VERSIONS = ("hyperctr", "torch", "torch-geometric", "numpy", "scipy", "pandas", "plotly", "papermill")


def notebook_folder() -> Path:
    """Return where the report notebooks are: ``notebooks/`` of the checkout, else those in the wheel."""
    package = Path(hyperctr.__file__).parent
    for folder in (package.parent / "notebooks", package / "_notebooks"):
        if any(folder.glob("[0-9][0-9]_*.ipynb")):
            return folder
    raise ConfigError(f"no report notebooks beside {package}; install HyperCTR again, or pass notebooks=")


def find_notebooks(folder: Path) -> list[Path]:
    """Return the report notebooks of a folder, in order.

    Raises:
        ConfigError: there are none.
    """
    paths = sorted(folder.glob("[0-9][0-9]_*.ipynb"))
    if not paths:
        raise ConfigError(f"{folder} holds no notebook named like 01_datasets.ipynb")
    return paths


def choose_notebooks(paths: Sequence[Path], only: Sequence[str] | None) -> list[Path]:
    """Keep those whose names begin as one of ``only``; None keeps all.

    Raises:
        ConfigError: one of them fits no notebook.
    """
    names = [path.stem for path in paths]
    for wanted in only or ():
        if not any(name.startswith(wanted) for name in names):
            raise ConfigError(f"unknown notebook {wanted!r}: {did_you_mean(wanted, names)}")
    return [path for path in paths if only is None or any(path.stem.startswith(wanted) for wanted in only)]


def command_line(dataset: str, budget: str, seeds: int, data_dir: str | Path | None) -> str:
    """Return the command that makes the report again.

    >>> command_line("planted", "quick", 3, None)
    'hyperctr report planted --budget quick --seeds 3'
    """
    command = ["hyperctr", "report", dataset, "--budget", budget]
    command += ["--seeds", str(seeds)] if seeds else []
    command += ["--data-dir", str(data_dir)] if data_dir is not None else []
    return shlex.join(command)


def report_card(command: str, begin: float) -> dict[str, Any]:
    """What the runner knows of how to repeat the report; the notebooks add data, split and seeds."""
    versions = []
    for name in SHOWN_VERSIONS:
        try:
            versions.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            versions += [f"hyperctr {hyperctr.__version__}"] if name == "hyperctr" else []
    return {
        "command": command,
        "wall time": duration(time.perf_counter() - begin),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPU threads",
        "python": platform.python_version(),
        "versions": versions,
    }
