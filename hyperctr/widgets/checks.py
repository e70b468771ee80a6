"""What the inspector's traits can have; the errors say what is allowed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from traitlets import TraitError

from hyperctr.errors import ConfigError, DataError, did_you_mean

if TYPE_CHECKING:
    from hyperctr.data.dataset import Dataset

MOST_SELECTED = 5000  # ids kept in the saved state of a notebook


def known_slot(name: str, value: int | None, count: int) -> int | None:
    """Return the number of a slot, or None.

    >>> known_slot("slot", 1, 2)
    1
    """
    if value is not None and not 0 <= value < count:
        raise TraitError(f"{name} {value}: slots are 0 to {count - 1}")
    return value


def known_modalities(names: list[str], known: Sequence[str]) -> list[str]:
    """Return names of modalities that the data set has."""
    for name in names:
        if name not in known:
            raise TraitError(f"modality {name!r}: this data set has {list(known)}")
    return names


def plain_ids(ids: Sequence[Any] | None) -> list[Any] | None:
    """Return ids as plain Python values, which a notebook can save.

    >>> plain_ids(np.array([3, 1]))
    [3, 1]
    """
    if ids is None:
        return None
    if len(ids) > MOST_SELECTED:
        raise TraitError(f"{len(ids):,} ids: at most {MOST_SELECTED:,} can be selected at once")
    return [name.item() if isinstance(name, np.generic) else name for name in ids]


def known_nodes(ids: list[Any], kind: str, data: Dataset) -> list[Any]:
    """Return ids, all of users or all of items of this data set."""
    try:
        (data.users_to_index if kind == "user" else data.items_to_index)(ids)
    except DataError as error:
        raise TraitError(f"selection: the nodes are {kind}s; {error}") from error
    return ids


def keywords(given: Iterable[str], known: Iterable[str]) -> None:
    """Refuse a keyword that is no trait.

    >>> keywords(["slots"], ["slot", "delta"])
    Traceback (most recent call last):
    hyperctr.errors.ConfigError: Inspector has no setting 'slots': did you mean 'slot'?
    """
    names = [name for name in known if not name.startswith("_")]
    for name in given:
        if name not in names:
            raise ConfigError(f"Inspector has no setting {name!r}: {did_you_mean(name, names)}")
