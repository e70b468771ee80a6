"""Which source files a model's results depend on, found by following imports, and one hash of them.

Adding or editing one model leaves the runs of all others valid, and so does editing a comment or a docstring.
"""

from __future__ import annotations

import ast
import hashlib
import io
import json
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from hyperctr.config import REFERENCE_MODEL
from hyperctr.runs.models import model_place

PACKAGE = Path(__file__).resolve().parent.parent
# What training imports and yet no result depends on: names and messages; how runs are kept; settings and data sets,
# whose values name a run by themselves; explanations of finished runs.
KEEPING = ("models", "source", "store", "states", "locks", "stale")
OPTIONS = "systems/"  # of systems: all their values are among a run's settings
HARMLESS = frozenset(
    (
        "__init__.py",
        "errors.py",
        "config.py",
        "settings.py",
        "data/registry.py",
        "model/explain.py",
        *(f"runs/{name}.py" for name in KEEPING),
    )
)


@cache
def code_files(model: str) -> dict[str, str]:
    """Return the SHA-256 of every source file that a run of ``model`` uses, by its path in the package.

    Comments, docstrings and blank lines do not count. The reference model is among them, as it is tested beside.

    Raises:
        ConfigError: there is no such model.

    >>> "model/attention.py" in code_files("hyperctr"), "runs/store.py" in code_files("hyperctr")
    (True, False)
    """
    waiting = {_file_of(model_place(name).partition(":")[0]) for name in (model, REFERENCE_MODEL)}
    waiting |= {"runs/experiment.py", "data/dataset.py"}  # data sets are handed in, and so imported nowhere
    found: dict[str, str] = {}
    while waiting:
        path = waiting.pop()
        if path is None or path in found or path in HARMLESS or path.startswith(OPTIONS):
            continue
        found[path], imported = _read((PACKAGE / path).read_text(encoding="utf-8"))
        waiting |= {_file_of(module) for module in imported}
        waiting |= {str(folder / "__init__.py") for folder in Path(path).parents}
    return dict(sorted(found.items()))


@cache
def code_fingerprint(model: str) -> str:
    """Return one hash of all that :func:`code_files` lists, and of the class that makes the model.

    Raises:
        ConfigError: there is no such model.
    """
    return hashlib.sha256(json.dumps([model_place(model), code_files(model)]).encode()).hexdigest()


@cache
def _read(text: str) -> tuple[str, frozenset[str]]:
    """Return the hash of a source text, and the names that it imports."""
    tree = ast.parse(text)
    return hashlib.sha256(_without_comments(text, tree).encode()).hexdigest(), frozenset(_imports(tree))


def _file_of(module: str) -> str | None:
    """Return the path in the package of a dotted module name, None if it is no module of ours."""
    top, *parts = module.split(".")
    if top == "hyperctr" and parts:
        base = Path(*parts)
        for path in (base.with_suffix(".py"), base / "__init__.py"):
            if (PACKAGE / path).is_file():
                return path.as_posix()
    return None


def _imports(tree: ast.AST) -> Iterator[str]:
    """Yield the names a module imports, inside functions too, but not what it imports for type checkers only."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield from _imports(ast.Module(node.orelse, []))
        else:
            yield from _imports(node)


def _without_comments(text: str, tree: ast.AST) -> str:
    """Return the source with comments, docstrings and blank lines taken out."""
    lines = text.splitlines()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(
            node
        ):
            first, last = node.body[0].lineno, node.body[0].end_lineno or node.body[0].lineno
            lines[first - 1 : last] = [""] * (last - first + 1)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    return "\n".join(line.rstrip() for line in lines if line.strip())
