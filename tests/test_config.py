"""Settings: every one is explained and bounded, and means the same in Python, TOML and on the command line."""

from __future__ import annotations

import dataclasses
import inspect
import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hyperctr.baselines.gru4rec import GRU4RecOptions
from hyperctr.config import BUDGETS, HYPERCTR, MEASURED, REFERENCE_MODEL, SYSTEMS, Config
from hyperctr.errors import ConfigError
from hyperctr.models import MODELS
from hyperctr.settings import VARIANTS

FIELDS = {setting.name: setting for setting in dataclasses.fields(Config)}
HINTS = get_type_hints(Config)
NUMBERS = [name for name in FIELDS if HINTS[name] in (int, float)]


def one_of(name: str) -> st.SearchStrategy[Any]:
    """Any value that the setting allows by itself."""
    hint, low, high = HINTS[name], FIELDS[name].metadata["low"], FIELDS[name].metadata["high"]
    if name == "ratios":
        shares = st.tuples(*[st.integers(1, 1000)] * 3)
        return st.just(()) | shares.map(lambda n: (n[0] / sum(n), n[1] / sum(n), 1 - n[0] / sum(n) - n[1] / sum(n)))
    if name == "hidden":
        return st.tuples(st.integers(1, 999), st.integers(1, 999))
    if name == "options":
        return st.none()  # what is allowed depends on the model
    if name == "max_neighbours":
        return st.just(0) | st.integers(2, 99)
    if hint is bool:
        return st.booleans()
    if hint is int:
        return st.integers(low, high if high is not None else 2**40)
    if hint is float:
        return st.floats(low, high, allow_infinity=False)
    if hint is str or get_origin(hint) is tuple:
        words = st.text().filter(lambda text: ":" not in text and text not in MODELS)
        return words if hint is str else st.lists(words).map(tuple)
    return st.sampled_from(get_args(hint))


@st.composite
def configs(draw: st.DrawFn) -> Config:
    names = draw(st.sets(st.sampled_from(sorted(FIELDS))))
    values = {name: draw(one_of(name)) for name in sorted(names)}
    heads = values.get("attention_heads", Config().attention_heads)
    if heads > 2**20:
        heads = values["attention_heads"] = 4
    size = values.get("embedding_size", Config().embedding_size)
    return Config(**{**values, "embedding_size": max(size % 1000 // heads, 2) * heads})


@settings(deadline=None, max_examples=200)
@given(configs())
def test_toml_gives_back_the_same_settings(tmp_path_factory: pytest.TempPathFactory, config: Config) -> None:
    text = config.to_toml()
    assert Config.from_dict(tomllib.loads(text)) == config
    file = tmp_path_factory.getbasetemp() / "config.toml"
    file.write_text(text, encoding="utf-8")
    assert Config.from_toml(file) == config
    assert Config().with_settings(text.strip("\n").split("\n")) == config
    assert list(tomllib.loads(text)) == [name for name in FIELDS if name != "options"]


def test_every_setting_is_explained_typed_and_bounded() -> None:
    for name, setting in FIELDS.items():
        text = setting.metadata["help"]
        assert text.endswith(".") and 10 < len(text) < 120, name
    lacking = [name for name in NUMBERS if FIELDS[name].metadata["low"] is None]
    assert lacking == []
    assert Config() == Config.for_model("hyperctr", "paper")


@pytest.mark.parametrize("name", NUMBERS)
def test_bounds_hold(name: str) -> None:
    low, high = FIELDS[name].metadata["low"], FIELDS[name].metadata["high"]
    step = 1 if HINTS[name] is int else 1e-3
    for bound, beyond in ((low, None if low is None else low - step), (high, None if high is None else high + step)):
        if bound is None:
            continue
        partner = {"embedding_size": 2} if name == "attention_heads" else {}
        assert getattr(Config(**{**partner, name: bound}), name) == bound
        with pytest.raises(ConfigError, match=f"setting {name} = .*out of bounds: must be (at least|between) {low}"):
            Config(**{name: beyond})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"epochs": 3.0}, "setting epochs = 3.0 must be of type int, got float"),
        ({"epochs": True}, "setting epochs = True must be of type int, got bool"),
        ({"epochs": "3"}, "must be of type int, got str"),
        ({"interest_threshold": "0.5"}, "setting interest_threshold = '0.5' must be of type float, got str"),
        ({"interest_threshold": True}, "must be of type float, got bool"),
        ({"interest_threshold": float("nan")}, "setting interest_threshold = nan"),
        ({"weight_decay": float("inf")}, "setting weight_decay = inf"),
        ({"weighted": 1}, "setting weighted = 1 must be of type bool, got int"),
        ({"protocol": "casual"}, "setting protocol = 'casual': did you mean 'causal'?"),
        ({"graph": None}, "setting graph = None"),
        ({"hidden": 64}, "setting hidden = 64 must be a list, for example hidden = \\[...\\]"),
        ({"hidden": "64"}, "must be a list"),
        ({"hidden": (64, 0)}, "setting hidden = \\(64, 0\\) is out of bounds: must be at least 1"),
        ({"hidden": (64, 32, 16)}, "hidden = \\(64, 32, 16\\) must be two widths"),
        ({"modalities": "visual"}, "setting modalities = 'visual' must be a list"),
        ({"modalities": (1,)}, "must be of type str, got int"),
        ({"ratios": (0.5, 0.5)}, "three positive numbers that add up to 1"),
        ({"ratios": (0.5, 0.5, 0.5)}, "three positive numbers that add up to 1"),
        ({"ratios": (0.5, 0.5, 0.0)}, "three positive numbers that add up to 1"),
        ({"embedding_size": 9, "attention_heads": 2}, "embedding_size = 9 must be a multiple of attention_heads = 2"),
        ({"max_neighbours": 1}, "must be 0 \\(all\\) or at least 2"),
        ({"model": "hyperctr+"}, "write Config.for_model\\('hyperctr\\+'\\)"),
    ],
    ids=str,
)
def test_what_contradicts_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Config(**values)


