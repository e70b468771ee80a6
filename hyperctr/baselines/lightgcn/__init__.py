"""Options and settings of LightGCN."""

from __future__ import annotations

from dataclasses import dataclass

from hyperctr.settings import ModelSpec, Options, setting


@dataclass(frozen=True)
class LightGCNOptions(Options):
    """What LightGCN has beyond the shared settings; its depth is ``layers``, and 0 is matrix factorisation."""

    l2: float = setting(1e-4, "L2 penalty on the batch's vectors before propagation, per click.", low=0)


# The paper has no LightGCN: what is usual is what its authors set.
SAME = {"batch_size": 2048, "learning_rate": 1e-3, "weight_decay": 0.0, "embedding_size": 64, "layers": 3}
QUICK = {"batch_size": 512, "learning_rate": 5e-3}  # a thousand epochs are the authors' way, not a budget's
BUDGETS: dict[str, dict[str, float]] = {"quick": QUICK, "smoke": {"batch_size": 512, "embedding_size": 16, "layers": 1}}
MODEL = ModelSpec("lightgcn", "hyperctr.baselines.lightgcn.network:LightGCN", LightGCNOptions, SAME, SAME, BUDGETS)
