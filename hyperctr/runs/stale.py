"""Why a run of the store no longer answers for what its id stood for: a setting, the data, or a source file."""

from __future__ import annotations

import dataclasses
import json
import tomllib
import warnings
from pathlib import Path
from typing import Any

from hyperctr.config import REFERENCE_MODEL, Config
from hyperctr.errors import ConfigError, DataError, DataWarning, RunError
from hyperctr.models import is_known
from hyperctr.runs.source import code_files
from hyperctr.runs.store import find_run, load_again, read_json


def why_stale(run_id: str, *, data: bool = True) -> str:
    """Return the one thing that has changed since a run was begun, as a line; empty if nothing has.

    Settings are looked at first, then, if ``data``, the data set, which is loaded, then the source.

    Raises:
        RunError: no such run, or files of it are damaged.
    """
    folder = find_run(run_id)
    if not (folder / "code.json").exists():
        return "code: the run was made by a version that did not keep what it used; train it again"
    begun = read_json(folder / "code.json")
    try:
        settings, reference, files = (begun[name] for name in ("settings", "reference", "files"))
    except KeyError as error:
        raise RunError(f"{folder / 'code.json'}: holds no {error}; delete {folder} and train it again") from error
    return _settings(folder, settings, reference) or (_data(folder) if data else "") or _code(settings["model"], files)


def _settings(folder: Path, settings: dict[str, Any], reference: dict[str, Any] | None) -> str:
    """Compare the settings a run was begun with to those that its file and the library give now."""
    path = folder / "config.toml"
    try:
        written = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RunError(f"{path}: {error}; the run is damaged: delete {folder} and train it again") from error
    for name in settings | written:
        if settings.get(name) != written.get(name):
            was, now = json.dumps(settings.get(name)), json.dumps(written.get(name))
            return f"setting {name}: the run was begun with {was}, its config.toml says {now}"
    known = [field.name for field in dataclasses.fields(Config)]
    for name in [*known, *settings]:
        if name not in known or name not in settings:
            return f"setting {name}: {'added to' if name in known else 'removed from'} the library since"
    try:
        config = Config.from_dict(settings)
    except ConfigError as error:
        return f"settings: no longer allowed, {error}"
    now = {} if config.model == REFERENCE_MODEL else json.loads(json.dumps(dataclasses.asdict(config.reference())))
    for name in now:
        if (reference or {}).get(name) != now[name]:
            return f"setting {name} of the reference beside it: was {(reference or {}).get(name)}, is {now[name]} now"
    return ""


def _data(folder: Path) -> str:
    """Load the data set again and compare its fingerprint; data made in memory cannot be looked at."""
    origin = read_json(folder / "data.json")
    if origin["name"] is None:
        return ""
    try:
        with warnings.catch_warnings(action="ignore", category=DataWarning):
            data = load_again(origin)
    except DataError as error:
        return f"data: {origin['name']} cannot be loaded any more, {error}"
    if data.fingerprint == origin["fingerprint"]:
        return ""
    was, now = origin["fingerprint"][:12], data.fingerprint[:12]
    return f"data: {origin['name']} has changed, its fingerprint was {was} and is {now}"


def _code(model: str, files: dict[str, str]) -> str:
    """Name the source files that differ from those a run was begun with."""
    if not is_known(model):
        return f"code: the model {model!r} is gone"
    now = code_files(model)
    changed = [f"{name} is gone" for name in files.keys() - now.keys()]
    changed += [f"{name} is new" for name in now.keys() - files.keys()]
    changed += [f"{name} has changed" for name in now.keys() & files.keys() if now[name] != files[name]]
    return "code: " + ", ".join(f"hyperctr/{name}" for name in sorted(changed)) if changed else ""