def test_unknown_names_are_corrected_everywhere(tmp_path: Path) -> None:
    file = tmp_path / "run.toml"
    file.write_text("embeding_size = 32\n")
    hint = "unknown setting 'embeding_size': did you mean 'embedding_size'\\?"
    for call in (
        lambda: Config.from_dict({"embeding_size": 32}),
        lambda: Config().replace(embeding_size=32),
        lambda: Config().with_settings(["embeding_size=32"]),
        lambda: Config.for_model(embeding_size=32),
    ):
        with pytest.raises(ConfigError, match=f"^{hint}"):
            call()
    with pytest.raises(ConfigError, match=f"run.toml: {hint}"):
        Config.from_toml(file)
    for model, budget, message in (
        ("hyperctr", "quik", "'quik'; did you mean 'quick'?"),
        ("hypercrt", "quick", "'hyp"),
    ):
        with pytest.raises(ConfigError, match=f"there is no (model|budget) {message}".replace("?", "\\?")):
            Config.for_model(model, budget)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    file = tmp_path / "run.toml"
    with pytest.raises(ConfigError, match="run.toml: no such settings file"):
        Config.from_toml(file)
    for content in (b"epochs = \n", b"\xff\xfe", b"epochs = 3\nepochs = 4\n"):
        file.write_bytes(content)
        with pytest.raises(ConfigError, match="run.toml: not valid TOML"):
            Config.from_toml(file)


def test_values_on_the_command_line_are_written_as_in_toml() -> None:
    line = [
        "epochs=3",
        "interest_threshold = 0.25",
        "protocol=causal",
        "hidden=[64, 32]",
        'modalities=["visual"]',
        "weighted=false",
    ]
    config = Config().with_settings(line)
    assert (config.epochs, config.interest_threshold, config.protocol, config.hidden) == (3, 0.25, "causal", (64, 32))
    assert (config.modalities, config.weighted) == (("visual",), False)
    assert Config(interest_threshold=1) == Config(interest_threshold=1.0)
    assert Config().with_settings(["model=hyperctr+"]) == Config.for_model("hyperctr+")
    assert Config().with_settings(["model=hyperctr+", "embedding_size=16"]).embedding_size == 16
    with pytest.raises(ConfigError, match="'epochs' must be written key=value"):
        Config().with_settings(["epochs"])


