"""Options and settings of DIN."""

from __future__ import annotations

from dataclasses import dataclass

from hyperctr.errors import ConfigError
from hyperctr.settings import ModelSpec, Options, setting


@dataclass(frozen=True)
class DINOptions(Options):
    """What DIN has beyond the shared settings; its prediction network's widths are ``hidden``."""

    units: tuple[int, ...] = setting((80, 40), "Widths of the attention's network.", low=1)
    softmax: bool = setting(True, "Off: weights as they come, as the paper writes them, so that many clicks add up.")
    attention: bool = setting(True, "Off: all clicks weigh the same, whatever the candidate.")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.units:
            raise ConfigError("option units = () must name at least one width, for example options.units=[80, 40]")


SHARED = {"learning_rate": 1e-3, "hidden": (200, 80)}
TABLE2 = {**SHARED, "embedding_size": 16}  # the paper has no such row: HyperCTR's settings, and the usual widths
# As in the code its authors published with DIEN two years later, which has DIN among its rows.
NO_PENALTY = {"batch_size": 128, "dropout": 0.0, "weight_decay": 0.0}
AUTHOR = {**SHARED, **NO_PENALTY, "embedding_size": 18, "history_length": 100}
BUDGETS = {"smoke": {"embedding_size": 8, "hidden": (32, 16), "options": {"units": (16, 8)}}}
MODEL = ModelSpec("din", "hyperctr.baselines.din.network:DIN", DINOptions, TABLE2, AUTHOR, BUDGETS)
