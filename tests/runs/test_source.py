"""Changed code never answers with old results, and code that a model does not use leaves its runs valid."""

from __future__ import annotations

import ast
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hyperctr.config import REFERENCE_MODEL
from hyperctr.errors import ConfigError
from hyperctr.models import MODELS, model_class
from hyperctr.runs import source
from hyperctr.runs.source import code_files, code_fingerprint
from hyperctr.settings import ModelSpec

OTHER = ModelSpec("extra", "hyperctr.baselines.extra.network:Extra")
EXTRA = '''"""One more model."""

from typing import TYPE_CHECKING

from hyperctr.model.base import ClickModel

if TYPE_CHECKING:
    from hyperctr.model.explain import explain


class Extra(ClickModel):
    """Its class."""

    def score(self):
        from hyperctr.baselines import helper  # found inside functions, too

        return helper
'''


def forget() -> None:
    code_files.cache_clear()
    code_fingerprint.cache_clear()


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the package's source with one more baseline, which is what is looked at."""
    folder = tmp_path / "hyperctr"
    shutil.copytree(source.PACKAGE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "baselines" / "extra").mkdir()
    (folder / "baselines" / "extra" / "__init__.py").write_text("MODEL = 1\n")
    (folder / "baselines" / "extra" / "network.py").write_text(EXTRA)
    (folder / "baselines" / "helper.py").write_text("scale = 1\n")
    monkeypatch.setattr(source, "PACKAGE", folder)
    monkeypatch.setitem(MODELS, "extra", OTHER)
    forget()
    yield folder
    forget()


def fingerprints() -> dict[str, str]:
    forget()
    return {name: code_fingerprint(name) for name in ("hyperctr", REFERENCE_MODEL, "extra")}


def touched(folder: Path, path: str, text: str = "\nchanged = 1\n") -> set[str]:
    """Models whose fingerprint another line in a file changes."""
    before = fingerprints()
    with open(folder / path, "a") as file:
        file.write(text)
    after = fingerprints()
    return {name for name in before if before[name] != after[name]}


@pytest.mark.parametrize(
    "path",
    [
        "model/context.py",
        "hypergraph/stack.py",
        "training/loop.py",
        "slots.py",
        "runs/experiment.py",
        "runs/run.py",
        "data/splits.py",
        "data/dataset.py",
        "baselines/popularity.py",
        "baselines/__init__.py",
        "runtime.py",
        "statistics.py",
        "baselines/matrix_factorisation/network.py",
    ],
)
def test_what_every_run_uses_counts_for_all(copy: Path, path: str) -> None:
    assert touched(copy, path) == {"hyperctr", REFERENCE_MODEL, "extra"}


def test_what_one_model_uses_counts_for_it_alone(copy: Path) -> None:
    assert touched(copy, "baselines/extra/network.py") == {"extra"}
    assert touched(copy, "baselines/helper.py") == {"extra"}
    assert touched(copy, "model/fusion.py") == touched(copy, "model/hyperctr.py") == {"hyperctr"}
    before = fingerprints()
    (copy / "baselines" / "more.py").write_text("from hyperctr.model.base import ClickModel\n")
    assert fingerprints() == before
    more = {"baselines/extra/network.py", "baselines/helper.py"}
    assert code_files("extra").keys() - code_files("hyperctr").keys() == more


@pytest.mark.parametrize(
    "path",
    [
        "figures/__init__.py",
        "runs/store.py",
        "runs/states.py",
        "errors.py",
        "config.py",
        "cli/__init__.py",
        "model/explain.py",
        "model/neighbourhood.py",
        "runs/prediction.py",
        "models.py",
        "baselines/extra/__init__.py",
        "__init__.py",
        "data/registry.py",
    ],
)
def test_what_no_result_depends_on_counts_for_none(copy: Path, path: str) -> None:
    assert touched(copy, path) == set()


