"""Typed, bounded, explained settings: what the settings of a run and the options of one model have in common."""

from __future__ import annotations

import dataclasses
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import UnionType
from typing import Any, Literal, Self, get_args, get_origin, get_type_hints

from hyperctr.errors import ConfigError, did_you_mean

Variant = Literal["table2", "author"]
VARIANTS: tuple[Variant, ...] = ("table2", "author")


def setting(default: Any, text: str, *, low: float | None = None, high: float | None = None) -> Any:
    """Declare a field of a settings dataclass: its default, one sentence, and its bounds."""
    return field(default=default, metadata={"help": text, "low": low, "high": high})


def validate(settings: Any, word: str = "setting") -> None:
    """Check types and bounds of all fields of a frozen dataclass; numbers and lists get their declared type.

    Raises:
        ConfigError: wrong type or out of bounds; the message calls the field a ``word``.
    """
    hints = get_type_hints(type(settings))
    for declared in dataclasses.fields(settings):
        name, low, high = declared.name, declared.metadata["low"], declared.metadata["high"]
        if isinstance(hints[name], UnionType):  # a run's options, which check themselves
            continue
        value = _checked(f"{word} {name}", getattr(settings, name), hints[name])
        for number in value if isinstance(value, tuple) else (value,):
            if (low is not None and number < low) or (high is not None and number > high):
                bounds = f"at least {low}" if high is None else f"between {low} and {high}"
                raise ConfigError(f"{word} {name} = {value!r} is out of bounds: must be {bounds}")
        object.__setattr__(settings, name, value)


def toml_value(text: str) -> Any:
    """Read a value written as in TOML; bare words are strings.

    >>> toml_value("[64, 32]"), toml_value("causal")
    ([64, 32], 'causal')
    """
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text.strip()


def toml_text(value: Any) -> str:
    """Write a value so that TOML reads it back unchanged."""
    # A JSON number, boolean, flat list or string is also valid TOML (DEL has to be escaped), and floats round-trip.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


@dataclass(frozen=True)
class Options:
    """Settings of one model that no other has; a model declares its own subclass.

    >>> @dataclass(frozen=True)
    ... class Mine(Options):
    ...     slots: int = setting(4, "Memory slots.", low=1)
    >>> Mine.from_dict({"slots": 8}), Mine()
    (Mine(slots=8), Mine(slots=4))
    >>> Mine.from_dict({"slot": 8})
    Traceback (most recent call last):
    hyperctr.errors.ConfigError: unknown option 'slot': did you mean 'slots'?
    """

    def __post_init__(self) -> None:
        validate(self, "option")

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Build from plain values; what is not named keeps its default.

        Raises:
            ConfigError: unknown name (with a hint), wrong type, out of bounds.
        """
        known = [field.name for field in dataclasses.fields(cls)]
        for name in values:
            if name not in known:
                raise ConfigError(f"unknown option {name!r}: {did_you_mean(name, known)}")
        return cls(**values)

    @classmethod
    def of(cls, config: Any) -> Self:
        """Return the options that a run's settings hold, as this class.

        Raises:
            ConfigError: the settings are those of another model.
        """
        if not isinstance(config.options, cls):
            raise ConfigError(f"model {config.model!r} has no {cls.__name__}; build the model that the settings name")
        return config.options


@dataclass(frozen=True)
class ModelSpec:
    """What a model adds to the settings: all that is known of it before its class is imported.

    A module declares one as ``MODEL``.

    Attributes:
        name: how a run names it; of a model outside the library its place.
        place: where its class is defined, as ``module:Class``; the name by default.
        options: the class of its options, if it has any.
        settings: changes to the defaults of ``Config``; of a system in the paper its settings there (Table 2, text).
        author: changes that give its authors' own settings instead, where these are a variant of their own.
        budgets: changes on top at a budget (``smoke``, ``quick``), where a model is costly.
    """

    name: str
    place: str = ""
    options: type[Options] | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    author: Mapping[str, Any] | None = None
    budgets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "place", self.place or self.name)

    @property
    def variants(self) -> dict[Variant, Mapping[str, Any]]:
        """Return each variant's changes to the defaults."""
        return {"table2": self.settings} if self.author is None else {"table2": self.settings, "author": self.author}


def _checked(name: str, value: Any, hint: Any) -> Any:
    """Return ``value`` in the declared type, or say which type was expected."""
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            raise ConfigError(f"{name} = {value!r}: {did_you_mean(str(value), get_args(hint))}")
        return value
    if get_origin(hint) is tuple:
        if isinstance(value, str) or not isinstance(value, list | tuple):
            raise ConfigError(f"{name} = {value!r} must be a list, for example {name.split()[-1]} = [...]")
        return tuple(_checked(name, entry, get_args(hint)[0]) for entry in value)
    if get_origin(hint) is Mapping:
        if not isinstance(value, Mapping):
            raise ConfigError(f"{name} = {value!r} must be a table of names and values")
        return {str(key): _checked(f"{name}.{key}", entry, get_args(hint)[1]) for key, entry in value.items()}
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if hint is float and isinstance(value, float) and not abs(value) < float("inf"):
        raise ConfigError(f"{name} = {value!r} must be a finite number")
    if type(value) is not hint:
        raise ConfigError(f"{name} = {value!r} must be of type {hint.__name__}, got {type(value).__name__}")
    return value
