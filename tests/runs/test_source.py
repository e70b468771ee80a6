"""Changed code never answers with old results, and code that a model does not use leaves its runs valid."""

from __future__ import annotations

import ast
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from hyperctr.config import REFERENCE_MODEL, SYSTEMS, Config
from hyperctr.errors import ConfigError
from hyperctr.runs import source
from hyperctr.runs.models import MODELS, model_class
from hyperctr.runs.source import code_files, code_fingerprint

OTHER = "hyperctr.baselines.extra:Extra"
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
    (folder / "baselines" / "extra.py").write_text(EXTRA)
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
        "model/fusion.py",
        "hypergraph/stack.py",
        "training/loop.py",
        "slots.py",
        "runs/experiment.py",
        "runs/run.py",
        "data/splits.py",
        "data/dataset.py",
        "baselines/trivial.py",
        "baselines/__init__.py",
        "runtime.py",
        "statistics.py",
        "baselines/matrix_factorisation.py",
    ],
)
def test_what_every_run_uses_counts_for_all(copy: Path, path: str) -> None:
    assert touched(copy, path) == {"hyperctr", REFERENCE_MODEL, "extra"}


def test_what_one_model_uses_counts_for_it_alone(copy: Path) -> None:
    assert touched(copy, "baselines/extra.py") == {"extra"}
    assert touched(copy, "baselines/helper.py") == {"extra"}
    before = fingerprints()
    (copy / "baselines" / "more.py").write_text("from hyperctr.model.base import ClickModel\n")
    assert fingerprints() == before
    assert code_files("extra").keys() - code_files("hyperctr").keys() == {"baselines/extra.py", "baselines/helper.py"}


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
        "__init__.py",
        "data/registry.py",
    ],
)
def test_what_no_result_depends_on_counts_for_none(copy: Path, path: str) -> None:
    assert touched(copy, path) == set()


def test_words_do_not_count_and_code_beside_them_does(copy: Path) -> None:
    path = copy / "baselines" / "extra.py"
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
    monkeypatch.setitem(MODELS, "extra", OTHER.replace("Extra", "Other"))
    after = fingerprints()
    assert after.pop("extra") != before.pop("extra") and after == before


def test_options_count_as_settings_and_not_as_code() -> None:
    assert not any(path.startswith(source.OPTIONS) for name in MODELS for path in code_files(name))
    for path in (source.PACKAGE / source.OPTIONS).glob("*.py"):  # so nothing may be computed there
        tree = ast.parse(path.read_text())
        functions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        assert functions <= {"__post_init__"}, path  # checks of values
    for name, system in SYSTEMS.items():
        config = Config.preset(name)
        assert config.options == system.options.read(config.options).write(), "every option's value is in the settings"


def test_every_model_has_a_class_and_no_other_name_has() -> None:
    assert all(isinstance(model_class(name), type) for name in MODELS)
    for ask in (model_class, code_files, code_fingerprint):
        with pytest.raises(ConfigError, match=r"model 'hyperctrr' is not known; did you mean 'hyperctr'\?"):
            ask("hyperctrr")
