"""How hypergraphs are built: the settings that a run, a session and the inspector share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hyperctr.errors import ConfigError

if TYPE_CHECKING:
    from hyperctr.config import Config


@dataclass(frozen=True)
class GraphSettings:
    """How hypergraphs are built from clicks and interest.

    Attributes:
        interest_threshold: the paper's delta, a degree in (0, 1) or, with ``quantile``, a quantile per slot and
            modality.
        quantile: read the threshold as a quantile.
        max_neighbours: K, the most members of a hyperedge and hyperedges of a node that are used; None is exact.
        weighted: weigh a hyperedge by the mean interest of its members instead of 1.
        seed: of the neighbour sampling.
        least_members: of a hyperedge; with fewer it joins nobody. 1 where only its owner is told, as in a click graph.

    Raises:
        ConfigError: the threshold or K is out of bounds.

    >>> import hyperctr as hc
    >>> GraphSettings.of(hc.Config(interest_threshold=0.4, max_neighbours=10)).max_neighbours
    10
    """

    interest_threshold: float = 0.5
    quantile: bool = False
    max_neighbours: int | None = None
    weighted: bool = True
    seed: int = 0
    least_members: int = 2

    def __post_init__(self) -> None:
        """Refuse what no hypergraph can be built with."""
        if not 0 <= self.interest_threshold <= 1:
            threshold = f"interest_threshold = {self.interest_threshold}"
            raise ConfigError(f"{threshold} is out of bounds: must be between 0 and 1")
        if self.max_neighbours is not None and self.max_neighbours < 2:
            raise ConfigError(f"max_neighbours = {self.max_neighbours} must be at least 2, or None for all")

    @classmethod
    def of(cls, config: Config) -> GraphSettings:
        """Return the graph settings of a run."""
        return cls(
            interest_threshold=config.interest_threshold,
            quantile=config.threshold_is_quantile,
            max_neighbours=config.max_neighbours or None,
            weighted=config.weighted,
            seed=config.seed,
            least_members=1 if config.graph == "bipartite" else 2,
        )
