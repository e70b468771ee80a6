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

    papermill can tell, too, but its import takes seconds.

    Raises:
        ConfigError: the file is missing or no notebook.
    """
    try:
        cells = json.loads(Path(path).read_text(encoding="utf-8"))["cells"]
        tagged = ["".join(cell["source"]) for cell in cells if "parameters" in cell["metadata"].get("tags", [])]
        body = ast.parse(tagged[0]).body if tagged else []
    except (OSError, ValueError, KeyError, TypeError, SyntaxError) as reason:
        raise ConfigError(f"{path} cannot be read as a notebook: {reason}") from reason
    known = {}
    for node in body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
            kind = ast.unparse(node.annotation) if isinstance(node, ast.AnnAssign) else _type_of_default(node.value)
            line = tagged[0].splitlines()[node.value.end_lineno - 1].encode()  # type: ignore[operator]
            comment = line[node.value.end_col_offset :].decode().partition("#")[2].strip()
            known[ast.unparse(target)] = kind, ast.unparse(node.value), comment
    return known


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


def _type_of_default(default: ast.expr) -> str:
    """Read a type off a default where the cell declares none."""
    try:
        kind = type(ast.literal_eval(default))
    except ValueError:
        return "Any"
    return "Any" if kind is type(None) else kind.__name__
