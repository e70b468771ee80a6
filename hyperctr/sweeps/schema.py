"""A plan file, read strictly: every key and value is checked for all budgets before anything starts.

A typo that runs with a default gives a wrong table silently, so nothing unknown is let through here.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hyperctr.config import BUDGETS, REFERENCE_MODEL, SYSTEMS, Config
from hyperctr.errors import ConfigError, did_you_mean
from hyperctr.models import MODELS, is_known, model_spec, own_models
from hyperctr.settings import VARIANTS

EACH = "each"  # as a case's value of one of these: a case per modality of the data, per system, per variant of a system
PLACES = {"modalities": "{modality}", "model": "{model}", "variant": "{variant}"}  # where the label names it
Entry = tuple[str, str, float, dict[str, Any]]  # setting or "case", label, value, what it changes
KINDS: dict[str, type] = {
    **{"title": str, "model": str, "settings": dict, "vary": list, "rows": list},
    **{"compare_with": str, "on_request": bool, **dict.fromkeys(BUDGETS, dict)},
}
BUDGET_KINDS: dict[str, type] = {"seeds": int, "datasets": list, "settings": dict, "values": dict, "rows": list}
KIND_WORDS = {dict: "a table", list: "a list", str: "text", int: "a whole number", bool: "true or false"}


@dataclass(frozen=True)
class BudgetChanges:
    """What a budget changes in a plan: how many seeds, the data sets it is meant for, settings on top of the plan's.

    Attributes:
        values: varied setting -> the values it takes instead.
        rows: labels of the cases kept; None keeps all.
    """

    seeds: int = 1
    datasets: tuple[str, ...] = ("planted",)
    settings: dict[str, Any] = field(default_factory=dict)
    values: dict[str, tuple[float, ...]] = field(default_factory=dict)
    rows: tuple[str, ...] | None = None


@dataclass(frozen=True)
class PlanFile:
    """A plan as written in the file ``path``, for any data set and budget.

    Attributes:
        sweeps: ``[[vary]]``, setting -> values: each is varied on its own, everything else as in the base run.
        cases: ``[[rows]]``, label -> what it changes, perhaps ``model``, and ``variant``: ``table2`` or ``author``,
            whose settings a system has.
        on_request: a report shows its runs where there are any, and trains none; ``hyperctr sweep run`` does.
        budgets: what each budget changes.
    """

    path: Path
    title: str
    model: str
    settings: dict[str, Any]
    sweeps: dict[str, tuple[float, ...]]
    cases: dict[str, dict[str, Any]]
    compare_with: str
    on_request: bool
    budgets: dict[str, BudgetChanges] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The file's name without the ending."""
        return self.path.stem

    def entries(self, budget: str, modalities: tuple[str, ...]) -> Iterator[Entry]:
        """Yield what is run at ``budget`` on data with ``modalities``: varied settings, then cases, as written."""
        chosen = self.budgets[budget]
        for setting, values in self.sweeps.items():
            for value in chosen.values.get(setting, values):
                yield setting, str(value), float(value), {setting: value}
        for label, changes in self.cases.items():
            if chosen.rows is None or label in chosen.rows:
                for name, settings in _expand(label, changes, modalities):
                    yield "case", name, float("nan"), settings

    def config(self, budget: str, changes: Mapping[str, Any], seed: int = 0) -> Config:
        """Return the settings of one run; ``changes`` of nothing gives the base run.

        A case of the reference model gets the settings of the reference shown beside the base run: they are one run.
        """
        settings = {**self.settings, **self.budgets[budget].settings, "seed": seed}
        model = changes.get("model", self.model)
        rest = {name: value for name, value in changes.items() if name != "model"}
        if model == REFERENCE_MODEL != self.model:
            return Config.for_model(self.model, budget, **settings).reference().replace(**rest)
        return Config.for_model(model, budget, **{**settings, **rest})


def parse_plan(text: str, path: Path) -> PlanFile:
    r"""Read a plan.

    Raises:
        ConfigError: names the file, the key, what is allowed and the nearest right name.

    >>> parse_plan('title = "t"\nrow = 3', Path("p.toml"))
    Traceback (most recent call last):
    hyperctr.errors.ConfigError: p.toml: unknown key 'row': did you mean 'rows'?
    """
    try:
        content = tomllib.loads(text)
        check_keys(content, KINDS)
        if not content.get("title"):
            raise ConfigError("the plan needs a title")
        model, settings = content.get("model", "hyperctr"), content.get("settings", {})
        sweeps, cases = _sweeps(content.get("vary", [])), _cases(content.get("rows", []))
        compare_with, on_request = content.get("compare_with", ""), content.get("on_request", False)
        if not sweeps and not cases:
            raise ConfigError("the plan has no runs: add [[vary]] or [[rows]]")
        known_model(model, "model")
        plan = PlanFile(path, content["title"], model, settings, sweeps, cases, compare_with, on_request)
        for budget in BUDGETS:
            plan.budgets[budget] = _budget_changes(content.get(budget, {}), budget, plan)
            _check_runs(plan, budget)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error
    return plan


def check_keys(table: Mapping[str, Any], kinds: Mapping[str, type], where: str = "") -> None:
    """Refuse keys that are not known and values of another kind; ``where`` is put before the key."""
    for key, value in table.items():
        if key not in kinds:
            raise ConfigError(f"unknown key {where + key!r}: {did_you_mean(key, kinds)}")
        if type(value) is not kinds[key]:
            wanted = KIND_WORDS[kinds[key]]
            raise ConfigError(f"{where}{key} = {value!r} must be {wanted}, got {type(value).__name__}")


