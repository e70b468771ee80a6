"""Options and settings of DSTN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hyperctr.settings import ModelSpec, Options, setting


@dataclass(frozen=True)
class DSTNOptions(Options):
    """What DSTN has beyond the shared settings; it looks at ``history_length`` clicked items."""

    variant: Literal["P", "S", "I"] = setting("I", "Pooling, self-attention, or interactive attention (the best).")
    attention: int = setting(128, "Width of the attention's hidden layer.", low=1)
    non_clicks: int = setting(5, "Items shown and not clicked that it looks at; 0 leaves this type out.", low=0)


SIZES = {"embedding_size": 10, "history_length": 5, "hidden": (512, 256)}
SHARED = {**SIZES, "batch_size": 128, "dropout": 0.5, "weight_decay": 0.0, "clip_norm": 5.0}
TABLE2 = {**SHARED, "learning_rate": 1e-3}  # the paper names no optimiser: Adam, as for the others
AUTHOR = {**SHARED, "optimiser": "adagrad", "learning_rate": 0.01}
BUDGETS = {"smoke": {"batch_size": 512, "hidden": (32, 16), "options": {"attention": 16}}}
MODEL = ModelSpec("dstn", "hyperctr.baselines.dstn.network:DSTN", DSTNOptions, TABLE2, AUTHOR, BUDGETS)
