"""What an inspector can be set to: traits that a notebook may save, and the values they can have."""

from __future__ import annotations

from math import isnan
from numbers import Real
from typing import TYPE_CHECKING, Any

import traitlets as t

from hyperctr.widgets import lookup
from hyperctr.widgets.checks import known_modalities, known_range, known_slot
from hyperctr.widgets.colourings import colouring_name
from hyperctr.widgets.lookup import SettingError
from hyperctr.widgets.views import known_view

if TYPE_CHECKING:
    from hyperctr.widgets.scene_source import SceneSource


class Told(t.TraitType[Any, Any]):
    """A trait that refuses a value in our words: its name, the value, and what is needed.

    The tag ``of_data`` is on those that only a data set and a run have a use for.

    >>> class Dial(t.HasTraits):
    ...     turn = Number(0.5, min=0.0, max=1.0)
    >>> Dial(turn=7)
    Traceback (most recent call last):
    hyperctr.widgets.lookup.SettingError: turn=7: a number from 0 to 1 is needed
    """

    def _validate(self, obj: Any, value: Any) -> Any:
        try:
            valid = super()._validate(obj, value)
        except SettingError:
            raise
        except t.TraitError as error:
            raise SettingError(f"{self.name}={value!r}: {self.needed} is needed") from error
        if valid and self.metadata.get("of_data") and obj.scenes.own:
            raise SettingError(
                f"{self.name}={value!r}: hypergraphs of your own have no clicks, interest or scores, so it would "
                "change nothing; leave it out, or give a data set: Inspector(data, run)"
            )
        return valid

    @property
    def needed(self) -> str:
        """What the trait can have, in words; those of a list are its tag ``needed``."""
        words = self.metadata.get("needed") or self._words()
        return f"{words}, or None," if self.allow_none and "None" not in words else words

    def _words(self) -> str:
        raise NotImplementedError


class _Bounded(Told):
    min: Any
    max: Any

    def _words(self) -> str:
        kind = "a whole number" if isinstance(self, t.Int) else "a number"
        top = "" if self.max is None else f" to {self.max:g}"
        return f"{kind} from {self.min:g}{top or ' up'}" if self.min is not None else kind


class Number(_Bounded, t.Float[Any, Any]):
    """A number, perhaps within bounds; NaN is none."""

    def validate(self, obj: Any, value: Any) -> Any:
        """Return a float, also where numpy's own kinds of numbers are given."""
        number = float(value) if isinstance(value, Real) else value
        if isinstance(number, float) and isnan(number):
            self.error(obj, value)
        return super().validate(obj, number)


class Whole(_Bounded, t.Int[Any, Any]):
    """A whole number, perhaps within bounds."""


class Switch(Told, t.Bool[Any, Any]):
    """True or False."""

    def _words(self) -> str:
        return "True or False"


class Text(Told, t.Unicode[Any, Any]):
    """A text."""

    def _words(self) -> str:
        return "a text"


class Choice(Told, t.Enum[Any]):
    """One of a few values."""

    def _words(self) -> str:
        return " or ".join(map(repr, self.values or ()))


class Several(Told, t.List[Any]):
    """A list."""

    def _words(self) -> str:
        return "a list of names" if isinstance(self._trait, t.Unicode) else "a list"


class SceneTraits(t.HasTraits):
    """The traits about the picture of :class:`hyperctr.widgets.inspector.Inspector`, which describes them."""

    scenes: SceneSource
    _set_for: dict[str, Any]  # side and swap for which focus and selection were set, slot for which slots were

    side = Choice(("user", "item"), "user").tag(sync=True)
    slot = Whole(0).tag(sync=True)
    slots: Any = Several(t.Int(), allow_none=True, default_value=None, minlen=2, maxlen=2).tag(
        sync=True, needed="None or [first, last]"
    )
    modalities = Several(t.Unicode()).tag(sync=True)
    delta = Number(0.5, min=0.0, max=1.0).tag(sync=True, of_data=True)
    neighbours = Whole(0, min=0).tag(sync=True, of_data=True)
    swap = Switch(False).tag(sync=True)
    focus: Any = Several(allow_none=True, default_value=None, minlen=2, maxlen=2).tag(
        sync=True, to_json=lookup.exact, needed="None, ['node', id] or ['hyperedge', number]"
    )
    limit = Whole(15, min=1).tag(sync=True)
    min_size = Whole(0, min=0).tag(sync=True)
    max_size = Whole(0, min=0).tag(sync=True)
    min_degree = Whole(0, min=0).tag(sync=True)
    min_modalities = Whole(0, min=0).tag(sync=True)
    colour_by = Text("").tag(sync=True)
    selection: Any = Several().tag(sync=True, to_json=lookup.exact)
    query = Text("").tag(sync=True)
    compare_slot = Whole(None, allow_none=True).tag(sync=True)
    compare_delta = Number(None, allow_none=True, min=0.0, max=1.0).tag(sync=True, of_data=True)

    @property
    def node_kind(self) -> str:
        """What a node is, ``user`` or ``item``; of a reader's own hypergraphs perhaps ``node`` or ``hyperedge``."""
        return self.scenes.kinds[(self.side == "user") == self.swap]

    @t.validate("slot", "compare_slot")
    def _known_slot(self, proposal: Any) -> int | None:
        return lookup.setting(known_slot, proposal["trait"].name, proposal["value"], len(self.scenes.slots))

    @t.validate("slots")
    def _known_range(self, proposal: Any) -> list[int] | None:
        self._set_for["slots"] = self.slot
        asked: list[int] | None = proposal["value"]
        return None if asked is None else lookup.setting(known_range, asked, len(self.scenes.slots))

    @t.validate("modalities")
    def _known_modalities(self, proposal: Any) -> list[str]:
        return lookup.setting(known_modalities, proposal["value"], self.scenes.modalities)

    @t.validate("selection", "focus")
    def _plain_ids(self, proposal: Any) -> list[Any] | None:
        name, value = proposal["trait"].name, lookup.plain_ids(proposal["value"])
        self._set_for[name] = self.side, self.swap
        if name == "selection" and value:
            return lookup.known_nodes(value, self.node_kind, self.scenes)
        if name == "focus" and value and value[0] == "node":
            return ["node", *lookup.known_nodes(value[1:], self.node_kind, self.scenes, "focus")]
        return value

    @t.validate("view")
    def _known_view(self, proposal: Any) -> str | None:
        return lookup.setting(known_view, proposal["value"])

    @t.validate("colour_by")
    def _known_colouring(self, proposal: Any) -> str:
        return lookup.setting(colouring_name, proposal["value"], self.scenes.colourings)
