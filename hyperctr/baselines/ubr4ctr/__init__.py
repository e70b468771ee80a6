"""Options and settings of UBR4CTR."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hyperctr.settings import ModelSpec, Options, setting


@dataclass(frozen=True)
class UBR4CTROptions(Options):
    """What UBR4CTR has beyond the shared settings; it searches the latest ``history_length`` clicks."""

    records: int = setting(20, "Most clicks that a search returns.", low=1)
    retrieve: Literal["relevant", "recent"] = setting("relevant", "`recent`: the latest clicks, without any search.")
    rounds: int = setting(10, "Most rounds of an epoch of the selector and one of the network.", low=0)
    select_rate: float = setting(1e-3, "Learning rate of the selector.", low=1e-8, high=1)
    l2: float = setting(1e-4, "L2 penalty on the weight matrices of attention and prediction network.", low=0)


SIZES = {"embedding_size": 16, "history_length": 300, "hidden": (200, 80)}
SHARED = {**SIZES, "batch_size": 200, "learning_rate": 1e-3, "weight_decay": 0.0, "clip_norm": 5.0}
TABLE2 = {**SHARED, "dropout": 0.5}
AUTHOR = {**SHARED, "dropout": 0.2, "options": {"select_rate": 1e-4}}  # the largest rate the authors tried for it
# Rounds: chosen on validation of planted; the authors' 10 take five times as long.
QUICK = {"history_length": 100, "options": {"rounds": 2}}
SMOKE = {"batch_size": 512, "embedding_size": 8, "history_length": 30, "hidden": (32, 16)}
BUDGETS = {"quick": QUICK, "smoke": SMOKE}
MODEL = ModelSpec("ubr4ctr", "hyperctr.baselines.ubr4ctr.network:UBR4CTR", UBR4CTROptions, TABLE2, AUTHOR, BUDGETS)