def test_budgets_and_models_change_only_what_they_say() -> None:
    for model, spec in MODELS.items():
        for budget, changes in BUDGETS.items():
            config = Config.for_model(model, budget, seed=5)
            options: dict[str, Any] = {}
            expected = dataclasses.asdict(Config())
            if model not in HYPERCTR:
                expected["average_epochs"] = 0.0  # the last weights, unless it says otherwise
            for step in (changes, spec.settings, spec.budgets.get(budget, {})):
                expected |= step
                options |= step.get("options", {})
            expected["options"] = None if spec.options is None else dataclasses.asdict(spec.options(**options))
            assert dataclasses.asdict(config) == {**expected, "model": model, "seed": 5}
    assert list(BUDGETS) == ["smoke", "quick", "paper"]


def test_the_reference_is_measured_alike() -> None:
    config = Config(
        seed=3,
        protocol="causal",
        split="temporal",
        ratios=(0.6, 0.2, 0.2),
        modalities=("visual",),
        slot_count=4,
        test_candidates=50,
        validation_clicks=7,
        epochs=2,
        layers=1,
    )
    reference = config.reference()
    assert reference.model == REFERENCE_MODEL
    assert {name: getattr(reference, name) for name in MEASURED} == {name: getattr(config, name) for name in MEASURED}
    assert reference.epochs <= MODELS[REFERENCE_MODEL].settings["epochs"]
    assert reference.reference() == reference.replace(epochs=reference.reference().epochs)
    assert Config(layers=2, dropout=0.1, hidden=(8, 8)).reference() == Config().reference()  # one run serves all


def test_settings_cannot_change_under_a_run() -> None:
    config = Config()
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.seed = 1  # type: ignore[misc]
    assert hash(config) == hash(Config()) and config.replace(seed=1) != config
    assert set(inspect.signature(Config).parameters) == set(FIELDS)


def test_options_of_a_model_are_typed_complete_and_canonical(tmp_path: Path) -> None:
    config = Config.for_model("gru4rec")
    assert config.options == GRU4RecOptions(units=64, recurrent=True) == Config(model="gru4rec").options
    wide = config.replace(**{"options.units": 32})
    assert wide.options == GRU4RecOptions(units=32) and hash(wide) != hash(config)
    file = tmp_path / "table.toml"
    file.write_text(wide.to_toml().partition("options.")[0] + "[options]\nunits = 32\n")
    for same in (
        config.replace(options={"units": 32}),
        config.replace(options=GRU4RecOptions(32)),
        config.with_settings(["options.units=32"]),
        config.with_settings(["options={units = 32}"]),
        Config.for_model("gru4rec", options={"units": 32}),
        Config.from_dict(tomllib.loads(wide.to_toml())),
        Config.from_dict(json.loads(json.dumps(dataclasses.asdict(wide)))),
        Config().with_settings(wide.to_toml().strip("\n").split("\n")),
        Config.from_toml(file),
    ):
        assert same == wide and hash(same) == hash(wide) and same.options == GRU4RecOptions(32, True)
    assert wide.replace(seed=3).options == wide.options
    assert wide.replace(**{"options.recurrent": False}).options == GRU4RecOptions(32, False)
    assert wide.replace(model="hyperctr", hidden=(8, 4)).options is None
    assert Config().with_settings(["model=gru4rec", "options.units=32"]) == wide
    assert Config(model="din", options={"units": [80, 40]}) == Config(model="din")
    for value, message in (
        ({"unit": 3}, "model 'gru4rec': unknown option 'unit': did you mean 'units'?"),
        ({"units": 3.5}, "model 'gru4rec': option units = 3.5 must be of type int"),
        ({"units": 0}, "option units = 0 is out of bounds: must be at least 1"),
        (["units=3"], r"options = \['units=3'\] must be a table of a model's own settings, such as options.units = 64"),
        ("units=3", "options = 'units=3' must be a table"),
    ):
        with pytest.raises(ConfigError, match=message.replace("?", "\\?")):
            config.replace(options=value)
    with pytest.raises(ConfigError, match="model 'hyperctr' has no options of its own, got {'units': 3}; remove them"):
        Config(options={"units": 3})  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="model 'hyperctr' has no GRU4RecOptions; build the model that the settings"):
        GRU4RecOptions.of(Config())


