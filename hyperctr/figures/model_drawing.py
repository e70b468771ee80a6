"""Figure 3 of the paper from a declaration: the parts of the model, their equations, and the modules that hold them.

>>> model()._repr_html_().count("<rect")
8
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape

from hyperctr.display.colours import BLUE, GREEN, NEUTRAL, ORANGE

WIDE, HIGH, ACROSS, DOWN, EDGE = 178, 96, 210, 138, 12  # of a box, from one to the next, and around all; pixels
DATA, SEQUENCE, GRAPH, JOINT = NEUTRAL, BLUE, GREEN, ORANGE
SUBSCRIPT = r'<tspan dy="3" font-size="9">\1</tspan><tspan dy="-3">&#8203;</tspan>'
_DARK = "svg{color:#24292f}@media(prefers-color-scheme:dark){svg{color:#d5dbe3}}"


@dataclass(frozen=True)
class Part:
    """A part of the model: where it is drawn, what it computes, and where that is implemented.

    Attributes:
        title: a few words.
        place: column and row.
        colour: of its kind: data, sequence, hypergraph, both together.
        equation: as the paper writes it, in plain letters.
        of: the number of the equation or definition.
        module: below ``hyperctr``.
    """

    title: str
    place: tuple[float, float]
    colour: str
    equation: str
    of: str
    module: str


PARTS = {
    "data": Part("clicks and features", (0, 0.5), DATA, "(u, i, t), v, a, t", "section 3.1", "data.dataset"),
    "embedding": Part("tokens of a slot", (1, 0), SEQUENCE, "E = E_U + E_I + E_A", "section 2.2.1", "model.embedding"),
    "attention": Part("attention", (2, 0), SEQUENCE, "softmax(QKᵀ/√d) V", "Eq. 1 to 4", "model.attention"),
    "interest": Part("interest", (1, 1), GRAPH, "F = σ[(E_I W E_A) E_U]", "Eq. 9, 10", "hypergraph.interest"),
    "graphs": Part("hypergraphs", (2, 1), GRAPH, "F ≥ δ: on a hyperedge", "Def. 2, 3, Eq. 11", "hypergraph.build"),
    "convolution": Part("convolution", (3, 1), GRAPH, "σ(D⁻½HWB⁻¹HᵀD⁻½XΘ)", "Eq. 5", "model.convolution"),
    "fusion": Part("fusion", (4, 0.5), JOINT, "T = Wᵀ (E ⊗ E_g)", "Eq. 6", "model.fusion"),
    "prediction": Part("prediction", (5, 0.5), JOINT, "ŷ = f(e_u, e_i; Θ)", "Eq. 7, 8", "model.hyperctr"),
}
ARROWS = (
    *(("data", "embedding"), ("data", "interest"), ("embedding", "attention"), ("attention", "fusion")),
    *(("interest", "graphs"), ("graphs", "convolution"), ("convolution", "fusion"), ("fusion", "prediction")),
)


@dataclass(frozen=True)
class Drawing:
    """A drawing that shows itself in a notebook, in the colours of its page.

    Attributes:
        svg: as markup.
    """

    svg: str

    def _repr_html_(self) -> str:
        return f'<div style="overflow-x:auto">{self.svg}</div>'

    def __repr__(self) -> str:
        return "Drawing: the parts of HyperCTR"


def model() -> Drawing:
    """Draw the model: what follows from what, by which equation, in which module."""
    return Drawing(model_svg())


def model_svg(folder: str = "", *, alone: bool = False) -> str:
    """Return the drawing of the model as SVG.

    Args:
        folder: of the package, as seen from where the drawing lies: modules become links; empty: they do not.
        alone: whether it is a file of its own, with colours for light and dark; else it takes those around it.

    >>> 'href="../hyperctr/model/fusion.py"' in model_svg("../hyperctr")
    True
    """
    columns, rows = (max(part.place[axis] for part in PARTS.values()) for axis in (0, 1))
    wide, high = columns * ACROSS + WIDE + 2 * EDGE, rows * DOWN + HIGH + 2 * EDGE
    size = f'viewBox="0 0 {wide:g} {high:g}" width="{wide:g}" height="{high:g}"'
    head = '<marker id="to" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    head = f'<defs>{head}<path d="M0 0L8 4L0 8z" fill="{DATA}"/></marker></defs>'
    style = f"<style>{_DARK}</style>" if alone else ""
    title = "<title>The parts of HyperCTR, their equations and modules</title>"
    body = "".join([*(_arrow(*ends) for ends in ARROWS), *(_box(part, folder) for part in PARTS.values())])
    look = 'role="img" font-family="system-ui, sans-serif" style="max-width:100%;min-width:760px;height:auto"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {look}>{title}{style}{head}{body}</svg>\n'


def _corner(part: Part) -> tuple[float, float]:
    return EDGE + part.place[0] * ACROSS, EDGE + part.place[1] * DOWN


def _arrow(start: str, end: str) -> str:
    (x1, y1), (x2, y2) = _corner(PARTS[start]), _corner(PARTS[end])
    x1, y1, y2 = x1 + WIDE, y1 + HIGH / 2, y2 + HIGH / 2
    turn = x2 - (ACROSS - WIDE) / 2  # along the row, then up or down just before the next box
    path = f"M{x1:g} {y1:g}H{turn:g}V{y2:g}H{x2:g}" if y1 != y2 else f"M{x1:g} {y1:g}H{x2:g}"
    return f'<path d="{path}" fill="none" stroke="{DATA}" stroke-width="1.6" marker-end="url(#to)"/>'


def _box(part: Part, folder: str) -> str:
    x, y = _corner(part)
    middle = x + WIDE / 2

    def text(down: float, words: str, size: float, more: str = "") -> str:
        place = f'x="{middle:g}" y="{y + down:g}" text-anchor="middle" font-size="{size:g}"'
        lowered = re.sub(r"_(\w)", SUBSCRIPT, escape(words))
        return f'<text {place} fill="currentColor"{more}>{lowered}</text>'

    module = text(83, part.module, 10.5, ' font-family="ui-monospace, monospace" opacity=".75"')
    if folder:
        module = f'<a href="{folder}/{part.module.replace(".", "/")}.py">{module}</a>'
    shape = f'<rect x="{x:g}" y="{y:g}" width="{WIDE}" height="{HIGH}" rx="9" fill="{part.colour}" fill-opacity=".1"'
    shape += f' stroke="{part.colour}" stroke-width="1.6"/>'
    lines = [text(24, part.title, 14, ' font-weight="600"'), text(46, part.equation, 13.5, ' font-style="italic"')]
    return "".join([shape, *lines, text(65, part.of, 10.5, ' opacity=".75"'), module])
