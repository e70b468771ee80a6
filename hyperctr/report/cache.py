"""What each notebook of a report left, kept beside the report, and whether it would come out the same again.

A notebook has a folder with its executed self, its tables and figures, and ``result.json``, written last: how it ended
and a hash of everything it depended on. A report that was killed so loses only the notebooks that were running.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import platform
import shutil
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import hyperctr
from hyperctr.report.execute import NotebookResult
from hyperctr.runtime import write_atomic

SOURCES = (".py", ".js", ".css", ".toml", ".j2")
PAGES = Path(__file__).resolve().parent / "templates"  # applied at each report, to notebooks that have run
KINDS = ("tables", "figures")  # what notebooks leave beside themselves


class NotebookCache:
    """The executed notebooks of one report, each in a folder with its tables and figures.

    Args:
        folder: where they lie: ``.<report>.cache`` beside the report.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def is_fresh(self, name: str, key: str) -> bool:
        """Tell whether a notebook ran to its end when everything it depends on was as it is now."""
        kept = self._read(name)
        return kept.get("key") == key and kept.get("status") == "done" and self._path(name).is_file()

    def clear(self, name: str) -> Path:
        """Forget a notebook; return where the executed one shall go, and beside it what it leaves."""
        shutil.rmtree(self.folder / name, ignore_errors=True)
        (self.folder / name).mkdir(parents=True, exist_ok=True)
        return self._path(name)

    def keep(self, result: NotebookResult, key: str) -> None:
        """Write down how a notebook ended, last of all."""
        ending = {"key": key, "status": result.status, "seconds": round(result.seconds, 2), "error": result.error}
        write_atomic(self.folder / result.name / "result.json", json.dumps(ending, indent=1))

    def results(self, names: Iterable[str]) -> list[NotebookResult]:
        """Return how those of some notebooks ended that have run."""
        kept = {name: ending for name in sorted(names) if (ending := self._read(name))}
        return [
            NotebookResult(name, ending["status"], ending["seconds"], ending["error"], self._path(name))
            for name, ending in kept.items()
        ]

    def copy_to(self, report: Path, names: Iterable[str]) -> None:
        """Copy executed notebooks, tables and figures into a report."""
        for name in sorted(names):
            kept = {kind: sorted((self.folder / name / kind).glob("[!.]*")) for kind in KINDS}
            for kind, paths in {"notebooks": filter(Path.is_file, [self._path(name)]), **kept}.items():
                for path in paths:
                    (report / kind).mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(path, report / kind / path.name)

    def _path(self, name: str) -> Path:
        return self.folder / name / f"{name}.ipynb"

    def _read(self, name: str) -> dict[str, Any]:
        try:
            kept: dict[str, Any] = json.loads((self.folder / name / "result.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return kept if {"key", "status", "seconds", "error"} <= kept.keys() else {}


def notebook_key(source: Path, parameters: Mapping[str, Any], data: str, runs: Mapping[str, str]) -> str:
    """Hash everything that an executed notebook depends on.

    That is: its cells (not their outputs), its parameters, the library's source, the TOML files of ``reports/`` (plans
    and published numbers), the installed versions, the fingerprint of the data, and run id -> state and results of the
    runs it shows.
    """
    book = json.loads(source.read_text(encoding="utf-8"))
    cells = [[cell["cell_type"], "".join(cell["source"]), cell["metadata"].get("tags")] for cell in book["cells"]]
    inputs = [cells, dict(parameters), data, dict(runs), library_hash(), versions_hash()]
    return hashlib.sha256(json.dumps(inputs, sort_keys=True, default=str).encode()).hexdigest()


@cache
def library_hash() -> str:
    """Hash the library's source and the TOML files of ``reports/``, but not the templates of pages."""
    package = Path(hyperctr.__file__).resolve().parent
    paths = [path for path in package.rglob("*") if path.suffix in SOURCES and PAGES not in path.parents]
    reports = package.parent / "reports"
    paths += [*reports.glob("*.toml"), *(reports / "sweeps").glob("*.toml")]
    hashed = hashlib.sha256()
    for path in sorted(path for path in paths if path.is_file()):
        hashed.update(path.relative_to(package.parent).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return hashed.hexdigest()


@cache
def versions_hash() -> str:
    """Hash Python's version, those of everything installed, and the device that was asked for."""
    installed = sorted({(package.name or "", package.version) for package in importlib.metadata.distributions()})
    versions = [platform.python_version(), platform.machine(), os.environ.get("HYPERCTR_DEVICE", ""), installed]
    return hashlib.sha256(json.dumps(versions).encode()).hexdigest()