def known_setting(name: Any, where: str, also: tuple[str, ...] = ()) -> None:
    """Refuse what is no setting of a run that a plan may change."""
    known = [setting for setting in Config.__dataclass_fields__ if setting not in ("seed", "model")]
    if name not in known and name not in also:
        raise ConfigError(f"{where}: unknown setting {name!r}: {did_you_mean(str(name), known)}")


def known_model(name: Any, where: str) -> None:
    """Refuse what is no model."""
    if not is_known(str(name)):
        raise ConfigError(f"{where} = {name!r} is not known; {did_you_mean(str(name), MODELS)}")


def _sweeps(tables: list[Any]) -> dict[str, tuple[float, ...]]:
    sweeps: dict[str, tuple[float, ...]] = {}
    for where, table in _tables(tables, "vary"):
        kinds = {"setting": str, "values": list}
        check_keys(table, kinds, where)
        if missing := kinds.keys() - table.keys():
            raise ConfigError(f"{where}{min(missing)} is missing")
        setting = table["setting"]
        known_setting(setting, f"{where}setting")
        if setting in sweeps:
            raise ConfigError(f"{where}setting = {setting!r} is varied twice: give all its values at once")
        sweeps[setting] = _values(table["values"], f"{where}values")
    return sweeps


def _cases(tables: list[Any]) -> dict[str, dict[str, Any]]:
    cases: dict[str, dict[str, Any]] = {}
    for where, table in _tables(tables, "rows"):
        label = table.get("label")
        if not isinstance(label, str) or not label:
            raise ConfigError(f"{where}label is missing: every row needs a name")
        if label in cases:
            raise ConfigError(f"{where}label = {label!r} names two rows")
        cases[label] = changes = {key: value for key, value in table.items() if key != "label"}
        for key in changes:
            known_setting(key, where + key, also=("model", "variant"))
        if changes.get("model", EACH) != EACH:
            known_model(changes["model"], f"{where}model")
        for key, place in PLACES.items():
            if (changes.get(key) == EACH) != (place in label):
                raise ConfigError(f"{where}label = {label!r}: {key} = {EACH!r} and {place} in the label go together")
    return cases


def _tables(tables: list[Any], name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the tables of ``[[name]]``, each after what messages put before its keys."""
    for number, table in enumerate(tables, 1):
        if not isinstance(table, dict):
            raise ConfigError(f"{name}[{number}] = {table!r} must be a table, got {type(table).__name__}")
        yield f"{name}[{number}].", table


def _values(values: Any, where: str) -> tuple[float, ...]:
    if not isinstance(values, list) or not values:
        raise ConfigError(f"{where} = {values!r} must be a list of numbers")
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ConfigError(f"{where}: {value!r} is no number; cases that are no numbers are [[rows]]")
    if len(set(values)) < len(values):
        raise ConfigError(f"{where} = {values} names a value twice")
    return tuple(values)


def _expand(label: str, changes: dict[str, Any], modalities: tuple[str, ...]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the cases that one stands for, label and changes: several where a value is ``each``."""
    key = next((key for key in PLACES if changes.get(key) == EACH), None)
    if key is None:
        yield label, changes
        return
    variants = model_spec(changes["model"]).variants if key == "variant" and "model" in changes else VARIANTS
    for value in {"modalities": modalities, "model": (*SYSTEMS, *own_models()), "variant": variants}[key]:
        name = label.replace(PLACES[key], value)
        yield from _expand(name, {**changes, key: [value] if key == "modalities" else value}, modalities)


def _budget_changes(table: dict[str, Any], name: str, plan: PlanFile) -> BudgetChanges:
    where, labels = f"{name}.", list(plan.cases)
    check_keys(table, BUDGET_KINDS, where)
    if table.get("seeds", 1) < 1:
        raise ConfigError(f"{where}seeds = {table['seeds']} must be at least 1")
    for key in table.get("values", {}):
        if key not in plan.sweeps:
            raise ConfigError(f"{where}values.{key} is not varied by this plan: {did_you_mean(key, plan.sweeps)}")
    for label in table.get("rows", []):
        if label not in labels:
            raise ConfigError(f"{where}rows: {label!r} is not known; {did_you_mean(str(label), labels)}")
    for dataset in table.get("datasets", []):
        if not isinstance(dataset, str):
            raise ConfigError(f"{where}datasets: {dataset!r} is not known; write names in quotes")
    kept = table.get("rows", labels)
    if plan.compare_with and plan.compare_with not in kept:
        hint = did_you_mean(plan.compare_with, kept)
        raise ConfigError(f"compare_with = {plan.compare_with!r} is no row at budget {name}; {hint}")
    lists = {key: tuple(entries) for key, entries in table.items() if key in ("datasets", "rows")}
    values = {key: _values(given, f"{where}values.{key}") for key, given in table.get("values", {}).items()}
    return BudgetChanges(**{**table, **lists, "values": values})


def _check_runs(plan: PlanFile, budget: str) -> None:
    """Build the settings of every run once: types and bounds are those of Config."""
    fixes = {"seed": "give the number of seeds under each budget", "model": "write it at the top of the plan"}
    for key in fixes.keys() & (plan.settings | plan.budgets[budget].settings).keys():
        raise ConfigError(f"settings.{key} cannot be set here: {fixes[key]}")
    plan.config(budget, {})
    for setting, label, _, changes in plan.entries(budget, ("visual",)):
        try:
            plan.config(budget, changes)
        except ConfigError as error:
            raise ConfigError(f"{setting} {label!r} at budget {budget}: {error}") from error
