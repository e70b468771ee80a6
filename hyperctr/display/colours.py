"""The colours of everything drawn.

Those of the modalities are of Okabe and Ito, which stay apart for the common forms of colour blindness; further ones
were searched for, so that all stay as far apart as these do (tests/display/test_colours.py simulates it). A modality
keeps its colour in every figure of every report, so a reader learns it once.
"""

from __future__ import annotations

from collections.abc import Sequence
from colorsys import hls_to_rgb, rgb_to_hls

BLUE, ORANGE, GREEN = "#0072B2", "#D55E00", "#009E73"  # for whatever else is two or three of a kind
MODALITY_COLOURS = {"visual": BLUE, "acoustic": ORANGE, "textual": GREEN, "multi-modal": "#CC79A7"}
FURTHER_COLOURS = ("#E69F00", "#56B4E9", "#794006", "#243AA8")  # modalities the paper does not have
NEUTRAL = "#7A828C"  # what belongs to no modality; readable on white and on near-black
BRIGHTEST = 0.47  # luminance of a tint, which is a contrast of two to white
TINTS = 20  # of a colour, after which they come again
LOW, MIDDLE, HIGH = BLUE, "#DEDCD7", "#C04E00"  # around a middle that means something
NUMBER_COLOURS = ("#00224E", "#233E6C", "#575D6D", "#7C7B78", "#A59C74", "#D3C164", "#FEE838")  # Cividis in seven steps
# kinds of things: Okabe and Ito's again, then ours; beyond a dozen nobody tells colours apart
CATEGORY_COLOURS = (
    *("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00"),
    *("#794006", "#8CC059", "#6E85F7", "#305030", "#E9A496", "#243AA8"),
)


def modality_colour(name: str, others: Sequence[str] = ()) -> str:
    """Return the colour of a modality; one the paper does not know gets it by its place in ``others``.

    Args:
        name: a modality name, or ``"multi-modal"``.
        others: all modalities of the data set, in order; needed only to tell several unknown ones apart.

    >>> modality_colour("visual"), modality_colour("motion", ["visual", "motion"])
    ('#0072B2', '#E69F00')
    """
    if name in MODALITY_COLOURS:
        return MODALITY_COLOURS[name]
    unknown = [other for other in others if other not in MODALITY_COLOURS]
    place = unknown.index(name) if name in unknown else 0
    return FURTHER_COLOURS[place % len(FURTHER_COLOURS)]


def shades(many: int) -> tuple[str, ...]:
    """Return colours of evenly spaced numbers, from low to high.

    >>> shades(3)
    ('#00224e', '#7c7b78', '#fee838')
    """
    places = [place * (len(NUMBER_COLOURS) - 1) / (many - 1) for place in range(many)]
    pairs = [
        (NUMBER_COLOURS[int(at)], NUMBER_COLOURS[min(int(at) + 1, len(NUMBER_COLOURS) - 1)], at % 1) for at in places
    ]
    return tuple(_between(*pair) for pair in pairs)


def _between(near: str, far: str, away: float) -> str:
    """Return a colour that lies a share of the way from one to another."""
    parts = [(int(near[start : start + 2], 16), int(far[start : start + 2], 16)) for start in (1, 3, 5)]
    return "#{:02x}{:02x}{:02x}".format(*(round(a + (b - a) * away) for a, b in parts))


def translucent(colour: str, alpha: float) -> str:
    """Return a hex colour with an opacity.

    >>> translucent("#0072B2", 0.2)
    'rgba(0,114,178,0.2)'
    """
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha:g})"


def tint(colour: str, rank: int) -> str:
    """Return one of 20 tints of a colour, so that neighbours in a list differ; a yellow is dark enough for white paper.

    >>> tint("#0072B2", 0), tint("#0072B2", 1)
    ('#0471ae', '#1058f9')
    """
    red, green, blue = (int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
    hue, light, vivid = rgb_to_hls(red, green, blue)
    hue = (hue + (0, 0.055, -0.055, 0.028, -0.028)[rank % 5]) % 1
    light = min(max(light + (0, 0.1, -0.09, 0.17)[rank * 3 % 4], 0.24), 0.66)
    vivid = min(max(vivid, 0.35), 0.95)
    while _luminance(parts := hls_to_rgb(hue, light, vivid)) > BRIGHTEST:
        light -= 0.02
    return "#" + "".join(f"{round(255 * part):02x}" for part in parts)


def _luminance(parts: tuple[float, float, float]) -> float:
    """How bright a colour is, from 0 to 1, about as the guidelines for accessible pages have it."""
    return float(sum(weight * part**2.2 for weight, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True)))


def diverging(share: float) -> str:
    """Return a colour from low (0) over the middle (0.5) to high (1).

    >>> diverging(0.5), diverging(1), diverging(-3) == diverging(0)
    ('#dedcd7', '#c04e00', True)
    """
    share = min(max(share, 0.0), 1.0)
    return _between(MIDDLE, HIGH if share > 0.5 else LOW, abs(share - 0.5) * 2)
