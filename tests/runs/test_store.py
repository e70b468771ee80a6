"""What names a run: the same settings, data and code give the same id, anything else another."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from hyperctr.config import Config
from hyperctr.errors import RunError
from hyperctr.models import MODELS
from hyperctr.runs import store
from tests.conftest import TINY_SIZES, Tiny


def changed(name: str) -> Config:
    """The defaults with one setting changed to another that is allowed."""
    value = getattr(Config(), name)
    choices = get_args(get_type_hints(Config)[name])
    special = {
        "model": MODELS.keys() - {value, "hyperctr+"},
        "ratios": [(0.6, 0.2, 0.2)],
        "modalities": [("visual",)],
        "hidden": [(64, 32)],
        "attention_heads": [4],
    }
    if name in special:
        return Config(**{name: next(iter(special[name]))})
    if isinstance(value, bool):
        return Config(**{name: not value})
    if isinstance(value, str):
        return Config(**{name: next(choice for choice in choices if choice != value)})
    return Config(**{name: value + 2 if isinstance(value, int) else value / 2 or 0.5})


# `options` are those of one system, which the model of the defaults does not have
@pytest.mark.parametrize("name", [one.name for one in dataclasses.fields(Config) if one.name != "options"])
def test_every_setting_counts(tiny: Tiny, name: str) -> None:
    assert store.run_id(tiny.data, changed(name)) != store.run_id(tiny.data, Config())


def test_ids_are_stable_and_depend_on_the_data(tiny: Tiny) -> None:
    import hyperctr as hc

    here = store.run_id(tiny.data, Config())
    assert len(here) == 12 and set(here) <= set("0123456789abcdef")
    code = (
        "import hyperctr as hc; from hyperctr.runs.store import run_id;"
        f"print(run_id(hc.load_dataset('planted', **{TINY_SIZES}), hc.Config()))"
    )
    elsewhere = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONHASHSEED": "17"},
    )
    assert elsewhere.stdout.strip() == here
    assert store.run_id(hc.load_dataset("planted", seed=1, **TINY_SIZES), Config()) != here
    assert store.run_id(tiny.data.subset_modalities(["visual"]), Config()) != here


def test_the_store_is_where_it_is_said_to_be(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HYPERCTR_RUNS", str(tmp_path))
    assert store.runs_folder() == tmp_path
    monkeypatch.delenv("HYPERCTR_RUNS")
    assert store.runs_folder() == Path(__file__).parents[2] / "reports" / "runs"
    monkeypatch.setattr(store, "PACKAGE", tmp_path / "site-packages" / "hyperctr")  # installed: no checkout around
    monkeypatch.chdir(tmp_path)
    assert store.runs_folder() == tmp_path / "reports" / "runs"


def test_runs_are_found_by_the_beginning_of_their_id(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HYPERCTR_RUNS", str(tmp_path))
    with pytest.raises(RunError, match="no run 'abc'.*empty; train one with `hyperctr train planted`"):
        store.find_run("abc")
    for name in ("abc123", "abd456"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.toml").write_text(json.dumps(None))
    assert store.find_run("abc") == tmp_path / "abc123"
    assert store.find_run(str(tmp_path / "abd456")) == tmp_path / "abd456"
    for name, message in (("ab", "2 runs begin with 'ab'"), ("abd457", "no run 'abd457'.*abd456"), ("", "no run ''")):
        with pytest.raises(RunError, match=message):
            store.find_run(name)
