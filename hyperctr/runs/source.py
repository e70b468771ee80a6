"""Which source files a model's results depend on, found by following imports, and one hash of them.

Adding or editing one model leaves the runs of all others valid, and so does editing a comment or a docstring.
"""

from __future__ import annotations

import ast
import hashlib
import io
import json
import sys
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path, PurePosixPath

from hyperctr.config import REFERENCE_MODEL
from hyperctr.models import model_spec

PACKAGE = Path(__file__).resolve().parent.parent
# What training imports and yet no result depends on: names, messages and progress; how runs are kept; settings and
# data sets, whose values name a run by themselves; predictions of finished runs, and explanations.
OF_FINISHED_RUNS = frozenset(("model/explain.py", "model/neighbourhood.py", "runs/prediction.py"))
HARMLESS = OF_FINISHED_RUNS | frozenset(
    (
        *("__init__.py", "errors.py", "config.py", "settings.py", "models.py", "data/registry.py"),
        *("lazy.py", "progress.py"),
        *(f"runs/{name}.py" for name in ("source", "store", "states", "stale")),
    )
)
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
DECLARATIONS = "baselines/*/__init__.py"  # of models: all that they set is among a run's settings


@cache
def code_files(model: str) -> dict[str, str]:
    """Return the SHA-256 of every source file that a run of ``model`` uses, by its path in the package.

    Comments, docstrings and blank lines do not count. The reference model is among them, as it is tested beside. Of a
    model outside the package its own file counts, as ``./name.py``, and what it imports from beside that file.

    Raises:
        ConfigError: there is no such model.

    >>> "model/attention.py" in code_files("hyperctr"), "runs/store.py" in code_files("hyperctr")
    (True, False)
    """
    modules = [model_spec(name).place.partition(":")[0] for name in (model, REFERENCE_MODEL)]
    outside = "" if modules[0].startswith("hyperctr.") else modules[0]
    classes = {_file_of(module, outside) for module in modules}
    waiting = {*classes, "runs/experiment.py", "data/dataset.py"}  # data sets are handed in, and so imported nowhere
    hashes: dict[str, str] = {}
    while waiting:
        path = waiting.pop()
        if path is None or path in hashes or path in HARMLESS:
            continue
        if PurePosixPath(path).match(DECLARATIONS) and path not in classes:
            continue
        beside = path.startswith("./")
        text = ((_folder(outside) if beside else PACKAGE) / path).read_text(encoding="utf-8")
        hashes[path], imported = _read(text)
        waiting |= {_file_of(module, outside) for module in imported}
        waiting |= set() if beside else {str(folder / "__init__.py") for folder in Path(path).parents}
    return dict(sorted(hashes.items()))


@cache
def code_fingerprint(model: str) -> str:
    """Return one hash of all that :func:`code_files` lists, and of the class that makes the model.

    Raises:
        ConfigError: there is no such model.
    """
    return hashlib.sha256(json.dumps([model_spec(model).place, code_files(model)]).encode()).hexdigest()


@cache
def _read(text: str) -> tuple[str, frozenset[str]]:
    """Return the hash of a source text, and the names that it imports."""
    tree = ast.parse(text)
    return hashlib.sha256(_without_comments(text, tree).encode()).hexdigest(), frozenset(_imports(tree))


def _file_of(module: str, outside: str) -> str | None:
    """Return the path in the package of a dotted module name, ``./name.py`` of one beside ``outside``, else None."""
    top, *parts = module.split(".")
    if top == "hyperctr" and parts:
        base = Path(*parts)
        for path in (base.with_suffix(".py"), base / "__init__.py"):
            if (PACKAGE / path).is_file():
                return path.as_posix()
    package, _, name = module.rpartition(".")
    if outside and package in ("", outside.rpartition(".")[0]) and (_folder(outside) / f"{name}.py").is_file():
        return f"./{name}.py"
    return None


def _folder(module: str) -> Path:
    """Return the folder of a module outside the package, which :func:`model_spec` has imported."""
    return Path(str(sys.modules[module].__file__)).resolve().parent


def _imports(tree: ast.AST) -> Iterator[str]:
    """Yield the names a module imports, inside functions too, but not what it imports for type checkers only."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}".removeprefix("None.") for alias in node.names)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield from _imports(ast.Module(node.orelse, []))
        else:
            yield from _imports(node)


def _without_comments(text: str, tree: ast.AST) -> str:
    """Return the source with comments, docstrings and blank lines taken out."""
    lines = text.splitlines()
    for node in ast.walk(tree):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node):
            first, last = node.body[0].lineno, node.body[0].end_lineno or node.body[0].lineno
            lines[first - 1 : last] = [""] * (last - first + 1)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    return "\n".join(line.rstrip() for line in lines if line.strip())
