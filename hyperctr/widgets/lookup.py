"""What a reader types or sets, checked against the data set: the errors say what is allowed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from traitlets import TraitError

from hyperctr.errors import ConfigError, DataError, did_you_mean
from hyperctr.widgets.colourings import colouring_name
from hyperctr.widgets.scene_stats import titles

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hyperctr.data.dataset import Dataset
    from hyperctr.widgets.edges import Edges

MOST_SELECTED = 5000  # ids kept in the saved state of a notebook


def known_slot(name: str, value: int | None, count: int) -> int | None:
    """Return the number of a slot, or None.

    Raises:
        TraitError: there is no such slot.
    """
    if value is not None and not 0 <= value < count:
        raise TraitError(f"{name} {value}: slots are 0 to {count - 1}")
    return value


def known_modalities(names: list[str], known: Sequence[str]) -> list[str]:
    """Return names of modalities that the data set has.

    Raises:
        TraitError: it has no such modality.
    """
    for name in names:
        if name not in known:
            raise TraitError(f"modality {name!r}: this data set has {list(known)}")
    return names


def known_colouring(name: str, known: Mapping[str, Iterable[str]]) -> str:
    """Return the name of a colouring that nodes of some kind have, or "" for none.

    Raises:
        TraitError: there is none; the message has the choices.
    """
    try:
        return colouring_name(name, known)
    except ConfigError as error:
        raise TraitError(str(error)) from error


def plain_ids(ids: Sequence[Any] | None) -> list[Any] | None:
    """Return ids as plain Python values, which a notebook can save.

    Raises:
        TraitError: there are more than ``MOST_SELECTED``.
    """
    if ids is None:
        return None
    if len(ids) > MOST_SELECTED:
        raise TraitError(f"{len(ids):,} ids: at most {MOST_SELECTED:,} can be selected at once")
    return [name.item() if isinstance(name, np.generic) else name for name in ids]


def known_nodes(ids: list[Any], kind: str, data: Dataset) -> list[Any]:
    """Return ids, all of users or all of items of this data set.

    Raises:
        TraitError: one is of another kind, or not in the data set.
    """
    try:
        (data.users_to_index if kind == "user" else data.items_to_index)(ids)
    except DataError as error:
        raise TraitError(f"selection: the nodes are {kind}s; {error}") from error
    return ids


def keywords(given: Iterable[str], known: Iterable[str]) -> None:
    """Refuse a keyword that is no trait.

    Raises:
        ConfigError: there is no such trait; the message names the nearest.

    >>> keywords(["slots"], ["slot", "delta"])
    Traceback (most recent call last):
    hyperctr.errors.ConfigError: Inspector has no setting 'slots': did you mean 'slot'?
    """
    names = [name for name in known if not name.startswith("_")]
    for name in given:
        if name not in names:
            raise ConfigError(f"Inspector has no setting {name!r}: {did_you_mean(name, names)}")


def find(data: Dataset, node_kind: str, whole: Edges, text: str, most: int = 20) -> list[dict[str, Any]]:
    """Find users and items by id or a part of the title: exact ids first, then the shortest titles.

    Args:
        data: the data set.
        node_kind: what the nodes of the picture are.
        whole: its hyperedges before the limit.
        text: what was typed.
        most: rows returned.

    Returns:
        Rows ``kind`` (user or item), ``id``, ``title`` and ``focus``: what to set the trait to, a node, or the first
        hyperedge that comes from it; None where it is in no hyperedge of this slot.
    """
    names, matches, text = titles(data), [], text.lower()
    for kind, ids in (("user", data.users), ("item", data.items)):
        for title, name in zip(names[kind], ids.tolist(), strict=True):
            exact = text in (str(name).lower(), title.lower())
            if exact or text in title.lower():
                matches.append((not exact, len(title), kind, title, name))
    node_ids, label_ids = (data.users, data.items) if node_kind == "user" else (data.items, data.users)
    focus: dict[tuple[bool, Any], list[Any]] = {}  # (is a user, id): the first hyperedge, so set last to first
    for label, number in zip(label_ids[whole.label[::-1]].tolist(), whole.number[::-1].tolist(), strict=True):
        focus[node_kind == "item", label] = ["hyperedge", number]
    focus |= {(node_kind == "user", name): ["node", name] for name in node_ids[whole.members].tolist()}
    return [
        {"kind": kind, "title": title, "id": name, "focus": focus.get((kind == "user", name))}
        for _, _, kind, title, name in sorted(matches, key=lambda match: match[:4])[:most]
    ]


def known_pair(pair: Sequence[Any], data: Dataset) -> tuple[Any, Any, int | None]:
    """Return user id and item id as the data set has them, where a browser sent what was typed, and the time."""
    return known_id(pair[0], data.users), known_id(pair[1], data.items), pair[2] if len(pair) > 2 else None


def known_id(typed: Any, ids: NDArray[Any]) -> Any:
    """Return the id as the data set has it, where a browser sent what was typed.

    >>> import numpy as np
    >>> known_id("7", np.array([5, 7])), known_id("9", np.array([5, 7]))
    (7, '9')
    """
    known = ids.tolist()
    return typed if typed in known else next((name for name in known if str(name) == str(typed)), typed)
