"""A plan file, read strictly: every key and value is checked for all presets before anything starts.

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

EACH = "each"  # as a row's value of one of these: a row per modality of the data, per system, per preset of a system
PLACES = {"modalities": "{modality}", "model": "{model}", "variant": "{variant}"}  # where the label names it
Entry = tuple[str, str, float, dict[str, Any]]  # axis, label, value, what it changes
KINDS: dict[str, type | tuple[type, ...]] = {
    "title": str,
    "model": str,
    "settings": dict,
    "vary": list,
    "rows": list,
    "compare_with": str,
    "on_request": bool,
    **dict.fromkeys(BUDGETS, dict),
}
PRESET_KINDS: dict[str, type] = {"seeds": int, "datasets": list, "settings": dict, "values": dict, "rows": list}


@dataclass(frozen=True)
class Axis:
    """One setting that is varied on its own, everything else as in the base run."""

    setting: str
    values: tuple[float, ...]


@dataclass(frozen=True)
class Row:
    """One named row; ``changes`` are settings, among them perhaps ``model``, and ``variant``, the system's preset."""

    label: str
    changes: dict[str, Any]

    def expand(self, modalities: tuple[str, ...]) -> list[tuple[str, dict[str, Any]]]:
        """Return the rows that it stands for, label and changes: several where a value is ``each``."""
        rows = [(self.label, self.changes)]
        for key, place in PLACES.items():
            if self.changes.get(key) == EACH:
                rows = [
                    (label.replace(place, value), {**changes, key: [value] if key == "modalities" else value})
                    for label, changes in rows
                    for value in _each(key, changes, modalities)
                ]
        return rows


@dataclass(frozen=True)
class Preset:
    """What a preset changes in a plan.

    Attributes:
        seeds: how many seeds, from 0.
        datasets: the data sets it is meant for.
        settings: on top of the plan's.
        values: setting of an axis -> the values it takes instead.
        rows: labels of the rows kept; None keeps all.
    """

    seeds: int = 1
    datasets: tuple[str, ...] = ("planted",)
    settings: dict[str, Any] = field(default_factory=dict)
    values: dict[str, tuple[float, ...]] = field(default_factory=dict)
    rows: tuple[str, ...] | None = None


@dataclass(frozen=True)
class PlanFile:
    """A plan as written, for any data set and preset.

    ``on_request``: a report shows its runs where there are any, and trains none; ``hyperctr sweep run`` does.
    """

    name: str
    path: Path
    title: str
    model: str
    settings: dict[str, Any]
    axes: tuple[Axis, ...]
    rows: tuple[Row, ...]
    compare_with: str
    presets: dict[str, Preset]
    on_request: bool = False

    def entries(self, preset: str, modalities: tuple[str, ...]) -> Iterator[Entry]:
        """Yield what is run at ``preset`` on data with ``modalities``: axes first, then rows, as written."""
        chosen = self.presets[preset]
        for axis in self.axes:
            for value in chosen.values.get(axis.setting, axis.values):
                yield axis.setting, str(value), float(value), {axis.setting: value}
        for row in self.rows:
            if chosen.rows is not None and row.label not in chosen.rows:
                continue
            for label, changes in row.expand(modalities):
                yield "row", label, float("nan"), changes

    def config(self, preset: str, changes: Mapping[str, Any], seed: int = 0) -> Config:
        """Return the settings of one run; ``changes`` of nothing gives the base run.

        A row of the reference model gets the settings of the reference shown beside the base run: they are one run.
        """
        settings = {**self.settings, **self.presets[preset].settings, "seed": seed}
        model = changes.get("model", self.model)
        rest = {name: value for name, value in changes.items() if name != "model"}
        if model == REFERENCE_MODEL != self.model:
            return Config.for_model(self.model, preset, **settings).reference().replace(**rest)
        return Config.for_model(model, preset, **{**settings, **rest})


def _each(key: str, changes: Mapping[str, Any], modalities: tuple[str, ...]) -> tuple[str, ...]:
    """Return the values that ``each`` stands for in a row with ``changes``: of models, those the user names, too."""
    if key == "variant":
        return tuple(model_spec(changes["model"]).variants) if "model" in changes else VARIANTS
    return modalities if key == "modalities" else (*SYSTEMS, *own_models())


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
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error
    try:
        check_keys(content, KINDS, "")
        if not content.get("title"):
            raise ConfigError("the plan needs a title")
        plan = PlanFile(
            path.stem,
            path,
            content["title"],
            content.get("model", "hyperctr"),
            content.get("settings", {}),
            tuple(_axes(content.get("vary", []))),
            tuple(_rows(content.get("rows", []))),
            content.get("compare_with", ""),
            {},
            content.get("on_request", False),
        )
        if not plan.axes and not plan.rows:
            raise ConfigError("the plan has no runs: add [[vary]] or [[rows]]")
        known_model(plan.model, "model")
        for preset in BUDGETS:
            plan.presets[preset] = _preset(content.get(preset, {}), preset, plan)
            _check_runs(plan, preset)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error
    return plan


