"""What a reader types or sets, checked against the data set: the errors say what is allowed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from traitlets import TraitError

from hyperctr.errors import ConfigError, DataError, did_you_mean
from hyperctr.widgets import views
from hyperctr.widgets.colourings import colouring_name

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hyperctr.widgets.scene import Query
    from hyperctr.widgets.scene_source import SceneSource

LARGEST = 2**53 - 1  # whole number that JavaScript tells from its neighbours
MOST_SELECTED = 5000  # ids kept in the saved state of a notebook
SETTINGS = {"interest_threshold": "delta", "max_neighbours": "neighbours"}  # settings of a run, and their traits


class SettingError(ConfigError, TraitError):
    """A value that a trait cannot have; being traitlets' own, what was set together with it is taken back."""


def known_slot(name: str, value: int | None, count: int) -> int | None:
    """Return the number of a slot, or None.

    Raises:
        SettingError: there is no such slot.
    """
    if value is not None and not 0 <= value < count:
        raise SettingError(f"{name} {value}: slots are 0 to {count - 1}")
    return value


def known_range(value: list[int] | None, count: int) -> list[int] | None:
    """Return the first and the last of several slots, or None.

    Raises:
        SettingError: one does not exist, or the first comes after the last.
    """
    if value is not None and not 0 <= value[0] <= value[1] < count:
        raise SettingError(f"slots={value}: [first, last] within 0 to {count - 1} is needed")
    return value


def known_modalities(names: list[str], known: Sequence[str]) -> list[str]:
    """Return names of modalities that the data set has.

    Raises:
        SettingError: it has no such modality.
    """
    for name in names:
        if name not in known:
            raise SettingError(f"modality {name!r}: this data set has {list(known)}")
    return names


def known_colouring(name: str, known: Mapping[str, Iterable[str]]) -> str:
    """Return the name of a colouring that nodes of some kind have, or "" for none.

    Raises:
        SettingError: there is none; the message has the choices.
    """
    try:
        return colouring_name(name, known)
    except ConfigError as error:
        raise SettingError(str(error)) from error


def known_view(name: str | None) -> str | None:
    """Return the present name of a view; see :func:`hyperctr.widgets.views.known_view`.

    Raises:
        SettingError: there is none of that name.
    """
    try:
        return views.known_view(name)
    except ConfigError as error:
        raise SettingError(str(error)) from error


def plain_ids(ids: Sequence[Any] | None) -> list[Any] | None:
    """Return ids as plain Python values, which a notebook can save.

    Raises:
        SettingError: there are more than ``MOST_SELECTED``.
    """
    if ids is None:
        return None
    if len(ids) > MOST_SELECTED:
        raise SettingError(f"{len(ids):,} ids: at most {MOST_SELECTED:,} can be selected at once")
    return [name.item() if isinstance(name, np.generic) else name for name in ids]


def exact(value: Any, _: Any = None) -> Any:
    """Return what a browser is sent, with whole numbers that it would round as texts; :func:`sent_ids` reads them.

    >>> exact({"nodes": [7, 2**62], "title": "seven"})
    {'nodes': [7, '4611686018427387904'], 'title': 'seven'}
    """
    if isinstance(value, dict):
        return {name: exact(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [exact(part) for part in value]
    return str(value) if isinstance(value, int) and abs(value) > LARGEST else value


def sent_ids(ids: list[Any], kind: str, scenes: SceneSource) -> list[Any]:
    """Return ids of nodes as the data have them, where :func:`exact` made texts of them."""

    def unknown(name: Any) -> bool:
        try:
            scenes.index(kind, [name])
        except DataError:
            return True
        return False

    texts = {name for name in ids if isinstance(name, str) and name.removeprefix("-").isdecimal() and unknown(name)}
    numbers = {name: int(name) for name in texts if abs(int(name)) > LARGEST and not unknown(int(name))}
    return [numbers.get(name, name) if isinstance(name, str) else name for name in ids]


def known_nodes(ids: list[Any], kind: str, scenes: SceneSource, trait: str = "selection") -> list[Any]:
    """Return ids, all of nodes of one kind.

    Raises:
        SettingError: one is of another kind, or there is none of that id.
    """
    ids = sent_ids(ids, kind, scenes)
    try:
        scenes.index(kind, ids)
    except DataError as error:
        raise SettingError(f"{trait}: the nodes are {kind}s; {error}") from error
    return ids


def keywords(given: Iterable[str], known: Iterable[str]) -> None:
    """Refuse a keyword that is no trait.

    Raises:
        ConfigError: there is no such trait; the message names the nearest.

    >>> keywords(["slott"], ["slot", "delta"])
    Traceback (most recent call last):
    hyperctr.errors.ConfigError: Inspector has no setting 'slott': did you mean 'slot'?
    """
    names = [name for name in known if not name.startswith("_")]
    for name in given:
        if name not in names:
            hint = f"it is {SETTINGS[name]!r} here" if name in SETTINGS else did_you_mean(name, names)
            raise ConfigError(f"Inspector has no setting {name!r}: {hint}")


def find(scenes: SceneSource, query: Query, text: str, most: int = 20) -> list[dict[str, Any]]:
    """Find nodes and what hyperedges come from by id or a part of the title: exact ids first, then the shortest titles.

    Args:
        scenes: where to look.
        query: what the picture shows.
        text: what was typed.
        most: rows returned.

    Returns:
        Rows ``kind`` (as in ``scenes.kinds``), ``id``, ``title`` and ``focus``: what to set the trait to, a node, or
        the first hyperedge that comes from it; None where it is in no hyperedge of this slot.
    """
    matches, text, whole = [], text.lower(), scenes.whole(replace(query, focus=None))
    for kind in scenes.kinds:
        for title, name in zip(scenes.titles[kind], scenes.ids[kind].tolist(), strict=True):
            exact = text in (str(name).lower(), title.lower())
            if exact or text in title.lower():
                matches.append((not exact, len(title), kind != scenes.kinds[0], title, name))
    node, label = query.node_kind, query.label_kind
    focus: dict[tuple[str, Any], list[Any]] = {}  # the first hyperedge of each, so set last to first
    for name, number in zip(scenes.ids[label][whole.label[::-1]].tolist(), whole.number[::-1].tolist(), strict=True):
        focus[label, name] = ["hyperedge", number]
    focus |= {(node, name): ["node", name] for name in scenes.ids[node][whole.members].tolist()}
    found = sorted(matches, key=lambda match: match[:4])[:most]
    rows = [(scenes.kinds[second], title, name) for _, _, second, title, name in found]
    return [{"kind": kind, "title": title, "id": name, "focus": focus.get((kind, name))} for kind, title, name in rows]


def known_pair(pair: Sequence[Any], scenes: SceneSource) -> tuple[Any, Any, int | None]:
    """Return user id and item id as they are known, where a browser sent what was typed, and the time."""
    user, item = (known_id(typed, scenes.ids[kind]) for typed, kind in zip(pair[:2], scenes.kinds, strict=True))
    return user, item, pair[2] if len(pair) > 2 else None


def known_id(typed: Any, ids: NDArray[Any]) -> Any:
    """Return the id as the data set has it, where a browser sent what was typed.

    >>> import numpy as np
    >>> known_id("7", np.array([5, 7])), known_id("9", np.array([5, 7]))
    (7, '9')
    """
    known = ids.tolist()
    return typed if typed in known else next((name for name in known if str(name) == str(typed)), typed)
