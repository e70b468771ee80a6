"""Parameters of a notebook, checked before a kernel starts.

papermill only warns about a name the notebook does not have and then runs with the default: a typo gives a
wrong table silently. It accepts ``abc`` for an ``int``, too. Here both stop at once, in milliseconds.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hyperctr.errors import ConfigError, did_you_mean

_PLAIN: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (float, int),
    "bool": (bool,),
    "list": (list, tuple),
    "tuple": (list, tuple),
    "dict": (dict,),
    "None": (type(None),),
    "Any": (object,),
}


def notebook_parameters(path: str | Path) -> dict[str, tuple[str, str, str]]:
    """Return name -> (type, default as written, comment) of the notebook's cell tagged ``parameters``.

    Raises:
        ConfigError: the file is missing or no notebook.
    """
    import papermill

    try:
        found = papermill.inspect_notebook(str(path))
    except (OSError, ValueError) as reason:
        raise ConfigError(f"{path} cannot be read as a notebook: {str(reason).splitlines()[0]}") from reason
    return {
        name: (
            _type_of_default(one["default"]) if one["inferred_type_name"] == "None" else one["inferred_type_name"],
            one["default"],
            one["help"],
        )
        for name, one in found.items()
    }


def parameter_names(path: str | Path) -> list[str]:
    """Return the names in a notebook's cell tagged ``parameters``, without importing papermill (seconds).

    Raises:
        ConfigError: the file is missing or no notebook.
    """
    try:
        cells = json.loads(Path(path).read_text(encoding="utf-8"))["cells"]
        tagged = ["".join(cell["source"]) for cell in cells if "parameters" in cell["metadata"].get("tags", [])]
        body = ast.parse(tagged[0]).body if tagged else []
    except (OSError, ValueError, KeyError, TypeError, SyntaxError) as reason:
        raise ConfigError(f"{path} cannot be read as a notebook: {reason}") from reason
    targets = [target for one in body if isinstance(one, ast.Assign) for target in one.targets]
    targets += [one.target for one in body if isinstance(one, ast.AnnAssign)]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def check_parameters(path: str | Path, parameters: Mapping[str, Any]) -> None:
    """Refuse parameters that the notebook does not have, or whose value is not of the declared type.

    Args:
        path: the notebook.
        parameters: what would be injected.

    Raises:
        ConfigError: names the notebook, the parameter, what is allowed and the nearest right name.
    """
    known = notebook_parameters(path)
    for name, value in parameters.items():
        if name not in known:
            hint = did_you_mean(name, known) if known else "it has no cell tagged 'parameters'"
            raise ConfigError(f"{path}: unknown parameter {name!r}: {hint}")
        annotation, default, _ = known[name]
        if not fits(value, annotation):
            raise ConfigError(
                f"{path}: parameter {name} = {value!r} is of type {type(value).__name__}; "
                f"allowed: {annotation} (default {default})"
            )


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
        inner = hint.slice.elts if isinstance(hint.slice, ast.Tuple) else [hint.slice]
        if hint.value.id == "Optional":
            return value is None or _fits(value, inner[0])
        if hint.value.id in {"list", "tuple", "List", "Tuple"}:
            return isinstance(value, list | tuple) and all(_fits(one, inner[0]) for one in value)
        return _fits(value, hint.value)
    name = "None" if isinstance(hint, ast.Constant) and hint.value is None else getattr(hint, "id", "Any")
    if isinstance(value, bool):  # a bool is an int to Python, but never what was meant by one
        return name in {"bool", "Any"} or name not in _PLAIN
    return isinstance(value, _PLAIN.get(name, (object,)))


def _type_of_default(default: str) -> str:
    """Read a type off a default where the cell declares none."""
    try:
        kind = type(ast.literal_eval(default))
    except (ValueError, SyntaxError):
        return "Any"
    return "Any" if kind is type(None) else kind.__name__
