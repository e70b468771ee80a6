"""What nodes can be coloured by: interest, degree, communities, columns of ``items.csv``, the truth of planted data.

:func:`number` and :func:`category` make a :class:`Colouring` from one value a node; :func:`colourings` lists what there
is for a data set, each worked out when it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hyperctr.data.planted_world import PlantedTruth
from hyperctr.display.colours import CATEGORY_COLOURS, shades
from hyperctr.display.communities import communities
from hyperctr.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from hyperctr.widgets.scene import Query
    from hyperctr.widgets.scene_source import SceneSource
    from hyperctr.widgets.scenes import Scenes

FEW = 12  # values that a column of numbers may have to be taken for categories
SHADES = 24  # of a number
OTHER = "other"


@dataclass(frozen=True, eq=False)
class Colouring:
    """One value for each node.

    Attributes:
        name: what it is called.
        kind: ``number``, or ``category``, whose values are numbers of ``labels``.
        values: float32 [N]; NaN where unknown.
        labels: of categories; empty for numbers.
        low, high: values with the first and the last colour; what lies beyond has the same.
        log: whether colours follow the logarithm; ``low`` is then above 0.
    """

    name: str
    kind: Literal["number", "category"]
    values: NDArray[np.float32]
    labels: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 1.0
    log: bool = False

    @property
    def colours(self) -> tuple[str, ...]:
        """Hex colours: of each label, or of evenly spaced values from ``low`` to ``high``."""
        return CATEGORY_COLOURS[: len(self.labels)] if self.labels else shades(SHADES)

    def header(self) -> dict[str, Any]:
        """Return all but the values, as JSON can hold it."""
        names = ("name", "kind", "labels", "low", "high", "log", "colours")
        return {name: list(value) if isinstance(value := getattr(self, name), tuple) else value for name in names}


def number(
    name: str, values: Any, low: float | None = None, high: float | None = None, *, log: bool = False
) -> Colouring:
    """Colour by a number, NaN where unknown; without bounds, from the least to the 98 % quantile of the known.

    >>> made = number("clicks", [1, 5, 3, np.nan], log=True)
    >>> made.low, round(made.high, 2)
    (1.0, 4.92)
    """
    values = np.asarray(values, dtype=np.float32)
    known = values[np.isfinite(values) & (values > 0 if log else True)].astype(np.float64)
    if len(known):
        low = float(known.min()) if low is None else low
        high = float(np.quantile(known, 0.98)) if high is None else high
    low = (1.0 if log else 0.0) if low is None else low
    return Colouring(name, "number", values, (), low, max(low + 1e-6, 1.0 if high is None else high), log)


def category(name: str, values: Sequence[Any] | NDArray[Any] | pd.Series[Any]) -> Colouring:
    """Colour by kind: a colour for each of the most frequent values, one for all others, none where there is no value.

    >>> made = category("genre", ["b", "a", None, "b"])
    >>> made.labels, made.values.tolist()
    (('a', 'b'), [1.0, 0.0, nan, 1.0])
    """
    column = pd.Series(values).reset_index(drop=True)
    counts = column.value_counts()
    most = len(CATEGORY_COLOURS)
    kept = counts.index[: most if len(counts) <= most else most - 1].tolist()
    try:
        kept = sorted(kept)
    except TypeError:  # numbers among words
        kept = sorted(kept, key=str)
    place = column.map({value: float(at) for at, value in enumerate(kept)})
    if len(kept) < len(counts):
        place = place.where(place.notna() | column.isna(), float(len(kept)))
        kept.append(OTHER)
    return Colouring(name, "category", place.to_numpy(np.float32), tuple(str(value) for value in kept))


def column(name: str, values: pd.Series[Any]) -> Colouring:
    """Colour by a column of a table: by number where it has more than a few numbers, else by kind.

    >>> column("year", pd.Series(range(1900, 2000))).kind, column("genre", pd.Series(["a", "b"])).kind
    ('number', 'category')
    """
    numeric = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    if numeric and values.nunique() > FEW:
        return number(name, values.to_numpy(np.float32, na_value=np.nan))
    return category(name, values)


def colouring_name(name: str, known: Mapping[str, Iterable[str]]) -> str:
    """Return the name of a colouring that nodes of some kind have, or "" for none.

    Raises:
        ConfigError: there is none; the message has the choices.

    >>> colouring_name("degre", {"user": ["degree"], "item": ["degree", "year"]})
    Traceback (most recent call last):
    hyperctr.errors.ConfigError: colour_by 'degre': did you mean 'degree'? Items: degree, year; users: degree
    """
    if not name or any(name in names for names in known.values()):
        return name
    choices = "; ".join(f"{kind}s: {', '.join(names)}" for kind, names in sorted(known.items()))
    hint = did_you_mean(name, {one for names in known.values() for one in names})
    raise ConfigError(f"colour_by {name!r}: {hint if hint.startswith('did') else 'not known.'} {choices.capitalize()}")


Make = Callable[["Query"], Colouring]


def colourings(scenes: Scenes) -> dict[str, dict[str, Make]]:
    """Return, by kind of node, what can colour it: a function of what a scene was asked for, by name."""
    return {kind: _common(scenes, kind) | own(scenes) for kind, own in (("user", _of_users), ("item", _of_items))}


def _common(scenes: Scenes, kind: str) -> dict[str, Make]:
    rows = scenes.split_data.split.train
    clicked = {"user": scenes.data.user_index, "item": scenes.data.item_index}[kind]
    count = {"user": scenes.data.num_users, "item": scenes.data.num_items}[kind]

    def degree(query: Query) -> Colouring:
        nodes = scenes.whole(query).nodes  # of the whole slot, not only of what is drawn
        return number("degree", np.bincount(nodes, minlength=count), low=1, log=True)

    def popularity(_: Query) -> Colouring:
        return number("popularity", np.bincount(clicked[rows], minlength=count), low=1, log=True)

    made: dict[str, Make] = {"degree": degree, "popularity": popularity}
    for m, modality in enumerate(scenes.modalities):
        made[f"interest: {modality}"] = partial(_interest, scenes, kind, m)
    return made | {"leading modality": partial(_leading, scenes, kind)} | of_communities(scenes, kind)


def of_communities(source: SceneSource, kind: str) -> dict[str, Make]:
    """Colour by communities of neighbours on the joint map, and on each modality's: found when one is asked for."""

    @cache
    def found(name: str, m: int | None) -> Colouring:
        joint, own = source.places(kind)
        return category(name, communities(joint if m is None else own[m]) + 1)

    names = {"community": None} | {f"community: {name}": m for m, name in enumerate(source.modalities)}
    return {name: partial(lambda name, m, _: found(name, m), name, m) for name, m in names.items()}


