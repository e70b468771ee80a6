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
    l2: float = setting(1e-4, "L2 penalty on the batch's vectors of users and items, per click.", low=0)


# The paper has no VBPR: what is usual is what the public implementations set.
SAME: dict[str, Any] = {"batch_size": 2048, "learning_rate": 1e-3, "weight_decay": 0.0, "embedding_size": 64}
AUTHOR = {**SAME, "options": {"loss": "pairwise"}}
QUICK = {"batch_size": 512, "learning_rate": 5e-3}  # a thousand epochs are the authors' way, not a budget's
BUDGETS: dict[str, dict[str, Any]] = {"quick": QUICK, "smoke": {"batch_size": 512, "embedding_size": 16}}
MODEL = ModelSpec("vbpr", "hyperctr.baselines.vbpr.network:VBPR", VBPROptions, SAME, AUTHOR, BUDGETS)
