"""A model of one's own is one file: it trains, is tested for leakage (test_leakage.py) and stands in Table 3."""

from __future__ import annotations

import re
import sys
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest

from hyperctr.cli import main
from hyperctr.config import SYSTEMS, Config
from hyperctr.errors import ConfigError
from hyperctr.models import model_class
from hyperctr.paper.tables.table3_overall import table3_frame
from hyperctr.runs import store
from hyperctr.runs.experiment import train
from hyperctr.runs.run import load_run
from hyperctr.sweeps.plan import open_plan
from hyperctr.sweeps.schema import parse_plan
from hyperctr.sweeps.sweep import Sweep
from tests.conftest import Tiny

EXAMPLE = "docs.examples.two_towers:TwoTowers"
DOCS = Path(__file__).parent.parent / "docs"


def test_the_page_shows_the_file_whole_and_the_file_is_short() -> None:
    text = (DOCS / "examples" / "two_towers.py").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 60
    page = (DOCS / "write-your-own-model.md").read_text(encoding="utf-8")
    assert re.findall(r"```python\n(.*?)```", page, re.DOTALL) == [text]


def test_the_plan_of_the_page_is_laid_out(monkeypatch: pytest.MonkeyPatch) -> None:
    page = (DOCS / "write-your-own-model.md").read_text(encoding="utf-8")
    monkeypatch.syspath_prepend(DOCS / "examples")
    plan = parse_plan(re.findall(r"```toml\n(.*?)```", page, re.DOTALL)[0], Path("page.toml"))
    configs = [plan.config("smoke", changes) for *_, changes in plan.entries("smoke", ())]
    assert [(config.model, config.options.width) for config in configs] == [  # type: ignore[union-attr]
        ("two_towers:TwoTowers", 8),
        ("two_towers:TwoTowers", 64),
    ]


def test_it_trains_by_name_and_is_loaded_again(tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYPERCTR_RUNS", str(tmp_path))
    monkeypatch.setattr(store, "nothing_kept", nullcontext)
    line = ["train", "planted", "--budget", "smoke", "--dry-run", "--set", f"model={EXAMPLE}", "options.width=4"]
    assert main(line) == 0
    run = load_run(*store.run_names())
    dry = ("validation_clicks", "validation_candidates", "test_candidates", "rounds_per_epoch", "points_per_epoch")
    wanted = Config.for_model(EXAMPLE, "smoke", **{name: getattr(run.config, name) for name in dry})
    assert run.config == wanted.replace(**{"options.width": 4})
    assert run.metrics["model"] == EXAMPLE and (run.folder / "code.json").read_text().count("./two_towers.py") == 1
    probabilities = run.predict([run.split_data.data.users[0]] * 2, run.split_data.data.items[:2])
    assert ((probabilities > 0) & (probabilities < 1)).all()


def test_it_learns(tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYPERCTR_RUNS", str(tmp_path))
    config = Config.for_model(EXAMPLE, "smoke", epochs=20, batch_size=32, test_candidates=30, learning_rate=0.01)
    run = train(tiny.data, config, device="cpu")
    assert run.metrics["best_validation_auc"] > 0.6
    assert run.rows["model"].tolist()[:2] == [EXAMPLE, "content matrix factorisation"]


def test_it_stands_in_table_3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYPERCTR_RUNS", str(tmp_path / "runs"))
    before = open_plan("systems", "planted", "smoke")
    assert {run.config.model for run in before.runs} == SYSTEMS.keys()
    monkeypatch.setenv("HYPERCTR_MODELS", EXAMPLE)
    plan = open_plan("systems", "planted", "smoke")
    (run,) = [run for run in plan.runs if run.config not in [other.config for other in before.runs]]
    assert (run.label, run.config) == (f"{EXAMPLE}, table2", Config.for_model(EXAMPLE, "smoke"))
    path = tmp_path / "mine.toml"
    path.write_text(f'title = "mine"\n[[rows]]\nlabel = "mine"\nmodel = "{EXAMPLE}"\n')
    assert [row.run_id for row in open_plan(path, "planted", "smoke").runs] == [run.run_id]
    trained = train(plan.data, run.config, device="cpu")
    row = table3_frame(Sweep("systems", "planted", "smoke")).set_index("model").loc[EXAMPLE]
    assert row["state"] == "done" and np.isclose(row["auc"], trained.metrics["auc"])


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("nowhere.to.be:Found", "", "there is no module 'nowhere.to.be'; write it as module:Class, and run where"),
        ("mine:", "", r'module \'mine\' declares none; write MODEL = ModelSpec\(f"{__name__}:"\) there'),
        ("..mine:Mine", "", "there is no module '..mine'"),
        ("mine:Mine", "from hyperctr.settings import ModelSpec\nMODEL = ModelSpec('mine:Mine')", "has no class 'Mine'"),
    ],
)
def test_what_is_no_model_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str, message: str
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "mine.py").write_text(text)
    try:
        with pytest.raises(ConfigError, match=f"model '{name}': .*{message}"):
            model_class(name)
    finally:
        sys.modules.pop("mine", None)


def test_what_its_module_lacks_is_an_import_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "mine.py").write_text("import nosuchlibrary\n")
    with pytest.raises(ModuleNotFoundError, match="nosuchlibrary"):
        Config(model="mine:Mine")
