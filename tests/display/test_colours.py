"""Colours that must be told apart, as eyes without the pigment for green see them: simulated, in both themes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray

from hyperctr.display import colours
from hyperctr.widgets.front_end import HERE

Floats = NDArray[np.float64]
# deuteranopia, severity 1, of linear RGB: Machado, Oliveira and Fernandes, 2009, table 1
DEUTERANOPIA = np.array(
    [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]]
)
XYZ = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.072175], [0.0193339, 0.119192, 0.9503041]])
WHITE = np.array([0.95047, 1.0, 1.08883])  # D65
# Differences of CIE Lab, of which 2.3 is just seen between two large areas side by side (Mahy and others, 1994). Dots
# are small and lie apart, so six times that; Okabe and Ito's own colours are 17.9 apart. A colour on a page needs less
# of it than of light against dark: the guidelines ask for 3 of text that is large, and a dot has a rim or a name, too.
APART, CONTRAST = 15.0, 2.0
THEMES = {"light": "#ffffff", "dark": "#111111"}


def linear(colour: str) -> Floats:
    value = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def lab(colour: str, seen: Floats) -> Floats:
    xyz = XYZ @ np.clip(seen @ linear(colour), 0, 1) / WHITE
    root = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * root[1] - 16, 500 * (root[0] - root[1]), 200 * (root[1] - root[2])])


def contrast(a: str, b: str) -> float:
    low, high = sorted(float(XYZ[1] @ linear(colour)) + 0.05 for colour in (a, b))
    return high / low


def nearest(palette: Sequence[str], seen: Floats) -> tuple[float, str, str]:
    pairs = combinations(palette, 2)
    return min((float(np.linalg.norm(lab(a, seen) - lab(b, seen))), a, b) for a, b in pairs)


def styles(name: str) -> tuple[str, str]:
    """A colour of the inspector in the light theme and in the dark one."""
    light, dark = re.findall(rf"{name}: (#\w{{6}});", (HERE / "style.css").read_text(encoding="utf-8"))
    return light, dark


def test_the_simulation_is_that_of_its_authors() -> None:
    red, green = (lab(colour, DEUTERANOPIA) for colour in ("#ff0000", "#00ff00"))
    assert abs(red[1]) < 20 and abs(green[1]) < 20 < red[2] and green[2] > 20, "red and green are yellows"
    np.testing.assert_allclose(lab("#ffffff", DEUTERANOPIA), [100, 0, 0], atol=0.02)


@pytest.mark.parametrize("theme", THEMES)
def test_categories_are_told_apart_without_green_in_both_themes(theme: str) -> None:
    place = list(THEMES).index(theme)
    unknown, raises = (styles(name)[place] for name in ("--hc-node", "--hc-accent"))
    palettes = {
        "modalities": [*colours.MODALITY_COLOURS.values(), *colours.FURTHER_COLOURS],
        "kinds of nodes": [*colours.CATEGORY_COLOURS, unknown],
        "two or three": [colours.BLUE, colours.ORANGE, colours.GREEN],
        "below, at, above": [colours.LOW, colours.MIDDLE, colours.HIGH],
        "raises, lowers": [raises, colours.ORANGE],
    }
    for name, palette in palettes.items():
        for seen in (DEUTERANOPIA, np.eye(3)):
            assert nearest(palette, seen)[0] >= APART, (name, *nearest(palette, seen))
        for colour in palette:
            if colour != colours.MIDDLE:  # nothing stands out there, as it should
                assert contrast(colour, THEMES[theme]) >= CONTRAST, (name, colour)


def test_shades_of_a_number_grow_lighter_for_every_eye() -> None:
    for seen in (DEUTERANOPIA, np.eye(3)):
        assert min(np.diff([lab(colour, seen)[0] for colour in colours.NUMBER_COLOURS])) > 5
