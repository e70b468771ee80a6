"""Options and settings of AutoFIS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hyperctr.settings import ModelSpec, Options, setting


@dataclass(frozen=True)
class AutoFISOptions(Options):
    """What AutoFIS has beyond the shared settings; its deep network's widths are ``hidden``."""

    select: Literal["search", "all", "none"] = setting(
        "search", "Pairs of fields: search for them and retrain, keep all of them, or have none."
    )
    base: Literal["deepfm", "fm"] = setting("deepfm", "AutoDeepFM, or AutoFM without the deep network.")
    search_epochs: int = setting(2, "Epochs of the search; what is left of `epochs` retrains.", low=1)
    rho: float = setting(1.9, "Threshold at the end of the search, in initial weights of a pair.", low=0)
    mu: float = setting(0.8, "Exponent of time in GRDA's threshold.", low=0)
    step: float = setting(1.0, "Step size of GRDA.", low=1e-8)


SHARED = {"batch_size": 2000, "weight_decay": 0.0, "embedding_size": 40, "hidden": (700,) * 5}
TABLE2 = {**SHARED, "dropout": 0.6, "learning_rate": 5e-3}
AUTHOR = {**SHARED, "dropout": 0.0, "learning_rate": 1e-3}
SMOKE = {"batch_size": 512, "embedding_size": 16, "hidden": (32, 16), "options": {"search_epochs": 1}}
BUDGETS = {"quick": {"batch_size": 512, "hidden": (200,) * 3}, "smoke": SMOKE}
MODEL = ModelSpec("autofis", "hyperctr.baselines.autofis.network:AutoFIS", AutoFISOptions, TABLE2, AUTHOR, BUDGETS)
