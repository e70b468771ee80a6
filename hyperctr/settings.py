"""Typed, bounded, explained settings: what the settings of a run and the options of one system have in common."""

from __future__ import annotations

import dataclasses
import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self, get_args, get_origin, get_type_hints

from hyperctr.errors import ConfigError, did_you_mean


def setting(default: Any, text: str, *, low: float | None = None, high: float | None = None) -> Any:
    """Declare a field of a settings dataclass: its default, one sentence, and its bounds."""
    return field(default=default, metadata={"help": text, "low": low, "high": high})


def validate(settings: Any, word: str = "setting") -> None:
    """Check types and bounds of all fields of a frozen dataclass; numbers and lists get their declared type.

    Raises:
        ConfigError: wrong type or out of bounds; the message calls the field a ``word``.
    """
    hints = get_type_hints(type(settings))
    for one in dataclasses.fields(settings):
        value = _checked(f"{word} {one.name}", getattr(settings, one.name), hints[one.name])
        low, high = one.metadata["low"], one.metadata["high"]
        for number in value if isinstance(value, tuple) else (value,):
            if (low is not None and number < low) or (high is not None and number > high):
                bounds = f"at least {low}" if high is None else f"between {low} and {high}"
                raise ConfigError(f"{word} {one.name} = {value!r} is out of bounds: must be {bounds}")
        object.__setattr__(settings, one.name, value)


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
    """Settings of one system that no other has; a system declares its own subclass.

    In a run's settings they are a tuple of ``name=value`` texts, always all of them and in this order, so that equal
    options are equal settings and a changed default is a changed run.

    >>> @dataclass(frozen=True)
    ... class Mine(Options):
    ...     slots: int = setting(4, "Memory slots.", low=1)
    >>> Mine.read(["slots = 8"]).slots, Mine().write()
    (8, ('slots=4',))
    >>> Mine.read(["slot=8"])
    Traceback (most recent call last):
    hyperctr.errors.ConfigError: unknown option 'slot': did you mean 'slots'?
    """

    def __post_init__(self) -> None:
        validate(self, "option")

    @classmethod
    def read(cls, assignments: Iterable[str]) -> Self:
        """Build from ``name=value`` texts; what is not named keeps its default, the last of a name counts.

        Raises:
            ConfigError: unknown name (with a hint), wrong type, out of bounds.
        """
        known = [one.name for one in dataclasses.fields(cls)]
        values = {}
        for assignment in assignments:
            name, sign, text = assignment.partition("=")
            if not sign:
                raise ConfigError(f"option {assignment!r} must be written name=value")
            if (name := name.strip()) not in known:
                raise ConfigError(f"unknown option {name!r}: {did_you_mean(name, known)}")
            values[name] = toml_value(text)
        return cls(**values)

    def write(self) -> tuple[str, ...]:
        """Return all options as ``name=value`` texts that :meth:`read` takes."""
        return tuple(f"{one.name}={toml_text(getattr(self, one.name))}" for one in dataclasses.fields(self))


def assignments(options: Any) -> Any:
    """Return options given as a table of values as ``name=value`` texts; texts stay as they are.

    >>> assignments({"slots": 8, "head": "dot"})
    ('slots=8', 'head="dot"')
    """
    if isinstance(options, Mapping):
        return tuple(f"{name}={toml_text(value)}" for name, value in options.items())
    return tuple(options) if isinstance(options, list) else options


@dataclass(frozen=True)
class System:
    """What a system to compare with adds to the settings.

    Attributes:
        options: its options.
        table2: changes to the defaults of ``Config`` that give the paper's setting of it (Table 2 and the text).
        author: changes that give its authors' own setting.
        budgets: changes on top at a budget (``smoke``, ``quick``), where a system is costly.
    """

    options: type[Options]
    table2: Mapping[str, Any]
    author: Mapping[str, Any]
    budgets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def _checked(name: str, value: Any, hint: Any) -> Any:
    """Return ``value`` in the declared type, or say which type was expected."""
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            raise ConfigError(f"{name} = {value!r}: {did_you_mean(str(value), get_args(hint))}")
        return value
    if get_origin(hint) is tuple:
        if isinstance(value, str) or not isinstance(value, list | tuple):
            raise ConfigError(f"{name} = {value!r} must be a list, for example {name.split()[-1]} = [...]")
        return tuple(_checked(name, one, get_args(hint)[0]) for one in value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if hint is float and isinstance(value, float) and not abs(value) < float("inf"):
        raise ConfigError(f"{name} = {value!r} must be a finite number")
    if type(value) is not hint:
        raise ConfigError(f"{name} = {value!r} must be of type {hint.__name__}, got {type(value).__name__}")
    return value
