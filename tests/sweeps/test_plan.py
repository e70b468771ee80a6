"""Plans: what runs there are is known before anything is trained, and nothing unknown is let through."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import pytest

from hyperctr.config import REFERENCE_MODEL, SYSTEMS, Config
from hyperctr.errors import ConfigError, DataError
from hyperctr.runs.store import run_id
from hyperctr.sweeps.jobs import jobs_of
from hyperctr.sweeps.plan import known_plans, open_plan, read_plan
from hyperctr.sweeps.schema import parse_plan

ROWS = '[[rows]]\nlabel = "a"\n'
OWN = ("hyperctr+", "hyperctr")
VARY = '[[vary]]\nsetting = "layers"\nvalues = [1, 2]\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("title = 3", "title = 3 must be text, got int"),
        ('title = "t"\nrow = 1', "unknown key 'row': did you mean 'rows'?"),
        ('title = "t"', "the plan has no runs: add [[vary]] or [[rows]]"),
        (ROWS, "the plan needs a title"),
        ('title = "t"\nmodel = "hyper"\n' + ROWS, "model = 'hyper' is not known; did you mean 'hyperctr'?"),
        ('title = "t"\n[settings]\nepoch = 3\n' + ROWS, "unknown setting 'epoch': did you mean 'epochs'?"),
        ('title = "t"\n[settings]\nepochs = "3"\n' + ROWS, "setting epochs = '3' must be of type int, got str"),
        (
            'title = "t"\n[settings]\nseed = 3\n' + ROWS,
            "settings.seed cannot be set here: give the number of seeds under each budget",
        ),
        (
            'title = "t"\n' + VARY.replace("layers", "layer"),
            "vary[1].setting: unknown setting 'layer': did you mean 'layers'?",
        ),
        (
            'title = "t"\n' + VARY.replace("2]", "2, 99]"),
            "layers '99' at budget smoke: setting layers = 99 is out of bounds: must be between 0 and 16",
        ),
        ('title = "t"\n' + VARY.replace("2]", "1]"), "vary[1].values = [1, 1] names a value twice"),
        (
            'title = "t"\n' + VARY.replace("2]", '"x"]'),
            "vary[1].values: 'x' is no number; cases that are no numbers are [[rows]]",
        ),
        ('title = "t"\n' + VARY + VARY, "vary[2].setting = 'layers' is varied twice: give all its values at once"),
        (
            'title = "t"\n' + VARY + "[quick]\nvalues.layer = [1]",
            "quick.values.layer is not varied by this plan: did you mean 'layers'?",
        ),
        ('title = "t"\n' + VARY + "[quick]\nseeds = true", "quick.seeds = True must be a whole number, got bool"),
        ('title = "t"\n' + VARY + "[quick]\nseeds = 0", "quick.seeds = 0 must be at least 1"),
        ('title = "t"\n' + VARY + "[quik]\nseeds = 1", "unknown key 'quik': did you mean 'quick'?"),
        ('title = "t"\n' + ROWS + ROWS, "rows[2].label = 'a' names two rows"),
        (
            'title = "t"\n' + ROWS + 'modalities = "each"',
            "rows[1].label = 'a': modalities = 'each' and {modality} in the label go together",
        ),
        (
            'title = "t"\n' + ROWS + 'variant = "author"',
            "case 'a' at budget smoke: model 'hyperctr' has one variant only; variants belong to alpine",
        ),
        (
            'title = "t"\n' + ROWS + 'model = "dstn"\nvariant = "authors"',
            "case 'a' at budget smoke: there is no variant 'authors'; did you mean 'author'?",
        ),
        ('title = "t"\n' + ROWS + 'model = "each"', "rows[1].label = 'a': model = 'each' and {model} in the label"),
        ('title = "t"\non_request = 1\n' + ROWS, "on_request = 1 must be true or false, got int"),
        ('title = "t"\n' + ROWS + '[quick]\nrows = ["b"]', "quick.rows: 'b' is not known; allowed: a"),
        ('title = "t"\ncompare_with = "A"\n' + ROWS, "compare_with = 'A' is no row at budget smoke; allowed: a"),
        ("title = ", "not valid TOML: "),
    ],
)
def test_what_is_wrong_in_a_plan_is_named(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse_plan(text, Path("p.toml"))
    assert str(error.value).startswith(f"p.toml: {message}")


def test_a_plan_on_the_wrong_data_stops_before_it_starts(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^data set 'plantet' is not known; did you mean 'planted'\?$"):
        open_plan("layers", "plantet")
    plan = tmp_path / "p.toml"
    plan.write_text('title = "t"\n[[rows]]\nlabel = "a"\nmodalities = ["visuel"]')
    with pytest.raises(
        DataError, match=r"p.toml: case 'a': data set .* has no modality 'visuel'; did you mean 'visual'"
    ):
        open_plan(plan, budget="smoke")
    with pytest.raises(ConfigError, match=r"^there is no budget 'quik'; did you mean 'quick'\?$"):
        open_plan("layers", budget="quik")
    with pytest.raises(ConfigError, match="no such plan file$"):
        open_plan(tmp_path / "nosuch.toml")


def test_all_plans_share_the_base_run_which_is_trained_once() -> None:
    every = [open_plan(name, "planted", "quick") for name in known_plans()]
    assert [plan.name for plan in every if plan.file.on_request] == ["causal", "systems"]
    plans = [plan for plan in every if not plan.file.on_request]
    base = run_id(plans[0].data, plans[0].base)
    shared = {plan.name: sum(run.run_id == base for run in plan.runs) for plan in plans}
    expected = ("granularity", "layers", "modalities", "overall", "protocols", "sensitivity")
    assert shared == dict.fromkeys(expected, 1)
    distinct = jobs_of(plans)
    # beside the base run, hyperctr+ as it comes is in two plans
    assert len(distinct) == sum(len(plan.runs) for plan in plans) - (len(plans) - 1) - 1
    models = Counter(job.config.model for job in distinct)
    assert 15 <= models["hyperctr"] <= 25 and models[REFERENCE_MODEL] == 1


def test_the_papers_grid() -> None:
    varied = {key: values for name in known_plans() for key, values in read_plan(name).sweeps.items()}
    assert varied == {
        "layers": (1, 2, 3, 4, 5, 6),
        "slot_months": (1, 2, 3, 6, 9, 12, 18),
        "embedding_size": (8, 16, 32, 64, 128, 256),
        "max_neighbours": (5, 10, 15, 20, 25, 30, 40),
    }
    for name in known_plans():
        budget = read_plan(name).budgets["paper"]
        assert budget.seeds == 5 and budget.datasets == ("kuaishou", "mv1.7m", "movielens-10m") and not budget.values


def test_every_system_is_run_in_all_its_variants() -> None:
    for name, protocol, more in (("systems", "as-published", []), ("causal", "causal", [*OWN, REFERENCE_MODEL])):
        plan = open_plan(name, "planted", "quick", seeds=2)
        systems = [run for run in plan.runs if run.config.model not in more]
        assert [(run.label, run.config) for run in systems] == [
            (f"{model}, {variant}", Config.for_model(model, "quick", variant, protocol=protocol, seed=seed))
            for model in SYSTEMS
            for variant in SYSTEMS[model].variants
            for seed in (0, 1)
        ]
        assert [run.label for run in plan.runs if run not in systems] == [name for name in more for _ in (0, 1)]
        assert {run.config.protocol for run in plan.runs} == {protocol}


def test_runs_of_a_plan_by_value(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        'title = "t"\ncompare_with = "all"\nsettings.epochs = 7\n'
        + VARY
        + '[[rows]]\nlabel = "all"\n[[rows]]\nlabel = "only {modality}"\nmodalities = "each"\n[[rows]]\nlabel = "x"\n'
        + f'[[rows]]\nlabel = "mf"\nmodel = "{REFERENCE_MODEL}"\n'
        + '[smoke]\nseeds = 2\nvalues.layers = [4]\nrows = ["all", "only {modality}", "mf"]\nsettings.patience = 9\n'
    )
    plan = open_plan(path, budget="smoke")
    assert [(run.setting, run.label, run.seed) for run in plan.runs] == [
        (setting, label, seed)
        for setting, label in [
            ("layers", "4"),
            ("case", "all"),
            *(("case", f"only {m}") for m in plan.data.modalities),
            ("case", "mf"),
        ]
        for seed in (0, 1)
    ]
    first, last = plan.runs[0], plan.runs[-1]
    assert (first.plan, first.value, first.config.layers, first.config.epochs) == ("mine", 4.0, 4, 7)
    assert math.isnan(plan.runs[2].value) and plan.runs[4].config.modalities == ("visual",)
    assert {run.config.patience for run in plan.runs[:-2]} == {9}
    # a row of the reference is the very run that every other run is tested beside
    assert last.run_id == run_id(plan.data, first.config.replace(seed=1).reference())
    ids = {(run.label, run.seed): run.run_id for run in plan.runs}
    assert plan.pairs()[:3] == [
        (ids["all", seed], ids[f"only {name}", seed]) for name, seed in [("visual", 0), ("visual", 1), ("acoustic", 0)]
    ]
    assert len(open_plan(path, budget="smoke", seeds=1).runs) == 6
