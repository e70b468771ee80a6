"""The parameters of a notebook: what its tagged cell declares, and whether the values that were given fit.

papermill only warns about a parameter that a notebook does not have and then runs with the default; it accepts ``abc``
for an ``int``, too. A report checks before it starts a kernel, a notebook that papermill runs by itself where it opens
its data.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Mapping
from typing import Any

from hyperctr.errors import ConfigError, did_you_mean
from hyperctr.runtime import in_notebook

FORMER = ("preset",)  # names that parameters had before, which are still read
_TYPES: dict[str, tuple[type, ...]] = {
    **{"str": (str,), "int": (int,), "float": (float, int), "bool": (bool,), "dict": (dict,)},
    **{"list": (list, tuple), "tuple": (list, tuple), "None": (type(None),), "Any": (object,)},
}


def check_parameters(declared: Mapping[str, tuple[str, str, str]], given: Mapping[str, Any], where: str = "") -> None:
    """Refuse values whose name is not declared, or whose type is another than declared.

    Args:
        declared: of :func:`declared_parameters`.
        given: name -> value.
        where: what messages begin with.

    Raises:
        ConfigError: names the parameter, what is allowed and the nearest right name.

    >>> check_parameters({"seeds": ("int", "0", "")}, {"seed": 3})
    Traceback (most recent call last):
    hyperctr.errors.ConfigError: unknown parameter 'seed': did you mean 'seeds'?
    """
    for name, value in given.items():
        if name not in declared:
            hint = did_you_mean(name, declared) if declared else "it has no cell tagged 'parameters'"
            raise ConfigError(f"{where}unknown parameter {name!r}: {hint}")
        annotation, default, _ = declared[name]
        if not fits(value, annotation):
            kind, allowed = type(value).__name__, f"{annotation} (default {default})"
            raise ConfigError(f"{where}parameter {name} = {value!r} is of type {kind}; allowed: {allowed}")


def check_injected() -> None:
    """Check what papermill put into the notebook that runs us, if it did, against the parameters cell before it.

    Raises:
        ConfigError: as :func:`check_parameters`.
    """
    if not in_notebook():
        return
    cells = [str(cell) for cell in sys.modules["IPython"].get_ipython().user_ns.get("In", [])]
    place = next((at for at, cell in enumerate(cells) if cell.startswith("# Parameters")), 0)
    if not place:
        return
    given = {}
    for node in ast.parse(cells[place]).body:
        if isinstance(node, ast.Assign):
            try:
                given[ast.unparse(node.targets[0])] = ast.literal_eval(node.value)
            except ValueError:  # float("nan") and the like
                continue
    try:
        declared = declared_parameters(cells[place - 1])
    except SyntaxError:
        return
    check_parameters(declared, {name: value for name, value in given.items() if name not in FORMER})


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


def declared_parameters(source: str) -> dict[str, tuple[str, str, str]]:
    """Return name -> (type, default, comment) of the assignments in a cell; an untyped one has its default's type.

    >>> declared_parameters("depth: int = 4  # in mm")
    {'depth': ('int', '4', 'in mm')}
    """
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
