"""What a picture may be asked for, checked against the hypergraphs; a trait refuses in the same words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from hyperctr.errors import ConfigError, did_you_mean

Range = TypeVar("Range", bound=Sequence[int])
Names = TypeVar("Names", bound=Sequence[str])


def known_slot(name: str, value: int | None, count: int) -> int | None:
    """Return the number of a slot, or None.

    Raises:
        ConfigError: there is no such slot.

    >>> known_slot("slot", 3, 2)
    Traceback (most recent call last):
    hyperctr.errors.ConfigError: slot 3: slots are 0 to 1
    """
    if value is not None and not 0 <= value < count:
        raise ConfigError(f"{name} {value}: slots are 0 to {count - 1}")
    return value


def known_range(value: Range, count: int) -> Range:
    """Return the first and the last of several slots.

    Raises:
        ConfigError: one does not exist, or the first comes after the last.
    """
    if not 0 <= value[0] <= value[1] < count:
        raise ConfigError(f"slots={list(value)}: [first, last] within 0 to {count - 1} is needed")
    return value


def known_modalities(names: Names, known: Sequence[str]) -> Names:
    """Return names of modalities that the hypergraphs have.

    Raises:
        ConfigError: they have no such modality.
    """
    for name in names:
        if name not in known:
            raise ConfigError(f"modality {name!r}: {did_you_mean(name, known)}")
    return names
