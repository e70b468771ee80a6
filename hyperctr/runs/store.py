"""Where runs live and what names them: the id is a hash of settings, data and library code."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from hyperctr.config import REFERENCE_MODEL
from hyperctr.data.registry import load_dataset
from hyperctr.errors import DataError, RunError, did_you_mean
from hyperctr.runs.source import PACKAGE, code_files, code_fingerprint
from hyperctr.runtime import write_atomic

if TYPE_CHECKING:
    from hyperctr.config import Config
    from hyperctr.data.dataset import Dataset


def runs_folder() -> Path:
    """Return the run store: ``HYPERCTR_RUNS``, else ``reports/runs`` of the checkout, else of the current folder."""
    if named := os.environ.get("HYPERCTR_RUNS"):
        return Path(named).expanduser()
    checkout = (PACKAGE.parent / "pyproject.toml").exists()
    return (PACKAGE.parent if checkout else Path.cwd()) / "reports" / "runs"


@contextmanager
def nothing_kept() -> Iterator[None]:
    """Let runs be written to a store of their own, which goes when they are done or have failed.

    It lies in the run store, on whose disk there is room for a model. Processes that train together must see one
    store, so theirs are kept.
    """
    store = runs_folder()
    if os.environ.get("WORLD_SIZE", "1") != "1":
        yield
        return
    store.mkdir(parents=True, exist_ok=True)
    before = os.environ.get("HYPERCTR_RUNS")
    with TemporaryDirectory(prefix=".dry-", dir=store, ignore_cleanup_errors=True) as aside:
        os.environ["HYPERCTR_RUNS"] = aside
        try:
            yield
        finally:
            os.environ.pop("HYPERCTR_RUNS")
            os.environ |= {} if before is None else {"HYPERCTR_RUNS": before}


def load_again(origin: Mapping[str, Any], data_dir: str | Path | None = None) -> Dataset:
    """Load a data set as it was loaded first; ``origin`` is what it or its run's ``data.json`` says of that.

    Its files lie in ``data_dir``, or where they lay, or, if they are not there any more, where ``HYPERCTR_DATA`` says.

    Raises:
        DataError: the files are in none of these, or not as they were.
    """
    then, now, failed = origin["data_dir"], os.environ.get("HYPERCTR_DATA"), None
    places = (
        [data_dir] if data_dir or then is None else [place for place in (then, now) if place and Path(place).is_dir()]
    )
    for place in places:
        try:
            return load_dataset(origin["name"], data_dir=place, seed=origin["seed"], **origin["options"])
        except DataError as error:
            failed = failed or error
    if failed is not None:
        raise failed
    moved = "name the folder they lie in now: --data-dir D, data_dir=..., or the variable HYPERCTR_DATA"
    raise DataError(f"{then}: the files of data set {origin['name']!r} have gone; {moved}")


def named_data(name: str, origin: Mapping[str, Any]) -> str:
    """Return a data set's name and where it is from, for a message; ``origin`` as for :func:`load_again`.

    >>> named_data("table", {"data_dir": "/clicks"}), named_data("planted", {"name": "planted", "seed": 1})
    ("'table' in /clicks", "'planted' of seed 1")
    """
    if place := origin.get("data_dir"):
        return f"{name!r} in {place}"
    return f"{name!r} of seed {origin.get('seed', 0)}" if origin.get("name") else f"{name!r}, made in memory,"


def run_names() -> list[str]:
    """Return the names of all run folders, finished or not, in order."""
    store = runs_folder()
    folders = store.iterdir() if store.is_dir() else ()
    return sorted(path.name for path in folders if path.is_dir() and not path.name.startswith("."))


def naming_inputs(config: Config) -> dict[str, Any]:
    """Return what names a run beside its data: its settings, those of the reference beside it, and its code."""
    reference = None if config.model == REFERENCE_MODEL else dataclasses.asdict(config.reference())
    return {"settings": dataclasses.asdict(config), "reference": reference, "files": code_files(config.model)}


def run_id(data: Dataset, config: Config) -> str:
    """Return the id, 12 hex digits, of a run of ``config`` on ``data`` by the code as it is now.

    Raises:
        ConfigError: there is no such model.
    """
    named = naming_inputs(config)
    inputs = [named["settings"], named["reference"], data.fingerprint, code_fingerprint(config.model)]
    # Canonical JSON: sorted keys, so that equal settings always give equal ids and different ones never do.
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:12]


def find_run(name: str) -> Path:
    """Return the folder of a run by its id or an unambiguous beginning of it, or by a path.

    Raises:
        RunError: no such run, or several; the message lists near ones.
    """
    if (Path(name) / "config.toml").exists():
        return Path(name)
    store = runs_folder()
    known = run_names()
    matching = [run for run in known if run.startswith(name)] if name else []
    if len(matching) != 1:
        problem = f"{len(matching)} runs begin with {name!r}" if matching else f"no run {name!r}"
        hint = did_you_mean(name, known) if known else "the store is empty; train one with `hyperctr train planted`"
        raise RunError(f"{problem} in {store}: {hint}")
    return store / matching[0]


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object that a run keeps.

    Raises:
        RunError: the file is missing or damaged; the message names it and the fix.
    """
    fix = f"the run is damaged: delete {path.parent} and train it again"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RunError(f"{path}: missing; {fix}") from error
    except (json.JSONDecodeError, UnicodeDecodeError, OSError) as error:
        raise RunError(f"{path}: not valid JSON ({error}); {fix}") from error
    if not isinstance(content, dict):
        raise RunError(f"{path}: not a JSON object; {fix}")
    return content


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON object. JSON has no nan: what could not be measured is null there, and paths are text."""
    text = json.dumps(content, default=str)
    plain = json.loads(text, parse_constant=lambda name: None if name == "NaN" else float(name))
    write_atomic(path, json.dumps(plain, indent=1, allow_nan=False))
