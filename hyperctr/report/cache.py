"""What each notebook of a report left, kept beside the report, and whether it would come out the same again.

A part is a folder with the executed notebook, its tables and figures, and ``part.json``, written last: how it ended and
a hash of everything it depended on. A report is put together from parts, so one that was killed loses only the
notebooks that were just running.
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

SOURCES = (".py", ".js", ".css", ".toml")
KINDS = ("tables", "figures")  # what notebooks leave beside themselves


class Parts:
    """The parts of one report.

    Args:
        folder: where they lie: ``.<report>.parts`` beside the report.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def place(self, name: str) -> Path:
        """Return the folder of a notebook's part."""
        return self.folder / name

    def is_fresh(self, name: str, key: str) -> bool:
        """Tell whether a notebook ran to its end when everything it depends on was as it is now."""
        kept = self._read(name)
        return kept.get("key") == key and kept.get("status") == "done" and self._book(name).is_file()

    def clear(self, name: str) -> Path:
        """Forget a part; return where the executed notebook shall go."""
        shutil.rmtree(self.place(name), ignore_errors=True)
        self.place(name).mkdir(parents=True, exist_ok=True)
        return self._book(name)

    def keep(self, result: NotebookResult, key: str, report: Path) -> None:
        """Write down how a notebook ended; the executed notebook then names the report, not its part."""
        if result.path.is_file():
            text = result.path.read_text(encoding="utf-8")
            old, new = (json.dumps(str(path))[1:-1] for path in (self.place(result.name), report))
            write_atomic(result.path, text.replace(old, new))
        facts = {"status": result.status, "seconds": round(result.seconds, 2), "error": result.error}
        write_atomic(self.place(result.name) / "part.json", json.dumps({"key": key, **facts}, indent=1))

    def results(self, names: Iterable[str]) -> list[NotebookResult]:
        """Return how those of some notebooks ended of which there is a part."""
        kept = {name: self._read(name) for name in sorted(names)}
        return [
            NotebookResult(name, one["status"], one["seconds"], one["error"], self._book(name))
            for name, one in kept.items()
            if one
        ]

    def copy_to(self, report: Path, names: Iterable[str]) -> None:
        """Copy executed notebooks, tables and figures into a report."""
        for name in sorted(names):
            if self._book(name).is_file():
                (report / "notebooks").mkdir(parents=True, exist_ok=True)
                shutil.copyfile(self._book(name), report / "notebooks" / f"{name}.ipynb")
            for kind in KINDS:
                for path in sorted((self.place(name) / kind).glob("[!.]*")):
                    (report / kind).mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(path, report / kind / path.name)

    def _book(self, name: str) -> Path:
        return self.place(name) / f"{name}.ipynb"

    def _read(self, name: str) -> dict[str, Any]:
        try:
            kept: dict[str, Any] = json.loads((self.place(name) / "part.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return kept if {"key", "status", "seconds", "error"} <= kept.keys() else {}


def notebook_key(source: Path, parameters: Mapping[str, Any], data: str, runs: Mapping[str, str]) -> str:
    """Hash everything that an executed notebook depends on.

    That is: its cells (not their outputs), its parameters, the library's source, plans and printed numbers, the
    installed versions, the data, and the states and results of the runs it shows.

    Args:
        source: the notebook.
        parameters: its parameters, without the folder it writes to.
        data: fingerprint of the data set.
        runs: run id -> state and results, in any form.
    """
    book = json.loads(source.read_text(encoding="utf-8"))
    cells = [[cell["cell_type"], "".join(cell["source"]), cell["metadata"].get("tags")] for cell in book["cells"]]
    facts = [cells, dict(parameters), data, dict(runs), library_hash(), versions_hash()]
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()


@cache
def library_hash() -> str:
    """Hash the source of the library, its plans and the printed numbers; page templates are applied at each report."""
    package = Path(hyperctr.__file__).resolve().parent
    found = [path for path in package.rglob("*") if path.suffix in SOURCES and "templates" not in path.parts]
    beside = package.parent / "reports"
    found += [beside / "paper.toml", *(beside / "sweeps").glob("*.toml")]
    hashed = hashlib.sha256()
    for path in sorted(path for path in found if path.is_file()):
        hashed.update(path.relative_to(package.parent).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return hashed.hexdigest()


@cache
def versions_hash() -> str:
    """Hash Python's version, those of everything installed, and the device that was asked for."""
    installed = sorted({(one.name or "", one.version) for one in importlib.metadata.distributions()})
    facts = [platform.python_version(), platform.machine(), os.environ.get("HYPERCTR_DEVICE", ""), installed]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()
