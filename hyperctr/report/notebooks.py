"""The report's notebooks as they are stored: which there are, what each takes and which runs it shows.

papermill only warns about a parameter that the notebook does not have and then runs with the default: a typo gives a
wrong table silently. It accepts ``abc`` for an ``int``, too. Here both stop in milliseconds, before a kernel starts.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hyperctr
from hyperctr.errors import ConfigError, did_you_mean

_TYPES: dict[str, tuple[type, ...]] = {
    **{"str": (str,), "int": (int,), "float": (float, int), "bool": (bool,), "dict": (dict,)},
    **{"list": (list, tuple), "tuple": (list, tuple), "None": (type(None),), "Any": (object,)},
}
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
        for name, value in parameters.items():
            if name not in self.parameters:
                hint = did_you_mean(name, self.parameters) if self.parameters else "it has no cell tagged 'parameters'"
                raise ConfigError(f"{self.path}: unknown parameter {name!r}: {hint}")
            annotation, default, _ = self.parameters[name]
            if not fits(value, annotation):
                kind, allowed = type(value).__name__, f"{annotation} (default {default})"
                raise ConfigError(f"{self.path}: parameter {name} = {value!r} is of type {kind}; allowed: {allowed}")


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
        parameters = _parameters(tagged[0]) if tagged else {}
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


def fits(value: Any, annotation: str) -> bool:
    """Tell whether a value is of the type that a parameters cell declares for it.

    An unknown annotation allows everything: it is the notebook's own affair.

    >>> fits(3, "int"), fits(True, "int"), fits(3, "float"), fits("3", "float")
    (True, False, True, False)
    >>> fits(["visual"], "list[str]"), fits("visual", "list[str]"), fits(None, "int | None")
    (True, False, True)
    """
    try:
        return _fits(value, ast.parse(annotation.strip(), mode="eval").body)
    except SyntaxError:
        return True


def _fits(value: Any, hint: ast.expr) -> bool:
    if isinstance(hint, ast.BinOp):  # X | Y
        return _fits(value, hint.left) or _fits(value, hint.right)
    if isinstance(hint, ast.Subscript) and isinstance(hint.value, ast.Name):
        inner = hint.slice.elts[0] if isinstance(hint.slice, ast.Tuple) else hint.slice
        if hint.value.id == "Optional":
            return value is None or _fits(value, inner)
        if hint.value.id in {"list", "tuple", "List", "Tuple"}:
            return isinstance(value, list | tuple) and all(_fits(element, inner) for element in value)
        return _fits(value, hint.value)
    name = "None" if isinstance(hint, ast.Constant) and hint.value is None else getattr(hint, "id", "Any")
    if isinstance(value, bool):  # a bool is an int to Python, but never what was meant by one
        return name in {"bool", "Any"} or name not in _TYPES
    return isinstance(value, _TYPES.get(name, (object,)))


def _parameters(source: str) -> dict[str, tuple[str, str, str]]:
    """Name -> (type, default, comment) of the assignments in a cell; an untyped one has the type of its default."""
    known = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
            kind = ast.unparse(node.annotation) if isinstance(node, ast.AnnAssign) else _type_of(node.value)
            line = source.splitlines()[node.value.end_lineno - 1].encode()  # type: ignore[operator]
            comment = line[node.value.end_col_offset :].decode().partition("#")[2].strip()
            known[ast.unparse(target)] = kind, ast.unparse(node.value), comment
    return known


def _type_of(default: ast.expr) -> str:
    try:
        kind = type(ast.literal_eval(default))
    except ValueError:
        return "Any"
    return "Any" if kind is type(None) else kind.__name__