def test_a_system_has_one_variant_or_two() -> None:
    for name, system in SYSTEMS.items():
        assert tuple(system.variants) == VARIANTS[: 1 if system.author is None else 2]
        for variant, changes in system.variants.items():
            config = Config.for_model(name, variant=variant)
            plain = dataclasses.asdict(config)
            for key, value in changes.items():
                assert plain[key] == ({**plain[key], **value} if key == "options" else value)
        for option in dataclasses.fields(system.options) if system.options else ():
            assert option.metadata["help"].endswith("."), f"{name}, option {option.name}"
    for wrong in ({"variant": "authors"}, {"model": "hyperctr", "variant": "author"}):
        with pytest.raises(ConfigError, match="variant"):
            Config.for_model(**{"model": "gru4rec", **wrong})


def test_all_models_of_the_library_are_planned_without_torch() -> None:
    code = (
        "import sys; from hyperctr.config import SYSTEMS; from hyperctr.sweeps.plan import open_plan\n"
        "rows = 3 + sum(len(system.variants) for system in SYSTEMS.values())  # hyperctr, hyperctr+, the reference\n"
        "assert len(open_plan('causal', 'planted', 'smoke').runs) == rows; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[1]).returncode == 0


def test_the_former_name_still_answers_and_warns() -> None:
    with pytest.warns(FutureWarning, match="Config.preset is now Config.for_model"):
        assert Config.preset("din", "quick", "author", seed=2) == Config.for_model("din", "quick", "author", seed=2)


@pytest.mark.parametrize(
    ("former", "value", "name", "now"),
    [
        ("delta", 0.4, "interest_threshold", 0.4),
        ("delta_quantile", True, "threshold_is_quantile", True),
        ("neighbours", 5, "max_neighbours", 5),
        ("protocol", "paper", "protocol", "as-published"),
    ],
)
def test_former_settings_are_read_and_warn_once(former: str, value: Any, name: str, now: Any, tmp_path: Path) -> None:
    expected = Config(**{name: now})
    file = tmp_path / "old.toml"
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    file.write_text(f"{former} = {text}\n")
    for read in (
        lambda: Config.from_dict({former: value}),
        lambda: Config(model="din").replace(model="hyperctr", **{former: value}),
        lambda: Config().with_settings([f"{former}={text}"]),
        lambda: Config(model="din").with_settings(["model=hyperctr", f"{former}={text}"]),
        lambda: Config.from_toml(file),
    ):
        with pytest.warns(FutureWarning, match=f"{value if former == 'protocol' else former}' is called '") as warned:
            config = read()
        assert (config, len(warned)) == (expected, 1)


def test_the_former_protocol_is_read_by_the_class_itself() -> None:
    with pytest.warns(FutureWarning, match="protocol 'paper' is called 'as-published' now") as warned:
        assert Config(protocol="paper") == Config()  # type: ignore[arg-type]
    assert len(warned) == 1


def test_a_constructor_takes_former_names_and_hints_at_the_right_one() -> None:
    with pytest.warns(FutureWarning, match="setting 'delta' is called 'interest_threshold' now"):
        assert Config(delta=0.4).interest_threshold == 0.4  # type: ignore[call-arg]
    with pytest.raises(ConfigError, match="unknown setting 'epocs': did you mean 'epochs'"):
        Config(epocs=3)  # type: ignore[call-arg]
