"""A wrong parameter stops before a kernel starts, and the message says what is allowed."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import hyperctr as hc
from hyperctr.errors import ConfigError
from hyperctr.parameters import check_injected
from hyperctr.report.execute import Job, run_notebook
from hyperctr.report.notebooks import fits, read_notebook
from tests.report.books import write_book


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"epoch": 5}, "unknown parameter 'epoch': did you mean 'epochs'"),
        ({"zzz": 5}, "unknown parameter 'zzz': allowed: dataset, budget"),
        ({"epochs": "abc"}, "epochs = 'abc' is of type str; allowed: int"),
        ({"epochs": True}, "epochs = True is of type bool; allowed: int"),
        ({"epochs": 2.5}, "epochs = 2.5 is of type float; allowed: int"),
        ({"rates": "[0.1]"}, r"rates = '\[0.1\]' is of type str; allowed: list\[float\]"),
        ({"rates": ["a"]}, r"allowed: list\[float\] \(default \[\]\)"),
        ({"dataset": 3}, "dataset = 3 is of type int; allowed: str"),
    ],
)
def test_a_wrong_parameter_is_refused_and_nothing_started(
    given: dict[str, Any], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("papermill.execute_notebook", lambda *_, **__: pytest.fail("a kernel was started"))
    book = write_book(tmp_path / "book.ipynb")
    with pytest.raises(ConfigError, match=message) as caught:
        run_notebook(Job(book, tmp_path / "out.ipynb", given))
    assert str(book) in str(caught.value)
    assert not (tmp_path / "out.ipynb").exists()


def test_right_parameters_pass(tmp_path: Path) -> None:
    read_notebook(write_book(tmp_path / "book.ipynb")).check({"epochs": 3, "rates": [1, 0.5], "budget": "quick"})


def test_types_comments_and_defaults_are_read(tmp_path: Path) -> None:
    book = write_book(tmp_path / "book.ipynb", parameters="depth = 3\nname = None\nwidth: int = 4  # in mm")
    assert read_notebook(book).parameters == {
        "depth": ("int", "3", ""),
        "name": ("Any", "None", ""),
        "width": ("int", "4", "in mm"),
    }


def test_a_notebook_without_parameters_cell_takes_none(tmp_path: Path) -> None:
    book = write_book(tmp_path / "book.ipynb", parameters="")
    read_notebook(book).check({})
    with pytest.raises(ConfigError, match="no cell tagged 'parameters'"):
        read_notebook(book).check({"epochs": 1})


def test_a_file_that_is_no_notebook_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nothing\.ipynb cannot be read"):
        read_notebook(tmp_path / "nothing.ipynb")
    (tmp_path / "text.ipynb").write_text("not json")
    with pytest.raises(ConfigError, match=r"text\.ipynb cannot be read"):
        read_notebook(tmp_path / "text.ipynb")


@pytest.mark.parametrize(
    ("value", "annotation", "allowed"),
    [
        (None, "Optional[int]", True),
        ("a", "Optional[int]", False),
        ({"a": 1}, "dict[str, int]", True),
        ([1], "dict", False),
        (1, "SomethingElse", True),
        (1.5, "int | float", True),
        ((1, 2), "tuple[int, ...]", True),
        (False, "list[bool]", False),
        ([False], "list[bool]", True),
        ([1], "list[bool]", False),
    ],
)
def test_values_fit_their_annotation(value: Any, annotation: str, allowed: bool) -> None:
    assert fits(value, annotation) is allowed


def test_a_notebook_that_papermill_runs_alone_checks_what_it_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    cells = ["", 'dataset: str = "planted"  # a name\nseed: int = 0', ""]
    shell = SimpleNamespace(kernel=object(), user_ns={"In": cells})
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    for given, message in (
        ("seeds = 3", "unknown parameter 'seeds': did you mean 'seed'"),
        ('seed = "3"', "parameter seed = '3' is of type str; allowed: int .default 0"),
        ('dataset = ["a"]', "parameter dataset = .'a'. is of type list; allowed: str"),
    ):
        cells[2] = f"# Parameters\n{given}\n"
        for open_data in (hc.Session, lambda name: hc.Sweep("layers", name)):
            with pytest.raises(ConfigError, match=message):
                open_data("planted")
    cells[2] = '# Parameters\nseed = 3\npreset = "smoke"\n'  # a former name, which is still read
    check_injected()
    cells[2] = "seeds = 3"  # typed by hand
    check_injected()


def test_papermill_alone_ends_in_one_clear_line(tmp_path: Path) -> None:
    import papermill

    cell = 'import hyperctr as hc\nhc.Session(dataset, budget="smoke", data_options=data_options)'
    parameters = 'dataset: str = "planted"  # a name\ndata_options: object = []  # of the data set'
    book = write_book(tmp_path / "book.ipynb", cell, parameters=parameters)
    with pytest.raises(papermill.PapermillExecutionError, match=r"unknown parameter 'datset': did you mean 'dataset'"):
        papermill.execute_notebook(book, tmp_path / "out.ipynb", {"datset": "planted"}, progress_bar=False)
    given = {"data_options": '["num_users=50", "num_items=80", "num_interactions=900"]'}
    papermill.execute_notebook(book, tmp_path / "out.ipynb", given, progress_bar=False)
