"""What a reader types or sets, checked against the data set: the errors say what is allowed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from traitlets import TraitError

from hyperctr.errors import ConfigError, DataError, did_you_mean

if TYPE_CHECKING:
    from hyperctr.widgets.scene import Query
    from hyperctr.widgets.scene_source import SceneSource

T = TypeVar("T")
LARGEST = 2**53 - 1  # whole number that JavaScript tells from its neighbours
MOST_SELECTED = 5000  # ids kept in the saved state of a notebook
SETTINGS = {"interest_threshold": "delta", "max_neighbours": "neighbours"}  # settings of a run, and their traits


class SettingError(ConfigError, TraitError):
    """A value that a trait cannot have; being traitlets' own, what was set together with it is taken back."""


def setting(check: Callable[..., T], *given: Any) -> T:
    """Return what a check lets pass; what it refuses is refused to a trait.

    Raises:
        SettingError: see the check.
    """
    try:
        return check(*given)
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
    """Return what a browser is sent, with whole numbers that it would round as texts; :func:`known_ids` reads them.

    >>> exact({"nodes": [7, 2**62], "title": "seven"})
    {'nodes': [7, '4611686018427387904'], 'title': 'seven'}
    """
    if isinstance(value, dict):
        return {name: exact(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [exact(part) for part in value]
    return str(value) if isinstance(value, int) and abs(value) > LARGEST else value


def known_ids(ids: Sequence[Any], kind: str, scenes: SceneSource) -> list[Any]:
    """Return ids as the data have them, where a browser sent what was typed, or a text that :func:`exact` made.

    >>> import hyperctr as hc
    >>> known_ids(["7", 5, "9"], "node", hc.Inspector([[5, 7]]).scenes)
    [7, 5, '9']
    """
    try:
        scenes.index(kind, ids)
        return list(ids)
    except DataError:  # not all are as the data have them: only then is it worth looking at every id
        known = scenes.ids[kind].tolist()
    kept, by_text = set(map(repr, known)), {str(name): name for name in known}
    return [name if repr(name) in kept else by_text.get(str(name), name) for name in ids]


def known_nodes(ids: list[Any], kind: str, scenes: SceneSource, trait: str = "selection") -> list[Any]:
    """Return ids, all of nodes of one kind.

    Raises:
        SettingError: one is of another kind, or there is none of that id.
    """
    ids = known_ids(ids, kind, scenes)
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
    user, item = (known_ids([typed], kind, scenes)[0] for typed, kind in zip(pair[:2], scenes.kinds, strict=True))
    return user, item, pair[2] if len(pair) > 2 else None
