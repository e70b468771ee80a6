"""Options and settings of ALPINE."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hyperctr.settings import ModelSpec, Options, setting


@dataclass(frozen=True)
class AlpineOptions(Options):
    """What ALPINE has beyond the shared settings; it reads ``history_length`` clicks."""

    non_clicks: int = setting(300, "Items shown and not clicked that it reads; 0 leaves their side out.", low=0)
    click_weight: float = setting(
        0.68, "Share of the clicks' side in the logit; the non-clicks have the rest.", low=0, high=1
    )
    graph_cell: Literal["previous", "linked"] = setting("previous", "Whose graph cell a step goes on from.")
    l2: float = setting(5e-5, "L2 penalty on the weights of both prediction networks.", low=0)


SIZES = {"embedding_size": 64, "history_length": 300, "hidden": (128,)}
SHARED = {**SIZES, "batch_size": 2048, "learning_rate": 1e-3, "weight_decay": 0.0, "clip_norm": 5.0}
TABLE2 = {**SHARED, "dropout": 0.3}
AUTHOR = {**SHARED, "dropout": 0.0}  # the authors' code feeds its dropout a keep probability of 1
QUICK = {"batch_size": 512, "history_length": 30, "options": {"non_clicks": 30}}
SMOKE = {**QUICK, "embedding_size": 16, "history_length": 10, "hidden": (32,), "options": {"non_clicks": 10}}
BUDGETS = {"quick": QUICK, "smoke": SMOKE}
MODEL = ModelSpec("alpine", "hyperctr.baselines.alpine.network:Alpine", AlpineOptions, TABLE2, AUTHOR, BUDGETS)
