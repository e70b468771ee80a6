"""How the settings of the paper's figures are named and laid out: axis titles with units, places of values, words."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Axis:
    """One setting as an x axis."""

    title: str  # with its unit
    noun: str  # for sentences, with {} where the value goes
    log: bool = False  # equal steps are equal factors
    all_is: str = ""  # what value 0 means, drawn at the right end; empty: 0 is a number like others

    def words(self, value: float) -> str:
        """Write a value for a sentence.

        >>> axis_of("slot_months").words(1), axis_of("slot_months").words(6), axis_of("max_neighbours").words(0)
        ('1 month', '6 months', 'all neighbours')
        """
        if value == 0 and self.all_is:
            return self.all_is
        text = self.noun.format(f"{value:g}")
        return text[:-1] if value == 1 and self.noun.startswith("{}") and text.endswith("s") else text

    def places(self, values: Iterable[float], among: Iterable[float]) -> list[float]:
        """Return where values stand on the axis; ``among`` are all values drawn, to place "all" beyond them.

        >>> axis_of("max_neighbours").places([5, 0], [5, 40, 0])
        [5.0, 48.0]
        """
        largest = max((value for value in among if math.isfinite(value)), default=1.0) or 1.0
        placed = [largest * 1.2 if value == 0 and self.all_is else float(value) for value in values]
        return [math.log2(value) for value in placed] if self.log else placed

    def tick(self, value: float) -> str:
        """Write a value under the axis."""
        return "all" if value == 0 and self.all_is else f"{value:g}"


AXES = {
    "layers": Axis("convolution layers", "{} layers"),
    "slot_months": Axis("length of a time slot (months)", "{} months", log=True),
    "embedding_size": Axis("embedding dimension d", "d = {}", log=True),
    "max_neighbours": Axis("sampled neighbours K", "K = {}", all_is="all neighbours"),
}


def axis_of(setting: str) -> Axis:
    """Return how a setting is drawn; one the paper does not vary gets its own name.

    >>> axis_of("batch_size").title
    'batch size'
    """
    name = setting.replace("_", " ")
    return AXES.get(setting, Axis(name, f"{name} = {{}}"))
