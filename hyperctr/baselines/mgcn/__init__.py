"""Options and settings of MGCN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from hyperctr.settings import ModelSpec, Options, setting


@dataclass(frozen=True)
class MGCNOptions(Options):
    """What MGCN has beyond the shared settings; the depth of its click graph is ``layers``."""

    loss: Literal["cross-entropy", "pairwise"] = setting("cross-entropy", "The harness's loss, or the authors' BPR.")
    neighbours: int = setting(10, "Nearest items in each modality, an item itself among them.", low=1)
    contrast: float = setting(1e-2, "Weight of the contrastive loss.", low=0)
    temperature: float = setting(0.2, "Temperature of the contrastive loss.", low=1e-3)
    purified: bool = setting(True, "Off: projected features as they are, without the clicks' guidance.")
    l2: float = setting(1e-4, "L2 penalty on the batch's vectors before propagation, per click.", low=0)


# The paper has none: what is usual was found on validation AUC, and what its authors set stands beside it.
SAME: dict[str, Any] = {"weight_decay": 0.0, "embedding_size": 64, "layers": 2}
USUAL = {**SAME, "batch_size": 512, "learning_rate": 5e-3}
AUTHOR = {**SAME, "batch_size": 2048, "learning_rate": 1e-3, "options": {"loss": "pairwise"}}
QUICK = {"batch_size": 512, "learning_rate": 5e-3}  # a thousand epochs are the authors' way, not a budget's
BUDGETS: dict[str, dict[str, Any]] = {"quick": QUICK, "smoke": {"batch_size": 512, "embedding_size": 16, "layers": 1}}
MODEL = ModelSpec("mgcn", "hyperctr.baselines.mgcn.network:MGCN", MGCNOptions, USUAL, AUTHOR, BUDGETS)
