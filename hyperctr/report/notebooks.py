"""The report's notebooks as they are stored: which there are, what each takes and which runs it shows.

papermill only warns about a parameter that the notebook does not have and then runs with the default: a typo gives a
wrong table silently. It accepts ``abc`` for an ``int``, too. Here both stop in milliseconds, before a kernel starts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hyperctr
from hyperctr.errors import ConfigError, did_you_mean
from hyperctr.parameters import check_parameters, declared_parameters, fits

_METADATA = '{"plans": ["layers", {"name": "overall", "labels": ["hyperctr"], "seeds": 1}], "alone": false}'


@dataclass(frozen=True)
class PlanUse:
    """A plan as a notebook opens it.

    Attributes:
        name: of the plan.
        labels: the runs it keeps; empty: all.
        seeds: how many; None: as the report was asked for.
    """

    name: str
    labels: tuple[str, ...] = ()
    seeds: int | None = None


@dataclass(frozen=True)
class Notebook:
    """A notebook as it is stored.

    Attributes:
        path: where it lies.
        parameters: name -> (type, default as written, comment) of its cell tagged ``parameters``.
        plans: the sweep plans whose runs it shows.
        alone: it times something, so nothing else may run meanwhile.
    """

    path: Path
    parameters: Mapping[str, tuple[str, str, str]]
    plans: tuple[PlanUse, ...] = ()
    alone: bool = False

    @property
    def name(self) -> str:
        """File name without ending."""
        return self.path.stem

    def check(self, parameters: Mapping[str, Any]) -> None:
        """Refuse parameters that the notebook does not have, or whose value is not of the declared type.

        Raises:
            ConfigError: names the notebook, the parameter, what is allowed and the nearest right name.
        """
        check_parameters(self.parameters, parameters, f"{self.path}: ")


def read_notebook(path: str | Path) -> Notebook:
    """Read the parameters of a notebook, and its plans from ``metadata.hyperctr``: ``{"plans": ["layers"]}``.

    A plan of which a notebook shows a part is written ``{"name": "overall", "labels": ["hyperctr"], "seeds": 1}``.
    papermill can read parameters, too, but its import takes seconds.

    Raises:
        ConfigError: the file is missing, is no notebook, or this metadata is not written so.
    """
    try:
        book = json.loads(Path(path).read_text(encoding="utf-8"))
        tagged = ["".join(cell["source"]) for cell in book["cells"] if "parameters" in cell["metadata"].get("tags", [])]
        parameters = declared_parameters(tagged[0]) if tagged else {}
        metadata = book["metadata"].get("hyperctr", {})
    except (OSError, ValueError, KeyError, TypeError, AttributeError, SyntaxError) as reason:
        raise ConfigError(f"{path} cannot be read as a notebook: {reason}") from reason
    try:
        plans = [{"name": plan} if isinstance(plan, str) else dict(plan) for plan in metadata.get("plans", [])]
        uses = tuple(PlanUse(**{**plan, "labels": tuple(plan.get("labels", ()))}) for plan in plans)
        return Notebook(Path(path), parameters, uses, bool(metadata.get("alone", False)))
    except (TypeError, ValueError, AttributeError) as reason:
        raise ConfigError(f"{path}: metadata.hyperctr must be written as {_METADATA}: {reason}") from reason


def find_notebooks(folder: str | Path | None, only: Sequence[str] | None) -> tuple[list[Notebook], list[Notebook]]:
    """Return the report notebooks of a folder in order: all, and those whose names begin as one of ``only``.

    Args:
        folder: None: ``notebooks/`` of the checkout, else those in the wheel.
        only: None chooses all.

    Raises:
        ConfigError: there are none, one cannot be read, or one of ``only`` fits none.
    """
    package = Path(hyperctr.__file__).parent
    folders = (package.parent / "notebooks", package / "_notebooks") if folder is None else (Path(folder),)
    paths = next(filter(None, (sorted(place.glob("[0-9][0-9]_*.ipynb")) for place in folders)), [])
    if not paths and folder is None:
        raise ConfigError(f"no report notebooks beside {package}; install HyperCTR again, or pass notebooks=")
    if not paths:
        raise ConfigError(f"{folder} holds no notebook named like 01_datasets.ipynb")
    for wanted in only or ():
        if not any(path.stem.startswith(wanted) for path in paths):
            raise ConfigError(f"unknown notebook {wanted!r}: {did_you_mean(wanted, [path.stem for path in paths])}")
    notebooks = [read_notebook(path) for path in paths]
    return notebooks, [book for book in notebooks if only is None or book.name.startswith(tuple(only))]


__all__ = ["Notebook", "PlanUse", "find_notebooks", "fits", "read_notebook"]