def check_keys(table: Mapping[str, Any], kinds: Mapping[str, Any], where: str) -> None:
    """Refuse keys that are not known and values of another kind; ``where`` is put before the key."""
    for key, value in table.items():
        if key not in kinds:
            raise ConfigError(f"unknown key {where + key!r}: {did_you_mean(key, kinds)}")
        if not isinstance(value, kinds[key]) or (isinstance(value, bool) and kinds[key] is not bool):
            words = {dict: "a table", list: "a list", str: "text", int: "a whole number", bool: "true or false"}
            wanted = words[kinds[key]]
            raise ConfigError(f"{where}{key} = {value!r} must be {wanted}, got {type(value).__name__}")


def _axes(tables: list[Any]) -> Iterator[Axis]:
    seen: set[str] = set()
    for number, table in enumerate(tables, 1):
        where = f"vary[{number}]."
        check_keys(_table(table, where), {"setting": str, "values": list}, where)
        for key in ("setting", "values"):
            if key not in table:
                raise ConfigError(f"{where}{key} is missing")
        name = table["setting"]
        known_setting(name, f"{where}setting")
        if name in seen:
            raise ConfigError(f"{where}setting = {name!r} is varied twice: give all its values at once")
        seen.add(name)
        yield Axis(name, _values(table["values"], f"{where}values"))


def _rows(tables: list[Any]) -> Iterator[Row]:
    seen: set[str] = set()
    for number, table in enumerate(tables, 1):
        where = f"rows[{number}]."
        label = _table(table, where).get("label")
        if not isinstance(label, str) or not label:
            raise ConfigError(f"{where}label is missing: every row needs a name")
        if label in seen:
            raise ConfigError(f"{where}label = {label!r} names two rows")
        seen.add(label)
        changes = {key: value for key, value in table.items() if key != "label"}
        for key in changes:
            known_setting(key, where + key, also=("label", "model", "variant"))
        if changes.get("model", EACH) != EACH:
            known_model(changes["model"], f"{where}model")
        for key, place in PLACES.items():
            if (changes.get(key) == EACH) != (place in label):
                raise ConfigError(f"{where}label = {label!r}: {key} = {EACH!r} and {place} in the label go together")
        yield Row(label, changes)


def _preset(table: dict[str, Any], name: str, plan: PlanFile) -> Preset:
    where = f"{name}."
    check_keys(table, PRESET_KINDS, where)
    if table.get("seeds", 1) < 1:
        raise ConfigError(f"{where}seeds = {table['seeds']} must be at least 1")
    settings = [axis.setting for axis in plan.axes]
    for key in table.get("values", {}):
        if key not in settings:
            raise ConfigError(f"{where}values.{key} is no axis of the plan: {did_you_mean(key, settings)}")
    labels = [row.label for row in plan.rows]
    for key, known in (("rows", labels), ("datasets", None)):
        for one in table.get(key, []):
            if not isinstance(one, str) or (known is not None and one not in known):
                hint = did_you_mean(str(one), known) if known is not None else "write names in quotes"
                raise ConfigError(f"{where}{key}: {one!r} is not known; {hint}")
    values = {key: _values(list_, f"{where}values.{key}") for key, list_ in table.get("values", {}).items()}
    kept = tuple(table["rows"]) if "rows" in table else None
    preset = Preset(
        table.get("seeds", 1), tuple(table.get("datasets", ("planted",))), table.get("settings", {}), values, kept
    )
    if plan.compare_with and plan.compare_with not in (labels if kept is None else kept):
        hint = did_you_mean(plan.compare_with, labels if kept is None else kept)
        raise ConfigError(f"compare_with = {plan.compare_with!r} is no row at preset {name}; {hint}")
    return preset


def _check_runs(plan: PlanFile, preset: str) -> None:
    """Build the settings of every run once: types and bounds are those of Config."""
    for key in ("seed", "model"):
        if key in plan.settings or key in plan.presets[preset].settings:
            fix = "give the number of seeds under each preset" if key == "seed" else "write it at the top of the plan"
            raise ConfigError(f"settings.{key} cannot be set here: {fix}")
    plan.config(preset, {})
    for axis, label, _, changes in plan.entries(preset, ("visual",)):
        try:
            plan.config(preset, changes)
        except ConfigError as error:
            raise ConfigError(f"{axis} {label!r} at preset {preset}: {error}") from error


def _table(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ConfigError(f"{where.rstrip('.')} = {value!r} must be a table, got {type(value).__name__}")
    return value


def _values(values: Any, where: str) -> tuple[float, ...]:
    if not isinstance(values, list) or not values:
        raise ConfigError(f"{where} = {values!r} must be a list of numbers")
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ConfigError(f"{where}: {value!r} is no number; variants that are no numbers are [[rows]]")
    if len(set(values)) < len(values):
        raise ConfigError(f"{where} = {values} names a value twice")
    return tuple(values)


def known_setting(name: Any, where: str, also: tuple[str, ...] = ()) -> None:
    """Refuse what is no setting of a run that a plan may change."""
    known = [one for one in Config.__dataclass_fields__ if one not in ("seed", "model")]
    if name not in known and name not in also:
        raise ConfigError(f"{where}: unknown setting {name!r}: {did_you_mean(str(name), known)}")


def known_model(name: Any, where: str) -> None:
    """Refuse what is no model."""
    if not is_known(str(name)):
        raise ConfigError(f"{where} = {name!r} is not known; {did_you_mean(str(name), MODELS)}")