def _interests(scenes: Scenes, kind: str, query: Query) -> NDArray[np.float64]:
    """Mean degree of interest over the training clicks shown, of each user or item, [N, M]; NaN without clicks."""
    rows, (first, last) = scenes.split_data.split.train, query.span
    slot = scenes.split_data.slots.index[rows]
    inside = (first <= slot) & (slot <= last)
    things, clicked = scenes.ids[kind], {"user": scenes.data.user_index, "item": scenes.data.item_index}[kind]
    degree = scenes.interest.degree[inside].astype(np.float64)
    known, total = np.isfinite(degree), np.zeros((2, len(things), degree.shape[1]))
    np.add.at(total[0], clicked[rows[inside]], np.where(known, degree, 0.0))
    np.add.at(total[1], clicked[rows[inside]], known)
    with np.errstate(invalid="ignore"):
        mean: NDArray[np.float64] = total[0] / total[1]
    return mean


def _interest(scenes: Scenes, kind: str, modality: int, query: Query) -> Colouring:
    values = _interests(scenes, kind, query)[:, modality]
    return number(f"interest: {scenes.modalities[modality]}", values, 0.0, 1.0)  # one scale in all pictures


def _leading(scenes: Scenes, kind: str, query: Query) -> Colouring:
    values = _interests(scenes, kind, query)
    known = np.isfinite(values).any(1)
    best = np.where(np.isfinite(values), values, -1.0).argmax(1)
    return category("leading modality", np.where(known, np.array(scenes.modalities, dtype=object)[best], None))


def _of_users(scenes: Scenes) -> dict[str, Make]:
    truth = scenes.data.truth
    if not isinstance(truth, PlantedTruth):
        return {}
    return {"true group": lambda _: category("true group", truth.groups)}


def _of_items(scenes: Scenes) -> dict[str, Make]:
    table, truth = scenes.data.item_table, scenes.data.truth
    made: dict[str, Make] = {}
    for name in table.columns:
        if name not in ("item_id", "title"):
            made[str(name)] = partial(lambda name, _: column(str(name), table.loc[:, name]), name)
    if isinstance(truth, PlantedTruth):
        for modality, topics in truth.topics.items():
            name = f"true {modality} topic"
            made[name] = partial(lambda name, topics, _: category(name, topics), name, topics)
    return made
