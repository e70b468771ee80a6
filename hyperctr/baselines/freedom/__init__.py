"""Options and settings of FREEDOM."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from hyperctr.settings import ModelSpec, Options, setting


@dataclass(frozen=True)
class FreedomOptions(Options):
    """What FREEDOM has beyond the shared settings; the depth of its click graph is ``layers``."""

    loss: Literal["cross-entropy", "pairwise"] = setting("cross-entropy", "The harness's loss, or the authors' BPR.")
    neighbours: int = setting(10, "Nearest items in each modality, an item itself among them; 0: no item graph.", low=0)
    weighted: bool = setting(False, "Weigh these edges by their similarity, instead of all alike.")
    item_layers: int = setting(1, "Propagations along the item graph.", low=1, high=8)
    pruned: float = setting(0.8, "Share of a click graph's edges that a training round leaves out.", low=0, high=0.99)
    modal_loss: float = setting(1e-3, "Weight of the loss of every modality's projections.", low=0)
    l2: float = setting(1e-4, "L2 penalty on the batch's vectors before propagation, per click.", low=0)


# The paper has none: what is usual was found on validation AUC, and what its authors set stands beside it.
SAME: dict[str, Any] = {"weight_decay": 0.0, "embedding_size": 64, "layers": 2}
USUAL = {**SAME, "batch_size": 512, "learning_rate": 5e-3}
AUTHOR = {**SAME, "batch_size": 2048, "learning_rate": 1e-3, "options": {"loss": "pairwise"}}
QUICK = {"batch_size": 512, "learning_rate": 5e-3}  # a thousand epochs are the authors' way, not a budget's
BUDGETS: dict[str, dict[str, Any]] = {"quick": QUICK, "smoke": {"batch_size": 512, "embedding_size": 16, "layers": 1}}
MODEL = ModelSpec("freedom", "hyperctr.baselines.freedom.network:Freedom", FreedomOptions, USUAL, AUTHOR, BUDGETS)
