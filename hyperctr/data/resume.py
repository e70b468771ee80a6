"""Parts of an output that a killed process had finished are kept, checked, and not made again."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from hyperctr import __version__
from hyperctr.runtime import write_atomic

STATE = ".finished.json"
logger = logging.getLogger(__name__)


class FinishedParts:
    """The parts of a folder in the making, each a file that is written under another name and renamed.

    Args:
        folder: where they lie, not the final place.
        key: names all that decides them (:func:`key_of`). Parts made under another key are removed.

    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> def rows(path: Path) -> dict[str, int]:
    ...     return {"rows": path.write_text("a log")}
    >>> FinishedParts(Path(folder), "k").make("log.csv", rows)
    {'rows': 5}
    >>> again = FinishedParts(Path(folder), "k")  # in another process, after the first was killed
    >>> again.make("log.csv", rows), again.kept
    ({'rows': 5}, ['log.csv'])
    """

    def __init__(self, folder: Path, key: str) -> None:
        self.folder, self.key = folder, key
        self.kept: list[str] = []
        self._parts: dict[str, dict[str, Any]] = _read(folder / STATE).get(key, {})

    def make(self, name: str, write: Callable[[Path], dict[str, Any]]) -> dict[str, Any]:
        """Have a part written, unless it is there as it was left, and return what ``write`` said of it."""
        path, part = self.folder / name, self._parts.get(name)
        if part is not None and path.is_file() and path.stat().st_size == part["bytes"]:
            self.kept.append(name)
            logger.info("%s: is there already, of an import that was killed", name)
            return dict(part["facts"])
        path.parent.mkdir(exist_ok=True)
        aside = path.with_name(f"unfinished-{path.name}")
        facts = write(aside)
        aside.rename(path)
        self._parts[name] = {"bytes": path.stat().st_size, "facts": facts}
        write_atomic(self.folder / STATE, json.dumps({self.key: self._parts}))
        return facts

    def end(self) -> None:
        """Remove what is no part."""
        (self.folder / STATE).unlink(missing_ok=True)
        for left in self.folder.rglob("unfinished-*"):
            left.unlink()


def key_of(sources: Iterable[object], **settings: object) -> str:
    """Return a name for files, by size and time of change, for other things by what they say, and for settings."""
    told: list[object] = [__version__, sorted(settings.items(), key=lambda entry: entry[0])]
    for source in sources:
        known = Path(source) if isinstance(source, str | Path) else None
        if known is not None and known.exists():
            state = known.stat()
            told.append((str(known.resolve()), state.st_size, state.st_mtime_ns))
        else:
            told.append(source)
    return hashlib.sha256(repr(told).encode()).hexdigest()


def can_go_on(folder: Path, key: str) -> bool:
    """Tell whether a folder was left by a process that made the same, and that was killed."""
    return bool(key) and key in _read(folder / STATE)


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
