"""What an inspector can be set to: traits that a notebook may save, and the values they can have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import traitlets as t

from hyperctr.widgets import lookup

if TYPE_CHECKING:
    from hyperctr.widgets.scene_source import SceneSource


class SceneTraits(t.HasTraits):
    """The traits about the picture of :class:`hyperctr.widgets.inspector.Inspector`, which describes them."""

    scenes: SceneSource
    _set_for: dict[str, Any]  # side and swap for which focus and selection were set

    side = t.Enum(("user", "item"), "user").tag(sync=True)
    slot = t.Int(0).tag(sync=True)
    modalities = t.List(t.Unicode()).tag(sync=True)
    delta = t.Float(0.5, min=0.0, max=1.0).tag(sync=True)
    neighbours = t.Int(0, min=0).tag(sync=True)
    swap = t.Bool(False).tag(sync=True)
    focus: Any = t.List(allow_none=True, default_value=None, minlen=2, maxlen=2).tag(sync=True)
    limit = t.Int(15, min=1).tag(sync=True)
    min_size = t.Int(0, min=0).tag(sync=True)
    max_size = t.Int(0, min=0).tag(sync=True)
    min_degree = t.Int(0, min=0).tag(sync=True)
    min_modalities = t.Int(0, min=0).tag(sync=True)
    colour_by = t.Unicode("").tag(sync=True)
    selection: Any = t.List().tag(sync=True)
    query = t.Unicode("").tag(sync=True)
    compare_slot = t.Int(None, allow_none=True).tag(sync=True)
    compare_delta = t.Float(None, allow_none=True, min=0.0, max=1.0).tag(sync=True)

    @property
    def node_kind(self) -> str:
        """What a node is, ``user`` or ``item``; of a reader's own hypergraphs perhaps ``node`` or ``hyperedge``."""
        return self.scenes.kinds[(self.side == "user") == self.swap]

    @t.validate("slot", "compare_slot")
    def _known_slot(self, proposal: Any) -> int | None:
        return lookup.known_slot(proposal["trait"].name, proposal["value"], len(self.scenes.slots))

    @t.validate("modalities")
    def _known_modalities(self, proposal: Any) -> list[str]:
        return lookup.known_modalities(proposal["value"], self.scenes.modalities)

    @t.validate("selection", "focus")
    def _plain_ids(self, proposal: Any) -> list[Any] | None:
        name, value = proposal["trait"].name, lookup.plain_ids(proposal["value"])
        self._set_for[name] = self.side, self.swap
        return lookup.known_nodes(value, self.node_kind, self.scenes) if name == "selection" and value else value

    @t.validate("view")
    def _known_view(self, proposal: Any) -> str | None:
        return lookup.known_view(proposal["value"])

    @t.validate("colour_by")
    def _known_colouring(self, proposal: Any) -> str:
        return lookup.known_colouring(proposal["value"], self.scenes.colourings)