def test_words_do_not_count_and_code_beside_them_does(copy: Path) -> None:
    path = copy / "baselines" / "extra" / "network.py"
    before = fingerprints()
    path.write_text(
        "# a comment\n" + EXTRA.replace("Its class.", "A class of\n\n    its own.").replace("  # found", " # it")
    )
    assert fingerprints() == before
    path.write_text(EXTRA.replace("return helper", 'return "# no comment"'))
    once = fingerprints()
    path.write_text(EXTRA.replace("return helper", 'return "# not the same"'))
    assert fingerprints()["extra"] != once["extra"] != before["extra"]


def test_the_class_that_makes_the_model_counts(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = fingerprints()
    monkeypatch.setitem(MODELS, "extra", replace(OTHER, place=OTHER.place.replace("Extra", "Other")))
    after = fingerprints()
    assert after.pop("extra") != before.pop("extra") and after == before


def imported(path: str) -> set[str]:
    return {name.partition(".")[0] for name in source._read((source.PACKAGE / path).read_text(encoding="utf-8"))[1]}


def test_what_counts_for_none_is_there_and_computes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for path in source.HARMLESS - source.OF_FINISHED_RUNS:
        assert not imported(path) & {"numpy", "scipy", "torch", "torch_geometric"}, path
    # Those of finished runs compute: nothing imports them before it is asked for a prediction or an explanation.
    computing = {f"hyperctr.{path.removesuffix('.py').replace('/', '.')}" for path in source.OF_FINISHED_RUNS}
    for file in source.PACKAGE.rglob("*.py"):
        if file.relative_to(source.PACKAGE).as_posix() not in source.OF_FINISHED_RUNS:
            tree = ast.parse(file.read_text(encoding="utf-8"))
            assert not computing & {node.module for node in tree.body if isinstance(node, ast.ImportFrom)}
    monkeypatch.setattr(source, "HARMLESS", frozenset())
    everything = set().union(*(code_files.__wrapped__(name) for name in MODELS))
    assert everything >= source.HARMLESS, "a file that nothing imports need not be left out"


def test_declarations_count_as_settings_and_not_as_code() -> None:
    files = {path.relative_to(source.PACKAGE).as_posix() for path in source.PACKAGE.glob(source.DECLARATIONS)}
    assert len(files) == len(MODELS) - 2  # HyperCTR's own are declared in models.py
    for path in files:  # so nothing may be computed there
        tree = ast.parse((source.PACKAGE / path).read_text(encoding="utf-8"))
        functions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        assert functions <= {"__post_init__"}, path  # checks of values
        assert not imported(path) - {"__future__", "dataclasses", "typing", "hyperctr"}, path
    assert not files & {path for name in MODELS for path in code_files(name)}


def test_of_a_model_outside_its_file_counts_and_what_that_imports_from_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    text = "import helper\nfrom hyperctr.settings import ModelSpec\nMODEL = ModelSpec('outside:Mine')\nMine = 1\n"
    (tmp_path / "outside.py").write_text(text)
    (tmp_path / "helper.py").write_text("import json\n")
    (tmp_path / "json.txt").write_text("no source")
    try:
        forget()
        before = code_files("outside:Mine")
        assert before.keys() - code_files(REFERENCE_MODEL).keys() == {"./outside.py", "./helper.py"}
        (tmp_path / "helper.py").write_text("import json\nmore = 1\n")
        forget()
        after = code_files("outside:Mine")
        assert {name for name in before if before[name] != after[name]} == {"./helper.py"}
        with pytest.raises(
            ConfigError, match="'outside:Other': module 'outside' declares 'outside:Mine'; name that one"
        ):
            code_files("outside:Other")
    finally:
        forget()
        for name in ("outside", "helper"):
            sys.modules.pop(name, None)


def test_every_model_has_a_class_and_no_other_name_has() -> None:
    assert all(isinstance(model_class(name), type) for name in MODELS)
    for ask in (model_class, code_files, code_fingerprint):
        with pytest.raises(ConfigError, match=r"model 'hyperctrr' is not known; did you mean 'hyperctr'\?"):
            ask("hyperctrr")
