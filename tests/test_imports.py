"""`import hyperctr` is cheap, and imports run one way: each module only from what stands before it."""

from __future__ import annotations

import ast
import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "hyperctr"
ORDER = [
    {"errors", "lazy", "written"},
    {"settings"},
    {"models"},
    {"config", "runtime", "executor"},
    {"parameters", "progress"},
    {"averaging", "distributed", "gradient_sums", "sparse_adam"},
    {"data"},
    {"media"},
    {"slots"},
    {"split_data"},
    {"metrics", "statistics"},
    {"hypergraph"},
    {"model"},
    {"baselines"},
    {"training"},
    {"evaluation"},
    {"runs"},
    {"sweeps"},
    {"display"},
    {"figures"},
    {"paper"},
    {"report"},
    {"widgets"},
    {"doctor"},
    {"cli"},
    {"__main__"},
]
RANK = {name: rank for rank, names in enumerate(ORDER) for name in names}
# not even inside functions
TORCH_FREE = (
    *("errors", "lazy", "written", "settings", "models", "config", "executor"),
    *("data", "slots", "split_data", "metrics", "statistics"),
)
HIDDEN = (
    *("plotly", "papermill", "nbformat", "nbclient", "nbconvert", "IPython", "ipykernel", "ipywidgets"),
    *("anywidget", "jupyterlab", "jupyter_client", "traitlets", "kaleido", "pyarrow", "sklearn"),
    *(
        "sentence_transformers",
        "matplotlib",
        "xgi",
        "fastjsonschema",
        "yaml",
        "distributed",
        "dask",
        "optuna",
        "numba",
        "triton",
        "implicit",
    ),
    *("imageio_ffmpeg", "efficientnet_lite_pytorch", "huggingface_hub"),
)
LIGHT = (
    *TORCH_FREE,
    "runtime",
    "parameters",
    "progress",
    "sweeps",
    "display",
    "figures",
    "paper",
    "report",
    "widgets",
    "doctor",
    "cli",
)  # not when they are imported
COMPILED = {"model.fused", "model.vectors", "model.triton_sums"}  # extras that only their own backend needs
MEDIA = ("decode", "extract", "extractors", "items", "learned", "plain", "spectrum", "weights")  # of media/: nor these
PLANNING = ("source", "store", "states", "stale", "run", "compare")  # of runs/: nor these


def modules() -> dict[str, Path]:
    """Dotted name under ``hyperctr`` -> file, without the package's own ``__init__``."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        if name and "_notebooks" not in parts:
            found[name] = path
    return found


def nodes(tree: ast.AST, types: bool) -> Iterator[ast.AST]:
    """All nodes, or only those that run: not what is imported for type checkers alone."""
    for node in ast.iter_child_nodes(tree):
        if not types and isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        yield from nodes(node, types)


def imports(path: Path, types: bool = True) -> Iterator[str]:
    """Absolute module names that a file imports, by default inside functions and for type checkers too."""
    for node in nodes(ast.parse(path.read_text(encoding="utf-8")), types):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}, line {node.lineno}: write imports absolutely"
            assert node.module is not None
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def own_imports(path: Path, types: bool = True) -> set[str]:
    """Modules of this package that a file imports, without the prefix."""
    found = (name for name in imports(path, types=types) if name.startswith("hyperctr."))
    names = {name.removeprefix("hyperctr.") for name in found}
    return names & modules().keys()


def python(code: str) -> str:
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=PACKAGE.parent)
    assert run.returncode == 0, run.stderr[-1500:]
    return run.stdout


def test_import_is_fast_and_loads_nothing_heavy() -> None:
    code = (
        "import sys, time; start = time.perf_counter(); import hyperctr; took = time.perf_counter() - start\n"
        "import json; heavy = {'torch', 'pandas', 'numpy', 'scipy', 'plotly'} & set(sys.modules)\n"
        "print(json.dumps([took, sorted(heavy)]))"
    )
    answers = [json.loads(python(code)) for _ in range(3)]
    assert min(took for took, _ in answers) < 0.3
    assert answers[0][1] == []


@pytest.mark.parametrize("package", ["hyperctr", "hyperctr.paper"])
def test_public_names_are_the_same_for_python_and_type_checkers(package: str) -> None:
    module = importlib.import_module(package)
    stub = ast.parse(Path(str(module.__file__)).with_suffix(".pyi").read_text(encoding="utf-8"))
    declared = {}
    for node in stub.body:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                assert alias.name == alias.asname, "a stub re-exports only `name as name`"
                declared[alias.name] = node.module
    homes = {name: f"{package}.{home}" for name, home in module._HOME.items()}
    assert declared == {**homes, **dict.fromkeys(getattr(module, "_ROOMS", ()), package)}
    assert {"__version__", *module.__all__} == {"__version__", *declared} == {"__version__", *dir(module)}
    for name, home in declared.items():
        assert getattr(module, name) is getattr(importlib.import_module(home), name)


def test_an_unknown_public_name_is_an_attribute_error() -> None:
    import hyperctr

    with pytest.raises(AttributeError, match="no attribute 'nosuch'"):
        hyperctr.nosuch  # noqa: B018


def test_every_module_has_its_place() -> None:
    unplaced = {name for name in modules() if name.split(".")[0] not in RANK}
    assert not unplaced, f"add them to the order of docs/architecture.md and of this test: {unplaced}"
    folders = {path.parent for path in modules().values()}
    assert all((folder / "__init__.py").exists() for folder in folders), "a package folder needs an __init__.py"


def test_imports_run_one_way() -> None:
    wrong = [
        f"{name} imports {other}"
        for name, path in modules().items()
        for other in own_imports(path)
        if RANK[other.split(".")[0]] > RANK[name.split(".")[0]]
    ]
    assert not wrong


def test_no_module_imports_itself_around_a_corner() -> None:
    # inside functions neither: a circle that is opened at import time is still a circle for a reader
    graph = {name: own_imports(path, types=False) - {name} for name, path in modules().items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"imports run in a circle: {' -> '.join(error.args[1])}")


def test_data_and_metrics_know_no_torch() -> None:
    wrong = [
        name
        for name, path in modules().items()
        if name.split(".")[0] in TORCH_FREE
        and any(other.split(".")[0] in ("torch", "torch_geometric") for other in imports(path))
    ]
    assert not wrong


def test_figures_and_commands_start_without_torch() -> None:
    names = [f"hyperctr.{name}" for name in modules() if name.split(".")[0] in LIGHT]
    names += [f"hyperctr.runs.{name}" for name in PLANNING] + [f"hyperctr.media.{name}" for name in MEDIA]
    code = (
        f"import importlib, sys\nfor name in {names!r}:\n    importlib.import_module(name)\n"
        "    assert 'torch' not in sys.modules, name + ' loads torch'"
    )
    python(code)


def test_training_needs_no_notebook_stack() -> None:
    """A GPU machine often holds torch, PyG and little else: what computes must import there."""
    names = [
        f"hyperctr.{n}"
        for n in modules()
        if n.split(".")[0] not in ("display", "figures", "paper", "report", "widgets", "__main__") and n not in COMPILED
    ]
    code = f"""
import importlib, sys
from importlib.abc import MetaPathFinder

class Bare(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {HIDDEN!r}:
            raise ModuleNotFoundError(f"{{name}} is hidden by the test", name=name)

sys.meta_path.insert(0, Bare())
for name in {names!r}:
    importlib.import_module(name)
"""
    python(code)
