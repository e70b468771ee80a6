"""Options and settings of VBPR."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from hyperctr.settings import ModelSpec, Options, setting


@dataclass(frozen=True)
class VBPROptions(Options):
    """What VBPR has beyond the shared settings."""

    loss: Literal["cross-entropy", "pairwise"] = setting("cross-entropy", "The harness's loss, or the authors' BPR.")
    content: bool = setting(True, "Off: matrix factorisation by ids alone.")
    l2: float = setting(0.0, "L2 penalty on the batch's vectors of users and items, per click.", low=0)


# The paper has no VBPR: what is usual was found on validation AUC, and what is its authors' way stands beside it.
LEARNING = {"learning_rate": 5e-3, "batch_size": 512, "points_per_epoch": 1, "epochs": 40, "patience": 3}
USUAL: dict[str, Any] = {**LEARNING, "embedding_size": 128, "weight_decay": 1.0, "dropout": 0.7, "negatives": 8}
AUTHOR = {**USUAL, "negatives": 1, "options": {"loss": "pairwise"}}
BUDGETS: dict[str, dict[str, Any]] = {"smoke": {"embedding_size": 16, "epochs": 1, "points_per_epoch": 2}}
MODEL = ModelSpec("vbpr", "hyperctr.baselines.vbpr.network:VBPR", VBPROptions, USUAL, AUTHOR, BUDGETS)
